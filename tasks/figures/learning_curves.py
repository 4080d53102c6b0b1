"""Plots of learning: words right over the pictures of a training, or over how many labelled pictures there were."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

import numpy as np

from tasks.figures.contact_sheet import BLUE, GREEN, ORANGE, SOFT
from tasks.figures.style import (
    count_range,
    error_bars,
    new_figure,
    percent_sign,
    plain_axes,
    put_legend,
    rendered,
    say_instead,
)
from tasks.rates import RateRecord

_COLOURS = (BLUE, GREEN, ORANGE)
_APART = 1.04  # the factor by which the points of curves stand beside each other


class Look(TypedDict):
    """A look at a training: the pictures seen so far, the loss, and the share of validation words right."""

    pictures: int
    loss: float
    right: float


class LearntRate(RateRecord):
    """Words right after learning from so many labelled pictures."""

    pictures: int


def plot_training(curve: Sequence[Look], title: str) -> bytes:
    """Plot the validation words right, and the loss below them, over the pictures seen."""
    figure = new_figure(7.2, 5.2 if curve else 1.6, title)
    if not curve:
        return rendered(say_instead(figure, "too short a training for a look at validation pictures"))
    pictures = [look["pictures"] for look in curve]
    above, below = figure.subplots(2, 1, sharex=True)
    above.plot(pictures, [100 * look["right"] for look in curve], color=BLUE, marker="o", markersize=3.5)
    above.set(ylim=(-3, 103), ylabel="validation words right")
    above.yaxis.set_major_formatter(percent_sign)
    below.plot(pictures, [look["loss"] for look in curve], color=ORANGE, marker="o", markersize=3.5)
    below.set(ylabel="loss", xlabel="pictures seen, with repetition", ylim=(0, None))
    below.xaxis.set_major_formatter(_number)
    for axes in (above, below):
        plain_axes(axes, "both")
    return rendered(figure)


def plot_learning(curves: Mapping[str, Sequence[LearntRate]], title: str) -> bytes:
    """Plot words right with 95 % intervals over labelled pictures, on a log axis; a curve for each way to begin."""
    points = sorted({row["pictures"] for rows in curves.values() for row in rows})
    figure = new_figure(7.2, 4.6 if points else 1.6, title)
    if not points:
        return rendered(say_instead(figure, "nothing is measured yet"))
    axes = figure.add_subplot()
    axes.set(xscale="log", ylim=(-3, 103), xlim=(points[0] / 1.5, points[-1] * 1.5))
    looks = []
    for place, (name, rows) in enumerate(curves.items()):
        rates, reach = error_bars(rows)
        at = np.array([row["pictures"] for row in rows]) * _APART ** (place - (len(curves) - 1) / 2)
        colour = _COLOURS[place % len(_COLOURS)]
        axes.errorbar(at, rates, reach, color=colour, marker="o", markersize=4.5, capsize=3, linewidth=1.5)
        looks.append((colour, name))
    axes.set_xticks(points, labels=[_number(point) for point in points])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(percent_sign)
    counts = count_range([row["n"] for rows in curves.values() for row in rows])
    axes.set(xlabel="labelled pictures to learn from", ylabel=f"words right, 95 % interval, {counts}")
    axes.axhline(90, color=SOFT, linewidth=0.8, linestyle=(0, (4, 4)), zorder=0)
    plain_axes(axes, "both")
    put_legend(figure, axes, looks, len(looks))
    return rendered(figure)


def _number(value: float, _place: float | None = None) -> str:
    return f"{value:,.0f}"
