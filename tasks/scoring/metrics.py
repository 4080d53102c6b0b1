"""Scores with confidence intervals, the causes of wrong words, and how well confidence is calibrated."""

from collections.abc import Iterable
from typing import TypedDict

import numpy as np

from tasks.rates import ConfidenceRate, Rate, RateRecord, ValueRate, as_booleans

# The outcomes of a word, in the order in which the cause is looked for.
FAILURES = ("segments", "place", "letter", "damage", "rescue", "right")
BINS = 15  # of confidence


class LetterScore(TypedDict):
    """The scores of one letter; `support` is how often it occurs in the truth."""

    precision: float
    recall: float
    f1: float
    support: int


class LetterAverages(TypedDict):
    """The scores of single letters; the averages are None for no letter."""

    n: int
    classes: list[str]
    accuracy: RateRecord
    macro_f1: float | None
    micro_f1: float | None
    weighted_f1: float | None
    letters: dict[str, LetterScore]


class LetterScores(LetterAverages):
    """The scores of single letters, scikit-learn's text about them, and the confusion matrix."""

    report: str
    confusion: list[list[int]]


def letter_scores(truth: np.ndarray, read: np.ndarray, classes: Iterable[str]) -> LetterScores:
    """Compute precision, recall, F1 and the confusion matrix of single letters.

    Only letters that occur in `truth` or in `read` enter the averages. The F1 of any other letter is 0, says nothing
    about the reader, and would pull the macro average down. A letter that occurs in one of the two counts, with an
    F1 of 0.

    Parameters
    ----------
    truth, read : (n,) array of str
        Single letters of `classes`.
    classes : iterable of str
        The letters that the reader knows, each once, in the order of the confusion matrix.

    Returns
    -------
    dict
        Ready for JSON. ``n``; ``classes`` (list); ``accuracy`` (a `Rate` as dict); ``macro_f1``,
        ``micro_f1``, ``weighted_f1`` (0 to 1, None for n = 0); ``letters``, a dict of ``precision``,
        ``recall``, ``f1`` (0 to 1, 0 where undefined) and ``support`` (count in `truth`) for each letter
        that occurs; ``report``, scikit-learn's text ("" for n = 0); ``confusion``, counts in len(classes) rows
        (truth) and len(classes) columns (read).

    Raises
    ------
    ValueError
        For arrays of different shape, entries that are not one letter, letters outside `classes`.
    """
    classes = [str(letter) for letter in classes]
    if len(set(classes)) != len(classes) or any(len(letter) != 1 for letter in classes):
        raise ValueError(f"classes must be different single letters, not {classes}")
    rows, columns = _positions("truth", truth, classes), _positions("read", read, classes)
    _same_shape(truth=rows, read=columns)
    size, n = len(classes), len(rows)
    confusion = np.bincount(rows * size + columns, minlength=size * size).reshape(size, size)
    right, support, claimed = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    present = np.flatnonzero(support + claimed)
    # Where a denominator is 0, its numerator is 0 too: to divide by 1 gives 0 without a warning, as scikit-learn's
    # zero_division=0 does.
    precision, recall = right / np.maximum(claimed, 1), right / np.maximum(support, 1)
    f1 = 2 * right / np.maximum(support + claimed, 1)
    accuracy = Rate(int(right.sum()), n)
    report = ""
    if n:
        from sklearn.metrics import classification_report  # takes longer to import than all other scores to compute

        names = [classes[k] for k in present]
        report = classification_report(rows, columns, labels=present, target_names=names, digits=4, zero_division=0)
    return {
        "n": n,
        "classes": classes,
        "accuracy": accuracy.as_dict(),
        "macro_f1": float(f1[present].mean()) if n else None,
        # With one label a picture, every false positive of one letter is a false negative of another, so
        # micro precision, recall and F1 are all the accuracy.
        "micro_f1": accuracy.value if n else None,
        "weighted_f1": float(f1 @ support / n) if n else None,
        "letters": {
            classes[k]: {
                "precision": float(precision[k]),
                "recall": float(recall[k]),
                "f1": float(f1[k]),
                "support": int(support[k]),
            }
            for k in present
        },
        "report": report,
        "confusion": confusion.tolist(),
    }


def rates_by(values: np.ndarray, right: np.ndarray) -> list[ValueRate]:
    """Compute the rate for each distinct value of a drawing parameter.

    Parameters
    ----------
    values : (n,) array of int or str
        For instance the shear or the font of each picture.
    right : (n,) array of bool

    Returns
    -------
    list of dict
        Sorted by value: ``{"value", "right", "n", "rate", "low", "high"}``, ready for JSON.

    Raises
    ------
    ValueError
        For arrays of different shape or other types.
    """
    values, right = np.asarray(values), as_booleans("right", right)
    _same_shape(values=values, right=right)
    if values.size and values.dtype.kind not in "iuU":
        raise ValueError(f"values must be integers or str, not {values.dtype}: a rate needs repeated values")
    distinct, which = np.unique(values, return_inverse=True)
    tries = np.bincount(which, minlength=len(distinct))
    hits = np.bincount(which[right], minlength=len(distinct))
    return [
        {"value": value.item(), **Rate(hit, tried).as_dict()}
        for value, hit, tried in zip(distinct, hits, tries, strict=True)
    ]


