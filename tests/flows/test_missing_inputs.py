"""Inputs that are not there are refused before Prefect is imported, wherever they stand in the command line."""

import inspect
import json
import string
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import get_origin

import pytest

from flows.missing_inputs import INPUTS, given_values, options_of, require_inputs
from flows.parameters import (
    AuditMinutes,
    FourLetterWords,
    Letters,
    Pictures,
    Settle,
    Units,
    called,
    limits_in,
    require_limits,
)
from flows.requests import checked
from flows.shell.commands import COMMANDS
from flows.shell.options import limits_of
from flows.wrong_values import RULES, require_values
from storage.errors import BadInput, NotThere
from storage.shards.shard import BLOCK
from tasks.audit.attackers.budget import LEAST_MINUTES
from tasks.profiles.word_lists import WEB2, load_words
from tasks.scoring.reproduce import LEAST_LETTERS, MOST_LETTERS
from tasks.solving.choice import LONGEST_SETTLE
from tasks.training.settings import MOST_UNITS

# Prefect and what it brings warn while they are imported; that is theirs.
pytestmark = pytest.mark.filterwarnings("ignore")
MODULES = {name: where.partition(":")[0] for name, (where, _) in COMMANDS.items()}
MISSING = [
    (("solve", "none"), "none: no such file or folder"),
    (("solve", "inbox/a.png", "none"), "none: no such file; give pictures"),
    (("solve", "--length", "4", "none"), "none: no such file or folder"),
    (("solve", "inbox", "--model", "none"), "none.skops: no such file"),
    (("solve", "inbox", "--model=none"), "none.skops: no such file"),
    (("solve", "inbox", "--keep", "--dictionary", "none.txt"), "word list none.txt: no such file"),
    (("evaluate", "./inbox", "book"), "inbox: is a folder; give the file of a model"),
    (("solve", "inbox", "--model", "."), ".: is a folder; give the file of a model"),
    (("solve", "inbox", "--model", ".."), "..: is a folder; give the file of a model"),
    (("evaluate", "none", "book"), "none.skops: no such file"),
    (("evaluate", "auto", "none"), "none: no complete dataset there"),
    (("evaluate", "--split", "all", "--again", "ladder", "none"), "none: no complete dataset there"),
    (("evaluate", "ladder", "--dataset", "none"), "none: no complete dataset there"),
    (("evaluate", "ladder", "--ladder", "--dictionary", "none.txt"), "word list none.txt: no such file"),
    (("--json", "train", "--pictures", "5", "none"), "none: no complete dataset there"),
    (("train", "./inbox"), "inbox: no complete dataset there"),
    (("export", "--format", "png", "none"), "none: no complete dataset there"),
    (("import", "none"), "none: no such folder"),
    (("import", "inbox", "--labels", "none.csv"), "labels none.csv: no such file"),
    (("verify", "none"), "none: no dataset there"),
    (("verify", "--repair", "inbox", "--words", "none.txt"), "word list none.txt: no such file"),
    (("verify", "inbox", "--repair", "--source", "none"), "none: no such folder"),
    (("verify", "inbox", "--redraw", "--font", "DejaVu Sans Bold", "--font", "a/none.ttf"), "font a/none.ttf: no such"),
    (("reproduce", "--font", "none.otf"), "font none.otf: no such file"),
    (("serve", "none"), "none.skops: no such file"),
    (("generate", "none.toml"), "profile none.toml: no such file"),
    (("regenerate", "book", "none.toml"), "profile none.toml: no such file"),
]


@pytest.fixture
def inbox(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CAPTCHAS_HOME", str(tmp_path / "home"))
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "a.png").write_bytes(b"")
    return tmp_path / "inbox"


@pytest.mark.parametrize(("arguments", "said"), MISSING)
def test_what_is_not_there_is_named(inbox, arguments, said):
    with pytest.raises(NotThere) as error:
        require_inputs(arguments, MODULES)
    assert said in str(error.value)
    assert error.value.exit_code == 2


@pytest.mark.parametrize(
    "arguments",
    [("generate", "nois"), ("regenerate", "book", "nois"), ("train", "--draw", "nois"), ("preview", "nois")],
)
def test_a_profile_that_is_misspelt_is_named(inbox, arguments):
    with pytest.raises(BadInput, match="did you mean 'noise'"):
        require_inputs(arguments, MODULES)


