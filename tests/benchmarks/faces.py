"""Choose among font files the faces that a reader of strangers' pictures learns from.

    xargs apt-get download < tests/benchmarks/faces.txt && for file in *.deb; do dpkg-deb -x "$file" faces; done
    python -m tests.benchmarks.faces faces /usr/share/fonts --learnt learnt.txt --kept kept.txt

A face is taken if it has all of A-Z, a-z and 0-9, if no face that was taken before draws nearly the same letters, and
if the shipped model reads some of its letters: what it reads nothing of are ornaments and codes, seldom letters. One
family in eight is kept back, for the confidence of the model and for trials: the second file has those. Each file has
the path of a font file a line.
"""

import argparse
import hashlib
import string
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from storage.deep_models import load_deep_model
from storage.errors import CaptchasError
from tasks.deep.deep_reader import DeepReader
from tasks.profiles.fonts import Face, find_face, require_characters
from tasks.profiles.glyphs import draw_glyphs
from tasks.profiles.profile import Ink
from tasks.shipped import STRANGERS

LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits
SIZE = 20  # rows and columns that letters are compared at
ALIKE = 0.86  # of the ink that two faces have in common
LEGIBLE = 0.27  # of the letters that the model reads
WORD = 5
KEPT_BACK = 8  # one family in so many
FAMILY = 5  # letters of a file's name that tell its family
NO_LATIN = ("symbol", "ellenita", "d0500", "dingbat", "math")  # their letters are Greek letters and ornaments


def forms(face: Face) -> np.ndarray | None:
    """Return the letters of a face at one size, (62 * 20 * 20,) bool; None if it lacks some, or draws most alike."""
    try:
        require_characters(face, LETTERS)
        glyphs = draw_glyphs(face, 2 * SIZE, LETTERS, Ink.GREY, alone=True)
    except (CaptchasError, OSError, IndexError, ValueError):  # such a face is passed over, whatever is wrong with it
        return None
    if len(glyphs.bitmaps) < len(LETTERS) // 2:
        return None
    drawn = [Image.fromarray(glyphs.bitmaps[number]) for number in glyphs.variant[-1].tolist()]
    return np.concatenate(
        [np.asarray(image.resize((SIZE, SIZE), Image.Resampling.BOX)).ravel() > 100 for image in drawn]
    )


def legible(face: Face, reader: DeepReader, words: Sequence[str]) -> float:
    """Return the share of the letters of clean words that a reader reads, either case."""
    path, number = face.file
    font = ImageFont.truetype(path, 36, index=number, layout_engine=ImageFont.Layout.BASIC)
    images = []
    for word in words:
        image = Image.new("L", (260, 70))
        pen, left = ImageDraw.Draw(image), 10.0
        for letter in word:
            pen.text((left, 12), letter, 255, font=font)
            left += font.getlength(letter) + 2
        images.append(np.asarray(image))
    found = reader.read(np.stack(images)).reading.tolist()
    pairs = [
        (a, b)
        for word, text in zip(found, words, strict=True)
        for a, b in zip(word.lower(), text.lower(), strict=False)
    ]
    return sum(a == b for a, b in pairs) / (len(words) * WORD)


def kept_back(path: str) -> bool:
    """Tell whether a font file's family is kept back."""
    family = Path(path).name.lower()[:FAMILY]
    return int(hashlib.sha256(family.encode()).hexdigest(), 16) % KEPT_BACK == 0


def choose(files: Sequence[Path]) -> list[str]:
    """Return the paths of the faces that are taken, in the order of their files' names."""
    order = np.random.Generator(np.random.Philox(5)).permutation(list(LETTERS + LETTERS[: -len(LETTERS) % WORD]))
    words = ["".join(order[k : k + WORD]) for k in range(0, len(order), WORD)]
    reader = DeepReader(load_deep_model(STRANGERS), length=(WORD, WORD))
    taken: list[str] = []
    known = np.empty((0, len(LETTERS) * SIZE * SIZE), bool)
    for file in sorted({file.name: file for file in files}.values(), key=lambda file: file.name):
        if any(part in file.name.lower() for part in NO_LATIN):
            continue
        try:
            face = find_face(str(file))
        except CaptchasError:
            continue
        own = forms(face)
        if own is None:
            continue
        common = (known & own).sum(axis=1) / np.maximum((known | own).sum(axis=1), 1)
        if (len(known) and common.max() > ALIKE) or legible(face, reader, words) < LEGIBLE:
            continue
        known = np.vstack([known, own])
        taken.append(str(file))
    return taken


def main() -> None:
    """Write the two lists."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.faces")
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--learnt", type=Path, default=Path("learnt.txt"))
    parser.add_argument("--kept", type=Path, default=Path("kept.txt"))
    options = parser.parse_args()
    files = [
        file for folder in options.folders for file in folder.rglob("*") if file.suffix.lower() in (".ttf", ".otf")
    ]
    taken = choose(files)
    for path, wanted in ((options.learnt, False), (options.kept, True)):
        path.write_text("".join(f"{file}\n" for file in taken if kept_back(file) is wanted))
    print(f"{len(files):,} files, {len(taken):,} faces; kept back {sum(map(kept_back, taken)):,}")


if __name__ == "__main__":
    main()
