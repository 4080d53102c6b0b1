"""The unit of a dry run: report the effect of generating on a folder, its time and its space. Nothing is written."""

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import NotRequired, TypedDict, final

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

    Each shard's bytes are checked against its seal; `captchas verify` proves more.

    Parameters
    ----------
    plan : DrawPlan
        From `plan_drawing`. If the dataset is whole nothing would be drawn: `verify` mends damage.
    on_shard : callable, optional
        Called for each shard that was checked, with its number of pictures.
    """
    rows: list[dict[str, str]] = []
    states = dict.fromkeys(("whole", "missing", "damaged", "stale"), 0)
    then = "captchas verify --repair mends it" if plan.whole else "would be set aside and drawn again"
    wanted = 0
    there = sealed(folder)

    def note(name: str, state: str, reason: str) -> None:
        states[state] += 1
        rows.append({"shard": name, "state": state, "reason": reason})

    for index, first, size in layout(plan.count, generate.BLOCKS_A_SHARD):
        path = there.pop((index, size), None)
        fault = _fault(path, recipe, first) if path else None
        if path is None:
            note(shard_name(index, size), "missing", "would be drawn")
            wanted += size
        elif fault:
            note(path.name, "damaged", f"{fault}; {then}")
            wanted += 0 if plan.whole else size
        else:
            states["whole"] += 1
        if on_shard:
            on_shard(size)
    for path in sorted(there.values()):
        note(path.name, "stale", "no part of a dataset of that many pictures; removed if it is an older part of it")
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
        "findings": rows,
        "shown": {"findings": as_ranges(rows)},
    }


def as_ranges(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Join neighbouring shards of one state and reason into one row, for people: `FIRST to LAST`, and how many."""
    found = []
    for _, group in itertools.groupby(rows, lambda row: (row["state"], row["reason"])):
        shards = list(group)
        names = [shards[0]["shard"], shards[-1]["shard"]][: len(shards)]
        found.append({**shards[0], "shard": " to ".join(names), "shards": f"{len(shards):,}"})
    return found


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
