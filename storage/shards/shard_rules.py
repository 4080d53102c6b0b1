"""The rules that names and labels in a shard must keep: a stranger may have made it, and its digests prove no sense."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol

import h5py
import numpy as np

from storage.errors import Damaged
from storage.files.places import Place

_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")  # the name of a parameter, which tables and plots show
_FIRST = ("height", "width")
_SIDE, _PLACE = np.dtype("<u2"), np.dtype("<i2")  # of a picture's height and width; of a side of a letter's box
LARGEST_SIDE = 1024  # pixels, as of a profile's canvas: a block of the largest takes 1 GB in grey, 3 GB in colour
# Far more than any text needs: with them a block's labels take 10 MB, its boxes 80 MB, its parameters 67 MB.
MOST_LETTERS, MOST_LABEL, MOST_ROW = 10_000, 10_000, 65_536  # boxes of a picture; bytes of a label, of a row
MOST_BLOCKS = 1024  # of a shard; this program makes shards of 16
_SHOWN = 80  # characters of a wrong value in a message
_REMEDY = "take the dataset from where it was made, or import its pictures anew"


def decoded(labels: np.ndarray, alphabet: str | None = None) -> list[str]:
    """Return labels as strings.

    Parameters
    ----------
    labels : (n,) fixed-length bytes
    alphabet : str, optional
        The characters that labels may have; by default all that can be printed.

    Raises
    ------
    Damaged
        A label is not UTF-8, or has a character that it may not have. No dataset of this program has such labels.
    """
    try:
        texts = [label.decode() for label in labels.tolist()]
    except UnicodeDecodeError as error:
        raise Damaged(f"label {error.object!r} of a shard: must be UTF-8; {_REMEDY}") from error
    joined = "".join(texts)
    if not joined.isprintable():
        wrong = next(text for text in texts if not text.isprintable())
        raise Damaged(f"label {wrong!r} of a shard: must be without control and invisible characters; {_REMEDY}")
    if alphabet is not None and (foreign := set(joined).difference(alphabet)):
        wrong = next(text for text in texts if foreign.intersection(text))
        raise Damaged(f"label {wrong!r} of a shard: must be of the alphabet {alphabet!r}; {_REMEDY}")
    return texts


class _Opened(Protocol):
    """A shard that was opened, by itself or by its proof."""

    @property
    def path(self) -> Place: ...
    @property
    def count(self) -> int: ...
    @property
    def format(self) -> int: ...


def require_told(shard: _Opened, count: int, number: int | None = None) -> None:
    """Refuse a shard that has another number of pictures than `count`, or another format than `number`, if given.

    Raises
    ------
    Damaged
    """
    for what, found, told in (("holds {} pictures", shard.count, count), ("is of format {}", shard.format, number)):
        if told is not None and found != told:
            raise Damaged(
                f"{shard.path}: {what.format(found)} where the manifest says {told}; captchas verify tells more"
            )


class _Stored(Protocol):
    """An array in a file; `chunks` is None where its bytes are in one piece, in another file or in other arrays."""

    shape: tuple[int, ...]
    dtype: np.dtype
    chunks: tuple[int, ...] | None


@dataclass(frozen=True)
class Told:
    """What a shard's attributes say: `blocks` are the digests of its blocks, in hexadecimal."""

    format: int
    digest: str
    identity: str
    index: int
    first: int
    count: int
    blocks: list[str]


def attributes_of(file: h5py.File) -> Told:
    """Read the attributes of a shard, each of its type.

    Raises
    ------
    ValueError
        Names the attribute, the rule and the value.
    """
    found: dict[str, Any] = {}
    for name in (field.name for field in fields(Told)):
        if name not in file.attrs:
            raise ValueError(f"it lacks the attribute {name}")
        value = found[name] = file.attrs[name]
        if name in ("digest", "identity"):
            rule, fits = "a text", isinstance(value, str)
        elif name == "blocks":
            rule = f"at most {MOST_BLOCKS:,} digests of 64 characters"
            fits = getattr(value, "dtype", None) == "S64" and value.ndim == 1
            fits = fits and len(value) <= MOST_BLOCKS
        else:
            rule, fits = "a whole number from 0", isinstance(value, np.integer) and 0 <= int(value) < 1 << 63
        if not fits:
            raise ValueError(f"{name}: must be {rule}; it is {repr(value)[:_SHOWN]}")
        if name == "blocks":
            found[name] = [digest.decode() for digest in value.tolist()]
        elif rule != "a text":
            found[name] = int(value)
    return Told(**found)


def require_chunks(arrays: Mapping[str, h5py.Dataset], blocks: int) -> None:
    """Refuse arrays that lack a chunk, for which h5py says that there is too little memory.

    Raises
    ------
    ValueError
    """
    for name, array in arrays.items():
        if (chunks := array.id.get_num_chunks()) != blocks:
            raise ValueError(f"{name}: must have a chunk for each of {blocks} blocks; it has {chunks}")


def require_own(file: h5py.File, names: Iterable[str]) -> None:
    """Refuse arrays that are links, or that HDF5 would unpack otherwise than this program does.

    A link would show the content of another file, anywhere on the machine.

    Raises
    ------
    ValueError
        Names the array, the rule and the value.
    """
    for name in names:
        if name not in file:
            raise ValueError(f"it lacks the array {name}")
        if not isinstance(file.get(name, getlink=True), h5py.HardLink):
            raise ValueError(f"its {name} are a link; a shard must hold them itself")  # noqa: TRY004
        if not isinstance(array := file[name], h5py.Dataset):
            kind = type(array).__name__
            raise ValueError(f"its {name} must be an array; it has a {kind} of that name")  # noqa: TRY004
        if not array.chunks:
            raise ValueError(f"{name}: must be stored in chunks; it is in none")
        kept = array.id.get_create_plist()
        filters = [kept.get_filter(number)[0] for number in range(kept.get_nfilters())]
        if filters != [h5py.h5z.FILTER_DEFLATE]:
            raise ValueError(f"{name}: must be packed by gzip alone; it has the filters {filters}")


