"""Which picture shows what: labels from file names, or from a file that lists them."""

import csv
import io
import posixpath
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from storage.errors import BadInput, NotThere

TABLE, LIST = "labels.csv", "gt.txt"  # used by themselves where they stand in the folder
PATH_COLUMNS = ("path", "file", "filename")
LABEL_COLUMNS = ("label", "word", "words", "text")  # `words` is EasyOCR's
LONGEST = 32  # characters of a label, as of a profile's texts
LAST_PART = r"(?:.*_)?(?P<label>[^_]*)"  # what stands after the last _, or everything


@dataclass(frozen=True)
class Labelling:
    """Where labels come from.

    Parameters
    ----------
    pattern : str
        For labels in file names: a regular expression with a group `label`, or a template: `{label}`
        once, `*` for anything within a name. It has to match all of a file's name, without its suffix or
        with it; if it does not, the name with the folder above, and so on.
    file : Path, optional
        A file that lists paths and labels instead.

    Raises
    ------
    BadInput
        A pattern that is neither.
    """

    pattern: str = LAST_PART
    file: Path | None = None

    def __post_init__(self):
        _ = self._regex  # a mistake is told here, not at the first file

    @cached_property
    def _regex(self) -> re.Pattern:
        pattern = self.pattern
        if "(?P<label>" not in pattern:
            if pattern.count("{label}") != 1:
                raise BadInput(
                    f"pattern {pattern!r}: must have {{label}} once, or be a regular expression with a group "
                    "(?P<label>…); for instance '{label}_*' or '(?P<label>[A-Z]+)-[0-9]+'"
                )
            parts = re.split(r"(\{label\}|\*)", pattern)
            meaning = {"{label}": "(?P<label>[^/]*?)", "*": "[^/]*"}
            pattern = "".join(meaning.get(part, re.escape(part)) for part in parts)
        try:
            return re.compile(pattern, re.DOTALL)
        except re.error as error:
            raise BadInput(f"pattern {pattern!r}: is no regular expression ({error})") from error

    def label(self, path: str) -> str | None:
        """The label in a file's name, None if it does not match; `path` has forward slashes."""
        parts = path.split("/")
        for first in range(len(parts) - 1, -1, -1):
            name = "/".join(parts[first:])
            match = self._regex.fullmatch(posixpath.splitext(name)[0]) or self._regex.fullmatch(name)
            if match:
                return match["label"] or ""
        return None

    def as_dict(self) -> dict:
        """The kind of labels, for a manifest: never where on this machine they are."""
        return {"file": self.file.name} if self.file else {"pattern": self.pattern}


def find_labels(folder: Path, file: Path | None = None, pattern: str | None = None) -> Labelling:
    """Where a folder's labels come from: what was asked for, else its own labels.csv or gt.txt, else the names.

    Raises
    ------
    BadInput, NotThere
    """
    if file and pattern is not None:
        raise BadInput("labels and pattern: one of them at most; labels come from a file or from the names")
    if file:
        if not file.is_file():
            raise NotThere(f"labels {file}: no such file; give a {TABLE} or {LIST}")
        return Labelling(file=file)
    if pattern is not None:
        return Labelling(pattern)
    found = [folder / name for name in (TABLE, LIST) if (folder / name).is_file()]
    if len(found) > 1:
        raise BadInput(f"labels: {folder} has both {TABLE} and {LIST}; choose one with --labels")
    return Labelling(file=found[0]) if found else Labelling()


