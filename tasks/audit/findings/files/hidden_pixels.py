"""Answers that are hidden in pixels: in low bits, in values at a fixed place, in a picture's size or ground.

A table of what stands there is learnt from every second picture, and has to tell the letters of the others.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from tasks.audit.findings.files.codes import COMMONEST, LEAST_FILES, TOLD, is_number

MOST = 240  # pictures that are compared
MOST_VALUES = 48_000  # of a picture: of larger ones the first and the last
LOW_BITS = 3  # of a value, which nobody sees
_LETTERS = 8  # of an answer that are looked for
_ERROR, _VARIES = (
    0.2,
    0.08,
)  # a bit tells a letter if it differs so seldom from what the letter has, and varies so often
_WITHIN = 0.05  # share of a value's variance that a letter leaves open if the value tells it
_LEAST_KINDS, _MANY_KINDS = (
    8,
    17,
)  # letters that a value tells at the border, or elsewhere: a few may be told by a grey edge
_MOST_HIDDEN = 64  # pixels that tell a letter by their values; more are the letter itself
_MOST_ASKED = 48  # values or bits that are asked for each letter, the purest or the first
_ALPHA = (2, 4)  # channels of pictures of which the last is alpha
_BITS = 24  # of which a code is made, at most
_AROUND = 12  # pixels around visible letters, where packing and soft edges change low bits too
_CHUNK = 8192
_MOST_BYTES = 8  # that hold the answer as a number


def find_hidden(pictures: Sequence[np.ndarray], texts: Sequence[str]) -> list[tuple[str, str, int]]:
    """Return where pixels tell the answer: (what holds it, how, how many pictures were compared).

    Parameters
    ----------
    pictures : sequence of (h, w) or (h, w, c) uint8
        Of any sizes; those with the commonest number of channels are looked at.
    texts : sequence of str
        Their answers.
    """
    shapes = Counter(1 if picture.ndim == 2 else picture.shape[2] for picture in pictures)
    if not shapes:
        return []
    channels = shapes.most_common(1)[0][0]
    rows = [k for k, picture in enumerate(pictures) if (1 if picture.ndim == 2 else picture.shape[2]) == channels]
    rows = [rows[k] for k in np.linspace(0, len(rows) - 1, min(len(rows), MOST)).astype(np.int64).tolist()]
    if len(rows) < LEAST_FILES:
        return []
    chosen = [pictures[row].reshape(*pictures[row].shape[:2], channels) for row in rows]
    letters = _numbered([texts[row] for row in rows])
    found = [*_in_measures(chosen, letters), *_as_numbers(chosen, [texts[row] for row in rows])]
    height, width = (min(picture.shape[axis] for picture in chosen) for axis in (0, 1))
    corners = [("top left", [picture[:height, :width] for picture in chosen])]
    if any(picture.shape[:2] != (height, width) for picture in chosen):
        corners.append(("bottom right", [picture[-height:, -width:] for picture in chosen]))
    for corner, some in corners:
        told = _in_values(np.stack(some), letters, corner)
        found += [one for one in told if one[0] not in {place for place, _, _ in found}]
    return [(place, how, len(chosen)) for place, how, _ in found]


def _numbered(texts: Sequence[str]) -> np.ndarray:
    """Return the letters at each place as numbers, (places, n) int64, -1 past the end."""
    known = {letter: k for k, letter in enumerate(sorted(set("".join(texts))))}
    length = min(_LETTERS, max(map(len, texts)))
    return np.array([[known[text[k]] if k < len(text) else -1 for text in texts] for k in range(length)], np.int64)


def _in_measures(pictures: Sequence[np.ndarray], letters: np.ndarray) -> list[tuple[str, str, int]]:
    """Ask the sizes, and the commonest colours, whether they tell a letter."""
    grounds = []
    for picture in pictures:
        whole = picture.reshape(-1, picture.shape[2]).astype(np.int64) @ (256 ** np.arange(picture.shape[2]))
        values, counts = np.unique(whole, return_counts=True)
        grounds.append(int(values[counts.argmax()]))
    measures = {
        "the picture's width": [picture.shape[1] for picture in pictures],
        "the picture's height": [picture.shape[0] for picture in pictures],
        **{
            f"the ground's colour (channel {k + 1})": [ground >> 8 * k & 255 for ground in grounds]
            for k in range(pictures[0].shape[2])
        },
    }
    found = []
    for what, values in measures.items():
        told = [k for k, line in enumerate(letters) if _right(np.array(values), line, _LEAST_KINDS)]
        if told:
            found.append((what, f"it tells {_which(told)} of the answer", len(told)))
    return found


def _as_numbers(pictures: Sequence[np.ndarray], texts: list[str]) -> list[tuple[str, str, int]]:
    """Ask the first and the last values whether they are the answer as a number, which mixes its letters."""
    for where, cut in (("first", slice(None, _MOST_BYTES)), ("last", slice(-_MOST_BYTES, None))):
        values = [picture.reshape(-1)[cut].tobytes() for picture in pictures]
        for size in range(1, min(map(len, values)) + 1):
            some = [value[:size] if where == "first" else value[-size:] for value in values]
            both = ([int.from_bytes(one, "big") for one in some], [int.from_bytes(one, "little") for one in some])
            if any(is_number(numbers, texts, 256**size) for numbers in both):
                how = f"the {where} {size} values are the answer as a number"
                return [("single pixels", how, len(pictures))]
    return []


def _in_values(stack: np.ndarray, letters: np.ndarray, corner: str) -> list[tuple[str, str, int]]:
    """Ask the values at fixed places of equally large pictures, (n, h, w, c) uint8, and their low bits."""
    n, height, width, channels = stack.shape
    flat = stack.reshape(n, -1)
    at = np.arange(flat.shape[1])
    if len(at) > MOST_VALUES:
        at = np.concatenate([at[: MOST_VALUES // 2], at[-MOST_VALUES // 2 :]])
        flat = flat[:, at]
    varies = (flat != flat[0]).any(axis=0)  # a value that is the same in all pictures tells nothing
    flat, at = np.ascontiguousarray(flat[:, varies]), at[varies]
    if not len(at):
        return []
    found = []
    edge = np.array([_is_edge(place, height, width, channels) for place in at.tolist()])
    open_to_all = edge | ((at % channels == channels - 1) & (channels in _ALPHA))
    left = [_left_open(flat, line) for line in letters]
    told, where = [], None
    for k, line in enumerate(letters):
        # Where many pixels tell a letter, it is seen there, and its packed edges have greys of their own.
        seen = len(np.unique(at[left[k] <= _WITHIN] // channels)) > _MOST_HIDDEN
        asked = np.flatnonzero((left[k] <= _WITHIN) & (open_to_all | (not seen)))
        for column in asked[np.argsort(left[k][asked], kind="stable")][:_MOST_ASKED].tolist():
            if _right(flat[:, column], line, _LEAST_KINDS if open_to_all[column] else _MANY_KINDS):
                told.append(k)
                where = at[column] if where is None else where
                break
    if where is not None:
        what = "pixels at the border" if _is_edge(where, height, width, channels) else "single pixels"
        how = f"their values tell {_which(told)} of the answer, such as at {_said(where, width, channels, corner)}"
        return [(what, how, len(told))]
    strong = np.ptp(flat, axis=0) >= 4 << LOW_BITS
    for what, bits, allowed in (
        *((f"bit {bit} of the pixels' values", flat >> bit & 1, True) for bit in range(LOW_BITS)),
        ("dark and light pixels at the border", flat >> 7, False),
    ):
        told, where = [], None
        for k, line in enumerate(letters):
            some = np.flatnonzero(_telling_bits(bits, line))
            if allowed:
                some = some[_far(at, some, strong, (left[k] <= _WITHIN) & strong, (height, width, channels))]
                some = some[:_MOST_ASKED]
                some = some[_unseen(flat[:, some], line)]
            else:
                some = some[edge[some]]
            code = np.zeros(n, np.int64)
            for place, column in enumerate(some[:_BITS].tolist()):
                code |= bits[:, column].astype(np.int64) << place
            if len(some) and _right(code, line, 2):
                told.append(k)
                where = at[some[0]] if where is None else where
        if where is not None:
            how = f"they tell {_which(told)} of the answer, such as at {_said(where, width, channels, corner)}"
            found.append((what, how, len(told)))
    return found


def _left_open(flat: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Return the share of each value's variance that is among pictures of one letter, (P,) float32."""
    hot, _ = _hot(line)
    hot /= np.sqrt(hot.sum(axis=1, keepdims=True))
    out = np.ones(flat.shape[1], np.float32)
    for first in range(0, flat.shape[1], _CHUNK):
        values = flat[line >= 0, first : first + _CHUNK].astype(np.float32)
        values -= values.mean(axis=0)
        whole = np.einsum("np,np->p", values, values)
        between = hot @ values
        out[first : first + _CHUNK] = 1 - np.einsum("kp,kp->p", between, between) / np.maximum(whole, 1e-6)
    return out


