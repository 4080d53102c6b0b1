"""Solve the new pictures in a folder: look, read in batches on Dask, remember, write the results."""

import time
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from typing import NamedTuple

from prefect import flow, runtime, task
from prefect.cache_policies import NO_CACHE

from flows.home import SHIPPED, home, model_file, pictures_at
from flows.parameters import Count, Name, Seconds, Share
from flows.reporting.artifacts import show_solved
from flows.reporting.progress import stage
from flows.reporting.runs import RETRIES, named, told
from flows.requests import command
from flows.workers.cluster import crew
from flows.workers.fanout import fan_out
from storage.errors import BadInput
from storage.files import atomic
from storage.files.locks import inbox_locked
from storage.files.places import Place, local, place
from storage.files.targets import is_stream, require_file, require_folder
from storage.ledger.database import SIDES
from storage.ledger.ledger import ABSTAINED, FAILED, LEDGER, SOLVED, Ledger
from tasks.models import choose_words
from tasks.reading.ranking import Ranking
from tasks.solving.batches import SolvePlan, look, make_plan, parse_length, reader_of
from tasks.solving.choice import SolveChoice
from tasks.solving.claims import claim_answers, require_own
from tasks.solving.inbox import Inbox
from tasks.solving.isolated import read_batch
from tasks.solving.results import AnswersFile, sheet_of, write_results
from tasks.solving.run import next_attempt
from tasks.solving.survey import OTHERS
from tasks.solving.tables import AnswerFormat, choose_format, could_be_answers

LOOK_TRIES = 10  # of a look job whose workers die: a look decodes no picture, so the job is hardly to blame


@dataclass(frozen=True)
class SolveRequest:
    """The pictures to solve, how, and where the answers go.

    Parameters
    ----------
    path
        A folder, or one picture; a name under the home, such as inbox; or a URL of an object store.
    model
        A model's name under the home, or its file; by default the newest model there, or else the shipped model.
    dictionary
        web2 (the book's four-letter words), the path of a word list, or none for random strings.
    ranking
        How a word is chosen: by letter probabilities, the book's equal positions, Levenshtein, or none.
    out
        The file of answers, its URL, a FIFO, or - for standard output; by default answers/FOLDER/answers.csv under
        the home.
    format
        CSV, JSON lines or Parquet; by default by the ending of --out, else CSV.
    only_new
        Write only answers since the last run that wrote its answers; by default all.
    again
        Also read what another model, or the same with other settings, has answered. For one picture always so.
    settle
        Seconds between two looks at a file; a file that changes meanwhile is still being written and is left.
    move_to
        Move solved files to this folder, under the same names; a name that is taken there gets a number.
    follow_links
        Read what symbolic links point to as well.
    abstain_below
        Leave a word unanswered if its confidence is below this, from 0 to 1.
    alphabet
        The characters that may occur, such as 0123456789; by default all that the model knows.
    length
        How many letters there are, such as 4 or 4-6; by default as many as the dictionary's words have.
    workers
        Local processes; by default one for each core.
    cluster
        Address of a Dask scheduler to use instead, such as tcp://host:8786.
    """

    path: Path
    _: KW_ONLY
    model: Name | None = None
    dictionary: Name = "web2"
    ranking: Ranking = Ranking.PROBABILITY
    out: Path | None = None
    format: AnswerFormat | None = None
    only_new: bool = False
    again: bool = False
    settle: Seconds = 1.0
    move_to: Path | None = None
    follow_links: bool = False
    abstain_below: Share = 0.0
    alphabet: Name | None = None
    length: Name | None = None
    workers: Count | None = None
    cluster: Name | None = None


class Checked(NamedTuple):
    """The pictures to solve, the file to write, and the model with its settings."""

    choice: SolveChoice
    answers: AnswersFile
    plan: SolvePlan


def check(request: SolveRequest) -> Checked:
    """Return the choice, file and plan of a request.

    Raises
    ------
    BadInput, NotThere, Damaged
        Naming the parameter that is wrong.
    """
    length = parse_length(request.length)
    if not 0 <= request.abstain_below <= 1:
        raise BadInput(f"abstain-below: must be from 0 to 1; it is {request.abstain_below}")
    path = place(pictures_at(request.path))
    out = place(request.out) if request.out else None
    skip = (*([out] if out else []), *(ledger().with_name(LEDGER + side) for side in SIDES))
    again = request.again or path.is_file()
    choice = SolveChoice(path, again, request.settle, request.move_to, request.follow_links, skip)
    # The inbox of a scheduled run is empty most of the time, and so is an inbox whose files are moved.
    choice.require_possible(may_be_empty=bool(runtime.deployment.id or request.move_to))
    format = choose_format(request.format, out)
    if out:
        _require_free(out, request, choice)
        atomic.make_folder(out.parent)  # now, not after an hour's reading
    if request.move_to:
        require_folder(local(request.move_to, "move-to"), "move-to")
        atomic.make_folder(local(request.move_to, "move-to"))
    model = model_file(request.model) if request.model else newest_model()
    words: tuple[str, ...] = ()
    if request.ranking is not Ranking.NONE:
        words = choose_words(request.dictionary, model, request.alphabet, length)
    ranking = request.ranking if words else Ranking.NONE
    plan = make_plan(model, words, ranking, request.abstain_below, request.alphabet, length)
    reader_of(plan)
    if out:
        return Checked(choice, AnswersFile(out, format, request.only_new), plan)
    claim = claim_answers(ledger().parent, path.resolve())  # last, since it is for good
    answers = AnswersFile(claim.folder / f"answers.{format.value}", format, request.only_new, claim.why)
    require_file(answers.out, "answers", stream=True)
    choice = replace(choice, skip=(answers.out, *skip))
    return Checked(choice, answers, plan)


