"""What the columns of a table say of pictures, beside their labels: facts, guesses of readers, marks of wrong rows."""

import re
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from storage.errors import BadInput
from tasks.exchange.label_sources.file_formats.column_names import LABEL_COLUMNS, PATH_COLUMNS, plain_name, typed
from tasks.exchange.label_sources.file_formats.label_files import PICTURE
from tasks.exchange.label_sources.name_parts import FEW, LONGEST, are_hashes

READERS = re.compile(r"^(?:pred|predicted|guess|hypothes[ie]s|reading|recogni[sz]ed|ocr)")  # columns of answers
DIVIDED, MINUS = "/:\u00f7", "\u2212\u2013-"  # a hyphen at the end, for a set of characters
SUM = re.compile(rf"(\d{{1,6}})\s*([+*x\u00d7{DIVIDED}{MINUS}])\s*(\d{{1,6}})\s*=?\s*\??")
FACTS = {  # columns that say something else of a picture
    "font", "fontname", "fontfamily", "fontsize", "difficulty", "level", "split", "subset", "fold", "md5", "sha1",
    "sha256", "hash", "imghash", "checksum", "size", "filesize", "bytes", "width", "height", "channels", "mode",
    "format", "mimetype", "date", "time", "datetime", "timestamp", "created", "createdat", "updatedat", "modified",
    "mtime", "downloaded", "lang", "language", "quality", "score", "confidence", "conf", "probability", "prob", "seed",
    "leadtime", "annotator", "annotationid", "license", "background", "price", "cost", "length", "len",
    "noise", "angle", "rotation", "skew", "blur", "opacity", "color", "colour", "textcolor", "fontcolor", "thickness",
    "spacing", "dots", "lines", "complexity", "elapsed", "duration", "useragent", "ip", "session", "id", "index",
    "idx", "row", "rowid", "uuid", "guid", "workid", "taskid", "port", "zip", "country", "user", "worker", "site",
    "generator", "weight", "remark", "hex", "fg", "bg", "batch", "browser", "token", "attempts", "tries", "retries",
    "lex", "lexicon", "address", "resolution",
}  # fmt: skip
FACT_WORDS = {
    "id",
    "token",
    "hash",
    "ms",
    "seconds",
    "time",
    "date",
    "count",
    "version",
    "size",
}  # challenge_id, durationMs
SPLITS = {"train", "training", "val", "valid", "validation", "dev", "test", "testing", "eval", "unassigned"}
GOOD = {  # values of a row whose label is right
    "ok", "solved", "success", "successful", "accept", "accepted", "done", "good", "ready", "valid", "correct", "right",
    "true", "yes", "1", "y", "t", "x", "approved", "submitted", "pass", "passed", "match", "matched", "verified",
    "confirmed", "usable", "keep", "kept", "positive", "ja", "j", "si", "s\u00ed", "oui", "\u2713", "\u2714", "200",
}  # fmt: skip
BAD = {
    "error", "failed", "failure", "fail", "unsolved", "reject", "rejected", "ignore", "ignored", "bad", "wrong",
    "incorrect", "invalid", "skip", "skipped", "timeout", "unsolvable", "false", "no", "0", "n", "f", "denied",
    "declined", "mismatch", "unverified", "unconfirmed", "unusable", "discard", "discarded", "drop", "dropped",
    "negative", "nein", "non", "none", "null", "-", "400", "401", "403", "404", "422", "429", "500", "503",
}  # fmt: skip
SAYS_GOOD = {  # columns that say so
    "correct", "iscorrect", "ok", "isok", "valid", "isvalid", "success", "accepted", "right", "good", "readable",
    "legible", "status", "state", "answer", "verdict", "result", "decision", "approved", "approval", "review",
    "reviewed", "solved", "issolved", "verified", "isverified", "confirmed", "passed", "match", "matches", "matched",
    "ismatch", "usable", "outcome", "response", "http", "httpstatus", "httpcode", "richtig",
    "korrekt", "gut",
}  # fmt: skip
STATES = {"status", "state", "answer", "verdict", "result", "code", "errorcode", "returncode"}
SAYS_BAD = {
    "wrong",
    "iswrong",
    "incorrect",
    "bad",
    "invalid",
    "error",
    "wascancelled",
    "skipped",
    "rejected",
    "deleted",
    "ignore",
    "ignored",
    "illegible",
    "unreadable",
    "failed",
    "mismatch",
    "skip",
    "reported",
    "flag",
    "flagged",
    "unsure",
    "doubtful",
    "unusable",
    "discard",
    "falsch",
    "fehler",
}
REMARKS = {
    "error",
    "errors",
    "note",
    "notes",
    "comment",
    "comments",
    "remark",
    "remarks",
    "problem",
    "issue",
    "feedback",
}
SAYS_WRONG = re.compile(  # a remark
    r"(?:(?:the )?(?:label|text|answer) (?:is |was )?)?(?:wrong|unreadable|illegible|incorrect|mistyped|typo|unsure|"
    r"not (?:readable|legible|correct|right|sure)|falsch|unleserlich|bad (?:label|text))"
    r"(?: (?:label|text|answer))?[!. ]*",
    re.IGNORECASE,
)
_NEW = "correct(?:ed|ion)|fix(?:ed)?|revis(?:ed|ion)|review(?:ed)?|checked|manual|human|final|new|gold"
_OLD = "old|previous|orig|original|raw|draft|backup"
NEWER, OLDER = (re.compile(f"^(?:{words})|(?:{words})$") for words in (_NEW, _OLD))  # columns of labels, among several
FOLDED = re.compile("lower|norm|fold|slug")  # columns of labels of which the case was taken
CLASSES, OFTEN = 10, 5  # values: of fewer, each so often, in a column without a known name, are kinds of pictures
_INDEX = re.compile(r"|Unnamed: \d+(?:\.\d+)?")  # what pandas calls the numbers of its rows
_PLACE = re.compile(r"\.(?:coordinates|bbox|box|bndbox|boundingbox|bounding_box|points|rect|polygon)\.")  # of boxes
WHEN = re.compile(r"(?:19|20)\d\d-\d\d-\d\d(?:[T ]\d\d:\d\d.*)?")


