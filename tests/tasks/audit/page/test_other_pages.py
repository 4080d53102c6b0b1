"""The pages beside the report: the comparison of two audits, and the history of a target."""

import copy
import xml.etree.ElementTree as ET
from functools import cache

import pytest

from storage.texts import plain
from tasks.audit import schema
from tasks.audit.page.comparison_page import compared_word, write_comparison
from tasks.audit.page.history_page import MOST, history_plot, write_history
from tests.parsed_page import Parsed
from tests.sample_audit import HOSTILE, audit, rate

SVG = "{http://www.w3.org/2000/svg}"


@cache
def first() -> schema.Audit:
    return audit()


def at(day: int, right: int, n: int = 2000) -> schema.Audit:
    """An audit of a day whose strongest attacker read `right` of `n` pictures."""
    found = copy.deepcopy(first())
    found["made"]["started"] = f"2026-{1 + day // 28:02}-{1 + day % 28:02}T03:00:00Z"
    found["verdict"]["words"] = rate(right, n)
    return found


@pytest.mark.parametrize(
    ("difference", "word"),
    [((-0.3, -0.33, -0.27), "stronger"), ((0.1, 0.02, 0.18), "weaker"), ((0.01, -0.01, 0.03), "not told apart"),
     ((0.0, 0.0, 0.0), "not told apart"), (None, "not told apart")],
)  # fmt: skip
def test_a_comparison_says_what_the_interval_says(difference, word):
    assert compared_word(difference) == word
    found = Parsed(write_comparison(audit(), audit(), difference, ("shop", "shop")))
    assert f"{word.capitalize()}: shop against shop" in found.all("title")[0][2]
    assert word in found.all("h2")[0][2]
    assert any(text.startswith("shop ") and text.endswith(word.split()[-1]) for _, _, text in found.all("span"))


def test_a_comparison_has_both_audits_side_by_side():
    second = copy.deepcopy(audit())
    second["attackers"][-1]["words"] = rate(1500, 2000)
    second["attackers"][-2]["title"] = "the deep reader that draws"
    second["made"]["seed"] = 2
    found = Parsed(write_comparison(audit(), second, (-0.17, -0.2, -0.14), ("shop", "shop"), ["The minutes."]))
    assert "The minutes." in [text for _, _, text in found.all("p")]
    rows = [text for _, _, text in found.all("tr")]
    (last,) = [row for row in rows if row.startswith("Deep reader10,000")]
    assert "92.3 %" in last and "75.0 %" in last and "−17.3" in last
    (alone,) = [row for row in rows if row.startswith("Deep reader that draws3,000")]
    assert "not measured81.1 %" in alone and alone.endswith("–")
    assert "Seed12differs" in rows and any(row.startswith("Version0.1.0") and row.endswith("same") for row in rows)


def test_hostile_audits_can_be_compared_and_followed():
    hostile = audit(hostile=True)
    for page in (
        write_comparison(hostile, hostile, (0.0, -0.1, 0.1), (HOSTILE[1],) * 2, HOSTILE),
        write_history([hostile, hostile]),
    ):
        found = Parsed(page)
        assert len(found.all("script")) == len(found.all("style")) == 1 and found.all("img", "iframe", "link") == []
        assert plain(HOSTILE[1]) in found.text()


def test_a_history_draws_every_audit_with_its_interval():
    audits = [at(0, 1800), at(1, 900), at(2, 0), at(3, 17)]
    root = ET.fromstring(history_plot(audits))
    marks = [one for one in root.iter() if "mark" in one.get("class", "").split()]
    assert root.tag == f"{SVG}svg" and len(marks) == 4
    assert ["hollow" in one.get("class", "") for one in marks] == [False, False, True, False]
    heights = [float(y) for y in (one.split(",")[1] for one in root.find(f"{SVG}polyline").get("points").split())]
    assert heights[0] < heights[1] < heights[3] < heights[2]
    assert "0\u00a0% (0 to 0.19\u00a0%)" in root.find(f"{SVG}desc").text and root.find(f"{SVG}style") is not None
    dates = [one.text for one in root.iter(f"{SVG}text") if one.text.startswith("2026")]
    assert dates == ["2026-01-04", "2026-01-03", "2026-01-02", "2026-01-01"]


def test_a_history_has_a_plot_for_small_screens_too():
    """The wide plot shrank to half there, with letters of 6 pixels."""
    plots = Parsed(write_history([at(0, 1800), at(1, 900)])).all("svg")
    curves = [facts for _, facts, _ in plots if "curve" in (facts.get("class") or "")]
    assert [facts["class"] for facts in curves] == ["curve wide", "curve narrow"]
    assert [facts["viewbox"].split()[2] for facts in curves] == ["720", "360"]
    assert len({facts["aria-labelledby"] for facts in curves}) == 2


def test_a_long_history_shows_the_newest_and_few_dates():
    root = ET.fromstring(history_plot([at(day, 1000) for day in range(100)]))
    assert sum("mark" in one.get("class", "").split() for one in root.iter()) == MOST
    dates = [one for one in root.iter(f"{SVG}text") if one.text.startswith("2026")]
    assert dates[0].text == "2026-04-16" and 5 <= len(dates) <= 9
    assert all(78 / 2 <= float(one.get("x")) <= 720 - 78 / 2 for one in dates)


def test_a_history_page_has_a_table_the_newest_first():
    audits = [at(day, 1000 + day) for day in range(3)]
    audits[0]["verdict"] |= {"words": None, "attacker": None, "word": schema.NOT_SHOWN}
    found = Parsed(write_history(audits))
    rows = [text for _, _, text in found.all("tr")][1:]
    assert [row[:10] for row in rows] == ["2026-01-03", "2026-01-02", "2026-01-01"]
    assert "Not shown to be strong" in rows[2] and "not measured" in rows[2] and "50.1 %" in rows[0]
    assert ET.fromstring(history_plot([])).tag == f"{SVG}svg"
