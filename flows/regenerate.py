"""Bring datasets up to a specification, train on them, and serve the new model only if it is no worse."""

from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from prefect import flow, get_run_logger

from flows.evaluate import measurement, publish_report, read_split
from flows.generate import GenerateRequest, as_drawn, generate
from flows.generate import check as check_recipe
from flows.home import home, new_dataset_folder
from flows.parameters import Count, Minutes, ModelSeed, Name, ReaderKind, Seed, SizeOfDataset, Units
from flows.reporting.artifacts import show_regenerated
from flows.reporting.reports import RegenerateReport
from flows.reporting.runs import named, told
from flows.requests import command, handed_on
from flows.solve_request import served_model
from flows.train import TrainChoice, TrainRequest, train
from flows.train import check as check_training
from flows.workers.cluster import crew
from flows.workers.deep_training import StartModel
from storage.dataset import Dataset
from storage.errors import BadInput, Damaged, NotThere
from storage.files import atomic
from storage.files.locks import locked
from storage.files.places import Place
from storage.served_model import SUFFIXES, ServedBy, serve_model, served_in, without_suffix
from tasks import models
from tasks.datasets.generate import DrawReport, make_way
from tasks.datasets.recipe import Recipe
from tasks.deep.learning.deep_training import same_deep_model
from tasks.scoring.compare import Pairs, compare, no_worse
from tasks.scoring.evaluate import MeasuredSplit

PROFILES, COUNTS = ("book", "letters"), (200_000, 65_536)
CANDIDATES = "candidates"  # under models/


@dataclass(frozen=True)
class Renewal:
    """The datasets to bring up to date, each with its recipe, and the file of the served model."""

    datasets: tuple[tuple[GenerateRequest, Recipe], ...]
    served: Path

    @property
    def folders(self) -> list[Path]:
        """Return the folders of the datasets."""
        return [new_dataset_folder(recipe.profile.name) for _, recipe in self.datasets]

    @property
    def candidate(self) -> Path:
        """Return the file of the new model until it is served."""
        return self.served.parent / CANDIDATES / self.served.name


@dataclass(frozen=True)
class RegenerateRequest:
    """The datasets to draw, and how to train on them.

    Parameters
    ----------
    profiles
        Built-in profiles or .toml files; by default book and letters. Models are measured on the first.
    count
        Pictures: one number, or one for each profile; by default 200,000 of book, 65,536 letters, 100,000 of others.
    seed
        Of the datasets.
    model
        The name of the model that is served; by default that of the first profile.
    rebuild
        Where a dataset of another recipe stands, move it to NAME-IDENTITY beside it and draw anew.
    pictures
        To learn from: see `captchas train`.
    shows
        Spans shown to the network: see `captchas train`.
    hidden
        Units of the hidden layer, or of each.
    model_seed
        Of the network.
    reader
        The kind of model: classic or deep; as for `captchas train`.
    minutes
        The deep reader's budget; by default 20.
    start
        A deep model to begin with, such as strangers.
    workers
        Local processes; by default one for each core.
    cluster
        Address of a Dask scheduler to use instead, such as tcp://host:8786.
    """

    profiles: list[Name] | None = None
    _: KW_ONLY
    count: list[SizeOfDataset] | None = None
    seed: Seed = 1
    model: Name | None = None
    rebuild: bool = False
    pictures: list[Count] | None = None
    shows: Count | None = None
    hidden: list[Units] | None = None
    model_seed: ModelSeed = 1
    reader: ReaderKind = ReaderKind.CLASSIC
    minutes: Minutes | None = None
    start: StartModel = None
    workers: Count | None = None
    cluster: Name | None = None


def check(request: RegenerateRequest) -> Renewal:
    """Make the recipes, and prove that the parameters agree and that the new model can replace the served model."""
    names = list(request.profiles or PROFILES)
    counts = list(request.count or (COUNTS if not request.profiles else (100_000,)))
    if len(counts) == 1:
        counts *= len(names)
    if len(counts) != len(names):
        raise BadInput(f"count: must be one number, or one for each of {len(names)} profiles; it is {counts}")
    asked = [GenerateRequest(name, count=count, seed=request.seed) for name, count in zip(names, counts, strict=True)]
    recipes = [check_recipe(dataset) for dataset in asked]
    name = without_suffix(request.model or recipes[0].profile.name)
    if Path(name).name != name:
        raise BadInput(f"model: must be a name under {home() / 'models'}; it is {request.model!r}")
    served = home() / "models" / f"{name}{SUFFIXES[request.reader is ReaderKind.DEEP]}"
    models.must_know_as_much(served, "".join(recipe.profile.alphabet for recipe in recipes))
    return Renewal(tuple(zip(asked, recipes, strict=True)), served)


