"""A Parquet file of pictures: PNG bytes, labels and parameters, a row group at a time.

pyarrow is an extra; it is imported where it is needed, so that nothing else asks for it.
"""

import json
from collections.abc import Iterable
from enum import Enum
from importlib.util import find_spec
from typing import BinaryIO

from storage.errors import BadInput


class Kind(Enum):
    """What a column holds: its Arrow type, and the feature by which Hugging Face's `datasets` knows it."""

    IMAGE = "image"  # struct of bytes and path
    TEXT = "string"
    INTEGER = "int64"
    REAL = "float64"
    KEY = "uint64"  # all 64 bits used
    INTEGERS = "list of int64"
    BOXES = "list of boxes"  # each top, left, bottom, right


def require_pyarrow() -> None:
    """Refuse where pyarrow is not installed.

    Raises
    ------
    BadInput
    """
    if find_spec("pyarrow") is None:
        raise BadInput(
            "format parquet: needs pyarrow, which is not installed; pip install 'beating-captchas[export]', "
            "or choose another format"
        )


def write_table(file: BinaryIO, columns: dict[str, Kind], groups: Iterable[dict[str, list]]) -> None:
    """Write a Parquet file; each of `groups` becomes a row group and is forgotten, so memory stays flat.

    Parameters
    ----------
    columns : dict
        Name and kind of each column, in order.
    groups : iterable of dict
        Equally long lists by column name. Pictures as `{"bytes": …, "path": …}`.

    Notes
    -----
    The bytes depend on pyarrow's version, which Parquet files name, and on nothing else of the machine.
    """
    require_pyarrow()
    import pyarrow
    from pyarrow import parquet

    features = {"info": {"features": {name: _feature(kind) for name, kind in columns.items()}}}
    schema = pyarrow.schema(
        [(name, _type(kind, pyarrow)) for name, kind in columns.items()],
        metadata={"huggingface": json.dumps(features)},
    )
    repeating = [name for name, kind in columns.items() if kind is not Kind.IMAGE]
    with parquet.ParquetWriter(
        file, schema, compression="zstd", use_dictionary=repeating, write_statistics=repeating
    ) as writer:
        for group in groups:
            writer.write_table(pyarrow.table(group, schema=schema))


def _type(kind: Kind, pyarrow):
    match kind:
        case Kind.IMAGE:
            return pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
        case Kind.INTEGERS:
            return pyarrow.list_(pyarrow.int64())
        case Kind.BOXES:
            return pyarrow.list_(pyarrow.list_(pyarrow.int64()))
    return getattr(pyarrow, kind.value)()


def _feature(kind: Kind) -> dict:
    number = {"dtype": "int64", "_type": "Value"}
    match kind:
        case Kind.IMAGE:
            return {"_type": "Image"}
        case Kind.INTEGERS:
            return {"feature": number, "_type": "Sequence"}
        case Kind.BOXES:
            return {"feature": {"feature": number, "_type": "Sequence"}, "_type": "Sequence"}
    return {"dtype": kind.value, "_type": "Value"}
