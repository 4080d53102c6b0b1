"""The cost curve: words right against labelled pictures, for all attackers, as an SVG whose colours the page gives.

Both axes are logarithmic. No label has no place on such an axis, so attackers without labels stand beside it. Every
curve has a shape, a dash and a name, so that the colours are not needed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tasks.audit.page.elements.label_places import HEIGHT, LabelPlace, LabelPlaces
from tasks.audit.page.elements.markup import Markup, element
from tasks.audit.page.elements.rate_axis import ALONE, LIMIT, LOOKS, RateAxis, shape
from tasks.audit.page.elements.wording import attacker_name, percent, rate_text, short_name
from tasks.audit.schema import BROKEN_RATE, WEAK_RATE, Attacker
from tasks.rates import RateRecord

WIDE, NARROW = 640, 344  # pixels: for screens, and for telephones, on which the texts of the other would be too small
_APART = 15.0  # pixels between the names of curves
_Found = tuple[Attacker, RateRecord]


@dataclass(frozen=True)
class _Frame:
    """Where things are, in pixels."""

    width: int
    left: float
    zero: float  # width of the part for no label; 0 without it
    right: float  # end of the plot
    axis: RateAxis
    labels: tuple[int, ...]  # that an attacker learnt from, ascending

    @property
    def start(self) -> float:
        """Return where the part with labels begins."""
        return self.left + self.zero + (18 if self.zero and self.labels else 0)

    @property
    def wide(self) -> bool:
        """Return whether there is room for more texts."""
        return self.width == WIDE

    def x(self, labels: int) -> float:
        """Return the place of a number of labels, 1 or more."""
        first, last = math.log(self.labels[0]), math.log(self.labels[-1])
        share = (math.log(labels) - first) / (last - first) if last > first else 0.5
        return self.start + 20 + share * (self.right - self.start - 40)

    def x_without(self, k: int, count: int) -> float:
        """Return the place of the attacker k of those without labels."""
        return self.left + self.zero * (k + 0.5) / count

    def curve(self, found: Sequence[_Found], k: int, count: int) -> list[tuple[float, RateRecord]]:
        """Return the places and rates of curve k, from few labels to many."""
        aside = 3.0 * (2 * k - count + 1)  # so that intervals do not cover each other
        points = sorted(found, key=lambda point: point[0]["labels"])
        return [(self.x(one["labels"]) + aside, rate) for one, rate in points]


def measured(attackers: Sequence[Attacker]) -> list[_Found]:
    """Return the attackers that were measured, with their rates."""
    return [(one, one["words"]) for one in attackers if one["words"] is not None and one["words"]["n"]]


def cost_curve(attackers: Sequence[Attacker], width: int, key: str) -> Markup | None:
    """Draw the cost curve.

    Parameters
    ----------
    attackers : sequence of Attacker
    width : int
        `WIDE` or `NARROW`.
    key : str
        Makes the ids of its title and description unique on the page.

    Returns
    -------
    Markup or None
        None if no attacker was measured.
    """
    rates = measured(attackers)
    if not rates:
        return None
    without = [(one, rate) for one, rate in rates if not one["labels"]]
    curves: dict[str, list[_Found]] = {}
    for one, rate in rates:
        if one["labels"]:
            curves.setdefault(short_name(one), []).append((one, rate))
    labels = tuple(sorted({one["labels"] for one, _ in rates if one["labels"]}))
    frame = _frame(width, len(without), labels)
    places = _places(frame, without, curves)
    below = 80 if without else 44 if frame.wide else 44 + _APART * len(curves)
    height = frame.axis.bottom + below
    return element(
        "svg",
        element("title", "Words right against the labelled pictures that an attacker needs", id=f"{key}-title"),
        element("desc", _described(rates), id=f"{key}-desc"),
        _ground(frame),
        frame.axis.limits(frame.left, frame.right, said=frame.wide and not labels),
        [_alone(frame, frame.x_without(k, len(without)), *found, places) for k, found in enumerate(without)],
        _with_labels(frame, curves, places) if labels else None,
        role="img", viewBox=f"0 0 {width} {height:.0f}", class_=f"curve {'wide' if frame.wide else 'narrow'}",
        aria_labelledby=f"{key}-title", aria_describedby=f"{key}-desc",
    )  # fmt: skip


def _places(frame: _Frame, without: Sequence[_Found], curves: dict[str, list[_Found]]) -> LabelPlaces:
    """Tell where marks, their intervals, curves and limits are, so that no label covers one."""
    axis = frame.axis
    places = LabelPlaces((frame.left, axis.top - HEIGHT, frame.right + 4, axis.bottom))
    for limit in (BROKEN_RATE, WEAK_RATE):
        places.line([(frame.left, axis.y(limit)), (frame.right, axis.y(limit))])
    points = [(frame.x_without(k, len(without)), rate) for k, (_, rate) in enumerate(without)]
    for k, found in enumerate(curves.values()):
        curve = frame.curve(found, k, len(curves))
        places.line([(x, axis.height(rate)) for x, rate in curve])
        points += curve
    for x, rate in points:
        places.mark(x, axis.height(rate))
        places.line([(x, axis.y(rate["low"] or 0.0)), (x, axis.y(rate["high"] or 0.0))])
    return places


def _frame(width: int, without: int, labels: tuple[int, ...]) -> _Frame:
    wide = width == WIDE
    left = 54.0 if wide else 50.0
    right = width - ((152.0 if labels else 12.0) if wide else 8.0)
    room = right - left
    zero = (
        0.0
        if not without
        else room
        if not labels
        else min(max(without * (44 if wide else 24), 100 if wide else 84), 0.55 * room)
    )
    # A narrow plot has the names of its parts in a line of their own: there they would meet the axis's name.
    return _Frame(width, left, zero, right, RateAxis(32.0, 286.0) if wide else RateAxis(48.0, 266.0), labels)


def _described(rates: Sequence[_Found]) -> str:
    found = "; ".join(f"{attacker_name(one)}: {rate_text(rate)}" for one, rate in rates)
    return f"Both axes are logarithmic. Words right at the first try, with the 95 % interval. {found}."


def _ground(frame: _Frame) -> list[Markup]:
    """Draw the two parts, the ticks of the rates, and the names of the axes."""
    parts = [(frame.left, frame.left + frame.zero, "no label")] if frame.zero else []
    if frame.labels:
        parts.append((frame.start, frame.right, f"labelled pictures{' (log scale)' if frame.wide else ''}"))
    drawn = [element("text", "words right", x=0, y=14, class_="axis-name"), *frame.axis.ticks(frame.left)]
    for start, stop, name in parts:
        drawn += frame.axis.ground(start, stop)
        drawn.append(
            element("text", name, x=(start + stop) / 2, y=frame.axis.top - 18, class_="axis-name", text_anchor="middle")
        )
    return drawn


def _alone(frame: _Frame, x: float, attacker: Attacker, rate: RateRecord, places: LabelPlaces) -> Markup:
    """Draw an attacker that needs no label, with its name below the axis."""
    shown = None
    if frame.wide and rate["right"]:
        above, below = frame.axis.y(rate["high"] or 0.0) - 7, frame.axis.y(rate["low"] or 0.0) + 17
        tried = [above, below] + [y for k in (1, 2, 3) for y in (above - 5 * k, below + 5 * k)]
        said = percent(rate["rate"]).replace("nearly 100", "> 99")  # its neighbours stand close
        place = places.find(said, [LabelPlace(x, y) for y in tried if y > frame.axis.top + 10])
        shown = element("text", said, x=x, y=place.y, class_="value", text_anchor="middle")
    below = frame.axis.bottom + 14
    return element(
        "g",
        frame.axis.point(x, rate, ALONE),
        shown,
        element(
            "text", short_name(attacker), x=x + 4, y=below, class_="tick", text_anchor="end",
            transform=f"rotate(-42 {x + 4:.1f} {below:.1f})",
        ),
    )  # fmt: skip


def _with_labels(frame: _Frame, curves: dict[str, list[_Found]], places: LabelPlaces) -> list[Markup]:
    """Draw the curves of attackers that learn, the ticks of their labels, and their names."""
    drawn = _label_ticks(frame)
    # The line's name is among those of the curves, so that none covers another.
    ends: list[tuple[float, str, str]] = [(frame.axis.y(BROKEN_RATE), LIMIT, "limit")] if frame.wide else []
    looks = iter(LOOKS * len(curves))
    for k, (name, found) in enumerate(curves.items()):
        # A name below a narrow plot needs a shape to be found by; beside its point it needs none.
        look = ALONE if len(found) == 1 and frame.wide else next(looks)
        points = frame.curve(found, k, len(curves))
        path = " ".join(f"{x:.1f},{frame.axis.height(rate):.1f}" for x, rate in points)
        drawn += [] if len(found) == 1 else [element("polyline", points=path, class_=f"line {look}")]
        drawn += [frame.axis.point(x, rate, look) for x, rate in points]
        last = points[-1][1]
        said = f"{name} {percent(last['rate'])}"
        if look == ALONE and frame.wide:
            drawn.append(_beside(frame, *points[0], said, places))
        else:
            ends.append((frame.axis.height(last), said, look))
    return drawn + _names(frame, ends)


def _beside(frame: _Frame, x: float, rate: RateRecord, said: str, places: LabelPlaces) -> Markup:
    """Write the name of a point that no curve goes through beside it, above it or below it, where room is."""
    y, low = frame.axis.height(rate), frame.axis.y(rate["low"] or 0.0)
    toward = "end" if x > (frame.start + frame.right) / 2 else "start"
    heights = [y - 9, y - 9 - _APART, low + 17, y + 4, *(y - 9 - _APART * k for k in (2, 3, 4))]
    heights += [y + 4 + _APART * k / 2 for k in range(1, 13)]
    tried = [
        LabelPlace(x + {"start": aside, "end": -aside}[anchor], height, anchor)
        for aside in (9, 14)
        for anchor in (toward, {"start": "end", "end": "start"}[toward])
        for height in heights
        if height >= frame.axis.top  # above are the names of the axes
    ]
    place = places.find(said, tried)
    name = element("text", said, x=place.x, y=place.y, class_="name", text_anchor=place.anchor)
    if y - 24 <= place.y <= y + 24:
        return name
    # So far away, it needs a line to be found by.
    end = place.y + 3 if place.y < y else place.y - HEIGHT + 2
    return element("g", element("line", x1=x, y1=y, x2=place.x, y2=end, class_="leader"), name)


def _label_ticks(frame: _Frame) -> list[Markup]:
    drawn, free = [], -math.inf
    for labels in frame.labels:
        text = f"{labels:,}" if labels < 1000 or labels % 100 else f"{labels / 1000:g}k"
        x, half = frame.x(labels), 4.0 * len(text)
        if x - half > free:
            y = frame.axis.bottom + 18
            drawn.append(element("text", text, x=x, y=y, class_="tick", text_anchor="middle"))
            free = x + half + 4
    return drawn


def _names(frame: _Frame, ends: list[tuple[float, str, str]]) -> list[Markup]:
    """Write the names of the curves at their ends, apart from each other; below the axis on a narrow plot."""
    ends = sorted(ends)
    heights = [y for y, _, _ in ends]
    x = frame.right + 8
    if frame.wide:
        for k in range(1, len(heights)):
            heights[k] = max(heights[k], heights[k - 1] + _APART)
        over = max(max(heights, default=0.0) - frame.axis.bottom, 0)
        heights = [y - over for y in heights]
        for k in range(len(heights) - 2, -1, -1):
            heights[k] = min(heights[k], heights[k + 1] - _APART)
    else:
        x = frame.start + 12
        heights = [frame.axis.bottom + 40 + _APART * k for k in range(len(ends))]
    drawn = []
    for y, (_, text, look) in zip(heights, ends, strict=True):
        if look == "limit":
            drawn.append(element("text", text, x=x - 4, y=y + 4, class_="limit"))
        else:
            drawn += [shape(x, y, look), element("text", text, x=x + 9, y=y + 4, class_=f"name {look}")]
    return drawn
