"""Bring datasets up to a specification, train on them, and serve the new model only if it is no worse."""

from dataclasses import dataclass
from pathlib import Path

from prefect import flow, get_run_logger
from prefect.artifacts import create_markdown_artifact

from flows.evaluate import check as check_evaluation
from flows.evaluate import publish, read
from flows.generate import check as check_recipe
from flows.generate import generate
from flows.home import home, new_dataset_folder
from flows.parameters import Count, ModelSeed, Name, Seed
from flows.reporting.progress import artifact_key
from flows.reporting.runs import named, told
from flows.train import check as check_training
from flows.train import train
from flows.workers.cluster import crew
from storage.dataset import Dataset
from storage.errors import BadInput, Damaged, NotThere
from storage.files import atomic
from storage.files.locks import locked
from storage.files.places import Place
from storage.shards.shard import Split
from tasks import models
from tasks.datasets.generate import make_way
from tasks.datasets.recipe import Recipe
from tasks.scoring import compare as units

PROFILES, COUNTS = ("book", "letters"), (200_000, 65_536)
CANDIDATES = "candidates"  # under models/: `solve` takes the newest model beside it, never one from there


@dataclass(frozen=True)
class Wanted:
    """What the parameters ask for: a recipe and a number of pictures for each dataset, and the served model."""

    recipes: tuple[Recipe, ...]
    counts: tuple[int, ...]
    served: Path

    @property
    def folders(self) -> list[Path]:
        """Of the datasets."""
        return [new_dataset_folder(recipe.profile.name) for recipe in self.recipes]

    @property
    def candidate(self) -> Path:
        """Where the new model waits."""
        return self.served.parent / CANDIDATES / self.served.name


def check(
    profiles: list[str] | None = None,
    *,
    count: list[int] | None = None,
    seed: int = 1,
    model: str | None = None,
    workers: int | None = None,
    **_,
) -> Wanted:
    """What is wanted, or an error that names the wrong parameter."""
    names = list(profiles or PROFILES)
    counts = list(count or (COUNTS if not profiles else (100_000,)))
    if len(counts) == 1:
        counts *= len(names)
    if len(counts) != len(names):
        raise BadInput(f"count: must be one number, or one for each of {len(names)} profiles; it is {counts}")
    recipes = [
        check_recipe(name, count=number, seed=seed, workers=workers)
        for name, number in zip(names, counts, strict=True)
    ]  # fmt: skip
    name = (model or recipes[0].profile.name).removesuffix(".skops")
    if Path(name).name != name:
        raise BadInput(f"model: must be a name under {home() / 'models'}; it is {model!r}")
    served = home() / "models" / f"{name}.skops"
    models.must_know_as_much(served, "".join(recipe.profile.alphabet for recipe in recipes))
    return Wanted(tuple(recipes), tuple(counts), served)


@flow(flow_run_name=named("regenerate", "profiles", "model"))
@told
def regenerate(
    profiles: list[Name] | None = None,
    *,
    count: list[Count] | None = None,
    seed: Seed = 1,
    model: Name | None = None,
    rebuild: bool = False,
    pictures: list[Count] | None = None,
    shows: Count | None = None,
    hidden: list[Count] | None = None,
    model_seed: ModelSeed = 1,
    workers: Count | None = None,
    cluster: Name | None = None,
) -> dict:
    """Bring datasets up to a specification, train on them, and serve the new model only if it is no worse.

    Draws what is missing of each dataset, or all of it; trains; reads the test split of the first one, which no
    model has seen, with the new model and the one that is served, and compares them picture by picture. A new
    model that is worse, beyond a 95 % interval, is kept in models/candidates, and the report says so.

    Parameters
    ----------
    profiles
        Built-in profiles or .toml files; by default book and letters. The first one is the one to measure on.
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
    workers
        Local processes; by default one a core.
    cluster
        Address of a Dask scheduler to use instead, such as tcp://host:8786.
    """
    wanted = check(profiles, count=count, seed=seed, model=model, workers=workers)
    with crew(workers, cluster):
        drawn = _draw(wanted, profiles or PROFILES, seed, rebuild)
        names = list(map(str, wanted.folders))
        settings = check_training(names, pictures=pictures, shows=shows, hidden=hidden, seed=model_seed)[1]
        data = [Dataset(folder) for folder in wanted.folders]
        with locked(wanted.served):
            if models.same_model(wanted.served, models.provenance_of(data, settings)):
                models.drop(wanted.candidate, wanted.served)
                return _told(wanted, drawn, None, "the served model was made from these data and settings", False)
            train(
                names, out=wanted.candidate, pictures=pictures, shows=shows, hidden=hidden, seed=model_seed
            )  # fmt: skip
            return _decide(wanted, drawn, data[0])


