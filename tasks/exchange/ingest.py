"""The units of importing: survey the dataset's folder, fill or restore a shard with pictures, and report."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from PIL import __version__ as pillow

from storage.errors import Damaged, Different, GlyphsDiffer
from storage.files.places import Place, place
from storage.shards.manifest import Manifest
from storage.shards.shard import BLOCK, FORMAT, PIXELS, SPLITS, Block, combined, layout, shard_name
from storage.shards.writer import write_shard
from tasks.datasets import generate
from tasks.datasets.folder import identity_in, manifest_in
from tasks.datasets.generate import kept_shard
from tasks.datasets.recipe import identity_differences, identity_of
from tasks.datasets.statistics import Tally
from tasks.datasets.totals import DrawReceipt, Gathered
from tasks.drawing.randomness import pixels_digest, split_by
from tasks.exchange.import_records import PICTURES, REJECTS, changes
from tasks.exchange.label_sources.picture_index import split_of
from tasks.exchange.preview import PAIRS, Preview, few_told, notes_of
from tasks.exchange.rejects import first_rejects
from tasks.exchange.scan import DIGEST_BYTES, Source
from tasks.loading.colours.seen import ground_colour
from tasks.loading.decode import Colour, Invert, decode_picture, decode_seen
from tasks.loading.safe_read import BadPicture, read_file
from tasks.lowlevel.deflate import compress
from tasks.lowlevel.padding import stack_padded

IMPORTED_PARAMETERS = np.dtype([("height", "<u2"), ("width", "<u2")])


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


def colour_there(folder: Place) -> Colour | None:
    """Return whether the imported pictures that a folder holds kept their colours; None if it holds none."""
    manifest = manifest_in(folder)
    there = identity_of(manifest) if manifest else identity_in(folder)
    if there is None or "source" not in there:
        return None
    return Colour.GREY if there["format"] == FORMAT else Colour.KEEP


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
    profile, pixel = identity["profile"], PIXELS[identity["format"]]
    invert = Invert(identity["source"]["ink"]["invert"]) if identity["format"] == FORMAT else None
    pairs = job.pairs[offset : offset + count]
    parameters = np.empty(count, IMPORTED_PARAMETERS)
    content = np.empty((count, 4), np.uint64)

    def pictures() -> Iterator[np.ndarray]:
        for k, (path, _) in enumerate(pairs):
            at = DIGEST_BYTES * (offset + k)
            picture = _picture(Path(job.source, path), job.digests[at : at + DIGEST_BYTES], invert)
            height, width = picture.shape[:2]
            parameters[k] = height, width
            content[k] = pixels_digest(picture)
            yield picture

    around = ground_colour if pixel else None  # so that the canvas shows no edge where a picture ends
    images = stack_padded(pictures(), count, profile["height"], profile["width"], pixel, around)
    text = np.array([label.encode() for _, label in pairs], f"S{job.text_bytes}")
    boxes = np.full((count, profile["length"][1], 4), -1, np.int16)
    if identity["source"].get("split"):
        split = np.array([SPLITS.index(split_of(path) or "train") for path, _ in pairs], np.uint8)
    else:
        # It depends on the pixels and not on the label: copies with other labels stay in the same split.
        split = split_by(content.T)
    return Block(images, text, boxes, parameters, split)


def _picture(path: Path, digest: bytes, invert: Invert | None) -> np.ndarray:
    """Decode a file, as it is seen without `invert`, if its sha256 is still `digest`."""
    try:
        data = read_file(path, follow=False)
        if sha256(data).digest() == digest:
            return decode_picture(data, invert) if invert else decode_seen(data)
        reason = "its sha256 has changed"
    except BadPicture as error:
        reason = str(error)
    raise Damaged(
        f"{path}: has changed since the import began ({reason}); give the same command again once nothing "
        "changes the folder any more"
    )


def report(source: Source, folder: Place, records: Path, gathered: Gathered, seconds: float) -> dict[str, object]:
    """Report the work of an import, and the content of the dataset."""
    manifest = Manifest.read(folder)
    seen = Preview(source.wanted, source.pairs)
    notes = notes_of(source.wanted, source.mended, source.pairs, source.twice_split(), source.contradicting())
    splits = manifest.statistics["splits"]
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
        "notes": notes if source.wanted.keep_splits else [*notes, *few_told(splits)],
        "colour": source.wanted.colour is Colour.KEEP,
        "canvas": [manifest.profile["height"], manifest.profile["width"]],
        "tallest": source.tallest[1],
        "widest": source.widest[1],
        "shards": len(manifest.shards),
        "bytes": sum(line["bytes"] for line in manifest.shards),
        "splits": splits,
        "seconds": round(seconds, 2),
        "identity": manifest.identity,
        "content": manifest.content,
        "files": [str(records / name) for name in (PICTURES, REJECTS)],
        "sheet": str(records / PAIRS),
        "rejects": first_rejects(source.rejects),
        "shown": {"label_lengths": seen.lengths_told()},
    }
