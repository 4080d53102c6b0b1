"""A page of HTML that needs nothing else: its style and script are in it, and a policy forbids every request."""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from tasks.audit.page.elements.markup import Child, Markup, element, given, raw_element, together

MOST_BYTES = 3_000_000  # of a page


@cache
def own_text(name: str) -> str:
    """Return a file of this folder: `page.css`, `plots.css` or `page.js`."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def document(title: str, above: Child, parts: Sequence[tuple[str, str]], main: Child) -> str:
    """Return a page.

    Parameters
    ----------
    title : str
        Of the window, with names that others have chosen.
    above : Markup
        What stands in the header.
    parts : sequence of (str, str)
        The id and the title of each part, for the navigation.
    main : Markup
        All that follows.

    Returns
    -------
    str
        ASCII but for texts: it is to be written as UTF-8.
    """
    style, script = own_text("plots.css") + own_text("page.css"), own_text("page.js")
    policy = (
        f"default-src 'none'; img-src data:; style-src {_digest(style)}; script-src {_digest(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", given_text(title)),
        raw_element("style", style),
    )
    navigation = element(
        "nav",
        element("ul", [element("li", element("a", name, href=f"#{key}")) for key, name in parts], role="list"),
        aria_label="Parts of this page",
    )
    body = element(
        "body",
        element("a", "Skip to the content", href="#main", class_="skip"),
        element("header", above, navigation if parts else None),
        element("main", main, id="main", tabindex=-1),
        element(
            "p",
            "Printed without what is folded on the page. What is opened there is printed too.",
            class_="printed note",
        ),
        element("footer", element("p", "Made by Beating CAPTCHAs. The page is one file; it fetches nothing.")),
        element("div", "", id="said", class_="unseen", aria_live="polite"),
        raw_element("script", script),
    )
    return "<!doctype html>\n" + element("html", head, body, lang="en").text + "\n"


def part(key: str, title: str, plain: Child, *children: Child) -> Markup:
    """Return a part of the page: its heading, the plain meaning, and the evidence."""
    return element(
        "section",
        element("h2", title, id=f"{key}-title"),
        element("p", plain, class_="plain"),
        *children,
        id=key,
        aria_labelledby=f"{key}-title",
    )


def given_text(text: str, most: int = 120) -> str:
    """Return what somebody else wrote, short enough for a title."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def heading(eyebrow: str, title: str, note: Child) -> Markup:
    """Return the content of a header: what the page is, the name of what it is about, and a line below."""
    return together(
        element("p", eyebrow, class_="eyebrow"),
        element("h1", given(title, 120)),
        element("p", note, class_="note"),
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
