"""Write a virtual HDF5 file, which shows all shards of a dataset as a single file without copying them."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py

from storage.errors import Damaged
from storage.files import atomic
from storage.shards.shard import Block, parse_name

MISSING = 255  # `split` of rows whose shard is missing
_FILL = {"split": MISSING}


def write_virtual(
    path: Path, shards: Sequence[tuple[Path, int]], attributes: dict[str, Any], run: str | None = None
) -> int:
    """Write a file of virtual datasets over `shards` to `path`; return its size in bytes.

    The file names the shards by relative paths, so that all can be moved together. Prove the shards first: where HDF5
    does not find a shard, it reads the fill value and raises no error. The fill value is 0; for `split` it is 255,
    which no picture has.

    Parameters
    ----------
    shards : sequence of (path, count)
        In order; the file shows the first `count` rows of each.
    attributes : dict
        Attributes of the file.
    run : str, optional
        The run's id, for the temporary name.

    Raises
    ------
    Damaged
        The first shard cannot be opened, or a file is not named like a shard.
    NoSpace, Unwritable
    """
    folder = path.parent.resolve()
    # HDF5 takes a percent sign in the name of a source for the start of a pattern.
    names = [os.path.relpath(shard.resolve(), folder).replace("%", "%%") for shard, _ in shards]
    total = sum(count for _, count in shards)
    with h5py.File("virtual", "w", driver="core", backing_store=False) as file:
        for field, (shape, dtype, lengths) in _described(shards).items():
            layout = h5py.VirtualLayout((total, *shape), dtype)
            first = 0
            for name, (_, count), length in zip(names, shards, lengths, strict=True):
                source = h5py.VirtualSource(name, field, shape=(length, *shape), dtype=dtype)
                layout[first : first + count] = source[:count]
                first += count
            file.create_virtual_dataset(field, layout, fillvalue=_FILL.get(field))
        for name, value in attributes.items():
            file.attrs[name] = value
        file.flush()
        data: bytes = file.id.get_file_image()
    atomic.replace(path, data, run)
    return len(data)


def _described(shards: Sequence[tuple[Path, int]]) -> dict[str, tuple[tuple[int, ...], object, list[int]]]:
    """Return, by field, the shape of a row, the dtype, and the rows of each shard, which its name gives."""
    lengths = [_length(path) for path, _ in shards]
    try:
        with h5py.File(shards[0][0]) as file:
            return {field: (file[field].shape[1:], file[field].dtype, lengths) for field in Block._fields}
    except (OSError, KeyError) as error:
        raise Damaged(f"{shards[0][0]}: not a readable shard ({error})") from error


def _length(path: Path) -> int:
    parsed = parse_name(path.name)
    if parsed is None:
        raise Damaged(f"{path}: its name is not a shard's")
    return parsed[1]
