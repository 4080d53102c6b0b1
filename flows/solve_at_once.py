"""`captchas solve` for pictures that are named, or `-`: read at once, in this process, without Prefect and Dask."""

import functools
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout, suppress
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

from flows.explanations import explanation_file, write_explanation
from flows.parameters import require_single_output
from flows.reporting.answers import answers_for_people, told_again
from flows.reporting.lines import fit
from flows.reporting.show import show, writing
from flows.requests import refusing
from flows.service.starting import compile_kernels
from flows.shell.quiet import is_quiet, shows_progress
from flows.shell.saying import say
from flows.shell.solve_arguments import STANDARD_INPUT, Given, parsed
from flows.solve_request import PlannedReading, SolveRequest, dictionary_file, ledger, plan_of
from storage.errors import BadInput, NotThere
from storage.files import atomic
from storage.files.places import Place, is_url, place
from storage.files.stamps import stamp_of
from storage.files.targets import STANDARD_OUTPUT, is_stream, require_file
from storage.ledger.ledger import ABSTAINED, FAILED, SOLVED, LedgerEntry, PictureFile, ResultRow, digest_of
from tasks.loading.safe_read import GONE, MOST_BYTES, BadPicture, Unreadable, Unsettled, read_file, require_size
from tasks.solving.alike.in_common import InCommon
from tasks.solving.alike.unlike import Second, read_unlike, second_answers
from tasks.solving.batches import SolvePlan, failed, reader_of
from tasks.solving.choice import ReadAgain, SolveOutcome
from tasks.solving.claims import require_own
from tasks.solving.inbox import remember
from tasks.solving.isolated import answer_forked, do_forked
from tasks.solving.tables import choose_format, could_be_answers, told, write_answers

DESCRIPTORS = (Path("/dev/fd"), Path("/proc/self/fd"))  # where a shell has the output of `<(program)`
BATCH = 256  # pictures that are in memory at once
FOR_FOLDERS = ("move_to", "only_new", "keep", "follow_links", "settle", "workers", "cluster")
ReadFile = tuple[PictureFile, bytes | BadPicture]
_DEFAULTS = {field.name: field.default for field in fields(SolveRequest)}


class ReadAtOnce(NamedTuple):
    """The end of a command that read pictures at once: exit code 1 if there is one of which it read nothing."""

    exit_code: int


def solve_named(arguments: list[str]) -> ReadAtOnce | None:
    """Solve the pictures that a command line names, and print the answers.

    Parameters
    ----------
    arguments : list of str
        The command line without the program's name.

    Returns
    -------
    ReadAtOnce or None
        None, and nothing is done, if it is another command, names a folder or a URL, or cannot be understood.

    Raises
    ------
    BadInput, NotThere, Damaged
        Naming the parameter that is wrong.
    """
    given = parsed(arguments)
    if given is None or not _all_pictures(given):
        return None
    began = time.monotonic()
    compile_kernels()
    request = given.request
    require_single_output(request.out, given.json)
    with refusing():
        files = explanation_file(request.explain, given.pictures) if request.explain is not None else []
        planned = plan_of(request)
        reader_of(planned.plan)
        out = place(request.out) if request.out else None
        format = choose_format(request.format, out)
        if out:
            _require_free(out, given)
            atomic.make_folder(out.parent)
    explained: list[str] = []
    explain = functools.partial(write_explanation, planned.plan, given.pictures, files, explained) if files else None
    rows, entries = _answers(given.pictures, planned.plan, explain)
    again = _read_unlike(rows, entries, given.pictures, planned.plan)
    counts = Counter(row.answer.status for row in rows)
    if out:
        write_answers(out, format, rows, csv_safe=request.csv_safe)
    notes = remember(ledger(), planned.plan, entries)
    report = _report(planned, out, rows, dict(counts), time.monotonic() - began)
    if again:
        report["in_common"] = again._asdict()
    if notes:
        report["not_kept_in_the_ledger"] = notes
    report |= {"explained": explained} if files else {}
    with redirect_stdout(sys.stderr) if out == STANDARD_OUTPUT else nullcontext():
        if is_quiet() and not (given.json or out):
            _print_words(rows)
        show(report if given.json else _for_people(report, rows), as_json=given.json)
    unread = [row for row in rows if row.answer.status == FAILED]
    if is_quiet() and not given.json:
        for row in unread:
            say(f"{row.path}: {row.answer.reason}")
    return ReadAtOnce(1 if unread else 0)


