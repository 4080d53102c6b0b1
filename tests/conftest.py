"""Fixtures that several folders of tests share, the order of the files, and the environment of all processes."""

import gc
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

# Before NumPy is imported. pytest runs a process for each core, so more threads would only compete.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # PyTorch's threads spin while they wait for each other

import cloudpickle
import numpy as np
import pytest
from filelock import FileLock

from flows.shell.surroundings import SAFE_PATH
from storage.shards.shard import BLOCK, Block
from tasks.datasets.recipe import Recipe, make_recipe
from tasks.profiles.profile import Grid, Profile

# Test modules import skops, which imports PyTorch through this wrapper: a second and a half in each process of pytest.
sys.modules.setdefault("sklearn.externals.array_api_compat.torch", None)
if "PYTEST_XDIST_WORKER" in os.environ:
    import skops.io  # noqa: F401 - it looks through all modules that are loaded, so the sooner, the fewer

SERVER = "TESTS_PREFECT_FOLDER"  # where all processes of this run of pytest find their Prefect server
STORE = "AWS_ENDPOINT_URL_S3"  # and their object store
# Files go to pytest's processes whole. These take longest, about so many seconds; SECONDS has the others.
LONGEST = {
    "flows/test_up.py": 110, "flows/test_demo_flow.py": 60, "flows/auditing/test_audit_flow.py": 45,
    "flows/test_generate_flow.py": 45, "flows/test_environment.py": 32, "flows/test_object_store.py": 32,
    "flows/test_train_flow.py": 30, "test_style.py": 28, "tasks/drawing/test_renderer.py": 28,
    "flows/test_hostile_commands.py": 22, "flows/test_hostile_names.py": 22, "tasks/exchange/test_ingest.py": 20,
    "tasks/profiles/test_fonts.py": 19, "flows/test_signals.py": 19, "tasks/scoring/test_book.py": 18,
    "faults/test_disk.py": 18, "faults/test_kills.py": 16, "flows/test_train_imported.py": 16,
    "faults/test_outliving.py": 15, "flows/workers/test_cluster.py": 15, "flows/test_regenerate_flow.py": 15,
}  # fmt: skip
WAITING = ("flows", "faults")  # folders of tests that mostly wait for processes
SECONDS = (2, 7)  # of a file of tests that compute, and of tests that wait
TESTS = Path(__file__).parent


