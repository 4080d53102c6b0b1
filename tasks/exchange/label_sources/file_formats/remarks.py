"""Lines of a table or a list that are no rows: titles and comments above it, counts below it, and drawn rules."""

import re

from tasks.exchange.label_sources.file_formats.column_names import LABEL_COLUMNS, PATH_COLUMNS, plain_name
from tasks.loading.listing import READ

RULE, DRAWN = {*"-+=|:─│┼━ \t\r"}, ("---", "===", "───", "━━━")  # as databases and Markdown draw it
CROSSED = {*"+|│┼"}  # of rules that no label is
MARKS = ",;\t|"
TITLES = 5  # lines above a table at most
FEWEST_ROWS = 5  # rows below a title, at least, that are all divided alike
MOSTLY = 0.9  # share of the lines that have the separator
_COUNT = re.compile(r"\(?\d[\d,. ]* (?:rows?|records?|lines?|entries)\b.*|total\b.*", re.IGNORECASE)
_DIVIDED = re.compile(r"[^,;\t|][,;\t|][^,;\t|]")
_NAMED = re.compile(f"{READ[:-1]}(?!\\w)", re.IGNORECASE)
_PAIR = re.compile(
    rf"""(["'])([^"'\t]{{1,500}}{READ[:-1]})\1\s*(?::|=>|=)\s*(["'])([^"'\t]{{1,500}})\3\s*,?""", re.IGNORECASE
)  # as dictionaries of programs have it
_SECTION = re.compile(r"\[[\w .-]+\]|[\w-]+:")  # of a file of settings, and what YAML writes above entries
_OPENS = re.compile(r'(?:^|[,;\t|]) *"')  # a cell in quotes


def rows_only(text: str) -> str:
    """Return a text with empty lines in place of those that are no rows, and without the bars around all rows."""
    lines = _pairs(text.split("\n"))
    filled = [k for k, line in enumerate(lines) if line.strip()]
    quoted = _quoted(lines)
    drawn = _rules(lines, filled, quoted)
    rows = [k for k in filled if k not in drawn]
    if len(rows) > 1 and _whole([lines[k].strip() for k in rows]):
        return "\n".join(line.strip().strip('"') for line in lines)
    bars = [k for k in rows if drawn and lines[k].strip()[0] in "|│" and lines[k].strip()[-1] in "|│"]
    if drawn and len(bars) > 1 and len(bars) >= MOSTLY * len(rows):
        for k in bars:
            lines[k] = "|".join(cell.strip() for cell in re.split("[|│]", lines[k].strip()[1:-1]))
    gone = {k for k in filled if k in drawn and (bars or len(rows) > len(drawn))}
    gone |= _around(lines, rows, quoted) | _above_header(lines, rows, quoted)
    return "\n".join("" if k in gone else line for k, line in enumerate(lines))


def _pairs(lines: list[str]) -> list[str]:
    """Return lines of path and label where programs write them in quotes: `"1.png": "BONE",` or `'1.png' => 'BONE'`.

    Sections of files of settings become empty, and so do up to five lines without a picture, as `return [` and `];`.
    """
    sections = {k for k, line in enumerate(lines) if _SECTION.fullmatch(line.strip())}
    rest = [line for k, line in enumerate(lines) if k not in sections and line.strip()]
    if 0 < len(sections) <= TITLES < len(rest) and all(map(_NAMED.search, rest)):
        lines = ["" if k in sections else line for k, line in enumerate(lines)]
    found = [_PAIR.fullmatch(line.strip()) for line in lines]
    others = [line for line, match in zip(lines, found, strict=True) if not match and line.strip()]
    few = len(others) <= min(TITLES, sum(match is not None for match in found) - 2)
    if not few or any(map(_NAMED.search, others)):
        return lines
    return [f"{match[2]}\t{match[4]}" if match else "" for match in found]


def _whole(rows: list[str]) -> bool:
    """Return whether somebody put each row into quotes as a whole; a row names a picture, or a header is above all."""
    for row in rows:
        inside = row[1:-1]
        if len(row) < 3 or not row[0] == row[-1] == '"' or '"' in inside or not _DIVIDED.search(inside):
            return False
    return _is_header(re.split("[,;\t|]", rows[0][1:-1])) or all(map(_NAMED.search, rows))


def _quoted(lines: list[str]) -> set[int]:
    """Return the lines of cells in quotes that go on over several lines."""
    found: set[int] = set()
    begin = None
    for k, line in enumerate(lines):
        if line.count('"') % 2 and begin is not None:
            found |= {*range(begin, k + 1)}
            begin = None
        elif line.count('"') % 2 and _OPENS.search(line):
            begin = k
    return found


