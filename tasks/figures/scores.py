"""Plots of scores, each as the bytes of a PNG file: equal input, equal bytes."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.colors import ListedColormap, PowerNorm
from matplotlib.ticker import MaxNLocator

from storage.texts import plain
from tasks.figures.contact_sheet import BLUE, FAINT, GREEN, INK, ORANGE, RED, SKY, SOFT
from tasks.figures.style import PERCENT, error_bars, new_figure, plain_axes, put_legend, rendered, say_instead
from tasks.rates import Rate

FAILURE_LOOKS = {
    "segments": (BLUE, "wrong number of segments"),
    "place": (SKY, "letters cut elsewhere"),
    "letter": (ORANGE, "letter misread"),
    "damage": (RED, "spoilt by the dictionary"),
    "rescue": (GREEN, "mended by the dictionary"),
}
STEP_LOOKS = {
    "no dictionary": (BLUE, "no dictionary"),
    "hamming": (ORANGE, "nearest word by Hamming distance"),
    "probability": (GREEN, "letter probabilities + dictionary"),
}
# Percent of words, no dictionary: from re-runs and a reader's run (57, 57.8) to the author's notebooks.
PRINTED = (57.0, 62.9)


def plot_rates(tables: dict[str, list[dict]], title: str) -> bytes:
    """The rate as a function of each drawing parameter, with 95 % intervals.

    Parameters
    ----------
    tables : dict of str to list of dict
        What is on the axis (``"shear (mrad)"``, ``"font"``) to the table of `tasks.scoring.metrics.rates_by`. Numbers
        become points, all panels of them with one scale; names become bars, worst at the bottom.
    title : str
    """
    nothing = "no tries" if tables else "nothing is known of how these pictures were drawn"
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
        # A bar is read by its length, so it is said where the axis cuts it.
        cut = f" (bars cut at {limits[0]:g} %)" if limits[0] > 0 else ""
        axes.set(xlim=limits, ylim=(-0.7, len(rows) - 0.3), xlabel=f"right{cut}")
        axes.set_title(name, fontsize=10, loc="left")
        axes.xaxis.set_major_formatter(PERCENT)
        _counted(axes, rows, "bar")
        plain_axes(axes, "x")
    return rendered(figure)


def plot_confusion(counts: Sequence[Sequence[int]] | np.ndarray, classes: Sequence[str], title: str) -> bytes:
    """The mistakes of a confusion matrix; the right answers are greyed and given as a rate a letter.

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
    # A square root shows a single mistake beside the hundreds of the worst pair.
    shades = PowerNorm(0.5, vmin=0, vmax=max(most, 1))
    axes.imshow(np.ma.masked_equal(mistakes, 0), cmap="YlOrRd", norm=shades, zorder=2)
    diagonal = np.ma.masked_equal(np.eye(size), 0)
    axes.imshow(diagonal, cmap=ListedColormap([FAINT]), zorder=2)
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
    axes.grid(which="minor", color=FAINT, linewidth=0.5)
    axes.tick_params(which="both", length=0, labelsize=9)
    axes.set(xlabel=f"read\n{n:,} letters, {int(mistakes.sum()):,} mistakes", ylabel="truth")
    axes.spines[:].set_color(FAINT)
    return rendered(figure)


