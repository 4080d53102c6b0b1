"""`captchas import` as people run it, and what it says of mistakes before anything is read."""

from pathlib import Path

import pytest

from storage.dataset import Dataset
from storage.errors import BadInput, Different, NotThere
from storage.shards.manifest import Manifest
from tasks.datasets import generate
from tasks.datasets.folder import complete
from tasks.datasets.recipe import Recipe, renderer_of
from tasks.datasets.totals import Gathered
from tasks.exchange import ingest
from tasks.exchange.labels import find_labels
from tasks.exchange.scan import ImportRequest, Listing, Source, scan_files
from tasks.lowlevel.png_encoder import png

# Prefect and what it brings warn while they are imported; that is theirs.
pytestmark = pytest.mark.filterwarnings("ignore")

COUNT = 1300


@pytest.fixture(scope="module")
def pictures(recipe: Recipe, tmp_path_factory) -> Path:
    """1,300 small pictures, and two files that are none."""
    folder = tmp_path_factory.mktemp("source") / "my pictures"
    (folder / "more").mkdir(parents=True)
    renderer = renderer_of(recipe)
    for number in range(2):
        block = renderer.block(7, number)
        for k, text in enumerate(block.texts()[: COUNT - 1024 * number]):
            height, width = block.parameters[k]["height"], block.parameters[k]["width"]
            path = folder / ("more" if k % 2 else "") / f"{text}-{1024 * number + k}.png"
            path.write_bytes(png(255 - block.images[k, :height, :width]))
    (folder / "broken-1.png").write_bytes(b"\x89PNG")
    (folder / "notes.txt").write_text("where they are from")
    return folder


def by_hand(folder: Path, out: Path) -> Manifest:
    """The same import in this process."""
    listing = Listing(ImportRequest(folder, "mine", find_labels(folder, pattern="{label}-*")))
    source = Source(listing, map(scan_files, listing.jobs()))
    out.mkdir()
    gathered = Gathered(source.identity, source.wanted.labelling.as_dict())
    for job in ingest.fill_jobs(source, out, "run"):
        gathered.add(ingest.fill_shard(job))
    return complete(out, gathered, "run")


def test_a_folder_becomes_a_dataset(captchas, pictures, tmp_path):
    command = ("import", pictures, "--pattern", "{label}-*", "--name", "mine", "--workers", 2, "--home", tmp_path / "h")
    result = captchas(*command, "--json")
    assert result.returncode == 0, result.stderr
    report = result.report
    folder = tmp_path / "h" / "datasets" / "mine"
    assert (report["pictures"], report["filled"], report["kept"], report["rejected"]) == (COUNT, COUNT, 0, 2)
    assert [row["path"] for row in report["rejects"]] == ["broken-1.png", "notes.txt"]
    assert (report["alphabet"], report["dataset"]) == ("ABC", str(folder))
    expected = by_hand(pictures, tmp_path / "by hand")
    assert Dataset(folder).manifest == expected
    assert report["content"] == expected.content
    assert sorted(path.name for path in folder.parent.iterdir()) == ["mine", "mine.lock"]
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "shard-000000-1300.h5"]
    records = tmp_path / "h" / "reports" / "import" / "mine"
    assert [str(records / name) for name in ("pictures.jsonl", "rejects.csv")] == report["files"]
    assert len((records / "rejects.csv").read_text().splitlines()) == 3
    result = captchas("inspect", "mine", "--home", tmp_path / "h", "--json")
    assert result.returncode == 0, result.stderr
    assert (result.report["pictures"], result.report["source"]) == (COUNT, expected.source)
    # Its repair reads the folder again.
    shard = folder / "shard-000000-1300.h5"
    sealed = shard.read_bytes()
    shard.write_bytes(sealed[:-100])
    (folder / "notes.txt").write_text("mine")
    repair = ("verify", "mine", "--repair", "--workers", 1, "--home", tmp_path / "h")
    result = captchas(*repair)
    assert result.returncode == 2 and "--source FOLDER" in result.stderr
    result = captchas(*repair, "--source", pictures, "--json")
    assert result.returncode == 0, result.stderr
    assert shard.read_bytes() == sealed and Dataset(folder).manifest == expected
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", shard.name]
    foreign = folder.with_name("mine.foreign")
    assert sorted(path.name for path in foreign.iterdir()) == ["notes.txt", shard.name]


