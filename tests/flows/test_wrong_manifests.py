"""Manifests whose digest fits and whose fields are wrong: whatever reads them refuses them and says why."""

import copy
import hashlib
import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from flows.evaluate import measurement
from flows.train import TrainRequest, check
from storage.dataset import Dataset
from storage.errors import CaptchasError, Damaged
from storage.shards import manifest as module
from storage.shards.manifest import MANIFEST, Manifest
from storage.texts import canonical
from tasks.datasets.describe import datasets_under, describe_dataset
from tasks.datasets.generate import plan_drawing
from tasks.datasets.inventory import inventory, require_dataset
from tasks.datasets.judge import judge
from tasks.datasets.prove import proof_jobs, prove_all
from tasks.datasets.recipe import make_recipe
from tasks.exchange.ingest import require_imported
from tasks.exchange.reimport import as_imported
from tasks.profiles.built_in import BUILT_IN

GOLDEN = Path(__file__).parents[1] / "golden" / "v1"
KINDS = ("hard", "imported")
NESTED: list = []
for _ in range(60):
    NESTED = [NESTED]
GONE = object()  # the field is left out
WRONG = (
    GONE, None, True, -1, 0, 10**18, 10**30, 10**4000, 1.5, float("nan"), float("inf"), "", "x",
    "\x1b[31mred\n\x00", "../../x", "é" * 20_000, [], ["x"], [None], NESTED, {}, {"x": 1}, {"\x1b]0;x": [{}]},
)  # fmt: skip


def seal(folder: Path, content: dict) -> None:
    """Write a manifest whose digest is right, whatever it says."""
    digest = hashlib.sha256(canonical(content).encode()).hexdigest()
    (folder / MANIFEST).write_text(json.dumps(content | {"digest": digest}))


def fields_of(value: object, above: tuple = ()) -> Iterator[tuple]:
    """The path of every field, and of three entries of a long table."""
    yield above
    if isinstance(value, dict):
        for key in list(value)[: 3 if above[-1:] == ("letters",) else None]:
            yield from fields_of(value[key], (*above, key))
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from fields_of(item, (*above, number))


def changed(content: dict, path: tuple, value: object) -> dict:
    content = copy.deepcopy(content)
    place = content
    for key in path[:-1]:
        place = place[key]
    if value is GONE:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return content


def content_of(kind: str) -> dict:
    content = json.loads((GOLDEN / kind / MANIFEST).read_text())
    del content["digest"]
    return content


@pytest.fixture(params=KINDS)
def dataset(request, tmp_path, monkeypatch) -> tuple[Path, dict]:
    monkeypatch.setenv("CAPTCHAS_HOME", str(tmp_path))
    folder = tmp_path / "datasets" / request.param
    shutil.copytree(GOLDEN / request.param, folder)
    return folder, content_of(request.param)


def readers(folder: Path, recipe) -> list[Callable]:
    """Everything that reads a manifest before it works on pictures."""

    def verified() -> None:
        found = inventory(folder)
        judge(found, prove_all(tuple(proof_jobs(found))))

    return [
        lambda: describe_dataset(folder, folder.parent / "sheet.png"),
        lambda: check(TrainRequest([str(folder)])),
        lambda: measurement("ladder", str(folder)),
        lambda: require_dataset(folder, drawing=True),
        lambda: plan_drawing(recipe, folder, 40, "run"),
        lambda: require_imported(folder),
        lambda: as_imported(folder, folder),
        lambda: Dataset(folder)[0],
        verified,
    ]


@pytest.mark.parametrize("dataset", [pytest.param("hard", marks=pytest.mark.slow), "imported"], indirect=True)
def test_no_wrong_field_ends_in_a_traceback(dataset):
    folder, content = dataset
    recipe = make_recipe(BUILT_IN["letters"], 1)
    refused, believed, chance = 0, 0, random.Random(15)
    for path in list(fields_of(content))[1:]:
        tried, distrusted = 0, False
        for value in chance.sample(WRONG, 6):
            seal(folder, changed(content, path, value))
            try:
                Manifest.read(folder)
            except Damaged as error:
                refused += 1
                assert str(error).startswith(f"{folder / MANIFEST}: ")
                assert len(str(error)) < 1000 and str(error).isprintable()
                # It opens each shard, so only once a field.
                distrusted = distrusted or bool(inventory(folder).distrust)
                assert distrusted
            else:
                believed, tried = believed + 1, tried + 1
                for read in readers(folder, recipe) if tried == 1 else ():
                    with suppress(CaptchasError):
                        read()
            (row,) = datasets_under(folder.parent)
            assert row["name"] == folder.name and row["state"]
    assert refused > 200
    assert believed < refused / 4


