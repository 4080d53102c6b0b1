"""Pictures in colour from and to other tools: import and export."""

import io
import json
import os
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from flows import ingest as command
from storage.dataset import Dataset
from storage.errors import BadInput, Different
from storage.exports import staging
from storage.shards.manifest import MANIFEST, Manifest
from storage.shards.shard import COLOUR_FORMAT, FORMAT, Block
from storage.shards.writer import write_shard
from tasks.datasets.folder import complete
from tasks.datasets.totals import Gathered
from tasks.exchange.export import ExportChoice, begin_export, examine, finish_export, plan_export
from tasks.exchange.export_part import export_part, prove_shard
from tasks.exchange.formats import ExportFormat
from tasks.exchange.ingest import colour_there, fill_jobs, fill_shard, require_same_files
from tasks.exchange.labels import find_labels
from tasks.exchange.preview import Preview, dry_report
from tasks.exchange.reimport import as_imported
from tasks.exchange.scan import ImportRequest, Listing, Source, scan_files
from tasks.loading.decode import Colour, Invert, decode_picture, decode_seen
from tasks.lowlevel.png_encoder import png

BOOK = Path(__file__).parents[2] / "golden" / "v1" / "book"
GROUND = (250, 250, 210)
COUNT = 12


@pytest.fixture(autouse=True, scope="module")
def without_waiting():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staging, "sync_filesystem", lambda _: None)
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Dataset:
    """Pictures of two sizes and any colours, with boxes."""
    rng = np.random.default_rng(4)
    drawn = Dataset(BOOK)
    block = drawn.head(COUNT)
    images = rng.integers(0, 256, (*block.images.shape, 3), np.uint8)
    folder = tmp_path_factory.mktemp("datasets") / "colours"
    folder.mkdir()
    record = write_shard(folder, 0, 0, [block._replace(images=images)], "{}", "run")
    manifest = replace(drawn.manifest, format=COLOUR_FORMAT, count=COUNT, content=record.content)
    replace(manifest, shards=[record.as_dict()]).write(folder)
    return Dataset(folder)


def exported(dataset: Dataset, out: Path, chosen: ExportFormat, **options) -> Path:
    choice = ExportChoice(chosen, **options)
    examine(dataset, choice, out)
    plan = plan_export(dataset, choice, out)
    begin_export(plan, out)
    unit = prove_shard if chosen is ExportFormat.HDF5 else export_part
    finish_export(plan, out, [unit(job) for job in plan.jobs])
    return out


def pixels(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.mode) == ("PNG", "RGB")
        return np.asarray(image)


@pytest.mark.parametrize("chosen", [ExportFormat.PNG, ExportFormat.GT, ExportFormat.TESSERACT, ExportFormat.COCO])
def test_picture_files_have_the_colours(dataset, tmp_path, chosen):
    out = exported(dataset, tmp_path / "out", chosen)
    files = {int(path.stem): pixels(path.read_bytes()) for path in out.rglob("*.png")}
    assert sorted(files) == list(range(COUNT))
    assert all((files[k] == dataset[k].image).all() for k in files)
    if chosen is ExportFormat.TESSERACT:
        height, width = dataset[0].image.shape[:2]
        box = next(out.rglob("*000.box")).read_text().splitlines()
        assert box[-1] == f"\t {width} {height} {width + 1} {height + 1} 0"
    if chosen is ExportFormat.COCO:
        for image in json.loads((out / "annotations.json").read_text())["images"]:
            assert (image["height"], image["width"]) == dataset[image["id"]].image.shape[:2]


def test_archives_have_them(dataset, tmp_path):
    out = exported(dataset, tmp_path / "out", ExportFormat.WEBDATASET)
    with tarfile.open(next(out.glob("*.tar"))) as archive:
        files = {member.name: archive.extractfile(member).read() for member in archive}
    assert [files[f"{k:09d}.txt"].decode() for k in range(COUNT)] == dataset[:].texts()
    assert all((pixels(files[f"{k:09d}.png"]) == dataset[k].image).all() for k in range(COUNT))


