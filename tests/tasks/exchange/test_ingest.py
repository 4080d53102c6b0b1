import csv
import json
import os
import shutil
import zlib
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import h5py
import numpy as np
import pytest
from isal import isal_zlib
from PIL import Image

from storage.dataset import Dataset
from storage.errors import BadInput, Damaged, Different, GlyphsDiffer
from storage.models import load_model, model_digest
from storage.shards.manifest import MANIFEST, Manifest
from storage.shards.shard import BLOCK, SPLITS
from tasks.datasets import generate
from tasks.datasets.describe import datasets_under, describe_dataset
from tasks.datasets.folder import complete
from tasks.datasets.recipe import make_recipe, renderer_of, require_same
from tasks.datasets.statistics import SIGMAS
from tasks.datasets.totals import Gathered
from tasks.exchange import ingest, rejects, scan
from tasks.exchange.import_records import PICTURES, REJECTS, write_records
from tasks.exchange.ingest import fill_jobs, fill_shard, require_same_files
from tasks.exchange.labelling import Labelling, LabelOptions, Zeros
from tasks.exchange.labels import find_labels
from tasks.exchange.preview import dry_report
from tasks.exchange.reimport import as_imported
from tasks.exchange.scan import ImportRequest, Listing, Source, scan_files
from tasks.loading.decode import Colour, Invert, load_picture
from tasks.lowlevel.deflate import compress
from tasks.lowlevel.png_encoder import png
from tasks.profiles.built_in import find_profile
from tasks.profiles.word_lists import load_words
from tasks.reading.reader import Reader
from tasks.scoring import report as reports
from tasks.scoring.evaluate import EvaluateJob, read_shard
from tasks.shipped import SHIPPED
from tasks.training import calibrate, told_splits
from tasks.training.outcome import OutcomeJob, read_validation, require_validation
from tasks.training.settings import Settings
from tasks.training.spool import gather, jobs_of

COUNT = 1500


@pytest.fixture(scope="module")
def drawn():
    """1,500 of the book's pictures: images, heights and widths, texts."""
    renderer = renderer_of(make_recipe(find_profile("book"), 1))
    blocks = [renderer.block(1, 0), renderer.block(1, 1, COUNT - BLOCK)]
    sizes = np.concatenate([np.stack([b.parameters["height"], b.parameters["width"]], axis=1) for b in blocks])
    return np.concatenate([b.images for b in blocks]), sizes.astype(int), [t for b in blocks for t in b.texts()]


@pytest.fixture(scope="module")
def pictures(drawn, tmp_path_factory) -> Path:
    """The same as PNG files that are named for what they show."""
    folder = tmp_path_factory.mktemp("source") / "pictures"
    for k, (image, (height, width), text) in enumerate(zip(*drawn, strict=True)):
        path = folder / str(k % 3) / f"{k:06d}_{text}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(255 - image[:height, :width]))
    return folder


def measured(folder: Path, turned: bool = False, **options) -> Source:
    labelling = options.pop("labelling", None) or find_labels(folder)
    listing = Listing(ImportRequest(folder, options.pop("name", "pictures"), labelling, **options))
    receipts = [scan_files(job) for job in listing.jobs()]
    return Source(listing, reversed(receipts) if turned else receipts)


def brought_in(folder: Path, out: Path, turned: bool = False, **options) -> tuple[Source, Gathered]:
    """What the flow does, without Dask and Prefect; `turned` does every job in reverse order."""
    source = measured(folder, turned, **options)
    records = out.with_name(out.name + " records")
    require_same_files(source, out, records)
    write_records(source, records)
    out.mkdir(parents=True, exist_ok=True)
    gathered = Gathered(source.identity, source.wanted.labelling.as_dict())
    jobs = fill_jobs(source, out, "run")
    for job in reversed(jobs) if turned else jobs:
        gathered.add(fill_shard(job))
    complete(out, gathered, "run")
    return source, gathered


@pytest.fixture(scope="module")
def imported(pictures, tmp_path_factory) -> Dataset:
    out = tmp_path_factory.mktemp("imported") / "pictures"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generate, "BLOCKS_A_SHARD", 1)
        brought_in(pictures, out)
    return Dataset(out)


def test_labels_are_packed_so_that_equal_ones_have_equal_bytes(imported):
    """By our own encoder: isal was seen to make another stream of the same labels now and then."""
    with h5py.File(next(iter(sorted(imported.folder.glob("shard-*.h5"))))) as file:
        text = file["text"]
        _, packed = text.id.read_direct_chunk((0,) * text.ndim)
        whole = np.frombuffer(zlib.decompress(packed), np.uint8)
    assert packed == compress(whole) != isal_zlib.compress(whole, 1)


@pytest.fixture
def copied(imported, tmp_path) -> Path:
    """The dataset and its records, to be spoilt."""
    records = imported.folder.with_name("pictures records")
    shutil.copytree(records, tmp_path / "pictures records")
    return Path(shutil.copytree(imported.folder, tmp_path / "pictures"))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def state(folder: Path) -> dict[str, tuple]:
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}


def paths_of(dataset: Dataset) -> list[str]:
    """The file of each picture, as the import recorded it."""
    text = (dataset.folder.with_name(dataset.folder.name + " records") / PICTURES).read_text()
    return [json.loads(line)[0] for line in text.splitlines()]