@flow(flow_run_name=named("regenerate", "profiles", "model"))
@told
@command(RegenerateRequest, check)
def regenerate(request: RegenerateRequest, renewal: Renewal) -> RegenerateReport:
    """Bring datasets up to a specification, train on them, and serve the new model only if it is no worse.

    Draws the missing parts of each dataset, or all of it; trains; reads the test split of the first, which no
    model has seen, with the new and the served model, and compares them picture by picture. A new
    model that is worse, beyond a 95 % interval, is kept in models/candidates, and the report says so.
    """
    with crew(request.workers, request.cluster):
        drawn = _draw(renewal, request.rebuild)
        training = TrainRequest(
            [str(folder) for folder in renewal.folders], out=renewal.candidate, pictures=request.pictures,
            shows=request.shows, hidden=request.hidden, seed=request.model_seed, reader=request.reader,
            minutes=request.minutes, start=request.start,
        )  # fmt: skip
        choice = check_training(training)
        data = [Dataset(folder) for folder in renewal.folders]
        with locked(renewal.served):
            if _is_made(renewal.served, data, choice):
                models.drop(renewal.candidate, renewal.served)
                _serve(renewal.served)
                return _told(renewal, drawn, None, "the served model was made from these data and settings", False)
            with handed_on(training, choice):
                train(**vars(training))
            return _decide(renewal, drawn, data[0])


def _is_made(served: Path, data: list[Dataset], choice: TrainChoice) -> bool:
    """Tell whether the served model was made from these data and settings."""
    if choice.deep is not None:
        return same_deep_model(served, choice.deep.sources, choice.deep.settings)
    return models.same_model(served, models.provenance_of(data, choice.settings))


def _draw(renewal: Renewal, rebuild: bool) -> list[DrawReport]:
    """Draw the missing parts of each dataset; with `rebuild`, first move a dataset of another recipe aside."""
    drawn: list[DrawReport] = []
    for (asked, recipe), folder in zip(renewal.datasets, renewal.folders, strict=True):
        if rebuild:
            with locked(folder):
                aside = make_way(recipe, folder)
            if aside:
                get_run_logger().warning("%s was of another recipe: moved to %s", folder, aside)
        with handed_on(asked, recipe):
            drawn.append(as_drawn(generate(asked.profile, count=asked.count, seed=asked.seed)))
    return drawn


def _decide(renewal: Renewal, drawn: list[DrawReport], data: Dataset) -> RegenerateReport:
    """Measure both models on the same unseen pictures, and serve the new model if it is no worse."""
    reports = home() / "reports" / "regenerate" / renewal.served.stem
    new = measurement(str(renewal.candidate), str(data.folder))
    read_new = read_split(new.data, new.model, MeasuredSplit.TEST.value, new.words)
    publish_report(read_new, new, reports / "candidate", MeasuredSplit.TEST)
    try:
        served = measurement(str(renewal.served), str(data.folder))
    except NotThere:
        pairs, worse, why = None, False, "no model was served"
    except (BadInput, Damaged) as error:
        pairs, worse, why = None, False, f"the served model cannot read these pictures ({error})"
    else:
        read_served = read_split(served.data, served.model, MeasuredSplit.TEST.value, new.words)
        publish_report(read_served, served, reports / "served", MeasuredSplit.TEST)
        pairs = compare(read_new, read_served)
        worse = not no_worse(pairs)
        why = "worse than the served model" if worse else "no worse than the served model"
    if worse:
        get_run_logger().warning("The new model is worse than %s; it is kept as %s", renewal.served, renewal.candidate)
        return _told(renewal, drawn, pairs, why, False)
    aside = models.promote(renewal.candidate, renewal.served, atomic.new_run())
    _serve(renewal.served)
    return _told(renewal, drawn, pairs, why, True, aside)


def _serve(model: Path) -> None:
    """Have `solve` read with a promoted model, unless a person chose another with `captchas serve`."""
    there = served_in(model.parent)
    if there is None or there.by is ServedBy.PROMOTION:
        serve_model(model.parent, model, ServedBy.PROMOTION)


def _told(
    renewal: Renewal, drawn: list[DrawReport], pairs: Pairs | None, why: str, replaced: bool, aside: Place | None = None
) -> RegenerateReport:
    """Make the report, and show it in Prefect."""
    report: RegenerateReport = {
        "model": str(renewal.served),
        "replaced": replaced,
        "why": why,
        "solve_reads_with": str(served_model().model),
        "before": str(aside) if aside else None,
        "candidate": str(renewal.candidate) if renewal.candidate.exists() else None,
        "datasets": [
            {
                "dataset": dataset["dataset"], "count": dataset["count"], "drawn": dataset["drawn"],
                "kept": dataset["kept"], "content": dataset["content"],
            }
            for dataset in drawn
        ],
        "n": pairs.n if pairs else None,
        "pairs": pairs.as_dict() if pairs else None,
        "new_right": str(pairs.new) if pairs else None,
        "served_right": str(pairs.served) if pairs else None,
        "only_one_right_new_won": str(pairs.share) if pairs else None,
    }  # fmt: skip
    show_regenerated(report, renewal.served)
    report["shown"] = {"pairs": None}
    return report
