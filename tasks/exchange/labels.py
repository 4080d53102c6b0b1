"""Labels of pictures: find out where they are, and give every picture its label."""

import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from storage.errors import BadInput, NotThere
from storage.exports.record import RECORDS
from tasks.exchange.label_sources.beside import ANNOTATIONS, BESIDE, TEXTS, texts_beside
from tasks.exchange.label_sources.doubtful import lists_pictures, require_no_answers
from tasks.exchange.label_sources.label_columns import ListedLabels, Unclear, listed_labels, resolve
from tasks.exchange.label_sources.label_files import (
    HOLDERS,
    LIST,
    PACKED,
    PICTURE,
    TABLE,
    TABLES,
    UNREADABLE,
    XML,
    labelish,
    may_list,
    read_table,
    suffix_of,
)
from tasks.exchange.label_sources.label_in_name import infer_pattern
from tasks.exchange.label_sources.picture_index import PictureIndex
from tasks.exchange.labelling import (
    Labelling,
    LabelOptions,
    is_unseen,
    require_faithful,
    with_zeros,
    without_apostrophes,
)
from tasks.exchange.rejects import fault_of, require_single
from tasks.loading.listing import list_names


def find_labels(
    folder: Path, file: Path | None = None, pattern: str | None = None, options: LabelOptions | None = None
) -> Labelling:
    """Choose where labels come from.

    That is the given file or pattern; else files that list labels, below the folder; else a text file beside each
    picture; else the part of the pictures' names that varies as labels do.

    Raises
    ------
    BadInput
        There are several such places, or none, or a file of labels cannot be used.
    NotThere
    """
    options = options or LabelOptions()
    if file and pattern is not None:
        raise BadInput("labels and pattern: one of them at most; labels come from a file or from the names")
    if options.columns and pattern is not None:
        raise BadInput("columns and pattern: one of them at most; columns are those of a file of labels")
    if file:
        if not file.is_file():
            raise NotThere(f"labels {file}: no such file; give a {TABLE} or {LIST}")
        return Labelling(file=file, folder=folder, options=options)
    there = _Folder(folder, options)
    if pattern is not None:
        chosen = Labelling(pattern, folder=folder, options=options)
        return replace(chosen, notes=tuple(f"{name}: not used, since --pattern was given" for name in there.named))
    chosen = there.labelling()
    if options.columns and not chosen.files and chosen.beside not in ANNOTATIONS:
        raise BadInput(f"columns: are those of a file of labels, and {folder} has none; name it with --labels")
    return chosen


