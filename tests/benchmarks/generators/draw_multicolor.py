"""Draw labelled pictures with multicolorcaptcha and its defaults: `python draw_multicolor.py COUNT SEED FOLDER`.

It runs in an environment that has the package, and imports nothing of this project.
"""

import random
import sys
from pathlib import Path

from multicolorcaptcha import CaptchaGenerator


def main() -> None:
    """Write COUNT pictures, NUMBER_TEXT.png."""
    count, seed, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    random.seed(seed)  # the package draws from the standard library's generator
    generator = CaptchaGenerator()
    for number in range(count):
        drawn = generator.gen_captcha_image()
        drawn.image.convert("RGB").save(folder / f"{number:06d}_{drawn.characters}.png")


main()
