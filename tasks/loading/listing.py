"""List the picture files below a folder."""

import errno
import heapq
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from storage.errors import BadInput, NotThere, refused_by_system

# Suffixes of pictures: those that are read, and those that are not, of which a person wants to know why.
READ = r"\.(?:png|jpe?g|jpe|jfif|gif|bmp|dib|webp|tiff?)$"
UNREAD = r"\.(?:a?png|avifs?|hei[cf]|jxl|j[p2]2|j2[kc]|jpx|ico|cur|svgz?|p[bgpn]m|pam|tga|psd|xcf|pdf|eps|emf|wmf|dng)$"
_PICTURE = re.compile(f"{READ}|{UNREAD}", re.IGNORECASE)
_KIND = re.compile(r".\.(?=\d*[A-Za-z])[A-Za-z0-9]{1,12}$", re.DOTALL)
# Folders that programs make by themselves, in small letters: thumbnails, halves of files, what was thrown away.
MADE = {"@eadir", "__macosx", "#recycle", "@recycle", "$recycle.bin", "lost+found", "system volume information"}
RUN = 50_000  # names that are sorted in memory; a folder with more of them is sorted in files
_FOLDER = "\0"  # ends the name of a folder: it is in no name, and it sorts before every other character


def list_pictures(folder: Path, skip: Iterable[Path] = (), *, follow: bool = False) -> Iterator[Path]:
    """List every regular file below `folder`, with any suffix, in the order of `sorted`.

    Files and folders whose names begin with a dot are left out, and folders that programs make by themselves, such as
    `@eaDir` and `__MACOSX`. Symbolic links are left out too: a file in the folder
    has a name of its own, and a file elsewhere does not belong to the folder. `folder` itself may be a link. A folder
    below it that cannot be listed is listed itself, as if it were a file, so that `load_picture` reports the reason.
    Memory holds at most `RUN` names of each folder on the current path.

    Parameters
    ----------
    skip : iterable of Path
        Files to leave out; they need not exist.
    follow : bool
        List files behind symbolic links too, under the links' names. A link to a folder is followed once for each
        folder, and never from inside that folder, so that circles of links end.

    Raises
    ------
    NotThere, BadInput
        When the first name is asked for: the folder does not exist; it is a file, or this user may not list it.
    """
    return (folder / name for name in list_names(folder, skip, follow=follow))


def list_names(folder: Path, skip: Iterable[Path] = (), *, follow: bool = False) -> Iterator[str]:
    """List pictures as `list_pictures` does, as paths relative to the folder, with forward slashes.

    It takes a fourth of the time, since no `Path` is made.
    """
    return _walk(folder, skip, _in_order, follow)


def list_as_they_come(folder: Path, skip: Iterable[Path] = (), *, follow: bool = False) -> Iterator[str]:
    """List as `list_names` does, but in the order of the disk: the first name comes before all are read and sorted.

    With links nearly the same files: which of two links to one folder is followed depends on the order.
    """
    return _walk(folder, skip, _for_counting, follow)


def is_named_otherwise(name: str) -> bool:
    """Return whether a file's suffix says that it is no picture: `Thumbs.db`, `notes.txt`; a name may have none."""
    base = name.rpartition("/")[2]
    return _KIND.search(base) is not None and _PICTURE.search(base) is None


def count_pictures(folder: Path, skip: Iterable[Path] = (), *, follow: bool = False) -> int:
    """Count the files that `list_pictures` lists, with links only nearly; half a second for a million."""
    return sum(1 for _ in list_as_they_come(folder, skip, follow=follow))


def any_picture(folder: Path, skip: Iterable[Path] = (), *, follow: bool = False) -> bool:
    """Return whether `list_pictures` lists any file; look no further than the first."""
    return next(list_as_they_come(folder, skip, follow=follow), None) is not None


class _Rings:
    """The folders that are open, and those that were entered by a link, which are not entered again."""

    def __init__(self, root: str):
        self.open = [self._identity(root)]
        self.linked: set[tuple[int, int]] = set()

    @staticmethod
    def _identity(folder: str) -> tuple[int, int]:
        status = os.stat(folder)  # noqa: PTH116 - folders are texts here, as `os.scandir` gives them
        return status.st_dev, status.st_ino

    def enter(self, folder: str) -> bool:
        """Open a folder, unless it is open or was entered by a link; return whether it was opened."""
        identity = self._identity(folder)
        if identity in self.open:
            return False
        if os.path.islink(folder):  # noqa: PTH114 - as above
            if identity in self.linked:
                return False
            self.linked.add(identity)
        self.open.append(identity)
        return True