class Unclear(BadInput):
    """A file labels the pictures, and does not say in which of its columns."""


class SaysElse(BadInput):
    """A file says something of the pictures that is no label, such as their fonts, sizes or hashes."""


def says_else(file: Path, what: str, columns: str) -> SaysElse:
    """Make the error of a file that says something else of pictures."""
    return SaysElse(
        f"labels {file}: tells {what} of the pictures, and no labels; if pictures show that, say so with "
        f"{typed('columns', columns)}"
    )


def rejected(name: str, values: Sequence[str]) -> list[bool] | None:
    """Return for each row whether a column marks its label as wrong; None for a column of other things.

    Parameters
    ----------
    name : str
        The last part of the column's name, in small letters and digits.
    values : sequence of str
        True and false, a state such as solved and failed, or remarks such as `wrong`; some rows are good.
    """
    said = [value.strip().lower() for value in values]
    if name in REMARKS and any(map(SAYS_WRONG.fullmatch, said)):
        wrong = [SAYS_WRONG.fullmatch(value) is not None for value in said]
        return wrong if not all(wrong) else None
    if name not in SAYS_GOOD | SAYS_BAD and not name.endswith(("status", "verdict", "decision")):
        return None
    if not set(said) <= GOOD | BAD | {""}:
        return None
    wrong = [(value in GOOD) if name in SAYS_BAD else (value in BAD) for value in said]
    return wrong if not all(wrong) else None


def rejected_rows(
    file: Path, header: Sequence[str], rows: Sequence[tuple[int, list[str]]], used: Collection[int]
) -> dict[int, str]:
    """Return what marks a label as wrong, such as `correct is false`, by the place of its row.

    Parameters
    ----------
    rows : sequence of (number, cells)
    used : collection of int
        The columns of paths and labels.

    Raises
    ------
    Unclear
        A state is 0 or 1: in some programs 0 means that all went well.
    """
    found: dict[int, str] = {}
    for k, name in enumerate(header):
        states = {cells[k].strip() for _, cells in rows} - {""} if plain_name(name) in STATES else set()
        if k not in used and states == {"0", "1"}:
            raise Unclear(
                f"labels {file}: its column {name} is 0 or 1, and one of them may mark wrong labels; call it correct "
                "(1 is right) or wrong (1 is wrong), or take it away"
            )
        wrong = None if k in used else rejected(plain_name(name), [cells[k] for _, cells in rows])
        found |= {row: f"{name} is {rows[row][1][k]}" for row, bad in enumerate(wrong or ()) if bad}
    return found


def tells_else(values: Sequence[str]) -> str:
    """Return what a column holds that no picture shows, by its values; '' for what may be labels."""
    filled = [value.strip() for value in values if value.strip()]
    if len(filled) > 2 and len({*filled}) > 1 and {value.lower() for value in filled} <= SPLITS:
        return "parts of a set"
    if len(filled) < FEW:
        return ""
    holds = {"hashes": are_hashes(filled), "dates or times": all(map(WHEN.fullmatch, filled)),
             "addresses": all("://" in value for value in filled)}  # fmt: skip
    return next((what for what, there in holds.items() if there), "")


