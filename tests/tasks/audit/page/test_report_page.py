import base64
import copy
import hashlib
import re
from itertools import pairwise

import pytest

from storage.texts import plain
from tasks.audit import schema
from tasks.audit.page.elements.album import Album
from tasks.audit.page.elements.label_places import LabelPlace, LabelPlaces
from tasks.audit.page.parts.cost_curve import WIDE, cost_curve
from tasks.audit.page.parts.defect_part import defect_part
from tasks.audit.page.report_page import write_page
from tests.parsed_page import Parsed
from tests.sample_audit import ALPHABET, HOSTILE, attacker, audit, noise_png, rate


@pytest.fixture(scope="module")
def page() -> str:
    return write_page(audit())


@pytest.fixture(scope="module")
def parsed(page) -> Parsed:
    return Parsed(page)


@pytest.fixture(scope="module")
def hostile() -> Parsed:
    return Parsed(write_page(audit(hostile=True)))


def test_equal_audits_give_equal_pages(page):
    assert write_page(audit()) == page
    assert page.startswith('<!doctype html>\n<html lang="en">') and len(page.encode()) < 300_000


def test_the_policy_allows_the_page_itself_and_nothing_else(parsed):
    (policy,) = [
        one["content"] for _, one, _ in parsed.all("meta") if one.get("http-equiv") == "Content-Security-Policy"
    ]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'" and rules["img-src"] == "data:"
    for tag in ("style", "script"):
        ((_, _, text),) = parsed.all(tag)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[f"{tag}-src"] == f"'sha256-{digest}'"
    assert set(rules) == {"default-src", "base-uri", "form-action", "img-src", "style-src", "script-src"}


@pytest.mark.parametrize("which", ["parsed", "hostile"])
def test_a_screen_reader_finds_its_way(which, request):
    found = request.getfixturevalue(which)
    assert [tag for tag, _, _ in found.all("header", "nav", "main", "footer")] == ["header", "nav", "main", "footer"]
    headings = [int(tag[1]) for tag, _, _ in found.all("h1", "h2", "h3", "h4")]
    assert headings.count(1) == 1 and headings[0] == 1
    assert all(below - above <= 1 for above, below in pairwise(headings))
    assert len(found.all("title")) == 2 + 1  # of the page, and of the curve for wide and for narrow screens
    ids = [one["id"] for _, one, _ in found.elements if "id" in one]
    assert len(ids) == len(set(ids))
    for _, one, _ in found.elements:
        for key in ("aria-labelledby", "aria-describedby", "href"):
            for name in (one.get(key) or "").replace("#", "").split():
                assert name in ids, name
    assert found.all("a")[0][1]["href"] == "#main"


@pytest.mark.parametrize("which", ["parsed", "hostile"])
def test_every_table_has_a_caption_and_headers(which, request):
    found = request.getfixturevalue(which)
    tables = found.all("table")
    assert len(tables) == len(found.all("caption")) >= 10 and all(text for _, _, text in found.all("caption"))
    scopes = [one.get("scope") for _, one, _ in found.all("th")]
    assert set(scopes) == {"col", "row"} and scopes.count("row") == len(found.all("tr")) - len(tables)
    boxes = [one for _, one, _ in found.all("div") if one.get("class") == "scroll"]
    assert len(boxes) == len(tables) and all(box["tabindex"] == "0" and box["role"] == "region" for box in boxes)


def test_every_picture_has_a_text(parsed):
    pictures = parsed.all("img")
    assert len(pictures) == 12 + 2 + 1 + 5 and all(one["alt"] for _, one, _ in pictures)
    assert all(one["src"].startswith("data:image/") for _, one, _ in pictures)
    for _, one, _ in parsed.all("svg"):
        assert one.get("aria-hidden") == "true" or (
            one["role"] == "img" and one["aria-labelledby"] and one["aria-describedby"]
        )
    assert all(len(text) > 100 for _, _, text in parsed.all("desc"))


def test_hostile_texts_are_shown_and_change_nothing(parsed, hostile):
    assert {tag for tag, _, _ in hostile.elements} <= {tag for tag, _, _ in parsed.elements}
    assert len(hostile.all("script")) == len(hostile.all("style")) == 1
    for _, one, _ in hostile.elements:
        assert not [key for key in one if key.startswith("on") or key == "style"]
        assert one.get("src", "data:image/").startswith("data:image/") and one.get("href", "#").startswith("#")
    page = write_page(audit(hostile=True))
    assert not re.search("[\x00-\x09\x0b-\x1f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", page)
    text = hostile.text()
    for one in HOSTILE:
        assert plain(one)[:200] in text, one
    assert hostile.all("title")[0][2].startswith("Broken: audit of </title><script>")


