"""The axis of rates, logarithmic from 0.005 to 100 %, with its lines at 1 and 0.01 %, and the marks of rates on it."""

import math
from dataclasses import dataclass

from tasks.audit.page.elements.markup import Markup, element
from tasks.audit.page.elements.wording import percent
from tasks.audit.schema import BROKEN_RATE, WEAK_RATE
from tasks.rates import RateRecord

LOWEST = WEAK_RATE / 2  # at the end of the axis; what lies below is drawn there
TICKS = (1.0, 0.1, 0.01, 0.001, 0.0001)
LOOKS = ("one", "two", "three", "four")  # colour, dash and shape of a curve
LIMIT = "1 %: broken above"
ALONE = "none"  # the look of a mark that belongs to no curve
_SHAPES = {"one": "circle", "two": "square", "three": "triangle", "four": "cross", ALONE: "diamond"}
_CORNERS = {
    "triangle": ((0, -5.6), (5.4, 4), (-5.4, 4)),
    "diamond": ((0, -6), (5.4, 0), (0, 6), (-5.4, 0)),
    "cross": (
        (-5, -2), (-2, -5), (0, -3), (2, -5), (5, -2), (3, 0), (5, 2), (2, 5), (0, 3), (-2, 5), (-5, 2), (-3, 0),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class RateAxis:
    """A vertical axis of rates between two heights of the plot, in pixels."""

    top: float
    bottom: float

    def y(self, rate: float) -> float:
        """Return the height of a rate, 0 to 1."""
        share = math.log(max(rate, LOWEST) / LOWEST) / -math.log(LOWEST)
        return self.bottom - share * (self.bottom - self.top)

    def height(self, rate: RateRecord) -> float:
        """Return where a rate's mark is: at the rate, or at the upper end of the interval where nothing was right."""
        return self.y((rate["rate"] if rate["right"] else rate["high"]) or 0.0)

    def ground(self, start: float, stop: float) -> list[Markup]:
        """Draw the ground of a part of the plot, with a line for each tick."""
        size = {"width": stop - start, "height": self.bottom - self.top}
        lines = [element("line", x1=start, x2=stop, y1=self.y(tick), y2=self.y(tick), class_="grid") for tick in TICKS]
        return [element("rect", x=start, y=self.top, class_="plot-ground", **size), *lines]

    def ticks(self, left: float) -> list[Markup]:
        """Write the ticks, left of the plot."""
        return [
            element(
                "text", percent(tick), x=left - 7, y=self.y(tick) + 4, text_anchor="end",
                class_="limit" if tick == BROKEN_RATE else "tick",
            )
            for tick in TICKS
        ]  # fmt: skip

    def limits(self, left: float, right: float, *, said: bool) -> list[Markup]:
        """Draw the line from which a CAPTCHA is broken, and the line below which it has held."""
        drawn = [
            element("line", x1=left, x2=right, y1=self.y(rate), y2=self.y(rate), class_=kind)
            for rate, kind in ((BROKEN_RATE, "broken-line"), (WEAK_RATE, "held-line"))
        ]
        if said:
            y = self.y(BROKEN_RATE) + 14
            drawn.append(element("text", LIMIT, x=right - 4, y=y, class_="limit", text_anchor="end"))
        return drawn

    def point(self, x: float, rate: RateRecord, look: str) -> Markup:
        """Draw a rate with its interval. Where nothing was right, a hollow mark is at the upper end."""
        low, high = self.y(rate["low"] or 0.0), self.y(rate["high"] or 0.0)
        return element(
            "g",
            element("line", x1=x, x2=x, y1=low, y2=high, class_=f"reach {look}"),
            [element("line", x1=x - 4, x2=x + 4, y1=y, y2=y, class_=f"reach {look}") for y in (low, high)],
            shape(x, self.height(rate), look, hollow=not rate["right"]),
        )


def shape(x: float, y: float, look: str, *, hollow: bool = False) -> Markup:
    """Draw the mark of a curve."""
    class_ = f"mark {look}{' hollow' if hollow else ''}"
    kind = _SHAPES[look]
    if kind == "circle":
        return element("circle", cx=x, cy=y, r=4.6, class_=class_)
    if kind == "square":
        return element("rect", x=x - 4.2, y=y - 4.2, width=8.4, height=8.4, class_=class_)
    return element("polygon", points=" ".join(f"{x + a:.1f},{y + b:.1f}" for a, b in _CORNERS[kind]), class_=class_)
