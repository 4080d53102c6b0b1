"""Plots of scores, each as the bytes of a PNG file: equal input gives equal bytes."""

from collections.abc import Sequence

import numpy as np

from storage.texts import plain
from tasks.figures.contact_sheet import BLUE, FAINT_GREY, GREEN, INK, ORANGE, RED, SKY, SOFT
from tasks.figures.style import (
    NEEDED,
    beside,
    new_figure,
    percent_sign,
    plain_axes,
    put_legend,
    rendered,
    say_instead,
)
from tasks.rates import Rate

MOST_CLASSES = 26  # letters of a confusion matrix whose counts are readable at 1,000 pixels
FAILURE_LOOKS = {
    "segments": (BLUE, "wrong number of segments"),
    "place": (SKY, "letters cut elsewhere"),
    "letter": (ORANGE, "letter misread"),
    "damage": (RED, "spoilt by the dictionary"),
    "rescue": (GREEN, "mended by the dictionary"),
}


def plot_confusion(counts: Sequence[Sequence[int]] | np.ndarray, classes: Sequence[str], title: str) -> bytes:
    """Plot the mistakes of a confusion matrix; right answers are grey, and a column gives the recall of each letter.

    Of more than `MOST_CLASSES` letters, those with the most mistakes are shown.

    Parameters
    ----------
    counts : (k, k) int
        Counts, rows truth, columns read.
    classes : sequence of k str
    title : str
    """
    from matplotlib.colors import ListedColormap, PowerNorm

    confusion = np.asarray(counts)
    size = len(classes)
    if confusion.shape != (size, size):
        raise ValueError(f"confusion must be {size} x {size}, as classes, not {confusion.shape}")
    mistakes = confusion * (1 - np.eye(size, dtype=int))
    n, wrong, support, right = int(confusion.sum()), int(mistakes.sum()), confusion.sum(axis=1), confusion.diagonal()
    said = f"{n:,} letters, {wrong:,} mistakes"
    if size > MOST_CLASSES:
        worst = np.argsort(-(mistakes.sum(axis=0) + mistakes.sum(axis=1)), kind="stable")[:MOST_CLASSES]
        kept = np.sort(worst)
        said += f"; shown are the {MOST_CLASSES} of {size} letters with the most"
        mistakes, support, right = mistakes[np.ix_(kept, kept)], support[kept], right[kept]
        classes, size = [classes[k] for k in kept], MOST_CLASSES
    most = int(mistakes.max(initial=0))
    side = max(3, 0.32 * size)
    figure = new_figure(side + 1.2, side + 1.3, title)
    axes = figure.add_subplot()
    # On the scale of the square root a single mistake is visible beside hundreds in another cell.
    shades = PowerNorm(0.5, vmin=0, vmax=max(most, 1))
    axes.imshow(np.ma.masked_equal(mistakes, 0), cmap="YlOrRd", norm=shades, zorder=2)
    diagonal = np.ma.masked_equal(np.eye(size), 0)
    axes.imshow(diagonal, cmap=ListedColormap([FAINT_GREY]), zorder=2)
    for row, column in np.argwhere(mistakes):
        count = mistakes[row, column]
        axes.text(
            column, row, str(count), ha="center", va="center", zorder=3,
            fontsize=8 if count < 1000 else 6, color="white" if shades(count) > 0.6 else INK,
        )  # fmt: skip
    for row, (found, there) in enumerate(zip(right, support, strict=True)):
        beside(axes, row, f"{100 * found / there:.1f} %" if there >= NEEDED else f"{found} of {there}")
    beside(axes, -1, "recall")
    letters = [plain(letter) for letter in classes]
    axes.set_xticks(range(size), letters, parse_math=False)
    axes.set_yticks(range(size), letters, parse_math=False)
    axes.set_xticks(np.arange(size + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(size + 1) - 0.5, minor=True)
    axes.grid(which="minor", color=FAINT_GREY, linewidth=0.5)
    axes.tick_params(which="both", length=0, labelsize=9)
    axes.set(xlabel=f"read\n{said}", ylabel="truth")
    axes.spines[:].set_color(FAINT_GREY)
    return rendered(figure)


def plot_failures(split: dict[str, dict[str, int]], title: str) -> bytes:
    """Plot the causes of wrong words, a bar for each ranking.

    The parts of wrong answers lie right of zero. Words that the dictionary mended are right; they lie left of zero.

    Parameters
    ----------
    split : dict of str to dict of str to int
        Name of the ranking to the counts of `tasks.scoring.metrics.failure_split`.
    title : str
    """
    from matplotlib.ticker import MaxNLocator

    figure = new_figure(9.5, 1.9 + 0.62 * len(split), title)
    if not any(sum(counts.values()) for counts in split.values()):
        return rendered(say_instead(figure, "no words"))
    axes = figure.add_subplot()
    shares = {
        name: {key: 100 * counts[key] / max(sum(counts.values()), 1) for key in FAILURE_LOOKS}
        for name, counts in split.items()
    }
    wrong = {name: sum(share.values()) - share["rescue"] for name, share in shares.items()}
    mended = max(share["rescue"] for share in shares.values())
    # A third of the width is for the text after the longest bar.
    whole = 1.5 * (max(wrong.values()) + mended or 1)
    axes.set_xlim(-mended - 0.02 * whole * bool(mended), 0.98 * whole - mended)
    for place, (name, share) in enumerate(shares.items()):
        start = 0.0
        for key, (colour, _) in FAILURE_LOOKS.items():
            width = share[key]
            left = -width if key == "rescue" else start
            axes.barh(place, width, left=left, color=colour, height=0.62, edgecolor="white", zorder=2)
            # Narrower parts have no room for their number.
            if width > 0.045 * whole:
                axes.text(
                    left + width / 2, place, f"{width:.3g}" if width < 1 else f"{width:.1f}", ha="center",
                    va="center", fontsize=9, color=INK if key in ("place", "letter") else "white", zorder=3,
                )  # fmt: skip
            start += width if key != "rescue" else 0
        n = sum(split[name].values())
        lost = Rate(n - split[name]["right"] - split[name]["rescue"], n)
        axes.text(start + 0.01 * whole, place, f"wrong {lost}", va="center", fontsize=9, color=INK, zorder=3)
    axes.axvline(0, color=SOFT, linewidth=1, zorder=4)
    axes.set_yticks(range(len(split)), list(split), parse_math=False)
    axes.invert_yaxis()
    axes.set_xlabel("share of all words: mended to the left of zero, lost to the right")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=9, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(percent_sign)
    plain_axes(axes, "x")
    put_legend(figure, axes, FAILURE_LOOKS.values(), 3)
    return rendered(figure)
