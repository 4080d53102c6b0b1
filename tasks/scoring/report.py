"""The unit that sums up an evaluation: scores, plots and files, kept together in one folder."""

import csv
import io
import json
from pathlib import Path

import numpy as np

from storage.dataset import Dataset
from storage.errors import BadInput
from storage.files import atomic
from storage.models import model_digest
from tasks.figures import comparisons, contact_sheet
from tasks.figures import scores as plots
from tasks.profiles.fonts import face_names
from tasks.profiles.word_lists import words_digest
from tasks.rates import Rate
from tasks.reading.ranking import Ranking
from tasks.scoring.evaluate import MISTAKES, RANKINGS, EvaluateReceipt
from tasks.scoring.metrics import FAILURES, calibration_error, failure_split, letter_scores, rates_by, reliability

FILES = (
    "rates.png", "confusion.png", "failures.png", "reliability.png", "mistakes.png", "report.json", "rates.csv",
    "letters.txt",
)  # fmt: skip
NO_DISTORTIONS = {"height", "width", "font", "shear", "scale", "noise", "phase_y", "phase_x", "boxes"}
MOST_VALUES = 12  # a parameter of more distinct values is put into so many groups


def summarise(
    receipts: list[EvaluateReceipt], dataset: Dataset, model: Path, split: str, dictionary: tuple[str, ...]
) -> tuple[dict, dict[str, bytes]]:
    """All scores of an evaluation, and its pictures by file name.

    Raises
    ------
    BadInput
        No picture in the split.
    """
    receipts = sorted(receipts, key=lambda one: one.shard)
    truth = np.concatenate([one.truth for one in receipts if len(one.truth)] or [np.empty(0, "U1")])
    if not len(truth):
        raise BadInput(f"{dataset.folder}: has no picture in the {split} split; draw more")

    def joined(name):
        return np.concatenate([getattr(one, name) for one in receipts if len(one.truth)])

    profile = dataset.manifest.profile
    reading, segments, in_place, parameters, letters = map(
        joined, ("reading", "segments", "in_place", "parameters", "letters")
    )
    answers, confidences = (
        {
            ranking.value: np.concatenate([getattr(one, name)[ranking.value] for one in receipts if len(one.truth)])
            for ranking in RANKINGS
            if dictionary or ranking is Ranking.NONE
        }
        for name in ("answers", "confidences")
    )
    calibrated = {
        name: confidences[name] for name in (Ranking.NONE.value, Ranking.PROBABILITY.value) if name in answers
    }
    best = Ranking.PROBABILITY.value if dictionary else Ranking.NONE.value
    columns = _columns(parameters, dataset.manifest.fonts)
    whole = segments == np.char.str_len(truth)
    classes = profile["alphabet"]
    scores = letter_scores(letters[:, 0], letters[:, 1], classes)
    seconds = sum(one.seconds for one in receipts)
    report = {
        "model": str(model),
        "model_sha256": model_digest(model),
        "dataset": str(dataset.folder),
        "dataset_identity": dataset.manifest.identity,
        "dataset_content": dataset.manifest.content,
        "split": split,
        "n": len(truth),
        "dictionary_words": len(dictionary),
        "dictionary_sha256": words_digest(dictionary),
        "words": {name: Rate.of(answer == truth).as_dict() for name, answer in answers.items()},
        "cut_right": Rate.of(whole).as_dict(),
        "letters": {key: value for key, value in scores.items() if key not in ("report", "confusion")},
        "letters_report": scores["report"],
        "confusion": scores["confusion"],
        "failures": {
            name: failure_split(truth, reading, answer, segments, in_place) for name, answer in answers.items()
        },
        "calibration": {
            name: {
                "error": calibration_error(values, answers[name] == truth),
                "reliability": reliability(values, answers[name] == truth),
            }
            for name, values in calibrated.items()
        },
        "by": {name: rates_by(values, answers[best] == truth) for name, values in columns.items()},
        "words_per_second_a_worker": round(len(truth) / seconds) if seconds else None,
    }  # fmt: skip
    title = f"{model.stem} on {dataset.folder.name} ({split} split, n = {len(truth):,})"
    sheets, captions = [], []
    for one in receipts:
        sheets += one.mistakes[0]
        captions += one.mistakes[1]
    files = {
        "rates.png": plots.plot_rates(report["by"], f"Words right, {best}: {title}"),
        "confusion.png": plots.plot_confusion(np.array(scores["confusion"]), classes, f"Letters: {title}"),
        "reliability.png": comparisons.plot_reliability(report["calibration"], f"Confidence: {title}"),
        "failures.png": plots.plot_failures(report["failures"], f"What went wrong: {title}"),
        "mistakes.png": mistakes_sheet(sheets[:MISTAKES], captions[:MISTAKES]),
        "report.json": (json.dumps(report, indent=1, ensure_ascii=False) + "\n").encode(),
        "rates.csv": _rates_csv(report),
        "letters.txt": scores["report"].encode(),
    }
    return report, files


