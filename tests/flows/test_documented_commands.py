"""Every command of README and docs is run, in a short form; what `--json` prints is as its schema says."""

import csv
import io
import json
import os
import re
import shlex
import shutil
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from flows.__main__ import main
from flows.auditing import attacks
from flows.home import HOME
from flows.reporting.schemas import FILES, SCHEMAS, schema_of
from flows.shell.early_mistakes import may_be_mistaken
from storage.files.places import place
from tasks.audit.attackers import budget
from tasks.datasets import generate
from tasks.datasets.folder import complete
from tasks.datasets.recipe import make_recipe
from tasks.datasets.samples import SampleJob, write_samples
from tasks.datasets.totals import Gathered
from tasks.profiles.built_in import find_profile
from tasks.profiles.fonts import find_face
from tasks.shipped import SHIPPED, STRANGERS
from tasks.training import settings
from tests.documented import PAGES, PICTURES, ROOT, commands_in, short

# Prefect and what it brings warn while they are imported; that is theirs.
pytestmark = pytest.mark.filterwarnings("ignore")

FACE = find_face("Karla ExtraBold").path  # in place of a reader's own
SHOTS = 48  # labelled pictures of a reader
LABELLED = 300  # in an audit: one in ten is kept to measure on, and 20 of them are needed
UNSEEN = (
    LABELLED // 10
)  # that an audit asks an owner's generator for, so that its command ends as soon as they are there
AT_ONCE = {"preview", "profiles", "serve", "inspect", "datasets", "explain", "solve"}  # if they name no folder
SLOW = {"chapter", "network", "backpropagation"}  # of `explain`
QUICK = {"captchas generate letters --count 2000", "captchas import shots --dry-run"}  # jobs of the ordinary tests
# Not run here: the reason, and the test that does what can be done of it.
NOT_RUN = {
    r"captchas up( --port 0| --deploy)?$": "runs until it is ended, or needs a server: tests/flows/test_up.py",
    r".* --cluster tcp://host": "needs more machines: tests/flows/workers/test_real_cluster.py",
    r"captchas solve -$": "needs a pipe: tests/flows/test_solve_at_once.py",
    r"captchas audit --command '(node|venv-of)": "needs packages of others: tests/tasks/audit/generators/test_guide.py",
    r"captchas audit multicolorcaptcha": "needs a package of others: tests/test_others.py",
    r"captchas (--install|--show)-completion": "no report: tests/flows/shell/test_completion.py",
    r"captchas (--version|COMMAND --help)": "no report: tests/flows/test_cli.py",
    r"captchas (audit|train|train --reader deep|regenerate)$": "the name of a command, which needs more",
}
VERDICTS = "verdicts.md"  # a page of commands that `python -m tests.benchmarks.audits` has run, on others' generators
# Exit codes of commands that are right to complain: nothing runs on the tests' home, there is no such scheduler, and a
# doctor may find something in any environment.
CODES = {"captchas up --check": {1}, "captchas doctor": {0, 1}}


def codes(line: str) -> set[int]:
    return next((own for start, own in CODES.items() if line.startswith(start)), {0})


def documented() -> dict[str, list[str]]:
    """The commands of all pages that can be run, by their short forms, each as it stands and where."""
    found: dict[str, list[str]] = {}
    for page in PAGES:
        if page.name == VERDICTS:
            continue
        for line, whole in commands_in(page.read_text()):
            if any(mark in line for mark in ("…", "...")) or (not whole and may_be_mistaken(shlex.split(line)[1:])):
                continue  # a mention
            if not any(re.match(rule, line) for rule in NOT_RUN):
                found.setdefault(" ".join(short(line)), []).append(line)
    return found


def at_once(line: str) -> bool:
    """Whether a command answers at once, without Prefect and Dask."""
    words = short(line)
    if words[0] not in AT_ONCE or any("s3://" in word for word in words) or SLOW & set(words):
        return False
    return words[0] != "solve" or words[1].endswith(".png")


COMMANDS_OF_PAGES = sorted({lines[0] for lines in documented().values()})
FAST = [line for line in COMMANDS_OF_PAGES if at_once(line)]
SECONDS = {line for line in FAST if "explain" in line} - {"captchas explain WORD"}  # each takes a second or two
JOBS = [line for line in COMMANDS_OF_PAGES if not at_once(line)]


BLOCK = re.compile(r"^```\w+\n((?:#|//|<\?php //) (\S+\.\w+)\n.*?)^```$", re.MULTILINE | re.DOTALL)
OWN = re.compile(r"^```toml\n(based_on = \"book\" .*?)^```$", re.MULTILINE | re.DOTALL)


