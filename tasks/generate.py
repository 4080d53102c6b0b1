"""The units of generating: survey what is there, draw one shard, complete the dataset."""

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from storage import atomic
from storage.dataset import layout, sealed
from storage.errors import Damaged, NotThere
from storage.manifest import Manifest
from storage.shards import (
    BLOCK,
    SPLITS,
    Block,
    Shard,
    ShardRecord,
    combined,
    packed_size,
    read_record,
    shard_name,
    write_shard,
)
from tasks.raster import sum_ink
from tasks.recipes import Recipe, identity_of, renderer_of, require_same, software

BLOCKS_A_SHARD = 16


@dataclass(frozen=True)
class ShardJob:
    """One shard to draw: where it stands in the dataset of a recipe."""

    recipe: Recipe
    folder: str
    index: int
    first: int
    count: int
    run: str


@dataclass(frozen=True)
class Receipt:
    """What became of a job.

    `drawn` is False for a shard that was there, sealed and intact; `tally` is `Tally.as_dict()`.
    """

    index: int
    record: ShardRecord
    drawn: bool
    seconds: float
    ended: float  # seconds since the epoch, by the worker's clock
    tally: dict


@dataclass(frozen=True)
class Plan:
    """What a run has to do: `jobs` to draw, or nothing when the dataset is whole at `count`."""

    count: int
    jobs: tuple[ShardJob, ...]
    whole: bool


def survey(recipe: Recipe, folder: Path, count: int, run: str) -> Plan:
    """Compare a folder with what is wanted; the caller holds the dataset's lock.

    A dataset never shrinks: a `count` below what is there changes nothing.

    Raises
    ------
    Different
        The folder holds, or was begun with, another recipe.
    """
    try:
        manifest = Manifest.read(folder)
    except NotThere:
        manifest = None
    if manifest:
        require_same(identity_of(manifest), recipe, folder)
        count = max(count, manifest.count)
        if count == manifest.count and _present(folder, manifest):
            return Plan(count, (), whole=True)
    for path in sorted(sealed(folder).values()):
        try:
            with Shard(path) as shard:
                there = json.loads(shard.identity)
        except (Damaged, json.JSONDecodeError):
            continue  # the job for that shard sets it aside and draws it again
        require_same(there, recipe, folder)
        break
    jobs = [ShardJob(recipe, str(folder), *place, run) for place in layout(count, BLOCKS_A_SHARD)]
    return Plan(count, tuple(jobs), whole=False)


def _present(folder: Path, manifest: Manifest) -> bool:
    for line in manifest.shards:
        path = folder / line["name"]
        if not path.is_file() or path.stat().st_size != line["bytes"]:
            return False
    return True


def estimate_bytes(recipe: Recipe) -> float:
    """Bytes a picture takes in a shard, measured on the first block."""
    block = renderer_of(recipe).block(recipe.seed, 0)
    return packed_size(block) / BLOCK + 1


