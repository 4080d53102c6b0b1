"""Tables of the plain drawing kernel: shears and scales, and every letter drawn once for all of them."""

import numpy as np

from tasks.drawing import letter_kernel
from tasks.drawing.letter_kernel import Bitmaps, Shears, Sprites
from tasks.drawing.resampling import make_taps, phases
from tasks.lowlevel.unaligned import WORD


def _reach(slopes: np.ndarray, lowest: int) -> int:
    """Return how many columns the steepest shear shifts the lowest row."""
    return max(abs(int(slope)) for slope in slopes) * lowest >> 16


def make_shears(slopes: np.ndarray, scales: np.ndarray, sizes: np.ndarray, longest: int, lowest: int) -> Shears:
    """Make the tables of shears and scales.

    Parameters
    ----------
    slopes, scales : (N,) int64
        Tangents in 1/65536, and percent.
    sizes : (scales, 2) int64
        Rows and columns of a picture.
    longest : int
        Of the canvas, the larger of rows and columns.
    lowest : int
        The row below the lowest ink.
    """
    taps = [make_taps(int(scale), longest) for scale in scales]
    widest = max(tap.weight.shape[1] for tap in taps)
    periods = np.array([phases(int(scale)) for scale in scales], np.int64)
    # Phase 0 begins so far right that no sheared letter starts left of column 1.
    base = np.array([-(-(_reach(slopes, lowest) + 2) // period) * period for period in periods.tolist()], np.int64)
    return Shears(
        slopes, scales, np.stack([tap.start for tap in taps]),
        np.stack([np.pad(tap.weight, ((0, 0), (0, widest - tap.weight.shape[1]))) for tap in taps]),
        sizes, periods, base,
    )  # fmt: skip


def make_sprites(bitmaps: Bitmaps, shears: Shears, rows_most: int) -> Sprites:
    """Draw all letters once if they need little memory; else return empty tables. `rows_most`: of the canvas."""
    count, slopes, scales = len(bitmaps.shapes), shears.slopes, shears.scales
    reach = _reach(slopes, int((bitmaps.corners[:, 0] + bitmaps.shapes[:, 0]).max()))
    rows, columns = bitmaps.shapes.T
    areas = (rows + 2) * (columns + reach + 4 + WORD)  # a pixel more on each side, and rows of whole words
    wanted = sum(
        int(areas.sum()) * period * scale * scale // 10_000 * len(slopes)
        for period, scale in zip(shears.periods.tolist(), scales.tolist(), strict=True)
    )
    if wanted > letter_kernel.SPRITE_BYTES:
        return Sprites(np.zeros((0, 0), np.int64), np.zeros((0, 5), np.int64), np.zeros(0, np.uint8))
    entry, used = 0, 0
    first = np.zeros((len(slopes), len(scales)), np.int64)
    parts, entries = [], []
    for k, scale in enumerate(scales.tolist()):
        period, base, height = int(shears.periods[k]), int(shears.base[k]), int(shears.sizes[k, 0])
        widest = (base + period + int(columns.max()) + reach + 4) * scale // 100 + 4
        taps = make_taps(scale, max(widest, rows_most))
        out = np.empty(count * period * (height + 1) * (widest + WORD), np.uint8)
        for h, slope in enumerate(slopes):
            where = np.zeros((count, period, 5), np.int64)
            size = letter_kernel.make_sprites(bitmaps, taps, slope, height, period, base, out, where)
            where[..., 0] += used
            first[h, k] = entry
            parts.append(out[:size].copy())
            entries.append(where.reshape(-1, 5))
            entry += count * period
            used += size
    return Sprites(first, np.concatenate(entries), np.concatenate(parts))
