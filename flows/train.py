"""Train a reader: cut spans out of datasets on Dask, fit the networks, calibrate the confidence, save the model."""

import hashlib
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE

from flows.describing.about_model import in_sentences
from flows.generate import generate
from flows.home import dataset_folder, home
from flows.measured_pairs import told_beside
from flows.parameters import Count, File, Minutes, ModelSeed, Name, ReaderKind, Units
from flows.reporting.artifacts import show_trained
from flows.reporting.progress import stage
from flows.reporting.runs import RETRIES, named, told
from flows.requests import command
from flows.workers.cluster import crew
from flows.workers.deep_training import DeepChoice, StartModel, choose_deep, datasets_learnt, train_deep_model
from flows.workers.fanout import fan_out
from storage.dataset import Dataset
from storage.errors import BadInput
from storage.files import atomic
from storage.files.locks import held_folder, locked
from storage.files.places import ObjectPath, Place, local, place
from storage.files.targets import require_file
from storage.models import save_model
from tasks import models
from tasks.rates import Rate
from tasks.reading.networks import FittedNetwork
from tasks.training.calibrate import CheckJob, check_answers
from tasks.training.calibrate import calibrate as fit_confidence
from tasks.training.companion import DrawnJob, cut, drawn_jobs, drawn_samples
from tasks.training.copies import copies_for
from tasks.training.fit import FitFacts, Spans
from tasks.training.fit import fit as fit_networks
from tasks.training.outcome import (
    OutcomeJob,
    OutcomeReceipt,
    judge,
    occurrences,
    rare_letters,
    read_validation,
    require_validation,
    summary,
    warning_of,
)
from tasks.training.settings import (
    EARLY_ROUNDS,
    IMPORTED_SHOWS,
    LADDER_COUNT,
    LADDER_SEED,
    LADDER_SETTINGS,
    LEARNT,
    Settings,
    check_faces,
    classes_of,
    early,
    shares_of,
)
from tasks.training.spool import GatherJob, GatherReceipt, jobs_of, with_copies
from tasks.training.told_splits import note_of

ALL = 1  # of the pictures that the settings want, one in so many


class TrainChoice(NamedTuple):
    """The names of the datasets to learn from, and the settings."""

    names: list[str]
    settings: Settings
    deep: DeepChoice | None = None


@dataclass(frozen=True)
class TrainRequest:
    """The datasets to learn from, and how.

    Parameters
    ----------
    datasets
        Names under the home, paths, or URLs in an object store.
    ladder
        Train the model that is shipped: draw the ladder's datasets where they are missing, and learn from them.
    out
        The model's file, or its URL; by default models/DATASET.skops under the home, of the first dataset, or
        ladder.skops.
    pictures
        Of the train split of each dataset, at most: one number, or one for each dataset; by default 20,000.
    shows
        Spans shown to the network, with repetition; by default 1,000,000, or 5,000,000 for imported datasets.
    hidden
        Units of the hidden layer, or of each; by default 128.
    leave_out
        A font face whose pictures are not learnt from. May be given again.
    seed
        Of the network's first weights and of the order of letters.
    workers
        Local processes; by default one for each core.
    cluster
        Address of a Dask scheduler to use instead, such as tcp://host:8786.
    again
        Train even if such a model is there.
    reader
        Classic, which cuts pictures into letters; or deep, a network over whole pictures, which needs PyTorch.
    draw
        A profile whose pictures the deep reader learns from as they are drawn, without a dataset. May be given again.
    minutes
        The deep reader's budget; by default 20.
    change
        Change the deep reader's pictures at random, so that it reads strangers' too; by default for imported datasets.
    start
        A deep model to begin with, such as strangers: far fewer labelled pictures are enough then.
    fold_case
        Let the deep reader count upper and lower case alike; its answers are in capitals.
    """

    datasets: list[Name] | None = None
    _: KW_ONLY
    ladder: bool = False
    out: File | None = None
    pictures: list[Count] | None = None
    shows: Count | None = None
    hidden: list[Units] | None = None
    leave_out: list[Name] | None = None
    seed: ModelSeed = 1
    workers: Count | None = None
    cluster: Name | None = None
    again: bool = False
    reader: ReaderKind = ReaderKind.CLASSIC
    draw: list[Name] | None = None
    minutes: Minutes | None = None
    change: bool | None = None
    start: StartModel = None
    fold_case: bool | None = None


