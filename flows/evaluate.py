"""Measure a model on pictures that it has not seen: read shards on Dask, sum up, draw the plots."""

from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import NamedTuple

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE

from flows.generate import generate
from flows.home import dataset_folder, home, model_file
from flows.parameters import Count, Name
from flows.reporting.progress import artifact_key, stage
from flows.reporting.runs import RETRIES, named, picture, told
from flows.requests import command
from flows.workers.cluster import crew
from flows.workers.fanout import fan_out
from storage.dataset import Dataset
from storage.errors import BadInput
from storage.files.places import Place, local
from storage.models import load_model, model_digest
from storage.shards.shard import Split
from tasks.profiles.built_in import find_profile
from tasks.rates import Rate
from tasks.scoring import evaluate as units
from tasks.scoring import ladder_report
from tasks.scoring import report as reports
from tasks.training import settings

# In Prefect's report: of eight, those that say most.
SHOWN = {"rates.png": "Words right by each parameter of drawing", "mistakes.png": "Mistakes"}


class EvaluateChoice(NamedTuple):
    """The model's file, the dataset (none for the ladder) and the dictionary."""

    model: Place
    data: Dataset | None
    words: tuple[str, ...]


@dataclass(frozen=True)
class EvaluateRequest:
    """The model to measure, and the pictures to measure it on.

    Parameters
    ----------
    model
        A model's name under the home, its file, or its URL in an object store.
    dataset
        A dataset's name under the home, its path, or its URL.
    ladder
        Measure on every rung of the ladder instead, drawing what is missing, and put all into one table and picture.
    out
        Folder of the report; by default reports/MODEL-on-DATASET (or -ladder) under the home.
    split
        The split to read; only the test split is unseen by every model.
    dictionary
        web2, a word list, or none; by default the words that the dataset was drawn from.
    workers
        Local processes; by default one a core.
    cluster
        Address of a Dask scheduler to use instead, such as tcp://host:8786.
    again
        Measure even if the report of this model on this dataset is there.
    """

    model: Name
    dataset: Name | None = None
    _: KW_ONLY
    ladder: bool = False
    out: Path | None = None
    split: Split = Split.TEST
    dictionary: str | None = None
    workers: Count | None = None
    cluster: Name | None = None
    again: bool = False


def check(request: EvaluateRequest) -> EvaluateChoice:
    """The model's file, the dataset and the dictionary, or an error that names the wrong one."""
    path = model_file(request.model)
    _, provenance = load_model(path)
    if (request.dataset is None) != request.ladder:
        raise BadInput("evaluate: name a dataset, or give --ladder")
    if request.dataset is None:
        for name in settings.RUNGS:
            _must_know(path, provenance["classes"], find_profile(name).alphabet, f"profile {name}")
        return EvaluateChoice(path, None, ())
    data = Dataset(dataset_folder(request.dataset))
    _must_know(path, provenance["classes"], data.manifest.profile["alphabet"], data.folder)
    words = units.dictionary_of(data, request.dictionary)
    units.reader_for(data, str(path), model_digest(path), words)
    return EvaluateChoice(path, data, words)


def _must_know(model: Place, classes: str, alphabet: str, whose: str | Place) -> None:
    foreign = [letter for letter in alphabet if letter not in classes]
    if foreign:
        raise BadInput(
            f"model {model}: cannot read {' '.join(foreign)}, which {whose} has; it knows {classes!r}. "
            "Train one on such letters"
        )


@flow(flow_run_name=named("evaluate", "model", "dataset"))
@told
@command(EvaluateRequest, check)
def evaluate(request: EvaluateRequest, choice: EvaluateChoice) -> dict:
    """Measure a model on a dataset's pictures that it has not seen.

    Writes report.json, rates.csv, letters.txt, and pictures: rates by each parameter of drawing, letter
    confusions, failures, how reliable confidence is, and a sheet of mistakes.
    """
    path, split = choice.model, request.split
    measured_on = choice.data.folder.name if choice.data else "ladder"
    folder = local(request.out, "out") if request.out else home() / "reports" / f"{path.stem}-on-{measured_on}"
    with crew(request.workers, request.cluster):
        if choice.data:
            return _for_people(*_measure(path, choice.data, choice.words, folder, split, request.again), folder)
        measured = []
        for name in settings.RUNGS:
            generate(name, count=settings.LADDER_COUNT, seed=settings.LADDER_SEED)
            rung = check(EvaluateRequest(request.model, name, dictionary=request.dictionary))
            measured.append(_measure(rung.model, rung.data, rung.words, folder / name, split, request.again)[0])
        rows = ladder_report.save(folder, path, measured)
    lines = (folder / "ladder.md").read_text()
    shown = picture((folder / "ladder.png").read_bytes(), folder.name)
    create_markdown_artifact(f"# {folder.name}\n\n{lines}\n\n{shown}", key=artifact_key("evaluate", folder.name))
    return {
        "report": str(folder),
        "model": str(path),
        "split": split.value,
        "rungs": [
            {"rung": row["rung"], "n": row["n"], **{name: _rate(rate) for name, rate in row["words"].items()}}
            for row in rows
        ],
        "pictures_to_look_at": [str(folder / "ladder.png"), str(folder / "ladder.md")],
    }