@pytest.mark.parametrize("path", [("colour",), ("shards", 0, "colour")], ids=str)
def test_a_field_that_no_manifest_has_is_refused(dataset, path):
    folder, content = dataset
    seal(folder, changed(content, path, "red"))
    with pytest.raises(Damaged, match=r"no other keys than .*; it is 'colour'"):
        Manifest.read(folder)


def test_a_message_names_the_field_the_rule_and_the_value(dataset):
    folder, content = dataset
    for path, value, said in (
        (("shards", 0, "sha256"), "A" * 64, "shards[0].sha256: must be 64 lower-case hexadecimal digits; it is 'AAA"),
        (("seed",), 1 << 63, f"seed: must be a whole number from 0 to {2**63 - 1}; it is {2**63}"),
        (("profile", "length"), [5, 4], "profile.length: must be [shortest, longest]; it is [5, 4]"),
        (("profile", "alphabet"), "ABA", "profile.alphabet: must be of characters that each come once; it is 'ABA'"),
        (("statistics", "splits", "train"), "7", "statistics.splits.train: must be a whole number from 0 to"),
        (("profile", "words"), "/etc/passwd", "profile.words: must be '', 'web2' or 'list'"),
        (("profile", "height"), GONE, "profile: must be a table with the key 'height'; it is ['alphabet', "),
    ):
        seal(folder, changed(content, path, value))
        with pytest.raises(Damaged) as error:
            Manifest.read(folder)
        assert said in str(error.value)
        assert "captchas verify DATASET --repair rebuilds it" in str(error.value)


def test_the_list_of_datasets_goes_on_after_a_sick_one(tmp_path):
    for kind in ("book", *KINDS):
        shutil.copytree(GOLDEN / kind, tmp_path / kind)
    seal(tmp_path / "book", content_of("book") | {"profile": 7})
    (tmp_path / "pipe").mkdir()
    os.mkfifo(tmp_path / "pipe" / MANIFEST)
    (tmp_path / "loop").mkdir()
    (tmp_path / "loop" / MANIFEST).symlink_to(MANIFEST)
    states = {row["name"]: row["state"] for row in datasets_under(tmp_path)}
    assert list(states) == ["book", "hard", "imported", "loop", "pipe"]
    assert states["book"].startswith("damaged: ") and "profile: must be a table; it is 7" in states["book"]
    assert states["hard"] == states["imported"] == "complete"
    assert states["loop"].startswith("damaged: ")
    assert "a pipe" in states["pipe"]


def test_a_manifest_too_large_for_any_dataset_is_not_read(tmp_path):
    shutil.copytree(GOLDEN / "book", tmp_path / "book")
    with (tmp_path / "book" / MANIFEST).open("ab") as file:
        file.truncate(10**9)  # a hole, which takes no disk
    with pytest.raises(Damaged, match=r"it has 1\.0 GB and is larger than the 300\.0 MB"):
        Manifest.read(tmp_path / "book")
    assert inventory(tmp_path / "book").named == ()


def test_a_manifest_that_cannot_be_reached_is_not_to_be_rebuilt(tmp_path):
    """No repair shortens a name, or makes a folder of a file."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "ring").symlink_to("ring")
    for folder, advice in (
        ("n" * 256, "a shorter name"), ("d/" * 2100, "fewer others"), ("ring", "remove the link"),
        ("file", "a file stands"),
    ):  # fmt: skip
        with pytest.raises(Damaged, match=advice) as error:
            Manifest.read(tmp_path / folder)
        assert "repair" not in str(error.value)


@pytest.mark.parametrize("text", ['{"digest": ' * 500 + "1" + "}" * 500, '{"digest": 1' + "0" * 5000 + "}", "[" * 990])
def test_json_that_is_hard_to_parse_is_damaged(tmp_path, text):
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(Damaged):
        Manifest.read(tmp_path)
    with suppress(ValueError, RecursionError):
        module.load(tmp_path / MANIFEST)
