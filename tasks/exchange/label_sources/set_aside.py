"""Files that are not read for labels, and yet may hold some: what is refused for them, and how messages name them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from storage.errors import BadInput, NotThere
from storage.exports.record import EARLIER, RECORD
from storage.files.small_files import read_json, read_small
from tasks.exchange.label_sources.beside import class_names, labels_beside, names_files
from tasks.exchange.label_sources.column_kinds import SaysElse, Unclear
from tasks.exchange.label_sources.doubtful import NamesNone, ReadersAnswers
from tasks.exchange.label_sources.file_formats.column_names import typed
from tasks.exchange.label_sources.file_formats.label_files import (
    LIST,
    TABLE,
    TABLES,
    XML,
    decode,
    labelish,
    may_list,
    suffix_of,
)
from tasks.exchange.label_sources.file_formats.unreadable import HOLDERS, kind_of, remedy_for
from tasks.exchange.label_sources.label_in_name import infer_pattern, inside_names, labels_by, other_label
from tasks.exchange.label_sources.name_parts import FEW
from tasks.exchange.label_sources.picture_index import ListedLabels, without_suffix
from tasks.loading.safe_read import begins_as_picture, read_head

PARTLY = 0.9  # share of the pictures that files of labels must label, where the names of the others hold labels too
TRIED = 50  # files without a picture's suffix that are looked into


def is_own_record(folder: Path, name: str) -> bool:
    """Return whether a file is the record of an export of this project, and no other program's `export.json`."""
    base = name.rpartition("/")[2]
    if base != EARLIER:
        return base == RECORD
    try:
        record = read_json(folder / name)
    except (OSError, ValueError):
        return False
    return isinstance(record, dict) and {"what", "parts"} <= record.keys()


def is_about_labels(name: str, error: BadInput) -> bool:
    """Return whether a file that cannot be used is one of labels, by its name or since it names the pictures."""
    return labelish(name) or isinstance(error, Unclear | ReadersAnswers)


def says_else(name: str, error: BadInput, pictures: int) -> bool:
    """Return whether a file is of something else, by what it holds: facts, or as many rows as no list of labels."""
    if labelish(name):
        return False
    other = isinstance(error, NamesNone) and error.rows - pictures not in (0, 1) and not error.named
    return other or isinstance(error, SaysElse)


def both(folder: Path, one: str, other: str) -> BadInput:
    """Make the error of two files that label the pictures differently."""
    return BadInput(
        f"labels: {folder} has both {one} and {other}; choose one with "
        f"{typed('labels', folder / one)} or {typed('labels', folder / other)}: they differ"
    )


def require_nothing_else(
    folder: Path,
    pictures: Sequence[str],
    failed: Mapping[str, BadInput],
    unmatched: Sequence[str],
    unread: Mapping[str, str],
    beside: Mapping[str, int],
) -> None:
    """Refuse to take labels from names where a file lies that may hold them.

    Parameters
    ----------
    failed : mapping of str to BadInput
        The files that cannot be used.
    unmatched : sequence of str
        Those that name no picture.
    unread : mapping of str to str
        Why each file that may hold labels is not read, and what to do.
    beside : mapping of str to int
        How many pictures have a file of each kind beside them.

    Raises
    ------
    BadInput
    """
    some = [name for name in (*failed, *unmatched) if labelish(name)]
    if len(some) > 1 and {TABLE, LIST} <= set(some):
        raise both(folder, TABLE, LIST)
    for name, error in failed.items():
        if says_else(name, error, len(pictures)):
            continue
        if is_about_labels(name, error) or suffix_of(name) in {*TABLES, XML}:
            raise BadInput(f"{error}. With --pattern, labels come from the names and this file is set aside")
    if unmatched and some:
        raise BadInput(
            f"labels {folder / some[0]}: names none of the {len(pictures):,} pictures, such as {pictures[0]}; mend its "
            "paths, name its columns with --columns, or take labels from the names with --pattern"
        )
    for name, why in unread.items():
        raise BadInput(f"labels {folder / name}: {why}, or take labels from the names with --pattern")
    if partly := next((end for end, count in beside.items() if count), ""):
        raise BadInput(
            f"labels: {beside[partly]:,} of {len(pictures):,} pictures have a {partly} beside them; take labels from "
            "the names with --pattern, or write a file for every picture"
        )


def hints(
    pictures: Sequence[str], names: Sequence[str], failed: Mapping[str, BadInput], unmatched: Sequence[str]
) -> list[str]:
    """Say which files may hold the labels that no name holds: the first of those that cannot be used or read."""
    told = [str(error) for error in failed.values()][:1]
    stems = {*pictures, *map(without_suffix, pictures)}
    own = [name for name in names if not remedy_for(name) and name.removesuffix(kind_of(name)) in stems]
    if 2 * len(own) >= len(pictures):
        told.append(f"the {kind_of(own[0])} beside each picture may hold them: rename these files to .txt or .json")
    told += [f"{name} names no picture as the folder does" for name in unmatched][:1]
    others = [f"{name} may hold them, and cannot be read: {remedy}" for name in names if (remedy := remedy_for(name))]
    return told + others[:1]


