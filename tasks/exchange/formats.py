"""The formats of other tools: what files a labelled picture becomes, and what lines of an index."""

import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np

from storage.errors import BadInput
from storage.texts import csv_bytes, harmless
from tasks.lowlevel.png_encoder import png
from tasks.profiles.fonts import faces_of


class ExportFormat(StrEnum):
    """The formats that a dataset can be exported to."""

    PNG = "png"
    GT = "gt"
    TESSERACT = "tesseract"
    COCO = "coco"
    WEBDATASET = "webdataset"
    PARQUET = "parquet"
    HDF5 = "hdf5"


# Each format is either here, with a folder of files a shard, or in `SUFFIX`, with one file a shard, or virtual.
FOLDERS = {ExportFormat.PNG, ExportFormat.GT, ExportFormat.TESSERACT, ExportFormat.COCO}
WITH_BOXES = {ExportFormat.TESSERACT, ExportFormat.COCO}  # they need a dataset with boxes of letters
SUFFIX = {ExportFormat.WEBDATASET: ".tar", ExportFormat.PARQUET: ".parquet"}


class ExportEntry(NamedTuple):
    """A picture of a dataset with its label and parameters.

    image : (height, width) uint8, 0 background to 255 ink, or (height, width, 3) uint8 as seen
    boxes : each letter's (top, left, bottom, right) in pixels, half-open; None for a letter without a box
    parameters : as in the dataset, but with the font's name instead of its number; JSON-safe
    """

    number: int
    text: str
    split: str
    boxes: list[tuple[int, ...] | None]
    parameters: dict[str, Any]
    image: np.ndarray

    @property
    def key(self) -> str:
        """Return the stem of the files' names: the picture's number, since a label may hold any character."""
        return f"{self.number:09d}"


@dataclass(frozen=True)
class ExportIndex:
    """A file beside the parts: for each section its opening and its lines, then `tail`.

    openings : by the sections' names
    between : separates the lines of a section
    """

    name: str
    openings: dict[str, bytes]
    between: bytes = b""
    tail: bytes = b""


