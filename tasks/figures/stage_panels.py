"""The pictures of a reading's stages: pictures with cuts, letters with bars, paths, maps of columns, rankings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from storage.texts import plain
from tasks.figures.contact_sheet import BLUE, FAINT_GREY, INK, ORANGE, SKY, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROOM = 6.13  # inches that a panel is wide
_LETTERS_A_ROW = 6
_RESTS = 4  # rows of spans that are not on the best path
_FEW, _MOST_NAME = 13, 20  # characters of an answer in large letters, and at all
_NARROW = 0.035  # of a picture's width: a narrower span has no room for a letter's name


@dataclass(frozen=True)
class PicturePanel:
    """A picture, (h, w) or (h, w, 3) uint8 as seen; boxes (k, 4), top, left, bottom, right; columns of cuts (c,)."""

    image: np.ndarray
    boxes: np.ndarray | None = None
    cuts: np.ndarray | None = None


@dataclass(frozen=True)
class LettersPanel:
    """The letters of a reading: crops of dark ink (h, w) uint8, each with its likeliest letters and their shares."""

    crops: Sequence[np.ndarray]
    shares: Sequence[Sequence[tuple[str, float]]]


@dataclass(frozen=True)
class PathPanel:
    """Spans that may be letters: left and right (m, 2), the likeliest letter of each, its share, and the best path.

    width : pixels of the picture that they were cut from
    path : places of the spans that the answer is made of, from left to right, with their letters
    """

    width: int
    spans: np.ndarray
    letters: Sequence[str]
    shares: np.ndarray
    path: Sequence[tuple[int, str]]


@dataclass(frozen=True)
class ColumnsPanel:
    """The columns of a deep model: shares (letters, T), from 0 to 1, of the named letters, the blank first.

    image : (h, w, 3) uint8, the picture as the network takes it, over the same columns
    best : the likeliest symbol of each column
    peaks : the columns where the letters of the answer are surest
    """

    image: np.ndarray
    letters: Sequence[str]
    shares: np.ndarray
    best: str
    peaks: Sequence[int]


@dataclass(frozen=True)
class RankingPanel:
    """Answers, best first, each with its share or confidence, 0 to 1; None where there is none."""

    rows: Sequence[tuple[str, float | None]]
    axis: str


Panel = PicturePanel | LettersPanel | PathPanel | ColumnsPanel | RankingPanel


def panel_height(panel: Panel) -> float:
    """Return the inches that a panel is high."""
    match panel:
        case PicturePanel():
            rows, columns = panel.image.shape[:2]
            return float(min(max(ROOM * rows / columns, 0.5), 1.9))
        case LettersPanel():
            return 1.75 * max(1, -(-len(panel.crops) // _LETTERS_A_ROW))
        case PathPanel():
            return 0.35 + 0.3 * _rests(panel)
        case ColumnsPanel():
            rows, columns = panel.image.shape[:2]
            return float(ROOM * 0.93 * rows / columns + 0.25 + 0.17 * len(panel.letters))
        case RankingPanel():
            return 0.5 + 0.27 * max(len(panel.rows), 1)


def draw_panel(axes: "Axes", panel: Panel) -> None:
    """Draw a panel into axes that are `ROOM` inches wide and as high as `panel_height` says."""
    match panel:
        case PicturePanel():
            _picture(axes, panel)
        case LettersPanel():
            _letters(axes, panel)
        case PathPanel():
            _path(axes, panel)
        case ColumnsPanel():
            _columns(axes, panel)
        case RankingPanel():
            _ranking(axes, panel)


def _picture(axes: "Axes", panel: PicturePanel) -> None:
    from matplotlib.patches import Rectangle

    rows, columns = panel.image.shape[:2]
    axes.imshow(panel.image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    for top, left, bottom, right in panel.boxes if panel.boxes is not None else ():
        axes.add_patch(
            Rectangle((left - 0.5, top - 0.5), right - left, bottom - top, fill=False, edgecolor=ORANGE, linewidth=1.6,
                      clip_on=False)
        )  # fmt: skip
    cuts = panel.cuts if panel.cuts is not None else ()
    for column in cuts:
        axes.plot([column - 0.5] * 2, [-0.5, rows - 0.5], color=BLUE, linewidth=1.4 if len(cuts) < 20 else 0.7)
    axes.set(xticks=[], yticks=[], xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5))
    axes.spines[:].set_color(FAINT_GREY)


def _bare(axes: "Axes") -> None:
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    axes.patch.set_alpha(0)


def _letters(axes: "Axes", panel: LettersPanel) -> None:
    """Draw each crop above bars for its likeliest letters."""
    _bare(axes)
    if not panel.crops:
        axes.text(0.5, 0.5, "no letter", ha="center", va="center", color=SOFT, transform=axes.transAxes)
        return
    rows = -(-len(panel.crops) // _LETTERS_A_ROW)
    across = max(4, min(_LETTERS_A_ROW, len(panel.crops)))
    for number, (crop, shares) in enumerate(zip(panel.crops, panel.shares, strict=True)):
        row, column = divmod(number, across)
        left, bottom = column / across, 1 - (row + 1) / rows
        picture = axes.inset_axes((left + 0.02 / across, bottom + 0.52 / rows, 0.85 / across, 0.46 / rows))
        picture.imshow(crop, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        picture.set(xticks=[], yticks=[])
        picture.spines[:].set_color(FAINT_GREY)
        bars = axes.inset_axes((left + 0.16 / across, bottom + 0.04 / rows, 0.5 / across, 0.44 / rows))
        places = range(len(shares))
        bars.barh(places, [share for _, share in shares], color=[BLUE, *[SKY] * (len(shares) - 1)][: len(shares)],
                  height=0.7)  # fmt: skip
        for place, (_, share) in enumerate(shares):
            bars.text(share + 0.04, place, _short(share), va="center", fontsize=7.5, color=INK)
        bars.set_yticks(places, [letter for letter, _ in shares], fontsize=8.5, parse_math=False)
        bars.set(xlim=(0, 1), ylim=(3.5, -0.5), xticks=[])
        bars.spines[["top", "right", "bottom"]].set_visible(False)
        bars.spines["left"].set_color(SOFT)
        bars.tick_params(length=0)
        bars.patch.set_alpha(0)


def percent(share: float | None) -> str:
    """Write a share in percent, with as many digits as tell it from 0 and from 100 %."""
    if share is None:
        return "-"
    if share >= 0.9995:
        return f"{100 * min(share, 0.99999):.3f} %".replace("99.999 %", "> 99.99 %")
    return "< 0.1 %" if 0 < share < 0.001 else f"{100 * share:.1f} %"


def _rests(panel: PathPanel) -> int:
    """Return the number of rows for spans that are not on the best path."""
    return min(_RESTS, -(-(len(panel.shares) - len(panel.path)) // 4))


def _short(share: float) -> str:
    """Write a share in whole percent, where there is little room."""
    return "> 99 %" if share > 0.995 else "< 1 %" if share < 0.005 else f"{100 * share:.0f} %"


def _path(axes: "Axes", panel: PathPanel) -> None:
    """Draw the spans of the answer in the lowest row, and the surest others above it, wherever they find room."""
    from matplotlib.patches import Rectangle

    _bare(axes)
    chosen = {place for place, _ in panel.path}
    rows = _rests(panel)
    axes.set(xlim=(-0.5, panel.width - 0.5), ylim=(-0.1, rows + (1.25 if rows else 1.1)))

    def bar(place: int, row: float, letter: str, colour: str = SOFT, strength: float = 1.0) -> None:
        left, right = (float(side) for side in panel.spans[place])
        axes.add_patch(
            Rectangle((left - 0.5, row + 0.08), right - left, 0.84, facecolor=colour, edgecolor="white", linewidth=1,
                      alpha=0.12 + 0.88 * strength)
        )  # fmt: skip
        narrow = right - left < _NARROW * panel.width
        if not narrow or colour == BLUE:
            axes.text((left + right) / 2 - 0.5, row + 0.48, letter, ha="center", va="center", parse_math=False,
                      fontsize=7.5 if narrow else 9, color="white" if strength > 0.45 else INK)  # fmt: skip

    for place, letter in panel.path:
        bar(place, 0, letter, BLUE)
    taken: list[list[tuple[int, int]]] = [[] for _ in range(rows)]
    for place in np.argsort(-panel.shares, kind="stable").tolist():
        left, right = (int(side) for side in panel.spans[place])
        if place in chosen:
            continue
        for row, others in enumerate(taken):
            if all(right <= other[0] or left >= other[1] for other in others):
                others.append((left, right))
                bar(place, row + 1.15, panel.letters[place], strength=float(panel.shares[place]))
                break


def _columns(axes: "Axes", panel: ColumnsPanel) -> None:
    """Draw the picture above a map of the letters' shares in each column, with the likeliest symbol below each."""
    _bare(axes)
    high, wide = panel.image.shape[:2]
    own = panel_height(panel)
    share = ROOM * 0.93 * high / wide / own
    picture = axes.inset_axes((0.07, 1 - share, 0.93, share))
    picture.imshow(panel.image, interpolation="nearest", aspect="auto")
    picture.set(xticks=[], yticks=[])
    columns = panel.shares.shape[1]
    heat = axes.inset_axes((0.07, 0.25 / own, 0.93, 1 - share - 0.27 / own))
    heat.imshow(np.sqrt(panel.shares), cmap="Blues", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    heat.set_yticks(range(len(panel.letters)), panel.letters, fontsize=8.5, parse_math=False)
    heat.set_xticks(range(columns), list(panel.best), fontsize=min(8.5, 260 / columns), parse_math=False)
    heat.tick_params(length=0)
    heat.spines[:].set_color(FAINT_GREY)
    for column in panel.peaks:
        for part in (picture, heat):
            middle = (column + 0.5) * wide / columns - 0.5 if part is picture else column
            part.axvline(middle, color=ORANGE, linewidth=1.3, alpha=0.8)


def _ranking(axes: "Axes", panel: RankingPanel) -> None:
    if not panel.rows:
        _bare(axes)
        axes.text(0.5, 0.5, "no answer", ha="center", va="center", color=SOFT, transform=axes.transAxes)
        return
    places = range(len(panel.rows))
    values = [share or 0.0 for _, share in panel.rows]
    axes.set_position(_inside(axes.get_position().bounds))
    axes.barh(places, values, color=[BLUE, *[SKY] * (len(values) - 1)], height=0.62)
    for place, (_, share) in enumerate(panel.rows):
        axes.text((share or 0) + 0.012, place, percent(share), va="center", fontsize=9, color=INK)
    names = [_shortened(text) for text, _ in panel.rows]
    size = 10 if max(map(len, names)) <= _FEW else 7.5  # the names stand between the words and the bars
    axes.set_yticks(places, names, fontsize=size, parse_math=False)
    axes.set(xlim=(0, 1.12), ylim=(len(values) - 0.5, -0.5), xticks=[])
    axes.set_xlabel(panel.axis, fontsize=8.5, color=SOFT)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.spines["left"].set_color(SOFT)
    axes.tick_params(length=0)
    axes.patch.set_alpha(0)


def _shortened(text: str) -> str:
    text = plain(text)
    return text if len(text) <= _MOST_NAME else f"{text[: _MOST_NAME - 1]}…"


def _inside(bounds: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """Leave room for the words left of the bars, and for the name of the axis below them."""
    left, bottom, width, height = bounds
    return left + 0.17 * width, bottom + 0.28 * height, 0.83 * width, 0.72 * height
