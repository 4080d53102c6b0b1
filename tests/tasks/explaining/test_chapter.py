"""The book's chapter in pictures: drawn by the book's own code, with its own rates."""

import numpy as np
import pytest
from PIL import Image

from tasks.explaining import chapter
from tasks.explaining.chapter import PICTURES, write_chapter
from tasks.figures.picture_rows import PictureCell, PictureRow, picture_rows
from tasks.profiles.fonts import find_face
from tasks.profiles.word_lists import load_words
from tasks.scoring import book

FACE, WORDS = find_face("Inter Black"), 40


def test_rates_are_the_books_and_each_defect_has_its_example(tmp_path, monkeypatch):
    steps = (book.STEPS[1], book.STEPS[6])
    monkeypatch.setattr(book, "STEPS", steps)
    monkeypatch.setattr(book, "TRAINING_LETTERS", 100)
    done: list[int] = []
    report = write_chapter(FACE, 14, tmp_path, WORDS, done.append)
    assert done == [1] * len(steps)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(PICTURES)
    for name in PICTURES:
        with Image.open(tmp_path / name) as picture:
            assert picture.width == 1000
    listed = load_words("web2", book.LETTERS, (4, 4))
    words = [listed[k * len(listed) // WORDS] for k in range(WORDS)]
    for step, told in zip(steps, report["steps"], strict=True):
        assert told["words_right"] == pytest.approx(WORDS * book.run_step(step, words, FACE.path)["no_dictionary"])
    assert report["steps"][0]["words_right"] < report["steps"][1]["words_right"]


def test_the_chosen_words_show_what_the_page_says():
    """They touch at the book's threshold, and fall apart into four at a higher one."""
    font = book.load_font(FACE.path)
    for word, shear, scale in chapter.TOUCHING:
        image = book.draw(word, shear, scale, book.WORD_CANVAS, font)
        assert len(book.segments(image, 0.2)) < 4
        assert len(book.segments(image, 0.6)) == 4
    image = book.draw("GAVE", 0.45, 1.0, book.WORD_CANVAS, font)
    whole, own = (book.segments(image, 0.4, ordered=True, own_pixels=kind) for kind in (False, True))
    assert [piece.shape for piece in whole] == [piece.shape for piece in own]
    assert any(float(a.sum()) > float(b.sum()) + 1 for a, b in zip(whole, own, strict=True))


def test_each_piece_has_its_box_in_a_colour_and_leaning_boxes_overlap():
    image = book.draw("GAVE", 0.45, 1.0, book.WORD_CANVAS, book.load_font(FACE.path))
    painted = chapter.boxed(image, 0.4, times=2)
    assert painted.shape == (2 * image.shape[0], 2 * image.shape[1], 3)
    inked = np.argwhere(image > 0.4)
    sides = []
    for colour in chapter._COLOURS[:4]:
        rows, columns = np.nonzero((painted == colour).all(axis=2))
        sides.append((columns.min(), columns.max()))
        assert {rows.min(), rows.max()} == {2 * inked[:, 0].min(), 2 * inked[:, 0].max() + 1}
    assert sides[1][1] > sides[2][0]  # A and V
    plain = np.zeros((4, 4))
    assert (chapter.boxed(plain, 0.4, times=3) == 255).all()


def test_a_long_row_goes_on_in_the_next_line():
    image = np.zeros((20, 300), np.uint8)
    one, many = (
        picture_rows([PictureRow("heading", "says", [PictureCell(image, "below", 1), None] * count)], "title")
        for count in (1, 5)
    )
    assert int.from_bytes(many[20:24], "big") > int.from_bytes(one[20:24], "big") + 40
    assert picture_rows([PictureRow("", "", [])], "") == picture_rows([PictureRow("", "", [])], "")
