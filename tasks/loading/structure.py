"""Ink -> letters alone: take away rules, grids and dots, and give faint letters full strength.

Each step looks first, cheaply, whether a picture has what it is for; any other picture is returned as it is.
"""

import numpy as np
from PIL import Image

from tasks.loading.ground import SMALLEST, grown
from tasks.loading.parts import (
    AREA,
    BOTTOM,
    FAINT,
    LEFT,
    RIGHT,
    TOP,
    WEAK,
    WEAKEST,
    Parts,
    Signs,
    fill_gaps,
    find_parts,
    fullness,
)

CROSSED = 0.9  # of a row or column: a line from border to border fills more
RUN = 0.7  # of a row: a rule is not shorter
THICK = 4  # rows or columns: a thicker line is not taken away; a sixteenth of the picture if that is more
OVER = 0.3  # of the levels above a line's own: ink that is so much stronger belongs to letters over it
INKED = 48  # of 255: a pixel belongs to a letter
FLAT = 1.35  # times its median: the ninth decile of a letter's ink is not stronger; of noise it is
LETTER = 0.5  # of the height of the highest part: a letter is not lower
FILLED, SOLID = 0.2, 0.9  # of its box: a letter covers at least the one, and at most the other if it is no bar
SHARED = 0.35  # of its columns: a letter shares at most as many with others
LEAST_REACH = 16  # levels: ink on the other side of the ground is not closer to it
WIDEST = 2.2  # times its height: a letter is not wider
CUT = 0.3  # of the inked columns: if more have a gap of a row or two, light lines cut through the letters
HIGH = 14  # rows: letters that are lower have such gaps of their own
DOT = 0.02  # of a letter's height squared: dots have at most so many pixels
# Rows. Of 200 pictures of 40 x 12 pixels 70 % are read as they are, 96 % enlarged; of 60 x 20, 98 and 99 %.
SMALL, LOWEST = 24, 5  # a picture with more rows is not enlarged, nor are letters with fewer
ENLARGED = ((8, 3), (11, 2))  # letters of at most so many rows are enlarged so many times
MARGIN = 2  # pixels, around letters that touch the border; of 200 cropped pictures 88 % are read without, 98 % with
DOTTED = 0.02  # of the border: if more of it is dots, the picture is full of them
DOTS = 20  # dots: a picture with fewer is not full of them


def letters_alone(ink: np.ndarray, signs: Signs) -> np.ndarray:
    """Take away frames, lines and dots; the strongest pixel is 255 again. Ink that would vanish stays."""
    out = ink
    if min(ink.shape) >= SMALLEST and (signs.row >= RUN or signs.column >= CROSSED):
        out = without_lines(without_frames(ink))
    if signs.border >= DOTTED and signs.sides >= 3:
        out = without_dots(out)
    if signs.gaps >= CUT:
        out = without_cuts(out)
    strongest = int(out.max())
    if out is ink or strongest == 255:
        return out
    if strongest < INKED:
        return ink
    return _stretched(out)


