"""What an import leaves out or refuses: files without a label, folders without a labelled picture, too many letters."""

import itertools
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from storage.errors import BadInput
from tasks.exchange.label_sources.file_formats.label_files import PICTURE
from tasks.exchange.label_sources.file_formats.letter_order import WHOLES
from tasks.exchange.label_sources.name_parts import FEW, Part, base64_texts, default_among, is_told, kinds_of
from tasks.exchange.label_sources.spelling.spelt import hex_texts
from tasks.exchange.label_sources.written_labels import JOINERS

MOST_LETTERS = 200  # different characters, as in a profile's alphabet
LONGEST = 32  # characters of a label, as of a profile's texts
MANY = 10  # labels that are no chance
SPREADSHEET = re.compile(  # what spreadsheets and pandas make of a label: numbers, faults, dates, empty cells
    r"\d(?:[.,]\d+)?E\+\d+|#[A-Z]+[!?]|\d+\.0|\d{1,2}[-.][A-Z][^\W\d_]{2}(?:[-.]\d\d(?:\d\d)?)?|[A-Z][a-z]{2}-\d\d|"
    r"\d{4}-\d\d-\d\d(?:\d\d:\d\d(?::\d\d)?)?|\d{1,2}/\d{1,2}/\d{4}|nan|NaN|NaT|None|NULL|null|N/A|#N/A|<NA>"
)
PREFIX = re.compile(r"[^\W\d_]{2,} ?(?:[:=]|->) ?(?=.)")  # what a person writes before a label
NO_ANSWER = re.compile(r"(?:ERROR|CAPCHA|CAPTCHA)_[A-Z_]+")  # what a service answers where it read nothing
NO_LABEL = {  # what people write in place of a label
    "unreadable", "illegible", "unclear", "unknown", "unsure", "skip", "skipped", "n/a", "na", "none", "null", "nil",
    "empty", "todo", "tbd", "undefined", "missing", "invalid", "error", "failed", "idk", "dunno", "no idea", "not sure",
    "cannot read", "can't read", "not readable", "bad", "broken", "unk", "unlabeled", "unlabelled", "no label",
    "no_label", "nolabel", "pending", "blank", "nothing",
}  # fmt: skip
RARELY = 20  # times as many texts as labels there must be, if none of them comes by chance
REMARK = re.compile(r"\S+\s+(?:[(\[#{].*|//.*|(?:or|oder|ou|vs\.?)\s+\S+)|[^\W_]+[(\[](?=[^)\]]*[a-z]{3})[^)\]]*[)\]]")
SET = re.compile(r"""\{(?:'[^']*'|"[^"]*")(?:, *(?:'[^']*'|"[^"]*"))*\}""")  # of Python
SHARE = re.compile(r"^.+[^\w.] ?(?:[01]?\.\d+|\d{1,3}(?:\.\d+)? ?%)[)\]}]?$")  # a confidence behind a label
NUMBERED = re.compile(r"^\d+[).:] +(?=\S)")
NUMBERS = re.compile(r"\d+(?:[ ,;]+\d+)+")  # of classes, and no text
CONSECUTIVE = 0.8  # share of the letters of a list of classes that follow each other
CLASSES = 200  # numbers of classes at most
MOSTLY = 0.95  # share of the labels that must agree
SOME_REJECTS = 20  # rejects in a report; rejects.csv lists all


def require_pictures(folder: Path, pairs: Sequence[tuple[str, str]], rejects: Sequence[tuple[str, str]]) -> None:
    """Refuse a folder without a labelled picture.

    Raises
    ------
    BadInput
    """
    if not pairs and not rejects:
        raise BadInput(f"{folder}: has no file; put labelled pictures into it")
    if not pairs:
        some = "; ".join(f"{path}: {reason}" for path, reason in rejects[:3])
        error = BadInput(
            f"{folder}: none of its {len(rejects):,} files is a picture with a label ({some}); name the "
            "files for what they show, or say with --pattern or --labels where their labels are"
        )
        error.report = {"rejected": len(rejects), "rejects": first_rejects(rejects)}
        raise error


def alphabet_of(labels: Iterable[str]) -> str:
    """Return the characters of labels, in order.

    Raises
    ------
    BadInput
        They are too many.
    """
    alphabet = "".join(sorted(set().union(*labels)))
    if len(alphabet) > MOST_LETTERS:
        raise BadInput(
            f"alphabet: at most {MOST_LETTERS} different characters are possible; the labels have "
            f"{len(alphabet)}: name those to keep with --alphabet"
        )
    return alphabet


