"""Exports, read back by the libraries that they are for: pixels, labels and boxes are those of the dataset."""

import csv
import gc
import io
import json
import os
import resource
import shutil
import tarfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import pytest
from PIL import Image

from storage.dataset import Dataset
from storage.errors import BadInput, Damaged, Different, NoSpace, NotThere, Unwritable
from storage.exports import parquet, staging
from storage.exports.record import EARLIER, NOTES, RECORD, ExportRecord
from storage.exports.staging import measured, sync_filesystem
from storage.shards.manifest import Manifest
from storage.shards.shard import BLOCK, SPLITS, Block, combined
from storage.shards.writer import write_shard
from tasks.exchange import export_part as parts
from tasks.exchange.export import (
    ExportChoice,
    begin_export,
    examine,
    finish_export,
    missing_bytes,
    plan_export,
    report,
    tidy_export,
)
from tasks.exchange.export_part import export_part, noted, prove_shard
from tasks.exchange.formats import ExportEntry, ExportFormat, ExportLayout, tar_end, tar_member, tesseract_boxes
from tasks.exchange.labels import find_labels
from tasks.exchange.scan import ImportRequest, Listing

ALPHABET = "ABCÉ,/"
GOLDEN = Path(__file__).parents[2] / "golden" / "v1" / "book"  # whose manifest has every field
FONTS = ["Inter Black", "Karla ExtraBold"]
PARAMETERS = [
    ("height", "<u2"), ("width", "<u2"), ("font", "<u2"), ("shear", "<i2"), ("scale", "<u2"),
    ("turn", "<i2", (3,)), ("key", "<u8"),
]  # fmt: skip
SIZES = (60, 40, 30)  # pictures a shard


def made_block(count: int, seed: int) -> Block:
    """Made-up pictures of 1 to 3 letters on a canvas of 9 x 13; a letter without a box now and then."""
    rng = np.random.default_rng(seed)
    images = np.zeros((count, 9, 13), np.uint8)
    boxes = np.full((count, 3, 4), -1, np.int16)
    parameters = np.zeros(count, PARAMETERS)
    texts = []
    for k in range(count):
        height, width = int(rng.integers(5, 10)), int(rng.integers(9, 14))
        images[k, :height, :width] = rng.integers(0, 256, (height, width))
        texts.append("".join(rng.choice(list(ALPHABET), rng.integers(1, 4))))
        for place in range(len(texts[-1])):
            if rng.integers(20):
                top, left = int(rng.integers(0, height - 1)), 3 * place
                boxes[k, place] = top, left, int(rng.integers(top + 1, height + 1)), left + 2
        parameters[k] = (
            height, width, rng.integers(2), rng.integers(-250, 251), rng.integers(50, 141),
            rng.integers(-90, 91, 3), rng.integers(0, 1 << 64, dtype=np.uint64),
        )  # fmt: skip
    text = np.array([one.encode() for one in texts], "S6")
    split = np.array([0, 0, 0, 1, 2], np.uint8)[rng.integers(0, 5, count)]
    return Block(images, text, boxes, parameters, split)


def put(folder: Path, shards: list[list[Block]], **changes) -> Dataset:
    folder.mkdir()
    records, first = [], 0
    for index, blocks in enumerate(shards):
        records.append(write_shard(folder, index, first, blocks, "{}", "run"))
        first += records[-1].count
    whole = Manifest.read(GOLDEN)
    manifest = replace(
        whole, profile=whole.profile | {"name": "made up", "alphabet": ALPHABET, "fonts": list(FONTS)}, count=first,
        content=combined(bytes.fromhex(one) for record in records for one in record.blocks),
        fonts=[whole.fonts[0] | dict(zip(("family", "style"), name.split(), strict=True)) for name in FONTS],
        shards=[record.as_dict() for record in records],
    )  # fmt: skip
    replace(manifest, **changes).write(folder)
    return Dataset(folder)


