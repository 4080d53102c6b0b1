"""Plots of a reader's confidence and of the ladder, each as the bytes of a PNG file: equal input, equal bytes."""

from collections.abc import Sequence

from tasks.figures.contact_sheet import BLUE, GREEN, INK, ORANGE, SOFT
from tasks.figures.style import PERCENT, error_bars, new_figure, plain_axes, put_legend, rendered, say_instead

LOOKS = {
    "none": (BLUE, "no dictionary"),
    "probability": (GREEN, "dictionary, in the cutting"),
    "positions": (ORANGE, "dictionary, equal positions (the book's)"),
    "levenshtein": ("#9467bd", "dictionary, Levenshtein"),
}


def plot_reliability(calibration: dict[str, dict], title: str) -> bytes:
    """How often answers of each confidence are right; on the diagonal, confidence means what it says.

    Parameters
    ----------
    calibration : dict of str to dict
        Name of the ranking to ``error`` (0 to 1) and ``reliability``, the rows of `tasks.scoring.metrics.reliability`.
    title : str
    """
    figure = new_figure(6.4, 5.6, title)
    if not any(one["reliability"] for one in calibration.values()):
        return rendered(say_instead(figure, "no answers"))
    axes = figure.add_subplot()
    axes.plot([0, 100], [0, 100], color=SOFT, linewidth=1, zorder=1)
    most = max(row["n"] for one in calibration.values() for row in one["reliability"])
    looks = []
    for name, one in calibration.items():
        colour, said = LOOKS[name]
        rows = one["reliability"]
        rates, reach = error_bars(rows)
        places = [100 * row["confidence"] for row in rows]
        axes.errorbar(places, rates, reach, fmt="none", ecolor=colour, elinewidth=1.2, capsize=2.5, zorder=2)
        sizes = [18 + 180 * row["n"] / most for row in rows]
        axes.scatter(places, rates, sizes, color=colour, edgecolor="white", linewidth=0.8, zorder=3)
        looks.append((colour, f"{said}: calibration error {100 * one['error']:.2f} %"))
    axes.set(xlim=(-3, 103), ylim=(-3, 103), xlabel="mean confidence (larger dots: more answers)",
             ylabel="answers right, with 95 % interval")  # fmt: skip
    axes.xaxis.set_major_formatter(PERCENT)
    axes.yaxis.set_major_formatter(PERCENT)
    plain_axes(axes, "both")
    put_legend(figure, axes, looks, 1)
    return rendered(figure)


def plot_ladder(rows: Sequence[dict], title: str) -> bytes:
    """Words right on each rung, a bar for each way of ranking, with 95 % intervals.

    Parameters
    ----------
    rows : sequence of dict
        In order: ``rung`` (str), and ``words``, a dict of the ranking to a `Rate` as dict.
    title : str
    """
    figure = new_figure(9.5, 1.6 + 0.95 * max(len(rows), 1), title)
    if not rows:
        return rendered(say_instead(figure, "no rungs"))
    axes = figure.add_subplot()
    height = 0.2
    used = [name for name in LOOKS if any(name in row["words"] for row in rows)]
    for place, row in enumerate(rows):
        for line, name in enumerate(used):
            rate = row["words"].get(name)
            if rate is None or not rate["n"]:
                continue
            (percent,), reach = error_bars([rate])
            at = place + (line - (len(used) - 1) / 2) * height
            axes.barh(at, percent, color=LOOKS[name][0], height=0.86 * height, zorder=2)
            axes.errorbar(percent, at, xerr=reach, fmt="none", ecolor=INK, elinewidth=1, capsize=1.5, zorder=3)
            axes.text(percent + reach[1, 0] + 0.6, at, f"{percent:.1f}", va="center", fontsize=7.5, color=INK)
    axes.set_yticks(range(len(rows)), [row["rung"] for row in rows], parse_math=False)
    axes.set(xlim=(0, 108), ylim=(len(rows) - 0.45, -0.55), xlabel="words right, with 95 % interval")
    axes.set_xticks(range(0, 101, 20))
    axes.xaxis.set_major_formatter(PERCENT)
    plain_axes(axes, "x")
    put_legend(figure, axes, [LOOKS[name] for name in used], 2)
    return rendered(figure)
