"""What a list may say of files instead of labels: their sizes, their times, their numbers on the disk."""

from collections.abc import Mapping
from pathlib import Path

from tasks.exchange.label_sources.name_parts import FEW

SAMPLE = 200  # rows that are compared
MOST = 0.5  # share of the rows that must say the fact


def fact_of_files(folder: Path, labels: Mapping[str, str]) -> str:
    """Return which fact about the files most labels are, such as `sizes in bytes`; '' for real labels.

    Parameters
    ----------
    labels : mapping of str to str
        By picture, relative to the folder.
    """
    rows = list(labels.items())
    rows = rows[:: max(1, len(rows) // SAMPLE)]
    numbers = [(path, number) for path, label in rows if (number := _number(label)) is not None]
    if len({number for _, number in numbers}) < 2 or len(numbers) < max(FEW, MOST * len(rows)):
        return ""
    hits = {"sizes in bytes": 0, "times of change in seconds": 0, "numbers on the disk (inodes)": 0}
    for path, number in numbers:
        try:
            status = (folder / path).lstat()
        except OSError:
            continue
        facts = (status.st_size, int(status.st_mtime), status.st_ino)
        for name, fact in zip(hits, facts, strict=True):
            hits[name] += number == fact
    name = max(hits, key=lambda what: hits[what])
    return name if hits[name] > MOST * len(rows) else ""


def _number(label: str) -> int | None:
    """Return a whole number, of which `1,219` and the seconds `1704067200.25` are some; None for other texts."""
    whole = label.strip().replace(",", "").partition(".")[0]
    return int(whole) if whole.isascii() and whole.isdecimal() and len(whole) < 20 else None
