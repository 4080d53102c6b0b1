"""Pictures unlike those that a model learns from, made of its validation pictures: what its confidence is fitted on.

A confidence that was fitted on pictures like those of the training only believes itself on all others. These changes
stand for what people bring. They are not those that the confidence is judged by (`tests/strangers.py`).
"""

from collections.abc import Callable

import numpy as np

Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def make_strange(images: np.ndarray, seed: int) -> np.ndarray:
    """Change each picture in one of the ways of `CHANGES`, in turn.

    Parameters
    ----------
    images : (n, H, W) uint8
        0 background to 255 ink.
    seed : int
        Equal pictures and seeds give equal pictures.
    """
    strange = images.copy()
    changes = list(CHANGES.values())
    for number in range(len(images)):
        key = np.array([seed, number], np.uint64)
        random = np.random.Generator(np.random.Philox(key=key))
        rows, columns = np.nonzero(images[number])
        if len(rows):  # the picture lies at the top left of its canvas
            high, wide = rows.max() + 1 + min(rows.min(), 4), columns.max() + 1 + min(columns.min(), 8)
            part = strange[number, :high, :wide]
            part[:] = changes[number % len(changes)](part, random)
    return strange


def _shrunk(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Shrink to 40 to 75 %, in one direction or both."""
    across, down = random.uniform(0.4, 0.75, 2) ** random.integers(0, 2, 2)
    out = np.zeros_like(image)
    small = _mean(_mean(image, down if across < 1 or down < 1 else 0.5).T, across).T
    out[: small.shape[0], : small.shape[1]] = small
    return out


def _mean(image: np.ndarray, share: float) -> np.ndarray:
    """Shrink the rows to a share of their number, each the mean of those that it stands for."""
    count = max(int(len(image) * share), 1)
    edges = np.linspace(0, len(image), count + 1)
    sums = np.concatenate([np.zeros((1, image.shape[1])), np.cumsum(image, axis=0)])
    places = np.arange(len(image) + 1)
    at = np.stack([np.interp(edges, places, column) for column in sums.T], axis=1)
    return _bytes(np.diff(at, axis=0) / np.diff(edges)[:, None])


def _bytes(values: np.ndarray) -> np.ndarray:
    pixels: np.ndarray = np.clip(values, 0, 255).astype(np.uint8)
    return pixels


def _neighbours(image: np.ndarray) -> np.ndarray:
    padded = np.pad(image, 1)
    rows, columns = image.shape
    return np.stack([padded[y : y + rows, x : x + columns] for y in range(3) for x in range(3)])


def _thick(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    for _ in range(random.integers(1, 3)):
        image = _bytes(_neighbours(image).max(axis=0))
    return image


def _thin(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return _bytes(_neighbours(image).min(axis=0) // 2 + (image // 2) * random.integers(0, 2))


def _blurred(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    for _ in range(random.integers(1, 5)):
        image = _bytes(_neighbours(image).mean(axis=0))
    return image


def _turned_round(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Mirror the picture, or turn it upside down: a person could not read it as text either."""
    return (image[:, ::-1], image[::-1], image[::-1, ::-1])[random.integers(0, 3)]


def _twice(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Write the same text over it once more, moved, in ink of 30 to 100 %."""
    moved = np.roll(image, (random.integers(-9, 10), random.integers(8, 40)), axis=(0, 1))
    return _bytes(np.maximum(image, moved * random.uniform(0.3, 1)))


def _covered(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Cover a place with ink, or with background."""
    rows, columns = image.shape
    high, wide = int(rows * random.uniform(0.2, 1)), int(random.integers(3, 25))
    top, left = random.integers(0, rows - high + 1), random.integers(0, max(columns - wide, 1))
    out = image.copy()
    out[top : top + high, left : left + wide] = random.choice([0, 0, 255])
    return out


def _broken(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Move the rows below some row to the side."""
    rows = np.flatnonzero(image.any(axis=1))
    at = int(rows[0] + (rows[-1] - rows[0]) * random.uniform(0.2, 0.8))
    return np.concatenate([image[:at], np.roll(image[at:], random.integers(-6, 7), axis=1)])


def _shaded(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Let the ink fade from one side to the other."""
    ramp = np.linspace(1.0, random.uniform(0, 0.5), image.shape[1])
    return _bytes(image * (ramp if random.random() < 0.5 else ramp[::-1]))


def _worn(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Take away the ink of 10 to 60 % of all pixels."""
    return _bytes(image * (random.random(image.shape) > random.uniform(0.1, 0.6)))


def _hatched(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Put slanting stripes behind the letters."""
    rows, columns = np.indices(image.shape)
    step, slope = random.integers(4, 12), random.choice([-1, 1, 2])
    stripes = (columns + slope * rows) % step < random.integers(1, 3)
    return _bytes(np.maximum(image, stripes * random.integers(40, 255)))


def _blotted(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Let blots of two to five pixels fall on it."""
    out = image.copy()
    for _ in range(random.integers(3, 25)):
        y, x, size = random.integers(0, image.shape[0]), random.integers(0, image.shape[1]), random.integers(2, 6)
        out[y : y + size, x : x + size] = random.integers(60, 256)
    return out


def _crossed(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Draw a thick line from left to right, of ink or of background."""
    first, last = random.uniform(0, image.shape[0], 2).tolist()
    middle = np.linspace(first, last, image.shape[1])
    near = np.abs(np.arange(image.shape[0])[:, None] - middle) < random.uniform(0.8, 2.5)
    return np.where(near, np.uint8(255 * random.integers(0, 2)), image)


def _reversed_strip(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Turn ink into background, and background into ink, in a few columns."""
    wide = int(random.integers(6, 30))
    left = random.integers(0, max(image.shape[1] - wide, 1))
    out = image.copy()
    out[:, left : left + wide] = 255 - out[:, left : left + wide]
    return out


CHANGES: dict[str, Change] = {
    "shrunk": _shrunk, "thick": _thick, "thin": _thin, "blurred": _blurred, "turned round": _turned_round,
    "twice": _twice, "covered": _covered, "broken": _broken, "shaded": _shaded, "worn": _worn, "hatched": _hatched,
    "blotted": _blotted, "crossed": _crossed, "reversed strip": _reversed_strip,
}  # fmt: skip
