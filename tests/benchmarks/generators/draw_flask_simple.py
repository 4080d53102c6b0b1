"""Draw labelled pictures with flask-simple-captcha and its defaults: `python draw_flask_simple.py COUNT SEED FOLDER`.

It runs in an environment that has the package, and imports nothing of this project.
"""

import base64
import io
import random
import sys
from pathlib import Path

from flask_simple_captcha import CAPTCHA
from flask_simple_captcha import captcha_generation as package
from flask_simple_captcha.config import DEFAULT_CONFIG
from PIL import Image

LETTERS, LENGTH = "ABCDEFGHJKLMNPQRSTUVWXYZ", 6  # the package's defaults; it keeps them in a set, in any order


def main() -> None:
    """Write COUNT pictures, NUMBER_TEXT.png."""
    count, seed, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    random.seed(seed)  # the package draws from the standard library's generator
    captcha = CAPTCHA(DEFAULT_CONFIG | {"SECRET_CAPTCHA_KEY": 32 * "k"})
    for number in range(count):
        text = "".join(random.choices(LETTERS, k=LENGTH))
        package.gen_captcha_text = lambda *_, text=text, **__: text
        packed = captcha.create()["img"].rpartition("base64,")[2].partition('"')[0]
        picture = Image.open(io.BytesIO(base64.b64decode(packed)))  # a JPEG
        picture.save(folder / f"{number:06d}_{text}.png")


main()
