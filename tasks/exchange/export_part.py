"""The units that do the work of an export: write one shard's part, or prove one shard."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from storage.errors import Damaged
from storage.exports.parquet import ColumnKind, write_table
from storage.exports.record import NOTES, Part, part_from
from storage.exports.staging import staged_file, staged_folder
from storage.files import atomic
from storage.files.places import place
from storage.files.small_files import read_json
from storage.shards.shard import BLOCK, SPLITS, Block, Shard, read_record
from storage.shards.shard_rules import require_told
from tasks.exchange.formats import (
    FOLDERS,
    ExportEntry,
    ExportFormat,
    ExportLayout,
    easyocr_labels,
    plain_rows,
    tar_end,
    tar_member,
)

Lines = dict[str, list[bytes]]  # of an index, by section
Entries = Iterator[tuple[str, list[ExportEntry]]]  # block by block, with the name of the block's folder


@dataclass(frozen=True)
class PartJob:
    """A shard to export: at most `limit` pictures, into the part `name` of the folder `out`.

    `sha256`, `content`, `first` and `count` are the manifest's of the shard `shard`, a path or URL.
    """

    number: int
    shard: str
    sha256: str
    content: str
    first: int
    count: int
    limit: int
    out: str
    name: str
    split: str | None
    layout: ExportLayout


@dataclass(frozen=True)
class PartReceipt:
    """The result of a job. `kept` is True if the part was already there; `read` counts the shard's pictures."""

    part: Part
    kept: bool
    read: int


def export_part(job: PartJob) -> PartReceipt:
    """Write one shard's part and its lines of the index, unless both are there.

    Raises
    ------
    Damaged
        The shard is not what the manifest says.
    NoSpace, Unwritable, BadInput
    """
    out = Path(job.out)
    notes, target = out / NOTES, out / job.name
    known = noted(notes, job.number)
    own = known is not None and known.shard == job.number and (known.name or (job.split and job.name)) == job.name
    kept = known if known and own and known.stands(out) else None
    index = job.layout.index()
    between = index.between if index else b""
    sections = {name: fragment(notes, job.number, name) for name in (index.openings if index else ())}
    if kept and all(path.exists() for path in sections.values()):
        return PartReceipt(kept, True, job.count)
    lines: Lines = {name: [] for name in sections}
    with Shard(place(job.shard), sha256=job.sha256) as shard:
        require_told(shard, job.count)
        rows = _rows(shard, job)
        blocks = _blocks(shard, job, rows, lines)
        if kept or not any(map(len, rows)):
            part = kept or Part(job.number, None, 0, 0, 0)
            for _ in blocks:  # collects the index's lines
                pass
            _write_notes(notes, part, sections, lines, between)
        else:
            with _part_writer(job, target) as write:
                files, size = write(blocks)
                part = Part(job.number, job.name, sum(map(len, rows)), files, size)
                # Before the part appears: a part without notes would be written again.
                _write_notes(notes, part, sections, lines, between)
    return PartReceipt(part, kept is not None, job.count)


def _rows(shard: Shard, job: PartJob) -> list[np.ndarray]:
    """Choose the rows to export of each block."""
    chosen: list[np.ndarray] = []
    left = job.limit
    for number in range(len(shard)):
        rows = chosen_rows(shard.block(number, ["split"]).split, job.split)[:left]
        left -= len(rows)
        chosen.append(rows)
    return chosen


def chosen_rows(split: np.ndarray, wanted: str | None) -> np.ndarray:
    """Return the rows in the wanted split, or all rows for None."""
    return np.arange(len(split)) if wanted is None else np.flatnonzero(split == SPLITS.index(wanted))


def _blocks(shard: Shard, job: PartJob, rows: list[np.ndarray], lines: Lines) -> Entries:
    """Yield (name of its folder, entries) of each block with rows, and add the index's lines to `lines`."""
    for number, chosen in enumerate(rows):
        if not len(chosen):
            continue
        entries = list(entries_of(job, shard.block(number), number, chosen))
        folder = f"block-{number:02d}"
        for entry in entries:
            for section, added in job.layout.lines(entry, f"{job.name}/{folder}/{entry.key}.png").items():
                lines[section] += added
        yield folder, entries


def entries_of(job: PartJob, block: Block, number: int, rows: np.ndarray) -> Iterator[ExportEntry]:
    """Yield some rows of block `number` of a shard, with the names of fonts and with cropped pictures."""
    texts = block.texts(job.layout.alphabet or None)
    splits, boxes = block.split.tolist(), block.boxes.tolist()
    for row, plain in zip(rows.tolist(), plain_rows(block.parameters[rows], job.layout.fonts), strict=True):
        letters = [tuple(box) if box[2] > box[0] >= 0 else None for box in boxes[row][: len(texts[row])]]
        yield ExportEntry(
            job.first + number * BLOCK + row, texts[row], SPLITS[splits[row]], letters, plain,
            block.images[row, : plain["height"], : plain["width"]],
        )  # fmt: skip


