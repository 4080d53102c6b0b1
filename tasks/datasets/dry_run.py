"""The unit of a dry run: report the effect of generating on a folder, its time and its space. Nothing is written."""

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple, NotRequired, TypedDict, final

from storage.errors import Damaged
from storage.files.places import Place
from storage.shards.shard import BLOCK, Block, Shard, layout, sealed, shard_name
from storage.shards.writer import assembled
from tasks.datasets import generate
from tasks.datasets.generate import DrawPlan
from tasks.datasets.recipe import Recipe, renderer_of
from tasks.datasets.statistics import Tally
from tasks.lowlevel.deflate import compress

MEASURED = 4  # blocks that are drawn to estimate the time
LISTED = 1000  # shards that a report names one by one; of more it tells ranges


@final
class DryRunReport(TypedDict):
    """The shards that would be drawn, and the time and space that they would take."""

    dataset: str
    profile: str
    seed: int
    count: int
    shards: dict[str, int]
    to_draw: int
    bytes: int
    drawing_seconds: float
    workers: int
    identity: str
    findings: list[dict[str, str]]
    shown: dict[str, list[dict[str, str]]]
    unclear: NotRequired[str]


@dataclass(frozen=True)
class Cost:
    """The cost of one picture on one core: bytes in a shard, and seconds without the disk and Dask."""

    bytes: float
    seconds: float


class _Finding(NamedTuple):
    """Shards of one state, for one reason, whose names follow each other."""

    state: str
    reason: str
    names: tuple[str, ...]


def measure_cost(recipe: Recipe) -> Cost:
    """Draw, count, digest and seal some blocks in memory, twice: the first time compiles the kernels.

    Raises
    ------
    GlyphsDiffer
    """
    renderer = renderer_of(recipe)
    pixels = renderer.scratch()
    tally = Tally(recipe.profile.alphabet)

    def blocks() -> Iterator[Block]:
        for number in range(MEASURED):
            block = renderer.block(recipe.seed, number, BLOCK, pixels)
            tally.add(block)
            yield block

    compressor = generate.compressor_of(recipe.profile)
    for _ in range(2):
        began = time.perf_counter()
        parts, _, count = assembled(0, 0, blocks(), recipe.identity, compressor, compress)
        sha256(b"".join(parts)).digest()
        seconds = time.perf_counter() - began
    return Cost(generate.estimate_bytes(recipe), seconds / count)


def rehearse(
    recipe: Recipe, plan: DrawPlan, folder: Place, workers: int, on_shard: Callable[[int], None] | None = None
) -> DryRunReport:
    """List the shards of a dataset that are missing, damaged or stale, and estimate the work that is left.

    If they are more than `LISTED`, neighbours of one state are one row, as `as_ranges` has them.

    Each shard's bytes are checked against its seal; `captchas verify` proves more.

    Parameters
    ----------
    plan : DrawPlan
        From `plan_drawing`. If the dataset is whole nothing would be drawn: `verify` mends damage.
    on_shard : callable, optional
        Called for each shard that was checked, with its number of pictures.
    """
    found: list[_Finding] = []
    states = dict.fromkeys(("whole", "missing", "damaged", "stale"), 0)
    then = "captchas verify --repair mends it" if plan.whole else "would be set aside and drawn again"
    wanted = 0
    there = sealed(folder)

    def note(state: str, reason: str, *names: str) -> None:
        states[state] += len(names)
        found.append(_Finding(state, reason, names))

    # Neighbours are looked at together, since a million shards may be missing.
    shards = layout(plan.count, generate.BLOCKS_A_SHARD)
    for present, neighbours in itertools.groupby(shards, lambda shard: (shard[0], shard[2]) in there):
        if not present:
            lacking = list(neighbours)
            note("missing", "would be drawn", *(shard_name(index, size) for index, _, size in lacking))
            pictures = sum(size for _, _, size in lacking)
            wanted += pictures
            if on_shard:
                on_shard(pictures)
            continue
        for index, first, size in neighbours:
            path = there[index, size]
            fault = _fault(path, recipe, first)
            if fault:
                note("damaged", f"{fault}; {then}", path.name)
                wanted += 0 if plan.whole else size
            else:
                states["whole"] += 1
            if on_shard:
                on_shard(size)
    stale = there.keys() - {(index, size) for index, _, size in shards}
    for path in sorted(there[key] for key in stale):
        note(
            "stale",
            "no part of a dataset of that many pictures; removed if a longer shard replaces it, else kept",
            path.name,
        )
    few = sum(len(finding.names) for finding in found) <= LISTED
    cost = measure_cost(recipe)
    return {
        "dataset": str(folder),
        "profile": recipe.profile.name,
        "seed": recipe.seed,
        "count": plan.count,
        "shards": states,
        "to_draw": wanted,
        "bytes": round(cost.bytes * wanted),
        "drawing_seconds": round(cost.seconds * wanted / workers, 1),
        "workers": workers,
        "identity": recipe.digest,
        "findings": one_by_one(found) if few else as_ranges(found),
        "shown": {"findings": as_ranges(found)},
    }


def one_by_one(found: list[_Finding]) -> list[dict[str, str]]:
    """Return a row for each shard."""
    return [
        {"shard": name, "state": finding.state, "reason": finding.reason} for finding in found for name in finding.names
    ]


def as_ranges(found: list[_Finding]) -> list[dict[str, str]]:
    """Join neighbouring shards of one state and reason into one row: `FIRST to LAST`, and how many."""
    rows = []
    for (state, reason), group in itertools.groupby(found, lambda finding: (finding.state, finding.reason)):
        names = [name for finding in group for name in finding.names]
        ends = " to ".join([names[0], names[-1]][: len(names)])
        rows.append({"shard": ends, "state": state, "reason": reason, "shards": f"{len(names):,}"})
    return rows


def _fault(path: Place, recipe: Recipe, first: int) -> str | None:
    """Return the fault of a shard; None if its bytes, identity and place are right."""
    try:
        with Shard(path) as shard:
            if shard.identity != recipe.identity:
                return "belongs to another dataset"
            if (shard_name(shard.index, shard.count), shard.first) != (path.name, first):
                return f"was sealed as {shard_name(shard.index, shard.count)} from picture {shard.first}"
    except Damaged as error:
        return str(error).removeprefix(f"{path}: ")
    return None
