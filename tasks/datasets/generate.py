"""The units of generating: survey the folder, draw a shard, complete the dataset."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NotRequired, TypedDict, final

import numpy as np

from storage.errors import Damaged, Different
from storage.files import atomic
from storage.files.moves import free_name
from storage.files.places import Place, place, sizes
from storage.shards.manifest import Manifest
from storage.shards.shard import BLOCK, Block, ShardRecord, layout, read_record, sealed, shard_name
from storage.shards.writer import fast_zlib, packed_size, write_shard
from tasks.datasets.folder import identity_in, manifest_in, set_aside
from tasks.datasets.recipe import Recipe, identity_of, renderer_of, require_same
from tasks.datasets.statistics import Tally
from tasks.datasets.totals import DrawReceipt
from tasks.lowlevel.deflate import compress
from tasks.lowlevel.inflate import inflate
from tasks.profiles.profile import Profile

MEASURED = 256  # pictures that tell how many bytes one takes
BLOCKS_A_SHARD = 16  # 16,384 pictures


@final
class DrawReport(TypedDict):
    """What a run drew and kept, and what the folder holds.

    `unclear` names letters that a face draws alike; `beyond` tells of shards that a run for more pictures left.
    """

    dataset: str
    profile: str
    seed: int
    count: int
    drawn: int
    kept: int
    shards: int
    bytes: int
    splits: dict[str, int]
    seconds: float
    pictures_per_second: int | None
    identity: str
    content: str
    beyond: NotRequired[str]
    unclear: NotRequired[str]


@dataclass(frozen=True)
class DrawJob:
    """A shard to draw: its index in the dataset, its first picture and its number of pictures."""

    recipe: Recipe
    folder: str
    index: int
    first: int
    count: int
    run: str


@dataclass(frozen=True)
class DrawPlan:
    """The dataset that a run makes in `folder`, a resolved path; `whole` if it is there at `count` pictures already."""

    recipe: Recipe
    folder: str
    count: int
    run: str
    whole: bool

    @cached_property  # a dry run needs none of them, and there may be a million
    def jobs(self) -> tuple[DrawJob, ...]:
        """Return the jobs of the run; none if the dataset is whole."""
        shards = () if self.whole else layout(self.count, BLOCKS_A_SHARD)
        return tuple(DrawJob(self.recipe, self.folder, *shard, self.run) for shard in shards)


def plan_drawing(recipe: Recipe, folder: Place, count: int, run: str) -> DrawPlan:
    """Compare a folder with the recipe and plan what to draw; the caller holds the dataset's lock.

    A dataset never shrinks: a smaller `count` than the folder's changes nothing.

    Raises
    ------
    Different
        The folder holds shards of another recipe.
    """
    manifest = manifest_in(folder)
    if manifest:
        require_same(identity_of(manifest), recipe, folder)
        count = max(count, manifest.count)
        if count == manifest.count and _present(folder, manifest):
            return DrawPlan(recipe, str(folder.resolve()), count, run, whole=True)
    there = identity_in(folder)
    if there is not None:
        require_same(there, recipe, folder)
    return DrawPlan(recipe, str(folder.resolve()), count, run, whole=False)


def _present(folder: Place, manifest: Manifest) -> bool:
    there = sizes(folder)
    return all(there.get(line["name"]) == line["bytes"] for line in manifest.shards)


def estimate_bytes(recipe: Recipe) -> float:
    """Estimate the bytes that a picture takes in a shard, from the first pictures.

    They are few, since drawing them cannot be interrupted, and some profiles take half a second a picture.
    """
    block = renderer_of(recipe).block(recipe.seed, 0, MEASURED)
    return packed_size(block, compressor_of(recipe.profile), compress) / MEASURED + 1


def compressor_of(profile: Profile) -> Callable[[np.ndarray], bytes]:
    """Return the compressor that suits a profile: noise and colours leave few runs of zeros for `compress` to find."""
    return fast_zlib if profile.adds_noise or profile.colour else compress


def draw_shard(job: DrawJob) -> DrawReceipt:
    """Draw and seal one shard, unless it is there and intact.

    Raises
    ------
    GlyphsDiffer, NoSpace, Unwritable
    """
    alphabet = job.recipe.profile.alphabet
    kept = kept_shard(job.folder, job.index, job.first, job.count, job.recipe.identity, alphabet)
    if kept:
        return kept
    tally = Tally(alphabet)
    record = seal(job, tally)
    return DrawReceipt(job.index, record, True, tally.counts())


def kept_shard(folder: str, index: int, first: int, count: int, identity: str, alphabet: str) -> DrawReceipt | None:
    """Read and count a shard that is sealed and intact. None if there is none; a damaged shard is set aside."""
    path = place(folder) / shard_name(index, count)
    judged = atomic.fingerprint(path)
    if not judged:
        return None
    tally = Tally(alphabet)
    try:
        record = read_record(path, identity, first, tally.add, inflate=inflate)
    except Damaged:
        set_aside(path, judged)
        return None
    return DrawReceipt(index, record, False, tally.counts())


def seal(job: DrawJob, tally: Tally, ended: Callable[[list[bytes]], None] | None = None) -> ShardRecord:
    """Draw a job's blocks, count them and publish them as one shard.

    Parameters
    ----------
    tally : Tally
        Counts the blocks.
    ended : callable, optional
        Called with the blocks' digests before the shard is published. If it raises, nothing is published.

    Raises
    ------
    GlyphsDiffer, NoSpace, Unwritable
    """
    renderer = renderer_of(job.recipe)
    compressor = compressor_of(job.recipe.profile)
    pixels = renderer.scratch()

    def blocks() -> Iterable[Block]:
        digests = []
        for offset in range(0, job.count, BLOCK):
            number, count = (job.first + offset) // BLOCK, min(BLOCK, job.count - offset)
            block = renderer.block(job.recipe.seed, number, count, pixels)
            tally.add(block)
            if ended:
                digests.append(block.digest())
            yield block
        if ended:
            ended(digests)

    return write_shard(
        place(job.folder), job.index, job.first, blocks(), job.recipe.identity, job.run, compressor, compress
    )  # fmt: skip


def missing_pictures(plan: DrawPlan, folder: Place) -> int:
    """Count the pictures of a plan that are not in the folder yet."""
    there = sealed(folder)
    return sum(job.count for job in plan.jobs if (job.index, job.count) not in there)


def report(folder: Place, drawn: int, kept: int, seconds: float, rate: float | None) -> DrawReport:
    """Report the work of a run of the flow, and the content of the folder; `rate` is in pictures a second."""
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


def make_way(recipe: Recipe, folder: Place) -> Place | None:
    """Move a dataset of another recipe to `NAME-IDENTITY` beside it; the caller holds the dataset's lock.

    Returns
    -------
    Place or None
        Where the dataset is now; None if the folder holds no dataset of another recipe.
    """
    try:
        plan_drawing(recipe, folder, 1, atomic.new_run())
    except Different:
        pass
    else:
        return None
    manifest = manifest_in(folder)
    which = manifest.identity[:8] if manifest else "unfinished"
    target = free_name(folder.with_name(f"{folder.name}-{which}"))
    atomic.move(folder, target)
    return target
