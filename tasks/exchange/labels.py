"""Labels of pictures: find out where they are, and give every picture its label."""

import itertools
from dataclasses import replace
from pathlib import Path

from storage.errors import BadInput, NotThere
from tasks.exchange.label_sources.beside import ANNOTATIONS, BESIDE, TEXTS, names_files, texts_beside
from tasks.exchange.label_sources.column_kinds import Unclear
from tasks.exchange.label_sources.column_kinds import says_else as column_says_else
from tasks.exchange.label_sources.companions import companions
from tasks.exchange.label_sources.doubtful import (
    counts_else,
    lists_pictures,
    names_a_reader,
    readers_answers,
    require_no_answers,
    require_wanted,
)
from tasks.exchange.label_sources.file_formats.label_files import (
    LIST,
    PICTURE,
    TABLE,
    TABLES,
    labelish,
    read_table,
    suffix_of,
)
from tasks.exchange.label_sources.file_formats.unreadable import is_left_behind
from tasks.exchange.label_sources.label_columns import listed_labels, resolve
from tasks.exchange.label_sources.label_in_name import beside_numbers, infer_pattern
from tasks.exchange.label_sources.other_files.file_facts import fact_of_files
from tasks.exchange.label_sources.other_files.naming_files import NamingFiles, is_list, reads_as_list
from tasks.exchange.label_sources.other_files.odd_entries import odd_entries
from tasks.exchange.label_sources.other_files.sidecars import Sidecars
from tasks.exchange.label_sources.picture_index import ListedLabels, PictureIndex
from tasks.exchange.label_sources.set_aside import (
    both,
    hints,
    is_about_labels,
    is_own_record,
    odd_pictures,
    require_holders_read,
    require_no_numbered_folders,
    require_no_numbers,
    require_not_names,
    require_nothing_else,
    require_own_labels,
    require_sure,
    require_whole,
    says_else,
)
from tasks.exchange.label_sources.spelling.spelt import CAPITALS
from tasks.exchange.labelling import Labelling, LabelOptions, require_faithful
from tasks.loading.listing import list_names