def plot_failures(split: dict[str, dict[str, int]], title: str) -> bytes:
    """What the words that failed were lost to, a bar for each way of ranking.

    Wrong answers go right from zero; what the dictionary mended, which is no failure, goes left.

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
    # A third of the width for the text after the longest bar; not less than a percent for the bars.
    whole = 1.5 * max(max(wrong.values()) + mended, 1)
    axes.set_xlim(-mended - 0.02 * whole * bool(mended), 0.98 * whole - mended)
    for place, (name, share) in enumerate(shares.items()):
        start = 0.0
        for key, (colour, _) in FAILURE_LOOKS.items():
            width = share[key]
            left = -width if key == "rescue" else start
            axes.barh(place, width, left=left, color=colour, height=0.62, edgecolor="white", zorder=2)
            # Written only where it fits.
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


def plot_steps(rows: Sequence[dict], title: str) -> bytes:
    """The book's procedure with one defect mended after another.

    Parameters
    ----------
    rows : sequence of dict
        In order: ``step`` (str), ``segments`` (share of the words that were cut into the right number of
        segments, 0 to 1), and a `Rate` as dict, or None, for the words right with ``no dictionary``, with
        the nearest word of it (``hamming``) and with letter probabilities and it (``probability``).
    title : str
    """
    figure = new_figure(9.5, 1.6 + 1.05 * max(len(rows), 1), title)
    if not rows:
        return rendered(say_instead(figure, "no steps"))
    axes = figure.add_subplot()
    axes.axvspan(*PRINTED, color=ORANGE, alpha=0.22, linewidth=0, zorder=1)
    low, high = PRINTED
    axes.text(
        (low + high) / 2, 1.01, f"reported for the book's procedure,\nno dictionary: {low:g} to {high:g} %",
        transform=axes.get_xaxis_transform(), ha="center", va="bottom", fontsize=8.5, color="#8a5a00",
    )  # fmt: skip
    height = 0.2
    for place, row in enumerate(rows):
        _bar(axes, place - 1.5 * height, 100 * row["segments"], (0, 0), SOFT, 0.5 * height)
        for line, (name, (colour, _)) in enumerate(STEP_LOOKS.items()):
            at = place + (line - 0.5) * height
            if row[name] is not None and row[name]["n"]:
                rates, reach = error_bars([row[name]])
                _bar(axes, at, rates[0], reach[:, 0], colour, 0.86 * height)
            else:
                axes.text(0.6, at, "not measured", va="center", fontsize=7.5, color=SOFT)
    counts = {row[name]["n"] for row in rows for name in STEP_LOOKS if row[name] is not None}
    axes.set_yticks(range(len(rows)), [row["step"] for row in rows], parse_math=False)
    axes.set(xlim=(0, 108), ylim=(len(rows) - 0.45, -0.55))
    axes.set_xlabel(f"words right, with 95 % interval ({_between(counts)} words a bar)")
    axes.set_xticks(range(0, 101, 20))
    axes.xaxis.set_major_formatter(PERCENT)
    plain_axes(axes, "x")
    put_legend(figure, axes, [(SOFT, "right number of segments"), *STEP_LOOKS.values()], 4)
    return rendered(figure)


def _bar(axes, place: float, percent: float, reach, colour: str, height: float) -> None:
    axes.barh(place, percent, height=height, color=colour, zorder=2)
    low, high = reach
    if low or high:
        axes.errorbar(percent, place, xerr=[[low], [high]], color=INK, elinewidth=1, capsize=1.5, zorder=3)
    axes.text(percent + high + 0.7, place, f"{percent:.1f} %", va="center", fontsize=7.5, color=INK, zorder=3)


def _beside(axes, place: float, words: str) -> None:
    """Text right of the axes, level with `place` of the other axis."""
    axes.annotate(
        words, (1, place), xycoords=("axes fraction", "data"), xytext=(6, 0), textcoords="offset points",
        va="center", fontsize=8, color=INK, annotation_clip=False,
    )  # fmt: skip


def _limits(rows: list[dict]) -> tuple[float, float]:
    """Axis limits in percent that hold every error bar with some air around it."""
    low, high = 100 * min(row["low"] for row in rows), 100 * max(row["high"] for row in rows)
    span = max(high - low, 0.5)
    # Close to zero, start there: a cut axis would only be harder to read.
    bottom = low - 0.1 * span if low > 0.4 * high else 0.0
    return math.floor(10 * bottom) / 10, min(high + 0.1 * span, 100 + 0.04 * span)


def _between(counts) -> str:
    low, high = min(counts, default=0), max(counts, default=0)
    return f"n = {low:,}" if low == high else f"n = {low:,} to {high:,}"


def _counted(axes, rows: list[dict], mark: str) -> None:
    counts = [row["n"] for row in rows]
    each = f"; {_between(counts)} a {mark}" if len(counts) > 1 else ""
    axes.set_title(f"n = {sum(counts):,}{each}", fontsize=8.5, color=SOFT, loc="right")
