"""Set the pictures of other generators beside ours, and read theirs with a reader that learnt from ours alone.

    python -m tests.benchmarks.look_alikes sheets [NAME ...] [--out docs/look-alikes]
    python -m tests.benchmarks.look_alikes beside FOLDER PROFILE --out FILE     # the same of any pictures
    python -m tests.benchmarks.look_alikes rates [NAME ...] [--drawn 20000] [--count 2000] [--seed 1]
    python -m tests.benchmarks.look_alikes faces                                # a sheet of the bundled faces
    python -m tests.benchmarks.look_alikes shipped [NAME ...] [--count 2000]    # the models of the package read theirs
    python -m tests.benchmarks.look_alikes together [NAME ...] [--count 500]    # nothing told: alone, and together

Their pictures are those of `tests.benchmarks.others`, seed 2. Ours are of the profile `like-NAME`, whose fields were
set by the packages' documentation and source, and by eye on pictures of seed 1.
"""

import argparse
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from flows.home import home
from storage.files import atomic
from storage.models import load_model, model_digest
from tasks.datasets.samples import first_pictures
from tasks.loading.colour_ink import to_ink
from tasks.profiles.built_in import find_profile
from tasks.profiles.fonts import bundled, find_face
from tasks.rates import Rate
from tasks.readers import AnyReader, load_both, load_reader
from tasks.reading.reader import Reader
from tasks.scoring.metrics import calibration_error
from tasks.shipped import SHIPPED, STRANGERS
from tasks.solving.alike.second_reading import letters_of, limits, read_alike
from tasks.solving.picture_reader import open_reader
from tests.benchmarks.others import GENERATORS, IMITATED, NotInstalled, write_others

MODELS = {"ladder": SHIPPED, "strangers": STRANGERS}
AUTO = "auto"
SEED = 2  # of their pictures
ACROSS, GAP, HEAD = 1000, 8, 26  # pixels of a sheet: its width, between pictures, of a heading
BATCH = 250  # pictures that are read together
SHOWN = 12  # pictures of each kind
FACES_ACROSS, FACE_HIGH, SAMPLE = 4, 50, "AaBbGgRr 01278"
MOST_WIDE = 236  # pixels of a picture on a sheet; larger ones are shrunk


