"""Show the ink that the classic reader finds in colours, and how it reads the rungs in colour.

    python -m tests.benchmarks.colours sheet [--out docs/colour-ink.png]
    python -m tests.benchmarks.colours rates [--home DIR]      # a model each of jitter and colour, read on new pictures

The rates are those of models that learnt from 20,000 pictures of one rung (seed 1, 1,500,000 shows), on 5,120 new
pictures (seed 2), without a dictionary; a home that has a model keeps it.
"""

import argparse
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from flows.home import home
from storage.files import atomic
from tasks.datasets.samples import first_pictures
from tasks.loading.colour_ink import ink_of_batch
from tasks.profiles.built_in import find_profile
from tests.benchmarks.look_alikes import captchas

SHOWN = ("colour", "hollow", "ground", "faces", "wild")
ACROSS, GAP, GROUND = 5, 4, 128  # pictures in a row; pixels and level between them
RATED = (
    ("jitter", "jitter"),
    ("colour", "colour"),
    ("colour", "ground"),
    ("hollow", "hollow"),
    ("faces", "faces"),
)  # (learnt from, read)
LEARNT, SHOWS, READ, SEEDS = 20_000, 1_500_000, 5_120, (1, 2)


def sheet() -> bytes:
    """Draw a row of pictures of each rung above a row of their ink, dark on white, as a PNG."""
    rows = []
    for name in SHOWN:
        block = first_pictures(find_profile(name), 1, ACROSS)
        ink = ink_of_batch(block.images, block.parameters["height"], block.parameters["width"])
        both = np.concatenate([block.images, np.repeat(255 - ink[..., None], 3, axis=3)], axis=1)
        rows.append(np.concatenate(list(np.pad(both, ((0, 0), (0, GAP), (0, GAP), (0, 0)), constant_values=GROUND)), 1))
    wide = max(row.shape[1] for row in rows)
    page = np.concatenate(
        [np.pad(row, ((0, 0), (0, wide - row.shape[1]), (0, 0)), constant_values=GROUND) for row in rows]
    )
    file = io.BytesIO()
    Image.fromarray(page).save(file, "PNG", optimize=True)
    return file.getvalue()


def rate_of(learnt: str, read: str, folder: Path) -> str:
    """Draw, train, draw new pictures, and measure; return the line of the table."""
    if not (folder / "models" / f"{learnt}.skops").exists():
        captchas("generate", learnt, "--count", LEARNT * 5 // 4, "--seed", SEEDS[0], "--home", folder)
        captchas("train", learnt, "--pictures", LEARNT, "--shows", SHOWS, "--home", folder)
    fresh = folder / "datasets" / f"{read}-new"
    captchas("generate", read, "--count", READ, "--seed", SEEDS[1], "--out", fresh, "--home", folder)
    run = subprocess.run(
        [sys.executable, "-m", "flows", "evaluate", learnt, str(fresh), "--split", "all", "--home", folder, "--json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    report = json.loads(run.stdout)
    words, losses = (next(r for r in report[k] if r["ranking"] == "none") for k in ("words", "failures"))
    cut, misread = (f"{100 * losses[cause] / words['n']:.2f} %" for cause in ("place", "letter"))
    return f"| {learnt} | {read} | {words['words_right']} | {cut} | {misread} |"


def main() -> None:
    """Write the sheet, or print the rates."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.colours")
    parser.add_argument("what", choices=("sheet", "rates"))
    parser.add_argument("--out", type=Path, default=Path("docs") / "colour-ink.png")
    parser.add_argument("--home", type=Path, default=None, help="by default samples/colours under the home")
    options = parser.parse_args()
    if options.what == "sheet":
        atomic.replace(options.out, sheet())
        return
    print("| learnt from | read | words right, no dictionary | cut elsewhere | letter misread |\n|---|---|---|---|---|")
    for learnt, read in RATED:
        print(rate_of(learnt, read, options.home or home() / "samples" / "colours"), flush=True)


if __name__ == "__main__":
    main()
