"""The ordinary way of a command: read the shell's options, run the flow, and print its report.

`flows.__main__` imports it for all but named pictures: cyclopts, rich and what Prefect's server needs take as long as
reading a picture.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stdout
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, CycloptsError, Group, Parameter

from flows.environment import (
    named_server,
    require_certificates,
    require_files,
    require_processes,
    require_proxies,
    require_reachable,
)
from flows.home import end_orphaned_servers, prepare_environment, served
from flows.parameters import (
    BELOW_AUDIT,
    command_at,
    function_of,
    home_of,
    require_limits,
    require_single_output,
    spelled,
)
from flows.requests import checked, needing_workers
from flows.service import embedded_server, starting
from flows.service.prefect_settings import ignore_folder, settings_explained
from flows.service.starting import compile_kernels
from flows.shell.commands import COMMANDS, HELP
from flows.shell.early_mistakes import may_be_mistaken, require_command
from flows.shell.examples import FIRST_STEPS, prologue
from flows.shell.misuse import misuse_explained
from flows.shell.saying import LEAST_COLUMNS
from flows.shell.stand_ins import take_stand_ins
from storage.errors import BadInput, CaptchasError
from storage.files.places import is_url, place
from storage.files.targets import STANDARD_OUTPUT
from tasks.compiled import require_compiling
from tasks.lean_numba import import_lean

if TYPE_CHECKING:
    from rich.console import Console

# They are no flows and need no server.
PLAIN = {"up", "doctor", "serve", "inspect", "datasets", "profiles", "preview", "explain", *BELOW_AUDIT.values()}
OFFLINE = (PLAIN - {"up"}) | {None}  # they ask no server
NO_KERNELS = {"up", "doctor", "profiles", "preview"}  # or import them themselves
WRITES_NOTHING = {"doctor", "profiles", None}
_FOUND_FINE = "CAPTCHAS_LINE_FINE"  # in the environment of a program that goes on with a line which was suspected

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
QUIET_HELP = (
    "Show no progress and no report; errors, words of named pictures, and with --json the JSON object, are still shown."
)


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
        else:
            require_limits(command.__annotations__, bound.arguments)
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
    """Start the workers of a command that is sure to need them while the server and the flow still start."""
    from flows.workers.cluster import beginning

    compile_kernels()
    request = needing_workers(command)
    with nullcontext() if request is None else beginning(request.workers):
        yield


def _require_server(command: str) -> None:
    """Refuse to run a flow on a server that the user has named and that does not answer."""
    if command in OFFLINE:
        return
    record, server = served(), named_server()
    if command not in PLAIN and server and server.url != (record or {}).get("api") and not embedded_server.is_ours():
        require_reachable(server)


def run(arguments: list[str]) -> int:
    """Run a command line; return its exit code.

    Raises
    ------
    BadInput
        A mistake in the options.
    """
    try:
        return _run(arguments)
    except CycloptsError as error:
        raise BadInput(misuse_explained(error)) from error


def _run(arguments: list[str]) -> int:
    """Run a command, and start the server that it needs, before the options are parsed."""
    _refuse_undecodable(arguments)
    ignore_folder()
    require_command(arguments)
    place = command_at(arguments)
    if place is None and arguments[-1:] != ["--home"]:
        sys.stdout.write(FIRST_STEPS)
        return 0
    command = arguments[place] if place is not None and arguments[place] in COMMANDS else None
    if HELP.intersection(arguments):
        take_stand_ins()
    elif not os.environ.pop(_FOUND_FINE, None) and may_be_mistaken(arguments):
        _name_mistake(arguments)
    # Before the options are parsed, which imports the flow and with it Prefect.
    # The doctor tells what is wrong with the environment, so nothing is refused before it.
    own = command != "doctor" and prepare_environment(home_of(arguments), make_home=command not in WRITES_NOTHING)
    does = function_of(command, arguments)
    if does not in OFFLINE and not HELP.intersection(arguments):
        require_processes()
        require_proxies()
        require_certificates()
        require_compiling()
    if does not in PLAIN | {None} and not HELP.intersection(arguments):
        require_files()
        embedded_server.begin(own)
    if command:
        with settings_explained(), starting.without_collector():
            if command not in NO_KERNELS:
                import_lean()  # before a flow imports it
            import_module(COMMANDS[command][0].partition(":")[0])
    console = _wide_enough() if HELP.intersection(arguments) else None
    return app.meta(exit_on_error=False, print_error=False, result_action="return_value", console=console) or 0


def _wide_enough() -> "Console":
    """Return where help is printed: with less than some columns cyclopts breaks words without an end."""
    from rich.console import Console

    console = Console()
    console.width = max(LEAST_COLUMNS, console.width)
    return console


def _name_mistake(arguments: list[str]) -> None:
    """Parse a command line, without Prefect and Dask; go on in a new program if it has no mistake after all."""
    if not take_stand_ins():
        return
    import_lean()
    _, line, _ = app.meta.parse_args(arguments, exit_on_error=False, print_error=False)
    app.parse_args(spelled(line.args), exit_on_error=False, print_error=False)
    os.environ[_FOUND_FINE] = "1"
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _refuse_undecodable(arguments: list[str]) -> None:
    """Refuse arguments that are not UTF-8: Prefect keeps parameters as JSON, which cannot hold them."""
    for argument in arguments:
        if not argument.isascii() and "\udc80" <= max(argument) <= "\udcff":
            raise BadInput(f"argument {argument!r}: must be UTF-8; rename the file or folder, or give its parent")
