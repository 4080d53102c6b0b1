"""Letters of which nothing is drawn: people cannot answer, and the answer has letters that nobody sees."""

from collections import Counter

import numpy as np
from scipy import ndimage, stats

from tasks.audit.findings.measuring.evidence import LEVEL
from tasks.audit.findings.measuring.sampled import Sampled
from tasks.audit.findings.measuring.shown import figure, finding, named, sheet
from tasks.audit.schema import Finding

BLANK = 0.15  # of the ink of the median letter, which a letter that is drawn exceeds
SURELY, THIN = 0.35, 0.12  # upper ends of the interval: of letters, and of those that have little ink
_THIN = set("Iil1jt|!.,:;'-")
_PART = 12  # pixels of a part of the ink
LEAST_TIMES = 8  # that a letter must come
_FAINT = 64
_MOST_SHOWN = 4


def find_blank(sample: Sampled) -> list[Finding]:
    """Look for letters that add no ink to a picture: finding `blank`, only if there are any.

    How much ink each letter adds is estimated over all pictures, by least squares; so no boxes are needed, and noise
    does no harm if there are pictures enough. A letter is told if even the upper end of its interval is far below what
    letters add.
    """
    letters = sorted(letter for letter in set("".join(sample.texts)) if not letter.isspace())
    counts = [Counter(text) for text in sample.texts]
    often = {letter: sum(letter in count for count in counts) for letter in letters}
    letters = [letter for letter in letters if often[letter] >= LEAST_TIMES]
    n = len(sample.texts)
    if len(letters) < 2 or n < 3 * (len(letters) + 1):
        return []
    known = np.array([[count[letter] for letter in letters] for count in counts], float)
    rest = np.array([[sum(count.values()) for count in counts]], float).T - known.sum(axis=1, keepdims=True)
    lengths = {len(text) for text in sample.texts}
    # With one length the letters' numbers add up to it: a constant, such as noise, cannot be told from what each adds.
    base = np.ones((n, 1)) if len(lengths) > 1 else np.zeros((n, 0))
    matrix = np.hstack([known, rest if rest.any() else np.zeros((n, 0)), base])
    if np.linalg.matrix_rank(matrix) < matrix.shape[1]:  # texts of few words
        return []
    masks = [picture >= _FAINT for picture in sample.inks]
    by_ink = _added(matrix, np.array([mask.sum() for mask in masks], float), len(letters))
    if by_ink is None:
        return []
    own, upper = by_ink
    surely = upper < SURELY
    if (own < BLANK).any() and not surely[own < BLANK].all():
        # Letters of many sizes vary in ink, but each is a part, so far as letters do not touch.
        by_parts = _added(matrix, np.array([_parts(mask) for mask in masks], float), len(letters))
        if by_parts is not None:
            surely |= (by_parts[0] < BLANK) & (by_parts[1] < SURELY)
    thin = np.array([letter in _THIN for letter in letters])
    blank = np.flatnonzero((own < BLANK) & surely & (~thin | (upper < THIN))).tolist()
    if not blank:
        return []
    names = [letters[k] for k in blank]
    told = named(names)
    with_blank = [k for k, text in enumerate(sample.texts) if set(text) & set(names)]
    shown = [sample.seen[k] for k in with_blank[:_MOST_SHOWN]]
    texts = named([sample.texts[k] for k in with_blank[:_MOST_SHOWN]])
    what = "is drawn as nothing, or next to it: it adds" if len(names) == 1 else (
        "are drawn as nothing, or next to it: they add"
    )  # fmt: skip
    return [
        finding(
            "blank", "Letters that are not drawn", "high",
            f"{told} {what} no ink to a picture. {len(with_blank):,} of {n:,} texts have such a letter, and people "
            "cannot see it.", "Use a typeface that has all letters, or leave these letters out of the texts.",
            {
                "n": n, "letters": names, "pictures": len(with_blank),
                "ink_of_the_usual": {letters[k]: round(float(own[k]), 3) for k in blank},
            },
            [figure(sheet(shown), f"Pictures of {texts}, in which {told} cannot be seen.")],
        )
    ]  # fmt: skip


def _added(matrix: np.ndarray, amounts: np.ndarray, letters: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Return what each letter adds to an amount, as a share of the median letter's, and the upper end of its interval.

    None if the median letter adds nothing.
    """
    solved, *_ = np.linalg.lstsq(matrix, amounts, rcond=None)
    freedom = len(matrix) - matrix.shape[1]
    variance = float(((amounts - matrix @ solved) ** 2).sum()) / max(1, freedom)
    errors = np.sqrt(variance * np.diag(np.linalg.inv(matrix.T @ matrix)))[:letters]
    own = solved[:letters]
    usual = float(np.median(own))
    if usual <= 0:
        return None
    return own / usual, (own + float(stats.t.isf(LEVEL / letters, freedom)) * errors) / usual


def _parts(mask: np.ndarray) -> int:
    """Count the connected parts of ink that are no specks."""
    labels, _ = ndimage.label(mask, np.ones((3, 3)))
    return int((np.bincount(labels.ravel())[1:] >= _PART).sum())
