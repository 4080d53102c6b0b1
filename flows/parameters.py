"""Types of parameters whose limits Prefect's forms and its server read.

The server refuses a value outside the limits before a run exists. In a shell, each flow's `check` reports it in plainer
words and also knows files and the other parameters. So these types only describe; they do not validate.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from flows.explanations import with_explain_file
from storage.errors import BadInput
from storage.files.targets import STANDARD_OUTPUT


@dataclass(frozen=True, eq=False)
class Limits:
    """The JSON schema of a parameter, as `pydantic.WithJsonSchema` gives it; but pydantic takes long to import."""

    schema: Mapping[str, str | int]

    def __get_pydantic_json_schema__(self, _core_schema: object, _handler: object) -> dict[str, str | int]:
        return dict(self.schema)


Count = Annotated[int, Limits({"type": "integer", "minimum": 1})]  # 1 or more
Seed = Annotated[int, Limits({"type": "integer", "minimum": 0, "exclusiveMaximum": 1 << 63})]
ModelSeed = Annotated[int, Limits({"type": "integer", "minimum": 0, "exclusiveMaximum": 1 << 32})]
Share = Annotated[float, Limits({"type": "number", "minimum": 0, "maximum": 1})]
Seconds = Annotated[float, Limits({"type": "number", "minimum": 0})]
Minutes = Annotated[float, Limits({"type": "number", "exclusiveMinimum": 0})]
Price = Annotated[float, Limits({"type": "number", "minimum": 0})]
Port = Annotated[int, Limits({"type": "integer", "minimum": 0, "maximum": 65535})]
Name = Annotated[str, Limits({"type": "string", "minLength": 1})]

BELOW_AUDIT = {"compare": "compare_audits", "history": "audit_history"}  # commands below `audit`, and their functions


class ReaderKind(StrEnum):
    """A kind of reader: `classic` cuts pictures into letters, `deep` is a network over whole pictures."""

    CLASSIC = "classic"
    DEEP = "deep"


class ReaderChoice(StrEnum):
    """Which reader reads: of either kind, or `auto`, the served model, else both shipped models together."""

    AUTO = "auto"
    CLASSIC = "classic"
    DEEP = "deep"


FLAGS = ("--json", "--quiet")  # options of every command that have no value


def require_workers(workers: int | None) -> None:
    """Raise `BadInput` for a number of local processes below 1; None stands for as many as there are cores."""
    if workers is not None and workers < 1:
        raise BadInput(f"workers: must be 1 or more; it is {workers}")


def command_at(tokens: Sequence[str]) -> int | None:
    """Return where the command stands in a command line: first, or after the shared options; None without."""
    place = 0
    while place < len(tokens):
        if tokens[place] == "--home":
            place += 2
        elif tokens[place] in FLAGS or tokens[place].startswith("--home="):
            place += 1
        else:
            return place
    return None


def home_of(arguments: Sequence[str]) -> Path | None:
    """Find the value of `--home` before the options are parsed."""
    for number, argument in enumerate(arguments):
        if argument.startswith("--home="):
            return Path(argument.removeprefix("--home="))
        if argument == "--home" and number + 1 < len(arguments):
            return Path(arguments[number + 1])
    return None


def function_of(command: str | None, arguments: Sequence[str]) -> str | None:
    """Return the name of the function that a command line calls: of `audit compare`, that of `compare`."""
    if command != "audit":
        return command
    following = arguments[arguments.index(command) + 1 :][:1]
    return next((BELOW_AUDIT[word] for word in following if word in BELOW_AUDIT), command)


def require_single_output(out: object, as_json: bool) -> None:
    """Raise `BadInput` if both the answers and the report would go to standard output."""
    if as_json and out == STANDARD_OUTPUT:
        raise BadInput("out: must be a file with --json; it is -, and the report goes to standard output too")


def spelled(tokens: Iterable[str]) -> list[str]:
    """Write `--out -` as `--out=-`, which cyclopts takes for another option, and give `--explain` a value."""
    found: list[str] = []
    for token in with_explain_file(tokens):
        if token == "-" and found and found[-1] == "--out":
            found[-1] = "--out=-"
        else:
            found.append(token)
    return found
