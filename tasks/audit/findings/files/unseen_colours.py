"""Answers in what no viewer shows: colours of transparent pixels, and which of equal palette colours pixels use."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image
from scipy import special

from tasks.audit.findings.files.codes import LEAST_FILES, TOLD
from tasks.audit.findings.files.hidden_pixels import find_hidden
from tasks.audit.findings.measuring.evidence import LEVEL

STRONG = (
    64  # levels by which a transparent pixel differs from the others; soft edges that were made transparent do less
)
_LEAST_SHARE = 0.3  # of the variance of how many differ, that the letters explain
_SPARE = 20  # pictures more than kinds of letters
_LARGEST = 4_000_000  # pixels of a file whose palette is looked at
_MOST_FRAMES = 64  # of a file, whose colours are looked at
_MOST_PIXELS = 4_000_000  # of all these frames
_Told = list[tuple[str, str, int]]


def find_under_transparency(pictures: Sequence[np.ndarray], texts: Sequence[str]) -> _Told:
    """Return whether transparent pixels show the answer: (what holds it, how, how many pictures were compared).

    A program that ignores the transparency sees them. How many of them differ from most has to follow from how often
    each letter is in the answer, as it does if letters are drawn there.

    Parameters
    ----------
    pictures : sequence of (h, w) or (h, w, c) uint8
        Those with four channels are looked at.
    texts : sequence of str
        Their answers.
    """
    counts, shown = [], []
    for picture, text in zip(pictures, texts, strict=True):
        if picture.ndim == 3 and picture.shape[2] == 4 and text not in shown:
            counts.append(_different(picture))
            shown.append(text)
    letters = sorted(set("".join(shown)))
    n, different = len(shown), np.array(counts, np.float64)
    if n < max(LEAST_FILES, len(letters) + _SPARE) or (different > 0).mean() < TOLD:
        return []
    often = np.array([[1, *(text.count(letter) for letter in letters)] for text in shown], np.float64)
    fitted, _, rank, _ = np.linalg.lstsq(often, different, rcond=None)
    whole = float(((different - different.mean()) ** 2).sum())
    if not whole or n <= rank:
        return []
    open_ = max(float(((different - often @ fitted) ** 2).sum()) / whole, 1e-12)
    explained, freedom = int(rank) - 1, n - int(rank)
    p = special.fdtrc(explained, freedom, (1 - open_) / explained / (open_ / freedom)) if explained else 1.0
    # The share that as many kinds of letters explain by chance does not count.
    if p >= LEVEL or 1 - open_ * (n - 1) / freedom < _LEAST_SHARE:
        return []
    how = "a program that ignores the transparency sees letters; how many pixels differ follows from the answer"
    return [("the colours of transparent pixels", how, n)]


def _different(picture: np.ndarray) -> int:
    """Count transparent pixels whose colour is far from that of most of them."""
    colours = picture[picture[..., 3] == 0][:, :3].astype(np.int64)
    if not len(colours):
        return 0
    kinds, counts = np.unique(colours @ (65536, 256, 1), return_counts=True)
    most = int(kinds[counts.argmax()])
    away = np.abs(colours - (most >> 16, most >> 8 & 255, most & 255)).max(axis=1)
    return int((away >= STRONG).sum())


def find_in_doubles(planes: Sequence[np.ndarray | None], texts: Sequence[str]) -> _Told:
    """Return whether the choice among equal colours of a palette tells the answer, as `find_hidden` does for pixels.

    Parameters
    ----------
    planes : sequence of ((h, w) uint8 or None)
        What `doubles_of` returns of each file.
    texts : sequence of str
        Their answers.
    """
    there = [(plane, text) for plane, text in zip(planes, texts, strict=True) if plane is not None]
    found = find_hidden([plane for plane, _ in there], [text for _, text in there])
    return [(f"the choice among equal colours of the palette, {place}", how, n) for place, how, n in found[:1]]


def unused_colours(data: bytes, palette: bytes) -> bytes:
    """Return a palette as far as what pixels show does not decide it: other colours that they show become 0.

    A palette that a program made of a picture's colours has levels of soft edges, which follow from the letters that
    everybody sees. The two commonest colours, of ground and ink, are a choice, and come first.

    Parameters
    ----------
    data : bytes
        Of the file.
    palette : bytes
        Three bytes a colour, of a BMP four, and perhaps others behind them. It is returned as it is where the file is
        damaged, or has too many pixels.
    """
    if not palette:
        return palette
    step = 4 if data[:2] == b"BM" else 3
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "GIF", "BMP")) as image:
            if image.width * image.height > _LARGEST:
                return palette
            common, shown = _colours_shown(image)
    except Exception:  # noqa: BLE001 - as below
        return palette
    out = bytearray(palette)
    for at in range(0, len(palette) - step + 1, step):
        colour = palette[at + 2 : at - 1 if at else None : -1] if step == 4 else palette[at : at + 3]
        if colour in shown:
            out[at : at + 3] = bytes(3)
    return b"".join(common) + bytes(out)


def _colours_shown(image: Image.Image) -> tuple[list[bytes], set[bytes]]:
    """Return the two commonest colours of the first frame, and all that frames show."""
    common: list[bytes] = []
    shown: set[bytes] = set()
    for number in range(min(_MOST_FRAMES, max(1, _MOST_PIXELS // max(1, image.width * image.height)))):
        try:
            image.seek(number)
        except EOFError:
            break
        kinds, counts = _colours_of(image)
        colours = [int(kind).to_bytes(3, "big") for kind in kinds]
        shown.update(colours)
        common = common or [colours[k] for k in np.argsort(-counts, kind="stable")[:2]]
    return common, shown


def _colours_of(image: Image.Image) -> tuple[np.ndarray, np.ndarray]:
    """Return the colours of a picture, each as one number, and how many pixels have them."""
    if image.mode == "P":
        numbers = np.bincount(np.asarray(image).ravel(), minlength=256)
        palette = np.zeros((256, 3), np.int64)
        colours = np.array(image.getpalette("RGB"), np.int64).reshape(-1, 3)
        palette[: len(colours)] = colours
        kinds, which = np.unique(palette @ (65536, 256, 1), return_inverse=True)
        counts = np.bincount(which, weights=numbers, minlength=len(kinds))
        return kinds[counts > 0], counts[counts > 0]
    pixels = np.asarray(image.convert("RGB")).astype(np.uint32)
    return np.unique(pixels[..., 0] << 16 | pixels[..., 1] << 8 | pixels[..., 2], return_counts=True)


def doubles_of(data: bytes) -> np.ndarray | None:
    """Return which of the equal colours of its palette each pixel has, (h, w) uint8, from 0; None if all differ."""
    if data[:3] != b"GIF" and data[:2] != b"BM" and data[25:26] != b"\3":  # colour type 3 of a PNG
        return None
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "GIF", "BMP")) as image:
            if image.mode != "P" or image.width * image.height > _LARGEST:
                return None
            colours = np.array(image.getpalette("RGB"), np.uint8).reshape(-1, 3)
            pixels = np.asarray(image)
    except Exception:  # noqa: BLE001 - a damaged file is told elsewhere; it has no palette to look at
        return None
    earlier: dict[bytes, int] = {}
    rank = np.zeros(256, np.uint8)
    for number, colour in enumerate(colours.tolist()):
        key = bytes(colour)
        rank[number] = earlier.get(key, 0)
        earlier[key] = int(rank[number]) + 1
    chosen = rank[pixels]
    return chosen if chosen.any() else None
