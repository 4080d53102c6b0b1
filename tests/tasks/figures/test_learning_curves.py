"""Plots of learning: over the pictures of a training, and over the number of labelled pictures."""

import numpy as np
import pytest

from tasks.figures.contact_sheet import BLUE, GREEN
from tasks.figures.learning_curves import plot_learning, plot_training
from tasks.rates import Rate
from tests.plotted import count, require_plot, rgb

LOOKS = [{"pictures": 1000 * k, "loss": 2.0 / k, "right": 0.1 * k} for k in range(1, 9)]


def curve(*shares):
    return [{"pictures": 100 * 3**k, **Rate(round(500 * s), 500).as_dict()} for k, s in enumerate(shares)]


PLOTS = {
    "training": lambda: plot_training(LOOKS, "A training"),
    "learning": lambda: plot_learning({"nothing": curve(0, 0.2, 0.6), "strangers": curve(0.3, 0.7, 1)}, "Learning"),
}


@pytest.mark.parametrize("name", PLOTS)
def test_plots_are_pictures_with_equal_bytes(name):
    require_plot(PLOTS[name])


def test_each_beginning_has_its_colour():
    both = rgb(plot_learning({"a": curve(0.1, 0.2), "b": curve(0.5, 0.9)}, "t"))
    alone = rgb(plot_learning({"a": curve(0.1, 0.2)}, "t"))
    assert count(both, BLUE) > 200
    assert count(both, GREEN) > 200
    assert count(alone, GREEN) == 0


def test_better_words_stand_higher():
    def height(share):
        picture = rgb(plot_learning({"a": curve(share)}, "t"))[:-60]
        return np.nonzero((picture == [int(BLUE[k : k + 2], 16) for k in (1, 3, 5)]).all(axis=2))[0].mean()

    assert height(0.9) < height(0.1)


def test_nothing_to_plot_is_said():
    for data in (plot_training([], "t"), plot_learning({}, "t")):
        assert rgb(data).shape[0] < 250
