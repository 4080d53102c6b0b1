"""A dataset's folder: finished with a manifest, tidied, and rid of files that do not belong."""

from contextlib import suppress

from storage.errors import Damaged
from storage.files import atomic
from storage.files.places import Place
from storage.shards.manifest import Manifest
from storage.shards.shard import Shard, sealed
from tasks.datasets.recipe import Recipe, renderer_of
from tasks.datasets.totals import Gathered


def set_aside(path: Place, judged: tuple[int, ...] | None = None) -> None:
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


def complete(recipe: Recipe, folder: Place, gathered: Gathered, run: str) -> Manifest:
    """Write the manifest of a dataset whose shards are all sealed, then tidy the folder.

    Shorter shards that an extension replaced go only after the manifest names their successors;
    temporary files are those of dead runs, since the caller holds the lock.

    Raises
    ------
    OutOfBounds
        Nothing is written or removed.
    """
    drawn = isinstance(recipe, Recipe)  # imported texts are what they are
    manifest = gathered.manifest(renderer_of(recipe).letters_a_text() if drawn else None)
    manifest.write(folder, run)
    names = {line["name"] for line in manifest.shards}
    for path in sealed(folder).values():
        if path.name in names:
            continue
        try:
            with Shard(path) as shard:
                ours = shard.identity == recipe.identity
        except Damaged:
            ours = False
        if ours:
            path.unlink()
        else:
            set_aside(path)
    for path in atomic.leftovers(folder):
        path.unlink(missing_ok=True)
    return manifest


def tidy(recipe: Recipe, folder: Place) -> None:
    """Remove from a whole dataset what a run left that died between the manifest and its end; under the lock.

    Temporary files, and shorter shards whose pictures the manifest's hold. Longer ones stay: an extension
    that died sealed them, and would go on from them.
    """
    counts = [line["count"] for line in Manifest.read(folder).shards]
    for (index, count), path in sealed(folder).items():
        if index >= len(counts) or count >= counts[index]:
            continue
        with suppress(Damaged), Shard(path) as shard:
            if shard.identity == recipe.identity:
                path.unlink()
    for path in atomic.leftovers(folder):
        path.unlink(missing_ok=True)