def _print_words(rows: list[ResultRow]) -> None:
    """Print the bare word of one picture; of several a line each: path, tab, word."""
    with writing():
        for row in rows:
            word = fit(row.answer.word or "")
            if len(rows) > 1:
                sys.stdout.write(f"{fit(row.path)}\t{word}\n")
            elif word:
                sys.stdout.write(f"{word}\n")


def _all_pictures(given: Given) -> bool:
    """Return whether to read at once; False for a folder, for what is not there, and for a run with its own options.

    Raises
    ------
    BadInput, NotThere
        Several pictures are named, and one of them, or an option, does not go with that.
    """
    pictures, piped = given.pictures, given.pictures.count(STANDARD_INPUT)
    folders_only = [name for name in FOR_FOLDERS if getattr(given.request, name) != _DEFAULTS[name]]
    if len(pictures) == 1 and not piped:
        (path,) = pictures
        return not (folders_only or is_url(path) or os.path.isdir(path)) and os.path.exists(path)  # noqa: PTH110, PTH112 - they never raise
    if folders_only:
        raise BadInput(
            f"{folders_only[0].replace('_', '-')}: is for a folder or for one file; {len(pictures)} pictures or - are "
            "given: leave it out, or name their folder"
        )
    if piped > 1:
        raise BadInput("path: - is standard input, which has one picture; it is given twice")
    if piped and (sys.stdin is None or sys.stdin.closed):
        raise BadInput("path: - reads a picture from standard input, which is closed; pipe a file into it")
    if piped and sys.stdin.isatty():
        raise BadInput("path: - reads a picture from standard input, which is a terminal here; pipe a file into it")
    for path in pictures:
        if is_url(path):
            raise BadInput(f"path: several pictures must be files of this machine; {path} is a URL: solve it alone")
        if os.path.isdir(path):  # noqa: PTH112 - it never raises
            raise BadInput(f"path: must be one folder, or pictures; {path} is a folder among others: solve it alone")
        if not os.path.lexists(path):
            raise NotThere(f"{path}: no such file; give pictures that are there")
    return True


def _require_free(out: Place, given: Given) -> None:
    """Refuse a file of answers that would replace a picture, a folder's answers or what is kept here."""
    for path in given.pictures:
        require_own(out, ledger().parent, path.resolve())
    require_file(out, "out", stream=True, inputs=(*given.pictures, *dictionary_file(given.request)))
    if isinstance(out, Path) and not is_stream(out) and out.is_file() and not could_be_answers(out):
        raise BadInput(f"out: must be a new file, or a file of answers; {out} is neither: choose another name")


def _answers(
    pictures: tuple[Path, ...], plan: SolvePlan, explain: Callable[[int, bytes | BadPicture], None] | None = None
) -> tuple[list[ResultRow], list[LedgerEntry]]:
    """Read pictures in batches; return the rows of the results, and what a ledger may keep.

    A picture whose reading ended its process is not explained.
    """
    rows: list[ResultRow] = []
    entries: list[LedgerEntry] = []
    shown = len(pictures) > BATCH and shows_progress()
    with _bar(len(pictures)) if shown else nullcontext(lambda _: None) as advance:
        for batch in _batches(pictures):
            answers = answer_forked(plan, [content for _, content in batch], _content)
            for (picture, content), found in zip(batch, answers, strict=True):
                answer = failed(str(found)) if isinstance(found, Unreadable) else found
                if explain and answer.segments is not None:
                    explain(len(rows), content)
                rows.append(ResultRow(_shown(Path(picture.path)), answer))
                if Path(picture.path) != STANDARD_INPUT and not isinstance(found, Unsettled):
                    passing = isinstance(found, Unreadable)
                    entries.append(LedgerEntry(_kept(picture, content), answer, passing))
            advance(len(batch))
    return rows, entries


def _read_unlike(
    rows: list[ResultRow], entries: list[LedgerEntry], pictures: tuple[Path, ...], plan: SolvePlan
) -> ReadAgain | None:
    """Read the files whose texts are unlike most others once more; the rows get what is chosen, the ledger does not."""
    digests = {entry.picture.path: entry.picture.digest for entry in entries}

    def read_again(common: InCommon, numbers: list[int]) -> list[Second | None]:
        found: list[Second | None] = []
        unit = functools.partial(second_answers, common, plan, read=_content)
        for batch in _batches([pictures[number] for number in numbers], functools.partial(_reread, digests)):
            contents = [content for _, content in batch]
            found += [None if isinstance(each, Unreadable) else each for each in do_forked(unit, contents)]
        return found

    answers = [row.answer for row in rows]
    again = read_unlike(plan, answers, read_again)
    rows[:] = [row._replace(answer=answer) for row, answer in zip(rows, answers, strict=True)]
    return again


