"""Prove a dataset: read every shard on Dask, judge, and with --repair mend what is wrong and prove that too."""

import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE

from flows.home import dataset_folder, home
from flows.ingest import ingest
from flows.parameters import Count, Name
from flows.reporting.progress import artifact_key, stage
from flows.reporting.runs import RETRIES, as_lines, named, told
from flows.requests import command
from flows.workers.cluster import crew
from flows.workers.fanout import fan_out
from flows.workers.roster import Passing
from storage.errors import BadInput, Busy, CaptchasError, Damaged, Unwritable
from storage.files import atomic
from storage.files.locks import locked
from storage.files.places import Place
from tasks.datasets import prove as units
from tasks.datasets import repair as mending
from tasks.datasets.inventory import Inventory, datasets_in, inventory, is_imported, recipe_of, require_dataset
from tasks.datasets.judge import Finding, Verdict, judge, report, summary
from tasks.datasets.recipe import Recipe
from tasks.datasets.totals import Gathered
from tasks.exchange.ingest import as_imported


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
        Put back or draw again what is lost, prove the digests equal, and tidy the folder.
    workers
        Local processes; by default one a core.
    cluster
        Address of a Dask scheduler to use instead, such as tcp://host:8786.
    font
        Where the dataset's faces are, if they do not come with the project. May be given again.
    words
        Where the dataset's word list is, if it has one of its own.
    source
        Of an imported dataset, the folder that it came from: --repair reads lost pictures there again.
    """

    dataset: Name | None = None
    _: KW_ONLY
    redraw: bool = False
    repair: bool = False
    workers: Count | None = None
    cluster: Name | None = None
    font: list[str] | None = None
    words: str | None = None
    source: Path | None = None


def check(request: VerifyRequest) -> Place | None:
    """The dataset's folder, None for all of them, or an error that names the wrong parameter."""
    repair, redraw, source = request.repair, request.redraw, request.source
    for name, value in (("font", request.font), ("words", request.words)):
        if value is not None and not (redraw or repair):
            raise BadInput(f"{name}: says what to draw with, so it goes with --redraw or --repair; it is {value!r}")
    if source is not None and (redraw or not repair):
        raise BadInput(f"source: is where --repair reads imported pictures again, without --redraw; it is {source}")
    if request.dataset is None:
        for name, value in (("font", request.font), ("words", request.words), ("source", source)):
            if value is not None:
                raise BadInput(f"{name}: goes with one dataset; name it")
        return None
    folder = dataset_folder(request.dataset)
    require_dataset(folder, drawing=redraw or repair, font=request.font, words=request.words, source=source)
    return folder


@flow(flow_run_name=named("verify", "dataset"))
@told
@command(VerifyRequest, check)
def verify(request: VerifyRequest, folder: Place | None) -> dict:
    """Prove a dataset whole, or find what is missing, altered or foreign, and repair it.

    Every shard is read and checked against its own digests and the manifest's. Nothing is changed without
    --repair, and nothing is deleted with it: what does not belong goes to NAME.foreign beside the dataset.
    """
    redraw, repair, workers, cluster = request.redraw, request.repair, request.workers, request.cluster
    if folder is None:
        with crew(workers, cluster):
            return _all(redraw, repair)
    if request.source is not None:
        ingest(**as_imported(folder, request.source), workers=workers, cluster=cluster)  # then all is proven as always
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
        proven, seconds = prove(units.proof_jobs(found, recipe if redraw else None), workers, cluster)
        proofs, rate = proven.proofs, proven.pace.rate()
        verdict = judge(found, proofs, redrawn=redraw, statistics=proven.statistics())
        findings = list(verdict.findings)
        try:
            if repair and findings:
                findings = mend(found, verdict, proofs, recipe, workers, cluster)
            elif findings:
                raise Damaged(_remedy(request.dataset, found, verdict))
        except CaptchasError as error:
            error.report = report(found, verdict, proofs, findings, seconds, rate, redraw)
            raise
        finally:
            told_of = report(found, verdict, proofs, findings, seconds, rate, redraw)
            _show_in_prefect(told_of, findings, folder)
    return told_of


