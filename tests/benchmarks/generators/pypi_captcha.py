"""The PyPI package `captcha` as owners call it, with its defaults and three other settings: callables for an audit.

captchas audit tests.benchmarks.generators.pypi_captcha:default --alphabet ... --length 4-5
"""

from collections.abc import Sequence
from typing import Any

import captcha.image
import numpy as np
from PIL import Image


class Seeded:
    """The functions of the standard library's `secrets` that the package calls, from a generator."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng

    def randbelow(self, stop: int) -> int:
        """Return an integer from 0 to below `stop`."""
        return int(self._rng.integers(stop))

    def randbits(self, bits: int) -> int:
        """Return an integer of so many bits."""
        return int(self._rng.integers(1 << bits))

    def choice(self, values: Sequence[Any]) -> Any:
        """Return one of the values."""
        return values[self.randbelow(len(values))]


def _drawn(text: str, rng: np.random.Generator, **settings: Any) -> Image.Image:
    captcha.image.secrets = Seeded(rng)
    image = captcha.image.ImageCaptcha()
    for name, value in settings.items():
        setattr(image, name, value)
    return image.generate_image(text)


def default(text: str, rng: np.random.Generator) -> Image.Image:
    """Draw with the defaults."""
    return _drawn(text, rng)


def calm(text: str, rng: np.random.Generator) -> Image.Image:
    """Draw letters upright and hardly bent."""
    return _drawn(text, rng, character_rotate=(-2, 2), character_warp_dx=(0.02, 0.05), character_warp_dy=(0.02, 0.05))


def wild(text: str, rng: np.random.Generator) -> Image.Image:
    """Draw letters turned and bent twice as far."""
    return _drawn(text, rng, character_rotate=(-60, 60), character_warp_dx=(0.2, 0.5), character_warp_dy=(0.3, 0.5))


def narrow(text: str, rng: np.random.Generator) -> Image.Image:
    """Draw letters further over each other, without spaces."""
    return _drawn(text, rng, word_space_probability=0.0, word_offset_dx=0.4)
