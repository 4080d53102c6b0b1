"""A command's request: one frozen dataclass, whose fields are the shell's options and Prefect's parameters.

A command is declared once. Its body gets the request and the result of `check`::

    @dataclass(frozen=True)
    class DrawRequest:  # its docstring describes the parameters
        count: Count = 100_000

    def check(request: DrawRequest) -> Recipe: ...

    @flow
    @told
    @command(DrawRequest, check)
    def draw(request: DrawRequest, recipe: Recipe) -> DrawReport: ...

    draw(count=5)
"""

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from flows.parameters import require_request
from storage.errors import BadInput, CaptchasError, Unreachable

P = ParamSpec("P")
Report = TypeVar("Report", bound=Mapping[str, object])
Request = TypeVar("Request")
Checked = TypeVar("Checked")

_PARAMETERS = "\n\nParameters\n----------\n"


class Refused(CaptchasError):
    """A command that was refused before it ran; the same error within a run has another exit code."""

    exit_code = BadInput.exit_code


@dataclass(frozen=True)
class _Declared:
    """The request class of a command, its check, and whether it is sure to need workers."""

    request: Callable[..., Any]
    check: Callable[[Any], Any]
    needs_workers: Callable[[Any, Any], bool]


_declared: dict[str, _Declared] = {}
_handed_on: ContextVar[tuple[Any, Any] | None] = ContextVar("handed_on", default=None)


def command(
    request: Callable[P, Request],
    check: Callable[[Request], Checked],
    needs_workers: Callable[[Request, Checked], bool] = lambda _request, _checked: False,
) -> Callable[[Callable[[Request, Checked], Report]], Callable[P, Report]]:
    """Declare a function as a command with the fields of `request` as its parameters.

    Each call makes a request and checks it once, or takes the result that `checked` hands on.

    Parameters
    ----------
    request : type
        A frozen dataclass; its docstring describes the parameters.
    check : callable
        Returns the objects that the function works with, or raises an error that names the wrong parameter.
    needs_workers : callable, optional
        Returns whether the function is sure to need Dask workers, by a look that costs nearly nothing.
    """

    def decorate(body: Callable[[Request, Checked], Report]) -> Callable[P, Report]:
        @functools.wraps(body)
        def run(*args: P.args, **kwargs: P.kwargs) -> Report:
            asked = request(*args, **kwargs)
            return body(asked, _taken(asked, check))

        declared = inspect.signature(request).replace(return_annotation=dict)
        described = inspect.cleandoc(request.__doc__ or "").partition(_PARAMETERS)
        vars(run).pop("__wrapped__")  # cyclopts and Prefect would read the body's parameters
        vars(run)["__signature__"] = declared
        run.__annotations__ = {name: field.annotation for name, field in declared.parameters.items()} | {"return": dict}
        run.__doc__ = inspect.cleandoc(body.__doc__ or "") + "".join(described[1:])
        _declared[_name(run)] = _Declared(request, check, needs_workers)
        return run

    return decorate


@contextmanager
def checked(function: Callable[..., object], *args: object, **kwargs: object) -> Iterator[bool]:
    """Check a command's parameters now; the first call within the context takes the result, if they are equal.

    Yields whether there was anything to check: False for a function that is no such command.

    Raises
    ------
    BadInput, NotThere, Unreachable
    Refused
        In place of any other error of ours.
    """
    declared = _declared.get(_name(function))
    if declared is None:
        yield False
        return
    asked = declared.request(*args, **kwargs)
    with refusing():
        result = _checked(asked, declared.check)
    with handed_on(asked, result):
        yield True


@contextmanager
def refusing() -> Iterator[None]:
    """Turn an error of ours into `Refused`, unless it is the user's mistake already, or a store is out of reach."""
    try:
        yield
    except CaptchasError as error:
        if isinstance(error, Unreachable) or error.exit_code == Refused.exit_code:
            raise
        raise Refused(str(error)) from error


@contextmanager
def handed_on(request: object, result: object) -> Iterator[None]:
    """Give the first command called within the context the result of its check, if it is called with this request."""
    token = _handed_on.set((request, result))
    try:
        yield
    finally:
        _handed_on.reset(token)


def needing_workers(function: Callable[..., object]) -> Any | None:
    """Return the request that `checked` hands on, if the command is sure to need local workers for it; else None."""
    declared, there = _declared.get(_name(function)), _handed_on.get()
    if declared is None or there is None or getattr(there[0], "cluster", None):
        return None
    return there[0] if declared.needs_workers(*there) else None


def _taken(asked: Request, check: Callable[[Request], Checked]) -> Checked:
    """Return the result that was handed on for this request, and forget it; else check the request."""
    there = _handed_on.get()
    _handed_on.set(None)
    if there is not None and there[0] == asked:
        result: Checked = there[1]
        return result
    return _checked(asked, check)


def _checked(asked: Request, check: Callable[[Request], Checked]) -> Checked:
    """Check the limits of each parameter, and the rest."""
    require_request(asked)
    return check(asked)


def _name(function: Callable[..., object]) -> str:
    return f"{function.__module__}:{getattr(function, '__name__', '')}"