@pytest.fixture(autouse=True, scope="module")
def without_waiting() -> Iterator[None]:
    """To make bytes durable takes long while others write to the disk, and shows nothing to a test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staging, "sync_filesystem", lambda _: None)
        patch.setattr(os, "fsync", lambda _: None)
        yield


class Truth(NamedTuple):
    number: int
    text: str
    split: str
    image: np.ndarray
    boxes: list
    parameters: dict


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Dataset:
    shards = [[made_block(count, number)] for number, count in enumerate(SIZES)]
    return put(tmp_path_factory.mktemp("datasets") / "made", shards)


@pytest.fixture(scope="module")
def truth(dataset) -> list[Truth]:
    """What the dataset holds, read in the plainest way."""
    whole, pictures = dataset.head(len(dataset)), []
    for number, row in enumerate(whole.parameters):
        text = whole.text[number].decode()
        boxes = [box if box[0] >= 0 else None for box in whole.boxes[number].tolist()[: len(text)]]
        image = whole.images[number, : row["height"], : row["width"]]
        values = {name: row[name].tolist() for name in row.dtype.names} | {"font": FONTS[row["font"]]}
        pictures.append(Truth(number, text, SPLITS[whole.split[number]], image, boxes, values))
    assert any(None in picture.boxes for picture in pictures)
    return pictures


def run(
    dataset: Dataset, out: Path, choice: ExportChoice, order: Callable = list, unit: Callable | None = None
) -> list:
    """What the flow does, without Dask and Prefect."""
    examine(dataset, choice, out)
    plan = plan_export(dataset, choice, out)
    if plan.whole:
        return []
    begin_export(plan, out)
    unit = unit or (prove_shard if choice.format is ExportFormat.HDF5 else export_part)
    receipts = [unit(job) for job in order(plan.jobs)]
    finish_export(plan, out, receipts)
    return receipts


@pytest.fixture(scope="module")
def exported(dataset, tmp_path_factory) -> Callable[..., Path]:
    """The folder of an export; each is made once."""
    made = {}

    def export(chosen: ExportFormat, **options) -> Path:
        choice = ExportChoice(chosen, **options)
        if choice not in made:
            made[choice] = tmp_path_factory.mktemp("exports") / chosen.value
            run(dataset, made[choice], choice)
        return made[choice]

    return export


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def folders(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_dir())


def pixels(data: bytes | Path) -> np.ndarray:
    with Image.open(io.BytesIO(data) if isinstance(data, bytes) else data) as image:
        assert (image.format, image.mode) == ("PNG", "L")
        return np.asarray(image)


def same(image: np.ndarray, wanted: np.ndarray) -> bool:
    return image.shape == wanted.shape and bool((image == wanted).all())


# The bytes of one picture.


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 70_000])
def test_a_tar_member_is_what_tarfile_writes(size):
    plain = tarfile.TarInfo("000000012.json")
    plain.size = size
    member = tar_member("000000012.json", bytes(size))
    assert member[:512] == plain.tobuf(tarfile.USTAR_FORMAT)
    assert len(member) == 512 + -(-size // 512) * 512
    archive = member + tar_end(len(member))
    assert len(archive) % tarfile.RECORDSIZE == 0
    with tarfile.open(fileobj=io.BytesIO(archive)) as file:
        assert [(one.name, one.size, one.mtime, one.uid, one.mode) for one in file] == [
            ("000000012.json", size, 0, 0, 0o644)
        ]


def test_tesseract_counts_from_the_bottom_left():
    """Rows 2 to 5 of a picture 20 high, columns 3 to 7: its bottom edge is 20 - 6 = 14 above the ground."""
    entry = ExportEntry(5, "AÉB", "test", [(2, 3, 6, 8), None, (0, 9, 20, 30)], {}, np.zeros((20, 30), np.uint8))
    assert tesseract_boxes(entry).decode() == "A 3 14 8 18 0\nB 9 0 30 20 0\n\t 30 20 31 21 0\n"


@pytest.mark.parametrize("chosen", [ExportFormat.GT, ExportFormat.TESSERACT])
@pytest.mark.parametrize("text", ["A\tB", "A\nB", "A\r"])
def test_a_label_that_a_line_cannot_hold_is_refused(chosen, text):
    layout = ExportLayout(chosen, np.dtype(PARAMETERS), (), "AB", 3)
    entry = ExportEntry(7, text, "test", [None] * len(text), {}, np.zeros((2, 2), np.uint8))
    with pytest.raises(BadInput, match=f"format {chosen.value}: a label may hold no tab .* picture 7") as error:
        layout.members(entry), layout.lines(entry, "x.png")
    assert repr(text) in str(error.value)


# Each format, read back.


def test_png(exported, truth):
    out = exported(ExportFormat.PNG)
    with (out / "labels.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["number"]) for row in rows] == list(range(len(truth)))
    for row, wanted in zip(rows, truth, strict=True):
        assert (row["text"], row["split"], row["font"]) == (wanted.text, wanted.split, wanted.parameters["font"])
        assert [row["turn"], row["key"]] == [
            " ".join(map(str, wanted.parameters["turn"])), str(wanted.parameters["key"])
        ]  # fmt: skip
        assert all(int(row[name]) == wanted.parameters[name] for name in ("height", "width", "shear", "scale"))
        assert same(pixels(out / row["path"]), wanted.image)
    assert rows[SIZES[0]]["path"] == "shard-000001/block-00/000000060.png"
    names = {row["path"] for row in rows} | {"labels.csv", RECORD}
    assert set(tree(out)) == names


def test_gt(exported, truth):
    """As deep-text-recognition-benchmark reads gt.txt, and EasyOCR each folder that holds no other."""
    out = exported(ExportFormat.GT)
    lines = (out / "gt.txt").read_text(encoding="utf-8").split("\n")
    assert lines.pop() == ""
    for line, wanted in zip(lines, truth, strict=True):
        path, label = line.split("\t")
        assert label == wanted.text
        assert same(pixels(out / path), wanted.image)
    found = []
    for folder, inside, _ in os.walk(out):
        if not inside:
            with (Path(folder) / "labels.csv").open(newline="", encoding="utf-8") as file:
                found += [(Path(folder) / row["filename"], row["words"]) for row in csv.DictReader(file)]
    assert sorted((int(path.stem), words) for path, words in found) == [(one.number, one.text) for one in truth]
    assert all(path.is_file() for path, _ in found)


def test_tesseract(exported, truth):
    out = exported(ExportFormat.TESSERACT)
    assert len(tree(out)) == 3 * len(truth) + 1
    for wanted in truth:
        (path,) = out.glob(f"*/*/{wanted.number:09d}.png")
        image = pixels(path)
        assert same(image, wanted.image)
        assert path.with_suffix(".gt.txt").read_bytes() == wanted.text.encode() + b"\n"
        *letters, end = path.with_suffix(".box").read_text(encoding="utf-8").splitlines()
        boxed = [(letter, box) for letter, box in zip(wanted.text, wanted.boxes, strict=True) if box]
        for line, (letter, box) in zip(letters, boxed, strict=True):
            mark, *edges, page = line.split(" ")
            left, bottom, right, top = map(int, edges)
            assert (mark, page) == (letter, "0")
            # Upside down, Tesseract's box cuts out the same pixels as ours.
            cut = image[::-1][bottom:top, left:right][::-1]
            assert same(cut, image[box[0] : box[2], box[1] : box[3]])
        assert end == "\t {1} {0} {2} {3} 0".format(*image.shape, image.shape[1] + 1, image.shape[0] + 1)


def test_coco(exported, truth, capsys):
    from pycocotools.coco import COCO

    out = exported(ExportFormat.COCO)
    coco = COCO(out / "annotations.json")
    capsys.readouterr()
    assert sorted(coco.getImgIds()) == list(range(len(truth)))
    assert [one["name"] for one in coco.loadCats(sorted(coco.getCatIds()))] == list(ALPHABET)
    names = {one["id"]: one["name"] for one in coco.loadCats(coco.getCatIds())}
    for wanted in truth:
        (image,) = coco.loadImgs(wanted.number)
        assert (image["height"], image["width"]) == wanted.image.shape
        assert (image["text"], image["split"]) == (wanted.text, wanted.split)
        found = coco.loadAnns(coco.getAnnIds(wanted.number))
        expected = [
            (letter, [left, top, right - left, bottom - top])
            for letter, (top, left, bottom, right) in (
                pair for pair in zip(wanted.text, wanted.boxes, strict=True) if pair[1]
            )
        ]
        assert [(names[one["category_id"]], one["bbox"]) for one in found] == expected
        assert all(one["area"] == one["bbox"][2] * one["bbox"][3] and one["id"] > 0 for one in found)
    for image in coco.loadImgs(range(len(truth))):
        assert same(pixels(out / image["file_name"]), truth[image["id"]].image)
    assert len(coco.anns) == sum(box is not None for one in truth for box in one.boxes)  # no two share an id


def test_webdataset(exported, truth):
    import webdataset

    out = exported(ExportFormat.WEBDATASET)
    urls = sorted(map(str, out.glob("*.tar")))
    assert [Path(url).name for url in urls] == ["shard-000000.tar", "shard-000001.tar", "shard-000002.tar"]
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):  # webdataset leaves its files open
        samples = list(webdataset.WebDataset(urls, shardshuffle=False))
        decoded, *_ = webdataset.WebDataset(urls[2:], shardshuffle=False).decode("l8").to_tuple("png", "txt")
        gc.collect()
    for sample, wanted in zip(samples, truth, strict=True):
        assert sample["__key__"] == f"{wanted.number:09d}"
        assert sample["txt"].decode() == wanted.text
        known = json.loads(sample["json"])
        assert known == {
            "number": wanted.number, "text": wanted.text, "split": wanted.split, "boxes": wanted.boxes,
            **wanted.parameters, "key": str(wanted.parameters["key"]),  # as text: it may be 2**63 or more
        }  # fmt: skip
        assert same(pixels(sample["png"]), wanted.image)
    assert same(decoded[0], truth[sum(SIZES[:2])].image)
    assert decoded[1] == truth[sum(SIZES[:2])].text


def test_parquet(exported, truth):
    from pyarrow import parquet as reader

    out = exported(ExportFormat.PARQUET)
    files = sorted(out.glob("*.parquet"))
    assert [path.name for path in files] == [f"shard-{number:06d}.parquet" for number in range(3)]
    assert [reader.ParquetFile(path).num_row_groups for path in files] == [1, 1, 1]
    table = reader.read_table(files)
    assert table.column_names == [
        "image", "text", "number", "split", "boxes", "height", "width", "font", "shear", "scale", "turn", "key",
    ]  # fmt: skip
    for row, wanted in zip(table.to_pylist(), truth, strict=True):
        image = row.pop("image")
        assert image["path"] == f"{wanted.number:09d}.png"
        assert same(pixels(image["bytes"]), wanted.image)
        assert row == {
            "text": wanted.text, "number": wanted.number, "split": wanted.split, "boxes": wanted.boxes,
            **wanted.parameters,
        }  # fmt: skip
    features = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
    assert features["image"] == {"_type": "Image"}
    assert list(features) == table.column_names


def test_hdf5(exported, dataset, monkeypatch, tmp_path):
    out = exported(ExportFormat.HDF5)
    assert sorted(tree(out)) == sorted(["dataset.h5", RECORD])
    monkeypatch.chdir(tmp_path)  # names are relative to the file, not to where one stands
    whole = dataset.head(len(dataset))
    with h5py.File(out / "dataset.h5") as file:
        for name, array in whole.named():
            assert file[name].dtype == array.dtype
            assert (file[name][...] == array).all()
            sources = [source.file_name for source in file[name].virtual_sources()]
            assert not any(Path(one).is_absolute() for one in sources)
        assert file.attrs["content"] == dataset.manifest.content


def test_a_virtual_dataset_moves_with_its_shards_and_shows_a_missing_one(dataset, truth, tmp_path):
    before = tmp_path / "100%b sure"  # a percent sign is a pattern to HDF5
    shutil.copytree(dataset.folder, before / "made")
    run(Dataset(before / "made"), before / "view", ExportChoice(ExportFormat.HDF5, count=80))
    after = tmp_path / "elsewhere"
    before.rename(after)
    with h5py.File(after / "view" / "dataset.h5") as file:
        assert file["text"].shape == (80,)
        assert [text.decode() for text in file["text"][...]] == [one.text for one in truth[:80]]
        assert file["images"][...].any(axis=(1, 2)).all()
    (after / "made" / "shard-000001-40.h5").unlink()
    with h5py.File(after / "view" / "dataset.h5") as file:
        assert set(file["split"][SIZES[0] :].tolist()) == {255}
        assert max(file["split"][: SIZES[0]]) < 3


@pytest.mark.parametrize("change", ["missing", "altered", "swapped"])
def test_no_virtual_dataset_over_shards_that_are_not_whole(dataset, tmp_path, change):
    copy = tmp_path / "made"
    shutil.copytree(dataset.folder, copy)
    out = tmp_path / "view"
    run(Dataset(copy), out, ExportChoice(ExportFormat.HDF5))  # it was whole once
    first, second, _ = sorted(copy.glob("*.h5"))
    if change == "missing":
        second.unlink()
    elif change == "altered":
        data = bytearray(second.read_bytes())
        data[len(data) // 2] ^= 1
        second.write_bytes(data)
    else:
        shutil.copy(first, second)
    with pytest.raises(Damaged, match=second.name):
        run(Dataset(copy), out, ExportChoice(ExportFormat.HDF5))
    assert not (out / RECORD).exists()


# Which pictures.


def numbers(out: Path, chosen: ExportFormat) -> list[int]:
    if chosen is ExportFormat.WEBDATASET:
        names = []
        for path in sorted(out.glob("*.tar")):
            with tarfile.open(path) as file:
                names += [name for name in file.getnames() if name.endswith(".png")]
    elif chosen is ExportFormat.PARQUET:
        from pyarrow import parquet as reader

        return reader.read_table(sorted(out.glob("*.parquet")))["number"].to_pylist()
    else:
        names = [path.name for path in sorted(out.rglob("*.png"))]
    return [int(name[:9]) for name in names]


@pytest.mark.parametrize("chosen", [ExportFormat.PNG, ExportFormat.WEBDATASET, ExportFormat.PARQUET])
def test_a_split_holds_its_pictures_and_no_other(exported, truth, chosen):
    for split in SPLITS:
        out = exported(chosen, split=split)
        assert numbers(out, chosen) == [one.number for one in truth if one.split == split]
        assert all(name.startswith(f"{split}-00000") for name in tree(out) if name not in (RECORD, "labels.csv"))


@pytest.mark.parametrize("split", [None, "validation"])
@pytest.mark.parametrize("count", [1, 60, 61, 99_999])
def test_count_takes_the_first_ones(dataset, truth, tmp_path, split, count):
    out = tmp_path / "out"
    run(dataset, out, ExportChoice(ExportFormat.WEBDATASET, split=split, count=count))
    wanted = [one.number for one in truth if split in (None, one.split)][:count]
    assert numbers(out, ExportFormat.WEBDATASET) == wanted
    assert report(out, len(wanted), 1.0)["pictures"] == len(wanted)


def test_a_shard_of_several_blocks(tmp_path):
    from pyarrow import parquet as reader

    blocks = [made_block(BLOCK, 1), made_block(40, 2)]
    dataset = put(tmp_path / "d", [blocks, [made_block(9, 3)]])
    for chosen in (ExportFormat.PNG, ExportFormat.WEBDATASET, ExportFormat.PARQUET):
        run(dataset, tmp_path / chosen.value, ExportChoice(chosen))
        assert numbers(tmp_path / chosen.value, chosen) == list(range(BLOCK + 49))
    pictures = sorted((tmp_path / "png").rglob("*.png"))
    assert [path.parent.name for path in pictures] == ["block-00"] * BLOCK + ["block-01"] * 40 + ["block-00"] * 9
    images = [image for block in dataset.blocks() for image in block.images]
    for path, image in list(zip(pictures, images, strict=True))[BLOCK - 3 :]:
        cut = pixels(path)
        assert same(cut, image[: cut.shape[0], : cut.shape[1]])
    assert reader.ParquetFile(tmp_path / "parquet" / "shard-000000.parquet").num_row_groups == 2


def test_a_shard_without_the_split_makes_no_part(tmp_path):
    block, other = made_block(30, 1), made_block(20, 2)
    dataset = put(tmp_path / "d", [[block], [other._replace(split=np.zeros_like(other.split))]])
    receipts = run(dataset, tmp_path / "out", ExportChoice(ExportFormat.PNG, split="test"))
    assert [receipt.part.name for receipt in receipts] == ["test-000000", None]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [RECORD, "labels.csv", "test-000000"]
    assert run(dataset, tmp_path / "out", ExportChoice(ExportFormat.PNG, split="test")) == []
    none = put(tmp_path / "e", [[other._replace(split=np.zeros_like(other.split))]])
    with pytest.raises(NotThere, match="split 'test': none of the dataset's pictures"):
        run(none, tmp_path / "nothing", ExportChoice(ExportFormat.PNG, split="test"))
    assert list((tmp_path / "nothing").iterdir()) == []


def test_a_name_in_the_manifest_that_is_no_shard_s_is_refused(tmp_path):
    dataset = put(tmp_path / "d", [[made_block(30, 1)], [made_block(20, 2)]])
    lines = dataset.manifest.shards
    replace(dataset.manifest, shards=[lines[0], lines[1] | {"name": "../" + lines[1]["name"]}]).write(tmp_path / "d")
    with pytest.raises(Damaged, match=r"shards\[1\].name: must be 'shard-000001-20.h5'"):
        plan_export(Dataset(tmp_path / "d"), ExportChoice(ExportFormat.PNG), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_invert_is_dark_on_white(dataset, truth, tmp_path):
    run(dataset, tmp_path / "out", ExportChoice(ExportFormat.PNG, count=5, invert=True))
    for path, wanted in zip(sorted(tmp_path.rglob("*.png")), truth[:5], strict=True):
        assert same(pixels(path), 255 - wanted.image)


def test_a_safe_csv_holds_no_formula(tmp_path):
    block = made_block(9, 3)
    block.text[:4] = [b"=1", b"-1", b"@", b"A=1"]
    profile = Manifest.read(GOLDEN).profile | {"alphabet": f"{ALPHABET}=1-@", "fonts": list(FONTS)}
    data = put(tmp_path / "d", [[block]], profile=profile)
    data.manifest.fonts[0] |= {"family": "=cmd", "style": "Regular"}
    rows = {}
    for safe in (False, True):
        run(data, tmp_path / f"{safe}", ExportChoice(ExportFormat.PNG, csv_safe=safe))
        with (tmp_path / f"{safe}" / "labels.csv").open(newline="", encoding="utf-8") as file:
            rows[safe] = list(csv.DictReader(file))
    assert [row["text"] for row in rows[True][:4]] == ["'=1", "'-1", "'@", "A=1"]
    assert {row["font"] for row in rows[True]} == {"'=cmd", FONTS[1]}
    for row, plain in zip(rows[True], rows[False], strict=True):
        assert {name: text.removeprefix("'") for name, text in row.items()} == plain
        assert (row["shear"], row["turn"]) == (plain["shear"], plain["turn"])


def test_the_record_of_an_export_that_is_not_safe_is_as_before(exported):
    assert "csv_safe" not in ExportRecord.read(exported(ExportFormat.PNG)).what


# The same bytes, however it was done; nothing half-written, nothing left over.


@pytest.mark.parametrize("chosen", [one for one in ExportFormat if one is not ExportFormat.HDF5])
def test_bytes_do_not_depend_on_the_order(dataset, exported, tmp_path, chosen):
    run(dataset, tmp_path / "out", ExportChoice(chosen), order=lambda jobs: jobs[::-1])
    assert tree(tmp_path / "out") == tree(exported(chosen))
    assert folders(tmp_path / "out") == folders(exported(chosen))


@pytest.mark.parametrize("chosen", [ExportFormat.COCO, ExportFormat.PARQUET])
def test_a_killed_run_goes_on_where_it_was(dataset, exported, tmp_path, chosen):
    out, choice = tmp_path / "out", ExportChoice(chosen)
    plan = plan_export(dataset, choice, out)
    begin_export(plan, out)
    kept = export_part(plan.jobs[1])
    export_part(plan.jobs[2])
    # Killed while it wrote the first part, and after the third one's notes were written but not itself.
    for folder in (out / ".shard-000000.0123456789ab.tmp", out / NOTES):
        (folder / "block-00").mkdir(parents=True)
        (folder / "block-00" / "000000000.png").write_bytes(b"half")
    shutil.rmtree(out / NOTES / "block-00")
    (out / NOTES / ".000000.json.0123456789ab.tmp").write_bytes(b"{")
    staging.remove(out / plan.jobs[2].name)
    assert not (out / RECORD).exists()
    standing = {path: path.stat().st_mtime_ns for path in [out / kept.part.name, *(out / kept.part.name).rglob("*")]}
    assert missing_bytes(plan_export(dataset, choice, out), out) < missing_bytes(plan, tmp_path / "new")
    receipts = run(dataset, out, choice)
    assert [receipt.kept for receipt in receipts] == [False, True, False]
    assert {path: path.stat().st_mtime_ns for path in standing} == standing
    assert tree(out) == tree(exported(chosen))
    assert folders(out) == folders(exported(chosen))


@pytest.mark.parametrize("loss", ["a picture", "a part", "the index", "a cut picture"])
def test_what_was_lost_is_written_again(dataset, exported, tmp_path, loss):
    out = tmp_path / "out"
    shutil.copytree(exported(ExportFormat.PNG), out)
    picture = out / "shard-000001" / "block-00" / "000000070.png"
    before = {path: path.stat().st_ino for path in out.rglob("*.png")}
    if loss == "a part":
        shutil.rmtree(out / "shard-000001")
    elif loss == "the index":
        (out / "labels.csv").unlink()
    elif loss == "a picture":
        picture.unlink()
    else:
        picture.write_bytes(picture.read_bytes()[:-1])
    receipts = run(dataset, out, ExportChoice(ExportFormat.PNG))
    assert [receipt.kept for receipt in receipts] == [True, loss == "the index", True]
    assert tree(out) == tree(exported(ExportFormat.PNG))
    assert folders(out) == folders(exported(ExportFormat.PNG))
    after = {path: path.stat().st_ino for path in out.rglob("*.png")}
    assert {path.parent.parent.name for path in before if before[path] != after[path]} <= {"shard-000001"}


def test_a_whole_export_is_left_alone(dataset, exported):
    out = exported(ExportFormat.PNG)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    assert run(dataset, out, ExportChoice(ExportFormat.PNG)) == []
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_two_workers_with_one_job_make_one_part(dataset, exported, tmp_path):
    """A worker that outlived its client ends while the next run has the part already."""
    out = tmp_path / "out"
    plan = plan_export(dataset, ExportChoice(ExportFormat.PNG), out)
    begin_export(plan, out)
    late = parts._part_writer(plan.jobs[0], out / plan.jobs[0].name)
    with late as write:
        write([])
        receipts = [export_part(job) for job in plan.jobs]
    (out / plan.jobs[0].name / "block-00").mkdir(exist_ok=True)
    assert [export_part(job).kept for job in plan.jobs] == [False, True, True]  # an empty part is no part
    finish_export(plan, out, receipts)
    assert tree(out) == tree(exported(ExportFormat.PNG))


@pytest.mark.parametrize("chosen", [ExportFormat.PNG, ExportFormat.WEBDATASET, ExportFormat.PARQUET])
def test_a_full_disk_leaves_no_half_part(dataset, exported, tmp_path, chosen):
    out, choice = tmp_path / "out", ExportChoice(chosen)
    plan = plan_export(dataset, choice, out)
    begin_export(plan, out)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    limit = 100 if chosen is ExportFormat.PNG else 2_000  # bytes a file: the kernel writes so many and refuses more
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limits[1]))
    try:
        with pytest.raises(NoSpace, match=r"may write [0-9]+ bytes to a file"):
            export_part(plan.jobs[0])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert sorted(path.name for path in out.iterdir()) == [NOTES]
    run(dataset, out, choice)
    assert tree(out) == tree(exported(chosen))


def test_a_folder_that_refuses(dataset, tmp_path, monkeypatch):
    out = tmp_path / "out"
    plan = plan_export(dataset, ExportChoice(ExportFormat.PNG), out)
    begin_export(plan, out)
    mkdir = Path.mkdir

    def refuse(path, *arguments, **options):
        if path.name.endswith(".tmp"):
            raise PermissionError(13, "Permission denied", str(path))
        return mkdir(path, *arguments, **options)

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(Unwritable, match=r"shard-000000: this user may not write there"):
        export_part(plan.jobs[0])


def test_a_damaged_shard_makes_no_part(dataset, tmp_path):
    copy = tmp_path / "made"
    shutil.copytree(dataset.folder, copy)
    path = copy / "shard-000001-40.h5"
    data = bytearray(path.read_bytes())
    data[-1000] ^= 4
    path.write_bytes(data)
    out = tmp_path / "out"
    plan = plan_export(Dataset(copy), ExportChoice(ExportFormat.PNG), out)
    begin_export(plan, out)
    with pytest.raises(Damaged, match=path.name):
        export_part(plan.jobs[1])
    assert [one.name for one in out.iterdir()] == [NOTES]


def test_a_part_is_durable_before_it_appears(dataset, tmp_path, monkeypatch):
    out, seen = tmp_path / "out", []
    monkeypatch.setattr(staging, "sync_filesystem", lambda folder: seen.append((folder.name, *measured(folder))))
    renamed_by = Path.replace
    monkeypatch.setattr(Path, "replace", lambda path, target: seen.append(path.name) or renamed_by(path, target))
    plan = plan_export(dataset, ExportChoice(ExportFormat.PNG), out)
    begin_export(plan, out)
    seen.clear()
    part = export_part(plan.jobs[1]).part
    *notes, (synced, files, size), renamed = seen
    assert (files, size) == (part.files, part.bytes) == measured(out / part.name)
    assert synced == renamed
    assert [name.rpartition(".")[0].rpartition(".")[0] for name in notes] == [".000001.labels", ".000001.json"]


def test_a_folder_is_synced(tmp_path):
    sync_filesystem(tmp_path)
    with pytest.raises(FileNotFoundError):
        sync_filesystem(tmp_path / "nothing")


def test_without_syncfs_all_is_synced(monkeypatch, tmp_path):
    called = []
    monkeypatch.setattr(staging.ctypes, "CDLL", lambda *_, **__: object())
    monkeypatch.setattr(os, "sync", lambda: called.append(True))
    sync_filesystem(tmp_path)
    assert called == [True]


# Refusals.


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (ExportChoice(ExportFormat.GT), "format: 'png' there, 'gt' wanted"),
        (ExportChoice(ExportFormat.PNG, split="test"), "split: not set there, 'test' wanted"),
        (ExportChoice(ExportFormat.PNG, count=7), "count: not set there, 7 wanted"),
        (ExportChoice(ExportFormat.PNG, invert=True), "invert: False there, True wanted"),
        (ExportChoice(ExportFormat.PNG, csv_safe=True), "csv_safe: not set there, True wanted"),
    ],
)
@pytest.mark.parametrize("complete", [True, False])
def test_another_export_in_the_folder_is_refused_with_what_differs(
    dataset, exported, tmp_path, choice, message, complete
):
    out = exported(ExportFormat.PNG) if complete else tmp_path / "out"
    if not complete:
        begin_export(plan_export(dataset, ExportChoice(ExportFormat.PNG), out), out)
    before = tree(out)
    with pytest.raises(Different, match=message):
        plan_export(dataset, choice, out)
    assert tree(out) == before


def test_another_dataset_is_refused(dataset, exported, tmp_path):
    other = put(tmp_path / "other", [[made_block(9, 3)]], identity="2e" * 32)
    with pytest.raises(Different, match=r"content: .*; identity: '44937e\w+' there, '2e2e2e"):
        plan_export(other, ExportChoice(ExportFormat.PNG), exported(ExportFormat.PNG))


def test_a_folder_of_something_else_is_refused(dataset, tmp_path):
    (tmp_path / "holiday.jpg").touch()
    with pytest.raises(Different, match=r"holds files that no export wrote \(holiday\.jpg\)"):
        plan_export(dataset, ExportChoice(ExportFormat.PNG), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.jpg"]


PART = '{"shard": %s, "name": %s, "pictures": 1, "files": 1, "bytes": 1}'
WHOLE = '{"what": {}, "pictures": 2, "parts": [%s], "indexes": %s}'


@pytest.mark.parametrize("text", [
    "", "{}", "[1]", '{"what": 1, "pictures": 2, "parts": [{"a": 1}]}', '{"what": 1, "pictures": 2, "parts": []}',
    WHOLE % (PART % ('"../x"', "null"), "{}"), WHOLE % (PART % (1, "7"), "{}"), WHOLE % (PART % (1, '"../x"'), "{}"),
    WHOLE % ("[]", "{}"), WHOLE % ("", "[]"), WHOLE % ("", '{"/etc/passwd": 1}'), WHOLE % ("", '{"x": "1"}'),
])  # fmt: skip
def test_a_record_that_is_none_is_damaged(dataset, tmp_path, text):
    (tmp_path / RECORD).write_text(text)
    with pytest.raises(Damaged, match="cannot be read as the record of an export"):
        plan_export(dataset, ExportChoice(ExportFormat.PNG), tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{", PART % ('"1"', "null"), None])
def test_a_note_that_is_none_counts_for_nothing(tmp_path, text):
    """A pipe in its place was waited for."""
    file = tmp_path / "000001.json"
    os.mkfifo(file) if text is None else file.write_text(text)
    assert noted(tmp_path, 1) is None


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (ExportChoice(ExportFormat.PNG, count=0), "count: must be 1 or more; it is 0"),
        (ExportChoice(ExportFormat.PNG, split="tset"), "split: must be one of train, validation, test; it is 'tset'"),
        (ExportChoice(ExportFormat.HDF5, split="test"), "takes no --split"),
        (ExportChoice(ExportFormat.HDF5, invert=True), "takes no --invert"),
        (ExportChoice(ExportFormat.GT, csv_safe=True), "csv-safe: goes with format png, .*; it is gt"),
    ],
)
def test_bad_options(dataset, tmp_path, choice, message):
    with pytest.raises(BadInput, match=message):
        examine(dataset, choice, tmp_path / "out")


def test_a_folder_in_the_dataset_is_refused(dataset):
    for out in (dataset.folder, dataset.folder / "png", dataset.folder / ".." / "made" / "x"):
        with pytest.raises(BadInput, match="lies in the dataset"):
            examine(dataset, ExportChoice(ExportFormat.PNG), out)


@pytest.mark.parametrize("chosen", [ExportFormat.COCO, ExportFormat.TESSERACT])
def test_no_boxes_no_letters(tmp_path, chosen):
    source = Manifest.read(GOLDEN.with_name("imported")).source
    imported = put(tmp_path / "d", [[made_block(9, 3)]], source=source, fonts=[], words=None, renderer=0)
    with pytest.raises(BadInput, match=rf"format {chosen.value}: needs the letters' boxes"):
        examine(imported, ExportChoice(chosen), tmp_path / "out")
    examine(imported, ExportChoice(ExportFormat.PNG), tmp_path / "out")


def test_parquet_without_pyarrow_names_the_extra(dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "find_spec", lambda _: None)
    with pytest.raises(BadInput, match=r"pip install 'beating-captchas\[export\]'"):
        examine(dataset, ExportChoice(ExportFormat.PARQUET), tmp_path / "out")


def test_the_record_says_what_the_folder_holds(dataset, exported):
    record = ExportRecord.read(exported(ExportFormat.PARQUET))
    assert record.what["content"] == dataset.manifest.content
    assert (record.pictures, [part.pictures for part in record.parts]) == (len(dataset), list(SIZES))
    assert record.stands(exported(ExportFormat.PARQUET))


# Read again by `captchas import`, and by Hugging Face's datasets.


def listed(folder: Path) -> Listing:
    return Listing(ImportRequest(folder, "again", find_labels(folder)))


@pytest.mark.parametrize("split", [None, "test"])
@pytest.mark.parametrize(
    "chosen", [one for one in ExportFormat if one not in (ExportFormat.PARQUET, ExportFormat.HDF5)]
)
def test_an_import_finds_the_labels_of_an_export(exported, truth, tmp_path, chosen, split):
    out = exported(chosen, split=split)
    if chosen is ExportFormat.WEBDATASET:
        with pytest.raises(BadInput, match=r"has no picture file, but .*\.tar.*unpack it first"):
            find_labels(out)
        for path in out.glob("*.tar"):
            with tarfile.open(path) as file:
                file.extractall(tmp_path, filter="data")
        out = tmp_path
    found = listed(out)
    assert found.rejects == []
    assert {int(Path(path).stem): label for path, label in found.pairs} == {
        one.number: one.text for one in truth if split in (None, one.split)
    }


@pytest.mark.parametrize("chosen", [ExportFormat.PARQUET, ExportFormat.HDF5])
def test_an_import_refuses_an_export_without_picture_files(exported, chosen):
    with pytest.raises(BadInput, match=r"reads picture files only; .*export .*`--format png`"):
        find_labels(exported(chosen))


def test_an_import_refuses_labels_with_apostrophes_of_csv_safe(dataset, tmp_path):
    block = made_block(9, 3)
    text = np.array([b"=A", *block.text[1:]], "S6")
    made = put(
        tmp_path / "d", [[block._replace(text=text)]],
        profile=dataset.manifest.profile | {"alphabet": ALPHABET + "="},
    )  # fmt: skip
    for safe in (False, True):
        run(made, tmp_path / f"{safe}", ExportChoice(ExportFormat.PNG, csv_safe=safe))
    assert "=A" in dict(listed(tmp_path / "False").pairs).values()
    with pytest.raises(BadInput, match=r"--csv-safe.*\"'=A\".*export the dataset again"):
        find_labels(tmp_path / "True")


@pytest.mark.parametrize("split", [None, "test"])
@pytest.mark.parametrize("chosen", [one for one in ExportFormat if one is not ExportFormat.HDF5])
def test_other_tools_take_nothing_but_data_for_data(exported, chosen, split):
    """Hugging Face's datasets reads every file whose path has no part that begins with a dot or two underscores."""
    out = exported(chosen, split=split)
    visible = [Path(name) for name in tree(out) if not any(part.startswith((".", "__")) for part in Path(name).parts)]
    wanted = {
        ExportFormat.PNG: {".png", ".csv"}, ExportFormat.GT: {".png", ".csv", ".txt"},
        ExportFormat.TESSERACT: {".png", ".txt", ".box"}, ExportFormat.COCO: {".png", ".json"},
        ExportFormat.WEBDATASET: {".tar"}, ExportFormat.PARQUET: {".parquet"},
    }  # fmt: skip
    assert {path.suffix for path in visible} == wanted[chosen]
    if split and len(wanted[chosen]) == 1:
        assert all(path.name.startswith(f"{split}-") for path in visible)
    assert (out / RECORD).is_file() and RECORD.startswith(".")


