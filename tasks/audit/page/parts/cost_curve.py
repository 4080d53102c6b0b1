"""The cost curve: words right against labelled pictures, for all attackers, as an SVG whose colours the page gives.

Both axes are logarithmic. No label has no place on such an axis, so attackers without labels stand beside it. Every
curve has a shape, a dash and a name, so that the colours are not needed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tasks.audit.page.elements.markup import Markup, element
from tasks.audit.page.elements.wording import attacker_name, percent, rate_text
from tasks.audit.schema import BROKEN_RATE, WEAK_RATE, Attacker
from tasks.rates import RateRecord

WIDE, NARROW = 720, 344  # pixels: for screens, and for telephones, on which the texts of the other would be too small
LOWEST = WEAK_RATE / 2  # at the axis; what lies below is drawn there
TICKS = (1.0, 0.1, 0.01, 0.001, 0.0001)
SHORT = {
    "chance": "chance", "dictionary": "dictionary", "tesseract": "Tesseract", "ddddocr": "ddddocr",
    "ladder": "shipped classic", "strangers": "shipped deep", "classic": "classic reader", "deep": "deep reader",
}  # fmt: skip
LOOKS = ("one", "two", "three", "four")  # colour, dash and shape of a curve
_SHAPES = {"one": "circle", "two": "square", "three": "triangle", "four": "cross", "none": "diamond"}
_APART = 15.0  # pixels between the names of curves


@dataclass(frozen=True)
class _Frame:
    """Where things are, in pixels."""

    width: int
    left: float
    zero: float  # width of the part for no label; 0 without it
    right: float  # end of the plot
    top: float
    bottom: float
    labels: tuple[int, ...]  # that an attacker learnt from, ascending

    @property
    def start(self) -> float:
        """Return where the part with labels begins."""
        return self.left + self.zero + (18 if self.zero and self.labels else 0)

    def x(self, labels: int) -> float:
        """Return the place of a number of labels, 1 or more."""
        first, last = math.log(self.labels[0]), math.log(self.labels[-1])
        share = (math.log(labels) - first) / (last - first) if last > first else 0.5
        return self.start + 20 + share * (self.right - self.start - 40)

    def y(self, rate: float) -> float:
        """Return the height of a rate; what the axis does not reach is at its end."""
        share = math.log(max(rate, LOWEST) / LOWEST) / -math.log(LOWEST)
        return self.bottom - share * (self.bottom - self.top)


def measured(attackers: Sequence[Attacker]) -> list[tuple[Attacker, RateRecord]]:
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
    curves: dict[str, list[tuple[Attacker, RateRecord]]] = {}
    for one, rate in rates:
        if one["labels"]:
            curves.setdefault(one["name"], []).append((one, rate))
    labels = tuple(sorted({one["labels"] for one, _ in rates if one["labels"]}))
    frame = _frame(width, len(without), labels)
    height = frame.bottom + (80 if without else 44)
    return element(
        "svg",
        element("title", "Words right against the labelled pictures that an attacker needs", id=f"{key}-title"),
        element("desc", _described(rates), id=f"{key}-desc"),
        _ground(frame),
        _limits(frame),
        [_alone(frame, k, len(without), one, rate) for k, (one, rate) in enumerate(without)],
        _with_labels(frame, curves) if labels else None,
        role="img", viewBox=f"0 0 {width} {height:.0f}", class_=f"curve {'wide' if width == WIDE else 'narrow'}",
        aria_labelledby=f"{key}-title {key}-desc",
    )  # fmt: skip


def _frame(width: int, without: int, labels: tuple[int, ...]) -> _Frame:
    wide = width == WIDE
    left = 54.0 if wide else 50.0
    right = width - ((152.0 if labels else 12.0) if wide else 8.0)
    room = right - left
    zero = 0.0 if not without else room if not labels else min(max(without * (50 if wide else 24), 80), 0.55 * room)
    return _Frame(width, left, zero, right, 24.0, 290.0 if wide else 250.0, labels)


def _described(rates: Sequence[tuple[Attacker, RateRecord]]) -> str:
    found = "; ".join(f"{attacker_name(one)}: {rate_text(rate)}" for one, rate in rates)
    return f"Both axes are logarithmic. Words right at the first try, with the 95 % interval. {found}."


def _ground(frame: _Frame) -> list[Markup]:
    """Draw the two parts, the ticks of the rates, and the names of the axes."""
    parts = [(frame.left, frame.zero, "no label")] if frame.zero else []
    if frame.labels:
        wide = frame.width == WIDE
        parts.append((frame.start, frame.right - frame.start, f"labelled pictures{' (log scale)' if wide else ''}"))
    drawn = []
    for start, across, name in parts:
        drawn += [
            element("rect", x=start, y=frame.top, width=across, height=frame.bottom - frame.top, class_="plot-ground"),
            *[element("line", x1=start, x2=start + across, y1=frame.y(tick), y2=frame.y(tick), class_="grid")
              for tick in TICKS],
            element("text", name, x=start + across / 2, y=15, class_="axis-name", text_anchor="middle"),
        ]  # fmt: skip
    drawn += [
        element(
            "text",
            percent(tick),
            x=frame.left - 7,
            y=frame.y(tick) + 4,
            text_anchor="end",
            class_="limit" if tick == BROKEN_RATE else "tick",
        )
        for tick in TICKS
    ]
    drawn.append(element("text", "words right", x=0, y=15, class_="axis-name"))
    return drawn


def _limits(frame: _Frame) -> list[Markup]:
    """Draw the line from which a CAPTCHA is broken, and the line below which one has held."""
    drawn = []
    for rate, kind, said in ((BROKEN_RATE, "broken-line", "1 %: broken above"), (WEAK_RATE, "held-line", "0.01 %")):
        y = frame.y(rate)
        drawn.append(element("line", x1=frame.left, x2=frame.right, y1=y, y2=y, class_=kind))
        if kind == "broken-line" and frame.width == WIDE:
            drawn.append(element("text", said, x=frame.right - 4, y=y + 14, class_="limit", text_anchor="end"))
    return drawn


def _alone(frame: _Frame, k: int, count: int, attacker: Attacker, rate: RateRecord) -> Markup:
    """Draw an attacker that needs no label, with its name below the axis."""
    x = frame.left + frame.zero * (k + 0.5) / count
    name = SHORT.get(attacker["name"], attacker["title"][:16])
    shown = None
    if frame.width == WIDE and rate["right"]:
        above = frame.y(rate["high"] or 0.0) - 7
        y = above if above > frame.top + 10 else frame.y(rate["low"] or 0.0) + 17
        shown = element("text", percent(rate["rate"]), x=x, y=y, class_="value", text_anchor="middle")
    below = frame.bottom + 14
    return element(
        "g",
        _point(frame, x, rate, "none"),
        shown,
        element("text", name, x=x + 4, y=below, class_="tick", text_anchor="end",
                transform=f"rotate(-42 {x + 4:.1f} {below:.1f})"),
    )  # fmt: skip


def _with_labels(frame: _Frame, curves: dict[str, list[tuple[Attacker, RateRecord]]]) -> list[Markup]:
    """Draw the curves of attackers that learn, the ticks of their labels, and their names."""
    drawn = _label_ticks(frame)
    ends: list[tuple[float, str, str]] = []
    for k, points in enumerate(curves.values()):
        look = LOOKS[k % len(LOOKS)]
        points = sorted(points, key=lambda point: point[0]["labels"])
        aside = 3.0 * (2 * k - len(curves) + 1)  # so that intervals do not cover each other
        places = [(frame.x(one["labels"]) + aside, rate) for one, rate in points]
        path = " ".join(f"{x:.1f},{_height(frame, rate):.1f}" for x, rate in places)
        drawn += [element("polyline", points=path, class_=f"line {look}")]
        drawn += [_point(frame, x, rate, look) for x, rate in places]
        one, rate = points[-1]
        name = SHORT.get(one["name"], one["title"][:16])
        ends.append((_height(frame, rate), f"{name} {percent(rate['rate'])}", look))
    return drawn + _names(frame, ends)


def _label_ticks(frame: _Frame) -> list[Markup]:
    drawn, free = [], -math.inf
    for labels in frame.labels:
        text = f"{labels:,}" if labels < 1000 or labels % 100 else f"{labels / 1000:g}k"
        x, half = frame.x(labels), 4.0 * len(text)
        if x - half > free:
            drawn.append(element("text", text, x=x, y=frame.bottom + 18, class_="tick", text_anchor="middle"))
            free = x + half + 4
    return drawn


def _names(frame: _Frame, ends: list[tuple[float, str, str]]) -> list[Markup]:
    """Write the names of the curves at their ends, apart from each other; below the axis on a narrow plot."""
    ends = sorted(ends)
    wide = frame.width == WIDE
    if not wide:
        heights = [frame.bottom + 40 + _APART * k for k in range(len(ends))]
        x = frame.start + 12
    else:
        heights = [y for y, _, _ in ends]
        for k in range(1, len(heights)):
            heights[k] = max(heights[k], heights[k - 1] + _APART)
        over = max(heights[-1] - frame.bottom, 0)
        heights = [y - over for y in heights]
        for k in range(len(heights) - 2, -1, -1):
            heights[k] = min(heights[k], heights[k + 1] - _APART)
        x = frame.right + 8
    drawn = []
    for y, (_, text, look) in zip(heights, ends, strict=True):
        drawn += [
            _shape(x, y, look, hollow=False),
            element("text", text, x=x + 9, y=y + 4, class_=f"name {look}"),
        ]
    return drawn


def _height(frame: _Frame, rate: RateRecord) -> float:
    """Return where a point is: the rate, or the upper end of the interval where nothing was right."""
    return frame.y((rate["rate"] if rate["right"] else rate["high"]) or 0.0)


def _point(frame: _Frame, x: float, rate: RateRecord, look: str) -> Markup:
    """Draw a rate with its interval. Where nothing was right, a hollow mark is at the upper end."""
    low, high = frame.y(rate["low"] or 0.0), frame.y(rate["high"] or 0.0)
    return element(
        "g",
        element("line", x1=x, x2=x, y1=low, y2=high, class_=f"reach {look}"),
        [element("line", x1=x - 4, x2=x + 4, y1=y, y2=y, class_=f"reach {look}") for y in (low, high)],
        _shape(x, _height(frame, rate), look, hollow=not rate["right"]),
    )


def _shape(x: float, y: float, look: str, hollow: bool) -> Markup:
    """Draw the mark of a curve: hollow where nothing was right."""
    class_ = f"mark {look}{' hollow' if hollow else ''}"
    kind = _SHAPES[look]
    if kind == "circle":
        return element("circle", cx=x, cy=y, r=4.6, class_=class_)
    if kind == "square":
        return element("rect", x=x - 4.2, y=y - 4.2, width=8.4, height=8.4, class_=class_)
    corners = {
        "triangle": ((0, -5.6), (5.4, 4), (-5.4, 4)),
        "diamond": ((0, -6), (5.4, 0), (0, 6), (-5.4, 0)),
        "cross": (
            (-5, -2),
            (-2, -5),
            (0, -3),
            (2, -5),
            (5, -2),
            (3, 0),
            (5, 2),
            (2, 5),
            (0, 3),
            (-2, 5),
            (-5, 2),
            (-3, 0),
        ),
    }[kind]
    return element("polygon", points=" ".join(f"{x + a:.1f},{y + b:.1f}" for a, b in corners), class_=class_)
