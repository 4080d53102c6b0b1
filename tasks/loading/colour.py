"""Pictures in colours: as a browser shows them, (h, w, 3) uint8, or as levels of grey, (h, w) uint8."""

import numpy as np

from tasks.loading.polarity import background
from tasks.loading.safe_read import BadPicture

_LUMA = (19595, 38470, 7471)  # ITU-R 601 in 1/65536, Pillow's own weights: grey colours keep their level
# Levels between the channels of a pixel that has a colour. Grey pictures saved as JPEG have 0, as WebP 1; a ground that
# is 3 levels yellow has up to 14 after WebP of any quality. Paper that is not quite white (#f0f8ff) has 15.
TINT = 16
LIGHT = 127  # of 255: ink that is lighter cannot be seen well on white
EDGES = 0.05  # of the opaque pixels: as many may be darker, as edges of letters are


def filled(pixels: np.ndarray) -> np.ndarray:
    """Fill transparent parts so that the opaque part stands out: (h, w, 3 or 4) -> (h, w, 3)."""
    if pixels.shape[2] == 3:
        return pixels
    colour, alpha = pixels[..., :3], pixels[..., 3]
    most = int(alpha.max())
    if most == 0:
        raise BadPicture("blank: every pixel is transparent")
    if alpha.min() == 255:
        return colour
    drawn = alpha >= (most + 1) // 2
    tones = luma(colour)[drawn]
    if 2 * tones.size > drawn.size and int(tones.max()) - int(tones.min()) >= 64:
        fill = np.median(colour[drawn], axis=0).astype(np.int32)  # a card with margins around it
    else:
        fill = np.int32(0 if np.median(tones) > 127 else 255)
    return _laid(colour, alpha, fill)


def _laid(colour: np.ndarray, alpha: np.ndarray, ground: np.ndarray | np.int32) -> np.ndarray:
    """Lay a picture on a ground of a single colour or grey level."""
    cover = alpha[..., None].astype(np.int32)
    whole: np.ndarray = ((colour * cover + ground * (255 - cover) + 127) // 255).astype(np.uint8)
    return whole


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


def grey_of(colour: np.ndarray) -> np.ndarray:
    """Turn colours into levels of grey, (h, w, 3) -> (h, w) uint8."""
    red, green, blue = (np.ascontiguousarray(colour[..., k]) for k in range(3))
    if np.array_equal(red, green) and np.array_equal(red, blue):
        return red
    levels = luma(colour)
    contrast = int(_apart(levels).max())
    distance = distance_of(colour)
    return distance if int(distance.max()) > 2 * contrast else levels


def luma(colour: np.ndarray) -> np.ndarray:
    """Return the brightness of colours, (h, w, 3) -> (h, w) uint8."""
    wide = colour.astype(np.int32)
    total = wide[..., 0] * _LUMA[0] + wide[..., 1] * _LUMA[1] + wide[..., 2] * _LUMA[2]
    levels: np.ndarray = ((total + (1 << 15)) >> 16).astype(np.uint8)
    return levels


def _apart(channel: np.ndarray) -> np.ndarray:
    ground = background(channel)
    distance: np.ndarray = np.maximum(channel, ground) - np.minimum(channel, ground)
    return distance


def distance_of(colour: np.ndarray) -> np.ndarray:
    """Return the largest distance from the background in any channel, (h, w, 3) -> (h, w) uint8."""
    red, green, blue = (_apart(np.ascontiguousarray(colour[..., k])) for k in range(3))
    distance: np.ndarray = np.maximum(np.maximum(red, green), blue)
    return distance