def _measure(
    path: Path, data: Dataset, words: tuple[str, ...], folder: Path, split: Split, again: bool
) -> tuple[dict, bool]:
    """The report on one dataset, and whether it was there."""
    report = None if again else reports.saved_report(folder, data, path, split.value, words)
    if report is not None:
        _show_in_prefect(report, folder)
        return report, True
    return publish(read(data, path, split.value, words), path, data, words, folder, split), False


def publish(
    receipts: list[units.EvaluateReceipt], path: Path, data: Dataset, words: tuple[str, ...], folder: Path, split: Split
) -> dict:
    """Sum up what was read, save the report, and show it in Prefect."""
    report, files = reports.summarise(receipts, data, path, split.value, words)
    reports.save_report(folder, files)
    _show_in_prefect(report, folder)
    return report


@task(cache_policy=NO_CACHE, task_run_name="read", **RETRIES)
def read(data: Dataset, model: Place, split: str, words: tuple[str, ...]) -> list[units.EvaluateReceipt]:
    """Read every shard's pictures of the split on Dask."""
    count, digest = len(data.manifest.shards), model_digest(model)
    jobs = [
        units.EvaluateJob(str(data.folder.resolve()), shard, split, str(model.resolve()), digest, words)
        for shard in range(count)
    ]
    sizes = [line["count"] for line in data.manifest.shards]
    with crew(reads=[data.folder, model]) as client, stage("reading", len(data)) as shown:
        return list(fan_out(client, units.read_shard, jobs, on_done=lambda one: shown.advance(sizes[one.shard])))


def _show_in_prefect(report: dict, folder: Path) -> None:
    key = artifact_key("evaluate", folder.name)
    rows = [
        {"ranking": name, "words right": str(Rate(rate["right"], rate["n"]))} for name, rate in report["words"].items()
    ]
    create_table_artifact(rows, key=key, description=f"{report['model']} on {report['dataset']}")
    lines = [f"# {folder.name}", "", f"{report['n']:,} pictures of the {report['split']} split.", ""]
    lines += [f"- words right, {row['ranking']}: {row['words right']}" for row in rows]
    lines += [f"- cut into the right number of letters: {_rate(report['cut_right'])}"]
    lines += [f"- letters cut from words: macro F1 {report['letters']['macro_f1']:.4f}"]
    for name, title in SHOWN.items():
        lines += ["", f"## {title}", "", picture((folder / name).read_bytes(), title)]
    lines += ["", f"All files: `{folder}`"]
    create_markdown_artifact("\n".join(lines), key=f"{key}-report")


def _for_people(report: dict, kept: bool, folder: Path) -> dict:
    return {
        "kept": kept,
        "report": str(folder),
        "model": report["model"],
        "dataset": report["dataset"],
        "split": report["split"],
        "pictures": report["n"],
        "dictionary_words": report["dictionary_words"],
        "words": [{"ranking": name, "words_right": _rate(rate), **rate} for name, rate in report["words"].items()],
        "cut_right": _rate(report["cut_right"]),
        "letters_macro_f1": report["letters"]["macro_f1"],
        "letters_right": _rate(report["letters"]["accuracy"]),
        "calibration_error": [
            {"ranking": name, "error": f"{100 * one['error']:.2f} %"} for name, one in report["calibration"].items()
        ],
        "failures": [{"ranking": name, **split} for name, split in report["failures"].items()],
        "words_per_second_a_worker": report["words_per_second_a_worker"],
        "pictures_to_look_at": [
            str(folder / name)
            for name in ("rates.png", "confusion.png", "failures.png", "reliability.png", "mistakes.png")
        ],
    }


def _rate(content: dict) -> str:
    return str(Rate(content["right"], content["n"]))
