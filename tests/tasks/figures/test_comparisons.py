import numpy as np
import pytest

from tasks.figures import comparisons
from tasks.figures.comparisons import LOOKS, STEP_LOOKS, plot_ladder, plot_reliability, plot_steps
from tasks.figures.contact_sheet import SOFT
from tasks.figures.style import at_least
from tasks.rates import Rate
from tasks.reading.ranking import Ranking
from tasks.scoring.metrics import calibration_error, reliability
from tests.plotted import colour, count, require_plot, rgb


def calibration(names=("none", "probability"), n=4000):
    random = np.random.Generator(np.random.Philox(1))
    sure = random.random(n) ** 0.4
    right = random.random(n) < sure
    return {name: {"error": calibration_error(sure, right), "reliability": reliability(sure, right)} for name in names}


def rung(name, **words):
    return {"rung": name, "words": {key: Rate(right, 1000).as_dict() for key, right in words.items()}}


def steps(*shares: float) -> list[dict]:
    rate = [Rate(round(5000 * share), 5000).as_dict() for share in shares]
    return [{"step": "one", "segments": 0.9, "rates": dict(zip(STEP_LOOKS, rate, strict=True))}]


PLOTS = {
    "reliability": lambda: plot_reliability(calibration(), "Confidence"),
    "ladder": lambda: plot_ladder([rung("book", none=950, probability=990), rung("random", none=700)], "Rungs"),
    "steps": lambda: plot_steps(steps(0.6, 0.7, 0.8), "Steps"),
}


@pytest.mark.parametrize("name", PLOTS)
def test_plots_are_pictures_with_equal_bytes(name):
    require_plot(PLOTS[name])


def test_every_ranking_has_a_look_of_its_own():
    assert set(LOOKS) == {ranking.value for ranking in Ranking}
    assert len({look for look, _ in LOOKS.values()}) == len(LOOKS)


def test_each_curve_is_shown_in_its_colour():
    both, one = rgb(plot_reliability(calibration(), "t")), rgb(plot_reliability(calibration(("none",)), "t"))
    assert count(one, LOOKS["none"][0]) > 200
    assert count(one, LOOKS["probability"][0]) == 0
    assert count(both, LOOKS["probability"][0]) > 200


def test_confidence_that_means_what_it_says_lies_on_the_diagonal():
    def dots(shift):
        rows = [
            {"confidence": place, **Rate(round(1e6 * (place + shift)), 10**6).as_dict()} for place in (0.3, 0.5, 0.7)
        ]
        picture = rgb(plot_reliability({"none": {"error": 0.0, "reliability": rows}}, "t"))[:-100]
        found = np.nonzero((picture == colour(LOOKS["none"][0])).all(axis=2))
        return found[0].mean(), found[1].mean()

    (on, left), (above, again) = dots(0), dots(0.2)
    assert above < on - 20
    assert again == pytest.approx(left, abs=3)


def test_bins_with_few_answers_are_pooled():
    bins = [(0.2, 3), (0.5, 20), (0.7, 40), (0.9, 5), (0.99, 5000)]
    rows = [{"confidence": place, **Rate(n, n).as_dict()} for place, n in bins]
    found = at_least(rows)
    assert [row["n"] for row in found] == [23 + 45, 5000]
    assert found[0]["confidence"] == pytest.approx((0.2 * 3 + 0.5 * 20 + 0.7 * 40 + 0.9 * 5) / 68)
    assert at_least(rows[:2]) == []
    assert (rgb(plot_reliability({"none": {"error": 0.1, "reliability": rows[:2]}}, "t")) < 200).any()


def test_errors_are_shown_where_all_is_near_100_percent(monkeypatch):
    seen = []
    monkeypatch.setattr(comparisons, "rendered", lambda figure: seen.append(figure) or b"")
    plot_ladder([rung("book", none=1000, probability=999), rung("random", none=950)], "t")
    plot_ladder([rung("book", none=1000), rung("random", none=850)], "t")
    sure = [{"confidence": c, **Rate(right, 1000).as_dict()} for c, right in ((0.98, 979), (1.0, 1000))]
    plot_reliability({"none": {"error": 0.0, "reliability": sure}}, "t")
    plot_reliability(calibration(), "t")
    assert [figure.axes[0].get_xscale() for figure in seen] == ["log", "linear", "log", "linear"]


def test_plots_fit_a_page_of_1000_pixels():
    for plot in PLOTS.values():
        assert rgb(plot()).shape[1] <= 1000


def test_bars_of_the_ladder_are_as_long_as_their_rates():
    picture = rgb(plot_ladder([rung("book", none=900, probability=450)], "t"))
    picture = picture[: int(0.6 * len(picture))]  # without the legend
    lengths = {}
    for name in ("none", "probability"):
        columns = np.nonzero((picture == colour(LOOKS[name][0])).all(axis=2).any(axis=0))[0]
        lengths[name] = np.ptp(columns)
    assert lengths["none"] / lengths["probability"] == pytest.approx(2, abs=0.03)


def test_the_ladder_grows_with_its_rungs():
    sizes = [rgb(plot_ladder([rung(f"r{k}", none=500) for k in range(count)], "t")).shape[0] for count in (1, 4, 9)]
    assert sizes == sorted(set(sizes))


def test_plots_of_nothing_say_so():
    for data in (
        plot_reliability({}, "t"),
        plot_reliability({"none": {"error": float("nan"), "reliability": []}}, "t"),
        plot_ladder([], "t"),
    ):
        assert (rgb(data) < 200).any()
    empty = {"rung": "book", "words": {"none": Rate(0, 0).as_dict()}}
    assert rgb(plot_ladder([empty], "t")).size


def test_names_that_look_like_mathematics():
    assert rgb(plot_ladder([rung("$\\frac", none=1)], "50 $ of $\\bad")).size


def test_step_bars_are_as_long_as_their_rates():
    picture = rgb(plot_steps(steps(0.5, 0.75, 1.0), "t"))
    picture = picture[: int(0.75 * len(picture))]
    lengths = []
    for look, _ in STEP_LOOKS.values():
        columns = np.nonzero((picture == colour(look)).all(axis=2).any(axis=0))[0]
        lengths.append(np.ptp(columns))
    assert lengths[1] / lengths[0] == pytest.approx(1.5, abs=0.02)
    assert lengths[2] / lengths[0] == pytest.approx(2.0, abs=0.02)


def test_segments_have_a_bar_of_their_own():
    whole, half = steps(0.5, 0.5, 0.5), steps(0.5, 0.5, 0.5)
    half[0]["segments"] = 0.45
    grey = [count(rgb(plot_steps(rows, "t")), SOFT) for rows in (whole, half)]
    assert 1.5 < grey[0] / grey[1] < 2


def test_step_that_was_not_measured_has_no_bar():
    rows = steps(0.5, 0.75, 1.0)
    before = count(rgb(plot_steps(rows, "t")), STEP_LOOKS["probability"][0])
    rows[0]["rates"]["probability"] = None
    after = count(rgb(plot_steps(rows, "t")), STEP_LOOKS["probability"][0])
    assert 0 < after < before / 10
    assert (rgb(plot_steps([], "t")) < 200).any()


def test_the_range_of_the_book_is_shaded():
    picture = rgb(plot_steps(steps(0.1, 0.1, 0.1), "t"))
    # Orange at 0.22 over white.
    shade = (np.abs(picture.astype(int) - (249, 234, 199)) <= 2).all(axis=2)
    columns = np.nonzero(shade.sum(axis=0) > 50)[0]
    assert 0.03 < np.ptp(columns) / picture.shape[1] < 0.06
