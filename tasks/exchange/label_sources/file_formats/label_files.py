"""Files that list labels: tables, plain lists, JSON and XML, with the encodings and separators that people use."""

import csv
import io
import json
import re
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from storage.errors import BadInput, NotThere
from storage.files.small_files import read_small
from tasks.exchange.label_sources.file_formats.annotations import (
    Shape,
    box_table,
    joined,
    require_texts,
    via_table,
    xml_rows,
)
from tasks.exchange.label_sources.file_formats.documents import document_rows
from tasks.exchange.label_sources.file_formats.json_entries import entries_of
from tasks.exchange.label_sources.file_formats.label_table import LabelTable
from tasks.exchange.label_sources.file_formats.letter_boxes import placed_letters
from tasks.exchange.label_sources.file_formats.remarks import fill_short, rows_only
from tasks.exchange.label_sources.file_formats.unreadable import BEGINNINGS, WRITE_TABLE, remedy_for_labels
from tasks.exchange.label_sources.name_parts import FEW, is_told
from tasks.loading.listing import READ

TABLE, LIST = "labels.csv", "gt.txt"  # the names that this project's own exports use
PICTURE = re.compile(READ[:-1] + r"(?:\.\d{1,4}|\.bak|\.orig|~)?$", re.IGNORECASE)  # also of a copy, as wget names it
TABLES, LISTS, XML = {".csv", ".tsv"}, {".txt", ".lst", ".list"}, ".xml"
JSONS = {".json", ".jsonl", ".ndjson", ".manifest"}
LABELISH = re.compile(
    r"label|annot|truth|answer|solution|metadata|caption|transcri|(?:^|_)gt(?:$|[\W_])|^(train|val|test)$"
)
DESCRIPTIONS = {"dataset-metadata.json", "datapackage.json"}  # of a whole dataset
OTHER_TEXTS = {"", ".dat", ".text", ".log", ".tab", ".psv", ".ssv"}  # of labels only if they are named so
SEPARATORS = ",;\t|"
SOME = 50  # rows that the separator is judged by
MOST_COLUMNS = 200  # of an entry of a JSON file or an XML file
SPLIT_LINE = re.compile(f"^(.*?{READ[:-1]})(?:\\s+|(?=[=:|]|->))(\\S.*)$", re.IGNORECASE)
_ARROW = re.compile(f"^.*?{READ[:-1]}\\s*(?:[-=]>|=)", re.IGNORECASE)
BETWEEN = ("=>", "->", "=", ":", "|")  # what people write between path and label, in all lines
_MARK = re.compile(r"[^\w\s]{1,3}\s+")  # or a dash or the like, and a blank
NAMED_PICTURE = re.compile(f"{READ[:-1]}(?!\\w)", re.IGNORECASE)  # in the middle of a line
_FORMULA = re.compile(r'=(?:(?:IMAGE|HYPERLINK)\()?"([^"]*)".*')  # as text: 0123, or an address of a picture
_ESCAPED = re.compile(r'(?<!\\)\\"')  # a quote within quotes, as ICDAR writes it, if its line has another behind it
_PADDING = re.compile(r'(?<!\0)\0++(?=[,;\t|" \r\n]|\Z)')  # of cells that all have one width, or of the file
COMMENT = "#"  # begins a line; in a table also the header of VIA, which has a name right behind it


def suffix_of(name: str) -> str:
    """Return the suffix of a file's name, in small letters."""
    return Path(name).suffix.lower()


def labelish(name: str) -> bool:
    """Return whether a file is named as files of labels are."""
    base = name.rpartition("/")[2].lower()
    if base in DESCRIPTIONS:
        return False
    return LABELISH.search(base.rpartition(".")[0] or base) is not None


def may_list(name: str) -> bool:
    """Return whether a file may list labels, by its name."""
    suffix = suffix_of(name)
    return suffix in {*TABLES, *JSONS, *LISTS, XML} or (suffix in OTHER_TEXTS and labelish(name))


