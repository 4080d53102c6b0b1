"""The units of evaluating: read one shard's unseen pictures, then sum up all shards."""

import csv
import io
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from storage import atomic
from storage.dataset import Dataset
from storage.errors import BadInput
from storage.models import model_digest
from tasks import pictures, plots
from tasks.metrics import FAILURES, Rate, failure_split, letter_scores, rates_by
from tasks.ranking import Ranking
from tasks.solve import load_reader
from tasks.words import WEB2, load_words

RANKINGS = tuple(Ranking)
MISTAKES = 48  # pictures on the sheet of mistakes


@dataclass(frozen=True)
class EvaluateJob:
    """One shard to be read: the pictures of `split`, with a model and a dictionary."""

    folder: str
    shard: int
    split: str
    model: str
    model_sha256: str
    dictionary: tuple[str, ...]


@dataclass(frozen=True)
class EvaluateReceipt:
    """What was read, an entry a picture (arrays of n) or a letter (arrays of m).

    answers, confidences : by ranking
    letters : (m, 2) str, true and read, of pictures cut into the right number of segments
    mistakes : pictures whose default answer is wrong, with a caption each; a few
    """

    shard: int
    truth: np.ndarray
    reading: np.ndarray
    answers: dict[str, np.ndarray]
    confidence: np.ndarray
    segments: np.ndarray
    in_order: np.ndarray
    parameters: np.ndarray
    letters: np.ndarray
    mistakes: tuple[list, list]
    seconds: float


def dictionary_of(dataset: Dataset, given: str | None) -> tuple[str, ...]:
    """The words to rank with: the dataset's own, or those that were `given` ('none': no dictionary).

    Raises
    ------
    BadInput
        The dataset was drawn from a user's list, which has to be given.
    """
    profile = dataset.manifest.profile
    source = profile["words"] if given is None else given
    if source in ("", "none"):
        return ()
    if source == "list":
        raise BadInput(
            f"dictionary: {dataset.folder} was drawn from a user's word list; give it with --dictionary FILE, "
            "or --dictionary none"
        )
    length = tuple(profile["length"]) if source == WEB2 else (1, 32)
    return load_words(source, profile["alphabet"], length)


def read_shard(job: EvaluateJob) -> EvaluateReceipt:
    """Read a shard's pictures of one split with every ranking.

    Raises
    ------
    Damaged, BadInput
    """
    reader = load_reader(job.model, job.model_sha256, job.dictionary)
    rankings = RANKINGS if job.dictionary else (Ranking.NONE,)
    parts, mistakes, seconds = [], ([], []), 0.0
    for block in Dataset(job.folder).blocks(job.split, [job.shard]):
        began = time.perf_counter()
        readings = reader.read(block.images, rankings=rankings)
        seconds += time.perf_counter() - began
        truth = np.array(block.texts())
        cut, answer = readings.cut, readings.words[:, 0]
        answers = {ranking.value: readings.answers[ranking].words[:, 0] for ranking in rankings}
        lengths = np.char.str_len(truth)
        whole = cut.counts == lengths
        order = in_reading_order(block.boxes, cut.picture, cut.box, cut.counts, lengths)
        chosen = whole[cut.picture]
        spelled = np.array(list("".join(truth[whole].tolist())), "U1")
        letters = np.stack([spelled, readings.letter[chosen]], axis=1)
        parts.append(
            (truth, readings.reading, answers, readings.confidences[:, 0], cut.counts, order, block.parameters, letters)
        )  # fmt: skip
        wrong = np.flatnonzero(answer != truth)[: MISTAKES - len(mistakes[0])]
        for k in wrong:
            height, width = int(block.parameters["height"][k]), int(block.parameters["width"][k])
            mistakes[0].append(block.images[k, :height, :width])
            mistakes[1].append(f"{truth[k]} as {answer[k] or '-'}\n({readings.reading[k]})")
    return EvaluateReceipt(job.shard, *_joined(parts), mistakes, seconds)


def _joined(parts: list[tuple]) -> tuple:
    if not parts:
        empty = np.empty(0, "U1")
        nothing = np.empty(0, bool)
        return (
            empty, empty, {}, np.empty(0), np.empty(0, np.int64), nothing,
            np.empty(0, [("font", "i4"), ("shear", "i4"), ("scale", "i4")]), np.empty((0, 2), "U1"),
        )  # fmt: skip
    columns = list(zip(*parts, strict=True))
    answers = {key: np.concatenate([part[key] for part in columns[2]]) for key in columns[2][0]}
    return tuple(answers if number == 2 else np.concatenate(column) for number, column in enumerate(columns))


