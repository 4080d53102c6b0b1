"""Files that look like files of labels and are none: lists of pictures, a reader's answers, numbers one too high."""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from storage.errors import BadInput
from tasks.exchange.label_sources.column_kinds import Unclear
from tasks.exchange.label_sources.file_formats.column_names import LABEL_COLUMNS, PATH_COLUMNS, typed
from tasks.exchange.label_sources.file_formats.label_files import LISTS, PICTURE, TABLES, decode
from tasks.exchange.label_sources.file_formats.label_table import LabelTable
from tasks.exchange.label_sources.name_parts import FEW
from tasks.exchange.label_sources.picture_index import ListedLabels, Match, PictureIndex, without_suffix

Rows = list[tuple[int, list[str]]]  # of a table: the number of the line, and the cells
ANSWERS = {"path", "word", "confidence", "reading", "status"}  # columns of what `captchas solve` writes
SERVICES = {  # fields that services and programs for reading write
    "textAnnotations", "fullTextAnnotation", "BlockType", "TextDetections", "analyzeResult", "ParsedResults",
    "recognitionResults", "readResult", "rec_texts", "rec_scores", "inferConfidence",
}  # fmt: skip
TESSERACT = {"level", "page_num", "conf", "text"}  # and of what Tesseract writes of one picture
TOLD = 80  # characters of a first line, in a message
LISTED = 0.9  # share of the lines that must name pictures
GUESSES = re.compile(
    r"(?:^|[^a-z])(?:predicts?|predicted|predictions?|preds?|guess(?:es)?|hypothes[ie]s|submission|inference|"
    r"(?:system|ocr|rec)_results?)(?:[^a-z]|$)"
)
OF_READERS = re.compile(  # in the name of a file, not of its folder
    r"(?:^|[^a-z])(?:(?:ocr|crnn|model|solver)_(?:results?|outputs?|out|log|answers?)|pseudo|(?:auto|weak)_?label\w*|"
    r"label\w*_(?:auto|weak)|tesseract|easyocr|ddddocr|paddleocr|trocr|gpt|chatgpt|gemini|claude|llm|vlm|2captcha|"
    r"anticaptcha|capsolver)(?:[^a-z]|$)"
)
UNWANTED = {  # words in the name of a list of pictures
    "wrong", "bad", "incorrect", "blacklist", "exclude", "excluded", "ignore", "ignored", "broken", "corrupt",
    "rejected", "invalid", "remove", "removed", "delete", "deleted",
}  # fmt: skip


CLASS_LISTS = re.compile(  # names of files that say which class has which number
    r"(?:class|categor|charset|alphabet|vocab|label_?map|mapping|id2|index2|2id|2index|dictionary)"
)


class NamesNone(BadInput):
    """A table names no picture.

    rows : int
    named : bool
        Whether it names pictures that are not there.
    """

    rows, named = 0, False


def names_none(file: Path, first: str, rows: int, named: bool) -> NamesNone:
    """Make the error of a table without a column that names pictures of the folder; `first` is its first line."""
    what = (
        f"the first line must name a column {', '.join(PATH_COLUMNS[:2])} or {PATH_COLUMNS[2]} and a column "
        f"{', '.join(LABEL_COLUMNS[:3])} or {LABEL_COLUMNS[3]}, or --columns must name both; it is {first[:TOLD]!r}, "
        "and no column names pictures of the folder"
    )
    listed = "is a list without names of pictures; write path and label of each into a labels.csv"
    error = NamesNone(f"labels {file}: {what if first or not rows else listed}")
    error.rows, error.named = rows, named
    return error


class ReadersAnswers(BadInput):
    """A table of answers of a reader, which may be wrong."""


def names_a_reader(name: str) -> bool:
    """Return whether a file is named for what reads pictures, and so may hold its answers."""
    low = name.lower()
    return GUESSES.search(low) is not None or OF_READERS.search(low.rpartition("/")[2]) is not None


def require_no_answers(table: LabelTable) -> LabelTable:
    """Return a table, but refuse what `captchas solve` wrote: nobody chose it for labels.

    Raises
    ------
    ReadersAnswers
    """
    first = table.columns or (table.rows[0][1] if table.rows else ())
    if field := of_service(table.columns or ()):
        raise readers_answers(table.file, f"path,{field}")
    if set(first) >= ANSWERS:
        raise readers_answers(table.file, "path,word")
    if set(first) >= TESSERACT:
        raise ReadersAnswers(
            f"labels {table.file}: holds what Tesseract read in one picture, and some may be wrong; if you have looked "
            "at them, write path and label of each picture into a labels.csv"
        )
    return table


def of_service(columns: Sequence[str]) -> str:
    """Return the field of the text, if a service or a program for reading wrote these fields; else ''."""
    if not any(SERVICES & {*name.split(".")} for name in columns):
        return ""
    texts = (name for name in columns if re.search(r"(?i)(?:text|description|texts)(?:\.\d+)*$", name))
    return next(texts, columns[0])


def readers_answers(file: Path, columns: str) -> ReadersAnswers:
    """Make the error of a table of answers of a reader."""
    return ReadersAnswers(
        f"labels {file}: holds a reader's answers, and some may be wrong; if you have looked at them, take them with "
        f"{typed('labels', file)} {typed('columns', columns)}"
    )


