"""The parts that all plots share: the figure, its axes and legend, error bars, and the bytes of the PNG file."""

import io
from collections.abc import Collection, Iterable, Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from storage.texts import plain
from tasks.figures.contact_sheet import FAINT_GREY, INK, SOFT
from tasks.rates import RateRecord

# Without a sign: the axis of failures counts mended words to the left of zero.
PERCENT = FuncFormatter(lambda value, _: f"{abs(value):g} %")


def put_legend(figure: Figure, axes: Axes, looks: Iterable[tuple[str, str]], columns: int) -> None:
    """Put a legend below the axes.

    Parameters
    ----------
    looks : iterable of (str, str)
        The colour (#rrggbb) and the label of each entry.
    columns : int
        Entries side by side.
    """
    handles = [axes.barh(0, 0, color=colour, label=label) for colour, label in looks]
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, frameon=False, fontsize=8.5)


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


def plain_axes(axes: Axes, grid: Literal["x", "y", "both"]) -> None:
    """Give axes a faint grid along `grid` (``"x"``, ``"y"`` or ``"both"``) and remove what shows no data."""
    axes.grid(axis=grid, color=FAINT_GREY, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(SOFT)
    axes.tick_params(labelsize=9, length=0)


def new_figure(width: float, height: float, title: str) -> Figure:
    """Make a figure of `width` x `height` inches with a title, without pyplot, which would keep the figure."""
    figure = Figure(figsize=(width, height), dpi=120, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    figure.suptitle(plain(title), fontsize=12.5, fontweight="bold", color=INK, parse_math=False)
    return figure


def say_instead(figure: Figure, words: str) -> Figure:
    """Write words in the middle of a figure that has nothing to plot."""
    figure.text(0.5, 0.4, words, ha="center", va="center", color=SOFT)
    return figure


def rendered(figure: Figure) -> bytes:
    """Draw a figure; return the bytes of a PNG file, equal for equal figures."""
    file = io.BytesIO()
    # matplotlib would write its version into the file, which then would differ between versions.
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()