def failure_split(
    truth: np.ndarray, reading: np.ndarray, answer: np.ndarray, segments: np.ndarray, in_place: np.ndarray
) -> dict[str, int]:
    """Count each word once, under the first step that explains its outcome.

    Parameters
    ----------
    truth : (n,) array of str
        The text that was drawn.
    reading : (n,) array of str
        The most probable letters, before the dictionary.
    answer : (n,) array of str
        The word after the dictionary; "" for no word, which is a wrong answer.
    segments : (n,) array of int
        How many letters the picture was cut into.
    in_place : (n,) array of bool
        Whether every letter was cut at its place, judged by the true boxes.

    Returns
    -------
    dict of str to int
        The keys of `FAILURES`; the values sum to n. Outcomes with a wrong answer:

        - ``segments``: the picture was cut into a wrong number of letters;
        - ``place``: the number is right, but a letter was cut elsewhere;
        - ``letter``: number and places are right, but a letter was misread;
        - ``damage``: the reading was right, and the dictionary spoilt it.

        Outcomes with a right answer: ``rescue``, the reading was wrong and the dictionary mended it; ``right``, the
        reading was right too.

    Raises
    ------
    ValueError
        For arrays of different shape or other types.
    """
    truth, reading, answer = _texts("truth", truth), _texts("reading", reading), _texts("answer", answer)
    segments, in_place = np.asarray(segments), as_booleans("in_place", in_place)
    _same_shape(truth=truth, reading=reading, answer=answer, segments=segments, in_place=in_place)
    if not truth.size:
        return dict.fromkeys(FAILURES, 0)
    read, answered = reading == truth, answer == truth
    # `select` takes the first condition that holds: its order is the precedence.
    first = np.select(
        [
            ~answered & (np.strings.str_len(truth) != segments),
            ~answered & ~in_place,
            ~answered & ~read,
            ~answered,
            ~read,
        ],
        range(len(FAILURES) - 1),
        default=len(FAILURES) - 1,
    )
    counts = np.bincount(first, minlength=len(FAILURES))
    return {name: int(count) for name, count in zip(FAILURES, counts, strict=True)}


def _texts(name: str, texts: np.ndarray) -> np.ndarray:
    texts = np.asarray(texts)
    # An empty list has no type of its own.
    texts = texts if texts.size else texts.astype(str)
    if texts.ndim != 1 or texts.dtype.kind != "U":
        raise ValueError(f"{name} must be a 1-D array of str, not {texts.ndim}-D of {texts.dtype}")
    return texts


def _same_shape(**arrays: np.ndarray) -> None:
    shapes = {name: array.shape for name, array in arrays.items()}
    if len(set(shapes.values())) > 1 or any(len(shape) != 1 for shape in shapes.values()):
        raise ValueError(f"{', '.join(shapes)} must be 1-D arrays of one length, not {shapes}")


def _positions(name: str, letters: np.ndarray, classes: list[str]) -> np.ndarray:
    """Find the position of each letter in `classes`, once for each distinct letter: pictures are many."""
    distinct, which = np.unique(_texts(name, letters), return_inverse=True)
    place = {letter: position for position, letter in enumerate(classes)}
    foreign = [str(letter) for letter in distinct if letter not in place]
    if foreign:
        raise ValueError(f"{name} must hold single letters of {''.join(classes)!r}, not {foreign[:5]}")
    return np.array([place[letter] for letter in distinct], dtype=np.int64)[which]


def calibration_error(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> float:
    """Compute the expected calibration error, over bins of equal width.

    In each bin it is |share of right answers - mean confidence|; bins count by their size.

    Parameters
    ----------
    confidence : (n,) float, 0 to 1
    right : (n,) bool
    bins : int

    Returns
    -------
    float
        0 to 1; nan for no answers.

    References
    ----------
    M. P. Naeini, G. F. Cooper, M. Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning",
    AAAI 2015.
    """
    if not len(confidence):
        return float("nan")
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    off = np.bincount(place, right - confidence, bins)
    return float(np.abs(off).sum() / len(confidence))


def reliability(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> list[ConfidenceRate]:
    """Compute mean confidence and the rate of right answers for each bin that has answers, ready for JSON."""
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    rows: list[ConfidenceRate] = []
    for k in np.unique(place).tolist():
        own = place == k
        rows.append({"confidence": float(confidence[own].mean()), **Rate.of(right[own]).as_dict()})
    return rows


def has_both_cases(alphabet: str) -> bool:
    """Return whether an alphabet has some letter in upper and in lower case."""
    return any(letter != letter.lower() and letter.lower() in alphabet for letter in alphabet)


def case_folded(truth: np.ndarray, answers: dict[str, np.ndarray]) -> dict[str, RateRecord]:
    """Return the rate of right answers, (n,) str by ranking, with upper and lower case taken for the same."""
    lower = np.char.lower(truth)
    return {name: Rate.of(np.char.lower(answer) == lower).as_dict() for name, answer in answers.items()}
