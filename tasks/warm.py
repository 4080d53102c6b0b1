"""Compile the kernels once, so that the first run does not: `python -m tasks.warm`, part of `make setup`.

Numba keeps compiled kernels beside the modules, or in the user's cache folder if it may not write there.
"""

import gc
import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from storage.deep_models import load_deep_model
from tasks.datasets.recipe import make_recipe, renderer_of
from tasks.datasets.statistics import Distinct, Tally
from tasks.deep.deep_reader import DeepReader
from tasks.deep.variations import vary
from tasks.loading.colour_ink import to_ink
from tasks.loading.decode import decode_picture
from tasks.loading.oddities.cards import on_white
from tasks.loading.oddities.oddities import find_oddities
from tasks.loading.oddities.relief import filled_in
from tasks.loading.parts import fill_gaps, find_parts, fullness
from tasks.lowlevel.deflate import compress
from tasks.lowlevel.inflate import inflate
from tasks.lowlevel.png_encoder import png
from tasks.profiles.built_in import find_profile
from tasks.profiles.colours import Colours
from tasks.profiles.profile import Profile
from tasks.profiles.ranges import Grid
from tasks.reading import networks
from tasks.reading.components import find_apart
from tasks.reading.deskew import upright
from tasks.reading.features import FEATURES, shape_spans
from tasks.reading.lattice import find_spans
from tasks.reading.networks import GATE, LETTERS
from tasks.reading.ranking import Ranking
from tasks.reading.reader import Reader
from tasks.shipped import STRANGERS
from tasks.training.alignment import NEAR, mark, nearness

PARTS = ("drawing", "statistics", "cutting", "learning", "reading", "files", "whole pictures")


def warm(done: Callable[[str], object] = lambda _part: None) -> None:
    """Draw a block and read it, with the types that every run has; call `done` with each of `PARTS` at its end."""
    profile = find_profile("book")
    recipe = make_recipe(profile, 1)
    block = renderer_of(recipe).block(recipe.seed, 0, 32)
    distorted = Profile("warm", top=20, left=20, height=90, width=90, rotation=Grid(0, 1), blur=Grid(1, 1))
    renderer_of(make_recipe(distorted, 1)).block(1, 0, 32)
    painted = replace(distorted, letter_colour=Colours(("#204060",)), contrast=30, hollow=Grid(-9, 9, 9))
    renderer_of(make_recipe(painted, 1)).block(1, 0, 32)
    done("drawing")
    Tally(profile.alphabet).add(block)
    colours = np.repeat(block.images[..., None], 3, axis=3)
    Tally(profile.alphabet).add(block._replace(images=colours))
    Distinct().add(np.frombuffer(bytes(8), np.uint64))
    done("statistics")
    ink, shear, offset = upright(block.images)
    find_apart(ink)
    lattice = find_spans(ink)
    codes = np.array([[profile.alphabet.index(letter) for letter in text] for text in block.texts()])
    mark(lattice, codes, nearness(lattice, shear, offset, block.boxes), NEAR, len(profile.alphabet))
    done("cutting")
    X = shape_spans(ink, lattice)
    y = np.arange(len(X)) % (len(profile.alphabet) + 1)
    built = {LETTERS: networks.build((8,), 1), GATE: networks.build((8,), 1)}
    networks.fit(built[LETTERS], lambda rows: (X[rows], y[rows]), len(X), 512, len(profile.alphabet) + 1, 1)
    networks.fit(built[GATE], lambda rows: (X[rows], y[rows] % 2), len(X), 512, 2, 1)
    done("learning")
    record = {"classes": profile.alphabet, "features": FEATURES, "gate": -1e9, "calibration": {}}
    Reader(built, record, ("BONE", "BOND")).read(block.images, list(Ranking))
    done("reading")
    images = block.images.reshape(-1)
    inflate(compress(images), np.empty_like(images))
    _warm_files(block.images)
    done("files")
    _warm_deep(block.images)
    done("whole pictures")


def _warm_files(images: np.ndarray) -> None:
    decoded = decode_picture(png(255 - images[0]))
    to_ink(np.repeat(255 - images[:1, ..., None], 3, axis=3))
    find_parts(decoded > 0)
    find_oddities(decoded[None])
    seen = np.repeat(255 - images[0, ..., None], 3, axis=2)
    on_white(seen)
    filled_in(seen)
    fullness(decoded)
    fill_gaps(decoded)


def _warm_deep(images: np.ndarray) -> None:
    reader = DeepReader(load_deep_model(STRANGERS), ("BONE", "BOND"))
    for some in (images[:2], np.repeat(images[:2, ..., None], 3, axis=3)):
        reader.read(some, (Ranking.NONE, Ranking.PROBABILITY))
    vary(images[:2], np.tile(np.array(images.shape[1:]), (2, 1)))


def warm_reading() -> None:
    """Compile the kernels of reading and of files, for a process beside `warm`, which then finds them compiled."""
    images = np.zeros((32, 40, 90), np.uint8)
    for left in (10, 30, 50, 70):
        images[:, 10:30, left : left + 6] = 255
    ink, _, _ = upright(images)
    find_apart(ink)
    shape_spans(ink, find_spans(ink))
    _warm_files(images)
    _warm_deep(images)


def _say(part: str) -> None:
    """Print what is compiled, for a process that shows it to people."""
    sys.stdout.write(f"{PARTS.index(part) + 1} of {len(PARTS)} parts ({part})\n")
    sys.stdout.flush()


if __name__ == "__main__":
    gc.set_threshold(100_000)  # a compiler makes millions of objects: to look through them took an eighth of the time
    if sys.argv[1:] == ["reading"]:
        warm_reading()
    else:
        warm(_say if sys.argv[1:] == ["told"] else lambda _part: None)
