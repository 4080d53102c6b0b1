"""`captchas solve` for pictures that are named, or `-`: read at once, in this process, without Prefect and Dask."""

import functools
import inspect
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import nullcontext, redirect_stdout, suppress
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from cyclopts import App, CycloptsError, Parameter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from flows.explanations import explanation_file, write_explanation
from flows.home import HOME, pictures_at
from flows.parameters import command_at, require_single_output, spelled
from flows.reporting.answers import answers_for_people
from flows.reporting.show import show
from flows.requests import refusing
from flows.service.starting import compile_kernels
from flows.shell.quiet import shows_progress
from flows.solve_request import PlannedReading, SolveRequest, dictionary_file, ledger, plan_of
from storage.errors import BadInput, NotThere
from storage.files import atomic
from storage.files.places import Place, is_url, place
from storage.files.stamps import stamp_of
from storage.files.targets import STANDARD_OUTPUT, is_stream, require_file
from storage.ledger.ledger import ABSTAINED, FAILED, SOLVED, LedgerEntry, PictureFile, ResultRow, digest_of
from tasks.loading.safe_read import MOST_BYTES, BadPicture, Unreadable, Unsettled, read_file, require_size
from tasks.solving.batches import SolvePlan, failed, reader_of
from tasks.solving.choice import SolveOutcome
from tasks.solving.claims import require_own
from tasks.solving.inbox import remember
from tasks.solving.isolated import answer_forked
from tasks.solving.tables import choose_format, could_be_answers, told, write_answers

STANDARD_INPUT = Path("/dev/stdin")
DESCRIPTORS = (Path("/dev/fd"), Path("/proc/self/fd"))  # where a shell has the output of `<(program)`
BATCH = 256  # pictures that are in memory at once
FOR_FOLDERS = ("move_to", "only_new", "keep", "follow_links", "settle", "workers", "cluster")
_DEFAULTS = {field.name: field.default for field in fields(SolveRequest)}


class _Given(NamedTuple):
    """What the command line asks for."""

    pictures: tuple[Path, ...]
    request: SolveRequest  # its path is the first picture
    json: bool


def solve_named(arguments: list[str]) -> bool:
    """Solve the pictures that a command line names, and print the answers.

    Parameters
    ----------
    arguments : list of str
        The command line without the program's name.

    Returns
    -------
    bool
        False, and nothing is done, if it is another command, names a folder or a URL, or cannot be understood.

    Raises
    ------
    BadInput, NotThere, Damaged
        Naming the parameter that is wrong.
    """
    given = _parsed(arguments)
    if given is None or not _all_pictures(given):
        return False
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
    explain = functools.partial(write_explanation, planned.plan, files, explained) if files else None
    rows, entries = _answers(given.pictures, planned.plan, explain)
    counts = Counter(row.answer.status for row in rows)
    if out:
        write_answers(out, format, rows, csv_safe=request.csv_safe)
    notes = remember(ledger(), planned.plan, entries)
    report = _report(planned, out, rows, dict(counts), time.monotonic() - began)
    if notes:
        report["not_kept_in_the_ledger"] = notes
    if files:
        report["explained"] = explained
    with redirect_stdout(sys.stderr) if out == STANDARD_OUTPUT else nullcontext():
        show(report if given.json else _for_people(report, rows), as_json=given.json)
    return True


def _parsed(arguments: list[str]) -> _Given | None:
    """Parse a command line; None if it is no `solve`, or has a mistake, which the ordinary way reports."""
    at = command_at(arguments)
    if at is None or arguments[at] != "solve":
        return None
    app = App(name="solve", help_flags=(), version_flags=())
    app.default(_signature())
    try:
        tokens = [*arguments[:at], *arguments[at + 1 :]]
        # The ordinary way takes `--path` for the first of these.
        named = (token.removeprefix("--path=") for token in spelled(tokens) if token != "--path")
        given = [str(STANDARD_INPUT) if token == "-" else token for token in named]
        bound = app.parse_args(given, exit_on_error=False, print_error=False)[1]
    except CycloptsError:
        return None
    values: dict[str, Any] = dict(bound.arguments)
    pictures, json = values.pop("path", ()), values.pop("json_", False)
    home, _ = values.pop("home", None), values.pop("quiet", None)  # `main` has read it
    if home is not None:
        os.environ[HOME] = str(home)
    if not pictures:
        return None
    return _Given(tuple(path if path == STANDARD_INPUT else pictures_at(path) for path in pictures),
                  SolveRequest(pictures[0], **values), json)  # fmt: skip


def _signature() -> Callable[..., None]:
    """Return a function with the options of `SolveRequest`, but any number of pictures, and the shared options."""

    def solve(*_: object, **__: object) -> None: ...

    shared = (
        inspect.Parameter("home", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Path | None),
        inspect.Parameter(
            "json_", inspect.Parameter.KEYWORD_ONLY, default=False,
            annotation=Annotated[bool, Parameter(name="--json", negative="")],
        ),
        inspect.Parameter(
            "quiet", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Annotated[bool, Parameter(negative="")]
        ),
    )  # fmt: skip
    first, *options = inspect.signature(SolveRequest).parameters.values()
    pictures = first.replace(kind=inspect.Parameter.VAR_POSITIONAL, annotation=Path)
    vars(solve)["__signature__"] = inspect.Signature([pictures, *options, *shared])
    solve.__annotations__ = {option.name: option.annotation for option in (pictures, *options, *shared)}
    return solve


def _all_pictures(given: _Given) -> bool:
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


def _require_free(out: Place, given: _Given) -> None:
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
    columns = TextColumn("solving"), BarColumn(), MofNCompleteColumn()
    shown = len(pictures) > BATCH and shows_progress()
    # No thread may draw the bar while a child is forked.
    with Progress(*columns, console=Console(stderr=True), disable=not shown, auto_refresh=False) as bar:
        task = bar.add_task("", total=len(pictures))
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
            bar.update(task, advance=len(batch), refresh=shown)
    return rows, entries


def _batches(pictures: tuple[Path, ...]) -> Iterator[list[tuple[PictureFile, bytes | BadPicture]]]:
    """Yield the pictures with their contents, at most `BATCH` and hardly more than `MOST_BYTES` at a time."""
    batch: list[tuple[PictureFile, bytes | BadPicture]] = []
    held = 0
    for path in pictures:
        picture, content = _read(path)
        batch.append((picture, content))
        held += len(content) if isinstance(content, bytes) else 0
        if len(batch) == BATCH or held > MOST_BYTES:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def _read(path: Path) -> tuple[PictureFile, bytes | BadPicture]:
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
    return {"reads_with": report["reads_with"]} | answers_for_people(rows) | rest
