"""A batch of pictures that a command drew into a folder: their labels are found as those of an import."""

import re
import shutil
from pathlib import Path
from typing import Any, NamedTuple

from storage.errors import BadInput
from storage.files import atomic
from tasks.audit.generators.processes.picture_files import NoPicture
from tasks.audit.generators.staged import Staged
from tasks.exchange.labelling import LabelOptions, Zeros
from tasks.exchange.labels import find_labels
from tasks.exchange.scan import ImportRequest, Listing

FOLDER = "batch"
UNCLEAR = "drew pictures whose labels are unclear"
SURE = LabelOptions(zeros=Zeros.KEEP)  # numbers are what the program drew
_HARMLESS = re.compile(r"[A-Za-z0-9_.=+-]{1,100}")


class Came(NamedTuple):
    """A picture that came: its text and bytes, and the name and time (ns) that its file had, if there was one."""

    text: str
    data: bytes
    name: str = ""
    time: int | None = None


def labelled_files(staged: Staged, answer: dict[str, Any], body: bytes) -> list[Came]:
    """Return the pictures of a batch, in the order of the files' names.

    Parameters
    ----------
    answer : dict
        `files`, names, sizes and times of the files that the command wrote.
    body : bytes
        The files, one after another.

    Raises
    ------
    NoPicture
        It is unclear what the pictures show.
    """
    folder = atomic.make_folder(staged.folder / FOLDER)
    try:
        start, times = 0, {}
        for name, size, time in answer["files"]:
            times[name] = time
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body[start : start + size])
            start += size
        return _labelled(folder, times)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _labelled(folder: Path, times: dict[str, int]) -> list[Came]:
    try:
        listing = Listing(ImportRequest(folder, "batch", find_labels(folder, options=SURE)))
    except BadInput as error:
        raise NoPicture(UNCLEAR, str(error).replace(f"{folder}", "{folder}")) from error
    if not listing.pairs:
        raise NoPicture(UNCLEAR, "; ".join(f"{path}: {reason}" for path, reason in listing.rejects[:2]) or "no file")
    return [
        Came(label, (folder / path).read_bytes(), _harmless(Path(path).stem), times[path])
        for path, label in listing.pairs
    ]


def _harmless(name: str) -> str:
    """Return a name that any file system takes; '' if it is none."""
    return name if _HARMLESS.fullmatch(name) else ""
