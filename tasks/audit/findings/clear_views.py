"""Letters that stand clear in a view that people do not have: a bit of the pixels, or a difference of two channels."""

from collections.abc import Iterator, Sequence

import numpy as np
from scipy import ndimage

from tasks.audit.findings.colour_rules import LEAST_ACROSS, LETTERS
from tasks.audit.findings.measuring.inks import shapes_alone
from tasks.audit.findings.measuring.sampled import as_seen
from tasks.audit.findings.measuring.shown import figure, finding, sheet
from tasks.audit.schema import Finding

TRIED = 12  # pictures that a view is chosen by, and as many that prove it
MOST_PIXELS = 3_000_000  # of all of them
HELD = 0.75  # share of the pictures in which letters must stand in the view
SEEN = 0.25  # share of the pictures in which they may stand in the lightness that people see
LIGHTER = 0.6  # of the standard deviation of the lightness: less of a difference is not seen
_MOST_INK = 0.45  # of a view, that is letters
_LEAST_INK = 0.02
_CHANNELS = ("red", "green", "blue")
_FRAME = 3  # pixels at the border, in which a frame may be drawn
_BITS = 7  # the highest is dark and light, which people see
_TITLE = "Letters that stand clear in another view"


def letters_stand(mask: np.ndarray, letters: int) -> bool:
    """Return whether a mask, (h, w) bool, has parts like letters, and hardly anything else.

    The side with fewer pixels is looked at.
    """
    mask = mask if mask.mean() <= 1 / 2 else ~mask
    if not _LEAST_INK <= mask.mean() <= _MOST_INK:
        return False
    like = shapes_alone(mask)
    return like.share >= LETTERS and like.parts >= max(1, (letters + 1) // 2) and like.across >= LEAST_ACROSS


def letters_seen(picture: np.ndarray, letters: int) -> bool:
    """Return whether letters stand clear in the lightness of a picture, ink or sRGB, by one threshold."""
    return letters_stand(_divided(_lightness(picture)), letters)


def find_views(pictures: Sequence[np.ndarray], texts: Sequence[str]) -> list[Finding]:
    """Return the finding `views`, if letters stand clear in a view of the pixels, and not in the lightness.

    Parameters
    ----------
    pictures : sequence of (h, w) or (h, w, c) uint8
        As they are in their files. An alpha channel is not looked at.
    texts : sequence of str
        Their answers.
    """
    if len(pictures) < 2 * TRIED:
        return []
    chosen = [round(k) for k in np.linspace(0, len(pictures) - 1, 2 * TRIED)]
    if sum(pictures[k].shape[0] * pictures[k].shape[1] for k in chosen) > MOST_PIXELS:
        return []
    looked = [(_plain(pictures[k]), len(texts[k])) for k in chosen]
    if sum(letters_seen(picture, letters) for picture, letters in looked) > SEEN * len(looked):
        return []
    for name in _names(looked):
        stand = _stand(name, looked)
        if len(stand) == len(looked):
            return [_told(name, looked, stand)]
    return []


def _names(looked: Sequence[tuple[np.ndarray, int]]) -> list[str]:
    """Return the names of the views that all of some pictures have."""
    some = [dict.fromkeys(name for name, _ in _views(picture)) for picture, _ in looked[:: len(looked) - 1]]
    return [name for name in some[0] if name in some[1]]


def _stand(name: str, looked: Sequence[tuple[np.ndarray, int]]) -> list[bool]:
    """Return in which pictures letters stand in a view; of fewer pictures as soon as there are too many without."""
    stand: list[bool] = []
    most = round((1 - HELD) * TRIED)
    for picture, letters in looked:
        view = dict(_views(picture)).get(name)
        stand.append(
            view is not None and letters_stand(view, letters) and _is_inside(view) and _is_unseen(view, picture)
        )
        if max(stand[::2].count(False), stand[1::2].count(False)) > most:
            break
    return stand


def _lightness(picture: np.ndarray) -> np.ndarray:
    """Return the luma of a picture, ink or sRGB, (h, w) int64."""
    levels: np.ndarray = as_seen(picture).astype(np.int64) @ (299, 587, 114) // 1000
    return levels


def _is_inside(mask: np.ndarray) -> bool:
    """Return whether what a mask divides hardly reaches the border, as the bands of a gradient do in its lower bits."""
    mask = mask if mask.mean() <= 1 / 2 else ~mask
    labels, _ = ndimage.label(mask, np.ones((3, 3)))
    near = np.ones(mask.shape, bool)
    near[_FRAME:-_FRAME, _FRAME:-_FRAME] = False
    edge = np.unique(labels[near])
    at_edge = np.isin(labels, edge[edge > 0])
    return bool(at_edge.sum() <= (1 - LETTERS) * mask.sum())


def _is_unseen(mask: np.ndarray, picture: np.ndarray) -> bool:
    """Return whether what a mask divides is hardly lighter or darker than the rest, for how much lightness varies."""
    lightness = _lightness(picture)
    inside, outside = lightness[mask], lightness[~mask]
    varies = np.sqrt((inside.var() * inside.size + outside.var() * outside.size) / lightness.size)
    return bool(abs(inside.mean() - outside.mean()) <= LIGHTER * varies)


def _told(name: str, looked: Sequence[tuple[np.ndarray, int]], stand: Sequence[bool]) -> Finding:
    plain = (
        f"In {name} letters stand clear of all else, in {sum(stand)} of {len(stand)} pictures that were tried. In the "
        "lightness that people see they do not. A program that looks there reads pictures without noise, and the "
        "attackers of this audit did not look there."
    )
    shown: list[np.ndarray] = []
    for (picture, _), clear in zip(looked, stand, strict=True):
        if clear and len(shown) < 6:
            view = dict(_views(picture))[name]
            dark = view if view.mean() <= 1 / 2 else ~view
            shown += [as_seen(picture), np.where(dark, 0, 255).astype(np.uint8)[..., None].repeat(3, axis=2)]
    return finding(
        "views", _TITLE, "high", plain, "Draw noise into every bit and every channel that letters are drawn into.",
        {"n": len(stand), "view": name, "clear": sum(stand)},
        [figure(sheet(shown, 2), f"On the left pictures as they are, on the right {name}.")],
    )  # fmt: skip


def _plain(picture: np.ndarray) -> np.ndarray:
    """Return a picture as levels, (h, w), or as colours, (h, w, 3)."""
    if picture.ndim == 2:
        return picture
    if picture.shape[2] < 3 or (picture[..., :3] == picture[..., :1]).all():
        return picture[..., 0]
    return picture[..., :3]


def _views(picture: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the views of a picture by their names, (h, w) bool each."""
    for bit in reversed(range(_BITS)):
        if picture.ndim == 2:
            yield f"bit {bit} of the levels", (picture >> bit & 1).astype(bool)
        else:
            for channel, name in enumerate(_CHANNELS):
                yield f"bit {bit} of {name}", (picture[..., channel] >> bit & 1).astype(bool)
    if picture.ndim == 3:
        for one, other in ((0, 1), (1, 2), (2, 0)):
            levels = picture[..., one].astype(np.int16) - picture[..., other]
            yield f"{_CHANNELS[one]} less {_CHANNELS[other]}", _divided(levels)


def _divided(levels: np.ndarray) -> np.ndarray:
    """Return which levels, (h, w) int, are above the threshold that leaves least variance (Otsu), (h, w) bool."""
    values, counts = np.unique(levels, return_counts=True)
    below, total = np.cumsum(counts)[:-1], np.cumsum(counts * values.astype(np.float64))
    if not len(below):
        return np.zeros(levels.shape, bool)
    above = levels.size - below
    between = below * above * (total[:-1] / below - (total[-1] - total[:-1]) / above) ** 2
    return np.asarray(levels > values[int(between.argmax())])