@contextmanager
def _part_writer(job: PartJob, target: Path) -> Iterator[Callable[[Entries], tuple[int, int]]]:
    """Give a function that writes blocks and returns (files, bytes). The part appears when the context ends."""
    if job.layout.format in FOLDERS:
        with staged_folder(target) as folder:
            yield lambda blocks: _write_folder(folder, job.layout, blocks)
    else:
        write = {ExportFormat.WEBDATASET: _write_tar, ExportFormat.PARQUET: _write_parquet}[job.layout.format]
        with staged_file(target) as file:
            yield lambda blocks: write(file, job.layout, blocks)


def _write_folder(folder: Path, layout: ExportLayout, blocks: Entries) -> tuple[int, int]:
    files = size = 0
    for name, entries in blocks:
        inside = folder / name
        inside.mkdir()
        for entry in entries:
            for suffix, content in layout.members(entry):
                with open(f"{inside}/{entry.key}{suffix}", "xb") as file:  # noqa: PTH123 - a Path is slower
                    file.write(content)
                files, size = files + 1, size + len(content)
        if layout.format is ExportFormat.GT:
            content = easyocr_labels(entries)
            (inside / "labels.csv").write_bytes(content)
            files, size = files + 1, size + len(content)
    return files, size


def _write_tar(file: BinaryIO, layout: ExportLayout, blocks: Entries) -> tuple[int, int]:
    for _, entries in blocks:
        for entry in entries:
            for suffix, content in layout.members(entry):
                file.write(tar_member(entry.key + suffix, content))
    file.write(tar_end(file.tell()))
    return 1, file.tell()


def _write_parquet(file: BinaryIO, layout: ExportLayout, blocks: Entries) -> tuple[int, int]:
    parameters = {name: _kind(name, layout) for name in layout.fields}
    kinds = {
        "image": ColumnKind.IMAGE, "text": ColumnKind.TEXT, "number": ColumnKind.INTEGER, "split": ColumnKind.TEXT,
        "boxes": ColumnKind.BOXES,
    }  # fmt: skip

    def groups() -> Iterator[dict[str, list[Any]]]:
        for _, entries in blocks:
            columns: dict[str, list[Any]] = {
                "image": [{"bytes": layout.png(entry), "path": f"{entry.key}.png"} for entry in entries],
                "text": [entry.text for entry in entries],
                "number": [entry.number for entry in entries],
                "split": [entry.split for entry in entries],
                "boxes": [entry.boxes for entry in entries],
            }
            yield columns | {name: [entry.parameters[name] for entry in entries] for name in parameters}

    write_table(file, kinds | parameters, groups())
    file.seek(0, 2)
    return 1, file.tell()


def _kind(name: str, layout: ExportLayout) -> ColumnKind:
    dtype = layout.parameters[name]
    if name == "font" and layout.fonts:
        return ColumnKind.TEXT
    if dtype.shape:
        return ColumnKind.INTEGERS
    return ColumnKind.KEY if dtype == np.uint64 else ColumnKind.INTEGER


def fragment(notes: Path, number: int, section: str) -> Path:
    """Return the path of a part's lines of the index, until the index is put together."""
    return notes / f"{number:06d}.{section}"


def note(notes: Path, part: Part) -> None:
    """Note the content of a part for the next run."""
    atomic.replace(notes / f"{part.shard:06d}.json", json.dumps(asdict(part)).encode())


def noted(notes: Path, number: int) -> Part | None:
    """Read what `note` wrote of a part; None if it wrote nothing, or something else stands there."""
    try:
        return part_from(read_json(notes / f"{number:06d}.json"))
    except (OSError, ValueError, TypeError):
        return None


def _write_notes(notes: Path, part: Part, sections: dict[str, Path], lines: Lines, between: bytes) -> None:
    for name, path in sections.items():
        atomic.replace(path, between.join(lines[name]))
    note(notes, part)


def prove_shard(job: PartJob) -> PartReceipt:
    """Read one shard and prove it, for a format that links to the shards.

    Raises
    ------
    Damaged
        The shard is missing, or is not what the manifest says.
    """
    path = place(job.shard)
    if not path.is_file():
        raise Damaged(f"{path}: is missing; captchas verify {path.parent} --repair draws it again")
    record = read_record(path, first=job.first)
    if (record.sha256, record.content) != (job.sha256, job.content):
        raise Damaged(f"{path}: differs from the manifest; captchas verify {path.parent} --repair draws it again")
    return PartReceipt(Part(job.number, None, job.limit, 0, 0), False, job.count)
