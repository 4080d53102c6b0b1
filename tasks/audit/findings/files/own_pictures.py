"""The owner's picture files, and the answer of each where it is known."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from storage.errors import BadInput, NotThere
from tasks.exchange.label_sources.file_formats.label_files import TABLE
from tasks.exchange.labelling import LabelOptions, Zeros
from tasks.exchange.labels import find_labels
from tasks.exchange.scan import ImportRequest, Listing

MOST_FILES = 2000
_SUFFIXES = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".svg"}


class OwnPicture(NamedTuple):
    """A picture's file, and its answer; None if nobody told it."""

    path: Path
    label: str | None


def own_pictures(sources: Sequence[Path]) -> Iterator[OwnPicture]:
    """Yield up to `MOST_FILES` picture files, at equal distances of all there are.

    Parameters
    ----------
    sources : sequence of Path
        Picture files, or folders of them. Labels are found as an import finds them.
    """
    found: list[OwnPicture] = []
    for source in sources:
        labels = _labels_of(source) if source.is_dir() else {}
        some = sorted(source.rglob("*")) if source.is_dir() else [source]
        pictures = (path for path in some if path.suffix.lower() in _SUFFIXES and path.is_file())
        found += [OwnPicture(path, labels.get(path.relative_to(source).as_posix())) for path in pictures]
    yield from found[:: max(1, -(-len(found) // MOST_FILES))]


def labels_of(folder: Path) -> Iterator[list[tuple[str, str]]]:
    """Yield the pictures below a folder as (path, label), in either order that a dataset of them may have.

    First as an import orders them, then by their paths. Nothing where labels are unclear.
    """
    listing = _listed(folder)
    if listing is not None:
        yield [listing.pairs[k] for k in listing.order()]
        yield listing.pairs


def _labels_of(folder: Path) -> dict[str, str]:
    """Return the label of each picture below a folder, by its path; none where labels are unclear."""
    listing = _listed(folder)
    return {} if listing is None else dict(listing.pairs)


def _listed(folder: Path) -> Listing | None:
    table = folder / TABLE
    try:
        labelling = find_labels(folder, table if table.is_file() else None, options=LabelOptions(zeros=Zeros.KEEP))
        return Listing(ImportRequest(folder, folder.name, labelling))
    except (BadInput, NotThere):
        return None