def _require_free(out: Place, request: SolveRequest, choice: SolveChoice) -> None:
    """Refuse a file of answers that would replace what is read, or what is kept here."""
    require_own(out, ledger().parent, choice.path.resolve())
    require_file(out, "out", stream=True, inputs=(choice.path, place(request.dictionary)))
    if isinstance(out, Path) and not is_stream(out) and out.is_file():
        folder = choice.folder
        if isinstance(folder, Path) and out.resolve().is_relative_to(folder) and not could_be_answers(out):
            raise BadInput(f"out: must not be a file that is read; {out} is in {folder}: choose another name")


def needs_workers(_request: SolveRequest, _checked: Checked) -> bool:
    """Return whether nothing was solved in this home yet."""
    return not ledger().exists()


@flow(flow_run_name=named("solve", "path"))
@told
@command(SolveRequest, check, needs_workers)
def solve(request: SolveRequest, checked: Checked) -> dict:
    """Read the new pictures in a folder, or one picture, and write the answers to all.

    PNG, JPEG, GIF, BMP, WebP and TIFF, of any colours and either polarity, in nested folders. A file
    that cannot be read gets a row with the reason. The names of files do not matter. Answers are remembered
    under the home: the next run reads only files that are new, have changed, or failed for a reason that may pass.
    """
    choice, answers, plan = checked
    durable = request.move_to is not None
    with inbox_locked(ledger().parent, choice.folder), Ledger(ledger(), durable=durable) as remembered:
        inbox = Inbox(choice, plan, remembered)
        seconds = read(inbox, request.workers, request.cluster)
        rows = write(inbox, answers)
        sheet = sheet_of(inbox)
    report = _report(inbox, answers, rows, seconds)
    show_solved(report, sheet, choice.folder, answers.out)
    return report


def _report(inbox: Inbox, answers: AnswersFile, rows: dict[str, int], seconds: float) -> dict:
    outcome, plan = inbox.outcome, inbox.plan
    report = {
        "answers": str(answers.out),
        "folder": str(inbox.choice.folder),
        "model": plan.model,
        "dictionary_words": plan.words.count("\n") + bool(plan.words),
        "total": outcome.total,
        **{status: outcome.counts[status] for status in (SOLVED, ABSTAINED, FAILED)},
        "skipped": outcome.skipped.total(),
        "skipped_because": dict(outcome.skipped),
        "read": outcome.read,
        "moved": inbox.mover.moved,
        "rows": dict(rows),
        "seconds": round(seconds, 2),
        "pictures_per_second": round(outcome.read / seconds) if outcome.read else 0,
        "failures": outcome.failures,
        "left_for_the_next_run": outcome.left,
        "not_moved": inbox.mover.unmoved,
    }
    if answers.why:
        report["answers_note"] = answers.why
    if outcome.skipped[OTHERS]:
        report["hint"] = "with --again, what another model or other settings answered is read again"
    return report


@task(cache_policy=NO_CACHE, task_run_name="read", **RETRIES)
def read(inbox: Inbox, workers: int | None, cluster: str | None) -> float:
    """Read all that is new on Dask, and write each batch's answers to the ledger as it comes.

    Returns the seconds that it took once the workers were there. If nothing is new, no workers are started. The files
    are counted first, for the bar: that takes a millionth of a second each.
    """
    began = time.monotonic()
    attempt = next_attempt(inbox)
    if attempt is None:
        return time.monotonic() - began
    with crew(workers, cluster, reads=[inbox.choice.folder]) as client, stage("solving", inbox.choice.count()) as shown:
        began = time.monotonic()
        attempt.solve(
            look_all=lambda jobs: fan_out(client, look, jobs, tries=LOOK_TRIES),
            read_all=lambda jobs, on_lost: fan_out(client, read_batch, jobs, tries=1, on_lost=on_lost),
            progress=lambda done: shown.advance(done - shown.done),
        )
        return time.monotonic() - began


@task(cache_policy=NO_CACHE, task_run_name="write")
def write(inbox: Inbox, answers: AnswersFile) -> dict[str, int]:
    """Write the answers, and count them by status."""
    return write_results(inbox, answers)


def ledger() -> Path:
    """Return the file that remembers all inboxes of this home."""
    return home() / "answers" / LEDGER


def newest_model() -> Path:
    """Return the model under the home that was trained last, or else the shipped model."""
    models = (path for path in (home() / "models").glob("*.skops") if path.is_file())  # a link may lead nowhere
    found = sorted(models, key=lambda path: path.stat().st_mtime)
    return found[-1] if found else SHIPPED
