"""The lengths of texts: whether all are equal, and whether the width of a picture tells them."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from tasks.audit.findings.measuring import evidence
from tasks.audit.findings.measuring.shown import finding
from tasks.audit.findings.texts.repeated_texts import LEAST_TEXTS
from tasks.audit.schema import Finding
from tasks.rates import Rate

BY_WIDTH = 0.9  # share of texts whose length the picture's width tells, from which it counts as told
COMMONEST_LENGTH = 0.75  # share of one length, above which guessing it is no telling


def find_length(texts: Sequence[str], widths: Sequence[tuple[int, int]] = ()) -> Finding:
    """Say whether all texts have one length, or one that the width tells, which spares an attacker to find it.

    `widths` are those of some pictures, pixels, each with the length of its text.
    """
    lengths = Counter(map(len, texts))
    n = len(texts)
    entropy = evidence.bits(np.array(list(lengths.values())))
    figures = {"n": n, "lengths": {str(k): v for k, v in sorted(lengths.items())}, "bits": round(entropy, 3)}
    title = "Length of the texts"
    if n < LEAST_TEXTS:
        return finding("length", title, "unknown", f"{n} texts are too few to tell.", None, figures)
    if len(lengths) == 1:
        length = next(iter(lengths))
        return finding(
            "length", title, "low",
            f"All {n:,} texts have {length} letters. An attacker who knows it cuts each picture into {length} and "
            "need not find where a text ends." if length > 1 else f"All {n:,} texts are single letters.",
            "Let the length vary, for instance by two letters.", figures,
        )  # fmt: skip
    said = f"Texts have {min(lengths)} to {max(lengths)} letters ({entropy:.1f} bits)."
    told = _told_by_width(widths)
    figures["told_by_width"] = None if told is None else told.as_dict()
    if told is None or told.value < BY_WIDTH:
        return finding("length", title, "none", said, None, figures)
    return finding(
        "length", title, "low",
        f"{said} But the width of a picture tells how many: in {100 * told.value:.0f} % of {told.n:,} pictures the "
        "text is as long as that of another picture of the nearest width. An attacker need not find where a text ends.",
        "Draw all pictures in one width, or add a margin of random width.", figures,
    )  # fmt: skip


def _told_by_width(widths: Sequence[tuple[int, int]]) -> Rate | None:
    """Return how often a text is as long as that of the picture of the nearest width, of every second picture.

    None if widths do not vary, or if one length is so common that a guess is right as often.
    """
    pairs = np.array(widths, np.int64).reshape(-1, 2)
    known, asked = pairs[::2], pairs[1::2]
    if len(pairs) < 2 * LEAST_TEXTS or len(np.unique(pairs[:, 0])) < 2:
        return None
    if np.bincount(pairs[:, 1]).max() > COMMONEST_LENGTH * len(pairs):
        return None
    nearest = np.abs(asked[:, :1] - known[:, 0]).argmin(axis=1)
    return Rate(int((known[nearest, 1] == asked[:, 1]).sum()), len(asked))
