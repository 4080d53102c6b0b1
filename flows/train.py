"""Train the letter network: cut letters on Dask, fit in a stream, save the model with its provenance."""

import shutil
from pathlib import Path

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from flows.cluster import crew, fan_out
from flows.home import dataset_folder, model_file
from flows.progress import artifact_key, stage
from storage import atomic
from storage.dataset import Dataset, locked
from tasks import train as units
from tasks.classifier import passes_for
from tasks.segmentation import CONNECTIVITY, SMALLEST, THRESHOLD


def check(
    dataset: str,
    *,
    seed: int = 1,
    threshold: float = THRESHOLD,
    smallest: int = SMALLEST,
    connectivity: int = CONNECTIVITY,
    **_,
) -> tuple[Dataset, units.Settings]:
    """The dataset and settings that the parameters ask for, or an error that names the wrong one."""
    return Dataset(dataset_folder(dataset)), units.Settings(threshold, smallest, connectivity, seed)


@flow(flow_run_name="train-{dataset}")
def train(
    dataset: str,
    *,
    out: Path | None = None,
    seed: int = 1,
    threshold: float = THRESHOLD,
    smallest: int = SMALLEST,
    connectivity: int = CONNECTIVITY,
    workers: int | None = None,
    cluster: str | None = None,
    again: bool = False,
) -> dict:
    """Train the letter network on a dataset's train split.

    A model that was made from the same data with the same settings is kept as it is.

    Parameters
    ----------
    dataset
        A dataset's name under the home, or its path.
    out
        The model's file; by default models/DATASET.skops under the home.
    seed
        Of the network's first weights and the order of the letters.
    threshold
        Share of a picture's strongest ink above which a pixel counts as ink.
    smallest
        Connected components of fewer pixels are specks and dropped.
    connectivity
        1 joins pixels to a letter by their sides, 2 by their corners too.
    workers
        Local processes; by default one a core.
    cluster
        Address of a Dask scheduler to use instead, such as tcp://host:8786.
    again
        Train even if such a model is there.
    """
    data, settings = check(dataset, seed=seed, threshold=threshold, smallest=smallest, connectivity=connectivity)
    path = Path(out) if out else model_file(data.folder.name)
    provenance = units.provenance_of(data, settings)
    if not again and units.same_model(path, provenance):
        get_run_logger().info("%s was made from these data with these settings: kept", path)
        return {"kept": True, **units.describe(path)}
    run = atomic.new_run()
    with locked(path):
        units.tidy(path)
        spool = atomic.make_folder(path.with_name(f".{path.stem}.{run}.spool"))
        try:
            receipts = cut_letters(data, settings, spool, run, workers, cluster)
            network, facts = fit(spool, provenance["classes"], settings, sum(receipt.letters for receipt in receipts))
            units.save(path, network, provenance, facts, receipts, run)
        finally:
            shutil.rmtree(spool, ignore_errors=True)
    report = {"kept": False, **units.describe(path)}
    rows = [{"what": key, "value": str(value)} for key, value in report.items()]
    create_table_artifact(rows, key=artifact_key("train", path.stem), description=str(path))
    return report


@task(cache_policy=NO_CACHE, task_run_name="cut letters")
def cut_letters(
    data: Dataset, settings: units.Settings, spool: Path, run: str, workers: int | None, cluster: str | None
) -> list[units.CutReceipt]:
    """Cut every shard's letters on Dask, into spool files that the fit reads one at a time."""
    shards = range(len(data.manifest.shards))
    jobs = [units.CutJob(str(data.folder.resolve()), shard, settings, str(spool.resolve()), run) for shard in shards]
    with crew(workers, cluster) as client, stage("cutting letters", len(data)) as shown:
        sizes = [line["count"] for line in data.manifest.shards]
        return list(fan_out(client, units.cut_letters, jobs, on_done=lambda one: shown.advance(sizes[one.shard])))


@task(cache_policy=NO_CACHE, task_run_name="fit")
def fit(spool: Path, classes: str, settings: units.Settings, letters: int) -> tuple[object, dict]:
    """Fit the network in a stream over the spool."""
    with stage("training", passes_for(letters), "passes") as shown:
        return units.fit(spool, classes, settings, lambda *_: shown.advance(1))
