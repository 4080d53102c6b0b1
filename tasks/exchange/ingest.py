"""The units of importing: survey the dataset's folder, fill or restore a shard with pictures, and report."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from PIL import __version__ as pillow

from storage.errors import Damaged, Different, GlyphsDiffer, NotThere
from storage.files.places import Place, place
from storage.shards.manifest import Manifest
from storage.shards.shard import BLOCK, SPLITS, Block, combined, layout, shard_name
from storage.shards.writer import write_shard
from tasks.datasets import generate
from tasks.datasets.folder import identity_in, manifest_in
from tasks.datasets.generate import kept_shard
from tasks.datasets.recipe import identity_differences, identity_of
from tasks.datasets.statistics import Tally
from tasks.datasets.totals import DrawReceipt, Gathered
from tasks.drawing.randomness import pixels_digest
from tasks.drawing.renderer import split_by
from tasks.exchange.labelling import Zeros
from tasks.exchange.preview import PAIRS, Preview, notes_of
from tasks.exchange.scan import DIGEST_BYTES, PICTURES, REJECTS, Source, changes, first_rejects, split_of
from tasks.loading.decode import Invert, decode_picture
from tasks.loading.safe_read import BadPicture, read_file
from tasks.lowlevel.deflate import compress
from tasks.lowlevel.padding import stack_padded

IMPORTED_PARAMETERS = np.dtype([("height", "<u2"), ("width", "<u2")])


class ChosenParameters(TypedDict, total=False):
    """The parameters of an import that are there only if they were given."""

    columns: str
    fold_case: bool
    zeros: Zeros
    keep_splits: bool


class ImportParameters(ChosenParameters):
    """The parameters of an import, named as `captchas import` names them."""

    folder: Path
    labels: Path | None
    pattern: str | None
    name: str
    out: Path
    alphabet: str
    invert: Invert


@dataclass(frozen=True)
class FillJob:
    """A shard to fill with files.

    source, folder : the imported folder, and the dataset's folder
    pairs : path and label of each file
    digests : the sha256 of each file, 32 bytes each
    content : the content digest that the shard must have, if it is known
    pillow : the version of Pillow that the dataset was imported with, if it is known
    """

    identity: str
    source: str
    folder: str
    index: int
    first: int
    count: int
    pairs: tuple[tuple[str, str], ...]
    digests: bytes
    text_bytes: int
    run: str
    content: str | None = None
    pillow: str | None = None


def require_same_files(source: Source, folder: Place, records: Path) -> None:
    """Compare the dataset's folder with the source; the caller holds the dataset's lock.

    Parameters
    ----------
    records : Path
        The folder with the last import's list of files, to say how they changed.

    Raises
    ------
    Different
        The folder holds another dataset, or a dataset of other files. Then the error counts how many were added,
        removed or changed.
    """
    manifest = manifest_in(folder)
    if manifest:
        _require_same(identity_of(manifest), source, folder, records)
    there = identity_in(folder)
    if there is not None:
        _require_same(there, source, folder, records)


def fill_jobs(source: Source, folder: Place, run: str, manifest: Manifest | None = None) -> list[FillJob]:
    """Make a job for every shard of the dataset, also for shards that are there: the job proves them.

    If the dataset was complete once, each shard must have the content digest in the manifest before it is sealed.
    """
    manifest = manifest or manifest_in(folder)
    places = layout(len(source.pairs), generate.BLOCKS_A_SHARD)
    contents: dict[int, str] = {}
    software = None
    if manifest:
        places = [(index, line["first"], line["count"]) for index, line in enumerate(manifest.shards)]
        contents = {index: line["content"] for index, line in enumerate(manifest.shards)}
        software = manifest.software.get("pillow")
    return [
        FillJob(
            source.identity, str(source.wanted.folder), str(folder.resolve()), index, first, count,
            tuple(source.pairs[first : first + count]),
            source.digests[DIGEST_BYTES * first : DIGEST_BYTES * (first + count)],
            source.text_bytes, run, contents.get(index), software,
        )
        for index, first, count in places
    ]  # fmt: skip


def require_imported(folder: Place) -> None:
    """Refuse a folder that holds a drawn dataset, before any picture is read.

    Raises
    ------
    Different
    """
    manifest = manifest_in(folder)
    if manifest and manifest.source is None:
        raise Different(
            f"{folder}: holds a drawn dataset, of profile {manifest.profile['name']!r}; choose another --name or --out"
        )


def _require_same(there: dict[str, Any], source: Source, folder: Place, records: Path) -> None:
    wanted = json.loads(source.identity)
    if there == wanted:
        return
    found = identity_differences(there, wanted)
    if "source" in there and there["source"]["digest"] != wanted["source"]["digest"]:
        # These follow from the files; the options that were given do not.
        follow = {"source.digest", "source.pictures", "profile.length", "profile.height", "profile.width"}
        follow |= set() if source.wanted.alphabet else {"profile.alphabet"}
        found = [line for line in found if line.partition(":")[0] not in follow]
        found.insert(0, f"imported from other files: {changes(there['source'], source, records)}")
    raise Different(
        f"{folder}: holds another dataset ({'; '.join(found)}); give another folder with --out, or remove that "
        f"one first: captchas datasets --remove {folder.name}"
    )


def fill_shard(job: FillJob) -> DrawReceipt:
    """Fill and seal one shard, unless it is there and intact.

    Raises
    ------
    Damaged
        A file has changed since the import began.
    GlyphsDiffer
        The files are the same, but decode to other pixels than the shard to restore had.
    NoSpace, Unwritable
    """
    alphabet = json.loads(job.identity)["profile"]["alphabet"]
    kept = kept_shard(job.folder, job.index, job.first, job.count, job.identity, alphabet)
    if kept:
        return kept
    folder, tally = place(job.folder), Tally(alphabet)
    path = folder / shard_name(job.index, job.count)

    def blocks() -> Iterator[Block]:
        digests = []
        for offset in range(0, job.count, BLOCK):
            block = _block(job, offset, min(BLOCK, job.count - offset))
            digests.append(block.digest())
            tally.add(block)
            yield block
        if job.content not in (None, combined(digests)):  # nothing is sealed yet
            raise GlyphsDiffer(
                f"{path}: cannot be restored: its files are those that were imported, but Pillow {pillow} here "
                f"makes other pixels of them than Pillow {job.pillow} did then; install that version"
            )

    record = write_shard(folder, job.index, job.first, blocks(), job.identity, job.run, compress_labels=compress)
    return DrawReceipt(job.index, record, True, tally.counts())


def _block(job: FillJob, offset: int, count: int) -> Block:
    """Read `count` of a job's pictures, from `offset` on, into a block."""
    identity = json.loads(job.identity)
    profile, invert = identity["profile"], Invert(identity["source"]["ink"]["invert"])
    pairs = job.pairs[offset : offset + count]
    parameters = np.empty(count, IMPORTED_PARAMETERS)
    content = np.empty((count, 4), np.uint64)

    def pictures() -> Iterator[np.ndarray]:
        for k, (path, _) in enumerate(pairs):
            at = DIGEST_BYTES * (offset + k)
            picture = _picture(Path(job.source, path), job.digests[at : at + DIGEST_BYTES], invert)
            height, width = picture.shape
            parameters[k] = height, width
            content[k] = pixels_digest(picture)
            yield picture

    images = stack_padded(pictures(), count, profile["height"], profile["width"])
    text = np.array([label.encode() for _, label in pairs], f"S{job.text_bytes}")
    boxes = np.full((count, profile["length"][1], 4), -1, np.int16)
    if identity["source"].get("split"):
        split = np.array([SPLITS.index(split_of(path) or "train") for path, _ in pairs], np.uint8)
    else:
        # It depends on the pixels and not on the label: copies with other labels stay in the same split.
        split = split_by(content.T)
    return Block(images, text, boxes, parameters, split)


