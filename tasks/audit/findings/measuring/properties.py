"""Properties of pictures that success may depend on: stored when they were drawn, or measured on them."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from storage.dataset import Dataset
from tasks.audit.findings.measuring.sampled import as_seen
from tasks.drawing.painting.grounds import NUMBERS as GROUNDS

# Keys and phases, what follows from other fields, what each letter has of its own, and colours, of which contrast is
# what counts.
_LEFT_OUT = {
    "noise", "paint", "phase_y", "phase_x", "fit", "face", "ground_colour", "letter_colour", "pattern_colour",
    "tile_colour", "shadow_colour", "line_colour", "speck_colour", "frame_colour",
}  # fmt: skip
_SIZED = {"rotation", "lean", "move_y", "move_x"}  # signed: what counts is how far they go
_FAINT, _DARK = 64, 128
_SPECK = 8  # pixels of a part that is no letter


@dataclass(frozen=True)
class Property:
    """A property of n pictures: numbers, (n,) float64, or names, (n,) str; `stored` with them, or measured."""

    name: str
    title: str
    values: np.ndarray
    stored: bool

    @property
    def named(self) -> bool:
        """Return whether the values are names."""
        return self.values.dtype.kind == "U"


def stored_properties(dataset: Dataset, parameters: np.ndarray) -> list[Property]:
    """Return what was stored of each picture; nothing of imported pictures but their sizes where they differ."""
    found = []
    fonts = [f"{font['family']} {font['style']}" for font in dataset.manifest.fonts]
    drawn = dataset.manifest.source is None
    for name in parameters.dtype.names or ():
        if name in _LEFT_OUT or (name in ("height", "width")) is drawn:  # sizes follow from the scale
            continue
        values = parameters[name]
        if name == "font" and fonts:
            names = np.array(fonts)[values.astype(int).clip(max=len(fonts) - 1)]
            found.append(Property("font", "typeface", names, True))
        elif name == "ground":
            kinds = {number: str(ground) for ground, number in GROUNDS.items()}
            found.append(Property("ground", "ground", np.array([kinds.get(int(v), "?") for v in values]), True))
        else:
            found.append(_number(name, values))
    both = {"ground_colour", "letter_colour"} <= set(parameters.dtype.names or ())
    if both:
        found.append(
            Property("contrast", "contrast of letters to their ground, n : 1", _stored_contrast(parameters), True)
        )
    return [one for one in found if len(np.unique(one.values)) > 1]


def _number(name: str, values: np.ndarray) -> Property:
    title = name.replace("_", " ")
    numbers = values.astype(np.float64)
    if numbers.ndim == 1:
        return Property(name, title, numbers, True)
    if name in _SIZED:
        return Property(name, f"{title}, the largest of a letter", np.abs(numbers).max(axis=1), True)
    used = np.where(numbers != 0, numbers, np.nan)
    with np.errstate(invalid="ignore"):
        mean = np.array([np.nanmean(row) if np.isfinite(row).any() else 0.0 for row in used])
    return Property(name, f"{title}, mean of the letters", mean, True)


def _stored_contrast(parameters: np.ndarray) -> np.ndarray:
    """Return WCAG's ratio of the letters' colours to the ground's, the least of a picture's letters."""
    ground = parameters["ground_colour"].astype(np.int64).reshape(len(parameters), -1)[:, :1]
    letters = parameters["letter_colour"].astype(np.int64).reshape(len(parameters), -1)
    first, second = _brightness(ground), _brightness(letters)
    ratio = (np.maximum(first, second) + 0.05) / (np.minimum(first, second) + 0.05)
    if letters.shape[1] > 1:  # past the end of a text colours are 0
        ratio = np.where(letters != 0, ratio, np.inf)
    least: np.ndarray = np.where(np.isfinite(ratio.min(axis=1)), ratio.min(axis=1), 1.0)
    return least


def _brightness(colours: np.ndarray) -> np.ndarray:
    channels = np.stack([(colours >> shift) & 255 for shift in (16, 8, 0)], axis=-1) / 255
    return brightness_of(channels)


def brightness_of(shares: np.ndarray) -> np.ndarray:
    """Return WCAG's relative luminance, 0 to 1, of sRGB colours given as shares, (..., 3)."""
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    bright: np.ndarray = linear @ np.array([0.2126, 0.7152, 0.0722])
    return bright


_TITLES = {
    "contrast_measured": "contrast of ink to ground, n : 1",
    "ink": "share of the picture that is ink",
    "columns": "columns with ink between the first and the last, share (1: no gap between letters)",
    "specks": "parts of a few pixels, in 1,000 pixels",
    "tilt": "tilt of the ink, degrees",
    "size": "height of the ink's parts, pixels",
    "stroke": "width of strokes, pixels",
    "colours": "colours of the picture",
}


def measured_properties(pictures: list[np.ndarray], inks: list[np.ndarray], texts: list[str]) -> list[Property]:
    """Measure properties on pictures, and the lengths of their texts."""
    rows = np.array([_measure(picture, ink) for picture, ink in zip(pictures, inks, strict=True)])
    found = [Property(name, title, rows[:, k], False) for k, (name, title) in enumerate(_TITLES.items())]
    found.append(Property("length", "letters of the text", np.array([len(text) for text in texts], np.float64), False))
    grey = not pictures or pictures[0].ndim == 2
    return [one for one in found if len(np.unique(one.values)) > 1 and not (grey and one.name == "colours")]


def _measure(picture: np.ndarray, ink: np.ndarray) -> list[float]:
    seen = as_seen(picture)
    dark, faint = ink >= _DARK, ink >= _FAINT
    bright = brightness_of(seen / 255.0)
    contrast = 1.0
    if dark.any() and (~faint).any():
        first, second = float(np.median(bright[dark])), float(np.median(bright[~faint]))
        contrast = (max(first, second) + 0.05) / (min(first, second) + 0.05)
    columns = np.flatnonzero(faint.any(axis=0))
    closed = len(columns) / (columns[-1] - columns[0] + 1) if len(columns) else 0.0
    labels, count = ndimage.label(faint, np.ones((3, 3), bool))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    specks = 1000.0 * float((sizes <= _SPECK).sum()) / ink.size
    large = [place for place, size in zip(ndimage.find_objects(labels), sizes, strict=True) if size > _SPECK]
    height = float(np.median([place[0].stop - place[0].start for place in large])) if large else 0.0
    inner = ndimage.binary_erosion(faint, np.ones((3, 3), bool))
    rim = int(faint.sum() - inner.sum())
    stroke = 2.0 * float(faint.sum()) / rim if rim else 0.0
    coarse = (seen >> 5).astype(np.int64) @ np.array([64, 8, 1])
    colours = float((np.bincount(coarse.ravel(), minlength=512) >= 0.005 * coarse.size).sum())
    return [contrast, float(faint.mean()), closed, specks, _tilt(labels, large), height, stroke, colours]


def _tilt(labels: np.ndarray, places: list[tuple[slice, ...]]) -> float:
    """Return the mean angle of the parts' ink to the vertical, in degrees, weighted by their sizes."""
    total = weight = 0.0
    for place in places:
        rows, columns = np.nonzero(labels[place] > 0)
        if np.ptp(rows) < 4:
            continue
        spread = float(rows.var())
        slope = float(((rows - rows.mean()) * (columns - columns.mean())).mean()) / spread if spread else 0.0
        total += len(rows) * abs(np.degrees(np.arctan(slope)))
        weight += len(rows)
    return total / weight if weight else 0.0
