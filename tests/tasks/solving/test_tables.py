"""Results in three formats, to the byte or as other libraries read them, and as they come."""

import json
from functools import partial

import pyarrow.parquet
import pytest

from storage.errors import BadInput
from storage.exports import parquet
from storage.files.targets import STANDARD_OUTPUT
from storage.ledger.ledger import Answer, ResultRow
from tasks.solving import tables
from tasks.solving.tables import COLUMNS, AnswerFormat, choose_format, write_answers

ROWS = [
    ("a.png", "BONE", 0.9, "BONE", 0.875, "BOND", 0.1, None, None, 4, "solved", None),
    ("b,c.png", None, 0.4, "BOND", 0.25, None, None, None, None, 4, "abstained", "confidence 0.400 is below 0.5"),
    ("deep/d\r\n.png", None, None, None, None, None, None, None, None, 0, "failed", "no letter found"),
    ('e"f.png', None, None, "LÖNGER", None, None, None, None, None, 6, "failed", "no word of the dictionary fits"),
    ("\udcff.png", *[None] * 9, "failed", "the file is empty (0 bytes)"),
]
RESULTS = [ResultRow(path, Answer(*cells)) for path, *cells in ROWS]


@pytest.fixture(params=[1, 2, 100])
def groups(request, monkeypatch):
    monkeypatch.setattr(tables, "GROUP", request.param)


def test_csv_to_the_byte(groups, tmp_path):
    counts = write_answers(out := tmp_path / "answers.csv", AnswerFormat.CSV, iter(RESULTS))
    assert out.read_bytes() == (
        b"path,word,confidence,reading,reading_confidence,second,second_confidence,third,third_confidence,"
        b"segments,status,reason\n"
        b"a.png,BONE,0.900000,BONE,0.875000,BOND,0.100000,,,4,solved,\n"
        b'"b,c.png",,0.400000,BOND,0.250000,,,,,4,abstained,confidence 0.400 is below 0.5\n'
        b'"deep/d\r\n.png",,,,,,,,,0,failed,no letter found\n'
        b'"e""f.png",,,L\xc3\x96NGER,,,,,,6,failed,no word of the dictionary fits\n'
        b"\xff.png,,,,,,,,,,failed,the file is empty (0 bytes)\n"
    )
    assert counts == {"solved": 1, "abstained": 1, "failed": 3}
    assert [path.name for path in tmp_path.iterdir()] == ["answers.csv"]


def test_csv_on_a_terminal_shows_no_control_character(monkeypatch, capsysbinary):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    row = ResultRow("a\x1b[2J\r\n\u202e\udcff.png", RESULTS[0].answer)
    write_answers(STANDARD_OUTPUT, AnswerFormat.CSV, [row])
    assert rb"a\x1b[2J\r\n\u202e\udcff.png,BONE,0.900000" in capsysbinary.readouterr().out
    with pytest.raises(BadInput, match="format parquet: must not go to a terminal"):
        choose_format(AnswerFormat.PARQUET, STANDARD_OUTPUT)


def test_json_lines(groups, tmp_path):
    write_answers(out := tmp_path / "answers.jsonl", AnswerFormat.JSONL, iter(RESULTS))
    lines = out.read_bytes().split(b"\n")
    assert lines.pop() == b""
    assert lines[0] == (
        b'{"path": "a.png", "word": "BONE", "confidence": 0.9, "reading": "BONE", "reading_confidence": 0.875, '
        b'"second": "BOND", "second_confidence": 0.1, "third": null, "third_confidence": null, "segments": 4, '
        b'"status": "solved", "reason": null}'
    )
    assert [tuple(json.loads(line).values()) for line in lines] == ROWS


def test_parquet(groups, tmp_path):
    write_answers(out := tmp_path / "answers.parquet", AnswerFormat.PARQUET, iter(RESULTS))
    table = pyarrow.parquet.read_table(out)
    assert table.column_names == list(COLUMNS)
    types = {"confidence": "double", "reading_confidence": "double", "segments": "int64"}
    assert {name: str(table.schema.field(name).type) for name in types} == types
    assert [tuple(row.values()) for row in table.to_pylist()] == [*ROWS[:-1], ("\\udcff.png", *ROWS[-1][1:])]
    assert [path.name for path in tmp_path.iterdir()] == ["answers.parquet"]


@pytest.mark.parametrize("format", AnswerFormat)
def test_no_rows(format, tmp_path):
    assert write_answers(out := tmp_path / "answers", format, iter(())) == {}
    if format is AnswerFormat.PARQUET:
        assert pyarrow.parquet.read_table(out).num_rows == 0
    else:
        assert out.read_bytes().count(b"\n") == (format is AnswerFormat.CSV)


@pytest.mark.parametrize("format", AnswerFormat)
def test_answers_of_a_run_that_fails_are_not_there(format, tmp_path):
    out = tmp_path / "answers"
    out.write_bytes(b"of the last run")

    def rows():
        yield RESULTS[0]
        raise BadInput("no")

    with pytest.raises(BadInput, match="no"):
        write_answers(out, format, rows())
    assert out.read_bytes() == b"of the last run"
    assert [path.name for path in tmp_path.iterdir()] == ["answers"]


@pytest.mark.slow
@pytest.mark.parametrize("format", AnswerFormat)
def test_memory_does_not_grow_with_the_rows(format, tmp_path, peak):
    row = RESULTS[0]

    def written(count):
        tables.GROUP = 100
        write_answers(tmp_path / "answers", format, (row for _ in range(count)))

    peaks = [peak(partial(written, count)) for count in (500, 4000)]
    assert peaks[1] - peaks[0] < 100_000  # the rows alone are a megabyte


@pytest.mark.parametrize(
    ("given", "name", "expected"),
    [
        (None, None, "csv"), (None, "a.csv", "csv"), (None, "a.JSONL", "jsonl"), (None, "a.parquet", "parquet"),
        (None, "answers", "csv"), (None, "a.txt", "csv"),
        (AnswerFormat.JSONL, "a.csv", "jsonl"), (AnswerFormat.CSV, None, "csv"),
    ],
)  # fmt: skip
def test_the_format_follows_from_the_name(tmp_path, given, name, expected):
    assert choose_format(given, tmp_path / name if name else None).value == expected


def test_parquet_without_pyarrow_is_refused_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "find_spec", lambda _: None)
    with pytest.raises(BadInput, match=r"format parquet: needs pyarrow.*pip install"):
        choose_format(None, tmp_path / "a.parquet")
    assert choose_format(None, tmp_path / "a.csv") is AnswerFormat.CSV
