"""What a name given to `captchas audit` means, and that a name which means nothing, or several things, is refused."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from flows.auditing.target import draw_target, find_target
from storage.errors import BadInput, CaptchasError, NotThere
from storage.shards.manifest import Manifest
from tasks.exchange.ingest import require_imported
from tasks.profiles.built_in import find_profile

GOLDEN = Path(__file__).parents[2] / "golden" / "v1" / "book"
DRAWS = """
import os
from PIL import Image
_SIZE = 3
def loads(): pass
def draw_captcha(text, rng):
    return Image.fromarray(rng.integers(0, 256, (12, 40), "uint8"))
def _hidden(): pass
"""


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """An empty working directory with a home."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CAPTCHAS_HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "datasets").mkdir(parents=True)
    return tmp_path


def find(target=None, command=None, alphabet=None, lengths=None, seed=1):
    return find_target(target, command, alphabet=alphabet, lengths=lengths, seed=seed)


def pictures(folder: Path) -> None:
    folder.mkdir(parents=True)
    for text in ("ABC", "BCD", "CDE"):
        Image.effect_noise((30, 12), 80).save(folder / f"{text}.png")


def drawn(folder: Path) -> None:
    """Put a dataset there, of the profile `book`."""
    shutil.copytree(GOLDEN, folder)


def test_profiles_are_found_by_name_and_by_file(place):
    found = find("hard", seed=5)
    assert (found.kind, found.name, found.seed, found.profile) == ("profile", "hard", 5, find_profile("hard"))
    assert found.folder == place / "home" / "datasets" / "hard"
    (place / "mine.toml").write_text('based_on = "book"\nlength = [3, 3]\n')
    found = find("mine.toml")
    assert (found.kind, found.name, found.profile.length) == ("profile", "mine", (3, 3))


def test_datasets_are_found_by_name_and_by_path(place):
    drawn(place / "home" / "datasets" / "tiny")
    drawn(place / "far")
    for given, name in (("tiny", "tiny"), ("far", "far"), ("./far", "far"), (str(place / "far"), "far")):
        found = find(given)
        assert (found.kind, found.name, found.profile.name) == ("dataset", name, "book")
        data, record = draw_target(found, 100, 0.0)
        assert (len(data), record) == (data.manifest.count, None)


def test_a_target_that_changed_tells_how_it_is_audited_again(place, monkeypatch):
    """There is no `--out` for the dataset of an audit."""
    monkeypatch.setattr("flows.auditing.target.ingest", lambda _folder, out, **_: require_imported(out))
    drawn(place / "home" / "datasets" / "mine")
    pictures(place / "mine")
    found = find("./mine")
    with pytest.raises(BadInput, match="captchas datasets --remove mine") as refused:
        draw_target(found, 10, 0.0)
    assert "--out" not in str(refused.value)


@pytest.mark.parametrize("option", ["--labels FILE", "--columns a,b"])
def test_a_folder_with_unclear_labels_is_sent_to_import(place, monkeypatch, option):
    """An audit has no options for labels."""
    pictures(place / "mine")

    def refuse(*_, **__):
        raise BadInput(f"names: say where the labels are: {option}")

    monkeypatch.setattr("flows.auditing.target.ingest", refuse)
    with pytest.raises(BadInput, match=r"captchas import \./mine …, captchas audit mine"):
        draw_target(find("./mine"), 10, 0.0)


def test_a_dataset_of_a_profile_is_the_profile_with_its_seed(place):
    drawn(place / "home" / "datasets" / "book")
    found = find("book", seed=9)
    assert (found.kind, found.seed) == ("profile", Manifest.read(GOLDEN).seed)


def test_folders_of_pictures_are_found(place):
    pictures(place / "my shots")
    found = find("my shots")
    assert (found.kind, found.name, found.sources) == ("folder", "my-shots", (place / "my shots",))
    assert found.folder == place / "home" / "datasets" / "my-shots"


def test_what_a_former_audit_drew_is_found_by_its_name_with_its_labels(place, monkeypatch):
    """Its pictures' names are numbers, and its table of labels lies beside other files."""
    folder = place / "home" / "datasets" / "mine-1234.drawn"
    pictures(folder / "pictures")
    for name in ("generator.json", "labels.csv"):
        (folder / name).touch()
    taken = []
    monkeypatch.setattr("flows.auditing.target.ingest", lambda source, **options: taken.append((source, options)))
    monkeypatch.setattr("flows.auditing.target.Dataset", lambda *_: None)
    for given in ("mine-1234.drawn", str(folder)):
        found = find(given)
        assert (found.kind, found.name) == ("folder", "mine-1234-drawn")
        draw_target(found, 10, 0.0)
    assert [(source, options["labels"]) for source, options in taken] == [(folder, folder / "labels.csv")] * 2
    assert {options["zeros"] for _, options in taken} == {"keep"}  # numbers are what the generator drew