def sheet(theirs: list[Image.Image], ours: list[Image.Image], names: tuple[str, str]) -> bytes:
    """Draw two columns of pictures, theirs and ours, as a PNG at most `ACROSS` pixels wide."""
    columns = [[_sized(picture, max(p.width for p in pictures)) for picture in pictures] for pictures in (theirs, ours)]
    wide, high = (max(getattr(p, side) for column in columns for p in column) for side in ("width", "height"))
    each = max(1, ((ACROSS - GAP) // 2 - GAP) // (wide + GAP))
    half, rows = each * (wide + GAP) + GAP, -(-max(map(len, columns)) // each)
    page = Image.new("RGB", (2 * half + GAP, HEAD + rows * (high + GAP) + GAP), "white")
    pen = ImageDraw.Draw(page)
    for side, (name, column) in enumerate(zip(names, columns, strict=True)):
        left = side * (half + GAP)
        pen.text((left + GAP, 6), name, "#222222", ImageFont.load_default(size=13))
        for k, picture in enumerate(column):
            x, y = left + GAP + k % each * (wide + GAP), HEAD + k // each * (high + GAP)
            pen.rectangle((x - 1, y - 1, x + picture.width, y + picture.height), outline="#dddddd")
            page.paste(picture, (x, y))
    file = io.BytesIO()
    page.save(file, "PNG", optimize=True)
    return file.getvalue()


def _sized(picture: Image.Image, widest: int) -> Image.Image:
    """Enlarge a picture by a whole number, or shrink it, so that the widest of its kind is up to `MOST_WIDE` wide."""
    zoom = MOST_WIDE / widest if widest > MOST_WIDE else float(MOST_WIDE // widest)
    how = Image.Resampling.LANCZOS if zoom < 1 else Image.Resampling.NEAREST
    return picture.resize((round(picture.width * zoom), round(picture.height * zoom)), how)


def drawn(profile: str, count: int, seed: int = 1) -> list[Image.Image]:
    """Draw our pictures of a profile."""
    block = first_pictures(find_profile(profile), seed, count)
    sizes = zip(block.parameters["height"].tolist(), block.parameters["width"].tolist(), strict=True)
    images = block.images if block.images.ndim == 4 else 255 - block.images
    return [
        Image.fromarray(image[:high, :wide]).convert("RGB") for image, (high, wide) in zip(images, sizes, strict=True)
    ]


def write_beside(folder: Path, profile: str, heading: str, out: Path) -> None:
    """Write a sheet of the first pictures of a folder beside ours."""
    theirs = [Image.open(path).convert("RGB") for path in sorted(folder.iterdir())[:SHOWN]]
    atomic.replace(out, sheet(theirs, drawn(profile, SHOWN), (heading, f"captchas preview {Path(profile).name}")))
    print(out)


def write_sheets(names: list[str], out: Path) -> None:
    """Write a sheet for each generator; it is named for it."""
    for name in names:
        folder = write_others(name, home() / "samples" / "others", max(SHOWN, 20), SEED)
        package = GENERATORS[name].package.rpartition("-")
        write_beside(folder, f"like-{name}", f"{package[0]} {package[2]}", out / f"{name}.png")


def write_faces(out: Path) -> None:
    """Write a sheet of the bundled faces: the name of each, and some letters in it."""
    faces = sorted(bundled())
    rows = -(-len(faces) // FACES_ACROSS)
    page = Image.new("RGB", (ACROSS, rows * FACE_HIGH), "white")
    pen, small = ImageDraw.Draw(page), ImageFont.load_default(size=11)
    for k, name in enumerate(faces):
        x, y = k // rows * (ACROSS // FACES_ACROSS) + GAP, k % rows * FACE_HIGH
        pen.text((x, y + 2), name, "#666666", small)
        pen.text((x, y + 40), SAMPLE, "black", ImageFont.truetype(str(find_face(name).path), 22), anchor="ls")
    file = io.BytesIO()
    page.quantize(64).save(file, "PNG", optimize=True)
    atomic.replace(out, file.getvalue())


def captchas(*arguments: object) -> None:
    """Run a command; it must succeed, and what it prints is only shown if it does not."""
    run = subprocess.run(
        [sys.executable, "-m", "flows", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    if run.returncode:
        raise SystemExit(f"captchas {' '.join(map(str, arguments))}: {run.stdout}{run.stderr}")


def read_shipped(reads_with: str, folder: Path, length: tuple[int, int]) -> tuple[Rate, Rate, float]:
    """Read a folder of NUMBER_TEXT.png as `captchas solve --dictionary none --length` does.

    Parameters
    ----------
    reads_with : str
        A name in `MODELS`, or `AUTO` for both, which is the default of `captchas solve`.

    Returns
    -------
    tuple of Rate, Rate, float
        Words right, case folded and exact; the calibration error of the confidence in exact answers.
    """
    paths = sorted(folder.iterdir())
    models = [(str(model), model_digest(model)) for model in MODELS.values()]

    def opened(alphabet: str | None, length: tuple[int, int]) -> AnyReader:
        if reads_with == AUTO:
            return load_both(*models, (), None, alphabet, length)
        return load_reader(*models[[*MODELS].index(reads_with)], (), None, alphabet, length)

    reader = opened(None, length)
    known = letters_of(reader)
    groups, failures, _ = read_alike(
        reader, lambda common: opened(*limits(common, known)), paths, lambda path, *_: path.read_bytes(), {}
    )
    if failures:
        raise SystemExit(f"{folder}: {failures[0][1]}")
    texts = np.array([path.stem.partition("_")[2] for path in paths])
    words, sure = np.zeros(len(paths), f"U{length[1]}"), np.zeros(len(paths))
    for rows, readings in groups:
        words[rows], sure[rows] = readings.words[:, 0], readings.confidences[:, 0]
    folded, exact = np.char.lower(words) == np.char.lower(texts), words == texts
    return Rate.of(folded), Rate.of(exact), calibration_error(sure, exact)


def drawn_by(names: list[str], count: int) -> Iterator[tuple[str, Path]]:
    """Yield each generator that is installed, with the folder of its pictures; say which are left out."""
    for name in names:
        try:
            yield name, write_others(name, home() / "samples" / "others", count, SEED)
        except NotInstalled as error:
            print(f"left out: {error}", file=sys.stderr)


def print_shipped(names: list[str], count: int) -> None:
    """Print how the models of the package read each generator's pictures."""
    print("| generator | model | words right, case folded | exact | calibration error |\n|---|---|---|---|---|")
    for name, theirs in drawn_by(names, count):
        for reads_with in (*MODELS, AUTO):
            folded, exact, error = read_shipped(reads_with, theirs, GENERATORS[name].length)
            print(f"| {name} | {reads_with} | {folded} | {exact} | {100 * error:.1f} % |", flush=True)


def print_together(names: list[str], count: int) -> None:
    """Print how many texts `captchas solve` reads where nothing is told, each picture alone and all together."""
    print("| generator | alone | together | mended | spoilt | calibration error |\n|---|---|---|---|---|---|")
    for name, theirs in drawn_by(names, count):
        paths = sorted(theirs.iterdir())
        texts = np.array([path.stem.partition("_")[2] for path in paths])
        right, errors = [], []
        for independent in (True, False):
            answers = open_reader(independent=independent).read(paths)
            words = np.array([answer.word for answer in answers])
            sure = np.array([answer.confidence or 0 for answer in answers])
            right.append(np.char.lower(words) == np.char.lower(texts))
            errors.append(f"{100 * calibration_error(sure, words == texts):.1f}")
        alone, together = right
        mended, spoilt = int((together & ~alone).sum()), int((alone & ~together).sum())
        rates = f"{Rate.of(alone)} | {Rate.of(together)}"
        print(f"| {name} | {rates} | {mended} | {spoilt} | {' -> '.join(errors)} % |", flush=True)


def read(model: Path, folder: Path, length: tuple[int, int]) -> tuple[Rate, Rate]:
    """Read a folder of NUMBER_TEXT.png with no dictionary; return the words right, case folded and exact."""
    networks, record = load_model(model)
    reader, paths = Reader(networks, record, length=length), sorted(folder.iterdir())
    texts = np.array([path.stem.partition("_")[2] for path in paths])
    pictures = [np.asarray(Image.open(path).convert("RGB")) for path in paths]
    readings = np.zeros(len(paths), f"U{length[1]}")
    for shape in {picture.shape for picture in pictures}:
        rows = [k for k, picture in enumerate(pictures) if picture.shape == shape]
        for first in range(0, len(rows), BATCH):
            some = rows[first : first + BATCH]
            readings[some] = reader.read(to_ink(np.stack([pictures[k] for k in some]))).reading
    return Rate.of(np.char.lower(readings) == np.char.lower(texts)), Rate.of(readings == texts)


def rates_of(name: str, counts: tuple[int, int], seed: int, folder: Path) -> tuple[str, ...]:
    """Draw and train, unless the home in `folder` has such a model, and read; return the columns of a line."""
    theirs, model = write_others(name, home() / "samples" / "others", counts[1], SEED), f"like-{name}.skops"
    if not (folder / "models" / model).exists():
        captchas("generate", f"like-{name}", "--count", counts[0], "--seed", seed, "--home", folder)
        captchas("train", f"like-{name}", "--home", folder)
    folded, exact = read(folder / "models" / model, theirs, GENERATORS[name].length)
    return name, str(folded), str(exact)


def main() -> int:
    """Write sheets or print rates; leave out what is not installed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.look_alikes")
    parser.add_argument("what", choices=("sheets", "beside", "faces", "rates", "shipped", "together"))
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(GENERATORS)}; by default all that fit")
    parser.add_argument("--drawn", type=int, default=20_000, help="of our pictures, to learn from")
    parser.add_argument("--count", type=int, help="of theirs, to read; by default 2000, and 500 together")
    parser.add_argument("--seed", type=int, default=1, help="of ours")
    parser.add_argument("--out", type=Path, default=Path("docs") / "look-alikes")
    options = parser.parse_args()
    if options.what == "beside":
        write_beside(Path(options.names[0]), options.names[1], options.names[0], options.out)
        return 0
    if options.what == "faces":
        write_faces(options.out / "faces.png")
        return 0
    names = options.names or list(GENERATORS if options.what in ("shipped", "together") else IMITATED)
    if options.what == "sheets":
        write_sheets(names, options.out)
        return 0
    if options.what == "shipped":
        print_shipped(names, options.count or 2000)
        return 0
    if options.what == "together":
        print_together(names, options.count or 500)
        return 0
    print("| generator | words right, case folded | exact |\n|---|---|---|", flush=True)
    for name in names:
        try:
            line = rates_of(
                name, (options.drawn, options.count or 2000), options.seed, home() / "samples" / "look-alikes"
            )
        except NotInstalled as error:
            print(f"left out: {error}", file=sys.stderr)
        else:
            print(f"| {' | '.join(line)} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
