from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from storage.shards.shard import Block
from tasks.datasets.recipe import make_recipe, renderer_of
from tasks.profiles.built_in import find_profile
from tasks.profiles.fonts import face_names
from tasks.profiles.ranges import OFF, Grid
from tasks.reading.components import find_apart
from tasks.reading.deskew import upright
from tasks.reading.features import COARSE, SIZE, shape_spans
from tasks.reading.lattice import find_spans
from tasks.reading.networks import LETTERS, letter_odds
from tasks.training import spool
from tasks.training.alignment import NEAR, mark, nearness
from tasks.training.fit import SAMPLE, TRAIN, VALIDATION
from tasks.training.settings import Settings
from tasks.training.spool import GatherJob, gather, jobs_of

QUICK = Settings(pictures=(100,), shows=600, hidden=(8,))


def book(count=120, name="book"):
    return renderer_of(make_recipe(find_profile(name), 1)).block(1, 0, count)


def samples_of(job):
    return np.load(f"{job.spool}/{job.name}-{job.shard:06d}.npy")


@pytest.fixture
def job(two_faces, tmp_path):
    classes = two_faces.manifest.profile["alphabet"]
    return GatherJob(str(two_faces.folder), 0, 200, classes, QUICK, None, str(tmp_path), "1-000", "run")


# Jobs.


def test_jobs_are_of_the_first_shards_that_have_enough_pictures(two_faces, tmp_path):
    def jobs(share=1, datasets=(two_faces,), **settings):
        return jobs_of(list(datasets), Settings(**settings), share, None, tmp_path, "run")

    # Shards of 1,024, 1,024 and 952 pictures, about 819 of each to be learnt from.
    for wanted, shards in ((1, 1), (819, 1), (820, 2), (1638, 2), (1639, 3), (9999, 3)):
        made = jobs(pictures=(wanted,))
        assert [job.shard for job in made] == list(range(shards))
        assert wanted <= sum(job.pictures for job in made) < wanted + shards
    assert [(job.shard, job.pictures) for job in jobs(4, pictures=(1000,))] == [(0, 250)]
    made = jobs(4, (two_faces, two_faces), pictures=(100, 4000))
    assert [(job.name, job.shard, job.pictures) for job in made] == [
        ("4-000", 0, 25),
        ("4-001", 0, 500),
        ("4-001", 1, 500),
    ]
    assert {(job.folder, job.spool, job.run, job.model) for job in made} == {
        (str(two_faces.folder.resolve()), str(tmp_path.resolve()), "run", None)
    }
    assert jobs_of([two_faces], QUICK, 1, tmp_path / "m.skops", tmp_path, "run")[0].model == str(tmp_path / "m.skops")


def test_a_short_last_shard_does_not_cost_pictures(draw_dataset, small, tmp_path):
    dataset = draw_dataset(small, 1124, tmp_path / "small", 1)  # shards of 1,024 and of 100
    train = sum(int((block.split == TRAIN).sum()) for block in dataset.blocks())
    for wanted in (900, 2000):
        jobs = jobs_of([dataset], Settings(pictures=(wanted,)), 1, None, tmp_path, "run")
        assert len(jobs) == 2
        found = sum(gather(job).pictures for job in jobs)
        assert found == min(wanted, train) or 0.97 * min(wanted, train) < found <= min(wanted + 1, train)


def test_names_of_files_sort_by_share_dataset_and_shard(two_faces, tmp_path):
    made = jobs_of([two_faces] * 12, Settings(pictures=(2000,)), 1, None, tmp_path, "run")
    files = [f"{job.name}-{job.shard:06d}.npy" for job in made]
    assert files == sorted(set(files))


# Gathering.