def _all(redraw: bool, repair: bool) -> dict:
    """Verify every dataset under the home, whatever is wrong with one of them; then tell of all.

    An imported one is not repaired, since that takes the folder it came from; what is wrong with it is told.
    """
    rows, wrong, busy = [], [], []
    for folder in datasets_in(home() / "datasets"):
        try:
            drawn = not is_imported(folder)
            one = verify(str(folder), redraw=redraw and drawn, repair=repair and drawn)
            state = "repaired" if one["findings"] else "whole"
        except Passing:
            raise  # nothing is known of this one, nor would be of the next
        except Busy as error:
            one, state = {}, "in use"
            busy.append(str(error))
        except CaptchasError as error:
            one, state = error.report or {}, "not whole"
            wrong.append(str(error))
        numbers = {key: one.get(key) for key in ("pictures", "shards", "found_whole")}
        rows.append({"dataset": folder.name, "state": state, **numbers, "findings": len(one.get("findings", ()))})
    lines = ["| dataset | state | pictures | shards | found whole | findings |", "|---|---|---|---|---|---|"]
    lines += [f"| {' | '.join(map(str, row.values()))} |" for row in rows]
    lines += ["", *(f"- {text}" for text in wrong + busy)]
    create_markdown_artifact("\n".join(["# All datasets", "", *lines]), key="verify-all")
    if wrong or busy:
        error = (
            Damaged(f"{len(wrong)} of {len(rows)} datasets are not whole: {'. '.join(wrong)}") if wrong
            else Busy(f"{len(busy)} of {len(rows)} datasets are in use, the others whole: {'. '.join(busy)}")
        )  # fmt: skip
        error.report = {"datasets": rows}
        raise error
    return {"datasets": rows}


def _show_in_prefect(content: dict, findings: list[Finding], folder: Path) -> None:
    """A table of what was found and done, and a report."""
    key = artifact_key("verify", folder.name)
    rows = content["findings"] or [{"what": folder.name, "state": "whole", "reason": "-", "done": "-"}]
    create_table_artifact(rows[:1000], key=key, description=f"{folder}: {summary(findings) or 'whole'}")
    done = Counter(finding.done for finding in findings)
    lines = [f"# {folder.name}: {summary(findings) or 'whole'}", ""]
    lines += [f"- {what}: {count:,}" for what, count in done.most_common(20) if what != "-"]
    lines += as_lines(content, "findings", "shown", "dataset")
    create_markdown_artifact("\n".join(lines), key=f"{key}-report", description=str(folder))


@task(cache_policy=NO_CACHE, task_run_name="prove", **RETRIES)
def prove(jobs: list[units.ProofJob], workers: int | None, cluster: str | None) -> tuple[units.Proven, float]:
    """Prove all files on Dask; also the seconds that it took, once the workers were there."""
    with (
        crew(workers, cluster, reads={job.folder for job in jobs}) as client,
        stage("verifying", sum(job.count for job in jobs)) as shown,
    ):
        began = time.monotonic()
        proven = units.Proven(jobs)
        for proofs in fan_out(client, units.prove_all, units.bundles(jobs, len(client.nthreads()))):
            proven.add(proofs)
            shown.advance(sum(proof.count for proof in proofs))
        return proven, time.monotonic() - began


@task(cache_policy=NO_CACHE, task_run_name="repair")
def mend(
    found: Inventory,
    verdict: Verdict,
    proofs: list[units.Proof],
    recipe: Recipe | None,
    workers: int | None,
    cluster: str | None,
) -> list[Finding]:
    """Put shards back, draw lost ones again on Dask, rebuild the manifest if it is untrue, tidy; what was done."""
    run = atomic.new_run()
    plan = mending.plan_repair(found, verdict, proofs, recipe, run)
    atomic.need_space(found.folder, plan.bytes)
    mending.put_back(found, plan)
    counting = mending.count_jobs(found, verdict, recipe, run)
    counted = Gathered(recipe.identity) if counting else None
    with crew(workers, cluster, writes=[found.folder]) as client:
        with stage("drawing again", len(plan.jobs), "shards") as shown:
            drawn = list(fan_out(client, mending.redraw_shard, plan.jobs, on_done=lambda _: shown.advance(1)))
        with stage("counting", len(counting), "shards") as shown:
            for receipt in fan_out(client, mending.count_shard, counting, on_done=lambda _: shown.advance(1)):
                counted.add(receipt)
    return mending.finish(found, verdict, plan, proofs, drawn, counted, run)


def _remedy(dataset: str, found: Inventory, verdict: Verdict) -> str:
    """What is wrong in all, and what to do next."""
    if verdict.refusal:
        then = verdict.refusal
    elif found.imported:
        then = f"`captchas verify {dataset} --repair --source FOLDER`, the folder that it came from, mends them"
    else:
        then = f"`captchas verify {dataset} --repair` mends them"
    return f"{found.folder}: is not whole ({summary(verdict.findings)}); {then}"
