"""Types of parameters, with the limits of their values, and where commands and options stand in a command line.

Prefect's forms and its server read the limits as a JSON schema, and refuse a value outside before a run exists. In a
shell the same limits are told in words before anything starts, and once more by whoever calls a command from Python.
Each flow's `check` knows files and the other parameters.
"""

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, get_args

from flows.explanations import with_explain_file
from storage.errors import BadInput
from storage.files.targets import STANDARD_OUTPUT


@dataclass(frozen=True, eq=False)
class Limits:
    """The limits of a parameter: as JSON schema, like `pydantic.WithJsonSchema`, which takes long to import; in words.

    Parameters
    ----------
    schema : mapping
        With the words `type`, `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum`, `minLength`, `format`.
    rule : str
        What a number must be.
    """

    schema: Mapping[str, Any]
    rule: str = ""

    def __get_pydantic_json_schema__(self, _core_schema: object, _handler: object) -> dict[str, Any]:
        return dict(self.schema)

    def require(self, name: str, value: object) -> None:
        """Raise `BadInput` for a number outside the limits, or an empty text; other types are another's to judge."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            least, above = self.schema.get("minimum", -math.inf), self.schema.get("exclusiveMinimum", -math.inf)
            most, below = self.schema.get("maximum", math.inf), self.schema.get("exclusiveMaximum", math.inf)
            if not (least <= value <= most and above < value < below):
                raise BadInput(f"{called(name)}: must be {self.rule}; it is {_number(value)}")
            if self.schema["type"] == "integer" and value != int(value):  # which cyclopts would round
                raise BadInput(f"{called(name)}: must be a whole number; it is {_number(value)}")
        elif value == "" and "minLength" in self.schema:
            raise BadInput(f"{called(name)}: must not be empty; give a value, or leave it out")


def called(name: str) -> str:
    """Return what a parameter is called in a shell, without the hyphens before it."""
    return "from" if name == "start" else name.rstrip("_").replace("_", "-")


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:g}"


Count = Annotated[int, Limits({"type": "integer", "minimum": 1}, "1 or more")]
Seed = Annotated[
    int, Limits({"type": "integer", "minimum": 0, "exclusiveMaximum": 1 << 63}, "a whole number from 0 to 2**63 - 1")
]
ModelSeed = Annotated[
    int, Limits({"type": "integer", "minimum": 0, "exclusiveMaximum": 1 << 32}, "a whole number from 0 to 2**32 - 1")
]
Share = Annotated[float, Limits({"type": "number", "minimum": 0, "maximum": 1}, "from 0 to 1")]
Settle = Annotated[float, Limits({"type": "number", "minimum": 0, "maximum": 3600}, "from 0 to 3600 seconds")]
Pictures = Annotated[int, Limits({"type": "integer", "minimum": 1, "maximum": 1024}, "from 1 to 1,024 pictures")]
FourLetterWords = Annotated[int, Limits({"type": "integer", "minimum": 1, "maximum": 5006}, "from 1 to 5006")]
Letters = Annotated[int, Limits({"type": "integer", "minimum": 100, "maximum": 200_000}, "from 100 to 200000")]
Units = Annotated[
    int, Limits({"type": "integer", "minimum": 1, "maximum": 4096}, "one to four layers of 1 to 4096 units")
]
Minutes = Annotated[float, Limits({"type": "number", "minimum": 0.01, "maximum": 100_000}, "from 0.01 to 100000")]
AuditMinutes = Annotated[
    float,
    Limits(
        {"type": "number", "minimum": 1},
        "a finite number, 1 or more: in less, pictures cannot be drawn, read by the shipped models and written about",
    ),
]
Price = Annotated[float, Limits({"type": "number", "minimum": 0}, "a finite number, 0 or more")]
# A shard's name has six digits, and a shard 16,384 pictures.
SizeOfDataset = Annotated[
    int, Limits({"type": "integer", "minimum": 1, "maximum": 16_384_000_000}, "from 1 to 16,384,000,000")
]
Port = Annotated[int, Limits({"type": "integer", "minimum": 0, "maximum": 65535}, "from 0 (any free port) to 65535")]
Name = Annotated[str, Limits({"type": "string", "minLength": 1})]
# An empty text would be the working directory; a `Path` no longer tells.
File = Annotated[Path, Limits({"type": "string", "format": "path", "minLength": 1})]


def limits_in(annotation: object) -> Limits | None:
    """Return the limits in an annotation, also within a list or beside None; of several types the first's."""
    if isinstance(annotation, Limits):
        return annotation
    parts = (*getattr(annotation, "__metadata__", ()), *get_args(annotation))
    return next((found for part in parts if (found := limits_in(part))), None)


def require_request(request: object) -> None:
    """Raise `BadInput` for the first field of a command's request that is outside its limits."""
    require_limits({field.name: field.type for field in fields(request)}, vars(request))  # type: ignore[arg-type]


def require_limits(annotations: Mapping[str, object], values: Mapping[str, object]) -> None:
    """Raise `BadInput` for the first of the parameters whose value, or one of a list, is outside its limits."""
    for name, value in values.items():
        limits = limits_in(annotations.get(name))
        for one in value if isinstance(value, list | tuple) else (value,):
            if limits is not None:
                limits.require(name, one)


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


MOST_WORKERS, A_CORE = 64, 4  # local processes: on any machine, or as many for each core if that is more
FLAGS = ("--json", "--quiet")  # options of every command that have no value


def require_workers(workers: int | None) -> None:
    """Raise `BadInput` for a number of local processes that is wrong for this machine; None: as many as cores."""
    require_limits({"workers": Count}, {"workers": workers})
    most = max(MOST_WORKERS, A_CORE * (os.cpu_count() or 1))
    if workers is not None and workers > most:
        raise BadInput(f"workers: must be at most {most:,} on this machine; it is {workers}: what counts is its cores")


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
