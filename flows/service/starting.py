"""What makes a process that imports Prefect start and end sooner."""

import atexit
import gc
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module

ONCE = "setting up the home, once"
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


def tell_if_kernels_are_missing() -> None:
    """Say on standard error that kernels have to be compiled, if setup did not compile them."""
    from tasks.compiled import kernels_missing

    if kernels_missing():
        sys.stderr.write(f"captchas: {ONCE}: compiling the kernels, which takes a minute or more\n")


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
