"""Models read an audit's pictures as `solve` reads them."""

import io

import numpy as np
import pytest
from PIL import Image

from tasks.audit.attackers.model_reading import gather, read_jobs, read_rows, use_of
from tasks.shipped import STRANGERS
from tests.small_texts import SMALL
from tests.strangers import draw
from tests.tasks.audit.attackers.test_labelled import block_of, dataset_of


@pytest.mark.parametrize("colour", [True, False])
def test_small_texts_are_read_enlarged_and_each_answer_stays_with_its_picture(tmp_path, colour):
    drawn = [pair for kind in ("small-framed", "small-rings") for pair in draw(kind, 5, 8, kinds=SMALL)]
    texts, pictures = [text for _, text in drawn], np.full((len(drawn), 100, 240, 3), 255, np.uint8)
    for picture, (file, _) in zip(pictures, drawn, strict=True):
        image = np.asarray(Image.open(io.BytesIO(file)))
        picture[: image.shape[0], : image.shape[1]] = image
    if not colour:  # a dataset of grey pictures has ink
        pictures = 255 - pictures.min(axis=3)
    block = block_of(texts, pictures, ["test"] * len(texts))
    block.parameters["height"][:5], block.parameters["width"][:5] = 80, 200
    dataset = dataset_of(tmp_path / "small", block)
    use = use_of(STRANGERS, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", (4, 4), (), fold_case=True)
    found = gather(map(read_rows, read_jobs(dataset, range(len(texts)), use)))
    right = [guess.upper() == text for guess, text in zip(found.firsts, texts, strict=True)]
    assert sum(right[:5]) == 5 and sum(right[5:]) >= 4  # without a closer look two of the last five
    assert all(share > 0.3 for share, good in zip(found.confidences, right, strict=True) if good)
