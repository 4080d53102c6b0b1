"""Pictures in colour -> ink: what the classic reader learns from and reads, of files and of datasets alike."""

import numpy as np

from tasks.loading.colours.brightness import grey_of
from tasks.loading.colours.picture_ink import DONE, DYED, ink_of_each
from tasks.loading.frames import LEAST_CONTRAST, refuse_blank
from tasks.loading.ground import even_ground
from tasks.loading.parts import signs_of
from tasks.loading.polarity import LEFT_OPEN, ink_of
from tasks.loading.safe_read import BadPicture
from tasks.loading.structure import both_inks, even_strength, letters_alone
from tasks.lowlevel.padding import to_read


def to_ink(images: np.ndarray) -> np.ndarray:
    """Turn pictures in colour into ink, each as `ink_of_colours` does; a blank picture has none.

    Parameters
    ----------
    images : (n, H, W, 3) uint8
        sRGB.

    Returns
    -------
    (n, H, W) uint8
        0 ground to 255 ink.
    """
    out, states = np.empty(images.shape[:3], np.uint8), np.empty(len(images), np.uint8)
    if not out.size:
        return out
    ink_of_each(to_read(images), out, states)
    for k in np.flatnonzero(states != DONE).tolist():
        try:
            out[k] = ink_of_levels(out[k] if states[k] == DYED else grey_of(images[k]))
        except BadPicture:
            out[k] = 0
    return out


def ink_of_batch(images: np.ndarray, heights: np.ndarray, widths: np.ndarray) -> np.ndarray:
    """Return the ink of a dataset's pictures, each without the rest of its canvas; grey pictures are ink already.

    Parameters
    ----------
    images : (n, H, W) or (n, H, W, 3) uint8
    heights, widths : (n,) int
        Pixels of each picture; it sits top left.

    Returns
    -------
    (n, H, W) uint8
    """
    if images.ndim == 3:
        return images
    out = np.zeros(images.shape[:3], np.uint8)
    sizes, groups = np.unique(np.stack([heights, widths], axis=1), axis=0, return_inverse=True)
    for number, (height, width) in enumerate(sizes.tolist()):
        rows = np.flatnonzero(groups == number)
        out[rows, :height, :width] = to_ink(images[rows, :height, :width])
    return out


def ink_of_colours(colour: np.ndarray) -> np.ndarray:
    """Turn a picture in colour into ink, (H, W, 3) -> (H, W) uint8.

    Ink is how far a pixel is from the ground around it, as a share of how far its ink is; lines, specks and patterns
    whose ink has no letters are taken away. A picture of one hue is read as a grey picture is; a picture without
    colours, or whose colours are nearer to its ground than 24 levels, by its brightness.

    Raises
    ------
    BadPicture
        Blank.
    """
    out, states = np.empty((1, *colour.shape[:2]), np.uint8), np.empty(1, np.uint8)
    ink_of_each(to_read(colour)[None], out, states)
    ink: np.ndarray = out[0]
    if states[0] == DONE:
        return ink
    return ink_of_levels(ink if states[0] == DYED else grey_of(colour))


def ink_of_levels(grey: np.ndarray, side: int = LEFT_OPEN) -> np.ndarray:
    """Turn a grey picture into ink, (H, W) -> (H, W) uint8; `side` is a side of `tasks.loading.polarity`.

    Raises
    ------
    BadPicture
        Blank.
    """
    grey, ground = even_ground(grey)
    ink, contrast, strongest, dark = ink_of(grey, side, ground)
    refuse_blank(contrast)
    if strongest < LEAST_CONTRAST and side != LEFT_OPEN:
        raise BadPicture(f"blank: less than {LEAST_CONTRAST} levels {'below' if dark else 'above'} the background")
    if side == LEFT_OPEN:
        ink = both_inks(grey, ink, ground, dark, contrast - strongest, strongest)
    ink = letters_alone(ink, signs_of(ink))
    return even_strength(ink) if signs_of(ink).weak else ink
