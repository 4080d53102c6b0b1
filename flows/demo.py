"""Do the whole job on a small scale: draw, train, evaluate, write new CAPTCHAs, solve them."""

import json
import time
from dataclasses import dataclass
from pathlib import Path

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows.evaluate import evaluate, of_one_dataset
from flows.generate import as_drawn, generate
from flows.home import dataset_folder, home, model_file
from flows.parameters import Count, Name
from flows.reporting.artifacts import show_demo
from flows.reporting.reports import DemoReport, SolveReport
from flows.reporting.runs import named, told
from flows.requests import command
from flows.solve import solve
from flows.train import train
from flows.workers.cluster import crew
from storage.errors import readable_size
from storage.files import atomic
from storage.models import model_digest
from tasks.datasets.describe import describe_dataset
from tasks.datasets.generate import DrawReport
from tasks.datasets.recipe import make_recipe
from tasks.datasets.samples import SampleJob, share_right, write_samples
from tasks.profiles.built_in import find_profile
from tasks.rates import Rate

LETTERS, WORDS, SAMPLES = 65_536, 131_072, 1_000
# Pictures of each dataset to learn from, and spans to show: fewer than by default, to save time.
PICTURES, SHOWS = (8_000, 4_000), 600_000
SAMPLE_SEED = 2  # not the seed of the datasets, so that the model has not seen these pictures


@dataclass(frozen=True, kw_only=True)
class DemoRequest:
    """The workers of the demo.

    Parameters
    ----------
    workers
        Local processes; by default one for each core.
    cluster
        Address of a Dask scheduler to use instead, such as tcp://host:8786.
    """

    workers: Count | None = None
    cluster: Name | None = None


def check(request: DemoRequest) -> None:
    """Accept the request: `command` has checked the number of workers, and there is nothing else."""


@flow(flow_run_name=named("demo"))
@told
@command(DemoRequest, check)
def demo(request: DemoRequest, _checked: None) -> DemoReport:
    """Draw, train, evaluate and solve on a small scale.

    Finished parts are kept: if it is run again, also after a kill, only the rest is done.
    """
    began = time.monotonic()
    with crew(request.workers, request.cluster):
        drawn = [as_drawn(generate("letters", count=LETTERS)), as_drawn(generate("book", count=WORDS))]
        sheets = [save_sheet(name) for name in ("letters", "book")]
        model = train(["book", "letters"], pictures=list(PICTURES), shows=SHOWS)
        scores = of_one_dataset(evaluate("book", "book"))
        folder = home() / "samples" / "demo"
        write_captchas(folder)
        answers = solve_once(folder)
    solved = answers.get("rows", answers).get("solved", 0)  # an earlier version's report has no rows
    file = Path(answers.get("answers_file") or str(answers["answers"]))  # which an earlier version's report has
    right = Rate(*share_right(file))
    report: DemoReport = {
        "letters": _drawn(drawn[0]),
        "book": _drawn(drawn[1]),
        "model": f"{model['model']}: {model['letters']:,} letters, {model['shows']:,} shown, {model['seconds']} s",
        "unseen_words": [{"ranking": row["ranking"], "words right": row["words_right"]} for row in scores["words"]],
        "letters_cut_from_words": f"macro F1 {scores['letters_macro_f1']:.4f}; {scores['letters_right']}",
        "words_cut_into_the_right_number": scores["cut_right"],
        "calibration_error": [f"{row['ranking']}: {row['error']}" for row in scores["calibration_error"]],
        "solved": f"{solved:,} of {answers['total']:,} files, {answers['pictures_per_second']:,}/s",
        "new_captchas": str(folder),
        "solved_right": str(right),
        "answers": str(file),
        "seconds": round(time.monotonic() - began, 1),
        "look_at": [*sheets, *scores["pictures_to_look_at"]],
    }
    show_demo(report)
    return report


def _drawn(report: DrawReport) -> str:
    rate = f", {report['pictures_per_second']:,} pictures/s" if report["pictures_per_second"] else ""
    return f"{report['count']:,} pictures ({report['drawn']:,} drawn{rate}), {readable_size(report['bytes'])}"


@task(cache_policy=NO_CACHE, task_run_name="contact sheet of {name}")
def save_sheet(name: str) -> str:
    """Save a contact sheet of a dataset; return its path."""
    sheet = home() / "reports" / "inspect" / f"{name}.png"
    describe_dataset(dataset_folder(name), sheet)
    return str(sheet)


@task(cache_policy=NO_CACHE, task_run_name="new CAPTCHAs")
def write_captchas(folder: Path) -> int:
    """Write new CAPTCHAs as PNG files; return their number."""
    recipe = make_recipe(find_profile("book"), SAMPLE_SEED)
    return write_samples(SampleJob(recipe, str(folder), SAMPLES, atomic.new_run()))


class DemoAnswers(SolveReport):
    """A report of `solve`, and the model and the number of files that it is of."""

    model_sha256: str
    files: int


def solve_once(folder: Path) -> DemoAnswers:
    """Solve the folder, or return the report kept beside the answers if this model has solved it before."""
    out = home() / "answers" / "demo" / "answers.csv"
    beside = out.with_name("report.json")
    model, files = model_digest(model_file("book")), len(list(folder.glob("*.png")))
    if out.exists() and beside.exists():
        report: DemoAnswers = json.loads(beside.read_bytes())
        if (report.get("model_sha256"), report.get("files")) == (model, files):
            return report
    solved = solve(folder, model="book", out=out, again=True, settle=0)
    report = {**solved, "model_sha256": model, "files": files}
    atomic.replace(beside, json.dumps(report, indent=1).encode())
    return report
