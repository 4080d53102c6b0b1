"""The rules that names and labels in a shard must keep: a stranger may have made it, and its digests prove no sense."""

import re

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
