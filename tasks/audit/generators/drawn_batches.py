"""A batch of pictures that a command drew into a folder: their labels are found as those of an import."""

import shutil
from pathlib import Path
from typing import Any

from storage.errors import BadInput
from storage.files import atomic
from tasks.audit.generators.processes.picture_files import NoPicture
from tasks.audit.generators.staged import Staged
from tasks.exchange.labels import find_labels
from tasks.exchange.scan import ImportRequest, Listing

FOLDER = "batch"
UNCLEAR = "drew pictures whose labels are unclear"


def labelled_files(staged: Staged, answer: dict[str, Any], body: bytes) -> list[tuple[str, bytes]]:
    """Return the label and the bytes of each picture of a batch, in the order of the files' names.

    Parameters
    ----------
    answer : dict
        `files`, names and sizes of the files that the command wrote.
    body : bytes
        The files, one after another.

    Raises
    ------
    NoPicture
        It is unclear what the pictures show.
    """
    folder = atomic.make_folder(staged.folder / FOLDER)
    try:
        start = 0
        for name, size in answer["files"]:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body[start : start + size])
            start += size
        return _labelled(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _labelled(folder: Path) -> list[tuple[str, bytes]]:
    try:
        listing = Listing(ImportRequest(folder, "batch", find_labels(folder)))
    except BadInput as error:
        raise NoPicture(UNCLEAR, str(error).replace(f"{folder}", "{folder}")) from error
    if not listing.pairs:
        raise NoPicture(UNCLEAR, "; ".join(f"{path}: {reason}" for path, reason in listing.rejects[:2]) or "no file")
    return [(label, (folder / path).read_bytes()) for path, label in listing.pairs]
