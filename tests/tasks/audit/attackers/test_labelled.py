"""What attackers may learn from, and what none of them has seen."""

import numpy as np
import pytest

from storage.dataset import Dataset
from storage.files import atomic
from storage.shards.shard import SPLITS, Block
from storage.shards.writer import write_shard
from storage.texts import canonical
from tasks.audit import sides
from tasks.audit.attackers.constant import always, by_letters, by_words
from tasks.audit.attackers.labelled import (
    drop_labelled,
    find_unseen,
    labelled_in,
    labelled_texts,
    pictures_again,
    pictures_at,
    remember,
    size_of,
    take_labelled,
)
from tasks.audit.sides import with_kept
from tasks.datasets.folder import complete
from tasks.datasets.statistics import Tally
from tasks.datasets.totals import DrawReceipt, Gathered
from tasks.loading.decode import LOADER, SEEN

COUNT = 60


def block_of(texts: list[str], images: np.ndarray, splits: list[str]) -> Block:
    parameters = np.empty(len(texts), [("height", "<u2"), ("width", "<u2")])
    parameters["height"], parameters["width"] = images.shape[1:3]
    boxes = np.full((len(texts), max(map(len, texts)), 4), -1, np.int16)
    numbers = np.array([SPLITS.index(split) for split in splits], np.uint8)
    return Block(images, np.array([text.encode() for text in texts]), boxes, parameters, numbers)


def dataset_of(folder, block: Block, *, told: bool = False) -> Dataset:
    """Seal a block as an imported dataset; `told`: folders told the splits."""
    texts = block.texts()
    alphabet = "".join(sorted(set("".join(texts))))
    colour = block.images.ndim == 4
    source = {"pictures": len(texts), "digest": "0" * 64, "loader": SEEN if colour else LOADER}
    source |= ({} if colour else {"ink": {"invert": "auto"}}) | ({"split": "folders"} if told else {})
    profile = {
        "name": folder.name, "alphabet": alphabet, "words": "", "length": [min(map(len, texts)), max(map(len, texts))],
        "height": block.images.shape[1], "width": block.images.shape[2],
    }  # fmt: skip
    identity = canonical({"format": 1 + colour, "profile": profile, "source": source, "seed": 0})
    tally = Tally(alphabet)
    tally.add(block)
    run = atomic.new_run()
    atomic.make_folder(folder)
    gathered = Gathered(identity)
    gathered.add(DrawReceipt(0, write_shard(folder, 0, 0, [block], identity, run), True, tally.counts()))
    complete(folder, gathered, run)
    return Dataset(folder)


def kept_from_attackers(dataset: Dataset) -> np.ndarray:
    return np.concatenate([kept for _, _, kept in with_kept(dataset, dataset.blocks())])


@pytest.fixture
def dataset(tmp_path) -> Dataset:
    """Sixty grey pictures, of which every sixth is unseen and every tenth is for validation."""
    images = np.random.default_rng(1).integers(0, 255, (COUNT, 8, 12), np.uint8)
    splits = ["test" if k % 6 == 5 else "validation" if k % 10 == 0 else "train" for k in range(COUNT)]
    texts = [f"{'AB'[k % 2]}{k % 3}" for k in range(COUNT)]
    return dataset_of(tmp_path / "given", block_of(texts, images, splits))


def test_unseen_pictures_are_those_of_the_test_split(dataset, monkeypatch):
    monkeypatch.setattr(sides, "WANTED", 10)
    unseen = find_unseen(dataset, 7)
    assert unseen.rows == tuple(range(5, 42, 6))
    assert unseen.truths == tuple(dataset[row].text for row in unseen.rows)
    assert unseen.dropped == 0
    assert len(find_unseen(dataset, 1000).rows) == 10


def test_of_few_pictures_a_third_is_kept_from_attackers(dataset):
    """With one in ten, whoever labels 300 pictures would be told an interval of 36 points."""
    unseen = set(find_unseen(dataset, 1000).rows)
    assert len(unseen) == COUNT // 3 and labelled_in(dataset) == COUNT - COUNT // 3
    assert unseen > set(range(5, COUNT, 6)) and not unseen & set(range(0, COUNT, 30))  # validation is left alone
    labelled = take_labelled(dataset, labelled_in(dataset), dataset.folder.parent)
    assert labelled[:].texts() == [dataset[row].text for row in range(COUNT) if row not in unseen]
    assert labelled_texts(dataset, COUNT) == labelled[:].texts()


def test_which_pictures_are_kept_follows_from_their_pixels(dataset, tmp_path):
    backwards = dataset_of(tmp_path / "backwards", dataset[:].rows(slice(None, None, -1)))
    assert kept_from_attackers(backwards).tolist() == kept_from_attackers(dataset).tolist()[::-1]


