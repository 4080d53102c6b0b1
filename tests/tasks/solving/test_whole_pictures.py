"""Texts around circles, leaning far, or in a fine texture, and pictures that were tampered with, are read as seen."""

import numpy as np
import pytest

from tasks.solving.picture_reader import open_reader
from tests.doubtful import DOUBTFUL
from tests.strangers import draw
from tests.tampered_texts import LEANING, ON_CIRCLES, TAMPERED

KINDS = {
    "circles": [*ON_CIRCLES], "leaning": [*LEANING], "tampered": [*TAMPERED],
    "textured": ["striped-small", "crossed-small"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("group", "each", "least"), [("circles", 2, 10), ("leaning", 3, 8), ("tampered", 2, 14), ("textured", 8, 8)]
)
def test_so_many_of_them_are_read_and_hardly_one_is_surely_wrong(group, each, least):
    drawn = [pair for kind in KINDS[group] for pair in draw(kind, each, 21, kinds=DOUBTFUL)]
    answers = open_reader(independent=True).read([file for file, _ in drawn])
    right = np.array([answer.word == text for answer, (_, text) in zip(answers, drawn, strict=True)])
    sure = np.array([answer.confidence > 0.9 for answer in answers])
    assert right.sum() >= least
    assert (sure & ~right).sum() <= 1