@pytest.mark.parametrize("forged", ["nothing", "another", "above", "no file"])
def test_a_record_that_somebody_wrote_hides_no_part(dataset, exported, tmp_path, forged):
    """Such an export was called whole, or kept another file in the place of a part."""
    choice, out = ExportChoice(ExportFormat.WEBDATASET), tmp_path / "out"
    run(dataset, out, choice)
    record = json.loads((out / RECORD).read_text())
    wanted = tree(exported(ExportFormat.WEBDATASET))
    lost = record["parts"][0]["name"]
    (out / lost).unlink()
    if forged == "nothing":
        record["parts"] = record["parts"][1:]
    elif forged == "no file":
        record["parts"][0] |= {"name": None, "files": 0, "bytes": 0, "pictures": 0}
    else:
        record["parts"][0] |= {"name": "z" if forged == "another" else "..", "files": 1, "bytes": 1}
        (out / "z").write_bytes(b"z")
    (out / RECORD).write_text(json.dumps(record))
    if forged == "above":
        with pytest.raises(Damaged, match="a part must have a file's name"):
            run(dataset, out, choice)
        return
    run(dataset, out, choice)
    assert {name: data for name, data in tree(out).items() if name != "z"} == wanted


def test_the_record_of_an_earlier_version_is_known_and_gets_its_new_name(dataset, tmp_path):
    choice, out = ExportChoice(ExportFormat.PARQUET), tmp_path / "out"
    run(dataset, out, choice)
    before = tree(out)
    (out / RECORD).rename(out / EARLIER)
    plan = plan_export(dataset, choice, out)
    assert plan.whole
    tidy_export(out)
    assert tree(out) == before
    (out / RECORD).rename(out / EARLIER)
    (out / "shard-000001.parquet").unlink()
    assert [receipt.kept for receipt in run(dataset, out, choice)] == [True, False, True]
    assert tree(out) == before
    (out / RECORD).rename(out / EARLIER)
    with pytest.raises(Different, match="holds another export"):
        plan_export(dataset, ExportChoice(ExportFormat.PNG), out)
