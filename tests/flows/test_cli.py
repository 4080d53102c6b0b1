"""The command line: help, versions, exit codes, and no traceback for a user's mistake."""

import io
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from flows.__main__ import main
from flows.shell.commands import COMMANDS
from storage.models import save_model
from tasks.reading import networks as classifier
from tasks.reading.features import FEATURES, SIZE
from tasks.shipped import SHIPPED

ROOT = Path(__file__).parents[2]
GOLDEN = str(Path(__file__).parents[1] / "golden" / "v1" / "book")  # a dataset

# Prefect and what it brings warn while they are imported; that is theirs.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def here(capsys, monkeypatch):
    """Run a command that never gets as far as Prefect in this process: a second instead of four."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["captchas", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        report = json.loads(out) if "--json" in arguments and not ended.value.code else None
        return SimpleNamespace(returncode=ended.value.code or 0, stdout=out, stderr=err, report=report)

    return run


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_help_reads_well(here, command):
    result = here(*([command] if command else []), "--help")
    assert result.returncode == 0, result.stderr
    assert "Usage: captchas" in result.stdout
    for option in ("--home", "--json"):
        assert option in result.stdout
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("explain", "WHAT is missing"),
        ("nosuch", "nosuch"),
        ("preview book --cuont 3", "--cuont"),
        ("solve a.png --cuont 3", "--cuont"),
        ("generate book --count many", "many"),
        ("datasets --home", "--home"),
    ],
)
def test_a_mistake_in_the_options_is_told_to_programs_too(here, line, said):
    result = here(*line.split(), "--json")
    told = json.loads(result.stdout)
    assert (result.returncode, told["exit_code"]) == (2, 2)
    assert said in told["error"] and said in result.stderr


def test_version(here):
    (first, *_) = re.findall(r"^## (\d\S*)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    written = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert here("--version").stdout.strip() == written == first


def test_profiles_lists_fields_and_font_paths(here, tmp_path):
    profiles = {profile["name"]: profile for profile in here("profiles", "--json").report["profiles"]}
    assert set(profiles) >= {"letters", "book"}
    assert profiles["book"]["shear"] == {"start": 0, "stop": 450, "step": 50}
    assert profiles["book"]["scale"] == {"start": 50, "stop": 140, "step": 10}
    assert profiles["book"]["canvas"] == [42, 140]
    assert all(Path(path).is_file() for profile in profiles.values() for path in profile["font_path"])
    fonts = here("profiles", "--fonts", "--json").report["fonts"]
    assert len(fonts) >= 10
    own = tmp_path / "own.toml"
    own.write_text('based_on = "book"\nfonts = ["Karla ExtraBold"]\nshear = 100\n')
    assert here("profiles", own, "--json").report["profiles"][0]["shear"]["stop"] == 100


def test_an_empty_home_has_no_datasets(here, tmp_path):
    assert here("datasets", "--home", tmp_path, "--json").report["datasets"] == []


@pytest.fixture(scope="module")
def mistakes(tmp_path_factory) -> Path:
    """A folder of things that are wrong."""
    folder = tmp_path_factory.mktemp("mistakes")
    (folder / "bad.toml").write_text('based_on = "book"\nshaer = 3\n')
    (folder / "range.toml").write_text('based_on = "book"\nscale = {start = 5, stop = 900, step = 10}\n')
    (folder / "words.txt").write_bytes("BONE\nCAFÉ\n".encode("latin-1"))
    (folder / "foreign.txt").write_text("BONE\nNAÏVE\n")
    (folder / "lower.toml").write_text('name = "lower"\nalphabet = "AB☃"\n')
    (folder / "clipped.toml").write_text('based_on = "book"\nwidth = 60\n')
    (folder / "empty").mkdir()
    (folder / "model.skops").write_bytes(b"this is no model")
    networks = {classifier.LETTERS: classifier.build((4,), 1), classifier.GATE: classifier.build((4,), 1)}
    for network, (size, classes) in zip(networks.values(), ((SIZE, 27), (SIZE, 2)), strict=True):
        X = np.random.default_rng(1).integers(0, 256, (classes, size)) / 255
        network.partial_fit(X, range(classes), classes=range(classes))
    provenance = {"classes": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "features": FEATURES, "gate": 0.0}
    provenance["calibration"] = {"none": [0.0] * 21}
    save_model(folder / "fine.skops", networks, provenance)
    save_model(folder / "other.skops", networks, provenance | {"features": 99})
    save_model(folder / "bare.skops", networks, {"classes": provenance["classes"]})
    whole = (folder / "other.skops").read_bytes()
    (folder / "damaged.skops").write_bytes(whole[:5000] + bytes([whole[5000] ^ 4]) + whole[5001:])
    (folder / "pictures").mkdir()
    (folder / "pictures" / "a.png").write_bytes(b"")
    return folder


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("generate", "bok"), ["profile 'bok'", "letters, book", "did you mean 'book'?"]),
        (("generate", "book", "--count", "0"), ["count: must be from 1 to 16,384,000,000; it is 0"]),
        (("generate", "book", "--seed", "-1"), ["seed", "-1"]),
        (("generate",), ["PROFILE is missing", "captchas generate --help"]),
        (("import",), ["FOLDER is missing", "captchas import --help"]),
        (("generate", "book", "--count"), ["--count: needs a value"]),
        (("verify", "--dataset"), ["--dataset: needs a value"]),
        (("generate", "book", "5"), ["generate: takes no argument '5' there", "captchas generate --help"]),
        (("generate", "book", "--conut", "5"), ["--conut", "--count"]),
        (("generate", "book", "--font", "Inter Blakc"), ["font 'Inter Blakc'", "did you mean 'Inter Black'?"]),
        (("generate", "book", "--font", "{}/none.ttf"), ["none.ttf: no such file"]),
        (("generate", "{}/bad.toml"), ["unknown key 'shaer'", "did you mean 'shear'?"]),
        (("generate", "{}/range.toml"), ["scale", "from 10 to 400 percent", "900"]),
        (("generate", "{}/absent.toml"), ["absent.toml: no such file"]),
        (("generate", "{}/lower.toml"), ["no glyph for ☃"]),
        (("generate", "{}/clipped.toml"), ["'WAWA'", "reaches 34 px past the right edge at shear 450"]),
        (("generate", "book", "--words", "{}/words.txt"), ["line 2", "0xc9", "not UTF-8"]),
        (("generate", "book", "--words", "{}/foreign.txt"), ["line 2", "'Ï'", "alphabet"]),
        (("train", "nothing"), ["no complete dataset"]),
        (("train",), ["name one or more datasets, or give --ladder"]),
        (("train", GOLDEN, "--ladder"), ["name one or more datasets, or give --ladder"]),
        (("train", GOLDEN, "--shows", "0"), ["shows: must be 1 or more; it is 0"]),
        (("train", GOLDEN, "--pictures", "5", "--pictures", "0"), ["pictures: must be 1 or more; it is 0"]),
        (("train", GOLDEN, "--hidden", "5000"), ["hidden: must be one to four layers of 1 to 4096 units"]),
        (("train", "--ladder", "--pictures", "5", "--pictures", "6"), ["one for each of 11 datasets; it is (5, 6)"]),
        (("train", "book", "--threshold", "0.8"), ["--threshold"]),
        (("evaluate", "nothing", "book"), ["nothing.skops"]),
        (("evaluate", "{}/empty", "book"), ["empty: is a folder; give the file of a model"]),
        (("evaluate", "{}/fine.skops"), ["name a dataset, or give --ladder"]),
        (("evaluate", "{}/fine.skops", GOLDEN, "--ladder"), ["name a dataset, or give --ladder"]),
        (("evaluate", "{}/fine.skops", "nothing"), ["no complete dataset"]),
        (("solve", "{}/pictures", "--model", "{}/model.skops"), ["is neither a classic model"]),
        (("solve", "{}/pictures", "--model", "{}/damaged.skops"), ["damaged.skops", "differ"]),
        (("solve", "{}/pictures", "--model", "{}/absent.skops"), ["absent.skops"]),
        (("solve", "{}/absent"), ["absent: no such file or folder"]),
        (("solve", "{}/pictures", "--abstain-below", "2"), ["from 0 to 1"]),
        (("solve", "{}/pictures", "--model", "{}/bare.skops"), ["record lacks features, gate, calibration"]),
        (("solve", "{}/pictures", "--model", "{}/fine.skops", "--length", "four"), ["such as 4-6; it is 'four'"]),
        (("solve", "{}/pictures", "--model", "{}/fine.skops", "--length", "4-"), ["such as 4-6; it is '4-'"]),
        (("solve", "{}/pictures", "--length", "0-3"), ["length: must be from 1 to 32 letters", "it is '0-3'"]),
        (("solve", "{}/pictures", "--length", "6-4"), ["the shortest first; it is '6-4'"]),
        (
            ("solve", "{}/pictures", "--model", "{}/fine.skops", "--alphabet", "AB12", "--dictionary", "none"),
            ["letters that the model knows", "'1', '2'"],
        ),
        (("solve", "{}/pictures", "--model", "{}/fine.skops", "--alphabet", "AB12"), ["letters that the model knows"]),
        (("reproduce", "--words", "0"), ["words: must be from 1 to 5006; it is 0"]),
        (("reproduce", "--words", "9999"), ["words: must be from 1 to 5006; it is 9999"]),
        (("solve", "fol\udcff"), ["must be UTF-8"]),
        (("solve", "{}/pictures", "--out", "{}/words.txt/a.csv"), ["words.txt cannot be a folder"]),
        (("solve", "{}/pictures", "--settle", "3601"), ["settle: must be from 0 to 3600 seconds; it is 3601"]),
        (("solve", "{}/pictures", "--settle", "-1"), ["settle: must be from 0 to 3600 seconds; it is -1"]),
        (("solve", "{}/pictures", "--move-to", "{}/pictures/done"), ["move-to: must neither lie in the folder"]),
        (("solve", "{}/pictures", "--move-to", "{}/words.txt"), ["move-to: must be a folder", "words.txt is a file"]),
        (("solve", "{}/pictures", "--format", "xml"), ["--format", "xml"]),
        (("inspect", "{}/damaged.skops"), ["damaged.skops", "differ"]),
        (("inspect", "{}/model.skops"), ["is neither a classic model"]),
        (("serve", "{}/damaged.skops"), ["damaged.skops", "differ"]),
        (("serve", "{}/bare.skops"), ["record lacks"]),
        (("solve", "{}/pictures", "--again", "--keep"), ["keep: keeps the answers that --again reads again"]),
        (("inspect", "nothing"), ["neither a dataset", "nor a model"]),
        (("verify", "--source", "{}/empty", "--repair"), ["source: goes with one dataset; name it"]),
        (("regenerate", "bok"), ["profile 'bok'", "did you mean 'book'?"]),
        (
            ("regenerate", "--count", "1", "--count", "2", "--count", "3"),
            ["one for each of 2 profiles; it is [1, 2, 3]"],
        ),
        (("regenerate", "--count", "0"), ["count: must be from 1 to 16,384,000,000; it is 0"]),
        (("regenerate", "--model", "../x"), ["model: must be a name under"]),
        (("up", "--port", "70000"), ["port: must be from 0 (any free port) to 65535; it is 70000"]),
        (("datasets", "--remove", "nothing"), ["no dataset 'nothing'"]),
        (("profiles", "boook"), ["did you mean 'book'?"]),
        (("preview", "boook"), ["did you mean 'book'?"]),
        (("preview", "{}/bad.toml"), ["unknown key 'shaer'", "did you mean 'shear'?"]),
        (("preview", "{}/absent.toml"), ["absent.toml: no such file"]),
        (("preview", "{}/clipped.toml", "--out", "{}/clipped.toml"), ["out: must not be a file that is read"]),
        (("preview", "book", "--count", "1025"), ["count: must be from 1 to 1,024 pictures; it is 1025"]),
        (("preview", "book", "--count", "0"), ["count: must be from 1 to 1,024 pictures; it is 0"]),
        (("preview", "book", "--seed", "-1"), ["seed", "-1"]),
    ],
)
def test_a_mistake_is_told_with_exit_code_2(here, mistakes, tmp_path, arguments, said):
    result = here(*(argument.replace("{}", str(mistakes)) for argument in arguments), "--home", tmp_path)
    assert result.returncode == 2, result.stderr
    for words in said:
        assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    assert not (tmp_path / "datasets").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("inspect", "n" * 300), ("inspect", f"{'n' * 300}.skops"), ("verify", "n" * 300), ("solve", "n" * 300),
        ("evaluate", "n" * 300, "book"), ("train", "n" * 300), ("export", "n" * 300, "--format", "png"),
        ("datasets", "--remove", "n" * 300), ("import", "é" * 200),
    ],
)  # fmt: skip
def test_a_name_that_is_too_long_is_told(here, tmp_path, arguments):
    result = here(*arguments, "--home", tmp_path)
    assert result.returncode == 2
    (line,) = result.stderr.splitlines()
    assert "bytes" in line and "255" in line and "Errno" not in line
    told = here(*arguments, "--home", tmp_path, "--json")
    assert json.loads(told.stdout)["exit_code"] == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("datasets", "--home", "ring"), ("datasets", "--home", "ring/below"), ("solve", "a.png", "--out", "ring"),
        ("solve", "a.png", "--out", "ring/answers.csv"), ("serve", "--home", "ring"),
    ],
)  # fmt: skip
def test_a_link_that_leads_to_itself_is_told(here, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    for name in ("PREFECT_API_URL", "PREFECT_HOME"):  # with a server of the user's no home is made
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CAPTCHAS_HOME", "data")  # and restored
    Path("ring").symlink_to("ring")
    Path("a.png").write_bytes(b"")
    result = here(*arguments)
    assert result.returncode == 2
    (line,) = result.stderr.splitlines()
    assert "ring" in line and "a link in it leads to itself" in line


def test_a_home_that_cannot_be_one_is_told(here, mistakes, monkeypatch):
    monkeypatch.delenv("PREFECT_API_URL")  # with a server of the user's nothing is made there
    monkeypatch.delenv("PREFECT_HOME")
    result = here("datasets", "--home", mistakes / "words.txt")
    assert result.returncode == 2
    assert "--home: must be a folder; it is" in result.stderr and "words.txt is no folder; correct" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_model_of_other_features_is_refused(here, mistakes, tmp_path):
    result = here("solve", mistakes / "pictures", "--model", mistakes / "other.skops", "--home", tmp_path)
    assert result.returncode == 2
    assert "features version 99" in result.stderr
    assert "train it again" in result.stderr
    assert "Traceback" not in result.stderr


def test_without_any_model_it_says_which_file_is_missing(here, mistakes, tmp_path, monkeypatch):
    """Wherever the shipped one is: it stands in for those under the home, and is looked for by its name too."""
    monkeypatch.setattr("flows.solve_request.SHIPPED", tmp_path / SHIPPED.name)
    result = here("solve", mistakes / "pictures", "--home", tmp_path)
    assert result.returncode == 2
    assert f"{SHIPPED.name}: no such file; train a model with `captchas train`" in result.stderr
    monkeypatch.setattr("flows.home.SHIPPED", tmp_path / SHIPPED.name)
    result = here("solve", mistakes / "pictures", "--model", "ladder", "--home", tmp_path)
    assert result.returncode == 2
    assert f"{SHIPPED.name}: no such file" in result.stderr


def test_removing_asks_first(here, monkeypatch, tmp_path):
    folder = tmp_path / "datasets" / "old"
    folder.mkdir(parents=True)
    drawn = folder.with_name("old.drawn")  # by an owner's generator
    drawn.mkdir()
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    result = here("datasets", "--remove", "old", "--home", tmp_path)
    assert result.returncode == 2
    assert "--yes" in result.stderr
    assert folder.exists()
    assert here("datasets", "--remove", "old", "--yes", "--home", tmp_path).returncode == 0
    assert not folder.exists()
    assert not drawn.exists()


def test_only_datasets_are_removed(here, tmp_path):
    """Somebody keeps pictures there, to import them."""
    (mine := tmp_path / "datasets" / "mine").mkdir(parents=True)
    (mine / "ABCD.png").write_text("x")
    (tmp_path / "datasets" / "link").symlink_to("mine")
    for name, said in (("mine", "holds files, and no manifest or shard"), ("link", "is a link to mine")):
        result = here("datasets", "--remove", name, "--yes", "--home", tmp_path)
        assert (result.returncode, said in result.stderr) == (2, True), result.stderr
    assert (mine / "ABCD.png").is_file()


@pytest.mark.parametrize("arguments", [("--version",), ("--help",), (), ("profiles",), ("profiles", "hard")])
def test_what_only_tells_writes_nothing(tmp_path, arguments):
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "CAPTCHAS_", "XDG"))}
    root = Path(__file__).parents[2]
    clean |= {"HOME": str(tmp_path), "PYTHONPATH": str(root), "NUMBA_CACHE_DIR": str(tmp_path / "numba")}
    command = [sys.executable, "-B", "-m", "flows", *arguments]
    run = subprocess.run(command, env=clean, cwd=tmp_path, capture_output=True, check=True)
    assert run.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_command_line_imports_nothing_heavy():
    program = "import sys, json, flows.__main__; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout)
    assert (
        set(loaded) & {"prefect", "dask", "distributed", "sklearn", "scipy", "matplotlib", "numba", "numpy", "pydantic"}
        == set()
    )


def test_nothing_of_prefect_is_imported_for_small_commands():
    modules = "flows.profiles, flows.datasets, flows.describe, flows.preview"
    program = f"import sys, json, {modules}; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout)
    assert "prefect" not in loaded
    assert "distributed" not in loaded
