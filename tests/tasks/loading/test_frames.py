"""Which frames make up a picture, and pictures of 16 bits that use few of their levels."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from tasks.loading import frames
from tasks.loading.frames import MOST_FRAMES, BadPicture, choose_frame, decode_frames


def ink(*parts):
    """Ink of 255 in each (left, right) of a picture of 20 x 100 pixels."""
    image = np.zeros((20, 100), np.uint8)
    for left, right in parts:
        image[5:15, left:right] = 255
    return image


def test_a_frame_with_little_more_than_the_fullest_adds_nothing():
    few, full = ink((90, 94)), ink((0, 20), (25, 45), (50, 70))
    assert choose_frame([few, full]) == [1]
    assert choose_frame([None, few, full, few]) == [2]


def test_the_first_of_frames_that_are_nearly_as_full_is_taken():
    full, nearly = ink((0, 20), (25, 45), (50, 70)), ink((0, 20), (25, 45), (50, 67))
    assert choose_frame([nearly, full]) == [0]
    assert choose_frame([full, nearly]) == [0]


def test_a_frame_with_a_letter_that_the_fullest_lacks_joins_it():
    assert choose_frame([ink((0, 20), (25, 45)), ink((0, 20), (25, 45), (50, 60)), ink((80, 90))]) == [1, 2]


def test_frames_of_another_size_are_no_frames_of_the_picture():
    stream = io.BytesIO()
    first, small = Image.new("L", (40, 20), 255), Image.new("L", (8, 8), 0)
    first.save(stream, "TIFF", save_all=True, append_images=[small, first])
    frames = decode_frames(stream.getvalue())
    assert [frame.shape for frame in frames.pixels] == [(20, 40)] * 2
    assert frames.count == 3


def pages(*images):
    stream = io.BytesIO()
    images[0].save(stream, "TIFF", save_all=True, append_images=images[1:])
    return decode_frames(stream.getvalue())


def test_a_page_is_read_in_place_of_its_thumbnail_or_of_a_blank_page():
    page = Image.fromarray(255 - ink((10, 30), (40, 60)))
    thumbnail, blank = page.resize((25, 5)), Image.new("L", (200, 80), 255)
    for first, others, number in ((thumbnail, [page], 1), (blank, [page], 1), (thumbnail, [blank, page], 2)):
        frames = pages(first, *others)
        assert (len(frames.pixels), frames.page) == (1, number)
        assert np.array_equal(frames.pixels[0], np.asarray(page))
    assert pages(page, thumbnail).page == 0


def test_letters_that_moved_are_not_laid_beside_themselves():
    there, moved = ink((10, 14), (22, 40), (50, 56)), ink((50, 54), (62, 80), (90, 96))
    assert choose_frame([there, moved]) == [0]
    assert choose_frame([ink((90, 94)), there]) == [1]  # the first of them, as it comes in from the right
    assert choose_frame([ink((10, 14)), ink((50, 54))]) == [0, 1]  # one letter a frame: a letter may come twice


@pytest.mark.parametrize(("step", "blank"), [(4, True), (1000, False)])
def test_levels_of_16_bits_that_nobody_could_tell_apart_are_blank(step, blank):
    levels = np.full((30, 60), 20_000, np.uint16)
    levels[8:22, 10:30] += step
    stream = io.BytesIO()
    Image.fromarray(levels).save(stream, "PNG")
    if blank:
        with pytest.raises(BadPicture, match="blank: "):
            decode_frames(stream.getvalue())
    else:
        (pixels,) = decode_frames(stream.getvalue()).pixels
        assert (pixels.min(), pixels.max()) == (0, 255)


def wide_png(pixels: np.ndarray, more: bytes = b"") -> bytes:
    """Return a PNG file of 16 bits a channel: grey with alpha, RGB or RGBA."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width, channels = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 16, {2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    lines = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    parts = chunk(b"IHDR", header) + more + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_colours_of_16_bits_that_use_the_low_levels_only_are_stretched(channels):
    """Pillow keeps their higher 8 bits, which are all alike; a browser shows them so."""
    pixels = np.full((30, 60, channels), 40, np.uint16)
    pixels[8:22, 10:30, : 1 if channels == 2 else 3] += 600
    if channels != 3:
        pixels[..., -1] = 65535
    gamma = struct.pack(">I4sI", 4, b"gAMA", 45455) + struct.pack(">I", zlib.crc32(b"gAMA" + struct.pack(">I", 45455)))
    for data in (wide_png(pixels), wide_png(pixels, gamma)):
        (found,) = decode_frames(data).pixels
        assert (found[..., :3].min(), found[..., :3].max()) == (0, 255)
        assert (found[8:22, 10:30, :3] == 255).all()
        assert decode_frames(data, as_shown=True).pixels[0][..., :3].max() < 4
    high = wide_png(np.where(pixels == 40, 40, 65535).astype(np.uint16))
    (found,) = decode_frames(high).pixels
    assert np.array_equal(found, decode_frames(high, as_shown=True).pixels[0])


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_noise_of_16_bits_stays_blank(channels):
    pixels = np.full((30, 60, channels), 65535, np.uint16)
    pixels[..., : 1 if channels == 2 else 3] = np.random.default_rng(1).integers(40, 45, (30, 60, 1))
    with pytest.raises(BadPicture, match="blank: "):
        decode_frames(wide_png(pixels))