def require_own_labels(folder: Path, texts: Mapping[str, str], end: str, tidy: Callable[[str], str]) -> str:
    """Return why annotations beside pictures hold no labels; '' if they do, or if only reading them all tells.

    Parameters
    ----------
    texts : mapping of str to str
        The annotation of each picture, or of some.
    tidy : function
        Mends a label of a name as labels are mended.

    Raises
    ------
    BadInput
        They say other things than names seem to say, in a field that is not named as labels are.
    """
    try:
        read = labels_beside(folder, [*texts, *texts.values()], end)
    except SaysElse as error:
        return str(error)
    except BadInput:
        return ""
    if not read.sure and (other := other_label(list(read.labels.items()), tidy)):
        pattern, path, listed, named = other
        raise BadInput(
            f"labels: the {end} beside each picture says {listed!r} of {path}, whose name may say {named!r}; choose "
            f"one: --columns path,FIELD, or --pattern '{pattern}'"
        )
    return ""


def require_sure(folder: Path, used: Sequence[ListedLabels], tidy: Callable[[str], str]) -> None:
    """Refuse a file that is not named as labels are, nor its column, where names seem to hold other labels.

    Raises
    ------
    BadInput
    """
    for read in used:
        name = read.file.relative_to(folder).as_posix()
        if not (read.sure or labelish(name)) and (other := other_label(list(read.labels.items()), tidy)):
            pattern, path, listed, named = other
            raise BadInput(
                f"labels: {name} says {listed!r} of {path}, whose name may say {named!r}; choose one: "
                f"{typed('labels', read.file)}, or --pattern '{pattern}'"
            )


def require_not_names(used: Sequence[ListedLabels]) -> None:
    """Refuse a file that only repeats the names of pictures, unless they are labels.

    Raises
    ------
    BadInput
    """
    for read in used:
        if pattern := inside_names(read.labels):
            raise BadInput(
                f"labels {read.file}: repeats the names of the pictures; take the labels out of the names with "
                f"--pattern '{pattern}', or with --pattern whole if pictures show the whole names"
            )


def require_no_numbers(folder: Path, names: Sequence[str], used: Sequence[ListedLabels]) -> None:
    """Refuse labels that are numbers of classes, where a file says which letter each number is.

    Raises
    ------
    BadInput
    """
    said = {label for read in used for label in read.labels.values()}
    for name in names_files(names) if all(map(str.isdecimal, said)) else ():
        classes = class_names(decode(read_small(folder / name, name), f"labels {name}"), name)
        if len(classes) > max(map(int, said)) and not said <= {*classes}:
            raise BadInput(
                f"labels {used[0].file}: are numbers, and {name} may say which letter each is, such as {classes[0]!r}; "
                "write the letters, or say with --columns that pictures show the numbers"
            )


def require_no_numbered_folders(folder: Path, pictures: Sequence[str], names: Sequence[str], pattern: str) -> None:
    """Refuse folders that are numbers of classes, where a file says which letter each number is.

    Raises
    ------
    BadInput
    """
    folders = {path.split("/")[-2] for path in pictures if "/" in path}
    for name in names_files(names) if pattern == "folder" and all(map(str.isdecimal, folders)) else ():
        classes = class_names(decode(read_small(folder / name, name), f"labels {name}"), name)
        if len(classes) >= len(folders) and not folders <= {*classes}:
            raise BadInput(
                f"names: the folders are numbers, and {name} may say which letter each is, such as {classes[0]!r}; "
                "rename the folders, or take their numbers as labels with --pattern folder"
            )


def require_holders_read(folder: Path, names: Sequence[str]) -> None:
    """Refuse a folder without a picture file where another file may hold pictures.

    Raises
    ------
    BadInput
    """
    for name in names:
        if remedy := HOLDERS.get(kind_of(name)):
            raise BadInput(
                f"{folder}: has no picture file, but {name}, and the import reads picture files only; {remedy}"
            )


def odd_pictures(folder: Path, names: Sequence[str]) -> list[str]:
    """Return files of unknown kinds, if some of them are pictures by what they hold, as `captcha.php.1` may be."""
    odd = [name for name in names if not may_list(name) and not remedy_for(name)]
    return odd if any(is_picture(folder / name) for name in odd[:: max(1, len(odd) // TRIED)]) else []


def is_picture(file: Path) -> bool:
    """Return whether a file begins as a picture does; True for one that cannot be read, so that it is told."""
    try:
        return begins_as_picture(read_head(file))
    except OSError:
        return True


def require_whole(folder: Path, pictures: Sequence[str], labelled: Mapping[str, str], file: Path) -> None:
    """Refuse files of labels of some pictures only, where the names of the others seem to hold labels.

    Parameters
    ----------
    labelled : mapping of str to str
        The label of each picture that the files tell of. If they are half of all, and no name holds its label, the
        others' names are no labels either.
    file : Path
        The first of the files.

    Raises
    ------
    BadInput
    """
    others = [path for path in pictures if path not in labelled]
    if len(others) < FEW or len(labelled) >= PARTLY * len(pictures):
        return
    held = any(label and label.casefold() in path.casefold() for path, label in labelled.items())
    if 2 * len(labelled) >= len(pictures) and not held:
        return
    try:
        pattern = infer_pattern(others, "whole")
        first = next(((path, label) for path, label in labels_by(pattern, others) if label), None)
    except (BadInput, NotThere):
        return
    if first:
        raise BadInput(
            f"labels: {file.relative_to(folder).as_posix()} labels {len(labelled):,} of {len(pictures):,} pictures, "
            f"and the names of the others seem to hold labels, such as {first[1]!r} in {first[0]}; choose: "
            f"{typed('labels', file)} takes those {len(labelled):,} only, "
            f"--pattern '{pattern}' takes all from the names; or write all labels into one file, as corrected"
        )
