"""Plots that compare rankings, rungs or steps, each as the bytes of a PNG file: equal input gives equal bytes."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from tasks.figures.contact_sheet import BLUE, GREEN, INK, ORANGE, SOFT
from tasks.figures.style import (
    NEAR,
    NEEDED,
    as_errors,
    at_least,
    count_range,
    error_bars,
    log_axis,
    log_limits,
    near_all,
    new_figure,
    percent_sign,
    plain_axes,
    put_legend,
    rendered,
    say_instead,
)
from tasks.rates import Calibration, ConfidenceRate, RateRecord

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOOKS = {
    "none": (BLUE, "no dictionary"),
    "probability": (GREEN, "dictionary, in the cutting"),
    "positions": (ORANGE, "dictionary, equal positions (the book's)"),
    "levenshtein": ("#9467bd", "dictionary, Levenshtein"),
}
STEP_LOOKS = {
    "no dictionary": (BLUE, "no dictionary"),
    "hamming": (ORANGE, "nearest word by equal positions"),
    "probability": (GREEN, "letter probabilities + dictionary"),
}
FLOOR = 1e-6  # of a doubt on a log axis, which has no place for 0
# Percent of words without a dictionary: re-runs and a reader's run gave 57 and 57.8, the author's notebooks the most.
PRINTED = (57.0, 62.9)


class RungWords(TypedDict):
    """A rung of the ladder, and the rate of words right on it by ranking."""

    rung: str
    words: dict[str, RateRecord]


class StepScores(TypedDict):
    """A step of the book's procedure and its scores.

    segments : share of the words that were cut into the right number of segments, 0 to 1
    rates : the rate of words right for each name in `STEP_LOOKS`; None if it was not measured
    """

    step: str
    segments: float
    rates: dict[str, RateRecord | None]


def plot_reliability(calibration: dict[str, Calibration], title: str) -> bytes:
    """Plot the share of right answers against their mean confidence; on the diagonal the two are equal.

    Neighbouring bins are pooled until each has `NEEDED` answers. If all are near 100 %, their errors are plotted, on
    log axes.

    Parameters
    ----------
    calibration : dict of str to Calibration
        By ranking.
    title : str
    """
    curves = {name: at_least(curve["reliability"]) for name, curve in calibration.items()}
    rows = [row for found in curves.values() for row in found]
    if not rows:
        n = max((row["n"] for curve in calibration.values() for row in curve["reliability"]), default=0)
        few = f"fewer than {NEEDED} answers, too few for a curve" if n else "no answers"
        return rendered(say_instead(new_figure(6.4, 1.6, title), few))
    wrong = near_all(rows) and min(row["confidence"] for row in rows) >= NEAR
    figure = new_figure(6.4, 5.6, title)
    axes = figure.add_subplot()
    looks = []
    for name, found in curves.items():
        colour, said = LOOKS[name]
        _curve(axes, found, colour, wrong, max(row["n"] for row in rows))
        looks.append((colour, f"{said}: calibration error {100 * calibration[name]['error']:.2g} %"))
    sizes = "larger dots: more answers"
    if wrong:
        low, high = log_limits(rows)
        low = min(low, 60 * min(max(1 - row["confidence"], FLOOR) for row in rows))
        high = max(high, 160 * max(1 - row["confidence"] for row in rows))
        log_axis(axes.xaxis, low, high)
        log_axis(axes.yaxis, low, high)
        axes.set(xlabel=f"expected wrong: 100 % less the confidence ({sizes})", ylabel="answers wrong, 95 % interval")
    else:
        low, high = 0, 100
        axes.set(xlim=(-3, 103), ylim=(-3, 103), xlabel=f"mean confidence ({sizes})",
                 ylabel="answers right, with 95 % interval")  # fmt: skip
        axes.xaxis.set_major_formatter(percent_sign)
        axes.yaxis.set_major_formatter(percent_sign)
    axes.plot([low, high], [low, high], color=SOFT, linewidth=1, zorder=1)
    plain_axes(axes, "both")
    put_legend(figure, axes, looks, 1)
    return rendered(figure)


def _curve(axes: "Axes", rows: Sequence[ConfidenceRate], colour: str, wrong: bool, most: int) -> None:
    """Draw the points of a ranking, each with its interval and as large as it has answers."""
    confidence = np.array([row["confidence"] for row in rows])
    if wrong:
        rates, reach, none = as_errors(rows)
        places = 100 * np.maximum(1 - confidence, FLOOR)
    else:
        (rates, reach), none, places = error_bars(rows), np.zeros(len(rows), bool), 100 * confidence
    axes.errorbar(places, rates, reach, fmt="none", ecolor=colour, elinewidth=1.2, capsize=2.5, zorder=2)
    sizes = np.array([18 + 180 * row["n"] / most for row in rows])
    axes.scatter(places[~none], rates[~none], sizes[~none], color=colour, edgecolor="white", linewidth=0.8, zorder=3)
    axes.scatter(places[none], rates[none], sizes[none], marker="v", color="white", edgecolor=colour, zorder=3)


def plot_ladder(rows: Sequence[RungWords], title: str) -> bytes:
    """Plot the share of words right on each rung, a bar for each ranking, with 95 % intervals.

    Parameters
    ----------
    rows : sequence of RungWords
        In order.
    title : str
    """
    figure = new_figure(9.5, 1.6 + 0.95 * max(len(rows), 1), title)
    if not rows:
        return rendered(say_instead(figure, "no rungs"))
    axes = figure.add_subplot()
    height = 0.2
    used = [name for name in LOOKS if any(name in row["words"] for row in rows)]
    known = [rate for row in rows for rate in row["words"].values() if rate["n"]]
    wrong = near_all(known)
    for place, row in enumerate(rows):
        for line, name in enumerate(used):
            rate = row["words"].get(name)
            if rate is None or not rate["n"]:
                continue
            at = place + (line - (len(used) - 1) / 2) * height
            if wrong:
                _error_at(axes, at, rate, LOOKS[name][0])
            else:
                (percent,), reach = error_bars([rate])
                axes.barh(at, percent, color=LOOKS[name][0], height=0.86 * height, zorder=2)
                axes.errorbar(percent, at, xerr=reach, fmt="none", ecolor=INK, elinewidth=1, capsize=1.5, zorder=3)
                axes.text(percent + reach[1, 0] + 0.6, at, f"{percent:.1f}", va="center", fontsize=8.5, color=INK)
    axes.set_yticks(range(len(rows)), [row["rung"] for row in rows], parse_math=False)
    axes.set_ylim(len(rows) - 0.45, -0.55)
    if wrong:
        low, high = log_limits(known)
        log_axis(axes.xaxis, low, 2 * high)
        axes.set_xlabel("words wrong, log scale, with 95 % interval (open: none wrong, at most so many)")
    else:
        axes.set(xlim=(0, 108), xlabel="words right, with 95 % interval")
        axes.set_xticks(range(0, 101, 20))
        axes.xaxis.set_major_formatter(percent_sign)
    plain_axes(axes, "x")
    put_legend(figure, axes, [LOOKS[name] for name in used], 2)
    return rendered(figure)


def _error_at(axes: "Axes", place: float, rate: RateRecord, colour: str) -> None:
    """Draw the words wrong of a rung and a ranking on a log axis, with the interval and the number."""
    (percent,), reach, (none,) = as_errors([rate])
    axes.errorbar(
        percent, place, xerr=reach, fmt="<" if none else "o", color=colour, markerfacecolor="white" if none else colour,
        markersize=5, elinewidth=1, capsize=1.5, zorder=3,
    )  # fmt: skip
    said = f" 0 of {rate['n']:,}" if none else f" {percent:.2g} %"
    axes.text((percent + reach[1, 0]) * 1.05, place, said, va="center", fontsize=8.5, color=INK)


def plot_steps(rows: Sequence[StepScores], title: str) -> bytes:
    """Plot the scores of the book's procedure as its defects are mended one after the other.

    Parameters
    ----------
    rows : sequence of StepScores
        In order.
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
            rate = row["rates"][name]
            if rate is not None and rate["n"]:
                rates, reach = error_bars([rate])
                _bar(axes, at, rates[0], reach[:, 0], colour, 0.86 * height)
            else:
                axes.text(0.6, at, "not measured", va="center", fontsize=8.5, color=SOFT)
    counts = {rate["n"] for row in rows for rate in row["rates"].values() if rate is not None}
    axes.set_yticks(range(len(rows)), [row["step"] for row in rows], parse_math=False)
    axes.set(xlim=(0, 108), ylim=(len(rows) - 0.45, -0.55))
    axes.set_xlabel(f"words right, with 95 % interval ({count_range(counts)} words a bar)")
    axes.set_xticks(range(0, 101, 20))
    axes.xaxis.set_major_formatter(percent_sign)
    plain_axes(axes, "x")
    put_legend(figure, axes, [(SOFT, "four segments"), *STEP_LOOKS.values()], 4)
    return rendered(figure)


def _bar(axes: "Axes", place: float, percent: float, reach: Iterable[float], colour: str, height: float) -> None:
    """Draw a bar with its interval, which reaches so many percent below and above its end, and its number."""
    axes.barh(place, percent, height=height, color=colour, zorder=2)
    low, high = reach
    if low or high:
        axes.errorbar(percent, place, xerr=[[low], [high]], color=INK, elinewidth=1, capsize=1.5, zorder=3)
    axes.text(percent + high + 0.7, place, f"{percent:.1f} %", va="center", fontsize=8.5, color=INK, zorder=3)
