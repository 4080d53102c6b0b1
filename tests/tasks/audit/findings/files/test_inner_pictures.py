"""Files with more than one picture: frames of every format, thumbnails, pictures behind the picture."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont, ImageOps

from tasks.audit.findings.files.giveaways import find_giveaways
from tasks.audit.findings.files.inner_pictures import frames_of
from tasks.audit.findings.measuring.same_pictures import likeness, shows_same

FONT = ImageFont.load_default(28)
TEXTS = [f"{first}{second}" for first in "ABCDEFGH" for second in "KLMNP"]


def noise(number: int, height: int = 20, width: int = 60) -> Image.Image:
    values = np.random.Generator(np.random.Philox(key=[number, 7])).integers(0, 256, (height, width))
    return Image.fromarray(values.astype(np.uint8))


def saved(kind: str, frames: list[Image.Image], **options: object) -> bytes:
    file = io.BytesIO()
    more = {"save_all": True, "append_images": frames[1:]} if len(frames) > 1 else {}
    frames[0].save(file, kind, **more, **options)
    return file.getvalue()


def with_thumbnail(number: int, inner: Image.Image) -> bytes:
    small = saved("JPEG", [inner])
    return saved("JPEG", [noise(number)], quality=95, exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0" + small)


def frames_found(folder, make):
    """Write a file for each text, and return the finding `frames`; None if there is none."""
    for number, text in enumerate(TEXTS):
        (folder / f"{text}.png").write_bytes(make(number))
    return next((found for found in find_giveaways([folder], TEXTS) if found["name"] == "frames"), None)


@pytest.mark.parametrize(("kind", "options"), [("GIF", {}), ("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {})])
def test_frames_of_every_format_are_told(tmp_path, kind, options):
    def make(number: int) -> bytes:
        return saved(kind, [noise(number + 100 * frame).convert("RGB") for frame in range(3)], **options)

    found = frames_found(tmp_path, make)
    assert (found["figures"]["moving"], found["figures"]["most_frames"]) == (len(TEXTS), 3)
    assert "40 of 40 files have several frames" in found["plain"]


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF", "JPEG", "BMP"])
def test_a_picture_alone_is_one_frame(kind):
    assert frames_of(saved(kind, [noise(1)])) == 1


def test_pixels_that_look_like_the_begin_of_a_frame_are_none():
    """Packed noise has any three bytes somewhere."""
    data = saved("GIF", [noise(1)])
    at = data.index(b"\x2c") + 10 + 1 + 1 + 20  # within the first block of packed pixels
    assert frames_of(data[:at] + b"\x21\xf9\x04" + data[at + 3 :]) == 1


@pytest.mark.parametrize(
    "data", [b"GIF89a", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP", b"II*\0", b"MM\0*\0\0\0\x08", b""]
)
def test_a_damaged_file_has_one_frame(data):
    assert frames_of(data) == 1


def test_pages_in_a_circle_have_an_end():
    assert frames_of(b"II*\0" + struct.pack("<IHI", 8, 0, 8)) == 1


def test_a_thumbnail_that_shows_something_else_is_of_high_severity(tmp_path):
    found = frames_found(tmp_path, lambda number: with_thumbnail(number, noise(number + 500)))
    assert found["severity"] == "high"
    assert found["figures"]["other_than_the_picture"] == {"EXIF or XMP": len(TEXTS)}
    assert found["shown"]


def test_a_smaller_copy_is_of_low_severity(tmp_path):
    found = frames_found(tmp_path, lambda number: with_thumbnail(number, noise(number).resize((30, 10))))
    assert found["severity"] == "low"
    assert "EXIF or XMP of 40 of 40 files" in found["plain"]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF"])
def test_a_picture_behind_the_picture_is_told(tmp_path, kind):
    """Also one that ends as the picture does."""
    found = frames_found(tmp_path, lambda number: 2 * saved(kind, [noise(number)]))
    assert found["figures"]["within"] == {"bytes behind the picture": len(TEXTS)}
    assert found["severity"] == "low"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"])
def test_single_pictures_are_no_finding(tmp_path, kind):
    assert frames_found(tmp_path, lambda number: saved(kind, [noise(number)])) is None


def test_likeness_is_of_levels_and_not_of_sizes():
    one = np.asarray(noise(3))
    assert likeness(one, np.asarray(noise(3).resize((120, 40), Image.Resampling.NEAREST))) > 0.99
    assert abs(likeness(one, np.asarray(noise(4)))) < 0.2
    blank = np.full((20, 60), 255, np.uint8)
    assert (likeness(blank, blank), likeness(blank, one)) == (1.0, 0.0)


@pytest.mark.parametrize(("kind", "options"), [("GIF", {}), ("PNG", {}), ("WEBP", {"lossless": True})])
def test_a_frame_that_is_clearer_than_what_the_attackers_saw_is_told(tmp_path, kind, options):
    """The frame with most ink is noise; the letters stand in a later one."""

    def make(number: int, first: bool = True) -> bytes:
        letters = Image.new("L", (90, 50), 255)
        for place, letter in enumerate(TEXTS[number]):
            ImageDraw.Draw(letters).text((14 + 34 * place + number % 5, 4 + number % 7), letter, 0, FONT)
        frames = [noise(number, 50, 90), letters] if first else [letters, letters.point(lambda level: level // 2 + 127)]
        return saved(kind, [frame.convert("RGB") for frame in frames], **options)

    found = frames_found(tmp_path, make)
    assert found["severity"] == "high"
    assert found["figures"]["clearer_frames"] == 24
    assert "letters stand clear in a frame" in found["plain"]
    honest = frames_found(tmp_path, lambda number: make(number, first=False))
    assert (honest["severity"], honest["figures"]["clearer_frames"]) == ("low", 24)


def lettered(text: str) -> Image.Image:
    image = noise(3, 50, 130).point(lambda level: 235 + level // 16)
    for place, letter in enumerate(text):
        ImageDraw.Draw(image).text((12 + 27 * place, 6 + 5 * (place % 3)), letter, 20, FONT)
    return image


THUMBNAILS = {
    "smaller": lambda image: image.resize((65, 25)),
    "between black bars": lambda image: ImageOps.pad(image, (160, 120), color=0),
    "between white bars": lambda image: ImageOps.pad(image, (128, 128), color=255),
    "its middle": lambda image: ImageOps.fit(image, (80, 80)),
    "turned": lambda image: image.rotate(90, expand=True),
    "transparent": lambda image: Image.merge("LA", (image.point(lambda _: 0), ImageOps.invert(image))),
}


@pytest.mark.parametrize("kind", THUMBNAILS)
def test_a_usual_thumbnail_shows_the_same(kind):
    image = lettered("KXM7")
    inner = np.asarray(THUMBNAILS[kind](image).convert("RGBA"))
    assert shows_same(np.asarray(image), inner)
    assert shows_same(inner, np.asarray(image))
    assert not shows_same(np.asarray(noise(9, 50, 130)), inner)


def test_a_blank_picture_within_is_of_low_severity(tmp_path):
    found = frames_found(tmp_path, lambda number: with_thumbnail(number, Image.new("L", (30, 10), 255)))
    assert found["severity"] == "low"
