"""Picture files -> the pixels of their frames, with Pillow; which frames make up the picture."""

import io
import re
import threading
import warnings
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from PIL import ExifTags, Image, ImageFilter, UnidentifiedImageError

from tasks.loading.plain_png import decode_wide
from tasks.loading.safe_read import BadPicture, Unreadable, require_few_parts

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF")
OTHERS = {  # that are not read, by how their files begin
    "AVIF": re.compile(rb"....ftypavi[fs]", re.DOTALL), "HEIC": re.compile(rb"....ftyp(?:hei|hev|mif1)", re.DOTALL),
    "JPEG 2000": re.compile(rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51"), "JPEG XL": re.compile(rb"\xff\x0a|\0\0\0\x0cJXL "),
    "ICO": re.compile(rb"\0\0[\1\2]\0[^\0]\0"), "SVG": re.compile(rb"\s*<(?:\?xml.{,999}<svg|svg)", re.DOTALL),
    "PDF": re.compile(rb"%PDF-"), "PNM": re.compile(rb"P[1-7]\s"), "PSD": re.compile(rb"8BPS"),
}  # fmt: skip
MOST_PIXELS = 16_000_000
MOST_FRAMES = 64  # later frames are not looked at
COUNTED = 300_000  # bytes: the frames of a larger file are not counted to the end
MOST_PAGES = 4  # times the largest picture: of pages of other sizes no more pixels are looked at
LONGEST_SIDE = 640
LEAST_CONTRAST = 8  # levels of 255 between the darkest and the brightest pixel
GROUND = 0.4  # of a picture of 16 bits that uses few of its levels: if less is ground, nothing stands out
FULL = 0.9  # of the fullest frame's ink: the first frame that has more is as good
NEW = 0.08  # of the fullest frame's ink: a frame that adds more to it has letters that the fullest lacks
HALF = 128  # strength of a pixel that is ink
MOVED = 0.85  # of a frame's ink: if as much lies on another frame's at another place, the letters moved
WHOLE = 1.05  # of a frame's ink: if more is there around it on the other frame, that is a part, as an I of an H
BESIDE = 0.5  # of what a frame adds: if more of it touches ink that is there, the letters moved

# Pillow warns about odd files. `catch_warnings` replaces a list of the whole process, which two threads at once would
# leave wrong; hence the lock. Processes decode in parallel, threads do not.
_QUIET = threading.Lock()

# The turn that makes a picture upright, by its EXIF orientation; 1 is upright.
_TURNS: dict[object, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip


@dataclass(frozen=True)
class Frames:
    """The k frames of a file that have the first frame's size, each (h, w), (h, w, 3) or (h, w, 4) uint8.

    count : the frames that the file has; one more than `MOST_FRAMES` if it has more
    page : which of them the only one here is
    """

    pixels: list[np.ndarray]
    count: int = 1
    page: int = 0


def decode_frames(data: bytes, as_shown: bool = False) -> Frames:
    """Decode a file with Pillow, no side over 640. A damaged frame ends the frames, unless it is the first.

    Levels of 16 bits are stretched, or with `as_shown` cut to their higher 8 bits, as browsers do. libtiff
    writes its complaints about a damaged TIFF to standard error itself; they cannot be caught here.
    """
    require_few_parts(data)
    try:
        with (
            _QUIET,
            warnings.catch_warnings(action="ignore"),
            Image.open(io.BytesIO(data), formats=FORMATS) as image,
        ):
            width, height = image.size
            if width * height > MOST_PIXELS:
                raise BadPicture(
                    f"{width} x {height} = {width * height:,} pixels; at most {MOST_PIXELS:,} are read: "
                    "make the picture smaller"
                )
            frames = _all_frames(image, as_shown, len(data))
        return frames if as_shown else _with_low_levels(frames, data)
    except BadPicture:
        raise
    except Image.DecompressionBombError as error:  # Pillow refuses before it tells the size
        found = re.search(r"(\d+) pixels", str(error))
        count = f"{int(found[1]):,} pixels" if found else "too many pixels"
        raise BadPicture(f"{count}; at most {MOST_PIXELS:,} are read: make the picture smaller") from error
    except UnidentifiedImageError as error:
        other = next((name for name, begins in OTHERS.items() if begins.match(data)), "")
        told = f"but {other}: save it as PNG" if other else "or the file's beginning is damaged"
        raise BadPicture(f"no picture: not PNG, JPEG, GIF, BMP, WebP or TIFF, {told}") from error
    except MemoryError as error:
        raise Unreadable("its decoding asks for more memory than there is") from error
    except Exception as error:  # decoders raise all kinds of errors; the message keeps the reason
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise BadPicture(f"damaged or cut off: {said}") from error


def choose_frame(inks: list[np.ndarray | None]) -> list[int]:
    """Return the numbers of the frames that make up the picture: the fullest, and others with letters that it lacks.

    Parameters
    ----------
    inks : list of (H, W) uint8 or None
        The ink of each frame; None for a blank frame. At least one is not blank.
    """
    there = {k: ink for k, ink in enumerate(inks) if ink is not None}
    amounts = {k: int(ink.sum(dtype=np.int64)) for k, ink in there.items()}
    best = next(k for k, amount in amounts.items() if amount >= FULL * max(amounts.values()))
    chosen, whole = [best], there[best]
    for k in sorted(there, key=lambda k: -amounts[k]):
        ink = there[k]
        if k == best or ink.shape != whole.shape:
            continue
        near = np.asarray(Image.fromarray(whole).filter(ImageFilter.MaxFilter(5)))
        more = np.where(ink > whole, ink - whole, 0).astype(np.int64)
        adds = more.sum() > NEW * amounts[best] and more[near >= 64].sum() <= BESIDE * more.sum()
        if adds and not _is_moved(ink, there[best]):
            chosen.append(k)
            whole = np.maximum(whole, ink)
    return sorted(chosen)


def _is_moved(ink: np.ndarray, best: np.ndarray) -> bool:
    """Return whether a frame's letters all stand in another frame as well, elsewhere, and not as parts of letters."""
    mine, theirs = ink >= HALF, best >= HALF
    if _pieces(mine) < 2 and _pieces(theirs) < 3:
        return False  # a letter a frame, and one of them may come twice
    shape = [2 * side for side in ink.shape]
    other = np.fft.rfft2(theirs, shape)
    shared = np.fft.irfft2(other * np.conj(np.fft.rfft2(mine, shape)), shape)  # pixels, by how far all are moved
    if shared.max() < MOVED * mine.sum():
        return False
    down, right = np.unravel_index(int(shared.argmax()), shared.shape)
    top, left = down - shape[0] * (down >= ink.shape[0]), right - shape[1] * (right >= ink.shape[1])
    rows, columns = np.flatnonzero(mine.any(axis=1)) + top, np.flatnonzero(mine.any(axis=0)) + left
    before, behind = 2 * (not mine[:, 0].any()), 2 * (not mine[:, -1].any())  # none where the border cuts a letter
    around = theirs[max(rows[0] - 2, 0) : rows[-1] + 3, max(columns[0] - before, 0) : columns[-1] + 1 + behind]
    return bool(around.sum() <= WHOLE * mine.sum())


def _pieces(mask: np.ndarray) -> int:
    """Return how many pieces have a gap of empty columns between them."""
    columns = np.asarray(mask.any(axis=0))
    return int(np.count_nonzero(columns[1:] > columns[:-1]) + columns[0])


def _count(image: Image.Image, size: int) -> int:
    """Return how many frames there are, or one more than `MOST_FRAMES`: a large file may have a hundred thousand."""
    if size <= COUNTED:
        return min(int(getattr(image, "n_frames", 1)), MOST_FRAMES + 1)
    count = 1
    with suppress(Exception):  # EOFError after the last; decoders raise all kinds of errors
        for count in range(1, MOST_FRAMES + 2):
            image.seek(count)
    image.seek(0)
    return count


def _all_frames(image: Image.Image, as_shown: bool, size_of_file: int) -> Frames:
    first = _pixels(image, as_shown)
    count = _count(image, size_of_file)
    frames, others, size = [first], [], image.size
    for k in range(1, min(count, MOST_FRAMES, MOST_PIXELS // max(1, size[0] * size[1]) + 1)):
        try:
            image.seek(k)
            if image.size == size:
                frames.append(_pixels(image, as_shown))
            elif image.size[0] * image.size[1] <= MOST_PIXELS:
                others.append(k)
        except Exception:  # noqa: BLE001 - decoders raise all kinds of errors; what came before is there
            break
    if others and (found := _fuller_page(image, others, frames, size, as_shown)):
        return Frames([found[1]], count, found[0])
    return Frames(frames, count)


def _fuller_page(
    image: Image.Image, numbers: list[int], frames: list[np.ndarray], size: tuple[int, int], as_shown: bool
) -> tuple[int, np.ndarray] | None:
    """Return the number and pixels of a page that the first is a thumbnail of, or of any if the first is blank."""
    sizes = {}
    for k in numbers:
        image.seek(k)
        sizes[k] = image.size[0] * image.size[1]
    spent, blank = 0, all(int(np.ptp(frame)) < LEAST_CONTRAST for frame in frames)
    for k in sorted(numbers, key=lambda k: -sizes[k]):
        if not blank and sizes[k] <= size[0] * size[1]:
            return None
        spent += sizes[k]
        if spent > MOST_PAGES * MOST_PIXELS:
            return None
        try:
            image.seek(k)
            page = _pixels(image, as_shown)
        except Exception:  # noqa: BLE001 - as above
            continue
        if int(np.ptp(page)) >= LEAST_CONTRAST:
            return k, page
    return None


def _pixels(image: Image.Image, as_shown: bool) -> np.ndarray:
    image.load()
    turn = _turn(image)
    mode = image.mode
    if mode.startswith("I;16") and as_shown:
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    elif mode.startswith(("I", "F")):
        image = Image.fromarray(_levels(np.asarray(image)))
    elif image.has_transparency_data:
        image = image.convert("RGBA")
    elif mode == "1":
        image = image.convert("L")
    elif mode == "LAB":  # Pillow cannot convert it; its first channel is lightness
        image = image.getchannel(0)
    elif mode not in {"L", "RGB"}:
        image = image.convert("RGB")
    longest = max(image.size)
    if longest > LONGEST_SIDE:
        width, height = (max(1, round(side * LONGEST_SIDE / longest)) for side in image.size)
        image = image.resize((width, height), Image.Resampling.BOX)
    if turn is not None:
        image = image.transpose(turn)
    shape = (image.height, image.width, len(image.getbands()))
    return np.frombuffer(image.tobytes(), np.uint8).reshape(shape[:2] if shape[2] == 1 else shape)


def _with_low_levels(frames: Frames, data: bytes) -> Frames:
    """Stretch the colours of 16 bits in a PNG file whose higher 8 bits are all nearly the same, as for grey ones."""
    first = frames.pixels[0]
    if frames.count > 1 or first.ndim < 3 or int(np.ptp(first[..., :3])) >= LEAST_CONTRAST:
        return frames
    wide = decode_wide(data, LONGEST_SIDE)
    if wide is None:
        return frames
    channels = wide.shape[2]
    colours = _levels(wide[..., : 1 if channels == 2 else 3])
    colours = np.broadcast_to(colours, (*wide.shape[:2], 3))
    alpha = [(wide[..., -1:] >> 8).astype(np.uint8)] if channels in (2, 4) else []
    return Frames([np.concatenate([colours, *alpha], axis=2)])


def _turn(image: Image.Image) -> Image.Transpose | None:
    """Return how a loaded picture is turned upright by its metadata; None for none, and for metadata that is damaged.

    Pillow turns TIFF files itself as it loads them, and takes the orientation away.
    """
    try:
        return _TURNS.get(image.getexif().get(ExifTags.Base.Orientation))
    except Exception:  # noqa: BLE001 - whatever is wrong with the metadata, the pixels are there
        return None


def _levels(values: np.ndarray) -> np.ndarray:
    """Stretch integers of 16 or 32 bits, or floats, over 0 to 255."""
    low, high = float(values.min()), float(values.max())
    span = high - low
    if not np.isfinite(span):
        raise BadPicture("it holds values that are no finite numbers")
    largest = max(abs(low), abs(high))
    white = next((white for white in (1.0, 255.0, 65535.0) if largest <= white), largest)
    if span < LEAST_CONTRAST / 65535 * white:
        refuse_blank(span / white * 255)
    levels = values.astype(np.float64)
    levels -= low
    levels *= 255
    levels /= span
    stretched: np.ndarray = np.rint(levels, out=levels).astype(np.uint8)
    counts = np.bincount(stretched.ravel(), minlength=256)
    if np.convolve(counts, np.ones(25, np.int64), "same").max() < GROUND * stretched.size:
        refuse_blank(span / white * 255)  # noise that was stretched has no ground
    return stretched


def refuse_blank(contrast: float) -> None:
    """Refuse a picture with too few levels of 255 between its darkest and its brightest pixel.

    Raises
    ------
    BadPicture
    """
    if contrast < LEAST_CONTRAST:
        raise BadPicture(
            f"blank: the darkest and the brightest pixel are {contrast:.3g} of 255 levels apart, "
            f"at least {LEAST_CONTRAST} are needed"
        )