def in_reading_order(boxes, picture, box, counts, lengths) -> np.ndarray:
    """Whether each picture's segments come in the order of its letters, (n,) bool.

    A segment belongs to the letter whose true box it shares the largest area with. A picture with
    another number of segments than letters counts as in order: its fault is another one.

    Parameters
    ----------
    boxes : (n, L, 4) int, true boxes
    picture, box : (m,) and (m, 4) int, the segments'
    counts, lengths : (n,) int, segments found and letters there
    """
    true = boxes[picture].astype(np.int64)
    top, left = np.maximum(true[..., 0], box[:, None, 0]), np.maximum(true[..., 1], box[:, None, 1])
    bottom, right = np.minimum(true[..., 2], box[:, None, 2]), np.minimum(true[..., 3], box[:, None, 3])
    area = np.clip(bottom - top, 0, None) * np.clip(right - left, 0, None)
    area[true[..., 0] < 0] = -1
    owner = area.argmax(axis=1)
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    place = np.arange(len(picture)) - first[picture]
    wrong = np.bincount(picture[owner != place], minlength=len(counts)) > 0
    return ~wrong | (counts != lengths)


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
    reading, segments, order, parameters, letters = map(
        joined, ("reading", "segments", "in_order", "parameters", "letters")
    )
    answers = {
        ranking.value: np.concatenate([one.answers[ranking.value] for one in receipts if len(one.truth)])
        for ranking in RANKINGS
        if dictionary or ranking is Ranking.NONE
    }
    best = Ranking.PROBABILITY.value if dictionary else Ranking.NONE.value
    faces = np.array([font["family"] + " " + font["style"] for font in dataset.manifest.fonts])
    columns = {
        "shear (1/1000 rad)": parameters["shear"].astype(int),
        "scale (%)": parameters["scale"].astype(int),
        "font": faces[parameters["font"]],
    }
    whole = segments == np.char.str_len(truth)
    scores = letter_scores(letters[:, 0], letters[:, 1], profile["alphabet"])
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
        "words": {name: Rate.of(answer == truth).as_dict() for name, answer in answers.items()},
        "cut_right": Rate.of(whole).as_dict(),
        "letters": {key: value for key, value in scores.items() if key not in ("report", "confusion")},
        "letters_report": scores["report"],
        "confusion": scores["confusion"],
        "failures": {
            name: failure_split(truth, reading, answer, segments, order) for name, answer in answers.items()
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
        "confusion.png": plots.plot_confusion(np.array(scores["confusion"]), profile["alphabet"], f"Letters: {title}"),
        "failures.png": plots.plot_failures(report["failures"], f"What went wrong: {title}"),
        "mistakes.png": mistakes_sheet(sheets[:MISTAKES], captions[:MISTAKES]),
        "report.json": (json.dumps(report, indent=1, ensure_ascii=False) + "\n").encode(),
        "rates.csv": _rates_csv(report),
        "letters.txt": scores["report"].encode(),
    }
    return report, files


def mistakes_sheet(images: list[np.ndarray], captions: list[str]) -> bytes:
    """A contact sheet of pictures of different sizes."""
    sizes = np.array([image.shape for image in images] or [(8, 8)])
    canvas = np.zeros((len(images), *sizes.max(axis=0)), np.uint8)
    for row, image in zip(canvas, images, strict=True):
        row[: image.shape[0], : image.shape[1]] = image
    return pictures.contact_sheet(canvas, captions, sizes=sizes[: len(images)])


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
    for name, split in report["failures"].items():
        for kind in FAILURES:
            writer.writerow([f"failures, {name}", kind, split[kind], report["n"], split[kind] / report["n"], "", ""])
    return text.getvalue().encode()


def save_report(folder: Path, files: dict[str, bytes]) -> None:
    """Put an evaluation's files into its folder, `report.json` last: it says that all are there."""
    for name in sorted(files, key=lambda name: name == "report.json"):
        atomic.replace(folder / name, files[name])


def saved_report(folder: Path, dataset: Dataset, model: Path, split: str, dictionary: tuple[str, ...]) -> dict | None:
    """The report in `folder` if it is of the same model, dataset, split and dictionary size."""
    try:
        report = json.loads((folder / "report.json").read_bytes())
    except (OSError, ValueError):
        return None
    wanted = {
        "model_sha256": model_digest(model),
        "dataset_content": dataset.manifest.content,
        "split": split,
        "dictionary_words": len(dictionary),
    }
    return report if all(report.get(key) == value for key, value in wanted.items()) else None
