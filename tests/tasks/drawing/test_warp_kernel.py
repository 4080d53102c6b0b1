"""The general kernel against scikit-image's `warp` in floating point, one letter at a time."""

import math
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from skimage.transform import warp

from tasks.drawing import bilinear, resampling, warp_kernel
from tasks.drawing.renderer import Renderer
from tasks.profiles.fonts import find_face
from tasks.profiles.glyphs import draw_glyphs
from tasks.profiles.profile import Grid, Ink, Profile
from tasks.profiles.ranges import OFF

WORDS = ("WAVE", "JILT", "QUAG", "BOZO", "MINK", "HYPE")
PLAIN = Profile("plain", words="list", length=(4, 4), height=60, width=170, left=20, top=12, shear=Grid(0, 450, 150),
                scale=Grid(100, 100))  # fmt: skip
CASES = {
    "rotation": replace(PLAIN, rotation=Grid(-30, 30, 5)),
    "move": replace(PLAIN, move_y=Grid(-4, 4), move_x=Grid(-3, 3)),
    "tracking": replace(PLAIN, tracking=Grid(-2, 5)),
    "wave_y": replace(PLAIN, wave_y=Grid(5, 40, 5), wave_length=Grid(40, 90, 7)),
    "wave_x": replace(PLAIN, wave_x=Grid(5, 30, 5), wave_length=Grid(30, 60, 7)),
    "small": replace(PLAIN, rotation=Grid(-20, 20, 5), scale=Grid(30, 65, 5)),
    "scaled": replace(PLAIN, rotation=Grid(-20, 20, 5), scale=Grid(70, 230, 15)),
    "grey": replace(PLAIN, fonts=("Vollkorn Bold", "Comic Neue Bold"), ink=Ink.GREY, rotation=Grid(-15, 15)),
    "turned round": replace(PLAIN, height=70, rotation=Grid(90, 180, 15), shear=Grid(-300, 300, 300)),
    "all": replace(
        PLAIN, fonts=("Inter Black", "Play Bold"), shear=Grid(-300, 450, 75), scale=Grid(50, 150, 10),
        rotation=Grid(-15, 15), move_y=Grid(-3, 3), move_x=Grid(-2, 2), tracking=Grid(0, 3), wave_y=Grid(10, 30),
        wave_x=Grid(10, 30), wave_length=Grid(50, 90), left=30, width=190, height=66, top=16,
    ),
}  # fmt: skip


def renderer_for(profile: Profile, words: tuple[str, ...] = WORDS) -> Renderer:
    faces = tuple(map(find_face, profile.fonts))
    glyphs = tuple(draw_glyphs(face, profile.font_size, profile.alphabet, profile.ink) for face in faces)
    return Renderer(profile, faces, glyphs, words)


def value(row: np.void, name: str) -> np.ndarray:
    return row[name] if name in row.dtype.names else np.zeros(4, int)


