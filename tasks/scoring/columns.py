"""The values by which an evaluation breaks rates down: parameters of drawing, or what is known of any picture."""

from typing import Any

import numpy as np

from tasks.profiles.fonts import face_names, faces_of
from tasks.profiles.painting import Ground
from tasks.rates import Rate, ValueRate
from tasks.scoring.metrics import rates_by

NO_DISTORTIONS = {
    "height", "width", "font", "face", "shear", "scale", "noise", "paint", "phase_y", "phase_x", "boxes"
}  # fmt: skip
MOST_VALUES = 12  # a parameter with more distinct values is put into as many groups


def rates_by_text(truth: np.ndarray, right: np.ndarray) -> dict[str, list[ValueRate]]:
    """Break rates down by what is known of any picture: the length of its text, and its letters."""
    lengths = np.char.str_len(truth)
    letters = sorted(set("".join(truth.tolist())))
    return {
        "length (letters)": rates_by(lengths, right),
        "words with the letter": [
            {"value": letter, **Rate.of(right[np.char.find(truth, letter) >= 0]).as_dict()} for letter in letters
        ],
    }


def columns_of(parameters: np.ndarray, fonts: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    """Collect the values by which rates are broken down, (n,) each, by title; of imported pictures none are known."""
    names = parameters.dtype.names or ()
    columns = {}
    for name, title in (("shear", "shear (1/1000 rad)"), ("scale", "scale (%)")):
        if name in names:
            columns[title] = parameters[name].astype(int)
    if "font" in names:
        columns["font"] = faces_of(parameters["font"], face_names(fonts))
    for name in names:
        if name not in NO_DISTORTIONS:
            values, title = parameters[name].astype(int), name
            if name == "ground":
                columns[name] = np.array(tuple(Ground))[values]
                continue
            if name.endswith("_colour"):
                values, title = _lightness(values), f"{name} (lightness, %, of the first)"
            elif values.ndim > 1:  # a value for each letter
                values, title = np.abs(values).max(axis=1), f"{name} (largest of a letter)"
            columns[title] = _grouped(values)
    return columns


def _lightness(colours: np.ndarray) -> np.ndarray:
    """Return the lightness of packed sRGB colours, in percent; of the first of a picture's that has several."""
    first = colours if colours.ndim == 1 else colours[:, 0]
    channels = np.stack([first >> 16 & 255, first >> 8 & 255, first & 255])
    lightness: np.ndarray = (channels.max(axis=0) + channels.min(axis=0)) * 100 // 510
    return lightness


def _grouped(values: np.ndarray) -> np.ndarray:
    """Replace values by the lower ends of their groups, if more than `MOST_VALUES` of them are distinct."""
    distinct = np.unique(values)
    if len(distinct) <= MOST_VALUES:
        return values
    width = -(-int(distinct[-1] - distinct[0] + 1) // MOST_VALUES)
    lower: np.ndarray = distinct[0] + (values - distinct[0]) // width * width
    return lower
