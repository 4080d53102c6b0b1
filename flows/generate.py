"""Draw a dataset: survey the folder, draw the missing shards on Dask, write the manifest last."""

import time
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE

from flows.home import new_dataset_folder
from flows.parameters import Count, File, Name, Seed, SizeOfDataset
from flows.reporting.artifacts import show_drawn
from flows.reporting.progress import stage
from flows.reporting.reports import ShardState
from flows.reporting.runs import RETRIES, named, told
from flows.requests import command
from flows.workers.cluster import cores, crew
from flows.workers.fanout import fan_out
from storage.files import atomic
from storage.files.locks import locked
from storage.files.places import Place, place
from storage.files.targets import Owned, require_folder
from storage.shards.shard import sealed
from tasks.datasets import dry_run
from tasks.datasets.dry_run import DryRunReport
from tasks.datasets.folder import complete, shards_beyond, take_back, tidy_dataset
from tasks.datasets.generate import DrawPlan, DrawReport, draw_shard, estimate_bytes, missing_pictures, plan_drawing
from tasks.datasets.generate import report as report_of
from tasks.datasets.recipe import Recipe, ambiguities, make_recipe, renderer_of
from tasks.datasets.totals import Gathered
from tasks.profiles.built_in import find_profile


@dataclass(frozen=True)
class GenerateRequest:
    """The pictures to draw, and where.

    Parameters
    ----------
    profile
        A built-in profile (see `captchas profiles`) or the path of a .toml file.
    count
        Number of pictures.
    seed
        Any whole number from 0; another seed, other pictures.
    workers
        Local processes; by default one for each core.
    cluster
        Address of a Dask scheduler to use instead, such as tcp://host:8786.
    out
        The dataset's own folder, or its URL in an object store, such as s3://BUCKET/NAME; by default
        datasets/PROFILE under the home.
    font
        Use these faces instead of the profile's: bundled names or paths. May be given again.
    words
        Use this word list instead of the profile's: web2, a path, or '' for random strings.
    dry_run
        Say which shards are missing, damaged or stale, and what drawing would take; write nothing.
    """

    profile: Name
    _: KW_ONLY
    count: SizeOfDataset = 100_000
    seed: Seed = 1
    workers: Count | None = None
    cluster: Name | None = None
    out: File | None = None
    font: list[Name] | None = None
    words: str | None = None
    dry_run: bool = False


def check(request: GenerateRequest) -> Recipe:
    """Make the recipe that the parameters ask for, or name the wrong parameter."""
    if request.out:
        require_folder(place(request.out), "out", may_be=Owned.DATASET)
    chosen = find_profile(request.profile)
    if request.font:
        chosen = replace(chosen, fonts=tuple(request.font))
    if request.words is not None:
        chosen = replace(chosen, words=request.words)
    return make_recipe(chosen, request.seed)


def needs_workers(request: GenerateRequest, recipe: Recipe) -> bool:
    """Return whether nothing is drawn yet; False for a URL, where to look takes time."""
    folder = _folder(request, recipe)
    return isinstance(folder, Path) and not (request.dry_run or sealed(folder))


def _folder(request: GenerateRequest, recipe: Recipe) -> Place:
    return place(request.out) if request.out else new_dataset_folder(recipe.profile.name)


@flow(flow_run_name=named("generate", "profile", "count"))
@told
@command(GenerateRequest, check, needs_workers)
def generate(request: GenerateRequest, recipe: Recipe) -> DrawReport | DryRunReport:
    """Draw a dataset of pictures into sharded HDF5, or finish or extend it.

    The same profile and seed give the same pictures whatever the number of workers. A run that was
    ended at any point goes on where it was; a count smaller than the dataset changes nothing.
    """
    unclear = "; ".join(ambiguities(recipe))
    folder = _folder(request, recipe)
    run = atomic.new_run()
    if request.dry_run:
        rehearsal = rehearse(recipe, plan_drawing(recipe, folder, request.count, run), folder, request.workers)
        if unclear:
            rehearsal["unclear"] = unclear
        return rehearsal
    with locked(atomic.make_folder(folder)):
        plan = plan_drawing(recipe, folder, request.count, run)
        if plan.whole:
            tidy_dataset(folder, recipe.identity)
            get_run_logger().info("%s is whole: %s pictures", folder, f"{plan.count:,}")
            return _told(report_of(folder, drawn=0, kept=plan.count, seconds=0.0, rate=None), unclear, [], folder)
        began = time.monotonic()
        wanted = [(job.index, job.count) for job in plan.jobs]
        take_back(folder, wanted, recipe.identity)
        atomic.need_space(folder, int(estimate_bytes(recipe) * missing_pictures(plan, folder)))
        there = {path.name for path in sealed(folder).values()}
        gathered, shards = draw(recipe, plan, folder, there, request.workers, request.cluster)
        beyond = shards_beyond(folder, wanted)
        complete(folder, gathered, run, renderer_of(recipe).letters_a_text())
        seconds = time.monotonic() - began
    report = report_of(folder, gathered.drawn, gathered.kept, seconds, gathered.pace.rate())
    if beyond:
        report["beyond"] = (
            f"{beyond:,} sealed shards of a run for more pictures are in {folder.name}.foreign now; the same command "
            "with its --count takes them back and goes on from them"
        )
    return _told(report, unclear, shards, folder)


def _told(report: DrawReport, unclear: str, shards: list[ShardState], folder: Place) -> DrawReport:
    """Add the sentences about unclear letters, and show the report in Prefect."""
    if unclear:
        report["unclear"] = unclear
    show_drawn(report, shards, folder)
    return report


def as_drawn(report: DrawReport | DryRunReport) -> DrawReport:
    """Return the report of a run that drew; a dry run has another."""
    if "drawn" not in report:
        raise TypeError("the report is that of a dry run")
    return report


@task(cache_policy=NO_CACHE, task_run_name="rehearse")
def rehearse(recipe: Recipe, plan: DrawPlan, folder: Place, workers: int | None) -> DryRunReport:
    """Look at the existing shards, and measure the time and size of a block."""
    with stage("looking", plan.count) as shown:
        return dry_run.rehearse(recipe, plan, folder, workers or cores(), shown.advance)


@task(cache_policy=NO_CACHE, task_run_name="draw", **RETRIES)
def draw(
    recipe: Recipe, plan: DrawPlan, folder: Place, there: set[str], workers: int | None, cluster: str | None
) -> tuple[Gathered, list[ShardState]]:
    """Draw a plan's shards on Dask, and report each as made, repaired or skipped; an intact shard costs a read.

    `there` are the names of the shards before the run. A shard that an earlier try of this task drew counts as made.
    """
    gathered, shards = Gathered(recipe.identity), list[ShardState]()
    with (
        crew(workers, cluster, writes=[plan.jobs[0].folder]) as client,
        stage("drawing", plan.count) as shown,
    ):
        for receipt in fan_out(client, draw_shard, plan.jobs):
            receipt = replace(receipt, drawn=receipt.drawn or receipt.record.name not in there)
            gathered.add(receipt)
            shown.advance(receipt.record.count)
            name, count = receipt.record.name, receipt.record.count
            state = ("repaired" if name in there else "made") if receipt.drawn else "skipped"
            shards.append({"shard": name, "state": state, "pictures": count, "bytes": receipt.record.bytes})
    return gathered, shards