def test_spans_and_labels_come_from_the_first_pictures_of_the_split(job, two_faces):
    receipt = gather(job)
    samples = samples_of(job)
    assert samples.dtype == SAMPLE
    assert (receipt.shard, receipt.pictures, receipt.spans) == (0, 200, len(samples))
    assert receipt.letters == (samples["label"] < 26).sum()
    assert 0.97 * 200 < receipt.marked <= 200
    assert set(np.unique(samples["split"])) == {TRAIN, VALIDATION}
    assert samples["label"].max() == 26
    # As many validation pictures as lie between.
    block = two_faces.head(1024)
    until = np.flatnonzero(block.split == TRAIN)[199] + 1
    share = (samples["split"] == VALIDATION).mean()
    expected = (block.split[:until] == VALIDATION).sum() / (block.split[:until] <= VALIDATION).sum()
    assert share == pytest.approx(expected, abs=0.03)
    # What is shown is what a reader would be shown.
    first = block.rows(block.split <= VALIDATION).rows(slice(0, 1))
    ink = upright(first.images)[0]
    known = {row.tobytes() for row in shape_spans(ink, find_spans(ink))[:, :COARSE]}
    own = samples["span"][: spool.pick.__defaults__[0]]
    assert own[0, :COARSE].tobytes() in known


def test_letters_look_alike_and_what_is_none_does_not(job):
    gather(replace(job, pictures=600))
    samples = samples_of(job)
    X, y = samples["span"].astype(float), samples["label"]
    means = np.stack([X[y == k].mean(axis=0) for k in range(26) if (y == k).any()])
    there = [k for k in range(26) if (y == k).any()]
    letters = y < 26
    distances = (means**2).sum(axis=1) - 2 * X[letters] @ means.T  # squared, but for what is the same for all means
    nearest = np.array(there)[distances.argmin(axis=1)]
    assert (nearest == y[letters]).mean() > 0.85


def test_equal_jobs_give_equal_files_and_the_seed_chooses(job, tmp_path):
    gather(job)
    one = samples_of(job)
    gather(replace(job, name="2-000"))
    assert np.array_equal(samples_of(replace(job, name="2-000")), one)
    other = replace(job, name="3-000", settings=replace(QUICK, seed=2))
    gather(other)
    assert not np.array_equal(samples_of(other)["span"][:20], one["span"][:20])
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{k}-000-000000.npy" for k in (1, 2, 3)]


def test_faces_that_are_left_out_teach_nothing(job, two_faces):
    """The other face alone gives the very same spans, of as many pictures as there are."""
    faces = face_names(two_faces.manifest.fonts)
    assert faces == ["Inter Black", "Prociono"]
    block = two_faces.head(1024)
    for number, face in enumerate(faces):
        other = replace(job, name=f"{number}-000", pictures=10_000, settings=replace(QUICK, leave_out=(face,)))
        receipt = gather(other)
        assert receipt.pictures == ((block.split == TRAIN) & (block.parameters["font"] != number)).sum()
    both = replace(job, pictures=10_000, settings=replace(QUICK, leave_out=tuple(faces)))
    receipt = gather(both)
    assert (receipt.pictures, receipt.marked, receipt.letters, receipt.spans) == (0, 0, 0, 0)
    assert len(samples_of(both)) == 0
    unknown = gather(replace(job, pictures=10_000, settings=replace(QUICK, leave_out=("Nobody Bold",))))
    assert unknown.pictures == (block.split == TRAIN).sum()


def test_no_more_than_so_many_spans_of_a_picture(job):
    receipt = gather(job)
    letters, others = 9, 7
    apart = 4  # components that are letters of their own come besides
    assert receipt.letters <= receipt.pictures * 1.4 * (letters + apart)
    samples = samples_of(job)
    assert len(samples) - receipt.letters <= receipt.pictures * 1.4 * others
    assert (letters, others) == spool.pick.__defaults__


def test_where_there_are_boxes_a_network_changes_nothing(learnt, job, tmp_path):
    job = replace(job, classes=learnt.record["classes"])
    gather(job)
    gather(replace(job, name="2-000", model=str(learnt.path)))
    assert np.array_equal(samples_of(job), samples_of(replace(job, name="2-000")))


# Pictures without boxes.


