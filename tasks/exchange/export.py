"""The units around an export: survey the folder first, and at the end write the index and the record."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from storage.dataset import Dataset
from storage.errors import BadInput, Different, NotThere
from storage.exports.parquet import require_pyarrow
from storage.exports.record import EARLIER, NOTES, RECORD, RECORDS, ExportRecord, Part
from storage.exports.staging import clear, concatenate, remove
from storage.exports.virtual import write_virtual
from storage.files import atomic
from storage.files.places import ObjectPath
from storage.shards.shard import SPLITS, Block, ShardLine
from tasks.datasets.recipe import identity_differences
from tasks.exchange.export_part import PartJob, PartReceipt, chosen_rows, entries_of, fragment, note
from tasks.exchange.formats import FOLDERS, SUFFIX, WITH_BOXES, ExportFormat, ExportIndex, ExportLayout
from tasks.profiles.fonts import face_names

VERSION = 1  # of the formats' bytes: another version is another export
ON_DISK = 4096  # bytes that a small file takes on most file systems
MEASURED = 100  # pictures that are encoded to estimate the size of an export
BESIDE = 100  # bytes a picture that the estimate adds for the index and the folders
VIRTUAL = "dataset.h5"


@dataclass(frozen=True)
class ExportChoice:
    """The choice of what to export; None as `split` or `count` means all."""

    format: ExportFormat
    split: str | None = None
    count: int | None = None
    invert: bool = False
    csv_safe: bool = False


@dataclass(frozen=True)
class ExportPlan:
    """The jobs of a run; none if the export is already whole.

    what : all that the bytes of the export depend on, for its record
    share : of the pictures that are in the split
    """

    what: dict[str, Any]
    jobs: tuple[PartJob, ...]
    whole: bool
    bytes_a_picture: float = 0.0
    share: float = 1.0


def examine(dataset: Dataset, choice: ExportChoice, out: Path) -> None:
    """Refuse an export that is impossible, before any work is started.

    Raises
    ------
    BadInput
        With the option and the reason.
    Different
        `out` holds another export, or files of something else.
    """
    if choice.count is not None and choice.count < 1:
        raise BadInput(f"count: must be 1 or more; it is {choice.count}")
    if choice.split is not None and choice.split not in SPLITS:
        raise BadInput(f"split: must be one of {', '.join(SPLITS)}; it is {choice.split!r}")
    if choice.format is ExportFormat.HDF5 and (choice.split or choice.invert):
        raise BadInput(
            f"format hdf5: shows the shards as they are, so it takes no {'--split' if choice.split else '--invert'}; "
            "select rows by its `split` array when reading, or choose another format"
        )
    if choice.invert and dataset.colour:
        raise BadInput(
            f"invert: turns ink dark on white, and the pictures of {dataset.folder} have colours; leave it out"
        )
    if choice.format is ExportFormat.HDF5 and isinstance(dataset.folder, ObjectPath):
        raise BadInput(
            f"format hdf5: is one file over shards that stand on a disk, and {dataset.folder} is in an object store; "
            "choose another format, or copy the dataset's objects into a folder first"
        )
    if choice.csv_safe and choice.format is not ExportFormat.PNG:
        raise BadInput(
            f"csv-safe: goes with format png, whose labels.csv people open in spreadsheets; it is {choice.format.value}"
        )
    if choice.format is ExportFormat.PARQUET:
        require_pyarrow()
    if choice.format in WITH_BOXES and dataset.manifest.source is not None:
        raise BadInput(
            f"format {choice.format.value}: needs the letters' boxes, and {dataset.folder} has none "
            "(it was imported); choose another format, such as png"
        )
    inside, folder = out.resolve(), dataset.folder.resolve()
    if inside == folder or folder in inside.parents:
        raise BadInput(f"out: {out} lies in the dataset, which may hold nothing but shards; choose another folder")
    there = ExportRecord.read(out)
    if there:
        _require_same(there.what, _what(dataset, choice), out)


def plan_export(dataset: Dataset, choice: ExportChoice, out: Path) -> ExportPlan:
    """Compare a folder with the wanted export and plan the work; the caller holds the folder's lock.

    Raises
    ------
    Different
        The folder holds another export, or files of something else.
    Damaged
        The folder's record, or the dataset, cannot be read.
    """
    manifest, head = dataset.manifest, _head(dataset)
    what = _what(dataset, choice)
    there = ExportRecord.read(out)
    if there:
        _require_same(there.what, what, out)
    layout = ExportLayout(
        choice.format, head.parameters.dtype, tuple(face_names(manifest.fonts)),
        manifest.profile.get("alphabet", ""), head.boxes.shape[1], choice.invert, choice.csv_safe,
    )  # fmt: skip
    # A virtual dataset links to the shards, so they are proven each time.
    if there and choice.format is not ExportFormat.HDF5 and there.stands(out):
        # How many shards have so many pictures of a split, only the shards tell: that record is believed.
        counted = choice.split is not None and choice.count is not None
        parts = len(there.parts) if counted else sum(1 for _ in _limits(dataset, choice))
        names = [_part_name(choice, number) for number in range(parts)]
        index = layout.index()
        if there.has_all(names, index.name if index else None, empty=choice.split is not None):
            return ExportPlan(what, (), whole=True)
    jobs = []
    for number, (line, limit) in enumerate(_limits(dataset, choice)):
        shard, name = dataset.folder.resolve() / dataset.path(number).name, _part_name(choice, number)
        jobs.append(PartJob(
            number, str(shard), line["sha256"], line["content"], line["first"], line["count"], limit,
            str(out.resolve()), name, choice.split, layout,
        ))  # fmt: skip
    rows = chosen_rows(head.split, choice.split)
    share = len(rows) / len(head.split)
    return ExportPlan(
        what, tuple(jobs), whole=False, bytes_a_picture=_bytes_a_picture(jobs[0], head, rows), share=share
    )


def _what(dataset: Dataset, choice: ExportChoice) -> dict[str, Any]:
    """Collect all that the bytes of an export depend on."""
    chosen = asdict(choice)
    if not choice.csv_safe:
        del chosen["csv_safe"]  # the records of earlier versions lack it
    return {
        "version": VERSION,
        "dataset": dataset.manifest.profile["name"],
        "identity": dataset.manifest.identity,
        "content": dataset.manifest.content,
        **chosen,
        "format": choice.format.value,
    }


def _head(dataset: Dataset) -> Block:
    with dataset.shard(0) as shard:
        return shard.block(0)


def _require_same(there: dict[str, Any], wanted: dict[str, Any], out: Path) -> None:
    found = identity_differences(there, wanted)
    if found:
        raise Different(
            f"{out}: holds another export ({'; '.join(found)}); give another folder with --out, or remove that one"
        )


def _limits(dataset: Dataset, choice: ExportChoice) -> Iterator[tuple[ShardLine, int]]:
    """Yield (manifest line, most pictures to take) of each shard that is needed, in order."""
    left = dataset.manifest.count if choice.count is None else choice.count
    for number, line in enumerate(dataset.manifest.shards):
        if left <= 0:
            return
        limit = min(left, line["count"])
        yield line, limit
        if choice.split is None or choice.count is None:
            left -= limit
        else:
            with dataset.shard(number) as shard:
                splits = [shard.block(block, ["split"]).split for block in range(len(shard))]
            left -= sum(len(chosen_rows(split, choice.split)) for split in splits)


def _part_name(choice: ExportChoice, number: int) -> str:
    # Libraries such as Hugging Face's datasets find a split by the file's name.
    return f"{choice.split or 'shard'}-{number:06d}{SUFFIX.get(choice.format, '')}"


def _bytes_a_picture(job: PartJob, head: Block, rows: np.ndarray) -> float:
    """Estimate the bytes that a picture takes on the disk, from the first block."""
    if job.layout.format is ExportFormat.HDF5:
        return 0.0
    entries = list(entries_of(job, head, 0, rows[:MEASURED]))
    sizes = [len(content) for entry in entries for _, content in job.layout.members(entry)]
    if job.layout.format in FOLDERS:
        sizes = [max(ON_DISK, size) for size in sizes]
    return sum(sizes) / max(1, len(entries)) + BESIDE


def begin_export(plan: ExportPlan, out: Path) -> None:
    """Record in the folder which export it will hold, and remove what dead runs left there."""
    notes = atomic.make_folder(out / NOTES)
    there = ExportRecord.read(out)
    if there is None or there.complete:
        for part in there.parts if there else ():
            note(notes, part)  # each job checks whether its part is unchanged
        ExportRecord(plan.what).write(notes / RECORD)
        for name in RECORDS:
            remove(out / name)
    clear(out)
    clear(notes)


def missing_bytes(plan: ExportPlan, out: Path) -> int:
    """Estimate the size of the parts that are not there yet."""
    pictures = sum(min(job.limit, job.count * plan.share) for job in plan.jobs if not (out / job.name).exists())
    return int(pictures * plan.bytes_a_picture)


def finish_export(plan: ExportPlan, out: Path, receipts: Iterable[PartReceipt]) -> ExportRecord:
    """Put the index together from the parts' lines in order, write the record, and tidy the folder.

    Raises
    ------
    NotThere
        No picture is in the split.
    """
    parts = tuple(sorted((receipt.part for receipt in receipts), key=lambda part: part.shard))
    if not sum(part.pictures for part in parts):
        tidy_export(out)
        raise NotThere(f"split {plan.what['split']!r}: none of the dataset's pictures is in it")
    indexes: dict[str, int] = {}
    layout = plan.jobs[0].layout
    index = layout.index()
    if layout.format is ExportFormat.HDF5:
        shards = [(Path(job.shard), job.limit) for job in plan.jobs]
        attributes = {"identity": plan.what["identity"], "content": plan.what["content"]}
        indexes[VIRTUAL] = write_virtual(out / VIRTUAL, shards, attributes)
    elif index:
        indexes[index.name] = concatenate(out / index.name, _pieces(out / NOTES, index, parts))
    record = ExportRecord(plan.what, parts, indexes)
    record.write(out / RECORD)
    tidy_export(out)
    return record


def tidy_export(out: Path) -> None:
    """Remove the files that only an unfinished export needs; give an earlier version's record its name of today."""
    earlier = out / EARLIER
    if earlier.is_file():
        if (out / RECORD).is_file():
            remove(earlier)
        else:
            earlier.replace(out / RECORD)
    remove(out / NOTES)
    clear(out)


