"""Solve what is new in a folder of pictures: look, read in batches on Dask, remember, write the results."""

import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from dask.distributed import Client
from prefect import flow, runtime, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE

from flows.home import SHIPPED, home, model_file, pictures_at
from flows.parameters import Count, Name, Seconds, Share
from flows.reporting.progress import artifact_key, stage
from flows.reporting.runs import RETRIES, as_lines, named, picture, told
from flows.workers.cluster import crew
from flows.workers.fanout import fan_out
from storage.errors import BadInput
from storage.files import atomic
from storage.files.locks import inbox_locked
from storage.files.places import local, place
from storage.ledger.database import SIDES
from storage.ledger.ledger import LEDGER, Ledger
from tasks import models
from tasks.reading.ranking import Ranking
from tasks.solving import batches as units
from tasks.solving import results as writing
from tasks.solving.choice import SolveChoice
from tasks.solving.isolated import read_batch
from tasks.solving.run import OTHERS, Inbox
from tasks.solving.tables import AnswerFormat, choose_format


def check(
    path: Path,
    *,
    model: str | None = None,
    dictionary: str = "web2",
    ranking: Ranking = Ranking.PROBABILITY,
    out: Path | None = None,
    format: AnswerFormat | None = None,
    only_new: bool = False,
    again: bool = False,
    settle: float = 1.0,
    move_to: Path | None = None,
    follow_links: bool = False,
    abstain_below: float = 0.0,
    alphabet: str | None = None,
    length: str | None = None,
    **_,
) -> tuple[SolveChoice, writing.AnswersFile, units.SolvePlan]:
    """What to solve, what to write, and with which model and words, or an error that names what is wrong."""
    path = pictures_at(path)
    lengths = units.parse_length(length)
    if not 0 <= abstain_below <= 1:
        raise BadInput(f"abstain-below: must be from 0 to 1; it is {abstain_below}")
    path, out = place(path), place(out) if out else None
    chosen_format = choose_format(format, out)
    name = path.resolve().name if path.is_dir() else path.stem
    out = out or home() / "answers" / name / f"answers.{chosen_format.value}"
    if out.is_dir():
        raise BadInput(f"out: must be a file to write the answers to; {out} is a folder")
    ours = tuple(ledger().with_name(LEDGER + side) for side in SIDES)
    choice = SolveChoice(path, again or path.is_file(), settle, move_to, follow_links, (out, *ours))
    # An inbox that runs by a schedule is empty most of the time, and so is one whose files are moved.
    choice.require_possible(may_be_empty=bool(runtime.deployment.id or move_to))
    atomic.make_folder(out.parent)  # now, not after an hour's reading
    if move_to:
        atomic.make_folder(local(move_to, "move-to"))
    chosen = model_file(model) if model else newest_model()
    words = models.choose_words(dictionary, chosen, alphabet, lengths) if ranking is not Ranking.NONE else ()
    plan = units.plan(chosen, words, ranking if words else Ranking.NONE, abstain_below, alphabet, lengths)
    units.reader_of(plan)
    return choice, writing.AnswersFile(out, chosen_format, only_new), plan