def _reread(digests: dict[str, bytes | None], path: Path) -> ReadFile:
    """Read a file as `_read` does if it is what was read before; what can be read once only is not read."""
    if path == STANDARD_INPUT or not path.is_file():
        return PictureFile(str(path), 0, 0, None), Unsettled("it cannot be read twice")
    picture, content = _read(path)
    now = _kept(picture, content)
    return picture, content if now.digest == digests.get(now.path) else Unsettled(GONE)


@contextmanager
def _bar(total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar; yields the function that advances it. No thread may draw it while a child is forked."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = TextColumn("solving"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=Console(stderr=True), auto_refresh=False) as bar:
        task = bar.add_task("", total=total)
        yield lambda count: bar.update(task, advance=count, refresh=True)


def _batches(pictures: Sequence[Path], read: Callable[[Path], ReadFile] | None = None) -> Iterator[list[ReadFile]]:
    """Yield the pictures with their contents, at most `BATCH` and hardly more than `MOST_BYTES` at a time."""
    batch: list[ReadFile] = []
    held = 0
    for path in pictures:
        picture, content = (read or _read)(path)
        batch.append((picture, content))
        held += len(content) if isinstance(content, bytes) else 0
        if len(batch) == BATCH or held > MOST_BYTES:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def _read(path: Path) -> ReadFile:
    """Return a file's stamp and content, or the reason why it has none."""
    size = mtime = 0
    try:
        if path == STANDARD_INPUT:
            data = sys.stdin.buffer.read(MOST_BYTES + 1)
            require_size(len(data))
        elif path.parent in DESCRIPTORS and path.is_fifo():
            with path.open("rb") as stream:
                data = stream.read(MOST_BYTES + 1)
            require_size(len(data))
        else:
            with suppress(OSError):  # `read_file` says what is wrong
                size, mtime = stamp_of(path.stat())
            data = read_file(path, (size, mtime) if size or mtime else None)
    except BadPicture as error:
        return PictureFile(str(path), size, mtime, None), error
    except OSError as error:
        return PictureFile(str(path), size, mtime, None), Unreadable(f"it cannot be read ({error.strerror})")
    return PictureFile(str(path), size, mtime, None), data


def _content(content: bytes | BadPicture) -> bytes:
    if isinstance(content, BadPicture):
        raise content
    return content


def _kept(picture: PictureFile, content: bytes | BadPicture) -> PictureFile:
    """Return a picture as a ledger keeps it: its path absolute, with the digest of its content."""
    path = Path(picture.path)
    digest = digest_of(content) if isinstance(content, bytes) else None
    return picture._replace(path=str(path.parent.resolve() / path.name), digest=digest)


def _shown(path: Path) -> str:
    return "-" if path == STANDARD_INPUT else str(path)


def _report(
    planned: PlannedReading, out: Place | None, rows: list[ResultRow], counts: dict[str, int], seconds: float
) -> dict[str, Any]:
    """Return the report as a folder's run has it."""
    outcome = SolveOutcome()
    for row in rows:
        outcome.answer(row.path, row.answer)
    return {
        **planned.report(),
        "other_settings": None,
        "answers": told(rows),
        "answers_file": str(out) if out else None,
        "folder": None,
        "total": len(rows),
        **{status: outcome.counts[status] for status in (SOLVED, ABSTAINED, FAILED)},
        "skipped": 0,
        "skipped_because": {},
        "read": sum(row.answer.segments is not None for row in rows),
        "moved": 0,
        "rows": counts,
        "seconds": round(seconds, 2),
        "pictures_per_second": round(len(rows) / seconds),
        "failures": outcome.failures,
        "left_for_the_next_run": [],
        "not_moved": [],
    }


def _for_people(report: dict[str, Any], rows: list[ResultRow]) -> dict[str, Any]:
    """Return the parts of a report that people look for."""
    names = ("answers_file", "explained", "not_kept_in_the_ledger")
    rest = {name: report[name] for name in names if report.get(name)}
    rest |= {"in_common": told_again(**report["in_common"])} if "in_common" in report else {}
    return {"reads_with": report["reads_with"]} | answers_for_people(rows) | rest
