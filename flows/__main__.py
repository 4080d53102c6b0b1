"""The `captchas` command: reads the shell's options, runs a flow, and prints its report."""

if __name__ == "__main__":  # `python -m flows`; before imports, which another's `tasks` or `storage` might answer
    from beating_captchas import main as begin

    begin()

import json
import os
import signal
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, redirect_stdout, suppress
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

from cyclopts import App, CycloptsError, Group, Parameter
from rich.console import Console
from rich.text import Text

from flows.environment import named_server, require_files, require_proxies, require_reachable, require_streams
from flows.home import HOME, end_orphaned_servers, prepare_environment, served
from flows.missing_inputs import require_inputs
from flows.parameters import BELOW_AUDIT, command_at, function_of, misuse_explained, require_single_output, spelled
from flows.requests import checked, needing_workers
from flows.service import embedded_server, processes, starting
from flows.service.prefect_settings import settings_explained
from flows.service.starting import compile_kernels
from flows.shell.ending import Ended, flushed, print_defect
from flows.shell.examples import FIRST_STEPS, prologue
from flows.shell.quiet import QUIET
from storage.errors import BadInput, CaptchasError, too_long
from storage.files.places import is_url, place
from storage.files.targets import STANDARD_OUTPUT
from storage.texts import plain
from tasks.compiled import require_compiling
from tasks.lowlevel.lean_numba import import_lean

COMMANDS = {
    "generate": ("flows.generate:generate", "Draw a dataset of pictures into sharded HDF5, or finish or extend it."),
    "verify": ("flows.verify:verify", "Prove a dataset whole, or find and repair missing, altered and foreign files."),
    "export": ("flows.export:export", "Write a dataset's pictures and labels in a format that other tools read."),
    "import": ("flows.ingest:ingest", "Make a dataset of a folder of labelled pictures."),
    "train": ("flows.train:train", "Train the letter network on a dataset."),
    "evaluate": ("flows.evaluate:evaluate", "Measure a model on a dataset's pictures that it has not seen."),
    "audit": ("flows.audit:audit", "Judge how strong a CAPTCHA is: let attackers try, and say what they got."),
    "solve": ("flows.solve:solve", "Read a folder of pictures into a file, or named pictures at once."),
    "serve": ("flows.serve:serve", "Choose the model that solve reads with, or tell which one it is."),
    "reproduce": ("flows.reproduce:reproduce", "Run the book's procedure as printed, then mend one defect at a time."),
    "demo": ("flows.demo:demo", "Draw, train, evaluate and solve on a small scale."),
    "regenerate": ("flows.regenerate:regenerate", "Draw, train, measure; serve the new model if it is no worse."),
    "up": ("flows.up:up", "Run the deployments on this machine: server, UI, worker. Ends with Ctrl-C."),
    "inspect": ("flows.describe:inspect", "Show what a dataset or a model file holds."),
    "datasets": ("flows.datasets:datasets", "List datasets with their sizes, or remove a dataset."),
    "profiles": ("flows.profiles:profiles", "List the kinds of pictures that can be drawn, and the fonts."),
    "doctor": ("flows.doctor:doctor", "Look for what is wrong with this installation, and say what mends it."),
    "preview": ("flows.preview:preview", "Draw a profile's first pictures as a contact sheet, at once."),
    "explain": ("flows.explain:explain", "Show how a word is read, what a network learnt, or how it learns."),
}
# They are no flows and need no server.
PLAIN = {"up", "doctor", "serve", "inspect", "datasets", "profiles", "preview", "explain", *BELOW_AUDIT.values()}
OFFLINE = (PLAIN - {"up"}) | {None}  # they ask no server
AT_ONCE = {"preview"}  # the process does nothing else with what it imports
WRITES_NOTHING = {"doctor", "profiles", None}
BEGINS_ANEW = {"train", "evaluate", "reproduce"}  # what they have done is kept at the end, but of the ladder's rungs
HELP = {"--help", "-h", "--version"}

app = App(
    name="captchas",
    help="Draw, store, learn and read text CAPTCHAs: reproducible sharded datasets and a letter reader.",
    help_epilogue="To complete words with the Tab key: captchas --install-completion",
    version=lambda: version("beating-captchas"),
)
app.meta.suppress_keyboard_interrupt = False  # `main` answers signals
SHARED = Group("Options of every command")
for _name, (_where, _help) in COMMANDS.items():
    if _name == "audit":
        app.command("flows.audit:commands", name=_name, help=_help)  # with the commands below it
    else:
        app.command(_where, name=_name, help=_help, help_prologue=prologue(_name), help_epilogue="")


