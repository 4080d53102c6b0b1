"""Measure the time of a shard, and how many workers a client can feed: the real fan-out over workers that sleep.

    python -m tests.benchmarks.scaling [--profiles book hard] [--workers 1 10 100] [--shards 10000] [--json FILE]

First, shards are drawn on this machine and timed. Then a real scheduler, in a process of its own, gives jobs to
simulated workers: threads of a few processes that sleep as long as a shard took, drawn from those times with a seed,
and send back a receipt of the true size. Some of them are cut off at random and replaced; some jobs fail once as if
every worker that tried them had died. Nothing else is simulated: client, `fan_out`, scheduler, `Gathered`.
"""

import argparse
import asyncio
import functools
import json
import os
import pickle
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import SimpleNamespace

from distributed import Client, Worker
from distributed.scheduler import KilledWorker

from flows.workers.cluster import crew
from flows.workers.fanout import fan_out
from storage.shards.shard import BLOCK, shard_name
from tasks.datasets import generate
from tasks.datasets.recipe import Recipe, make_recipe
from tasks.datasets.totals import Gathered
from tasks.profiles.built_in import BUILT_IN
from tests.benchmarks.tables import SEED

PICTURES = generate.BLOCKS_A_SHARD * BLOCK  # of a shard
BILLION = 10**9
HOLDERS = 2  # processes that hold the simulated workers


@dataclass(frozen=True)
class Measured:
    """Shards drawn here: seconds of each by two clocks, and the receipt of a shard."""

    recipe: Recipe
    seconds: tuple[float, ...]
    others: tuple[float, ...]
    receipt: generate.DrawReceipt

    @property
    def mean(self) -> float:
        """Seconds."""
        return sum(self.seconds) / len(self.seconds)

    def quantile(self, share: float) -> float:
        """Return the seconds that this share of the shards stays below."""
        return sorted(self.seconds)[min(int(share * len(self.seconds)), len(self.seconds) - 1)]


@dataclass(frozen=True)
class Nap:
    """A job that takes as long as a shard took; with `fails` it first fails as if its workers had died."""

    number: int
    seconds: float
    fails: bool
    receipt: str


@dataclass
class Outcome:
    """A simulated run. Seconds and milliseconds a shard are wall clock or processor time; memory is in MB."""

    workers: int
    shards: int
    ideal_seconds: float
    seconds: float = 0.0
    overhead_ms: float = 0.0
    client_ms: float = 0.0
    scheduler_ms: float = 0.0
    holders_ms: float = 0.0
    most_in_flight: int = 0
    lost_workers: int = 0
    failed_jobs: int = 0
    scheduler_mb: tuple[float, ...] = ()  # at the start, after a tenth, at the end, at most
    client_mb: tuple[float, ...] = ()


def timed(job: generate.DrawJob) -> tuple[float, float, generate.DrawReceipt]:
    """Draw a shard; return its seconds by the wall clock and of processor time."""
    began, before = time.perf_counter(), time.thread_time()
    receipt = generate.draw_shard(job)
    return time.perf_counter() - began, time.thread_time() - before, receipt


def measure(profile: str, shards: int, folder: Path, processor_time: bool = False) -> Measured:
    """Draw that many shards on all cores, without the first shard of each worker, which starts up.

    `processor_time`: on a machine that does other work too, where the wall clock would count that.
    """
    recipe = make_recipe(BUILT_IN[profile], SEED)
    folder.mkdir(parents=True)
    workers = len(os.sched_getaffinity(0))
    plan = generate.plan_drawing(recipe, folder, (shards + 2 * workers) * PICTURES, "0123456789ab")
    with crew(workers) as client:
        found = list(fan_out(client, timed, plan.jobs))[2 * workers :]
    wall, processor, receipts = zip(*found, strict=True)
    return Measured(recipe, *((processor, wall) if processor_time else (wall, processor)), receipts[-1])


@functools.cache
def load_receipt(path: str) -> generate.DrawReceipt:
    """Return the receipt that all simulated jobs send back."""
    return pickle.loads(Path(path).read_bytes())


_failed: set[int] = set()  # jobs of this process that have failed once


