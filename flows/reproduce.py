"""Run the book's procedure as printed, then mend one defect at a time: a table and a plot."""

from dataclasses import dataclass
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows.home import home
from flows.parameters import Count, File, FourLetterWords, Letters, ModelSeed, Name
from flows.reporting.artifacts import show_reproduced
from flows.reporting.progress import stage
from flows.reporting.reports import ReproduceReport
from flows.reporting.runs import RETRIES, named, told
from flows.requests import command
from flows.workers.cluster import crew
from flows.workers.fanout import fan_out
from storage.files.places import local
from storage.files.targets import require_folder
from tasks.profiles.fonts import find_face
from tasks.scoring.reproduce import TRAINING_LETTERS, StepJob, as_markdown, for_people, run_step_job, save_steps
from tasks.scoring.reproduce import jobs as jobs_of


@dataclass(frozen=True, kw_only=True)
class ReproduceRequest:
    """The face and the words to try the procedure on.

    Parameters
    ----------
    font
        A bundled face or the path of a .ttf or .otf file. The book uses Coval Black.
    seed
        The book's random state is 14.
    words
        Use only this many words, evenly spread over the list; by default all.
    letters
        How many letters the network learns from, and is scored on; the book has 1,000.
    out
        Folder of the table and plot; by default reports/reproduce under the home.
    workers
        Local processes; by default one for each core.
    cluster
        Address of a Dask scheduler to use instead, such as tcp://host:8786.
    """

    font: Name = "Inter Black"
    seed: ModelSeed = 14
    words: FourLetterWords | None = None
    letters: Letters = TRAINING_LETTERS
    out: File | None = None
    workers: Count | None = None
    cluster: Name | None = None


def check(request: ReproduceRequest) -> list[StepJob]:
    """Make the steps to run, or name the wrong parameter."""
    if request.out:
        require_folder(local(request.out, "out"), "out", members=("steps.png", "steps.md", "steps.json"))
    return jobs_of(find_face(request.font), request.seed, request.words, request.letters)


@flow(flow_run_name=named("reproduce", "font"))
@told
@command(ReproduceRequest, check)
def reproduce(request: ReproduceRequest, jobs: list[StepJob]) -> ReproduceReport:
    """Run the book's procedure as printed, then mend one defect at a time.

    Draws every four-letter word once with plain Pillow and scikit-image calls, cuts, reads and
    corrects it, first with the book's defects, then with one defect fewer in every step.
    """
    folder = local(request.out, "out") if request.out else home() / "reports" / "reproduce"
    face, seed = find_face(request.font), request.seed
    rows = run_steps(jobs, request.workers, request.cluster)
    report = save_steps(folder, rows, face, seed)
    show_reproduced(for_people(rows), as_markdown(rows), f"{face.name}, seed {seed}", folder / "steps.png")
    return {
        "font": face.name,
        "seed": seed,
        "n": report["n"],
        "letters": request.letters,
        "steps": for_people(rows),
        "plot": str(folder / "steps.png"),
        "table": str(folder / "steps.md"),
        "json_file": str(folder / "steps.json"),
    }


@task(cache_policy=NO_CACHE, task_run_name="steps", **RETRIES)
def run_steps(jobs: list[StepJob], workers: int | None, cluster: str | None) -> list[dict[str, Any]]:
    """Run each step as a job on Dask; all draw the same words."""
    with crew(workers, cluster) as client, stage("steps", len(jobs), "steps") as shown:
        rows = list(fan_out(client, run_step_job, jobs, on_done=lambda _: shown.advance(1)))
    return sorted(rows, key=lambda row: row["number"])