@pytest.mark.parametrize("arguments", [
    (), ("solve",), ("solve", "inbox"), ("solve", "inbox/a.png", "-"), ("solve", "s3://bucket/a.png"),
    ("solve", "inbox", "--dictionary", "none"), ("solve", "inbox", "--dictionary", "web2", "--model", "ladder"),
    ("evaluate", "ladder", "--ladder"), ("train", "--ladder"), ("verify",), ("inspect", "none"), ("up",),
    ("solve", "none", "--lenght", "4"), ("verify", "s3://bucket/none"), ("export", "a\0b"), ("solve", "fol\udcff"),
    ("evaluate", "a" * 5000, "book"),
])  # fmt: skip
def test_the_rest_is_left_to_the_command(inbox, arguments):
    require_inputs(arguments, MODULES)


WRONG = [
    ("generate book --count 0", "count: must be from 1 to 16,384,000,000; it is 0"),
    ("generate book --count=2.5", "count: must be a whole number; it is 2.5"),
    ("generate book --seed=-1", "seed: must be a whole number from 0 to 2**63 - 1; it is -1"),
    ("train book --pictures 5 --pictures 0", "pictures: must be 1 or more; it is 0"),
    ("train book --hidden 1 --hidden 9999", "hidden: must be one to four layers of 1 to 4096 units; it is 9999"),
    ("train book --from=", "from: must not be empty; give a value, or leave it out"),
    ("solve inbox --abstain-below 2", "abstain-below: must be from 0 to 1; it is 2"),
    ("solve inbox --settle 1e9", "settle: must be from 0 to 3600 seconds; it is 1e+09"),
    ("solve inbox --length 0", "length: must be from 1 to 32 letters, the shortest first; it is '0'"),
    ("solve a.png b.png --out=", "out: must not be empty; give a value, or leave it out"),
    ("--home= datasets", "home: must not be empty; give a value, or leave it out"),
    (
        "audit book --minutes nan",
        "minutes: must be a finite number, 1 or more: in less, pictures cannot be drawn, read by the shipped models "
        "and written about; it is nan",
    ),
    ("audit book --label-price=inf", "label-price: must be a finite number, 0 or more; it is inf"),
    ("audit compare a b --out=", "out: must not be empty; give a value, or leave it out"),
    ("import inbox --name=", "name: must not be empty; give a value, or leave it out"),
    ("import inbox --name=a/b", "profile 'a/b', name: must be letters, digits, - and _ only; it is 'a/b'"),
    ("import inbox --columns=a", "columns: must be two names with a comma between, such as image,solution; it is 'a'"),
    ("audit book --length 0", "length: must be from 1 to 32 letters, the shortest first; it is '0'"),
    (
        "import inbox --alphabet aa",
        "profile 'import', alphabet: must be every character once; a comes again; it is 'aa'",
    ),
    ("regenerate --hidden 9999", "hidden: must be one to four layers of 1 to 4096 units; it is 9999"),
    ("reproduce --letters 0", "letters: must be from 100 to 200000; it is 0"),
    ("reproduce --letters 3", "letters: must be from 100 to 200000; it is 3"),
]


@pytest.mark.parametrize(("line", "said"), WRONG)
def test_a_value_that_no_run_can_use_is_told(line, said):
    with pytest.raises(BadInput) as error:
        require_values(line.split())
    assert str(error.value) == said


@pytest.mark.parametrize("line", [
    "generate book --words= --count 5_000 --seed 0x1f", "generate book --count many", "generate book --count",
    "generate --cuont 0", "audit book --length 4-6 --minutes 1", "import inbox --pattern {label}_*", "--home x", "nope",
    "solve inbox --length 4 --settle 0 --abstain-below .5", "train book --minutes 1e1",
])  # fmt: skip
def test_the_other_values_are_left_to_the_command(line):
    require_values(line.split())


def test_a_pattern_without_a_label_is_told():
    with pytest.raises(BadInput, match=r"pattern 'nope': must have \{label\} once"):
        require_values(["import", "inbox", "--pattern", "nope"])