@pytest.mark.parametrize(
    ("begins", "name"),
    [
        (b"\0\0\0\x20ftypavif\0", "AVIF"), (b"\0\0\0\x18ftypheic", "HEIC"), (b"\0\0\0\x0cjP  \r\n", "JPEG 2000"),
        (b"\0\0\1\0\1\0", "ICO"), (b"<?xml version='1.0'?>\n<svg>", "SVG"), (b"%PDF-1.7", "PDF"), (b"P6 2 2", "PNM"),
    ],
)  # fmt: skip
def test_a_picture_of_another_format_is_told(begins, name):
    with pytest.raises(BadPicture, match=f"no picture: not PNG, .*, but {name}: save it as PNG"):
        decode_frames(begins + b"\0" * 40)


def test_the_frames_of_a_large_file_are_not_counted_to_the_end(monkeypatch):
    noise = np.random.default_rng(1).integers(0, 256, (90, 60, 100), np.uint8)
    first, *others = [Image.fromarray(frame) for frame in noise]
    file = io.BytesIO()
    first.save(file, "TIFF", save_all=True, append_images=others)
    with monkeypatch.context() as counting:
        counting.delattr(TiffImagePlugin.TiffImageFile, "n_frames")  # it would go through all pages
        found = decode_frames(file.getvalue())
    assert found.count == MOST_FRAMES + 1 and len(found.pixels) == MOST_FRAMES
    assert all((pixels == frame).all() for pixels, frame in zip(found.pixels, noise, strict=False))
    file = io.BytesIO()
    first.save(file, "TIFF", save_all=True, append_images=others[:60])
    assert decode_frames(file.getvalue()).count == 61


def test_a_jpeg_of_very_many_scans_is_refused():
    """Each goes over the whole picture again: 20,000 in a small file took minutes."""
    file = io.BytesIO()
    Image.new("L", (8, 8)).save(file, "JPEG", progressive=True)
    assert decode_frames(file.getvalue()).count == 1
    with pytest.raises(BadPicture, match=r"a JPEG of [0-9,]+ scans; at most 100"):
        decode_frames(file.getvalue()[:-2] + b"\xff\xda" * 20_000 + b"\xff\xd9")


def segment(kind: int, data: bytes) -> bytes:
    return bytes([0xFF, kind]) + (2 + len(data)).to_bytes(2) + data


@pytest.mark.parametrize(
    "part", [segment(0xE1, b"Exif\0\0ab"), segment(0xFE, b""), b"\xff" * 1000, b"no marker" * 200],
    ids=["pieces", "comments", "filling", "junk"],
)  # fmt: skip
def test_a_jpeg_of_very_many_parts_is_refused(part):
    """Pillow joins pieces of metadata one by one: a file of 32 MB took days."""
    file = io.BytesIO()
    Image.fromarray(ink((0, 20))).save(file, "JPEG")
    begin, rest = file.getvalue()[:20], file.getvalue()[20:]  # after the first segment
    assert decode_frames(begin + part * 500 + rest).count == 1
    with pytest.raises(BadPicture, match=r"a JPEG of more than 1,000 segments, .*: save the picture anew"):
        decode_frames(begin + part * 1200 + rest)
    with pytest.raises(BadPicture, match="a JPEG of more than"):
        decode_frames(begin + part * 1200)


def test_a_png_of_very_many_chunks_is_refused():
    """Half a minute for 22 MB."""
    file = io.BytesIO()
    Image.fromarray(ink((0, 20))).save(file, "PNG")
    header, rest = file.getvalue()[:33], file.getvalue()[33:]
    chunk = bytes(4) + b"teXt" + zlib.crc32(b"teXt").to_bytes(4)
    assert decode_frames(header + chunk * 1000 + rest).count == 1
    with pytest.raises(BadPicture, match="a PNG of more than 100,000 chunks: save the picture anew"):
        decode_frames(header + chunk * 100_001 + rest)
    assert decode_frames(file.getvalue() + bytes(2_000_000)).count == 1  # what is behind the picture is no chunk


@pytest.mark.parametrize(
    "many", [b"!\xfe\1a\0" * 30_000, b"!\xfe" + b"\1a" * 60_000 + b"\0", b"\0!\xf9\4\0\0\0\0\0" * 30_000]
)
def test_a_gif_of_very_many_pieces_of_metadata_is_refused(many):
    """Two megabytes of comments took twelve seconds, and 32 an hour: Pillow joins them one by one."""
    file = io.BytesIO()
    frame = Image.fromarray(ink((0, 20)))
    frame.save(file, "GIF", save_all=True, append_images=[Image.fromarray(ink((5, 20)))], comment=b"a" * 2000)
    data = file.getvalue()
    begin = 13 + (3 << (data[10] & 7) + 1) * (data[10] >> 7)
    assert decode_frames(data).count == 2
    assert decode_frames(data[:begin] + b"!\xfe\1a\0" * 100 + data[begin:]).count == 2
    with pytest.raises(BadPicture, match="a GIF of more than 50,000 pieces of metadata: save the picture anew"):
        decode_frames(data[:begin] + many + data[begin:])


def test_pages_of_other_sizes_are_looked_at_within_a_bound(monkeypatch):
    file = io.BytesIO()
    pages = [Image.new("L", (30 + k, 20), 255) for k in range(5)] + [Image.fromarray(ink((0, 20)))]
    pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:])
    assert decode_frames(file.getvalue()).page == 5
    monkeypatch.setattr(frames, "MOST_PAGES", 0)
    assert decode_frames(file.getvalue()).page == 0
