import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tasks.figures import breakdown, scores
from tasks.figures.breakdown import _limits, plot_rates
from tasks.figures.contact_sheet import SKY
from tasks.figures.scores import FAILURE_LOOKS, plot_confusion, plot_failures
from tasks.rates import Rate
from tasks.scoring.metrics import rates_by
from tests.plotted import colour, decoded, require_plot, rgb


def table(values, share: float, n: int) -> list[dict]:
    return [{"value": value, **Rate(round(share * n), n).as_dict()} for value in values]


def bars(n: int = 10_000, **counts: int) -> dict[str, int]:
    counts = {**dict.fromkeys(FAILURE_LOOKS, 0), **counts}
    return {**counts, "right": n - sum(counts.values())}


PLOTS = {
    "rates": lambda: plot_rates({"shear (mrad)": table([-1, 0, 1], 0.9, 100)}, "Rates"),
    "confusion": lambda: plot_confusion([[9, 3], [0, 8]], "AB", "Letters"),
    "failures": lambda: plot_failures({"none": bars(segments=500)}, "Lost"),
}


@pytest.mark.parametrize("name", PLOTS)
def test_plots_are_pictures_with_equal_bytes(name):
    require_plot(PLOTS[name])


def test_drawing_leaves_pyplot_alone():
    # In a process of its own: another test may have loaded pyplot.
    code = (
        "import sys; from tasks.figures.scores import plot_confusion; plot_confusion([[1]], 'A', 't'); "
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    root = Path(__file__).parents[3]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_rates_show_every_point_and_grow_a_panel_for_each_table():
    numbers = {"scale (%)": table(range(50, 100, 10), 0.9, 500)}
    one = rgb(plot_rates(numbers, "t"))
    three = rgb(plot_rates({**numbers, "a": numbers["scale (%)"], "b": numbers["scale (%)"]}, "t"))
    fonts = rgb(plot_rates({**numbers, "font": table(["Inter", "Play"], 0.8, 500)}, "t"))
    assert three.shape[0] > one.shape[0]
    assert fonts.shape[0] > one.shape[0]
    assert not (rgb(plot_rates({"scale (%)": numbers["scale (%)"][:-1]}, "t")) == one).all()


def test_names_have_bars_of_their_rates_the_worst_at_the_bottom():
    rows = [*table(["Inter"], 0.2, 500), *table(["Play"], 0.8, 500)]
    picture = rgb(plot_rates({"font": rows}, "t")).astype(int)
    shade = np.array([255 - 0.35 * (255 - part) for part in colour(SKY)])
    bar = (np.abs(picture - shade) <= 2).all(axis=2).sum(axis=1)
    lengths = [length for length in bar if length > 50]
    # Grid lines and error bars hide a few pixels of each.
    assert lengths[0] / lengths[-1] == pytest.approx(4, abs=0.1)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.998, 1.0])
@pytest.mark.parametrize("n", [3, 1000, 1_000_000])
def test_limits_never_hide_an_error_bar(share, n):
    rows = table([1, 2], share, n)
    bottom, top = _limits(rows)
    assert 0 <= bottom <= 100 * rows[0]["low"] <= 100 * rows[0]["high"] <= top < 105
    assert top - bottom < 3 * max(100 * (rows[0]["high"] - rows[0]["low"]), 1) or bottom == 0


@pytest.mark.parametrize("tables", [{}, {"font": []}, {"font": rates_by(np.array([], dtype="U1"), np.array([]))}])
def test_rates_of_nothing_say_so(tables):
    assert (rgb(plot_rates(tables, "t")) < 200).any()


@pytest.mark.slow
def test_all_plots_fit_a_page_of_1000_pixels():
    names = table([f"Face {k}" for k in range(70)], 0.7, 200)
    numbers = {f"{k}": table(range(9), 0.6, 500) for k in range(14)}
    letters = [chr(65 + k) for k in range(70)]
    plots = (
        plot_rates({**numbers, "font": names}, "a long title " * 30),
        plot_confusion(np.eye(70, dtype=int) * 40 + 1, letters, "t"),
        plot_failures({"none": bars(segments=500)}, "t"),
    )
    for plot in plots:
        height, width, _ = rgb(plot).shape
        assert width <= 1000 and height <= 2000


def test_errors_are_shown_where_all_is_near_100_percent(monkeypatch):
    seen = []
    monkeypatch.setattr(breakdown, "rendered", lambda figure: seen.append(figure) or b"")
    near = {"a (px)": table([1, 2, 3], 0.995, 1000), "font": table(["X", "Y"], 0.97, 1000)}
    near["a (px)"][1] = {"value": 2, **Rate(1000, 1000).as_dict()}
    plot_rates(near, "t")
    plot_rates({"a (px)": table([1, 2], 0.8, 1000)}, "t")
    points, names = seen[0].axes
    assert (points.get_yscale(), names.get_xscale(), seen[1].axes[0].get_yscale()) == ("log", "log", "linear")
    assert seen[0]._suptitle.get_text().startswith("Words wrong, t")
    low, high = points.get_ylim()
    for row in near["a (px)"]:
        wrong = Rate(row["n"] - row["right"], row["n"])
        assert low < 100 * (wrong.low or wrong.high) and 100 * wrong.high < high


