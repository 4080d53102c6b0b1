"""A dataset's folder: finished with a manifest, tidied, and rid of files that do not belong."""

import numpy as np

from storage.errors import Damaged, NotThere
from storage.files import atomic
from storage.files.places import Fingerprint, Place
from storage.shards.manifest import Manifest
from storage.shards.shard import Shard, sealed
from tasks.datasets.totals import Gathered


def set_aside(path: Place, judged: Fingerprint | None = None) -> None:
    """Move a file that does not belong to `NAME.foreign` beside the dataset; nothing is deleted.

    With `judged`, the fingerprint that it had before it was read, only if it still is that file: a worker
    that outlived its client may come to this when the next run has put a good shard in its place.
    """
    if judged is not None and atomic.fingerprint(path) != judged:
        return
    home = path.parent.resolve()
    folder = atomic.make_folder(home.with_name(home.name + ".foreign"))
    target, number = folder / path.name, 1
    while target.exists():
        target = folder / f"{path.name}.{number}"
        number += 1
    atomic.move(path, target, judged)


def complete(
    folder: Place, gathered: Gathered, run: str, letters: tuple[np.ndarray, np.ndarray] | None = None
) -> Manifest:
    """Write the manifest of a dataset whose shards are all sealed, then tidy the folder.

    Shorter shards that an extension replaced go only after the manifest names their successors. Temporary files are
    those of dead runs, since the caller holds the lock. A dataset that its manifest already describes, and of which
    nothing was made anew, is only tidied.

    Parameters
    ----------
    letters : two (A,) arrays, optional
        For drawn datasets, `Renderer.letters_a_text`: how often each character should come. Imported texts have none.

    Raises
    ------
    OutOfBounds
        Nothing is written or removed.
    """
    manifest = gathered.manifest(letters)
    if not gathered.drawn and _says(folder, manifest):
        tidy(folder, gathered.identity)
        return Manifest.read(folder)
    manifest.write(folder, run)
    names = {line["name"] for line in manifest.shards}
    for path in sealed(folder).values():
        if path.name in names:
            continue
        if _is_of(path, gathered.identity):
            path.unlink()
        else:
            set_aside(path)
    _remove_leftovers(folder)
    return manifest


def _says(folder: Place, manifest: Manifest) -> bool:
    """Whether the manifest in the folder names the same shards and statistics."""
    try:
        there = Manifest.read(folder)
    except (NotThere, Damaged):
        return False
    return (there.shards, there.statistics, there.identity) == (
        manifest.shards, manifest.statistics, manifest.identity
    )  # fmt: skip


def tidy(folder: Place, identity: str) -> None:
    """Remove from a whole dataset what a run left that died between the manifest and its end; under the lock.

    Temporary files, and shorter shards whose pictures the manifest's hold. Longer ones stay: an extension
    that died sealed them, and would go on from them.
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
