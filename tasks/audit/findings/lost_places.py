"""Places of a text at which nothing is drawn, as where texts are longer than the picture."""

from collections import Counter

import numpy as np
from scipy import stats

from tasks.audit.findings.measuring.evidence import LEVEL
from tasks.audit.findings.measuring.sampled import Sampled
from tasks.audit.findings.measuring.shown import figure, finding, named, sheet
from tasks.audit.schema import Finding

LEAST_TEXTS = 100  # of one length
LEAST_TIMES = 8  # that a letter must come
DRAWN = 0.5  # of the most that a place's letters add, from which it counts as usual
LOST = 0.3  # of the usual: the upper end of the interval of a place that is not drawn
SURELY = 5.0  # standard errors that the usual place is above 0
_FAINT = 64
_MOST_SHOWN = 4


def find_lost(sample: Sampled) -> list[Finding]:
    """Look for places whose letters add no ink to a picture: finding `lost`, only if there are any.

    Letters differ in ink. How much each has is estimated on every second picture; on the others it is asked, for each
    place of the texts of one length, how much of it the letter at that place adds. So no boxes are needed. Where noise
    or sizes hide what letters add, nothing is told.
    """
    counts = Counter(map(len, sample.texts))
    length = max((size for size, count in counts.items() if count >= LEAST_TEXTS), default=0)
    rows = [k for k, text in enumerate(sample.texts) if len(text) == length]
    if length < 3 or len(rows) < LEAST_TEXTS:
        return []
    texts = [sample.texts[row] for row in rows]
    amounts = np.array([int((sample.inks[row] >= _FAINT).sum()) for row in rows], float)
    halves = [_by_place(texts, amounts, half) for half in (0, 1)]
    added = np.mean([own for own, _ in halves], axis=0)
    errors = np.sqrt(np.sum([error**2 for _, error in halves], axis=0)) / 2
    if not np.isfinite(added).all() or added.max() <= 0:
        return []
    usual = float(np.median(added[added >= DRAWN * added.max()]))
    if usual <= SURELY * float(np.median(errors)):
        return []
    upper = (added + stats.norm.isf(LEVEL / length) * errors) / usual
    lost = np.flatnonzero(upper < LOST).tolist()
    if not lost or len(lost) == length:
        return []
    places = named([str(place + 1) for place in lost])
    shown = [sample.seen[row] for row in rows[:_MOST_SHOWN]]
    what = f"The letter at place {places} of texts of {length} is" if len(lost) == 1 else (
        f"The letters at places {places} of texts of {length} are"
    )  # fmt: skip
    return [
        finding(
            "lost", "Letters outside the picture", "high",
            f"{what} not drawn, or next to nothing: which letter it is changes nothing in {len(rows):,} pictures, "
            "and people cannot see it.", "Make the picture wider, the letters smaller, or the texts shorter.",
            {"n": len(rows), "length": length, "places": [place + 1 for place in lost],
             "added_of_the_usual": [round(float(own) / usual, 3) for own in added]},
            [figure(sheet(shown), f"Pictures of {named(texts[:_MOST_SHOWN])}.")],
        )
    ]  # fmt: skip


def _by_place(texts: list[str], amounts: np.ndarray, half: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what the letter at each place adds, as a share of its own ink, and the standard error of it.

    Letters' ink is learnt from one half of the pictures, and asked of the other. Not finite where texts are too few.
    """
    length = len(texts[0])
    learnt, asked = np.arange(half, len(texts), 2), np.arange(1 - half, len(texts), 2)
    seen = Counter("".join(texts[k] for k in learnt))
    letters = [letter for letter, count in sorted(seen.items()) if count >= LEAST_TIMES]
    often = np.array([[1.0, *(texts[k].count(letter) for letter in letters)] for k in learnt])
    nothing = np.full(length, np.nan)
    if len(learnt) < len(letters) + 10 or len(letters) < 2:
        return nothing, nothing
    solved = np.linalg.lstsq(often, amounts[learnt], rcond=None)[0][1:]
    ink = dict(zip(letters, (solved - solved.mean()).tolist(), strict=True))
    given = np.array([[1.0, *(ink.get(letter, 0.0) for letter in texts[k])] for k in asked])
    freedom = len(asked) - given.shape[1]
    if freedom < 10 or np.linalg.matrix_rank(given) < given.shape[1]:
        return nothing, nothing
    added = np.linalg.lstsq(given, amounts[asked], rcond=None)[0]
    variance = float(((amounts[asked] - given @ added) ** 2).sum()) / freedom
    return added[1:], np.sqrt(variance * np.diag(np.linalg.inv(given.T @ given)))[1:]
