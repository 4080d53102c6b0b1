"""Plots of scores, each as the bytes of a PNG file: equal input gives equal bytes."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, PowerNorm
from matplotlib.ticker import MaxNLocator

from storage.texts import plain
from tasks.figures.contact_sheet import BLUE, FAINT_GREY, GREEN, INK, ORANGE, RED, SKY, SOFT
from tasks.figures.style import (
    PERCENT,
    count_range,
    error_bars,
    new_figure,
    plain_axes,
    put_legend,
    rendered,
    say_instead,
)
from tasks.rates import Rate, ValueRate

FAILURE_LOOKS = {
    "segments": (BLUE, "wrong number of segments"),
    "place": (SKY, "letters cut elsewhere"),
    "letter": (ORANGE, "letter misread"),
    "damage": (RED, "spoilt by the dictionary"),
    "rescue": (GREEN, "mended by the dictionary"),
}


def plot_rates(tables: dict[str, list[ValueRate]], title: str) -> bytes:
    """Plot the rate against each parameter of drawing, with 95 % intervals.

    Parameters
    ----------
    tables : dict of str to list of ValueRate
        Title of the axis (``"shear (mrad)"``, ``"font"``) to the table of `tasks.scoring.metrics.rates_by`. Numbers
        become points, with the same scale in all panels; names become bars, the worst at the bottom.
    title : str
    """
    nothing = "no tries" if tables else "it is not known how these pictures were drawn"
    tables = {name: [row for row in rows if row["n"]] for name, rows in tables.items()}
    tables = {name: rows for name, rows in tables.items() if rows}
    named = {name: rows for name, rows in tables.items() if isinstance(rows[0]["value"], str)}
    numbered = {name: rows for name, rows in tables.items() if name not in named}
    heights = [2.9] * math.ceil(len(numbered) / 2) + [0.9 + 0.27 * len(rows) for rows in named.values()]
    figure = new_figure(9.5, 0.6 + (sum(heights) or 1), title)
    if not tables:
        return rendered(say_instead(figure, nothing))
    grid = figure.add_gridspec(len(heights), 2, height_ratios=heights)
    limits = _limits([row for rows in tables.values() for row in rows])
    for k, (name, rows) in enumerate(numbered.items()):
        alone = len(numbered) % 2 and k == len(numbered) - 1
        axes = figure.add_subplot(grid[k // 2, :] if alone else grid[k // 2, k % 2])
        values, rates, reach = [row["value"] for row in rows], *error_bars(rows)
        axes.plot(values, rates, color=SKY, linewidth=1, zorder=2)
        axes.errorbar(values, rates, reach, fmt="o", color=BLUE, markersize=4, elinewidth=1.2, capsize=2.5, zorder=3)
        axes.set(xlabel=name, ylabel="right" if k % 2 == 0 or alone else "", ylim=limits)
        if len(values) <= 12:
            axes.set_xticks(values)
        else:
            axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, steps=[1, 2, 5, 10]))
        axes.yaxis.set_major_formatter(PERCENT)
        _counted(axes, rows, "point")
        plain_axes(axes, "both")
    for k, (name, rows) in enumerate(named.items(), math.ceil(len(numbered) / 2)):
        axes = figure.add_subplot(grid[k, :])
        rows = sorted(rows, key=lambda row: (row["rate"], row["value"]))
        rates, reach = error_bars(rows)
        places = range(len(rows))
        axes.barh(places, rates, color=SKY, alpha=0.35, height=0.7, zorder=2)
        axes.errorbar(rates, places, xerr=reach, fmt="o", color=BLUE, markersize=4, capsize=2.5, zorder=3)
        for place, rate in zip(places, rates, strict=True):
            _beside(axes, place, f"{rate:.1f} %")
        axes.set_yticks(places, [plain(row["value"]) for row in rows], parse_math=False)
        # A reader compares lengths, so the label says if the axis cuts the bars.
        cut = f" (bars cut at {limits[0]:g} %)" if limits[0] > 0 else ""
        axes.set(xlim=limits, ylim=(-0.7, len(rows) - 0.3), xlabel=f"right{cut}")
        axes.set_title(name, fontsize=10, loc="left")
        axes.xaxis.set_major_formatter(PERCENT)
        _counted(axes, rows, "bar")
        plain_axes(axes, "x")
    return rendered(figure)


def plot_confusion(counts: Sequence[Sequence[int]] | np.ndarray, classes: Sequence[str], title: str) -> bytes:
    """Plot the mistakes of a confusion matrix; right answers are grey, and a column gives the recall of each letter.

    Parameters
    ----------
    counts : (k, k) int
        Counts, rows truth, columns read.
    classes : sequence of k str
    title : str
    """
    confusion = np.asarray(counts)
    size = len(classes)
    if confusion.shape != (size, size):
        raise ValueError(f"confusion must be {size} x {size}, as classes, not {confusion.shape}")
    mistakes = confusion * (1 - np.eye(size, dtype=int))
    most, n = int(mistakes.max(initial=0)), int(confusion.sum())
    side = max(3, 0.32 * size)
    figure = new_figure(side + 1.2, side + 1.3, title)
    axes = figure.add_subplot()
    # On the scale of the square root a single mistake is visible beside hundreds in another cell.
    shades = PowerNorm(0.5, vmin=0, vmax=max(most, 1))
    axes.imshow(np.ma.masked_equal(mistakes, 0), cmap="YlOrRd", norm=shades, zorder=2)
    diagonal = np.ma.masked_equal(np.eye(size), 0)
    axes.imshow(diagonal, cmap=ListedColormap([FAINT_GREY]), zorder=2)
    for row, column in np.argwhere(mistakes):
        count = mistakes[row, column]
        axes.text(
            column, row, str(count), ha="center", va="center", zorder=3,
            fontsize=8 if count < 1000 else 6, color="white" if shades(count) > 0.6 else INK,
        )  # fmt: skip
    for row, support in enumerate(confusion.sum(axis=1)):
        rate = f"{100 * confusion[row, row] / support:.1f} %" if support else "–"
        _beside(axes, row, rate)
    _beside(axes, -1, "recall")
    letters = [plain(letter) for letter in classes]
    axes.set_xticks(range(size), letters, parse_math=False)
    axes.set_yticks(range(size), letters, parse_math=False)
    axes.set_xticks(np.arange(size + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(size + 1) - 0.5, minor=True)
    axes.grid(which="minor", color=FAINT_GREY, linewidth=0.5)
    axes.tick_params(which="both", length=0, labelsize=9)
    axes.set(xlabel=f"read\n{n:,} letters, {int(mistakes.sum()):,} mistakes", ylabel="truth")
    axes.spines[:].set_color(FAINT_GREY)
    return rendered(figure)


def plot_failures(split: dict[str, dict[str, int]], title: str) -> bytes:
    """Plot the causes of wrong words, a bar for each ranking.

    The parts of wrong answers lie right of zero. Words that the dictionary mended are right; they lie left of zero.

    Parameters
    ----------
    split : dict of str to dict of str to int
        Name of the ranking to the counts of `tasks.scoring.metrics.failure_split`.
    title : str
    """
    figure = new_figure(9.5, 1.9 + 0.62 * len(split), title)
    if not any(sum(counts.values()) for counts in split.values()):
        return rendered(say_instead(figure, "no words"))
    axes = figure.add_subplot()
    shares = {
        name: {key: 100 * counts[key] / max(sum(counts.values()), 1) for key in FAILURE_LOOKS}
        for name, counts in split.items()
    }
    wrong = {name: sum(share.values()) - share["rescue"] for name, share in shares.items()}
    mended = max(share["rescue"] for share in shares.values())
    # A third of the width is for the text after the longest bar. The bars have at least one percent.
    whole = 1.5 * max(max(wrong.values()) + mended, 1)
    axes.set_xlim(-mended - 0.02 * whole * bool(mended), 0.98 * whole - mended)
    for place, (name, share) in enumerate(shares.items()):
        start = 0.0
        for key, (colour, _) in FAILURE_LOOKS.items():
            width = share[key]
            left = -width if key == "rescue" else start
            axes.barh(place, width, left=left, color=colour, height=0.62, edgecolor="white", zorder=2)
            # Narrower parts have no room for their number.
            if width > 0.045 * whole:
                axes.text(
                    left + width / 2, place, f"{width:.1f}", ha="center", va="center", fontsize=8.5,
                    color=INK if key in ("place", "letter") else "white", zorder=3,
                )  # fmt: skip
            start += width if key != "rescue" else 0
        n = sum(split[name].values())
        lost = Rate(n - split[name]["right"] - split[name]["rescue"], n)
        axes.text(start + 0.01 * whole, place, f"wrong {lost}", va="center", fontsize=8.5, color=INK, zorder=3)
    axes.axvline(0, color=SOFT, linewidth=1, zorder=4)
    axes.set_yticks(range(len(split)), list(split), parse_math=False)
    axes.invert_yaxis()
    axes.set_xlabel("share of all words: mended to the left of zero, lost to the right")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=9, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(PERCENT)
    plain_axes(axes, "x")
    put_legend(figure, axes, FAILURE_LOOKS.values(), 3)
    return rendered(figure)


def _beside(axes: Axes, place: float, words: str) -> None:
    """Write text right of the axes, at `place` of the vertical axis."""
    axes.annotate(
        words, (1, place), xycoords=("axes fraction", "data"), xytext=(6, 0), textcoords="offset points",
        va="center", fontsize=8, color=INK, annotation_clip=False,
    )  # fmt: skip


def _limits(rows: list[ValueRate]) -> tuple[float, float]:
    """Return axis limits in percent that hold every error bar, with a margin."""
    rates = [Rate(row["right"], row["n"]) for row in rows]
    low, high = 100 * min(rate.low for rate in rates), 100 * max(rate.high for rate in rates)
    span = max(high - low, 0.5)
    # An axis that would begin close to zero begins at zero, which is easier to read.
    bottom = low - 0.1 * span if low > 0.4 * high else 0.0
    return math.floor(10 * bottom) / 10, min(high + 0.1 * span, 100 + 0.04 * span)


def _counted(axes: Axes, rows: list[ValueRate], mark: str) -> None:
    """Write above the axes how many tries are shown, and how many a `mark`."""
    counts = [row["n"] for row in rows]
    each = f"; {count_range(counts)} a {mark}" if len(counts) > 1 else ""
    axes.set_title(f"n = {sum(counts):,}{each}", fontsize=8.5, color=SOFT, loc="right")
