"""Varied copies of imported pictures: a little turned, sheared, stretched and waved, under the same labels.

A few labelled pictures show each letter a few times only. A network that also sees them varied learns the letters
instead of the pictures: from 100 pictures of clean lower case it reads 96.5 % of new words instead of 90.5, from 1,070
pictures with touching letters and a line 94.0 % instead of 90.5 (`python -m tests.benchmarks.labelled`).
"""

import numpy as np

from storage.dataset import Dataset

# The most that a copy is changed, in both directions; uniform in between. At half of it, the sets above were read as
# well.
TURNED, SHEARED, STRETCHED = 0.09, 0.15, 0.1  # radians, columns a row, shares of the size
WAVED = 0.04  # of the picture's height: amplitude of a wave that is one to two heights long
# Pictures with their copies. From 1,500 pictures of the `captcha` package, 12,000 and 5 million shows read 89.8 %
# of 2,000 new ones of four digits, and 6,000 and 3 million 87.4 %.
WANTED = 12_000
MOST = 16  # copies of a picture
PIXELS = 200_000_000  # of all copies together, about half a minute's work
_CHANCES = 9  # random numbers of a copy
_AT_ONCE = 1 << 20  # pixels whose coordinates are in memory


def copies_for(datasets: list[Dataset], pictures: int) -> int:
    """Choose how many copies to make of each of so many imported pictures.

    Parameters
    ----------
    datasets : list of Dataset
        That are learnt from; drawn ones are not copied and their canvas counts all the same.
    pictures : int
        Of the train splits of all.
    """
    if pictures == 0:
        return 0
    largest = max(dataset.manifest.profile["height"] * dataset.manifest.profile["width"] for dataset in datasets)
    affordable: int = PIXELS // (pictures * largest)
    return min(max(-(-WANTED // pictures) - 1, 0), MOST, affordable)


def vary(images: np.ndarray, heights: np.ndarray, widths: np.ndarray, key: tuple[int, int]) -> np.ndarray:
    """Change each picture at random; equal keys change equal pictures equally.

    Parameters
    ----------
    images : (n, H, W) uint8
        0 background to 255 ink.
    heights, widths : (n,) int
        The size of each picture, which lies at the top left of its canvas.
    key : (int, int)
        Of the randomness, each from 0 to 2**64 - 1.

    Returns
    -------
    (n, H, W) uint8
    """
    random = np.random.Philox(key=np.array(key, np.uint64))
    chance = (random.random_raw((len(images), _CHANCES)) >> np.uint64(40)).astype(np.float32) / np.float32(1 << 24)
    out = np.zeros_like(images)
    step = max(_AT_ONCE // max(images.shape[1] * images.shape[2], 1), 1)
    for first in range(0, len(images), step):
        some = slice(first, first + step)
        out[some] = _varied(images[some], heights[some], widths[some], chance[some])
    return out


def _varied(images: np.ndarray, heights: np.ndarray, widths: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Look up each pixel of some copies in their pictures; `chance` is (n, _CHANCES) float32 from 0 to 1."""
    high, wide = (sizes.astype(np.float32)[:, None, None] for sizes in (heights, widths))
    share = [column[:, None, None] for column in chance.T]
    turn, shear, tall, broad, up, aside = (
        most * (2 * value - 1)
        for most, value in zip((TURNED, SHEARED, STRETCHED, STRETCHED, WAVED, WAVED), share, strict=False)
    )
    y, x = np.mgrid[: images.shape[1], : images.shape[2]].astype(np.float32)
    down, right = y - high / 2, x - wide / 2
    sine, cosine = np.sin(turn), np.cos(turn)
    row = high / 2 + cosine * (1 + tall) * down - sine * right
    column = wide / 2 + cosine * (1 + broad) * right + (sine + shear) * down
    length = high * (1 + share[8])
    row += high * up * np.sin(2 * np.pi * (x / length + share[6]))
    column += high * aside * np.sin(2 * np.pi * (y / length + share[7]))
    np.clip(row, 0, high - 1, out=row)
    np.clip(column, 0, wide - 1, out=column)
    varied = _look_up(images, row, column)
    varied[(y >= high) | (x >= wide)] = 0
    return varied


def _look_up(images: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Interpolate between the four pixels around each place, (n, H, W) float32."""
    number = np.arange(len(images))[:, None, None]
    top, left = row.astype(np.int32), column.astype(np.int32)
    low, far = np.minimum(top + 1, images.shape[1] - 1), np.minimum(left + 1, images.shape[2] - 1)
    down, right = row - top, column - left
    above = images[number, top, left] * (1 - right) + images[number, top, far] * right
    below = images[number, low, left] * (1 - right) + images[number, low, far] * right
    found: np.ndarray = (above * (1 - down) + below * down + np.float32(0.5)).astype(np.uint8)
    return found
