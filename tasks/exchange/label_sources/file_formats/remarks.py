"""Lines of a table or a list that are no rows: titles and comments above it, counts below it, and drawn rules."""

import re

from tasks.loading.listing import READ

RULE, DRAWN = {*"-+=|:─│┼━ \t\r"}, ("---", "===", "───", "━━━")  # as databases and Markdown draw it
TITLES = 5  # lines above a table at most
MOSTLY = 0.9  # share of the lines that have the separator
_COUNT = re.compile(r"\(?\d[\d,. ]* (?:rows?|records?|lines?|entries)\b.*|total\b.*", re.IGNORECASE)
_WHOLE = re.compile(r'"[^"]*[^",;\t|][,;\t|][^",;\t|][^"]*"')  # a row that somebody put into quotes as a whole
_NAMED = re.compile(f"{READ[:-1]}(?!\\w)", re.IGNORECASE)


def rows_only(text: str) -> str:
    """Return a text with empty lines in place of those that are no rows, and without the bars around all rows."""
    lines = text.split("\n")
    filled = [k for k, line in enumerate(lines) if line.strip()]
    drawn = {k for k in filled if any(mark in lines[k] for mark in DRAWN) and {*lines[k]} <= RULE}
    rows = [k for k in filled if k not in drawn]
    if len(rows) > 1 and all(map(_WHOLE.fullmatch, (lines[k].strip() for k in rows))):
        return "\n".join(line.strip().strip('"') for line in lines)
    bars = [k for k in rows if drawn and lines[k].strip()[0] in "|│" and lines[k].strip()[-1] in "|│"]
    if drawn and len(bars) > 1 and len(bars) >= MOSTLY * len(rows):
        for k in bars:
            lines[k] = "|".join(cell.strip() for cell in re.split("[|│]", lines[k].strip()[1:-1]))
    gone = {k for k in filled if k in drawn and (bars or len(rows) > len(drawn))} | _around(lines, rows)
    return "\n".join("" if k in gone else line for k, line in enumerate(lines)) if gone else text


def _around(lines: list[str], rows: list[int]) -> set[int]:
    """Return the lines above and below the rows that have no separator, name no picture, and so are no rows."""
    count = {mark: sum(mark in lines[k] for k in rows) for mark in ",;\t|"}
    mark = max(count, key=lambda mark: count[mark])
    most = len(rows) - max(2, int((1 - MOSTLY) * len(rows)))
    if count[mark] < max(most, 2):
        return set()

    def is_bare(k: int) -> bool:
        return mark not in lines[k] and not _NAMED.search(lines[k]) and not lines[k].startswith("sep=")

    above = next((n for n, k in enumerate(rows) if not is_bare(k)), 0)
    below = {rows[-1]} if is_bare(rows[-1]) and _COUNT.fullmatch(lines[rows[-1]].strip()) else set()
    return {*rows[: above if above <= TITLES else 0]} | below
