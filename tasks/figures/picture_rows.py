"""Rows of captioned pictures under headings, as the bytes of a PNG file: equal input gives equal bytes."""

import io
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from storage.texts import plain
from tasks.figures.contact_sheet import BLUE, FAINT_GREY, INK, MOST_SHEET, PALE, SOFT

EDGE, GAP = 14, 12  # pixels around all rows, and between cells
_TITLE, _HEADING, _SAYS, _CAPTION = 19, 15, 13, 12  # sizes of letters
_LINE = 150  # characters of a line of words


@dataclass(frozen=True)
class PictureCell:
    """A picture, (h, w) uint8 grey or (h, w, 3), drawn `times` as large, and what stands below it."""

    image: np.ndarray
    caption: str = ""
    times: int = 2


@dataclass(frozen=True)
class PictureRow:
    """A heading, a sentence that says what to look for, and pictures; None stands for an arrow between two."""

    heading: str
    says: str
    cells: Sequence[PictureCell | None]


def picture_rows(rows: Sequence[PictureRow], title: str) -> bytes:
    """Draw rows of pictures below each other, at most `MOST_SHEET` pixels wide; a long row goes on in the next line."""
    heights = [_put(None, row, 0) for row in rows]
    top = EDGE + _TITLE + 16
    sheet = Image.new("RGB", (MOST_SHEET, top + sum(heights)), "white")
    draw = ImageDraw.Draw(sheet)
    draw.text((EDGE, EDGE), plain(title), fill=INK, font=_font(_TITLE))
    for number, (row, height) in enumerate(zip(rows, heights, strict=True)):
        draw.rectangle((0, top, MOST_SHEET, top + height), fill="white" if number % 2 else PALE)
        _put(sheet, row, top)
        top += height
    file = io.BytesIO()
    sheet.save(file, format="PNG")
    return file.getvalue()


def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=size)


def _put(sheet: Image.Image | None, row: PictureRow, top: int) -> int:
    """Draw a row, unless there is no sheet yet; return the pixels that it takes."""
    draw = ImageDraw.Draw(sheet or Image.new("RGB", (1, 1)))
    y = top + 10
    if row.heading:
        draw.text((EDGE, y), row.heading, fill=INK, font=_font(_HEADING))
        y += _HEADING + 8
    for line in textwrap.wrap(plain(row.says), _LINE):
        draw.text((EDGE, y), line, fill=SOFT, font=_font(_SAYS))
        y += _SAYS + 5
    y += 4
    x, tallest = EDGE, 0
    for cell in row.cells:
        width, height = _size(draw, cell)
        if x > EDGE and x + width > MOST_SHEET - EDGE:
            x, y, tallest = EDGE, y + tallest + GAP // 2, 0
        if sheet is not None:
            _draw_cell(sheet, draw, cell, x, y, width)
        x, tallest = x + width + GAP, max(tallest, height)
    return y + tallest + 12 - top


def _size(draw: ImageDraw.ImageDraw, cell: PictureCell | None) -> tuple[int, int]:
    """Return the width and the height of a cell with its caption."""
    if cell is None:
        return 34, 44
    rows, columns = cell.image.shape[:2]
    text = draw.multiline_textbbox((0, 0), cell.caption, font=_font(_CAPTION), spacing=3)
    width = max(columns * cell.times, int(text[2]) + 1)
    return width, rows * cell.times + (int(text[3]) + 8 if cell.caption else 0)


def _draw_cell(
    sheet: Image.Image, draw: ImageDraw.ImageDraw, cell: PictureCell | None, x: int, y: int, width: int
) -> None:
    if cell is None:
        draw.line((x + 4, y + 22, x + 28, y + 22), fill=BLUE, width=3)
        draw.polygon([(x + 22, y + 14), (x + 32, y + 22), (x + 22, y + 30)], fill=BLUE)
        return
    rows, columns = cell.image.shape[:2]
    size = columns * cell.times, rows * cell.times
    picture = Image.fromarray(cell.image).convert("RGB").resize(size, Image.Resampling.NEAREST)
    left = x + (width - picture.width) // 2
    draw.rectangle((left - 1, y - 1, left + picture.width, y + picture.height), outline=FAINT_GREY)
    sheet.paste(picture, (left, y))
    draw.multiline_text((x + width / 2, y + picture.height + 4), cell.caption, fill=INK, font=_font(_CAPTION),
                        anchor="ma", align="center", spacing=3)  # fmt: skip