def _stretched(ink: np.ndarray) -> np.ndarray:
    strongest = int(ink.max())
    stretched: np.ndarray = ((ink.astype(np.int32) * 255 + strongest // 2) // strongest).astype(np.uint8)
    return stretched


def without_cuts(ink: np.ndarray) -> np.ndarray:
    """Fill light lines of one or two pixels that cut through letters; low letters have such gaps of their own."""
    rows = np.flatnonzero((ink >= 128).any(axis=1))
    if rows[-1] - rows[0] + 1 < HIGH:
        return ink
    return fill_gaps(ink)


def without_lines(ink: np.ndarray) -> np.ndarray:
    """Take away lines that run along rows or columns, from border to border or along most of a row.

    Where a letter crosses a line, it stays: a pixel of a line gets the weaker ink of those above and below the line.
    """
    rows, columns, runs = fullness(ink)
    height, width = ink.shape
    along, down = (rows >= CROSSED * width) | (runs >= RUN * width), columns >= CROSSED * height
    if along.mean() > 0.6 or down.mean() > 0.6:  # a ground that is not empty
        return ink
    out = ink.copy()
    for top, bottom in _stretches(along):
        if bottom - top <= max(THICK, height // 16):
            _erase(out, top, bottom)
    crosswise = np.ascontiguousarray(out.T)
    stretches = [(a, b) for a, b in _stretches(down) if b - a <= max(THICK, height // 16)]
    if stretches and not _is_cropped(crosswise, stretches):
        for left, right in stretches:
            _erase(crosswise, left, right)
        out = np.ascontiguousarray(crosswise.T)
    return out


def _stretches(rows: np.ndarray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], rows, [False])).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _is_cropped(columns: np.ndarray, lines: list[tuple[int, int]]) -> bool:
    """Tell whether letters reach from border to border themselves, so that their stems look like lines."""
    rest = columns.copy()
    for left, right in lines:
        rest[max(left - 1, 0) : right + 1] = 0
    reach = rest.max(axis=0) >= INKED
    return bool(reach[:2].any() and reach[-2:].any())


def _erase(ink: np.ndarray, top: int, bottom: int) -> None:
    """Replace the rows of a line, and their blurred edges, by the weaker of the rows above and below."""
    height = len(ink)
    level = int(np.median(ink[top:bottom].max(axis=0)))
    if top and FAINT // 2 < np.quantile(ink[top - 1], 0.25) < level:
        top -= 1
    if bottom < height and FAINT // 2 < np.quantile(ink[bottom], 0.25) < level:
        bottom += 1
    nothing = np.zeros(ink.shape[1], np.uint8)
    above = ink[top - 1] if top else nothing
    below = ink[bottom] if bottom < height else nothing
    between = np.minimum(above, below)
    line = ink[top:bottom]
    letters = line > level + OVER * (255 - level)
    line[:] = np.where(letters & (level < 255 * (1 - OVER)), line, between)


def without_frames(ink: np.ndarray) -> np.ndarray:
    """Take away frames that lie within a picture: parts that reach around what else is there."""
    mask = ink >= INKED
    if mask.sum(axis=1).max() < RUN * ink.shape[1]:
        return ink
    parts = find_parts(mask)
    table, (height, width) = parts.table, ink.shape
    around = (parts.width >= 0.8 * width) & (parts.height >= 0.6 * height)
    for k in np.flatnonzero(around):
        top, left, bottom, right, area = table[k].tolist()
        deep = max(6, (bottom - top) // 7)
        inner = parts.labels[top + deep : bottom - deep, left + deep : right - deep] == k
        around[k] = inner.sum() <= 0.02 * area
    if not around.any() or around.all():
        return ink
    edge = table[around]
    inside = (
        (table[:, TOP] > edge[:, TOP].min()) & (table[:, BOTTOM] < edge[:, BOTTOM].max())
        & (table[:, LEFT] > edge[:, LEFT].min()) & (table[:, RIGHT] < edge[:, RIGHT].max())
    )  # fmt: skip
    rest = table[inside & ~around, AREA]
    if not len(rest) or rest.max() < 12:
        return ink
    out = ink.copy()
    out[grown(parts.of(around)) & ~parts.of(~around)] = 0
    return out


def both_inks(grey: np.ndarray, ink: np.ndarray, ground: int, dark: bool, reach: int, strongest: int) -> np.ndarray:
    """Add letters on the other side of the ground, if they stand beside the letters on this side.

    Parameters
    ----------
    grey, ink : (H, W) uint8
        The picture, and its ink on one side of the ground.
    ground : int
    dark : bool
        Whether that ink is the darker side.
    reach, strongest : int
        Levels from the ground to the furthest pixel of the other side, and of this side.
    """
    if reach < LEAST_REACH or 4 * reach < strongest:
        return ink
    wide = grey.astype(np.int32)
    apart = np.maximum(wide - ground if dark else ground - wide, 0)
    if (apart > reach // 2).mean() < 0.005:
        return ink
    other = np.minimum(apart * 255 // reach, 255).astype(np.uint8)
    own, more = find_parts(ink >= 96), find_parts(other >= 96)
    if not len(own.table) or not len(more.table):
        return ink
    highest = int(own.height.max())
    mine = own.height >= LETTER * highest
    letters = (more.height >= LETTER * highest) & (more.height * LETTER <= highest) & (more.area >= 12)
    letters &= more.width <= WIDEST * more.height
    letters &= ~_at_border(more, grey.shape) & _beside(more, own.table[mine])
    if not letters.any():
        return ink
    out = ink.copy()
    area = grown(more.of(letters)) & ~own.of(mine)
    out[area] = np.maximum(out, other)[area]
    return out


def _at_border(parts: Parts, shape: tuple[int, ...]) -> np.ndarray:
    table = parts.table
    touches: np.ndarray = (
        (table[:, TOP] == 0) | (table[:, LEFT] == 0) | (table[:, BOTTOM] == shape[0]) | (table[:, RIGHT] == shape[1])
    )
    return touches


def _beside(parts: Parts, letters: np.ndarray) -> np.ndarray:
    """Tell which parts share few of their columns with letters, (m, 5) int64 as in `Parts.table`."""
    taken = np.zeros(parts.labels.shape[1] + 1, np.int64)
    for _, left, _, right, _ in letters.tolist():
        taken[left + 1 : right + 1] = 1
    taken = np.cumsum(taken)
    beside: np.ndarray = taken[parts.table[:, RIGHT]] - taken[parts.table[:, LEFT]] <= SHARED * parts.width
    return beside


def even_strength(ink: np.ndarray) -> np.ndarray:
    """Give each letter that stands alone full strength: contrast is judged by the letters, not by the darkest dot."""
    parts = find_parts(ink >= WEAKEST)
    if not len(parts.table):
        return ink
    # Lines and blots are no letters.
    alone = (parts.height >= SMALLEST) & (parts.width <= WIDEST * parts.height)
    if not alone.any():
        return ink
    alone &= parts.height >= LETTER * parts.height[alone].max()
    alone &= ~_at_border(parts, ink.shape) & (parts.area >= FILLED * parts.width * parts.height)
    alone &= (parts.area <= SOLID * parts.width * parts.height) | (2 * parts.width <= parts.height)
    gains = np.ones(len(parts.table))
    for k in np.flatnonzero(alone):
        own = ink[parts.labels == k]
        level = float(np.quantile(own, 0.9))
        if level < WEAK and level <= FLAT * np.median(own):
            gains[k] = 255 / level
    faint = gains > 1
    faint &= _beside(parts, parts.table[(parts.height >= LETTER * parts.height[alone].max(initial=1)) & ~faint])
    if not faint.any():
        return ink
    gain = np.ones(ink.shape)
    for k in np.flatnonzero(faint):
        near = grown(parts.labels == k) & ((parts.labels == k) | (parts.labels < 0))
        gain[near] = gains[k]
    out: np.ndarray = np.minimum(np.rint(ink * gain), 255).astype(np.uint8)
    return out


def without_dots(ink: np.ndarray) -> np.ndarray:
    """Take away dots that a picture is full of, and fill holes of a pixel in letters."""
    parts = find_parts(ink >= INKED)
    large = parts.area > 12
    if not large.any():
        return ink
    highest = int(parts.height[large].max())
    dots = (parts.area <= max(2, min(DOT * highest * highest, 12))) & (parts.height < 0.35 * highest)
    if dots.sum() < DOTS:
        return ink
    out = ink.copy()
    out[parts.of(dots)] = 0
    return _filled(out)


def _filled(ink: np.ndarray) -> np.ndarray:
    """Fill pixels without ink that six or more of their eight neighbours surround with ink."""
    padded = np.pad(ink, 1)
    height, width = ink.shape
    around = np.stack([padded[y : y + height, x : x + width] for y in range(3) for x in range(3) if (y, x) != (1, 1)])
    hole = (ink < 128) & ((around >= 128).sum(axis=0) >= 6)
    return np.where(hole, np.sort(around, axis=0)[4], ink)


def legible(ink: np.ndarray, touched: bool) -> np.ndarray:
    """Enlarge letters in a tiny picture; give a picture a margin if letters touch its border, as `Signs` tells."""
    if SMALLEST <= len(ink) <= SMALL:
        rows = np.flatnonzero((ink >= 128).any(axis=1))
        high = int(rows[-1] - rows[0]) + 1 if len(rows) else 0
        factor = next((factor for most, factor in ENLARGED if LOWEST <= high <= most), 1)
        if factor > 1:
            size = ink.shape[1] * factor, ink.shape[0] * factor
            ink = np.array(Image.fromarray(ink).resize(size, Image.Resampling.BICUBIC))
            ink = _stretched(ink)
    return np.pad(ink, MARGIN) if touched and min(ink.shape) >= SMALLEST else ink