HOME_HELP = "Folder of datasets, models, reports and answers; else $CAPTCHAS_HOME, else ./data."
JSON_HELP = "Print one JSON object and nothing else on standard output."
QUIET_HELP = "Show no progress and no report; errors, and with --json the JSON object, are still shown."


@app.meta.default
def launch(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    home: Annotated[Path | None, Parameter(group=SHARED, help=HOME_HELP)] = None,
    json_: Annotated[bool, Parameter(name="--json", group=SHARED, negative="", help=JSON_HELP)] = False,
    quiet: Annotated[bool, Parameter(group=SHARED, negative="", help=QUIET_HELP)] = False,  # `main` has read it
) -> int:
    """Run the command, print its report."""
    command, bound, _ = app.parse_args(spelled(tokens), exit_on_error=False, print_error=False)
    # Refuse URLs with secrets now: Prefect's database keeps the parameters of every run.
    given = [*bound.args, *(value for name, value in bound.kwargs.items() if name != "cluster")]
    for value in given:
        for name in value if isinstance(value, list | tuple) else [value]:
            if isinstance(name, str | Path) and is_url(name):
                place(name)
    to_output = bound.arguments.get("out") == STANDARD_OUTPUT
    require_single_output(bound.arguments.get("out"), json_)
    # The parameters are checked first: that tells a mistake before Prefect has started.
    with embedded_server.failures_explained(), checked(command, *bound.args, **bound.kwargs) as known:
        if known:
            end_orphaned_servers()
        from flows.reporting.show import show

        _require_server(command.__name__)
        no_flow = command.__name__ in PLAIN
        try:
            with nullcontext() if no_flow else _workers_for(command):
                embedded_server.wait()
                with nullcontext() if no_flow else starting.without_heartbeats(), _tagged(command, no_flow):
                    report = command(*bound.args, **bound.kwargs)
        except CaptchasError as error:
            if error.report:
                show(error.report, as_json=json_)
            raise
    if isinstance(report, dict):
        with redirect_stdout(sys.stderr) if to_output else nullcontext():
            show(report, as_json=json_)
    return 0


def _tagged(command: Callable[..., object], no_flow: bool) -> AbstractContextManager[object]:
    """Give a command's run, and the runs within it, tags by which Prefect's UI finds them, as deployments have."""
    if no_flow:
        return nullcontext()
    from prefect import tags

    return tags("captchas", command.__name__)


@contextmanager
def _workers_for(command: Callable[..., object]) -> Iterator[None]:
    """Start the workers of a command that is sure to need them while Prefect's server still starts."""
    from flows.workers.cluster import crew
    from flows.workers.roster import WorkerLost

    compile_kernels()
    request = needing_workers(command)
    with ExitStack() as stack:
        if request is not None:
            with suppress(WorkerLost):  # the flow tries again, and its run tells what happened
                stack.enter_context(crew(request.workers))
        yield


def _require_server(command: str) -> None:
    """Refuse to run a flow on a server that the user has named and that does not answer."""
    record, server = served(), named_server()
    if command not in PLAIN and server and server.url != (record or {}).get("api") and not embedded_server.is_ours():
        require_reachable(server)


def main() -> None:
    """Run the command line; exit code 0, 1 for a failed job, 2 for bad input, 128 + N after signal N (Ctrl-C: 130)."""
    ended = Ended()
    if "--quiet" in sys.argv[1:]:
        os.environ[QUIET] = "1"  # before anything starts, which is quiet too
    processes.follow_parent()
    sys.excepthook = print_defect
    for number in processes.enders():
        signal.signal(number, ended.by)
    starting.end_quickly()
    try:
        require_streams()
        _require_inputs(sys.argv[1:])
        code = 0 if _named_pictures(sys.argv[1:]) else _run(sys.argv[1:])
    except KeyboardInterrupt as interrupted:
        with suppress(OSError):  # the terminal may be closed
            _say(f"interrupted; the same command {_next_time(interrupted)}")
        code = ended.code
    except CycloptsError as error:
        _say(misuse_explained(error))
        code = 2
    except CaptchasError as error:
        code = _refuse(error)
    except BrokenPipeError:
        code = ended.code if ended.begun else 1
    except OSError as error:
        if ended.begun:  # the progress could not be told to a closed terminal
            code = ended.code
        elif long := too_long(error):
            code = _refuse(long)
        else:
            only_told = HELP.intersection(sys.argv) or len(sys.argv) == 1
            _say(f"standard output: cannot be written ({error.strerror})" if only_told else str(error))
            code = 1
    if not flushed():
        code = code or 1
    sys.exit(code or 0)


