"""Part of `make soak`: the command itself, killed at random moments with its Prefect server running."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from storage.manifest import MANIFEST, Manifest
from storage.shards import parse_name, read_record

pytestmark = pytest.mark.soak

CAPTCHAS = Path(sys.executable).with_name("captchas")
COUNT = 200_000  # thirteen shards
KILLS = 12


def files(folder: Path) -> dict[str, str]:
    """{name: content} of what stands in a folder; the lengths and digests of packed files are not promised."""
    found = {}
    for path in sorted(folder.iterdir()):
        if parse_name(path.name):
            found[path.name] = read_record(path).content
        else:
            found[path.name] = Manifest.read(folder).content if path.name == MANIFEST else ""
    return found


def session(leader: int) -> dict[int, str]:
    """{id: command line} of all that is alive in a session."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):
            state, _, _, its = (place / "stat").read_text().rpartition(")")[2].split()[:4]
            if int(its) == leader and state not in "ZX":
                found[int(place.name)] = (place / "cmdline").read_text()
    return found


def test_the_command_killed_at_random_moments(captchas, start, tmp_path, capsys):
    """Workers, the client, everything: each time the same command ends in the same bytes with nothing left over."""
    rng = random.Random(seed := int(os.environ.get("SOAK_SEED", "1")))
    arguments = ("generate", "letters", "--count", COUNT, "--workers", 2)
    began = time.monotonic()
    result = captchas(*arguments, "--home", tmp_path / "whole", alone=True)
    assert result.returncode == 0, result.stderr
    duration = time.monotonic() - began
    goal = files(tmp_path / "whole" / "datasets" / "letters")
    kills = Counter()
    while kills.total() < KILLS:
        home = tmp_path / f"home-{kills.total()}"
        folder = home / "datasets" / "letters"
        process = start(CAPTCHAS, *arguments, "--home", home)
        with suppress(subprocess.TimeoutExpired):
            process.wait(rng.uniform(0, duration))
        kind = ("client", "everything", "worker")[kills.total() % 3]
        while not (ids := {
            "client": [process.pid],
            "everything": list(there := session(process.pid)),
            "worker": [one for one, line in there.items() if "spawn_main" in line],
        }[kind]) and process.poll() is None:  # fmt: skip
            time.sleep(0.01)
        if process.poll() is None and ids:
            for one in [rng.choice(ids)] if kind == "worker" else ids:
                with suppress(ProcessLookupError):
                    os.kill(one, signal.SIGKILL)
            kills[kind] += 1
        code = process.wait(1200)
        assert code in {"worker": (0, 1)}.get(kind, (-signal.SIGKILL, 0))
        for _ in range(1200):
            if not session(process.pid):
                break
            time.sleep(0.05)
        assert session(process.pid) == {}, f"they go on after their {kind} was killed"
        for name, digest in files(folder).items() if folder.exists() else ():
            assert digest == goal.get(name) or (name.startswith(".") and name.endswith(".tmp")), name
        result = captchas(*arguments, "--home", home, "--json", alone=True)
        assert result.returncode == 0, result.stderr
        assert files(folder) == goal
        assert sorted(path.name for path in folder.parent.iterdir()) == ["letters", "letters.lock"]
        shutil.rmtree(home)
    with capsys.disabled():
        print(
            f"\n  {kills.total()} SIGKILLs of captchas generate, seed {seed}, {time.monotonic() - began:.0f} s", end=""
        )