class _Folder:
    """The pictures below a folder, and the files that may hold their labels."""

    def __init__(self, folder: Path, options: LabelOptions):
        self.folder, self.options = folder, options
        names = [name for name in list_names(folder) if name.rpartition("/")[2] not in RECORDS]
        self.pictures = [name for name in names if PICTURE.search(name) or _plain(name)]
        others = [name for name in names if not PICTURE.search(name)]
        stems = {PICTURE.sub("", name) for name in self.pictures} if others else set()
        texts = {end: texts_beside([*self.pictures, *others], end) for end in BESIDE}
        self.beside = {end: len(there) for end, there in texts.items()}
        ends = (*BESIDE, ".box")
        beside = {text for there in texts.values() for text in there.values()}
        others_of = [name for name in others if name not in beside]
        self.splits: list[Path] = []  # lists of pictures without labels
        self.others = [name for name in others_of if not any(_is_beside(name, end, stems) for end in ends)]
        self.lists = [name for name in self.others if may_list(name)]
        self.named = [name for name in self.lists if labelish(name)]  # named as files of labels are
        self.unreadable = [name for name in self.others if suffix_of(name) in UNREADABLE]
        self.unreadable += [name for name in self.others if suffix_of(name) in PACKED and labelish(name)]
        self.named += self.unreadable

    def labelling(self) -> Labelling:
        """Choose, or refuse."""
        if not self.pictures:
            return self._without_pictures()
        used, failed, unmatched = self._read()
        told = [read for read in used if not read.only]  # a state, or what stands in for an answer
        same = [read for read in used if told and read.only]
        used = told or used
        end = next((end for end in BESIDE if self.beside[end] * 2 >= len(self.pictures)), "")
        if used and end in TEXTS:
            raise BadInput(
                f"labels: {self.folder} has both a {end} beside each picture and {_name(used[0], self.folder)}; "
                "give that file with --labels, or take it away"
            )
        if used:
            notes = [
                f"{name}: not used ({reason})" for name, reason in failed.items() if _is_about_labels(name, reason)
            ]
            notes += [
                f"{_name(read, self.folder)}: not used, since it says only {read.only!r} of its {len(read.labels):,}"
                for read in same
            ]
            if end:
                notes.append(f"a {end} beside each picture: not used, since {_name(used[0], self.folder)} has labels")
            notes += [f"{name}: not used; it names no picture" for name in unmatched]
            chosen = self._of_files(used, tuple(notes))
            return replace(chosen, agreeing=(*chosen.agreeing, *(read.file for read in same)))
        if end:
            return Labelling(beside=end, folder=self.folder, options=self.options)
        self._require_nothing_else(failed, unmatched)
        said = tuple(f"{file.name}: not used; it lists pictures without labels" for file in self.splits)
        found, lists = infer_pattern(self.pictures, Labelling().pattern), tuple(self.splits)
        return Labelling(found, folder=self.folder, options=self.options, notes=said, agreeing=lists)

    def _without_pictures(self) -> Labelling:
        holders = [name for name in self.others if suffix_of(name) in HOLDERS]
        if holders:
            raise BadInput(
                f"{self.folder}: has no picture file, but {holders[0]}, and the import reads picture files only; "
                f"{HOLDERS[suffix_of(holders[0])]}"
            )
        found = [self.folder / name for name in (TABLE, LIST) if (self.folder / name).is_file()]
        if len(found) > 1:
            raise self._both(TABLE, LIST)
        if found:
            return Labelling(file=found[0], folder=self.folder, options=self.options)
        return Labelling(folder=self.folder, options=self.options)

    def _both(self, one: str, other: str) -> BadInput:
        return BadInput(f"labels: {self.folder} has both {one} and {other}; choose one with --labels: they differ")

    def _read(self) -> tuple[list[ListedLabels], dict[str, BadInput], list[str]]:
        """Read all files that may list labels: those that do, those that fail, and those that name no picture."""
        index = PictureIndex(self.pictures)
        used: list[ListedLabels] = []
        failed: dict[str, BadInput] = {}
        unmatched: list[str] = []
        for name in self.lists:
            base = name.rpartition("/")[0]
            if lists_pictures(self.folder / name, index, base):
                self.splits.append(self.folder / name)
                continue
            try:
                there = require_no_answers(read_table(self.folder / name))
                read = resolve(there, index, base, self.options.columns)
            except BadInput as error:
                failed[name] = error
                continue
            all_names = len(read.labels) + len(read.strangers)
            if read.labels and (labelish(name) or suffix_of(name) in TABLES or len(read.labels) * 2 >= all_names):
                used.append(read)
            else:
                unmatched.append(name)
        return sorted(used, key=lambda read: -len(read.labels)), failed, unmatched

    def _of_files(self, used: list[ListedLabels], notes: tuple[str, ...]) -> Labelling:
        """Take the file that labels all that the others label, or all files if none labels what another does."""
        first, *others = used
        require_faithful(self.folder, first)
        different = [read for read in others if not read.labels.items() <= first.labels.items()]
        if not different:
            chosen = Labelling(
                folder=self.folder, options=self.options, notes=notes, agreeing=tuple(read.file for read in others)
            )
            at_top = first.file.parent == self.folder
            return replace(chosen, file=first.file) if at_top else replace(chosen, found=(first.file,))
        seen: dict[str, Path] = {}
        for read in used:
            for path in read.labels.keys() & seen.keys():
                raise self._both(_name_of(seen[path], self.folder), _name(read, self.folder))
            seen |= dict.fromkeys(read.labels, read.file)
        files = tuple(sorted(read.file for read in used))
        return Labelling(found=files, folder=self.folder, options=self.options, notes=notes)

    def _require_nothing_else(self, failed: dict[str, BadInput], unmatched: list[str]) -> None:
        """Refuse to take labels from names where a file lies that may hold them."""
        some = [name for name in (*failed, *unmatched) if labelish(name)]
        if len(some) > 1 and {TABLE, LIST} <= set(some):
            raise self._both(TABLE, LIST)
        for name, error in failed.items():
            if _is_about_labels(name, error) or suffix_of(name) in {*TABLES, XML}:
                raise BadInput(f"{error}. With --pattern, labels come from the names and this file is set aside")
        if unmatched and some:
            raise BadInput(
                f"labels {self.folder / some[0]}: names none of the {len(self.pictures):,} pictures, such as "
                f"{self.pictures[0]}; mend its paths, name its columns with --columns, or take labels from the names "
                "with --pattern"
            )
        if self.unreadable:
            name = self.unreadable[0]
            remedy = (UNREADABLE | PACKED)[suffix_of(name)]
            raise BadInput(
                f"labels {self.folder / name}: may hold labels, and cannot be read; {remedy}, or take labels from the "
                "names with --pattern"
            )
        partly = next((end for end in BESIDE if self.beside[end]), "")
        if partly:
            raise BadInput(
                f"labels: {self.beside[partly]:,} of {len(self.pictures):,} pictures have a {partly} beside them; take "
                "labels from the names with --pattern, or write a file for every picture"
            )


