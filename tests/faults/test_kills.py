"""Promise 2: SIGKILL at any point, of any process; the same command ends in the same content, nothing left over."""

import random
import shutil
import time

import pytest

SHARDS = 60
COUNT = SHARDS * 1024 - 500


SOAK = pytest.mark.soak


@pytest.mark.parametrize(
    "arguments",
    [
        ("--count", 1500, "--begun", 500),
        pytest.param(("--count", 1500), marks=SOAK),
        pytest.param(("--count", 2500, "--named"), marks=SOAK),
        pytest.param(("--count", 2500, "--begun", 1500, "--named"), marks=SOAK),
    ],
    ids=["extension", "new", "new-named", "extension-named"],
)
def test_killed_at_every_file_system_call(calls, whole, sealed_only, tell, arguments):
    """Between any two calls, so also between the manifest and the tidying after it."""
    names = dict(zip(arguments[::2], arguments[1::2], strict=False))
    goal = whole(names["--count"])
    before = whole(names["--begun"]) if "--begun" in names else {}
    lines = calls("kill", *arguments)
    made = [line["call"][1] for line in lines]
    assert {"open to write", "write", "fsync", "os.link", "os.rename"} <= set(made)
    assert ("os.remove" in made) == ("--begun" in names or "--named" in arguments)
    for line in lines:
        assert line["ended"] == "killed"
        sealed_only(line["left"], goal, before)
        assert line["again"] == "0", line
        assert line["after"] == goal, line["call"]
        assert not line["foreign"]
    tell(f"killed at each of {len(lines)} file system calls: {' '.join(map(str, arguments))}")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["no-manifest", pytest.param("damaged", marks=SOAK)])
def test_a_repair_killed_at_every_file_system_call(calls, whole, tell, kind):
    """The next one finds all that is left: without a manifest the shards alone tell what the dataset was."""
    goal = whole(4200)
    lines = calls("kill", "--count", 4200, "--repair", kind)
    assert {"write", "fsync", "os.rename"} <= {line["call"][1] for line in lines}
    for line in lines:
        assert (line["ended"], line["again"]) == ("killed", "0"), line
        assert line["after"] == goal, line["call"]
        assert sorted(line["foreign"]) == (["notes.txt", "shard-000001-1024.h5"] if kind == "damaged" else [])
    tell(f"a repair ({kind}) killed at each of {len(lines)} file system calls")


@pytest.mark.soak
def test_killed_at_random_moments(start, whole, sealed_only, list_files, long, seed, tell, tmp_path):
    """Workers, the client, everything: while they start, draw, seal, write the manifest and end."""
    goal = whole(COUNT)
    kinds = ("client", "everything", "worker")
    trials = [(kind,) for kind in kinds for _ in range(20)] if long else [kinds]
    rng = random.Random(seed)
    folder = tmp_path / "d"
    command = ("drive.py", folder, COUNT, "--workers", 2 if long else 1)
    began = time.monotonic()
    duration, phases, lost, kills = 8.0, {}, 0, 0
    for trial in trials:
        for kind in trial:
            # Half by the clock, most of that time is the start; half once so many shards are sealed.
            moment, shards = rng.uniform(0, duration), rng.randrange(SHARDS + 1)
            by_clock = rng.random() < 0.5
            run = start(*command)
            deadline = time.monotonic() + (moment if by_clock else 120)
            while run.process.poll() is None and time.monotonic() < deadline:
                if not by_clock and len(list(folder.glob("shard-*"))) >= shards:
                    break
                time.sleep(0.005)
            killed = run.kill(kind, rng.choice)
            kills += killed
            sealed = len(list(folder.glob("shard-*")))
            phase = (
                "too late" if not killed
                else "with its manifest" if (folder / "manifest.json").exists()
                else "sealed" if sealed == SHARDS else "drawing" if sealed else "starting"
            )  # fmt: skip
            phases[phase] = phases.get(phase, 0) + 1
            if kind == "worker" and killed and run.wait() != 0:
                lost += 1  # while Dask starts, it does without no worker
                assert "Traceback" not in run.errors, run.errors
            assert run.gone(), f"{run.session()} go on after their {kind} was killed"
            sealed_only(list_files(folder), goal)
        began_again = time.monotonic()
        run = start(*command)
        assert run.wait() == 0, run.errors
        assert run.gone()
        duration = 0.5 * duration + 0.5 * (time.monotonic() - began_again)
        assert list_files(folder) == goal, trial
        assert sorted(path.name for path in tmp_path.iterdir()) == ["d", "d.lock"]
        shutil.rmtree(folder)
    tell(
        f"{kills} SIGKILLs, seed {seed}, {time.monotonic() - began:.0f} s: of {', '.join(kinds)} in turn; "
        f"{', '.join(f'{count} {phase}' for phase, count in sorted(phases.items()))}; runs that said no: {lost}"
    )
    assert kills >= (50 if long else 2)
