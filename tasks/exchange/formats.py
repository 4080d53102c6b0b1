"""How a labelled picture looks in the formats of other tools: as files, and as lines of an index."""

import csv
import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from storage.errors import BadInput
from tasks.lowlevel.grey_png import png

_COMPACT = {"ensure_ascii": False, "separators": (",", ":")}


class ExportFormat(StrEnum):
    """What a dataset can be exported as."""

    PNG = "png"
    GT = "gt"
    TESSERACT = "tesseract"
    COCO = "coco"
    WEBDATASET = "webdataset"
    PARQUET = "parquet"
    HDF5 = "hdf5"


FOLDERS = {ExportFormat.PNG, ExportFormat.GT, ExportFormat.TESSERACT, ExportFormat.COCO}  # a folder of files a shard
WITH_BOXES = {ExportFormat.TESSERACT, ExportFormat.COCO}  # nothing without the letters' boxes
SUFFIX = {ExportFormat.WEBDATASET: ".tar", ExportFormat.PARQUET: ".parquet"}  # one file a shard


class ExportEntry(NamedTuple):
    """One picture of a dataset with all that is known of it.

    image : (height, width) uint8, 0 background to 255 ink
    boxes : a letter's (top, left, bottom, right) in pixels, half-open; None for one without
    parameters : as in the dataset, with the font's name for its number; JSON-safe
    """

    number: int
    text: str
    split: str
    boxes: list
    parameters: dict
    image: np.ndarray

    @property
    def key(self) -> str:
        """The name of its files: the picture's number in the dataset, since a label may hold any character."""
        return f"{self.number:09d}"


@dataclass(frozen=True)
class Index:
    """A file beside the parts: `head`, then the lines of each section between its `opening`s, then `tail`."""

    name: str
    openings: dict[str, bytes]  # by section
    between: bytes = b""
    tail: bytes = b""