def require_arrays(arrays: Mapping[str, _Stored], pixel: tuple[int, ...], block: int) -> None:
    """Refuse arrays of other types or shapes than those of `Block`, or in other chunks than of `block` rows.

    A block is a chunk, and the bounds of rows bound what it takes in memory: a few bytes may unpack to 4 GB.

    Raises
    ------
    ValueError
        Names the array, the rule and the value.
    """
    require_images(arrays["images"], pixel)
    require_fields(arrays["parameters"].dtype)
    text, boxes, parameters, split = (arrays[name] for name in ("text", "boxes", "parameters", "split"))
    for name, array, rule, fits in (
        ("text", text, "(n,) bytes of a fixed length", len(text.shape) == 1 and text.dtype.kind == "S"),
        ("text", text, f"at most {MOST_LABEL} bytes a label", text.dtype.itemsize <= MOST_LABEL),
        ("boxes", boxes, "(n, L, 4) int16", boxes.shape[2:] == (4,) and boxes.dtype == _PLACE),
        ("boxes", boxes, f"at most {MOST_LETTERS} a picture", boxes.shape[1:2] <= (MOST_LETTERS,)),
        ("parameters", parameters, "(n,) rows", len(parameters.shape) == 1),
        ("parameters", parameters, f"at most {MOST_ROW} bytes a row", parameters.dtype.itemsize <= MOST_ROW),
        ("split", split, "(n,) uint8", len(split.shape) == 1 and split.dtype == np.uint8),
    ):
        if not fits:
            raise ValueError(f"{name}: must be {rule}; it is {array.shape} {_brief(array.dtype)}")
    for name, array in arrays.items():
        if array.chunks != (wanted := (block, *array.shape[1:])):
            raise ValueError(f"{name}: must be stored in chunks of {wanted}; it is in {array.chunks or 'none'}")


def _brief(dtype: np.dtype) -> str:
    """Describe a dtype in a message; a compound may have a thousand fields."""
    return f"{len(dtype.names)} fields of {dtype.itemsize} bytes" if dtype.names else str(dtype)


def require_numbers(name: str, rows: np.ndarray, canvas: Sequence[int], splits: int) -> None:
    """Refuse rows of an array that lead outside: to a split that is none, or past the canvas of the pictures.

    Parameters
    ----------
    name : str
        Of the array; only `split` and `parameters` lead anywhere.
    canvas : (rows, columns)
    splits : int
        Number of splits.

    Raises
    ------
    ValueError
        Names the array, the rule and the value.
    """
    if not len(rows):
        return
    if name == "split" and (most := rows.max()) >= splits:
        raise ValueError(f"split: must be less than {splits}; it is {most}")
    for field, most in zip(_FIRST, canvas, strict=False) if name == "parameters" else ():
        least, largest = rows[field].min(), rows[field].max()
        if not 1 <= least <= largest <= most:
            wrong = largest if least else least
            raise ValueError(f"parameters.{field}: must be from 1 to {most}, the pictures' canvas; it is {wrong}")


def require_images(images: _Stored, pixel: tuple[int, ...]) -> None:
    """Refuse pictures of another shape or type than (n, H, W, *pixel) uint8.

    Raises
    ------
    ValueError
        Names the rule and the value.
    """
    shape = images.shape
    if max(shape[1:3], default=0) > LARGEST_SIDE:
        raise ValueError(f"images: must have at most {LARGEST_SIDE} rows and columns; they are {shape}")
    if images.dtype != np.uint8 or len(shape) != 3 + len(pixel) or shape[3:] != pixel or 0 in shape[1:]:
        wanted = ", ".join(["n", "H", "W", *map(str, pixel)])
        raise ValueError(f"images: must be ({wanted}) uint8 in this format; they are {shape} {images.dtype}")


def require_format(identity: str, number: int, formats: Mapping[int, tuple[int, ...]]) -> None:
    """Refuse a shard whose identity is of one of `formats`, but of another than the shard's own, `number`.

    Raises
    ------
    ValueError
    """
    try:
        content = json.loads(identity)
    except ValueError:
        return
    told = content.get("format") if isinstance(content, dict) else None
    if told in formats and told != number:
        raise ValueError(f"its identity is of format {told}, its pictures are of format {number}")


def require_fields(parameters: np.dtype) -> None:
    """Refuse parameters that no dataset of this program has.

    Raises
    ------
    ValueError
        Names the field, the rule and the value.
    """
    names = parameters.names or ()
    if names[: len(_FIRST)] != _FIRST:
        raise ValueError(
            f"parameters: the first fields must be {' and '.join(_FIRST)}; they are {names[: len(_FIRST)]}"
        )
    for name in names:
        if not _FIELD.fullmatch(name):
            raise ValueError(f"parameters: a field's name must be letters, digits and _ only; it is {name!r}")
        if parameters[name].base.kind not in "iu":
            raise ValueError(f"parameters.{name}: must be whole numbers; it is {parameters[name].base}")
        if name in _FIRST and parameters[name] != _SIDE:
            raise ValueError(f"parameters.{name}: must be uint16; it is {parameters[name]}")
