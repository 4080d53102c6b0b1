"""List the datasets under the home, or remove a dataset."""

import shutil
import sys

from flows.home import dataset_folder, home
from flows.parameters import Name
from flows.reporting.plain_reports import Removed
from flows.reporting.reports import DatasetList
from storage.errors import BadInput, NotThere
from storage.files.locks import locked
from storage.files.places import ObjectPath
from storage.texts import plain
from tasks.datasets.describe import datasets_under
from tasks.datasets.folder import DRAWN
from tasks.datasets.inventory import holds_dataset


def datasets(*, remove: Name | None = None, yes: bool = False) -> DatasetList | Removed:
    """List datasets with their sizes, or remove a dataset.

    Parameters
    ----------
    remove
        Delete this dataset, by its name under the home, and what your generator drew for it. Asks first.
    yes
        Do not ask.
    """
    folder = home() / "datasets"
    if remove is None:
        return {"folder": str(folder), "datasets": datasets_under(folder)}
    target = dataset_folder(remove)
    if not target.is_dir():
        names = ", ".join(row["name"] for row in datasets_under(folder)) or "there are none"
        raise NotThere(f"remove: no dataset {remove!r} under {folder}; {names}")
    if isinstance(target, ObjectPath) or target.resolve().parent != folder.resolve():
        raise BadInput(f"remove: must be a name under {folder}; {target} is elsewhere: delete it by hand")
    if target.is_symlink():
        raise BadInput(f"remove: must be a dataset; {target} is a link to {target.resolve().name}: delete it by hand")
    if not holds_dataset(target) and any(path.name[0] != "." for path in target.iterdir()):  # somebody's pictures?
        raise BadInput(f"remove: must be a dataset; {target} holds files, and no manifest or shard: delete it by hand")
    if not yes:
        if not sys.stdin.isatty():
            raise BadInput(f"remove: {target} would be deleted; say so with --yes")
        if input(f"Delete {plain(target)}? [y/N] ").strip().lower() not in ("y", "yes"):
            return {"removed": None}
    with locked(target):
        shutil.rmtree(target)
        shutil.rmtree(target.with_name(target.name + DRAWN), ignore_errors=True)  # mostly there is none
    return {"removed": str(target)}
