"""One picture's way through a reader, a stage below the other: equal input gives equal bytes."""

import textwrap
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from storage.texts import plain
from tasks.figures.contact_sheet import BLUE, INK, PALE
from tasks.figures.stage_panels import ROOM, Panel, draw_panel, panel_height
from tasks.figures.style import new_figure, rendered

DESCRIPTION = "captchas explain"  # by which the next explanation knows a file that it may replace
WIDTH, WORDS, GAP = 10.0, 3.1, 0.22  # inches: of the figure, of the words on its left, between two stages
_LINE = 41  # characters of a line of words


@dataclass(frozen=True)
class Stage:
    """A stage: its name, what happens there and what to look for, in plain words, and what it looks like."""

    title: str
    says: str
    panel: Panel


def plot_stages(stages: Sequence[Stage], title: str) -> bytes:
    """Draw stages below each other, each with its number, its name and its words on the left.

    Parameters
    ----------
    stages : sequence of Stage
        One or more.
    title : str

    Returns
    -------
    bytes
        A PNG, at most 1,000 pixels wide.
    """
    from matplotlib.patches import Rectangle

    words = [textwrap.fill(plain(stage.says), _LINE) for stage in stages]
    heights = [
        max(panel_height(stage.panel), 0.42 + 0.165 * (text.count("\n") + 1))
        for stage, text in zip(stages, words, strict=True)
    ]
    top = 0.62
    total = top + sum(heights) + GAP * len(stages)
    figure = new_figure(WIDTH, total, title)
    figure.set_layout_engine("none")
    figure.texts[0].set_position((0.5, 1 - 0.2 / total))
    at = top
    for number, (stage, text, height) in enumerate(zip(stages, words, heights, strict=True), 1):
        band = Rectangle(
            (0, 1 - (at + height + GAP / 2) / total), 1, (height + GAP) / total, transform=figure.transFigure,
            facecolor=PALE if number % 2 else "white", zorder=-1,
        )  # fmt: skip
        figure.add_artist(band)
        high = 1 - at / total
        margin = 0.52 / WIDTH
        figure.text(0.17 / WIDTH, high, f"{number}", fontsize=15, fontweight="bold", color=BLUE, va="top")
        figure.text(margin, high - 0.02 / total, stage.title, fontsize=11.5, fontweight="bold", color=INK, va="top")
        figure.text(
            margin, high - 0.29 / total, text, fontsize=8.8, color=INK, va="top", linespacing=1.3,
            parse_math=False,
        )  # fmt: skip
        own = panel_height(stage.panel)
        left, width = (0.52 + WORDS) / WIDTH, ROOM / WIDTH
        place = (left, 1 - (at + own + (height - own) / 2) / total, width, own / total)
        draw_panel(figure.add_axes(place), stage.panel)
        at += height + GAP
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a letter that the font of the plots lacks is drawn as a box
        return rendered(figure, DESCRIPTION)