def test_equal_pictures_stay_on_one_side(tmp_path):
    """Thirty pictures that are shown twice; a picture that is half of all is on the side of attackers."""
    images = np.random.default_rng(2).integers(0, 255, (31, 8, 12), np.uint8)
    which = [k // 2 for k in range(60)] + [30] * 60
    few = dataset_of(tmp_path / "twice", block_of(["AB"] * 120, images[which], ["train"] * 120))
    kept = kept_from_attackers(few)
    assert kept.sum() == 40 and (kept[0:60:2] == kept[1:60:2]).all() and not kept[60:].any()


def test_splits_that_folders_told_stay_as_they_are(tmp_path):
    images = np.random.default_rng(2).integers(0, 255, (COUNT, 8, 12), np.uint8)
    splits = ["test" if k < 6 else "train" for k in range(COUNT)]
    told = dataset_of(tmp_path / "told", block_of(["AB"] * COUNT, images, splits), told=True)
    assert np.flatnonzero(kept_from_attackers(told)).tolist() == list(range(6))


def test_pictures_that_come_again_are_remembered_across_the_split(tmp_path):
    """Three pictures that are shown again and again, one of them on the unseen side, and a picture shown once."""
    images = np.random.default_rng(1).integers(0, 255, (4, 8, 12), np.uint8)
    which = [k % 3 for k in range(30)] + [3]
    splits = ["test" if k >= 2 else "train" for k in which]
    texts = ["AAA" if k == 29 else ("AB", "BA", "BB", "AA")[which[k]] for k in range(31)]
    dataset = dataset_of(tmp_path / "few", block_of(texts, images[which], splits))
    unseen = find_unseen(dataset, 100)
    assert pictures_again(dataset) == 27
    guesses = remember(dataset, unseen).guesses
    assert guesses == (("BB", "AAA"),) * 9 + (("BB",), ())  # never by its own label


def test_labelled_pictures_are_the_others_with_their_labels_and_nothing_else(dataset, tmp_path):
    labelled = take_labelled(dataset, 20, tmp_path)
    assert len(labelled) == 20
    rows = np.flatnonzero(~kept_from_attackers(dataset)).tolist()[:20]
    for mine, row in enumerate(rows):
        assert labelled[mine].text == dataset[row].text
        assert (labelled[mine].image == dataset[row].image).all()
    assert set(labelled.manifest.statistics["splits"].items()) > {("test", 0)}
    assert labelled.manifest.source["digest"] != dataset.manifest.source["digest"]
    assert labelled_texts(dataset, 20) == labelled[:].texts()


def test_places_of_letters_are_not_sold_with_labels(tmp_path):
    golden = Dataset("tests/golden/v1/book")
    labelled = take_labelled(golden, 10, tmp_path)
    assert (labelled[:].boxes == -1).all()
    assert labelled[:].parameters.dtype.names == ("height", "width")
    assert labelled.manifest.profile["words"] == golden.manifest.profile["words"]


def test_labelled_pictures_that_are_there_are_kept_and_never_taken_for_others(dataset, tmp_path):
    within = tmp_path / "state"
    take_labelled(dataset, 20, within)
    before = {path: path.stat().st_mtime_ns for path in within.rglob("*")}
    take_labelled(dataset, 20, within)
    assert {path: path.stat().st_mtime_ns for path in within.rglob("*")} == before
    other = dataset_of(tmp_path / "other", dataset[:].rows(slice(None, None, -1)))
    assert take_labelled(other, 20, within)[0].text == other[1].text
    (within / "note").touch()
    drop_labelled(within)
    assert [path.name for path in within.iterdir()] == ["note"]


def test_a_picture_that_is_also_labelled_is_not_unseen(tmp_path):
    images = np.random.default_rng(1).integers(0, 255, (6, 8, 12), np.uint8)
    images[5] = images[0]
    splits = ["train", "train", "train", "test", "test", "test"]
    told = dataset_of(tmp_path / "told", block_of(["AB"] * 6, images, splits), told=True)
    unseen = find_unseen(told, 10)
    assert (unseen.rows, unseen.dropped) == ((3, 4), 1)


def test_pictures_come_without_the_rest_of_the_canvas(dataset):
    assert [image.shape for image in pictures_at(dataset, [3, 1])] == [(8, 12), (8, 12)]
    assert size_of(dataset) == [8, 12]
    assert size_of(Dataset("tests/golden/v1/book")) is None


def test_a_constant_guess_takes_the_commonest_letters_at_the_commonest_length():
    assert by_letters(["AB", "AC", "AC", "XYZ", "BC"]) == ("AC", "AB", "BC")
    assert by_letters(["A"]) == ("A",)


def test_only_a_text_that_came_twice_is_frequent():
    assert by_words(["AB", "CD", "AB", "EF", "EF", "AB"]) == ("AB", "EF", "CD")
    assert by_words(["AB", "CD"]) == ()
    assert always(("AB",), 3).firsts == ["AB"] * 3


def test_a_short_guess_is_better_than_a_long_one_that_comes_a_little_more_often():
    """Of lengths 4 and 6 that are about as frequent, four letters are guessed far more often."""
    chance = np.random.default_rng(1)
    texts = ["".join(chance.choice(list("ABCDEFGHIJ"), length)) for length in [6] * 52 + [4] * 48]
    assert {len(guess) for guess in by_letters(texts)} == {4}
    seldom = ["".join(chance.choice(list("ABCDEFGHIJ"), length)) for length in [4] * 97 + [3] * 3]
    assert {len(guess) for guess in by_letters(seldom)} == {4}  # a length of 3 % does not pay
    assert by_letters(["ABCDEF"] * 60 + ["X1", "Y2", "Z3"])[0] == "ABCDEF"
