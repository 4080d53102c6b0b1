"""Contact sheets, each as the bytes of a PNG file: equal input gives equal bytes."""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from storage.texts import MOST_CAPTION, caption
from tasks.lowlevel.padding import stack_padded

# Okabe and Ito's colours, which people with any colour vision tell apart.
BLUE, SKY, GREEN, ORANGE, RED, PURPLE = "#0072b2", "#56b4e9", "#009e73", "#e69f00", "#d55e00", "#cc79a7"
INK, SOFT, FAINT_GREY, PALE = "#222222", "#707070", "#dddddd", "#f4f4f2"

MARKS = (RED, BLUE, GREEN, PURPLE)
COLOURS = 32  # in a picture that has to be small
MOST_LINE = 3 * MOST_CAPTION  # characters of a caption's line, which may name several words
PAD, GAP, SPACING = 6, 8, 3  # pixels inside a cell, between cells, and between the lines of a caption
MOST_SHEET = 1000  # pixels of a sheet that is shown at its own size within a page
FEW = 12  # pictures, which may stand below each other
ENLARGE = 2  # letters of 20 pixels are too small to judge on a screen

_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def contact_sheet(
    images: np.ndarray,
    captions: Sequence[str],
    columns: int = 8,
    sizes: np.ndarray | None = None,
    marks: np.ndarray | None = None,
) -> bytes:
    """Draw pictures in a grid, twice their size, ink dark on white, each above its caption.

    Parameters
    ----------
    images : (n, H, W) or (n, H, W, 3) uint8
        0 background to 255 ink, or colours as seen; n may be 0.
    captions : sequence of n str
        A caption may have several lines. Each is drawn as `storage.texts.caption` returns it: Pillow's own font has
        the printable ASCII characters and little else.
    columns : int, 1 or more
        At most; fewer if the sheet would be wider than `MOST_SHEET`. Pictures too wide for that, and many of which only
        two would stand side by side, keep their own size.
    sizes : (n, 2) int, optional
        Height and width of the part of each picture that is drawn, from its top left corner. Default: all of it.
    marks : (n, L, 4) int, optional
        Boxes to outline: top, left, bottom, right, half-open, in pixels of `images`; -1 for no box. The line runs
        around the box's pixels, not over them.

    Returns
    -------
    bytes
        An RGB PNG.

    Raises
    ------
    ValueError
        The arrays do not fit each other.
    """
    if images.ndim < 3 or images.shape[3:] not in ((), (3,)) or images.dtype != np.uint8 or 0 in images.shape[1:]:
        raise ValueError(
            f"images must be (n, H, W) or (n, H, W, 3) uint8 and not empty, not {images.shape} {images.dtype}"
        )
    n, height, width = images.shape[:3]
    if columns < 1:
        raise ValueError(f"columns must be 1 or more, not {columns}")
    if len(captions) != n:
        raise ValueError(f"captions must be {n}, as many as images, not {len(captions)}")
    sizes = np.full((n, 2), (height, width)) if sizes is None else np.asarray(sizes)
    if sizes.shape != (n, 2) or (sizes < 1).any() or (sizes > (height, width)).any():
        raise ValueError(f"sizes must be ({n}, 2), between 1 and {height} x {width}, not {sizes.tolist()}")
    marks = np.empty((n, 0, 4), dtype=int) if marks is None else np.asarray(marks)
    if marks.ndim != 3 or marks.shape[::2] != (n, 4):
        raise ValueError(f"marks must be ({n}, L, 4), not {marks.shape}")

    font = ImageFont.load_default(size=13)
    captions = ["\n".join(caption(line, MOST_LINE) for line in text.split("\n")) for text in captions]
    cell = _Cell.holding(sizes, captions, font)
    columns = max(1, min(columns, n, (MOST_SHEET - GAP) // (cell.width + GAP)))
    rows = max(1, math.ceil(n / columns))
    sheet = Image.new("RGB", (columns * (cell.width + GAP) + GAP, rows * (cell.height + GAP) + GAP), "white")
    draw = ImageDraw.Draw(sheet)
    for k in range(n):
        row, column = divmod(k, columns)
        x, y = GAP + column * (cell.width + GAP), GAP + row * (cell.height + GAP)
        draw.rectangle((x, y, x + cell.width - 1, y + cell.height - 1), fill=PALE, outline=FAINT_GREY)
        high, across = (int(side) for side in sizes[k])
        drawn = images[k, :high, :across]
        picture = Image.fromarray(255 - drawn if drawn.ndim == 2 else drawn)
        picture = picture.resize((cell.times * across, cell.times * high), Image.Resampling.NEAREST)
        left, top = x + (cell.width - picture.width) // 2, y + PAD + (cell.tallest - picture.height) // 2
        draw.rectangle((left - 1, top - 1, left + picture.width, top + picture.height), outline=FAINT_GREY)
        sheet.paste(picture, (left, top))
        _outline(draw, left, top, cell.times * marks[k].astype(int))
        draw.multiline_text(
            (x + cell.width / 2, y + cell.tallest + 2 * PAD),
            captions[k], fill=INK, font=font, anchor="ma", spacing=SPACING, align="center",
        )  # fmt: skip
    return _encoded(sheet)


def mixed_sheet(pictures: Sequence[np.ndarray], captions: Sequence[str], columns: int = 8) -> bytes:
    """Draw a contact sheet of pictures that differ in size.

    Parameters
    ----------
    pictures : sequence of (h, w) or (h, w, 3) uint8
        0 background to 255 ink, or colours as seen, or some of each; there may be none.
    captions, columns
        As for `contact_sheet`.

    Returns
    -------
    bytes
        An RGB PNG.
    """
    sizes = np.array([picture.shape[:2] for picture in pictures], int).reshape(-1, 2)
    height, width = sizes.max(axis=0, initial=1)
    pixel = max((picture.shape[2:] for picture in pictures), default=())
    if pixel:
        pictures = [
            np.repeat(255 - picture[..., None], 3, axis=2) if picture.ndim == 2 else picture for picture in pictures
        ]
    return contact_sheet(stack_padded(pictures, len(pictures), height, width, pixel), captions, columns, sizes)


@dataclass(frozen=True)
class _Cell:
    """The size of a cell of a sheet, the height of the tallest picture as it is drawn, and how often it is enlarged."""

    width: int
    height: int
    tallest: int
    times: int

    @classmethod
    def holding(cls, sizes: np.ndarray, captions: Sequence[str], font: _Font) -> "_Cell":
        """Return the smallest cell that holds every picture above its caption.

        Only the sizes in use count, so that a canvas with room to spare wastes no paper.
        """
        ruler = ImageDraw.Draw(Image.new("RGB", (1, 1)))
        texts = [ruler.multiline_textbbox((0, 0), caption, font=font, spacing=SPACING) for caption in captions]
        across = 1 if len(sizes) <= FEW else 3
        room = (MOST_SHEET - GAP) // across - GAP - 2 * PAD
        times = ENLARGE if ENLARGE * sizes[:, 1].max(initial=1) <= room else 1
        tallest, widest = (int(side) for side in times * sizes.max(axis=0, initial=1))
        width = max([widest, *(math.ceil(box[2]) for box in texts)])
        text_height = max((math.ceil(box[3]) for box in texts), default=0)
        return cls(width + 2 * PAD, tallest + text_height + 3 * PAD, tallest, times)


def _outline(draw: ImageDraw.ImageDraw, left: int, top: int, boxes: np.ndarray) -> None:
    """Draw a line around each box of a picture that lies at `left`, `top`."""
    for number, (a, b, c, d) in enumerate(boxes):
        if c > a and d > b:  # a box of -1 is empty
            draw.rectangle((left + b - 1, top + a - 1, left + d, top + c), outline=MARKS[number % len(MARKS)])


def at_most(data: bytes, limit: int) -> bytes:
    """Shrink a picture file to at most `limit` bytes: first use fewer colours, then make it smaller.

    Parameters
    ----------
    data : bytes
        A picture file of any kind that Pillow reads.
    limit : int
        Bytes. A picture whose sides have at most 64 pixels may take more.

    Returns
    -------
    bytes
        `data` itself if it fits already, else a PNG.
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
