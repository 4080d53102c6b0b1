"""Draw labelled pictures with captchagen and all that it can do: `python draw_captchagen.py COUNT SEED FOLDER`.

It runs in an environment that has the package, and imports nothing of this project.
"""

import random
import shutil
import sys
import tempfile
from pathlib import Path

from CaptchaGen.CaptchaGen import CaptchaConfig, CaptchaGenerator

FONTS = Path(__file__).parents[3] / "fonts"  # the package has none
FACES = (
    "dejavu/DejaVuSans-Bold.ttf",
    "caladea/Caladea-Bold.ttf",
    "tuffy/Tuffy_Bold.ttf",
    "manrope/Manrope-ExtraBold.ttf",
)


def main() -> None:
    """Write COUNT pictures, NUMBER_TEXT.png."""
    count, seed, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    random.seed(seed)  # the package draws from the standard library's generator
    with tempfile.TemporaryDirectory() as faces:
        for face in FACES:
            shutil.copy(FONTS / face, faces)
        generator = CaptchaGenerator(faces, CaptchaConfig(rotate=True, noise=True, random_color=True))
        generator.fonts.sort()  # as a folder lists them
        for number in range(count):
            picture, text = generator.generate()
            picture.save(folder / f"{number:06d}_{text}.png")


main()