def _columns(parameters: np.ndarray, fonts: list[dict]) -> dict[str, np.ndarray]:
    """What rates are asked for by; nothing for imported pictures, of which no parameter is known."""
    columns = {}
    for name, title in (("shear", "shear (1/1000 rad)"), ("scale", "scale (%)")):
        if name in parameters.dtype.names:
            columns[title] = parameters[name].astype(int)
    if "font" in parameters.dtype.names:
        faces = np.array(face_names(fonts))
        columns["font"] = faces[parameters["font"]]
    for name in parameters.dtype.names:
        if name not in NO_DISTORTIONS:
            values = parameters[name].astype(int)
            if values.ndim > 1:  # one a letter
                name, values = f"{name} (largest of a letter)", np.abs(values).max(axis=1)
            columns[name] = _grouped(values)
    return columns


def _grouped(values: np.ndarray) -> np.ndarray:
    """The same values, or the first of each group where there are too many."""
    distinct = np.unique(values)
    if len(distinct) <= MOST_VALUES:
        return values
    width = -(-int(distinct[-1] - distinct[0] + 1) // MOST_VALUES)
    return distinct[0] + (values - distinct[0]) // width * width


def mistakes_sheet(images: list[np.ndarray], captions: list[str]) -> bytes:
    """A contact sheet of pictures of different sizes."""
    sizes = np.array([image.shape for image in images] or [(8, 8)])
    canvas = np.zeros((len(images), *sizes.max(axis=0)), np.uint8)
    for row, image in zip(canvas, images, strict=True):
        row[: image.shape[0], : image.shape[1]] = image
    return contact_sheet.contact_sheet(canvas, captions, sizes=sizes[: len(images)])


def _rates_csv(report: dict) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["what", "value", "right", "n", "rate", "low", "high"])

    def line(what, value, rate):
        writer.writerow([what, value, *(rate[key] for key in ("right", "n", "rate", "low", "high"))])

    for name, rate in report["words"].items():
        line("words", name, rate)
    line("cut right", "", report["cut_right"])
    line("letters", "", report["letters"]["accuracy"])
    for name, rows in report["by"].items():
        for row in rows:
            line(name, row["value"], row)
    for name, calibration in report["calibration"].items():
        writer.writerow([f"calibration error, {name}", "", "", report["n"], calibration["error"], "", ""])
    for name, split in report["failures"].items():
        for kind in FAILURES:
            writer.writerow([f"failures, {name}", kind, split[kind], report["n"], split[kind] / report["n"], "", ""])
    return text.getvalue().encode()


def save_report(folder: Path, files: dict[str, bytes]) -> None:
    """Put an evaluation's files into its folder, `report.json` last: it says that all are there."""
    for name in sorted(files, key=lambda name: name == "report.json"):
        atomic.replace(folder / name, files[name])


def saved_report(folder: Path, dataset: Dataset, model: Path, split: str, dictionary: tuple[str, ...]) -> dict | None:
    """The report in `folder` if it is of the same model, dataset, split and dictionary."""
    try:
        report = json.loads((folder / "report.json").read_bytes())
    except (OSError, ValueError):
        return None
    wanted = {
        "model_sha256": model_digest(model),
        "dataset_content": dataset.manifest.content,
        "split": split,
        "dictionary_sha256": words_digest(dictionary),
    }
    whole = all((folder / name).exists() for name in FILES)
    return report if whole and all(report.get(key) == value for key, value in wanted.items()) else None
