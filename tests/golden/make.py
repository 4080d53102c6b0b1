"""Make the small datasets of these format versions that later versions must still read.

`python tests/golden/make.py [NAME …]` writes `v1/NAME/`, or `v2/NAME/` in colour, and `v1/NAME.json`, what a reader has
to find there. Old versions' folders stay as they are. Look at what it made before you keep it: `captchas inspect
tests/golden/v1/book --out sheet.png`, and the pictures in the .json, two digits a value.
"""

import json
import shutil
import sys
import tempfile
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
from PIL import Image

from storage.dataset import Dataset
from storage.shards.shard import COLOUR_FORMAT, FORMAT
from tasks.datasets.folder import complete
from tasks.datasets.generate import draw_shard, plan_drawing
from tasks.datasets.recipe import make_recipe
from tasks.datasets.totals import Gathered
from tasks.exchange.ingest import fill_jobs, fill_shard
from tasks.exchange.labels import find_labels
from tasks.exchange.scan import ImportRequest, Listing, Source, scan_files
from tasks.loading.decode import Colour
from tasks.profiles.built_in import BUILT_IN
from tasks.profiles.ranges import Grid

HERE = Path(__file__).parent
# Small ones of the built-in profiles: nothing that a file holds is left out, and little is repeated.
PROFILES = (
    replace(BUILT_IN["book"], name="book", height=18, width=56, font_size=12, scale=Grid(50, 100, 25)),
    replace(BUILT_IN["letters"], name="letters", height=16, width=20, font_size=12, scale=Grid(50, 100, 25)),
    replace(  # every distortion, and a text of another length than the longest
        BUILT_IN["hard"],
        name="hard",
        words="",
        fonts=("Inter Black", "Inter Bold"),
        length=(2, 3),
        overlap=Grid(-1, 1),
        height=40,
        width=84,
        font_size=16,
        specks=Grid(0, 4),
        blur=Grid(0, 1),
        lines=Grid(0, 1),
        arcs=Grid(0, 1),
        scale=Grid(100, 100),
    ),
    replace(  # everything that is painted
        BUILT_IN["wild"],
        name="wild",
        fonts=("Inter Black", "Inter Bold"),
        length=(1, 2),
        height=21,
        width=52,
        font_size=10,
        left=1,
        top=1,
    ),
)
COUNT, SEED, SHOWN = (
    {"book": 40, "letters": 40, "hard": 12, "imported": 20, "imported-colour": 20, "wild": 12},
    3,
    (0, 1, 7, 11),
)
IN_COLOUR = {"imported-colour", "wild"}


def draw(profile, folder: Path) -> None:
    """What `captchas generate` does."""
    folder.mkdir(parents=True)
    recipe = make_recipe(profile, SEED)
    gathered = Gathered(recipe.identity)
    for job in plan_drawing(recipe, folder, COUNT[profile.name], "golden").jobs:
        gathered.add(draw_shard(job))
    complete(folder, gathered, "golden")


def place(name: str) -> Path:
    """Where it lies."""
    return HERE / f"v{COLOUR_FORMAT if name in IN_COLOUR else FORMAT}" / name


def coloured(ink: np.ndarray, number: int) -> np.ndarray:
    """The picture in two colours that follow from its number; every third on a gradient, every fourth light on dark."""
    ground, letters = np.array(
        [[230, 240, 200 - number], [20 + 5 * number, 60, 160 - 7 * number]][:: -1 if number % 4 == 3 else 1]
    )
    cover = ink[..., None].astype(np.int64)
    shade = np.arange(ink.shape[1])[:, None] * (number % 3 == 2)
    return np.clip((np.maximum(ground - shade, 0) * (255 - cover) + letters * cover) // 255, 0, 255).astype(np.uint8)


def bring_in(folder: Path) -> None:
    """What `captchas import` does, of the pictures of `book`, dark on light or in colours, as PNG files."""
    in_colour = folder.name in IN_COLOUR
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "pictures"
        source.mkdir()
        for number, picture in enumerate(Dataset(place("book"))[number] for number in range(COUNT["imported"])):
            # By Pillow at this level: the identity of an imported dataset covers the bytes of its files.
            path = source / f"{number}_{picture.text}.png"
            pixels = coloured(picture.image, number) if in_colour else 255 - picture.image
            Image.fromarray(pixels).save(path, compress_level=1)
        colour = Colour.AUTO if in_colour else Colour.GREY
        listing = Listing(ImportRequest(source, "imported", find_labels(source), colour=colour))
        wanted = Source(listing, [scan_files(job) for job in listing.jobs()])
        folder.mkdir(parents=True)
        gathered = Gathered(wanted.identity, wanted.wanted.labelling.as_dict())
        for job in fill_jobs(wanted, folder, "golden"):
            gathered.add(fill_shard(job))
        complete(folder, gathered, "golden")


def make(name: str, folder: Path) -> None:
    """One of them, drawn or imported."""
    if name.startswith("imported"):
        bring_in(folder)
    else:
        draw(next(profile for profile in PROFILES if profile.name == name), folder)


def seen(folder: Path) -> dict:
    """What a reader finds in a dataset: digests, and some pictures with all that is known of them."""
    data = Dataset(folder)
    pictures = {}
    for number in SHOWN:
        picture = data[number]
        pictures[str(number)] = {
            "text": picture.text,
            "split": picture.split,
            "boxes": picture.boxes.tolist(),
            "parameters": {name: picture.parameters[name].tolist() for name in picture.parameters.dtype.names},
            "image": [bytes(row).hex() for row in picture.image],
        }
    return {
        "count": len(data), "content": data.manifest.content, "identity": data.manifest.identity,
        "software": {name: version(name) for name in ("pillow", "english-words")}
        | {"freetype": data.manifest.software["freetype"]},
        "texts": [text for block in data.blocks() for text in block.texts()],
        "pictures": pictures,
    }  # fmt: skip


def main() -> None:
    """Make them anew."""
    for name in sys.argv[1:] or COUNT:
        folder = place(name)
        shutil.rmtree(folder, ignore_errors=True)
        make(name, folder)
        text = json.dumps(seen(folder), indent=1, ensure_ascii=False)
        folder.with_suffix(".json").write_text(text + "\n")
        print(folder, sum(path.stat().st_size for path in folder.iterdir()), "bytes")


if __name__ == "__main__":
    main()