def _plain(name: str) -> bool:
    """Return whether a file may be a picture that has no suffix."""
    return "." not in name.rpartition("/")[2] and not labelish(name)


def _is_about_labels(name: str, error: BadInput) -> bool:
    """Return whether a file that cannot be used is one of labels, by its name or since it names the pictures."""
    return labelish(name) or isinstance(error, Unclear)


def _is_beside(name: str, end: str, stems: set[str]) -> bool:
    return name.endswith(end) and name.removesuffix(end) in stems


def _name(read: ListedLabels, folder: Path) -> str:
    return _name_of(read.file, folder)


def _name_of(file: Path, folder: Path) -> str:
    return file.relative_to(folder).as_posix()


def read_labels(file: Path, columns: tuple[str, str] | None = None) -> dict[str, str]:
    """Read labels by path from a file that lists them, without a look at the pictures.

    Raises
    ------
    NotThere, BadInput
        With the line.
    """
    return listed_labels(read_table(file), columns)


def pair(
    paths: Iterable[str], labelling: Labelling, alphabet: str = "", mended: Counter[str] | None = None
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Give every file its label.

    Parameters
    ----------
    paths : iterable of str
        Relative to the folder, with forward slashes; undecodable bytes as surrogates.
    alphabet : str
        Characters that labels may have; '' for any.
    mended : Counter, optional
        Counts the labels that were changed, by what was done.

    Returns
    -------
    pairs : list of (path, label)
        In the order of the paths' UTF-8 bytes, without repetition.
    rejects : list of (path, reason)
        The files without a label, and labels without a file.

    Raises
    ------
    BadInput
        The file of labels cannot be read, or names a picture twice; or labels may have lost leading zeros.
    """
    mended = Counter() if mended is None else mended
    source = labelling.source
    unlabelled = (
        f"no label in {source}" if source else f"no label: the name does not match the pattern {labelling.pattern!r}"
    )
    listed: ListedLabels | None = None
    if source:
        paths = list(paths)
        listed = labelling.listed([path for path in paths if path.isascii() or _is_utf8(path)])
        listed = replace(listed, labels=without_apostrophes(listed.labels, mended))
        require_single(list(listed.labels.values()), source)
        paths = labelling.only_pictures(paths)
    allowed = frozenset(alphabet)
    pairs: list[tuple[str, str]] = []
    rejects: list[tuple[str, str]] = []
    for path in paths:
        if not path.isascii() and not _is_utf8(path):
            shown = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
            rejects.append((shown, "the name is not UTF-8; rename it"))
            continue
        raw = listed.labels.get(path) if listed else labelling.label(path)
        label = None if raw is None else labelling.options.tidy(raw)
        reason = unlabelled if label is None else fault_of(label, allowed, listed is not None)
        if raw is None or label is None or reason:
            rejects.append((path, reason))
            continue
        if len(label) < len(raw):
            mended["blanks"] += " " in raw.strip()
            mended["unseen"] += any(map(is_unseen, raw.strip().replace(" ", "")))
        pairs.append((path, sys.intern(label)))
    if listed:
        rejects += listed.strangers.items()
        pairs = with_zeros(pairs, labelling, mended)
    return sorted(pairs), sorted(rejects)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