def numbers_of(dataset: Dataset) -> list[int]:
    """The number, in `drawn`, of each picture."""
    return [int(Path(path).name[:6]) for path in paths_of(dataset)]


def few(folder: Path, texts: str = "ABCAB", salt: int = 0) -> Path:
    """Small pictures, different ones, of single letters."""
    folder.mkdir(parents=True, exist_ok=True)
    for k, text in enumerate(texts):
        image = np.zeros((8, 9), np.uint8)
        image[2:6, 2:7] = np.random.default_rng([salt, k]).integers(1, 255, (4, 5))
        image[3, 3] = 255
        (folder / f"{k}_{text}.png").write_bytes(png(255 - image))
    return folder


# The same ink, and the promises of a drawn dataset.


def test_the_stored_ink_is_the_drawn_ink(drawn, imported):
    images, sizes, texts = drawn
    whole, numbers = imported.head(COUNT), numbers_of(imported)
    assert len(imported) == COUNT == len(set(numbers))
    assert whole.images.shape == (COUNT, *sizes.max(axis=0))
    for image, k in zip(whole.images, numbers, strict=True):
        height, width = sizes[k]
        assert np.array_equal(image[:height, :width], images[k, :height, :width])
        assert not image[height:].any()
        assert not image[:, width:].any()
    assert whole.texts() == [texts[k] for k in numbers]
    assert whole.parameters.dtype == np.dtype([("height", "<u2"), ("width", "<u2")])
    assert np.array_equal(np.stack([whole.parameters["height"], whole.parameters["width"]], axis=1), sizes[numbers])
    assert whole.boxes.shape == (COUNT, 4, 4)
    assert whole.boxes.dtype == np.int16
    assert (whole.boxes == -1).all()


def test_the_files_left_behind_and_the_manifest(pictures, imported):
    manifest = imported.manifest
    assert names(imported.folder) == [MANIFEST, "shard-000000-1024.h5", "shard-000001-476.h5"]
    assert names(imported.folder.parent) == ["pictures", "pictures records"]
    source = manifest.source
    lines = (imported.folder.with_name("pictures records") / PICTURES).read_bytes()
    assert source["digest"] == sha256(lines).hexdigest()
    assert (source["pictures"], source["ink"], source["loader"]) == (COUNT, {"invert": "auto"}, 4)
    assert "pattern" in source["labels"]
    assert manifest.fonts == []
    assert (manifest.words, manifest.renderer, manifest.seed) == (None, 0, 0)
    assert manifest.profile == {
        "name": "pictures", "alphabet": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "words": "", "length": [4, 4], "height": 42,
        "width": 140,
    }  # fmt: skip
    text = (imported.folder / MANIFEST).read_text()
    assert str(pictures) not in text
    assert str(pictures.parent) not in text
    for path, label, digest in map(json.loads, lines.splitlines()[:50]):
        assert Path(path).stem.endswith(f"_{label}")
        assert sha256((pictures / path).read_bytes()).hexdigest() == digest


@pytest.mark.parametrize("blocks", [1, 16])
def test_the_content_depends_neither_on_order_nor_on_the_shards_size(pictures, imported, tmp_path, monkeypatch, blocks):
    monkeypatch.setattr(generate, "BLOCKS_A_SHARD", blocks)
    copy = tmp_path / "copy"
    for path in sorted(pictures.rglob("*.png"), reverse=True):  # another order in the file system's tables
        place = copy / path.relative_to(pictures)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(path.read_bytes())
    brought_in(copy, tmp_path / "out", turned=True)
    manifest = Manifest.read(tmp_path / "out")
    assert (manifest.content, manifest.identity) == (imported.manifest.content, imported.manifest.identity)
    assert len(manifest.shards) == (2 if blocks == 1 else 1)


def test_equal_pictures_share_a_split_whatever_their_label(drawn, imported, tmp_path):
    splits = np.bincount(imported.head(COUNT).split, minlength=3) / COUNT
    assert np.abs(splits - [0.8, 0.1, 0.1]).max() < 0.04  # 4 standard deviations
    copies = tmp_path / "copies"
    copies.mkdir()
    for k in range(40):
        height, width = drawn[1][k]
        image = drawn[0][k, :height, :width]
        (copies / f"a{k}_{'ABCD'[k % 4]}.png").write_bytes(png(255 - image))
        (copies / f"b{k}_{'DCBA'[k % 4]}.png").write_bytes(png(255 - image))
        Image.fromarray(image).save(copies / f"c{k}_X.bmp")  # light on dark, another format: the same ink
    brought_in(copies, tmp_path / "out")
    split = dict(zip(paths_of(Dataset(tmp_path / "out")), Dataset(tmp_path / "out").head(120).split, strict=True))
    for k in range(40):
        assert len({value for path, value in split.items() if path[1:].startswith(f"{k}_")}) == 1
    assert len(set(split.values())) == 3


def test_names_that_sort_by_label_come_mixed(tmp_path):
    for letter in "ABCD":
        few(tmp_path / "s" / letter, letter * 64, ord(letter))
    brought_in(tmp_path / "s", tmp_path / "out")
    texts = "".join(Dataset(tmp_path / "out").head(256).texts())
    assert {letter: texts.count(letter) for letter in "ABCD"} == dict.fromkeys("ABCD", 64)
    assert all(texts[first : first + 64].count(letter) < 32 for first in range(0, 256, 64) for letter in "ABCD")


