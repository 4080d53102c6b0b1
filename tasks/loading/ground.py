"""Find the ground of a picture where its border does not tell it: frames, cards with margins, parts that are inverted.

Grey in, grey out. A picture whose border and ground agree is returned as it is.
"""

import itertools

import numpy as np

from tasks.loading.parts import find_parts
from tasks.loading.polarity import background

# Levels of 255. A picture with less between its darkest and brightest pixel is left alone: noise may be as strong.
# Levels of 255. A picture with less between its darkest and brightest pixel is left alone: noise may be as strong.
LEAST_CONTRAST = 24
MIXED = 0.08  # of the border: if more of it is no ground, the picture may have parts with another ground
GROUND = 0.5  # of the picture's middle: if less of it has the border's level, the ground may have another
AROUND = 12  # levels: pixels that differ by less belong to the same ground
SHARE = 0.35  # of the picture's middle: a ground that is not the border's covers at least as much
BROKEN = 0.5, 0.9  # of a row or column, and of its ends: if as many change there, a part with another ground begins
ENDS = 8  # a part of the picture's height or width: the ends of a row or column are so long
NARROWEST = 0.12  # of the picture: a part with a ground of its own is not narrower
PLAIN = 0.85  # of the border of such a part: as much of it is ground
CLEARER = 1.3  # times: a ground that is not the border's is so much more frequent in the middle than the border's level
AROUND_ALL = 0.75  # of the border: a frame covers more


def even_ground(grey: np.ndarray) -> tuple[np.ndarray, int]:
    """Give a grey picture (H, W) uint8 one ground; return it, and the level of its ground.

    Parts of a picture whose sides are straight, from border to border, and whose ground differs are inverted. A frame
    and the margins around a card get the level of the ground inside. If letters cover the border, so that its median is
    theirs, the ground is the level of the middle.
    """
    if min(grey.shape) < 8:
        return grey, int(background(grey))
    level, border = int(background(grey)), _border(grey)
    low, high = int(grey.min()), int(grey.max())
    if high - low < LEAST_CONTRAST:
        return grey, level
    if (abs(border - level) > max(AROUND, (high - low) // 4)).mean() > MIXED:
        grey = _turned(_turned(grey, high - low).T, high - low).T
        level = int(background(grey))
    inner = grey[grey.shape[0] // 4 : -(grey.shape[0] // 4), grey.shape[1] // 8 : -(grey.shape[1] // 8)]
    counts = np.bincount(inner.ravel(), minlength=256)
    if counts[max(level - AROUND, 0) : level + AROUND + 1].sum() < GROUND * inner.size:
        return _without_frame(grey, counts, level, (high - low) // 3)
    return grey, level


def _border(grey: np.ndarray) -> np.ndarray:
    border: np.ndarray = np.concatenate((grey[0], grey[-1], grey[1:-1, 0], grey[1:-1, -1])).astype(np.int16)
    return border


def _turned(grey: np.ndarray, contrast: int) -> np.ndarray:
    """Invert strips of columns whose ground is at the other end of the levels than the largest strip's."""
    wide = grey.astype(np.int16)
    height, width = grey.shape
    change = abs(np.diff(wide, axis=1)).sum(axis=0)
    # Over one column and over two: a picture that was shrunk, or was a JPEG file, changes over more than one.
    once = abs(wide[:, 2:] - wide[:, 1:-1]) >= contrast / 2
    jumps = once | (abs(wide[:, 2:] - wide[:, :-2]) >= contrast / 2)
    end = max(1, height // ENDS)
    outer = np.concatenate((jumps[:end], jumps[-end:]))
    places = np.flatnonzero((jumps.mean(axis=0) >= BROKEN[0]) & (outer.mean(axis=0) >= BROKEN[1])) + 1
    if not len(places):
        return grey
    groups = np.split(places, np.flatnonzero(np.diff(places) > 1) + 1)
    edges = [0, *(int(g[0] + change[g[0] - 1 : g[-1] + 1].argmax()) for g in groups), width]
    strips = [(a, b) for a, b in itertools.pairwise(edges) if b - a >= NARROWEST * width]
    grounds = [int(background(grey[:, a:b])) for a, b in strips]
    if len(strips) < 2 or max(grounds) - min(grounds) < contrast / 2:
        return grey
    ground = grounds[int(np.argmax([b - a for a, b in strips]))]
    out = grey.copy()
    for (a, b), own in zip(strips, grounds, strict=True):
        ends = np.concatenate((wide[0, a:b], wide[-1, a:b]))
        if (abs(ends - own) <= contrast / 4).mean() < PLAIN:
            return grey
        if abs(own - ground) >= contrast / 2:
            # The strip's ground becomes the ground; letters in it are as far from it as they were, to the other side.
            out[:, a:b] = np.clip(ground + own - wide[:, a:b], 0, 255)
    return out


def _without_frame(grey: np.ndarray, counts: np.ndarray, level: int, far: int) -> tuple[np.ndarray, int]:
    """Replace a frame by the ground inside, if there is a ground inside; return the picture and its ground.

    counts : (256,) int64
        Of the levels in the picture's middle.
    """
    near = np.convolve(counts, np.ones(2 * AROUND + 1, np.int64), "same")
    ground = int(np.average(np.arange(256), weights=_window(counts, int(near.argmax()))).round())
    apart = abs(grey.astype(np.int16) - ground)
    if abs(ground - level) <= AROUND or near.max() < SHARE * counts.sum():
        return grey, level
    other = apart > abs(ground - level) // 2
    parts = find_parts(other)
    at_border = _border(parts.labels)
    covered = np.bincount(at_border[at_border >= 0], minlength=len(parts.table)) / len(at_border)
    frame = parts.of(covered == covered.max())
    if covered.max() >= AROUND_ALL:
        out = grey.copy()
        out[frame | (grown(frame) & ~other)] = ground
        return out, ground
    # Without a frame the two levels are those of letters and ground; a shade of the ground is no other ground.
    return grey, ground if abs(ground - level) >= far and near.max() >= CLEARER * near[level] else level


def _window(counts: np.ndarray, middle: int) -> np.ndarray:
    kept = np.zeros_like(counts)
    part = slice(max(middle - AROUND, 0), middle + AROUND + 1)
    kept[part] = counts[part]
    return kept


def grown(mask: np.ndarray) -> np.ndarray:
    """Return a mask with the pixels that touch it."""
    wide = mask.copy()
    wide[1:] |= mask[:-1]
    wide[:-1] |= mask[1:]
    out = wide.copy()
    out[:, 1:] |= wide[:, :-1]
    out[:, :-1] |= wide[:, 1:]
    return out