def test_components_stand_in_for_boxes_where_there_are_as_many_as_letters():
    block = book(60)
    alphabet = find_profile("book").alphabet
    codes = np.array([[alphabet.index(letter) for letter in text] for text in block.texts()])
    codes[3, 3:] = -1  # of these four components, one too many
    ink = upright(block.images)[0]
    apart = find_apart(ink)
    boxes = spool._stand_in(ink, apart, codes)
    assert boxes.shape == (60, 4, 4)
    for number in range(60):
        own = apart.box[apart.picture == number]
        if len(own) == (codes[number] >= 0).sum():
            assert boxes[number, : len(own)].tolist() == own.tolist()
            assert (boxes[number, len(own) :] == -1).all()
        else:
            assert (boxes[number] == -1).all()
    assert (boxes[3] == -1).all()
    assert (boxes[:, 0, 0] >= 0).mean() > 0.8


def taught(block, networks=None, least=None):
    return spool.teach(block, find_profile("book").alphabet, networks, least, (1, 0, 0))


def test_imported_pictures_teach_nearly_the_same_as_drawn_ones():
    block = book(150)
    bare = block._replace(boxes=np.full_like(block.boxes, -1))
    spans, labels, picture, found, _ = taught(bare)
    _, _, _, expected, _ = taught(block)
    assert spans.shape == (len(labels), SIZE)
    assert expected.mean() > 0.97
    assert found.mean() > 0.8
    assert set(picture.tolist()) == set(np.flatnonzero(found).tolist())
    # The same spans are called the same.
    ink, shear, offset = upright(block.images)
    lattice = find_spans(ink)
    alphabet = find_profile("book").alphabet
    codes = np.array([[alphabet.index(letter) for letter in text] for text in block.texts()])
    zero = np.zeros_like(shear)
    one = mark(lattice, codes, nearness(lattice, shear, offset, block.boxes), NEAR, 26)
    other = mark(lattice, codes, nearness(lattice, zero, zero, spool._stand_in(ink, find_apart(ink), codes)), NEAR, 26)
    both = (one >= 0) & (other >= 0) & (one < 26) & (other < 26)
    assert both.sum() > 900
    assert (one[both] == other[both]).all()


def test_pictures_whose_letters_are_not_found_teach_nothing():
    block = book(20)
    bare = block._replace(boxes=np.full_like(block.boxes, -1), text=np.array([b"ABCDEFG"] * 20))
    bare = Block(bare.images, bare.text, np.full((20, 7, 4), -1, np.int16), bare.parameters, bare.split)
    spans, labels, _, found, _ = taught(bare)
    assert not found.any()
    assert (len(spans), len(labels)) == (0, 0)


def test_without_boxes_the_second_round_agrees_with_the_first(learnt):
    bare = book(100)
    bare = bare._replace(boxes=np.full_like(bare.boxes, -1))
    before = taught(bare)[3]
    spans, labels, picture, found, _ = taught(bare, learnt.networks, learnt.record["gate"])
    assert (found == before).mean() > 0.97
    letters = labels < 26
    odds = letter_odds(learnt.networks[LETTERS], spans[letters])
    assert ((odds.argmax(axis=1) == labels[letters]) & (odds.max(axis=1) > 0)).mean() > 0.95
    assert len(picture) == len(labels)


def test_letters_that_touch_are_found_by_the_network_of_the_first_round(learnt):
    whole = book(200, "touching")
    bare = whole._replace(boxes=np.full_like(whole.boxes, -1))
    assert taught(bare)[3].mean() < 0.1  # nothing stands apart in the right number
    spans, labels, _, found, _ = taught(bare, learnt.networks, learnt.record["gate"])
    assert found.mean() > 0.1
    # What is found is what the boxes say.
    ink, shear, offset = upright(whole.images)
    lattice = find_spans(ink)
    codes = np.array([["ABCDEFGHIJKLMNOPQRSTUVWXYZ".index(letter) for letter in text] for text in whole.texts()])
    true = mark(lattice, codes, nearness(lattice, shear, offset, whole.boxes), NEAR, 26)
    shapes = {shape.tobytes(): label for shape, label in zip(shape_spans(ink, lattice), true, strict=True)}
    pairs = [(shapes.get(span.tobytes(), -1), label) for span, label in zip(spans, labels, strict=True) if label < 26]
    known = [(one, other) for one, other in pairs if 0 <= one < 26]
    assert len(known) > 100
    assert np.mean([one == other for one, other in known]) > 0.9


