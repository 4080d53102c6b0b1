"""A ledger on a disk without room: said as that, and usable again when there is room."""

import shutil
import subprocess
import sys

import pytest

UNSHARE = ["unshare", "--mount", "--propagation", "private"]
# In a mount namespace of its own, which ends with its shell. $1 python, $2 the program, $3 an empty folder.
FILLS = """
mount -t tmpfs -o size=1m none "$3"
"$1" -c "$2" "$3" new
for free in 0 8192 40960; do
    dd if=/dev/zero of="$3/other" bs=4k status=none 2> /dev/null
    truncate -s "-$free" "$3/other"
    "$1" -c "$2" "$3" "$free"
    rm "$3/other"
done
"$1" -c "$2" "$3" room
"""
OPENS = """
import sys
from pathlib import Path
from storage.errors import CaptchasError
from storage.ledger.ledger import Ledger
try:
    with Ledger(Path(sys.argv[1], "ledger.sqlite")) as one:
        print(sys.argv[2], [one.settings(9_999 * str(number), "{}") for number in range(9)])
except CaptchasError as error:
    print(sys.argv[2], type(error).__name__, error)
"""


@pytest.mark.skipif(
    not shutil.which("unshare") or subprocess.run([*UNSHARE, "true"], capture_output=True).returncode,
    reason="needs the right to mount",
)
def test_a_full_disk_is_said_as_that_whatever_finds_no_room(tmp_path):
    command = [*UNSHARE, "bash", "-c", FILLS, "-", sys.executable, OPENS, tmp_path]
    run = subprocess.run(command, capture_output=True, text=True, timeout=100)
    said = dict(line.split(" ", 1) for line in run.stdout.splitlines())
    assert said["new"] == said["room"] == "[1, 2, 3, 4, 5, 6, 7, 8, 9]", (run.stdout, run.stderr)
    for free in ("0", "8192"):
        assert said[free].startswith("NoSpace"), said
        assert "the disk is full" in said[free]