def _walk(
    folder: Path, skip: Iterable[Path], entries_of: Callable[[str, bool], Iterator[str]], follow: bool
) -> Iterator[str]:
    try:
        root = str(folder.resolve(strict=True))
        entries = entries_of(root, follow)
        rings = _Rings(root) if follow else None
    except FileNotFoundError as error:
        raise NotThere(f"{folder}: no such folder; check the path") from error
    except NotADirectoryError as error:
        raise BadInput(f"{folder} is a file, not a folder; give the folder that holds it") from error
    except (OSError, RuntimeError) as error:  # RuntimeError: resolve() in a ring of links, before 3.13
        if refused := refused_by_system(error):  # which has the advice that fits
            raise refused from error
        raise BadInput(
            f"{folder}: the folder cannot be listed ({getattr(error, 'strerror', None) or error}); give this user "
            "permission to read it, or choose another folder"
        ) from error
    root = root.rstrip("/") + "/"
    left_out = {path.removeprefix(root) for path in map(os.path.realpath, skip) if path.startswith(root)}
    open_folders = [("", entries)]
    while open_folders:
        above, names = open_folders[-1]
        for name in names:
            path = above + name
            if path[-1] != _FOLDER:
                if path not in left_out:
                    yield path
                continue
            path = path[:-1]
            try:
                if rings and not rings.enter(root + path):
                    continue
                open_folders.append((path + "/", entries_of(root + path, follow)))
                break
            except OSError:
                if rings and len(rings.open) > len(open_folders):
                    rings.open.pop()
                yield path
        else:
            open_folders.pop()
            if rings:
                rings.open.pop()


def _as_they_come(folder: str, follow: bool) -> Iterator[str]:
    """Yield names in any order, folders' names with `_FOLDER` at the end.

    Hidden files, pipes and devices are left out, and links unless `follow` is true.
    """
    # Opened without following a link, which may have taken the folder's place meanwhile; and not in the generator, so
    # that the call itself fails for a folder without permission.
    handle = None if follow else os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        entries = os.scandir(folder if handle is None else handle)
    except OSError:
        _close(handle)
        raise

    def names() -> Iterator[str]:
        try:
            yield ""  # from now on the folder is closed even if nobody asks for the rest
            with entries as listed:
                for entry in listed:
                    mark = None if entry.name[0] == "." else _mark(entry, follow)
                    if mark is not None:
                        yield entry.name + mark
        finally:
            _close(handle)

    begun = names()
    next(begun)
    return begun


def _mark(entry: "os.DirEntry[str]", follow: bool) -> str | None:
    """Return what ends an entry's name in a listing; None for what is not listed."""
    try:
        if entry.is_file(follow_symlinks=follow):
            return ""
        if entry.is_dir(follow_symlinks=follow):
            return None if entry.name.lower() in MADE else _FOLDER
    except OSError as error:
        # A link that leads to itself leads to nothing; anything else is listed, so that reading it gives the reason.
        return None if error.errno == errno.ELOOP and entry.is_symlink() else ""
    return None


def _close(handle: int | None) -> None:
    if handle is not None:
        os.close(handle)


def _for_counting(folder: str, follow: bool) -> Iterator[str]:
    """Yield the names of `_as_they_come` up to an error: `_in_order` tells of a folder that cannot be listed."""
    entries = _as_they_come(folder, follow)

    def names() -> Iterator[str]:
        with suppress(OSError):
            yield from entries

    return names()


def _in_order(folder: str, follow: bool) -> Iterator[str]:
    """Yield the names of `_as_they_come`, sorted."""
    runs, names = [], []
    for name in _as_they_come(folder, follow):
        names.append(name)
        if len(names) == RUN:
            runs.append(_put_aside(sorted(names)))
            names = []
    names.sort()
    return heapq.merge(*runs, names) if runs else iter(names)


def _put_aside(names: list[str]) -> Iterator[str]:
    """Move names into a temporary file; return an iterator over them, which removes the file at its end."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - `back` closes it
    file.write(os.fsencode("/".join(names) + "/"))
    file.seek(0)

    def back() -> Iterator[str]:
        rest = b""
        with file:
            while part := file.read(1 << 16):
                *whole, rest = (rest + part).split(b"/")
                yield from map(os.fsdecode, whole)

    return back()