@dataclass(frozen=True)
class Layout:
    """A format with what it needs to know of the dataset.

    parameters : the dtype of the parameters
    fonts : names, by the number in the parameters
    longest : letters of the longest text
    """

    format: ExportFormat
    parameters: np.dtype
    fonts: tuple[str, ...]
    alphabet: str
    longest: int
    invert: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the parameters, in order."""
        return self.parameters.names

    def png(self, entry: ExportEntry) -> bytes:
        """The picture as a PNG: ink is white as stored, or black on white with `invert`."""
        return png(255 - entry.image if self.invert else entry.image)

    def members(self, entry: ExportEntry) -> list[tuple[str, bytes]]:
        """(suffix, content) of each file of one picture, the picture first."""
        picture = (".png", self.png(entry))
        match self.format:
            case ExportFormat.TESSERACT:
                return [picture, (".gt.txt", _line(self.format, entry)), (".box", tesseract_boxes(entry))]
            case ExportFormat.WEBDATASET:
                return [picture, (".txt", entry.text.encode()), (".json", as_json(entry))]
        return [picture]

    def index(self) -> Index | None:
        """The file beside the parts, for the formats that have one."""
        match self.format:
            case ExportFormat.PNG:
                return Index("labels.csv", {"labels": csv_line(["path", "text", "split", "number", *self.fields])})
            case ExportFormat.GT:
                return Index("gt.txt", {"labels": b""})
            case ExportFormat.COCO:
                head = {
                    "info": {"description": "Letters of text CAPTCHAs; a box is of a letter's own pixels"},
                    "licenses": [],
                    "categories": [
                        {"id": number, "name": letter, "supercategory": "letter"}
                        for number, letter in enumerate(self.alphabet, 1)
                    ],
                }
                opening = json.dumps(head, **_COMPACT)[:-1] + ',"images":[\n'
                openings = {"images": opening.encode(), "annotations": b'\n],"annotations":[\n'}
                return Index("annotations.json", openings, between=b",\n", tail=b"\n]}\n")
        return None

    def lines(self, entry: ExportEntry, path: str) -> dict[str, list[bytes]]:
        """What the index says of a picture at `path`, by section."""
        match self.format:
            case ExportFormat.PNG:
                values = [path, entry.text, entry.split, entry.number]
                values += [_cell(entry.parameters[field]) for field in self.fields]
                return {"labels": [csv_line(values)]}
            case ExportFormat.GT:
                return {"labels": [path.encode() + b"\t" + _line(self.format, entry)]}
            case ExportFormat.COCO:
                return self._coco(entry, path)
        return {}

    def _coco(self, entry: ExportEntry, path: str) -> dict[str, list[bytes]]:
        height, width = entry.image.shape
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
                # The same whatever is exported with it; never 0, which pycocotools takes for "no match".
                "id": entry.number * self.longest + place + 1,
                "image_id": entry.number,
                "category_id": self.alphabet.index(letter) + 1,
                "bbox": [left, top, right - left, bottom - top],
                "area": (right - left) * (bottom - top),
                "segmentation": [],
                "iscrowd": 0,
            })  # fmt: skip
        return {
            "images": [json.dumps(image, **_COMPACT).encode()],
            "annotations": [json.dumps(one, **_COMPACT).encode() for one in annotations],
        }


def tesseract_boxes(entry: ExportEntry) -> bytes:
    """A Tesseract .box file: `LETTER LEFT BOTTOM RIGHT TOP PAGE`, counted from the picture's bottom left corner.

    Tesseract knows the end of a text line by a tab with a box outside of the picture.
    """
    height, width = entry.image.shape
    lines = [
        f"{letter} {box[1]} {height - box[2]} {box[3]} {height - box[0]} 0\n"
        for letter, box in zip(entry.text, entry.boxes, strict=False)
        if box is not None
    ]
    return ("".join(lines) + f"\t {width} {height} {width + 1} {height + 1} 0\n").encode()


def as_json(entry: ExportEntry) -> bytes:
    """All that is known of a picture."""
    known = {"number": entry.number, "text": entry.text, "split": entry.split}
    return json.dumps(known | entry.parameters | {"boxes": entry.boxes}, **_COMPACT).encode()


def tar_member(name: str, content: bytes) -> bytes:
    """A file in a tar archive; nothing of this machine or of now is in its header."""
    # Names are short and ASCII. tarfile makes a header from scratch in five times the time.
    label, size = name.encode("ascii"), b"%011o" % len(content)
    checksum = b"%06o" % (_PLAIN_SUM + sum(label) + sum(size) - 11 * ord("0"))
    header = b"".join((label.ljust(100, b"\0"), _PLAIN[100:124], size, _PLAIN[135:148], checksum, _PLAIN[154:]))
    return header + content + bytes(-len(content) % tarfile.BLOCKSIZE)


_PLAIN = tarfile.TarInfo().tobuf(tarfile.USTAR_FORMAT)  # no name, size 0, mode 644, all else 0
_PLAIN_SUM = int(_PLAIN[148:154], 8)


def tar_end(size: int) -> bytes:
    """What ends an archive of `size` bytes: two empty blocks, filled up to a whole record."""
    end = 2 * tarfile.BLOCKSIZE
    return bytes(end + -(size + end) % tarfile.RECORDSIZE)


def csv_line(values: list) -> bytes:
    """One line of a CSV file, quoted where needed."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(values)
    return line.getvalue().encode()


def easyocr_labels(entries: list[ExportEntry]) -> bytes:
    """The labels.csv that EasyOCR's trainer wants in a folder of pictures."""
    rows = [csv_line([f"{entry.key}.png", entry.text]) for entry in entries]
    return csv_line(["filename", "words"]) + b"".join(rows)


def _line(chosen: ExportFormat, entry: ExportEntry) -> bytes:
    """The label as a line of its own, where the format has no way to quote."""
    if any(mark in entry.text for mark in "\t\r\n"):
        raise BadInput(
            f"format {chosen.value}: a label may hold no tab and no line break; picture {entry.number} has "
            f"{entry.text!r}. Choose another format, such as png"
        )
    return entry.text.encode() + b"\n"


def _cell(value):
    return " ".join(map(str, value)) if isinstance(value, list) else value


def plain_rows(parameters: np.ndarray, fonts: tuple[str, ...] = ()) -> Iterator[dict]:
    """A compound array row by row as JSON-safe dicts, with the font's name for its number."""
    names = parameters.dtype.names
    for row in parameters.tolist():
        plain = dict(zip(names, row, strict=True))
        for name, value in plain.items():
            if isinstance(value, np.ndarray):  # a value a letter
                plain[name] = value.tolist()
        if fonts and "font" in plain:
            plain["font"] = fonts[plain["font"]]
        yield plain
