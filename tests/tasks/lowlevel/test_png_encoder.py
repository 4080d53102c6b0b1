import io

import numpy as np
import pytest
from PIL import Image

from tasks.lowlevel.png_encoder import png


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 40), (40, 1), (42, 140), (255, 256), (1, 1, 3), (40, 1, 3), (42, 140, 3)]
)
def test_a_png_is_what_pillow_reads(shape):
    image = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    with Image.open(io.BytesIO(png(image))) as stored:
        assert (stored.format, stored.mode) == ("PNG", "RGB" if len(shape) == 3 else "L")
        assert (np.asarray(stored) == image).all()
    around = np.pad(image, [(3, 3), (3, 3), (0, 0)][: len(shape)])
    crop = around[3 : 3 + shape[0], 3 : 3 + shape[1]]  # not contiguous, as in a block
    assert png(crop) == png(image)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((3, 4)),
        np.zeros((1, 3, 4), np.uint8),
        np.zeros((0, 4), np.uint8),
        np.zeros((9, 9, 3)),
        np.zeros(3, "u1"),
    ],
)
def test_png_refuses_other_arrays(image):
    with pytest.raises(ValueError, match=r"image must be \(H, W\) or \(H, W, 3\) uint8"):
        png(image)
