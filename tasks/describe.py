"""The unit of inspecting: what a dataset holds, and a contact sheet of it."""

from pathlib import Path

import numpy as np

from storage import atomic
from storage.dataset import Dataset
from storage.errors import Damaged
from storage.shards import Block, Shard
from tasks.pictures import contact_sheet

SHOWN = 48  # pictures on a contact sheet


def describe_dataset(folder: Path, sheet: Path) -> dict:
    """What stands in the manifest and in the first shard; saves a contact sheet as PNG.

    Raises
    ------
    NotThere, Damaged
    """
    dataset = Dataset(folder)
    manifest = dataset.manifest
    block = dataset.head(SHOWN)
    sizes = np.stack([block.parameters["height"], block.parameters["width"]], axis=1).astype(int)
    captions = [_caption(text, row) for text, row in zip(block.texts(), block.parameters, strict=True)]
    atomic.replace(sheet, contact_sheet(block.images, captions, sizes=sizes, marks=block.boxes))
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
        "fonts": [f"{font['family']} {font['style']}" for font in manifest.fonts],
        "arrays": _arrays(block, manifest.count),
        "settings": {key: value for key, value in manifest.profile.items() if key not in ("fonts", "name")},
        "blank_pictures": manifest.statistics["blank"],
        "mean_ink": manifest.statistics["mean_ink"],
        "rarest_letter": min(manifest.statistics["letters"].items(), key=lambda item: item[1])[0],
        "software": manifest.software,
        "identity": manifest.identity,
        "content": manifest.content,
        "contact_sheet": str(sheet),
    }


def describe_shard(path: Path) -> dict:
    """What one shard says of itself.

    Raises
    ------
    Damaged
    """
    with Shard(path) as shard:
        block = shard.block(0)
        return {
            "shard": str(path),
            "index": shard.index,
            "first": shard.first,
            "count": shard.count,
            "blocks": len(shard),
            "arrays": _arrays(block, shard.count),
        }


def datasets_under(folder: Path) -> list[dict]:
    """Name, profile, seed, pictures, shards, bytes and state of each dataset in a folder."""
    rows = []
    for path in sorted(path for path in folder.glob("*") if path.is_dir() and not path.name.endswith(".foreign")):
        size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        row = {"name": path.name, "profile": "", "seed": None, "pictures": None, "shards": None, "bytes": size}
        try:
            manifest = Dataset(path).manifest
            row |= {"profile": manifest.profile["name"], "seed": manifest.seed, "pictures": manifest.count}
            row |= {"shards": len(manifest.shards), "state": "complete"}
        except FileNotFoundError:
            row |= {"shards": len(list(path.glob("shard-*.h5"))), "state": "unfinished"}
        except Damaged as error:
            row["state"] = f"damaged: {error}"
        rows.append(row)
    return rows


def _arrays(block: Block, count: int) -> list[dict]:
    return [
        {"name": name, "dtype": _dtype(array.dtype), "shape": " x ".join(map(str, (count, *array.shape[1:])))}
        for name, array in zip(block._fields, block, strict=True)
    ]


def _dtype(dtype: np.dtype) -> str:
    return ", ".join(f"{name} {dtype[name]}" for name in dtype.names) if dtype.names else str(dtype)


def _caption(text: str, row: np.void) -> str:
    if "shear" not in row.dtype.names:  # imported
        return f"{_ascii(text)}\n{row['height']} x {row['width']} px"
    return f"{_ascii(text)}\n{row['shear']} mrad {row['scale']} %"


def _ascii(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode()
