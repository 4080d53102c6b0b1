"""Picture files as people see them, in sRGB; tests/tasks/loading/test_decode.py has the same files as ink."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tasks.loading.colours.seen import TINT, as_seen, ground_colour, is_coloured
from tasks.loading.decode import BadPicture, decode_seen, decode_to_read

RED, BLUE, PAPER, NOTHING = (180, 20, 40), (20, 40, 160), (220, 240, 200), (0, 0, 0, 0)


def strokes(ink=RED, ground=PAPER, mode: str = "RGB", where=(20, 50, 80)) -> Image.Image:
    """Upright strokes, 8 px wide, on a ground."""
    image = Image.new(mode, (120, 40), ground)
    for left in where:
        ImageDraw.Draw(image).rectangle((left, 8, left + 7, 31), ink)
    return image


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB"))


def near(seen: np.ndarray, wanted: np.ndarray, levels: int) -> bool:
    return seen.shape == wanted.shape and int(np.abs(seen.astype(int) - wanted).max()) <= levels


def sixteen(image: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(image).astype(np.uint16) * 256 + 200)


def keyed(image: Image.Image) -> bytes:
    small = image.quantize(4)
    return encoded(small, transparency=small.getpixel((0, 0)))


TURNED = Image.Exif()
TURNED[0x112] = 6
GREY = strokes(30, 220, "L")
ON_WHITE, ON_BLACK = strokes(RED, (255, 255, 255)), strokes((255, 230, 60), (0, 0, 0))
CARD = Image.new("RGBA", (140, 60), NOTHING)
CARD.paste(strokes((200, 200, 210), (255, 255, 255)), (10, 10))
# A file, what is seen, and by how many levels a lossy or converted file may differ.
FILES = {
    "PNG": (encoded(strokes()), strokes(), 0),
    "PNG with a comment, which Pillow reads": (encoded(strokes(), dpi=(72, 72)), strokes(), 0),
    "BMP": (encoded(strokes(), "BMP"), strokes(), 0),
    "GIF": (encoded(strokes(), "GIF"), strokes(), 0),
    "palette": (encoded(strokes().quantize(4)), strokes(), 0),
    "JPEG": (encoded(strokes(), "JPEG", quality=95, subsampling=0), strokes(), 12),
    "CMYK": (encoded(strokes().convert("CMYK"), "TIFF"), strokes(), 1),
    "CMYK JPEG": (encoded(strokes().convert("CMYK"), "JPEG", quality=95), strokes(), 40),
    "grey": (encoded(GREY), GREY, 0),
    "1 bit": (encoded(strokes(0, 1, "1")), strokes(0, 255, "L"), 0),
    "16 bits": (encoded(sixteen(GREY)), GREY, 0),
    "16 bits that are dark": (encoded(Image.fromarray(np.asarray(GREY).astype(np.uint16) * 16)), None, 0),
    "EXIF": (encoded(strokes().rotate(90, expand=True), exif=TURNED), strokes(), 0),
    "transparent, dark ink": (encoded(strokes((*RED, 255), NOTHING, "RGBA")), ON_WHITE, 0),
    "transparent palette": (keyed(strokes()), ON_WHITE, 0),
    "transparent, light ink": (encoded(strokes((255, 230, 60, 255), NOTHING, "RGBA")), ON_BLACK, 0),
    "transparent grey": (encoded(strokes((255, 255), (0, 0), "LA")), strokes(255, 0, "L"), 0),
    "half transparent": (encoded(strokes((*RED, 128), NOTHING, "RGBA")), strokes((217, 137, 147), (255, 255, 255)), 0),
    "a light card with margins": (encoded(CARD), Image.alpha_composite(Image.new("RGBA", CARD.size, "white"), CARD), 0),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_is_what_a_browser_shows(kind):
    data, image, levels = FILES[kind]
    seen = decode_seen(data)
    if image is None:  # values up to 3,520 of 65,535 are nearly black
        assert seen.max() == 13
        return
    assert seen.dtype == np.uint8
    assert near(seen, pixels(image), levels)


def test_dark_and_light_ink_together_are_laid_on_white():
    image = strokes((*RED, 255), NOTHING, "RGBA", (20, 50))
    ImageDraw.Draw(image).rectangle((80, 8, 87, 31), (255, 255, 200, 255))
    assert decode_seen(encoded(image))[0, 0].tolist() == [255, 255, 255]


def test_frames_are_laid_together_where_each_has_letters_that_others_lack():
    first, second = strokes(where=(20,)), strokes(BLUE, where=(80, 95))
    data = encoded(first, "GIF", save_all=True, append_images=[second], duration=100, optimize=False)
    both = pixels(second).copy()
    both[:, :50] = pixels(first)[:, :50]
    assert near(decode_seen(data), both, 2)


def test_an_empty_first_frame_is_passed_over():
    blank = Image.new("RGB", (120, 40), PAPER)
    data = encoded(blank, "GIF", save_all=True, append_images=[strokes()], duration=100)
    assert near(decode_seen(data), pixels(strokes()), 2)
    with pytest.raises(BadPicture, match="blank"):
        decode_seen(encoded(blank, "GIF", save_all=True, append_images=[Image.new("RGB", (120, 40), RED)]))


def test_a_large_picture_is_shrunk():
    assert decode_seen(encoded(strokes().resize((1200, 400)), "JPEG")).shape == (213, 640, 3)


@pytest.mark.parametrize(
    "image",
    [
        Image.new("RGB", (20, 20), RED),
        Image.new("RGBA", (20, 20), (10, 20, 30, 0)),
        strokes((120, 130, 140), (121, 131, 146)),
    ],
)
def test_a_blank_picture_is_none(image):
    with pytest.raises(BadPicture, match="blank"):
        decode_seen(encoded(image))


def test_colours_of_equal_brightness_are_no_blank_picture():
    assert near(
        decode_seen(encoded(strokes((150, 100, 110), (100, 150, 50)))),
        pixels(strokes((150, 100, 110), (100, 150, 50))),
        0,
    )


@pytest.mark.parametrize("quality", [5, 30, 75, 95])
@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_what_lossy_files_do_to_grey_is_no_colour(kind, quality):
    noise = np.random.default_rng(quality).integers(0, 256, (40, 120), np.uint8)
    image = Image.fromarray(np.where(np.asarray(GREY) > 128, 255 - noise // 8, noise // 2).astype(np.uint8)).convert(
        "RGB"
    )
    assert not is_coloured(decode_seen(encoded(image, kind, quality=quality)))
    assert not is_coloured(decode_seen(encoded(strokes((0, 0, 0), (255, 255, 252)), kind, quality=quality)))
    assert is_coloured(decode_seen(encoded(strokes(), kind, quality=quality)))


def test_one_pixel_of_a_colour_is_enough():
    image = np.full((5, 6, 3), 128, np.uint8)
    image[2, 3] = (128, 128 + TINT // 2, 128 - TINT // 2)
    assert not is_coloured(image)
    image[2, 3, 0] -= TINT // 2 + 1
    assert is_coloured(image)
    image[2, 3] = (116, 128, 140)  # a hue that people see
    assert is_coloured(image)


def test_the_ground_is_the_colour_of_the_border():
    assert ground_colour(pixels(strokes())).tolist() == list(PAPER)
    assert as_seen(np.asarray(GREY)).shape == (40, 120, 3)


def test_dark_levels_of_sixteen_bits_are_stretched_for_reading():
    dark = encoded(Image.fromarray(np.asarray(GREY).astype(np.uint16)))
    with pytest.raises(BadPicture, match="blank"):
        decode_seen(dark)
    seen, note = decode_to_read(dark)
    grey = np.asarray(GREY).astype(float)
    wanted = (grey - grey.min()) / (grey.max() - grey.min()) * 255
    assert near(seen, np.rint(wanted)[..., None].repeat(3, axis=2), 2)
    assert note == ""