def read_table(file: Path) -> LabelTable:
    """Read the cells of a file of labels; the suffix says which format it has.

    Raises
    ------
    NotThere, BadInput
        With the line.
    """
    suffix = file.suffix.lower()
    if (remedy := remedy_for_labels(file.name)) and file.is_file():
        raise BadInput(f"labels {file}: files of labels are text, JSON or XML, not {suffix}; {remedy}")
    data, name = _bytes(file), f"labels {file}"
    if suffix == XML:
        require_texts(entries := xml_rows(data, name), name)
        return entries_table(file, entries)
    text = decode(data, name)
    if suffix in JSONS:
        return entries_table(file, entries_of(text, name))
    if suffix not in TABLES and (found := document_rows(text, name, suffix)) is not None:
        return entries_table(file, found)
    text = rows_only(text)
    rows = list(_cells(file, text) if suffix in TABLES else _list(file, text))
    if rows:
        regions = via_table(rows[0][1], (cells for _, cells in rows[1:]), name)
        if regions is not None:
            require_texts(regions, name)
            return entries_table(file, regions)
        width = fill_short(rows)
        for number, cells in rows:
            if len(cells) < width or any(cells[width:]):
                raise BadInput(
                    f"labels {file}, line {number}: has {len(cells)} columns of {width}; put a label that has a "
                    "separator in it between double quotes"
                )
            del cells[width:]
            cells[:] = [formula[1] if (formula := _FORMULA.fullmatch(cell)) else _transcribed(cell) for cell in cells]
        boxes = box_table(rows[0][1], [cells for _, cells in rows[1:]])
        if boxes is not None:
            require_texts(boxes, name)
            return entries_table(file, boxes)
        for column in range(width):
            if all(len(cells[column]) > 1 and cells[column][0] == cells[column][-1] == "'" for _, cells in rows):
                for _, cells in rows:
                    cells[column] = cells[column][1:-1]
    return LabelTable(file, "line", rows)


def entries_table(file: Path, entries: list[dict[str, str]]) -> LabelTable:
    """Make a table of entries: a column for each field.

    Raises
    ------
    BadInput
        There are too many fields.
    """
    columns = tuple(dict.fromkeys(name for entry in entries for name in entry))
    if len(columns) > MOST_COLUMNS:
        raise BadInput(f"labels {file}: its entries have {len(columns)} fields; write a path and a label in each")
    rows = [(number, [entry.get(name, "") for name in columns]) for number, entry in enumerate(entries, 1)]
    return LabelTable(file, "entry", rows, columns)


def _bytes(file: Path) -> bytes:
    try:
        return read_small(file, f"labels {file}")
    except FileNotFoundError:
        raise NotThere(f"labels {file}: no such file; give a {TABLE} or {LIST}") from None
    except OSError as error:
        raise BadInput(f"labels {file}: cannot be read ({error.strerror})") from error


def decode(data: bytes, name: str) -> str:
    """Decode a text file: UTF-8, or UTF-16 and UTF-32 with a mark or recognised by their zero bytes.

    Raises
    ------
    BadInput
        With the line.
    """
    for beginning, what in BEGINNINGS.items():
        if data.startswith(beginning):
            raise BadInput(f"{name}: is {what}")
    try:
        text = _PADDING.sub("", data.decode(_encoding(data)).lstrip("\ufeff"))
        if "\0" in text:
            raise BadInput(f"{name}: is no text, as it has characters of zero; {WRITE_TABLE}")
        return text if "\n" in text else text.replace("\r", "\n")  # lines of old spreadsheets end with it alone
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadInput(
            f"{name}, line {line}: byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8"
        ) from error


def _encoding(data: bytes) -> str:
    if data.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return "utf-32"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    head = data[:4000].rstrip(b"\0")
    if len(head) > 3 and not len(data) % 2:  # ASCII characters in UTF-16 have a zero byte each, always on one side
        for zeros, others, encoding in ((head[1::2], head[::2], "utf-16-le"), (head[::2], head[1::2], "utf-16-be")):
            if zeros.count(0) > 0.4 * len(zeros) and (others.count(0) < 0.2 * len(others) or not any(zeros)):
                return encoding
    return "utf-8-sig"


def _separator(text: str) -> str:
    """Return the separator that divides the first rows into as many cells each, two at least; else a comma."""
    best, found = (0.0, 0), ","
    for separator in SEPARATORS:
        try:
            widths = [len(row) for _, row in zip(range(SOME), _csv(text, separator), strict=False) if row]
        except csv.Error:
            continue
        if not widths:
            continue
        usual = max(set(widths), key=lambda width: (width > 1, widths.count(width)))
        if usual > 1 and (score := (widths.count(usual) / len(widths), usual)) > best:
            best, found = score, separator
    return found


def _csv(text: str, separator: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)


