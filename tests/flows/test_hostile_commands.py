"""Hostile names, given to every command as a parameter; and files of such names, through the commands that write."""

import importlib
import json
import os
import urllib.request
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from flows.requests import checked
from flows.shell.commands import COMMANDS
from storage.errors import CaptchasError
from storage.texts import plain, plain_lines
from tasks.profiles.fonts import bundled

# Prefect and what it brings warn while they are imported; that is theirs.
pytestmark = pytest.mark.filterwarnings("ignore")
NAME = "NAME"
PARAMETERS: dict[str, list[dict]] = {
    "generate": [{"profile": NAME}, {"profile": "book", "font": [NAME]}, {"profile": "book", "words": NAME}],
    "verify": [{"dataset": NAME}],
    "export": [{"dataset": NAME, "format": "png"}],
    "import": [{"folder": NAME}, {"folder": ".", "pattern": NAME}, {"folder": ".", "name": NAME}],
    "train": [{"datasets": [NAME]}],
    "evaluate": [{"model": NAME, "dataset": "x"}],
    "solve": [{"path": Path(NAME)}, {"path": Path(), "dictionary": NAME}, {"path": Path(), "model": NAME}],
    "serve": [{"model": NAME}],
    "audit": [{"target": NAME}, {"target": f"{NAME}.toml"}, {"target": "book", "length": NAME}],
    "reproduce": [{"font": NAME}],
    "regenerate": [{"profiles": [NAME]}],
    "up": [{"deployments": Path(NAME)}],
    "inspect": [{"path": NAME}, {"path": f"{NAME}.h5"}, {"path": f"{NAME}.skops"}],
    "datasets": [{"remove": NAME}],
    "profiles": [{"name": NAME}, {"name": f"{NAME}.toml"}],
    "preview": [{"profile": NAME}, {"profile": f"{NAME}.toml"}, {"profile": "book", "font": [NAME]}],
    "explain": [{"what": NAME}, {"what": "BONE", "profile": NAME}],
}
# Options whose values cyclopts itself refuses.
LINES = dict.fromkeys(COMMANDS, (f"--{NAME}",)) | {
    "demo": ("--workers", NAME), "generate": ("book", "--count", NAME), "export": ("x", "--format", NAME),
    "solve": (".", "--ranking", NAME), "up": ("--port", NAME),
}  # fmt: skip
EVIL = "[red]a\\[|`x`<b>![i](http:j)"


def named(value: object, name: str) -> object:
    if isinstance(value, list):
        return [named(item, name) for item in value]
    return type(value)(str(value).replace(NAME, name)) if isinstance(value, str | Path) else value


def fit(text: str) -> bool:
    return text == plain_lines(text)


def test_every_command_tells_of_any_name(hostile_names, tmp_path, monkeypatch):
    assert {*PARAMETERS, "demo", "doctor"} == {*COMMANDS}  # the two take a number and an address
    monkeypatch.setenv("CAPTCHAS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PREFECT_API_URL")  # which `up` would name
    monkeypatch.chdir(tmp_path)
    for command, cases in PARAMETERS.items():
        module, _, name = COMMANDS[command][0].partition(":")
        function = getattr(importlib.import_module(module), name)
        for case in cases:
            for hostile in hostile_names:
                given = {key: named(value, hostile) for key, value in case.items()}
                with pytest.raises(CaptchasError) as error, checked(function, **given) as known:
                    assert not known, (command, given)
                    function(**given)
                assert plain(str(error.value)) == str(error.value), (command, given)
                str(error.value).encode()


AT_ONCE = {"solve", "inspect", "verify"}


@pytest.mark.parametrize(
    "command", [name if name in AT_ONCE else pytest.param(name, marks=pytest.mark.soak) for name in COMMANDS]
)
def test_the_shell_tells_of_any_name(captchas, hostile_names, tmp_path, command):
    first = [*COMMANDS].index(command)
    for hostile in ["\x1b]0;x\x07\r\n\u202e[/]\\[", *hostile_names[first::70]]:
        result = captchas(command, *(part.replace(NAME, hostile) for part in LINES[command]), "--home", tmp_path)
        assert result.returncode == 2
        assert fit(result.stderr) and result.stderr.count("\n") == 1 and not result.stdout


@pytest.fixture(scope="module")
def font(tmp_path_factory) -> Path:
    """A font whose file and whose family have hostile names."""
    path = tmp_path_factory.mktemp("fonts") / f"{EVIL}\x1b[31m\u202e.ttf"
    file = TTFont(bundled()["Inter Black"].path)
    for record in file["name"].names:
        if record.nameID in (1, 16):
            record.string = f"={EVIL}\x1b[31m"
    file.save(path)
    return path


@pytest.mark.slow
def test_what_is_made_under_hostile_names(captchas, font, tmp_path):
    """Drawn, listed, exported, learnt from, measured: the shell, and all that Prefect keeps, is fit."""
    home, data = tmp_path / "home", tmp_path / f"d\x1b[2J\n{EVIL}"
    model = tmp_path / f"m\x1b]0;\x07\r{EVIL}.skops"
    profile = tmp_path / f"p\x1b[31m{EVIL}.toml"
    profile.write_text('based_on = "book"\nname = "p"\nalphabet = "ABC"\nwords = ""\n')
    for line in (
        ("generate", profile, "--font", font, "--count", 200, "--out", data),
        ("generate", profile, "--font", font, "--count", 200, "--out", data, "--json"),
        ("inspect", data),
        ("export", data, "--format", "png", "--count", 9, "--csv-safe", "--out", data.with_name(f"{data.name}.png")),
        ("train", data, "--shows", 4000, "--pictures", 160, "--hidden", 4, "--out", model),
        ("inspect", model),
        ("evaluate", model, data),
        ("evaluate", model, data, "--json"),
    ):
        result = captchas(*line, "--home", home)
        assert result.returncode == 0, (line, result.stderr)
        assert fit(result.stdout) and fit(result.stderr), line
    (report,) = (home / "reports").glob("m*")
    table, scores = (report / "rates.csv").read_text(), (report / "report.json").read_text()
    assert "\nfont,'=" in table and fit(table) and fit(scores)
    assert json.loads(scores)["model"] == str(model)
    labels = data.with_name(f"{data.name}.png") / "labels.csv"
    assert ",'=" in labels.read_text(encoding="utf-8") and fit(labels.read_text(encoding="utf-8"))
    for what, fields in {
        "artifacts": ("key", "data", "description"), "logs": ("message", "name"), "flow_runs": ("name",),
        "task_runs": ("name",),
    }.items():  # fmt: skip
        rows = kept(what)
        assert rows
        for row in rows:
            for field in fields:
                assert fit(texts(row[field])), (what, field, row)
            assert fit(texts((row.get("state") or {}).get("message"))), row


def kept(what: str) -> list[dict]:
    """The rows that Prefect's server keeps, of all tests so far: 200 at most."""
    request = urllib.request.Request(
        f"{os.environ['PREFECT_API_URL']}/{what}/filter", b"{}", {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def texts(value: object) -> str:
    """All texts of a JSON value."""
    if isinstance(value, dict):
        return "\n".join(texts(item) for pair in value.items() for item in pair)
    return "\n".join(map(texts, value)) if isinstance(value, list) else str(value)
