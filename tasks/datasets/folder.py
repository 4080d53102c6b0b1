"""A dataset's folder: read what it holds, finish it with a manifest, tidy it, and set foreign files aside."""

import json
from collections.abc import Collection, Iterable
from typing import Any

import numpy as np

from storage.errors import Damaged, NotThere
from storage.files import atomic
from storage.files.moves import free_name
from storage.files.places import Fingerprint, Place
from storage.shards.manifest import Manifest
from storage.shards.shard import Shard, sealed, shard_name
from tasks.datasets.totals import Gathered

DRAWN = ".drawn"  # ends the name of the folder beside a dataset that holds what an owner's generator drew for it
BESIDE = (".foreign", DRAWN)  # ends the names of all folders beside a dataset that are none themselves


def manifest_in(folder: Place) -> Manifest | None:
    """Read the manifest of a folder; None if it has none.

    Raises
    ------
    Damaged
    """
    try:
        return Manifest.read(folder)
    except NotThere:
        return None


def identity_in(folder: Place) -> dict[str, Any] | None:
    """Read the identity in a folder's first readable shard; None if no shard can be read."""
    for path in sorted(sealed(folder).values()):
        try:
            with Shard(path) as shard:
                identity: dict[str, Any] = json.loads(shard.identity)
                return identity
        except (Damaged, json.JSONDecodeError):
            continue  # the job for that shard sets it aside and makes it again
    return None


def set_aside(path: Place, judged: Fingerprint | None = None) -> None:
    """Move a file that does not belong to `NAME.foreign` beside the dataset; nothing is deleted.

    Parameters
    ----------
    judged : tuple, optional
        The file's `atomic.fingerprint` before it was read. A file with another fingerprint stays: a worker that
        outlived its client may call this when the next run has put a good shard in the file's place.
    """
    if judged is not None and atomic.fingerprint(path) != judged:
        return
    folder = atomic.make_folder(_aside(path.parent))
    atomic.move(path, free_name(folder / path.name), judged)


def complete(
    folder: Place, gathered: Gathered, run: str, letters: tuple[np.ndarray, np.ndarray] | None = None
) -> Manifest:
    """Write the manifest of a dataset whose shards are all sealed, then tidy the folder.

    The caller holds the dataset's lock, so that all temporary files are those of dead runs. Shorter shards that an
    extension replaced are removed only after the manifest names the longer shards. Shards beyond the dataset, which a
    run for more pictures sealed before it died, are set aside; `take_back` returns them to such a run. If no shard
    was made and the manifest is already right, the folder is only tidied.

    Parameters
    ----------
    letters : two (A,) arrays, optional
        For drawn datasets, `Renderer.letters_a_text`: mean and variance of how often a text has each character.

    Raises
    ------
    OutOfBounds
        The statistics leave their bounds. Nothing is written or removed.
    """
    manifest = gathered.manifest(letters)
    if not gathered.drawn and _says(folder, manifest):
        tidy_dataset(folder, gathered.identity)
        return Manifest.read(folder)
    manifest.write(folder, run)
    counts = [line["count"] for line in manifest.shards]
    for (index, count), path in sealed(folder).items():
        if index < len(counts) and count == counts[index]:
            continue
        if index < len(counts) and count < counts[index] and _is_of(path, gathered.identity):
            path.unlink()
        else:
            set_aside(path)
    _remove_leftovers(folder)
    return manifest


def shards_beyond(folder: Place, shards: Collection[tuple[int, int]]) -> int:
    """Count the sealed shards beyond a dataset of these shards, each an (index, count): `complete` sets them aside."""
    longest = dict(shards)
    return sum(count > longest.get(index, 0) for index, count in sealed(folder))


def take_back(folder: Place, shards: Iterable[tuple[int, int]], identity: str) -> int:
    """Move shards of this identity that are missing back from where `set_aside` put them; return how many.

    The caller holds the dataset's lock. Whether they are intact is for the unit that would draw them to find out.
    """
    aside = _aside(folder)
    there = sealed(folder).keys()
    found = [aside / shard_name(*shard) for shard in shards if shard not in there] if _is_folder(aside) else []
    back = [path for path in found if path.is_file() and _is_of(path, identity)]
    for path in back:
        atomic.move(path, folder / path.name)
    return len(back)


def _is_folder(path: Place) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name that is too long with its ending
        return False


def _aside(folder: Place) -> Place:
    home = folder.resolve()
    return home.with_name(home.name + ".foreign")


def _says(folder: Place, manifest: Manifest) -> bool:
    """Return whether the manifest in the folder names the same shards and statistics."""
    try:
        there = manifest_in(folder)
    except Damaged:
        return False
    return there is not None and (there.shards, there.statistics, there.identity) == (
        manifest.shards, manifest.statistics, manifest.identity
    )  # fmt: skip


def tidy_dataset(folder: Place, identity: str) -> None:
    """Remove the remains of a run that died after it wrote the manifest; the caller holds the dataset's lock.

    These are temporary files, and shorter shards than those that the manifest names. Longer shards stay: an
    extension that died sealed them, and goes on from them.
    """
    counts = [line["count"] for line in Manifest.read(folder).shards]
    for (index, count), path in sealed(folder).items():
        if index < len(counts) and count < counts[index] and _is_of(path, identity):
            path.unlink()
    _remove_leftovers(folder)


def _is_of(path: Place, identity: str) -> bool:
    try:
        with Shard(path) as shard:
            return shard.identity == identity
    except Damaged:
        return False


def _remove_leftovers(folder: Place) -> None:
    for path in atomic.leftovers(folder):
        path.unlink(missing_ok=True)