def test_parquet_and_hdf5_have_them(dataset, tmp_path):
    from pyarrow import parquet

    out = exported(dataset, tmp_path / "parquet", ExportFormat.PARQUET)
    rows = parquet.read_table(next(out.glob("*.parquet"))).to_pylist()
    assert all((pixels(row["image"]["bytes"]) == dataset[row["number"]].image).all() for row in rows)
    out = exported(dataset, tmp_path / "hdf5", ExportFormat.HDF5)
    with h5py.File(out / "dataset.h5") as file:
        assert (file["images"][...] == dataset[:].images).all()


def test_colours_are_not_turned_dark_on_white(dataset, tmp_path):
    with pytest.raises(BadInput, match=r"invert: turns ink dark on white, and the pictures of .* have colours"):
        examine(dataset, ExportChoice(ExportFormat.PNG, invert=True), tmp_path / "out")


# Imports.


def colour_of(ink: np.ndarray, letters: tuple[int, int, int] = (120, 20, 90)) -> np.ndarray:
    cover = ink[..., None].astype(int)
    return ((np.array(GROUND) * (255 - cover) + np.array(letters) * cover) // 255).astype(np.uint8)


@pytest.fixture
def folder(tmp_path) -> Callable[..., Path]:
    """`folder(coloured)`: pictures of three sizes, those numbered in `coloured` in colour and the others grey."""

    def made(coloured: set[int]) -> Path:
        out = tmp_path / "source"
        out.mkdir()
        for number in range(COUNT):
            picture = Dataset(BOOK)[number]
            shown = colour_of(picture.image) if number in coloured else 255 - picture.image
            (out / f"{number}_{picture.text}.png").write_bytes(png(shown))
        (out / "blank_BONE.png").write_bytes(png(np.full((9, 30, 3), 77, np.uint8)))
        return out

    return made


def source_of(folder: Path, colour: Colour, **options) -> Source:
    listing = Listing(ImportRequest(folder, "mine", find_labels(folder, pattern="last"), colour=colour, **options))
    return Source(listing, map(scan_files, listing.jobs()))


def brought_in(folder: Path, out: Path, colour: Colour, **options) -> Dataset:
    source = source_of(folder, colour, **options)
    require_same_files(source, out, out.with_name("records"))
    out.mkdir(exist_ok=True)
    gathered = Gathered(source.identity, source.wanted.labelling.as_dict())
    for job in fill_jobs(source, out, "run"):
        gathered.add(fill_shard(job))
    complete(out, gathered, "run")
    assert [path for path, _ in source.rejects] == ["blank_BONE.png"]
    return Dataset(out)


def files_of(folder: Path, data: Dataset) -> list[Path]:
    by_text = {path.stem.partition("_")[2]: path for path in folder.iterdir()}
    return [by_text[text] for text in data[:].texts()]


@pytest.mark.parametrize(
    ("coloured", "colour", "number"),
    [
        ({11}, Colour.AUTO, COLOUR_FORMAT),
        (set(), Colour.AUTO, FORMAT),
        (set(), Colour.KEEP, COLOUR_FORMAT),
        ({0, 11}, Colour.GREY, FORMAT),
    ],
)
def test_an_import_keeps_colours_or_makes_ink(folder, tmp_path, coloured, colour, number):
    source = folder(coloured)
    data = brought_in(source, tmp_path / "out", colour)
    assert data.manifest.format == number
    decode = decode_seen if number == COLOUR_FORMAT else decode_picture
    whole = data[:]
    for k, path in enumerate(files_of(source, data)):
        wanted = decode(path.read_bytes())
        assert (data[k].image == wanted).all()
        height, width = wanted.shape[:2]
        around = whole.images[k].copy()
        around[:height, :width] = around[-1, -1]
        if (height, width) != around.shape[:2]:  # the canvas goes on as the picture's ground, or without ink
            ground = GROUND if int(path.stem.partition("_")[0]) in coloured else (255, 255, 255)
            assert (around == (ground if number == COLOUR_FORMAT else 0)).all()
    if number == COLOUR_FORMAT:
        assert set(data.manifest.source) == {"pictures", "digest", "loader", "labels"}


def test_auto_without_colours_is_the_dataset_that_grey_makes(folder, tmp_path):
    source = folder(set())
    assert source_of(source, Colour.AUTO).identity == source_of(source, Colour.GREY).identity
    assert source_of(source, Colour.KEEP).identity != source_of(source, Colour.GREY).identity


def test_a_lost_shard_is_filled_again_with_the_same_bytes(folder, tmp_path):
    source = folder({3})
    data = brought_in(source, tmp_path / "out", Colour.AUTO)
    sealed = data.path(0).read_bytes()
    data.path(0).unlink()
    again = as_imported(data.folder, source)
    assert (again["colour"], again["invert"]) == (Colour.KEEP, Invert.AUTO)
    jobs = fill_jobs(source_of(source, again["colour"]), data.folder, "run", data.manifest)
    assert [fill_shard(job).drawn for job in jobs] == [True]
    assert data.path(0).read_bytes() == sealed
    with pytest.raises(Different, match=r"format: 2 there, 1 wanted"):
        brought_in(source, tmp_path / "out", Colour.GREY)


def test_auto_follows_the_dataset_that_is_there(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("CAPTCHAS_HOME", str(tmp_path / "home"))
    source = folder({3})

    def chosen(out: str, **options) -> Colour:
        request = command.IngestRequest(source, pattern="last", out=tmp_path / out, name="mine", **options)
        return command.check(request)[0].colour

    assert chosen("grey") is chosen("grey", colour=Colour.AUTO) is Colour.AUTO
    brought_in(source, tmp_path / "grey", Colour.GREY)
    brought_in(source, tmp_path / "kept", Colour.KEEP)
    assert (colour_there(tmp_path / "grey"), colour_there(tmp_path / "none")) == (Colour.GREY, None)
    (tmp_path / "kept" / MANIFEST).unlink()  # killed before it was written
    assert colour_there(tmp_path / "kept") is Colour.KEEP
    assert [chosen(out, colour=Colour.AUTO) for out in ("grey", "kept")] == [Colour.GREY, Colour.KEEP]
    # Which side is ink is a question of ink.
    assert chosen("new", colour=Colour.AUTO, invert=Invert.YES) is Colour.GREY
    with pytest.raises(BadInput, match="invert: tells which side is ink, and --colour keep makes no ink; it is yes"):
        chosen("new", colour=Colour.KEEP, invert=Invert.YES)


def test_what_people_see_before_and_after_an_import(folder, tmp_path):
    source = folder(set(range(COUNT)))
    for colour, shown in ((Colour.AUTO, True), (Colour.KEEP, True), (Colour.GREY, False)):
        wanted = ImportRequest(source, "mine", find_labels(source, pattern="last"), colour=colour)
        report = dry_report(Listing(wanted), tmp_path / colour.value)
        assert report["colour"] is shown
        with Image.open(tmp_path / colour.value / "pairs.png") as sheet:
            there = {bytes(pixel) for row in np.asarray(sheet.convert("RGB")) for pixel in row}
        assert (bytes(GROUND) in there) is shown
    assert Preview(wanted, Listing(wanted).pairs).images[0].ndim == 2


def test_the_split_follows_from_the_pixels(folder, tmp_path):
    """Equal pictures in files of other kinds share a split."""
    source = folder({3})
    for path in list(source.glob("*.png")):
        Image.open(path).save(path.with_suffix(".bmp"))
    (source / "blank_BONE.bmp").unlink()
    data = brought_in(source, tmp_path / "out", Colour.AUTO)
    block: Block = data[:]
    split = {}
    for image, number in zip(map(bytes, block.images), block.split.tolist(), strict=True):
        assert split.setdefault(image, number) == number
    assert (len(split), len(block.images)) == (COUNT, 2 * COUNT)
    assert Manifest.read(data.folder).statistics["distinct"]["pictures"] == COUNT
