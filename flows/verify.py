"""Prove a dataset: read every shard on Dask and judge; with --repair mend the faults and prove the result."""

import time
from contextlib import ExitStack
from dataclasses import KW_ONLY, dataclass
from typing import Any

from dask.distributed import Client
from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE

from flows.home import dataset_folder, home
from flows.ingest import ingest
from flows.parameters import Count, File, Name
from flows.reporting.artifacts import show_all_verified, show_verified
from flows.reporting.progress import stage
from flows.reporting.reports import AllVerified, VerifiedDataset
from flows.reporting.runs import RETRIES, named, told
from flows.requests import command
from flows.workers.cluster import crew
from flows.workers.fanout import fan_out
from flows.workers.roster import Passing
from storage.errors import BadInput, Busy, CaptchasError, Damaged, Unwritable
from storage.files import atomic
from storage.files.locks import locked
from storage.files.places import Place
from tasks.datasets.generate import DrawJob
from tasks.datasets.inventory import Inventory, datasets_in, inventory, is_imported, recipe_of, require_dataset
from tasks.datasets.judge import Finding, Verdict, VerifyReport, judge, report, summary
from tasks.datasets.prove import Proof, ProofJob, Proven, bundles, proof_jobs, prove_all
from tasks.datasets.recipe import Recipe
from tasks.datasets.repair import count_jobs, count_shard, finish_repair, plan_repair, put_back, redraw_shard
from tasks.datasets.totals import Gathered
from tasks.exchange.reimport import as_imported


@dataclass(frozen=True)
class VerifyRequest:
    """The dataset to prove, and whether to repair it.

    Parameters
    ----------
    dataset
        A dataset's name under the home, its path, or its URL in an object store; by default all datasets under the
        home, one after another.
    redraw
        Draw every picture again too, and compare.
    repair
        Put lost shards back or draw them again, prove the digests equal, and tidy the folder.
    workers
        Local processes; by default one for each core.
    cluster
        Address of a Dask scheduler to use instead, such as tcp://host:8786.
    font
        Where the dataset's faces are, if they do not come with the project. May be given again.
    words
        Path of the dataset's word list, if it has its own.
    source
        Of an imported dataset, the folder that it came from: --repair reads lost pictures there again.
    """

    dataset: Name | None = None
    _: KW_ONLY
    redraw: bool = False
    repair: bool = False
    workers: Count | None = None
    cluster: Name | None = None
    font: list[Name] | None = None
    words: Name | None = None
    source: File | None = None


def check(request: VerifyRequest) -> Place | None:
    """Find the dataset's folder (None for all datasets), or name the wrong parameter."""
    repair, redraw, source = request.repair, request.redraw, request.source
    given: tuple[tuple[str, object], ...] = (("font", request.font), ("words", request.words))
    for name, value in given:
        if value is not None and not (redraw or repair):
            raise BadInput(f"{name}: says what to draw with, so it goes with --redraw or --repair; it is {value!r}")
    if source is not None and (redraw or not repair):
        raise BadInput(f"source: is where --repair reads imported pictures again, without --redraw; it is {source}")
    if request.dataset is None:
        for name, value in (*given, ("source", source)):
            if value is not None:
                raise BadInput(f"{name}: goes with one dataset; name it")
        return None
    folder = dataset_folder(request.dataset)
    require_dataset(folder, drawing=redraw or repair, font=request.font, words=request.words, source=source)
    return folder


def needs_workers(_request: VerifyRequest, _folder: Place | None) -> bool:
    """Return True: every shard is read."""
    return True


@flow(flow_run_name=named("verify", "dataset"))
@told
@command(VerifyRequest, check, needs_workers)
def verify(request: VerifyRequest, folder: Place | None) -> VerifyReport | AllVerified:
    """Prove a dataset whole, or find missing, altered and foreign files, and repair it.

    Every shard is read and checked against its own digests and the manifest's. Nothing is changed without
    --repair, and nothing is deleted with it: foreign files go to NAME.foreign beside the dataset.
    """
    redraw, repair, workers, cluster = request.redraw, request.repair, request.workers, request.cluster
    if folder is None:
        with crew(workers, cluster):
            return _all(redraw, repair)
    if request.source is not None:
        ingest(**as_imported(folder, request.source), workers=workers, cluster=cluster)
    with ExitStack() as held:
        try:
            held.enter_context(locked(folder))
        except Unwritable:
            if repair:
                raise
            get_run_logger().info("%s cannot be locked: nobody may write there", folder)
        found = inventory(folder)
        recipe = (
            recipe_of(found, request.font, request.words) if (redraw or repair) and request.source is None else None
        )
        held.enter_context(crew(workers, cluster))
        proven, seconds = prove(proof_jobs(found, recipe if redraw else None), workers, cluster)
        proofs, rate = proven.proofs, proven.pace.rate()
        verdict = judge(found, proofs, redrawn=redraw, statistics=proven.statistics())
        findings, failure = list(verdict.findings), None
        try:
            if repair and findings:
                findings = mend(found, verdict, proofs, recipe, workers, cluster)
            elif findings:
                raise Damaged(_remedy(request.dataset, found, verdict))
        except CaptchasError as error:
            failure = error
        content = report(found, verdict, proofs, findings, seconds, rate, redraw)
        show_verified(content, findings, folder)
        if failure:
            failure.report = content
            raise failure
    return content


