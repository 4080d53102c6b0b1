"""A network's weights as pictures, its training as frames, its mistakes: equal input gives equal bytes."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tasks.figures.contact_sheet import BLUE, FAINT_GREY, GREEN, INK, ORANGE, SOFT
from tasks.figures.style import new_figure, plain_axes, put_legend, rendered

TIMES = 4  # pixels that a weight is wide on a sheet
CAPTION, EDGE, HEAD = 17, 8, 44  # pixels: below a tile, around it, above all tiles
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_RAISES, _LOWERS = np.array([178.0, 24, 43]), np.array([33.0, 102, 172])  # ends of the colours of weights
_CELL = 11  # pixels of a cell of a confusion matrix in a frame
_MILLISECONDS = 1200  # of a frame


@dataclass(frozen=True)
class Frame:
    """A moment of training: step, tiles (k, side, side) of weights with captions, confusion (26, 26), macro F1."""

    step: int
    tiles: np.ndarray
    captions: Sequence[str]
    confusion: np.ndarray
    macro: float


def coloured(weights: np.ndarray) -> np.ndarray:
    """Colour weights (...,): red for those above 0, blue for those below, the stronger the larger; (..., 3) uint8."""
    most = max(float(np.abs(weights).max(initial=0.0)), 1e-12)
    strength = (np.abs(weights) / most)[..., None]
    ends = np.where((weights > 0)[..., None], _RAISES, _LOWERS)
    colours: np.ndarray = np.rint(255 + (ends - 255) * strength).astype(np.uint8)
    return colours


def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=size)


def _tiles(
    sheet: Image.Image, tiles: np.ndarray, captions: Sequence[str], at: tuple[int, int], columns: int, times: int
) -> None:
    """Draw tiles of weights in a grid, each above its caption."""
    draw = ImageDraw.Draw(sheet)
    side = tiles.shape[1] * times
    for number, (tile, caption) in enumerate(zip(tiles, captions, strict=True)):
        row, column = divmod(number, columns)
        x, y = at[0] + column * (side + EDGE), at[1] + row * (side + CAPTION + EDGE)
        picture = Image.fromarray(coloured(tile)).resize((side, side), Image.Resampling.NEAREST)
        draw.rectangle((x - 1, y - 1, x + side, y + side), outline=FAINT_GREY)
        sheet.paste(picture, (x, y))
        draw.text((x + side / 2, y + side + 3), caption, fill=INK if caption else SOFT, font=_font(12), anchor="ma")


def weight_sheet(weights: np.ndarray, captions: Sequence[str], title: str, says: str, columns: int = 10) -> bytes:
    """Draw the weights into each neuron as a picture, each with its own scale of colours.

    Parameters
    ----------
    weights : (n, side, side) float
    captions : sequence of n str
    title, says : str
        Above the tiles; `says` may have several lines.
    """
    side = weights.shape[1] * TIMES
    rows = -(-len(weights) // columns)
    head = HEAD + 16 * says.count("\n")
    size = (EDGE + columns * (side + EDGE), head + EDGE + rows * (side + CAPTION + EDGE))
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    draw.text((EDGE, 6), title, fill=INK, font=_font(16))
    draw.multiline_text((EDGE, 27), says, fill=SOFT, font=_font(12.5))
    _tiles(sheet, weights, captions, (EDGE, head + EDGE), columns, TIMES)
    return _png(sheet)


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, format="PNG")
    return file.getvalue()


def _frame(frame: Frame, columns: int) -> Image.Image:
    """Draw a moment of training: tiles on the left, the confusion matrix on the right."""
    times = 3
    side = frame.tiles.shape[1] * times
    rows = -(-len(frame.tiles) // columns)
    left = EDGE + columns * (side + EDGE) + 26
    matrix = len(LETTERS) * _CELL
    high = HEAD + max(rows * (side + CAPTION + EDGE), matrix + 34)
    sheet = Image.new("RGB", (left + matrix + 2 * EDGE, high), "white")
    draw = ImageDraw.Draw(sheet)
    steps = "step" if frame.step == 1 else "steps"
    draw.text((EDGE, 6), f"After {frame.step:,} {steps}: macro F1 {frame.macro:.2f}", fill=INK, font=_font(17))
    _tiles(sheet, frame.tiles, frame.captions, (EDGE, HEAD), columns, times)
    draw.text((left, 12), "true letter down, letter read across", fill=SOFT, font=_font(12))
    share = frame.confusion / np.maximum(frame.confusion.sum(axis=1, keepdims=True), 1)
    shade = np.rint(255 - (255 - np.array([0.0, 114, 178])) * np.sqrt(share)[..., None]).astype(np.uint8)
    sheet.paste(Image.fromarray(shade).resize((matrix, matrix), Image.Resampling.NEAREST), (left, HEAD + 12))
    draw.rectangle((left - 1, HEAD + 11, left + matrix, HEAD + 12 + matrix), outline=FAINT_GREY)
    for place, letter in enumerate(LETTERS):
        middle = place * _CELL + _CELL / 2
        draw.text((left - 8, HEAD + 12 + middle), letter, fill=SOFT, font=_font(10), anchor="mm")
        draw.text((left + middle, HEAD + 4), letter, fill=SOFT, font=_font(10), anchor="mm")
    return sheet


def training_frames(frames: Sequence[Frame], columns: int = 6) -> bytes:
    """Return an animated GIF of the frames; the last one stays three times as long."""
    pictures = [_frame(frame, columns).quantize(128, dither=Image.Dither.NONE) for frame in frames]
    file = io.BytesIO()
    times = [_MILLISECONDS] * (len(pictures) - 1) + [3 * _MILLISECONDS]
    pictures[0].save(file, format="GIF", save_all=True, append_images=pictures[1:], duration=times, loop=0)
    return file.getvalue()


def training_strip(frames: Sequence[Frame], columns: int = 6) -> bytes:
    """Return a PNG with the frames below each other."""
    pictures = [_frame(frame, columns) for frame in frames]
    sheet = Image.new("RGB", (pictures[0].width, sum(picture.height for picture in pictures)), "white")
    top = 0
    for picture in pictures:
        sheet.paste(picture, (0, top))
        top += picture.height
    return _png(sheet)


def plot_output_map(output: np.ndarray, names: Sequence[str], title: str) -> bytes:
    """Plot the weights from hidden neurons, (n, 26), to the letters; `names` has the number of each neuron."""
    figure = new_figure(10, 5.6, title)
    axes = figure.add_subplot()
    axes.imshow(coloured(output.T), aspect="auto", interpolation="nearest")
    axes.set_yticks(range(len(LETTERS)), list(LETTERS), fontsize=8)
    axes.set_xticks(range(len(names)), names, fontsize=6.5, rotation=90)
    axes.set_xlabel("number of the hidden neuron, in the order of the letter that excites it most", fontsize=9)
    axes.set_ylabel("letter of the output: red speaks for it, blue against it", fontsize=9)
    axes.tick_params(length=0)
    axes.spines[:].set_color(FAINT_GREY)
    return rendered(figure)


def plot_curves(steps: np.ndarray, train: np.ndarray, check: np.ndarray, macro: np.ndarray, title: str) -> bytes:
    """Plot the losses and the macro F1 score over the steps of training, each (k,), on log axes of steps."""
    figure = new_figure(10, 3.9, title)
    left, right = figure.subplots(1, 2)
    left.plot(steps, train, color=BLUE, linewidth=2)
    left.plot(steps, check, color=ORANGE, linewidth=2)
    left.set(xscale="log", yscale="log", xlabel="steps of 200 letters", ylabel="log loss of a letter's 26 outputs")
    right.plot(steps, macro, color=GREEN, linewidth=2)
    right.set(xscale="log", ylim=(-0.02, 1.04), xlabel="steps of 200 letters", ylabel="macro F1 of new letters")
    for axes in (left, right):
        plain_axes(axes, "both")
    put_legend(figure, left, [(BLUE, "loss of the letters it learns from"), (ORANGE, "loss of new letters"),
                              (GREEN, "macro F1")], 3)  # fmt: skip
    for axes in (left, right):
        axes.xaxis.set_major_formatter("{x:g}")
    left.set_xlim(left=1)
    left.yaxis.set_major_formatter("{x:g}")
    return rendered(figure)


def plot_f1(counts: np.ndarray, each: np.ndarray, macro: float, micro: float, title: str) -> bytes:
    """Plot a confusion matrix (26, 26) beside the F1 score of each letter, with both means as lines."""
    figure = new_figure(10, 5.8, title)
    left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    left.imshow(np.sqrt(share), cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
    for row, column in zip(*np.nonzero(counts), strict=True):
        if row != column:
            left.text(column, row, str(counts[row, column]), ha="center", va="center", fontsize=7, color=INK)
    for axis in (left.set_xticks, left.set_yticks):
        axis(range(len(LETTERS)), list(LETTERS), fontsize=8)
    left.set(xlabel="letter read; numbers are mistakes", ylabel="true letter")
    left.tick_params(length=0)
    left.spines[:].set_color(FAINT_GREY)
    places = np.arange(len(LETTERS))
    right.barh(places, np.nan_to_num(each), color=BLUE, height=0.7)
    right.axvline(macro, color=ORANGE, linewidth=1.8)
    right.axvline(micro, color=GREEN, linewidth=1.8, linestyle=(0, (4, 3)))
    right.set_yticks(
        places, [f"{letter}  {n}" for letter, n in zip(LETTERS, counts.sum(axis=1), strict=True)], fontsize=8
    )
    low = max(0.0, min(float(np.nanmin(each)), macro, micro) - 0.08)
    right.set(
        ylim=(len(LETTERS) - 0.4, -0.6), xlim=(low, 1.005), xlabel="F1 of each letter, beside how often it occurs"
    )
    plain_axes(right, "x")
    put_legend(figure, right, [(BLUE, "F1 of a letter"), (ORANGE, f"macro: mean of the bars, {macro:.4f}"),
                               (GREEN, f"micro: all decisions together, {micro:.4f}")], 3)  # fmt: skip
    right.set_ylim(len(LETTERS) - 0.4, -0.6)
    return rendered(figure)
