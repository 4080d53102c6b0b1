"""Find the ground of a picture where its border does not tell it: frames, cards with margins, parts that are inverted.

Grey in, grey out. A picture whose border and ground agree is returned as it is.
"""

import numpy as np

from tasks.loading.parts import BOTTOM, LEFT, RIGHT, TOP, find_parts
from tasks.loading.polarity import background

# Levels of 255. A picture with less between its darkest and brightest pixel is left alone: noise may be as strong.
LEAST_CONTRAST = 24
MIXED = 0.08  # of the border: if more of it is no ground, the picture may have parts with another ground
GROUND = 0.5  # of the picture: if less of it has the border's level, the ground may have another
AROUND = 12  # levels: pixels that differ by less belong to the same ground
SHARE = 0.3  # of the picture: a ground that is not the border's covers at least as much
BROKEN = 0.85  # of a row or column of pixels: if as many change there, a part with another ground begins
NARROWEST = 0.1  # of the picture: a part with a ground of its own is not narrower
SPANS = 0.8  # of the picture's width and height: a frame spans more
HOLLOW = 0.45  # of its box: a frame covers less, or it lies on the border only


def even_ground(grey: np.ndarray) -> np.ndarray:
    """Give a grey picture (H, W) uint8 one ground, at its border too.

    Parts of a picture whose sides are straight, from border to border, and whose ground differs are inverted. A frame
    and the margins around a card get the level of the ground inside.
    """
    if min(grey.shape) < 8:
        return grey
    level, border = int(background(grey)), _border(grey)
    low, high = int(grey.min()), int(grey.max())
    if high - low < LEAST_CONTRAST:
        return grey
    apart = max(AROUND, (high - low) // 4)
    if (abs(border - level) > apart).mean() > MIXED:
        grey = _turned(_turned(grey, high - low).T, high - low).T
        level, border = int(background(grey)), _border(grey)
    counts = np.bincount(grey.ravel(), minlength=256)
    if counts[max(level - apart, 0) : level + apart + 1].sum() < GROUND * grey.size:
        return _without_frame(grey, counts, level, apart)
    return grey


def _border(grey: np.ndarray) -> np.ndarray:
    border: np.ndarray = np.concatenate((grey[0], grey[-1], grey[1:-1, 0], grey[1:-1, -1])).astype(np.int16)
    return border


def _turned(grey: np.ndarray, contrast: int) -> np.ndarray:
    """Invert strips of columns whose ground is at the other end of the levels than the largest strip's."""
    wide = grey.astype(np.int16)
    change = abs(np.diff(wide, axis=1)).sum(axis=0)
    # Over two columns, since a picture that was shrunk or came from a JPEG file changes over more than one.
    jumps = (abs(wide[:, 2:] - wide[:, :-2]) >= contrast / 2).mean(axis=0) >= BROKEN
    places = np.flatnonzero(jumps) + 1  # between the columns left and right of it
    if not len(places):
        return grey
    groups = np.split(places, np.flatnonzero(np.diff(places) > 1) + 1)
    edges = [group[0] + int(change[group[0] - 1 : group[-1] + 1].argmax()) for group in groups]
    edges = [0, *edges, grey.shape[1]]
    strips = [(a, b) for a, b in zip(edges, edges[1:], strict=False) if b - a >= NARROWEST * grey.shape[1]]
    grounds = [int(background(grey[:, a:b])) for a, b in strips]
    if len(strips) < 2 or max(grounds) - min(grounds) < contrast / 2:
        return grey
    main = int(np.argmax([b - a for a, b in strips]))
    ground = grounds[main]
    out = grey.copy()
    for (a, b), own in zip(strips, grounds, strict=True):
        if abs(own - ground) >= contrast / 2:
            # The strip's ground becomes the ground, and its furthest level is as far from it as the ground itself was.
            out[:, a:b] = np.clip(ground + own - wide[:, a:b], 0, 255)
    return out


def _without_frame(grey: np.ndarray, counts: np.ndarray, level: int, apart: int) -> np.ndarray:
    """Replace parts at the border by the ground inside, if there is a ground inside."""
    inner = grey[grey.shape[0] // 6 : -(grey.shape[0] // 6), grey.shape[1] // 12 : -(grey.shape[1] // 12)]
    counts = np.bincount(inner.ravel(), minlength=256)
    near = np.convolve(counts, np.ones(2 * AROUND + 1, np.int64), "same")
    ground = int(np.average(np.arange(256), weights=_window(counts, int(near.argmax()))).round())
    if abs(ground - level) <= apart or near.max() < SHARE * inner.size:
        return grey
    other = abs(grey.astype(np.int16) - ground) > apart
    parts = find_parts(other)
    table, (height, width) = parts.table, grey.shape
    touches = (
        (table[:, TOP] == 0) | (table[:, LEFT] == 0) | (table[:, BOTTOM] == height) | (table[:, RIGHT] == width)
    )
    spans = (parts.width >= SPANS * width) | (parts.height >= SPANS * height)
    frame = parts.of(touches & spans)
    if not frame.any() or frame.mean() > 1 - SHARE:
        return grey
    out = grey.copy()
    out[grown(frame) & ((abs(grey.astype(np.int16) - ground) <= apart) | frame)] = ground
    return out


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