@dataclass(frozen=True)
class ExportLayout:
    """A format, with the facts of the dataset that it depends on.

    parameters : the dtype of the parameters
    fonts : names, by the number in the parameters
    longest : letters of the longest text
    invert : black ink on white instead of white ink on black
    csv_safe : labels.csv holds nothing that a spreadsheet would run
    """

    format: ExportFormat
    parameters: np.dtype
    fonts: tuple[str, ...]
    alphabet: str
    longest: int
    invert: bool = False
    csv_safe: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        """Return the names of the parameters, in order."""
        return self.parameters.names or ()

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the names of the parameters of 64 bits without a sign, which are the keys of random numbers."""
        return tuple(name for name in self.fields if self.parameters[name].base == np.uint64)

    def png(self, entry: ExportEntry) -> bytes:
        """Encode the picture as PNG."""
        return png(255 - entry.image if self.invert else entry.image)

    def members(self, entry: ExportEntry) -> list[tuple[str, bytes]]:
        """Return (suffix, content) of each file of one picture, the picture first."""
        picture = (".png", self.png(entry))
        match self.format:
            case ExportFormat.TESSERACT:
                return [picture, (".gt.txt", _line(self.format, entry)), (".box", tesseract_boxes(entry))]
            case ExportFormat.WEBDATASET:
                return [picture, (".txt", entry.text.encode()), (".json", as_json(entry, self.keys))]
        return [picture]

    def index(self) -> ExportIndex | None:
        """Describe the index file beside the parts; None for formats without an index."""
        match self.format:
            case ExportFormat.PNG:
                header = csv_line(["path", "text", "split", "number", *self.fields])
                return ExportIndex("labels.csv", {"labels": header})
            case ExportFormat.GT:
                return ExportIndex("gt.txt", {"labels": b""})
            case ExportFormat.COCO:
                head = {
                    "info": {"description": "Letters of text CAPTCHAs; a box is of a letter's own pixels"},
                    "licenses": [],
                    "categories": [
                        {"id": number, "name": letter, "supercategory": "letter"}
                        for number, letter in enumerate(self.alphabet, 1)
                    ],
                }
                opening = _compact_json(head)[:-1] + ',"images":[\n'
                openings = {"images": opening.encode(), "annotations": b'\n],"annotations":[\n'}
                return ExportIndex("annotations.json", openings, between=b",\n", tail=b"\n]}\n")
        return None

    def lines(self, entry: ExportEntry, path: str) -> dict[str, list[bytes]]:
        """Make the lines of the index for a picture at `path`, by section."""
        match self.format:
            case ExportFormat.PNG:
                cells: list[object] = [entry.text, *(entry.parameters[field] for field in self.fields)]
                text, *values = map(harmless, cells) if self.csv_safe else cells
                return {"labels": [csv_line([path, text, entry.split, entry.number, *map(_cell, values)])]}
            case ExportFormat.GT:
                return {"labels": [path.encode() + b"\t" + _line(self.format, entry)]}
            case ExportFormat.COCO:
                return self._coco(entry, path)
        return {}

    def _coco(self, entry: ExportEntry, path: str) -> dict[str, list[bytes]]:
        height, width = entry.image.shape[:2]
        image = {
            "id": entry.number, "file_name": path, "width": width, "height": height,
            "text": entry.text, "split": entry.split,
        }  # fmt: skip
        annotations = []
        for place, (letter, box) in enumerate(zip(entry.text, entry.boxes, strict=False)):
            if box is None:
                continue
            top, left, bottom, right = box
            annotations.append({
                # Independent of the other pictures in the export; never 0, which pycocotools takes for "no match".
                "id": entry.number * self.longest + place + 1,
                "image_id": entry.number,
                "category_id": self.alphabet.index(letter) + 1,
                "bbox": [left, top, right - left, bottom - top],
                "area": (right - left) * (bottom - top),
                "segmentation": [],
                "iscrowd": 0,
            })  # fmt: skip
        return {
            "images": [_compact_json(image).encode()],
            "annotations": [_compact_json(annotation).encode() for annotation in annotations],
        }


def tesseract_boxes(entry: ExportEntry) -> bytes:
    """Make a Tesseract .box file: lines `LETTER LEFT BOTTOM RIGHT TOP PAGE`, from the picture's bottom left corner.

    A tab with a box outside of the picture ends the text line.
    """
    height, width = entry.image.shape[:2]
    lines = [
        f"{letter} {box[1]} {height - box[2]} {box[3]} {height - box[0]} 0\n"
        for letter, box in zip(entry.text, entry.boxes, strict=False)
        if box is not None
    ]
    return ("".join(lines) + f"\t {width} {height} {width + 1} {height + 1} 0\n").encode()


def as_json(entry: ExportEntry, keys: tuple[str, ...] = ()) -> bytes:
    """Encode a picture's label, parameters and boxes.

    The parameters named in `keys` become text: most readers of JSON know no whole numbers from 2**63 on.
    """
    label = {"number": entry.number, "text": entry.text, "split": entry.split}
    told = {name: str(entry.parameters[name]) for name in keys}
    return _compact_json(label | entry.parameters | told | {"boxes": entry.boxes}).encode()


def _compact_json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def tar_member(name: str, content: bytes) -> bytes:
    """Make a file of a tar archive; the header holds no time and no owner.

    Parameters
    ----------
    name : str
        ASCII, at most 100 characters.
    """
    # tarfile takes five times as long, since it makes each header from scratch.
    label, size = name.encode("ascii"), b"%011o" % len(content)
    checksum = b"%06o" % (_PLAIN_SUM + sum(label) + sum(size) - 11 * ord("0"))
    header = b"".join((label.ljust(100, b"\0"), _PLAIN[100:124], size, _PLAIN[135:148], checksum, _PLAIN[154:]))
    return header + content + bytes(-len(content) % tarfile.BLOCKSIZE)


_PLAIN = tarfile.TarInfo().tobuf(tarfile.USTAR_FORMAT)  # no name, size 0, mode 644, all else 0
_PLAIN_SUM = int(_PLAIN[148:154], 8)


def tar_end(size: int) -> bytes:
    """Return the end of an archive of `size` bytes: two empty blocks, filled up to a whole record."""
    end = 2 * tarfile.BLOCKSIZE
    return bytes(end + -(size + end) % tarfile.RECORDSIZE)


def csv_line(values: list[Any]) -> bytes:
    """Make a line of a CSV file, quoted where needed."""
    return csv_bytes([values])


def easyocr_labels(entries: list[ExportEntry]) -> bytes:
    """Make the labels.csv that EasyOCR's trainer reads in a folder of pictures."""
    rows = [csv_line([f"{entry.key}.png", entry.text]) for entry in entries]
    return csv_line(["filename", "words"]) + b"".join(rows)


def _line(chosen: ExportFormat, entry: ExportEntry) -> bytes:
    """Return the label as a line, for formats that cannot quote."""
    if any(mark in entry.text for mark in "\t\r\n"):
        raise BadInput(
            f"format {chosen.value}: a label may hold no tab and no line break; picture {entry.number} has "
            f"{entry.text!r}. Choose another format, such as png"
        )
    return entry.text.encode() + b"\n"


def _cell(value: object) -> object:
    """Return a parameter as a cell of a table: a list becomes numbers with blanks between."""
    return " ".join(map(str, value)) if isinstance(value, list) else value


def plain_rows(parameters: np.ndarray, fonts: tuple[str, ...] = ()) -> Iterator[dict[str, Any]]:
    """Yield the rows of a compound array as JSON-safe dicts, with the font's name instead of its number."""
    names = parameters.dtype.names or ()
    if fonts and "font" in names:
        faces_of(parameters["font"], fonts)
    for row in parameters.tolist():
        plain = dict(zip(names, row, strict=True))
        for name, value in plain.items():
            if isinstance(value, np.ndarray):  # a value a letter
                plain[name] = value.tolist()
        if fonts and "font" in plain:
            plain["font"] = fonts[plain["font"]]
        yield plain
