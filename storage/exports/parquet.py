"""Writing of Parquet files, one row group at a time: PNG bytes, labels and parameters.

pyarrow is an extra. It is imported inside the functions that use it, so that everything else works without it.
"""

import json
from collections.abc import Iterable
from enum import Enum
from importlib.util import find_spec
from types import ModuleType
from typing import Any, BinaryIO

from storage.errors import BadInput


class ColumnKind(Enum):
    """The kind of a column. It decides the Arrow type and the feature for Hugging Face's `datasets`."""

    IMAGE = "image"  # struct of bytes and path
    TEXT = "string"
    INTEGER = "int64"
    REAL = "float64"
    KEY = "uint64"  # with all 64 bits in use
    INTEGERS = "list of int64"
    BOXES = "list of boxes"  # each top, left, bottom, right


def require_pyarrow() -> None:
    """Refuse to go on if pyarrow is not installed.

    Raises
    ------
    BadInput
    """
    if find_spec("pyarrow") is None:
        raise BadInput(
            "format parquet: needs pyarrow, which is not installed; pip install 'beating-captchas[export]', "
            "or choose another format"
        )


def write_table(file: BinaryIO, columns: dict[str, ColumnKind], groups: Iterable[dict[str, list[Any]]]) -> None:
    """Write a Parquet file. Each of `groups` becomes a row group and is then freed, so that memory stays flat.

    Parameters
    ----------
    columns : dict
        Name and kind of each column, in order.
    groups : iterable of dict
        Lists of equal length by column name. A picture is `{"bytes": …, "path": …}`.

    Raises
    ------
    BadInput
        pyarrow is not installed.

    Notes
    -----
    The bytes of the file depend on pyarrow's version, which the file names, but not on the machine.
    """
    require_pyarrow()
    import pyarrow
    from pyarrow import parquet

    features = {"info": {"features": {name: _feature(kind) for name, kind in columns.items()}}}
    schema = pyarrow.schema(
        [(name, _type(kind, pyarrow)) for name, kind in columns.items()],
        metadata={"huggingface": json.dumps(features)},
    )
    repeating = [name for name, kind in columns.items() if kind is not ColumnKind.IMAGE]
    with parquet.ParquetWriter(
        file, schema, compression="zstd", use_dictionary=repeating, write_statistics=repeating
    ) as writer:
        for group in groups:
            writer.write_table(pyarrow.table(group, schema=schema))


def _type(kind: ColumnKind, pyarrow: ModuleType) -> object:
    """Return the Arrow type of a column."""
    match kind:
        case ColumnKind.IMAGE:
            return pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
        case ColumnKind.INTEGERS:
            return pyarrow.list_(pyarrow.int64())
        case ColumnKind.BOXES:
            return pyarrow.list_(pyarrow.list_(pyarrow.int64()))
    return getattr(pyarrow, kind.value)()


def _feature(kind: ColumnKind) -> dict[str, Any]:
    """Return the feature by which Hugging Face's `datasets` reads a column."""
    number = {"dtype": "int64", "_type": "Value"}
    match kind:
        case ColumnKind.IMAGE:
            return {"_type": "Image"}
        case ColumnKind.INTEGERS:
            return {"feature": number, "_type": "Sequence"}
        case ColumnKind.BOXES:
            return {"feature": {"feature": number, "_type": "Sequence"}, "_type": "Sequence"}
    return {"dtype": kind.value, "_type": "Value"}