FEW_PLAIN = 50  # files without a suffix at most that may be others than pictures
MOST_TOLD = 5  # files that are not read, in notes
SAMPLE = 200  # annotations that are read to see whether they hold labels


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
        names = [name for name in list_names(folder) if not is_own_record(folder, name)]
        self.pictures = [name for name in names if PICTURE.search(name) or _plain(name)]
        self.pictures = self.pictures or odd_pictures(folder, names)
        pictures = {*self.pictures}
        others = [name for name in names if name not in pictures and not is_left_behind(name)]
        aside = companions(self.pictures)
        self.pictures = [name for name in self.pictures if name not in aside]
        stems = {PICTURE.sub("", name) for name in self.pictures} if others else set()
        texts = {end: texts_beside([*self.pictures, *others], end) for end in BESIDE}
        self.beside = {end: len(there) for end, there in texts.items()}
        self.own = {
            end: {text for text in texts[end].values() if not text.endswith(BESIDE[:k])} for k, end in enumerate(BESIDE)
        }  # without those of longer ends, such as .gt.txt
        self.sampled = {
            end: dict(itertools.islice(texts[end].items(), 0, None, max(1, len(texts[end]) // SAMPLE)))
            for end in ANNOTATIONS
        }
        ends = (*BESIDE, ".box")
        beside = {text for there in texts.values() for text in there.values()}
        others_of = [name for name in others if name not in beside]
        self.splits: list[Path] = []  # lists of pictures without labels
        self.others = [name for name in others_of if not any(_is_beside(name, end, stems) for end in ends)]
        self.lists = [
            name for name in self.others
            if (is_list(name) and not names_files([name])) or reads_as_list(folder / name, name, self.pictures)
        ]  # fmt: skip
        self.named = [name for name in self.lists if labelish(name)]  # named as files of labels are
        self.sidecars = Sidecars(folder, self.pictures, self.others, options.tidy)
        plain = [name for name in self.pictures if not PICTURE.search(name)]
        looked_into = {*self.others, *(plain if len(plain) <= FEW_PLAIN else ())} - {*self.lists, *self.sidecars.files}
        self.naming = NamingFiles(folder, looked_into, self.pictures)
        self.pictures = [name for name in self.pictures if name not in self.naming.all]
        self.unread = odd_entries(folder) | self.naming.reasons()
        self.named += self.unread

    def labelling(self) -> Labelling:
        """Choose, or refuse."""
        if not self.pictures:
            return self._without_pictures()
        used, failed, unmatched = self._read()
        told = [read for read in used if not read.only]  # a state, or what stands in for an answer
        same = [read for read in used if told and read.only]
        used = told or used
        end = next((end for end in BESIDE if self.beside[end] * 2 >= len(self.pictures)), "")
        end = end or ("" if used else self.sidecars.labels())
        if used and end in TEXTS:
            raise BadInput(
                f"labels: {self.folder} has both a {end} beside each picture and {_name(used[0], self.folder)}; "
                "give that file with --labels, or take it away"
            )
        if used:
            notes = self._passed_over(failed)
            notes += [
                f"{_name(read, self.folder)}: not used, since it says only {read.only!r} of its {len(read.labels):,}"
                for read in same
            ]
            if end:
                notes.append(f"a {end} beside each picture: not used, since {_name(used[0], self.folder)} has labels")
            notes += [f"{name}: not used; it names no picture" for name in unmatched]
            if chosen := self._word_numbers(used, notes):
                return chosen
            if not self.options.columns:
                require_sure(self.folder, used, self.options.tidy)
                require_not_names(used)
                require_no_numbers(self.folder, self.others, used)
                labelled = {
                    path: label
                    for read in (*used, *same)
                    for path, label in (*read.labels.items(), *((path, "") for path in read.left_out))
                }
                require_whole(self.folder, self.pictures, labelled, used[0].file)
            chosen = self._of_files(used, tuple(notes))
            return replace(chosen, agreeing=(*chosen.agreeing, *(read.file for read in same)))
        reason = ""
        if end in ANNOTATIONS and not self.options.columns:
            reason = require_own_labels(self.folder, self.sampled[end], end, self.options.tidy)
            if reason and (plain := self.sidecars.labels()):
                end, reason = plain, ""
        if end and not reason:
            more = [other for other in BESIDE if other not in (end, ".box") and self.own[other]]
            unused = [f"a {other} beside a picture: not used, since a {end} has the label" for other in more]
            unused += self._passed_over(failed)
            return Labelling(beside=end, folder=self.folder, options=self.options, notes=tuple(unused))
        return self._in_names(failed, unmatched, end, reason)

    def _in_names(self, failed: dict[str, BadInput], unmatched: list[str], end: str, reason: str) -> Labelling:
        """Take labels from the names, or refuse where files may hold them; `reason` is why those beside do not."""
        beside = {kind: 0 if kind == end else count for kind, count in self.beside.items()}
        require_nothing_else(self.folder, self.pictures, failed, unmatched, self.unread, beside)
        said = [f"a {end} beside each picture: not used ({reason})"] if reason else []
        said += self.sidecars.require_none()
        said += [f"{name}: not used; it holds checksums" for name in self.naming.checksums]
        said += [f"{file.name}: not used; it lists pictures without labels" for file in self.splits]
        aside = {name: error for name, error in failed.items() if says_else(name, error, len(self.pictures))}
        said += [f"{name}: not used; it holds no labels of these pictures" for name in aside]
        try:
            found = infer_pattern(self.pictures, Labelling().pattern)
        except BadInput as error:
            unclear = {name: why for name, why in failed.items() if name not in aside}
            reasons = [
                str(error),
                *filter(None, [reason]),
                *map(str, aside.values()),
                *hints(self.pictures, self.others, unclear, unmatched),
            ]
            raise BadInput("; and ".join(reasons)) from None
        require_no_numbered_folders(self.folder, self.pictures, self.others, found)
        if found == CAPITALS:
            said.append("names have a mark before each capital, which is taken out")
        lists = (*self.splits, *(self.folder / name for name in aside))
        return Labelling(found, folder=self.folder, options=self.options, notes=tuple(said), agreeing=lists)

    def _passed_over(self, failed: dict[str, BadInput]) -> list[str]:
        """Say which files of labels are not used, where labels come from other files."""
        notes = [f"{name}: not used ({reason})" for name, reason in failed.items() if is_about_labels(name, reason)]
        notes += [f"{name}: not used; it {why}" for name, why in itertools.islice(self.unread.items(), MOST_TOLD)]
        more = len(self.unread) - MOST_TOLD
        return [*notes, f"{more:,} more such files: not used"] if more > 0 else notes

    def _word_numbers(self, used: list[ListedLabels], notes: list[str]) -> Labelling | None:
        """Take labels from names where files list the numbers of words, which stand in the names too, as MJSynth's."""
        labels = {path: label for read in used for path, label in read.labels.items()}
        pattern = None if self.options.columns else beside_numbers(labels)
        if pattern is None:
            return None
        files = tuple(read.file for read in used)
        notes += [f"{_name(read, self.folder)}: not used; its numbers stand beside words in the names" for read in used]
        return Labelling(pattern, folder=self.folder, options=self.options, notes=tuple(notes), agreeing=files)

    def _without_pictures(self) -> Labelling:
        require_holders_read(self.folder, self.others)
        found = [self.folder / name for name in (TABLE, LIST) if (self.folder / name).is_file()]
        if len(found) > 1:
            raise both(self.folder, TABLE, LIST)
        if found:
            return Labelling(file=found[0], folder=self.folder, options=self.options)
        return Labelling(folder=self.folder, options=self.options)

    def _read(self) -> tuple[list[ListedLabels], dict[str, BadInput], list[str]]:
        """Read all files that may list labels: those that do, those that fail, and those that name no picture."""
        index = PictureIndex(self.pictures)
        used: list[ListedLabels] = []
        failed: dict[str, BadInput] = {}
        unmatched: list[str] = []
        for name in self.lists:
            base = name.rpartition("/")[0]
            if lists_pictures(self.folder / name, index, base):
                require_wanted(name)
                self.splits.append(self.folder / name)
                continue
            try:
                there = require_no_answers(read_table(self.folder / name))
                read = resolve(there, index, base, self.options.columns)
            except BadInput as error:
                failed[name] = self.naming.judged(self.folder / name, error) or error
                continue
            if not self.options.columns and (fact := fact_of_files(self.folder, read.labels)):
                failed[name] = column_says_else(read.file, fact, "PATH,LABEL")
                continue
            all_names = len(read.labels) + len(read.strangers)
            if read.labels and not read.only and names_a_reader(name) and not self.options.columns:
                failed[name] = readers_answers(read.file, "PATH,LABEL")
            elif not self.options.columns and counts_else(name, read, len(self.pictures)):
                unmatched.append(name)
            elif read.labels and (labelish(name) or suffix_of(name) in TABLES or len(read.labels) * 2 >= all_names):
                used.append(read)
            elif read.several and not read.labels:
                failed[name] = Unclear(f"labels {read.file}: {read.several}; write the folder before each name")
            elif not self.options.columns and (told := self.naming.judged(read.file)):
                failed[name] = told
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
                raise both(self.folder, _name_of(seen[path], self.folder), _name(read, self.folder))
            seen |= dict.fromkeys(read.labels, read.file)
        files = tuple(sorted(read.file for read in used))
        return Labelling(found=files, folder=self.folder, options=self.options, notes=notes)


def _plain(name: str) -> bool:
    """Return whether a file may be a picture that has no suffix."""
    return "." not in name.rpartition("/")[2] and not labelish(name)


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