def draw_shard(job: ShardJob) -> Receipt:
    """Draw and seal one shard, unless it is there and intact.

    Raises
    ------
    GlyphsDiffer, NoSpace, Unwritable
    """
    began = time.perf_counter()
    folder = Path(job.folder)
    path = folder / shard_name(job.index, job.count)
    tally = Tally(job.recipe.profile.alphabet)
    if path.exists():
        try:
            record = read_record(path, job.recipe.identity, job.first, tally.add)
            return Receipt(job.index, record, False, time.perf_counter() - began, time.time(), tally.as_dict())
        except Damaged:
            set_aside(path)
            tally = Tally(job.recipe.profile.alphabet)
    renderer = renderer_of(job.recipe)

    def blocks() -> Iterable[Block]:
        for offset in range(0, job.count, BLOCK):
            block = renderer.block(job.recipe.seed, (job.first + offset) // BLOCK, min(BLOCK, job.count - offset))
            tally.add(block)
            yield block

    record = write_shard(folder, job.index, job.first, blocks(), job.recipe.identity, job.run)
    return Receipt(job.index, record, True, time.perf_counter() - began, time.time(), tally.as_dict())


def set_aside(path: Path) -> Path:
    """Move a file that does not belong to `NAME.foreign` beside the dataset; nothing is deleted."""
    home = path.parent.resolve()
    folder = atomic.make_folder(home.with_name(home.name + ".foreign"))
    target, number = folder / path.name, 1
    while target.exists():
        target = folder / f"{path.name}.{number}"
        number += 1
    path.rename(target)
    return target


class Tally:
    """Counts over blocks: pictures a split, letters, ink."""

    def __init__(self, alphabet: str):
        self._alphabet = alphabet
        self._splits = np.zeros(len(SPLITS), np.int64)
        self._letters: dict[str, int] = dict.fromkeys(alphabet, 0)
        self._ink = 0
        self._pixels = 0
        self._blank = 0

    def add(self, block: Block) -> None:
        """Count a block."""
        self._splits += np.bincount(block.split, minlength=len(SPLITS))
        texts, counts = np.unique(block.text, return_counts=True)
        for text, count in zip(texts.tolist(), counts.tolist(), strict=True):
            for letter in text.decode():
                self._letters[letter] += count
        ink = sum_ink(block.images)
        self._ink += int(ink.sum())
        self._blank += int((ink == 0).sum())
        self._pixels += int((block.parameters["height"].astype(np.int64) * block.parameters["width"]).sum())

    def as_dict(self) -> dict:
        """JSON-safe counts, which add up over shards."""
        return {
            "splits": dict(zip(SPLITS, self._splits.tolist(), strict=True)),
            "letters": self._letters,
            "ink": self._ink,
            "pixels": self._pixels,
            "blank": self._blank,
        }


def complete(recipe: Recipe, folder: Path, receipts: Iterable[Receipt], run: str) -> Manifest:
    """Write the manifest of a dataset whose shards are all sealed, then tidy the folder.

    Shorter shards that an extension replaced go only after the manifest names their successors;
    temporary files are those of dead runs, since the caller holds the lock.
    """
    ordered = sorted(receipts, key=lambda receipt: receipt.index)
    records = [receipt.record for receipt in ordered]
    identity = json.loads(recipe.identity)
    manifest = Manifest(
        identity=recipe.digest,
        profile=identity["profile"],
        seed=recipe.seed,
        words=identity["words"],
        fonts=identity["fonts"],
        renderer=identity["renderer"],
        count=sum(record.count for record in records),
        content=combined(bytes.fromhex(digest) for record in records for digest in record.blocks),
        software=software(),
        statistics=_statistics([receipt.tally for receipt in ordered]),
        shards=[record.as_dict() for record in records],
    )
    manifest.write(folder, run)
    names = {record.name for record in records}
    for path in sealed(folder).values():
        if path.name in names:
            continue
        try:
            with Shard(path) as shard:
                ours = shard.identity == recipe.identity
        except Damaged:
            ours = False
        if ours:
            path.unlink()
        else:
            set_aside(path)
    for path in atomic.leftovers(folder):
        path.unlink(missing_ok=True)
    return manifest


def _statistics(tallies: list[dict]) -> dict:
    def total(key, inner):
        return sum(tally[key][inner] for tally in tallies)

    pixels = sum(tally["pixels"] for tally in tallies)
    return {
        "splits": {split: total("splits", split) for split in SPLITS},
        "letters": {letter: total("letters", letter) for letter in tallies[0]["letters"]},
        "blank": sum(tally["blank"] for tally in tallies),
        "mean_ink": round(sum(tally["ink"] for tally in tallies) / (255 * max(pixels, 1)), 6),
    }


def missing(plan: Plan, folder: Path) -> int:
    """How many pictures of a plan are not in the folder yet."""
    there = sealed(folder)
    return sum(job.count for job in plan.jobs if (job.index, job.count) not in there)


def steady_rate(receipts: list[Receipt]) -> float | None:
    """Pictures a second between the first and the last shard that were drawn; None for fewer than three."""
    drawn = sorted((receipt for receipt in receipts if receipt.drawn), key=lambda receipt: receipt.ended)
    if len(drawn) < 3:
        return None
    return sum(receipt.record.count for receipt in drawn[1:]) / max(drawn[-1].ended - drawn[0].ended, 1e-6)


def report(folder: Path, drawn: int, kept: int, seconds: float, rate: float | None) -> dict:
    """What a run of the flow did, and what the folder holds now."""
    manifest = Manifest.read(folder)
    return {
        "dataset": str(folder),
        "profile": manifest.profile["name"],
        "seed": manifest.seed,
        "count": manifest.count,
        "drawn": drawn,
        "kept": kept,
        "shards": len(manifest.shards),
        "bytes": sum(line["bytes"] for line in manifest.shards),
        "splits": manifest.statistics["splits"],
        "seconds": round(seconds, 2),
        "pictures_per_second": round(rate) if rate else None,
        "identity": manifest.identity,
        "content": manifest.content,
    }


def as_table(content: dict) -> list[dict]:
    """A report as rows for a Prefect table artifact."""
    return [{"what": key, "value": str(value)} for key, value in content.items()]