def test_order_split_and_layout_are_those_of_this_format_version(tmp_path):
    """A digest that changes here makes every imported dataset another one: raise `FORMAT` or `LOADER` with it."""
    folder = tmp_path / "s"
    folder.mkdir()
    for k in range(30):
        image = np.zeros((6 + k % 3, 9), np.uint8)
        image[2:4, 2 : 3 + k % 5] = 255 - k
        image[2, 2] = 255
        (folder / f"{k}_{'AÖZ'[k % 3]}.png").write_bytes(png(255 - image))
    brought_in(folder, tmp_path / "out")
    paths = sorted((path.name for path in folder.iterdir()), key=lambda name: sha256(name.encode()).digest())
    assert paths_of(Dataset(tmp_path / "out")) == paths
    manifest = Manifest.read(tmp_path / "out")
    assert manifest.statistics["splits"] == {"train": 24, "validation": 3, "test": 3}
    assert manifest.content == "d7d3f38565a7b557cf1da775a4de56683baca00c348980fd4e3488ea99c4049a"


# Finished, interrupted, changed.


def test_a_whole_dataset_is_left_alone(pictures, copied):
    before = state(copied)
    _, gathered = brought_in(pictures, copied)
    assert (gathered.drawn, gathered.kept) == (0, COUNT)
    assert state(copied) == before


def test_an_interrupted_import_goes_on_and_keeps_what_was_sealed(pictures, imported, copied):
    (copied / MANIFEST).unlink()
    (copied / "shard-000001-476.h5").unlink()
    (copied / ".shard-000001-476.h5.000000000000.tmp").write_bytes(b"left by a run that died")
    kept = state(copied)["shard-000000-1024.h5"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generate, "BLOCKS_A_SHARD", 1)
        _, gathered = brought_in(pictures, copied)
    assert (gathered.drawn, gathered.kept) == (476, 1024)
    assert names(copied) == names(imported.folder)
    assert state(copied)["shard-000000-1024.h5"] == kept
    assert Manifest.read(copied) == imported.manifest


def test_a_damaged_shard_is_set_aside_and_filled_again(pictures, imported, copied):
    path = copied / "shard-000000-1024.h5"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    _, gathered = brought_in(pictures, copied)  # the manifest says how large its shards are
    assert (gathered.drawn, gathered.kept) == (1024, 476)
    assert Manifest.read(copied) == imported.manifest
    assert path.read_bytes() == (imported.folder / path.name).read_bytes()
    assert names(copied.with_name("pictures.foreign")) == [path.name]


def test_a_changed_source_is_refused_with_what_changed(tmp_path):
    folder, out = few(tmp_path / "s"), tmp_path / "out"
    brought_in(folder, out)
    before = state(out)
    (folder / "0_A.png").rename(folder / "0_B.png")
    (folder / "1_B.png").write_bytes((folder / "2_C.png").read_bytes())
    (folder / "9_Z.png").write_bytes((folder / "2_C.png").read_bytes())
    with pytest.raises(Different) as error:
        brought_in(folder, out)
    said = str(error.value)
    assert "2 added, 1 removed, 1 changed, 0 labelled anew, for instance '0_A.png'" in said
    assert "--out" in said
    assert "captchas datasets --remove out" in said
    assert "alphabet" not in said  # that follows from the files
    (tmp_path / "out records" / PICTURES).unlink()
    with pytest.raises(Different, match="5 pictures there, 6 now"):
        brought_in(folder, out)
    assert state(out) == before


def test_other_labels_are_another_dataset_but_another_way_to_the_same_labels_is_not(tmp_path):
    folder, out = few(tmp_path / "s"), tmp_path / "out"
    brought_in(folder, out)
    before = state(out)
    rows = [f"{path.name},{path.stem[-1]}" for path in folder.glob("*.png")]
    (folder / "labels.csv").write_text("\n".join(["file,label", *rows]))
    brought_in(folder, out)
    assert state(out) == before
    (folder / "labels.csv").write_text("\n".join(["file,label", *rows[1:], rows[0][:-1] + "C"]))
    with pytest.raises(Different, match="0 added, 0 removed, 0 changed, 1 labelled anew"):
        brought_in(folder, out)


def test_another_option_is_refused_with_the_field(tmp_path):
    folder, out = few(tmp_path / "s"), tmp_path / "out"
    brought_in(folder, out)
    for options, said in (
        ({"invert": Invert.YES}, "source.ink.invert: 'auto' there, 'yes' wanted"),
        ({"name": "other"}, "profile.name: 'pictures' there, 'other' wanted"),
        ({"alphabet": "ABCD"}, "profile.alphabet: 'ABC' there, 'ABCD' wanted"),
    ):
        with pytest.raises(Different) as error:
            brought_in(folder, out, **options)
        assert said in str(error.value)
    (out / MANIFEST).unlink()  # nor may a run that was interrupted go on as another
    with pytest.raises(Different, match="'other' wanted"):
        brought_in(folder, out, name="other")