def drawn(name: str, folder: Path, seed: int = 1) -> None:
    """Draw a small dataset as `captchas generate` does, without Dask."""
    recipe = make_recipe(find_profile(name), seed)
    folder.mkdir(parents=True)
    gathered = Gathered(recipe.identity)
    for job in generate.plan_drawing(recipe, folder, PICTURES, "run").jobs:
        gathered.add(generate.draw_shard(job))
    complete(folder, gathered, "run")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    """A folder with what readers have: pictures, profiles, generators; and a home with datasets and models."""
    folder = tmp_path_factory.mktemp("reader")
    write_samples(SampleJob(make_recipe(find_profile("book"), 1), str(folder / "shots"), SHOTS, "run"))
    for name in (
        "inbox",
        "sets/train",
        "sets/val",
        "sets/test",
        "letters/A",
        "letters/B",
        "lists",
        "shop",
        "data/models",
    ):
        (folder / name).mkdir(parents=True)
    for number, shot in enumerate(sorted((folder / "shots").iterdir())):
        split = {0: "val", 1: "test"}.get(number % 8, "train")
        copies = [f"sets/{split}/{shot.name}", f"letters/{'AB'[number % 2]}/{number:04d}.png"]
        copies += (
            [f"inbox/{shot.name}", *(("picture.png", "a.png", "b.png")[number : number + 1])] if number < 4 else []
        )
        for copy in copies:
            shutil.copyfile(shot, folder / copy)
    for name in ("book", "mine", "noise", "better", "shots"):
        shutil.copyfile(SHIPPED, folder / "data" / "models" / f"{name}.skops")
    for page in PAGES:
        for body, name in BLOCK.findall(page.read_text()):
            (folder / name).write_text(body)
    shutil.copyfile(folder / "draw.py", folder / "shop.py")
    shutil.copyfile(folder / "draw.py", folder / "shop" / "captcha.py")
    (folder / "shop" / "__init__.py").touch()  # else shop.py hides it
    (own,) = OWN.findall((ROOT / "docs" / "profiles.md").read_text())
    (folder / "mine.toml").write_text(re.sub(r'"path/to/[^"]+"', f'"{FACE}"', own))
    drawn("letters", folder / "data/datasets/letters")
    drawn("book", folder / "data/datasets/words", 7)
    shutil.copytree(folder / "data/datasets/words", folder / "data/datasets/mine")
    return folder


@pytest.fixture(scope="module")
def stocked(prepared, captchas, tmp_path_factory) -> Path:
    """The same folder with the datasets and audits that some commands need."""
    folder = tmp_path_factory.mktemp("stocked") / "reader"
    shutil.copytree(prepared, folder)
    for name in ("book", "hard", "noise", "wild", "like-captcha"):
        drawn(name, folder / "data" / "datasets" / name)
    shutil.rmtree(folder / "data/datasets/mine")
    recipe = make_recipe(find_profile("book"), 1)
    write_samples(SampleJob(recipe, str(folder / "pictures"), LABELLED, "run"))  # of a name that no dataset has
    for name, pictures in (("shots", "shots"), ("mine", "pictures")):
        assert captchas("import", folder / pictures, "--name", name, "--home", folder / "data").returncode == 0
    return folder


@pytest.fixture
def few(monkeypatch) -> None:
    """Few pictures in an audit, the attackers that need no training, no other program; a ladder of two rungs."""
    monkeypatch.setattr(budget, "unseen_wanted", lambda _: UNSEEN)
    monkeypatch.setattr(attacks, "PROGRAMS", ())
    monkeypatch.setattr(attacks, "MODELS", (SHIPPED,))
    monkeypatch.setattr(attacks, "attack_trained", lambda *_: None)
    monkeypatch.setattr("flows.auditing.follow_ups.draw_changes", lambda *_: [])
    monkeypatch.setattr(settings, "LADDER_COUNT", PICTURES)
    monkeypatch.setattr("flows.train.LADDER_COUNT", PICTURES)
    monkeypatch.setattr(settings, "RUNGS", ("book", "noise"))
    monkeypatch.setattr("flows.train.LEARNT", ("book", "noise"))
    monkeypatch.setattr("flows.train.LADDER_SETTINGS", settings.Settings(pictures=(PICTURES,) * 2))


def run_alone(arguments: list[str]) -> tuple[int, str]:
    """Run a command in this process without a server; return its exit code and standard output."""
    out, code = io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(io.StringIO()):
        patch.setattr(sys, "argv", ["captchas", *arguments])
        variables = dict(os.environ)
        try:
            main()
        except SystemExit as ended:
            code = ended.code or 0
        finally:
            os.environ.clear()
            os.environ.update(variables)
    return code, out.getvalue()


