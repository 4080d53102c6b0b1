"""`captchas up` left to itself while pictures arrive, shards are damaged and every kind of its processes is killed.

The real server, worker and schedules, at a fast clock. The long form takes SOAK_SECONDS of faults, by default 1500.
"""

import importlib.util
import json
import os
import signal
import time
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import pytest

from storage.ledger.ledger import Answer
from storage.shards.manifest import Manifest
from tasks.datasets import generate

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs Linux's /proc")
LONG = float(os.environ.get("SOAK_SECONDS", "1500"))
LASTING = ("up", "server", "worker")
JOBS = ("solve-inbox", "verify-and-repair", "generate")


@pytest.fixture(scope="module")
def operate():
    """The script, for what it has."""
    spec = importlib.util.spec_from_file_location("operate", Path(__file__).with_name("operate.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def site(operate, tmp_path, seed):
    """Whatever becomes of it, nothing of it stays."""
    one = operate.Site(tmp_path, seed)
    try:
        yield one
    finally:
        for _ in range(3):  # who was started meanwhile as well
            for pid in chain.from_iterable(one.living().values()):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if one.process:
                one.process.wait()
            time.sleep(0.2)


def until(reached, seconds: float, meanwhile=lambda: None, every: float = 0.5) -> bool:
    """Whether it comes to be so within that time."""
    deadline = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > deadline:
            return False
        meanwhile()
        time.sleep(every)
    return True


def harm(site, operate, long: bool) -> None:
    """Drop, damage and kill at random moments; in the short form each kind of everything once, then no more."""
    rng, began = site.rng, time.monotonic()
    seconds, pace, between = (LONG, 1.5, (10, 30)) if long else (30, 0.8, (3, 5))
    kills, drops, damages = (rng.sample(them, len(them)) for them in (
        operate.KINDS, [*operate.BROKEN, *operate.WHOLE], operate.DAMAGE,
    ))  # fmt: skip
    due = {"kill": began + 5, "drop": began, "damage": began + 2, "look": began}
    while (now := time.monotonic()) < began + seconds or (kills and not long and now < began + 180):
        site.watch()
        site.write_pieces()
        if now > due["look"]:
            site.look()
            due["look"] = time.monotonic() + 2
        if now > due["drop"]:
            site.drop(drops.pop() if drops else rng.choice([*operate.WHOLE * 3, *operate.BROKEN]))
            due["drop"] = now + rng.expovariate(1 / pace)
        if now > due["damage"]:
            site.damage(damages.pop() if damages else rng.choice(operate.DAMAGE))
            due["damage"] = now + rng.expovariate(1 / (5 * pace))
        if now > due["kill"] and (kills or long):
            # The lasting ones are left alone in the second half of a long time, to see their memory.
            calm = long and now > began + seconds / 2
            kind = kills[-1] if kills else rng.choice(["dask", "flow"] if calm else operate.KINDS)
            if site.kill(kind):
                kills = kills[:-1]
                due["kill"] = now + rng.uniform(*between)
        time.sleep(0.05)
    while site.pieces:
        site.write_pieces()
        time.sleep(0.05)


def peaks(site) -> dict[str, float]:
    """The most memory that any process of a kind had, in MB."""
    most = {}
    for (kind, _), seen in site.memory.items():
        most[kind] = max(most.get(kind, 0.0), *(size for _, size in seen))
    return most


def growths(site) -> dict[tuple[str, int], tuple[float, float, float]]:
    """Of each process that lasted five minutes: seconds, then MB after a third of them and at the end, medians."""
    found = {}
    for process, seen in site.memory.items():
        if (seconds := seen[-1][0] - seen[0][0]) > 300:
            sizes = [size for _, size in seen]
            third, tenth = len(sizes) // 3, len(sizes) // 10
            early, late = sorted(sizes[third : third + tenth]), sorted(sizes[-tenth:])
            found[process] = seconds, early[len(early) // 2], late[len(late) // 2]
    return found


def plot(site, kinds, out: Path) -> None:
    """Memory over time, a line a process, a panel a kind."""
    from matplotlib.figure import Figure  # half a second in each process that collects this file

    figure = Figure(figsize=(9, 11), layout="constrained")
    axes = figure.subplots(len(kinds), 1, sharex=True)
    for axis, kind in zip(axes, kinds, strict=True):
        for (its, _), seen in site.memory.items():
            if its == kind:
                axis.plot([when / 60 for when, _ in seen], [size for _, size in seen], linewidth=1)
        axis.set_ylim(bottom=0)
        axis.set_ylabel(f"{kind}, MB")
    axes[-1].set_xlabel("minutes")
    figure.suptitle("Memory (resident) of every process; each line is one")
    figure.savefig(out, dpi=80)


def summary(site, broken: tuple[str, ...], seed: int) -> str:
    """What it went through."""
    kinds = Counter(site.dropped.values())
    bad = sum(kinds[kind] for kind in broken)
    highest = ", ".join(f"{kind} {peak:.0f}" for kind, peak in sorted(peaks(site).items()))

    def listed(counter: Counter) -> str:
        return ", ".join(f"{count} {kind}" for kind, count in sorted(counter.items()))

    return (
        f"{time.monotonic() - site.began:.0f} s of operations, seed {seed}: {len(site.dropped)} files came, "
        f"{bad} of them broken ({listed(kinds)}); SIGKILLs: {listed(site.kills)}; "
        f"datasets harmed: {listed(site.damaged)}; peaks in MB: {highest}"
    )


@pytest.mark.soak  # both forms: the short one alone takes minutes
def test_everything_is_killed_and_damaged_while_pictures_arrive(site, operate, drive, long, seed, tell, tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generate, "BLOCKS_A_SHARD", 16)
        wanted = drive.draw(site.home / "datasets" / "other", operate.COUNT, blocks=16)["content"]
    seconds = (10, 15, 20) if long else (15, 25, 30)  # a run takes ten on two cores, most of it to start
    site.deploy(dict(zip(JOBS, seconds, strict=True)), workers=2 if long else 1)
    site.watch()
    assert until(site.api, 240, site.watch), site.said()
    harm(site, operate, long)

    def calm(*flows: str) -> bool:
        """Whether each of these jobs begins and completes from now on, and all pictures have an answer."""
        since = datetime.now(UTC)

        def reached() -> bool:
            return site.completed_since(since) >= set(flows) and len(site.ledger()) == len(site.dropped)

        return until(reached, 300, go_on, every=1)

    def go_on() -> None:
        site.watch()
        site.look()

    settled = calm("solve", "generate") and calm("verify")  # which looks for datasets when it begins
    failures = site.failures()
    assert settled, (failures, site.said())
    site.process.send_signal(signal.SIGTERM)
    assert site.process.wait(60) == 0, site.said()
    assert until(lambda: not any(site.living().values()), 60), site.living()

    # Every picture answered exactly once, and as if nothing had happened.
    rows, answers = {row[0]: row for row in site.ledger()}, site.answers_wanted()
    assert set(rows) == set(site.dropped)
    assert [(path, row[7:]) for path, row in rows.items() if row[7:] != answers[path]] == []
    for path, kind in site.dropped.items():
        answer = Answer(*rows[path][7:])
        assert (answer.status == "failed") == (kind in operate.BROKEN) == bool(answer.reason), rows[path]
    assert {key: seen for key, seen in site.answered.items() if len(seen) > 1} == {}

    # Every dataset whole, with the content that it has without faults, and what was not its own put aside.
    done = site.run("verify")
    assert done.returncode == 0, done.stderr
    assert [(row["dataset"], row["state"]) for row in json.loads(done.stdout)["datasets"]] == [
        ("other", "whole"), ("small", "whole"),
    ]  # fmt: skip
    datasets = site.home / "datasets"
    for name in ("other", "small"):
        assert Manifest.read(datasets / name).content == wanted
        shards = [f"shard-{first:06d}-{count}.h5" for first, count in enumerate((16_384, 16_384, 7_232))]
        assert sorted(path.name for path in (datasets / name).iterdir()) == ["manifest.json", *shards]
    aside = Counter(path.name for path in datasets.glob("*.foreign/note-*"))
    assert aside == Counter(site.foreign)

    # Nothing left over: no process (above, and of the last command), no file.
    assert until(lambda: not any(site.living().values()), 60), site.living()
    assert site.leftovers() == []
    highest = peaks(site)
    assert all(peak < 1000 for peak in highest.values()), highest
    tell(summary(site, operate.BROKEN, seed))
    tell(f"failed runs: {failures}")
    if long:
        plot(site, operate.KINDS, Path(os.environ.get("SOAK_PLOT", tmp_path / "memory.png")))
        for (kind, pid), (lasted, early, late) in growths(site).items():
            tell(f"{kind} {pid} lasted {lasted:.0f} s: {early:.0f} MB after a third of it, {late:.0f} MB at its end")
            assert kind not in LASTING or late < 1.25 * early + 25, (kind, early, late)
