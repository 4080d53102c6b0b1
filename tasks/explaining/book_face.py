"""Whether the book's procedure can draw its letters in a face."""

from storage.errors import BadInput
from tasks.profiles.fonts import Face, require_characters
from tasks.scoring import book


def require_book_face(face: Face) -> None:
    """Refuse a face that lacks a letter, or so thin that a letter leaves no ink at the book's 22 pixels.

    Raises
    ------
    BadInput
    """
    require_characters(face, book.LETTERS)
    font = book.load_font(face.path)
    for letter in book.LETTERS:
        try:
            book.draw(letter, 0.0, 1.0, book.LETTER_CANVAS, font)
        except ValueError as error:
            raise BadInput(f"font {face.name}, {error}") from error