def _require_inputs(arguments: list[str]) -> None:
    """Refuse inputs that are not there, in the home that the arguments name."""
    if HELP.intersection(arguments):
        return
    chosen = _home(arguments)
    if chosen is not None:
        os.environ[HOME] = str(chosen)
    require_inputs(arguments, {name: where.partition(":")[0] for name, (where, _) in COMMANDS.items()})


def _refuse(error: CaptchasError) -> int:
    """Print an error of ours; return its exit code."""
    if "--json" in sys.argv and not error.report:
        with suppress(OSError):  # standard output may be what cannot be written
            json.dump({"error": str(error), "exit_code": error.exit_code}, sys.stdout)
    _say(str(error))
    return error.exit_code


def _run(arguments: list[str]) -> int:
    """Run a command, and start the server that it needs, before the options are parsed."""
    _refuse_undecodable(arguments)
    if not arguments:
        sys.stdout.write(FIRST_STEPS)
        return 0
    # First of all, since parsing imports the flow and with it Prefect.
    place = command_at(arguments)
    command = arguments[place] if place is not None and arguments[place] in COMMANDS else None
    # The doctor tells what is wrong with the environment, so nothing is refused before it.
    own = command != "doctor" and prepare_environment(_home(arguments), make_home=command not in WRITES_NOTHING)
    does = function_of(command, arguments)
    if does not in OFFLINE and not HELP.intersection(arguments):
        require_proxies()
        require_compiling()
    if does not in PLAIN | {None} and not HELP.intersection(arguments):
        require_files()
        embedded_server.begin(own)
    if command:
        with settings_explained(), starting.without_collector():
            if command in AT_ONCE:
                import_lean()
            import_module(COMMANDS[command][0].partition(":")[0])
    return app.meta(exit_on_error=False, print_error=False, result_action="return_value") or 0


def _named_pictures(arguments: list[str]) -> bool:
    """Read the pictures that `solve` names, if it names pictures: at once, without Prefect and Dask."""
    place = command_at(arguments)
    if place is None or arguments[place] != "solve" or HELP.intersection(arguments):
        return False
    try:
        with starting.without_collector():
            import_lean()  # before the reader imports it
            from flows.solve_at_once import solve_named

        return solve_named(arguments)
    except KeyboardInterrupt as interrupted:
        raise _NothingKept from interrupted


class _NothingKept(KeyboardInterrupt):
    """Named pictures were being read: their answers are kept once all are there."""


def _next_time(interrupted: KeyboardInterrupt) -> str:
    """Return what the command that was interrupted does if it is given again."""
    at = command_at(sys.argv[1:])
    anew = at is not None and sys.argv[1 + at] in BEGINS_ANEW and "--ladder" not in sys.argv
    return "begins anew" if anew or isinstance(interrupted, _NothingKept) else "goes on from here"


def _home(arguments: list[str]) -> Path | None:
    """Find the value of `--home` before the options are parsed."""
    for number, argument in enumerate(arguments):
        if argument.startswith("--home="):
            return Path(argument.removeprefix("--home="))
        if argument == "--home" and number + 1 < len(arguments):
            return Path(arguments[number + 1])
    return None


def _refuse_undecodable(arguments: list[str]) -> None:
    """Refuse arguments that are not UTF-8: Prefect keeps parameters as JSON, which cannot hold them."""
    for argument in arguments:
        if not argument.isascii() and "\udc80" <= max(argument) <= "\udcff":
            raise BadInput(f"argument {argument!r}: must be UTF-8; rename the file or folder, or give its parent")


def _say(message: str) -> None:
    console = Console(stderr=True, highlight=False)
    name, said = "captchas:", f" {plain(message)}"
    if console.is_terminal:  # lines break between words; paths stay whole, so that they can be copied
        said = textwrap.fill(name + said, console.width, break_long_words=False, break_on_hyphens=False).removeprefix(
            name
        )
    console.print(Text.assemble((name, "bold red"), said), soft_wrap=True)