def test_a_name_that_means_several_things_is_refused_with_ways_to_say_each(place):
    pictures(place / "hard")
    drawn(place / "home" / "datasets" / "hard")
    with pytest.raises(BadInput) as error:
        find("hard")
    assert str(error.value) == (
        "target 'hard': means several things (a profile: give a .toml file with based_on = 'hard'; a dataset: give "
        "./home/datasets/hard; a folder of pictures: give ./hard)"
    )
    assert find("./hard").kind == "folder"
    assert find("./home/datasets/hard").kind == "dataset"


@pytest.mark.parametrize(
    ("options", "kind", "said"),
    [
        ({}, BadInput, "target: must be a profile, a dataset, a folder of labelled pictures, or your own generator"),
        ({"target": "hard", "command": "true"}, BadInput, "give one of them"),
        ({"target": " "}, BadInput, "give one of them"),
        ({"target": "hrad"}, NotThere, "nothing has that name; did you mean 'hard'?; it must be"),
        ({"target": "hrad"}, NotThere, "datasets under the home: none"),
        ({"target": "own.py"}, BadInput, "name the function that draws: own.py:draw_captcha, own.py:loads"),
        ({"target": "own"}, BadInput, "name the function that draws: own:draw_captcha, own:loads"),
        ({"target": "draw.php"}, BadInput, "say how it is run: --command 'php draw.php {text} {out}'"),
        ({"target": "one.png"}, BadInput, "is a file; it must be"),
        ({"target": "compiled"}, BadInput, "say how it is run: --command './compiled {text} {out}'"),
        ({"target": "empty"}, BadInput, "is a folder without any file"),
        ({"target": "hard", "alphabet": "ABC"}, BadInput, "alphabet: says what to ask your own generator for"),
        ({"target": "hard", "lengths": (4,)}, BadInput, "length: says what to ask your own generator for"),
        ({"target": "x" * 5000}, BadInput, "target: must be a profile, a dataset"),
        ({"target": "own:" + "x" * 5000}, BadInput, "target: must be a profile, a dataset"),
        ({"command": "x" * 5000}, BadInput, "command: must name a program"),
        ({"target": "own:darw"}, BadInput, "own has no 'darw'; it has"),
        ({"target": "absent.toml"}, NotThere, "nothing has that name"),
        ({"target": "ftp://there/x"}, BadInput, "must begin with s3://"),
    ],
)
def test_what_is_missing_is_told_with_candidates(place, options, kind, said):
    (place / "own.py").write_text(DRAWS)
    (place / "draw.php").write_text("<?php\n")
    (place / "compiled").write_bytes(b"\x7fELF")
    (place / "compiled").chmod(0o755)
    Image.new("L", (3, 3)).save(place / "one.png")
    (place / "empty").mkdir()
    with pytest.raises(CaptchasError) as error:
        find(**options)
    assert said in str(error.value)
    assert isinstance(error.value, kind)


@pytest.mark.slow
def test_an_owners_generator_has_a_folder_of_its_own(place, monkeypatch):
    (place / "own.py").write_text(DRAWS)
    found = find("own:draw_captcha", alphabet="ABC", lengths=(3,), seed=4)
    assert (found.kind, found.name, found.given) == ("callable", "own-draw_captcha", "own:draw_captcha")
    assert found.folder == place / "home" / "datasets" / f"own-draw_captcha-{found.generator.digest[:8]}"
    monkeypatch.setattr("flows.auditing.target.stage", _Silent)
    data, record = draw_target(found, 12, float("inf"), workers=1)
    assert (len(data), record["drawn"], record["redraws"]) == (12, 12, True)
    assert set("".join(data[:12].texts())) <= set("ABC")
    assert Manifest.read(found.folder).profile["name"] == "own-draw_captcha"
    (folder,) = found.sources
    assert len(list(folder.rglob("*.png"))) == 12
    (place / "own.py").write_text(DRAWS.replace("(12, 40)", "(13, 40)"))
    assert find("own.py:draw_captcha", alphabet="ABC", lengths=(3,), seed=4).folder != found.folder
    command = find(command="perl draw.pl {text} {out}")
    assert (command.kind, command.name) == ("command", "perl")


class _Silent:
    """A stage of which nobody is told."""

    def __init__(self, name: str, total: int, until: float):
        self.done = 0

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def advance(self, count: int) -> None:
        self.done += count