def letters_alone(profile: Profile, text: str, row: np.void) -> list[np.ndarray]:
    """Each letter of a picture in floating point, (rows, columns): Pillow draws it, `warp` does all the rest."""
    name = profile.fonts[row["font"]]
    font = ImageFont.truetype(find_face(name).path, profile.font_size, layout_engine=ImageFont.Layout.BASIC)
    scale, shape = row["scale"] / 100, (int(row["height"]), int(row["width"]))
    samples = 1 if scale >= 0.7 else math.ceil(1 / scale)
    found, space = [], 0
    for k, letter in enumerate(text):
        space += 64 * int(value(row, "tracking")[k])
        pen = font.getlength(text[: k + 1]) - font.getlength(letter) + space / 64
        picture = Image.new("L", (profile.width, profile.height))
        corner = (profile.left + math.floor(pen + 0.5), profile.top)
        ImageDraw.Draw(picture).text(corner, letter, fill=1 if profile.ink is Ink.BINARY else 255, font=font)
        bitmap = np.asarray(picture).astype(float) * (255 if profile.ink is Ink.BINARY else 1)
        ys, xs = np.nonzero(bitmap)
        middle = np.array([(xs.min() + xs.max()) / 2, (ys.min() + ys.max()) / 2])
        angle = math.radians(value(row, "rotation")[k])
        move = np.array([value(row, "move_x")[k], value(row, "move_y")[k]])

        def source(places, middle=middle, angle=angle, move=move):
            x, y = ((places + 0.5) / (scale * samples) - 0.5).T
            if "wave_y" in row.dtype.names:
                length, turn = max(row["wave_length"], 1), 2 * np.pi
                down = row["wave_y"] / 10 * np.sin(turn * (x / length + row["phase_y"] / 1024))
                across = row["wave_x"] / 10 * np.sin(turn * (y / length + row["phase_x"] / 1024))
                x, y = x + across, y + down
            x = x - math.tan(row["shear"] / 1000) * y
            x, y = x - middle[0] - move[0], y - middle[1] - move[1]
            # Back from a counter-clockwise turn, with y down.
            return np.stack(
                [math.cos(angle) * x - math.sin(angle) * y + middle[0],
                 math.sin(angle) * x + math.cos(angle) * y + middle[1]], axis=1,
            )  # fmt: skip

        fine = warp(
            bitmap, source, output_shape=(shape[0] * samples, shape[1] * samples), order=1, mode="constant",
            preserve_range=True,
        )  # fmt: skip
        found.append(fine.reshape(shape[0], samples, shape[1], samples).mean(axis=(1, 3)))
    return found


@pytest.mark.parametrize("profile", CASES.values(), ids=CASES)
def test_pictures_and_boxes_agree_with_warp(profile):
    """Within 3 grey levels: the kernel's coordinates have 8 bits where it interpolates, and three letters may add."""
    block = renderer_for(profile).block(5, 1, 24)
    worst = 0.0
    for image, text, boxes, row in zip(block.images, block.texts(), block.boxes, block.parameters, strict=True):
        letters = letters_alone(profile, text, row)
        rows, columns = letters[0].shape
        worst = max(worst, np.abs(image[:rows, :columns] - np.minimum(sum(letters), 255)).max())
        assert not image[rows:].any()
        assert not image[:, columns:].any()
        for letter, (top, left, bottom, right) in zip(letters, boxes.tolist(), strict=True):
            # All that is clearly there is in the box, and the box's borders touch something.
            outside = letter.copy()
            outside[top:bottom, left:right] = 0
            assert outside.max() < 2.5
            inside = letter[top:bottom, left:right]
            assert min(inside[0].max(), inside[-1].max(), inside[:, 0].max(), inside[:, -1].max()) > 0
    assert worst <= 3, worst


def test_boxes_are_exact():
    """Bounds of the pixels above 0 of each letter drawn by the kernel alone, where none overlaps."""
    profile = replace(PLAIN, tracking=Grid(30, 31), rotation=Grid(-15, 15), width=300, scale=Grid(60, 140, 20))
    block = renderer_for(profile).block(3, 0, 200)
    for image, boxes in zip(block.images, block.boxes.astype(int), strict=True):
        assert (boxes[1:, 1] >= boxes[:-1, 3]).all()
        for top, left, bottom, right in boxes:
            letter = image[top:bottom, left:right]
            assert letter[0].any() and letter[-1].any() and letter[:, 0].any() and letter[:, -1].any()
            image[top:bottom, left:right] = 0
        assert not image.any()


def test_without_a_distortion_it_draws_what_the_plain_kernel_draws():
    """A tracking that may be 1 calls the general kernel; where it is 0, nothing is distorted."""
    plain = replace(PLAIN, scale=Grid(100, 140, 20))
    texts = [word for word in WORDS for _ in range(8)]
    shear, scale = [0, 150, 300, 450] * 12, [100, 120, 140] * 16
    one, other = renderer_for(plain), renderer_for(replace(plain, tracking=Grid(0, 1)))
    expected = one.render(one.table(texts, 0, shear, scale))
    drawn = other.render(other.table(texts, 0, shear, scale, tracking=0))
    difference = np.abs(drawn.images.astype(int) - expected.images)
    # The plain kernel interpolates twice, first along a row for the shear.
    assert difference[np.array(scale) == 100].max() <= 2
    assert difference.mean() < 0.7


