"""The text of letters that are marked in a picture one by one."""

import unicodedata
from collections.abc import Sequence

CLOSE = 0.15  # of the usual distance between letters: nearer boxes are of one letter, or stand above each other
FAR = 1e9  # pixels: no picture has a place further away; NaN and infinity are none either
WHOLES = {"captcha", "text", "word", "line", "image", "plate", "box", "code", "label"}  # of a box around all letters


def text_of(placed: list[tuple[float, str]]) -> str:
    """Return the only text, or the only one among letters, or all letters in their order; else ''."""
    letters = [(left, value) for left, value in placed if len(value) == 1]
    longer = [value for _, value in placed if len(value) > 1]
    if len(letters) > 1 and all(value.lower() in WHOLES for value in longer):
        return in_line(letters)
    if len(placed) == 1 or longer:
        return (longer or [placed[0][1]])[0] if len(longer) < 2 else ""
    return ""


def in_line(placed: Sequence[tuple[float, str]]) -> str:
    """Return letters in reading order, from right to left if their script is.

    '' where two stand above each other, or one stands nowhere: its place is no number, or in no picture.

    Parameters
    ----------
    placed : sequence of (left, letter)
        In the order of their left edges, which are all 0 if nothing is known of them. A box may be there twice.
    """
    if not all(-FAR < left < FAR for left, _ in placed):
        return ""
    close = CLOSE * (placed[-1][0] - placed[0][0]) / max(1, len(placed) - 1)
    kept = [placed[0]]
    for left, letter in placed[1:]:
        if close and left - kept[-1][0] < close:
            if letter == kept[-1][1]:
                continue
            return ""
        kept.append((left, letter))
    letters = [letter for _, letter in kept]
    from_right = all(unicodedata.bidirectional(letter) in ("R", "AL") for letter in letters)
    return "".join(reversed(letters) if from_right else letters)
