"""`make bench`: speed as ratios to a reference that is timed in the same process, right before.

    python -m tests.benchmarks [--count 200000] [--json FILE]

Each line: what, n, a second on how many processes, and how many times the reference of its part, core for
core. Machines are noisy: the best of several rounds counts, for the references too.
"""

import argparse
import json
import os
import platform
import tempfile
import time
from pathlib import Path

import numpy as np
from skimage.measure import label, regionprops
from skimage.transform import resize

from flows.cluster import crew, fan_out
from flows.home import prepare_environment
from storage import atomic
from storage.dataset import Dataset
from storage.shards import read_record, write_shard
from tasks import book, classifier
from tasks import generate as units
from tasks.letters import shape_letters
from tasks.reader import Reader
from tasks.recipes import make_recipe, renderer_of
from tasks.segmentation import CONNECTIVITY, SMALLEST, THRESHOLD, cut
from tasks.specs import BUILT_IN
from tasks.words import load_words

SEED = 1


def best(work, rounds: int = 3) -> float:
    """Seconds of the fastest of some rounds."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


class Table:
    """Lines of results, printed as they come."""

    def __init__(self):
        self.lines = []

    def add(self, what: str, n: int, rate: float, processes: int = 1, reference: float | None = None) -> None:
        """One result; `reference` is a rate of one process."""
        ratio = rate / processes / reference if reference else None
        self.lines.append({"what": what, "n": n, "per_second": rate, "processes": processes, "ratio": ratio})
        times = f"{ratio:8.1f} x" if ratio else "  reference"
        print(f"{what:<58} n = {n:>9,} {rate:>12,.0f}/s on {processes} {times}", flush=True)


def drawing(table: Table, count: int, folder: Path) -> None:
    """Drawing and storing, beside the book's procedure."""
    words = load_words("web2", book.LETTERS, (4, 4))
    recipe = make_recipe(BUILT_IN["book"], SEED)
    renderer = renderer_of(recipe)
    font, random = book.load_font(book_font()), np.random.RandomState(14)
    chosen = random.choice(words, 1500)

    def by_the_book(texts, canvas):
        for text in texts:
            book.draw(text, random.choice(book.SHEARS), random.choice(book.SCALES), canvas, font)

    reference = len(chosen) / best(lambda: by_the_book(chosen, book.WORD_CANVAS))
    table.add("book: draw, shear, divide, rescale, as printed", len(chosen), reference)
    single = random.choice(list(book.LETTERS), 1500)
    letters = len(single) / best(lambda: by_the_book(single, book.LETTER_CANVAS))
    table.add("letters: draw, shear, divide, rescale, as printed", len(single), letters)
    blocks = [renderer.block(SEED, number) for number in range(16)]
    n = 16 * 1024
    table.add("book: kernel", n, n / best(lambda: [renderer.block(SEED, k) for k in range(16)]), 1, reference)
    table.add("book: digest", n, n / best(lambda: [block.digest() for block in blocks]), 1, reference)
    runs = iter(range(1000))

    def seal():
        write_shard(atomic.make_folder(folder / f"seal-{next(runs)}"), 0, 0, iter(blocks), recipe.identity, "bench")

    table.add("book: digest, compress, seal", n, n / best(seal), 1, reference)
    generate(table, "book", count, folder, reference)
    generate(table, "letters", count, folder, letters)
    data = Dataset(folder / "book")
    rate = len(data) / best(lambda: [0 for _ in data.blocks(fields=("images", "text"))])
    table.add("book: read images and text in block order", len(data), rate, 1, reference)
    path = folder / "book" / data.manifest.shards[0]["name"]
    first = data.manifest.shards[0]["count"]
    table.add("book: prove a shard equal to its digests", first, first / best(lambda: read_record(path)), 1, reference)


def book_font() -> str:
    """The file of the default face."""
    from tasks.fonts import find_face

    return find_face(BUILT_IN["book"].fonts[0]).path


def generate(table: Table, name: str, count: int, folder: Path, reference: float) -> None:
    """The flow's own fan-out, on all cores, between the first and the last shard."""
    recipe = make_recipe(BUILT_IN[name], SEED)
    target = atomic.make_folder(folder / name)
    plan = units.survey(recipe, target, count, "bench")
    workers = len(os.sched_getaffinity(0))
    with crew(workers) as client:
        receipts = list(fan_out(client, units.draw_shard, plan.jobs))
    units.complete(recipe, target, receipts, "bench")
    rate = units.steady_rate(receipts)
    table.add(f"{name}: drawn, digested, compressed, sealed (Dask)", count, rate, workers, reference)


def reading(table: Table) -> None:
    """Reading words, beside scikit-image's label and regionprops and the network, a picture at a time."""
    renderer = renderer_of(make_recipe(BUILT_IN["letters"], SEED))
    blocks = [renderer.block(SEED, number) for number in range(8)]
    images, texts = np.concatenate([one.images for one in blocks]), [text for one in blocks for text in one.texts()]
    segments = cut(images)
    one = (segments.counts == 1)[segments.picture]
    X = shape_letters(images, segments)[one].reshape(-1, 400)
    y = np.array([book.LETTERS.index(texts[k]) for k in segments.picture[one]])
    network = classifier.build(SEED)
    classifier.fit_stream(network, lambda: [(X, y)], 26, 20, SEED)
    record = {"classes": book.LETTERS, "features": 1, "threshold": THRESHOLD, "smallest": SMALLEST}
    record["connectivity"] = CONNECTIVITY
    words = load_words("web2", book.LETTERS, (4, 4))
    reader = Reader(network, record, words)
    block = renderer_of(make_recipe(BUILT_IN["book"], SEED)).block(SEED, 0)

    def one_at_a_time():
        for image in block.images[:200]:
            found = label(image > THRESHOLD * image.max(), connectivity=CONNECTIVITY)
            regions = sorted(regionprops(found, image), key=lambda region: region.bbox[1])
            letters = [resize(region.image_intensity / 255, (20, 20)) for region in regions]
            network.predict_proba(np.reshape(letters, (len(letters), -1)))

    reference = 200 / best(one_at_a_time)
    table.add("read: label, regionprops, predict_proba, one at a time", 200, reference)
    n = len(block.images)
    table.add("read: batched, with the dictionary of 5,006 words", n, n / best(lambda: reader.read(block.images)), 1,
              reference)  # fmt: skip


def main() -> None:
    """Run all parts."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--count", type=int, default=200_000, help="pictures to draw on all cores")
    parser.add_argument("--json", type=Path, help="write the results to this file too")
    options = parser.parse_args()
    machine = f"{len(os.sched_getaffinity(0))} cores, {platform.machine()}, Python {platform.python_version()}"
    print(f"seed {SEED}; {machine}; load {os.getloadavg()[0]:.1f}")
    table = Table()
    with tempfile.TemporaryDirectory() as folder:
        prepare_environment(Path(folder))
        drawing(table, options.count, Path(folder))
        reading(table)
    if options.json:
        options.json.write_text(json.dumps({"seed": SEED, "machine": machine, "lines": table.lines}, indent=1))


if __name__ == "__main__":
    main()
