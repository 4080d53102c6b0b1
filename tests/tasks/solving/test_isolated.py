"""A batch that has cost a worker, read again: by real processes, which a real signal ends."""

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from blake3 import blake3
from PIL import Image

import tasks
from storage.errors import BadInput, CaptchasError, NoSpace
from storage.ledger.ledger import FAILED, PictureFile
from storage.models import model_digest
from tasks.datasets.recipe import make_recipe, renderer_of
from tasks.loading.safe_read import Fatal
from tasks.lowlevel.png_encoder import png
from tasks.profiles.built_in import find_profile
from tasks.reading.ranking import Ranking
from tasks.solving import isolated
from tasks.solving.batches import SolveJob, SolvePlan, answer_pictures
from tasks.solving.isolated import answer_forked, read_batch

MODEL = Path(tasks.__file__).with_name("ladder.skops")

# What a decoder with a fault does, in every process that begins with this on its path.
POISONED = textwrap.dedent("""
    import os, signal
    from PIL import Image
    plain = Image.open
    def opened(file, *arguments, **options):
        if file.getvalue().startswith(b"POISON"):
            os.kill(os.getpid(), signal.SIGKILL)
        return plain(file, *arguments, **options)
    Image.open = opened
""")


def test_the_picture_that_ends_its_process_is_named_and_the_others_are_read(tmp_path, monkeypatch):
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "sitecustomize.py").write_text(POISONED)
    monkeypatch.syspath_prepend(tmp_path / "path")
    image = renderer_of(make_recipe(find_profile("book"), 5)).block(5, 0).images[0]
    names = ("a.png", "poison.png", "z.png", "text.png")
    for name in names:
        Image.fromarray(image).save(tmp_path / name)
    (tmp_path / "poison.png").write_bytes(b"POISON")
    (tmp_path / "text.png").write_bytes(b"no picture")
    files = tuple(
        PictureFile(name, (tmp_path / name).stat().st_size, (tmp_path / name).stat().st_mtime_ns, blake3(data).digest())
        for name in names
        for data in [(tmp_path / name).read_bytes()]
    )
    plan = SolvePlan(str(MODEL), model_digest(MODEL), "", Ranking.NONE, 0.0)
    receipt = read_batch(SolveJob(str(tmp_path), files, plan, alone=True))
    assert receipt.files == files
    first, poison, last, text = receipt.answers
    assert isinstance(poison, Fatal)
    assert str(poison) == "reading it ended the process that read it (exit code -9)"
    assert text[-2] == "failed"
    good = SolveJob(str(tmp_path), (files[0], files[2]), plan)
    assert (first, last) == read_batch(good).answers
    assert first[-2] == "solved"


@pytest.fixture
def started():
    processes = []

    def start(program: str) -> subprocess.Popen:
        processes.append(subprocess.Popen([sys.executable, "-S", "-c", program], stdout=subprocess.PIPE))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_picture_that_takes_too_long(started):
    began = time.monotonic()
    answer = isolated._next(started("import time; time.sleep(600)"), 0.2)
    assert str(answer) == "reading it took longer than 0 s"
    assert isinstance(answer, Fatal)
    assert time.monotonic() - began < 30


def test_what_a_process_says_half_is_no_answer(started):
    answer = isolated._next(started("import os; os.write(1, b'\\x80\\x04\\x95'); os._exit(3)"), 60)
    assert str(answer) == "reading it ended the process that read it (exit code 3)"


def test_a_process_that_does_not_start_blames_no_picture(monkeypatch, tmp_path):
    monkeypatch.setattr(isolated, "_CHILD", "raise SystemExit(4)")
    job = SolveJob(
        str(tmp_path), (PictureFile("a", 1, 1, b"d"),), SolvePlan("m", "0", "", Ranking.NONE, 0.0), alone=True
    )
    with pytest.raises(CaptchasError, match="did not start"):
        read_batch(job)


def deadly(content: bytes) -> bytes:
    """Return a file's bytes, or do to this process what a decoder may."""
    match content:
        case b"crash":
            os.kill(os.getpid(), signal.SIGKILL)
        case b"hang":
            time.sleep(60)
        case b"memory":
            raise MemoryError
        case b"mistake":
            raise BadInput("the model does not fit")
    return content


@pytest.mark.slow
def test_a_named_picture_that_ends_its_process_costs_its_own_answer():
    plan = SolvePlan(str(MODEL), model_digest(MODEL), "", Ranking.NONE, 0.0)
    picture = png(renderer_of(make_recipe(find_profile("book"), 5)).block(5, 0).images[0])
    before = {*multiprocessing.active_children()}  # of other tests
    contents = [picture, b"crash", picture, b"hang", b"memory", b"no picture"]
    first, crashed, third, hung, memory, bad = answer_forked(plan, contents, deadly, patience=4.0)
    assert first == third == answer_pictures(plan, [picture], deadly)[0]
    assert [type(answer) for answer in (crashed, hung, memory)] == [Fatal] * 3
    assert "exit code -9" in str(crashed)
    assert "took longer than 4 s" in str(hung)
    assert bad.status == FAILED
    with pytest.raises(BadInput, match="the model does not fit"):
        answer_forked(plan, [b"mistake"], deadly)
    assert {*multiprocessing.active_children()} <= before


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel of Linux tells children")
def test_a_forked_child_ends_with_its_parent(tmp_path):
    code = textwrap.dedent(f"""
        import os, time
        from pathlib import Path
        from storage.models import model_digest
        from tasks.reading.ranking import Ranking
        from tasks.solving.batches import SolvePlan
        from tasks.solving.isolated import answer_forked
        def hang(_content):
            with open("new", "w") as file:
                file.write(str(os.getpid()))
            os.rename("new", "child")
            time.sleep(60)
        model = Path({str(MODEL)!r})
        answer_forked(SolvePlan(str(model), model_digest(model), "", Ranking.NONE, 0.0), [b"x"], hang)
    """)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, env=environment)
    wait_until((tmp_path / "child").exists)
    child = Path("/proc", (tmp_path / "child").read_text(), "stat")
    parent.kill()
    parent.wait()
    wait_until(lambda: not child.exists() or child.read_text().rpartition(")")[2].split()[0] == "Z")


def wait_until(there, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_full_disk_of_kernels_is_named_though_the_child_found_it():
    space: dict = {}
    code = "def save(pictures): raise OSError(28, 'No space left on device')"
    exec(compile(code, "/lib/numba/core/caching.py", "exec"), space)
    with pytest.raises(NoSpace, match="export NUMBA_CACHE_DIR=FOLDER"):
        isolated.do_forked(space["save"], [b"x"])
