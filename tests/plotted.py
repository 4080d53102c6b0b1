"""Pixels and colours of PNG files, for the tests of plots and contact sheets."""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image


def decoded(data: bytes) -> np.ndarray:
    """Return the pixels of a PNG file in the file's own mode."""
    assert data.startswith(b"\x89PNG")
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


def rgb(data: bytes) -> np.ndarray:
    """Return the pixels of a PNG file, (height, width, 3) uint8."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def colour(name: str) -> tuple[int, ...]:
    """Return red, green and blue of #rrggbb."""
    return tuple(int(name[k : k + 2], 16) for k in (1, 3, 5))


def count(picture: np.ndarray, name: str) -> int:
    """Count the pixels of exactly that colour."""
    return int((picture == colour(name)).all(axis=2).sum())


def require_plot(plot: Callable[[], bytes]) -> None:
    """Assert that a plot is a PNG file with content, whole, without a date, and equal bytes each time."""
    data = plot()
    decoded(data)
    picture = rgb(data)
    assert min(picture.shape[:2]) > 200
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 20
    # White margins: nothing is cut off at the left, right or bottom edge.
    assert (picture[:, 0] == 255).all()
    assert (picture[:, -1] == 255).all()
    assert (picture[-1] == 255).all()
    assert plot() == data
    assert b"matplotlib" not in data
