"""The cells of a file of labels, whatever its format."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class LabelTable:
    """The cells of a file of labels.

    Parameters
    ----------
    unit : str
        What the numbers count: 'line' or 'entry'.
    rows : list of (number, cells)
        All rows have as many cells as the first.
    columns : tuple of str, optional
        The names of the columns, if the format tells them. In a text file the first row may hold them.
    """

    file: Path
    unit: str
    rows: list[tuple[int, list[str]]]
    columns: tuple[str, ...] | None = None