def test_the_numbers_are_the_audits(parsed):
    found = audit()
    text = parsed.text()
    assert found["verdict"]["sentence"] in text and "92.3 %" in text and "91.0 to 93.4 %" in text
    rows = [text for _, _, text in parsed.all("tr")]
    for one in found["attackers"]:
        if one["tried"]:
            assert any(row.startswith(one["title"]) and f"{one['labels']:,}" in row for row in rows)
    assert any(row.startswith("ddddocr") and "not installed" in row for row in rows)
    for value in (
        "captchas audit shop:draw --minutes 30 --seed 1",
        "7f3a" * 16,
        "c0de" * 16,
        "beef" * 16,
        "2.4.0",
        "3.13.5",
    ):
        assert value in text
    assert sum(row.startswith(tuple(ALPHABET)) and "250" in row for row in rows) == len(ALPHABET)
    assert "secure" not in text.replace("It never means secure.", "")


def test_an_audit_that_found_nothing_has_a_page():
    found = audit()
    found |= {"attackers": [], "samples": [], "findings": [], "why": None, "what_if": []}
    found["skipped"] = [{"part": "why", "why": "no attacker read a picture"}, {"part": "what if", "why": "no profile"}]
    found["target"] |= {
        "dataset": "/home/jane-doe/data/datasets/shop",
        "generator": None,
        "size": None,
        "content": None,
        "lengths": [4, 5],
        "profile": {"name": "x"},
    }
    found["verdict"] |= {"word": schema.NOT_SHOWN, "attacker": None, "words": None, "needed": 30_000}
    text = Parsed(write_page(found)).text()
    for said in ("Not shown to be strong", "no curve", "no attacker read a picture", "no profile", "30,000 unseen",
                 "…/datasets/shop", "4 to 5 letters", "different sizes", "not computed"):  # fmt: skip
        assert said in text, said
    assert "jane-doe" not in text


@pytest.mark.parametrize("n", [1, 2000, 100_000])
def test_an_attacker_that_reads_nothing_or_everything_stays_on_the_curve(n):
    found = audit()
    for right in (0, n):
        for one in found["attackers"]:
            one["words"] = rate(right, n)
        page = Parsed(write_page(found))
        numbers = [float(number) for tag, one, _ in page.elements if tag in ("line", "circle", "polygon", "polyline")
                   for key in ("x1", "x2", "y1", "y2", "cx", "cy", "points")
                   for number in re.split("[ ,]", one.get(key) or "0")]  # fmt: skip
        assert all(-1 <= number <= 720 for number in numbers)


def test_a_page_stays_below_its_limit_and_keeps_the_texts():
    found = audit()
    large = noise_png(640)  # 1.6 MB
    found["findings"][0]["shown"] = [schema.Figure(picture=large, text=f"Figure {k}.") for k in range(5)]
    page = write_page(found)
    assert len(page.encode()) < 3_000_000
    parsed = Parsed(page)
    assert sum(one["alt"].startswith("Figure") for _, one, _ in parsed.all("img")) == 1
    assert all(f"Figure {k}." in parsed.text() for k in range(5)) and "pass 3 MB" in parsed.text()
    found["target"]["generator"]["failures"] *= 30
    for one in found["target"]["generator"]["failures"]:
        one["example"] = "\n" * 50_000
    found["findings"] += [copy.deepcopy(found["findings"][1]) for _ in range(40)]
    for one in found["findings"]:
        one["plain"] = "<" * 100_000
        one["figures"] = {f"{k}": "&" * 10_000 for k in range(300)}
    assert len(write_page(found).encode()) < 3_000_000


def test_texts_that_the_audit_chose_are_not_held_against_the_owner():
    found = audit()

    def said() -> str:
        return Parsed(f"<body>{defect_part(found, Album()).text}</body>").text()

    assert "The audit chose the texts, 4 characters of" in said()
    assert "Name what your site uses with --alphabet and --length." in said()
    found["made"]["command"] += " --alphabet AB --length 4"
    assert "as its command says, 4 characters of" in said() and "Name what your site" not in said()
    found["target"]["generator"]["chooses_text"] = True
    assert "The audit chose the texts" not in said()


