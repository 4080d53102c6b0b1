"""Answers in files: metadata, hidden bytes, names, and SVG."""

import base64
import codecs
import hashlib
import io
import os
import string
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from tasks.audit.findings.files.giveaways import find_giveaways

COLUMNS = ("QWERTZUIOPASDFG", "HJKLYXCVBNM2345", "6789ABCDEFGHJKM", "NPQRSTUVWXYZ234")
TEXTS = ["".join(letters) for letters in zip(*COLUMNS, strict=True)]


def picture(text: str) -> Image.Image:
    """Make noise that has no text in it."""
    numbers = np.random.Generator(np.random.Philox(key=[sum(map(ord, text)), 1])).integers(0, 256, (20, 60))
    return Image.fromarray(numbers.astype(np.uint8))


def encoded(text: str, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture(text).save(file, kind, **options)
    return file.getvalue()


def chunk(text: str, value: str, packed: bool = False, itxt: bool = False) -> bytes:
    info = PngImagePlugin.PngInfo()
    (info.add_itxt if itxt else info.add_text)("Comment", value, zip=packed)
    return encoded(text, "PNG", pnginfo=info)


def exif(text: str, tag: int = 0x010E) -> bytes:
    data = Image.Exif()
    data[tag] = f"captcha {text}".encode("utf-16-le") if tag > 0x9000 else f"captcha {text}"
    return encoded(text, "JPEG", exif=data)


def profile(text: str) -> bytes:
    """A colour profile, with a description as the format has it."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() + text.encode("utf-16-be")


def in_palette(text: str) -> bytes:
    image = picture(text).quantize(4)
    image.putpalette([*(image.getpalette() or [])[:12], *text.encode().ljust(6)])
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def before_pixels(text: str) -> bytes:
    data = bytearray(encoded(text, "BMP"))
    start = struct.unpack("<I", data[10:14])[0]
    data[2:6], data[10:14] = struct.pack("<I", len(data) + 8), struct.pack("<I", start + 8)
    return bytes(data[:start]) + text.encode().ljust(8) + bytes(data[start:])


def chunks(*pairs: tuple[bytes, bytes]) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in pairs
    )


def with_pixels(text: str, row: bytes = b"", behind: bytes = b"", interlaced: bool = False) -> bytes:
    """A PNG whose packed pixels have another row, or something behind them."""
    head = struct.pack(">IIBBBBB", 60, 20, 8, 0, 0, 0, interlaced)
    if interlaced:  # the rows of the seven passes
        widths = [8] * 3 + [7] * 3 + [15] * 3 + [15] * 5 + [30] * 5 + [30] * 10 + [60] * 10
        rows = b"".join(bytes(1 + width) for width in widths)
    else:
        rows = b"".join(b"\0" + line for line in map(bytes, np.asarray(picture(text))))
    return chunks((b"IHDR", head), (b"IDAT", zlib.compress(rows + row) + behind), (b"IEND", b""))


def in_delays(text: str) -> bytes:
    frames = [picture(text + letter).convert("P") for letter in text]
    delays = [10 * ord(letter) for letter in text]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=delays)
    return file.getvalue()


HIDDEN: dict[str, tuple[str, str, Callable[[str], bytes]]] = {
    "tEXt": (".png", "the tEXt chunk", lambda t: chunk(t, f"answer={t}")),
    "zTXt": (".png", "the zTXt chunk", lambda t: chunk(t, f"the answer is {t}", packed=True)),
    "iTXt": (".png", "the iTXt chunk", lambda t: chunk(t, t, itxt=True)),
    "packed iTXt": (".png", "the iTXt chunk", lambda t: chunk(t, t, packed=True, itxt=True)),
    "lower case": (".png", "the tEXt chunk", lambda t: chunk(t, t.lower())),
    "backwards": (".png", "the tEXt chunk", lambda t: chunk(t, t[::-1])),
    "base64": (".png", "the tEXt chunk", lambda t: chunk(t, base64.b64encode(t.encode()).decode())),
    "md5": (".png", "the tEXt chunk", lambda t: chunk(t, hashlib.md5(t.encode(), usedforsecurity=False).hexdigest())),
    "behind a PNG": (".png", "bytes behind the picture", lambda t: encoded(t, "PNG") + t.encode()),
    "behind a JPEG": (".jpg", "bytes behind the picture", lambda t: encoded(t, "JPEG") + t.encode()),
    "JPEG comment": (".jpg", "the comment", lambda t: encoded(t, "JPEG", comment=t.encode())),
    "EXIF": (".jpg", "EXIF or XMP", exif),
    "GIF comment": (".gif", "the comment", lambda t: encoded(t, "GIF", comment=t.encode())),
    "ROT13": (".png", "the tEXt chunk", lambda t: chunk(t, codecs.encode(t, "rot13"))),
    "hexadecimal": (".png", "the tEXt chunk", lambda t: chunk(t, t.encode().hex())),
    "base64 behind a word": (
        ".png",
        "the tEXt chunk",
        lambda t: chunk(t, base64.b64encode(f"id:{t}".encode()).decode()),
    ),
    "percent signs": (".png", "the tEXt chunk", lambda t: chunk(t, "".join(f"%{ord(letter):02X}" for letter in t))),
    "with dashes": (".png", "the tEXt chunk", lambda t: chunk(t, "-".join(t))),
    "a part of sha512": (".png", "the tEXt chunk", lambda t: chunk(t, hashlib.sha512(t.encode()).hexdigest()[:12])),
    "crc32": (".png", "the tEXt chunk", lambda t: chunk(t, f"{zlib.crc32(t.encode()):08x}")),
    "name of a colour profile": (".png", "the iCCP chunk", lambda t: encoded(t, "PNG", icc_profile=profile(t))),
    "palette": (".png", "the palette", in_palette),
    "TIFF description": (".tif", "TIFF tag 270", lambda t: encoded(t, "TIFF", description=t)),
    "before the pixels of a BMP": (".bmp", "the palette", before_pixels),
    "behind packed pixels": (".png", "bytes behind the packed pixels", lambda t: with_pixels(t, behind=t.encode())),
    "below the rows": (
        ".png",
        "bytes behind the packed pixels",
        lambda t: with_pixels(t, b"\0" + t.encode()),
    ),
    "below rows in passes": (
        ".png",
        "bytes behind the packed pixels",
        lambda t: with_pixels(t, b"\0" + t.encode(), b"", True),
    ),
    "delays": (".gif", "the delays of the frames", in_delays),
    "behind a GIF": (".gif", "bytes behind the picture", lambda t: encoded(t, "GIF") + t.encode() + b"\0\x3b"),
    "behind a JPEG, with an end": (
        ".jpg",
        "bytes behind the picture",
        lambda t: encoded(t, "JPEG") + t.encode() + b"\xff\xd9",
    ),
    "EXIF in UTF-16": (".jpg", "EXIF or XMP", lambda t: exif(t, 0x9C9C)),
    "WebP EXIF": (".webp", "EXIF or XMP", lambda t: encoded(t, "WEBP", exif=b"Exif\0\0" + t.encode())),
}


def written(folder: Path, suffix: str, make: Callable[[str], bytes], name: Callable[[str], str] = str) -> Path:
    folder.mkdir(exist_ok=True)
    for text in TEXTS:
        (folder / f"{name(text)}{suffix}").write_bytes(make(text))
    return folder


ONLY_NAMED = {
    "lower case",
    "backwards",
    "base64",
    "ROT13",
    "hexadecimal",
    "base64 behind a word",
    "percent signs",
    "with dashes",
    "a part of sha512",
    "crc32",
    "EXIF in UTF-16",
    "name of a colour profile",
    "palette",
    "before the pixels of a BMP",
    "delays",
}  # no word of the file is an answer as it is
CASES = [(hidden, named) for hidden in HIDDEN for named in (True, False) if named or hidden not in ONLY_NAMED]


@pytest.mark.parametrize(("hidden", "named"), CASES)
def test_an_answer_that_is_hidden_in_the_file_is_named(tmp_path, hidden, named):
    """Names tell which answer is a file's own; without them, an answer that stands there plainly is found."""
    suffix, place, make = HIDDEN[hidden]
    folder = written(tmp_path / "a", suffix, make, str if named else lambda text: f"{TEXTS.index(text):04d}")
    found = find_giveaways([folder], TEXTS)[0]
    assert found["severity"] == "high"
    assert place in found["figures"]["places"]
    assert place in found["plain"]
    assert found["figures"]["n"] == len(TEXTS)


@pytest.mark.parametrize(("suffix", "kind"), [(".png", "PNG"), (".jpg", "JPEG"), (".gif", "GIF"), (".webp", "WEBP")])
def test_plain_files_are_not_accused(tmp_path, suffix, kind):
    folder = written(tmp_path / "a", suffix, lambda text: encoded(text, kind))
    (found,) = find_giveaways([folder], TEXTS)
    assert found["severity"] == "none"
    assert found["figures"]["text_in_name"] == len(TEXTS)
    assert "never send such a name" in found["plain"]


@pytest.mark.parametrize("kind", ["GIF", "PNG", "BMP"])
def test_a_palette_of_the_colours_that_are_seen_is_no_code(tmp_path, kind):
    """Soft edges have levels that follow from the letter: whoever sees the letter knows no more by the palette."""
    rng = np.random.Generator(np.random.Philox(key=[4, 4]))
    texts = ["".join(rng.choice(list("ABCDEFGHKLMNPQRT"), 3)) for _ in range(120)]
    for number, text in enumerate(texts):
        frames = []
        for place, letter in enumerate(text):
            levels = np.full((20, 60), 255, np.uint8)
            edge = np.random.Generator(np.random.Philox(key=[ord(letter), 5])).integers(20, 240, 8)
            levels[4:12, 20 * place + 4] = edge
            levels[4:12, 20 * place + 5 : 20 * place + 9] = 0
            frames.append(Image.fromarray(levels))
        name = tmp_path / f"{number:03d}_{text}.{kind.lower()}"
        if kind == "GIF":
            frames[0].save(name, save_all=True, append_images=frames[1:], duration=50)
        else:
            colours = np.unique(np.asarray(frames[0]))
            image = Image.fromarray(np.searchsorted(colours, np.asarray(frames[0])).astype(np.uint8), "P")
            image.putpalette(np.repeat(colours, 3).tolist())
            image.save(name)
    found = find_giveaways([tmp_path], texts)[0]
    assert "palette" not in found["plain"], found["plain"]


def test_numbers_that_hold_short_answers_by_chance_are_no_finding(tmp_path):
    """Answers of sums: 10 and 11 stand, backwards too, in many numbers of files, and most other answers in few."""
    rng = np.random.Generator(np.random.Philox(key=[5, 1]))
    texts = [str(first + second) for first, second in rng.integers(0, 10, (260, 2)).tolist()]
    (tmp_path / "labels.csv").write_text("".join(f"{k:08d}.png,{text}\n" for k, text in enumerate(texts)))
    for number in range(len(texts)):
        (tmp_path / f"{number:08d}.png").write_bytes(encoded(str(number), "PNG"))
    (found,) = find_giveaways([tmp_path], texts)
    assert found["severity"] == "none", found["plain"]


def test_a_constant_text_that_holds_an_answer_is_no_finding(tmp_path):
    """All files say the same, so nothing in it is the file's own answer."""
    folder = written(tmp_path / "a", ".png", lambda text: chunk(text, f"made by {TEXTS[0]} and {TEXTS[1]}"))
    assert find_giveaways([folder], TEXTS)[0]["severity"] == "none"
    folder = written(tmp_path / "b", ".png", lambda text: chunk(text, f"made by {TEXTS[0]}"),
                     lambda text: f"{TEXTS.index(text):04d}")  # fmt: skip
    assert find_giveaways([folder], TEXTS)[0]["severity"] == "none"


def test_a_name_that_is_a_hash_of_the_answer_is_named(tmp_path):
    def name(text: str) -> str:
        return hashlib.sha1(text.lower().encode(), usedforsecurity=False).hexdigest()

    folder = written(tmp_path / "a", ".png", lambda text: encoded(text, "PNG"), name)
    (found,) = find_giveaways([folder], TEXTS)
    assert found["severity"] == "high"
    assert "a hash in the file name" in found["figures"]["places"]


def random_texts(count: int, letters: str, length: int = 5) -> list[str]:
    numbers = np.random.Generator(np.random.Philox(key=[8, count])).integers(0, len(letters), (count, length))
    return ["".join(letters[k] for k in row) for row in numbers.tolist()]


LETTERS = string.digits + string.ascii_uppercase
PLAIN = encoded("AAAA", "PNG")
IN_NAMES: dict[str, Callable[[str], str]] = {
    "base64": lambda t: base64.urlsafe_b64encode(t.encode()).decode().rstrip("="),
    "ROT13": lambda t: codecs.encode(t, "rot13"),
    "backwards": lambda t: t[::-1],
    "hexadecimal": lambda t: t.encode().hex(),
    "md5": lambda t: hashlib.md5(t.encode(), usedforsecurity=False).hexdigest(),
    "a number": lambda t: str(1000 + int(t, 36)),
    "other letters": lambda t: "".join(LETTERS[(LETTERS.index(letter) + 7 + 3 * k) % 36] for k, letter in enumerate(t)),
    "hexadecimal of other letters": lambda t: bytes(ord(letter) ^ 0x15 for letter in t).hex(),
}


def labelled(folder: Path, texts: list[str], name: Callable[[int, str], str], time: Callable[[int, str], int]) -> Path:
    """Write plain pictures with names that do not hold their labels, and a table that tells them."""
    folder.mkdir()
    rows = ["path,label"]
    for number, text in enumerate(texts):
        path = folder / f"{name(number, text)}.png"
        path.write_bytes(PLAIN)
        os.utime(path, (time(number, text),) * 2)
        rows.append(f"{path.name},{text}")
    (folder / "labels.csv").write_text("\n".join(rows))
    return folder


@pytest.mark.parametrize("code", IN_NAMES)
def test_a_name_that_tells_the_answer_in_a_code_is_named(tmp_path, code):
    """The labels are in a table, so that the audit knows which answer is whose."""
    texts = random_texts(400, LETTERS)
    folder = labelled(tmp_path / "a", texts, lambda _, text: f"c_{IN_NAMES[code](text)}", lambda number, _: number)
    (found,) = find_giveaways([folder], texts)
    assert found["severity"] == "high"
    assert "name" in found["plain"]


def test_a_code_of_a_single_letter_is_named_in_many_files(tmp_path):
    """There are only as many values as letters, however many files there are."""
    texts = random_texts(400, LETTERS)
    for text in texts:
        (tmp_path / f"{text}.jpg").write_bytes(encoded("A", "JPEG", comment=bytes([LETTERS.index(text[0]) + 60])))
    (found,) = find_giveaways([tmp_path], texts)
    assert "letter 1 of the answer" in found["plain"]


@pytest.mark.parametrize(("letters", "base"), [(string.digits, 10), (LETTERS, 36), (string.ascii_uppercase, 26)])
def test_a_time_that_tells_the_answer_is_named(tmp_path, letters, base):
    texts = random_texts(100, letters, 4)
    folder = labelled(
        tmp_path / "a", texts, lambda number, _: f"{number}",
        lambda _, text: 1_700_000_000 + sum(letters.index(one) * base**k for k, one in enumerate(reversed(text))),
    )  # fmt: skip
    (found,) = find_giveaways([folder], texts)
    assert found["severity"] == "high"
    assert "the file's time" in found["plain"]


@pytest.mark.parametrize("letters", [string.digits, LETTERS])
def test_names_and_times_in_the_order_of_the_answers_are_no_finding(tmp_path, letters):
    """Who copies files in the order of their names gives them times, and perhaps numbers, in that order."""
    texts = sorted(random_texts(600, letters))
    folder = labelled(
        tmp_path / "a", texts, lambda number, _: f"{number:06d}", lambda number, _: 1_700_000_000 + number // 9
    )
    assert find_giveaways([folder], texts)[0]["severity"] == "none"


def test_labels_that_are_shuffled_are_told_by_no_code(tmp_path):
    """Codes of other pictures' answers tell nothing."""
    texts = random_texts(400, LETTERS)
    folder = labelled(
        tmp_path / "a",
        texts,
        lambda k, _: f"c_{texts[(k + 7) % 400][::-1]}",
        lambda k, _: int(texts[(k + 9) % 400], 36),
    )
    assert find_giveaways([folder], texts)[0]["severity"] == "none"


def path_of(letter: str, left: int) -> str:
    """Draw a letter as svg-captcha and its like do: other coordinates each time, always the same commands."""
    commands = "".join("LQC"[(ord(letter) >> k) % 3] for k in range(7))
    return f'<path fill="#333" d="M{left} 10{"".join(f"{c}{left} 1" for c in commands)}Z"/>'


def test_an_svg_whose_paths_tell_the_letters_is_named(tmp_path):
    def drawn(text: str) -> bytes:
        line = '<path fill="none" stroke="#555" d="M1 2L3 4"/>'
        letters = [path_of(letter, 20 * k) for k, letter in enumerate(text)]
        return f"<svg>{line}{''.join(reversed(letters))}</svg>".encode()

    texts = [a + b for a in "ABCDEF" for b in "ABCDEF"]
    for text in texts:
        (tmp_path / f"{text}.svg").write_bytes(drawn(text))
    (found,) = find_giveaways([tmp_path], texts)
    assert found["severity"] == "high"
    assert found["figures"]["svg_letters_told"] == found["figures"]["svg_letters"] == len(texts)
    assert "drawing commands tell" in found["plain"]


def test_an_svg_with_text_elements_is_named(tmp_path):
    folder = written(tmp_path / "a", ".svg", lambda text: f"<svg><text x='1'>{text}</text></svg>".encode())
    assert "as text elements" in find_giveaways([folder], TEXTS)[0]["plain"]


def test_files_that_are_not_given_or_damaged_tell_nothing(tmp_path):
    assert find_giveaways([], TEXTS)[0]["severity"] == "unknown"
    for text in TEXTS:
        (tmp_path / f"{text}.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\xffzTXt\0\0")
        (tmp_path / f"{text}.jpg").write_bytes(b"\xff\xd8\xff\xe1\xff")
        (tmp_path / f"{text}.gif").write_bytes(b"GIF89a\x21\xfe\xff")
    assert find_giveaways([tmp_path], TEXTS)[0]["severity"] == "none"


def in_table(text: str) -> bytes:
    """A quantisation table that has the answer among its values."""
    return encoded(text, "JPEG", qtables=[[*range(16, 36), *text.encode(), *[60] * (44 - len(text))]])


def test_the_table_of_a_jpeg_is_looked_at(tmp_path):
    rng = np.random.Generator(np.random.Philox(key=[1, 2]))
    texts = ["".join(rng.choice(list("ABCDEFGHKLMN"), 4)) for _ in range(80)]
    for number, text in enumerate(texts):
        (tmp_path / f"{number:03d}_{text}.jpg").write_bytes(in_table(text))
    (found,) = find_giveaways([tmp_path], texts)
    assert "the quantisation table" in found["plain"]
