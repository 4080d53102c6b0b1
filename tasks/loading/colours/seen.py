"""Pictures as people see them: in sRGB, on a ground if they are transparent; and whether they have a colour."""

import numpy as np

from tasks.loading.colours.brightness import luma
from tasks.loading.polarity import background
from tasks.loading.safe_read import BadPicture

# Levels between the channels of a pixel that has a colour. Grey pictures saved as JPEG have 0, as WebP 1; a ground that
# is 3 levels yellow has up to 14 after WebP of any quality. Paper that is not quite white (#f0f8ff) has 15.
TINT = 16
LIGHT = 127  # of 255: ink that is lighter cannot be seen well on white
EDGES = 0.05  # of the opaque pixels: as many may be darker, as edges of letters are


def as_seen(pixels: np.ndarray) -> np.ndarray:
    """Return a picture as people see it: (h, w), (h, w, 3) or (h, w, 4) -> (h, w, 3) uint8.

    A transparent picture is laid on white, as in a browser; on black if all its ink is light, as on a dark page. What
    covers most of a picture is no ink but a card with margins around it.

    Raises
    ------
    BadPicture
        Every pixel is transparent.
    """
    if pixels.ndim == 2:
        return np.repeat(pixels[..., None], 3, axis=2)
    if pixels.shape[2] == 3:
        return pixels
    colour, alpha = pixels[..., :3], pixels[..., 3]
    most = int(alpha.max())
    if most == 0:
        raise BadPicture("blank: every pixel is transparent")
    if alpha.min() == 255:
        return np.ascontiguousarray(colour)
    drawn = alpha >= (most + 1) // 2
    light = 2 * np.count_nonzero(drawn) < drawn.size and np.quantile(luma(colour)[drawn], EDGES) > LIGHT
    return _laid(colour, alpha, np.int32(0 if light else 255))


def ground_colour(seen: np.ndarray) -> np.ndarray:
    """Return the colour of a picture's ground, (h, w, 3) -> (3,) uint8."""
    return np.array([background(np.ascontiguousarray(seen[..., k])) for k in range(3)], np.uint8)


def is_coloured(seen: np.ndarray) -> bool:
    """Tell whether a picture, (h, w, 3) uint8, has a colour that lossy files of grey pictures have not."""
    red, green, blue = (seen[..., k] for k in range(3))
    apart = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    return int(apart.max()) > TINT


def _laid(colour: np.ndarray, alpha: np.ndarray, ground: np.ndarray | np.int32) -> np.ndarray:
    """Lay a picture on a ground of a single colour or grey level."""
    cover = alpha[..., None].astype(np.int32)
    whole: np.ndarray = ((colour * cover + ground * (255 - cover) + 127) // 255).astype(np.uint8)
    return whole
