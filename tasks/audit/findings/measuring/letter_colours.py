"""Whether the colour of a letter tells which letter it is: who counts colours needs no shapes then."""

from collections.abc import Sequence

import numpy as np

_LEAST_PICTURES, _MOST_PICTURES = 60, 240
_LEAST_WITH = 5  # pictures of each half that have a letter, and that lack it
_SHIFT = 4  # levels of a channel that count as one, as a power of two
_COLOURS = 1 << 3 * (8 - _SHIFT)
_LEAST_BLOCKS = 3  # of two by two pixels in one colour; soft edges have fewer
_TOLD = 0.9  # of the pictures with a letter that have its colour, and of those without it that lack it
_SHARE, _LEAST_LETTERS = 0.5, 4  # letters that a colour tells: of those asked, and different colours


def find_letter_colours(pictures: Sequence[np.ndarray], texts: Sequence[str]) -> list[tuple[str, str, int]]:
    """Return whether colours tell the letters: (what tells them, how, how many pictures were compared).

    For each letter the colour is learnt from every second picture that comes with it and without it stays away. It
    has to do so in the others too.

    Parameters
    ----------
    pictures : sequence of (h, w) or (h, w, c) uint8
        Of any sizes.
    texts : sequence of str
        Their answers.
    """
    rows = np.linspace(0, len(pictures) - 1, min(len(pictures), _MOST_PICTURES)).astype(np.int64).tolist()
    if len(rows) < _LEAST_PICTURES:
        return []
    has_colour = np.array([_colours_of(pictures[row]) for row in rows])
    learnt = np.arange(len(rows)) % 2 == 0
    asked, telling = 0, []
    for letter in sorted(set("".join(texts[row] for row in rows))):
        has_letter = np.array([letter in texts[row] for row in rows])
        if min(np.count_nonzero(some & half) for some in (has_letter, ~has_letter) for half in (learnt, ~learnt)) < (
            _LEAST_WITH
        ):
            continue
        asked += 1
        colour = int(_agreement(has_colour[learnt], has_letter[learnt]).argmax())
        if _agreement(has_colour[~learnt][:, [colour]], has_letter[~learnt])[0] >= _TOLD:
            telling.append(colour)
    if len(set(telling)) < max(_LEAST_LETTERS, _SHARE * asked):
        return []
    how = f"{len(telling)} of {asked} letters have a colour of their own, so that who counts colours needs no shapes"
    return [("the colours of the letters", how, len(rows))]


def _colours_of(picture: np.ndarray) -> np.ndarray:
    """Return which colours stand in blocks of two by two pixels, (4,096,) bool."""
    channels = picture.reshape(*picture.shape[:2], -1)
    shown = channels[..., :3] if channels.shape[2] > 2 else np.repeat(channels[..., :1], 3, axis=2)
    levels = shown.astype(np.int64) >> _SHIFT
    codes = (levels[..., 0] << 2 * (8 - _SHIFT)) | (levels[..., 1] << (8 - _SHIFT)) | levels[..., 2]
    first = codes[:-1, :-1]
    same = (first == codes[1:, :-1]) & (first == codes[:-1, 1:]) & (first == codes[1:, 1:])
    return np.asarray(np.bincount(first[same], minlength=_COLOURS) >= _LEAST_BLOCKS)


def _agreement(has_colour: np.ndarray, has_letter: np.ndarray) -> np.ndarray:
    """Return for each colour the lesser of two shares: pictures with the letter that have it, others that lack it."""
    return np.asarray(np.minimum(has_colour[has_letter].mean(axis=0), 1 - has_colour[~has_letter].mean(axis=0)))
