"""A few pictures without a dataset: a profile's first, to look at, and single files, for a demonstration of solving."""

import csv
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from storage.errors import BadInput
from storage.files import atomic
from storage.shards.shard import BLOCK, SPLITS, Block
from tasks.datasets.recipe import Recipe, renderer_of, require_seed
from tasks.drawing.renderer import Renderer
from tasks.forks import Forked, in_two
from tasks.lowlevel.png_encoder import png
from tasks.profiles.glyphs import GlyphSet
from tasks.profiles.materials import Materials, find_materials
from tasks.profiles.profile import Profile
from tasks.profiles.scripts import require_basic_layout

MOST_BLOCKS = 100  # without a picture of the test split: with 102,400 pictures, the profile has none


def first_pictures(profile: Profile, seed: int, count: int, begun: Forked[Materials] | None = None) -> Block:
    """Draw the first pictures that a dataset of this profile and seed has, and little else.

    A recipe draws every pair of letters in every face, which can take seconds. Here only the pairs of these texts are
    drawn. So the fit of other texts is not fully proven: `make_recipe` may still refuse the profile.

    Parameters
    ----------
    count : int
        From 1 to 1,024, a block.
    begun : Forked, optional
        A child that finds the profile's materials. Half of the letters that it did not draw are drawn in a child, too:
        for a process that does nothing else meanwhile.

    Raises
    ------
    BadInput, NotThere
        The profile cannot be drawn, or a number is past its limits.
    """
    if not 1 <= count <= BLOCK:
        raise BadInput(f"count: must be from 1 to {BLOCK:,} pictures; it is {count}")
    require_seed(seed)
    require_basic_layout(profile)
    materials = (begun and begun.wait()) or find_materials(profile, letters=False)
    faces, words = materials.faces, materials.words

    table = Renderer(profile, faces, (), words).parameters(seed, 0).rows(slice(count))
    texts = ("".join(profile.alphabet[k] for k in row if k >= 0) for row in table.letters)
    pairs = frozenset(pair for text in texts for pair in pairwise(text))
    face = table.drawn["face"] if profile.own_faces else np.broadcast_to(table.font[:, None], table.letters.shape)
    there = table.letters >= 0
    used = np.zeros((len(faces), len(profile.alphabet)), bool)
    used[face[there], table.letters[there]] = True
    # Decoys are chosen from all faces.
    chosen = range(len(faces)) if profile.changes("decoys") else np.flatnonzero(used.any(axis=1)).tolist()

    def drawn(number: int) -> GlyphSet:
        return materials.glyphs_of(profile, number, pairs)

    split = begun is not None and not materials.letters
    glyphs = dict(zip(chosen, in_two(drawn, chosen) if split else map(drawn, chosen), strict=True))
    spare = glyphs[chosen[0]]
    every = tuple(glyphs.get(number, spare) for number in range(len(faces)))
    return Renderer(profile, faces, every, words, used, in_two if begun else map).render(table)


@dataclass(frozen=True)
class SampleJob:
    """`count` pictures of a recipe to write, from the test split, which no model is trained on."""

    recipe: Recipe
    folder: str
    count: int
    run: str


def sample_names(job: SampleJob) -> list[tuple[str, int, int]]:
    """List (file name, block, row) of each picture. A name is its number and its text: `000123_BONE.png`.

    Raises
    ------
    BadInput
        The profile has so few pictures that none is in the test split.
    """
    renderer = renderer_of(job.recipe)
    chosen: list[tuple[str, int, int]] = []
    block = 0
    while len(chosen) < job.count:
        table = renderer.parameters(job.recipe.seed, block)
        split = renderer.split(table)
        for row in range(len(split)):
            if split[row] == SPLITS.index("test") and len(chosen) < job.count:
                text = "".join(job.recipe.profile.alphabet[k] for k in table.letters[row] if k >= 0)
                chosen.append((f"{len(chosen):06d}_{text}.png", block, row))
        block += 1
        if block == MOST_BLOCKS and not chosen:
            raise BadInput(f"profile {job.recipe.profile.name!r}: none of its few pictures is in the test split")
    return chosen


def write_samples(job: SampleJob) -> int:
    """Write the pictures that are not there yet, and return how many were written.

    Raises
    ------
    NoSpace, Unwritable
    """
    folder = atomic.make_folder(Path(job.folder))
    for path in atomic.leftovers(folder):  # of a run that was killed
        path.unlink(missing_ok=True)
    missing: dict[int, list[tuple[str, int]]] = {}
    for name, block, row in sample_names(job):
        if not (folder / name).exists():
            missing.setdefault(block, []).append((name, row))
    renderer = renderer_of(job.recipe)
    for block, rows in missing.items():
        drawn = renderer.block(job.recipe.seed, block)
        for name, row in rows:
            height, width = int(drawn.parameters["height"][row]), int(drawn.parameters["width"][row])
            image = drawn.images[row, :height, :width]
            atomic.publish(folder / name, png(255 - image if image.ndim == 2 else image), job.run)
    return sum(map(len, missing.values()))


def share_right(answers: Path) -> tuple[int, int]:
    """Count the right answers and all answers in an answers.csv over files that are named for their text."""
    with answers.open(encoding="utf-8", newline="") as file:
        rows = [(Path(row["path"]).stem.partition("_")[2], row["word"]) for row in csv.DictReader(file)]
    return sum(truth == word for truth, word in rows), len(rows)
