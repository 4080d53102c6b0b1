import numpy as np
import pytest

from tasks.figures.contact_sheet import ENLARGE, MARKS, PALE, contact_sheet, mixed_sheet
from tests.plotted import colour, count, decoded


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
        ({"images": np.zeros((2, 4, 4))}, r"images must be \(n, H, W\) or \(n, H, W, 3\) uint8"),
        ({"captions": ["one"]}, "captions must be 2, as many as images, not 1"),
        ({"columns": 0}, "columns must be 1 or more, not 0"),
        ({"sizes": np.array([[4, 4], [5, 4]])}, "sizes must be .* between 1 and 4 x 4"),
        ({"marks": np.zeros((1, 2, 4), int)}, r"marks must be \(2, L, 4\), not \(1, 2, 4\)"),
    ],
)
def test_sheet_refuses_arrays_that_do_not_fit(change, message):
    right = {"images": np.zeros((2, 4, 4), np.uint8), "captions": ["a", "b"]}
    with pytest.raises(ValueError, match=message):
        contact_sheet(**{**right, **change})


def test_sheet_background_is_not_white_so_that_the_canvas_can_be_seen():
    sheet = decoded(contact_sheet(np.zeros((1, 20, 20), np.uint8), ["caption"]))
    assert count(sheet, PALE) > 100


def test_a_sheet_of_mixed_sizes_shows_each_picture_whole():
    pictures = [np.full(shape, 255, np.uint8) for shape in ((10, 20), (12, 15), (1, 1))]
    sheet = decoded(mixed_sheet(pictures, [""] * 3, columns=2))
    assert (sheet == 0).all(axis=2).sum() == (10 * 20 + 12 * 15 + 1) * ENLARGE**2
    canvas = np.zeros((3, 12, 20), np.uint8)
    for row, picture in zip(canvas, pictures, strict=True):
        row[: picture.shape[0], : picture.shape[1]] = picture
    sizes = np.array([picture.shape for picture in pictures])
    assert (decoded(contact_sheet(canvas, [""] * 3, 2, sizes)) == sheet).all()


def test_a_sheet_of_no_mixed_sizes_is_a_picture():
    assert mixed_sheet([], []) == contact_sheet(np.empty((0, 8, 8), np.uint8), [])


@pytest.mark.parametrize("width", [20, 140, 300, 600, 900])
def test_a_sheet_fits_a_page_of_1000_pixels(width):
    images = np.full((9, 30, width), 255, np.uint8)
    sheet = decoded(contact_sheet(images, ["WORD"] * 9, columns=8))
    assert sheet.shape[1] <= 1000
    assert (sheet == 0).all(axis=2).sum() >= 9 * 30 * width * (ENLARGE**2 if width < 490 else 1)
    many = decoded(contact_sheet(np.repeat(images, 5, axis=0), ["WORD"] * 45))
    assert many.shape[1] <= 1000
    assert many.shape[0] < 2500 or width > 490


def test_sheet_shows_colours_as_they_are():
    images = np.full((2, 8, 12, 3), (200, 30, 90), np.uint8)
    images[1] = (10, 220, 240)
    sizes = np.array([[8, 12], [4, 6]])
    ink = np.full((3, 3), 255, np.uint8)
    mixed = mixed_sheet([images[0], images[1, :4, :6], ink], ["", "", ""])
    assert (decoded(mixed) == 0).all(axis=2).sum() == 3 * 3 * ENLARGE**2
    for sheet in (contact_sheet(images, ["", ""], sizes=sizes), mixed):
        there = decoded(sheet)
        assert [(there == pixel).all(axis=2).sum() for pixel in ((200, 30, 90), (10, 220, 240))] == [
            8 * 12 * ENLARGE**2, 4 * 6 * ENLARGE**2
        ]  # fmt: skip
