"""Bars in the rows of tables: a rate, or a difference, with its 95 % interval. The numbers stand beside them."""

from collections.abc import Iterable

from tasks.audit.page.elements.markup import Markup, element
from tasks.rates import RateRecord

WIDTH, HEIGHT = 150, 18  # pixels
_TOPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


def scale_of(rates: Iterable[RateRecord | None]) -> float:
    """Return the share at the end of the bars of a table: a round number that holds every interval."""
    highest = max((rate["high"] or 0.0 for rate in rates if rate), default=1.0)
    return next((top for top in _TOPS if top >= highest), 1.0)


def rate_bar(rate: RateRecord, scale: float = 1.0) -> Markup:
    """Draw a rate as a bar from 0 to `scale`, with its interval; screen readers have the number beside it."""
    if not rate["n"]:
        return element("span", "", class_="bar")
    reach = [WIDTH * min((rate[end] or 0.0) / scale, 1.0) for end in ("low", "rate", "high")]
    low, value, high = reach
    middle = HEIGHT / 2
    return _svg(
        element("rect", x=0, y=3, width=WIDTH, height=HEIGHT - 6, class_="bar-ground"),
        element("rect", x=0, y=3, width=max(value, 1.0), height=HEIGHT - 6, class_="bar-value"),
        _whisker(low, high, middle),
    )


def difference_bar(difference: float, low: float, high: float, scale: float = 1.0) -> Markup:
    """Draw a difference as a point on a line from -`scale` to `scale`, with its interval and a mark at 0."""

    def place(value: float) -> float:
        return WIDTH / 2 * (1 + max(-1.0, min(1.0, value / scale)))

    middle = HEIGHT / 2
    return _svg(
        element("line", x1=0, x2=WIDTH, y1=middle, y2=middle, class_="bar-line"),
        element("line", x1=WIDTH / 2, x2=WIDTH / 2, y1=1, y2=HEIGHT - 1, class_="bar-zero"),
        _whisker(place(low), place(high), middle),
        element("circle", cx=place(difference), cy=middle, r=4, class_="bar-point"),
    )


def _whisker(low: float, high: float, middle: float) -> list[Markup]:
    return [
        element("line", x1=low, x2=high, y1=middle, y2=middle, class_="bar-reach"),
        *[element("line", x1=x, x2=x, y1=middle - 4, y2=middle + 4, class_="bar-reach") for x in (low, high)],
    ]


def _svg(*children: Markup | list[Markup]) -> Markup:
    return element(
        "svg", *children, class_="bar", viewBox=f"-1 0 {WIDTH + 2} {HEIGHT}", width=WIDTH + 2, height=HEIGHT,
        aria_hidden="true", focusable="false",
    )  # fmt: skip
