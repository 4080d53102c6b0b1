"""What stands in the brackets of `data[…]`, as numbers of pictures."""

import numpy as np

from storage.errors import BadInput, CaptchasError


class OutOfRange(CaptchasError, IndexError):
    """An index past the end of a dataset."""

    exit_code = 2


def rows_of(chosen, count: int) -> int | np.ndarray:
    """The picture that an integer names, or those of a slice, a list or an array, (n,) int64, all from 0.

    Raises
    ------
    OutOfRange
        An IndexError: past either end of `count` pictures, or a mask of another length.
    BadInput
        Another kind of index.
    """
    if isinstance(chosen, slice):
        try:
            return np.arange(*chosen.indices(count))
        except TypeError as error:
            raise BadInput(f"index: a slice's ends must be integers or None; it is {chosen}") from error
    array = _array(chosen)
    if array.ndim == 1 and array.dtype == bool:
        if len(array) != count:
            raise OutOfRange(f"index: a mask must have {count} values, one a picture; it has {len(array)}")
        return np.flatnonzero(array)
    if array.ndim > 1 or array.dtype.kind not in "iu":
        raise BadInput(
            "index: must be an integer, a slice, or a one-dimensional list or array of integers or booleans; "
            f"it is {chosen!r:.60}"
        )
    outside = array[(array < -count) | (array >= count)]
    if outside.size:
        raise OutOfRange(f"index: must be from {-count} to {count - 1}, for {count} pictures; it is {outside.flat[0]}")
    rows = array.astype(np.int64)
    rows = np.where(rows < 0, rows + count, rows)
    return rows if array.ndim else int(rows)


def _array(chosen) -> np.ndarray:
    if isinstance(chosen, tuple):  # data[1, 2] names a row and a column to NumPy's users
        return np.empty((0, 0))
    try:
        array = np.asarray(chosen)
    except ValueError:  # lists of unequal length
        return np.empty((0, 0))
    return array.astype(np.int64) if isinstance(chosen, list) and not chosen else array
