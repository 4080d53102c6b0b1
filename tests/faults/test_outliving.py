"""Workers that outlive their killed client while the next run draws: nothing is replaced, and nothing left over."""

import os
import random
import shutil
import signal
import time
from contextlib import suppress

import pytest

SHARDS = 60
COUNT = SHARDS * 1024 - 500


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ("outlive", "--count", 1500),
        pytest.param(("outlive-kill", "--count", 1500, "--calls", 2), marks=pytest.mark.soak),
        pytest.param(("outlive", "--count", 2500, "--begun", 500), marks=pytest.mark.soak),
        pytest.param(("outlive-kill", "--count", 2500, "--begun", 500, "--calls", 1), marks=pytest.mark.soak),
        pytest.param(("outlive-kill", "--count", 2500, "--calls", 3), marks=pytest.mark.soak),
    ],
    ids=lambda arguments: "-".join(map(str, arguments)).replace("--", ""),
)
def test_a_worker_stopped_at_every_call_wakes_after_the_next_run(calls, whole, sealed_only, tell, arguments):
    """And goes on to its end, or is killed some calls later: as Dask does with one that finds its client gone."""
    names = dict(zip(arguments[1::2], arguments[2::2], strict=True))
    goal, before = whole(names["--count"]), whole(names["--begun"]) if "--begun" in names else {}
    lines = calls(*arguments)
    assert {"open to write", "write", "fsync", "os.link"} <= {line["call"][1] for line in lines}
    for line in lines:
        sealed_only(line["left"], goal, before)
        assert line["again"] == "0", line
        assert line["after"] == goal, (line["call"], line["ended"])
        assert line["touched"] == []
        assert not line["foreign"]
        assert line["ended"] == ("0" if arguments[0] == "outlive" else line["ended"])
    if arguments[0] == "outlive-kill":
        assert "killed" in {line["ended"] for line in lines}
    tell(f"a worker outlived its client, stopped at each of {len(lines)} calls: {' '.join(map(str, arguments))}")


@pytest.mark.slow
def test_where_files_must_have_names_a_worker_replaces_nothing_either(calls, whole):
    """Its temporary file may be tidied away under it, which only itself can notice."""
    goal = whole(900)
    lines = calls("outlive", "--count", 900, "--named")
    for line in lines:
        assert (line["again"], line["after"], line["touched"]) == ("0", goal, [])
        assert line["ended"].split()[:2] in (["0"], ["1", "FileNotFoundError:"])
    assert {line["ended"] for line in lines} > {"0"}


@pytest.mark.soak
def test_stopped_workers_of_a_killed_client(start, whole, sealed_only, list_files, long, seed, tell, tmp_path):
    """Dask's own: SIGSTOP them, SIGKILL their client, start the next run, wake them while it draws or after it."""
    goal = whole(COUNT)
    rng = random.Random(seed)
    folder = tmp_path / "d"
    command = ("drive.py", folder, COUNT, "--workers", 2, "--pace", 0.01)
    told, wanted = [], 12 if long else 1
    while len(told) < wanted:
        run = start(*command)
        begin = rng.randrange(SHARDS // 2)
        while run.process.poll() is None and len(list(folder.glob("shard-*"))) <= begin:
            time.sleep(0.005)
        old = run.workers()
        for one in old:
            os.kill(one, signal.SIGSTOP)
        if not run.kill("client"):  # it was faster
            assert run.gone()
            shutil.rmtree(folder)
            continue
        there = list_files(folder)
        sealed_only(there, goal)
        kept = {name: (folder / name).stat() for name in there if name.startswith("shard-")}
        following = start(*command)
        wake = rng.randrange(len(kept), SHARDS) if len(told) % 3 else None
        while wake is not None and following.process.poll() is None and len(list(folder.glob("shard-*"))) <= wake:
            time.sleep(0.005)
        if wake is None:
            assert following.wait() == 0, following.errors
        for one in old:
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGCONT)
        assert following.wait() == 0, following.errors
        assert run.gone()
        assert following.gone()
        assert list_files(folder) == goal
        for name, stat in kept.items():
            now = (folder / name).stat()
            assert (now.st_ino, now.st_mtime_ns) == (stat.st_ino, stat.st_mtime_ns), name
        assert sorted(path.name for path in tmp_path.iterdir()) == ["d", "d.lock"]
        told.append(f"{len(kept)}/{'after' if wake is None else wake}")
        shutil.rmtree(folder)
    tell(f"stopped workers of a killed client woke, shards sealed then/at waking, seed {seed}: {' '.join(told)}")