def free_port() -> int:
    """Return a free port of the loopback interface."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def hostile_names() -> list[str]:
    """200 names of files, relative to a folder, each with what breaks a terminal, a log, a table, JSON or CSV."""
    parts = [
        "\x1b[31m", "\x1b]0;title\x07", "\x9b2J", "\r", "\n", "\t", "\x7f", "\x08", "\u202e", "\u2066", "\u2069",
        "\u200b", "\u2028", "\ufeff", "\udcff", "\udce9\udc80", "[red]", "[/]", "[/red]", "\\[", "\\", "\\\\[bold]",
        "|", "`", "``", "```", "*", "_", "~~", "<b>", "<script>", "&lt;", "![x](y)", "](", "# ", "- ", "1. ", "---",
        "=1+1", "+1", "-1", "@SUM(A1)", '"', '""', "'", ",", ";", "%s", "%(name)s", "{0}", "{task}", "$x$", ":smile:",
        "😀", "👩\u200d💻", "é", "e\u0301", "字", "\u0430", "null", "NaN", " ", "  ", "a" * 90, "\x01" * 40, "😀" * 20,
        "\udcff" * 60,
    ]  # fmt: skip
    chance = random.Random(15)
    names = [f"{part}.png" for part in parts]
    while len(names) < 200:
        name = "".join(chance.sample(parts, chance.randint(2, 5))) + chance.choice([".png", ".PNG", ""])
        if len(os.fsencode(name)) <= 255 and name not in names and name.strip():
            names.append(name)
    return names


def pytest_configure(config) -> None:
    """Choose Prefect's address and folder, once for all processes: Prefect reads them when it is imported.

    Nothing is started here: the first flow test does that.
    """
    if hasattr(config, "workerinput"):
        return  # inherited from the process that started this one
    folder = tempfile.mkdtemp(prefix="prefect-of-tests-")
    os.environ |= {
        SERVER: folder,
        "PREFECT_HOME": folder,
        "PREFECT_API_URL": f"http://127.0.0.1:{free_port()}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_ENABLED": "false",
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
        "DO_NOT_TRACK": "1",
        STORE: f"http://127.0.0.1:{free_port()}",
        "AWS_ACCESS_KEY_ID": "the-id-of-the-tests",
        "AWS_SECRET_ACCESS_KEY": "the/secret+of=the-tests",
        "AWS_DEFAULT_REGION": "us-east-1",
        "CAPTCHAS_CACHE": f"{folder}/cache",
    }


def pytest_unconfigure(config) -> None:
    """End the servers that were started, once no process of pytest needs them any more."""
    if hasattr(config, "workerinput") or SERVER not in os.environ:
        return
    folder = Path(os.environ.pop(SERVER))
    for file in folder.glob("*.pid"):
        server = int(file.read_text())
        with suppress(ProcessLookupError):
            os.killpg(server, signal.SIGTERM)
            for _ in range(200):
                time.sleep(0.05)
                with suppress(ChildProcessError):
                    os.waitpid(server, os.WNOHANG)  # ours only if there are no other processes
                os.killpg(server, 0)
            os.killpg(server, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


class _Backwards(pytest.Dir):
    """A folder that is collected from its end."""

    def collect(self) -> list:
        return [*super().collect()][::-1]


def pytest_collect_directory(path: Path, parent) -> pytest.Dir | None:
    """Have every other process collect backwards: what one has compiled, the others find compiled in a new clone."""
    backwards = os.environ.get("PYTEST_XDIST_WORKER", "gw0")[-1] in "13579"
    return _Backwards.from_parent(parent, path=path) if backwards else None


def pytest_collectstart() -> None:
    """Look for no garbage while tests and modules are made: that took a third of the time."""
    gc.disable()


def pytest_collection_modifyitems(items) -> None:
    """Mix the files of tests that wait evenly with those of tests that compute, so that cores seldom idle.

    Of each kind the longest come first, so that none of them runs alone at the end.
    """
    folders = [TESTS / name for name in WAITING]
    waits = {item.path: any(map(item.path.is_relative_to, folders)) for item in items}
    seconds = {file: LONGEST.get(file.relative_to(TESTS).as_posix(), SECONDS[waits[file]]) for file in waits}
    begun, done = {}, [0, 0]
    for file in sorted(waits, key=lambda file: (-seconds[file], file)):
        begun[file] = done[waits[file]]
        done[waits[file]] += seconds[file]
    items.sort(key=lambda item: (begun[item.path] / done[waits[item.path]], item.path))


def pytest_collection_finish() -> None:
    """Have the collector of garbage never look again at the tests and modules that are there by now."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def nothing_stays_of_a_command() -> Iterator[None]:
    """Restore what a command in this process sets: its answer to Ctrl-C, and what its children may import.

    The first would end the process; the second keeps scripts of later tests from importing what lies beside them.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.pop(SAFE_PATH, None)


@pytest.fixture
def in_time() -> Iterator[None]:
    """End a test that takes ten seconds of the processor: what grows with the square of a file takes minutes."""

    def end(*_):
        pytest.fail("it took too long")

    before = signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, 10)
    yield
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.signal(signal.SIGPROF, before)


@pytest.fixture(scope="session")
def make_blocks() -> Callable[[int, int], list[Block]]:
    """`make_blocks(count, seed)`: blocks of `count` made-up pictures of 6 x 9 px; most rows are blank, so they pack."""

    def made(count: int, seed: int = 1) -> list[Block]:
        rng = np.random.default_rng(seed)
        blocks = []
        for first in range(0, count, BLOCK):
            n = min(BLOCK, count - first)
            images = np.zeros((n, 6, 9), np.uint8)
            images[:60] = rng.integers(0, 256, (min(n, 60), 6, 9))
            boxes = np.full((n, 4, 4), -1, np.int16)
            boxes[:60] = rng.integers(0, 10, (min(n, 60), 4, 4))
            fields = [("height", "<u2"), ("width", "<u2"), ("font", "<u2"), ("shear", "<i2"), ("scale", "<u2")]
            parameters = np.zeros(n, fields)
            parameters["height"], parameters["width"], parameters["shear"] = 6, 9, -250
            parameters["scale"][:60] = rng.integers(50, 140, min(n, 60))
            text = np.array([b"AB", b"\xc3\x89C", b"BONE"], "S4")[rng.integers(0, 3, n)]
            split = np.array([0, 0, 0, 1, 2], np.uint8)[rng.integers(0, 5, n)]
            blocks.append(Block(images, text, boxes, parameters, split))
        return blocks

    return made


# The first call is not counted, since it may import and compile.
COUNTING = """
import pickle, sys, tracemalloc
work = pickle.load(sys.stdin.buffer)
work()
tracemalloc.start()
work()
print(tracemalloc.get_traced_memory()[1])
"""


@pytest.fixture(scope="session")
def peak() -> Callable[[Callable[[], object]], int]:
    """`peak(work)`: bytes that Python holds at most while `work()` runs, counted in a process of its own.

    tracemalloc counts every thread's, and to stop it while others run crashes CPython 3.11 (its issue 128679).
    """

    def counted(work: Callable[[], object]) -> int:
        command, root = [sys.executable, "-c", COUNTING], Path(__file__).parents[1]
        done = subprocess.run(command, input=cloudpickle.dumps(work), capture_output=True, cwd=root)
        assert done.returncode == 0, done.stderr.decode()
        return int(done.stdout.split()[-1])

    return counted


@pytest.fixture(scope="session")
def serve() -> Callable[[str, list, str], None]:
    """`serve(name, command, url)`: start a server that answers at `url`, unless another process of this run has.

    Its process id and log are in the folder of this run, which ends it when all is done.
    """

    def started(name: str, command: list, url: str) -> None:
        folder = Path(os.environ[SERVER])
        with FileLock(folder / f"{name}.lock"):
            if (folder / f"{name}.pid").exists():
                return
            with (folder / f"{name}.log").open("w") as log:
                server = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
            (folder / f"{name}.pid").write_text(str(server.pid))
            deadline = time.monotonic() + 240
            while True:
                try:
                    with urllib.request.urlopen(url, timeout=2):
                        break
                except OSError:
                    if server.poll() is not None or time.monotonic() > deadline:
                        pytest.fail(f"the {name} did not start: {(folder / f'{name}.log').read_text()[-2000:]}")
                    time.sleep(0.1)
            server.returncode = 0  # not ours to wait for: it may outlive this process

    return started


@pytest.fixture(scope="session")
def store(serve) -> str:
    """Return the address of a moto S3 server on loopback, which all processes of this run share; see `bucket`."""
    url = os.environ[STORE]
    port = url.rpartition(":")[2]
    serve("store", [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", port], f"{url}/moto-api/")
    return url


@pytest.fixture
def bucket(store) -> str:
    """Return the name of a new bucket."""
    name = f"tests-{secrets.token_hex(6)}"
    urllib.request.urlopen(urllib.request.Request(f"{store}/{name}", method="PUT")).close()
    return name


@pytest.fixture(scope="session")
def small() -> Profile:
    """Return a profile of words of one or two letters out of three, in nine shapes: a block takes 1 to 2 ms."""
    return Profile("small", alphabet="ABC", length=(1, 2), width=54, shear=Grid(0, 200, 100), scale=Grid(50, 100, 25))


@pytest.fixture(scope="session")
def recipe(small: Profile) -> Recipe:
    """Return the recipe of the small profile with seed 7."""
    return make_recipe(small, 7)
