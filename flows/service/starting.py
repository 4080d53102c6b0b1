"""What makes a process that imports Prefect start and end sooner."""

import atexit
import gc
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module
from pathlib import Path

import tasks
from flows.service import processes
from flows.shell.quiet import tell
from storage.errors import BadInput

ONCE = "setting up the home, once"
_ROOT = Path(tasks.__file__).parents[1]
COMPILING = f"{ONCE}: compiling the kernels"
_FAULTS = (signal.SIGILL, signal.SIGABRT, signal.SIGSEGV)  # of a process that runs code for another processor
# Prefect imports these when it runs its first flow; they take a quarter of a second.
_LATER = ("prefect.flow_engine", "prefect.task_engine", "fastapi.encoders", "anyio._backends._asyncio")


@contextmanager
def without_collector() -> Iterator[None]:
    """Import without Python's garbage collector, which afterwards leaves alone what was imported.

    Imports make half a million objects, nearly all of which last. The collector goes through all of them again and
    again while they are made, and once more when Python ends: together a third of a second, and of the server's import
    a whole second.
    """
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if on:
            gc.enable()


def import_rest() -> None:
    """Import what Prefect would import later, for a process that has to wait anyway."""
    for name in _LATER:
        import_module(name)


def compile_kernels() -> None:
    """Compile the kernels in a process of their own, if setup did not, and say on standard error how far it is.

    Without that, this process and each worker would compile them again, in silence.

    Raises
    ------
    BadInput
        They cannot run: they were compiled for another processor, as this process and the workers would do too.
    """
    from tasks.compiled import kernels_missing

    if not kernels_missing():
        return
    tell(f"{COMPILING}, which takes a minute or more")
    command, paths = compiling()
    with subprocess.Popen(
        command,
        env=os.environ | paths,
        cwd=_ROOT,  # numba reads settings there
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        errors="replace",
        preexec_fn=processes.end_with(os.getpid()),
    ) as process:
        for line in process.stdout or ():
            tell(f"{COMPILING}: {line.rstrip()}")
    if -process.returncode in _FAULTS:
        name = signal.Signals(-process.returncode).name
        raise BadInput(
            f"kernels: what is compiled cannot run on this processor ({name}); unset NUMBA_CPU_NAME and "
            "NUMBA_CPU_FEATURES, and install numba and llvmlite anew if they are not set"
        )


def compiling() -> tuple[list[str], dict[str, str]]:
    """Return the command that compiles all kernels and prints how far it is, and the environment that it needs too."""
    paths = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
    # Nothing of the working directory is imported (`-P`).
    return [sys.executable, "-P", "-m", "tasks.warm", "told"], {"PYTHONPATH": paths}


def start_compiler(environment: dict[str, str], logs: Path, say: Callable[[str], object]) -> Callable[[], bool]:
    """Start to compile the kernels in the background, if setup did not; return a function that is asked for its end.

    Else the first runs of deployments would compile them, in each of their workers. The function tells how far it is.
    """
    from tasks.compiled import kernels_missing

    if not kernels_missing(every=True):
        return lambda: True
    say(f"{COMPILING}, which takes a minute or more; no run starts before")
    command, paths = compiling()
    compiler = processes.Child("compiler", command, environment | paths, logs / "kernels.log", _ROOT)
    compiler.start()
    told = {"-"}  # the last line of an empty log

    def compiled() -> bool:
        running, said = compiler.running, compiler.last_words()
        if said not in told:
            told.add(said)
            say(f"{COMPILING}: {said}")
        if not running:
            compiler.end(0)
        if compiler.code:
            say(f"the kernels could not be compiled; see {compiler.log}")
        return not running

    return compiled


def end_quickly() -> None:
    """Have Python end without a last search for garbage: the system takes all memory back at once."""
    atexit.register(gc.freeze)


def without_heartbeats() -> AbstractContextManager[object]:
    """Run flows without Prefect's heartbeats, unless the user has set how often they are sent.

    The thread that sends them sleeps a second at a time, and Prefect waits for it at the end of each flow. Heartbeats
    are for automations that look for dead runs; runs of deployments keep sending them.
    """
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, get_current_settings, temporary_settings

    if "heartbeat_frequency" in get_current_settings().flows.model_fields_set:
        return nullcontext()
    return temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None})
