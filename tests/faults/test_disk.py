"""A disk that fills, breaks or is read-only, and a clock that jumps: said with exit code 1, nothing half-written."""

import random
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).parent
UNSHARE = ["unshare", "--mount", "--propagation", "private"]
SAYS = {"ENOSPC": "NoSpace", "EDQUOT": "NoSpace", "EROFS": "Unwritable", "EACCES": "Unwritable", "EIO": "OSError"}
SHORT = [("EROFS", True)]  # the others are part of make soak


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "named"),
    [
        (fault, named) if (fault, named) in SHORT else pytest.param(fault, named, marks=pytest.mark.soak)
        for fault in SAYS
        for named in (False, True)
    ],
)
def test_every_call_that_fails_is_said_and_leaves_nothing(calls, whole, sealed_only, tell, fault, named):
    """An error of the disk at each write, in turn; the same command then goes on."""
    goal = whole(900)
    lines = calls(fault, "--count", 900, *["--named"] * named)
    failed = 0
    for line in lines:
        number, name = line["call"]
        sealed_only(line["left"], goal)
        assert not [name for name in line["left"] if name.startswith(".")], name
        if line["ended"] != "0":
            failed += 1
            assert line["ended"].startswith(f"1 {SAYS[fault]}: "), (number, line["ended"])
        assert (line["again"], line["after"], line["foreign"]) == ("0", goal, {})
    assert failed >= 8
    tell(f"{fault} at each of {failed} calls that write{', all files named' if named else ''}")


@pytest.mark.soak
def test_a_file_size_limit(start, whole, sealed_only, list_files, tmp_path):
    """Of the kernel, met in the middle of a shard: by Dask's workers too, whose error comes to the client."""
    folder, goal = tmp_path / "d", whole(5000)
    largest = max(path for path in goal if path.startswith("shard-"))
    limit = 100_000
    run = start(
        "drive.py", folder, 5000, "--workers", 1,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )  # fmt: skip
    assert run.wait() == 1
    assert "ulimit -f unlimited" in run.errors
    assert "Traceback" not in run.errors
    assert run.gone()
    sealed_only(list_files(folder), goal)
    assert largest in goal and not [name for name in list_files(folder) if name.startswith(".")]
    run = start("drive.py", folder, 5000)
    assert run.wait() == 0, run.errors
    assert list_files(folder) == goal


# In a mount namespace of its own, which ends with its shell. $1 python, $2 drive.py, $3 an empty folder, $4 another.
FILLS = """
set -u
mount -t tmpfs -o size=2m none "$3"
run() { "$1" "$2" "$3/d" "$4"; echo "exit $?"; }
echo "== refused at once"; run "$1" "$2" "$3" 100000
echo "== fills meanwhile"; "$1" "$2" "$3/d" 5000 --pace 0.5 & drawing=$!
while kill -0 $drawing && ! ls "$3"/d/shard-* > /dev/null 2>&1; do sleep 0.01; done
kill -STOP $drawing; dd if=/dev/zero of="$3/other" bs=4k status=none 2> /dev/null; kill -CONT $drawing
wait $drawing; echo "exit $?"; cp -r "$3/d" "$4/filled"
echo "== larger"; rm "$3/other"; mount -o remount,size=64m "$3"; run "$1" "$2" "$3" 5000; cp -r "$3/d" "$4/larger"
echo "== read-only"; mount -o remount,ro "$3"
run "$1" "$2" "$3" 5000; run "$1" "$2" "$3" 20000; cp -r "$3/d" "$4/read-only"
"""


@pytest.mark.slow
@pytest.mark.skipif(
    not shutil.which("unshare") or subprocess.run([*UNSHARE, "true"], capture_output=True).returncode,
    reason="needs the right to mount",
)
def test_a_disk_that_fills_grows_and_becomes_read_only(whole, sealed_only, list_files, tmp_path):
    goal = whole(5000)
    disk, out = tmp_path / "disk", tmp_path / "out"
    disk.mkdir()
    out.mkdir()
    run = subprocess.run(
        [*UNSHARE, "bash", "-c", FILLS, "-", sys.executable, HERE / "drive.py", disk, out],
        capture_output=True, text=True, timeout=1200,
    )  # fmt: skip
    parts = dict(part.split("\n", 1) for part in run.stdout.split("== ")[1:])
    assert list(parts) == ["refused at once", "fills meanwhile", "larger", "read-only"], run.stderr
    filled, larger, frozen = (list_files(out / name) for name in ("filled", "larger", "read-only"))
    assert "exit 1" in parts["refused at once"]
    assert f"{disk / 'd'}: about " in run.stderr  # MB are needed
    assert "exit 1" in parts["fills meanwhile"], run.stdout
    assert "the disk is full (No space left on device)" in run.stderr
    assert 0 < len(filled) < len(goal)
    sealed_only(filled, goal)
    assert not [name for name in filled if name.startswith(".")]
    assert "exit 0" in parts["larger"], run.stderr
    assert larger == frozen == goal
    assert parts["read-only"].count("exit 1") == 2
    assert "this user may not write there (Read-only file system)" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, *(pytest.param(number, marks=pytest.mark.soak) for number in range(1, 5))])
def test_clocks_that_jump_change_nothing(start, whole, list_files, tmp_path, number):
    run = start("drive.py", tmp_path / "d", 5000, "--clock", number)
    assert run.wait() == 0, run.errors
    assert run.report["seconds"] >= 0
    assert run.report["pictures_per_second"] is None or run.report["pictures_per_second"] >= 0
    assert list_files(tmp_path / "d") == whole(5000)


@pytest.mark.soak
def test_the_clock_of_all_processes_is_set(start, whole, list_files, sealed_only, seed, tell, tmp_path):
    """The C library's wall clock, in the client and in Dask's workers, by hours back and forth while they work.

    Dask counts some of its timeouts by the wall clock, so a step back may hold it up for as long, which is rare: a
    run that does not end is killed, and the same command goes on.
    """
    if not shutil.which("cc"):
        pytest.skip("needs a C compiler")
    library = tmp_path / "clock.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, HERE / "clock.c"], check=True)
    rng, told, stalls, count = random.Random(seed), [], 0, 60_940
    for number in range(6):
        folder = tmp_path / str(number)
        steps = [f"{second}:{rng.randrange(-43200, 43200)}" for second in sorted(rng.sample(range(1, 12), 4))]
        command = ("drive.py", folder, count, "--workers", 2, "--pace", 0.05)
        clock = [f"LD_PRELOAD={library}", f"CLOCK_START={int(time.monotonic())}", f"CLOCK_STEPS={','.join(steps)}"]
        run = start(*command, before=["env", *clock])
        try:
            assert run.wait(60) == 0, run.errors
            assert run.report["pictures_per_second"] >= 0
            told.append(run.report["pictures_per_second"])
        except subprocess.TimeoutExpired:
            stalls += 1
            run.kill("everything")
        assert run.gone()
        sealed_only(list_files(folder), whole(count))
        run = start(*command)
        assert run.wait() == 0, run.errors
        assert run.gone()
        assert list_files(folder) == whole(count)
    assert stalls <= 1
    tell(f"6 runs while the clock was set 4 times by hours, seed {seed}: {stalls} stalled; pictures/s said {told}")
