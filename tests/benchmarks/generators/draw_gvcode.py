"""Draw labelled pictures with gvcode, four digits, and its defaults: `python draw_gvcode.py COUNT SEED FOLDER`.

It runs in an environment that has the package, and imports nothing of this project.
"""

import random
import sys
from pathlib import Path

from gvcode import VFCode


def main() -> None:
    """Write COUNT pictures, NUMBER_TEXT.png."""
    count, seed, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    random.seed(seed)  # the package draws from the standard library's generator
    for number in range(count):
        captcha = VFCode()
        captcha.generate_digit(4)
        captcha.save(str(folder / f"{number:06d}_{captcha.code}.png"))


main()
