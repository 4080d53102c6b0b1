"""How deep models read drawings that no training had: of profiles, and of profiles drawn at random in some faces.

    python -m tests.benchmarks.unseen_drawings [--draw PROFILE ...] [--faces kept.txt] [--model FILE ...]
        [--count 512] [--profiles 90] [--seed 77]

`--draw` reads `--count` pictures of each profile, with its alphabet and lengths told. `--faces`, a list that
tests.benchmarks.faces wrote, reads 12 pictures of each of `--profiles` profiles drawn at random, in either case,
lengths told: first with letters of their own colour, then with letters that only their rim and shadow show (relief).
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from flows.home import model_file
from storage.deep_models import load_deep_model
from storage.errors import BadInput
from tasks.datasets.recipe import make_recipe, renderer_of
from tasks.deep.deep_reader import DeepReader
from tasks.deep.learning.unfamiliar import unfamiliar_profile
from tasks.profiles.built_in import find_profile
from tasks.profiles.profile import Profile
from tasks.rates import Rate

A_PROFILE = 12  # pictures


def drawn(profile: Profile, count: int, seed: int) -> tuple[np.ndarray, list[str]]:
    """Return the first pictures of a profile, at most a block of them, and their texts."""
    renderer = renderer_of(make_recipe(profile, seed))
    block = renderer.block(seed, 0)
    return np.ascontiguousarray(block.images[:count]), [str(text) for text in block.texts()[:count]]


def at_random(
    faces: list[str], profiles: int, seed: int, relief: float
) -> Iterator[tuple[Profile, np.ndarray, list[str]]]:
    """Draw pictures of profiles, and their texts; left out are profiles whose pictures cannot hold or show letters."""
    for number in range(profiles):
        profile = unfamiliar_profile(seed, number, faces, relief=relief)
        try:
            images, texts = drawn(profile, A_PROFILE, seed)
        except BadInput:
            continue
        yield profile, images, texts


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.unseen_drawings")
    parser.add_argument("--draw", nargs="*", default=[], metavar="PROFILE")
    parser.add_argument("--faces", type=Path, metavar="LIST")
    parser.add_argument("--model", nargs="+", default=["strangers"], help="names or files of deep models")
    parser.add_argument("--count", type=int, default=512, help="pictures of each profile of --draw")
    parser.add_argument("--profiles", type=int, default=90, help="profiles drawn at random")
    parser.add_argument("--seed", type=int, default=77)
    options = parser.parse_args()
    models = {name: load_deep_model(model_file(name)) for name in options.model}
    print(f"| drawings | n | {' | '.join(models)} |\n|---|---|{'---|' * len(models)}")
    for name in options.draw:
        profile = find_profile(name)
        images, texts = drawn(profile, options.count, options.seed)
        readers = (DeepReader(model, alphabet=profile.alphabet, length=profile.length) for model in models.values())
        rates = [Rate(sum(reader.read(images).words[:, 0] == np.array(texts)), len(texts)) for reader in readers]
        print(f"| {name} | {len(texts):,} | {' | '.join(map(str, rates))} |", flush=True)
    faces = options.faces.read_text(encoding="utf-8").splitlines() if options.faces else []
    for what, relief in (("at random", 0.0), ("at random, relief", 1.0)) if faces else ():
        right, n = dict.fromkeys(models, 0), 0
        for profile, images, texts in at_random(faces, options.profiles, options.seed, relief):
            n += len(texts)
            for name, model in models.items():
                words = DeepReader(model, length=profile.length).read(images).words[:, 0].tolist()
                right[name] += sum(word.lower() == text.lower() for word, text in zip(words, texts, strict=True))
        print(f"| {what} | {n:,} | {' | '.join(str(Rate(count, n)) for count in right.values())} |", flush=True)


if __name__ == "__main__":
    main()