def test_drawn_and_imported_datasets_do_not_mix(tmp_path, recipe, imported):
    identity = json.loads((imported.shard(0)).identity)
    with pytest.raises(Different, match="holds imported pictures"):
        require_same(identity, recipe, imported.folder)
    ingest.require_imported(imported.folder)
    ingest.require_imported(tmp_path / "nothing")
    fonts, profile = json.loads(recipe.identity)["fonts"], imported.manifest.profile | {"fonts": ["Inter Black"]}
    replace(imported.manifest, source=None, fonts=fonts, profile=profile).write(tmp_path / "drawn")
    with pytest.raises(Different, match="holds a drawn dataset, of profile 'pictures'"):
        ingest.require_imported(tmp_path / "drawn")


@pytest.mark.parametrize("spoil", ["other", "gone", "cut"])
def test_a_file_that_changes_meanwhile_is_named_and_nothing_is_sealed(tmp_path, spoil):
    folder, out = few(tmp_path / "s"), tmp_path / "out"
    source = measured(folder)
    out.mkdir()
    path = folder / "2_C.png"
    if spoil == "gone":
        path.unlink()
    else:
        path.write_bytes((folder / "1_B.png").read_bytes() if spoil == "other" else path.read_bytes()[:-20])
    with pytest.raises(Damaged, match=r"2_C\.png: has changed since the import began") as error:
        fill_shard(fill_jobs(source, out, "run")[0])
    assert "give the same command again" in str(error.value)
    assert names(out) == []


# What is left out.


def test_pictures_are_not_measured_by_the_bounds_of_drawn_ones(tmp_path, monkeypatch):
    """A last shard of one picture that is unlike all others in ink and letters: nobody could mend a profile."""
    monkeypatch.setattr(generate, "BLOCKS_A_SHARD", 1)
    folder = tmp_path / "s"
    folder.mkdir()
    thin = np.full((9, 30), 255, np.uint8)
    for number in range(BLOCK):
        thin[4, 2 + number % 20] = 0
        Image.fromarray(thin).save(folder / f"{number}_A.png")
        thin[4] = 255
    places = [sha256(path.name.encode()).hexdigest() for path in folder.iterdir()]
    last = next(
        name for name in (f"{k}_0000000.png" for k in range(10**6))
        if sha256(name.encode()).hexdigest() > max(places)
    )  # fmt: skip
    Image.fromarray(np.where(np.arange(30) == 0, 255, np.zeros((9, 30))).astype(np.uint8)).save(folder / last)
    _, gathered = brought_in(folder, tmp_path / "out")
    counted = Manifest.read(tmp_path / "out").statistics
    assert min(counted["letters_off"], counted["ink_off"]) > SIGMAS
    assert counted["bounds"] == {}
    assert [line["count"] for line in gathered.manifest().shards] == [BLOCK, 1]
    assert describe_dataset(tmp_path / "out", tmp_path / "a.png")["ink_off"] == counted["ink_off"]


def test_what_is_left_out_is_listed_with_its_reason(tmp_path):
    folder, out = few(tmp_path / "s"), tmp_path / "out"
    (folder / "empty_A.png").write_bytes(b"")
    (folder / "cut_B.png").write_bytes((folder / "0_A.png").read_bytes()[:-25])
    (folder / "README.md").write_text("no picture")
    (folder / "x_.png").write_bytes((folder / "0_A.png").read_bytes())
    os.rename(os.fsencode(folder / "3_A.png"), os.fsencode(folder) + b"/3\xff_A.png")  # noqa: PTH104 - bytes
    (folder / "a, b_A.png").write_bytes(b"")
    Image.new("L", (9, 9), 77).save(folder / "blank_C.png")
    (folder / ".hidden_A.png").write_bytes(b"")
    source, gathered = brought_in(folder, out, labelling=Labelling())
    assert gathered.manifest().count == 4
    with (tmp_path / "out records" / REJECTS).open(newline="") as file:
        rejects = {row["path"]: row["reason"] for row in csv.DictReader(file)}
    assert list(rejects) == sorted(rejects) == [path for path, _ in source.rejects]
    assert {path: reason[:20] for path, reason in rejects.items()} == {
        "3\\xff_A.png": "the name is not UTF-",
        "README.md": "no picture: not PNG,",
        "a, b_A.png": "the file is empty (0",
        "blank_C.png": "blank: the darkest a",
        "cut_B.png": "damaged or cut off: ",
        "empty_A.png": "the file is empty (0",
        "x_.png": "its label is empty",
    }
    assert sorted(paths_of(Dataset(out))) == ["0_A.png", "1_B.png", "2_C.png", "4_B.png"]
    # Labels of pictures that were dropped are nowhere in the dataset.
    assert sorted(Dataset(out).head(9).texts()) == ["A", "B", "B", "C"]
    report = ingest.report(source, out, tmp_path / "out records", gathered, 1.0)
    assert (report["pictures"], report["rejected"], report["filled"], report["kept"]) == (4, 7, 4, 0)
    assert report["rejects"][0] == {"path": "3\\xff_A.png", "reason": "the name is not UTF-8; rename it"}
    json.dumps(report)


def test_the_record_of_an_export_is_no_reject(tmp_path):
    Image.fromarray(np.eye(9, dtype=np.uint8) * 255).save(tmp_path / "A.png")
    (tmp_path / "labels.csv").write_text("path,label\nA.png,A\n")
    (tmp_path / ".export.json").write_text("{}")
    (tmp_path / "export.json").write_text("{}")  # its name in earlier versions
    source = measured(tmp_path)
    assert (source.pairs, source.rejects) == ([("A.png", "A")], [])