def _pieces(notes: Path, index: ExportIndex, parts: tuple[Part, ...]) -> Iterator[bytes | Path]:
    """Yield the index's pieces in order: bytes, or a file that holds them."""
    for section, opening in index.openings.items():
        yield opening
        begun = False
        for part in parts:
            path = fragment(notes, part.shard, section)
            if path.stat().st_size:
                yield index.between if begun else b""
                yield path
                begun = True
    yield index.tail


def report(out: Path, written: int, seconds: float) -> dict[str, object]:
    """Report the work of a run of the flow, and the content of the folder.

    Raises
    ------
    NotThere
        The folder holds no complete export.
    """
    record = ExportRecord.read(out)
    if record is None or record.indexes is None:
        raise NotThere(f"{out}: holds no complete export; give the command again")
    rate = written / seconds if written and seconds else None
    return {
        "export": str(out),
        "format": record.what["format"],
        "dataset": record.what["dataset"],
        "split": record.what["split"],
        "pictures": record.pictures,
        "written": written,
        "kept": record.pictures - written,
        "parts": sum(part.name is not None for part in record.parts),
        "index": [str(out / name) for name in record.indexes],
        "files": sum(part.files for part in record.parts) + len(record.indexes),
        "bytes": sum(part.bytes for part in record.parts) + sum(record.indexes.values()),
        "seconds": round(seconds, 2),
        "pictures_per_second": round(rate) if rate else None,
        "identity": record.what["identity"],
        "content": record.what["content"],
    }
