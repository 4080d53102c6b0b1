"""The rules that names and labels in a shard must keep: a stranger may have made it, and its digests prove no sense."""

import json
import re
from collections.abc import Mapping
from typing import Protocol

import numpy as np

from storage.errors import Damaged

_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")  # the name of a parameter, which tables and plots show
_FIRST = ("height", "width")
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


class _Stored(Protocol):
    """An array in a file."""

    shape: tuple[int, ...]
    dtype: np.dtype


def require_images(images: _Stored, pixel: tuple[int, ...]) -> None:
    """Refuse pictures of another shape or type than (n, H, W, *pixel) uint8.

    Raises
    ------
    ValueError
        Names the rule and the value.
    """
    shape = images.shape
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
