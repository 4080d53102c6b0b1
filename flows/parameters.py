"""Types of parameters whose limits Prefect's forms and its server read.

The server refuses a value outside the limits before a run exists. In a shell, each flow's `check` reports it in plainer
words and also knows files and the other parameters. So these types only describe; they do not validate.
"""

from collections.abc import Iterable
from typing import Annotated

from pydantic import WithJsonSchema

from storage.errors import BadInput

Count = Annotated[int, WithJsonSchema({"type": "integer", "minimum": 1})]  # 1 or more
Seed = Annotated[int, WithJsonSchema({"type": "integer", "minimum": 0, "exclusiveMaximum": 1 << 63})]
ModelSeed = Annotated[int, WithJsonSchema({"type": "integer", "minimum": 0, "exclusiveMaximum": 1 << 32})]
Share = Annotated[float, WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1})]
Seconds = Annotated[float, WithJsonSchema({"type": "number", "minimum": 0})]
Port = Annotated[int, WithJsonSchema({"type": "integer", "minimum": 0, "maximum": 65535})]
Name = Annotated[str, WithJsonSchema({"type": "string", "minLength": 1})]


def require_workers(workers: int | None) -> None:
    """Raise `BadInput` for a number of local processes below 1; None stands for as many as there are cores."""
    if workers is not None and workers < 1:
        raise BadInput(f"workers: must be 1 or more; it is {workers}")


def spelled(tokens: Iterable[str]) -> list[str]:
    """Write `--out -` as `--out=-`: cyclopts takes a lone `-` for another option."""
    found: list[str] = []
    for token in tokens:
        if token == "-" and found and found[-1] == "--out":
            found[-1] = "--out=-"
        else:
            found.append(token)
    return found
