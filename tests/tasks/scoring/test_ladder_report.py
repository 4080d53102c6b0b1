import csv
import io
import json
from pathlib import Path

import pytest

from tasks.rates import Rate
from tasks.scoring import ladder_report
from tasks.scoring.metrics import FAILURES


def rate(right, n=1000):
    return Rate(right, n).as_dict()


def report(name, right=900, dictionary=True):
    """What `tasks.scoring.report.summarise` says, as far as a ladder is made of it."""
    names = ("none", "probability", "positions", "levenshtein") if dictionary else ("none",)
    failures = dict.fromkeys(FAILURES, 0) | {"segments": 50, "place": 20, "letter": 30, "right": 900}
    curve = [{"confidence": 0.9, **rate(right)}]
    return {
        "dataset": f"data/datasets/{name}",
        "n": 1000,
        "words": {one: rate(right + 10 * place) for place, one in enumerate(names)},
        "cut_right": rate(950),
        "letters": {"macro_f1": 0.98765, "accuracy": rate(980)},
        "calibration": {one: {"error": 0.0123, "reliability": curve} for one in names[:2]},
        "failures": dict.fromkeys(names, failures),
        "words_per_second_a_worker": 12_345,
        "by": {},
    }


REPORTS = [report("book", 950), report("random", 800, dictionary=False), report("hard", 400)]


def test_rows_say_what_the_reports_say():
    rows = ladder_report.ladder_rows(REPORTS)
    assert [row["rung"] for row in rows] == ["book", "random", "hard"]
    assert list(rows[0]["words"]) == ["none", "probability", "positions", "levenshtein"]
    assert rows[0]["words"]["probability"] == rate(960)
    assert list(rows[1]["words"]) == ["none"]
    assert rows[2]["calibration"] == {"none": 0.0123, "probability": 0.0123}
    assert rows[2]["failures"] == REPORTS[2]["failures"]
    assert json.loads(json.dumps(rows)) == rows


def test_the_tables_have_a_line_for_each_rung():
    text = ladder_report.markdown(ladder_report.ladder_rows(REPORTS))
    lines = [line.split(" | ") for line in text.splitlines() if line.startswith(("| book", "| random", "| hard"))]
    assert [line[0] for line in lines] == ["| book", "| random", "| hard"] * 2
    words, lost = lines[:3], lines[3:]
    assert len({len(line) for line in words}) == 1
    assert words[0][1:3] == ["1,000", str(Rate(950, 1000)).replace(", n = 1,000", "")]
    assert words[1][3:6] == ["-", "-", "-"]
    assert words[0][6] == "1.23 % / 1.23 %"
    assert words[1][6] == "1.23 % / -"
    assert words[0][7] == "12,345 |"
    assert lost[0][1:] == ["5.00 %", "2.00 %", "3.00 %", "0.9877 |"]
    columns = [line.count("|") for line in text.splitlines() if line]
    assert columns[: len(columns) // 2] == [9] * 5
    assert columns[len(columns) // 2 :] == [6] * 5


def test_rates_with_case_folded_stand_below():
    reports = [REPORTS[0], report("strings", 900, dictionary=False) | {"words_case_folded": {"none": rate(970)}}]
    rows = ladder_report.ladder_rows(reports)
    assert "words_case_folded" not in rows[0]
    last = ladder_report.markdown(rows).splitlines()[-1]
    assert last == (
        "With upper and lower case taken for the same, no dictionary: strings "
        f"{str(Rate(970, 1000)).replace(', n = 1,000', '')}."
    )


def test_a_speed_that_was_not_measured_is_a_dash():
    rows = ladder_report.ladder_rows([report("book") | {"words_per_second_a_worker": None}])
    assert ladder_report.markdown(rows).splitlines()[2].endswith("| - |")


def test_files_are_written_and_equal_reports_give_equal_bytes(tmp_path):
    for name in ("one", "other"):
        assert ladder_report.save_ladder(
            tmp_path / name, Path("models/ladder.skops"), REPORTS
        ) == ladder_report.ladder_rows(REPORTS)
    files = [{path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "other")]
    assert files[0] == files[1]
    assert set(files[0]) == set(ladder_report.FILES)
    assert json.loads(files[0]["ladder.json"]) == {
        "model": "models/ladder.skops",
        "rungs": ladder_report.ladder_rows(REPORTS),
    }
    assert files[0]["ladder.md"].decode() == ladder_report.markdown(ladder_report.ladder_rows(REPORTS))
    assert files[0]["ladder.png"].startswith(b"\x89PNG")


def test_the_csv_has_a_line_for_each_ranking_of_each_rung(tmp_path):
    ladder_report.save_ladder(tmp_path, Path("m.skops"), REPORTS)
    table = csv.DictReader(io.StringIO((tmp_path / "ladder.csv").read_text()))
    rows = list(table)
    assert len(set(table.fieldnames)) == len(table.fieldnames)
    assert [(row["rung"], row["ranking"]) for row in rows] == [
        (one["dataset"].rpartition("/")[2], name) for one in REPORTS for name in one["words"]
    ]
    for row in rows:
        assert float(row["rate"]) == int(row["right"]) / int(row["n"])
        assert float(row["low"]) < float(row["rate"]) < float(row["high"])
        assert (row["calibration_error"] == "") == (row["ranking"] in ("positions", "levenshtein"))
        expected = REPORTS[0]["failures"]["none"]
        assert int(row["both_right"]) == expected["right"]
        assert all(int(row[name]) == expected[name] for name in FAILURES if name != "right")


@pytest.mark.parametrize("reports", [[], REPORTS[:1]])
def test_a_ladder_of_few_rungs_is_a_ladder(tmp_path, reports):
    assert len(ladder_report.save_ladder(tmp_path, Path("m.skops"), reports)) == len(reports)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(ladder_report.FILES)
