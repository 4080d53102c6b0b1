"""Help and mistakes in a command line are told without Prefect and Dask, in the words of the ordinary way."""

import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from flows.command_line import run
from flows.shell.commands import COMMANDS
from flows.shell.early_mistakes import may_be_mistaken, require_command
from flows.shell.examples import EXAMPLES
from storage.errors import BadInput

pytestmark = pytest.mark.filterwarnings("ignore")
ROOT = Path(__file__).parents[3]
MISTAKES = {
    "generate": "PROFILE is missing: captchas generate PROFILE …; see captchas generate --help",
    "generate book --cuont 5": "Unknown option: --cuont. Did you mean --count?",
    "generate book --count": "--count: needs a value; see captchas generate --help",
    "generate book --count many": 'Invalid value for --count: unable to convert "many" into int.',
    "generate book --count 1e6": 'Invalid value for --count: unable to convert "1e6" into int.',
    "generate book 5": "generate: takes no argument '5' there; see captchas generate --help",
    "solve a.png --format xml": 'Invalid value "xml" for --format. Choose from: "csv", "jsonl", "parquet".',
    "export book": "--format: needs a value; see captchas export --help",
    "audit compare first": "SECOND is missing: captchas audit compare SECOND …; see captchas audit compare --help",
    "audit history a b": "audit history: takes no argument 'b' there; see captchas audit history --help",
    "datasets --frob": "Unknown option: --frob.",
}
FINE = [
    *(line.removeprefix("captchas ") for line in EXAMPLES.values()),
    "--json --home x solve a.png b.png", "solve - --explain", "solve a.png --explain=b.png --abstain-below .5",
    "train a b --draw hard --draw strings --minutes 2.5 --no-change", "train --ladder", "up --port=4201",
    "train a --reader deep --from strangers", "regenerate --reader=deep --from strangers",
    "generate --profile book --count 5_000 --seed=1 --font A --font B --words=", "audit --command 'a b' --minutes 1e1",
    "audit compare a b --out c.html", "regenerate book noise --count 5 --count 6", "solve inbox --out -", "doctor",
]  # fmt: skip
# What prints the help of every command, and what each of the mistakes is called, with what was imported for it.
PROGRAM = """
import contextlib, io, json, sys
from flows.command_line import run
from storage.errors import CaptchasError
told = []
for line in json.load(sys.stdin):
    shown = io.StringIO()
    sys.argv[1:] = line.split()
    try:
        with contextlib.redirect_stdout(shown):
            run(sys.argv[1:])
    except CaptchasError as error:
        shown.write(str(error))
    told.append(shown.getvalue())
real = [name for name in ("prefect", "dask", "distributed") if getattr(sys.modules.get(name), "__file__", None)]
json.dump({"told": told, "real": real}, sys.stdout)
"""


def test_help_and_mistakes_are_told_without_prefect_in_the_same_words(monkeypatch):
    helps = [f"{command} --help" for command in COMMANDS] + ["audit compare --help", "audit history -h"]
    lines = json.dumps([*helps, *MISTAKES])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], input=lines, capture_output=True, text=True, cwd=ROOT, check=True
    )
    found = json.loads(done.stdout)
    assert found["real"] == []
    assert found["told"][len(helps) :] == [*MISTAKES.values()]
    for line, told in zip(helps, found["told"], strict=False):
        shown = io.StringIO()
        monkeypatch.setattr(sys, "argv", ["captchas", *line.split()])
        with contextlib.redirect_stdout(shown):
            run(line.split())  # this process has imported Prefect
        assert told == shown.getvalue(), line


@pytest.mark.parametrize("line", MISTAKES)
def test_what_is_mistaken_is_suspected(line):
    assert may_be_mistaken(line.split())


@pytest.mark.parametrize("line", FINE)
def test_what_is_not_mistaken_is_not_suspected(line):
    assert not may_be_mistaken(line.replace("'a b'", "a").split())


def test_a_line_that_is_fine_after_all_is_run(tmp_path):
    line = [sys.executable, "-m", "flows", "profiles", "--", "book"]
    assert may_be_mistaken(line[3:])
    done = subprocess.run(
        line, capture_output=True, text=True, cwd=ROOT, env={"CAPTCHAS_HOME": str(tmp_path)}, check=True
    )
    assert "book" in done.stdout


@pytest.mark.parametrize(("line", "said"), [
    ("evalaute", "command 'evalaute': must be one of generate, verify, .*; did you mean 'evaluate'?"),
    ("--home x pictures.png", r"command 'pictures.png': must be one of .*; see captchas --help"),
    ("help", "; for that: captchas --help"),
    (f"{Path(__file__).parent} --json", "; to read pictures: captchas solve .*shell"),
    ("--minutes 3", "option '--minutes': must come after a command that has it; see captchas --help"),
])  # fmt: skip
def test_what_is_no_command_is_told(line, said):
    with pytest.raises(BadInput, match=said):
        require_command(line.split())
