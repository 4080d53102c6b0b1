"""Among digits a letter that looks like a digit is read as the digit, where nobody said which letters may occur."""

import numpy as np
import pytest

from storage.deep_models import load_deep_model
from tasks.deep.deep_reader import DeepReader, Seen
from tasks.shipped import STRANGERS

MODEL = load_deep_model(STRANGERS)
ALPHABET = DeepReader(MODEL).alphabet


def seen(*columns: dict[str, float]) -> Seen:
    """Make what the network would give for letters, '' for none, of these probabilities, each after an empty column."""
    shares = np.full((1, 2 * len(columns) + 1, 1 + len(ALPHABET)), 1e-9)
    shares[0, ::2, 0] = 1
    for place, letters in enumerate(columns):
        for letter, share in letters.items():
            shares[0, 2 * place + 1, 1 + ALPHABET.index(letter) if letter else 0] = share
    shares /= shares.sum(axis=2, keepdims=True)
    size, width = np.array([[40, 100]]), np.array([8 * len(columns) + 4])
    return Seen(np.log(shares).astype(np.float32), size, width, np.array([[0.0, 100.0]]))


def reader_of(doubts: bool, **told: object) -> DeepReader:
    reader = DeepReader(MODEL, **told)
    reader.doubts = doubts
    return reader


def read(looked_at: Seen, doubts: bool = True, **told: object) -> tuple[str, float]:
    readings = reader_of(doubts, **told).read_seen(looked_at)
    return str(readings.reading[0]), float(readings.reading_confidence[0])


FOUR, SEVEN, A = {"4": 1.0}, {"7": 1.0}, {"A": 1.0}
ONE = {"l": 0.6, "1": 0.2, "I": 0.2}


@pytest.mark.parametrize(
    ("letters", "word"),
    [
        ((FOUR, ONE, FOUR, SEVEN), "4147"),
        ((ONE, ONE, FOUR, SEVEN, SEVEN), "11477"),
        ((ONE, ONE, FOUR, SEVEN), "1147"),
        ((ONE, ONE, ONE, SEVEN, SEVEN), "lll77"),  # two of five are digits
        ((FOUR, A, ONE, SEVEN), "4Al7"),
        ((FOUR, {"l": 0.99, "1": 0.01}, FOUR, SEVEN), "4l47"),  # e^4 is 55
        ((FOUR, {"l": 0.97, "1": 0.03}, FOUR, SEVEN), "4147"),
        ((FOUR, FOUR, SEVEN), "447"),
        ((ONE,), "l"),
    ],
)
def test_a_text_of_which_half_are_digits_has_digits_alone(letters, word):
    assert read(seen(*letters))[0] == word


def test_only_readers_of_strangers_pictures_of_whose_letters_nothing_is_told_do_so():
    looked_at = seen(FOUR, ONE, FOUR, SEVEN)
    assert read(looked_at, doubts=False)[0] == read(looked_at, alphabet=ALPHABET)[0] == "4l47"
    assert read(looked_at, words=("4l47", "4747"))[0] == "4l47"
    assert read(looked_at, length=(4, 5))[0] == "4147"


def test_what_is_read_so_is_believed_as_far_as_the_network_believes_it():
    sure, likely, unlikely = (
        read(seen(FOUR, {"l": 1 - share, "1": share}, FOUR, SEVEN)) for share in (0.45, 0.2, 0.03)
    )
    assert {word for word, _ in (sure, likely, unlikely)} == {"4147"}
    assert sure[1] >= likely[1] > unlikely[1]
    assert unlikely[1] < read(seen(FOUR, {"1": 1.0}, FOUR, SEVEN))[1]


def test_letters_stand_where_they_were_found():
    late = seen(FOUR, {"l": 0.6, "": 0.4}, {"": 0.7, "1": 0.3}, FOUR, SEVEN)  # the 1 comes two columns after the l
    plain, found = (reader_of(doubts, length=(4, 5)).read_seen(late) for doubts in (False, True))
    assert (plain.reading[0], found.reading[0]) == ("4l47", "4147")
    assert plain.box[1].tolist() != found.box[1].tolist()
    assert found.box[1, 1] > plain.box[1, 1]


def test_the_three_best_texts_differ_and_share_what_there_is():
    looked_at = seen(FOUR, {"l": 0.55, "1": 0.25, "I": 0.2}, {"4": 0.7, "9": 0.3}, SEVEN)
    readings = reader_of(True).read_seen(looked_at)
    words = readings.words[0].tolist()
    assert words[0] == "4147" and words[1] == "4197" and len(set(words)) == 3
    assert readings.confidences[0].sum() <= 1 + 1e-9


def test_a_length_that_no_text_of_digits_has_keeps_the_letters():
    looked_at = seen(FOUR, {"l": 1.0}, FOUR, SEVEN)
    assert read(looked_at, length=(4, 4))[0] == "4l47"


def test_a_number_is_no_shorter_than_usual_where_the_best_text_is_not():
    unsure = seen(FOUR, SEVEN, FOUR, {"": 0.6, "l": 0.4})  # 474 is likelier, and not likely enough for three letters
    assert read(unsure)[0] == "474l"
    assert read(unsure, length=(1, 6))[0] == "474"  # who tells the length means it
    assert read(seen(FOUR, SEVEN, {"l": 0.95, "1": 0.05}))[0] == "471"  # three letters that are sure
