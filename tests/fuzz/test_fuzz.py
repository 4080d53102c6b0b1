"""Promise 3, by chance: verify finds whatever is changed, and no way to read ever returns wrong pixels silently.

A child process does the work, so that a crash or a hang of a library would be seen, with the number of
the mutation: `python tests/fuzz/mutate.py PLACE SEED NUMBER NUMBER+1` does that one again.
"""

import importlib.util
import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tasks.datasets import generate

HERE = Path(__file__).parent
COUNT = 2348  # two whole blocks and a short one, each a shard
BATCH = 100  # mutations a child


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with `whole`, the dataset to mutate."""
    spec = importlib.util.spec_from_file_location("drive", HERE.parent / "faults" / "drive.py")
    drive = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(drive)
    folder = tmp_path_factory.mktemp("fuzz")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generate, "BLOCKS_A_SHARD", 1)
        drive.draw(folder / "whole", COUNT)
    return folder


def mutate(place: Path, seed: int, first: int, last: int) -> dict[int, dict]:
    """Each mutation's line by its number; a child that dies or hangs fails the test with the number it was at."""
    command = [sys.executable, HERE / "mutate.py", place, seed, first, last]
    output = place / "output"
    with output.open("w") as said, (place / "errors").open("w") as errors:
        try:
            code = subprocess.run([*map(str, command)], stdout=said, stderr=errors, timeout=1200).returncode
        except subprocess.TimeoutExpired:
            code = "a hang"
    lines, number = {}, None
    for text in output.read_text().splitlines():
        if text.startswith("{"):
            lines[number] = json.loads(text)
        else:
            number = int(text)
    if code != 0 or len(lines) != last - first:
        pytest.fail(f"mutation {number} of seed {seed} ended in {code}: {(place / 'errors').read_text()[-2000:]}")
    return lines


@pytest.mark.slow
@pytest.mark.parametrize("total", [100, pytest.param(5500, marks=pytest.mark.soak)])
def test_mutated_bytes_are_found_and_never_read_as_pictures(place, capsys, total):
    seed = int(os.environ.get("SOAK_SEED", "1"))
    began, counts = time.monotonic(), Counter()
    for first in range(0, total, BATCH):
        for number, line in mutate(place, seed, first, first + BATCH).items():
            here = (seed, number, line["kind"], line["what"])
            counts[line["kind"], "equal" if "equal" in line else "mutated"] += 1
            if "equal" in line:
                continue
            assert line["crashed"] == {}, here
            said = line["found"] or line["redrawn"]
            wrong = sorted(door for door, read in line["read"].items() if read == "wrong")
            assert said or (line.get("recorded") and not wrong), (here, line["read"])
            if not line["kind"].startswith("sealed"):
                assert line["found"], here  # without drawing again
            if line["what"].endswith(("level 0", "level 1")):  # digests of blocks that are not its own
                assert line["found"] or line["what"].startswith("an attribute"), here
            # A shard alone believes its seal, which was made again; where the manifest was made to vouch for another
            # file too, so does a dataset. Verifying believes neither.
            if line["what"].endswith("level 0"):
                assert wrong in ([], ["shard"]), (here, wrong)
            elif not line["kind"].startswith("sealed"):
                assert not wrong, (here, wrong)
            assert set(line["read"].values()) <= {"right", "wrong", "Damaged", "NotThere"}, (here, line["read"])
    mutated = sum(count for (_, what), count in counts.items() if what == "mutated")
    assert mutated >= 0.9 * total
    in_bytes = sum(count for (kind, what), count in counts.items() if kind.endswith(" bytes") and what == "mutated")
    assert in_bytes >= 0.37 * total  # over 2,000 in the long form
    assert {kind for kind, what in counts if what == "mutated"} == {
        "shard bytes", "manifest bytes", "manifest values", "sealed manifest values", "sealed arrays"
    }  # fmt: skip
    if total > 1000:
        kinds = ", ".join(f"{count} {kind}" for (kind, what), count in sorted(counts.items()) if what == "mutated")
        with capsys.disabled():
            print(f"\n  {mutated} mutations, seed {seed}, {time.monotonic() - began:.0f} s: {kinds}", end="")


@pytest.mark.slow
def test_a_mutation_can_be_made_again(place):
    assert mutate(place, 5, 7, 12)[9] == mutate(place, 5, 9, 10)[9]
