"""Indices of a dataset, as in `data[…]`, turned into numbers of pictures."""

import numpy as np

from storage.errors import BadInput, CaptchasError


class OutOfRange(CaptchasError, IndexError):
    """An index past the end of a dataset."""

    exit_code = 2


def rows_of(chosen: object, count: int) -> int | np.ndarray:
    """Turn an index into numbers of pictures, counted from 0.

    Parameters
    ----------
    chosen : int, slice, or one-dimensional list or array of integers or booleans
        Negative numbers count from the end.
    count : int
        Number of pictures in the dataset.

    Returns
    -------
    int or (n,) int64
        An int if `chosen` is an integer.

    Raises
    ------
    OutOfRange
        An IndexError: a number past either end, or a mask of another length than `count`.
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
            raise OutOfRange(f"index: a mask must have {count} values, one for each picture; it has {len(array)}")
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


def _array(chosen: object) -> np.ndarray:
    """Turn an index into an array. It has two dimensions, and is refused, if NumPy would read the index differently."""
    if isinstance(chosen, tuple):  # in NumPy, data[1, 2] means a row and a column
        return np.empty((0, 0))
    try:
        array = np.asarray(chosen)
    except ValueError:  # lists of unequal length
        return np.empty((0, 0))
    return array.astype(np.int64) if isinstance(chosen, list) and not chosen else array
