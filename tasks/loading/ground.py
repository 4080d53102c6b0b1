"""Find the ground of a picture where its border does not tell it: frames, cards with margins, parts that are inverted.

Grey in, grey out. A picture whose border and ground agree is returned as it is.
"""

import itertools

import numba
import numpy as np

from tasks.loading.parts import find_parts
from tasks.loading.polarity import background, background_level, own

# Levels of 255. A picture with less between its darkest and brightest pixel is left alone: noise may be as strong.
# Levels of 255. A picture with less between its darkest and brightest pixel is left alone: noise may be as strong.
LEAST_CONTRAST = 24
SMALLEST = 8  # rows or columns: a smaller picture is left alone
MIXED = 0.08  # of the border: if more of it is no ground, the picture may have parts with another ground
GROUND = 0.5  # of the picture's middle: if less of it has the border's level, the ground may have another
AROUND = 12  # levels: pixels that differ by less belong to the same ground
SHARE = 0.35  # of the picture's middle: a ground that is not the border's covers at least as much
BROKEN = 0.5, 0.9  # of a row or column, and of its ends: if as many change there, a part with another ground begins
ENDS = 8  # a part of the picture's height or width: the ends of a row or column are so long
NARROWEST = 0.12  # of the picture: a part with a ground of its own is not narrower
PLAIN = 0.85  # of the border of such a part: as much of it is ground
CLEARER = 1.3  # times: a ground that is not the border's is so much more frequent in the middle than the border's level
AROUND_ALL = 0.45  # of the border: a frame covers more
SHADES = 0.15  # of the picture's outer part: if more lies between the border's level and the ground, it is a gradient
FEW = 0.6  # of those levels: in a gradient fewer are near one level
INSIDE = 0.02  # of the picture's middle: a frame covers no more of it; the ground between letters does


def even_ground(grey: np.ndarray) -> tuple[np.ndarray, int]:
    """Give a grey picture (H, W) uint8 one ground; return it, and the level of its ground.

    Parts of a picture whose sides are straight, from border to border, and whose ground differs are inverted. A frame
    and the margins around a card get the level of the ground inside. If letters cover the border, so that its median is
    theirs, the ground is the level of the middle.
    """
    level, low, high, mixed, inside = _survey(own(grey), AROUND, LEAST_CONTRAST)
    if min(grey.shape) < SMALLEST or high - low < LEAST_CONTRAST:
        return grey, level
    if mixed > MIXED:
        grey = _turned(_turned(grey, high - low).T, high - low).T
        level, low, high, _, inside = _survey(own(grey), AROUND, LEAST_CONTRAST)
    if inside < GROUND:
        return _without_frame(grey, level, (high - low) // 4)
    return grey, level


@numba.njit(cache=True, nogil=True)
def _survey(grey: np.ndarray, around: int, least: int) -> tuple[int, int, int, float, float]:
    """Return the border's level, the lowest and the highest, and how much is ground by that level.

    These are the share of the border that is not near that level, and the share of the middle that is; 0 and 1 for a
    picture with less contrast than `least`.
    """
    height, width = grey.shape
    level, low, high = background_level(grey), np.uint8(255), np.uint8(0)
    for y in range(height):
        row = grey[y]
        for x in range(width):
            low, high = min(low, row[x]), max(high, row[x])
    if high - low < least:
        return level, int(low), int(high), 0.0, 1.0
    far, other = max(around, (np.int64(high) - low) // 4), 0
    for x in range(width):
        other += int(abs(np.int64(grey[0, x]) - level) > far) + int(abs(np.int64(grey[height - 1, x]) - level) > far)
    for y in range(height):
        other += int(abs(np.int64(grey[y, 0]) - level) > far) + int(abs(np.int64(grey[y, width - 1]) - level) > far)
    bottom, top = np.uint8(max(level - around, 0)), np.uint8(min(level + around, 255))
    near, of = 0, 0
    for y in range(height // 4, height - height // 4):
        row = grey[y, width // 8 : width - width // 8]
        for x in range(len(row)):
            near += int((row[x] >= bottom) & (row[x] <= top))
        of += len(row)
    return level, int(low), int(high), other / (2 * (height + width)), near / max(of, 1)


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
    for (a, b), level in zip(strips, grounds, strict=True):
        ends = np.concatenate((wide[0, a:b], wide[-1, a:b]))
        if (abs(ends - level) <= contrast / 4).mean() < PLAIN:
            return grey
        if abs(level - ground) >= contrast / 2:
            # The strip's ground becomes the ground; letters in it are as far from it as they were, to the other side.
            out[:, a:b] = np.clip(ground + level - wide[:, a:b], 0, 255)
    return out


def _without_frame(grey: np.ndarray, level: int, far: int) -> tuple[np.ndarray, int]:
    """Replace a frame by the ground inside, if there is a ground inside; return the picture and its ground."""
    height, width = grey.shape
    counts = np.bincount(grey[height // 4 : -(height // 4), width // 8 : -(width // 8)].ravel(), minlength=256)
    near = np.convolve(counts, np.ones(2 * AROUND + 1, np.int64), "same")
    ground = int(np.average(np.arange(256), weights=_window(counts, int(near.argmax()))).round())
    apart = abs(grey.astype(np.int16) - ground)
    if abs(ground - level) <= AROUND or near.max() < SHARE * counts.sum():
        return grey, level
    other = apart > abs(ground - level) // 2
    if (abs(_border(grey) - ground) > abs(ground - level) // 2).mean() >= AROUND_ALL and not _shaded(
        grey, level, ground
    ):
        parts = find_parts(other)
        at_border = _border(parts.labels)
        covered = np.bincount(at_border[at_border >= 0], minlength=len(parts.table)) / len(at_border)
        frame = parts.of(covered == covered.max())
        inside = frame[height // 4 : -(height // 4), width // 8 : -(width // 8)].mean()
        if covered.max() >= AROUND_ALL and inside <= INSIDE:
            out = grey.copy()
            out[frame | (grown(frame) & ~other)] = ground
            return out, ground
    # Without a frame the two levels are those of letters and ground; a shade of the ground is no other ground.
    mixed = (abs(_border(grey) - level) > far).mean() > MIXED
    clear = abs(ground - level) >= far and near.max() >= CLEARER * near[level]
    return grey, ground if mixed and clear else level


def _shaded(grey: np.ndarray, level: int, ground: int) -> bool:
    """Tell whether the border turns into the ground little by little, as in a gradient."""
    low, high = min(level, ground) + AROUND, max(level, ground) - AROUND
    outer = np.ones(grey.shape, np.bool_)
    outer[grey.shape[0] // 6 : -(grey.shape[0] // 6), grey.shape[1] // 12 : -(grey.shape[1] // 12)] = False
    band = grey[outer]
    between = np.bincount(band[(band > low) & (band < high)], minlength=256)
    if between.sum() <= SHADES * band.size:
        return False
    # A second frame has few levels.
    return bool(np.convolve(between, np.ones(2 * AROUND + 1, np.int64)).max() < FEW * between.sum())


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
