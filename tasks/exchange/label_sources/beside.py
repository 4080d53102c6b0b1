"""A file beside each picture that holds its label: a text, or an annotation in XML or JSON."""

import re
from collections.abc import Sequence
from pathlib import Path

from storage.errors import BadInput
from storage.files.small_files import read_small
from tasks.exchange.label_sources.annotations import require_texts, xml_rows
from tasks.exchange.label_sources.json_entries import entry_of
from tasks.exchange.label_sources.label_columns import ListedLabels, resolve
from tasks.exchange.label_sources.label_files import PICTURE, XML, decode, entries_table
from tasks.exchange.label_sources.picture_index import Match, PictureIndex

TEXTS = (".gt.txt", ".txt")
ANNOTATIONS = (XML, ".json")
BESIDE = (*TEXTS, *ANNOTATIONS)  # the ends of the files' names, the first that most pictures have counts
BOXES = re.compile(r"\d+( -?\d*\.\d+){4,}")  # a line of YOLO's: class and box
OWN = "path"  # the column of the picture's own path


def texts_beside(paths: Sequence[str], end: str) -> dict[str, str]:
    """Return the text file of each picture: of the same name beside it, or in another folder such as labels/."""
    if not any(path.endswith(end) for path in paths):
        return {}
    index = PictureIndex([path for path in paths if not path.endswith(end)])
    found: dict[str, str] = {}
    for match in (Match.STEM, Match.NAME_STEM):
        for path in paths:
            if path.endswith(end) and len(pictures := index.find(match, path.removesuffix(end))) == 1:
                found.setdefault(pictures[0], path)
        if found:
            break
    return found


def labels_beside(folder: Path, paths: Sequence[str], end: str, columns: tuple[str, str] | None = None) -> ListedLabels:
    """Read the labels of pictures from the files beside them.

    Parameters
    ----------
    paths : sequence of str
        Of pictures and other files, relative to the folder.
    end : str
        Of `BESIDE`.
    columns : (path, label), optional
        The fields of annotations.

    Raises
    ------
    BadInput
        A file cannot be read; or they hold boxes, or several fields that may be the label.
    """
    found = texts_beside(paths, end)
    read = _texts if end in TEXTS else _annotated
    return read(folder, found, end, columns)


def _texts(folder: Path, found: dict[str, str], end: str, _columns: tuple[str, str] | None) -> ListedLabels:
    labels: dict[str, str] = {}
    boxes = 0
    for path, text in found.items():
        lines = decode(_bytes(folder / text), f"labels {folder / text}").strip().splitlines()
        boxes += bool(lines) and all(map(BOXES.fullmatch, lines))
        labels[path] = "\n".join(lines)
    if boxes * 2 > len(labels):
        raise BadInput(
            f"labels: the {end} files hold boxes (class, x, y, width, height), not the texts of pictures; "
            "give the labels with --labels FILE, or --pattern if they are in the names"
        )
    return ListedLabels(folder, labels)


def _annotated(folder: Path, found: dict[str, str], end: str, columns: tuple[str, str] | None) -> ListedLabels:
    rows = []
    for path, text in found.items():
        name = f"labels {folder / text}"
        data = _bytes(folder / text)
        fields = (xml_rows(data, name) or [{}])[0] if end == XML else entry_of(decode(data, name), name)
        # What the file says of the picture's place may be of another machine.
        told = {key: value for key, value in fields.items() if key != OWN and not PICTURE.search(value)}
        rows.append({OWN: path} | told)
    require_texts(rows, f"labels: the {end} files beside the pictures")
    return resolve(entries_table(folder / f"*{end}", rows), PictureIndex(list(found)), columns=columns)


def _bytes(file: Path) -> bytes:
    try:
        return read_small(file, f"labels {file}")
    except OSError as error:
        raise BadInput(f"labels {file}: cannot be read ({error.strerror})") from error
