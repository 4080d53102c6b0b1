"""What a training has led to: words right on the validation split, why others are wrong, and what to do next."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np

from storage.dataset import Dataset
from storage.errors import BadInput, NothingLearnt
from storage.models import load_model
from tasks.loading.colour_ink import ink_of_batch
from tasks.lowlevel.inflate import inflate
from tasks.rates import Rate, RateRecord
from tasks.reading.reader import Reader
from tasks.training.settings import left_out
from tasks.training.spool import GatherReceipt
from tasks.training.told_splits import lacks_validation, validation_blocks

CHECKED = 2048  # validation pictures of each dataset, rounded up to whole blocks
GOOD = 0.95  # words right, above which a report says no reasons
BELIEVED_MOSTLY = 0.95  # share of the pictures learnt from whose letters are found, below which labels may be wrong
FEW = 30  # times that each letter should be seen: from 100 pictures of four letters, 15 times, 97 % of words were right
UNSURE = 30  # validation pictures: of fewer, the rate says little
SELDOM = 3  # a letter that the labels have less often is named
SURELY = 1.5  # nothing is learnt if letters are read right hardly more often than so many times by chance
# Of the pictures learnt from: a model that believes as many labels has learnt something, although the validation split
# has less than ENOUGH letters to show it.
BELIEVED, ENOUGH = 0.5, 100
MOST_CHANCE = 0.6  # where guessing alone is right so often, it cannot be told from reading
MOST_PAIRS = 3  # confusions that a report names


@dataclass(frozen=True)
class OutcomeJob:
    """Read a dataset's validation split with a model."""

    folder: str
    model: str
    leave_out: tuple[str, ...]


@dataclass(frozen=True)
class OutcomeReceipt:
    """The labels and the readings of a dataset's validation split, without a dictionary."""

    truth: tuple[str, ...]
    reading: tuple[str, ...]


class Outcome(TypedDict):
    """What a training has led to, for the model's record and its report."""

    validation: RateRecord
    why: list[str]
    next: list[str]


def read_validation(job: OutcomeJob) -> OutcomeReceipt:
    """Read `CHECKED` validation pictures of a dataset, or all if it has fewer; letters and lengths are known.

    Raises
    ------
    Damaged, BadInput
    """
    dataset = Dataset(job.folder, inflate)
    profile = dataset.manifest.profile
    networks, record = load_model(job.model)
    reader = Reader(networks, record, alphabet=profile["alphabet"], length=tuple(profile["length"]))
    truth: list[str] = []
    reading: list[str] = []
    for block in validation_blocks(dataset):
        block = block.rows(~left_out(dataset, block, job.leave_out))
        truth += block.texts(profile["alphabet"])
        ink = ink_of_batch(block.images, block.parameters["height"], block.parameters["width"])
        reading += reader.read(ink).reading.tolist()
        if len(truth) >= CHECKED:
            break
    return OutcomeReceipt(tuple(truth), tuple(reading))


def require_validation(datasets: Sequence[Dataset]) -> None:
    """Refuse datasets without any validation picture: no confidence could be fitted.

    Raises
    ------
    BadInput
    """
    splits = [dataset.manifest.statistics["splits"]["validation"] for dataset in datasets]
    taken = (lacks_validation(dataset) and any(True for _ in validation_blocks(dataset)) for dataset in datasets)
    if not any(splits) and not any(taken):
        pictures = sum(map(len, datasets))
        raise BadInput(
            f"train: none of the {pictures} pictures is in the validation split, which has one in ten, so that nobody "
            "could tell how well a model reads; import more pictures, without --keep-splits or with a folder val"
        )


def occurrences(receipts: Sequence[GatherReceipt]) -> tuple[list[int], list[int]]:
    """Add up how often each letter occurs in the labels learnt from, and in how many spans it was found."""
    labelled = [sum(times) for times in zip(*(receipt.labelled for receipt in receipts), strict=True)]
    learnt = [sum(times) for times in zip(*(receipt.learnt for receipt in receipts), strict=True)]
    return labelled, learnt


def warning_of(rare: dict[str, int]) -> str:
    """Say which letters are rare, and how often the labels have them."""
    said = ", ".join(f"{letter} ({times})" for letter, times in rare.items())
    return (
        f"letters that hardly any picture shows, with their number in the labels: {said}. The model will hardly ever "
        "read them, or never; everything else is learnt. Label more pictures with them"
    )


def rare_letters(classes: str, labelled: Sequence[int], learnt: Sequence[int]) -> dict[str, int]:
    """Count the occurrences in labels of letters that are learnt from few pictures or none."""
    return {
        letter: times
        for letter, times, spans in zip(classes, labelled, learnt, strict=True)
        if times < SELDOM or not spans
    }