def arranged(prepared: Path, folder: Path, line: str) -> Path:
    """Copy the folder of a reader, with the pictures named as the command says."""
    shutil.copytree(prepared, folder)
    for start, name in MAKES.items():
        if line.startswith(f"captchas {start}"):
            shutil.rmtree(folder / "data" / "datasets" / name, ignore_errors=True)
    named = next((form for part, form in NAMED.items() if part in line), None)
    if named or "--labels" in line:
        rows = []
        for number, shot in enumerate(sorted((folder / "shots").iterdir())):
            label = shot.stem.partition("_")[2]
            name = (named or "{number}").format(label=label, number=number)
            shot.rename(shot.with_name(f"{name}.png"))
            rows.append((f"{name}.png", label))
        with (folder / "lists" / "answers.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("image", "solution"), *rows])
    return folder


# Datasets that commands make, of other pictures than the home has under that name.
MAKES = {
    "import shots": "shots", "import letters": "letters", "import FOLDER --name mine": "mine",
    "generate mine.toml": "mine", "audit mine.toml": "mine",
}  # fmt: skip
NAMED = {  # how the pictures of `shots` are called, by a part of the command
    "--pattern first": "{label}_{number}", "{label}-*-*": "{label}-{number}-x", "(?P<label>": "{label}{number}",
}  # fmt: skip


@pytest.mark.parametrize(
    "line", [pytest.param(line, marks=pytest.mark.soak if line in SECONDS else ()) for line in FAST]
)
def test_a_command_that_answers_at_once(line, prepared, tmp_path, monkeypatch):
    monkeypatch.delenv(HOME, raising=False)  # a command of another test may have named its own in this process
    monkeypatch.chdir(arranged(prepared, tmp_path / "reader", line))
    code, out = run_alone([*short(line), "--json"])
    assert code in codes(line), out
    assert faults(json.loads(out), line) == []


@pytest.mark.parametrize("line", [pytest.param(line, marks=() if line in QUICK else pytest.mark.soak) for line in JOBS])
def test_a_job(line, request, captchas, few, tmp_path, monkeypatch):
    monkeypatch.delenv(HOME, raising=False)
    folder = request.getfixturevalue("prepared" if line in QUICK else "stocked")
    bucket = request.getfixturevalue("bucket") if "s3://" in line else "bucket"
    monkeypatch.chdir(arranged(folder, tmp_path / "reader", line))
    if "s3://" in line:
        upload(folder, bucket)
    if line == "captchas demo":
        pytest.skip("the tests of the demo run it whole: tests/flows/test_demo_flow.py")
    if line.startswith(("captchas audit compare", "captchas audit history")):
        for name in ("before", "after"):
            assert captchas("audit", "book", "--minutes", 1, "--out", f"audits/{name}").returncode == 0
    if line.startswith("captchas train") and "--reader deep" in line:
        pytest.importorskip("torch")
    elif "--reader deep" in line:
        shutil.copyfile(STRANGERS, "data/models/mine.onnx")
    words = [word for word in short(line, bucket) if word != "--json"]
    result = captchas(*words, "--json")
    assert result.returncode in codes(line), result.stderr
    assert faults(json.loads(result.stdout), line) == []


def faults(report: object, line: str) -> list[str]:
    """What of a command's report, and of the files that it wrote, is not as its schema says."""
    words = short(line)[:2]
    name = "-".join(words) if words[0] == "audit" and f"audit-{words[1]}" in SCHEMAS else words[0]
    written = [path for path in Path().rglob("*.json") if path.name.removeprefix(".") in FILES]
    found = [(name, report), *((path.name.removeprefix("."), json.loads(path.read_bytes())) for path in written)]
    return [
        f"{own}: {error.json_path}: {error.message}"
        for own, content in found
        for error in Draft202012Validator(schema_of(own, closed=True)).iter_errors(content)
    ]


def upload(folder: Path, bucket: str) -> None:
    """Put what the commands of object stores name into a bucket."""
    for path in (folder / "data/datasets/book", folder / "data/models/book.skops", *(folder / "inbox").iterdir()):
        for file in path.iterdir() if path.is_dir() else (path,):
            name = file.relative_to(folder).as_posix().removeprefix("data/")
            place(f"s3://{bucket}/{name}").write_bytes(file.read_bytes())


def test_the_reasons_are_needed_and_name_a_test():
    lines = {line for page in PAGES for line, _ in commands_in(page.read_text())}
    for rule, reason in NOT_RUN.items():
        assert any(re.match(rule, line) for line in lines), rule
        assert (ROOT / reason.rpartition(": ")[2]).is_file() or ": " not in reason, reason