def check(request: TrainRequest) -> TrainChoice:
    """Find the datasets and the settings that the parameters ask for, or name the wrong parameter."""
    ladder = request.ladder
    if request.reader is ReaderKind.DEEP:
        for name in ("ladder", "pictures", "shows", "hidden", "leave_out", "workers", "cluster"):
            if getattr(request, name):
                raise BadInput(f"{name}: belongs to the classic reader; leave it out with --reader deep")
        if request.out:
            require_file(local(request.out, "out"), "out", model=True)
        deep = choose_deep(
            request.datasets, request.draw, request.minutes, request.change, request.seed, request.start,
            request.fold_case,
        )  # fmt: skip
        return TrainChoice([source.name for source in deep.sources], Settings(), deep)
    for name in ("draw", "minutes", "change", "start", "fold_case"):
        if getattr(request, name) is not None:
            name = "from" if name == "start" else name.replace("_", "-")
            raise BadInput(f"{name}: belongs to the deep reader; give --reader deep with it, or leave it out")
    if bool(request.datasets) == ladder:
        raise BadInput(
            f"train: name one or more datasets, or give --ladder; given: {'both' if request.ladder else 'neither'}"
        )
    wanted = {name: getattr(request, name) for name in ("pictures", "shows", "hidden", "leave_out")}
    given: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
    given |= {name: tuple(value) for name, value in given.items() if isinstance(value, list)}
    settings = replace(LADDER_SETTINGS if ladder else Settings(), **given, seed=request.seed)
    if request.out:
        require_file(place(request.out), "out", model=True)
    names = list(LEARNT) if ladder else list(request.datasets or ())
    if not ladder:
        chosen = [Dataset(dataset_folder(name)) for name in names]
        classes_of(chosen)
        check_faces(chosen, settings.leave_out)
        require_validation(chosen)
        if request.shows is None and any(dataset.manifest.source for dataset in chosen):
            settings = replace(settings, shows=IMPORTED_SHOWS)
    shares_of(settings, len(names))
    return TrainChoice(names, settings)


@flow(flow_run_name=named("train", "datasets"))
@told
@command(TrainRequest, check)
def train(request: TrainRequest, choice: TrainChoice) -> dict[str, Any]:
    """Train a reader on one or more datasets, and save it with its provenance and scores.

    Letters are cut from words, with what their neighbours leave in the picture, by their true boxes. Imported pictures
    have none: drawn pictures of the same letters teach a first network, which finds theirs. The same datasets,
    settings and seed give the same model on one machine; a model of these is kept. A training that learnt nothing
    writes no model.
    """
    names, settings, deep = choice
    if deep is not None:
        file = local(request.out, "out") if request.out else home() / "models" / f"{names[0]}.onnx"
        return train_deep_model(deep, file) | told_beside(file, datasets_learnt(deep))
    with crew(request.workers, request.cluster):
        if request.ladder:
            for name in names:
                generate(name, count=LADDER_COUNT, seed=LADDER_SEED)
        chosen = [Dataset(dataset_folder(name)) for name in names]
        name = "ladder" if request.ladder else chosen[0].folder.name
        path = place(request.out) if request.out else home() / "models" / f"{name}.skops"
        provenance = models.provenance_of(chosen, settings)
        if not request.again and models.same_model(path, provenance):
            get_run_logger().info("%s was made from these data with these settings: kept", path)
            return _report(path, chosen, kept=True)
        run = atomic.new_run()
        with locked(path):
            beside = _beside(path)
            atomic.make_folder(beside.parent)
            models.remove_leftovers(beside)
            with held_folder(beside.with_name(f".{beside.stem}.{run}.spool")) as spool:
                facts, networks, marked = _learn(chosen, settings, provenance, spool, run)
                models.save(path, networks, provenance, facts, marked.n, marked.right, run)
        return _report(path, chosen, kept=False)


def _report(path: Place, datasets: list[Dataset], *, kept: bool) -> dict[str, Any]:
    """Show a model, and return its record with the outcome of the training at the end."""
    content = {"kept": kept, **models.describe(path)}
    show_trained(content, path)
    end = summary(content) | told_beside(path, datasets)
    kept_facts = {key: value for key, value in content.items() if key not in end}
    curves = {"calibration": in_sentences(content).get("confidence")}  # hundreds of numbers
    return kept_facts | end | {"shown": curves | end.get("shown", {})}


def _beside(path: Place) -> Path:
    """Return the path to put the spool beside: the model, or for a model in an object store a name under the home."""
    if isinstance(path, ObjectPath):
        return home() / "models" / f"{hashlib.sha256(str(path).encode()).hexdigest()[:16]}.skops"
    return path


