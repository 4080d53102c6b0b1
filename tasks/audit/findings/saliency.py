"""Saliency by occlusion: which parts of a picture an answer depends on."""

from collections.abc import Callable, Sequence

import numpy as np

from tasks.audit.findings.measuring.sampled import as_seen
from tasks.audit.findings.measuring.shown import figure, sheet
from tasks.audit.schema import Figure

Read = Callable[[np.ndarray], list[str]]
ACROSS = 24  # places of a patch along a picture
_SIDE = 0.2  # of the picture's height: the side of a patch
_WARM = np.array([200, 60, 0], float)


def show_saliency(pictures: Sequence[tuple[np.ndarray, str]], read: Read) -> list[Figure]:
    """Cover parts of each picture with its ground, read it again, and show where that changes the answer.

    Parameters
    ----------
    pictures : sequence of ((h, w) or (h, w, 3) uint8, str)
        Pictures and their texts.
    """
    return [_shown(picture, text, read) for picture, text in pictures]


def saliency_of(picture: np.ndarray, read: Read) -> tuple[str, np.ndarray, int]:
    """Return what is read, how often covering a pixel changes it, (h, w) float64 of 0 to 1, and a patch's side.

    Patches lie at distances of half their side or less; each is filled with the picture's median colour.
    """
    height, width = picture.shape[:2]
    side = max(3, round(_SIDE * height))
    step = max(1, side // 2, width // ACROSS)
    places = [(top, left) for top in range(0, height, step) for left in range(0, width, step)]
    fill = np.median(picture.reshape(height * width, -1), axis=0).astype(np.uint8)
    covered = np.repeat(picture[None], len(places) + 1, axis=0)
    for image, (top, left) in zip(covered[1:], places, strict=True):
        image[top : top + side, left : left + side] = fill if picture.ndim == 3 else fill[0]
    said = list(read(covered))
    times, changed = np.zeros((height, width)), np.zeros((height, width))
    for answer, (top, left) in zip(said[1:], places, strict=True):
        part = np.s_[top : top + side, left : left + side]
        times[part] += 1
        changed[part] += answer != said[0]
    return said[0], changed / np.maximum(times, 1), side


def _shown(picture: np.ndarray, text: str, read: Read) -> Figure:
    answer, heat, side = saliency_of(picture, read)
    seen = as_seen(picture)
    faint = 255 - (255 - seen.astype(float)) * 0.5
    over = (faint * (1 - 0.75 * heat[..., None]) + _WARM * 0.75 * heat[..., None]).astype(np.uint8)
    across = heat.max(axis=0)
    thirds = [float(part.sum()) / max(1, part.size) for part in np.array_split(across, 3)]
    where = ("left", "middle", "right")[int(np.argmax(thirds))]
    said = f"read as {answer!r}" + (" (right)" if answer == text else f", the text is {text!r}")
    if not heat.any():
        told = f"Covering any square of {side} px changes nothing."
    else:
        told = (
            f"The darker the orange, the more often covering a square of {side} px there changes the answer; it "
            f"matters most in the {where} third. Where nothing is tinted, the answer does not depend on it."
        )
    return figure(sheet([seen, over], 1), f"A picture {said}, and below it how much each part matters. {told}")
