"""A target that has changed is audited anew in the same folder; another target of its name has a folder of its own."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from flows.auditing.states import place_at_home, settle
from flows.auditing.target import AuditTarget, find_target
from storage.audits import save_audit
from tasks.datasets.generate import DrawJob, draw_shard
from tasks.datasets.recipe import make_recipe
from tasks.profiles.built_in import find_profile

GOLDEN = Path(__file__).parents[2] / "golden" / "v1" / "book"
RESULT = {"schema": 1, "made": {}, "target": {}, "verdict": {}, "attackers": []}
CHANGED = "has changed since its last audit"


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CAPTCHAS_HOME", str(tmp_path / "home"))
    return tmp_path


def pictures(folder: Path, *texts: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for text in texts:
        Image.new("L", (30, 12), len(text)).save(folder / f"{text}.png")


def audited(given: str, **options) -> AuditTarget:
    """Audit a target as far as its dataset, and finish."""
    asked = {"alphabet": None, "lengths": None, "seed": 1} | options
    target, folder = place_at_home(find_target(given, None, **asked))
    settled = settle(target, folder)
    save_audit(folder, RESULT, None, "20261127T181500Z")
    return settled


def test_a_folder_that_changed_has_another_dataset_and_says_so(place, capsys):
    pictures(place / "shots", "ABC", "DEF")
    first = audited("shots")
    first.folder.mkdir(parents=True)
    assert audited("shots").folder == first.folder
    assert capsys.readouterr().err == ""
    pictures(place / "shots", "GHI")
    second = audited("shots")
    assert second.folder != first.folder and second.folder.name.startswith("shots-")
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and CHANGED in said and "history" in said
    assert (audited("shots").folder, capsys.readouterr().err) == (second.folder, "")
    (place / "shots" / "GHI.png").unlink()
    assert audited("shots").folder not in (first.folder, second.folder) or first.folder.exists()
    assert [path.name for path in (place / "home" / "audits").iterdir()] == ["shots"]


def test_a_profile_that_changed_has_another_dataset_and_says_so(place, capsys):
    (place / "mine.toml").write_text('based_on = "book"\nlength = [3, 3]\n')
    first = audited("mine.toml")
    recipe = make_recipe(first.profile, first.seed)
    first.folder.mkdir(parents=True)
    draw_shard(DrawJob(recipe, str(first.folder), 0, 0, 5, "run"))
    assert audited("mine.toml").folder == first.folder  # of a run that was ended, too
    assert CHANGED not in capsys.readouterr().err
    (place / "mine.toml").write_text('based_on = "book"\nlength = [4, 4]\n')
    second = audited("mine.toml")
    assert second.folder.parent == first.folder.parent and second.folder.name.startswith("mine-")
    assert CHANGED in capsys.readouterr().err


@pytest.mark.slow
def test_a_generator_whose_helper_changed_is_another_and_says_so(place, capsys):
    (place / "draw.py").write_text("import inks\ndef draw(text, rng):\n    from later import size\n    return text\n")
    (place / "inks.py").write_text("INK = 1\n")
    (place / "later.py").write_text("size = 1\n")
    folders = [audited("draw.py:draw").folder]
    for name in ("inks.py", "later.py"):
        (place / name).write_text("INK = size = 2\n")
        folders.append(audited("draw.py:draw").folder)
        assert CHANGED in capsys.readouterr().err
    (place / "other.py").write_text("that = 1\n")
    folders.append(audited("draw:draw").folder)  # the same function, and what nobody imports
    assert capsys.readouterr().err == ""
    assert len(set(folders[:3])) == 3
    assert [path.name for path in (place / "home" / "audits").iterdir()] == ["draw-draw"]


@pytest.mark.slow
def test_a_generator_that_is_asked_for_other_texts_has_not_changed(place, capsys):
    (place / "draw.py").write_text("def draw(text, rng): return text\n")
    folders = {audited("draw.py:draw", alphabet=alphabet).folder for alphabet in ("ABC", "ABCD")}
    assert len(folders) == 2
    assert capsys.readouterr().err == ""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["folder", "callable", "profile", "dataset"])
def test_two_targets_of_one_name_share_nothing(place, capsys, monkeypatch, kind):
    found = []
    for parent in ("a", "b", "a"):
        root = place / parent
        pictures(root / "shots", "ABC")
        (root / "draw.py").write_text("def draw(text, rng): return text\n")
        (root / "mine.toml").write_text('based_on = "book"\nlength = [3, 3]\n')
        shutil.copytree(GOLDEN, root / "data", dirs_exist_ok=True)
        given = {"folder": "shots", "callable": "draw.py:draw", "profile": "mine.toml", "dataset": "./data"}[kind]
        monkeypatch.chdir(root)
        found.append(audited(given))
    names = [path.name for path in sorted((place / "home" / "audits").iterdir())]
    assert (found[0].name, found[2].name) == (names[0], names[0]) and found[1].name == names[1]
    assert len(names) == 2
    if kind in ("folder", "callable"):
        assert found[0].folder != found[1].folder
    assert CHANGED not in capsys.readouterr().err


def test_a_dataset_of_which_a_run_was_ended_is_no_reason_to_refuse(place):
    """The run that goes on finds sealed shards without a manifest."""
    recipe = make_recipe(replace(find_profile("book"), length=(3, 3)), 1)
    folder = place / "home" / "datasets" / "book"
    folder.mkdir(parents=True)
    draw_shard(DrawJob(recipe, str(folder), 0, 0, 5, "run"))
    found = find_target("book", None, alphabet=None, lengths=None, seed=1)
    assert (found.kind, found.folder) == ("profile", folder)
