"""Elements of HTML and SVG, built so that no text can be taken for markup: a string is always text.

`Markup` is what `element` returns, and `element` escapes every string that it is given. A page is one nested call of
it, so there is no place at which escaping could be forgotten. Attributes that a browser would run or fetch are refused.
"""

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass

from storage.texts import plain, plain_lines

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9]*(-[a-zA-Z0-9]+)*")
_PICTURE = re.compile(r"data:image/(png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/]+={0,2}")
_PLACE = re.compile(r"#[A-Za-z][A-Za-z0-9-]*")
_OPTION = re.compile(r"--[a-z][a-z-]*(?: \d+(?:\.\d+)?)?")  # of the command line; no line may end in it
_PROSE = {"p", "td", "th", "li", "dd", "small", "figcaption", "span", "summary", "caption"}  # in which a span may stand
_PERCENT = re.compile(r"(?<=\d) %")  # no line may end between them
_MORE = 30  # characters that are shown rather than counted
_VOID = {"br", "hr", "img", "input", "link", "meta", "wbr"}
_RAW = {"script", "style"}  # their text is not escaped by browsers, so only `raw_element` makes them
_FETCHED = {"src", "href"}
_REFUSED = {"style", "srcset", "srcdoc", "action", "formaction", "data", "poster", "background", "ping"}


@dataclass(frozen=True)
class Markup:
    """HTML that `element` has built."""

    text: str


Child = Markup | str | int | None | Iterable["Child"]
Value = str | int | float | bool | None


def element(name: str, /, *children: Child, **attributes: Value) -> Markup:
    """Return an element with its attributes and children.

    Parameters
    ----------
    name : str
        ``"p"``, ``"svg"`` …
    *children : Markup, str, int, None, or iterables of them
        Strings become text, without control characters and marks that turn the direction of writing: they are shown as
        Python's escapes. None is left out.
    **attributes
        ``aria_label`` is written ``aria-label``, ``class_`` ``class``. True is an attribute without a value; None and
        False leave it out. `src` and `href` take pictures in the page and places of it only.

    Raises
    ------
    ValueError
        An element or an attribute that could run something or fetch it.
    """
    if not _NAME.fullmatch(name) or name in _RAW:
        raise ValueError(f"no element can be named {name!r}")
    start = f"<{name}{''.join(_attribute(key, value) for key, value in attributes.items())}>"
    return Markup(start if name in _VOID else f"{start}{''.join(_texts(children, name in _PROSE))}</{name}>")


def raw_element(name: str, text: str) -> Markup:
    """Return a `script` or a `style` of this package's own text.

    Raises
    ------
    ValueError
        The text would end the element.
    """
    if name not in _RAW or re.search(r"</|<!--", text):
        raise ValueError(f"this text cannot stand in an element {name}")
    return Markup(f"<{name}>{text}</{name}>")


def together(*children: Child) -> Markup:
    """Return children one after another, without an element around them."""
    return Markup("".join(_texts(children)))


def lines(text: object) -> Markup:
    """Return text of several lines, such as a traceback, with its line breaks."""
    return Markup("<br>".join(html.escape(line) for line in plain_lines(text).split("\n")))


def given(text: object, most: int = 200) -> Markup:
    """Return what somebody else wrote: a name, a label. Its direction of writing does not reach its neighbours.

    Parameters
    ----------
    text : object
    most : int
        Characters that are shown of a longer text; the rest is counted, unless it is as short as that.
    """
    shown = plain(text)
    if len(shown) > most + _MORE:
        shown = f"{shown[:most]} … (and {len(shown) - most:,} characters more)"
    return Markup(f"<bdi>{html.escape(shown, quote=False)}</bdi>")


def is_picture(source: str) -> bool:
    """Return whether a source is a picture that the page itself holds."""
    return bool(_PICTURE.fullmatch(source))


def _texts(children: Iterable[Child], prose: bool = False) -> Iterable[str]:
    for child in children:
        if isinstance(child, Markup):
            yield child.text
        elif isinstance(child, str | int):
            text = _PERCENT.sub("\u00a0%", html.escape(plain(child), quote=False))
            yield _OPTION.sub(r'<span class="option">\g<0></span>', text) if prose else text
        elif child is not None:
            yield from _texts(child, prose)


def _attribute(key: str, value: Value) -> str:
    name = key.rstrip("_").replace("_", "-")
    if not _NAME.fullmatch(name) or name.lower().startswith("on") or name.lower() in _REFUSED:
        raise ValueError(f"no attribute can be named {name!r}")
    if value is None or value is False:
        return ""
    if value is True:
        return f" {name}"
    text = f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    if name in _FETCHED and not (_PICTURE.fullmatch(text) or _PLACE.fullmatch(text)):
        raise ValueError(f"{name} must be a place on the page or a picture in it, not {text[:60]!r}")
    return f' {name}="{html.escape(plain(text))}"'
