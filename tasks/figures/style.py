"""What all plots share: the figure, its axes and legend, error bars, and the bytes of the PNG file."""

import io

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from tasks.figures.contact_sheet import FAINT, INK, SOFT

# Without a sign, for the axis that has rescued words left of zero.
PERCENT = FuncFormatter(lambda value, _: f"{abs(value):g} %")


def put_legend(figure: Figure, axes, looks, columns: int) -> None:
    handles = [axes.barh(0, 0, color=colour, label=label) for colour, label in looks]
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, frameon=False, fontsize=8.5)


def error_bars(rows: list[dict]) -> tuple[np.ndarray, np.ndarray]:
    """Rates (n,) in percent, and how far (2, n) the interval goes below and above each."""
    rate, low, high = (100 * np.array([row[key] for row in rows]) for key in ("rate", "low", "high"))
    # matplotlib refuses lengths that rounding made negative, which happens at rates of 0 and 1.
    return rate, np.maximum([rate - low, high - rate], 0)


def plain_axes(axes, grid: str) -> None:
    axes.grid(axis=grid, color=FAINT, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(SOFT)
    axes.tick_params(labelsize=9, length=0)


def new_figure(width: float, height: float, title: str) -> Figure:
    """A figure that pyplot knows nothing of, `width` x `height` in inches."""
    figure = Figure(figsize=(width, height), dpi=120, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize=12.5, fontweight="bold", color=INK, parse_math=False)
    return figure


def say_instead(figure: Figure, words: str) -> Figure:
    figure.text(0.5, 0.4, words, ha="center", va="center", color=SOFT)
    return figure


def rendered(figure: Figure) -> bytes:
    file = io.BytesIO()
    # Without matplotlib's version in it, the file depends on what is drawn only.
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()
