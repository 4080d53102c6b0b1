"""A disk that fills, breaks or is read-only, and a clock that jumps: said with exit code 1, nothing half-written."""

import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
UNSHARE = ["unshare", "--mount", "--propagation", "private"]
SAYS = {"ENOSPC": "NoSpace", "EDQUOT": "NoSpace", "EROFS": "Unwritable", "EACCES": "Unwritable", "EIO": "OSError"}


@pytest.mark.parametrize("fault", SAYS)
@pytest.mark.parametrize("named", [False, True], ids=["unnamed", "named"])
def test_every_call_that_fails_is_said_and_leaves_nothing(calls, whole, sealed_only, soak, tell, fault, named):
    """An error of the disk at each write, in turn; the same command then goes on."""
    if not soak and (fault, named) not in [("ENOSPC", False), ("EROFS", True)]:
        pytest.skip("part of make soak")
    goal = whole(1500)
    lines = calls(fault, "--count", 1500, *["--named"] * named)
    failed = 0
    for line in lines:
        number, name = line["call"]
        sealed_only(line["left"], goal)
        assert not [name for name in line["left"] if name.startswith(".")], name
        if line["ended"] != "0":
            failed += 1
            assert line["ended"].startswith(f"1 {SAYS[fault]}: "), (number, line["ended"])
        assert (line["again"], line["after"], line["foreign"]) == ("0", goal, False)
    assert failed >= 10
    tell(f"{fault} at each of {failed} calls that write{', all files named' if named else ''}")


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
    assert "the disk is full (File too large)" in run.errors
    assert "Traceback" not in run.errors
    assert run.gone()
    sealed_only(list_files(folder), goal)
    assert largest in goal and not [name for name in list_files(folder) if name.startswith(".")]
    run = start("drive.py", folder, 5000)
    assert run.wait() == 0, run.errors
    assert list_files(folder) == goal


# In a mount namespace of its own, which ends with its shell. $1 python, $2 drive.py, $3 an empty folder.
FILLS = """
set -u
mount -t tmpfs -o size=2m none "$3"
run() { "$1" "$2" "$3/d" "$4"; echo "exit $?"; }
seen() { for file in "$3"/d/* "$3"/d/.[!.]*; do [ -e "$file" ] && echo "file $(sha256sum < "$file" | cut -c1-64) $(basename "$file")"; done; echo; }
echo "== refused at once"; run "$1" "$2" "$3" 100000
echo "== fills meanwhile"; "$1" "$2" "$3/d" 5000 --pace 0.5 & drawing=$!
while kill -0 $drawing && ! ls "$3"/d/shard-* > /dev/null 2>&1; do sleep 0.01; done
kill -STOP $drawing; dd if=/dev/zero of="$3/other" bs=4k status=none 2> /dev/null; kill -CONT $drawing
wait $drawing; echo "exit $?"; seen "$@"
echo "== larger"; rm "$3/other"; mount -o remount,size=64m "$3"; run "$1" "$2" "$3" 5000; seen "$@"
echo "== read-only"; mount -o remount,ro "$3"; run "$1" "$2" "$3" 5000; run "$1" "$2" "$3" 20000; seen "$@"
"""  # noqa: E501


@pytest.mark.skipif(
    not shutil.which("unshare") or subprocess.run([*UNSHARE, "true"], capture_output=True).returncode,
    reason="needs the right to mount",
)
def test_a_disk_that_fills_grows_and_becomes_read_only(whole, sealed_only, tmp_path):
    goal = whole(5000)
    disk = tmp_path / "disk"
    disk.mkdir()
    run = subprocess.run(
        [*UNSHARE, "bash", "-c", FILLS, "-", sys.executable, HERE / "drive.py", disk],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    parts = dict(part.split("\n", 1) for part in run.stdout.split("== ")[1:])
    listed = {
        name: {line.split()[2]: line.split()[1] for line in part.splitlines() if line.startswith("file ")}
        for name, part in parts.items()
    }
    assert list(listed) == ["refused at once", "fills meanwhile", "larger", "read-only"], run.stderr
    assert "exit 1" in parts["refused at once"]
    assert f"{disk / 'd'}: about " in run.stderr  # MB are needed
    assert "exit 1" in parts["fills meanwhile"], run.stdout
    assert "the disk is full (No space left on device)" in run.stderr
    assert 0 < len(listed["fills meanwhile"]) < len(goal)
    sealed_only(listed["fills meanwhile"], goal)
    assert not [name for name in listed["fills meanwhile"] if name.startswith(".")]
    assert "exit 0" in parts["larger"], run.stderr
    assert listed["larger"] == listed["read-only"] == goal
    assert parts["read-only"].count("exit 1") == 2
    assert "this user may not write there (Read-only file system)" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("number", range(3))
def test_clocks_that_jump_change_nothing(start, whole, list_files, soak, tmp_path, number):
    if number and not soak:
        pytest.skip("part of make soak")
    run = start("drive.py", tmp_path / "d", 5000, "--clock", number)
    assert run.wait() == 0, run.errors
    assert run.report["seconds"] >= 0
    assert run.report["pictures_per_second"] is None or run.report["pictures_per_second"] >= 0
    assert list_files(tmp_path / "d") == whole(5000)


def test_the_clock_of_all_processes_jumps(start, whole, list_files, soak, seed, tell, tmp_path):
    """The C library's wall clock, in the client and in Dask's workers: back and forth by hours, ten times a second."""
    if not soak:
        pytest.skip("part of make soak")
    if not shutil.which("cc"):
        pytest.skip("needs a C compiler")
    library = tmp_path / "clock.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, HERE / "clock.c"], check=True)
    seen = []
    for number in range(3):
        folder = tmp_path / str(number)
        environment = ["env", f"LD_PRELOAD={library}", f"CLOCK_SEED={seed + number}"]
        run = start("drive.py", folder, 60_000, "--workers", 2, before=environment)
        assert run.wait() == 0, run.errors
        assert run.gone()
        assert list_files(folder) == whole(60_000)
        assert run.report["pictures_per_second"] >= 0
        seen.append(run.report["pictures_per_second"])
    tell(f"3 runs under a clock that jumps by hours in all processes; they said {seen} pictures/s")
