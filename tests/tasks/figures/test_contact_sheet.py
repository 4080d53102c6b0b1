import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tasks.figures.contact_sheet import ENLARGE, MARKS, PALE, SKY, SOFT, contact_sheet
from tasks.figures.scores import (
    FAILURE_LOOKS,
    STEP_LOOKS,
    _limits,
    plot_confusion,
    plot_failures,
    plot_rates,
    plot_steps,
)
from tasks.rates import Rate
from tasks.scoring.metrics import rates_by
from tests.plotted import colour, count, decoded, require_plot, rgb


def table(values, share: float, n: int) -> list[dict]:
    return [{"value": value, **Rate(round(share * n), n).as_dict()} for value in values]


def bars(n: int = 10_000, **counts: int) -> dict[str, int]:
    counts = {**dict.fromkeys(FAILURE_LOOKS, 0), **counts}
    return {**counts, "right": n - sum(counts.values())}


def steps(*shares: float) -> list[dict]:
    rate = [Rate(round(5000 * share), 5000).as_dict() for share in shares]
    return [{"step": "one", "segments": 0.9, **dict(zip(STEP_LOOKS, rate, strict=True))}]


PLOTS = {
    "rates": lambda: plot_rates({"shear (mrad)": table([-1, 0, 1], 0.9, 100)}, "Rates"),
    "confusion": lambda: plot_confusion([[9, 3], [0, 8]], "AB", "Letters"),
    "failures": lambda: plot_failures({"none": bars(segments=500)}, "Lost"),
    "steps": lambda: plot_steps(steps(0.6, 0.7, 0.8), "Steps"),
}


def test_sheet_holds_every_picture_enlarged_in_its_place():
    # An own grey for each picture, so that it can be found again.
    images = np.stack([np.full((10, 30), 255 - 10 * k, np.uint8) for k in range(5)])
    sheet = decoded(contact_sheet(images, ["x"] * 5, columns=3))
    assert sheet.ndim == 3
    corners = []
    for k in range(5):
        rows, columns = np.nonzero((sheet == 10 * k).all(axis=2)) if k else _block_of_black(sheet)
        assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (10 * ENLARGE, 30 * ENLARGE)
        corners.append((rows.min(), columns.min()))
    tops, lefts = zip(*corners, strict=True)
    assert tops[0] == tops[1] == tops[2] < tops[3] == tops[4]
    assert lefts[0] == lefts[3] < lefts[1] == lefts[4] < lefts[2]


def _block_of_black(sheet):
    rows, columns = np.nonzero((sheet == 0).all(axis=2))
    first = rows < rows.min() + 10 * ENLARGE
    return rows[first], columns[first]


def test_sheet_shows_ink_dark_on_white():
    images = np.zeros((1, 8, 8), np.uint8)
    images[0, 2:4, 3:5] = 255
    sheet = decoded(contact_sheet(images, [""]))
    rows, columns = np.nonzero((sheet == 0).all(axis=2))
    assert len(rows) == 2 * 2 * ENLARGE**2
    around = sheet[rows.min() - 4 : rows.max() + 5, columns.min() - 4 : columns.max() + 5]
    assert ((around == 0) | (around == 255)).all()


def test_sheet_crops_to_the_sizes_in_use():
    images = np.full((2, 40, 60), 255, np.uint8)
    sizes = np.array([[10, 20], [12, 15]])
    whole, cropped = (decoded(contact_sheet(images, ["", ""], sizes=s)) for s in (None, sizes))
    assert (cropped == 0).all(axis=2).sum() == (10 * 20 + 12 * 15) * ENLARGE**2
    assert cropped.shape[0] < whole.shape[0]
    assert cropped.shape[1] < whole.shape[1]


def test_marks_run_around_the_pixels_of_their_boxes():
    images = np.zeros((2, 20, 40), np.uint8)
    boxes = np.full((2, 3, 4), -1)
    boxes[0, 0], boxes[0, 1] = (4, 5, 12, 15), (2, 20, 9, 30)
    for top, left, bottom, right in boxes[0, :2]:
        images[0, top:bottom, left:right] = 255
    plain, sheet = (decoded(contact_sheet(images, ["", ""], marks=m)) for m in (None, boxes))
    for mark, (top, left, bottom, right) in zip(MARKS, boxes[0, :2], strict=False):
        height, width = ENLARGE * (bottom - top) + 2, ENLARGE * (right - left) + 2
        assert count(sheet, mark) == 2 * (height + width) - 4
        assert count(plain, mark) == 0
    # The ink is whole, and absent boxes leave nothing behind.
    assert ((sheet == 0).all(axis=2) == (plain == 0).all(axis=2)).all()
    assert count(sheet, MARKS[2]) == 0
    rows, columns = np.nonzero((sheet == colour(MARKS[0])).all(axis=2))
    inside = sheet[rows.min() + 1 : rows.max(), columns.min() + 1 : columns.max()]
    assert (inside == 0).all()


