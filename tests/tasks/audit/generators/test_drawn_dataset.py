"""A dataset of an owner's generator: whole, resumable, extensible, of what the generator drew and of nothing else."""

import json
import shutil
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from storage.dataset import Dataset
from storage.errors import BadInput, Damaged, Different
from storage.files.places import place
from storage.shards.manifest import Manifest
from tasks.audit.generators import drawn_dataset
from tasks.audit.generators.drawn_batches import labelled_files
from tasks.audit.generators.drawn_dataset import draw
from tasks.audit.generators.own_generator import find_generator
from tasks.audit.generators.pool import Pool
from tasks.audit.generators.processes.counter_texts import text_of
from tasks.datasets.describe import datasets_under
from tasks.datasets.inventory import inventory, require_dataset
from tasks.exchange.reimport import as_imported

SOURCE = """
import os
import numpy as np
from PIL import Image

def grey(text, rng):
    return Image.fromarray(rng.integers(0, 256, (12, 30 + len(text)), np.uint8))

def colour(text, rng, index):
    if index % 5 == 3:
        raise RuntimeError("\\x1b[31mout of paint")
    picture = np.full((9, 20, 3), (250, 9, 0), np.uint8)
    picture[..., 1] = rng.integers(0, 9, (9, 20))
    return picture

def ignores(text, rng):
    return os.urandom(1)[0] / 255 * np.eye(20)

def few(rng):
    k = int(rng.integers(0, 3))
    return "ABC"[k] * (k + 1), np.eye(12) * (k + 1) / 3

def blank(text):
    return Image.new("L", (30, 10), 255)

def breaks(text, index, rng):
    if index >= 5:
        raise RuntimeError("too many open files")
    return grey(text, rng)

def never(text):
    raise RuntimeError("never")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the module."""
    made = tmp_path_factory.mktemp("owner")
    (made / "own.py").write_text(SOURCE)
    return made


MANY = """
import random, sys
count, folder, seed = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
random.seed(seed)
for number in range(count - 3):
    text = "".join(random.choices("ABCDEFGHJK", k=random.choice((3, 4))))
    pixels = bytes(random.choices(range(256), k=40 * 12))
    with open(f"{folder}/{number:03d}_{text}.bmp", "wb") as file:
        file.write(b"BM" + (1078 + 480).to_bytes(4, "little") + bytes(4) + (1078).to_bytes(4, "little"))
        file.write(b"".join(n.to_bytes(4, "little") for n in (40, 40, 12, 1 + (8 << 16), 0, 480, 2835, 2835, 256, 0)))
        file.write(b"".join(bytes((n, n, n, 0)) for n in range(256)) + pixels)
"""


DATED = r"""
for k in 7 8; do
    printf 'P2 2 1 9 %d 0' $k > "$2/x-$k.pgm"
    echo "x-$k.pgm,K$k" >> "$2/labels.csv"
    touch -d @1000000000 "$2/x-$k.pgm"
done
"""


@pytest.fixture(scope="module")
def grey(folder):
    """The generator that draws in grey."""
    return find_generator("own:grey", None, folder=folder, seed=3)


@pytest.fixture(scope="module")
def find(grey):
    """`find(name)`: another generator of the module, which takes a text and random numbers too."""
    return lambda name, **options: replace(grey, given=f"own:{name}", **options)


def calls(monkeypatch) -> list[int]:
    """Collect the indices of the pictures that are drawn from now on."""
    drawn: list[int] = []
    plain = Pool.draw

    def counted(self, jobs):
        for result in plain(self, jobs):
            drawn.append(result.job.index)
            yield result

    monkeypatch.setattr(Pool, "draw", counted)
    return drawn


def texts(path) -> list[str]:
    data = Dataset(path)
    return data[: len(data)].texts()


@pytest.fixture(scope="module")
def whole(grey, tmp_path_factory):
    """Sixty pictures by two workers: the dataset's folder, what was reported, and the progress."""
    target, done = tmp_path_factory.mktemp("whole") / "a", []
    return target, draw(grey, 60, target, workers=2, on_done=done.append), done


def test_a_dataset_is_that_of_its_generator(grey, whole):
    target, record, done = whole
    data = Dataset(target)
    assert texts(target) == [text_of(3, index, grey.alphabet, (4, 5)) for index in range(60)]
    assert (record["asked"], record["drawn"], record["failed"], record["failures"]) == (60, 60, 0, [])
    assert (record["takes_rng"], record["redraws"], record["chooses_text"]) == (True, True, False)
    assert done == list(range(1, 61))
    assert data.colour  # as seen, though the pictures are grey: ink alone would be less than attackers have
    assert data.manifest.source["generator"] == {
        "kind": "callable", "given": "own:grey", "source": grey.source, "seed": 3, "digest": grey.digest
    }  # fmt: skip
    assert sorted(path.name for path in target.parent.iterdir()) == ["a", "a.drawn", "a.lock"]


