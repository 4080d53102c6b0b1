"""Part of `make soak`: the commands themselves, killed at random moments with their Prefect server running."""

import hashlib
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

from storage.exports.record import NOTES
from storage.shards.manifest import MANIFEST, Manifest
from storage.shards.shard import parse_name, read_record

pytestmark = pytest.mark.soak

CAPTCHAS = Path(sys.executable).with_name("captchas")
COUNT = 200_000  # thirteen shards
KILLS = 12
KINDS = ("client", "everything", "worker")
PICTURES = 50_000  # of an export, and of the import of what was exported


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


def kill(process: subprocess.Popen, kind: str, moment: float, rng: random.Random) -> int | None:
    """SIGKILL a command's client, everything of it or one of its workers at a moment; what it ended with.

    None if it had ended by then. All that is left of it ends by itself.
    """
    with suppress(subprocess.TimeoutExpired):
        process.wait(moment)
    while not (ids := {
        "client": [process.pid],
        "everything": list(there := session(process.pid)),
        "worker": [one for one, line in there.items() if "spawn_main" in line],
    }[kind]) and process.poll() is None:  # fmt: skip
        time.sleep(0.01)
    ended = process.poll() is not None or not ids
    for one in () if ended else [rng.choice(ids)] if kind == "worker" else ids:
        with suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)
    code = process.wait(1200)
    assert code in {"worker": (0, 1)}.get(kind, (-signal.SIGKILL, 0))
    for _ in range(1200):
        if not session(process.pid):
            break
        time.sleep(0.05)
    assert session(process.pid) == {}, f"they go on after their {kind} was killed"
    return None if ended else code


def test_generating_killed_at_random_moments(captchas, start, tmp_path, capsys):
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
        kind = KINDS[kills.total() % 3]
        process = start(CAPTCHAS, *arguments, "--home", home)
        kills[kind] += kill(process, kind, rng.uniform(0, duration), rng) is not None
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


def exported(folder: Path) -> dict[str, str]:
    """{path: sha256} of all files under a folder; of the notes, which say how long it took, the name alone."""
    return {
        str(path.relative_to(folder)): "" if path.name == NOTES else hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_exports_and_imports_killed_at_random_moments(captchas, start, tmp_path, capsys):
    """Each time the same command ends in the same files, and nothing is beside them that an unharmed run has not."""
    rng = random.Random(seed := int(os.environ.get("SOAK_SEED", "1")))
    home, began, kills = tmp_path / "home", time.monotonic(), Counter()

    def done(*arguments) -> float:
        before = time.monotonic()
        result = captchas(*arguments, "--home", home, "--json", alone=True)
        assert result.returncode == 0, result.stderr
        return time.monotonic() - before

    done("generate", "book", "--count", PICTURES)
    for command, digests in (
        (("export", "book", "--format", "png"), exported),
        (("export", "book", "--format", "webdataset"), exported),
        (("import", tmp_path / "0-whole" / "out", "--name", "back"), files),
    ):
        number = kills.total() // len(KINDS)
        whole = tmp_path / f"{number}-whole"
        whole.mkdir()
        duration = done(*command, "--out", whole / "out")
        goal = digests(whole / "out")
        for kind in KINDS:
            parent = tmp_path / f"{number}-{kind}"
            parent.mkdir()
            code = None
            while code is None:
                shutil.rmtree(parent / "out", ignore_errors=True)
                process = start(CAPTCHAS, *command, "--out", parent / "out", "--home", home)
                code = kill(process, kind, rng.uniform(0, duration), rng)
            kills[kind] += 1
            done(*command, "--out", parent / "out")
            assert digests(parent / "out") == goal, (command, kind)
            assert {path.name for path in parent.iterdir()} == {path.name for path in whole.iterdir()}
            shutil.rmtree(parent)
    with capsys.disabled():
        print(
            f"\n  {kills.total()} SIGKILLs of exports and imports, seed {seed}, {time.monotonic() - began:.0f} s",
            end="",
        )