def _learn(
    datasets: list[Dataset], settings: Settings, provenance: dict[str, Any], spool: Path, run: str
) -> tuple[dict[str, object], dict[str, FittedNetwork], Rate]:
    """Gather letters, fit the networks, calibrate the confidence, and judge the outcome."""
    classes, model, copies = provenance["classes"], None, 0
    if any(data.manifest.source for data in datasets):
        model, copies = _find_letters(datasets, early(settings), provenance, spool, run)
    folder = atomic.make_folder(spool / "last")
    receipts = gather(with_copies(jobs_of(datasets, settings, ALL, model, folder, run), copies, datasets))
    marked = Rate(sum(receipt.marked for receipt in receipts), sum(receipt.pictures for receipt in receipts))
    labelled, learnt = occurrences(receipts)
    networks, facts = fit(
        folder, f"{ALL}", classes, settings, settings.shows, drawn_samples(spool, (1 + copies) * marked.n)
    )
    rare = rare_letters(classes, labelled, learnt)
    if rare:
        get_run_logger().warning("%s", warning_of(rare))
    checked = spool / "checked.skops"
    save_model(checked, networks, {**provenance, **facts, "calibration": {}}, run)
    asked = [(str(data.folder.resolve()), str(checked.resolve()), settings.leave_out) for data in datasets]
    read = check_outcome([OutcomeJob(*job) for job in asked])
    outcome = judge(read, classes, labelled, marked, rare)
    curves = calibrate([CheckJob(*job) for job in asked])
    note = note_of(datasets)
    told = {"note": note} if note else {}
    return {**facts, **outcome, **told, "rare": rare, "calibration": curves}, networks, marked


def _find_letters(
    datasets: list[Dataset], settings: Settings, provenance: dict[str, Any], spool: Path, run: str
) -> tuple[Path | None, int]:
    """Train the network that finds the letters of imported pictures, in rounds; also choose the number of copies."""
    classes, model, pictures = provenance["classes"], None, 0
    drawn = drawn_jobs(datasets, settings, classes, spool, run)
    if drawn:
        gather(drawn)
    for number in range(EARLY_ROUNDS):
        folder = atomic.make_folder(spool / f"round-{number}")
        receipts = gather(jobs_of(datasets, settings, ALL, model, folder, run))
        beside = drawn_samples(spool, pictures)
        pictures = sum(receipt.pictures for receipt in receipts)
        networks, facts = fit(folder, f"{ALL}", classes, settings, settings.shows, beside)
        model = folder / "model.skops"
        save_model(model, networks, {**provenance, **facts}, run)
    return model, copies_for(datasets, pictures)


@task(cache_policy=NO_CACHE, task_run_name="gather letters", **RETRIES)
def gather(jobs: Sequence[GatherJob | DrawnJob]) -> list[GatherReceipt]:
    """Cut shards, and the pictures of a companion, into spans on Dask, into spool files that the fit maps."""
    reads = {job.folder for job in jobs if isinstance(job, GatherJob)}
    with (
        crew(writes={job.spool for job in jobs}, reads=reads) as client,
        stage("cutting letters", sum(job.pictures for job in jobs)) as shown,
    ):
        return list(fan_out(client, cut, jobs, on_done=lambda receipt: shown.advance(receipt.pictures)))


@task(cache_policy=NO_CACHE, task_run_name="fit")
def fit(
    spool: Path, name: str, classes: str, settings: Settings, shows: int, beside: Sequence[Spans] = ()
) -> tuple[dict[str, FittedNetwork], FitFacts]:
    """Fit the networks over the spool."""
    with stage("training", shows, "spans") as shown:
        return fit_networks(
            spool, name, classes, settings, shows, lambda done, _: shown.advance(done - shown.done), beside
        )


@task(cache_policy=NO_CACHE, task_run_name="read validation pictures", **RETRIES)
def check_outcome(jobs: list[OutcomeJob]) -> list[OutcomeReceipt]:
    """Read validation pictures on Dask."""
    with crew() as client, stage("reading", len(jobs), "datasets") as shown:
        return list(fan_out(client, read_validation, jobs, in_order=True, on_done=lambda _: shown.advance(1)))


@task(cache_policy=NO_CACHE, task_run_name="calibrate", **RETRIES)
def calibrate(jobs: list[CheckJob]) -> dict[str, dict[str, Any]]:
    """Read validation pictures on Dask, and fit the confidence to how often the answers are right."""
    with crew() as client, stage("calibrating", len(jobs), "datasets") as shown:
        return fit_confidence(list(fan_out(client, check_answers, jobs, on_done=lambda _: shown.advance(1))))
