"""Compile the kernels once, so that the first run does not: `python -m tasks.warm`, part of `make setup`.

Numba keeps what it compiled beside the modules, or in the user's cache folder where those cannot be written.
"""

import numpy as np

from tasks import classifier
from tasks.deflate import compress
from tasks.inflate import inflate
from tasks.letters import shape_letters
from tasks.ranking import Dictionary, Ranking, rank
from tasks.recipes import make_recipe, renderer_of
from tasks.segmentation import cut
from tasks.specs import Grid, Profile, find_profile
from tasks.tally import Distinct, Tally


def warm() -> None:
    """Draw a block and read it, with the types that every run has."""
    profile = find_profile("book")
    recipe = make_recipe(profile, 1)
    block = renderer_of(recipe).block(recipe.seed, 0, 32)
    distorted = Profile("warm", top=20, left=20, height=90, width=90, rotation=Grid(0, 1), blur=Grid(1, 1))
    renderer_of(make_recipe(distorted, 1)).block(1, 0, 32)
    Tally(profile.alphabet).add(block)
    Distinct().add(np.frombuffer(bytes(8), np.uint64))
    images = block.images.reshape(-1)
    inflate(compress(images), np.empty_like(images))
    segments = cut(block.images)
    letters = shape_letters(block.images, segments)
    network = classifier.build(1)
    labels = np.arange(len(letters)) % len(profile.alphabet)
    classifier.fit_stream(network, lambda: [(letters.reshape(len(letters), -1), labels)], len(profile.alphabet), 1, 1)
    words = Dictionary(("BONE", "BOND"), profile.alphabet)
    for ranking in Ranking:
        rank(classifier.probabilities(network, letters), segments.counts, words, ranking)


if __name__ == "__main__":
    warm()
