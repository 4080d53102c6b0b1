"""Letters at places that never vary are found also where noise fills the gaps between them."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from tasks.audit.findings.measuring.letters import Cut, cut_letters
from tasks.audit.findings.measuring.sampled import Sampled
from tasks.audit.findings.picture_defects import find_variation

FONT = ImageFont.load_default(32)
LETTERS = "ABCDEFGHKMNPQRSTUVWXYZ"


def sample(start: int, step: int, count: int = 120, length: int = 5) -> Sampled:
    """Draw texts under lines and specks; the first letter and the distances vary by so many pixels."""
    pictures, texts = [], []
    for seed in range(count):
        rng = np.random.Generator(np.random.Philox(key=[seed, 12]))
        image = Image.new("L", (180, 50), 0)
        draw = ImageDraw.Draw(image)
        left = 8 + int(rng.integers(0, start + 1))
        text = "".join(LETTERS[k] for k in rng.integers(0, len(LETTERS), length))
        for letter in text:
            draw.text((left, int(rng.integers(2, 12))), letter, 255, FONT)
            left += 30 + int(rng.integers(-step, step + 1))
        for _ in range(5):
            draw.line([(int(rng.integers(180)), int(rng.integers(50))) for _ in range(2)], 255, 2)
        for _ in range(200):
            draw.point((int(rng.integers(180)), int(rng.integers(50))), 255)
        pictures.append(np.asarray(image))
        texts.append(text)
    boxes = np.full((count, length, 4), -1, np.int16)
    return Sampled(pictures, texts, boxes, np.zeros(count), texts, count)


@pytest.mark.parametrize(("start", "step", "severity"), [(0, 0, "high"), (3, 1, "high"), (24, 4, "unknown")])
def test_places_that_never_vary_are_named_under_noise(start, step, severity):
    some = sample(start, step)
    found = find_variation(some, cut_letters(some))
    assert found["severity"] == severity
    assert ("as many peaks as a text has letters" in found["plain"]) == (severity == "high")
    assert ("nearly fixed places" in found["plain"]) == (severity == "high")


def test_few_pictures_have_no_smooth_mean():
    some = sample(0, 0, 40)
    assert find_variation(some, cut_letters(some))["figures"]["ink_has_as_many_peaks"] is False


@pytest.mark.parametrize(("start", "step", "told"), [(0, 0, True), (24, 4, False)])
def test_boxes_that_specks_move_hide_no_fixed_places(start, step, told):
    """What is cut at gaps has the specks beside it, so its middle varies where the letter stands still."""
    some = sample(start, step)
    cut = Cut(by_gaps=True)
    for number, text in enumerate(some.texts):
        for place, letter in enumerate(text):
            left = 8 + 30 * place + number % 5 * 3
            cut.boxes.append((4, left, 40, left + 20))
            cut.pictures.append(some.pictures[number][4:40, left : left + 20])
            cut.labels.append(letter)
            cut.sources.append(number)
    found = find_variation(some, cut)
    assert found["figures"]["place_varies_px"] > 1
    assert found["figures"]["ink_has_as_many_peaks"] is told
    assert ("fixed places" in found["plain"]) == told
