"""Solve the new pictures in a folder: look, read in batches on Dask, remember, write the results."""

import time
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from prefect import flow, runtime, task
from prefect.cache_policies import NO_CACHE

from flows.home import pictures_at
from flows.reporting.answers import answers_for_people, told_again
from flows.reporting.artifacts import show_solved
from flows.reporting.progress import stage
from flows.reporting.reports import ReadOnceMore, SolveReport
from flows.reporting.runs import RETRIES, named, told
from flows.requests import command
from flows.solve_request import (
    TOLD,
    PlannedReading,
    SolveRequest,
    dictionary_file,
    ledger,
    plan_of,
    require_settings,
)
from flows.workers.cluster import crew
from flows.workers.fanout import fan_out
from storage.errors import BadInput
from storage.files import atomic
from storage.files.locks import inbox_locked
from storage.files.places import Place, local, place
from storage.files.targets import is_stream, require_file, require_folder
from storage.ledger.database import SIDES
from storage.ledger.ledger import ABSTAINED, FAILED, LEDGER, SOLVED, Ledger
from tasks.solving.alike.unlike import find_unlike, hold_unlike, left_unlike, read_second
from tasks.solving.batches import look, reader_of
from tasks.solving.choice import EarlyLook, ReadAgain, SolveChoice, SolveOutcome
from tasks.solving.claims import claim_answers, require_own
from tasks.solving.inbox import Inbox
from tasks.solving.isolated import read_batch
from tasks.solving.results import AnswersFile, Written, answers_sheet, write_results
from tasks.solving.run import next_attempt
from tasks.solving.survey import NO_PICTURE, OTHERS
from tasks.solving.tables import choose_format, could_be_answers

LOOK_TRIES = 10  # of a look job whose workers die: a look decodes no picture, so the job is hardly to blame


class Checked(NamedTuple):
    """The pictures to solve and a look at them, the file to write, and the model with its settings."""

    choice: SolveChoice
    answers: AnswersFile
    planned: PlannedReading
    early: EarlyLook | None


def check(request: SolveRequest) -> Checked:
    """Return the choice, file and plan of a request.

    Raises
    ------
    BadInput, NotThere, Damaged
        Naming the parameter that is wrong.
    """
    require_settings(request)
    if request.explain is not None:
        raise BadInput(
            f"explain: is for named pictures that are read at once, not for {request.path} and these options: name "
            "pictures, and leave out the options that are for folders"
        )
    path = place(pictures_at(request.path))
    out = place(request.out) if request.out else None
    skip = (*([out] if out else []), *(ledger().with_name(LEDGER + side) for side in SIDES))
    choice = SolveChoice(path, not request.keep, request.settle, request.move_to, request.follow_links, skip)
    # The inbox of a scheduled run is empty most of the time, and so is an inbox whose files are moved.
    choice.require_possible(may_be_empty=bool(runtime.deployment.id or request.move_to))
    format = choose_format(request.format, out)
    if out:
        _require_free(out, request, choice)
        atomic.make_folder(out.parent)  # now, not after an hour's reading
    if request.move_to:
        require_folder(local(request.move_to, "move-to"), "move-to")
        atomic.make_folder(local(request.move_to, "move-to"))
    early = choice.look_early()  # the wait for the second look begins while servers and workers start
    planned = plan_of(request)
    reader_of(planned.plan)
    if out:
        return Checked(choice, AnswersFile(out, format, request.only_new, request.csv_safe), planned, early)
    claim = claim_answers(ledger().parent, path.resolve())  # last, since it is for good
    out = claim.folder / f"answers.{format.value}"
    answers = AnswersFile(out, format, request.only_new, request.csv_safe, claim.why)
    require_file(out, "answers", stream=True)
    choice = replace(choice, skip=(out, *skip))
    return Checked(choice, answers, planned, early)


def _require_free(out: Place, request: SolveRequest, choice: SolveChoice) -> None:
    """Refuse a file of answers that would replace a picture that is read, or a file of the home's answers."""
    require_own(out, ledger().parent, choice.path.resolve())
    require_file(out, "out", stream=True, inputs=(choice.path, *dictionary_file(request)))
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
def solve(request: SolveRequest, checked: Checked) -> SolveReport:
    """Read the new pictures in a folder, or one picture, and write the answers to all.

    PNG, JPEG, GIF, BMP, WebP and TIFF, of any colours and either polarity, in nested folders. A file
    that cannot be read gets a row with the reason. The names of files do not matter. Answers are remembered
    under the home: the next run reads only files that are new, have changed, or failed for a reason that may pass.
    """
    choice, answers, planned, early = checked
    durable = request.move_to is not None
    with inbox_locked(ledger().parent, choice.folder), Ledger(ledger(), durable=durable) as remembered:
        inbox = Inbox(choice, planned.plan, remembered, early)
        seconds, again = read(inbox, request.workers, request.cluster)
        written = write(inbox, answers)
        sheet = answers_sheet(inbox)
    report = _report(inbox, planned, answers, written, seconds)
    if again:
        report["in_common"] = ReadOnceMore(told=again.told, pictures=again.pictures, changed=again.changed)
        report["shown"] |= {"in_common": told_again(*again)}
    show_solved(report, sheet, choice.folder, answers.out)
    return report


