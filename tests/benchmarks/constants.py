"""Read pictures with half and with twice the value of each constant by which the reader finds letters.

    python -m tests.benchmarks.constants [--only NAME ...] [--pictures 2048]

The shipped model reads new pictures of each profile; it is not trained again for the other values. Every value is
compiled into the kernels, so each is tried in a copy of the packages. Prints the words right in percent, `without /
with the dictionary`, a line for each value. The comments beside the constants say what came out.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
SEED = 2  # not the seed of the ladder, so that the model has not seen these pictures
READ = ("hard", "touching")
CALLED_BY = {"text_line": ("text_line", "lattice", "components"), "lattice": ("lattice", "components")}  # kernels
# Where twice or half makes no sense (a percentile, a level of 255, a size of arrays) other values are tried, or fewer.
VALUES = {
    "text_line": {
        "FAINTEST": (45, 180), "SHARE": (0.15, 0.6), "LOWEST": (2, 8), "AROUND": (3, 12), "SHORTEST": (1, 4),
        "HIGH": (84, 96), "TALL": (4, 9),
    },
    "deskew": {
        "TILES": ((2, 4), (8, 16)), "FLOOR": (4, 16), "STEEPEST_SHEAR": (250,), "STEP": (25, 100), "DARKEST": (125.0,),
        "FITS": (2, 8), "CLOSE": (2.0, 8.0), "CLOSEST": (1.0, 4.0),
    },
    "lattice": {"NARROWEST": (4, 16), "WIDEST": (80, 320), "DENSITY": (21, 84), "FINE": (4, 16), "CUTS": (80, 320)},
    "components": {"INKED": (80, 240), "SPECK": (1, 4), "OVERHANG": (12, 50), "_MOST": (16, 64)},
}  # fmt: skip


def read(pictures: int) -> None:
    """Print the words right of each profile with the packages of this process."""
    import numpy as np

    import tasks
    from storage.models import load_model
    from tasks.datasets.recipe import make_recipe, renderer_of
    from tasks.profiles.built_in import find_profile
    from tasks.profiles.word_lists import load_words
    from tasks.reading.ranking import Ranking
    from tasks.reading.reader import Reader

    networks, record = load_model(Path(tasks.__file__).with_name("ladder.skops"))
    cells = []
    for name in READ:
        profile = find_profile(name)
        renderer = renderer_of(make_recipe(profile, SEED))
        words = load_words(profile.words, profile.alphabet, profile.length)
        reader = Reader(networks, record, words, Ranking.PROBABILITY, profile.alphabet, profile.length)
        right = np.zeros(2, int)
        for number in range(-(-pictures // 1024)):
            block = renderer.block(SEED, number, 1024, renderer.scratch())
            readings, truth = reader.read(block.images), np.array(block.texts())
            right += (readings.reading == truth).sum(), (readings.words[:, 0] == truth).sum()
        cells.append(" / ".join(f"{100 * count / (1024 * -(-pictures // 1024)):.1f}" for count in right))
    print(" | ".join(cells))


def with_value(module: str | None, name: str, value: object, pictures: int) -> str:
    """Read in a copy of the packages in which a constant has another value; None for a module changes nothing."""
    with tempfile.TemporaryDirectory() as folder:
        for package in ("storage", "tasks", "fonts"):
            shutil.copytree(ROOT / package, Path(folder, package))  # with the compiled kernels
        if module:
            file = Path(folder, "tasks", "reading", f"{module}.py")
            text = file.read_text()
            if name == "NARROWEST":
                changed = text.replace("NARROWEST, WIDEST = 8,", f"NARROWEST, WIDEST = {value},")
            elif name == "WIDEST":
                changed = text.replace("NARROWEST, WIDEST = 8, 160", f"NARROWEST, WIDEST = 8, {value}")
            else:
                changed = re.sub(rf"^{name} = (\([^)]*\)|\S+)", f"{name} = {value}", text, flags=re.M)
            if changed == text:
                raise ValueError(f"{module}.{name}: not found")
            file.write_text(changed)
            for caller in CALLED_BY.get(module, (module,)):
                for kernel in (file.parent / "__pycache__").glob(f"{caller}.*.nb?"):
                    kernel.unlink()
        command = [sys.executable, "-P", __file__, "--child", "--pictures", str(pictures)]
        done = subprocess.run(command, env={"PYTHONPATH": folder}, cwd=folder, capture_output=True, text=True)
        return done.stdout.strip() or done.stderr.strip().rpartition("\n")[2]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.constants")
    parser.add_argument("--only", nargs="*", default=[], help="names of constants")
    parser.add_argument("--pictures", type=int, default=2048, help="of each profile")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        read(options.pictures)
        return
    print(f"| | {' | '.join(READ)} |\n|---|{'---|' * len(READ)}", flush=True)
    print(f"| as it is | {with_value(None, '', None, options.pictures)} |", flush=True)
    for module, constants in VALUES.items():
        for name, values in constants.items():
            for value in values if not options.only or name in options.only else ():
                print(
                    f"| {module}.{name} = {value} | {with_value(module, name, value, options.pictures)} |", flush=True
                )


if __name__ == "__main__":
    main()