def test_names_on_the_curve_do_not_meet_those_of_the_axes():
    """A reader of all pictures stands at the top of the plot, where the names of the axes are."""
    found = audit()
    learnt = next(one for one in found["attackers"] if one["labels"] and one["tried"])
    learnt["words"] = rate(1999, 2000)
    other = copy.deepcopy(learnt) | {"name": "another", "title": "another", "labels": 3 * learnt["labels"]}
    found["attackers"] = [one for one in found["attackers"] if not one["labels"]] + [learnt, other]
    places: dict[str, list[tuple[str, float]]] = {}
    for tag, one, _ in Parsed(write_page(found)).all("svg", "text"):
        classes = (one.get("class") or "").split()
        if tag == "svg":
            here = places.setdefault(classes[-1], []) if "curve" in classes else []
        elif "axis-name" in classes or "name" in classes:
            here.append((" ".join(classes), float(one["y"])))
    axes, names = places["wide"][:3], places["wide"][3:]
    assert [kind for kind, _ in names] == ["name", "name"]
    assert all(abs(y - height) >= 14 for _, y in axes for _, height in names)
    assert places["narrow"][1][1] - places["narrow"][0][1] >= 14
    assert {kind for kind, _ in places["narrow"][3:]} == {"name one", "name two"}  # each has a shape to be found by


def test_names_of_points_at_one_place_stand_above_each_other():
    """A constant guess and the most frequent word take as many labels, and often read as little."""
    alike = [
        attacker("chance", "a constant guess", 100, 0), attacker("dictionary", "the most frequent word", 100, 0),
        attacker("deep", "the deep reader", 1000, 9), attacker("deep", "the deep reader", 3000, 9),
    ]  # fmt: skip
    drawn = cost_curve(alike, WIDE, "curve")
    first, second = [one for _, one, _ in Parsed(str(drawn)).all("text") if one.get("class") == "name"]
    assert first["text-anchor"] == second["text-anchor"] and abs(float(first["y"]) - float(second["y"])) >= 14


def deep(*right: int) -> list[schema.Attacker]:
    """A deep reader that learnt from 100, 300, 1,000 … labelled pictures."""
    return [attacker("deep", "the deep reader", (100, 300, 1000, 3000)[k], one) for k, one in enumerate(right)]


@pytest.mark.parametrize(
    "attackers",
    [  # below a curve; at its end; above and below one, at the limit
        [attacker("classic", "the classic reader", 100, 1120), *deep(1560, 1600, 1640)],
        [attacker("classic", "the classic reader", 3000, 1720), *deep(10, 300, 1200, 1710)],
        [attacker("dictionary", "a word", 100, 12), attacker("classic", "a reader", 300, 20), *deep(10, 30, 300)],
        [attacker("strangers", "the shipped deep reader", 0, 8), attacker("ladder", "the classic", 0, 2000)],
    ],
)
def test_no_name_covers_a_curve_a_mark_an_interval_or_the_limit(attackers):
    shown = Parsed(cost_curve(attackers, WIDE, "curve").text)
    places = LabelPlaces((0, 0, WIDE, 400))
    for _, one, _ in shown.all("polyline"):
        places.line([tuple(map(float, point.split(","))) for point in one["points"].split()])
    for _, one, _ in shown.all("line"):
        if one["class"].startswith(("reach", "broken-line")):
            places.line([(float(one["x1"]), float(one["y1"])), (float(one["x2"]), float(one["y2"]))])
    for _, one, _ in shown.all("circle"):
        places.mark(float(one["cx"]), float(one["cy"]))
    names = [(one, text) for _, one, text in shown.all("text") if one["class"] in ("name", "value")]
    assert len(names) == len(attackers) - sum(one["name"] == "deep" for one in attackers)
    for one, text in names:
        place = LabelPlace(float(one["x"]), float(one["y"]), one["text-anchor"])
        assert places.covered(place.box(text)) == 0, text


def test_rates_of_neighbours_are_short():
    attackers = [attacker("ladder", "the shipped classic reader", 0, 1990), attacker("strangers", "the deep", 0, 1995)]
    drawn = Parsed(str(cost_curve(attackers, WIDE, "curve")))
    shown = [text for _, one, text in drawn.all("text") if one.get("class") == "value"]
    assert len(shown) == 2 and all(text.startswith("> 99") for text in shown)


@pytest.mark.parametrize("nothing", [{}, [], ""])
def test_a_number_that_is_empty_says_so(nothing):
    found = audit()
    found["findings"][0]["figures"] = {"places": nothing}
    assert ("places", "none") in pairwise(text for _, _, text in Parsed(write_page(found)).all("dt", "dd"))
