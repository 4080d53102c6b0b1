"""Answers in low bits, in pixels at fixed places, in sizes and grounds are found; visible letters are not hidden."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from tasks.audit.findings.files.giveaways import find_giveaways
from tasks.audit.findings.files.hidden_pixels import find_hidden

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
COUNT, HEIGHT, WIDTH = 150, 16, 60
FONT = ImageFont.load_default(14)


def texts_of(seed: int) -> list[str]:
    numbers = np.random.Generator(np.random.Philox(key=[seed, 9])).integers(0, len(LETTERS), (COUNT, 4))
    return ["".join(LETTERS[k] for k in row) for row in numbers.tolist()]


def drawn(text: str, number: int, still: bool = False, noise: int = 0) -> np.ndarray:
    """Draw letters at places that vary, unless `still`, (h, w, 3) uint8."""
    rng = np.random.Generator(np.random.Philox(key=[number, 3]))
    image = Image.new("RGB", (WIDTH, HEIGHT), (240, 240, 238))
    for place, letter in enumerate(text):
        shift = 0 if still else int(rng.integers(-3, 4))
        ImageDraw.Draw(image).text(
            (6 + 13 * place + shift, -1 + (0 if still else abs(shift))), letter, (30, 30, 60), FONT
        )
    picture = np.array(image)
    return picture if not noise else (picture - rng.integers(0, noise, picture.shape)).astype(np.uint8)


def with_bits(text: str, picture: np.ndarray, bit: int = 0, step: int = 1) -> np.ndarray:
    flat = picture.reshape(-1)
    coded = np.unpackbits(np.frombuffer(text.encode(), np.uint8))
    at = step * np.arange(len(coded)) + (0 if step > 0 else -1)
    flat[at] = flat[at] & ~np.uint8(1 << bit) | coded << bit
    return picture


def with_row(text: str, picture: np.ndarray) -> np.ndarray:
    picture[-1, : len(text)] = np.array([ord(letter) for letter in text])[:, None]
    return picture


def with_bars(text: str, picture: np.ndarray) -> np.ndarray:
    coded = np.unpackbits(np.frombuffer(text.encode(), np.uint8))
    picture[0, : len(coded)] = 255 * coded[:, None]
    return picture


def with_alpha(text: str, picture: np.ndarray) -> np.ndarray:
    alpha = np.full((*picture.shape[:2], 1), 255, np.uint8)
    alpha[5, 9 : 9 + len(text), 0] -= np.array([ord(letter) for letter in text], np.uint8) - 60
    return np.concatenate([picture, alpha], axis=2)


def wider(text: str, picture: np.ndarray) -> np.ndarray:
    return np.pad(picture, ((0, 0), (0, LETTERS.index(text[0])), (0, 0)), "edge")


def on_ground(text: str, picture: np.ndarray) -> np.ndarray:
    picture[(picture > 200).all(axis=2)] = [200 + LETTERS.index(letter) for letter in text[:3]]
    return picture


@pytest.mark.parametrize(
    ("hide", "noise", "said"),
    [
        (with_bits, 0, "bit 0"), (with_bits, 60, "bit 0"), (lambda t, p: with_bits(t, p, 1, -3), 0, "bit 1"),
        (with_row, 0, "pixels at the border"), (with_bars, 0, "dark and light pixels at the border"),
        (with_alpha, 0, "single pixels"), (wider, 0, "the picture's width"), (on_ground, 0, "the ground's colour"),
        (lambda t, p: with_bits(t, wider("ABCDEFGH"[ord(t[3]) % 8], p)), 0, "bit 0"),
    ],
)  # fmt: skip
def test_what_tells_the_answer_is_named(hide, noise, said):
    texts = texts_of(1)
    found = find_hidden([hide(text, drawn(text, k, noise=noise)) for k, text in enumerate(texts)], texts)
    assert found[0][0].startswith(said)
    assert "letter" in found[0][1]


def packed(picture: np.ndarray) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=80)
    return np.array(Image.open(file))


@pytest.mark.parametrize("noise", [0, 60])
def test_pictures_that_hide_nothing_are_not_accused(noise):
    texts = texts_of(2)
    assert find_hidden([drawn(text, k, noise=noise) for k, text in enumerate(texts)], texts) == []


@pytest.mark.parametrize("saved", [np.asarray, packed])
def test_letters_in_fixed_places_are_not_hidden(saved):
    """Packing changes low bits around them; their edges have greys of their own."""
    texts = texts_of(3)
    assert find_hidden([saved(drawn(text, k, still=True)) for k, text in enumerate(texts)], texts) == []


def test_pixels_of_files_and_of_a_dataset_are_looked_at(tmp_path):
    texts = texts_of(4)[:80]
    pictures = [with_row(text, drawn(text, k)) for k, text in enumerate(texts)]
    for k, (text, picture) in enumerate(zip(texts, pictures, strict=True)):
        Image.fromarray(picture).save(tmp_path / f"{k:04d}_{text}.png")
    for found in (find_giveaways([tmp_path], texts), find_giveaways([], texts, (pictures, texts))):
        assert found[0]["severity"] == "high"
        assert "The answer is hidden in pixels at the border" in found[0]["plain"]
        assert "no pixel" in found[0]["remedy"]


@pytest.mark.parametrize("order", ["big", "little"])
@pytest.mark.parametrize(("where", "said"), [(slice(0, 3), "first 3"), (slice(-3, None), "last 3")])
def test_an_answer_that_is_a_number_in_a_pixel_is_found(order, where, said):
    """No single value tells a letter then."""
    texts, pictures = texts_of(4), []
    for k, text in enumerate(texts):
        number = sum(LETTERS.index(letter) * len(LETTERS) ** (3 - place) for place, letter in enumerate(text))
        picture = drawn(text, k)
        picture.reshape(-1)[where] = list(number.to_bytes(3, order))
        pictures.append(picture)
    for some in (pictures, [255 - picture for picture in pictures]):
        assert find_hidden(some, texts) == [("single pixels", f"the {said} values are the answer as a number", COUNT)]
    assert not find_hidden([drawn(text, k, noise=9) for k, text in enumerate(texts)], texts)