def _all(redraw: bool, repair: bool) -> AllVerified:
    """Verify every dataset under the home, also after a damaged dataset; report all of them.

    An imported dataset is not repaired, since that takes its source folder; its findings are reported.
    """
    rows: list[VerifiedDataset] = []
    wrong: list[str] = []
    busy: list[str] = []
    for folder in datasets_in(home() / "datasets"):
        content: dict[str, Any] = {}
        try:
            drawn = not is_imported(folder)
            content |= verify(str(folder), redraw=redraw and drawn, repair=repair and drawn)
            state = "repaired" if content["findings"] else "whole"
        except Passing:
            raise  # says nothing about this dataset, and the next would fail alike
        except Busy as error:
            state = "in use"
            busy.append(str(error))
        except CaptchasError as error:
            content |= error.report or {}
            state = "not whole"
            wrong.append(str(error))
        rows.append({
            "dataset": folder.name, "state": state, "pictures": content.get("pictures"),
            "shards": content.get("shards"), "found_whole": content.get("found_whole"),
            "findings": len(content.get("findings", ())),
        })  # fmt: skip
    show_all_verified(rows, wrong + busy)
    failure: CaptchasError | None = None
    if wrong:
        failure = Damaged(f"{len(wrong)} of {len(rows)} datasets are not whole: {'. '.join(wrong)}")
    elif busy:
        failure = Busy(f"{len(busy)} of {len(rows)} datasets are in use, the others whole: {'. '.join(busy)}")
    if failure:
        failure.report = {"datasets": rows}
        raise failure
    return {"datasets": rows}


@task(cache_policy=NO_CACHE, task_run_name="prove", **RETRIES)
def prove(jobs: list[ProofJob], workers: int | None, cluster: str | None) -> tuple[Proven, float]:
    """Prove all files on Dask; return the seconds it took, too, without the start of the workers."""
    with (
        crew(workers, cluster, reads={job.folder for job in jobs}) as client,
        stage("verifying", sum(job.count for job in jobs)) as shown,
    ):
        began = time.monotonic()
        proven = Proven(jobs)
        for proofs in fan_out(client, prove_all, bundles(jobs, len(client.nthreads()))):
            proven.add(proofs)
            shown.advance(sum(proof.count for proof in proofs))
        return proven, time.monotonic() - began


@task(cache_policy=NO_CACHE, task_run_name="repair")
def mend(
    found: Inventory,
    verdict: Verdict,
    proofs: list[Proof],
    recipe: Recipe | None,
    workers: int | None,
    cluster: str | None,
) -> list[Finding]:
    """Put shards back, draw lost shards again on Dask, rebuild an untrue manifest, tidy; return the repairs."""
    run = atomic.new_run()
    plan = plan_repair(found, verdict, proofs, recipe, run)
    atomic.need_space(found.folder, plan.bytes)
    put_back(found, plan)
    counting = count_jobs(found, verdict, recipe, run)
    with crew(workers, cluster, writes=[found.folder]) as client:
        with stage("drawing again", len(plan.jobs), "shards") as shown:
            drawn = list(fan_out(client, redraw_shard, plan.jobs, on_done=lambda _: shown.advance(1)))
        counted = _count(client, counting) if counting else None
    return finish_repair(found, verdict, plan, proofs, drawn, counted, run)


def _count(client: Client, jobs: list[DrawJob]) -> Gathered:
    """Count pictures for the statistics of a new manifest."""
    counted = Gathered(jobs[0].recipe.identity)
    with stage("counting", len(jobs), "shards") as shown:
        for receipt in fan_out(client, count_shard, jobs):
            counted.add(receipt)
            shown.advance(1)
    return counted


def _remedy(dataset: str | None, found: Inventory, verdict: Verdict) -> str:
    """Sum up the faults, and say what to do next."""
    if verdict.refusal:
        then = verdict.refusal
    elif found.imported:
        then = f"`captchas verify {dataset} --repair --source FOLDER`, the folder that it came from, mends them"
    else:
        then = f"`captchas verify {dataset} --repair` mends them"
    return f"{found.folder}: is not whole ({summary(verdict.findings)}); {then}"
