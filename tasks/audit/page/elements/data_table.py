"""Tables with a caption, headers of columns and rows, and values to sort by."""

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.audit.page.elements.bars import rate_bar
from tasks.audit.page.elements.markup import Child, Markup, element
from tasks.audit.page.elements.wording import interval, number, percent
from tasks.rates import RateRecord


@dataclass(frozen=True)
class Column:
    """A column: its title, and whether it holds numbers, which stand right."""

    title: str
    numeric: bool = False


BAR = Column("0 to 100 %")  # of `bar_cell`


@dataclass(frozen=True)
class Cell:
    """What a cell shows, and the number that it sorts by; None sorts last."""

    shown: Child
    value: float | None = None


def number_cell(value: float | None, shown: Child = None) -> Cell:
    """Return a cell of a number, by default as text with its thousands apart."""
    return Cell(number(value) if shown is None else shown, value)


def bar_cell(rate: RateRecord | None, scale: float = 1.0) -> Cell:
    """Return a cell of a bar from 0 to `scale`; a cell of the rate stands beside it."""
    return Cell(rate_bar(rate, scale) if rate else None, rate["rate"] if rate else None)


def rate_cell(rate: RateRecord | None) -> Cell:
    """Return a cell of a rate and its interval."""
    if rate is None or not rate["n"]:
        return Cell("not measured")
    width = (1.0 if rate["high"] is None else rate["high"]) - (rate["low"] or 0.0)
    return Cell([element("b", percent(rate["rate"], width)), " ", element("small", interval(rate))], rate["rate"])


def data_table(
    caption: Child, columns: Sequence[Column], rows: Sequence[Sequence[Cell]], *, key: str, sortable: bool = False
) -> Markup:
    """Return a table in a box of its own, which scrolls on a narrow screen.

    Parameters
    ----------
    caption : text or Markup
    columns : sequence of Column
    rows : sequence of sequences of Cell
        The first cell of each is the row's header.
    key : str
        Makes the caption's id unique on the page.
    sortable : bool
        The page's script then makes buttons of the headers. Without it the table stays as it is.
    """
    head = [element("th", one.title, scope="col", class_="number" if one.numeric else None) for one in columns]
    body = [
        element("tr", [_cell(k, cell, columns[k].numeric) for k, cell in enumerate(row)]) for row in rows
    ]  # fmt: skip
    table = element(
        "table",
        element("caption", element("span", caption), id=f"{key}-caption"),
        element("thead", element("tr", head)),
        element("tbody", body),
        class_="sortable" if sortable else None,
        id=key,
    )
    return element("div", table, class_="scroll", role="region", aria_labelledby=f"{key}-caption", tabindex=0)


def folded(summary: Child, *children: Child, again: bool = False) -> Markup:
    """Return what a reader opens; a print leaves out what is closed, and what is said `again` in any case."""
    return element("details", element("summary", summary), *children, class_="again" if again else None)


def _cell(k: int, cell: Cell, numeric: bool) -> Markup:
    value = None if cell.value is None else f"{cell.value:.10g}"
    class_ = "number" if numeric else None
    if k == 0:
        return element("th", cell.shown, scope="row", class_=class_, data_value=value)
    return element("td", cell.shown, class_=class_, data_value=value)
