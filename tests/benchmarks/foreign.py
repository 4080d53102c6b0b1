"""Pictures of another generator, the `captcha` package: no part of this project was trained on or tuned to them.

Its own randomness is left alone (it has no seed), so the words repeat and the pixels do not: a folder is kept.
"""

from importlib.metadata import version
from pathlib import Path

import numpy as np
from captcha.image import ImageCaptcha

from storage.files import atomic
from tasks.drawing.randomness import below
from tasks.profiles.word_lists import load_words

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LENGTH = 4
PACKAGE = f"captcha-{version('captcha')}"


def foreign_texts(count: int, seed: int, *, strings: bool = False) -> list[str]:
    """Return texts of four capital letters, the book's words or any letters; a larger `count` only adds texts."""
    numbers = np.random.Philox(key=[seed, int(strings)]).random_raw((count, LENGTH))
    if strings:
        return ["".join(ALPHABET[k] for k in row) for row in below(numbers, len(ALPHABET)).tolist()]
    words = load_words("web2", ALPHABET, (LENGTH, LENGTH))
    return [words[k] for k in below(numbers[:, 0], len(words)).tolist()]


def foreign_names(count: int, seed: int, *, strings: bool = False) -> list[str]:
    """Return file names such as `000123_BONE.png`, number and text, as this project's own samples have."""
    return [f"{number:06d}_{text}.png" for number, text in enumerate(foreign_texts(count, seed, strings=strings))]


def write_foreign(folder: Path, count: int, seed: int, *, strings: bool = False) -> int:
    """Draw missing pictures with the package's defaults; return how many were drawn.

    160 x 60 pixels (width x height), RGB, letters of one dark colour on a light ground, each warped and
    turned by up to 30 degrees, spaces of chance between them, an arc and dots over them.
    """
    atomic.make_folder(folder)
    for path in atomic.leftovers(folder):  # of a run that was killed
        path.unlink(missing_ok=True)
    missing = [name for name in foreign_names(count, seed, strings=strings) if not (folder / name).exists()]
    generator, run = ImageCaptcha(), atomic.new_run()
    for name in missing:
        picture = generator.generate(name[7:-4], format="png")
        atomic.publish(folder / name, picture.getvalue(), run)
    return len(missing)
