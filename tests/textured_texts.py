"""Draw letters in or on a texture that is finer than their strokes: chalk, grain, dots, stripes."""

from collections.abc import Callable

import numpy as np
from PIL import Image

from tests.scattered_texts import laid_out
from tests.strangers import Colour, Kind, Plate, png

Texture = Callable[[np.random.Generator, np.ndarray], np.ndarray]  # how much of the ink each pixel of letters gets
DARK: tuple[Colour, ...] = ((20, 20, 20), (20, 40, 120), (130, 20, 30), (10, 80, 40))
LIGHT: tuple[Colour, ...] = ((255, 255, 255), (245, 238, 215), (215, 230, 250))


def _chalk(chance: np.random.Generator, ink: np.ndarray) -> np.ndarray:
    """Grain that leaves much of the letters out, and dust around them."""
    grain = chance.random(ink.shape)
    dust = chance.uniform(0.3, 0.8) * (chance.random(ink.shape) > 0.9)
    return np.maximum(ink * (grain > chance.uniform(0.5, 0.7)) * chance.uniform(0.5, 1, ink.shape), dust)


def _grain(chance: np.random.Generator, ink: np.ndarray) -> np.ndarray:
    return ink + chance.normal(0, chance.uniform(0.6, 0.9), ink.shape)


def _dotted(chance: np.random.Generator, ink: np.ndarray) -> np.ndarray:
    """Dots of 1 to 2 pixels, as dark as letters and as light as the ground, everywhere."""
    found = ink.copy()
    high, wide = ink.shape
    for _ in range(int(chance.uniform(0.12, 0.2) * ink.size)):
        y, x, side = chance.integers(high), chance.integers(wide), chance.integers(1, 3)
        found[y : y + side, x : x + side] = chance.integers(2)
    return found


def _sown(chance: np.random.Generator, ink: np.ndarray) -> np.ndarray:
    """Random dots, dense in letters and sparse around them."""
    return np.where(chance.random(ink.shape) < 0.15 + chance.uniform(0.3, 0.5) * ink, 1.0, 0.0)


def _striped(chance: np.random.Generator, ink: np.ndarray) -> np.ndarray:
    """Letters of thin slanting stripes."""
    y, x = np.indices(ink.shape)
    slant, step = chance.uniform(-1.5, 1.5), chance.uniform(3.5, 5)
    return ink * (((x + slant * y) % (step * np.hypot(1, slant))) < 0.5 * step * np.hypot(1, slant))


def _crossed(chance: np.random.Generator, ink: np.ndarray) -> np.ndarray:
    """Letters and ground of thin stripes that lean to opposite sides."""
    y, x = np.indices(ink.shape)
    step = chance.uniform(4, 6)
    one, other = ((x + k * y) % step < s * step for k, s in ((1, 0.65), (-1, 0.25)))
    return np.where(ink > 0.5, one, other).astype(float)


def _textured(texture: Texture, light: bool = False, small: bool = False) -> Kind:
    """Mix an ink and a ground as a texture tells; `light` letters on dark, or the reverse."""

    def make(plate: Plate) -> bytes:
        chance = np.random.default_rng(plate.chance.getrandbits(32))
        inks, grounds = (LIGHT, DARK) if light else (DARK, LIGHT)
        ink, ground = (np.array(plate.chance.choice(colours), float) for colours in (inks, grounds))
        share = np.clip(texture(chance, np.asarray(plate.mask, np.float64) / 255), 0, 1)[:, :, None]
        return png(Image.fromarray((ground + share * (ink - ground)).astype(np.uint8)))

    return laid_out(make, (130, 44), 26, 4) if small else laid_out(make, (200, 64), 38, 5)


TEXTURES = {
    "chalk": _chalk, "grain": _grain, "dotted": _dotted, "sown": _sown, "striped": _striped, "crossed": _crossed,
}  # fmt: skip
TEXTURED = {
    f"{name}{'-small' * small}": _textured(texture, name == "chalk", small)
    for small in (False, True)
    for name, texture in TEXTURES.items()
}
