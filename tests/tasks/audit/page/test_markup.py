import html

import pytest

from storage.texts import plain
from tasks.audit.page.elements.markup import Markup, element, given, lines, raw_element, together
from tests.sample_audit import HOSTILE


@pytest.mark.parametrize("text", HOSTILE)
def test_a_string_is_text_wherever_it_stands(text):
    shown = html.escape(plain(text))
    assert element("p", text, title=text).text == f'<p title="{shown}">{html.escape(plain(text), quote=False)}</p>'
    assert element("p", [[text], None, together(text)]).text.count("<") == 2
    for built in (given(text), lines(text), together(text)):
        assert "<script" not in built.text and "<img" not in built.text
        assert not any(mark in built.text for mark in "\u202e\u2066\x00\x1b\ud800")


def test_what_others_wrote_is_cut_and_the_rest_is_counted():
    assert given("a" * 250).text == f"<bdi>{'a' * 200} … (and 50 characters more)</bdi>"
    assert lines("a\n<b>\tc").text == "a<br>&lt;b&gt;\\tc"


@pytest.mark.parametrize("name", ["script", "style", "p onclick", "p>", "", "1"])
def test_elements_that_run_something_are_refused(name):
    with pytest.raises(ValueError, match="no element"):
        element(name, "x")


@pytest.mark.parametrize("key", ["onclick", "style", "srcset", "action", "a b", "onLoad", "srcdoc"])
def test_attributes_that_run_something_are_refused(key):
    with pytest.raises(ValueError, match="no attribute"):
        element("p", **{key: "x"})


@pytest.mark.parametrize(
    "source",
    ["https://x.org/a.png", "javascript:alert(1)", "data:text/html;base64,QQ==", "//x", "a.png",
     "data:image/png;base64,QQ==\n", "data:image/svg+xml,<svg/>", "#a b"],
)  # fmt: skip
def test_sources_outside_the_page_are_refused(source):
    for key in ("src", "href"):
        with pytest.raises(ValueError, match="a place on the page"):
            element("img", **{key: source})


def test_attributes_are_written_as_html_has_them():
    built = element(
        "input", class_="a", aria_label="b", data_value=1.5, hidden=True, id=None, open=False, viewBox="0 0 1 2"
    )
    assert built.text == '<input class="a" aria-label="b" data-value="1.5" hidden viewBox="0 0 1 2">'
    assert element("a", "x", href="#part").text == '<a href="#part">x</a>'


def test_own_scripts_may_not_end_their_element():
    assert raw_element("script", "1 < 2 && 3 > 2") == Markup("<script>1 < 2 && 3 > 2</script>")
    for text in ("'</script>'", "<!-- x"):
        with pytest.raises(ValueError, match="cannot stand"):
            raw_element("script", text)
    with pytest.raises(ValueError, match="cannot stand"):
        raw_element("p", "x")


def test_an_option_of_the_command_line_stays_on_a_line():
    """In a sentence; an SVG's text has no spans."""
    assert element("p", "give --minutes 30.").text == '<p>give <span class="option">--minutes 30</span>.</p>'
    assert element("text", "give --minutes 30").text == "<text>give --minutes 30</text>"
