"""Batches are the same each time, go on where they stopped, and keep training and validation apart."""

import itertools
import string

import numpy as np
import pytest

from storage.errors import BadInput
from tasks.datasets.recipe import make_recipe, renderer_of
from tasks.deep.learning.sources import Drawn, Form, Slot, _labels, fill, slot_bytes
from tasks.deep.learning.stream import Feeder, Place, Stream, StreamPlan, held_out, schedule
from tasks.profiles.profile import Profile
from tasks.profiles.ranges import OFF, Grid

PROFILE = Profile("two", length=(2, 2), width=60, shear=OFF, scale=Grid(100, 100), alphabet=string.ascii_uppercase)
FORM = Form(32, 64, string.ascii_uppercase)
PLAN = StreamPlan((Drawn(PROFILE, 1),), FORM, 1, size=200, mixed=2)


def batches(plan: StreamPlan, count: int, start: Place = Place(0, 0), processes: int = 0):  # noqa: B008 - immutable
    feeder = Feeder(plan, processes)
    stream = Stream(feeder, start)
    try:
        return list(itertools.islice(stream, count))
    finally:
        stream.close()
        feeder.close()


def test_a_stream_goes_on_where_it_stopped():
    whole = batches(PLAN, 11)
    assert whole[7][0].group == 1  # the last batch of the first group of blocks
    for done in (3, 8):
        (place, batch), *_ = batches(PLAN, 1, whole[done - 1][0])
        assert place == whole[done][0]
        for there, here in zip(batch, whole[done][1], strict=True):
            np.testing.assert_array_equal(there, here)


def test_what_is_held_out_is_in_no_batch_and_in_no_block_of_training():
    learnt = [batch for _, batch in batches(PLAN, 12)]
    assert learnt[0].pictures.shape[1:] == (3, 32, 64)
    feeder = Feeder(PLAN)
    held = list(held_out(feeder, 150))
    feeder.close()
    pictures = {picture.tobytes() for batch in held for picture in batch.pictures}
    assert sum(len(batch.pictures) for batch in held) == 150
    assert not pictures & {picture.tobytes() for batch in learnt for picture in batch.pictures}
    block = renderer_of(make_recipe(PROFILE, 1)).block(1, 0)
    beside = block.rows(block.split == 1).texts()  # the validation split of training's first block
    texts = ["".join(FORM.alphabet[k - 1] for k in row[:2]) for batch in held for row in batch.labels.tolist()]
    assert texts[: len(beside)] != beside
    first = batches(PLAN, 1)[0][1]
    assert first.labels[:, :2].min() >= 1
    assert first.labels[:, 2:].max() == 0


def test_letters_stand_where_their_centres_say():
    slot = Slot.of(memoryview(bytearray(slot_bytes(FORM))), FORM)
    count = fill(PLAN.sources[0], 0, "train", FORM, slot, 1)
    dark = 255 - slot.pictures[:count, 0].astype(float)
    columns = dark.sum(axis=1)
    for row in range(5):
        first, second = (slot.centres[row, :2] * 4).astype(int)
        assert columns[row, first - 4 : first + 4].sum() > 0
        assert columns[row, second - 4 : second + 4].sum() > 0
        assert second - first > 8


def test_moved_pictures_keep_their_letters():
    moved = Form(32, 96, string.ascii_uppercase, moved=True)
    slot = Slot.of(memoryview(bytearray(slot_bytes(moved))), moved)
    count = fill(PLAN.sources[0], 0, "train", moved, slot, 1)
    dark = 255 - slot.pictures[:count, 0].astype(float)
    edges = np.concatenate([dark[:, :, :1].ravel(), dark[:, :1].ravel()])
    assert (edges > 64).mean() < 0.01  # no letter is cut
    assert len(np.unique(slot.widths[:count])) > 20


def test_sources_come_as_often_as_their_weights():
    chosen = [source for source, _ in itertools.islice(schedule([1, 2, 5]), 80)]
    assert [chosen.count(source) for source in range(3)] == [10, 20, 50]
    assert [number for source, number in itertools.islice(schedule([1, 1]), 8) if source] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("profile", "form", "said"),
    [
        (PROFILE, Form(32, 64, "AB"), "must have letters that the model knows"),
        (Profile("long", length=(13, 13), width=400), Form(32, 64, string.ascii_uppercase), "1 to 12 letters"),
    ],
)
def test_a_label_that_cannot_be_learnt_is_named(profile, form, said):
    plan = StreamPlan((Drawn(profile, 1),), form, 1)
    with pytest.raises(BadInput, match=said):
        batches(plan, 1)


def test_small_letters_count_as_capitals_where_they_are_folded():
    folded = Form(32, 64, "ABC", folded=True)
    assert folded.classes == {"A": 1, "B": 2, "C": 3}
    labels = _labels(["aBc", "CAB"], folded, Drawn(PROFILE, 1))
    assert labels[:, :3].tolist() == [[1, 2, 3], [3, 1, 2]]
    assert not labels[:, 3:].any()
