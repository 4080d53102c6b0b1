"""Time how datasets are drawn and sealed, compared with the book's procedure for a picture."""

import hashlib
import os
from pathlib import Path

import numpy as np
from captcha.image import ImageCaptcha

from flows.workers.cluster import crew
from flows.workers.fanout import fan_out
from storage.files import atomic
from storage.shards.writer import write_shard
from tasks.datasets.folder import complete
from tasks.datasets.generate import draw_shard, plan_drawing
from tasks.datasets.recipe import make_recipe, renderer_of
from tasks.datasets.totals import Gathered, Pace
from tasks.lowlevel.deflate import compress
from tasks.profiles.built_in import BUILT_IN
from tasks.profiles.fonts import find_face
from tasks.profiles.word_lists import load_words
from tasks.scoring import book
from tests.benchmarks.tables import SEED, Table, best

MILLION = 1_000_000


def by_the_book(texts, canvas, font, random) -> float:
    """Return how many texts a second the book's procedure draws, shears, divides and rescales."""

    def draw():
        for text in texts:
            book.draw(text, random.choice(book.SHEARS), random.choice(book.SCALES), canvas, font)

    return len(texts) / best(draw)


def drawing(table: Table, count: int, folder: Path) -> float:
    """Time all parts of drawing; return the rate of the book's procedure for a word."""
    words = load_words("web2", book.LETTERS, (4, 4))
    font, random = book.load_font(find_face(BUILT_IN["book"].fonts[0]).path), np.random.RandomState(14)
    reference = by_the_book(random.choice(words, 1500), book.WORD_CANVAS, font, random)
    table.add("book: draw, shear, divide, rescale, as printed", 1500, reference)
    letters = by_the_book(random.choice(list(book.LETTERS), 1500), book.LETTER_CANVAS, font, random)
    table.add("letters: draw, shear, divide, rescale, as printed", 1500, letters)
    parts(table, reference, folder)
    generate(table, "book", count, folder, reference, large=True)
    generate(table, "letters", count, folder, letters)
    for name in BUILT_IN:
        if name not in ("book", "letters") and not BUILT_IN[name].colour:
            generate(table, name, max(count // 4, 100_000), folder, reference)
    in_colour(table, max(count // 4, 100_000), folder)
    return reference


def in_colour(table: Table, count: int, folder: Path) -> None:
    """Time the profiles in colour, and the painting alone, beside the `captcha` package in the same process."""
    images = ImageCaptcha(width=160, height=60)
    texts = [f"{number:04d}" for number in range(300)]
    package = len(texts) / best(lambda: [images.generate_image(text) for text in texts])
    table.add("captcha package: draw", len(texts), package)
    for name in [name for name in BUILT_IN if BUILT_IN[name].colour]:
        renderer = renderer_of(make_recipe(BUILT_IN[name], SEED))
        pixels = renderer.scratch()
        seconds = best(lambda painter=renderer, room=pixels: [painter.block(SEED, k, pixels=room) for k in range(4)], 5)
        table.add(f"{name}: kernel", 4096, 4096 / seconds, 1, package)
        generate(table, name, count, folder, package)


def parts(table: Table, reference: float, folder: Path) -> None:
    """Time the steps to a shard of `book` on one core, as in a worker: 16 blocks in the same memory."""
    recipe = make_recipe(BUILT_IN["book"], SEED)
    renderer = renderer_of(recipe)
    pixels = renderer.scratch()
    n = 16 * 1024
    seconds = best(lambda: [renderer.block(SEED, k, pixels=pixels) for k in range(16)], 5)
    table.add("book: kernel", n, n / seconds, 1, reference)
    blocks = [renderer.block(SEED, number) for number in range(16)]
    table.add("book: digest", n, n / best(lambda: [block.digest() for block in blocks]), 1, reference)
    flat = [block.images.reshape(-1) for block in blocks]
    table.add("book: compress", n, n / best(lambda: [compress(images) for images in flat]), 1, reference)
    runs = iter(range(1000))

    def seal():
        target = atomic.make_folder(folder / f"seal-{next(runs)}")
        write_shard(target, 0, 0, iter(blocks), recipe.identity, "bench", compress, compress)

    table.add("book: digest, compress, seal", n, n / best(seal), 1, reference)
    image = b"".join(compress(images) for images in flat)

    def least():
        for block in blocks:
            block.digest()
        hashlib.sha256(image).digest()
        atomic.publish(folder / f"least-{next(runs)}", image, "bench")

    table.add("book: of this, what any drawer would have to do", n, n / best(least), 1, reference)


def generate(table: Table, name: str, count: int, folder: Path, reference: float, large: bool = False) -> Gathered:
    """Time the flow's own fan-out on all cores, from the first to the last shard.

    `large`: say also what a worker's memory came to, and how the rate went from million to million.
    """
    recipe = make_recipe(BUILT_IN[name], SEED)
    target = atomic.make_folder(folder / name)
    plan = plan_drawing(recipe, target, count, "bench")
    workers = len(os.sched_getaffinity(0))
    gathered, million = Gathered(recipe.identity), [Pace()]
    with crew(workers) as client:
        for receipt in fan_out(client, draw_shard, plan.jobs):
            gathered.add(receipt)
            million[-1].add(receipt.record.count)
            if gathered.drawn >= len(million) * MILLION:
                million.append(Pace())
                million[-1].add(0)  # it begins where the one before ended
        if large:
            table.note(f"{name}: peak memory of a worker, {count:,} pictures", max(client.run(peak).values()), "MB")
    complete(target, gathered, "bench")
    table.add(f"{name}: drawn, digested, compressed, sealed", count, gathered.pace.rate(), workers, reference)
    rates = [pace.rate() for pace in million[: count // MILLION]]
    if large and len(rates) > 1:
        for which, rate in (("first", rates[0]), ("last", rates[-1]), ("slowest", min(rates)), ("fastest", max(rates))):
            table.add(f"{name}: the {which} million of these", MILLION, rate, workers, reference)
    return gathered


def peak() -> float:
    """Return the most memory that this process had, in MB (10**6 bytes)."""
    # Not by getrusage, which begins with the memory of the parent process.
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines["VmHWM"].split()[0]) * 1024 / 1e6
