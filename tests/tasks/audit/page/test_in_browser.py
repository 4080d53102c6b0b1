"""The pages in a real browser, which starts once for all tests of this file."""

import re
from contextlib import ExitStack

import pytest

from tasks.audit.page.report_page import write_page
from tests.browser import NoBrowserError, browser
from tests.sample_audit import audit

TABLE = "document.getElementById('attacker-table')"
PLANTED = '<img src="http://127.0.0.1:9/planted.png" alt="planted">'


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with ExitStack() as stack:
        try:
            found = stack.enter_context(browser(tmp_path_factory.mktemp("profile")))
        except NoBrowserError as error:  # such as a container that allows no sandbox
            pytest.skip(str(error))
        yield found


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(write_page(audit()), encoding="utf-8")
    return path


@pytest.fixture
def opened(running, report):
    running.look(1440)
    running.open(report)
    return running


def column(page, number: int) -> list[str]:
    cells = f"[...{TABLE}.tBodies[0].rows].map(row => row.cells[{number}].textContent.replaceAll('\u00a0', ' '))"
    return page.run(cells)


def test_no_request_leaves_the_page_and_nothing_complains(opened):
    assert opened.requests() == [] and opened.complaints() == []
    assert (
        opened.run("performance.getEntriesByType('resource').filter(one => !one.name.startsWith('data:')).length") == 0
    )
    assert opened.run("[...document.images].every(one => one.complete && one.naturalWidth > 0)")


def test_a_planted_request_is_seen_and_the_policy_stops_it(running, report, tmp_path):
    """The test above would fail if the page fetched something."""
    page = report.read_text().replace("<footer>", f"<footer>{PLANTED}")
    (tmp_path / "guarded.html").write_text(page)
    running.open(tmp_path / "guarded.html")
    assert any("Content Security Policy" in said for said in running.complaints())
    (tmp_path / "open.html").write_text(re.sub(r"<meta http-equiv=[^>]*>", "", page, count=1))
    running.open(tmp_path / "open.html")
    assert running.requests() == ["http://127.0.0.1:9/planted.png"] and running.complaints()


def test_a_script_of_a_stranger_does_not_run(running, tmp_path):
    (tmp_path / "hostile.html").write_text(write_page(audit(hostile=True)), encoding="utf-8")
    running.open(tmp_path / "hostile.html")
    assert running.run("document.title").startswith("Broken: audit of </title><script>")
    assert running.run("document.scripts.length") == 1 and running.requests() == [] and running.complaints() == []
    running.look(360)
    assert running.run("document.documentElement.scrollWidth") == 360


def test_tables_sort_by_mouse_and_keyboard(opened):
    rows = column(opened, 0)
    opened.run(f"{TABLE}.tHead.querySelectorAll('button')[3].click()")
    sort = f"[...{TABLE}.tHead.rows[0].cells].map(one => one.getAttribute('aria-sort'))"
    assert opened.run(sort)[3] == "descending" and column(opened, 0)[0] == "Deep reader"
    shares = [float(text.partition(" %")[0]) for text in column(opened, 3)]
    assert shares == sorted(shares, reverse=True) and len(set(shares)) > 5
    assert "descending" in opened.run("document.getElementById('said').textContent")

    opened.run(f"{TABLE}.tHead.querySelectorAll('button')[0].focus()")
    opened.press("Enter")
    assert opened.run(sort)[:4] == ["ascending", None, None, None] and column(opened, 0) == sorted(rows)
    opened.press("Tab")
    opened.press("Enter")
    opened.press("Enter")
    labels = [int(text.replace(",", "")) for text in column(opened, 1)]
    assert opened.run(sort)[:2] == [None, "ascending"] and labels == sorted(labels)
    # What was never seen comes last, in either order.
    for order in ("descending", "ascending"):
        opened.run(f"{TABLE}.tHead.querySelectorAll('button')[7].click()")
        assert opened.run(sort)[7] == order and column(opened, 7)[-2:] == ["never seen", "never seen"]


