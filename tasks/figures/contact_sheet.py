"""Pictures of pictures, each as the bytes of a PNG file: equal input, equal bytes."""

import io
import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from storage.texts import MOST_CAPTION, caption

# Okabe and Ito's colours, which people with any colour vision tell apart.
BLUE, SKY, GREEN, ORANGE, RED, PURPLE = "#0072b2", "#56b4e9", "#009e73", "#e69f00", "#d55e00", "#cc79a7"
INK, SOFT, FAINT, PALE = "#222222", "#707070", "#dddddd", "#f4f4f2"

MARKS = (RED, BLUE, GREEN, PURPLE)
COLOURS = 32  # of a picture that has to be small
MOST_LINE = 3 * MOST_CAPTION  # characters of a caption's line, which may name several words
ENLARGE = 2  # letters of 20 pixels are too small to judge on a screen


def contact_sheet(
    images: np.ndarray,
    captions: Sequence[str],
    columns: int = 8,
    sizes: np.ndarray | None = None,
    marks: np.ndarray | None = None,
) -> bytes:
    """Pictures in a grid, twice their size, dark on white, each above its caption.

    Parameters
    ----------
    images : (n, H, W) uint8
        0 background to 255 ink; n may be 0.
    captions : sequence of n str
        May have several lines. Each is drawn as `storage.texts.caption` returns it: Pillow's own font has the
        printable ASCII characters and little else.
    columns : int, 1 or more
    sizes : (n, 2) int, optional
        Height and width in use of each picture, from its top left corner; the whole picture if not given.
    marks : (n, L, 4) int, optional
        Boxes to outline: top, left, bottom, right, half-open, in pixels of `images`; -1 for none. The line
        runs around the box's pixels, not over them.

    Returns
    -------
    bytes
        An RGB PNG.

    Raises
    ------
    ValueError
        For arrays that do not fit each other.
    """
    if images.ndim != 3 or images.dtype != np.uint8 or 0 in images.shape[1:]:
        raise ValueError(f"images must be 3-D uint8 and not empty, not {images.shape} {images.dtype}")
    n, height, width = images.shape
    if columns < 1:
        raise ValueError(f"columns must be 1 or more, not {columns}")
    if len(captions) != n:
        raise ValueError(f"captions must be one for each of {n} images, not {len(captions)}")
    sizes = np.full((n, 2), (height, width)) if sizes is None else np.asarray(sizes)
    if sizes.shape != (n, 2) or (sizes < 1).any() or (sizes > (height, width)).any():
        raise ValueError(f"sizes must be ({n}, 2), between 1 and {height} x {width}, not {sizes.tolist()}")
    marks = np.empty((n, 0, 4), dtype=int) if marks is None else np.asarray(marks)
    if marks.ndim != 3 or marks.shape[::2] != (n, 4):
        raise ValueError(f"marks must be ({n}, L, 4), not {marks.shape}")

    font, pad, gap = ImageFont.load_default(size=13), 6, 8
    captions = ["\n".join(caption(line, MOST_LINE) for line in text.split("\n")) for text in captions]
    ruler = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    texts = [ruler.multiline_textbbox((0, 0), caption, font=font, spacing=3) for caption in captions]
    # Only the sizes in use make the cells, so that a canvas with room to spare wastes no paper.
    tall, wide = ENLARGE * sizes.max(axis=0, initial=1)
    cell_width = int(max([wide, *(math.ceil(box[2]) for box in texts)])) + 2 * pad
    text_height = max((math.ceil(box[3]) for box in texts), default=0)
    cell_height = int(tall) + text_height + 3 * pad
    columns = max(1, min(columns, n))
    rows = max(1, math.ceil(n / columns))
    sheet = Image.new("RGB", (columns * (cell_width + gap) + gap, rows * (cell_height + gap) + gap), "white")
    draw = ImageDraw.Draw(sheet)
    for k in range(n):
        row, column = divmod(k, columns)
        x, y = gap + column * (cell_width + gap), gap + row * (cell_height + gap)
        draw.rectangle((x, y, x + cell_width - 1, y + cell_height - 1), fill=PALE, outline=FAINT)
        high, across = (int(side) for side in sizes[k])
        picture = Image.fromarray(255 - images[k, :high, :across])
        picture = picture.resize((ENLARGE * across, ENLARGE * high), Image.Resampling.NEAREST)
        left, top = x + (cell_width - picture.width) // 2, y + pad + (int(tall) - picture.height) // 2
        draw.rectangle((left - 1, top - 1, left + picture.width, top + picture.height), outline=FAINT)
        sheet.paste(picture, (left, top))
        for number, (a, b, c, d) in enumerate(ENLARGE * marks[k].astype(int)):
            if c > a and d > b:  # no box of -1 has an inside
                colour = MARKS[number % len(MARKS)]
                draw.rectangle((left + b - 1, top + a - 1, left + d, top + c), outline=colour)
        draw.multiline_text(
            (x + cell_width / 2, y + int(tall) + 2 * pad),
            captions[k], fill=INK, font=font, anchor="ma", spacing=3, align="center",
        )  # fmt: skip
    return _encoded(sheet)


def at_most(data: bytes, limit: int) -> bytes:
    """The same picture in at most so many bytes: with fewer colours, then smaller; as it is if it fits already.

    Parameters
    ----------
    data : bytes
        A picture file of any kind that Pillow reads.
    limit : int
        Bytes; a picture of 64 pixels a side is given whatever it takes.

    Returns
    -------
    bytes
        A PNG, unless `data` was returned.
    """
    if len(data) <= limit:
        return data
    with Image.open(io.BytesIO(data)) as file:
        image = file.convert("RGB")
    while True:
        small = _encoded(image.quantize(COLOURS, dither=Image.Dither.NONE), optimize=True)
        if len(small) <= limit or max(image.size) <= 64:
            return small
        image = image.resize([max(1, side * 3 // 4) for side in image.size], Image.Resampling.LANCZOS)


def _encoded(image: Image.Image, **options: int) -> bytes:
    file = io.BytesIO()
    image.save(file, format="PNG", **options)
    return file.getvalue()
