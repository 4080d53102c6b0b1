"""Time the reading of words, compared with scikit-image's label and regionprops and a network, picture by picture."""

import os
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context

import numpy as np
from skimage.measure import label, regionprops
from skimage.transform import resize
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from storage.models import load_model
from tasks.datasets.recipe import make_recipe, renderer_of
from tasks.profiles.built_in import BUILT_IN
from tasks.profiles.word_lists import WEB2, load_words
from tasks.reading.reader import Reader
from tasks.shipped import SHIPPED
from tests.benchmarks.tables import SEED, Table, best

COUNT = 4096  # pictures in memory, a process
THRESHOLD, SMALLEST = 0.6, 10  # of the strongest ink; pixels


def letters_of(image: np.ndarray) -> np.ndarray:
    """Return the connected components from left to right, (m, 400) float."""
    found = label(image > THRESHOLD * image.max(), connectivity=2)
    regions = sorted(regionprops(found, image), key=lambda region: region.bbox[1])
    large = [region for region in regions if region.area >= SMALLEST]
    return np.array([resize(region.image_intensity / 255, (20, 20)).ravel() for region in large]).reshape(-1, 400)


def plain_network() -> MLPClassifier:
    """Train a network on 20 x 20 letters: pictures of single letters with a single component."""
    profile = BUILT_IN["letters"]
    block = renderer_of(make_recipe(profile, SEED)).block(SEED, 0)
    found = [letters_of(image) for image in block.images]
    one = [k for k, letters in enumerate(found) if len(letters) == 1]
    network = MLPClassifier((100,), random_state=SEED, max_iter=40, tol=0, n_iter_no_change=40, early_stopping=False)
    X, y = np.concatenate([found[k] for k in one]), np.array(block.texts())[one]
    for _ in range(40):
        network.partial_fit(X, y, classes=np.array(sorted(profile.alphabet)))
    return network


@cache
def prepared(name: str, first: int) -> tuple[Reader, np.ndarray, np.ndarray]:
    """Put a reader with the profile's dictionary, and pictures from block `first` on, into a process's memory."""
    profile = BUILT_IN[name]
    renderer = renderer_of(make_recipe(profile, SEED + 1))
    blocks = [renderer.block(SEED + 1, first + number) for number in range(COUNT // 1024)]
    words = load_words(WEB2, profile.alphabet, profile.length)
    reader = Reader(*load_model(SHIPPED), words, alphabet=profile.alphabet, length=profile.length)
    return reader, np.concatenate([one.images for one in blocks]), np.concatenate([one.texts() for one in blocks])


def read(name: str, first: int) -> float:
    """Read all pictures on one core; return the share of right words."""
    reader, images, truth = prepared(name, first)
    with threadpool_limits(1, "blas"):
        return float((reader.read(images).words[:, 0] == truth).mean())


def warm(name: str, first: int) -> None:
    """Prepare, and read a few."""
    reader, images, _ = prepared(name, first)
    reader.read(images[:64])


def read_on_all(table: Table, name: str, what: str, reference: float, rounds: int) -> None:
    """Read in a process for each core, each with its own pictures."""
    cores = len(os.sched_getaffinity(0))
    # A pool for each, of one process: so that each reads what it has prepared.
    pools = [ProcessPoolExecutor(1, get_context("spawn")) for _ in range(cores)]

    def on_all(work):
        jobs = [pool.submit(work, name, number * COUNT // 1024) for number, pool in enumerate(pools)]
        return [job.result() for job in jobs]

    try:
        on_all(warm)
        rate = cores * COUNT / best(lambda: on_all(read), rounds)
        table.add(what, cores * COUNT, rate, cores, reference)
    finally:
        for pool in pools:
            pool.shutdown()


def reading(table: Table) -> None:
    """Time the reference on `book`, then this reader on `book` and `hard`, with their dictionaries."""
    network = plain_network()
    images, truth = prepared("book", 0)[1:]
    right = [0]

    def one_at_a_time():
        right[0] = 0
        for image, text in zip(images, truth, strict=True):
            letters = letters_of(image)
            if len(letters):
                chances = network.predict_proba(letters)
                right[0] += "".join(network.classes_[chances.argmax(axis=1)]) == text

    with threadpool_limits(1, "blas"):
        reference = COUNT / best(one_at_a_time, 2)
    table.add("read: label, regionprops, predict_proba, one at a time", COUNT, reference)
    table.note("read: words right so, without a dictionary", 100 * right[0] / COUNT, "%")
    for name in ("book", "hard"):
        words = len(prepared(name, 0)[0].dictionary)
        what = f"read: {name}, {words:,} words"
        warm(name, 0)
        shares = []
        seconds = best(lambda name=name, shares=shares: shares.append(read(name, 0)), 5)
        table.add(what, COUNT, COUNT / seconds, 1, reference)
        read_on_all(table, name, what, reference, 5)
        table.note(f"read: {name}, words right with the dictionary", 100 * shares[0], "%")