def test_more_pictures_follow_those_that_are_there_for_any_number_of_workers(grey, whole, tmp_path, monkeypatch):
    target = tmp_path / "grown"
    draw(grey, 25, target)
    first = Dataset(target)[:25]
    drawn = calls(monkeypatch)
    record = draw(grey, 60, target)
    assert sorted(drawn) == list(range(25, 60))
    assert record | {"seconds_a_picture": 0} == whole[1] | {"seconds_a_picture": 0}
    assert Manifest.read(target).content == Manifest.read(whole[0]).content
    grown = Dataset(target)[:25]
    assert grown.texts() == first.texts()
    assert np.array_equal(grown.split, first.split)
    drawn.clear()
    assert draw(grey, 25, target)["drawn"] == len(Dataset(target)) == 25
    assert drawn == []


def test_a_killed_run_goes_on_without_drawing_again(grey, whole, tmp_path, monkeypatch):
    target = tmp_path / "a"

    def stop(count: int) -> None:
        if count == 17:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw(grey, 50, target, on_done=stop)
    journal = tmp_path / "a.drawn" / "drawn.jsonl"
    journal.write_bytes(journal.read_bytes() + b'{"index": 17, "te')  # cut off while it was written
    (tmp_path / "a.drawn" / "pictures" / "00000" / "00000004.png").unlink()
    drawn = calls(monkeypatch)
    monkeypatch.setattr(drawn_dataset, "fill_shard", None)  # killed while it fills: the dataset has no manifest
    with pytest.raises(TypeError):
        draw(grey, 60, target)
    assert sorted(drawn) == sorted([4, *range(17, 60), *range(8)])  # eight are drawn twice to be compared
    monkeypatch.undo()
    draw(grey, 60, target)
    assert Manifest.read(target).content == Manifest.read(whole[0]).content


def test_failures_are_counted_and_never_used(find, tmp_path):
    generator = find("colour")
    record = draw(generator, 24, tmp_path / "a", workers=2)
    assert (record["drawn"], record["asked"], record["failed"]) == (24, 30, 6)
    (failure,) = record["failures"]
    assert (failure["what"], failure["count"]) == ("raised RuntimeError", 6)
    text = text_of(3, 3, generator.alphabet, (4, 5))
    assert failure["example"] == f"picture 3: '{text}': \\x1b[31mout of paint (line 11 of own.py)"
    data = Dataset(tmp_path / "a")
    assert data.colour
    assert tuple(data[0].image[0, 0, ::2]) == (250, 0)
    used = [index for index in range(30) if index % 5 != 3]
    assert texts(tmp_path / "a") == [text_of(3, index, generator.alphabet, (4, 5)) for index in used]


def test_a_command_draws_many_pictures_at_a_time(folder, tmp_path, monkeypatch):
    (folder / "many.py").write_text(MANY)
    generator = find_generator(None, "python3 many.py {count} {folder} {seed}", folder=folder)
    drawn = calls(monkeypatch)
    record = draw(generator, 120, tmp_path / "a", workers=2)
    assert sorted(drawn) == [0, 0, 100]  # a batch is drawn twice
    assert (record["drawn"], record["asked"], record["failed"]) == (120, 123, 3)
    assert (record["takes_rng"], record["chooses_text"], record["redraws"]) == (True, True, True)
    (failure,) = record["failures"]
    assert failure == {"what": "drew fewer pictures than asked", "count": 3, "example": "picture 97: 97 of 100"}
    data = Dataset(tmp_path / "a")
    assert data.manifest.profile["length"] == [3, 4]
    assert set(data.manifest.profile["alphabet"]) == set("ABCDEFGHJK")
    drawn.clear()
    assert draw(generator, 190, tmp_path / "a")["drawn"] == 190  # of what was drawn already
    assert drawn == []


def test_pictures_of_a_batch_keep_their_names_and_times(folder, tmp_path):
    """An audit asks whether these tell the answers."""
    (folder / "dated.sh").write_text(DATED)
    generator = find_generator(None, "sh dated.sh {count} {folder}", folder=folder)
    draw(generator, 2, tmp_path / "a")
    kept = sorted((tmp_path / "a.drawn" / "pictures").rglob("*.png"))  # a PGM becomes one
    assert [path.stem.partition("_")[2] for path in kept] == ["x-7", "x-8"]
    assert {path.stat().st_mtime for path in kept} == {1_000_000_000}


def test_numbers_that_a_command_says_are_what_it_drew(tmp_path):
    """Sums come to numbers of one digit and of two, as classes have them; no spreadsheet was there."""
    table = "".join(f"{k}.png,{k * k % 41}\n" for k in range(12)).encode()
    files = [(f"{k}.png", 8, 0) for k in range(12)] + [("labels.csv", len(table), 0)]
    came = labelled_files(SimpleNamespace(folder=tmp_path), {"files": files}, b"\x89PNG\r\n\x1a\n" * 12 + table)
    assert sorted(int(one.text) for one in came) == sorted(k * k % 41 for k in range(12))


