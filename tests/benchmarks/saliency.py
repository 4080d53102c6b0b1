"""Where the deep reader looks: cover parts of pictures, and show how much less it believes what it read.

    python -m tests.benchmarks.saliency [PICTURE ...] [--draw hard wild] [--each 4] [--model strangers] [--out FILE]

Each picture stands above itself with a tint: the darker, the less probable the text that was read becomes where a
square is covered with the picture's ground. Where nothing is tinted, the answer does not depend on it. A file's text is
the part of its name before the first underscore or after the last dash, if it has that.
"""

import argparse
from pathlib import Path

import numpy as np

from flows.home import model_file
from storage.deep_models import load_deep_model
from storage.files import atomic
from tasks.datasets.samples import first_pictures
from tasks.deep.decoding import column_shares, text_probability
from tasks.deep.deep_reader import DeepReader
from tasks.figures.contact_sheet import mixed_sheet
from tasks.loading.seen_batches import load_seen_batch
from tasks.profiles.built_in import find_profile

SIDE = 0.22  # of the picture's height: the side of a square that is covered
ACROSS = 40  # places of a square along a picture at most
_WARM = np.array([213, 94, 0], float)  # vermilion, which people with any colour vision see
_STRONGEST = 0.8  # of the tint
SEED = 5


def covered(picture: np.ndarray) -> tuple[np.ndarray, list[tuple[slice, slice]]]:
    """Cover one square after the other with the picture's median colour.

    Parameters
    ----------
    picture : (h, w, 3) uint8

    Returns
    -------
    pictures : (1 + n, h, w, 3) uint8
        The picture itself comes first.
    places : list of n (slice, slice)
    """
    height, width = picture.shape[:2]
    side = max(3, round(SIDE * height))
    step = max(1, side // 3, width // ACROSS)
    places = [
        (slice(max(0, y), y + side), slice(max(0, x), x + side))
        for y in range(step - side, height, step)
        for x in range(step - side, width, step)
    ]
    ground = np.median(picture.reshape(-1, 3), axis=0).astype(np.uint8)
    pictures = np.repeat(picture[None], len(places) + 1, axis=0)
    for image, place in zip(pictures[1:], places, strict=True):
        image[place] = ground
    return pictures, places


def saliency(reader: DeepReader, picture: np.ndarray) -> tuple[str, np.ndarray]:
    """Return what is read, and how much of its probability is lost where a pixel is covered, (h, w) of 0 to 1."""
    pictures, places = covered(picture)
    sizes = np.tile(np.array(picture.shape[:2], np.int64), (len(pictures), 1))
    said = str(reader.read(pictures[:1]).reading[0])
    alphabet = reader.session.alphabet
    letters = np.array([alphabet.index(letter) for letter in said], np.int16)
    parts = [reader.look(pictures[k : k + 256], sizes[k : k + 256]).scores for k in range(0, len(pictures), 256)]
    memory = np.empty(2 * len(letters) + 1)
    believed = np.array([
        text_probability(shares, letters, memory)
        for scores in parts
        for shares in column_shares(scores, np.arange(len(alphabet)))[0]
    ])  # fmt: skip
    lost, times = np.zeros(picture.shape[:2]), np.zeros(picture.shape[:2])
    for share, place in zip(believed[1:] / max(believed[0], 1e-12), places, strict=True):
        lost[place] += 1 - min(share, 1.0)
        times[place] += 1
    return said, lost / np.maximum(times, 1)


def tinted(picture: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Return a fainter picture with a tint where it matters."""
    faint = 255 - (255 - picture.astype(float)) * 0.45
    share = _STRONGEST * heat[..., None]
    mixed: np.ndarray = (faint * (1 - share) + _WARM * share).astype(np.uint8)
    return mixed


def drawn(profile: str, count: int) -> list[tuple[np.ndarray, str]]:
    """Draw pictures of a profile as they are seen, with their texts."""
    block = first_pictures(find_profile(profile), SEED, count)
    sizes = zip(block.parameters["height"].tolist(), block.parameters["width"].tolist(), strict=True)
    pictures = block.images if block.images.ndim == 4 else np.repeat(255 - block.images[..., None], 3, axis=3)
    return [(image[:h, :w], text) for image, (h, w), text in zip(pictures, sizes, block.texts(), strict=True)]


def from_files(files: list[Path]) -> list[tuple[np.ndarray, str]]:
    """Read pictures as they are seen, with the texts of their names."""
    groups, failures = load_seen_batch(files, Path.read_bytes, {})
    if failures:
        raise SystemExit(f"{files[failures[0][0]]}: {failures[0][1]}")
    found: dict[int, np.ndarray] = {}
    for group in groups:
        for index, image, (h, w) in zip(group.indices.tolist(), group.images, group.sizes.tolist(), strict=True):
            seen = image[:h, :w]
            found[index] = seen if seen.ndim == 3 else np.repeat(255 - seen[..., None], 3, axis=2)
    return [(found[k], _text_of(file.stem)) for k, file in enumerate(files)]


def _text_of(stem: str) -> str:
    before, underscore, _ = stem.partition("_")
    _, dash, after = stem.rpartition("-")
    return before if underscore else after if dash else ""


def sheet(reader: DeepReader, pictures: list[tuple[np.ndarray, str]]) -> bytes:
    """Draw each picture above its tint, with what was read and its text."""
    images, captions = [], []
    for picture, text in pictures:
        said, heat = saliency(reader, picture)
        gap = np.full((3, picture.shape[1], 3), 255, np.uint8)
        images.append(np.concatenate([picture, gap, tinted(picture, heat)]))
        wrong = "" if text in ("", said) else f", is {text}"
        captions.append(f"read {said or '-'}{wrong}")
    return mixed_sheet(images, captions)


def main() -> None:
    """Write the figure."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.saliency", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("pictures", type=Path, nargs="*")
    parser.add_argument("--draw", nargs="+", default=[], help="profiles")
    parser.add_argument("--each", type=int, default=4, help="pictures of a profile")
    parser.add_argument("--model", default="strangers")
    parser.add_argument("--out", type=Path, default=Path("docs/saliency.png"))
    given = parser.parse_args()
    reader = DeepReader(load_deep_model(model_file(given.model)))
    pictures = from_files(given.pictures) + [pair for name in given.draw for pair in drawn(name, given.each)]
    atomic.replace(given.out, sheet(reader, pictures or drawn("hard", given.each)))


if __name__ == "__main__":
    main()
