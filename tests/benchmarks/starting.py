"""Time commands from their start to the first picture, and commands that have nothing to do.

Each is timed from the second run on a home on, without a server and with `captchas up` on the same home, and compared
with a process that only imports Prefect. Other processes take their share of the cores: the fastest round counts.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from tests.benchmarks.peer_readers import PEER_PYTHON
from tests.benchmarks.tables import Table, best

ROUNDS = 5
PICTURES = 100  # in the folder that is solved
STARTING = 180.0  # seconds that `captchas up` gets
PEER = "import sys, ddddocr; print(ddddocr.DdddOcr(show_ad=False).classification(open(sys.argv[1], 'rb').read()))"
FLOW = """
import json, time
began = time.time()
from pathlib import Path
from flows.home import prepare_environment
prepare_environment(Path({home!r}))
from prefect import flow
print(json.dumps(flow(lambda: time.time())() - began))
"""


def starting(table: Table, folder: Path) -> None:
    """Time all commands in a home of their own under `folder`."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "CAPTCHAS_"))}
    home = folder / "home"

    def captchas(*arguments: object) -> None:
        command = [sys.executable, "-m", "flows", *map(str, arguments), "--home", str(home)]
        subprocess.run(command, check=True, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def python(program: str) -> str:
        return subprocess.run([sys.executable, "-c", program], check=True, env=variables, stdout=subprocess.PIPE,
                              text=True).stdout  # fmt: skip

    captchas("generate", "letters", "--count", PICTURES)
    captchas("export", "letters", "--format", "png", "--out", folder / "pictures")
    pictures = next(path.parent for path in (folder / "pictures").rglob("*.png"))
    table.note("start: python -c pass", best(lambda: python("pass"), ROUNDS), "s")
    reference = best(lambda: python("import prefect"), ROUNDS)
    table.note("start: python -c 'import prefect'", reference, "s", None)
    flow = min(json.loads(python(FLOW.format(home=str(home)))) for _ in range(ROUNDS))
    table.note("start: a flow of Prefect alone that does nothing", flow, "s", reference)

    picture = next(pictures.glob("*.png"))
    at_once = best(lambda: captchas("solve", picture, "--dictionary", "none"), ROUNDS)
    table.note("start: solve a named picture, whole command", at_once, "s", reference)
    with suppress(OSError, subprocess.CalledProcessError):  # the peer may not be installed
        there = [PEER_PYTHON, "-c", PEER, picture]
        other = best(lambda: subprocess.run(there, check=True, stdout=subprocess.DEVNULL), ROUNDS)
        table.note("start: ddddocr reads the picture, whole command", other, "s", reference)

    table.note("start: solve --help", best(lambda: captchas("solve", "--help"), ROUNDS), "s", reference)

    def mistaken() -> None:
        with suppress(subprocess.CalledProcessError):  # exit code 2
            captchas("generate", "book", "--cuont", 5)

    table.note("start: an option that is misspelt", best(mistaken, ROUNDS), "s", reference)
    book = ("generate", "book", "--count", 1000)

    def first_shard() -> float:
        shutil.rmtree(home / "datasets" / "book", ignore_errors=True)
        began = time.time()
        captchas(*book)
        return next((home / "datasets" / "book").glob("*.h5")).stat().st_mtime - began

    def answers() -> float:
        shutil.rmtree(home / "answers", ignore_errors=True)
        began = time.time()
        captchas("solve", pictures)
        return next((home / "answers").rglob("answers.csv")).stat().st_mtime - began

    for where, server in (("", nullcontext()), (", captchas up", _up(home, variables))):
        with server:
            for what, seconds in (("generate, to the first sealed shard", first_shard),
                                  (f"solve, to the answers of {PICTURES} pictures", answers)):  # fmt: skip
                table.note(f"start: {what}{where}", min(seconds() for _ in range(ROUNDS)), "s", reference)
            for what, arguments in (("generate, nothing to do", book), ("solve, nothing to do", ("solve", pictures)),
                                    ("verify 1,000 pictures", ("verify", "book"))):  # fmt: skip
                whole = best(lambda arguments=arguments: captchas(*arguments), ROUNDS)
                table.note(f"start: {what}, whole command{where}", whole, "s", reference)


@contextmanager
def _up(home: Path, variables: dict[str, str]) -> Iterator[None]:
    """Run `captchas up` on a free port."""
    log = home.with_name("up.log")
    with log.open("w") as messages:
        up = subprocess.Popen(
            [sys.executable, "-m", "flows", "up", "--port", "0", "--home", str(home)], env=variables,
            stdout=messages, stderr=messages,
        )  # fmt: skip
    try:
        _until(lambda: "up: the UI is at" in log.read_text() or up.poll() is not None)
        if up.poll() is not None:
            raise RuntimeError(log.read_text())
        yield
    finally:
        up.send_signal(signal.SIGTERM)
        up.wait(60)


def _until(there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + STARTING
    while not there():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.1)
