"""Draw a dataset: survey the folder, draw the missing shards on Dask, write the manifest last."""

import time
from dataclasses import replace
from pathlib import Path

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from flows.cluster import crew, fan_out
from flows.home import dataset_folder
from flows.progress import artifact_key, stage
from storage import atomic
from storage.dataset import locked
from storage.errors import BadInput
from tasks import generate as units
from tasks.recipes import Recipe, make_recipe
from tasks.specs import find_profile


def check(
    profile: str, *, count: int = 1, seed: int = 1, font: list[str] | None = None, words: str | None = None, **_
) -> Recipe:
    """The recipe that the parameters ask for, or an error that names the wrong one."""
    if count < 1:
        raise BadInput(f"count: must be 1 or more; it is {count}")
    chosen = find_profile(profile)
    if font:
        chosen = replace(chosen, fonts=tuple(font))
    if words is not None:
        chosen = replace(chosen, words=words)
    return make_recipe(chosen, seed)


@flow(flow_run_name="generate-{profile}-{count}")
def generate(
    profile: str,
    *,
    count: int = 100_000,
    seed: int = 1,
    workers: int | None = None,
    cluster: str | None = None,
    out: Path | None = None,
    font: list[str] | None = None,
    words: str | None = None,
) -> dict:
    """Draw a dataset of pictures into sharded HDF5, or finish or extend one.

    The same profile and seed give the same pictures whatever the number of workers. A run that was
    ended at any point goes on where it was; a smaller count than what is there changes nothing.

    Parameters
    ----------
    profile
        A built-in profile (see `captchas profiles`) or the path of a .toml file.
    count
        Number of pictures.
    seed
        Any whole number from 0; another seed, other pictures.
    workers
        Local processes; by default one a core.
    cluster
        Address of a Dask scheduler to use instead, such as tcp://host:8786.
    out
        The dataset's own folder; by default datasets/PROFILE under the home.
    font
        Use these faces instead of the profile's: bundled names or paths. May be given again.
    words
        Use this word list instead of the profile's: web2, a path, or '' for random strings.
    """
    recipe = check(profile, count=count, seed=seed, font=font, words=words)
    folder = atomic.make_folder(Path(out) if out else dataset_folder(recipe.profile.name))
    run = atomic.new_run()
    with locked(folder):
        plan = units.survey(recipe, folder, count, run)
        if plan.whole:
            get_run_logger().info("%s is whole: %s pictures", folder, f"{plan.count:,}")
            return units.report(folder, drawn=0, kept=plan.count, seconds=0.0, rate=None)
        began = time.monotonic()
        atomic.need_space(folder, int(units.estimate_bytes(recipe) * units.missing(plan, folder)))
        receipts = draw(plan, workers, cluster)
        units.complete(recipe, folder, receipts, run)
        seconds = time.monotonic() - began
    drawn = sum(receipt.record.count for receipt in receipts if receipt.drawn)
    report = units.report(folder, drawn, plan.count - drawn, seconds, units.steady_rate(receipts))
    create_table_artifact(units.as_table(report), key=artifact_key("generate", folder.name), description=str(folder))
    return report


@task(cache_policy=NO_CACHE, task_run_name="draw")
def draw(plan: units.Plan, workers: int | None, cluster: str | None) -> list[units.Receipt]:
    """Draw a plan's shards on Dask; a shard that is there and intact costs a read."""
    with crew(workers, cluster) as client, stage("drawing", plan.count) as shown:
        return list(
            fan_out(client, units.draw_shard, plan.jobs, on_done=lambda receipt: shown.advance(receipt.record.count))
        )
