"""Draw labelled pictures with wheezy.captcha, as its documentation shows it: `python draw_wheezy.py COUNT SEED FOLDER`.

It runs in an environment that has the package, and imports nothing of this project.
"""

import random
import sys
from pathlib import Path

from wheezy.captcha.image import background, captcha, curve, noise, offset, rotate, smooth, text, warp

LETTERS, LENGTH = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789", 4
FONTS = Path(__file__).parents[3] / "fonts"  # the package has none
FACES = ("dejavu/DejaVuSans-Bold.ttf", "caladea/Caladea-Bold.ttf", "tuffy/Tuffy_Bold.ttf")


def main() -> None:
    """Write COUNT pictures, NUMBER_TEXT.png."""
    count, seed, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    random.seed(seed)  # the package draws from the standard library's generator
    faces = [str(FONTS / face) for face in FACES]
    draw = captcha([background(), text(fonts=faces, drawings=[warp(), rotate(), offset()]), curve(), noise(), smooth()])
    for number in range(count):
        letters = random.choices(LETTERS, k=LENGTH)
        draw(letters).save(folder / f"{number:06d}_{''.join(letters)}.png")


main()