def test_a_dry_run_shows_five_pairs_and_imports_nothing(captchas, pictures, tmp_path):
    home = tmp_path / "h"
    command = ("import", pictures, "--pattern", "first", "--name", "mine", "--dry-run", "--home", home)
    result = captchas(*command, "--json")
    assert result.returncode == 0, result.stderr
    report = result.report
    assert (report["dry_run"], report["pictures"], len(report["pairs"])) == (True, COUNT + 1, 5)
    assert all(Path(pair["picture"]).name.startswith(pair["label"] + "-") for pair in report["pairs"])
    assert not (home / "datasets").exists()
    assert [path.name for path in (home / "reports" / "import" / "mine").iterdir()] == ["pairs.png"]


def test_names_with_two_readings_are_refused_with_both(captchas, tmp_path):
    folder = tmp_path / "s"
    folder.mkdir()
    for first, last in zip(("kvbn", "wqzx", "hjmt", "plsd"), ("BONE", "DUCK", "TREE", "MOON"), strict=True):
        (folder / f"{first}_{last}.png").write_bytes(b"")
    result = captchas("import", folder, "--home", tmp_path / "h", "--json")
    assert result.returncode == 2
    for text in ("--pattern '{label}_*' reads 'hjmt'", "--pattern '*_{label}' reads 'TREE'"):
        assert text in result.stderr


@pytest.fixture
def check(monkeypatch, tmp_path):
    from flows.ingest import IngestRequest, check

    monkeypatch.setenv("CAPTCHAS_HOME", str(tmp_path / "home"))
    return lambda folder, **options: check(IngestRequest(folder, **options))


def test_names_and_places(check, pictures, tmp_path):
    wanted, target = check(pictures)
    assert (wanted.name, target) == ("my-pictures", tmp_path / "home" / "datasets" / "my-pictures")
    assert wanted.folder == pictures
    wanted, target = check(pictures, name="mine", out=tmp_path / "there")
    assert (wanted.name, target) == ("mine", tmp_path / "there")
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"folder": "{}/none"}, NotThere, "none: no such folder"),
        ({"folder": "{}/notes.txt"}, BadInput, "notes.txt is a file, not a folder"),
        ({"labels": "{}/none.csv"}, NotThere, "none.csv: no such file"),
        ({"labels": "{}/notes.txt", "pattern": "{label}"}, BadInput, "one of them at most"),
        ({"pattern": "*"}, BadInput, "pattern '*': must have {label} once"),
        ({"pattern": "(?P<label>"}, BadInput, "is no regular expression"),
        ({"columns": "image"}, BadInput, "columns: must be two names with a comma between"),
        ({"columns": "a,a"}, BadInput, "it is 'a,a'"),
        ({"columns": "a,b", "pattern": "first"}, BadInput, "columns and pattern: one of them at most"),
        ({"name": "a/b"}, BadInput, "name: must be letters, digits, - and _ only"),
        ({"alphabet": "AA"}, BadInput, "alphabet: must be every character once; A comes again"),
        ({"alphabet": "A B"}, BadInput, "no blank or control characters"),
        ({"out": "{}/inside"}, BadInput, "out: must be outside the folder that is imported"),
    ],
)
def test_a_mistake_is_told_before_anything_is_read(check, pictures, options, error, said):
    options = {key: value.replace("{}", str(pictures)) for key, value in ({"folder": "{}"} | options).items()}
    options = {
        key: value if key in ("pattern", "columns", "name", "alphabet") else Path(value)
        for key, value in options.items()
    }
    with pytest.raises(error) as raised:
        check(options.pop("folder"), **options)
    assert said in str(raised.value)


def test_a_home_inside_the_folder_is_refused(check, monkeypatch, pictures, tmp_path):
    monkeypatch.setenv("CAPTCHAS_HOME", str(pictures / "data"))
    with pytest.raises(BadInput, match="home: must be outside the folder"):
        check(pictures, out=tmp_path / "out")


def test_a_drawn_dataset_of_that_name_is_refused(check, pictures, recipe, tmp_path):
    folder = tmp_path / "home" / "datasets" / "drawn"
    folder.mkdir(parents=True)
    gathered = Gathered(recipe.identity)
    gathered.add(generate.draw_shard(generate.DrawJob(recipe, str(folder), 0, 0, 100, "run")))
    complete(folder, gathered, "run")
    with pytest.raises(Different, match="holds a drawn dataset, of profile 'small'"):
        check(pictures, name="drawn")
