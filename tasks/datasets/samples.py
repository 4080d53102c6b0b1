"""The unit that writes CAPTCHAs as single picture files, for a demonstration of solving."""

import csv
from dataclasses import dataclass
from pathlib import Path

from storage.errors import BadInput
from storage.files import atomic
from storage.shards.shard import SPLITS
from tasks.datasets.recipe import Recipe, renderer_of
from tasks.lowlevel.grey_png import png

MOST_BLOCKS = 100  # without a picture of the test split: with 102,400 pictures, the profile has none


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
    with answers.open(newline="") as file:
        rows = [(Path(row["path"]).stem.partition("_")[2], row["word"]) for row in csv.DictReader(file)]
    return sum(truth == word for truth, word in rows), len(rows)
