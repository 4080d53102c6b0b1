"""Commands on folders and datasets whose names hold whatever a file's name may hold."""

import csv
import json
import os
import unicodedata
from collections import Counter
from pathlib import Path

import pyarrow.parquet
import pytest

from storage.shards.manifest import Manifest
from storage.texts import plain
from tasks.datasets.recipe import make_recipe, renderer_of
from tasks.lowlevel.png_encoder import png
from tasks.profiles.built_in import find_profile

# Prefect and what it brings warn while they are imported; that is theirs.
pytestmark = pytest.mark.filterwarnings("ignore")
FOLDER = "in\x1b[31m\u202e[red] \\[bold]|`<b>"  # as an argument, which must be UTF-8


def fit(text: str) -> bool:
    return all(unicodedata.category(letter) not in {"Cc", "Cf", "Cs"} for letter in text if letter != "\n")


@pytest.fixture(scope="module")
def inbox(hostile_names, tmp_path_factory) -> Path:
    """A file of each name: a picture of a word, or no picture."""
    folder = tmp_path_factory.mktemp("hostile") / FOLDER
    folder.mkdir()
    images = renderer_of(make_recipe(find_profile("book"), 5)).block(5, 0).images
    for number, name in enumerate(hostile_names):
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_bytes(b"no picture" if number % 3 == 0 else png(images[number % 20]))
    return folder


@pytest.mark.slow
def test_every_file_of_an_inbox_has_its_row(captchas, inbox, hostile_names, tmp_path):
    home = tmp_path / FOLDER
    command = ("solve", inbox, "--settle", "0.1", "--home", home)
    first = captchas(*command)
    assert first.returncode == 0, first.stderr
    assert fit(first.stdout) and fit(first.stderr)
    formats = {"csv": _csv, "jsonl": _jsonl, "parquet": _parquet}
    for suffix, read in formats.items():
        out = tmp_path / f"answers.{suffix}"
        result = captchas(*command, "--out", out, "--json", "--again")
        assert result.returncode == 0, result.stderr
        assert fit(result.stdout) and result.report["rows"] == {"solved": 133, "failed": 67}
        wanted = [name.encode("utf-8", "backslashreplace").decode() for name in hostile_names]
        assert Counter(read(out)) == Counter(wanted if suffix == "parquet" else hostile_names)


def _csv(out: Path) -> list[str]:
    with out.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        return [row["path"] for row in csv.DictReader(file)]


def _jsonl(out: Path) -> list[str]:
    return [json.loads(line)["path"] for line in out.read_bytes().splitlines()]


def _parquet(out: Path) -> list[str]:
    return pyarrow.parquet.read_table(out)["path"].to_pylist()


@pytest.mark.slow
def test_a_safe_csv_is_written_anew_and_back(captchas, inbox, tmp_path):
    out, home = tmp_path / "answers.csv", tmp_path / "home"
    command = ("solve", inbox, "--settle", "0.1", "--home", home, "--out", out, "--json")
    assert captchas(*command).returncode == 0
    before = out.read_bytes()
    assert captchas(*command, "--csv-safe").returncode == 0
    safe = _csv(out)
    assert {"'=1+1.png", "'+1.png", "'-1.png", "'@SUM(A1).png", "'\t.png", "'\r.png", "'---.png"} <= {*safe}
    assert not [path for path in safe if path.startswith(tuple("=+-@\t\r\n"))]
    assert captchas(*command).returncode == 0
    assert out.read_bytes() == before
    assert b"\n=1+1.png," in before


@pytest.mark.soak  # test_hostile_commands.py has the parts, without a shell
def test_datasets_of_hostile_names(captchas, inbox, hostile_names, tmp_path):
    """Imported, listed, shown and proven; a name that is not UTF-8 is a reject."""
    home = tmp_path / "home"
    result = captchas("import", inbox, "--pattern", "(?s)(?P<label>p)ng", "--name", "x", "--home", home)
    assert result.returncode == 2  # no name is `png` alone
    assert fit(result.stdout) and fit(result.stderr)
    source = tmp_path / FOLDER
    source.mkdir()
    good = [path for path in inbox.rglob("*") if path.suffix == ".png" and path.read_bytes() != b"no picture"]
    for path in good:
        name = os.fsencode(path.name).decode("utf-8", "replace")
        (source / f"{name.replace('_', '-')[:60]}_BONE.png").write_bytes(path.read_bytes())
    (source / "\udcff_BONE.png").write_bytes(good[0].read_bytes())
    result = captchas(
        "import", source, "--home", home, "--name", "mine", "--workers", 1, "--json", "--pattern", "*_{label}"
    )
    assert result.returncode == 0, result.stderr
    assert fit(result.stdout)
    assert {"path": "\\xff_BONE.png", "reason": "the name is not UTF-8; rename it"} in result.report["rejects"]
    folder = home / "datasets" / "mine"
    hostile = folder.rename(folder.with_name(FOLDER))
    (folder.with_name("\udcff\x1b[2J")).mkdir()
    for command in (("datasets",), ("inspect", FOLDER), ("inspect", hostile), ("verify", hostile)):
        for options in ((), ("--json",)):
            result = captchas(*command, *options, "--home", home)
            assert result.returncode == 0, (command, result.stderr)
            assert fit(result.stdout) and fit(result.stderr), command
    listed = captchas("datasets", "--home", home, "--json").report["datasets"]
    assert {row["name"] for row in listed} == {FOLDER, "\udcff\x1b[2J"}
    manifest = Manifest.read(hostile)
    manifest.software["[31m[/]\\[\u2066"] = "\u202e[red]\u2028|<b>"
    manifest.write(hostile)
    result = captchas("inspect", hostile, "--home", home)
    assert result.returncode == 0, result.stderr
    assert fit(result.stdout) and plain("[31m[/]\\[\u2066 \u202e[red]\u2028|<b>") in result.stdout
    (hostile / "\udcff\x1b[2J[/]|".replace("/", "\\")).write_text("foreign")
    for options in ((), ("--json",), ("--repair", "--source", source)):
        result = captchas("verify", hostile, *options, "--home", home)
        assert result.returncode == (0 if "--repair" in options else 1), result.stderr
        assert fit(result.stdout) and fit(result.stderr) and "\\udcff" in result.stdout
    missing = captchas("inspect", plain(FOLDER) + "\x1b[/]\\[", "--home", home)
    assert missing.returncode == 2 and fit(missing.stderr)