def test_rejects_do_not_move_others(tmp_path):
    folder = few(tmp_path / "s", "ABCABCAB")
    whole = measured(folder)
    (folder / "3_A.png").write_bytes(b"")
    less = measured(folder)
    keep = [k for k, (path, _) in enumerate(whole.pairs) if path != "3_A.png"]
    assert less.pairs == [whole.pairs[k] for k in keep]
    assert less.digests == b"".join(whole.digests[32 * k : 32 * k + 32] for k in keep)


def test_labels_from_a_file_and_its_leftovers(tmp_path):
    folder = few(tmp_path / "s")
    (folder / "gt.txt").write_text("0_A.png\tÖÖ\n./1_B.png\tX\nnone.png\tY\n")
    source, _ = brought_in(folder, tmp_path / "out")
    assert sorted(source.pairs) == [("0_A.png", "ÖÖ"), ("1_B.png", "X")]
    assert [path for path, _ in source.rejects] == ["2_C.png", "3_A.png", "4_B.png", "none.png"]
    dataset = Dataset(tmp_path / "out")
    assert dataset.manifest.source["labels"] == {"file": "gt.txt"}
    assert dataset.manifest.profile["length"] == [1, 2]
    block = dataset.head(2)
    assert sorted(block.texts()) == ["X", "ÖÖ"]
    assert block.text.dtype == "S4"
    assert block.boxes.shape == (2, 2, 4)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "has no file; put labelled pictures into it"),
        ({"a.png": b"", "b.png": b"x"}, "none of its 2 files is a picture with a label (a.png: the file is empty"),
    ],
)
def test_a_folder_without_any_picture_is_bad_input(tmp_path, files, said):
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    with pytest.raises(BadInput) as error:
        measured(tmp_path)
    assert said in str(error.value)
    assert not files or error.value.report["rejects"][1]["path"] == "b.png"


def test_limits_name_the_file_and_the_remedy(tmp_path, monkeypatch):
    folder = few(tmp_path / "s")
    (folder / "wide_A.png").write_bytes(png(255 - np.eye(30, 60, dtype=np.uint8) * 255))
    assert measured(folder).widest == (60, "wide_A.png")
    monkeypatch.setattr(scan, "LARGEST_CANVAS", 50)
    ((path, reason),) = measured(folder).rejects
    assert path == "wide_A.png" and reason.startswith("30 x 60 px; at most 50 each way")
    rows = [f"{k}_{text}.png\t{chr(0x4E00 + 50 * k)}" for k, text in enumerate("ABCAB")]
    (folder / "gt.txt").write_text("\n".join(rows))
    monkeypatch.setattr(rejects, "MOST_LETTERS", 4)
    with pytest.raises(BadInput, match="the labels have 5: name those to keep with --alphabet"):
        measured(folder)


def test_the_ink_side_can_be_said(tmp_path):
    """A light ground with a light frame: left to itself, the loader takes what is darker than the border."""
    folder = tmp_path / "s"
    folder.mkdir()
    image = np.full((10, 12), 128, np.uint8)
    image[2:5, 2:5], image[6:8, 6:8] = 0, 230
    Image.fromarray(image).save(folder / "1_A.png")
    dark = np.where(image == 0, 255, 0)
    light = np.where(image == 230, 255, 0)
    for invert, ink in ((Invert.AUTO, dark), (Invert.YES, dark), (Invert.NO, light)):
        out = tmp_path / invert
        brought_in(folder, out, invert=invert)
        assert np.array_equal(Dataset(out).head(1).images[0], ink)
        assert Manifest.read(out).source["ink"] == {"invert": invert.value}
    flat = np.where(image == 230, 128, image)
    Image.fromarray(flat.astype(np.uint8)).save(folder / "1_A.png")
    with pytest.raises(BadInput, match="blank: less than 8 levels above the background"):
        measured(folder, invert=Invert.NO)


# Restored from the folder it came from.


def test_restoring_proves_the_digest(pictures, imported, copied):
    (copied / "shard-000000-1024.h5").unlink()
    (copied / MANIFEST).unlink()  # the one that is given counts
    receipts = [fill_shard(job) for job in fill_jobs(measured(pictures), copied, "run", imported.manifest)]
    assert [receipt.drawn for receipt in receipts] == [True, False]
    assert [receipt.record.as_dict() for receipt in receipts] == imported.manifest.shards
    assert state(copied)["shard-000000-1024.h5"][1] == (imported.folder / "shard-000000-1024.h5").read_bytes()


def test_other_pixels_from_the_same_files_are_refused_and_nothing_is_sealed(pictures, imported, copied, monkeypatch):
    (copied / "shard-000001-476.h5").unlink()
    job = fill_jobs(measured(pictures), copied, "run")[1]
    monkeypatch.setattr(ingest, "decode_picture", lambda *_: np.full((3, 3), 255, np.uint8))
    with pytest.raises(GlyphsDiffer) as error:
        fill_shard(replace(job, pillow="1.2.3"))
    assert "shard-000001-476.h5: cannot be restored" in str(error.value)
    assert "Pillow 1.2.3" in str(error.value)
    assert names(copied) == [MANIFEST, "shard-000000-1024.h5"]


