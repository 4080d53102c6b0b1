"""How many labelled pictures are enough: train on more and more of a folder, from nothing and from a model.

    python -m tests.benchmarks.learning_curve FOLDER --minutes 20
    python -m tests.benchmarks.learning_curve FOLDER --minutes 5 --pictures 100 1000 --begin strangers --tried 1000

FOLDER holds labelled pictures, as `captchas import` finds them. Some are put aside, and every model reads the same of
them, without a dictionary, their letters and lengths told. The sets grow: a larger one has all pictures of a smaller
one, and `captchas import` takes a tenth of each for validation and a tenth for its own test. What is measured is kept
in the folder of --work, and a training that was killed goes on: the same command finishes the rest. The plot and the
table are written anew after each training.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from flows.workers.deep_training import choose_deep
from storage.dataset import Dataset
from storage.files import atomic
from storage.models import model_digest
from tasks.deep.learning.deep_training import train_deep
from tasks.figures.learning_curves import plot_learning
from tasks.rates import Rate
from tasks.scoring.evaluate import EvaluateJob, MeasuredSplit, read_shard

PICTURES = (100, 300, 1_000, 3_000, 10_000, 30_000)
NOTHING = "nothing"  # a training that begins with no model
TRIED = 2_000
_ORDER = 1 << 35  # counter of Philox: the order of the pictures


class Cell(NamedTuple):
    """A training: labelled pictures, and what it begins with."""

    pictures: int
    begin: str


def captchas(home: Path, *arguments: object) -> None:
    """Run a command on a home; end with what it says if it fails."""
    run = subprocess.run(
        [sys.executable, "-m", "flows", *map(str, arguments), "--home", str(home)], capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if run.returncode:
        sys.exit(run.stderr or run.stdout)


class Curve:
    """The pictures of a folder in an order of their own, and what was measured of them.

    Parameters
    ----------
    folder : Path
    work : Path
        A home for the datasets and models, with `results.json`.
    tried : int
        Pictures that are put aside to be read.
    """

    def __init__(self, folder: Path, work: Path, tried: int, seed: int):
        self._folder, self._work, self._seed, self._tried = folder, work, seed, tried
        self._results = work / "results.json"
        if not (work / "datasets" / "all").exists():
            captchas(work, "import", folder, "--name", "all")
        self._alphabet = Dataset(work / "datasets" / "all").manifest.profile["alphabet"]
        listed = (work / "reports" / "import" / "all" / "pictures.jsonl").read_text().splitlines()
        pairs = sorted((path, label) for path, label, _ in map(json.loads, listed) if label)
        numbers = np.random.Philox(key=[seed, 0], counter=[0, 0, 0, _ORDER]).random_raw(len(pairs))
        self._pairs = [pairs[k] for k in np.argsort(numbers, kind="stable")]

    @property
    def most(self) -> int:
        """Return how many pictures there are to learn from."""
        return max(0, len(self._pairs) - self._tried)

    def dataset(self, name: str, pairs: list[tuple[str, str]]) -> Path:
        """Import some pictures under a name, unless they are."""
        folder = self._work / "datasets" / name
        if not folder.exists():
            source = atomic.make_folder(self._work / "sources" / name)
            lines = ["path,label"]
            for number, (path, label) in enumerate(pairs):
                own = source / f"{number:06d}{Path(path).suffix}"
                if not own.exists():
                    _put(self._folder / path, own)
                lines.append(f"{own.name},{label}")
            atomic.replace(source / "labels.csv", ("\n".join(lines) + "\n").encode())
            captchas(self._work, "import", source, "--name", name, "--alphabet", self._alphabet)
        return folder

    def measure(self, cell: Cell, minutes: float, steps: int | None) -> Rate:
        """Train on some pictures, unless that was done with this budget, and read those that were put aside."""
        budget = f"{minutes:g} minutes" if steps is None else f"{steps} steps"
        key = f"{cell.pictures} from {cell.begin}, {budget}, seed {self._seed}, {self._tried} tried"
        known = self.results()
        if key not in known:
            learnt = self.dataset(f"set-{cell.pictures}", self._pairs[self._tried :][: cell.pictures])
            start = None if cell.begin == NOTHING else cell.begin
            deep = choose_deep([str(learnt)], None, minutes, None, self._seed, start)
            settings = deep.settings if steps is None else replace(deep.settings, minutes=None, steps=steps)
            name = f"{cell.pictures}-from-{Path(cell.begin).stem}-{budget.replace(' ', '-')}.onnx"
            model = atomic.make_folder(self._work / "models") / name
            record = train_deep(deep.sources, settings, model, model.with_name(f".{name}.checkpoint"), _say,
                                begin_with=deep.start)  # fmt: skip
            right = self._read(model)
            known[key] = {
                "pictures": cell.pictures, "begin": cell.begin, "budget": budget, "seen": record["pictures"],
                **right.as_dict(),
            }  # fmt: skip
            atomic.replace(self._results, (json.dumps(known, indent=1) + "\n").encode())
        return Rate(known[key]["right"], known[key]["n"])

    def results(self) -> dict[str, dict]:
        """Return all that was measured, by what it is of."""
        try:
            found: dict[str, dict] = json.loads(self._results.read_bytes())
        except FileNotFoundError:
            return {}
        return found

    def _read(self, model: Path) -> Rate:
        """Read the pictures that were put aside."""
        data = Dataset(self.dataset("tried", self._pairs[: self._tried]))
        jobs = [
            EvaluateJob(str(data.folder), shard, MeasuredSplit.ALL.value, str(model), model_digest(model), ())
            for shard in range(len(data.manifest.shards))
        ]
        read = [read_shard(job) for job in jobs]
        return Rate.of(np.concatenate([part.answers["none"] == part.truth for part in read]))


def _put(source: Path, target: Path) -> None:
    """Give a picture another name: `captchas import` follows no symbolic links."""
    try:
        target.hardlink_to(source)
    except OSError:  # on another disk
        shutil.copyfile(source, target)


def _say(progress: object) -> None:
    print(f"  {progress}", file=sys.stderr, flush=True)


def table(cells: dict[Cell, Rate]) -> Iterator[str]:
    """Yield the lines of a table in Markdown: a row for each number of pictures, a column for each beginning."""
    begins = list(dict.fromkeys(cell.begin for cell in cells))
    yield "| labelled pictures | " + " | ".join(f"from {begin}" for begin in begins) + " |"
    yield "|---|" + "---|" * len(begins)
    for pictures in sorted({cell.pictures for cell in cells}):
        row = [str(cells.get(Cell(pictures, begin), "-")) for begin in begins]
        yield f"| {pictures:,} | " + " | ".join(row) + " |"


def plot(cells: dict[Cell, Rate], title: str) -> bytes:
    """Plot all that was measured."""
    begins = dict.fromkeys(cell.begin for cell in cells)
    curves = {
        f"from {begin}": [
            {"pictures": cell.pictures, **rate.as_dict()} for cell, rate in sorted(cells.items()) if cell.begin == begin
        ]
        for begin in begins
    }
    return plot_learning(curves, title)


def main() -> None:
    """Train and measure, and write the plot and the table as they grow."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.learning_curve", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("folder", type=Path, help="labelled pictures")
    parser.add_argument("--minutes", type=float, default=20.0, help="of each training")
    parser.add_argument("--steps", type=int, help="in place of minutes: for a try")
    parser.add_argument("--pictures", type=int, nargs="+", default=list(PICTURES), help="labelled, to learn from")
    parser.add_argument("--begin", nargs="+", default=[NOTHING, "strangers"], help="nothing, or a deep model")
    parser.add_argument("--tried", type=int, default=TRIED, help="pictures put aside, which every model reads")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path, help="where datasets and models go; by default data/learning-curve/NAME")
    parser.add_argument("--out", type=Path, default=Path("docs/learning-curve.png"))
    given = parser.parse_args()
    work = given.work or Path("data", "learning-curve", given.folder.resolve().name)
    os.environ["CAPTCHAS_HOME"] = str(work)
    curve = Curve(given.folder, work.resolve(), given.tried, given.seed)
    counts = [count for count in given.pictures if count <= curve.most]
    if left := sorted(set(given.pictures) - set(counts)):
        print(f"left out, since {curve.most:,} pictures are there: {', '.join(map(str, left))}", file=sys.stderr)
    cells: dict[Cell, Rate] = {}
    minutes = "1 minute" if given.minutes == 1 else f"{given.minutes:g} minutes"
    budget = minutes if given.steps is None else f"{given.steps} steps"
    for count in counts:
        for begin in given.begin:
            cells[Cell(count, begin)] = rate = curve.measure(Cell(count, begin), given.minutes, given.steps)
            print(f"{count:,} pictures from {begin}: {rate}", flush=True)
            atomic.replace(given.out, plot(cells, f"{given.folder.resolve().name}: {budget} of training each"))
    print("\n".join(table(cells)))


if __name__ == "__main__":
    main()
