"""The units of inspecting: describe a dataset or a shard, and draw a contact sheet of it."""

from pathlib import Path
from typing import TypedDict

import numpy as np

from storage.dataset import Dataset
from storage.errors import BadInput, Damaged, NotThere
from storage.files import atomic
from storage.files.places import Place
from storage.shards.shard import BLOCK, Block, Shard
from storage.texts import caption
from tasks.datasets.folder import BESIDE
from tasks.datasets.statistics import BOUNDED
from tasks.figures.contact_sheet import contact_sheet
from tasks.profiles.fonts import face_names

SHOWN = 48  # pictures on a contact sheet


class DatasetLine(TypedDict):
    """A dataset in the list of a folder; None for what cannot be read."""

    name: str
    profile: str
    seed: int | None
    pictures: int | None
    shards: int | None
    bytes: int | None
    state: str


def describe_dataset(folder: Place, sheet: Place, first: int = 0) -> dict[str, object]:
    """Describe a dataset by its manifest and its first shard, and save a contact sheet as PNG.

    Parameters
    ----------
    first : int
        Number of the first picture on the sheet.

    Raises
    ------
    NotThere, Damaged, BadInput
    """
    dataset = Dataset(folder)
    manifest = dataset.manifest
    _require_picture(first, 0, manifest.count)
    block = dataset[first : first + SHOWN]
    _draw_sheet(block, sheet)
    return {
        "dataset": str(folder),
        "profile": manifest.profile["name"],
        "seed": manifest.seed,
        "pictures": manifest.count,
        "splits": manifest.statistics["splits"],
        "bytes": sum(line["bytes"] for line in manifest.shards),
        "shards": len(manifest.shards),
        "blocks_of": manifest.block,
        "source": manifest.source,
        "fonts": face_names(manifest.fonts),
        "arrays": _arrays(block, manifest.count),
        "settings": {key: value for key, value in manifest.profile.items() if key not in ("fonts", "name")},
        "different_pictures": manifest.statistics["distinct"],
        "ink": manifest.statistics["ink"],
        **{name: manifest.statistics[name] for name in BOUNDED},
        "rarest_letter": min(manifest.statistics["letters"].items(), key=lambda item: item[1])[0],
        "software": manifest.software,
        "identity": manifest.identity,
        "content": manifest.content,
        "contact_sheet": str(sheet),
    }


def _require_picture(number: int, first: int, count: int) -> None:
    if not first <= number < first + count:
        raise BadInput(f"first: must be a picture's number, {first} to {first + count - 1}; it is {number}")


def dataset_sheet(folder: Place, shown: int = SHOWN) -> bytes:
    """Draw a contact sheet of a dataset's first `shown` pictures, as PNG.

    Raises
    ------
    NotThere, Damaged
    """
    return _sheet(Dataset(folder)[:shown])


def preview_sheet(block: Block, sheet: Place) -> None:
    """Save a contact sheet of drawn pictures as PNG, each as people will see it above its text."""
    atomic.replace(sheet, contact_sheet(block.images, block.texts(), sizes=_sizes(block)))


def _draw_sheet(block: Block, sheet: Place) -> None:
    atomic.replace(sheet, _sheet(block))


def _sheet(block: Block) -> bytes:
    captions = [_caption(text, row) for text, row in zip(block.texts(), block.parameters, strict=True)]
    return contact_sheet(block.images, captions, sizes=_sizes(block), marks=block.boxes)


def _sizes(block: Block) -> np.ndarray:
    return np.stack([block.parameters["height"], block.parameters["width"]], axis=1).astype(int)


def describe_shard(path: Place, sheet: Place, first: int | None = None) -> dict[str, object]:
    """Describe a shard by itself, and save a contact sheet of its pictures from number `first` on, as PNG.

    Raises
    ------
    Damaged, BadInput
    """
    with Shard(path) as shard:
        first = shard.first if first is None else first
        _require_picture(first, shard.first, shard.count)
        number, row = divmod(first - shard.first, BLOCK)
        block = shard.block(number)
        _draw_sheet(block.rows(slice(row, row + SHOWN)), sheet)
        return {
            "shard": str(path),
            "index": shard.index,
            "first": shard.first,
            "count": shard.count,
            "blocks": len(shard),
            "arrays": _arrays(block, shard.count),
            "contact_sheet": str(sheet),
        }


def datasets_under(folder: Path) -> list[DatasetLine]:
    """List name, profile, seed, pictures, shards, bytes and state of each dataset in a folder.

    The state of a dataset that cannot be read is its reason; the list goes on.
    """
    rows: list[DatasetLine] = []
    for path in sorted(path for path in folder.glob("*") if path.is_dir() and not path.name.endswith(BESIDE)):
        row: DatasetLine = {
            "name": path.name, "profile": "", "seed": None,
            "pictures": None, "shards": None, "bytes": None, "state": "",
        }  # fmt: skip
        try:
            row["bytes"] = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
            manifest = Dataset(path).manifest
            row |= {"profile": manifest.profile["name"], "seed": manifest.seed, "pictures": manifest.count}
            row |= {"shards": len(manifest.shards), "state": "complete"}
        except NotThere:
            row |= {"shards": len(list(path.glob("shard-*.h5"))), "state": "unfinished"}
        except Damaged as error:
            row["state"] = f"damaged: {error}"
        except OSError as error:  # this user may not list it, or it is being removed
            row["state"] = f"cannot be read: {error}"
        rows.append(row)
    return rows


def _arrays(block: Block, count: int) -> list[dict[str, str]]:
    return [
        {"name": name, "dtype": _dtype(array.dtype), "shape": " x ".join(map(str, (count, *array.shape[1:])))}
        for name, array in zip(block._fields, block, strict=True)
    ]


def _dtype(dtype: np.dtype) -> str:
    if not dtype.names:
        return str(dtype)
    fields = ((name, dtype[name].base, "x".join(map(str, dtype[name].shape))) for name in dtype.names)
    return ", ".join(f"{name} {base}{f' x {shape}' if shape else ''}" for name, base, shape in fields)


def _caption(text: str, row: np.void) -> str:
    if "shear" not in (row.dtype.names or ()):  # imported
        return f"{caption(text)}\n{row['height']} x {row['width']} px"
    return f"{caption(text)}\n{row['shear']} mrad {row['scale']} %"