def _report(
    inbox: Inbox, planned: PlannedReading, answers: AnswersFile, written: Written, seconds: float
) -> SolveReport:
    outcome, reads = inbox.outcome, planned.report()
    report: SolveReport = {
        "reads_with": reads["reads_with"],
        "model": reads["model"],
        "classic_model": reads["classic_model"],
        "reader": reads["reader"],
        "alphabet": reads["alphabet"],
        "length": reads["length"],
        "dictionary": reads["dictionary"],
        "dictionary_words": reads["dictionary_words"],
        "other_settings": _of_others(outcome),
        "answers": written.told,
        "answers_file": str(answers.out),
        "folder": str(inbox.choice.folder),
        "total": outcome.total,
        "solved": outcome.counts[SOLVED],
        "abstained": outcome.counts[ABSTAINED],
        "failed": outcome.counts[FAILED],
        "skipped": outcome.skipped.total(),
        "skipped_because": dict(outcome.skipped),
        "read": outcome.read,
        "moved": inbox.mover.moved,
        "rows": written.counts,
        "seconds": round(seconds, 2),
        "pictures_per_second": round(outcome.read / seconds) if outcome.read else 0,
        "failures": outcome.failures,
        "left_for_the_next_run": outcome.left,
        "not_moved": inbox.mover.unmoved,
    }
    one = answers_for_people(written.first) if inbox.choice.only else {}  # people open the file of a folder's answers
    report["shown"] = dict.fromkeys((*TOLD, "answers")) | {"read": _told_read(outcome)} | one
    if answers.why:
        report["answers_note"] = answers.why
    return report


def _told_read(outcome: SolveOutcome) -> str:
    """Tell how many pictures this run read: fewer than have an answer, where answers were there already."""
    if outcome.read == outcome.total - outcome.skipped[NO_PICTURE]:
        return f"{outcome.read:,}"
    return f"{outcome.read:,} in this run; answers of earlier runs, and of pictures with the same content, are kept"


def _of_others(outcome: SolveOutcome) -> str | None:
    """Tell what became of the answers of other settings."""
    if kept := outcome.skipped[OTHERS]:
        return f"{kept:,} answers of another model or other settings stay, by --keep; without it they are read again"
    if outcome.others:
        return (
            f"{outcome.others:,} pictures with answers of another model or other settings were answered again; --keep "
            "leaves such answers"
        )
    return None


@task(cache_policy=NO_CACHE, task_run_name="read", **RETRIES)
def read(inbox: Inbox, workers: int | None, cluster: str | None) -> tuple[float, ReadAgain | None]:
    """Read all that is new on Dask, and write each batch's answers to the ledger as it comes.

    Then read the pictures whose texts are unlike most others of the folder once more. Returns the seconds that it took
    once the workers were there, and what the second reading came to. If nothing is new, no workers are started. The
    files are counted first, for the bar: that takes a millionth of a second each.
    """
    began = time.monotonic()
    attempt = next_attempt(inbox)
    unlike = None if attempt else left_unlike(inbox)
    if attempt is None and unlike is None:
        return time.monotonic() - began, inbox.again
    with crew(workers, cluster, reads=[inbox.choice.folder]) as client:
        began = time.monotonic()
        if attempt is not None:
            hold_unlike(inbox)
            with stage("solving", inbox.choice.count()) as shown:
                attempt.solve(
                    look_all=lambda jobs: fan_out(client, look, jobs, tries=LOOK_TRIES),
                    read_all=lambda jobs, on_lost: fan_out(client, read_batch, jobs, tries=1, on_lost=on_lost),
                    progress=lambda done: shown.advance(done - shown.done),
                )
            unlike = find_unlike(inbox)
        if unlike is not None:
            with stage("reading again", unlike.count) as again:
                unlike.solve(lambda jobs, on_lost: fan_out(client, read_second, jobs, on_lost=on_lost), again.advance)
        inbox.move_held()
        return time.monotonic() - began, inbox.again


@task(cache_policy=NO_CACHE, task_run_name="write")
def write(inbox: Inbox, answers: AnswersFile) -> Written:
    """Write the answers, and count them by status."""
    return write_results(inbox, answers)
