"""Labels of pictures: from their file names, or from a file that lists them."""

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

TABLE, LIST = "labels.csv", "gt.txt"  # the files of labels that are used by default if the folder has them
PATH_COLUMNS = ("path", "file", "filename")
LABEL_COLUMNS = ("label", "word", "words", "text")  # `words` is EasyOCR's
LONGEST = 32  # characters of a label, as of a profile's texts
LAST_PART = r"(?:.*_)?(?P<label>[^_]*)"  # the text after the last _, or the whole name


@dataclass(frozen=True)
class Labelling:
    """The source of labels.

    Parameters
    ----------
    pattern : str
        For labels in file names: a regular expression with a group `label`, or a template with `{label}`
        once and `*` for any characters within a name. It must match a file's whole name, without its suffix
        or with it; or else the name with the folder above, and so on.
    file : Path, optional
        A file that lists paths and labels, used instead of the pattern.

    Raises
    ------
    BadInput
        The pattern is neither a template nor a regular expression.
    """

    pattern: str = LAST_PART
    file: Path | None = None

    def __post_init__(self) -> None:
        _ = self._regex  # raises for a wrong pattern now, not at the first file

    @cached_property
    def _regex(self) -> re.Pattern[str]:
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
        """Find the label in a file's name; None if the pattern does not match. `path` has forward slashes."""
        parts = path.split("/")
        for first in range(len(parts) - 1, -1, -1):
            name = "/".join(parts[first:])
            match = self._regex.fullmatch(posixpath.splitext(name)[0]) or self._regex.fullmatch(name)
            if match:
                return match["label"] or ""
        return None

    def as_dict(self) -> dict[str, str]:
        """Return the pattern or the file's name, for a manifest: no path of this machine."""
        return {"file": self.file.name} if self.file else {"pattern": self.pattern}


def find_labels(folder: Path, file: Path | None = None, pattern: str | None = None) -> Labelling:
    """Choose where labels come from: the given file or pattern, else the folder's labels.csv or gt.txt, else names.

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
        In the order of the paths' UTF-8 bytes, without repetition.
    rejects : list of (path, reason)
        The files without a label, and labels without a file.

    Raises
    ------
    BadInput
        The file of labels cannot be read, or names a picture twice.
    """
    listed = read_labels(labelling.file) if labelling.file else {}
    source = labelling.file.name if labelling.file else ""
    unlabelled = (
        f"no label in {source}" if source else f"no label: the name does not match the pattern {labelling.pattern!r}"
    )
    allowed = frozenset(alphabet)
    pairs: list[tuple[str, str]] = []
    rejects: list[tuple[str, str]] = []
    for path in paths:
        if not path.isascii() and not _is_utf8(path):
            shown = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
            rejects.append((shown, "the name is not UTF-8; rename it"))
            continue
        label = listed.pop(path, None) if source else labelling.label(path)
        reason = unlabelled if label is None else _fault(label, allowed)
        if label is None or reason:
            rejects.append((path, reason))
        else:
            pairs.append((path, sys.intern(label)))
    rejects += [
        (path, f"{source} labels it, but the folder has no such file (or a link, or hidden)") for path in listed
    ]
    return sorted(pairs), sorted(rejects)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _fault(label: str, allowed: frozenset[str]) -> str:
    """Return why a label cannot be used; '' if it can."""
    if not label:
        return "its label is empty"
    if len(label) > LONGEST:
        return f"its label has {len(label)} characters; at most {LONGEST} are possible"
    if not label.isprintable() or any(map(str.isspace, label)):
        return f"its label {label!r} has a blank or control character"
    foreign = [character for character in label if character not in allowed] if allowed else []
    return f"its label {label!r} has {foreign[0]!r}, which the alphabet lacks" if foreign else ""


def read_labels(file: Path) -> dict[str, str]:
    """Read labels by path from a table (.csv, .tsv) or from lines `path TAB label` (any other suffix), in UTF-8.

    The first line of a table names its columns: one of path, file and filename; one of label, word, words and
    text; and any others. Commas, semicolons or tabs separate them.

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
    """Yield (number of the line, path, label)."""
    text = _text(file)
    rows = _table(file, text) if file.suffix.lower() in (".csv", ".tsv") else _list(file, text)
    for line, path, label in rows:
        # Labels written on Windows have backslashes; './a.png' is 'a.png'.
        yield line, posixpath.normpath(path.strip().replace("\\", "/")), label.strip()


def _text(file: Path) -> str:
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        raise NotThere(f"labels {file}: no such file; give a {TABLE} or {LIST}") from None
    except OSError as error:
        raise BadInput(f"labels {file}: cannot be read ({error.strerror})") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadInput(
            f"labels {file}, line {line}: byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8"
        ) from error


def _table(file: Path, text: str) -> Iterator[tuple[int, str, str]]:
    header = text.partition("\n")[0]
    separator = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        columns = [name.strip().lower() for name in next(reader, [])]
        place, labelled = (
            next((columns.index(name) for name in names if name in columns), None)
            for names in (PATH_COLUMNS, LABEL_COLUMNS)
        )
        if place is None or labelled is None:
            raise BadInput(
                f"labels {file}: the first line must name a column {', '.join(PATH_COLUMNS[:-1])} or "
                f"{PATH_COLUMNS[-1]} and a column {', '.join(LABEL_COLUMNS[:-1])} or {LABEL_COLUMNS[-1]}; "
                f"it is {header.strip()!r}"
            )
        for row in reader:
            if not row:
                continue
            if len(row) <= max(place, labelled):
                raise BadInput(f"labels {file}, line {reader.line_num}: has {len(row)} columns of {len(columns)}")
            yield reader.line_num, row[place], row[labelled]
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
