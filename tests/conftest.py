"""Fixtures that several folders of tests share."""

from collections.abc import Callable

import numpy as np
import pytest

from storage.shards import BLOCK, Block
from tasks.recipes import Recipe, make_recipe
from tasks.specs import Grid, Profile


@pytest.fixture(scope="session")
def make_blocks() -> Callable[[int, int], list[Block]]:
    """`make_blocks(count, seed)`: blocks of `count` made-up pictures of 6 x 9 px; most rows are blank, so they pack."""

    def made(count: int, seed: int = 1) -> list[Block]:
        rng = np.random.default_rng(seed)
        blocks = []
        for first in range(0, count, BLOCK):
            n = min(BLOCK, count - first)
            images = np.zeros((n, 6, 9), np.uint8)
            images[:60] = rng.integers(0, 256, (min(n, 60), 6, 9))
            boxes = np.full((n, 4, 4), -1, np.int16)
            boxes[:60] = rng.integers(0, 10, (min(n, 60), 4, 4))
            fields = [("height", "<u2"), ("width", "<u2"), ("font", "<u2"), ("shear", "<i2"), ("scale", "<u2")]
            parameters = np.zeros(n, fields)
            parameters["height"], parameters["width"], parameters["shear"] = 6, 9, -250
            parameters["scale"][:60] = rng.integers(50, 140, min(n, 60))
            text = np.array([b"AB", b"\xc3\x89C", b"BONE"], "S4")[rng.integers(0, 3, n)]
            split = np.array([0, 0, 0, 1, 2], np.uint8)[rng.integers(0, 5, n)]
            blocks.append(Block(images, text, boxes, parameters, split))
        return blocks

    return made


@pytest.fixture(scope="session")
def small() -> Profile:
    """A profile that draws a block in a millisecond or two: one or two of three letters, nine shapes."""
    return Profile("small", alphabet="ABC", length=(1, 2), width=54, shear=Grid(0, 200, 100), scale=Grid(50, 100, 25))


@pytest.fixture(scope="session")
def recipe(small: Profile) -> Recipe:
    """The small profile with seed 7."""
    return make_recipe(small, 7)
