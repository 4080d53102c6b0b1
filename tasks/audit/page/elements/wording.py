"""Numbers in words for somebody who owns a CAPTCHA: shares, intervals, times, prices."""

import math

from tasks.audit.schema import BROKEN, HELD, NOT_SHOWN, Attacker
from tasks.rates import RateRecord

MEANINGS = {
    BROKEN: "The strongest attacker reads more than 1 of 100 pictures, and luck does not explain it: the lower end of "
    "its interval is above that, also when it is made wider because several attackers were compared. Programs can try "
    "again at no cost, so 1 of 100 is enough for them.",
    NOT_SHOWN: "No attacker was shown to read more than 1 of 100 pictures. But the audit cannot say that none does: an "
    "attacker gets through now and then, the pictures were too few, or attackers had too little to learn from.",
    HELD: "Every attacker surely stays below 1 of 10,000 pictures, those that learn had enough labelled pictures, and "
    "none was left out. It says nothing about attackers that were not tried. It never means secure.",
}
_SHORT = {
    "chance": "chance", "dictionary": "dictionary", "memory": "memory", "file": "file",
    "tesseract": "Tesseract", "ddddocr": "ddddocr", "ladder": "shipped classic", "strangers": "shipped deep",
    "classic": "classic reader", "deep": "deep reader",
}  # fmt: skip
_ARTICLES = ("the ", "a ", "an ")
_UNITS = ((86400.0, "day"), (3600.0, "hour"), (60.0, "minute"))


def percent(share: float | None, reach: float | None = None) -> str:
    """Return a share as percent, with as many decimals as its interval's width bears.

    Parameters
    ----------
    share : float, 0 to 1, or None
    reach : float, optional
        Width of the interval, 0 to 1.
    """
    if share is None or math.isnan(share):
        return "not known"
    value = 100 * share
    if value in (0.0, 100.0):
        return f"{value:.0f} %"
    if reach:
        decimals = min(max(0, 1 - math.floor(math.log10(100 * reach))), 6 if value < 1 else 2)
        text = f"{value:.{decimals}f}"
        return f"{text} %" if float(text) < 100 or value > 100 else "nearly 100 %"
    decimals = 0 if value >= 10 else 1 if value >= 1 else min(6, 1 - math.floor(math.log10(value)))
    text = f"{value:.{decimals}f}"
    if text == "100":
        return "nearly 100 %"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"


def points(difference: float) -> str:
    """Return a difference of two shares in percentage points, with its sign."""
    text = f"{100 * difference:.1f}"
    return "0" if float(text) == 0 else f"{'+' if difference > 0 else '−'}{text.lstrip('-')}"


def _ends(rate: RateRecord) -> tuple[float, float]:
    low, high = rate["low"], rate["high"]
    return (0.0 if low is None else low), (1.0 if high is None else high)


def interval(rate: RateRecord | None) -> str:
    """Return the 95 % interval: ``"1.2 to 3.4 %"``."""
    if rate is None or not rate["n"]:
        return "not measured"
    low, high = _ends(rate)
    first, last = percent(low, high - low), percent(high, high - low)
    return last if first == last else f"{first.removesuffix(' %')} to {last}"


def rate_text(rate: RateRecord | None) -> str:
    """Return a rate with its interval: ``"2.3 % (1.2 to 3.4 %)"``."""
    if rate is None or not rate["n"]:
        return "not measured"
    low, high = _ends(rate)
    return f"{percent(rate['rate'], high - low)} ({interval(rate)})"


def one_in(share: float | None) -> str:
    """Return a share as people say it: ``"9 of 10"``, ``"1 of 250"``, ``"none"``."""
    if not share:
        return "none"
    if share >= 0.095:
        tenths = min(round(10 * share), 10)
        return "nearly all" if tenths == 10 and share < 1 else "all" if tenths == 10 else f"{tenths} of 10"
    return f"1 of {_rounded(1 / share):,}"


def _rounded(number: float) -> int:
    """Return a number with two digits that count."""
    return int(round(number, 1 - math.floor(math.log10(number))))


def duration(seconds: float | None) -> str:
    """Return a time: ``"0.02 s"``, ``"3 minutes"``, ``"2.5 hours"``."""
    if seconds is None or not math.isfinite(seconds):
        return "not known"
    for unit, name in _UNITS:
        if seconds >= 0.99 * unit:
            text = f"{seconds / unit:.1f}".removesuffix(".0")
            return f"{text} {name}{'' if text == '1' else 's'}"
    if seconds >= 10:
        return f"{seconds:.0f} s"
    return f"{1000 * seconds:.2g} ms" if 0 < seconds < 0.001 else f"{seconds:.2g} s"


def number(value: float | None) -> str:
    """Return a number with thousands apart, and two digits that count where it is small."""
    if value is None:
        return "not known"
    if isinstance(value, float) and not math.isfinite(value):
        return "not known"
    if isinstance(value, int) or value >= 100:
        return f"{value:,.0f}"
    return f"{value:.2g}"


def price(cost: float | None, currency: str) -> str:
    """Return a price: ``"12.50 USD"``; nothing for nothing."""
    if cost is None:
        return "not known"
    if cost == 0:
        return "nothing"
    return f"{cost:,.2f} {currency}" if cost >= 0.1 else f"{cost:.2g} {currency}"


def counted(count: int, thing: str, things: str | None = None) -> str:
    """Return a count of things: ``"1 picture"``, ``"2,000 pictures"``."""
    return f"{count:,} {thing if count == 1 else things or thing + 's'}"


def heading_case(text: str) -> str:
    """Return a text with a capital letter at its beginning."""
    return text[:1].upper() + text[1:]


def title_of(attacker: Attacker) -> str:
    """Return an attacker's title as a heading: a capital letter, no article."""
    title = attacker["title"]
    bare = next((title.removeprefix(one) for one in _ARTICLES if title.startswith(one)), None)
    return title if bare is None else heading_case(bare)  # some names are written small: ddddocr


def short_name(attacker: Attacker) -> str:
    """Return a name that fits into a plot, the same for attackers that differ only in their labels."""
    if "draws" in attacker["title"]:
        return "deep, drawing"
    return _SHORT.get(attacker["name"], title_of(attacker)[:16])


def attacker_name(attacker: Attacker) -> str:
    """Return an attacker's title with the labelled pictures that it learnt from."""
    return f"{title_of(attacker)}, {labels_text(attacker['labels'])}"


def after_word(word: str, sentence: str) -> str:
    """Return a verdict's sentence without the verdict's word at its beginning, which stands above it."""
    if not sentence.lower().startswith(f"{word}: "):
        return sentence
    return heading_case(sentence[len(word) + 2 :])


def labels_text(labels: int) -> str:
    """Return the cost in labelled pictures: ``"no labelled picture"``, ``"300 labelled pictures"``."""
    return counted(labels, "labelled picture") if labels else "no labelled picture"