def judge(
    receipts: Sequence[OutcomeReceipt], classes: str, labelled: Sequence[int], marked: Rate, rare: dict[str, int]
) -> Outcome:
    """Say how many words of the validation split are right, why others are wrong, and what to do next.

    Parameters
    ----------
    receipts : sequence of OutcomeReceipt
    classes : str
        The model's letters.
    labelled : sequence of int
        How often each of them is in the labels of the pictures learnt from.
    marked : Rate
        Of the pictures learnt from, those whose letters were found and are believed.
    rare : dict of str to int
        From `rare_letters`.

    Raises
    ------
    NothingLearnt
    """
    pairs = [pair for receipt in receipts for pair in zip(receipt.truth, receipt.reading, strict=True)]
    words = Rate.of(np.array([truth == reading for truth, reading in pairs], bool))
    if _nothing_learnt(pairs, words, marked):
        raise NothingLearnt(_nothing(words, marked))
    outcome: Outcome = {"validation": words.as_dict(), "why": [], "next": []}
    if words.n and (words.right / words.n < GOOD or words.n < UNSURE):
        reasons = _reasons(pairs, classes, labelled, marked, rare)
        outcome["why"] = [why for why, _ in reasons]
        outcome["next"] = list(dict.fromkeys(remedy for _, remedy in reasons))
    return outcome


def summary(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the end of a report on a model: words right on validation, why others are wrong, and what to do next.

    Models that an earlier version trained have nothing of that in their records.
    """
    if "validation" not in record:
        return {}
    told = Rate(record["validation"]["right"], record["validation"]["n"])
    shown = {key: "; ".join(record[key]) or None for key in ("why", "next")}
    note = {"note": record["note"]} if record.get("note") else {}
    warning = {"warning": warning_of(record["rare"])} if record["rare"] else {}
    return (
        note
        | warning
        | {
            "words_right_on_validation": str(told),
            "why": record["why"],
            "next": record["next"],
            "shown": shown,
        }
    )


def _nothing_learnt(pairs: list[tuple[str, str]], words: Rate, marked: Rate) -> bool:
    """Tell whether letters and words are read no better than by guessing, and the labels are hardly believed."""
    letters = "".join(truth for truth, _ in pairs)
    if not letters or (len(letters) < ENOUGH and marked.right >= BELIEVED * marked.n):
        return False
    shares = np.array(list(Counter(letters).values())) / len(letters)
    chance = float((shares**2).sum())
    if chance > MOST_CHANCE:
        return False
    right = [one == other for truth, reading in pairs for one, other in zip(truth, reading, strict=False)]
    rate = Rate(sum(right), len(letters))
    word = SURELY * chance ** (len(letters) / len(pairs))
    return rate.low <= SURELY * chance and words.low <= word


def _nothing(words: Rate, marked: Rate) -> str:
    return (
        f"train: nothing was learnt. Of the validation split {words} of the words are right, no more than by guessing, "
        f"and in {marked} of the pictures learnt from the letters are where a network would read them. No model was "
        "written. Compare labels and pictures (captchas inspect DATASET): are the labels right, and does ink stand out "
        "from the ground? Letters of many colours on a ground of many colours cannot be told from it by this reader"
    )


def _reasons(
    pairs: list[tuple[str, str]], classes: str, labelled: Sequence[int], marked: Rate, rare: dict[str, int]
) -> list[tuple[str, str]]:
    """Return what makes words wrong, most telling first: why, and what to do."""
    wrong = [(truth, reading) for truth, reading in pairs if truth != reading]
    reasons = []
    if len(pairs) < UNSURE:
        reasons.append(
            (f"a start: {len(pairs)} pictures were kept to try the model on, too few to tell how well it reads",
             "label and import more pictures")
        )  # fmt: skip
    often = float(np.median([times for times in labelled if times] or [0]))
    if often < FEW:
        reasons.append(
            (f"too few pictures: most letters were seen {often:.0f} times or less", "label and import more pictures")
        )
    if marked.n and marked.right < BELIEVED_MOSTLY * marked.n:
        reasons.append(
            (f"letters not found: only in {marked} of the pictures they are where a network would read them",
             "look for wrong labels among the pictures that the model reads otherwise, in the report of "
             "captchas evaluate MODEL DATASET --split all")
        )  # fmt: skip
    cut, confused = _mistakes(wrong)
    if 3 * cut > len(wrong):
        reasons.append(
            (f"letters that touch, or lines: {cut} of {len(wrong)} wrong words were cut wrongly",
             "learn longer (--shows 8000000), or draw such pictures beside it (captchas generate PROFILE)")
        )  # fmt: skip
    if confused:
        said = ", ".join(f"{one} read as {other} ({times})" for (one, other), times in confused.most_common(MOST_PAIRS))
        cases = sum(truth.casefold() == reading.casefold() for truth, reading in wrong)
        remedy = "label more pictures with those letters"
        if 2 * cases > len(wrong):
            remedy = "import again with labels of one case, if either case is accepted"
        reasons.append((f"letters confused: {said}", remedy))
    if rare:
        said = ", ".join(f"{letter} ({times})" for letter, times in rare.items())
        reasons.append((f"letters that the labels hardly have: {said}", "label more pictures with those letters"))
    return reasons


def _mistakes(wrong: list[tuple[str, str]]) -> tuple[int, Counter[tuple[str, str]]]:
    """Count the words that were cut wrongly, and the pairs of letters that were confused in the others.

    Nobody knows where the letters of imported pictures are: a word with another number of letters was cut wrongly, and
    so was, most probably, a word of which most letters are wrong, unless only upper and lower case are.
    """
    cut, confused = 0, Counter[tuple[str, str]]()
    for truth, reading in wrong:
        pairs = [(one, other) for one, other in zip(truth, reading, strict=False) if one != other]
        if len(truth) != len(reading) or (2 * len(pairs) > len(truth) and truth.casefold() != reading.casefold()):
            cut += 1
        else:
            confused.update(pairs)
    return cut, confused
