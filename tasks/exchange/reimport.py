"""The parameters of a dataset's import, by which the dataset can be imported again."""

from pathlib import Path
from typing import TypedDict

from storage.errors import Damaged, NotThere
from storage.files.places import Place
from storage.shards.manifest import Manifest
from storage.shards.shard import FORMAT
from tasks.datasets.inventory import require_no_generator
from tasks.exchange.labelling import Zeros
from tasks.loading.decode import Colour, Invert


class ChosenParameters(TypedDict, total=False):
    """The parameters of an import that are there only if they were given."""

    columns: str
    fold_case: bool
    zeros: Zeros
    keep_splits: bool


class ImportParameters(ChosenParameters):
    """The parameters of an import, named as `captchas import` names them."""

    folder: Path
    labels: Path | None
    pattern: str | None
    name: str
    out: Path
    alphabet: str
    invert: Invert
    colour: Colour


def as_imported(folder: Place, source: Path) -> ImportParameters:
    """Return the parameters of a dataset's import, to import it again from the folder `source`.

    Raises
    ------
    NotThere, Damaged
        The folder holds no manifest of an import, or the file of labels is missing.
    BadInput
        An owner's generator drew its pictures.
    """
    manifest = Manifest.read(folder)
    if manifest.source is None:
        raise Damaged(f"{folder}: its manifest names no source, so the dataset was not imported")
    require_no_generator(folder, manifest)
    labels = manifest.source.get("labels", {})
    if "file" in labels and not (source / labels["file"]).is_file():
        raise NotThere(
            f"{source}: has no {labels['file']}, which the labels came from; if that was elsewhere, give the same "
            "`captchas import` command again, with --labels: it restores missing shards"
        )
    again: ImportParameters = {
        "folder": source,
        "labels": source / labels["file"] if "file" in labels else None,
        "pattern": labels.get("pattern"),
        "name": manifest.profile["name"],
        "out": Path(str(folder)),
        "alphabet": manifest.profile["alphabet"],
        "invert": Invert(manifest.source.get("ink", {}).get("invert", Invert.AUTO)),
        "colour": Colour.GREY if manifest.format == FORMAT else Colour.KEEP,
    }
    if "columns" in labels:
        again["columns"] = labels["columns"]
    if "case" in labels:
        again["fold_case"] = True
    if "zeros" in labels:
        again["zeros"] = Zeros(labels["zeros"])
    if "split" in manifest.source:
        again["keep_splits"] = True
    return again
