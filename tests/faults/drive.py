"""Draw a small dataset as flows/generate.py does, on Dask but without Prefect: what the fault tests start, and kill.

    python drive.py FOLDER COUNT [--blocks N] [--workers N] [--pace S] [--clock SEED]

Ends with 0 and a JSON report on standard output, or as the command line does: a message and the error's
exit code. Without workers the shards are drawn in this process.
"""

import argparse
import hashlib
import json
import random
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from storage.errors import CaptchasError, Damaged
from storage.files import atomic
from storage.files.locks import locked
from storage.shards.manifest import MANIFEST
from storage.shards.shard import parse_name, read_record
from storage.texts import canonical
from tasks.datasets import generate, prove
from tasks.datasets import repair as mending
from tasks.datasets.folder import complete, tidy_dataset
from tasks.datasets.inventory import inventory, recipe_of
from tasks.datasets.judge import judge
from tasks.datasets.recipe import Recipe, make_recipe, renderer_of
from tasks.datasets.totals import Gathered
from tasks.profiles.profile import Grid, Profile

# Draws a block in a millisecond or two: one or two of three letters, nine shapes.
SMALL = Profile("small", alphabet="ABC", length=(1, 2), width=54, shear=Grid(0, 200, 100), scale=Grid(50, 100, 25))


def recipe() -> Recipe:
    """The small profile with seed 7."""
    return make_recipe(SMALL, 7)


def draw(folder: Path, count: int, *, blocks: int = 1, workers: int = 0, pace: float = 0.0) -> dict:
    """Draw, finish or extend the dataset in `folder`; `blocks` a shard.

    Parameters
    ----------
    workers : int
        Dask's; 0 for this process alone.
    pace : float
        Seconds of pause after each receipt, so that a run lasts long enough to be met by another.

    Returns
    -------
    dict
        `drawn`, `kept`, `content`, `seconds`, and `pictures_per_second` or None.
    """
    generate.BLOCKS_A_SHARD = blocks
    wanted = recipe()
    atomic.make_folder(folder)
    run = atomic.new_run()
    began = time.monotonic()
    gathered = Gathered(wanted.identity)
    with locked(folder):
        plan = generate.plan_drawing(wanted, folder, count, run)
        if plan.whole:
            tidy_dataset(folder, wanted.identity)
        else:
            atomic.need_space(folder, int(generate.estimate_bytes(wanted) * generate.missing_pictures(plan, folder)))
            for receipt in _receipts(plan, workers):
                gathered.add(receipt)
                time.sleep(pace)
            complete(folder, gathered, run, renderer_of(wanted).letters_a_text())
    report = generate.report(folder, gathered.drawn, gathered.kept, time.monotonic() - began, gathered.pace.rate())
    return {key: report[key] for key in ("drawn", "kept", "content", "seconds", "pictures_per_second")}


def _receipts(plan: generate.DrawPlan, workers: int) -> Iterator[generate.DrawReceipt]:
    if not workers:
        yield from map(generate.draw_shard, plan.jobs)
        return
    from flows.workers.cluster import crew
    from flows.workers.fanout import fan_out

    with crew(workers) as client:
        yield from fan_out(client, generate.draw_shard, plan.jobs)


def repair(folder: Path) -> list[str]:
    """Do in this process what flows/verify.py does with --repair; return the findings and repairs."""
    with locked(folder):
        found = inventory(folder)
        wanted = recipe_of(found)
        proofs = [prove.prove(job) for job in prove.proof_jobs(found)]
        verdict = judge(found, proofs)
        if not verdict.findings:
            return []
        run = atomic.new_run()
        plan = mending.plan_repair(found, verdict, proofs, wanted, run)
        mending.put_back(found, plan)
        counting = mending.count_jobs(found, verdict, wanted, run)
        counted = Gathered(wanted.identity) if counting else None
        drawn = list(map(mending.redraw_shard, plan.jobs))
        for receipt in map(mending.count_shard, counting):
            counted.add(receipt)
        findings = mending.finish_repair(found, verdict, plan, proofs, drawn, counted, run)
        return [f"{finding.what} {finding.state}: {finding.done}" for finding in findings]


def damage(folder: Path, kind: str) -> None:
    """Of a whole dataset of five shards swap two; and lose one, flip one, and put a stray file there, or lose names."""
    first, second, third, fourth, last = sorted(folder.glob("shard-*"))
    if kind == "damaged":
        first.unlink()
        data = bytearray(second.read_bytes())
        data[len(data) // 2] ^= 1
        second.write_bytes(data)
        (folder / "notes.txt").write_text("mine")
    else:
        (folder / MANIFEST).unlink()
        last.rename(folder / "last.h5")
    third.rename(aside := folder / "aside")
    fourth.rename(third)
    aside.rename(fourth)


def files(folder: Path) -> dict[str, str]:
    """{name: digest of its content} of what stands in a folder.

    Of a shard its proven content, of a manifest all but the lengths and digests of the shards' files, which
    must fit: only the content is promised, for a compressor may pack the same arrays in another way.
    """
    found = {}
    for path in sorted(folder.iterdir()) if folder.exists() else ():
        with suppress(FileNotFoundError):  # a temporary file that a worker has just removed
            found[path.name] = _content(path, path.read_bytes())
    return found


def _content(path: Path, data: bytes) -> str:
    if parse_name(path.name):
        try:
            record = read_record(path)
        except Damaged as error:
            return str(error)
        return f"{record.first} {record.count} {record.content}"
    if path.name != MANIFEST:
        return hashlib.sha256(data).hexdigest()
    content = json.loads(data)
    del content["digest"]
    for line in content["shards"]:
        shard = path.with_name(line["name"]).read_bytes()
        if (line.pop("bytes"), line.pop("sha256")) != (len(shard), hashlib.sha256(shard).hexdigest()):
            return f"does not fit {line['name']}"
    return canonical(content)


def jump(seed: int) -> None:
    """From now on this process's wall clock jumps by up to a day at every look, and the monotonic one only forwards."""
    rng, wall, steady, ahead = random.Random(seed), time.time, time.monotonic, 0.0

    def forwards() -> float:
        nonlocal ahead
        ahead += rng.choice([0, 0, 0, 3600])
        return steady() + ahead

    time.time = lambda: wall() + rng.uniform(-86400, 86400)
    time.monotonic = forwards


def main() -> None:
    """Do what the arguments say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("count", type=int)
    parser.add_argument("--blocks", type=int, default=1)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--pace", type=float, default=0.0)
    parser.add_argument("--clock", type=int)
    chosen = parser.parse_args()
    if chosen.clock is not None:
        jump(chosen.clock)
    try:
        report = draw(chosen.folder, chosen.count, blocks=chosen.blocks, workers=chosen.workers, pace=chosen.pace)
    except CaptchasError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    print(json.dumps(report))


if __name__ == "__main__":
    main()
