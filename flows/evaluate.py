"""Measure a model on unseen pictures: read shards on Dask, sum up, draw the plots."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows.generate import generate
from flows.home import dataset_folder, home, model_file
from flows.measured_pairs import compare, datasets_of
from flows.model_pairs import scores_of
from flows.parameters import Count, File, Name, ReaderChoice
from flows.reporting.artifacts import evaluation_for_people, rate, show_evaluated, show_ladder
from flows.reporting.progress import stage
from flows.reporting.reports import EvaluationSummary, LadderSummary
from flows.reporting.runs import RETRIES, named, told
from flows.requests import command
from flows.solve_request import ChosenModels, best_of, named_models, served_model
from flows.workers.cluster import crew
from flows.workers.fanout import fan_out
from storage.dataset import Dataset
from storage.errors import BadInput
from storage.files.places import Place, local, place
from storage.files.targets import require_folder
from storage.model_records import load_record
from storage.models import model_digest
from tasks.both_readers import read_together
from tasks.deep.cases import alphabet_in_capitals
from tasks.profiles.built_in import find_profile
from tasks.scoring import ladder_report
from tasks.scoring.block_readers import Beside
from tasks.scoring.evaluate import (
    EvaluateJob,
    EvaluateReceipt,
    MeasuredSplit,
    dictionary_of,
    read_shard,
    reader_for,
)
from tasks.scoring.report import (
    FILES,
    Evaluation,
    require_same_split,
    save_report,
    saved_report,
    summarise,
)
from tasks.training import settings

DEFAULT = "auto"  # names what solve reads with unless a model is named


class Measurement(NamedTuple):
    """A model, the dataset to measure it on, the words of the dictionary, and the classic model beside a deep one."""

    model: Place
    data: Dataset
    words: tuple[str, ...]
    beside: Beside | None = None


class EvaluateChoice(NamedTuple):
    """The models, what to measure on one dataset (None for the ladder), and the folder of the report."""

    models: ChosenModels
    on_one: Measurement | None
    folder: Path


@dataclass(frozen=True)
class EvaluateRequest:
    """The model to measure, and the pictures to measure it on.

    Parameters
    ----------
    model
        A model's name under the home, its file, or its URL in an object store; or auto: what solve reads with unless
        a model is named.
    dataset
        A dataset's name under the home, its path, or its URL.
    ladder
        Measure on every rung of the ladder instead; draw missing pictures; put all scores into a table and a plot.
    out
        Folder of the report; by default reports/MODEL-on-DATASET (or -ladder) under the home, with -SPLIT at its
        end for another split than test.
    split
        The pictures to read: of a dataset that the model learnt from, only the test split is unseen. Of a dataset
        that no model learnt from, all are unseen, whatever their split.
    dictionary
        web2, a word list, or none; by default the words that the dataset was drawn from.
    workers
        Local processes; by default one for each core.
    cluster
        Address of a Dask scheduler to use instead, such as tcp://host:8786.
    again
        Measure even if the report of this model on this dataset is there.
    reader
        Classic or deep, of models of both kinds that have one name; or auto: both, alone and together, and the figures
        of what has the most validation words right.
    """

    model: Name
    dataset: Name | None = None
    _: KW_ONLY
    ladder: bool = False
    out: File | None = None
    split: MeasuredSplit = MeasuredSplit.TEST
    dictionary: Name | None = None
    workers: Count | None = None
    cluster: Name | None = None
    again: bool = False
    reader: ReaderChoice = ReaderChoice.AUTO


def check(request: EvaluateRequest) -> EvaluateChoice:
    """Find the model, the dataset and the dictionary, and prove that they fit, or name the wrong parameter."""
    chosen = _models_of(request)
    model = chosen.model
    if request.out:
        require_folder(local(request.out, "out"), "out", members=FILES)
    if (request.dataset is None) != request.ladder:
        raise BadInput(f"evaluate: name a dataset, or give --ladder; given: {'both' if request.ladder else 'neither'}")
    if request.dataset is not None:
        on_one = _measurement(chosen, request.dataset, request.dictionary)
        folder = _folder(request, on_one.data.folder.name)
        require_same_split(folder, request.split)
        return EvaluateChoice(chosen, on_one, folder)
    folder, record = _folder(request, "ladder"), load_record(model)
    for name in settings.RUNGS:
        _must_know(model, record, find_profile(name).alphabet, f"profile {name}")
        require_same_split(folder / name, request.split)
    return EvaluateChoice(chosen, None, folder)


def _models_of(request: EvaluateRequest) -> ChosenModels:
    if request.model == DEFAULT and not model_file(DEFAULT).exists():
        return served_model(request.reader)
    return named_models(request.model, request.reader, "")


def _folder(request: EvaluateRequest, measured: str) -> Path:
    """Return the folder of a report: each split has its own."""
    if request.out:
        return local(request.out, "out")
    of_split = "" if request.split == MeasuredSplit.TEST else f"-{request.split}"
    return home() / "reports" / f"{model_file(request.model).stem}-on-{measured}{of_split}"


def measurement(model: str, dataset: str, dictionary: str | None = None) -> Measurement:
    """Find a model, a dataset and a dictionary, and prove that they fit.

    Raises
    ------
    BadInput, NotThere, Damaged
    """
    return _measurement(ChosenModels(model_file(model), None, ""), dataset, dictionary)


def _measurement(chosen: ChosenModels, dataset: str, dictionary: str | None) -> Measurement:
    data = Dataset(dataset_folder(dataset))
    words = dictionary_of(data, dictionary)
    length = tuple(data.manifest.profile["length"])
    if chosen.pair:
        chosen = best_of(chosen.pair, chosen.how, words=bool(words))
    chosen = chosen.for_length(length)
    classic, model = chosen.pair if chosen.pair and read_together(length) else (chosen.classic, chosen.model)
    beside = None
    if classic is not None:
        beside = Beside(str(classic.resolve()), model_digest(classic), chosen.readers, chosen.told)
    for file in [model] if classic is None else [classic, model]:
        _must_know(file, load_record(file), data.manifest.profile["alphabet"], data.folder)
        reader_for(data, str(file), model_digest(file), words)
    return Measurement(model, data, words, beside)


def _must_know(model: Place, record: Mapping[str, Any], alphabet: str, whose: str | Place) -> None:
    """Refuse a model that cannot read some letter of an alphabet."""
    classes = record["classes"]
    if record.get("folded"):
        alphabet = alphabet_in_capitals(alphabet)
    foreign = [letter for letter in alphabet if letter not in classes]
    if foreign:
        raise BadInput(
            f"model {model}: cannot read {' '.join(foreign)}, which {whose} has; it knows {classes!r}. "
            "Train a model on such letters"
        )


@flow(flow_run_name=named("evaluate", "model", "dataset"))
@told
@command(EvaluateRequest, check)
def evaluate(request: EvaluateRequest, choice: EvaluateChoice) -> EvaluationSummary | LadderSummary:
    """Measure a model on a dataset's pictures that it has not seen: the test split, or with --split all every picture.

    Writes report.json, rates.csv, letters.txt, and pictures: rates by each parameter of drawing, letter
    confusions, failures, how reliable confidence is, and a sheet of mistakes.
    """
    folder, split = choice.folder, request.split
    with crew(request.workers, request.cluster):
        pair = choice.models.pair
        if pair and scores_of(pair) is None and (datasets := datasets_of(pair)):
            compare(pair, datasets)
        chosen = choice.models if pair is None else best_of(pair, choice.models.how)
        if choice.on_one:
            asked = _measurement(chosen, str(choice.on_one.data.folder), request.dictionary)
            report, kept = _measure(asked, folder, split, request.again)
            return evaluation_for_people(report, kept, folder)
        measured = []
        for name in settings.RUNGS:
            generate(name, count=settings.LADDER_COUNT, seed=settings.LADDER_SEED)
            rung = _measurement(chosen, name, request.dictionary)
            measured.append(_measure(rung, folder / name, split, request.again)[0])
        rows = ladder_report.save_ladder(folder, chosen.model, measured)
    show_ladder(folder)
    return {
        "report": str(folder),
        "model": str(chosen.model),
        "split": split.value,
        "rungs": [
            {"rung": row["rung"], "n": row["n"], **{name: rate(content) for name, content in row["words"].items()}}
            for row in rows
        ],
        "pictures_to_look_at": [str(folder / "ladder.png"), str(folder / "ladder.md")],
    }


def of_one_dataset(report: EvaluationSummary | LadderSummary) -> EvaluationSummary:
    """Return the report of an evaluation on one dataset; the ladder has another."""
    if "words" not in report:
        raise TypeError("the report is that of a ladder")
    return report


def _measure(asked: Measurement, folder: Path, split: MeasuredSplit, again: bool) -> tuple[Evaluation, bool]:
    """Return the report on a dataset, and whether it was saved before."""
    model, data, words, beside = asked
    report = None if again else saved_report(folder, data, model, split.value, words, beside)
    if report is not None:
        show_evaluated(report, folder)
        return report, True
    return publish_report(read_split(data, model, split.value, words, beside), asked, folder, split), False


def publish_report(
    receipts: list[EvaluateReceipt], asked: Measurement, folder: Path, split: MeasuredSplit
) -> Evaluation:
    """Sum up the readings, save the report, and show it in Prefect."""
    report, files = summarise(receipts, asked.data, asked.model, split.value, asked.words, asked.beside)
    save_report(folder, files)
    show_evaluated(report, folder)
    return report


@task(cache_policy=NO_CACHE, task_run_name="read", **RETRIES)
def read_split(
    data: Dataset, model: Place, split: str, words: tuple[str, ...], beside: Beside | None = None
) -> list[EvaluateReceipt]:
    """Read every shard's pictures of the split on Dask."""
    count, digest = len(data.manifest.shards), model_digest(model)
    jobs = [
        EvaluateJob(str(data.folder.resolve()), shard, split, str(model.resolve()), digest, words, beside)
        for shard in range(count)
    ]
    sizes = [line["count"] for line in data.manifest.shards]
    with (
        crew(reads=[data.folder, model, *([place(beside.model)] if beside else [])]) as client,
        stage("reading", len(data)) as shown,
    ):
        return list(fan_out(client, read_shard, jobs, on_done=lambda receipt: shown.advance(sizes[receipt.shard])))