def _telling_bits(bits: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Return which bits vary, and are nearly the same in all pictures of one letter, (P,) bool."""
    hot, n = _hot(line)
    out = np.zeros(bits.shape[1], bool)
    ones = bits[line >= 0].sum(axis=0)
    seldom = np.minimum(ones, n - ones)
    asked = np.flatnonzero(seldom >= _VARIES * n)
    for first in range(0, len(asked), _CHUNK):
        some = asked[first : first + _CHUNK]
        with_one = hot @ bits[line >= 0][:, some].astype(np.float32)
        wrong = np.minimum(with_one, hot.sum(axis=1, keepdims=True) - with_one).sum(axis=0)
        out[some] = wrong <= _ERROR * seldom[some]
    return out


def _hot(line: np.ndarray) -> tuple[np.ndarray, int]:
    """Return which picture has which letter, (letters, n) float32, and n; pictures without one are left out."""
    there = line[line >= 0]
    return (np.unique(there)[:, None] == there).astype(np.float32), len(there)


def _far(
    at: np.ndarray, some: np.ndarray, strong: np.ndarray, visible: np.ndarray, shape: tuple[int, int, int]
) -> np.ndarray:  # fmt: skip
    """Return which bits are away from what is drawn, if that stands in fixed places and tells the letter: (k,) bool.

    Packing and soft edges change low bits around visible letters, which then tell the letter too.
    """
    height, width, channels = shape
    if not visible.any():
        return np.ones(len(some), bool)
    drawn = np.zeros(height * width, bool)
    drawn[at[strong] // channels] = True
    near = ndimage.binary_dilation(drawn.reshape(height, width), np.ones((3, 3)), _AROUND).ravel()
    away: np.ndarray = ~near[at[some] // channels]
    return away


def _unseen(values: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Return of which values what is above the low bits does not tell the letter, so that the bits are not seen."""
    there, out = line[line >= 0], np.ones(values.shape[1], bool)
    for place, coarse in enumerate((values[line >= 0] >> LOW_BITS).T):
        if np.bincount(coarse).max() < TOLD * len(coarse):
            same = sum(np.bincount(coarse[there == letter]).max() for letter in np.unique(there).tolist())
            out[place] = same < TOLD * len(coarse)
    return out


def _right(values: np.ndarray, line: np.ndarray, kinds: int) -> bool:
    """Return whether a table of values, learnt from every second picture, tells the letters of the others."""
    rows = np.flatnonzero(line >= 0)
    learnt, asked = rows[::2], rows[1::2]
    if len(asked) < LEAST_FILES // 2 or len(np.unique(line[rows])) < kinds:
        return False
    if np.bincount(line[asked]).max() > COMMONEST * len(asked):
        return False
    _, codes = np.unique(values, return_inverse=True)
    table = np.zeros((codes.max() + 1, line.max() + 1), np.int64)
    np.add.at(table, (codes[learnt], line[learnt]), 1)
    # A letter that was not among those learnt is nobody's fault; a value that was not is one.
    asked = asked[np.isin(line[asked], line[learnt])]
    known = table.sum(axis=1)[codes[asked]] > 0
    return bool((known & (table.argmax(axis=1)[codes[asked]] == line[asked])).mean() >= TOLD)


def _which(told: Sequence[int]) -> str:
    places = [str(k + 1) for k in told]
    return f"letter {places[0]}" if len(places) == 1 else f"letters {', '.join(places[:-1])} and {places[-1]}"


def _is_edge(place: int, height: int, width: int, channels: int) -> bool:
    row, column = divmod(int(place) // channels, width)
    return row in (0, height - 1) or column in (0, width - 1)


def _said(place: int, width: int, channels: int, corner: str) -> str:
    row, column = divmod(int(place) // channels, width)
    channel = f", channel {int(place) % channels + 1}" if channels > 1 else ""
    return f"row {row}, column {column}{channel}" + (
        "" if corner == "top left" else " of the rows and columns that all pictures have, counted from the end"
    )