def test_captions_stand_below_and_widen_the_cell():
    images = np.zeros((1, 20, 20), np.uint8)
    none, short, long, two = (
        decoded(contact_sheet(images, [text])) for text in ("", "A", "a caption of many words", "A\nB")
    )
    assert long.shape[1] > short.shape[1]
    assert two.shape[0] > short.shape[0] > none.shape[0]
    rows = np.nonzero((short < 100).all(axis=2))[0]
    assert rows.size
    assert rows.min() > 20 * ENLARGE
    assert not (none < 100).all(axis=2).any()


def test_sheet_is_the_same_bytes_for_the_same_input():
    images = np.random.default_rng(1).integers(256, size=(9, 20, 20)).astype(np.uint8)
    sheets = {contact_sheet(images, list("ABCDEFGHI"), columns=4) for _ in range(2)}
    assert len(sheets) == 1
    assert contact_sheet(images, list("ABCDEFGHJ"), columns=4) not in sheets


def test_sheet_of_nothing_is_a_picture():
    assert decoded(contact_sheet(np.empty((0, 20, 20), np.uint8), [])).size


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": np.zeros((2, 4, 4))}, "images must be 3-D uint8"),
        ({"captions": ["one"]}, "captions must be one for each of 2 images, not 1"),
        ({"columns": 0}, "columns must be 1 or more, not 0"),
        ({"sizes": np.array([[4, 4], [5, 4]])}, "sizes must be .* between 1 and 4 x 4"),
        ({"marks": np.zeros((1, 2, 4), int)}, r"marks must be \(2, L, 4\), not \(1, 2, 4\)"),
    ],
)
def test_sheet_refuses_arrays_that_do_not_fit(change, message):
    right = {"images": np.zeros((2, 4, 4), np.uint8), "captions": ["a", "b"]}
    with pytest.raises(ValueError, match=message):
        contact_sheet(**{**right, **change})


@pytest.mark.parametrize("name", PLOTS)
def test_plots_are_pictures_with_equal_bytes(name):
    require_plot(PLOTS[name])


def test_drawing_leaves_pyplot_alone():
    # In a process of its own: another test may have loaded pyplot.
    code = (
        "import sys; from tasks.figures.scores import plot_confusion; plot_confusion([[1]], 'A', 't'); "
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    root = Path(__file__).parents[3]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_rates_show_every_point_and_grow_a_panel_for_each_table():
    numbers = {"scale (%)": table(range(50, 100, 10), 0.9, 500)}
    one = rgb(plot_rates(numbers, "t"))
    three = rgb(plot_rates({**numbers, "a": numbers["scale (%)"], "b": numbers["scale (%)"]}, "t"))
    fonts = rgb(plot_rates({**numbers, "font": table(["Inter", "Play"], 0.8, 500)}, "t"))
    assert three.shape[0] > one.shape[0]
    assert fonts.shape[0] > one.shape[0]
    assert not (rgb(plot_rates({"scale (%)": numbers["scale (%)"][:-1]}, "t")) == one).all()


def test_names_have_bars_of_their_rates_the_worst_at_the_bottom():
    rows = [*table(["Inter"], 0.2, 500), *table(["Play"], 0.8, 500)]
    picture = rgb(plot_rates({"font": rows}, "t")).astype(int)
    shade = np.array([255 - 0.35 * (255 - part) for part in colour(SKY)])
    bar = (np.abs(picture - shade) <= 2).all(axis=2).sum(axis=1)
    lengths = [length for length in bar if length > 50]
    # Grid lines and error bars hide a few pixels of each.
    assert lengths[0] / lengths[-1] == pytest.approx(4, abs=0.1)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.998, 1.0])
@pytest.mark.parametrize("n", [3, 1000, 1_000_000])
def test_limits_never_hide_an_error_bar(share, n):
    rows = table([1, 2], share, n)
    bottom, top = _limits(rows)
    assert 0 <= bottom <= 100 * rows[0]["low"] <= 100 * rows[0]["high"] <= top < 105
    assert top - bottom < 3 * max(100 * (rows[0]["high"] - rows[0]["low"]), 1) or bottom == 0