def _draw(wanted: Wanted, profiles: list[str] | tuple[str, ...], seed: int, rebuild: bool) -> list[dict]:
    drawn = []
    for name, recipe, count, folder in zip(profiles, wanted.recipes, wanted.counts, wanted.folders, strict=True):
        if rebuild:
            with locked(folder):
                aside = make_way(recipe, folder)
            if aside:
                get_run_logger().warning("%s was of another recipe: moved to %s", folder, aside)
        drawn.append(generate(name, count=count, seed=seed))
    return drawn


def _decide(wanted: Wanted, drawn: list[dict], data: Dataset) -> dict:
    """Measure both models on the same unseen pictures, and serve the new one if it is no worse."""
    reports = home() / "reports" / "regenerate" / wanted.served.stem
    new, _, words = check_evaluation(str(wanted.candidate), str(data.folder))
    read_new = read(data, new, Split.TEST.value, words)
    publish(read_new, new, data, words, reports / "candidate", Split.TEST)
    try:
        served = check_evaluation(str(wanted.served), str(data.folder))[0]
    except NotThere:
        pairs, worse, why = None, False, "no model was served"
    except (BadInput, Damaged) as error:
        pairs, worse, why = None, False, f"the served model cannot read these pictures ({error})"
    else:
        read_served = read(data, served, Split.TEST.value, words)
        publish(read_served, served, data, words, reports / "served", Split.TEST)
        pairs = units.compare(read_new, read_served)
        worse = not units.no_worse(pairs)
        why = "worse than the served model" if worse else "no worse than the served model"
    if worse:
        get_run_logger().warning("The new model is worse than %s; it is kept as %s", wanted.served, wanted.candidate)
        return _told(wanted, drawn, pairs, why, False)
    aside = models.promote(wanted.candidate, wanted.served, atomic.new_run())
    return _told(wanted, drawn, pairs, why, True, aside)


def _told(
    wanted: Wanted, drawn: list[dict], pairs: units.Pairs | None, why: str, replaced: bool, aside: Place | None = None
) -> dict:
    """The report, and the same in Prefect."""
    report = {
        "model": str(wanted.served),
        "replaced": replaced,
        "why": why,
        "before": str(aside) if aside else None,
        "candidate": str(wanted.candidate) if wanted.candidate.exists() else None,
        "datasets": [{key: one[key] for key in ("dataset", "count", "drawn", "kept", "content")} for one in drawn],
        "n": pairs.n if pairs else None,
        "pairs": pairs.as_dict() if pairs else None,
        "new_right": str(pairs.new) if pairs else None,
        "served_right": str(pairs.served) if pairs else None,
        "only_one_right_new_won": str(pairs.share) if pairs else None,
    }
    lines = [f"# {wanted.served.stem}: {'replaced' if replaced else 'kept'}", "", f"{why[:1].upper()}{why[1:]}.", ""]
    if pairs:
        lines += [
            f"The same {pairs.n:,} pictures of the test split, with 95 % intervals:", "",
            "| | words right |", "|---|---|",
            f"| new model | {report['new_right']} |", f"| served until now | {report['served_right']} |",
            f"| where only one was right, the new one was | {report['only_one_right_new_won']} |", "",
        ]  # fmt: skip
    lines += [
        f"- {one['dataset']}: {one['count']:,} pictures, {one['drawn']:,} drawn now" for one in report["datasets"]
    ]
    lines += [f"- {name}: `{report[name]}`" for name in ("model", "before", "candidate") if report[name]]
    create_markdown_artifact("\n".join(lines), key=artifact_key("regenerate", wanted.served.stem))
    return report | {"shown": {"pairs": None}}