def _cells(file: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    skipped = 0
    first, _, rest = text.partition("\n")
    if told := re.fullmatch(r"sep=(.)\r?", first):  # a spreadsheet's own line
        separator, text, skipped = told[1], rest, 1
    else:
        separator = _separator(text)
    try:
        rows = list(_rows(text, separator, csv.QUOTE_MINIMAL))
        if any("\n" in cell for _, row in rows for cell in row):  # a quote that no other quote ends
            bare = list(_rows(text, separator, csv.QUOTE_NONE))
            quoted = any(len(cell) > 1 and cell[0] == cell[-1] == '"' for _, row in bare for cell in row)
            rows = bare if not quoted and len({len(row) for _, row in bare}) == 1 else rows
    except csv.Error as error:
        raise BadInput(f"labels {file}{error}") from error
    usual = statistics.mode(len(row) for _, row in rows) if rows else 0
    for number, row in rows:
        if not _is_comment(row[0], len(row) == usual):
            yield number + skipped, [cell.strip() for cell in row]


def _rows(text: str, separator: str, quoting: Literal[0, 3]) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of the last line and the cells of each row that has any."""
    if quoting == csv.QUOTE_MINIMAL and '\\"' in text:
        text = re.sub(r"[^\r\n]+", _unescaped, text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, quoting=quoting)
    try:
        for row in reader:
            if any(map(str.strip, row)):
                yield reader.line_num, row
    except csv.Error as error:
        raise csv.Error(f", line {reader.line_num}: cannot be read as a table ({error})") from error


def _unescaped(line: re.Match[str]) -> str:
    before, quote, after = line[0].rpartition('"')
    return _ESCAPED.sub('""', before) + quote + after


def _is_comment(text: str, usual: bool) -> bool:
    """Return whether a line begins a comment; one that has as many cells as others may be a header of names."""
    return text.startswith(COMMENT) and not PICTURE.search(text) and not (usual and text[1:2].isalnum())


def _list(file: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the two cells of each line: path and label, divided by a tab, another separator, or a blank."""
    lines = [
        (number, line.rstrip("\r")) for number, line in enumerate(text.split("\n"), 1)
        if line.strip() and not (line[0] == COMMENT and not NAMED_PICTURE.search(line))
    ]  # fmt: skip
    if sum("\t" in line for _, line in lines) * 2 >= len(lines) > 0:
        yield from _tabbed(file, lines)
        return
    separator = _separator(text)
    arrows = all(_ARROW.match(line) for _, line in lines)
    if not arrows and sum(separator in line for _, line in lines) >= 0.9 * len(lines) > 0:
        yield from _cells(file, text)
        return
    columns = [line.split() for _, line in lines]
    if _are_columns(columns):
        yield from zip((number for number, _ in lines), columns, strict=True)
        return
    rows = []
    for number, line in lines:
        # A blank may be in the name or in the label: the suffix of a picture says where the name ends.
        found = SPLIT_LINE.match(line.strip())
        cells = list(found.groups()) if found else line.split(None, 1)
        if len(cells) < 2:
            raise BadInput(f"labels {file}, line {number}: must be a path and a label; it is {line[:80]!r}")
        rows.append((number, cells))
    marks = {match[0] if (match := _MARK.match(cells[1])) else "" for _, cells in rows}
    mark = next((mark for mark in BETWEEN if rows and all(cells[1].startswith(mark) for _, cells in rows)), "")
    mark = mark or (marks.pop() if len(marks) == 1 else "")
    for number, (path, label) in rows:
        yield number, [path.strip(" :"), label.removeprefix(mark).strip(" :")]


def _tabbed(file: Path, lines: list[tuple[int, str]]) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells between tabs: path and label, or as many as all lines have."""
    counts = {line.count("\t") for _, line in lines}
    most = -1 if len(counts) == 1 else 1
    for number, line in lines:
        if "\t" not in line:
            raise BadInput(f"labels {file}, line {number}: must be a path, a tab and a label; it is {line[:80]!r}")
        first, *others = line.split("\t", most)
        for path in _listed_paths(first.strip()):  # PaddleOCR gives one text to several pictures
            yield number, [path, *(_transcribed(cell.strip()) for cell in others)]


def _listed_paths(cell: str) -> list[str]:
    """Return the paths of a cell that is a JSON list of them; else the cell itself."""
    try:
        paths = json.loads(cell) if cell.startswith('["') else []
    except ValueError:
        paths = []
    return paths if paths and all(isinstance(path, str) for path in paths) else [_transcribed(cell)]


def _are_columns(rows: list[list[str]]) -> bool:
    """Return whether lines are divided by blanks into more than path and label: a column is none by its values."""
    widths = set(map(len, rows))
    if len(rows) < FEW or len(widths) > 1 or min(widths) < 3:
        return False
    return any(is_told([row[k] for row in rows]) for k in range(1, min(widths)))


def _transcribed(label: str) -> str:
    """Return the text of a label that is PaddleOCR's list of boxes: of one, or of a box a letter from left to right.

    Label Studio writes such lists into tables.
    """
    if not label.startswith("[{"):
        return label
    try:
        boxes = json.loads(label)
        if letters := placed_letters(boxes):
            return letters
        shapes = [Shape(min(point[0] for point in box["points"]), {"": str(box["transcription"])}) for box in boxes]
        return joined({}, shapes)[""] or label
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return label
