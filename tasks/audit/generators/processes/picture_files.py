"""Files of pictures that a generator gave: whether they are whole, and of which format."""

import base64
import binascii
import io
import re
import warnings

from PIL import Image, UnidentifiedImageError

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF")
_BEGINS = {
    b"\x89PNG": ".png", b"\xff\xd8": ".jpg", b"GIF8": ".gif", b"BM": ".bmp", b"RIFF": ".webp",
    b"II": ".tif", b"MM": ".tif",
}  # fmt: skip
_INSIDE = re.compile(
    rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|GIF8[79]a|P[1-6]\s+\d+\s+\d+\s|<svg[\s>]"
)  # pictures behind other output
_BASE64 = re.compile(rb"(?:data:image/[\w.+-]{1,80};base64,)?([A-Za-z0-9+/]+={0,2})")
_SEARCHED = 1 << 16  # bytes in which a picture may begin
_PNM = re.compile(rb"P[1-6]\s")
_SVG = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*(?:<!DOCTYPE\s+svg[^>]*>\s*)?<svg[\s>]", re.DOTALL
)


class NoPicture(ValueError):
    """What was returned cannot be used; `what` is the kind of failure, the message says what was found."""

    def __init__(self, what: str, said: str):
        super().__init__(said)
        self.what = what


def suffix_of(data: bytes) -> str:
    """Return the ending that a picture file's name should have."""
    return next((suffix for begins, suffix in _BEGINS.items() if data.startswith(begins)), "")


def from_base64(data: bytes) -> bytes:
    """Return the picture file that was printed in base64 or as a data: URL, as pages have it; else `data` as it is."""
    found = _BASE64.fullmatch(b"".join(data.split()))
    if not found:
        return data
    try:
        decoded = base64.b64decode(found[1], validate=True)
    except binascii.Error:
        return data
    return decoded if suffix_of(decoded) else data


def whole_picture(data: bytes, pixels: int) -> bytes:
    """Decode the bytes of a picture file, and return them; PPM, PGM and PBM, which imports do not take, become PNG.

    Raises
    ------
    NoPicture
        They are no picture, or only half of it, or it has too many pixels.
    """
    if not data:
        raise NoPicture("gave no picture", "nothing (0 bytes)")
    if _SVG.match(data[:4096]):
        raise NoPicture(
            "gave an SVG",
            "it has no pixels; convert it in the generator, for instance: "
            """--command 'sh -c "node draw.js \\"$1\\" | rsvg-convert -b white -o \\"$2\\"" sh {text} {out}'""",
        )
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(data), formats=(*FORMATS, "PPM")) as image:
            width, height = image.size
            if width * height > pixels:
                raise NoPicture(too_large(pixels), f"{width} x {height} pixels")
            image.load()
            if image.format != "PPM":
                return data
            buffer = io.BytesIO()
            image.save(buffer, "PNG")
            return buffer.getvalue()
    except NoPicture:
        raise
    except Image.DecompressionBombError as error:
        raise NoPicture(too_large(pixels), str(error)) from error
    except UnidentifiedImageError as error:
        if suffix := suffix_of(data):  # Pillow finds no such pixels in any format, and calls the file unknown
            raise NoPicture(
                "gave a picture of a kind that is not read",
                f"{len(data):,} bytes that begin as a {suffix} file; its beginning is damaged, or it has pixels that "
                "are not read, as a TIFF of 16 bits a channel has. Write a PNG, or 8 bits a channel (for ImageMagick: "
                "-depth 8)",
            ) from error
        begins = data[:40].decode("utf-8", "backslashreplace")
        said = f"{len(data):,} bytes that begin with {begins!r}"
        behind = _INSIDE.search(data, 1, _SEARCHED)
        if b"\0" in data[: behind.start() if behind else 40]:  # no text, but a format such as ICO, which holds others
            said += "; read are PNG, JPEG, GIF, BMP, WebP, TIFF, PPM, PGM and PBM"
        elif behind:
            said += f"; a picture begins after {behind.start():,} bytes: print only the picture, or write it to {{out}}"
        raise NoPicture("gave no picture", said) from error
    except Exception as error:  # decoders raise all kinds of errors
        said = " ".join(str(error).split()) or type(error).__name__
        raise NoPicture("gave a damaged picture", f"{len(data):,} bytes: {said}") from error


def portable(data: bytes, pixels: int) -> bytes:
    """Return the bytes of a picture file that imports take: PPM, PGM and PBM become PNG, others stay as they are.

    Raises
    ------
    NoPicture
    """
    return whole_picture(data, pixels) if _PNM.match(data) else data


def too_large(pixels: int) -> str:
    """Return what is said of a picture with too many pixels."""
    return f"drew more than {pixels:,} pixels"
