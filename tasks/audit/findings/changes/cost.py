"""What a change costs a reader, measured on the pictures: contrast, overlap, and letters that can be told apart."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import ndimage

from tasks.audit.findings.measuring.letters import framed, usual_side
from tasks.audit.findings.measuring.properties import brightness_of
from tasks.audit.findings.measuring.sampled import as_seen
from tasks.profiles.profile import Profile

MOST_EXAMPLES, MOST_ASKED = 2500, 1000
_FULL_INK = 200
_NEAR, _FAR = 1, 4  # pixels around letters where the ground is measured
# Fields that draw something besides letters, or colour them; without these a profile draws letters alone.
_NOISE = (
    "lines", "arcs", "specks", "background", "blur", "lines_under", "arcs_under", "strikes", "ellipses", "crosses",
    "hatching", "decoys", "salt", "coarse", "sharpen", "halftone", "blots", "slashes", "frame_y", "frame_x",
    "letter_ink",
    "shadow_y", "shadow_x", "shadow_ink", "shadow_weight", "ground", "ground_ink", "ground_colour", "pattern_colour",
    "letter_colour", "shadow_colour", "line_colour", "speck_colour", "frame_colour", "own_colours", "own_line_colours",
    "contrast",
)  # fmt: skip


def bare(profile: Profile) -> Profile:
    """Return the profile that draws only the letters, as ink, in the same places."""
    defaults: dict[str, Any] = {name: Profile.__dataclass_fields__[name].default for name in _NOISE}
    return replace(profile, **defaults)


@dataclass(frozen=True)
class Letters:
    """Pictures with letters alone: ink (h, w) each, boxes (L, 4) each, texts."""

    inks: list[np.ndarray]
    boxes: list[np.ndarray]
    texts: list[str]


def contrast_of(pictures: list[np.ndarray], letters: Letters) -> float:
    """Return how much brighter or darker letters are than what is around them, 0 to 1, mean over pictures."""
    found = []
    for picture, ink in zip(pictures, letters.inks, strict=True):
        bright = brightness_of(as_seen(picture) / 255.0)
        inside = ink >= _FULL_INK
        there = ink > 0
        around = ndimage.binary_dilation(there, iterations=_FAR) & ~ndimage.binary_dilation(there, iterations=_NEAR)
        if inside.any() and around.any():
            # The eye sees ratios: light is compared by its cube root, as in CIE's lightness.
            found.append(abs(float(np.cbrt(bright[inside]).mean()) - float(np.cbrt(bright[around]).mean())))
    return float(np.mean(found)) if found else 0.0


def overlap_of(letters: Letters) -> float:
    """Return the share of ink pixels that lie in the boxes of two letters."""
    twice = total = 0
    for ink, boxes in zip(letters.inks, letters.boxes, strict=True):
        count = np.zeros(ink.shape, np.int64)
        for top, left, bottom, right in boxes.tolist():
            count[max(top, 0) : bottom, max(left, 0) : right] += 1
        inked = ink >= 64
        twice += int((inked & (count > 1)).sum())
        total += int(inked.sum())
    return twice / total if total else 0.0


def told_apart(examples: Letters, asked: Letters) -> float:
    """Return the share of letters whose nearest example shows the same letter.

    Letters are compared by their own pixels within their true boxes; so a neighbour that reaches in spoils them.
    """
    shown, names = _crops(examples, MOST_EXAMPLES)
    questions, truths = _crops(asked, MOST_ASKED)
    if not shown or not questions:
        return 0.0
    side = usual_side(shown)
    known, points = framed(shown, side), framed(questions, side)
    nearest: list[int] = ((known**2).sum(axis=1) - 2 * (points @ known.T)).argmin(axis=1).tolist()
    return sum(names[k] == truth for k, truth in zip(nearest, truths, strict=True)) / len(truths)


def _crops(letters: Letters, most: int) -> tuple[list[np.ndarray], list[str]]:
    pictures: list[np.ndarray] = []
    names: list[str] = []
    for ink, boxes, text in zip(letters.inks, letters.boxes, letters.texts, strict=True):
        for (top, left, bottom, right), letter in zip(boxes.tolist(), text, strict=False):
            if 0 <= top < bottom and 0 <= left < right and len(pictures) < most:
                pictures.append(ink[top:bottom, left:right])
                names.append(letter)
    return pictures, names
