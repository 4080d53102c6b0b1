"""Scores with confidence intervals, and where the words that failed were lost."""

import math
import operator
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import classification_report

# The 97.5 % quantile of the normal distribution: 95 % between its two tails.
Z = 1.959963984540054

# What can become of a word, in the order in which the cause is looked for.
FAILURES = ("segments", "place", "letter", "damage", "rescue", "right")


def wilson(right: int, n: int) -> tuple[float, float]:
    """Wilson's score interval of a rate, at 95 %.

    Chosen over the textbook's normal interval because it stays inside 0 to 1 and has a width at 0 of n
    and at n of n, which is where the rates of a good reader, or of a strong CAPTCHA, are.

    Parameters
    ----------
    right : int, 0 to n
    n : int, 0 or more

    Returns
    -------
    low, high : float
        0 to 1, around ``right / n``; both nan for no tries at all.

    Raises
    ------
    ValueError
        For counts that cannot be: negative, or more right than tried.
    TypeError
        For counts that are not integers.

    References
    ----------
    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927.
    """
    right, n = operator.index(right), operator.index(n)
    if n < 0:
        raise ValueError(f"n must be 0 or more, not {n}: count the tries again")
    if not 0 <= right <= n:
        raise ValueError(f"right must be between 0 and n = {n}, not {right}: count the right answers again")
    if n == 0:
        return math.nan, math.nan
    share = right / n
    middle = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    reach = Z / (1 + Z * Z / n) * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    # The exact ends are 0 and 1 there; floating point may miss them by its last digit.
    low = 0.0 if right == 0 else middle - reach
    high = 1.0 if right == n else middle + reach
    return low, high


@dataclass(frozen=True)
class Rate:
    """Right answers among `n` tries, never without its 95 % interval.

    Raises
    ------
    ValueError
        As `wilson`.
    """

    right: int
    n: int

    def __post_init__(self) -> None:
        wilson(self.right, self.n)
        # NumPy's integers are welcome, but JSON does not know them.
        object.__setattr__(self, "right", operator.index(self.right))
        object.__setattr__(self, "n", operator.index(self.n))

    @classmethod
    def of(cls, right: np.ndarray) -> "Rate":
        """Count a boolean array of any shape, True where the answer was right."""
        right = _booleans("right", right)
        return cls(int(np.count_nonzero(right)), right.size)

    @property
    def value(self) -> float:
        """0 to 1; nan for no tries."""
        return self.right / self.n if self.n else math.nan

    @property
    def low(self) -> float:
        """Lower end of the Wilson interval, 0 to 1; nan for no tries."""
        return wilson(self.right, self.n)[0]

    @property
    def high(self) -> float:
        """Upper end of the Wilson interval, 0 to 1; nan for no tries."""
        return wilson(self.right, self.n)[1]

    def __str__(self) -> str:
        if self.n == 0:
            return "no tries (n = 0)"
        low, high = wilson(self.right, self.n)
        # As many decimals as the interval deserves: 3 of 100,000 must not print as "0.00 % (0.0 to 0.0 %)".
        decimals = max(1, math.ceil(-math.log10(100 * (high - low))))
        return (
            f"{100 * self.value:.{decimals + 1}f} % "
            f"({100 * low:.{decimals}f} to {100 * high:.{decimals}f} %, n = {self.n:,})"
        )

    def as_dict(self) -> dict:
        """``{"right", "n", "rate", "low", "high"}``, ready for JSON: None where there is no number."""
        numbers = {"rate": self.value, "low": self.low, "high": self.high}
        return {
            "right": self.right,
            "n": self.n,
            **{name: None if math.isnan(number) else number for name, number in numbers.items()},
        }


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
    values, right = np.asarray(values), _booleans("right", right)
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
    segments, in_place = np.asarray(segments), _booleans("in_place", in_place)
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


def _booleans(name: str, flags: np.ndarray) -> np.ndarray:
    flags = np.asarray(flags)
    flags = flags if flags.size else flags.astype(bool)
    if flags.dtype != bool:
        raise ValueError(f"{name} must be an array of bool, not {flags.dtype}")
    return flags


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