def test_a_dataset_tells_how_it_was_imported(pictures, imported, tmp_path):
    again = as_imported(imported.folder, pictures)
    assert again == {
        "folder": pictures, "labels": None, "pattern": imported.manifest.source["labels"]["pattern"],
        "name": imported.manifest.profile["name"], "out": imported.folder, "invert": Invert.AUTO,
        "alphabet": imported.manifest.profile["alphabet"], "colour": Colour.GREY,
    }  # fmt: skip
    folder = few(tmp_path / "s")
    (folder / "labels.csv").write_text("path,label\n" + "".join(f"{path.name},A\n" for path in folder.glob("*.png")))
    brought_in(folder, tmp_path / "d")
    assert as_imported(tmp_path / "d", folder)["labels"] == folder / "labels.csv"


# The split that folders tell, and what is shown before and after.


def split_folders(folder: Path) -> Path:
    """Thirty pictures in train, ten each in val and test-1; one of test-1 is also in train, one lies in no folder."""
    for number, name in enumerate(("train", "val", "test-1")):
        few(folder / name, "ABCABC" * (5 if name == "train" else 2), salt=number)
    (folder / "test-1" / "0_A.png").write_bytes((folder / "train" / "7_B.png").read_bytes())
    (folder / "99_C.png").write_bytes((folder / "train" / "7_B.png").read_bytes())
    return folder


def test_folders_tell_the_split_on_request(tmp_path):
    folder = split_folders(tmp_path / "s")
    source, _ = brought_in(folder, tmp_path / "kept", keep_splits=True)
    dataset = Dataset(tmp_path / "kept")
    splits = dict(zip(paths_of(dataset), dataset.head(99).split.tolist(), strict=True))
    assert {path.partition("/")[0]: split for path, split in splits.items()} == {"train": 0, "val": 1, "test-1": 2}
    assert len(splits) == 54
    assert dict(source.rejects) == {"99_C.png": "in no folder train, val or test"}
    assert source.twice_split() == 2
    assert dataset.manifest.source["split"] == "folders"
    assert dataset.manifest.statistics["splits"] == {"train": 30, "validation": 12, "test": 12}
    again = as_imported(tmp_path / "kept", folder)
    assert again["keep_splits"] is True
    # Without it nothing of the identity changes, and the folders say nothing.
    brought_in(folder, tmp_path / "hashed")
    hashed = Dataset(tmp_path / "hashed")
    assert set(hashed.manifest.source) == {"pictures", "digest", "ink", "loader", "labels"}
    assert "keep_splits" not in as_imported(tmp_path / "hashed", folder)
    own = dict(zip(paths_of(hashed), hashed.head(99).split.tolist(), strict=True))
    assert own["train/7_B.png"] == own["test-1/0_A.png"]
    with pytest.raises(Different, match=r"source\.split: None there, 'folders' wanted|imported from other files"):
        brought_in(folder, tmp_path / "hashed", keep_splits=True)


def test_equal_files_with_different_labels_are_told(tmp_path):
    """Two people labelled one picture, or a program read it twice: one label is wrong."""
    folder = few(tmp_path / "s")
    for name in ("7_X.png", "8_A.png"):
        shutil.copy(folder / "0_A.png", folder / name)
    source, gathered = brought_in(folder, tmp_path / "out")
    (note,) = ingest.report(source, tmp_path / "out", tmp_path / "r", gathered, 1.0)["notes"]
    assert note.startswith(f"{len(source.contradicting())} file")
    assert "7_X.png with 'X'" in note
    assert {label for pair in source.contradicting() for label in (source.pairs[k][1] for k in pair)} == {"A", "X"}
    assert measured(few(tmp_path / "t")).contradicting() == []


def test_a_missing_validation_folder_is_told(tmp_path):
    folder = split_folders(tmp_path / "s")
    shutil.rmtree(folder / "val")
    source, gathered = brought_in(folder, tmp_path / "out", keep_splits=True)
    (note, *_) = ingest.report(source, tmp_path / "out", tmp_path / "r", gathered, 1.0)["notes"]
    assert note == (
        "no folder tells validation, which `captchas train` measures itself on: it takes one in ten of train's, chosen "
        "by their pixels"
    )


def test_a_training_takes_validation_from_train_if_no_folder_tells_it(tmp_path, monkeypatch):
    few(tmp_path / "s" / "train", "ABCABC" * 15)
    few(tmp_path / "s" / "test", "ABCABC" * 2, salt=1)
    brought_in(tmp_path / "s", tmp_path / "kept", keep_splits=True)
    brought_in(tmp_path / "s", tmp_path / "hashed")
    kept, hashed = Dataset(tmp_path / "kept"), Dataset(tmp_path / "hashed")
    own = dict(zip(paths_of(hashed), hashed.head(999).split.tolist(), strict=True))
    want = {path: 2 if path.startswith("test") else int(split == 1) for path, split in own.items()}
    blocks = list(told_splits.blocks_of(kept))
    assert dict(zip(paths_of(kept), np.concatenate([block.split for block in blocks]).tolist(), strict=True)) == want
    count = list(want.values()).count(1)
    assert sum(len(block.text) for block in told_splits.validation_blocks(kept)) == count > 3
    assert told_splits.lacks_validation(kept) and not told_splits.lacks_validation(hashed)
    require_validation([kept])
    assert told_splits.note_of([hashed]) == "" and "the validation split of kept: one in ten" in told_splits.note_of(
        [kept]
    )
    (job,) = jobs_of([kept], Settings(pictures=(999,), shows=99), 1, None, tmp_path, "run")
    assert gather(job).pictures == 90 - count
    # The rate that a training reports, and its confidence, are of these pictures.
    assert len(read_validation(OutcomeJob(str(kept.folder), str(SHIPPED), ())).truth) == count
    seen = []
    monkeypatch.setattr(calibrate._Answers, "add", lambda _, reader, images, truth, weight: seen.append(len(images)))
    calibrate.check_answers(calibrate.CheckJob(str(kept.folder), str(SHIPPED), ()))
    assert seen[0] == count


