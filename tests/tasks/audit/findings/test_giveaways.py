"""Answers in files: metadata, hidden bytes, names, and SVG."""

import base64
import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from tasks.audit.findings.giveaways import find_giveaways

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


def exif(text: str) -> bytes:
    data = Image.Exif()
    data[0x010E] = f"captcha {text}"
    return encoded(text, "JPEG", exif=data)


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
    "WebP EXIF": (".webp", "EXIF or XMP", lambda t: encoded(t, "WEBP", exif=b"Exif\0\0" + t.encode())),
}


def written(folder: Path, suffix: str, make: Callable[[str], bytes], name: Callable[[str], str] = str) -> Path:
    folder.mkdir(exist_ok=True)
    for text in TEXTS:
        (folder / f"{name(text)}{suffix}").write_bytes(make(text))
    return folder


ONLY_NAMED = {"lower case", "backwards", "base64"}  # no word of the file is an answer as it is
CASES = [(hidden, named) for hidden in HIDDEN for named in (True, False) if named or hidden not in ONLY_NAMED]


@pytest.mark.parametrize(("hidden", "named"), CASES)
def test_an_answer_that_is_hidden_in_the_file_is_named(tmp_path, hidden, named):
    """Names tell which answer is a file's own; without them, an answer that stands there plainly is found."""
    suffix, place, make = HIDDEN[hidden]
    folder = written(tmp_path / "a", suffix, make, str if named else lambda text: f"{TEXTS.index(text):04d}")
    (found,) = find_giveaways([folder], TEXTS)
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


def test_moving_pictures_are_told(tmp_path):
    frames = [picture(text).convert("P") for text in ("AA", "BB", "CC")]
    for text in TEXTS:
        frames[0].save(tmp_path / f"{text}.gif", save_all=True, append_images=frames[1:], duration=50)
    found = find_giveaways([tmp_path], TEXTS)[1]
    assert (found["name"], found["figures"]["most_frames"]) == ("frames", 3)


def test_files_that_are_not_given_or_damaged_tell_nothing(tmp_path):
    assert find_giveaways([], TEXTS)[0]["severity"] == "unknown"
    for text in TEXTS:
        (tmp_path / f"{text}.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\xffzTXt\0\0")
        (tmp_path / f"{text}.jpg").write_bytes(b"\xff\xd8\xff\xe1\xff")
        (tmp_path / f"{text}.gif").write_bytes(b"GIF89a\x21\xfe\xff")
    assert find_giveaways([tmp_path], TEXTS)[0]["severity"] == "none"
