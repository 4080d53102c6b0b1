"""Places for labels in a plot, where they cover no mark, no line and no other label."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

HEIGHT = 13.0  # pixels of a label, from its baseline up; what hangs below it is let alone
_LETTER = 7.1  # pixels of a letter, about
_HALF = 6.0  # pixels from the middle of a mark to its ends
_ABOVE, _BELOW, _BESIDE = 3.0, 2.0, 3.0  # pixels: above capitals, kept free below the baseline and at both sides

Box = tuple[float, float, float, float]  # left, top, right, bottom
Point = tuple[float, float]


@dataclass(frozen=True)
class LabelPlace:
    """Where a label may stand: its anchor ("start", "middle" or "end"), and the height of its baseline."""

    x: float
    y: float
    anchor: str = "middle"

    def box(self, text: str) -> Box:
        """Return what the text covers here, in pixels, about."""
        length = _LETTER * len(text)
        left = self.x - {"start": 0.0, "middle": 0.5, "end": 1.0}[self.anchor] * length
        return left - _BESIDE, self.y - HEIGHT + _ABOVE, left + length + _BESIDE, self.y + _BELOW


@dataclass
class LabelPlaces:
    """What a plot has drawn, so that labels find places beside it.

    Parameters
    ----------
    within : tuple of 4 float
        Left, top, right and bottom that no label may pass.
    """

    within: Box
    _boxes: list[Box] = field(default_factory=list)
    _lines: list[tuple[Point, Point]] = field(default_factory=list)

    def mark(self, x: float, y: float) -> None:
        """Keep the place of a mark free."""
        self._boxes.append((x - _HALF, y - _HALF, x + _HALF, y + _HALF))

    def line(self, points: Sequence[Point]) -> None:
        """Keep free what a line through points covers."""
        self._lines.extend(pairwise(points))

    def find(self, text: str, places: Iterable[LabelPlace]) -> LabelPlace:
        """Choose a label's place, and keep it free of others.

        Parameters
        ----------
        text : str
        places : iterable of LabelPlace
            At least one, the best first.

        Returns
        -------
        LabelPlace
            The first at which the label covers nothing; where there is none, the one at which it covers least.
        """
        every = [*places]
        least, chosen = math.inf, every[0]
        for place in every:
            covered = self.covered(place.box(text))
            if covered < least:
                least, chosen = covered, place
            if not covered:
                break
        self._boxes.append(chosen.box(text))
        return chosen

    def covered(self, box: Box) -> float:
        """Return how many pixels of lines, and of the widths of boxes, a box covers; far more outside of the plot."""
        left, top, right, bottom = self.within
        outside = (
            max(left - box[0], 0.0) + max(top - box[1], 0.0) + max(box[2] - right, 0.0) + max(box[3] - bottom, 0.0)
        )
        boxes = sum(_shared(box, other) for other in self._boxes)
        return 100 * outside + boxes + sum(_crossed(box, *line) for line in self._lines)


def _shared(box: Box, other: Box) -> float:
    """Return how wide the part is that two boxes share, 0 without one."""
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    return width if width > 0 and height > 0 else 0.0


def _crossed(box: Box, one: Point, other: Point) -> float:
    """Return how long the part of a line between two points is that lies in a box, in pixels."""
    first, last = 0.0, 1.0
    for k in (0, 1):
        start, step = one[k], other[k] - one[k]
        low, high = box[k], box[k + 2]
        if step == 0:
            if not low < start < high:
                return 0.0
            continue
        ends = sorted(((low - start) / step, (high - start) / step))
        first, last = max(first, ends[0]), min(last, ends[1])
    length: float = ((other[0] - one[0]) ** 2 + (other[1] - one[1]) ** 2) ** 0.5
    return max(last - first, 0.0) * length
