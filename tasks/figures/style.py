"""The parts that all plots share: the figure, its axes and legend, error bars, and the bytes of the PNG file."""

import io
import textwrap
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from storage.texts import plain
from tasks.figures.contact_sheet import FAINT_GREY, INK, SOFT
from tasks.rates import ConfidenceRate, Rate, RateRecord

# Every command imports this room, and few commands plot: matplotlib, which takes a third of a second, is imported then.
if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

MOST_WIDTH = 1000  # pixels of a figure that is shown at its own size within a page
NEEDED = 30  # tries of a point; the rate of fewer says nothing
NEAR = 0.9  # rates that are all at least this are shown as errors, on a log axis

_TITLE_LETTERS = 9  # of a title on an inch, if they are wide


def percent_sign(value: float, _place: float | None = None) -> str:
    """Format a tick in percent, without a sign: the axis of failures counts mended words to the left of zero."""
    return f"{abs(value):g} %"


def put_legend(figure: "Figure", axes: "Axes", looks: Iterable[tuple[str, str]], columns: int) -> None:
    """Put a legend below the axes.

    Parameters
    ----------
    looks : iterable of (str, str)
        The colour (#rrggbb) and the label of each entry.
    columns : int
        Entries side by side.
    """
    handles = [axes.barh(0, 0, color=colour, label=label) for colour, label in looks]
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, frameon=False, fontsize=9)


def error_bars(rows: Sequence[RateRecord]) -> tuple[np.ndarray, np.ndarray]:
    """Return rates and the reach of their intervals, as matplotlib takes them.

    Parameters
    ----------
    rows : sequence of RateRecord
        With one try or more each.

    Returns
    -------
    rates : (n,) float64
        In percent.
    reach : (2, n) float64
        How far each interval goes below and above its rate, in percent.
    """
    rate, low, high = 100 * np.array([(row["rate"], row["low"], row["high"]) for row in rows], float).reshape(-1, 3).T
    # At rates of 0 and 1 rounding can make a length negative, which matplotlib refuses.
    return rate, np.maximum([rate - low, high - rate], 0)


def count_range(counts: Collection[int]) -> str:
    """Write the smallest and the largest of some counts: ``n = 5 to 900``, or ``n = 5`` if they are equal."""
    low, high = min(counts, default=0), max(counts, default=0)
    return f"n = {low:,}" if low == high else f"n = {low:,} to {high:,}"


def near_all(rates: Iterable[RateRecord]) -> bool:
    """Return whether all rates are so near 1 that only their errors can be told apart."""
    known = [rate["rate"] for rate in rates if rate["rate"] is not None]
    return bool(known) and min(known) >= NEAR


def as_errors(rows: Sequence[RateRecord]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return errors and the reach of their intervals for a log axis, which has no place for 0.

    Returns
    -------
    errors : (n,) float64
        In percent; without an error the upper end of the interval.
    reach : (2, n) float64
        How far each interval goes below and above, in percent.
    none : (n,) bool
        Where there is no error.
    """
    wrong = [Rate(row["n"] - row["right"], row["n"]) for row in rows]
    none = np.array([rate.right == 0 for rate in wrong], bool)
    error, low, high = 100 * np.array([(rate.value, rate.low, rate.high) for rate in wrong], float).reshape(-1, 3).T
    error = np.where(none, high, error)
    low = np.where(none, high, low)
    return error, np.maximum([error - low, high - error], 0), none


def log_limits(rows: Sequence[RateRecord]) -> tuple[float, float]:
    """Return the limits of a log axis, in percent, that hold the errors of all rows and their intervals."""
    error, reach, _ = as_errors(rows)
    low, high = float((error - reach[0]).min()), float((error + reach[1]).max())
    return min(0.6 * low, 0.1 * high), 1.6 * high


def log_axis(axis: "Axis", low: float, high: float) -> None:
    """Give an axis, of the limits given in percent, a log scale with few, readable ticks."""
    from matplotlib.ticker import LogLocator, NullLocator

    if axis is axis.axes.xaxis:
        axis.axes.set(xscale="log", xlim=(low, high))
    else:
        axis.axes.set(yscale="log", ylim=(low, high))
    steps = (1.0, 2.0, 5.0) if high / low < 100 else (1.0,)
    axis.set_major_locator(LogLocator(subs=steps))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(percent_sign)


def at_least(rows: Sequence[ConfidenceRate]) -> list[ConfidenceRate]:
    """Pool neighbouring bins of confidence until each has `NEEDED` answers or more; empty if there are too few."""
    found: list[ConfidenceRate] = []
    for row in sorted(rows, key=lambda row: -row["confidence"]):  # most answers are sure: they keep their own bin
        if found and found[-1]["n"] < NEEDED:
            found[-1] = _both(found[-1], row)
        else:
            found.append(row)
    if len(found) > 1 and found[-1]["n"] < NEEDED:
        last = found.pop()
        found[-1] = _both(found[-1], last)
    return [row for row in reversed(found) if row["n"] >= NEEDED]


def _both(a: ConfidenceRate, b: ConfidenceRate) -> ConfidenceRate:
    n = a["n"] + b["n"]
    confidence = (a["confidence"] * a["n"] + b["confidence"] * b["n"]) / n
    return {"confidence": confidence, **Rate(a["right"] + b["right"], n).as_dict()}


def beside(axes: "Axes", place: float, words: str) -> None:
    """Write text right of the axes, at `place` of the vertical axis."""
    axes.annotate(
        words, (1, place), xycoords=("axes fraction", "data"), xytext=(6, 0), textcoords="offset points",
        va="center", fontsize=9, color=INK, annotation_clip=False,
    )  # fmt: skip


def plain_axes(axes: "Axes", grid: Literal["x", "y", "both"]) -> None:
    """Give axes a faint grid along `grid` (``"x"``, ``"y"`` or ``"both"``) and remove what shows no data."""
    axes.grid(axis=grid, color=FAINT_GREY, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(SOFT)
    axes.tick_params(labelsize=9, length=0)


def new_figure(width: float, height: float, title: str) -> "Figure":
    """Make a figure of `width` x `height` inches with a title, without pyplot, which would keep the figure.

    It is at most `MOST_WIDTH` pixels wide, so that pages do not shrink its text.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    dpi = min(120, MOST_WIDTH / width)
    figure = Figure(figsize=(width, height), dpi=dpi, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    lines = textwrap.fill(plain(title), max(20, int(width * _TITLE_LETTERS)))
    figure.suptitle(lines, fontsize=12.5, fontweight="bold", color=INK, parse_math=False)
    return figure


def say_instead(figure: "Figure", words: str) -> "Figure":
    """Write words in the middle of a figure that has nothing to plot."""
    figure.text(0.5, 0.4, words, ha="center", va="center", color=SOFT, linespacing=1.5)
    return figure


def sentence(title: str, words: str) -> bytes:
    """Draw a title and a sentence, in place of a picture that would be empty."""
    return rendered(say_instead(new_figure(8, 1.4, title), words))


def rendered(figure: "Figure", description: str | None = None) -> bytes:
    """Draw a figure; return the bytes of a PNG file, equal for equal figures, with a description in its head."""
    file = io.BytesIO()
    # matplotlib would write its version into the file, which then would differ between versions.
    said = {"Description": description} if description else {}
    figure.savefig(file, format="png", metadata={"Software": None, **said})
    return file.getvalue()
