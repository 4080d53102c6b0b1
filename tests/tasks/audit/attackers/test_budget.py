"""How the minutes of an audit are divided."""

import pytest

from tasks.audit.attackers import budget


def test_the_shares_are_a_whole():
    assert sum(budget.SHARES.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("labelled", "rungs"),
    [(5, []), (50, [50]), (100, [100]), (140, [100]), (150, [100, 150]), (3000, [100, 300, 1000, 3000]),
     (9000, [100, 300, 1000, 3000, 9000])],
)  # fmt: skip
def test_the_ladder_ends_with_all_labelled_pictures(labelled, rungs):
    assert budget.rungs_of(labelled) == rungs


def test_fewer_rungs_are_spread_and_keep_the_last():
    rungs = [100, 300, 1000, 3000, 10_000]
    spread = [budget.spread(rungs, count) for count in (1, 2, 3, 9)]
    assert spread == [[10_000], [1000, 10_000], [300, 1000, 10_000], rungs]


@pytest.mark.parametrize("plan", [budget.plan_classic, budget.plan_deep])
@pytest.mark.parametrize("seconds", [0, 10, 30, 60, 100, 300, 1000, 10_000])
def test_a_plan_fits_into_its_seconds(plan, seconds):
    rungs = budget.rungs_of(20_000)
    chosen = plan(rungs, seconds)
    assert sum(rung.seconds for rung in chosen) <= seconds * 1.000001
    assert [rung.labels for rung in chosen] == sorted({rung.labels for rung in chosen})
    assert {rung.labels for rung in chosen} <= set(rungs)


def test_a_small_budget_tries_the_largest_training_that_it_can():
    assert [rung.labels for rung in budget.plan_classic([100, 1000, 30_000], 30)] == [1000]
    assert budget.plan_classic([100, 1000], 10) == []


def test_shows_follow_the_seconds_and_the_machine():
    rung = budget.Rung(1000, 60)
    assert budget.LEAST_SHOWS <= budget.shows_for(rung, 2.0) < budget.shows_for(rung, 1.0) < budget.MOST_SHOWS
    assert budget.shows_for(budget.Rung(1000, 10_000), 1.0) == budget.MOST_SHOWS


def test_enough_minutes_are_enough():
    minutes = budget.minutes_for_all(20_000)
    rungs = budget.rungs_of(20_000)
    assert len(budget.plan_classic(rungs, 60.1 * minutes * budget.SHARES["classic"])) == len(rungs)
    assert len(budget.plan_deep(rungs, 60.1 * minutes * budget.SHARES["deep"])) == len(rungs)


def test_an_hour_and_a_half_suffices_to_show_that_it_holds():
    from tasks.audit.attackers.verdict import needed_unseen

    assert budget.unseen_wanted(90) >= needed_unseen()
    assert budget.unseen_wanted(1) == 500


@pytest.mark.parametrize("minutes", [3, 4, 10])
def test_three_minutes_are_enough_for_a_curve_of_the_deep_reader(minutes):
    """Drawing and the attackers without labels use their shares first."""
    left = 60 * minutes * sum(budget.SHARES[part] for part in ("deep", "classic"))
    planned = budget.plan_deep(budget.rungs_of(13_500), left)
    assert len(planned) >= budget.POINTS
    assert planned[-1].labels == 10_000
    assert planned[-1].seconds > planned[0].seconds
