"""Switch off each part of the reader in turn, and find out how many training letters are enough.

    python -m tests.benchmarks.ablation [--home DIR] [--pictures 0.25] [--shows 1500000] [--read 2000] [--markdown FILE]

Works on the ladder's datasets under the home (`captchas train --ladder` draws them), with a smaller model than the
one that is shipped, so that the whole takes minutes: letters are cut once, and each variant is fitted to them anew.
Reads pictures of the test split. Figures are differences to the first line, not the best that can be had.
"""

import argparse
import tempfile
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from flows.home import dataset_folder, prepare_environment
from flows.workers.cluster import crew
from flows.workers.fanout import fan_out
from storage.dataset import Dataset
from tasks import models
from tasks.profiles.word_lists import WEB2, load_words
from tasks.rates import Rate
from tasks.reading import features, reader
from tasks.reading import networks as classifier
from tasks.reading.components import find_apart
from tasks.reading.lattice import Lattice, find_spans
from tasks.reading.ranking import Ranking
from tasks.training import fit
from tasks.training import settings as ladder
from tasks.training import spool as teach

READ = ("book", "fonts", "unseen", "touching", "noise", "hard")
INK = slice(0, features.COARSE - features.BARS)
GRADIENTS = slice(features.COARSE, features.SIZE)


def pictures_of(name: str, most: int) -> tuple[np.ndarray, list[str], dict]:
    """Return pictures of a rung's test split, their texts and the profile."""
    data = Dataset(dataset_folder(name))
    images, texts = [], []
    for block in data.blocks("test"):
        images.append(block.images)
        texts += block.texts()
        if len(texts) >= most:
            break
    return np.concatenate(images)[:most], texts[:most], data.manifest.profile


def score(networks: dict, record: dict, rungs: dict, ranking: Ranking = Ranking.PROBABILITY) -> list[str]:
    """Return `without / with the dictionary` in percent for each rung."""
    cells = []
    for images, texts, profile in rungs.values():
        length = tuple(profile["length"])
        words = load_words(WEB2, profile["alphabet"], length)
        readings = reader.Reader(networks, record, words, ranking, profile["alphabet"], length).read(images)
        truth = np.array(texts)
        rates = [Rate.of(answer == truth) for answer in (readings.reading, readings.words[:, 0])]
        cells.append(" / ".join(f"{100 * rate.value:.2f}" for rate in rates))
    return cells


@contextmanager
def instead(module, name: str, value):
    """Replace the value of a name in a module for a while."""
    before = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)


@contextmanager
def blind(part: slice):
    """Hide some features from the networks, in learning and in reading."""

    def without(takes: Callable) -> Callable:
        def taking(X, *more):
            X = X.copy()
            X[:, part] = 0
            return takes(X, *more)

        return taking

    with (
        instead(classifier, "to_unit", without(classifier.to_unit)),
        instead(classifier, "multiply", without(classifier.multiply)),
    ):
        yield


def thinned(spool: Path, name: str, share: int) -> str:
    """Write spool files with one in `share` of the samples; return their name."""
    for path in spool.glob(f"{name}-*.npy"):
        np.save(spool / f"one-in-{share}-{path.name}", np.load(path, mmap_mode="r")[::share])
    return f"one-in-{share}-{name}"


def raw(images):
    """Keep pictures as they are: remove no background, undo no shear."""
    n, rows, columns = images.shape
    ink = np.zeros((n, rows, columns + rows // 2 + 2), np.uint8)
    ink[:, :, :columns] = images
    return ink, np.zeros(n, np.int64), np.zeros(n, np.int64)


def nothing_apart(ink) -> Lattice:
    """Find no components, so that every picture goes through the lattice."""
    found = find_apart(ink)
    return found.keep(np.zeros(len(found.box), bool))


def only_apart(ink) -> Lattice:
    """Cut by components alone, as the book does."""
    return find_apart(ink)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.ablation")
    parser.add_argument("--home", type=Path, default=Path("data"))
    parser.add_argument("--pictures", type=float, default=0.25, help="share of the ladder's training pictures")
    parser.add_argument("--shows", type=int, default=1_500_000)
    parser.add_argument("--read", type=int, default=2000, help="pictures of each rung")
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    prepare_environment(options.home)
    few = tuple(max(int(number * options.pictures), 100) for number in ladder.LADDER_SETTINGS.pictures)
    settings = replace(ladder.LADDER_SETTINGS, pictures=few, shows=options.shows)
    datasets = [Dataset(dataset_folder(name)) for name in ladder.LEARNT]
    record = models.provenance_of(datasets, settings) | {"calibration": {}}
    rungs = {name: pictures_of(name, options.read) for name in READ}
    title = " | ".join(READ)
    lines = [f"| | {title} |", f"|---|{'---|' * len(READ)}"]

    def say(what: str, cells: list[str]) -> None:
        lines.append(f"| {what} | {' | '.join(cells)} |")
        print(lines[-1], flush=True)

    print("\n".join(lines), flush=True)
    with tempfile.TemporaryDirectory() as name:
        spool = Path(name)
        classes = record["classes"]

        def fitted(which: str) -> dict:
            networks, facts = fit.fit(spool, which, classes, settings, settings.shows)
            return {"networks": networks, "record": record | facts}

        with crew() as client:
            list(fan_out(client, teach.gather, teach.jobs_of(datasets, settings, 1, None, spool, "run")))
        base = fitted("1")
        say("all parts", score(**base, rungs=rungs))
        for what, module, attribute, value in (
            ("no gate", None, None, None),
            ("every picture through the lattice, none by components", reader, "find_apart", nothing_apart),
            ("components only, as the book cuts", reader, "find_spans", only_apart),
            ("six cuts a letter height instead of eight", reader, "find_spans", lambda ink: find_spans(ink, 6)),
            ("four cuts", reader, "find_spans", lambda ink: find_spans(ink, 4)),
            ("background and shear left as they are (in reading)", reader, "upright", raw),
        ):
            if module is None:
                say(what, score(base["networks"], base["record"] | {"gate": -1e9}, rungs))
                continue
            with instead(module, attribute, value):
                say(what, score(**base, rungs=rungs))
        for ranking in (Ranking.LEVENSHTEIN, Ranking.POSITIONS):
            say(f"dictionary after the reading: {ranking.value}", score(**base, rungs=rungs, ranking=ranking))
        for what, part in (("no gradients (learnt anew)", GRADIENTS), ("no cells of ink (learnt anew)", INK)):
            with blind(part):
                say(what, score(**fitted("1"), rungs=rungs))
        for share in (2, 4, 16, 64):
            less = fitted(thinned(spool, "1", share))
            letters = less["record"]["letters"]
            say(f"{letters:,} letters instead of {base['record']['letters']:,}", score(**less, rungs=rungs))
    if options.markdown:
        options.markdown.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