@pytest.mark.parametrize(("least", "pictures", "passed"), [(10, 3, False), (10, 10, True), (0, 0, True)])
def test_a_generator_with_too_few_pictures_gets_more_time(monkeypatch, least, pictures, passed):
    monkeypatch.setattr(drawn_dataset.time, "monotonic", lambda: 100.0)
    deadline = drawn_dataset.Deadline(110.0, least)
    assert not deadline.passed(pictures)
    monkeypatch.setattr(drawn_dataset.time, "monotonic", lambda: 111.0)
    assert deadline.passed(pictures) == passed
    monkeypatch.setattr(drawn_dataset.time, "monotonic", lambda: 131.0)
    assert deadline.passed(pictures)


def test_a_generator_that_ignores_its_rng_is_found_out(find, tmp_path):
    record = draw(find("ignores"), 10, tmp_path / "a")
    assert (record["takes_rng"], record["redraws"]) == (True, False)


def test_pictures_are_drawn_again_also_where_time_ends_the_drawing(monkeypatch, find, tmp_path):
    monkeypatch.setattr(drawn_dataset.Deadline, "passed", lambda _, pictures: pictures >= drawn_dataset.SOON + 20)
    record = draw(find("ignores"), 1000, tmp_path / "a")
    assert record["drawn"] < 1000
    assert record["redraws"] is False


def test_failures_behind_the_last_picture_are_counted(find, tmp_path):
    """Such as of a generator that breaks after some pictures, and draws none from there on."""
    record = draw(find("breaks"), 12, tmp_path / "a", workers=1)
    assert record["drawn"] == 5
    assert record["failed"] == record["asked"] - 5 == sum(line["count"] for line in record["failures"])
    assert record["failed"] > 12


def test_equal_pictures_stay_on_a_side_and_texts_may_be_chosen(find, tmp_path):
    record = draw(find("few", takes_text=False), 60, tmp_path / "a")
    assert (record["chooses_text"], record["redraws"]) == (True, True)
    data = Dataset(tmp_path / "a")
    block = data[:60]
    assert data.manifest.profile["alphabet"] == "ABC"
    assert data.manifest.profile["length"] == [1, 3]
    sides = {
        text: {int(side) for text_, side in zip(block.texts(), block.split, strict=True) if text_ == text}
        for text in block.texts()
    }
    assert all(len(side) == 1 for side in sides.values())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("never", "none of the first 20 pictures can be used (20 raised RuntimeError, such as picture 0: "),
        ("blank", "20 gave a picture that cannot be read, such as picture 0: "),
    ],
)
def test_a_generator_that_draws_nothing_is_refused_soon(find, tmp_path, name, said):
    with pytest.raises(BadInput) as error:
        draw(find(name), 1000, tmp_path / "a")
    assert said in str(error.value)
    assert Counter(line["count"] for line in error.value.report["failures"]) == {20: 1}
    assert not (tmp_path / "a").exists()


def test_pictures_that_came_until_the_end_of_the_time_are_used(grey, tmp_path):
    with pytest.raises(BadInput, match="no time was left"):
        draw(grey, 5, tmp_path / "a", until=0.0)


def test_a_folder_of_another_generator_is_refused(grey, find, whole, tmp_path):
    shutil.copytree(whole[0].parent, tmp_path, dirs_exist_ok=True)
    with pytest.raises(Different, match="holds another dataset"):
        draw(find("colour"), 5, tmp_path / "a")
    shutil.rmtree(tmp_path / "a")
    with pytest.raises(Different, match=r"a.drawn: holds what another generator drew.*\(given"):
        draw(find("colour"), 5, tmp_path / "a")
    with pytest.raises(Different, match="alphabet"):
        draw(find("grey", alphabet="ABC"), 5, tmp_path / "a")
    (tmp_path / "a.drawn" / "drawn.jsonl").write_text("[]\n")
    with pytest.raises(Damaged, match=r"remove .* to draw anew"):
        draw(grey, 5, tmp_path / "a")


def test_the_dataset_says_that_it_cannot_be_drawn_again(whole):
    target = whole[0]
    assert inventory(target).imported
    assert [(row["name"], row["state"]) for row in datasets_under(target.parent)] == [("a", "complete")]
    said = "were drawn by the generator 'own:grey', which is not this project's"
    with pytest.raises(BadInput, match=said):
        require_dataset(place(target), drawing=True)
    with pytest.raises(BadInput, match=said):
        as_imported(place(target), target.with_name("a.drawn"))


def test_the_table_of_labels_can_be_imported_by_others(grey, whole):
    staged = whole[0].with_name("a.drawn")
    lines = (staged / "labels.csv").read_text().splitlines()
    assert lines[:2] == ["path,label", f"pictures/00000/00000000.png,{text_of(3, 0, grey.alphabet, (4, 5))}"]
    assert len(lines) == 61
    assert json.loads((staged / "generator.json").read_text())["given"] == "own:grey"
