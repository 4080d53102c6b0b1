"""What the listing passes over though it is named as a file of labels: links, pipes, devices, folders, hidden files."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from tasks.exchange.label_sources.file_formats.label_files import (
    JSONS,
    LISTS,
    PICTURE,
    TABLES,
    XML,
    labelish,
    may_list,
    suffix_of,
)
from tasks.exchange.label_sources.file_formats.unreadable import CODE, NO_LABELS, PACKED, UNREADABLE, kind_of
from tasks.exchange.label_sources.other_files.naming_files import is_strongly_labelish
from tasks.loading.listing import MADE, list_names

KINDS = {*TABLES, *JSONS, *LISTS, XML}  # of files that are read for labels, whatever their names
LINK = "is a symbolic link, which an import passes over; put the file itself in its place"
DANGLING = "is a symbolic link to no file or folder; put the file itself in its place"
SPECIAL = "is a pipe, a socket or a device; put an ordinary file in its place"
HIDDEN = "is hidden by the dot before its name; take the dot away"
FOLDER = "is a folder and holds neither pictures nor files of labels; put the file itself in its place"


def odd_entries(folder: Path) -> dict[str, str]:
    """Return why each entry that is named as a file of labels is not read, by its path. None of them is opened.

    Folders that programs make and hidden folders are passed over, as in the listing; so are folders that hold pictures
    or files of labels.
    """
    found: dict[str, str] = {}
    folders = [""]
    while folders:
        above = folders.pop()
        for entry in _entries(folder / above):
            path = above + entry.name
            if entry.is_dir(follow_symlinks=False):
                if entry.name[0] != "." and entry.name.lower() not in MADE:
                    folders.append(f"{path}/")
                    if _is_named_as_file(entry.name) and not _holds_some(folder / path):
                        found[path] = FOLDER
            elif why := _why(entry):
                found[path] = why
    return dict(sorted(found.items()))


def _entries(folder: Path) -> Iterator["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError:
        return  # the listing tells of a folder that cannot be listed


def _why(entry: "os.DirEntry[str]") -> str:
    """Return why a link, a pipe, a device or a hidden file is not read; '' if it is read, or not named as labels."""
    name = entry.name
    if name[0] == ".":
        return HIDDEN if name[1:2].isalnum() and _is_text_of_labels(name[1:]) else ""
    if not labelish(name) or PICTURE.search(name) or kind_of(name) in CODE | NO_LABELS:
        return ""
    if not is_strongly_labelish(name) and suffix_of(name) not in KINDS:
        return ""  # a link train may lead to pictures
    if not entry.is_symlink():
        return "" if entry.is_file(follow_symlinks=False) else SPECIAL
    try:
        mode = entry.stat().st_mode
    except OSError:
        return DANGLING
    return LINK if stat.S_ISREG(mode) or stat.S_ISDIR(mode) else SPECIAL


def _is_text_of_labels(name: str) -> bool:
    return is_strongly_labelish(name) and (suffix_of(name) in KINDS or "." not in name)


def _is_named_as_file(name: str) -> bool:
    kind = kind_of(name)
    return labelish(name) and (kind in KINDS or kind in UNREADABLE or kind in PACKED)


def _holds_some(folder: Path) -> bool:
    return any(PICTURE.search(name) or may_list(name) for name in list_names(folder))