def test_overlap_sets_letters_by_their_ink():
    profile = replace(PLAIN, shear=OFF, overlap=Grid(-3, 3))
    block = renderer_for(profile).block(2, 0, 300)
    boxes, overlap = block.boxes.astype(int), block.parameters["overlap"].astype(int)
    assert (boxes[:, 0, 1] == profile.left).all()
    assert (boxes[:, :-1, 3] - boxes[:, 1:, 1] == overlap[:, 1:]).all()
    assert (overlap[:, 0] == 0).all()
    assert set(overlap[:, 1:].ravel().tolist()) == set(range(-3, 4))
    abut = renderer_for(replace(profile, overlap=OFF)).block(2, 0, 50)
    assert (abut.boxes[:, :-1, 3] == abut.boxes[:, 1:, 1]).all()


def test_overlap_is_of_letters_as_they_are_turned():
    """Measured on the warped letters: where half a pixel of ink begins and ends."""
    profile = replace(PLAIN, shear=OFF, rotation=Grid(-20, 20, 4), overlap=Grid(2, 2))
    block = renderer_for(profile).block(2, 0, 12)
    for text, row in zip(block.texts(), block.parameters, strict=True):
        plain = letters_alone(replace(profile, overlap=None), text, row)  # the right turns at other places
        spans = [np.flatnonzero((letter > 127).any(axis=0)) for letter in plain]
        widths = [span[-1] + 1 - span[0] for span in spans]
        boxes = block.boxes[block.texts().index(text)].astype(int)
        assert abs((boxes[-1, 3] - boxes[0, 1]) - (sum(widths) - 6)) <= 5


def test_pictures_do_not_depend_on_their_neighbours():
    renderer = renderer_for(CASES["all"])
    table = renderer.parameters(1, 0)
    whole, some = renderer.render(table), renderer.render(table.rows([700, 3, 3]))
    for one, other in zip(whole.rows([700, 3, 3]), some, strict=True):
        assert one.tobytes() == other.tobytes()
    assert len(warp_kernel.draw_letters.signatures) == 1  # compiled once for every profile


def test_solid_ink_stays_solid_and_samples_add_up():
    square = np.full((9, 7), 255, np.uint8)
    texels = bilinear.texels(square)
    assert texels.shape == (12, 10)
    assert texels[2 + 3, 2 + 3] == 0xFFFFFFFF
    assert texels[1, 1] == 0xFF000000
    assert texels[2 + 8, 2 + 6] == 0xFF
    assert not texels[0].any() and not texels[-1].any() and not texels[:, 0].any() and not texels[:, -1].any()


@pytest.mark.parametrize(("scale", "samples"), [(10, 10), (33, 4), (50, 2), (69, 2), (70, 1), (100, 1), (400, 1)])
def test_sample_places(scale, samples):
    assert resampling.samples(scale) == samples
    places = resampling.sample_places(scale, 50)
    wanted = (np.arange(50 * samples) + 0.5) * 100 / (scale * samples) - 0.5
    assert np.abs(places / 65536 - wanted).max() <= 1 / 65536


def test_sines_are_exact_to_their_last_bit():
    for turn in (7, 360, 4096):
        for number in range(-5, 2 * turn, 3):
            exact = math.sin(2 * math.pi * number / turn) * 65536
            assert abs(resampling.sine(number, turn) - exact) <= 0.5000001
    assert [resampling.sine(k, 4) for k in range(5)] == [0, 65536, 0, -65536, 0]
    sines, cosines = resampling.turned(np.array([-90, 0, 30, 180]))
    assert (sines.tolist(), cosines.tolist()) == ([-65536, 0, 32768, 0], [0, 65536, 56756, -65536])


def test_positive_angles_turn_counter_clockwise():
    profile = Profile("minus", alphabet="-I", height=60, width=60, left=20, top=10, shear=OFF, scale=Grid(100, 100),
                      rotation=Grid(0, 45, 45))  # fmt: skip
    renderer = renderer_for(profile, ())
    turned = renderer.render(renderer.table(["-"], rotation=45)).images[0]
    ys, xs = np.nonzero(turned > 100)
    assert np.corrcoef(ys, xs)[0, 1] < -0.5  # further right is higher up
