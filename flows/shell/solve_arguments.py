"""The command line of `captchas solve` with pictures that are named: what it asks for."""

import inspect
import os
from collections.abc import Callable, Sequence
from dataclasses import MISSING, fields
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

from flows.home import HOME, pictures_at
from flows.parameters import command_at, spelled
from flows.solve_request import SolveRequest

STANDARD_INPUT = Path("/dev/stdin")
_FLAG = {"json": "json_", "quiet": "quiet"}  # of every command, with what they are called here
_LOOKS_LIKE_A_NUMBER = "0123456789."


class Given(NamedTuple):
    """What the command line asks for."""

    pictures: tuple[Path, ...]
    request: SolveRequest  # its path is the first picture
    json: bool


def parsed(arguments: list[str]) -> Given | None:
    """Parse a command line; None if it is no `solve`, or has a mistake, which the ordinary way reports."""
    at = command_at(arguments)
    if at is None or arguments[at] != "solve":
        return None
    tokens = [*arguments[:at], *arguments[at + 1 :]]
    # The ordinary way takes `--path` for the first of these.
    named = [token.removeprefix("--path=") for token in spelled(tokens) if token != "--path"]
    values = _plain_values(named)
    if values is None:
        given = [str(STANDARD_INPUT) if token == "-" else token for token in named]
        values = _values(given)
    if values is None:
        return None
    pictures, json = values.pop("path", ()), values.pop("json_", False)
    home, _ = values.pop("home", None), values.pop("quiet", None)  # `main` has read it
    if home is not None:
        os.environ[HOME] = str(home)
    if not pictures:
        return None
    return Given(tuple(path if path == STANDARD_INPUT else pictures_at(path) for path in pictures),
                 SolveRequest(pictures[0], **values), json)  # fmt: skip


def _plain_values(tokens: Sequence[str]) -> dict[str, Any] | None:
    """Parse a command line that has nothing unusual; None for any other: cyclopts takes long to import."""
    kinds = {field.name: _kind(field.type) for field in fields(SolveRequest) if field.default is not MISSING}
    kinds["home"] = Path
    values: dict[str, Any] = {}
    pictures: list[Path] = []
    rest = iter(tokens)
    for token in rest:
        if not token.startswith("-") or token == "-":
            pictures.append(STANDARD_INPUT if token == "-" else Path(token))
            continue
        option, joined, text = token.removeprefix("--").partition("=")
        name = _FLAG.get(option, option.replace("-", "_"))
        kind = bool if option in _FLAG else kinds.get(name)
        if not token.startswith("--") or "_" in option or kind is None or name in values or (kind is bool and joined):
            return None
        values[name] = True
        if kind is not bool:
            text = text if joined else next(rest, "")
            values[name] = None if not text or (text.startswith("-") and not joined) else _converted(text, kind)
            if values[name] is None:
                return None
    return values | {"path": tuple(pictures)}


def _kind(annotation: Any) -> type:
    """Return the type of an option's values."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, UnionType):
        (kind,) = {_kind(part) for part in get_args(annotation) if part is not type(None)}
        return kind
    found: type = annotation
    return found


def _converted(text: str, kind: type) -> Any:
    """Return a value in its type; None for all that only cyclopts can judge."""
    if issubclass(kind, Enum):
        return next((member for member in kind if member.value == text), None)
    if kind in (int, float) and (not text.isascii() or text.strip(_LOOKS_LIKE_A_NUMBER)):
        return None
    try:
        value: Any = kind(text)  # type: ignore[call-arg]  # str, Path, int or float
    except ValueError:
        return None
    return value


def _values(tokens: Sequence[str]) -> dict[str, Any] | None:
    """Parse a command line with cyclopts; None if it has a mistake."""
    from cyclopts import App, CycloptsError

    app = App(name="solve", help_flags=(), version_flags=())
    app.default(_signature())
    try:
        return dict(app.parse_args(tokens, exit_on_error=False, print_error=False)[1].arguments)
    except CycloptsError:
        return None


def _signature() -> Callable[..., None]:
    """Return a function with the options of `SolveRequest`, but any number of pictures, and the shared options."""
    from cyclopts import Parameter

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
