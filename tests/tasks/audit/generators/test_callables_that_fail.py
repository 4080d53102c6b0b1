"""A callable that does what no generator should costs its own picture, and is told; the next picture comes."""

import os
import signal
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.audit.generators.judged import text_of_picture
from tasks.audit.generators.own_generator import OwnGenerator, find_generator
from tasks.audit.generators.pool import Job, Pool
from tasks.audit.generators.processes.limits import Limits
from tasks.audit.generators.processes.picture_files import NoPicture

LONG = str(100_000 + os.getpid())  # seconds that nobody else sleeps
SOURCE = '''
import ctypes, os, subprocess, sys, time
import numpy as np
from PIL import Image

def fine():
    return Image.new("L", (30, 12), 200)

def raises(): raise ValueError("no such letter")
def exits(): sys.exit(3)
def leaves(): os._exit(4)
def crashes(): ctypes.string_at(0)
def hangs(): time.sleep(60)
def eats(): return bytearray(1 << 30)
def writes(): open(os.environ["TMPDIR"] + "/much", "wb").write(bytes(3_000_000)); return fine()
def large(): return Image.new("L", (2000, 1000))
def nothing(): return None
def half(): import io; b = io.BytesIO(); Image.effect_noise((90, 90), 90).save(b, "PNG"); return b.getvalue()[:4000]
def prints(): print("x" * 100_000); print("words", file=sys.stderr); return fine()
def floats(): return np.linspace(0, 300, 600).reshape(20, 30)
def other(): return "WRONG", fine()
def sizes(): return Image.new("RGB", (31, 77), (200, 0, 0))
def forks():
    os.fork()
    return fine()
def breeds():
    for _ in range(12):
        subprocess.Popen(["sleep", "LONG"], start_new_session=True)
    time.sleep(60)
def escapes():
    subprocess.Popen("sleep LONG & sleep LONG", shell=True, start_new_session=True)
    os._exit(5)
def stops(): os.kill(os.getpid(), 19)
def closes(): os.closerange(0, 1000)
def yields(): return (fine() for _ in range(2))
def long_text(): return "A" * 5000, fine()
def hides():
    class Hidden(Exception):
        def __str__(self): raise RuntimeError("no words")
    raise Hidden
def kills(): os.kill(os.getppid(), 9); time.sleep(60)
def secret(): raise RuntimeError(os.environ.get("AWS_SECRET_ACCESS_KEY", "no secret"))

CASES = [fine, raises, exits, leaves, crashes, hangs, eats, writes, large, nothing, half, prints, floats, other, sizes,
         forks, breeds, escapes, secret, kills, fine, stops, closes, yields, long_text, hides, fine]

def draw(text, index):
    return CASES[index]()
'''.replace("LONG", LONG)  # fmt: skip
SAID = {
    1: ("raised ValueError", "no such letter (line 9 of wrong.py)"),
    2: ("raised SystemExit", "3 (line 10 of wrong.py)"),
    3: ("ended its process: ended with exit code 4", ""),
    4: ("ended its process: was ended by SIGSEGV", ""),
    5: ("took longer than 2 s", ""),
    6: ("took more than 400.0 MB of memory", "MemoryError"),
    7: ("raised OSError", "File too large"),
    8: ("drew more than 1,000,000 pixels", "2000 x 1000 pixels"),
    9: ("returned no picture", "nothing (None)"),
    10: ("gave a damaged picture", "4,000 bytes"),
    12: ("returned no picture", "an array of float64 with 0 to 300; floats must be 0 to 1, integers 0 to 255"),
    16: ("had more than 8 processes at a time", ""),
    17: ("ended its process: ended with exit code 5", ""),
    18: ("raised RuntimeError", "no secret"),
    19: ("ended the process that watches it", "exit code -9"),
    21: ("took longer than 2 s", ""),
    22: ("ended its process: ended with exit code 120", ""),
    23: ("returned no picture", "it yields: return a picture instead"),
    24: ("gave a text that cannot be used", "it has 5,000 characters"),
    25: ("ended its process: ended with exit code 1", "no words"),
}
LIMITS = Limits(seconds=2.0, memory=400_000_000, output=2_000_000, pixels=1_000_000, processes=8)


@pytest.fixture(scope="module")
def monkeypatch_module():
    """Changes for the tests of this module."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch
    tempfile.tempdir = None


@pytest.fixture(scope="module")
def came(tmp_path_factory, monkeypatch_module):
    """All cases, drawn by a single worker one after another."""
    folder = tmp_path_factory.mktemp("wrong")
    (folder / "tmp").mkdir()
    monkeypatch_module.setenv("TMPDIR", str(folder / "tmp"))
    monkeypatch_module.setattr(tempfile, "tempdir", None)
    (folder / "wrong.py").write_text(SOURCE)
    generator = find_generator("wrong:draw", None, limits=LIMITS, folder=folder)
    jobs = iter([Job(index, "ABCD") for index in range(27)])
    with Pool(generator.spec(), 1, 1) as pool:
        results = {result.job.index: result for result in pool.draw(jobs)}
    return generator, results


def test_every_failure_is_told_and_costs_its_own_picture(came):
    _, results = came
    assert list(results) == list(range(27))
    found = {index: result.answer for index, result in results.items() if "what" in result.answer}
    assert {index: answer["what"] for index, answer in found.items()} == {k: what for k, (what, _) in SAID.items()}
    for index, (_, said) in SAID.items():
        assert said in found[index]["said"]
        assert results[index].data == b""


def test_pictures_before_and_after_come_whole(came):
    generator, results = came
    for index in (0, 11, 14, 15, 20):
        assert results[index].data.startswith(b"\x89PNG")
        assert text_of_picture(generator, results[index].job, results[index].answer) == "ABCD"


def test_a_text_that_was_not_asked_for_is_a_failure(came):
    generator, results = came
    with pytest.raises(NoPicture, match="asked for 'ABCD', it returned 'WRONG'; a generator that chooses its text"):
        text_of_picture(generator, results[13].job, results[13].answer)


def sleepers() -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        found += [path.parent.name] * (words[:1] == [b"sleep"] and words[1:2] == [LONG.encode()])
    return found


def test_neither_process_nor_file_outlives_its_picture(came):
    assert sleepers() == []
    assert list(Path(os.environ["TMPDIR"]).glob("captchas-draw-*")) == []


@pytest.mark.slow
def test_a_process_that_is_stopped_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr("tasks.audit.generators.pool._ENDING", 0.5)
    (tmp_path / "stops.py").write_text("import os, time\ndef draw(text): os.kill(os.getppid(), 19); time.sleep(60)\n")
    generator = OwnGenerator("callable", "stops:draw", str(tmp_path), 1, "A", (1,), True, False)
    generator = replace(generator, limits=Limits(seconds=0.1, start=8))
    with Pool(generator.spec(), 1, 1) as pool:
        (result,) = pool.draw(iter([Job(0, "A")]))
    assert result.answer["what"] == "ended the process that watches it"


def test_what_draws_ends_with_the_command(tmp_path):
    """Also if the command is killed: its end of the pipe closes."""
    (tmp_path / "slow.py").write_text(SOURCE.replace("return CASES[index]()", "return breeds()"))
    generator = find_generator("slow:draw", None, limits=Limits(seconds=60), folder=tmp_path)
    child = os.fork()
    if not child:
        with Pool(generator.spec(), 1, 1) as pool:
            next(iter(pool.draw(iter([Job(0, "A")]))))
        os._exit(0)
    deadline = time.monotonic() + 50
    while len(sleepers()) < 12 and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while sleepers() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert sleepers() == []
    assert time.monotonic() < deadline
