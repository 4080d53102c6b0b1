"""How to pack pictures in colour: bytes, and the speed of writing and reading, of several layouts and compressors.

    python -m tests.benchmarks.packing [--rounds 3]

Prints the table of docs/format.md: for each kind of picture (n = 1,024, seed 1) bytes a picture, and MB of pixels that
are written and read in a second of processor time on one core; the fastest of the rounds counts.
"""

import argparse
import io
import random
import time
from collections.abc import Callable, Iterator

import numpy as np
from captcha.image import ImageCaptcha
from isal import isal_zlib
from PIL import Image
from zlib_ng import zlib_ng

from storage.shards.shard import BLOCK
from tasks.datasets.recipe import make_recipe, renderer_of
from tasks.profiles.built_in import BUILT_IN

Packer = Callable[[np.ndarray], bytes]
ISAL: Packer = lambda data: isal_zlib.compress(data, 1)  # noqa: E731 - named beside the others
PACKERS: dict[str, Packer] = {
    "isal 0": lambda data: isal_zlib.compress(data, 0),
    "isal 3": lambda data: isal_zlib.compress(data, 3),
    "zlib-ng 1": lambda data: zlib_ng.compress(data, 1),
}


def painted(profile: str, ground: str) -> np.ndarray:
    """A profile's letters in a colour on a ground; (n, H, W, 3) uint8."""
    ink = renderer_of(make_recipe(BUILT_IN[profile], 1)).block(1, 0).images[..., None] / np.float32(255)
    rng = np.random.default_rng(1)
    n, height, width, _ = ink.shape
    y, x = np.mgrid[:height, :width][..., None]
    light = rng.integers(180, 256, (n, 1, 1, 3)).astype(np.float32)
    other = rng.integers(120, 256, (n, 1, 1, 3)).astype(np.float32)
    period = rng.integers(4, 12, (n, 1, 1, 1))
    if ground == "gradient":
        share = (x / width + y / height) / 2
        light = light * (1 - share) + other * share
    elif ground == "grid":
        light = np.where((x % period == 0) | (y % period == 0), other, light)
    elif ground == "texture":
        small = rng.integers(150, 256, (n, 6, 18, 3)).astype(np.uint8)
        size = width, height
        light = np.stack([np.asarray(Image.fromarray(one).resize(size, Image.Resampling.BICUBIC)) for one in small])
    dark = rng.integers(0, 120, (n, 1, 1, 3))
    return np.rint(light * (1 - ink) + dark * ink).astype(np.uint8)


def peppered(images: np.ndarray) -> np.ndarray:
    """3 % of the pixels in any colours."""
    rng, images = np.random.default_rng(1), images.copy()
    some = rng.random(images.shape[:3]) < 0.03
    images[some] = rng.integers(0, 256, (some.sum(), 3))
    return images


def of_captcha() -> np.ndarray:
    """Pictures of the PyPI package `captcha`, by its defaults."""
    random.seed(1)
    drawer, letters = ImageCaptcha(), "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
    drawn = (drawer.generate_image("".join(random.choices(letters, k=4))) for _ in range(BLOCK))
    return np.stack([np.asarray(image.convert("RGB")) for image in drawn])


def as_jpeg(images: np.ndarray) -> np.ndarray:
    """The same after JPEG of quality 85."""
    files = [io.BytesIO() for _ in images]
    for image, file in zip(images, files, strict=True):
        Image.fromarray(image).save(file, "JPEG", quality=85)
    return np.stack([np.asarray(Image.open(file)) for file in files])


def kinds() -> Iterator[tuple[str, np.ndarray]]:
    """Each kind's name and pictures."""
    flat, package = painted("jitter", "flat"), of_captcha()
    yield "letters on a flat ground", flat
    for ground in ("gradient", "grid", "texture"):
        yield f"letters on a {ground}", painted("jitter", ground)
    yield "flat, salt and pepper", peppered(flat)
    yield "lines and specks of `hard`", painted("hard", "flat")
    yield "the `captcha` package", package
    yield "the same as JPEG", as_jpeg(package)


def layouts(images: np.ndarray) -> dict[str, list[np.ndarray]]:
    """The bytes of the chunks of a block, as they are, as planes, and as G, R - G and B - G."""
    green = images[..., 1:2]
    apart = np.concatenate([green, images[..., :1] - green, images[..., 2:] - green], axis=3)
    return {"as they are": [images.reshape(-1)], "planes": planes(images), "differences": planes(apart)}


def planes(images: np.ndarray) -> list[np.ndarray]:
    """Each channel's bytes."""
    return [np.ascontiguousarray(images[..., k]).reshape(-1) for k in range(3)]


def fastest(rounds: int, work: Callable[[], list]) -> tuple[float, list]:
    """Processor seconds of the fastest round, and its result."""
    least = float("inf")
    for _ in range(rounds):
        began = time.process_time()
        made = work()
        least = min(least, time.process_time() - began)
    return least, made


def measured(parts: list[np.ndarray], packer: Packer, rounds: int) -> str:
    """Bytes a picture, MB/s written and read."""
    raw = sum(map(len, parts)) / 1e6
    writing, chunks = fastest(rounds, lambda: [packer(part) for part in parts])
    sizes = [len(part) for part in parts]
    reading, _ = fastest(
        rounds, lambda: [zlib_ng.decompress(c, bufsize=size) for c, size in zip(chunks, sizes, strict=True)]
    )
    return f"{sum(map(len, chunks)) / BLOCK:,.0f} / {raw / writing:,.0f} / {raw / reading:,.0f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.packing")
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    for number, (kind, images) in enumerate(kinds()):
        there = layouts(images)
        cells = {f"{name}, isal 1": measured(parts, ISAL, rounds) for name, parts in there.items()}
        cells |= {name: measured(there["as they are"], packer, rounds) for name, packer in PACKERS.items()}
        if not number:
            print("| pictures | pixels |", " | ".join(cells), "|")
            print("|---" * (len(cells) + 2) + "|")
        print(f"| {kind} | {images[0].nbytes:,} B |", " | ".join(cells.values()), "|", flush=True)


if __name__ == "__main__":
    main()
