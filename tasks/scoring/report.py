"""Sum up an evaluation: scores, plots and tables, kept together in one folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import numpy as np

from storage.dataset import Dataset
from storage.errors import BadInput
from storage.files import atomic
from storage.files.places import Place, place
from storage.files.small_files import read_json
from storage.files.typed_records import require_record
from storage.model_records import load_record
from storage.models import model_digest
from storage.texts import as_json, csv_bytes, plain_lines
from tasks.both_readers import RULE
from tasks.deep.cases import alphabet_in_capitals
from tasks.figures.breakdown import plot_rates
from tasks.figures.comparisons import LOOKS, plot_reliability
from tasks.figures.contact_sheet import mixed_sheet
from tasks.figures.scores import plot_confusion, plot_failures
from tasks.figures.style import sentence
from tasks.profiles.ranges import LIMITS
from tasks.profiles.word_lists import words_digest
from tasks.rates import RATE_FIELDS, Calibration, Rate, RateRecord, ValueRate
from tasks.reading.ranking import Ranking
from tasks.scoring.block_readers import Beside, ReadersRecord, readers_record
from tasks.scoring.columns import columns_of, rates_by_text
from tasks.scoring.evaluate import MISTAKES, EvaluateReceipt, MeasuredSplit, ReadPictures, join
from tasks.scoring.metrics import (
    FAILURES,
    LetterAverages,
    calibration_error,
    case_folded,
    failure_split,
    has_both_cases,
    letter_scores,
    rates_by,
    reliability,
)

FILES = (
    "rates.png", "confusion.png", "failures.png", "reliability.png", "mistakes.png", "report.json", "rates.csv",
    "letters.txt",
)  # fmt: skip
CALIBRATED = (Ranking.NONE.value, Ranking.PROBABILITY.value)  # rankings whose confidence may be fitted


class Scores(TypedDict):
    """The scores of words, letters, causes and confidence; those of words by ranking, `by` by parameter of drawing."""

    words: dict[str, RateRecord]
    words_case_folded: NotRequired[dict[str, RateRecord]]  # only of alphabets with both cases of a letter
    folded: NotRequired[bool]  # true if upper and lower case counted alike, as the model reads them
    cut_right: RateRecord
    letters: LetterAverages
    letters_report: str
    confusion: list[list[int]]
    failures: dict[str, dict[str, int]]
    calibration: dict[str, Calibration]
    by: dict[str, list[ValueRate]]
    readers: NotRequired[ReadersRecord]  # if a classic and a deep model were measured together


class Evaluation(Scores):
    """The content of `report.json`: what was measured, on what, and the scores."""

    model: str
    model_sha256: str
    dataset: str
    dataset_identity: str
    dataset_content: str
    split: str
    n: int
    dictionary_words: int
    dictionary_sha256: str
    words_per_second_a_worker: int | None
    warning: NotRequired[str | None]  # an earlier version's report has none


def summarise(
    receipts: list[EvaluateReceipt],
    dataset: Dataset,
    model: Place,
    split: str,
    dictionary: tuple[str, ...],
    beside: Beside | None = None,
) -> tuple[Evaluation, dict[str, bytes]]:
    """Compute all scores of an evaluation, and its files.

    Parameters
    ----------
    receipts : list of EvaluateReceipt
        One a shard, in any order.
    dataset, model, split, dictionary
        As for the jobs that gave the receipts.
    beside : Beside, optional
        The classic model that was measured beside `model`.

    Returns
    -------
    report : Evaluation
        Ready for JSON.
    files : dict of str to bytes
        Their names are `FILES`.

    Raises
    ------
    BadInput
        No picture in the split.
    """
    receipts = sorted(receipts, key=lambda receipt: receipt.shard)
    read = join([receipt for receipt in receipts if len(receipt.truth)])
    if not len(read.truth):
        raise BadInput(f"{dataset.folder}: has no picture in the {split} split; draw more, or measure with --split all")
    best = Ranking.PROBABILITY.value if dictionary else Ranking.NONE.value
    seconds = sum(receipt.seconds for receipt in receipts)
    models = [model, *([place(beside.model)] if beside else [])]
    records = [load_record(one) for one in models]
    warnings = [warning_of(record, dataset, split) for record in records]
    folded = bool(records[0].get("folded"))
    report: Evaluation = {
        "warning": next(filter(None, warnings), None),
        "model": str(model),
        "model_sha256": model_digest(model),
        "dataset": str(dataset.folder),
        "dataset_identity": dataset.manifest.identity,
        "dataset_content": dataset.manifest.content,
        "split": split,
        "n": len(read.truth),
        "dictionary_words": len(dictionary),
        "dictionary_sha256": words_digest(dictionary),
        **_scores(read, dataset, best, folded=folded),
        "words_per_second_a_worker": round(len(read.truth) / seconds) if seconds else None,
    }
    if beside:
        report["readers"] = readers_record(beside, [receipt.right for receipt in receipts])
    names = " and ".join(dict.fromkeys(one.stem for one in reversed(models)))
    title = f"{names} on {dataset.folder.name} ({told_split(split)}, n = {len(read.truth):,})"
    return report, _files(report, receipts, best, title)


def told_split(split: str) -> str:
    """Tell which pictures were measured."""
    return "all splits" if split == MeasuredSplit.ALL else f"the {split} split"


def warning_of(record: Mapping[str, Any], dataset: Dataset, split: str) -> str | None:
    """Return the warning of a split that the model has seen in training; None of pictures that it has not seen."""
    manifest = dataset.manifest
    seen = any(
        data.get("identity") == manifest.identity or data.get("content") == manifest.content
        for data in record.get("datasets", ())
    )
    if split == MeasuredSplit.TEST or not seen:
        return None
    how = {
        MeasuredSplit.TRAIN: "the model learnt from this split",
        MeasuredSplit.VALIDATION: "the model's confidence was fitted to this split",
        MeasuredSplit.ALL: "the model learnt from most of these pictures",
    }[MeasuredSplit(split)]
    return f"{how}, so the figures promise too much; only --split test of this dataset is unseen"


def _scores(read: ReadPictures, dataset: Dataset, best: str, *, folded: bool = False) -> Scores:
    """Score words, letters, causes and confidence; by each parameter, the answers of the ranking `best`."""
    right = {name: answer == read.truth for name, answer in read.answers.items()}
    alphabet = dataset.manifest.profile["alphabet"]
    known = alphabet_in_capitals(alphabet) if folded else alphabet
    letters = letter_scores(read.letters[:, 0], read.letters[:, 1], known)
    columns = columns_of(read.parameters, dataset.manifest.fonts)
    by = {name: rates_by(values, right[best]) for name, values in columns.items()}
    scores: Scores = {
        "words": {name: Rate.of(flags).as_dict() for name, flags in right.items()},
        "cut_right": Rate.of(read.segments == np.char.str_len(read.truth)).as_dict(),
        "letters": {
            "n": letters["n"], "classes": letters["classes"], "accuracy": letters["accuracy"],
            "macro_f1": letters["macro_f1"], "micro_f1": letters["micro_f1"], "weighted_f1": letters["weighted_f1"],
            "letters": letters["letters"],
        },
        "letters_report": letters["report"],
        "confusion": letters["confusion"],
        "failures": {
            name: failure_split(read.truth, read.reading, answer, read.segments, read.in_place)
            for name, answer in read.answers.items()
        },
        "calibration": {
            name: {
                "error": calibration_error(read.confidences[name], right[name]),
                "reliability": reliability(read.confidences[name], right[name]),
            }
            for name in CALIBRATED
            if name in right and not np.isnan(read.confidences[name]).any()
        },
        "by": by or rates_by_text(read.truth, right[best]),
    }  # fmt: skip
    if folded:
        scores["folded"] = True
    if has_both_cases(alphabet):
        scores["words_case_folded"] = case_folded(read.truth, read.answers)
    return scores


def _files(report: Evaluation, receipts: list[EvaluateReceipt], best: str, title: str) -> dict[str, bytes]:
    images = [image for receipt in receipts for image in receipt.mistakes[0]]
    captions = [caption for receipt in receipts for caption in receipt.mistakes[1]]
    return {
        "rates.png": plot_rates(
            {_axis(name): rows for name, rows in report["by"].items()}, f"{LOOKS[best][1]}: {title}"
        ),
        "confusion.png": plot_confusion(report["confusion"], report["letters"]["classes"], f"Letters: {title}"),
        "reliability.png": plot_reliability(report["calibration"], f"Confidence: {title}"),
        "failures.png": plot_failures(report["failures"], f"What went wrong: {title}"),
        "mistakes.png": mixed_sheet(images[:MISTAKES], captions[:MISTAKES]) if images else _no_mistake(report, best),
        "report.json": (as_json(report, indent=1) + "\n").encode(),
        "rates.csv": _rates_csv(report),
        "letters.txt": plain_lines(report["letters_report"]).encode(),
    }


def _no_mistake(report: Evaluation, best: str) -> bytes:
    """Draw what stands in place of the sheet of mistakes if there is none."""
    rate = report["words"][best]
    return sentence("Mistakes", f"No word of {rate['n']:,} is wrong.\nWords right: {Rate(rate['right'], rate['n'])}")


def _axis(name: str) -> str:
    """Return the title of an axis for a parameter, with its unit."""
    parameter, _, of_which = name.partition(" (")
    if parameter not in LIMITS or parameter in {"shear", "scale"}:
        return name  # it has its unit already, or none
    unit = LIMITS[parameter][2].replace("percent", "%")
    unit = "number" if unit == parameter else unit
    return f"{parameter.replace('_', ' ')} ({unit}{', ' + of_which.rstrip(')') if of_which else ''})"


def _rates_csv(report: Evaluation) -> bytes:
    lines: list[list[object]] = [["what", "value", *RATE_FIELDS]]

    def line(what: str, value: int | str, rate: RateRecord) -> None:
        lines.append([what, value, *(rate[field] for field in RATE_FIELDS)])

    for name, rate in report["words"].items():
        line("words", name, rate)
    for name, rate in report.get("words_case_folded", {}).items():
        line("words, case folded", name, rate)
    line("cut right", "", report["cut_right"])
    line("letters", "", report["letters"]["accuracy"])
    for name, rows in report["by"].items():
        for row in rows:
            line(name, row["value"], row)
    for name, calibration in report["calibration"].items():
        lines.append([f"calibration error, {name}", "", "", report["n"], calibration["error"], "", ""])
    for name, split in report["failures"].items():
        for kind in FAILURES:
            lines.append([f"failures, {name}", kind, split[kind], report["n"], split[kind] / report["n"], "", ""])
    return csv_bytes(lines, safe=True)  # a font's name may begin as a formula does; all else are names of ours


def save_report(folder: Path, files: dict[str, bytes]) -> None:
    """Put an evaluation's files into its folder; `report.json` comes last and proves that all are there."""
    for name in sorted(files, key=lambda name: name == "report.json"):
        atomic.replace(folder / name, files[name])


