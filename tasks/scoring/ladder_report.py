"""Put a model's evaluations on all rungs of the ladder into one table and one plot."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NotRequired

from storage.files import atomic
from storage.files.places import Place
from storage.texts import csv_bytes
from tasks.figures.comparisons import RungWords, plot_ladder
from tasks.rates import RATE_FIELDS, Rate, RateRecord
from tasks.reading.ranking import Ranking
from tasks.scoring.metrics import FAILURES
from tasks.scoring.report import Evaluation

FILES = ("ladder.md", "ladder.csv", "ladder.json", "ladder.png")
RANKING_BY_NAME = {ranking.value: ranking for ranking in (Ranking.NONE, *Ranking)}  # without a dictionary first


class Rung(RungWords):
    """A rung's row of the table; `calibration` has the calibration error, and `failures` the causes, by ranking."""

    n: int
    cut_right: RateRecord
    letters_macro_f1: float | None
    calibration: dict[str, float]
    words_case_folded: NotRequired[dict[str, RateRecord]]
    failures: dict[str, dict[str, int]]
    words_per_second_a_worker: int | None


def ladder_rows(reports: Sequence[Evaluation]) -> list[Rung]:
    """Pick each rung's row of the table from the reports of `tasks.scoring.report.summarise`."""
    rows: list[Rung] = [
        {
            "rung": Path(report["dataset"]).name,
            "n": report["n"],
            "words": {name: report["words"][name] for name in RANKING_BY_NAME if name in report["words"]},
            "cut_right": report["cut_right"],
            "letters_macro_f1": report["letters"]["macro_f1"],
            "calibration": {name: fit["error"] for name, fit in report["calibration"].items()},
            "failures": report["failures"],
            "words_per_second_a_worker": report["words_per_second_a_worker"],
        }
        for report in reports
    ]
    for row, report in zip(rows, reports, strict=True):
        if "words_case_folded" in report:
            row["words_case_folded"] = report["words_case_folded"]
    return rows


def save_ladder(folder: Path, model: Place, reports: Sequence[Evaluation]) -> list[Rung]:
    """Write the table (Markdown, CSV, JSON) and the plot; return the rows."""
    rows = ladder_rows(reports)
    files = {
        "ladder.md": markdown(rows).encode(),
        "ladder.csv": _csv(rows),
        "ladder.png": plot_ladder(rows, f"Words right on each rung: {model.stem}"),
        "ladder.json": (json.dumps({"model": str(model), "rungs": rows}, indent=1) + "\n").encode(),
    }
    for name in FILES:
        atomic.replace(folder / name, files[name])
    return rows


def markdown(rows: list[Rung]) -> str:
    """Format two tables: rates with 95 % intervals, and the causes of wrong words without a dictionary."""
    lines = [
        "| rung | n | no dictionary | dictionary | equal positions | Levenshtein | calibration error, without / with | "
        "words/s a core |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        words = [_rate(row["words"].get(name)) for name in ("none", "probability", "positions", "levenshtein")]
        errors = [f"{100 * row['calibration'][name]:.2f} %" if name in row["calibration"] else "-"
                  for name in ("none", "probability")]  # fmt: skip
        pace = row["words_per_second_a_worker"]
        speed = f"{pace:,}" if pace else "-"
        lines.append(f"| {row['rung']} | {row['n']:,} | {' | '.join(words)} | {' / '.join(errors)} | {speed} |")
    lines += [
        "",
        "| rung, no dictionary | wrong number of letters | cut elsewhere | letter misread | letters, macro F1 |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        split = row["failures"]["none"]
        shares = [f"{100 * split[name] / row['n']:.2f} %" for name in ("segments", "place", "letter")]
        lines.append(f"| {row['rung']} | {' | '.join(shares)} | {row['letters_macro_f1']:.4f} |")
    folded = [
        f"{row['rung']} {_rate(row['words_case_folded'].get('none'))}" for row in rows if "words_case_folded" in row
    ]
    if folded:
        lines += ["", f"With upper and lower case taken for the same, no dictionary: {'; '.join(folded)}."]
    return "\n".join(lines) + "\n"


def _rate(content: RateRecord | None) -> str:
    return "-" if content is None else str(Rate(content["right"], content["n"])).replace(f", n = {content['n']:,}", "")


def _csv(rows: list[Rung]) -> bytes:
    kinds = ["both_right" if kind == "right" else kind for kind in FAILURES]  # "right" is a column already
    lines: list[list[object]] = [["rung", "ranking", *RATE_FIELDS, "calibration_error", *kinds]]
    for row in rows:
        for name, rate in row["words"].items():
            counts = [row["failures"][name][kind] for kind in FAILURES]
            error = row["calibration"].get(name, "")
            lines.append([row["rung"], name, *(rate[field] for field in RATE_FIELDS), error, *counts])
    return csv_bytes(lines)
