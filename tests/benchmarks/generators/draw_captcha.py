"""Draw labelled pictures with the PyPI package `captcha` and its defaults: `python draw_captcha.py COUNT SEED FOLDER`.

It runs in an environment that has the package, and imports nothing of this project.
"""

import random
import string
import sys
from pathlib import Path

import captcha.image

LETTERS = string.ascii_uppercase + string.digits
LENGTHS = (4, 5)


class Seeded:
    """The functions of the standard library's `secrets` that the package calls, with a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.choice, self.randbits, self.randbelow = (
            self._random.choice, self._random.getrandbits, self._random.randrange
        )  # fmt: skip


def main() -> None:
    """Write COUNT pictures, NUMBER_TEXT.png."""
    count, seed, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    captcha.image.secrets = Seeded(seed)
    texts, generator = random.Random(f"texts {seed}"), captcha.image.ImageCaptcha()
    for number in range(count):
        text = "".join(texts.choices(LETTERS, k=texts.choice(LENGTHS)))
        generator.write(text, str(folder / f"{number:06d}_{text}.png"))


main()