def require_same_split(folder: Path, split: str) -> None:
    """Refuse a folder that has the report of another split.

    Raises
    ------
    BadInput
    """
    try:
        there = read_json(folder / "report.json")["split"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    if there != split:
        raise BadInput(
            f"out: must not replace the report of another split; {folder} has that of {told_split(str(there))}: name "
            "another folder with --out"
        )


def saved_report(
    folder: Path, dataset: Dataset, model: Place, split: str, dictionary: tuple[str, ...],
    beside: Beside | None = None,
) -> Evaluation | None:  # fmt: skip
    """Read the report in `folder`; None unless it is whole and of the same models, dataset, split and dictionary."""
    try:
        require_record(found := read_json(folder / "report.json"), Evaluation)  # anybody may have written it
    except (OSError, ValueError):
        return None
    report: Evaluation = found
    wanted = {
        "model_sha256": model_digest(model),
        "dataset_content": dataset.manifest.content,
        "split": split,
        "dictionary_sha256": words_digest(dictionary),
    }
    read: Mapping[str, Any] = report.get("readers", {})
    own = (beside.sha256, beside.readers, [*RULE]) if beside else (None,) * 3
    if tuple(map(read.get, ("classic_sha256", "reader", "rule"))) != own:
        return None
    whole = all((folder / name).exists() for name in FILES)
    return report if whole and all(report.get(key) == value for key, value in wanted.items()) else None