@pytest.mark.parametrize("sizes", [[5, 200, 3, 40, 29, 1], [29, 29, 29], [1, 100], [100, 1], [10, 10, 9], [31]])
def test_no_point_has_fewer_than_30_tries(sizes):
    rows = [{"value": 10 * k, **Rate(n // 2, n).as_dict()} for k, n in enumerate(sizes)]
    found = breakdown.pooled(rows)
    assert all(row["n"] >= 30 for row in found)
    assert sum(row["n"] for row in found) == (sum(sizes) if sum(sizes) >= 30 else 0)
    assert sum(row["right"] for row in found) == (sum(n // 2 for n in sizes) if sum(sizes) >= 30 else 0)
    names = breakdown.pooled([{**row, "value": str(row["value"])} for row in rows])
    assert [row["n"] for row in names] == [n for n in sizes if n >= 30]


def test_a_few_words_are_told_by_their_rate(monkeypatch):
    seen = []
    monkeypatch.setattr(breakdown, "rendered", lambda figure: seen.append(figure) or b"")
    plot_rates({"a": table([1, 2], 0.5, 8), "letter": table(["A", "B", "C"], 0.5, 10)}, "t")
    text = seen[0].texts[-1]
    assert "50.00 %" in text.get_text() and "n = 16" in text.get_text()


def test_of_many_letters_those_with_the_most_mistakes_are_shown(monkeypatch):
    seen = []
    monkeypatch.setattr(scores, "rendered", lambda figure: seen.append(figure) or b"")
    counts = np.eye(40, dtype=int) * 50
    counts[5, 39] = 7
    plot_confusion(counts, [chr(65 + k) for k in range(40)], "t")
    axes = seen[0].axes[0]
    shown = [tick.get_text() for tick in axes.get_xticklabels()]
    assert len(shown) == scores.MOST_CLASSES and {chr(70), chr(104)} <= set(shown)
    assert "2,007 letters, 7 mistakes" in axes.get_xlabel() and "26 of 40" in axes.get_xlabel()


def test_rates_take_names_that_look_like_mathematics():
    assert decoded(plot_rates({"font": table(["$\\frac", "a_b"], 0.5, 10)}, "50 $ of $\\bad")).size


def test_confusion_colours_mistakes_only():
    right = rgb(plot_confusion(np.diag([50, 70, 90]), "ABC", "t"))
    wrong = rgb(plot_confusion([[50, 0, 400], [0, 70, 1], [0, 0, 90]], "ABC", "t"))

    def saturated(picture):
        return (np.ptp(picture.astype(int), axis=2) > 40).mean()

    assert saturated(right) == 0
    # Two cells, each of a ninth of the matrix; a single mistake is seen beside 400.
    assert saturated(wrong) > 0.05
    one = rgb(plot_confusion([[50, 0, 400], [0, 70, 0], [0, 0, 90]], "ABC", "t"))
    assert saturated(wrong) > 1.5 * saturated(one)


def test_confusion_must_fit_its_classes():
    with pytest.raises(ValueError, match="confusion must be 3 x 3"):
        plot_confusion([[1, 0], [0, 1]], "ABC", "t")


def test_failure_bars_are_as_long_as_their_shares():
    sizes = {"segments": 800, "place": 400, "letter": 1200, "damage": 600, "rescue": 1000}
    picture = rgb(plot_failures({"none": bars(**sizes)}, "t"))
    picture = picture[: int(0.6 * len(picture))]  # without the legend
    looks = {key: look for key, (look, _) in FAILURE_LOOKS.items()}
    spans = {}
    for key, look in looks.items():
        columns = np.nonzero((picture == colour(look)).all(axis=2).any(axis=0))[0]
        spans[key] = (columns.min(), columns.max())
    unit = np.ptp(spans["letter"]) / sizes["letter"]
    for key, (left, right) in spans.items():
        assert right - left == pytest.approx(unit * sizes[key], abs=4)
    order = [spans[key] for key in ("rescue", "segments", "place", "letter", "damage")]
    assert all(before[1] < after[0] for before, after in pairwise(order))


def test_failures_of_flawless_words_and_of_none():
    for split in ({"none": bars()}, {"none": dict.fromkeys([*FAILURE_LOOKS, "right"], 0)}, {}):
        assert (rgb(plot_failures(split, "t")) < 200).any()