def nap(job: Nap) -> generate.DrawReceipt:
    """Sleep, and send back a receipt of a shard."""
    time.sleep(job.seconds)
    if job.fails and job.number not in _failed:
        _failed.add(job.number)
        raise KilledWorker(f"nap-{job.number}", SimpleNamespace(address="nowhere"), 3)
    receipt = load_receipt(job.receipt)
    first = job.number * PICTURES
    record = replace(receipt.record, name=shard_name(job.number, PICTURES), first=first, count=PICTURES)
    return replace(receipt, index=job.number, record=record)


async def hold(address: str, count: int, every: float, seed: int, told: Path) -> None:
    """Hold workers of one thread; every so many seconds cut off a worker and start a new one."""

    async def begin() -> Worker:
        return await Worker(
            address, nthreads=1, memory_limit=0, dashboard_address=None, local_directory=str(told.parent)
        )

    workers = [await begin() for _ in range(count)]
    rng, lost = random.Random(seed), 0
    while True:
        await asyncio.sleep(rng.expovariate(1 / every) if every else 3600)
        victim = workers.pop(rng.randrange(len(workers)))
        victim.batched_stream.comm.abort()
        workers.append(await begin())
        lost += 1
        told.write_text(str(lost))


def processor_seconds(pid: int) -> float:
    """Return a process's seconds in user and kernel mode."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int, most: bool = False) -> float:
    """Return the resident memory of a process, now or at `most`, in MB."""
    name = "VmHWM:" if most else "VmRSS:"
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024 / 1e6


def simulate(
    measured: Measured, shards: int, workers: int, seed: int, folder: Path, lost_every: float, failing: float
) -> Outcome:
    """Run `fan_out` over a real scheduler and simulated workers, and check that every shard is counted once.

    Parameters
    ----------
    lost_every : float
        Seconds, on average, between two workers that are cut off; 0 for none.
    failing : float
        Share of jobs that fail once with `KilledWorker`.
    """
    folder.mkdir(parents=True)
    told, sample = folder / "scheduler.json", folder / "receipt.pickle"
    sample.write_bytes(pickle.dumps(measured.receipt))
    rng = random.Random(seed)
    naps = [rng.choice(measured.seconds) for _ in range(shards)]
    fails = [rng.random() < failing for _ in range(shards)]
    outcome = Outcome(workers, shards, sum(naps) / workers, failed_jobs=sum(fails))
    processes = [subprocess.Popen([
        sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0",
        "--no-dashboard", "--scheduler-file", told,
    ], stderr=subprocess.DEVNULL)]  # fmt: skip
    try:
        while not told.exists() or not told.read_text().endswith("}"):
            time.sleep(0.05)
        address = json.loads(told.read_text())["address"]
        holders = min(HOLDERS, workers)
        shares = [workers // holders + (number < workers % holders) for number in range(holders)]
        for number, share in enumerate(shares):
            processes.append(subprocess.Popen([
                sys.executable, "-m", "tests.benchmarks.scaling", "hold", address, str(share),
                str(lost_every * holders), str(seed + number), folder / f"lost-{number}",
            ], stderr=subprocess.DEVNULL))  # fmt: skip
        with Client(address, set_as_default=False) as client:
            client.wait_for_workers(workers, 600)
        with crew(cluster=address) as client:
            list(fan_out(client, nap, [Nap(n, 0.0, False, str(sample)) for n in range(4 * workers)]))  # imports
            _run(client, measured, naps, fails, str(sample), outcome, [process.pid for process in processes])
        outcome.lost_workers = sum(int(path.read_text()) for path in folder.glob("lost-*"))
    finally:
        for process in processes[::-1]:
            process.kill()
            process.wait()
    return outcome


def _run(client, measured, naps, fails, sample, outcome, pids) -> None:
    gathered, taken, done = Gathered(measured.recipe.identity), 0, 0
    scheduler, *holders = pids

    def jobs():
        nonlocal taken
        for number, (seconds, failing) in enumerate(zip(naps, fails, strict=True)):
            taken += 1
            outcome.most_in_flight = max(outcome.most_in_flight, taken - done)
            yield Nap(number, seconds, failing, sample)

    def used() -> tuple[float, float, float]:
        return time.process_time(), processor_seconds(scheduler), sum(map(processor_seconds, holders))

    before = used()
    memories = [(memory(scheduler), memory(os.getpid()))]
    began = time.perf_counter()
    for receipt in fan_out(client, nap, jobs()):
        done += 1
        gathered.add(receipt)
        if done == len(naps) // 10:
            memories.append((memory(scheduler), memory(os.getpid())))
    outcome.seconds = time.perf_counter() - began
    memories += [(memory(scheduler, most), memory(os.getpid(), most)) for most in (False, True)]
    outcome.scheduler_mb, outcome.client_mb = zip(*memories, strict=True)
    outcome.overhead_ms = 1e3 * (outcome.seconds - outcome.ideal_seconds) / len(naps)
    spent = [1e3 * (after - start) / len(naps) for start, after in zip(before, used(), strict=True)]
    outcome.client_ms, outcome.scheduler_ms, outcome.holders_ms = spent
    if (gathered.drawn, done) != (len(naps) * PICTURES, len(naps)):
        raise RuntimeError(f"{len(naps)} shards were asked for; {done} receipts came, of {gathered.drawn} pictures")


def billion(measured: Measured, outcome: Outcome) -> float:
    """Return the hours that a billion pictures take on as many workers, by the speed of that run."""
    return BILLION / PICTURES * outcome.seconds / outcome.shards / 3600


def main(arguments: list[str] | None = None) -> list[dict]:
    """Measure, simulate and print; return the results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--profiles", nargs="+", default=["book", "hard"])
    parser.add_argument("--sample", type=int, default=100, help="shards to draw and time")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--shards", type=int, default=10_000, help="on the most workers; on fewer, in proportion")
    parser.add_argument("--lost-every", type=float, default=2.0, help="seconds between two workers cut off; 0: none")
    parser.add_argument("--failing", type=float, default=0.001, help="share of jobs that fail once")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--processor-time", action="store_true", help="a shard takes that, on a machine that is busy")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args(arguments)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for profile in given.profiles:
            measured = measure(profile, given.sample, Path(folder, profile), given.processor_time)
            print(_about(profile, measured, given.processor_time), flush=True)
            for workers in given.workers:
                shards = max(given.shards * workers // max(given.workers), 4)
                one = simulate(
                    measured, shards, workers, given.seed, Path(folder, f"{profile}-{workers}"), given.lost_every,
                    given.failing,
                )  # fmt: skip
                found.append({"profile": profile, **asdict(one), "billion_hours": billion(measured, one)})
                print(_line(found[-1]), flush=True)
    if given.json:
        given.json.write_text(json.dumps(found, indent=1))
    return found


def _about(profile: str, measured: Measured, processor_time: bool) -> str:
    clock = "of the processor" if processor_time else "by the wall clock"
    other = sum(measured.others) / len(measured.others)
    return (
        f"{profile}: {len(measured.seconds)} shards of {PICTURES:,} pictures, {measured.mean:.4f} s {clock} (median "
        f"{measured.quantile(0.5):.4f}, 99 % below {measured.quantile(0.99):.4f}; by the other clock {other:.4f}), a "
        f"picture {1e6 * measured.mean / PICTURES:.2f} us, a receipt {len(pickle.dumps(measured.receipt)):,} bytes"
    )


def _line(row: dict) -> str:
    scheduler, client = (" ".join(f"{mb:.0f}" for mb in row[key]) for key in ("scheduler_mb", "client_mb"))
    return (
        f"{row['profile']}, {row['workers']} workers, {row['shards']:,} shards: {row['seconds']:.1f} s, ideal "
        f"{row['ideal_seconds']:.1f} s, overhead {row['overhead_ms']:.2f} ms a shard; processor ms a shard: client "
        f"{row['client_ms']:.2f}, scheduler {row['scheduler_ms']:.2f}, workers {row['holders_ms']:.2f}; in flight at "
        f"most {row['most_in_flight']}; lost {row['lost_workers']} workers, {row['failed_jobs']} jobs failed once; MB "
        f"(start, a tenth, end, most): scheduler {scheduler}, client {client}; a billion "
        f"pictures {row['billion_hours']:.2f} h"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["hold"]:
        asyncio.run(hold(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]), Path(sys.argv[6])))
    else:
        from tests.benchmarks import scaling  # by its name, so that workers find the jobs' functions

        scaling.main()