def test_a_folder_without_splits_keeps_none(tmp_path):
    with pytest.raises(
        BadInput, match=r"keep-splits: .* has no pictures in folders train, val or test; for instance 0_A"
    ):
        measured(few(tmp_path / "s"), keep_splits=True)


@pytest.mark.parametrize(
    ("path", "split"),
    [("train/1.png", "train"), ("data/Val-0/A/1.png", "validation"), ("valid/1.png", "validation"),
     ("dev/x", "validation"), ("test_2/1.png", "test"), ("eval/1.png", "test"), ("trained/1.png", None),
     ("a/train.png", None), ("train.png", None)],
)  # fmt: skip
def test_which_folders_are_splits(path, split):
    assert scan.split_of(path) == split


def test_a_report_shows_five_pairs_lengths_alphabet_and_notes(tmp_path):
    folder, out = split_folders(tmp_path / "s"), tmp_path / "out"
    (folder / "100_Z Z.png").write_bytes((folder / "99_C.png").read_bytes())
    (folder / "101_AB.png").write_bytes(b"no picture")
    source, gathered = brought_in(folder, out, labelling=find_labels(folder, pattern="last"))
    report = ingest.report(source, out, tmp_path / "records", gathered, 1.0)
    assert [sorted(pair) for pair in report["pairs"]] == [["label", "picture"]] * 5
    labels = dict(source.pairs)
    assert all(labels[pair["picture"]] == pair["label"] for pair in report["pairs"])
    assert {pair["picture"].partition("/")[0] for pair in report["pairs"]} >= {"train", "val"}
    assert (report["alphabet"], report["label_lengths"]) == ("ABCZ", {"1": 55, "2": 1})
    assert report["notes"] == [
        "1 label had a blank, which is taken out: no picture shows it",
        "folders tell test, train and validation; the split follows from the pixels, or from the folders with "
        "--keep-splits",
        "3 files have another label than an equal file, such as test-1/0_A.png with 'A' and 99_C.png with 'C': one of "
        "them is wrong",
    ]


def test_a_dry_run_shows_the_same_and_writes_a_sheet_only(tmp_path):
    folder = few(tmp_path / "s", "ABCABC")
    (folder / "README.txt").write_text("mine")
    listing = Listing(ImportRequest(folder, "mine", find_labels(folder, pattern="last")))
    report = dry_report(listing, tmp_path / "records")
    assert names(tmp_path) == ["records", "s"] and names(tmp_path / "records") == ["pairs.png"]
    assert (report["pictures"], report["rejected"]) == (6, 1)
    assert report["rejects"] == [{"path": "README.txt", "reason": "is no picture"}]
    assert report["pairs"] == [{"picture": f"{k}_{'ABCABC'[k]}.png", "label": "ABCABC"[k]} for k in (0, 1, 2, 4, 5)]
    assert (report["alphabet"], report["label_lengths"], report["notes"]) == ("ABC", {"1": 6}, [])
    with Image.open(tmp_path / "records" / "pairs.png") as sheet:
        assert sheet.width > 5 * 18
    json.dumps(report)


def test_pairs_that_are_no_pictures_are_passed_over(tmp_path):
    folder = few(tmp_path / "s", "ABCABCABC")
    for name in ("0_A.png", "8_C.png"):
        (folder / name).write_bytes(b"")
    report = dry_report(Listing(ImportRequest(folder, "mine", find_labels(folder))), tmp_path / "records")
    assert len(report["pairs"]) == 5
    assert {"0_A.png", "8_C.png"}.isdisjoint(pair["picture"] for pair in report["pairs"])


@pytest.mark.parametrize("labels", ["path,label\n0_A.png,\n1_B.png,nan\n", "path,label\n7_A.png,A\n8_B.png,B\n"])
def test_a_dry_run_refuses_what_an_import_would(tmp_path, labels):
    """No label can be used: the same error, with the same report, and no sheet."""
    folder = few(tmp_path / "s", "AB")
    (folder / "labels.csv").write_text(labels)
    labelling = Labelling(file=folder / "labels.csv", folder=folder)
    listing = Listing(ImportRequest(folder, "mine", labelling))
    with pytest.raises(BadInput, match=r"none of its \d files is a picture with a label") as planned:
        dry_report(listing, tmp_path / "records")
    with pytest.raises(BadInput) as done:
        measured(folder, labelling=labelling)
    assert (str(planned.value), planned.value.report) == (str(done.value), done.value.report)
    assert names(tmp_path) == ["s"]


