import io
import os
import shutil
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from storage.errors import BadInput, NotThere
from tasks.loading import frames, listing
from tasks.loading.decode import BadPicture, load_batch, load_picture
from tasks.loading.listing import list_names, list_pictures
from tests.open_files import open_below


def sample(rows: int = 42, columns: int = 140, seed: int = 1) -> np.ndarray:
    """Ink of every strength on a border of nothing, with a dark stroke that touches the edge."""
    rng = np.random.default_rng(seed)
    image = np.zeros((rows, columns), np.uint8)
    inner = image[3:-3, 3:-3]
    inner[:] = rng.integers(0, 256, inner.shape) * (rng.random(inner.shape) < 0.3)
    image[: rows // 2, columns // 2] = 255
    return image


def letters() -> np.ndarray:
    """Solid strokes with soft edges: what JPEG is not too bad at."""
    image = np.zeros((42, 140), np.uint8)
    for left in (20, 50, 80, 110):
        image[10:32, left : left + 8] = 64
        image[11:31, left + 1 : left + 7] = 255
    return image


def saved(path: Path, image: Image.Image, **options) -> Path:
    image.save(path, **options)
    return path


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def reason(path: Path) -> str:
    with pytest.raises(BadPicture) as caught:
        load_picture(path)
    text = str(caught.value)
    assert text
    assert "\n" not in text
    return text


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def hollow_png(width: int, height: int) -> bytes:
    """A header that promises width x height grey pixels, and next to no data."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


MODES = ("L", "RGB", "RGBA", "LA", "P")
LOSSLESS = [
    *(("png", mode, {}) for mode in MODES),
    *(("tiff", mode, {}) for mode in MODES if mode != "LA"),
    *(("tiff", "RGB", {"compression": kind}) for kind in ("tiff_lzw", "tiff_adobe_deflate", "packbits")),
    *(("bmp", mode, {}) for mode in ("L", "RGB", "RGBA", "P")),
    *(("gif", mode, {}) for mode in ("L", "P")),
    *(("webp", mode, {"lossless": True}) for mode in ("L", "RGB", "RGBA")),
]


@pytest.mark.parametrize("inverted", [False, True], ids=["light on dark", "dark on light"])
@pytest.mark.parametrize(("suffix", "mode", "options"), LOSSLESS)
def test_lossless_files_come_back_exactly(tmp_path, suffix, mode, options, inverted):
    image = sample()
    written = Image.fromarray(255 - image if inverted else image)
    if mode == "P":  # a palette of greys in another order than the indices
        index = Image.fromarray(255 - np.asarray(written))
        index = index.convert("L")
        index.putpalette([level for k in range(256) for level in [255 - k] * 3])
        written = index
        assert written.mode == "P"
    path = saved(tmp_path / f"a.{suffix}", written.convert(mode), **options)
    back = load_picture(path)
    assert back.dtype == np.uint8
    assert back.flags.c_contiguous
    assert np.array_equal(back, image)


def test_content_decides_and_not_the_suffix(tmp_path):
    image = sample()
    path = saved(tmp_path / "a.jpg", Image.fromarray(image), format="PNG")
    assert np.array_equal(load_picture(path), image)
    path = saved(tmp_path / "no suffix", Image.fromarray(image), format="BMP")
    assert np.array_equal(load_picture(path), image)


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_jpeg_comes_back_close(tmp_path, mode, inverted):
    image = letters()
    written = Image.fromarray(255 - image if inverted else image).convert(mode)
    back = load_picture(saved(tmp_path / "a.jpg", written, quality=92)).astype(int)
    assert np.abs(back - image).mean() < 4
    assert np.array_equal(back > 150, image > 150)


@pytest.mark.parametrize("suffix", ["tiff", "jpg"])
def test_cmyk_black_on_paper(tmp_path, suffix):
    image = letters()
    nothing = Image.new("L", (140, 42), 0)
    written = Image.merge("CMYK", [nothing, nothing, nothing, Image.fromarray(image)])
    back = load_picture(saved(tmp_path / f"a.{suffix}", written))
    assert np.array_equal(back > 127, image > 127)


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("suffix", ["png", "tiff", "bmp", "gif"])
def test_one_bit(tmp_path, suffix, inverted):
    image = np.where(sample() > 127, 255, 0).astype(np.uint8)
    written = Image.fromarray(255 - image if inverted else image).convert("1")
    assert np.array_equal(load_picture(saved(tmp_path / f"a.{suffix}", written)), image)


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("factor", [257, 256, 16, 1])
@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_sixteen_bits(tmp_path, suffix, factor, inverted):
    image = sample()
    values = (255 - image if inverted else image).astype(np.uint16) * factor
    path = saved(tmp_path / f"a.{suffix}", Image.fromarray(values))
    with Image.open(path) as opened:
        assert opened.mode.startswith("I")
    assert np.array_equal(load_picture(path), image)


@pytest.mark.parametrize("kind", [np.float32, np.int32])
def test_tiff_of_floats_and_wide_integers(tmp_path, kind):
    image = sample()
    values = image.astype(kind) / kind(255) if kind is np.float32 else image.astype(kind) * 1000 - 70_000
    assert np.array_equal(load_picture(saved(tmp_path / "a.tif", Image.fromarray(values))), image)
    bad = np.full((20, 30), np.nan, np.float32)
    assert "finite" in reason(saved(tmp_path / "b.tif", Image.fromarray(bad)))


@pytest.mark.parametrize("ink", [0, 255], ids=["black", "white"])
@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_ink_on_nothing_is_read_from_alpha(tmp_path, mode, ink):
    image = sample()
    solid = Image.new("L", (140, 42), ink)
    written = Image.merge("LA", [solid, Image.fromarray(image)]).convert(mode)
    assert np.array_equal(load_picture(saved(tmp_path / "a.png", written)), image)
    if mode == "RGBA":
        path = saved(tmp_path / "a.webp", written, lossless=True, exact=True)
        assert np.array_equal(load_picture(path), image)


@pytest.mark.parametrize("ink", [0, 255], ids=["black", "white"])
@pytest.mark.parametrize("suffix", ["png", "gif"])
def test_palette_with_a_transparent_colour(tmp_path, suffix, ink):
    image = np.where(sample() > 127, 255, 0).astype(np.uint8)
    written = Image.fromarray((image > 0).astype(np.uint8))
    # Index 0 is transparent and has the ink's own colour: only the transparency tells them apart.
    written.putpalette([ink] * 6)
    path = saved(tmp_path / f"a.{suffix}", written, transparency=0)
    assert np.array_equal(load_picture(path), image)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_png_with_one_transparent_level(tmp_path, mode):
    image = np.where(sample() > 127, 200, 255).astype(np.uint8)
    clear = 255 if mode == "L" else (255, 255, 255)
    path = saved(tmp_path / "a.png", Image.fromarray(image).convert(mode), transparency=clear)
    assert np.array_equal(load_picture(path), np.where(image == 200, 255, 0))


@pytest.mark.parametrize(("card", "ink"), [(255, 0), (0, 255), (180, 40)])
def test_a_card_with_transparent_margins_is_no_ink(tmp_path, card, ink):
    image = np.where(letters() > 127, ink, card).astype(np.uint8)
    alpha = np.zeros_like(image)
    alpha[4:-4, 8:-8] = 255
    path = saved(tmp_path / "a.png", Image.merge("LA", [Image.fromarray(image), Image.fromarray(alpha)]))
    assert np.array_equal(load_picture(path), np.where(letters() > 127, 255, 0))


def test_faint_alpha_is_stretched(tmp_path):
    image = letters()
    written = Image.merge("LA", [Image.new("L", (140, 42), 0), Image.fromarray(image // 2)])
    back = load_picture(saved(tmp_path / "a.png", written))
    assert np.abs(back.astype(int) - image).max() <= 2


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "tiff"])
def test_the_first_of_several_frames(tmp_path, suffix):
    first = np.where(sample() > 127, 255, 0).astype(np.uint8)
    others = [Image.fromarray(np.where(sample(seed=k) > 127, 255, 0).astype(np.uint8)) for k in (2, 3)]
    options = {"lossless": True} if suffix == "webp" else {}
    path = saved(tmp_path / f"a.{suffix}", Image.fromarray(first), save_all=True, append_images=others, **options)
    with Image.open(path) as opened:
        assert opened.n_frames == 3
    assert np.array_equal(load_picture(path), first)


@pytest.mark.parametrize(
    ("paper", "ink"),
    [
        ((255, 255, 255), (255, 255, 0)),  # yellow on white: 29 levels of luma
        ((0, 0, 0), (0, 0, 255)),  # blue on black: the same
        ((255, 0, 0), (0, 130, 0)),  # equal in luma
        ((250, 240, 200), (20, 60, 120)),
        ((30, 10, 60), (240, 200, 90)),
    ],
)
def test_colours(tmp_path, paper, ink):
    where = letters() > 127
    image = np.where(where[..., None], np.array(ink), np.array(paper)).astype(np.uint8)
    for suffix in ("png", "gif"):
        path = saved(tmp_path / f"a.{suffix}", Image.fromarray(image))
        assert np.array_equal(load_picture(path), np.where(where, 255, 0))


def test_weak_contrast_is_stretched_and_few_specks_do_not_turn_the_picture(tmp_path):
    image = np.full((42, 140), 150, np.uint8)
    image[letters() > 127] = 60
    expected = np.where(letters() > 127, 255, 0)
    assert np.array_equal(load_picture(saved(tmp_path / "a.png", Image.fromarray(image))), expected)
    image[[5, 20, 38], [70, 3, 135]] = 255  # further from the background than the letters
    assert np.array_equal(load_picture(saved(tmp_path / "b.png", Image.fromarray(image))), expected)


def test_large_pictures_are_shrunk_by_averaging(tmp_path):
    image = sample(100, 640)
    image[::7, 10:600:3] = 255
    large = image.repeat(3, axis=0).repeat(3, axis=1)
    assert np.array_equal(load_picture(saved(tmp_path / "a.png", Image.fromarray(large))), image)
    tall = Image.fromarray(255 - large.T).convert("P")
    assert np.array_equal(load_picture(saved(tmp_path / "b.png", tall)), image.T)
    alpha = Image.merge("LA", [Image.new("L", large.shape[::-1], 255), Image.fromarray(large)])
    assert np.array_equal(load_picture(saved(tmp_path / "c.png", alpha)), image)
    sixteen = Image.fromarray(large.astype(np.uint16) * 257)
    assert np.array_equal(load_picture(saved(tmp_path / "d.png", sixteen)), image)
    thin = np.zeros((1, 5000), np.uint8)
    thin[0, 1000:2000] = 255
    assert load_picture(saved(tmp_path / "e.png", Image.fromarray(thin))).shape == (1, 640)


@pytest.mark.parametrize("shape", [(1, 2), (2, 1), (2, 2), (1, 30), (30, 1), (3, 3)])
def test_tiny_pictures(tmp_path, shape):
    image = np.zeros(shape, np.uint8)
    image.flat[0] = 255
    back = load_picture(saved(tmp_path / "a.png", Image.fromarray(image)))
    assert back.shape == shape
    assert back.max() == 255


# What cannot be read


def test_zero_bytes(tmp_path):
    path = tmp_path / "a.png"
    path.touch()
    assert "0 bytes" in reason(path)


@pytest.mark.parametrize("content", [b"just some text, renamed\n" * 9, b"\x89PNG", b"<svg/>", b"P5 2 2 255 abcd"])
def test_no_picture_of_the_six_formats(tmp_path, content):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    assert reason(path).startswith("no picture: not PNG, JPEG, GIF, BMP, WebP or TIFF")


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "webp", "tiff", "gif"])
def test_cut_off_in_the_middle(tmp_path, suffix):
    path = saved(tmp_path / f"a.{suffix}", Image.fromarray(sample()))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    text = reason(path)
    assert text.startswith(("damaged or cut off: ", "no picture: "))
    if suffix in {"png", "jpg"}:
        assert "truncated" in text


def test_a_flipped_bit_in_a_png_is_noticed(tmp_path):
    path = saved(tmp_path / "a.png", Image.fromarray(sample()))
    data = bytearray(path.read_bytes())
    data[data.index(b"IHDR") + 5] ^= 1
    path.write_bytes(data)
    reason(path)


def test_what_is_no_regular_file(tmp_path):
    (tmp_path / "x.png").mkdir()
    assert "folder" in reason(tmp_path / "x.png")
    os.mkfifo(tmp_path / "y.png")
    assert "pipe" in reason(tmp_path / "y.png")
    assert reason(tmp_path / "z.png") == "no such file"
    assert "NUL" in reason(tmp_path / "a\0.png").upper() or "null" in reason(tmp_path / "a\0.png")
    (tmp_path / "ring.png").symlink_to(tmp_path / "ring.png")
    assert "cannot be read" in reason(tmp_path / "ring.png") and "remove the link" in reason(tmp_path / "ring.png")


@pytest.mark.parametrize("name", ["n" * 252 + ".png", "d/" * 2100 + "a.png"])
def test_a_path_that_is_too_long_is_not_a_matter_of_permissions(tmp_path, name):
    assert "a shorter name, or move it" in reason(tmp_path / name)


def test_a_file_that_this_user_may_not_read(tmp_path, monkeypatch):
    path = saved(tmp_path / "a.png", Image.fromarray(sample()))

    def refuse(*_args, **_kwargs):  # chmod does not stop root
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    assert "Permission denied" in reason(path)


@pytest.mark.parametrize(("width", "height"), [(10_000, 10_000), (4001, 4000), (20_000, 20_000)])
def test_too_many_pixels_are_refused_before_decoding(tmp_path, monkeypatch, width, height):
    monkeypatch.setattr(frames, "_pixels", lambda _: pytest.fail("decoded"))
    path = tmp_path / "a.png"
    path.write_bytes(hollow_png(width, height))
    text = reason(path)
    assert f"{width * height:,} pixels" in text
    assert "16,000,000" in text


def test_a_decompression_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr(frames, "_pixels", lambda _: pytest.fail("decoded"))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 1, 0, 0, 0, 0))
    squeeze = zlib.compressobj(9)
    rows = b"".join(squeeze.compress(bytes(7501 * 100)) for _ in range(20)) + squeeze.flush()
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", rows) + chunk(b"IEND", b""))
    assert "3,600,000,000 pixels" in reason(path)


def huge(kind: str) -> bytes:
    """A valid small file whose header was made to promise 12,000 x 12,000 pixels."""
    data = bytearray(encoded(Image.new("L", (8, 8)), kind))
    side = 12_000
    if kind == "GIF":
        data[6:10] = struct.pack("<HH", side, side)
    elif kind == "BMP":
        data[18:26] = struct.pack("<ii", side, side)
    elif kind == "JPEG":
        at = data.index(b"\xff\xc0") + 5
        data[at : at + 4] = struct.pack(">HH", side, side)
    elif kind == "TIFF":
        (at,) = struct.unpack_from("<I", data, 4)
        for entry in range(at + 2, at + 2 + 12 * struct.unpack_from("<H", data, at)[0], 12):
            if struct.unpack_from("<H", data, entry)[0] in {256, 257}:
                struct.pack_into("<HII", data, entry + 2, 4, 1, side)
    return bytes(data)


@pytest.mark.parametrize("kind", ["GIF", "BMP", "JPEG", "TIFF"])
def test_too_many_pixels_in_every_header(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(frames, "_pixels", lambda _: pytest.fail("decoded"))
    path = tmp_path / "a"
    path.write_bytes(huge(kind))
    assert "12000 x 12000 = 144,000,000 pixels; at most 16,000,000" in reason(path)


def test_too_many_bytes(tmp_path):
    path = tmp_path / "a.png"
    with path.open("wb") as file:
        file.truncate(32_000_001)
    assert reason(path).startswith("32,000,001 bytes; at most 32,000,000")


@pytest.mark.parametrize(
    "image",
    [
        Image.new("L", (140, 42), 255),
        Image.new("RGB", (140, 42), (10, 200, 30)),
        Image.new("RGBA", (140, 42), (10, 200, 30, 0)),
        Image.new("RGBA", (140, 42), (255, 255, 255, 255)),
        Image.new("1", (140, 42)),
        Image.new("I;16", (140, 42), 65535),
        Image.fromarray((np.arange(1000).reshape(20, 50) % 8 + 100).astype(np.uint8)),
        Image.fromarray((np.arange(1000).reshape(20, 50) % 900 + 60000).astype(np.uint16)),
    ],
    ids=["white", "colour", "clear", "solid", "one bit", "16 bits", "faint", "faint 16 bits"],
)
def test_blank(tmp_path, image):
    assert reason(saved(tmp_path / "a.png", image)).startswith("blank: ")


def seeds() -> list[bytes]:
    image = Image.fromarray(sample(16, 24))
    clear = Image.merge("LA", [image, image])
    frames = {"save_all": True, "append_images": [Image.fromarray(sample(16, 24, seed=5))]}
    return [
        encoded(image, "PNG"),
        encoded(image.convert("P"), "PNG", transparency=3),
        encoded(clear, "PNG"),
        encoded(image, "PNG", **frames),
        encoded(Image.fromarray(sample(16, 24).astype(np.uint16) * 257), "PNG"),
        encoded(image, "JPEG"),
        encoded(image.convert("RGB"), "JPEG", progressive=True, exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0"),
        encoded(image.convert("CMYK"), "JPEG"),
        encoded(image.convert("P"), "GIF", **frames),
        encoded(image, "BMP"),
        encoded(image.convert("1"), "BMP"),
        encoded(image.convert("RGBA"), "BMP"),
        encoded(image.convert("RGB"), "WEBP", lossless=True),
        encoded(clear.convert("RGBA"), "WEBP", **frames),
        encoded(image, "TIFF"),
        encoded(image.convert("RGB"), "TIFF", compression="tiff_lzw"),
        encoded(image.convert("1"), "TIFF", compression="group4"),
        encoded(image.convert("RGB"), "TIFF", compression="jpeg"),
    ]


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    out = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        how, at = rng.integers(6), int(rng.integers(max(1, len(out))))
        head = int(rng.integers(min(64, max(1, len(out)))))
        if how == 0:
            del out[at:]
        elif how == 1:
            out[at : at + 1] = rng.bytes(1)
        elif how == 2:
            out[head : head + 1] = rng.bytes(1)
        elif how == 3:
            del out[at : at + int(rng.integers(1, 9))]
        elif how == 4:
            out[at:at] = rng.bytes(int(rng.integers(1, 9)))
        else:
            out[head : head + 4] = bytes([int(rng.choice([0, 1, 127, 128, 255]))] * 4)
    return bytes(out)


def test_damaged_files_give_a_picture_or_a_reason(tmp_path, capfd):
    rng = np.random.default_rng(20240607)
    path = tmp_path / "a"
    good = bad = 0
    before = list(warnings.filters)
    for _ in range(60):
        for data in seeds():
            path.write_bytes(mutated(data, rng))
            try:
                image = load_picture(path)
            except BadPicture as error:
                bad += 1
                assert str(error)
            else:
                good += 1
                assert image.ndim == 2
                assert image.dtype == np.uint8
                assert image.size
                assert max(image.shape) <= 640
                assert image.max() == 255
    assert good + bad == 60 * len(seeds())
    assert good > 50
    assert bad > 500
    assert warnings.filters == before
    printed = capfd.readouterr()
    assert printed.out == ""
    assert "Warning" not in printed.err  # libtiff's own lines are written in C and cannot be held back


def test_threads_leave_the_warning_filters_alone(tmp_path):
    path = saved(tmp_path / "a.png", Image.fromarray(sample()))
    before, results = list(warnings.filters), []
    threads = [threading.Thread(target=lambda: results.extend(load_picture(path) for _ in range(50))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 200
    assert warnings.filters == before


# Batches


def put_together(count: int, groups, failures) -> dict[int, np.ndarray | str]:
    found: dict[int, np.ndarray | str] = dict(failures)
    for indices, images in groups:
        assert images.dtype == np.uint8
        assert indices.dtype == np.int64
        assert len(indices) == len(images)
        assert (np.diff(indices) > 0).all()
        for index, image in zip(indices.tolist(), images, strict=True):
            assert index not in found
            found[index] = image
    assert sorted(found) == list(range(count))
    return found


def test_a_batch_groups_by_shape_and_loses_nothing(tmp_path):
    paths, expected = [], {}
    for index in range(30):
        path = tmp_path / f"{index}.png"
        if index % 7 == 3:
            path.write_bytes(b"")
        else:
            expected[index] = sample(20 + index % 3, 60, seed=index)
            saved(path, Image.fromarray(expected[index]))
        paths.append(path)
    groups, failures = load_batch(paths)
    found = put_together(30, groups, failures)
    assert [index for index, _ in failures] == [3, 10, 17, 24]
    assert {images.shape[1:] for _, images in groups} == {(20, 60), (21, 60), (22, 60)}
    assert all(np.array_equal(found[index], image) for index, image in expected.items())
    assert load_batch([]) == ([], [])


@pytest.mark.parametrize(("count", "padded"), [(64, False), (65, True), (100, True)])
def test_many_shapes_are_padded(tmp_path, count, padded):
    images = [sample(20 + k % 10, 50 + k // 10, seed=k) for k in range(count)]
    paths = [saved(tmp_path / f"{k}.png", Image.fromarray(image)) for k, image in enumerate(images)]
    groups, failures = load_batch(paths)
    assert not failures
    found = put_together(count, groups, failures)
    for k, image in enumerate(images):
        rows, columns = image.shape
        assert np.array_equal(found[k][:rows, :columns], image)
        assert int(found[k].sum()) == int(image.sum())
    assert ({images.shape[1:] for _, images in groups} == {(32, 64)}) if padded else (len(groups) == count)


# Folders


def test_folders_are_listed_in_order(tmp_path):
    names = ["b.png", "a/z.png", "a.png", "a/b/c.gif", "a/B.JPG", "ä.png", "Z", "c/deep/er/1", "answers.csv"]
    hidden = [".x.png", ".git/a.png", "a/.b/c.png", "a/.answers.csv.0123.tmp"]
    for name in [*names, *hidden]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    found = list(list_pictures(tmp_path))
    assert found == sorted(tmp_path / name for name in names)
    skip = [tmp_path / "c" / ".." / "answers.csv", tmp_path / "a" / "z.png", tmp_path / "not there"]
    left = list(list_pictures(tmp_path, skip))
    assert left == sorted(tmp_path / name for name in names if name not in {"answers.csv", "a/z.png"})
    assert list(list_pictures(tmp_path / "empty")) == []


def test_links_are_passed_over_and_loops_end(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "o.png").write_bytes(b"x")
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "a.png").write_bytes(b"x")
    (folder / "sub" / "up").symlink_to(folder)
    (folder / "self").symlink_to(folder / "self")
    (folder / "out").symlink_to(outside)
    (folder / "o.png").symlink_to(outside / "o.png")
    (folder / "gone.png").symlink_to(outside / "gone.png")
    assert list(list_pictures(folder)) == [folder / "sub" / "a.png"]
    entrance = tmp_path / "entrance"
    entrance.symlink_to(folder)
    assert list(list_pictures(entrance)) == [entrance / "sub" / "a.png"]
    assert list(list_pictures(entrance, [folder / "sub" / "a.png"])) == []


def test_relative_folders(tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(b"x")
    (tmp_path / "in" / "answers.csv").write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    assert list(list_pictures(Path("in"), [Path("in/answers.csv")])) == [Path("in/a.png")]


def test_folders_that_cannot_be_listed(tmp_path, monkeypatch):
    with pytest.raises(NotThere, match="no such folder"):
        next(list_pictures(tmp_path / "nowhere"))
    (tmp_path / "a.png").write_bytes(b"x")
    with pytest.raises(BadInput, match="is a file"):
        next(list_pictures(tmp_path / "a.png"))
    (tmp_path / "ring").symlink_to(tmp_path / "ring")
    with pytest.raises(BadInput, match="a link in it leads to itself; remove the link"):
        next(list_pictures(tmp_path / "ring"))
    with pytest.raises(BadInput, match="has 256 bytes"):
        next(list_pictures(tmp_path / ("n" * 256)))
    (tmp_path / "locked").mkdir()
    (tmp_path / "z.png").write_bytes(b"x")
    plain = os.open

    def refuse(path, *flags):  # chmod does not stop root
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied")
        return plain(path, *flags)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(BadInput, match=r"Permission denied.*permission to read"):
        next(list_pictures(tmp_path / "locked"))
    found = list(list_pictures(tmp_path))
    assert found == [tmp_path / "a.png", tmp_path / "locked", tmp_path / "z.png"]
    assert "may not list" in str(load_batch(found)[1][1][1])


def test_listing_is_lazy(tmp_path, monkeypatch):
    for k in range(5):
        (tmp_path / f"{k}").mkdir()
        (tmp_path / f"{k}" / "a.png").write_bytes(b"x")
    scanned, scandir = [], os.scandir

    def noted(folder):
        scanned.append(folder)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", noted)
    listing = list_pictures(tmp_path)
    assert not scanned
    next(listing)
    assert len(scanned) == 2


def test_a_link_that_takes_a_folders_place_while_it_is_listed_is_not_followed(tmp_path, monkeypatch):
    """Whoever may write into an inbox could have the files of its owner read, and moved away."""
    for name in ("inbox/sub/a.png", "private/b.png"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(b"x")
    sub, plain = tmp_path / "inbox" / "sub", listing._as_they_come

    def swapped(folder: str, follow: bool) -> Iterator[str]:
        if folder.endswith("/sub"):
            shutil.rmtree(sub)
            sub.symlink_to(tmp_path / "private")
        return plain(folder, follow)

    monkeypatch.setattr(listing, "_as_they_come", swapped)
    assert list(list_names(tmp_path / "inbox")) == ["sub"]
    assert open_below(tmp_path) == []
