"""Dask arrays over a dataset: each task gets a path, a digest and row numbers, and opens the file itself."""

import hashlib
import json

import dask.array as da

from storage.dataset import Dataset
from storage.errors import BadInput
from storage.files.places import Place, place
from storage.shards.proven import read_rows
from storage.shards.shard import BLOCK, Block


def images(folder: str | Place, *, blocks: int | None = None) -> da.Array:
    """Return the pictures of a dataset on their canvas, (n, H, W) or (n, H, W, 3) uint8: `array(folder, 'images')`."""
    return array(folder, "images", blocks=blocks)


def array(folder: str | Place, field: str, *, blocks: int | None = None) -> da.Array:
    """Return one field of a dataset as a dask array.

    The graph holds paths and numbers but no file handles. So it can be computed on threads, processes, or a cluster
    whose machines see the folder under the same path. A slice reads only the shards that it touches, and proves each
    chunk against the manifest.

    Parameters
    ----------
    folder : path, or URL of an object store
    field : {'images', 'text', 'boxes', 'parameters', 'split'}
        `text` is fixed-length bytes in UTF-8, as stored. For strings of up to four letters, use
        `array(folder, 'text').map_blocks(numpy.strings.decode, 'utf-8', dtype='U4')`.
    blocks : int, optional
        Blocks of 1,024 pictures in a chunk, which never crosses shards; by default a whole shard.

    Returns
    -------
    dask.array.Array
        Its name depends on the dataset's content, the field and the chunks, so that equal arrays have equal keys.

    Raises
    ------
    BadInput, NotThere, Damaged
        When called; `Damaged` also while computing.
    """
    if field not in Block._fields:
        raise BadInput(f"field: must be one of {', '.join(Block._fields)}; it is {field!r}")
    if blocks is not None and (not isinstance(blocks, int) or isinstance(blocks, bool) or blocks < 1):
        raise BadInput(f"blocks: must be an integer of 1 or more, or None; it is {blocks!r}")
    data = Dataset(place(folder).resolve())  # workers may have other working directories
    first = data.proven(0)
    shape, dtype = first.shapes[field], first.dtypes[field]
    jobs = [
        (str(data.path(number)), line["sha256"], field, start, min(line["count"], start + step))
        for number, line in enumerate(data.manifest.shards)
        for step in [line["count"] if blocks is None else blocks * BLOCK]
        for start in range(0, line["count"], step)
    ]
    chunks = tuple(stop - start for *_, start, stop in jobs)
    known = json.dumps([data.manifest.identity, data.manifest.content, [job[1:] for job in jobs]])
    name = f"{field}-{hashlib.sha256(known.encode()).hexdigest()[:32]}"
    rest = (0,) * len(shape)
    graph = {(name, number, *rest): (read_rows, *job) for number, job in enumerate(jobs)}
    return da.Array(graph, name, (chunks, *((size,) for size in shape)), dtype=dtype)
