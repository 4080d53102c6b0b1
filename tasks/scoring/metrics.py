"""Scores with confidence intervals, and where the words that failed were lost."""

from collections.abc import Iterable

import numpy as np
from sklearn.metrics import classification_report

from tasks.rates import Rate, as_booleans

# What can become of a word, in the order in which the cause is looked for.
FAILURES = ("segments", "place", "letter", "damage", "rescue", "right")


def letter_scores(truth: np.ndarray, read: np.ndarray, classes: Iterable[str]) -> dict:
    """Precision, recall, F1 and the confusion matrix of single letters.

    Only letters that occur in `truth` or in `read` enter the averages: a letter of `classes` that occurs in
    neither would bring an F1 of 0 that says nothing about the reader, and pull the macro average down. A
    letter that occurs in one of the two only does count, with an F1 of 0.

    Parameters
    ----------
    truth, read : (n,) array of str
        One letter each, all of `classes`.
    classes : iterable of str
        The single letters the reader knows, each once, in the order of the confusion matrix.

    Returns
    -------
    dict
        Ready for JSON. ``n``; ``classes`` (list); ``accuracy`` (a `Rate` as dict); ``macro_f1``,
        ``micro_f1``, ``weighted_f1`` (0 to 1, None for n = 0); ``letters``, a dict of ``precision``,
        ``recall``, ``f1`` (0 to 1, 0 where undefined) and ``support`` (count in `truth`) for each letter
        that occurs; ``report``, scikit-learn's text ("" for n = 0); ``confusion``, len(classes) rows
        (truth) of len(classes) columns (read), counts.

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
    # Every numerator is 0 where its denominator is, so 1 instead of 0 there gives scikit-learn's
    # zero_division=0 without a warning.
    precision, recall = right / np.maximum(claimed, 1), right / np.maximum(support, 1)
    f1 = 2 * right / np.maximum(support + claimed, 1)
    accuracy = Rate(int(right.sum()), n)
    report = ""
    if n:
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


def rates_by(values: np.ndarray, right: np.ndarray) -> list[dict]:
    """The rate for each distinct value of a drawing parameter.

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
    """Count each word once, under the first step that explains what became of it.

    Parameters
    ----------
    truth : (n,) array of str
        The text that was drawn.
    reading : (n,) array of str
        The most probable letters, before the dictionary.
    answer : (n,) array of str
        The word after the dictionary; "" where there was none, which is a wrong answer.
    segments : (n,) array of int
        How many letters the picture was cut into.
    in_place : (n,) array of bool
        Whether every letter was cut where it is, judged by the true boxes.

    Returns
    -------
    dict of str to int
        The keys of `FAILURES`; the values sum to n. With a wrong answer: ``segments``, the number of
        segments is not the number of letters; ``place``, it is, but they were cut elsewhere; ``letter``,
        neither, but the reading is wrong; ``damage``, the reading was right and the dictionary spoilt it.
        With a right answer: ``rescue``, the reading was wrong and the dictionary mended it; ``right``, both
        are right.

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
    """Position in `classes` of each letter, found once a distinct letter rather than once a picture."""
    distinct, which = np.unique(_texts(name, letters), return_inverse=True)
    place = {letter: position for position, letter in enumerate(classes)}
    foreign = [str(letter) for letter in distinct if letter not in place]
    if foreign:
        raise ValueError(f"{name} must hold single letters of {''.join(classes)!r}, not {foreign[:5]}")
    return np.array([place[letter] for letter in distinct], dtype=np.int64)[which]


BINS = 15


def calibration_error(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> float:
    """The expected calibration error: |share right - mean confidence| of bins of equal width, weighed by their size.

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


def reliability(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> list[dict]:
    """Of each bin that has answers: their number, mean confidence and the rate of right ones, ready for JSON."""
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    rows = []
    for k in np.unique(place).tolist():
        own = place == k
        rows.append({"confidence": float(confidence[own].mean()), **Rate.of(right[own]).as_dict()})
    return rows
