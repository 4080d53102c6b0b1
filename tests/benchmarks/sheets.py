"""Draw a contact sheet of each rung for the README: `python -m tests.benchmarks.sheets [FOLDER]`, else docs/ladder."""

import sys
from pathlib import Path

from storage.files import atomic
from tasks.datasets.recipe import make_recipe, renderer_of
from tasks.figures.contact_sheet import contact_sheet
from tasks.profiles.built_in import BUILT_IN
from tasks.training.settings import LADDER_SEED, RUNGS

COUNT, COLUMNS = 12, 6


def main() -> None:
    """Draw the first pictures of each rung, with the ladder's seed."""
    folder = atomic.make_folder(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/ladder"))
    for name in (*RUNGS, *(name for name in BUILT_IN if BUILT_IN[name].colour)):
        block = renderer_of(make_recipe(BUILT_IN[name], LADDER_SEED)).block(LADDER_SEED, 0, COUNT)
        sizes = list(zip(block.parameters["height"].tolist(), block.parameters["width"].tolist(), strict=True))
        atomic.replace(folder / f"{name}.png", contact_sheet(block.images, block.texts(), COLUMNS, sizes=sizes))


if __name__ == "__main__":
    main()
