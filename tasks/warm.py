"""Compile the kernels once, so that the first run does not: `python -m tasks.warm`, part of `make setup`.

Numba keeps what it compiled beside the modules, or in the user's cache folder where those cannot be written.
"""

import numpy as np

from tasks import classifier
from tasks.letters import shape_letters
from tasks.ranking import Dictionary, Ranking, rank
from tasks.raster import sum_ink
from tasks.recipes import make_recipe, renderer_of
from tasks.segmentation import cut
from tasks.specs import find_profile


def warm() -> None:
    """Draw a block and read it, with the types that every run has."""
    profile = find_profile("book")
    recipe = make_recipe(profile, 1)
    block = renderer_of(recipe).block(recipe.seed, 0, 32)
    sum_ink(block.images)
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
