"""The real command on a damaged dataset: the table, the exit codes, and a repair that leaves nothing to find."""

import json
import shutil

import pytest

from flows.workers.roster import ClusterLost
from storage.errors import BadInput, Busy, NotThere, Unwritable
from storage.files.locks import locked
from storage.shards.shard import BLOCK, shard_name
from tasks.datasets import generate
from tasks.datasets.folder import complete
from tasks.datasets.inventory import inventory
from tasks.datasets.judge import judge
from tasks.datasets.prove import proof_jobs, prove
from tasks.datasets.recipe import make_recipe
from tasks.datasets.totals import Gathered
from tasks.profiles.built_in import find_profile

# Prefect and what it brings warn while they are imported; that is theirs.
pytestmark = pytest.mark.filterwarnings("ignore")

NAMES = [shard_name(number, BLOCK) for number in range(3)]


@pytest.fixture
def letters(tmp_path):
    """A home with a small dataset, of a block a shard; returns the dataset's folder."""
    folder = tmp_path / "home" / "datasets" / "letters"
    folder.mkdir(parents=True)
    recipe = make_recipe(find_profile("letters"), 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generate, "BLOCKS_A_SHARD", 1)
        gathered = Gathered(recipe.identity)
        for job in generate.plan_drawing(recipe, folder, 3 * BLOCK, "run").jobs:
            gathered.add(generate.draw_shard(job))
        complete(folder, gathered, "run")
    return folder


def test_what_is_wrong_is_told_with_exit_code_1_and_repaired_with_0(captchas, letters):
    whole = {path.name: path.read_bytes() for path in letters.iterdir()}
    (letters / NAMES[0]).write_bytes(whole[NAMES[0]][:-1])
    (letters / NAMES[1]).unlink()
    shutil.copy(letters / NAMES[2], letters / NAMES[1])  # a copy of the last one under the name of the lost one
    (letters / "notes.txt").write_text("mine")
    before = {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in letters.iterdir()}
    home = letters.parents[1]

    result = captchas("verify", "letters", "--redraw", "--home", home, "--json")
    assert result.returncode == 1
    said = " ".join(result.stderr.split())
    assert "is not whole (1 damaged, 1 duplicate, 1 foreign); `captchas verify letters --repair` mends them" in said
    assert "Traceback" not in result.stderr
    report = json.loads(result.stdout)
    assert {row["what"]: row["state"] for row in report["findings"]} == {
        NAMES[0]: "damaged", NAMES[1]: "duplicate", "notes.txt": "foreign"
    }  # fmt: skip
    assert {row["done"] for row in report["findings"]} == {"-"}
    assert (report["pictures"], report["shards"], report["found_whole"]) == (3 * BLOCK, 3, 1)
    assert {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in letters.iterdir()} == before

    result = captchas("verify", "letters", "--repair", "--home", home)
    assert result.returncode == 0, result.stderr
    assert "drawn again, digest proven" in " ".join(result.stdout.split())
    assert {path.name: path.read_bytes() for path in letters.iterdir()} == whole
    assert sorted(path.name for path in letters.parent.iterdir()) == ["letters", "letters.foreign", "letters.lock"]
    aside = {path.name: path.read_bytes() for path in (letters.parent / "letters.foreign").iterdir()}
    assert aside == {name: before[name][1] for name in (*NAMES[:2], "notes.txt")}
    found = inventory(letters)
    assert judge(found, [prove(job) for job in proof_jobs(found)]).findings == ()


def test_mistakes_are_told_before_anything_runs(letters, monkeypatch):
    from flows.requests import checked
    from flows.verify import VerifyRequest, check, verify

    monkeypatch.setenv("CAPTCHAS_HOME", str(letters.parents[1]))
    assert check(VerifyRequest("letters", repair=True)) == letters
    assert check(VerifyRequest(str(letters))) == letters
    for parameters, error, message in (
        ({"dataset": "nothing"}, NotThere, "nothing: no dataset there"),
        ({"workers": 0}, BadInput, "workers: must be 1 or more; it is 0"),
        ({"font": ["Inter Black"]}, BadInput, "font: .* goes with --redraw or --repair"),
        ({"words": ""}, BadInput, "words: must not be empty; give a value, or leave it out"),
        ({"words": "list.txt"}, BadInput, "words: .* goes with --redraw or --repair"),
    ):
        with pytest.raises(error, match=message), checked(verify, **{"dataset": "letters"} | parameters):
            pass


@pytest.mark.parametrize("repair", [False, True])
def test_a_dataset_that_is_being_made_is_busy(letters, repair):
    from flows.verify import verify

    with locked(letters), pytest.raises(Busy, match="another run is working on it"):
        verify.fn(str(letters), repair=repair)


@pytest.mark.slow
def test_one_of_all_that_is_in_use_is_not_called_damaged(captchas, letters):
    shutil.copytree(letters, letters.with_name("other"))
    home = letters.parents[1]
    with locked(letters):
        result = captchas("verify", "--home", home, "--json")
    assert result.returncode == 1
    assert "1 of 2 datasets are in use, the others whole" in " ".join(result.stderr.split())
    states = {row["dataset"]: row["state"] for row in json.loads(result.stdout)["datasets"]}
    assert states == {"letters": "in use", "other": "whole"}


def test_a_lost_cluster_ends_the_run_over_all(letters, monkeypatch):
    """Rather than that every dataset after it is called damaged."""
    from flows import verify

    def lost(folder, **_):
        raise ClusterLost("the scheduler is gone")

    monkeypatch.setenv("CAPTCHAS_HOME", str(letters.parents[1]))
    monkeypatch.setattr(verify, "verify", lost)
    with pytest.raises(ClusterLost):
        verify._all(False, False)


def test_a_folder_that_cannot_be_locked_is_read_and_not_repaired(letters, monkeypatch):
    from flows import verify

    class Passed(Exception):
        pass

    def refuse(folder):
        raise Unwritable("a read-only disk")

    def passed(folder):
        raise Passed

    class Logger:
        def info(self, *_):
            pass

    monkeypatch.setattr(verify, "locked", refuse)
    monkeypatch.setattr(verify, "inventory", passed)
    monkeypatch.setattr(verify, "get_run_logger", Logger)
    with pytest.raises(Passed):
        verify.verify.fn(str(letters))
    with pytest.raises(Unwritable):
        verify.verify.fn(str(letters), repair=True)
