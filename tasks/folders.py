"""Which files stand below a folder."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from storage.errors import BadInput, NotThere


def list_pictures(folder: Path, skip: Iterable[Path] = ()) -> Iterator[Path]:
    """Every regular file below `folder`, whatever its suffix, in the order of `sorted`.

    Names that begin with a dot are passed over, files and folders alike, and so are symbolic links:
    what they point to is read under its own name if it lies in the folder, and is not the folder's
    otherwise. `folder` itself may be a link. A folder further down that cannot be listed comes out
    as itself, so that `load_picture` gives its reason and nothing is lost in silence. Only the names
    of the folders on the current path are in memory.

    Parameters
    ----------
    skip
        Files to leave out; they need not exist.

    Raises
    ------
    NotThere, BadInput
        At the first step: no such folder; it is a file, or this user may not list it.
    """
    try:
        root = folder.resolve(strict=True)
        entries = _entries(root)
    except FileNotFoundError as error:
        raise NotThere(f"{folder}: no such folder; check the path") from error
    except NotADirectoryError as error:
        raise BadInput(f"{folder} is a file, not a folder; give the folder that holds it") from error
    except (OSError, RuntimeError) as error:  # RuntimeError: resolve() in a ring of links, before 3.13
        reason = getattr(error, "strerror", None) or error
        raise BadInput(
            f"{folder}: the folder cannot be listed ({reason}); give this user permission to read it "
            "or choose another folder"
        ) from error
    left_out = {os.path.realpath(path) for path in skip}
    open_folders = [(folder, str(root), iter(entries))]
    while open_folders:
        shown, real, names = open_folders[-1]
        for name, is_folder in names:
            path, inside = shown / name, os.path.join(real, name)  # noqa: PTH118 - a Path each is slow
            if inside in left_out:
                continue
            if is_folder:
                try:
                    open_folders.append((path, inside, iter(_entries(inside))))
                    break
                except OSError:
                    yield path
            else:
                yield path
        else:
            open_folders.pop()


def _entries(folder: str | Path) -> list[tuple[str, bool]]:
    """Names and whether each is a folder; sorted, without hidden ones, links, pipes and devices."""
    with os.scandir(folder) as entries:
        return sorted(
            (entry.name, entry.is_dir(follow_symlinks=False))
            for entry in entries
            if not entry.name.startswith(".")
            and (entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False))
        )