def pair(
    paths: Iterable[str], labelling: Labelling, alphabet: str = ""
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Give every file its label.

    Parameters
    ----------
    paths : iterable of str
        Relative to the folder, with forward slashes; undecodable bytes as surrogates.
    alphabet : str
        Characters that labels may have; '' for any.

    Returns
    -------
    pairs : list of (path, label)
        In the order of the paths' UTF-8 bytes, each once.
    rejects : list of (path, reason)
        The files that have none, and labels without a file.

    Raises
    ------
    BadInput
        A file of labels that cannot be read, or names a picture twice.
    """
    listed = read_labels(labelling.file) if labelling.file else None
    allowed = frozenset(alphabet)
    pairs, rejects = [], []
    for path in paths:
        if not path.isascii() and not _is_utf8(path):
            shown = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
            rejects.append((shown, "the name is not UTF-8; rename it"))
            continue
        if listed is None:
            label = labelling.label(path)
            reason = f"no label: the name does not match the pattern {labelling.pattern!r}" if label is None else ""
        else:
            label = listed.pop(path, None)
            reason = f"no label in {labelling.file.name}" if label is None else ""
        reason = reason or _fault(label, allowed)
        if reason:
            rejects.append((path, reason))
        else:
            pairs.append((path, sys.intern(label)))
    for path in listed or ():
        rejects.append(
            (path, f"{labelling.file.name} labels it, but the folder has no such file (or a link, or hidden)")
        )
    return sorted(pairs), sorted(rejects)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _fault(label: str, allowed: frozenset[str]) -> str:
    if not label:
        return "its label is empty"
    if len(label) > LONGEST:
        return f"its label has {len(label)} characters; at most {LONGEST} are possible"
    if not label.isprintable() or any(map(str.isspace, label)):
        return f"its label {label!r} has a blank or control character"
    foreign = [character for character in label if character not in allowed] if allowed else []
    return f"its label {label!r} has {foreign[0]!r}, which the alphabet lacks" if foreign else ""


def read_labels(file: Path) -> dict[str, str]:
    """Labels by path, as a file lists them: a table (.csv, .tsv), or lines `path TAB label` (any other suffix).

    A table's first line names its columns: one of path, file and filename, one of label, word, words and
    text, and any others; separated by commas, semicolons or tabs. Both kinds are UTF-8.

    Raises
    ------
    NotThere, BadInput
        With the line.
    """
    labels: dict[str, str] = {}
    for line, path, label in _rows(file):
        if path in labels:
            first = next(number for number, other, _ in _rows(file) if other == path)
            raise BadInput(f"labels {file}, lines {first} and {line}: both label {path!r}; keep one of them")
        labels[path] = label
    return labels


def _rows(file: Path) -> Iterator[tuple[int, str, str]]:
    """(line, path, label)."""
    text = _text(file)
    rows = _table(file, text) if file.suffix.lower() in (".csv", ".tsv") else _list(file, text)
    for line, path, label in rows:
        # Labels written on Windows have backslashes; './a.png' is 'a.png'.
        yield line, posixpath.normpath(path.strip().replace("\\", "/")), label.strip()


def _text(file: Path) -> str:
    try:
        data = file.read_bytes()
        return data.decode("utf-8-sig")
    except FileNotFoundError:
        raise NotThere(f"labels {file}: no such file; give a {TABLE} or {LIST}") from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadInput(
            f"labels {file}, line {line}: byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8"
        ) from error
    except OSError as error:
        raise BadInput(f"labels {file}: cannot be read ({error.strerror})") from error


def _table(file: Path, text: str) -> Iterator[tuple[int, str, str]]:
    header = text.partition("\n")[0]
    separator = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        columns = [name.strip().lower() for name in next(reader, [])]
        where = [next((columns.index(name) for name in names if name in columns), None)
                 for names in (PATH_COLUMNS, LABEL_COLUMNS)]  # fmt: skip
        if None in where:
            raise BadInput(
                f"labels {file}: the first line must name a column {', '.join(PATH_COLUMNS[:-1])} or "
                f"{PATH_COLUMNS[-1]} and a column {', '.join(LABEL_COLUMNS[:-1])} or {LABEL_COLUMNS[-1]}; "
                f"it is {header.strip()!r}"
            )
        for row in reader:
            if not row:
                continue
            if len(row) <= max(where):
                raise BadInput(f"labels {file}, line {reader.line_num}: has {len(row)} columns of {len(columns)}")
            yield reader.line_num, row[where[0]], row[where[1]]
    except csv.Error as error:
        raise BadInput(f"labels {file}, line {reader.line_num}: cannot be read as a table ({error})") from error


def _list(file: Path, text: str) -> Iterator[tuple[int, str, str]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        path, tab, label = line.partition("\t")
        if not tab:
            raise BadInput(f"labels {file}, line {number}: must be a path, a tab and a label; it is {line[:80]!r}")
        yield number, path, label
