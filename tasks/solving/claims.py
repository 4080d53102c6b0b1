"""Claims: each folder of pictures has a folder of answers of its own, also if two folders have the same name."""

import os
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from storage.errors import BadInput
from storage.files import atomic
from storage.files.places import Place
from storage.files.small_files import read_ordinary
from storage.ledger.database import SIDES
from storage.ledger.ledger import LEDGER, Ledger
from tasks.solving.tables import AnswerFormat

_FILE = "answers"  # the stem of a file of answers
MARK = ".folder"  # the file in a folder of answers that says whose they are
RESERVED = {"locks", *(LEDGER + side for side in SIDES)}  # names under the answers that are not for folders
DIGITS = (8, 16, 64)  # of the sha256 of a path; the next number only if another folder has the name
LONGEST = 255 - 1 - 64  # bytes of a name that gets digits: file systems take 255


class Claim(NamedTuple):
    """A folder of answers; `why` says which folder has the plain name, if another folder has it."""

    folder: Path
    why: str = ""


def claim_answers(answers: Path, source: Place) -> Claim:
    """Return the folder below `answers` for the answers of a folder or picture; create and mark it.

    It is `answers/NAME`, or `answers/NAME-DIGITS` if `answers/NAME` has the answers of another folder of that name.
    In a home that has no marks, the ledger knows which folder wrote there last.

    Raises
    ------
    BadInput
        Every name is taken.
    """
    name, digest = _name(source), sha256(os.fsencode(str(source))).hexdigest()
    short = os.fsdecode(os.fsencode(name)[:LONGEST])
    why = ""
    for folder in (answers / name, *(answers / f"{short}-{digest[:digits]}" for digits in DIGITS)):
        owner = _claimed(folder, answers, source)
        if owner == _mark(answers, source):
            return Claim(folder, why)
        why = why or f"{folder} has the answers of {os.fsdecode(owner)}" if owner else why
    raise BadInput(f"{answers}: has no free folder for the answers of {source}; name a file with --out")


def require_own(out: Place, answers: Path, source: Place) -> None:
    """Refuse a file of answers, in a folder below `answers`, that belongs to another folder of pictures.

    Raises
    ------
    BadInput
    """
    if not isinstance(out, Path) or out.resolve().parent.parent != answers.resolve() or out.stem != _FILE:
        return
    owner = _owner(out.parent)
    if owner and owner != _mark(answers, source):
        raise BadInput(f"out: must not be the answers of another folder; {out} has those of {os.fsdecode(owner)}")


def _name(source: Place) -> str:
    name = source.stem if source.is_file() else source.name
    return name or "root"


def _mark(answers: Path, source: Place | bytes) -> bytes:
    """Return the content of a mark: a path; relative to the home if it is in there, since homes may be moved."""
    home = answers.resolve().parent
    path = Path(os.fsdecode(source)) if isinstance(source, bytes) else source
    if isinstance(path, Path) and path.is_relative_to(home):
        path = path.relative_to(home)
    return os.fsencode(str(path))


def _owner(folder: Path) -> bytes:
    """Return the content of a folder's mark; empty if it has none."""
    try:
        return read_ordinary(folder / MARK)
    except (OSError, ValueError):
        return b""


def _claimed(folder: Path, answers: Path, source: Place) -> bytes:
    """Return the mark of a folder of answers, after marking it if it is free; empty if the name cannot be used."""
    if owner := _owner(folder):
        return owner
    if folder.name in RESERVED or (os.path.lexists(folder) and not folder.is_dir()):
        return b""
    writer = _writer(folder, answers) if folder.is_dir() else None
    mine = _mark(answers, writer or source)
    atomic.publish(atomic.make_folder(folder) / MARK, mine, atomic.new_run())
    return _owner(folder)


def _writer(folder: Path, answers: Path) -> bytes | None:
    """Return the folder of pictures whose answers were written to `folder` last, by the ledger."""
    if not (answers / LEDGER).is_file():
        return None
    files = [folder.resolve() / f"{_FILE}.{format.value}" for format in AnswerFormat]
    with Ledger(answers / LEDGER) as ledger:
        return ledger.writer(files)
