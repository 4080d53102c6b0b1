"""The plot of rates by the values of parameters, as the bytes of a PNG file: equal input gives equal bytes."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from storage.texts import plain
from tasks.figures.contact_sheet import BLUE, SKY, SOFT
from tasks.figures.style import (
    NEEDED,
    as_errors,
    beside,
    count_range,
    error_bars,
    log_axis,
    log_limits,
    near_all,
    new_figure,
    percent_sign,
    plain_axes,
    rendered,
    say_instead,
)
from tasks.rates import Rate, ValueRate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Tables = dict[str, list[ValueRate]]
TALL = {1: 2.9, 2: 2.9, 3: 2.2}  # inches of a panel, by the number of panels side by side
MOST_NAMES = 24  # bars of a table
WRONG = "words wrong, log scale\n(open: none wrong, at most so many)"
MOST_TICKS = {1: 12, 2: 10, 3: 6}


def plot_rates(tables: Tables, title: str) -> bytes:
    """Plot the rate of words right against each parameter of drawing, with 95 % intervals.

    If all rates are near 100 %, the words wrong are plotted instead, on a log axis. Numbers with fewer than `NEEDED`
    tries are pooled with their neighbours, and names are left out. Of many names, the worst are shown.

    Parameters
    ----------
    tables : dict of str to list of ValueRate
        Title of the axis (``"shear (mrad)"``, ``"font"``) to the table of `tasks.scoring.metrics.rates_by`. Numbers
        become points, with the same scale in all panels; names become bars, the worst at the bottom. Tables of names
        may count a word more than once.
    title : str
    """
    from matplotlib.ticker import MaxNLocator

    shown = {name: rows for name, given in tables.items() if (rows := pooled(given))}
    # A parameter that has the same value everywhere tells nothing, unless there is no other.
    shown = {name: rows for name, rows in shown.items() if len(rows) > 1} or dict(list(shown.items())[:1])
    if not shown:
        return rendered(say_instead(new_figure(9.5, 1.6, f"Words right, {title}"), _too_few(tables)))
    named = {name: rows for name, rows in shown.items() if isinstance(rows[0]["value"], str)}
    numbered = {name: rows for name, rows in shown.items() if name not in named}
    across = min(len(numbered), 3 if len(numbered) > 4 else 2) or 1
    lines = math.ceil(len(numbered) / across)
    heights = [TALL[across]] * lines + [0.9 + 0.27 * min(len(rows), MOST_NAMES) for rows in named.values()]
    every = [row for rows in shown.values() for row in rows]
    wrong = near_all(every)
    figure = new_figure(9.5, 0.6 + sum(heights), f"Words {'wrong' if wrong else 'right'}, {title}")
    grid = figure.add_gridspec(len(heights), across, height_ratios=heights)
    limits = log_limits(every) if wrong else _limits(every)
    for k, (name, rows) in enumerate(numbered.items()):
        axes = figure.add_subplot(grid[k // across, k % across])
        _points(axes, rows, wrong, limits)
        axes.set_xlabel(name)
        if k % across == 0:
            axes.set_ylabel(WRONG if wrong else "words right")
        if len(rows) <= MOST_TICKS[across]:
            axes.set_xticks([row["value"] for row in rows])
        else:
            axes.xaxis.set_major_locator(MaxNLocator(nbins=MOST_TICKS[across], integer=True, steps=[1, 2, 5, 10]))
    for k, (name, rows) in enumerate(named.items(), lines):
        axes = figure.add_subplot(grid[k, :])
        _bars(axes, rows, wrong, limits)
        left_out = len(tables[name]) - min(len(rows), MOST_NAMES)
        axes.set_title(
            f"{name}{f' ({left_out} rarer or better left out)' if left_out else ''}", fontsize=10, loc="left"
        )
    return rendered(figure)


def pooled(rows: Sequence[ValueRate]) -> list[ValueRate]:
    """Pool neighbouring numbers until each has `NEEDED` tries or more, and leave out rare names.

    A pooled number is the mean of its values, by tries. Empty if there are too few tries in all.
    """
    if any(isinstance(row["value"], str) for row in rows):
        return [row for row in rows if row["n"] >= NEEDED]
    found: list[list[ValueRate]] = []
    for row in sorted(rows, key=lambda row: row["value"]):
        if found and sum(part["n"] for part in found[-1]) < NEEDED:
            found[-1].append(row)
        else:
            found.append([row])
    if len(found) > 1 and sum(part["n"] for part in found[-1]) < NEEDED:
        last = found.pop()
        found[-1] += last
    groups = [_together(_mean(group), group) for group in found]
    return [group for group in groups if group["n"] >= NEEDED]


def _mean(rows: Sequence[ValueRate]) -> int:
    """Return the mean of the values, by tries, as a whole number."""
    n = sum(row["n"] for row in rows) or 1
    return round(sum(int(row["value"]) * row["n"] for row in rows) / n)


def _together(value: int | str, rows: Sequence[ValueRate]) -> ValueRate:
    rate = Rate(sum(row["right"] for row in rows), sum(row["n"] for row in rows))
    return {"value": value, **rate.as_dict()}


def _too_few(tables: Tables) -> str:
    """Say what there is if no parameter has enough tries."""
    rates = [Rate(sum(row["right"] for row in rows), sum(row["n"] for row in rows)) for rows in tables.values()]
    # A table by letters counts a word for each of its letters.
    every = min((rate for rate in rates if rate.n), key=lambda rate: rate.n, default=Rate(0, 0))
    return f"Fewer than {NEEDED} words for any value of a parameter.\nWords right: {every}"


def _points(axes: "Axes", rows: Sequence[ValueRate], wrong: bool, limits: tuple[float, float]) -> None:
    """Draw the points of a parameter of numbers."""
    values = np.array([row["value"] for row in rows], float)
    if wrong:
        rates, reach, none = as_errors(rows)
        log_axis(axes.yaxis, *limits)
        _no_errors(axes, values[none], rates[none], along="y")
    else:
        (rates, reach), none = error_bars(rows), np.zeros(len(rows), bool)
        axes.set_ylim(limits)
        axes.yaxis.set_major_formatter(percent_sign)
    if not none.any():  # a line through upper ends would look like rates
        axes.plot(values, rates, color=SKY, linewidth=1, zorder=2)
    axes.errorbar(
        values[~none], rates[~none], reach[:, ~none], fmt="o", color=BLUE, markersize=4, elinewidth=1.2, capsize=2.5,
        zorder=3,
    )  # fmt: skip
    _counted(axes, rows, "point")
    plain_axes(axes, "both")


def _bars(axes: "Axes", rows: Sequence[ValueRate], wrong: bool, limits: tuple[float, float]) -> None:
    """Draw a bar for each name, or only its end if the axis is logarithmic and has no zero."""
    rows = sorted(rows, key=lambda row: (row["right"] / row["n"], row["value"]))[:MOST_NAMES]
    places = np.arange(len(rows))
    rates, reach, none = as_errors(rows) if wrong else (*error_bars(rows), np.zeros(len(rows), bool))
    axes.errorbar(
        rates[~none], places[~none], xerr=reach[:, ~none], fmt="o", color=BLUE, markersize=4, capsize=2.5, zorder=3
    )
    if wrong:
        log_axis(axes.xaxis, *limits)
        _no_errors(axes, places[none], rates[none], along="x")
        axes.set_xlabel(WRONG.replace("\n", " "))
    else:
        axes.barh(places, rates, color=SKY, alpha=0.35, height=0.7, zorder=2)
        # A reader compares lengths, so the label says if the axis cuts the bars.
        cut = f" (bars cut at {limits[0]:g} %)" if limits[0] > 0 else ""
        axes.set(xlim=limits, xlabel=f"words right{cut}")
        axes.xaxis.set_major_formatter(percent_sign)
    for place, row in enumerate(rows):
        lost = row["n"] - row["right"]
        share = f"{100 * lost / row['n']:.2g} % wrong" if wrong else f"{100 * row['right'] / row['n']:.1f} %"
        beside(axes, place, f"0 of {row['n']:,}" if wrong and not lost else share)
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.set_yticks(places, [plain(row["value"]) for row in rows], parse_math=False)
    _counted(axes, rows, "name")
    plain_axes(axes, "x")


def _no_errors(axes: "Axes", places: np.ndarray, ends: np.ndarray, along: str) -> None:
    """Mark where there is no error: an open triangle at the upper end of the interval, which reaches to 0."""
    if len(places):
        x, y, marker = (places, ends, "v") if along == "y" else (ends, places, "<")
        axes.plot(x, y, marker, color=BLUE, markerfacecolor="white", markersize=6, linestyle="", zorder=3)


def _limits(rows: Sequence[ValueRate]) -> tuple[float, float]:
    """Return axis limits in percent that hold every error bar, with a margin."""
    rates = [Rate(row["right"], row["n"]) for row in rows]
    low, high = 100 * min(rate.low for rate in rates), 100 * max(rate.high for rate in rates)
    span = max(high - low, 0.5)
    # An axis that would begin close to zero begins at zero, which is easier to read.
    bottom = low - 0.1 * span if low > 0.4 * high else 0.0
    return math.floor(10 * bottom) / 10, min(high + 0.1 * span, 100 + 0.04 * span)


def _counted(axes: "Axes", rows: Sequence[ValueRate], mark: str) -> None:
    """Write above the axes how many tries a `mark` has."""
    axes.set_title(f"{count_range([row['n'] for row in rows])} a {mark}", fontsize=9, color=SOFT, loc="right")
