"""Learn from labelled pictures of other generators with the defaults of `captchas train`, and read new ones.

    python -m tests.benchmarks.labelled [--kind kaggle svg ...] [--new 500] [--seed 1] [--shows N]

Each set is drawn, imported, learnt from and tried on new pictures without a dictionary: by the commands that a user
gives. The table has the figures that are wanted beside them.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from storage.models import load_model
from tasks.loading.decode import Invert, decode_picture
from tasks.lowlevel.padding import stack_padded
from tasks.rates import Rate
from tasks.reading.reader import Reader
from tests.benchmarks.labelled_drawers import KINDS, Kind, write


def captchas(*arguments: object) -> tuple[int, str]:
    """Run a command; return its exit code and the last line that it printed."""
    run = subprocess.run(
        [sys.executable, "-m", "flows", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    return run.returncode, run.stdout + run.stderr


def read_new(model: Path, kind: Kind, count: int, seed: int, folder: Path) -> Rate:
    """Read new pictures with a model, told the letters and lengths of the kind's texts."""
    labels = write(kind, count, seed, folder)
    pictures = [decode_picture((folder / name).read_bytes(), Invert.AUTO) for name in labels]
    rows, columns = (max(picture.shape[axis] for picture in pictures) for axis in (0, 1))
    texts = np.array(list(labels.values()))
    lengths = [len(text) for text in labels.values()]
    networks, record = load_model(model)
    reader = Reader(networks, record, length=(min(lengths), max(lengths)))
    readings = reader.read(stack_padded(iter(pictures), len(pictures), rows, columns)).reading
    return Rate.of(readings == texts)


def measure(name: str, count: int, new: int, seed: int, options: list[str], folder: Path) -> tuple[str, str, float]:
    """Draw, import, train and read; return words right, how the training ended, and its seconds."""
    kind, home = KINDS[name], folder / "home"
    write(kind, count, seed, folder / "learn")
    code, said = captchas("import", folder / "learn", "--name", "set", "--home", home)
    if code:
        return "-", said[-400:], 0.0
    began = time.perf_counter()
    code, said = captchas("train", "set", *options, "--home", home)
    seconds = time.perf_counter() - began
    (folder / "said.txt").write_text(said)
    if not (home / "models" / "set.skops").exists():
        return "-", f"exit code {code}: {said.strip().splitlines()[-1][:300]}", seconds
    rate = read_new(home / "models" / "set.skops", kind, new, seed + 1000, folder / "new")
    return str(rate), f"exit code {code}", seconds


def main() -> None:
    """Print the table, a line as soon as it is known."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.labelled")
    parser.add_argument("--kind", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--new", type=int, default=500, help="pictures to read")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shows", help="as of captchas train")
    options = parser.parse_args()
    more = ["--shows", options.shows] if options.shows else []
    print("| pictures | learnt from | words right | wanted | training | s |\n|---|---|---|---|---|---|", flush=True)
    for name in options.kind:
        for count, wanted in zip(KINDS[name].counts, KINDS[name].wanted, strict=True):
            with tempfile.TemporaryDirectory() as folder:
                right, ended, seconds = measure(name, count, options.new, options.seed, more, Path(folder))
            goal = "nothing learnt" if wanted is None else f"{100 * wanted:.0f} %"
            print(f"| {name} | {count:,} | {right} | {goal} | {ended} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
