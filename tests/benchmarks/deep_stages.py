"""Where the deep reader's time goes, from a file to an answer: `python -m tests.benchmarks.deep_stages`.

Each stage is timed in CPU milliseconds a picture of one thread, the fastest of some rounds, so that other programs on
the machine count for little.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np

from storage.deep_models import load_deep_model
from storage.models import model_digest
from tasks.datasets.samples import first_pictures
from tasks.deep.decoding import best_texts, column_shares
from tasks.deep.deep_reader import DeepReader
from tasks.deep.pictures import canvas_widths, find_content, natural_widths, normalise
from tasks.deep.word_paths import best_words_of
from tasks.loading.seen_batches import load_seen_batch
from tasks.lowlevel.png_encoder import png
from tasks.profiles.built_in import find_profile
from tasks.profiles.word_lists import WEB2, load_words
from tasks.reading.ranking import Ranking
from tasks.shipped import STRANGERS
from tasks.solving.batches import SolvePlan, answer_pictures

ROUNDS, SEED = 3, 1


def cpu_ms(work: Callable[[], object], count: int) -> float:
    """Return the CPU milliseconds a picture of the fastest round."""
    times = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return 1000 * min(times) / count


def stages(count: int, profile: str) -> dict[str, float]:
    """Time each stage on pictures of a profile, with its words and without."""
    drawn = find_profile(profile)
    block = first_pictures(drawn, SEED, count)
    sizes = np.column_stack([block.parameters["height"], block.parameters["width"]]).astype(np.int64)
    files = [
        png(np.ascontiguousarray(255 - image[:h, :w]))
        for image, (h, w) in zip(block.images, sizes.tolist(), strict=True)
    ]
    words = load_words(WEB2, drawn.alphabet, drawn.length) if drawn.words else ()
    reader = DeepReader(load_deep_model(STRANGERS), words, alphabet=drawn.alphabet, length=drawn.length)
    shape = reader.session.shape
    rectangles = find_content(block.images, sizes)
    widths = natural_widths(rectangles[:, 2:] - rectangles[:, :2], shape.height, shape.widest)
    canvas = int(canvas_widths(widths, reader.session.canvas, shape.widest).max())
    pictures = np.empty((count, 3, shape.height, canvas), np.uint8)
    normalise(block.images, sizes, rectangles, widths, pictures)
    seen = reader.look(block.images, sizes)
    chosen = np.array([reader.session.alphabet.index(letter) for letter in drawn.alphabet], np.int64)
    shares, _ = column_shares(seen.scores, chosen)
    plan = SolvePlan(str(STRANGERS), model_digest(STRANGERS), "\n".join(words),
                     Ranking.PROBABILITY if words else Ranking.NONE, 0.0, drawn.alphabet, drawn.length)  # fmt: skip
    work: dict[str, Callable[[], object]] = {
        "decode PNG files": lambda: load_seen_batch(range(count), lambda k: files[k], {}),
        "find the content": lambda: find_content(block.images, sizes),
        "normalise": lambda: normalise(block.images, sizes, rectangles, widths, pictures),
        "network": lambda: reader.session.scores(pictures),
        "shares of columns": lambda: column_shares(seen.scores, chosen),
        "best texts": lambda: best_texts(shares, *drawn.length),
    }
    if words:
        work["best words"] = lambda: best_words_of(reader.dictionary.trie, shares, drawn.length)
    work["all after the network"] = lambda: reader.read_seen(seen)
    work["from files to answers"] = lambda: answer_pictures(plan, range(count), lambda k: files[k])
    for prepare in work.values():  # compiles kernels, fills caches
        prepare()
    return {name: cpu_ms(timed, count) for name, timed in work.items()}


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.deep_stages")
    parser.add_argument("--count", type=int, default=1024)
    parser.add_argument("--profile", nargs="+", default=["hard", "strings"])
    given = parser.parse_args()
    found = {name: stages(given.count, name) for name in given.profile}
    print(f"| CPU ms a picture, n = {given.count:,} | " + " | ".join(found) + " |\n|---|" + "---|" * len(found))
    for stage in next(iter(found.values())):
        print(f"| {stage} | " + " | ".join(f"{times.get(stage, 0):.3f}" for times in found.values()) + " |")


if __name__ == "__main__":
    main()
