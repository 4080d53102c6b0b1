"""Pictures in colours -> levels of grey, (h, w, 3 or 4) -> (h, w) uint8."""

import numpy as np

from tasks.loading.polarity import background
from tasks.loading.safe_read import BadPicture

_LUMA = (19595, 38470, 7471)  # ITU-R 601 in 1/65536, Pillow's own weights: grey colours keep their level


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
    cover = alpha[..., None].astype(np.int32)
    whole: np.ndarray = ((colour * cover + fill * (255 - cover) + 127) // 255).astype(np.uint8)
    return whole


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