@pytest.mark.parametrize("command", COMMANDS)
def test_a_value_outside_its_limits_is_told_early_and_late_in_the_same_words(command):
    module, _, name = COMMANDS[command][0].partition(":")
    function = getattr(import_module(module), name)
    parameters = inspect.signature(function).parameters
    options = options_of(module, name)
    assert set(RULES.get(command, ())) <= set(parameters)
    for key, one in parameters.items():
        limits = limits_in(one.annotation)
        assert limits_of(options.kinds.get(called(key).replace("-", "_"), "")).schema == (
            limits.schema if limits else {}
        )
        if limits is None or "format" in limits.schema:  # a path is never empty
            continue
        text, value = ("", "") if "minLength" in limits.schema else ("-1", -1)
        needed = {other: "x" for other, its in parameters.items() if its.default is its.empty and other != key}
        given = {**needed, key: [value] if "list" in str(one.annotation) else value}
        with pytest.raises(BadInput) as late, checked(function, **given) as known:
            assert not known  # else it was refused
            require_limits(function.__annotations__, given)  # as the command line does
        with pytest.raises(BadInput) as early:
            require_values([command, f"--{called(key)}={text}"])
        assert str(early.value) == str(late.value)


def test_limits_are_those_of_the_tasks():
    """They are told before the tasks are imported, which takes long."""

    def most_and_least(kind):
        schema = limits_in(kind).schema
        return schema["minimum"], schema.get("maximum")

    assert most_and_least(Settle) == (0, LONGEST_SETTLE)
    assert most_and_least(Pictures) == (1, BLOCK)
    assert most_and_least(Letters) == (LEAST_LETTERS, MOST_LETTERS)
    assert most_and_least(Units) == (1, MOST_UNITS)
    assert most_and_least(AuditMinutes) == (LEAST_MINUTES, None)
    words = load_words(WEB2, string.ascii_uppercase, (4, 4))  # as `tasks.scoring.book`, which takes long to import
    assert most_and_least(FourLetterWords) == (1, len(words))


@pytest.mark.parametrize("command", INPUTS)
def test_options_are_those_of_the_command(command):
    """They are read from the source, since importing it imports Prefect."""
    module, _, name = COMMANDS[command][0].partition(":")
    parameters = inspect.signature(getattr(import_module(module), name)).parameters
    found = options_of(module)
    assert found.flags == {key for key, one in parameters.items() if one.annotation in (bool, bool | None)}
    assert found.flags | found.values == {called(key).replace("-", "_") for key in parameters}
    assert found.positional == tuple(
        key for key, one in parameters.items() if one.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    )
    listed = {
        key for key, one in parameters.items()
        if any(get_origin(part) is list for part in (one.annotation, *getattr(one.annotation, "__args__", ())))
    }  # fmt: skip
    assert found.lists == listed
    assert set(INPUTS[command]) <= set(parameters)


def test_values_are_found_as_the_command_finds_them():
    options = options_of("flows.solve")
    assert given_values(("a.png", "--only-new", "b.png", "--model", "m", "--json", "--out", "-", "-"), options) == {
        "model": ["m"], "out": ["-"], "path": ["a.png", "b.png", "-"],
    }  # fmt: skip
    assert given_values(("--no-again", "--path", "a", "--home=h"), options) == {"path": ["a"], "home": ["h"]}
    assert given_values(("a.png", "--bogus"), options) == given_values(("-x",), options) == {}
    assert given_values(("a.png", "--model"), options) == given_values(("--model", "--json", "a"), options) == {}


def test_neither_prefect_nor_a_home_is_touched(inbox):
    """In one process, whose modules are looked at."""
    code = (
        "import json, sys, flows.__main__ as command\n"
        "codes = []\n"
        f"for arguments in {[arguments for arguments, _ in MISSING]!r}:\n"
        "    sys.argv = ['captchas', *arguments]\n"
        "    try: command.main()\n"
        "    except SystemExit as end: codes.append(end.code)\n"
        "heavy = [name for name in ('prefect', 'dask', 'distributed', 'numba') if name in sys.modules]\n"
        "print('\\n' + json.dumps([codes, heavy]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == [[2] * len(MISSING), []]
    assert [path.name for path in inbox.parent.iterdir()] == ["inbox"]
