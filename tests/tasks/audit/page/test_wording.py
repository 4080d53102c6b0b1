import pytest

from tasks.audit.page.elements import wording
from tasks.rates import Rate


@pytest.mark.parametrize(
    ("share", "reach", "said"),
    [(0.0, None, "0 %"), (1.0, 0.001, "100 %"), (0.923, 0.024, "92.3 %"), (0.9, 0.3, "90 %"),
     (0.99991, 0.0004, "99.99 %"), (0.9999999, 1e-7, "nearly 100 %"), (0.0000123, 0.00004, "0.0012 %"),
     (0.0123, None, "1.2 %"), (0.5, None, "50 %"), (0.996, None, "nearly 100 %"), (None, None, "not known"),
     (float("nan"), 0.1, "not known"), (1e-12, None, "0 %")],
)  # fmt: skip
def test_a_share_has_as_many_decimals_as_it_bears(share, reach, said):
    assert wording.percent(share, reach) == said


def test_rates_have_their_interval():
    assert wording.rate_text(Rate(1846, 2000).as_dict()) == "92.3 % (91.0 to 93.4 %)"
    assert wording.interval(Rate(0, 2000).as_dict()) == "0 to 0.19 %"
    near = {"right": 1, "n": 1, "rate": 0.9999999, "low": 0.9999998, "high": 0.99999999}
    assert wording.rate_text(near) == "nearly 100 % (nearly 100 %)"
    assert wording.rate_text(Rate(0, 0).as_dict()) == wording.rate_text(None) == "not measured"


@pytest.mark.parametrize(
    ("share", "said"),
    [(None, "none"), (0.0, "none"), (1.0, "all"), (0.98, "nearly all"), (0.92, "9 of 10"), (0.1, "1 of 10"),
     (0.031, "1 of 32"), (1 / 12_345, "1 of 12,000")],
)  # fmt: skip
def test_shares_are_said_as_people_say_them(share, said):
    assert wording.one_in(share) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, "not known"), (float("inf"), "not known"), (0.0043, "0.0043 s"), (0.00002, "0.02 ms"), (3.2, "3.2 s"),
     (59.6, "1 minute"), (90, "1.5 minutes"), (3600, "1 hour"), (200_000, "2.3 days"), (0, "0 s")],
)  # fmt: skip
def test_times_have_the_unit_that_fits(seconds, said):
    assert wording.duration(seconds) == said


def test_differences_and_prices_have_signs_and_units():
    assert [wording.points(value) for value in (-0.12, 0.0001, 0.3)] == ["−12.0", "0", "+30.0"]
    assert [wording.price(value, "EUR") for value in (None, 0.0, 0.001, 1234.5)] == [
        "not known", "nothing", "0.001 EUR", "1,234.50 EUR"]  # fmt: skip
    assert [wording.number(value) for value in (None, 3, 1234.4, 0.05, float("inf"))] == [
        "not known", "3", "1,234", "0.05", "not known"]  # fmt: skip