def may_be_labels(names: Sequence[str], header: Sequence[str], columns: Sequence[Sequence[str]]) -> list[int]:
    """Return the columns that may hold labels: no facts, no marks of wrong rows, no answers that a person has checked.

    Parameters
    ----------
    names : sequence of str
        The last part of each column's name, in small letters and digits.
    header : sequence of str
        The whole names.
    columns : sequence of sequences of str
        The values of each.
    """
    checked = any(name.startswith("annotations.") for name in header)
    guessed = [k for k, name in enumerate(header) if name.startswith("predictions.") and len({*columns[k]}) > 1]
    if guessed and not checked:
        return guessed  # nobody has looked at them yet
    return [
        k for k, (name, whole, values) in enumerate(zip(names, header, columns, strict=True))
        if not (checked and whole.startswith("predictions.")) and not is_fact(whole, values)
        and not _PLACE.search(whole.lower())
        and not (_INDEX.fullmatch(whole.strip()) and any(header) and all(map(str.isdecimal, values)))
        and rejected(name, values) is None
    ]  # fmt: skip


def is_fact(column: str, values: Sequence[str]) -> bool:
    """Return whether a column says something else of a picture than its text, by its name or its values."""
    name = plain_name(column)
    words = re.findall("[A-Z]?[a-z]+|[A-Z]+", column)
    if name in LABEL_COLUMNS or not name:
        return bool(tells_else(values))
    return (
        name in FACTS or {*map(str.lower, words[-1:])} <= FACT_WORDS or bool(tells_else(values)) or are_classes(values)
    )


def are_classes(values: Sequence[str]) -> bool:
    """Return whether a column that no name calls labels has so few values that these are kinds of pictures."""
    different = {value for value in values if value}
    return 1 < len(different) < CLASSES and len(values) >= OFTEN * len(different)


def is_rival(name: str, values: Sequence[str], labels: Sequence[str]) -> bool:
    """Return whether a column may hold better labels than the known one: corrected, mostly the same, cased, or sums.

    Pictures show a sum such as `12-5=?`, and people call its result the answer.
    """
    both = [(a, b) for a, b in zip(labels, values, strict=True) if a and b]
    if sum(is_result(a, b) for a, b in both) * 2 > len(both):
        return True
    if all(a.isdecimal() for a, _ in both) and are_names_of(both):
        return True
    if are_cased(both) and not FOLDED.search(name):
        return True
    same = sum(a == b for a, b in both)
    mostly = len(both) >= FEW and 2 * same >= len(both) > same
    return not OLDER.search(name) and (
        mostly or (NEWER.search(name) is not None and same < len(both) and may_be_texts(both))
    )


def may_be_texts(both: Sequence[tuple[str, str]]) -> bool:
    """Return whether the second of each pair may be a label: a mark such as `x` is none.

    Half of the pairs or more are of one length, but for a letter; or most of the second differ, and none is too long.
    """
    if 2 * sum(abs(len(a) - len(b)) < 2 for a, b in both) >= len(both):
        return True
    return 2 * len({b for _, b in both}) > len(both) and max(len(b) for _, b in both) <= LONGEST


def are_cased(both: Sequence[tuple[str, str]]) -> bool:
    """Return whether the first of each pair is the second in small letters, or in capitals."""
    folded = all(a == b.lower() for a, b in both) or all(a == b.upper() for a, b in both)
    return len(both) >= FEW and folded and any(a != b for a, b in both)


def are_names_of(both: Sequence[tuple[str, str]]) -> bool:
    """Return whether the second of each pair may be the name of the class that the first numbers."""
    pairs, numbers, names = {*both}, {a for a, _ in both}, {b for _, b in both}
    one_each = len(pairs) == len(numbers) == len(names)
    return one_each and 1 < len(pairs) < len(both) and not all(map(str.isdecimal, names))


def is_result(label: str, task: str) -> bool:
    """Return whether a label is what a sum or the like comes to."""
    found = SUM.fullmatch(task.strip())
    if not found or not re.fullmatch(r"[-\u2212]?\d{1,9}", label.strip()):
        return False
    one, sign, other = int(found[1]), found[2], int(found[3])
    value = int(label.replace("\u2212", "-"))
    if sign in DIVIDED:
        return value * other == one
    return value == (one + other if sign == "+" else one - other if sign in MINUS else one * other)


def is_header(rows: Sequence[Sequence[str]], unlike: Callable[[int, str], bool]) -> bool:
    """Return whether the first row names the columns: as known columns do, or unlike all other rows.

    Parameters
    ----------
    unlike : function of a column and a cell
        Returns whether the cell names no picture, and others of its column do.
    """
    if not rows:
        return False
    first, *others = rows
    if any(map(PICTURE.search, first)):
        return False
    names = {*map(plain_name, first)}
    if not (names.isdisjoint(PATH_COLUMNS) or names.isdisjoint(LABEL_COLUMNS)) or not others:
        return True
    return any(
        sum(PICTURE.search(cells[k]) is not None for cells in others) > len(others) // 2 or unlike(k, cell)
        for k, cell in enumerate(first)
    )


def in_turn(columns: Sequence[Sequence[str]]) -> bool:
    """Return whether of two columns now the one and now the other has the picture, told by its suffix."""
    return len(columns) == 2 and all(
        (PICTURE.search(one) is None) != (PICTURE.search(other) is None) for one, other in zip(*columns, strict=True)
    )