def _picture(path: Path, digest: bytes, invert: Invert) -> np.ndarray:
    """Decode a file, if its sha256 is still `digest`."""
    try:
        data = read_file(path)
        if sha256(data).digest() == digest:
            return decode_picture(data, invert)
        reason = "its sha256 has changed"
    except BadPicture as error:
        reason = str(error)
    raise Damaged(
        f"{path}: has changed since the import began ({reason}); give the same command again once nothing "
        "changes the folder any more"
    )


def as_imported(folder: Place, source: Path) -> ImportParameters:
    """Return the parameters of a dataset's import, to import it again from the folder `source`.

    Raises
    ------
    NotThere, Damaged
        The folder holds no manifest of an import, or the file of labels is missing.
    """
    manifest = Manifest.read(folder)
    if manifest.source is None:
        raise Damaged(f"{folder}: its manifest names no source, so the dataset was not imported")
    labels = manifest.source.get("labels", {})
    if "file" in labels and not (source / labels["file"]).is_file():
        raise NotThere(
            f"{source}: has no {labels['file']}, which the labels came from; if that was elsewhere, give the same "
            "`captchas import` command again, with --labels: it restores missing shards"
        )
    again: ImportParameters = {
        "folder": source,
        "labels": source / labels["file"] if "file" in labels else None,
        "pattern": labels.get("pattern"),
        "name": manifest.profile["name"],
        "out": Path(str(folder)),
        "alphabet": manifest.profile["alphabet"],
        "invert": Invert(manifest.source["ink"]["invert"]),
    }
    if "columns" in labels:
        again["columns"] = labels["columns"]
    if "case" in labels:
        again["fold_case"] = True
    if "zeros" in labels:
        again["zeros"] = Zeros(labels["zeros"])
    if "split" in manifest.source:
        again["keep_splits"] = True
    return again


def report(source: Source, folder: Place, records: Path, gathered: Gathered, seconds: float) -> dict[str, object]:
    """Report the work of an import, and the content of the dataset."""
    manifest = Manifest.read(folder)
    seen = Preview(source.wanted, source.pairs)
    return {
        "dataset": str(folder),
        "folder": str(source.wanted.folder),
        "labels": source.wanted.labelling.as_dict(),
        "pictures": manifest.count,
        "rejected": len(source.rejects),
        "filled": gathered.drawn,
        "kept": gathered.kept,
        "pairs": seen.pairs(),
        "alphabet": manifest.profile["alphabet"],
        "label_lengths": seen.lengths(),
        "notes": notes_of(source.wanted, source.mended, source.pairs, source.twice_split()),
        "canvas": [manifest.profile["height"], manifest.profile["width"]],
        "tallest": source.tallest[1],
        "widest": source.widest[1],
        "shards": len(manifest.shards),
        "bytes": sum(line["bytes"] for line in manifest.shards),
        "splits": manifest.statistics["splits"],
        "seconds": round(seconds, 2),
        "identity": manifest.identity,
        "content": manifest.content,
        "files": [str(records / name) for name in (PICTURES, REJECTS)],
        "sheet": str(records / PAIRS),
        "rejects": first_rejects(source.rejects),
        "shown": {"label_lengths": seen.lengths_told()},
    }