@flow(flow_run_name=named("solve", "path"))
@told
def solve(
    path: Path,
    *,
    model: Name | None = None,
    dictionary: Name = "web2",
    ranking: Ranking = Ranking.PROBABILITY,
    out: Path | None = None,
    format: AnswerFormat | None = None,
    only_new: bool = False,
    again: bool = False,
    settle: Seconds = 1.0,
    move_to: Path | None = None,
    follow_links: bool = False,
    abstain_below: Share = 0.0,
    alphabet: Name | None = None,
    length: Name | None = None,
    workers: Count | None = None,
    cluster: Name | None = None,
) -> dict:
    """Read what is new in a folder of pictures, or one picture, and write the answers of all.

    PNG, JPEG, GIF, BMP, WebP and TIFF, of any colours and either polarity, in nested folders. A file
    that cannot be read costs one row with the reason. The file names are not looked at. What was answered
    is remembered under the home: the next run reads only what is new, what has changed, and what
    failed for a reason that may pass.

    Parameters
    ----------
    path
        A folder, or one picture; a name under the home, such as inbox; or a URL of an object store.
    model
        A model's name under the home, or its file; by default the newest one there, or the one that is shipped.
    dictionary
        web2 (the book's four-letter words), the path of a word list, or none for random strings.
    ranking
        How a word is chosen: by letter probabilities, the book's equal positions, Levenshtein, or none.
    out
        The file of answers, or its URL; by default answers/FOLDER/answers.csv under the home.
    format
        CSV, JSON lines or Parquet; by default what the name of --out ends with, else CSV.
    only_new
        Write only what was answered since the last run that wrote its answers; by default all.
    again
        Also read what another model, or the same with other settings, has answered. For one picture always so.
    settle
        Seconds between two looks at a file: one that changes meanwhile is still being written, and left.
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
        Local processes; by default one a core.
    cluster
        Address of a Dask scheduler to use instead, such as tcp://host:8786.
    """
    choice, wanted, plan = check(
        path, model=model, dictionary=dictionary, ranking=ranking, out=out, format=format, only_new=only_new,
        again=again, settle=settle, move_to=move_to, follow_links=follow_links, abstain_below=abstain_below,
        alphabet=alphabet, length=length,
    )  # fmt: skip
    with inbox_locked(ledger().parent, choice.folder), Ledger(ledger(), durable=move_to is not None) as remembered:
        inbox = Inbox(choice, plan, remembered)
        seconds = read(inbox, workers, cluster)
        written = write(inbox, wanted)
        sheet = writing.sheet_of(inbox)
    outcome, mover = inbox.outcome, inbox.mover
    report = {
        "answers": str(wanted.out),
        "folder": str(choice.folder),
        "model": plan.model,
        "dictionary_words": plan.words.count("\n") + bool(plan.words),
        "total": outcome.total,
        **{status: outcome.counts[status] for status in (units.SOLVED, units.ABSTAINED, units.FAILED)},
        "skipped": outcome.skipped.total(),
        "skipped_because": dict(outcome.skipped),
        "read": outcome.read,
        "moved": mover.moved,
        "rows": dict(written),
        "seconds": round(seconds, 2),
        "pictures_per_second": round(outcome.read / seconds) if outcome.read else 0,
        "failures": outcome.failures,
        "left_for_the_next_run": outcome.left,
        "not_moved": mover.unmoved,
    }
    if outcome.skipped[OTHERS]:
        report["hint"] = "with --again, what another model or other settings answered is read again"
    rows = [{"what": key, "value": str(value)} for key, value in report.items() if not isinstance(value, list)]
    key = artifact_key("solve", choice.folder.name)
    create_table_artifact(rows, key=key, description=str(wanted.out))
    lines = [f"# {choice.folder.name}: {outcome.counts[units.SOLVED]:,} solved", "", *as_lines(report, "failures")]
    lines += [f"- `{one['path']}`: {one['reason']}" for one in outcome.failures]
    if sheet:
        lines += ["", picture(sheet, "The first pictures that were answered")]
    create_markdown_artifact("\n".join(lines), key=f"{key}-report", description=str(wanted.out))
    return report


@task(cache_policy=NO_CACHE, task_run_name="read", **RETRIES)
def read(inbox: Inbox, workers: int | None, cluster: str | None) -> float:
    """Read all that is new on Dask, and remember each batch when it comes.

    Returns the seconds that it took, once the workers were there; where nothing is new, none are started. The files
    are counted first, for the bar: that takes a millionth of a second each.
    """
    began = time.monotonic()
    if not inbox.anything():
        return time.monotonic() - began
    with crew(workers, cluster, reads=[inbox.choice.folder]) as client, stage("solving", inbox.choice.count()) as shown:
        began = time.monotonic()
        inbox.progress = lambda done: shown.advance(done - shown.done)
        with closing(fan_out(client, units.look, inbox.looks(), tries=10)) as looked:
            answer(client, inbox, inbox.jobs(looked))
        while inbox.waiting:
            answer(client, inbox, inbox.repeats())
        return time.monotonic() - began


def answer(client: Client, inbox: Inbox, jobs: Iterable[units.SolveJob]) -> None:
    """Read batches on Dask; a batch that costs a worker is read apart, on another one."""
    with closing(fan_out(client, read_batch, jobs, tries=1, on_lost=inbox.lost)) as receipts:
        for receipt in receipts:
            inbox.record(receipt)


@task(cache_policy=NO_CACHE, task_run_name="write")
def write(inbox: Inbox, wanted: writing.AnswersFile) -> dict[str, int]:
    """Write the answers, and count them by status."""
    return writing.write_results(inbox, wanted)


def ledger() -> Path:
    """The file that remembers all inboxes of this home."""
    return home() / "answers" / LEDGER


def newest_model() -> Path:
    """The model under the home that was trained last, or the one that is shipped."""
    models = sorted((home() / "models").glob("*.skops"), key=lambda path: path.stat().st_mtime)
    return models[-1] if models else SHIPPED