@pytest.mark.parametrize("tables", [{}, {"font": []}, {"font": rates_by(np.array([], dtype="U1"), np.array([]))}])
def test_rates_of_nothing_say_so(tables):
    assert (rgb(plot_rates(tables, "t")) < 200).any()


def test_rates_take_names_that_look_like_mathematics():
    assert decoded(plot_rates({"font": table(["$\\frac", "a_b"], 0.5, 10)}, "50 $ of $\\bad")).size


def test_confusion_colours_mistakes_only():
    right = rgb(plot_confusion(np.diag([50, 70, 90]), "ABC", "t"))
    wrong = rgb(plot_confusion([[50, 0, 400], [0, 70, 1], [0, 0, 90]], "ABC", "t"))

    def saturated(picture):
        return (np.ptp(picture.astype(int), axis=2) > 40).mean()

    assert saturated(right) == 0
    # Two cells, each of a ninth of the matrix; a single mistake is seen beside 400.
    assert saturated(wrong) > 0.05
    one = rgb(plot_confusion([[50, 0, 400], [0, 70, 0], [0, 0, 90]], "ABC", "t"))
    assert saturated(wrong) > 1.5 * saturated(one)


def test_confusion_must_fit_its_classes():
    with pytest.raises(ValueError, match="confusion must be 3 x 3"):
        plot_confusion([[1, 0], [0, 1]], "ABC", "t")


def test_failure_bars_are_as_long_as_their_shares():
    sizes = {"segments": 800, "place": 400, "letter": 1200, "damage": 600, "rescue": 1000}
    picture = rgb(plot_failures({"none": bars(**sizes)}, "t"))
    picture = picture[: int(0.6 * len(picture))]  # without the legend
    looks = {key: look for key, (look, _) in FAILURE_LOOKS.items()}
    spans = {}
    for key, look in looks.items():
        columns = np.nonzero((picture == colour(look)).all(axis=2).any(axis=0))[0]
        spans[key] = (columns.min(), columns.max())
    unit = np.ptp(spans["letter"]) / sizes["letter"]
    for key, (left, right) in spans.items():
        assert right - left == pytest.approx(unit * sizes[key], abs=4)
    order = [spans[key] for key in ("rescue", "segments", "place", "letter", "damage")]
    assert all(before[1] < after[0] for before, after in pairwise(order))


def test_failures_of_flawless_words_and_of_none():
    for split in ({"none": bars()}, {"none": dict.fromkeys([*FAILURE_LOOKS, "right"], 0)}, {}):
        assert (rgb(plot_failures(split, "t")) < 200).any()


def test_step_bars_are_as_long_as_their_rates():
    picture = rgb(plot_steps(steps(0.5, 0.75, 1.0), "t"))
    picture = picture[: int(0.75 * len(picture))]
    lengths = []
    for look, _ in STEP_LOOKS.values():
        columns = np.nonzero((picture == colour(look)).all(axis=2).any(axis=0))[0]
        lengths.append(np.ptp(columns))
    assert lengths[1] / lengths[0] == pytest.approx(1.5, abs=0.02)
    assert lengths[2] / lengths[0] == pytest.approx(2.0, abs=0.02)


def test_segments_have_a_bar_of_their_own():
    whole, half = steps(0.5, 0.5, 0.5), steps(0.5, 0.5, 0.5)
    half[0]["segments"] = 0.45
    grey = [count(rgb(plot_steps(rows, "t")), SOFT) for rows in (whole, half)]
    assert 1.5 < grey[0] / grey[1] < 2


def test_step_that_was_not_measured_has_no_bar():
    rows = steps(0.5, 0.75, 1.0)
    before = count(rgb(plot_steps(rows, "t")), STEP_LOOKS["probability"][0])
    rows[0]["probability"] = None
    after = count(rgb(plot_steps(rows, "t")), STEP_LOOKS["probability"][0])
    assert 0 < after < before / 10
    assert (rgb(plot_steps([], "t")) < 200).any()


def test_the_range_of_the_book_is_shaded():
    picture = rgb(plot_steps(steps(0.1, 0.1, 0.1), "t"))
    # Orange at 0.22 over white.
    shade = (np.abs(picture.astype(int) - (249, 234, 199)) <= 2).all(axis=2)
    columns = np.nonzero(shade.sum(axis=0) > 50)[0]
    assert 0.03 < np.ptp(columns) / picture.shape[1] < 0.06


def test_sheet_background_is_not_white_so_that_the_canvas_can_be_seen():
    sheet = decoded(contact_sheet(np.zeros((1, 20, 20), np.uint8), ["caption"]))
    assert count(sheet, PALE) > 100