def test_letters_of_several_pieces_count_as_one_each():
    """`=`, `?`, `i`, `:` and `%` are no single components; whatever shares a column is one letter."""
    letters = "=?i:%j12"
    profile = replace(
        find_profile("random"), name="pieces", alphabet=letters, fonts=("DejaVu Sans Bold",), length=(3, 4),
        tracking=Grid(4, 6), shear=OFF, scale=Grid(100, 100), width=200,
    )  # fmt: skip
    block = renderer_of(make_recipe(profile, 1)).block(1, 0, 60)
    bare = block._replace(boxes=np.full_like(block.boxes, -1))
    _, _, _, found, _ = spool.teach(bare, letters, None, None, (1, 0, 0))
    assert found.mean() > 0.9
    ink, shear, offset = upright(block.images)
    codes = spool._codes_of(block.texts(), letters)
    boxes = spool._stand_in(ink, find_apart(ink), codes)
    there = boxes[:, :1, 0] >= 0
    # They are where the letters are: each box holds the middle of the true box.
    middle = (
        block.boxes[..., 1::2].mean(axis=2)
        + offset[:, None]
        - shear[:, None] / 1000 * block.boxes[..., ::2].mean(axis=2)
    )
    inside = (boxes[..., 1] <= middle) & (middle <= boxes[..., 3])
    assert inside[(codes >= 0) & there].mean() > 0.98


def test_copies_teach_as_their_pictures_do_and_count_for_no_pictures(learnt, draw_dataset, tmp_path):
    dataset = draw_dataset(replace(find_profile("book"), name="few"), 200, tmp_path / "few")
    job = GatherJob(str(dataset.folder), 0, 150, learnt.record["classes"], QUICK, None, str(tmp_path), "1-000", "run")
    jobs = spool.with_copies([job], 2, [dataset])
    assert jobs == [job]  # drawn pictures have boxes, which would no longer fit
    own = gather(job)
    receipts = [gather(replace(job, copy=number, name=f"1-000-copy-{number:02d}")) for number in (1, 2)]
    assert {(receipt.pictures, receipt.marked, sum(receipt.labelled)) for receipt in receipts} == {(0, 0, 0)}
    assert sum(own.labelled) == 4 * own.pictures > 500
    assert all(sum(receipt.learnt) > 0.7 * sum(own.learnt) for receipt in receipts)
    one, other = (np.load(tmp_path / f"1-000-copy-{number:02d}-000000.npy") for number in (1, 2))
    assert set(one["split"].tolist()) == {TRAIN}  # nothing is measured on copies
    assert not np.array_equal(one["span"][:20], other["span"][:20])


def test_imported_pictures_have_jobs_for_their_copies():
    job = GatherJob("/sets/mine", 3, 10, "AB", QUICK, None, "/spool", "1-000", "run")
    mine, drawn = (
        SimpleNamespace(folder=Path(f"/sets/{name}"), manifest=SimpleNamespace(source=source))
        for name, source in (("mine", {"digest": "x"}), ("drawn", None))
    )
    jobs = spool.with_copies([job, replace(job, folder="/sets/drawn", name="1-001")], 2, [mine, drawn])
    assert [(one.folder, one.name, one.copy) for one in jobs] == [
        ("/sets/mine", "1-000", 0), ("/sets/drawn", "1-001", 0), ("/sets/mine", "1-000-copy-01", 1),
        ("/sets/mine", "1-000-copy-02", 2),
    ]  # fmt: skip


def test_only_what_the_network_would_read_there_is_believed(learnt):
    whole = book(150)
    bare = whole._replace(boxes=np.full_like(whole.boxes, -1))
    right = taught(bare, learnt.networks, learnt.record["gate"])
    assert right.found.mean() > 0.9
    assert right.believed.mean() > 0.9
    # Labels of other pictures: some path of their letters exists, and nobody believes it.
    wrong = taught(bare._replace(text=np.roll(bare.text, 1)), learnt.networks, learnt.record["gate"])
    assert wrong.believed.mean() < 0.05
    assert not (right.believed & ~right.found).any() and not (wrong.believed & ~wrong.found).any()
