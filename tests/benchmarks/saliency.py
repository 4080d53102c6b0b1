"""Where the deep reader looks: cover parts of pictures, and show how much less it believes what it read.

    python -m tests.benchmarks.saliency [PICTURE ...] [--draw hard wild] [--each 4] [--model strangers] [--out FILE]

Each picture, as the network takes it, stands above itself with a tint: the darker, the less probable the text that was
read becomes where a square is covered with the picture's ground. Where nothing is tinted, the answer does not depend on
it. A file's text is the part of its name before the first underscore or after the last dash, if it has that.
"""

import argparse
from pathlib import Path

import numpy as np

from flows.home import model_file
from storage.deep_models import load_deep_model
from storage.files import atomic
from tasks.datasets.samples import first_pictures
from tasks.deep.deep_reader import DeepReader
from tasks.explaining.deep_saliency import as_taken, saliency, tinted
from tasks.figures.contact_sheet import mixed_sheet
from tasks.loading.seen_batches import load_seen_batch
from tasks.profiles.built_in import find_profile

SEED = 5


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
        seen, size = picture[None], np.array([picture.shape[:2]], np.int64)
        said, (_, taken) = str(reader.read(seen, (), size).reading[0]), as_taken(reader, seen, size)
        normal = np.ascontiguousarray(taken.transpose(1, 2, 0))
        gap = np.full((3, normal.shape[1], 3), 255, np.uint8)
        images.append(np.concatenate([normal, gap, tinted(normal, saliency(reader, taken, said))]))
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
