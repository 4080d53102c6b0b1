"""Where a deep model looks: parts of a picture are covered, and what that takes from the probability of its answer."""

import numpy as np

from tasks.deep.decoding import column_shares, text_probability
from tasks.deep.deep_reader import DeepReader
from tasks.deep.pictures import canvas_widths, find_content, natural_widths, normalise

SIDE = 0.22  # of the picture's height: the side of a square that is covered
_STEP = 4  # pixels from a square to the next
_WARM = np.array([213, 94, 0], float)  # vermilion, which people with any colour vision see
_STRONGEST = 0.8  # of the tint
_FAINT = 0.45  # of the picture below the tint


def as_taken(reader: DeepReader, images: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what a model looks at in a picture, and how it takes it.

    Parameters
    ----------
    images, sizes
        As for `DeepReader.read`, of one picture.

    Returns
    -------
    rectangle : (4,) float64
        Top, left, bottom and right in the picture.
    taken : (3, height, canvas) uint8
    """
    shape = reader.session.shape
    rectangles = find_content(images, sizes)
    widths = natural_widths(rectangles[:, 2:] - rectangles[:, :2], shape.height, shape.widest)
    canvas = int(canvas_widths(widths, reader.session.canvas, shape.widest)[0])
    taken = np.empty((1, 3, shape.height, canvas), np.uint8)
    normalise(images, sizes, rectangles, widths, taken)
    return rectangles[0], taken[0]


def covered(taken: np.ndarray) -> tuple[np.ndarray, list[tuple[slice, slice]]]:
    """Cover a square after the other with the picture's median colour.

    Squares that have no other colour change nothing, so they are not among the pictures.

    Parameters
    ----------
    taken : (3, h, w) uint8
        As the network takes it.

    Returns
    -------
    pictures : (1 + n, 3, h, w) uint8
        The picture itself comes first.
    places : list of (slice, slice)
        Of all squares: first those of the n pictures, then those that change nothing.
    """
    height, width = taken.shape[1:]
    side = round(SIDE * height)
    places = [
        (slice(max(0, y), y + side), slice(max(0, x), x + side))
        for y in range(_STEP - side, height, _STEP)
        for x in range(_STEP - side, width, _STEP)
    ]
    ground = np.median(taken.reshape(3, -1), axis=1).astype(np.uint8)
    other = (taken != ground[:, None, None]).any(axis=0)
    changing = [place for place in places if other[place].any()]
    pictures = np.repeat(taken[None], len(changing) + 1, axis=0)
    for picture, (rows, columns) in zip(pictures[1:], changing, strict=True):
        picture[:, rows, columns] = ground[:, None, None]
    return pictures, [*changing, *(place for place in places if not other[place].any())]


def saliency(reader: DeepReader, taken: np.ndarray, text: str) -> np.ndarray:
    """Measure how much of a text's probability is lost where a pixel is covered.

    Parameters
    ----------
    taken : (3, h, w) uint8
    text : str

    Returns
    -------
    (h, w) float64
        0 to 1.
    """
    pictures, places = covered(taken)
    alphabet = reader.session.alphabet
    letters = np.array([alphabet.index(letter) for letter in text], np.int16)
    memory = np.empty(2 * len(letters) + 1)
    columns, _ = column_shares(reader.session.scores(pictures), np.arange(len(alphabet)))
    believed = np.array([text_probability(np.ascontiguousarray(shares), letters, memory) for shares in columns])
    lost, times = np.zeros(taken.shape[1:]), np.zeros(taken.shape[1:])
    for share, place in zip(believed[1:] / max(believed[0], 1e-12), places, strict=False):
        lost[place] += 1 - min(share, 1.0)
    for place in places:
        times[place] += 1
    return lost / np.maximum(times, 1)


def tinted(picture: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """Return a fainter picture, (h, w, 3) uint8, with a tint where something is lost."""
    faint = 255 - (255 - picture.astype(float)) * _FAINT
    share = _STRONGEST * lost[..., None]
    mixed: np.ndarray = (faint * (1 - share) + _WARM * share).astype(np.uint8)
    return mixed