def first_rejects(rejects: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    """Return the first rejects, for reports."""
    return [{"path": path, "reason": reason} for path, reason in rejects[:SOME_REJECTS]]


def require_single(labels: Sequence[str], source: str) -> None:
    """Refuse labels that all end or begin with something else, such as `BONE 0.98`.

    Raises
    ------
    BadInput
    """
    prefixes = {match[0] if (match := PREFIX.match(label)) else "" for label in labels if label}
    if len(labels) >= MANY and len(prefixes) == 1 and "" not in prefixes:
        raise BadInput(
            f"labels {source}: hold more than the label: all begin with {next(iter(prefixes))!r}, such as "
            f"{labels[0]!r}; write only the label"
        )
    if any(labels) and all(map(SET.fullmatch, filter(None, labels))):
        raise BadInput(
            f"labels {source}: are sets of Python, such as {labels[0]!r}, which keep no order; write the text of each "
            "picture"
        )
    for test, what in (
        (NUMBERED, "all begin with a number"),
        (SHARE, "all end with a share, as of confidence"),
        (PICTURE, "all are names of files"),
    ):
        if len(labels) >= MANY and all(map(test.search, labels)):
            raise BadInput(
                f"labels {source}: hold more than the label: {what}, such as {labels[0]!r}; write only the label"
            )
    if len(labels) >= MANY and any(labels) and all(map(_said_twice, filter(None, labels))):
        first = next(label for label in labels if label)
        raise BadInput(
            f"labels {source}: hold more than the label: all say the same twice, such as {first!r}; write only the "
            "label, as pictures show it"
        )
    numbers = [label for label in labels if NUMBERS.fullmatch(label)]
    if len(numbers) >= max(MANY, MOSTLY * len(labels)) and re.search(r"\d\d", "".join(numbers)):
        raise BadInput(
            f"labels {source}: hold lists of numbers such as {numbers[0]!r}, as of classes; write the text of each "
            "picture, without anything between its letters"
        )
    rows = [label.split() for label in labels if label]
    if len(rows) < MANY or len(set(map(len, rows))) > 1 or len(rows[0]) < 2:
        return
    columns = [[row[k] for row in rows] for k in range(len(rows[0]))]
    if any(kind in (Part.HASH, Part.DATE) for kind in kinds_of(columns, len(rows))) or any(map(is_told, columns)):
        raise BadInput(
            f"labels {source}: hold more than the label: {labels[0]!r}, {labels[1]!r}, …; write only the label, or use "
            "a table and choose its columns with --columns"
        )


def require_bare(labels: Sequence[str], source: str) -> None:
    """Refuse labels that all stand within the same, such as `{"text": "…"}`, `<b>…</b>` or `$…$`.

    Raises
    ------
    BadInput
    """
    filled = [label for label in labels if label]
    if len({*filled}) < MANY:
        return
    begun = same_beginning(filled)
    ended = same_beginning([label[::-1] for label in filled])[::-1]
    marked = begun and ended and not begun.isalnum() and not ended.isalnum()
    if marked and len(begun) + len(ended) < min(map(len, filled)):
        raise BadInput(
            f"labels {source}: hold more than the label: all begin with {begun!r} and end with {ended!r}, such as "
            f"{filled[0]!r}; write only the label, or say with --columns that pictures show all of it"
        )


def same_beginning(texts: Sequence[str]) -> str:
    """Return what all texts begin with."""
    pairs = zip(min(texts), max(texts), strict=False)
    return "".join(one for one, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def _said_twice(label: str) -> bool:
    parts = [part for part in re.split(r"[\s;,/|]+", label.casefold()) if part]
    return len(parts) > 1 == len({*parts})


def require_no_default(labels: Sequence[str], source: str) -> None:
    """Refuse labels of which many are one, and the others differ: as if that were the default of rows without a label.

    Raises
    ------
    BadInput
    """
    if found := default_among(labels):
        usual, count = found
        raise BadInput(
            f"labels {source}: {count:,} of {len(labels):,} are {usual!r}, and nearly all others differ, as if it "
            "stood for no label; take these rows away, or say with --columns that pictures show it"
        )


def require_no_classes(pairs: Sequence[tuple[str, str]], source: str) -> None:
    """Refuse a list of classes, `0 A`, `1 B` and so on, whose numbers are also those of pictures.

    Raises
    ------
    BadInput
    """
    names = [(path.rpartition("/")[2].partition(".")[0], label) for path, label in pairs]
    stems = [(re.split(r"(\d*)$", name)[1], label) for name, label in names]
    if len(pairs) < FEW or not all(stem.isdecimal() and len(label) == 1 for stem, label in stems):
        return
    letters = [label for _, label in sorted((int(stem), label) for stem, label in stems)]
    steps = [ord(b) - ord(a) for a, b in itertools.pairwise(letters)]
    if min(steps) > 0 or (len({*letters}) == len(letters) and steps.count(1) > CONSECUTIVE * len(steps)):
        raise BadInput(
            f"labels {source}: may be a list of classes ({', '.join(letters[:3])}, …), whose numbers are by chance "
            "those of pictures; say with --columns that pictures show these letters"
        )


def require_no_numbered_classes(labels: Sequence[str], source: str) -> None:
    """Refuse numbers of one digit and of more, as of classes, and one word that a tool says of all pictures.

    Raises
    ------
    BadInput
    """
    if len(labels) < MANY:
        return
    only, *others = {*labels}
    if not others and (only.lower() in WHOLES or (only.isdecimal() and len(only) < 3)):
        raise BadInput(
            f"labels {source}: say {only!r} of all {len(labels):,} pictures, as of a class; write the text of each "
            "picture, take labels from the names with --pattern, or say with --columns that pictures show this"
        )
    if not all(label.isdecimal() and label.isascii() and str(int(label)) == label for label in labels):
        return
    numbers = {*map(int, labels)}
    if min(numbers) < 10 <= max(numbers) < CLASSES and len(numbers) > 2:
        raise BadInput(
            f"labels {source}: are numbers from {min(numbers)} to {max(numbers)}, as of classes; write the text of "
            "each picture, or say with --columns that pictures show these numbers (or with --zeros fill that zeros are "
            "lost)"
        )


def require_decoded(labels: Sequence[str], source: str) -> None:
    """Refuse labels of UTF-8 that some tool read as Windows-1252: `Ã¤` for `ä`.

    Raises
    ------
    BadInput
    """
    for label in labels:
        if not label.isascii() and (meant := _decoded(label)) != label:
            raise BadInput(
                f"labels {source}: {label!r} is {meant!r}, which a tool has read in a wrong encoding; write the file "
                "again, as UTF-8"
            )


def require_no_codes(labels: Sequence[str], source: str) -> None:
    """Refuse labels in base64 or as codes of their characters.

    Raises
    ------
    BadInput
    """
    if texts := base64_texts(labels):
        raise BadInput(
            f"labels {source}: hold labels in base64: {labels[0]!r} is {texts[0]!r}; write the texts themselves, or "
            "say with --columns that pictures show them as they are"
        )
    if texts := hex_texts(labels):
        raise BadInput(
            f"labels {source}: hold codes of characters: {labels[0]!r} is {texts[0]!r}; write the texts themselves, or "
            "say with --columns that pictures show them as they are"
        )


def remarked(labels: Iterable[str]) -> set[str]:
    """Return the labels with a remark, as in `BONE (unclear)` or `BONE or B0NE`, if most have none."""
    different = {label.strip() for label in labels}
    found = {label for label in different if not label.isalnum() and REMARK.fullmatch(label)}
    return found if len(different) >= MANY and 3 * len(found) < len(different) else set()


def _decoded(label: str) -> str:
    try:
        return label.encode("cp1252").decode()
    except UnicodeError:
        return label


def stand_ins(labels: Iterable[str]) -> set[str]:
    """Return the labels that stand for none: marks such as `???` or `-` among letters, and errors of a service."""
    different = {label.strip() for label in labels}
    found = {label for label in different if NO_ANSWER.fullmatch(label)}
    marks = {label for label in different - found if label and not any(map(str.isalnum, label))}
    texts = different - found - marks
    among = any(len(label) == 1 for label in texts) or any(mark in text for mark in {*"".join(marks)} for text in texts)
    return found | marks if len(texts) > max(FEW, 2 * len(marks)) and not among else found


def words_for_none(labels: Iterable[str]) -> set[str]:
    """Return words such as `unreadable` in place of labels: no other label has their length, or some of their letters.

    What spreadsheets write, such as None, has its own reason.
    """
    different = {label.strip() for label in labels}
    others = {label for label in different if label.lower() not in NO_LABEL or SPREADSHEET.fullmatch(label)}
    if len(others) < MANY:
        return set()
    lengths, letters = {*map(len, others)}, set().union(*others)
    marks = [label for label in others if re.fullmatch("[Xx]{4,}", label)]
    fill = {label for label in marks if len(letters) ** len(label) > RARELY * len(others)}  # else drawn by chance
    return fill | {word for word in different - others if len(word) not in lengths or not letters >= {*word}}


def fault_of(label: str, allowed: frozenset[str], listed: bool = False) -> str:
    """Return why a label cannot be used; '' if it can."""
    if not label:
        return "its label is empty"
    if "\ufffd" in label:
        return f"its label {label!r} has lost a letter, as a tool could not decode it; write it again"
    if len(label) > LONGEST:
        return f"its label has {len(label)} characters; at most {LONGEST} are possible"
    if not label.isascii() and any(joiner in label for joiner in JOINERS):
        return f"its label {label!r} has an invisible joiner, which no model reads: write the label without it"
    if not label.isprintable() or any(map(str.isspace, label)):
        return f"its label {label!r} has a blank or control character"
    if listed and SPREADSHEET.fullmatch(label):
        return f"its label {label!r} is what a spreadsheet or pandas makes of another; write the label as text"
    foreign = [character for character in label if character not in allowed] if allowed else []
    return f"its label {label!r} has {foreign[0]!r}, which the alphabet lacks" if foreign else ""
