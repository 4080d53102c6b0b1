"""Show what a dataset, a shard or a model file holds."""

from pathlib import Path
from typing import Any

from flows.home import dataset_folder, home, model_file
from flows.parameters import File, Name
from flows.requests import Refused
from storage.errors import Damaged, NotThere
from storage.files.places import local, place
from storage.files.targets import require_file
from storage.served_model import SUFFIXES
from tasks.datasets.describe import describe_dataset, describe_shard


def inspect(path: Name, *, out: File | None = None, first: int | None = None) -> dict[str, Any]:
    """Show what a dataset, a shard or a model file holds; of pictures also a contact sheet.

    Parameters
    ----------
    path
        A dataset's or a model's name under the home, a path or a URL: a folder, a .h5 shard, a model (.skops, .onnx).
    out
        The contact sheet's file; by default reports/inspect/NAME.png under the home.
    first
        The first picture on the contact sheet, by its number in the dataset.

    Raises
    ------
    Refused
        The file is damaged: bad input, as for any command that is to read it.
    """
    try:
        return _described(path, out, first)
    except Damaged as error:
        raise Refused(str(error)) from error


def _described(path: str, out: Path | None, first: int | None) -> dict[str, Any]:
    reports, sheet = home() / "reports" / "inspect", local(out, "out") if out else None
    if sheet:
        require_file(sheet, "out", inputs=(place(path),))
    if path.endswith(".h5"):
        shard = place(path)
        if not shard.is_file():
            raise NotThere(f"{path}: no such file")
        return describe_shard(shard, sheet or reports / f"{shard.stem}.png", first)
    folder, model = dataset_folder(path), model_file(path)
    if not path.endswith(SUFFIXES) and folder.is_dir():
        return describe_dataset(folder, sheet or reports / f"{folder.name}.png", first or 0)
    if model.exists():
        from flows.describing.about_model import in_sentences
        from tasks.models import describe

        record = describe(model)
        return record | {"shown": in_sentences(record)}
    raise NotThere(f"{path}: neither a dataset ({folder}) nor a model ({model}); captchas datasets lists datasets")