def test_a_dry_run_refuses_pictures_that_cannot_be_read(tmp_path, monkeypatch):
    folder = few(tmp_path / "s", "ABC")
    listing = Listing(ImportRequest(folder, "mine", find_labels(folder)))
    monkeypatch.setattr(rejects, "MOST_LETTERS", 2)
    with pytest.raises(BadInput, match="at most 2 different characters"):
        dry_report(listing, tmp_path / "records")
    monkeypatch.undo()
    for path in folder.iterdir():
        path.write_bytes(b"\0\0\0\x20ftypavif")
    with pytest.raises(
        BadInput, match=r"none of its 3 files is a picture with a label \(0_A.png: .*AVIF: save it as PNG"
    ):
        dry_report(listing, tmp_path / "records")


@pytest.mark.parametrize(
    ("options", "files", "told"),
    [
        ({}, {"list/answers.csv": "{}"}, {"found": "list/answers.csv"}),
        ({"columns": ("bild", "wort")}, {"labels.csv": "{}"}, {"file": "labels.csv", "columns": "bild,wort"}),
        ({"fold_case": True, "zeros": Zeros.KEEP}, {"labels.csv": "{}"},
         {"file": "labels.csv", "case": "upper", "zeros": "keep"}),
        ({}, {f"{k}_{'ABCAB'[k]}.txt": "X" for k in range(5)}, {"beside": ".txt"}),
    ],
)  # fmt: skip
def test_an_import_can_be_repeated_from_its_manifest(tmp_path, options, files, told):
    folder = few(tmp_path / "s")
    rows = "bild,wort,x\n" + "".join(
        f"{path.name},{path.stem[-1].lower()},1\n" for path in sorted(folder.glob("*.png"))
    )
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text.replace("{}", rows))
    brought_in(folder, tmp_path / "out", labelling=find_labels(folder, options=LabelOptions(**options)))
    before = state(tmp_path / "out")
    manifest = Manifest.read(tmp_path / "out")  # its rules allow what is written
    assert manifest.source["labels"] == told
    again = as_imported(tmp_path / "out", folder)
    columns = again.get("columns")
    labelling = find_labels(
        folder, again["labels"], again["pattern"],
        LabelOptions(
            columns and tuple(columns.split(",")), again.get("fold_case", False), again.get("zeros")
        ),
    )  # fmt: skip
    (tmp_path / "out" / manifest.shards[0]["name"]).unlink()
    brought_in(folder, tmp_path / "out", labelling=labelling)
    assert {name: data for name, (_, data) in state(tmp_path / "out").items()} == {
        name: data for name, (_, data) in before.items()
    }


# It can be looked at, learnt from and evaluated on.


def test_it_can_be_inspected(imported, tmp_path):
    told = describe_dataset(imported.folder, tmp_path / "sheet.png")
    assert (told["pictures"], told["fonts"], told["source"]) == (COUNT, [], imported.manifest.source)
    assert load_picture(tmp_path / "sheet.png").size
    row = next(row for row in datasets_under(imported.folder.parent) if row["name"] == "pictures")
    assert (row["state"], row["pictures"], row["profile"]) == ("complete", COUNT, "pictures")


@pytest.fixture(scope="module")
def model(imported, learn, tmp_path_factory) -> Path:
    """Trained on the imported train split by the units that `captchas train` runs."""
    settings = Settings(pictures=(2000,), shows=240_000, hidden=(64,))
    made = learn([imported], settings, tmp_path_factory.mktemp("model") / "model")
    train = sum(receipt.pictures for receipt in made.receipts)
    assert train == (imported.head(COUNT).split == SPLITS.index("train")).sum()
    assert sum(receipt.marked for receipt in made.receipts) > 0.8 * train
    assert sum(receipt.letters for receipt in made.receipts) > 4000
    return made.path


@pytest.mark.slow
def test_a_reader_scores_as_on_the_original(drawn, imported, model):
    words = load_words("web2", imported.manifest.profile["alphabet"], (4, 4))
    jobs = [
        EvaluateJob(str(imported.folder), shard, "test", str(model), model_digest(model), words) for shard in range(2)
    ]
    receipts = [read_shard(job) for job in jobs]
    reading = np.concatenate([receipt.reading for receipt in receipts])
    answers = np.concatenate([receipt.answers["probability"] for receipt in receipts])
    numbers = np.array(numbers_of(imported))[imported.head(COUNT).split == SPLITS.index("test")]
    original = Reader(*load_model(model), words).read(drawn[0][numbers])
    assert reading.tolist() == original.reading.tolist()
    assert answers.tolist() == original.words[:, 0].tolist()
    truth = np.array(drawn[2])[numbers]
    assert (answers == truth).mean() > 0.9
    report, files = reports.summarise(receipts, imported, model, "test", words)
    assert report["n"] == len(truth)
    assert report["words"]["probability"]["right"] == int((answers == truth).sum())
    # Nothing is known of how they were drawn.
    assert set(report["by"]) == {"length (letters)", "words with the letter"}
    assert sum(row["n"] for row in report["by"]["length (letters)"]) == report["n"]
    assert all(split["place"] == 0 for split in report["failures"].values())  # nor where the letters are
    assert set(files) == set(reports.FILES)