def twice(table: LabelTable, first: int, second: int, path: str, found: Sequence[str] = ()) -> BadInput:
    """Make the error of a name that two rows label differently; `found` are the pictures that it may mean."""
    units = "lines" if table.unit == "line" else "entries"
    columns = [*zip(*(cells for _, cells in table.rows[1:]), strict=False)]
    repeated = any(2 * len({*cells}) <= len(cells) for cells in columns)  # a name in several rows each
    letters = any({*map(len, cells)} == {1} and not all(map(str.isdecimal, cells)) for cells in columns)
    remedy = "; keep one of them"
    if len(found) > 1:
        remedy = f", which may be {found[0]} or {found[1]}; write the folder before each name"
    elif letters and repeated:
        remedy = (
            "; if each row is a letter, write their places (1, 2, …) into a column position, or join them in one row"
        )
    return Unclear(f"labels {table.file}, {units} {first} and {second}: both label {path!r}{remedy}")


def lists_pictures(file: Path, index: PictureIndex, base: str) -> bool:
    """Return whether a text file names pictures line by line, and says nothing of them, as lists of a split do."""
    table = file.suffix.lower() in TABLES
    if file.suffix.lower() not in LISTS and not table:
        return False
    try:
        lines = [line.strip() for line in decode(file.read_bytes(), "").split("\n")]
    except (OSError, BadInput):
        return False
    names = [line.strip('"') for line in lines if line]
    if not names or (table and sum(PICTURE.search(name) is not None for name in names) < LISTED * len(names)):
        return False
    found = max(
        sum(bool(index.find(match, name, base)) for name in names) for match in Match if match is not Match.BEHIND
    )
    return found >= LISTED * len(names) and (
        all(map(PICTURE.search, names)) or not any(" " in name or "," in name for name in names)
    )


def counts_else(name: str, read: ListedLabels, pictures: int) -> bool:
    """Return whether the numbers in a file are of classes or the like, and only by chance those of some pictures."""
    if not read.numbered or pictures <= FEW:
        return False
    return len(read.labels) < FEW or CLASS_LISTS.search(name.rpartition("/")[2].lower()) is not None


def require_wanted(name: str) -> None:
    """Refuse a list of pictures whose name says that they are wrong.

    Raises
    ------
    BadInput
    """
    if UNWANTED & {*re.split(r"[\W\d_]+", name.rpartition("/")[2].lower())}:
        raise BadInput(
            f"labels: {name} seems to list pictures that are wrong or not wanted; move them away, or say where the "
            "labels are with --labels or --pattern"
        )


def set_right(table: LabelTable, rows: Rows, path: int, label: int, find: Callable[[str], list[str]]) -> Rows:
    """Return rows with paths and labels in their columns, though some rows have them in each other's place.

    Parameters
    ----------
    path, label : int
        The columns.
    find : function
        Returns the pictures that a name may mean.

    Raises
    ------
    BadInput
        Some rows seem to be so, and their paths have no suffix that proves it.
    """
    odd = [
        k for k, (_, cells) in enumerate(rows)
        if cells[label] and not PICTURE.search(cells[path]) and not find(cells[path]) and len(find(cells[label])) == 1
    ]  # fmt: skip
    if not odd:
        return rows
    turned = {k for k in odd if PICTURE.search(rows[k][1][label])}
    named = {own for _, cells in rows for own in find(cells[path])} if len(turned) < len(odd) else set()
    unsure = [k for k in odd if k not in turned and named.isdisjoint(find(rows[k][1][label]))]
    if len(unsure) > 1:
        number, cells = rows[unsure[0]]
        raise BadInput(
            f"labels {table.file}, {table.unit} {number}: {cells[path]!r} is no picture and {cells[label]!r} is one, "
            f"as in {len(unsure):,} such rows: path and label seem to have changed places; put them right"
        )
    right = list(rows)
    for k in turned:
        number, cells = rows[k]
        right[k] = number, list(cells)
        right[k][1][path], right[k][1][label] = cells[label], cells[path]
    return right


def require_not_shifted(table: LabelTable, match: Match, listed: Sequence[str], strangers: Iterable[str],
                        index: PictureIndex, base: str) -> None:  # fmt: skip
    """Refuse numbers that begin at 1 where the pictures' begin at 0, or the other way: all labels would be wrong.

    Raises
    ------
    BadInput
    """
    gone = list(strangers)
    numbers = [int(stem) for name in listed if (stem := _stem(name)).isascii() and stem.isdecimal()]
    if len(gone) != 1 or len(numbers) < len(listed) or len(numbers) < 3:
        return
    low, high = min(numbers), max(numbers)
    if high - low + 1 != len(set(numbers)):
        return
    example = listed[0]
    for edge, beyond in ((high, low - 1), (low, high + 1)):
        if int(_stem(gone[0])) == edge and beyond >= 0:
            other = _like(example, beyond)
            if index.find(match, other, base):
                there = (low - 1, high - 1) if beyond < low else (low + 1, high + 1)
                raise BadInput(
                    f"labels {table.file}: its numbers go from {low} to {high}, and those of the pictures from "
                    f"{there[0]} to {there[1]}, as if one counted from 0 and the other from 1; write the pictures' own "
                    "names into it, or add a row for each picture"
                )


def _stem(name: str) -> str:
    return without_suffix(name).replace("\\", "/").rpartition("/")[2]


def _like(name: str, number: int) -> str:
    """Return a listed name with another number, as many digits at least."""
    stem = _stem(name)
    head, _, tail = name.rpartition(stem)
    return f"{head}{number:0{len(stem) if stem[0] == '0' else 0}d}{tail}"