def test_the_keyboard_reaches_the_content_and_shows_where_it_is(opened):
    opened.press("Tab")
    assert opened.run("document.activeElement.className") == "skip"
    assert opened.run("document.activeElement.getBoundingClientRect().left") >= 0
    assert opened.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    opened.press("Enter")
    assert opened.run("document.activeElement.id") == "main"
    # On a wide screen no box has to scroll, so none is a stop; on a narrow one the wide table is.
    stops = "[...document.querySelectorAll('.scroll[tabindex]')].length"
    wide = opened.run(stops)
    opened.look(360)
    assert opened.run("new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))") is None
    assert opened.run(stops) > wide
    assert opened.run(f"{TABLE}.closest('.scroll').hasAttribute('tabindex')")


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_no_part_is_wider_than_the_screen(running, report, width):
    running.look(width)
    running.open(report)
    assert running.run("document.documentElement.scrollWidth") == width
    shown = running.run("[...document.querySelectorAll('svg.curve')].filter(one => one.clientWidth || "
                        "one.getBoundingClientRect().width).length")  # fmt: skip
    assert shown == 1
    # A table may be wider and scroll; what it is called may not.
    called = "[...document.querySelectorAll('caption')].map(one => one.firstElementChild ?? one)"
    assert running.run(f"Math.max(...{called}.map(one => one.getBoundingClientRect().right))") <= width
    # Texts of the curve stay as large as they are read.
    size = running.run("[...document.querySelectorAll('svg.curve')].map(one => one.getBoundingClientRect().width / "
                       "one.viewBox.baseVal.width).find(one => one)")  # fmt: skip
    assert size > 0.75


def test_texts_have_contrast_in_light_and_dark(running, report):
    """4.5 to 1 between a text and the ground below it, as WCAG 2 asks."""
    script = """[...document.querySelectorAll('body *')].filter(one => [...one.childNodes].some(
        node => node.nodeType === 3 && node.textContent.trim()) && one.checkVisibility() && !one.closest('script'))
        .map(one => {
            const light = colour => {
                const parts = colour.match(/[\\d.]+/g).slice(0, 3).map(part => part / 255)
                    .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
                return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
            };
            let under = one, ground = 'rgba(0, 0, 0, 0)';
            while (under && ground === 'rgba(0, 0, 0, 0)') {
                ground = getComputedStyle(under).backgroundColor; under = under.parentElement;
            }
            const style = getComputedStyle(one);
            const pair = [light(one.closest('svg') ? style.fill : style.color), light(ground)].sort((a, b) => b - a);
            return [(pair[0] + 0.05) / (pair[1] + 0.05), one.tagName + ' ' + one.textContent.slice(0, 30)];
        }).filter(pair => pair[0] < 4.5)"""
    for dark in (False, True):
        running.look(1440, dark=dark)
        running.open(report)
        ground = running.run("getComputedStyle(document.body).backgroundColor")
        assert (ground == "rgb(20, 22, 26)") == dark
        assert running.run(script) == []


def pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", pdf))


def test_a_print_takes_few_pages_and_has_what_is_open(opened):
    """An audit of three minutes took nineteen."""
    folded = opened.run("document.querySelectorAll('details').length")
    assert folded >= 5
    printed = opened.print_pdf()
    assert printed.startswith(b"%PDF") and 4 <= pages(printed) <= 8
    assert opened.run("document.querySelectorAll('details[open]').length") == 0
    shown = "[...document.querySelectorAll('details')].filter(one => one.getBoundingClientRect().height).length"
    opened.look(794, media="print")
    assert opened.run(shown) == 0
    opened.run("document.querySelectorAll('details:not(.again)').forEach(one => one.open = true)")
    assert opened.run(shown) >= folded - 1
    assert opened.run("document.querySelector('.printed').getBoundingClientRect().height") > 0
    assert opened.run("document.documentElement.scrollWidth") <= 794
    opened.look(794, media="print")
    hidden = (
        "[...document.querySelectorAll('nav, footer, .skip')].every(one => getComputedStyle(one).display === 'none')"
    )
    assert opened.run(hidden)
    assert opened.run("getComputedStyle(document.querySelector('thead button'), '::after').content") == "none"
