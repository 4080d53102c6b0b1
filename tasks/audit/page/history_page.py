"""The history of a target: the strongest attacker of each of its audits, as a plot and as a page."""

from collections.abc import Sequence

from tasks.audit.page.elements.data_table import Cell, Column, data_table, number_cell, rate_cell
from tasks.audit.page.elements.document import document, heading, own_text
from tasks.audit.page.elements.markup import Markup, element, raw_element, together
from tasks.audit.page.elements.rate_axis import LOOKS, RateAxis
from tasks.audit.page.elements.wording import counted, rate_text, title_of
from tasks.audit.page.parts.first_screen import verdict_box
from tasks.audit.schema import Audit
from tasks.rates import RateRecord

WIDTH, NARROW, HEIGHT = 720, 360, 330  # pixels; the narrow plot is for small screens, its letters as large
MOST = 60  # audits in a plot: the newest
_LEFT, _MARGIN, _AXIS = 54.0, 12.0, RateAxis(32.0, 290.0)
_APART = 78.0  # pixels between the dates below the axis


def history_plot(audits: Sequence[Audit]) -> str:
    """Draw the words right of the strongest attacker, audit by audit, with 95 % intervals and the line at 1 %.

    Parameters
    ----------
    audits : sequence of Audit
        From old to new, of one target.

    Returns
    -------
    str
        An SVG file for itself, in light and dark.
    """
    return _plot(audits).text + "\n"


def write_history(audits: Sequence[Audit]) -> str:
    """Return the page of `captchas audit history TARGET`: the plot and a table of the same audits.

    Parameters
    ----------
    audits : sequence of Audit
        From old to new, of one target; at least one.
    """
    last = audits[-1]
    return document(
        f"History of {last['target']['name']}",
        heading("History of CAPTCHA audits", last["target"]["name"], f"{counted(len(audits), 'audit')}."),
        (),
        together(
            element("section", verdict_box(last["verdict"]["word"], last["verdict"]["sentence"]), id="first",
                    aria_labelledby="verdict-word"),
            element(
                "section",
                element("h2", "The strongest attacker, audit by audit", id="plot-heading"),
                element("p", "Higher is worse for you. A mark is the share of pictures that were read whole, with its "
                        "95 % interval. A hollow mark: none was read, at most so many. Audits with more minutes or "
                        "more pictures attack harder: compare audits that were made alike.", class_="plain"),
                element("div", _plot(audits, "wide"), _plot(audits, "narrow"), class_="card"),
                _table(audits),
                aria_labelledby="plot-heading",
            ),
        ),
    )  # fmt: skip


def _rates(audits: Sequence[Audit]) -> list[tuple[Audit, RateRecord]]:
    rates = [(audit, audit["verdict"]["words"]) for audit in audits]
    return [(audit, rate) for audit, rate in rates if rate is not None and rate["n"]][-MOST:]


def _plot(audits: Sequence[Audit], kind: str = "") -> Markup:
    """Draw a plot of a page, wide or narrow; without a kind a file for itself."""
    rates, alone = _rates(audits), not kind
    width = NARROW if kind == "narrow" else WIDTH
    right = width - _MARGIN
    step = (right - _LEFT) / max(len(rates), 1)
    places = [_LEFT + step * (k + 0.5) for k in range(len(rates))]
    path = " ".join(f"{x:.1f},{_AXIS.height(rate):.1f}" for x, (_, rate) in zip(places, rates, strict=True))
    described = "; ".join(
        f"{audit['made']['started'][:10]}: {audit['verdict']['word']}, {rate_text(rate)}" for audit, rate in rates
    )
    return element(
        "svg",
        element("title", "Words right of the strongest attacker, audit by audit", id=f"history{kind}-title"),
        element("desc", f"A logarithmic axis. With 95 % intervals. {described or 'No audit measured an attacker'}.",
                id=f"history{kind}-desc"),
        raw_element("style", own_text("plots.css")) if alone else None,
        element("rect", width=width, height=HEIGHT, class_="sheet") if alone else None,
        element("text", "words right", x=0, y=14, class_="axis-name"),
        _AXIS.ticks(_LEFT),
        _AXIS.ground(_LEFT, right),
        _AXIS.limits(_LEFT, right, said=True),
        element("polyline", points=path, class_=f"line {LOOKS[0]}"),
        [_AXIS.point(x, rate, LOOKS[0]) for x, (_, rate) in zip(places, rates, strict=True)],
        _dates(places, [audit["made"]["started"] for audit, _ in rates], width),
        role="img", viewBox=f"0 0 {width} {HEIGHT}", class_=f"curve {kind}".strip(),
        aria_labelledby=f"history{kind}-title", aria_describedby=f"history{kind}-desc",
        xmlns="http://www.w3.org/2000/svg" if alone else None, width=width if alone else None,
        height=HEIGHT if alone else None,
    )  # fmt: skip


def _dates(places: Sequence[float], started: Sequence[str], width: int) -> list[Markup]:
    """Write the dates below the axis, as many as there is room for, the newest among them."""
    drawn: list[Markup] = []
    free = float("inf")
    for x, when in zip(reversed(places), reversed(started), strict=True):
        if x + _APART / 2 <= free:
            at = min(x, width - _APART / 2)
            drawn.append(element("text", when[:10], x=at, y=_AXIS.bottom + 18, class_="tick", text_anchor="middle"))
            free = at - _APART / 2
    return drawn


def _table(audits: Sequence[Audit]) -> Markup:
    rows = []
    for audit in reversed(audits):
        found, made = audit["verdict"], audit["made"]
        best = next((one for one in audit["attackers"]
                     if one["name"] == found["attacker"] and one["labels"] == found["labels"]), None)  # fmt: skip
        rows.append([
            Cell(made["started"].replace("T", " ").removesuffix("Z")), Cell(found["word"].capitalize()),
            rate_cell(found["words"]), Cell(title_of(best) if best else "none"), number_cell(found["labels"]),
            number_cell(found["unseen"]), number_cell(made["minutes"]), Cell(made["version"]),
        ])  # fmt: skip
    columns = [
        Column("Audit (UTC)"), Column("Verdict"), Column("Words right, 95 % interval", True),
        Column("Strongest attacker"), Column("Labelled pictures", True), Column("Unseen pictures", True),
        Column("Minutes", True), Column("Version"),
    ]  # fmt: skip
    return data_table("Audits, the newest first", columns, rows, key="history", sortable=True)