def _rules(lines: list[str], filled: list[int], quoted: set[int]) -> set[int]:
    """Return the lines that only draw a rule: crossed or broken, or at an end of a table, below its header, or several.

    A plain line of dashes may be a label, where the other lines are one cell each.
    """
    found = [k for k in filled if any(mark in lines[k] for mark in DRAWN) and {*lines[k]} <= RULE and k not in quoted]
    rows = [k for k in filled if k not in {*found}]
    cells = [k for k in rows if any(mark in lines[k].strip() for mark in (*MARKS, " "))]
    table = len(cells) > 1 and len(cells) >= MOSTLY * len(rows)
    ends = {*filled[:1], *filled[-1:], *(k for k in found if table and cells[0] < k < cells[1])}
    return {
        k for k in found if CROSSED & {*lines[k]} or len(lines[k].split()) > 1 or (table and (k in ends or found[1:]))
    }


def _parts(line: str, mark: str) -> dict[str, int]:
    """Return into how many cells each other separator divides a line, if it divides it."""
    line = mark.join(cell.strip() for cell in line.split(mark))
    counts = {other: line.count(other) + 1 for other in MARKS if other != mark} | {" ": len(line.split())}
    return {other: count for other, count in counts.items() if count > 1}


def _above_header(lines: list[str], rows: list[int], quoted: set[int]) -> set[int]:
    """Return the lines above a header of known names, or above one after which all rows are divided alike.

    They may have separators, as a title may, and name no picture. In the second case the title is divided otherwise.
    """
    for mark in MARKS:
        named = (n for n, k in enumerate(rows[: TITLES + 1]) if _is_header(lines[k].split(mark)))
        first = next(named, None)
        if first is None:
            counts = [lines[k].count(mark) for k in rows]
            first = next((n for n, count in enumerate(counts[: TITLES + 1]) if count and {*counts[n:]} == {count}), 0)
            numbered = any(
                lines[k].split(mark)[0].strip().isdecimal() for k in rows[:first]
            )  # a row with a mark too many
            few = len(rows) - first < FEWEST_ROWS
            if 0 in counts[:first] or few or numbered or _NAMED.search(lines[rows[first]]):
                first = 0
        above = rows[:first]
        if above and not any(_NAMED.search(lines[k]) or k in quoted or lines[k].startswith("sep=") for k in above):
            return {*above}
    return set()


def fill_short(rows: list[tuple[int, list[str]]]) -> int:
    """Write empty cells behind rows that are shorter than the header, and return its width.

    People leave the last columns away, or write no commas behind the last cell.

    The header must name the column of paths and that of labels among those that all rows have.
    """
    least = min(len(cells) for _, cells in rows)
    if least > 1 and _is_header(rows[0][1][:least]) and not _is_header(rows[0][1][least:]):
        for _, cells in rows:
            cells.extend([""] * (len(rows[0][1]) - len(cells)))
    return len(rows[0][1])


def _is_header(cells: list[str]) -> bool:
    names = {plain_name(cell.strip(' "')) for cell in cells}
    return not (names.isdisjoint(PATH_COLUMNS) or names.isdisjoint(LABEL_COLUMNS))


def _around(lines: list[str], rows: list[int], quoted: set[int]) -> set[int]:
    """Return the lines above and below the rows that are no rows.

    They have no separator, name no picture, and no other separator divides them and most rows into as many cells.
    """
    count = {mark: sum(mark in lines[k] for k in rows) for mark in MARKS}
    mark = max(count, key=lambda mark: count[mark])
    most = len(rows) - max(2, int((1 - MOSTLY) * len(rows)))
    if count[mark] < max(most, 2):
        return set()

    def is_bare(k: int) -> bool:
        plain = mark not in lines[k] and not lines[k].startswith("sep=") and k not in quoted
        return plain and not _NAMED.search(lines[k])

    def is_row(k: int) -> bool:
        here = _parts(lines[k], mark).items()
        return bool(here) and any(2 * sum(item in there for there in usual) > len(usual) for item in here)

    above = next((n for n, k in enumerate(rows) if not is_bare(k)), 0)
    below = [rows[-1]] if is_bare(rows[-1]) and _COUNT.fullmatch(lines[rows[-1]].strip()) else []
    odd = [*rows[: above if above <= TITLES else 0], *below]
    usual = [_parts(lines[k], mark).items() for k in rows if mark in lines[k]] if odd else []
    return set() if any(map(is_row, odd)) else {*odd}
