"""One HDF5 file that shows all shards of a dataset as one, without a copy of them."""

import os
from collections.abc import Sequence
from pathlib import Path

import h5py

from storage.errors import Damaged
from storage.files import atomic
from storage.shards.shard import Block, parse_name

MISSING = 255  # `split` of rows whose shard is not there
_FILL = {"split": MISSING}


def write_virtual(path: Path, shards: Sequence[tuple[Path, int]], attributes: dict, run: str | None = None) -> int:
    """Put a file of virtual datasets over `shards` at `path`; returns its size in bytes.

    The shards are named relative to the file, so that both can be moved together. HDF5 gives the
    fill value, and no error, for rows whose shard it does not find: prove the shards first. For
    pictures that is 0; for `split` it is 255, which no picture has.

    Parameters
    ----------
    shards : sequence of (path, count)
        In order; the first `count` rows of each.
    attributes : dict
        Of the file.

    Raises
    ------
    Damaged
        The first shard cannot be opened.
    NoSpace, Unwritable
    """
    folder = path.parent.resolve()
    # HDF5 reads a percent sign in a source's name as a pattern.
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
        data = file.id.get_file_image()
    atomic.replace(path, data, run)
    return len(data)


def _described(shards: Sequence[tuple[Path, int]]) -> dict[str, tuple[tuple, object, list[int]]]:
    """Shape of a row, dtype, and rows in each shard, by field; a shard's name says how many rows it has."""
    lengths = [parse_name(path.name)[1] for path, _ in shards]
    try:
        with h5py.File(shards[0][0]) as file:
            return {field: (file[field].shape[1:], file[field].dtype, lengths) for field in Block._fields}
    except (OSError, KeyError) as error:
        raise Damaged(f"{shards[0][0]}: not a readable shard ({error})") from error
