"""Refuse values that no run can use, by the rules of the command itself, before anything starts.

To import Prefect takes long. Whatever cannot be understood here is left to the command.
"""

from collections.abc import Callable, Sequence
from typing import Any

from flows.missing_inputs import given_values
from flows.parameters import Limits, command_at
from flows.shell.options import command_options, limits_of


def require_values(arguments: Sequence[str]) -> None:
    """Raise `BadInput` for a value outside its parameter's limits, as the command itself raises it.

    Parameters
    ----------
    arguments : sequence of str
        The command line without the program's name.
    """
    at, found = command_at(arguments), command_options(arguments)
    if at is None or found is None:
        return
    options, tokens = found
    rules = RULES.get(arguments[at], {})
    for name, texts in given_values(tokens, options).items():
        limits = limits_of(options.kinds.get(name, "File"))  # else it is --home
        values = [_read(text, limits) for text in texts]
        for value in values:
            limits.require(name, value)
        if name in rules and None not in values:
            rules[name](values)


def _read(text: str, limits: Limits) -> object:
    """Return a value in its type, or as it is where that is cyclopts' to judge."""
    kind = limits.schema.get("type")
    try:
        if kind == "integer" and "." not in text:
            return int(text)
        return float(text) if kind in ("integer", "number") else text
    except ValueError:
        return None


def _length(values: list[Any]) -> None:
    from tasks.solving.choice import parse_length

    parse_length(values[-1])


def _new_name(values: list[Any]) -> None:
    from tasks.profiles.profile import Profile

    Profile(values[-1], alphabet="A")


def _new_alphabet(values: list[Any]) -> None:
    from tasks.profiles.profile import Profile

    Profile("import", alphabet=values[-1])


def _columns(values: list[Any]) -> None:
    from tasks.exchange.labelling import parse_columns

    parse_columns(values[-1])


def _pattern(values: list[Any]) -> None:
    from tasks.exchange.labelling import Labelling

    Labelling(values[-1])


def _hidden(values: list[Any]) -> None:
    from tasks.training.settings import Settings

    Settings(hidden=tuple(values))


# Rules of one command's parameter that are narrower than its limits.
RULES: dict[str, dict[str, Callable[[list[Any]], None]]] = {
    "solve": {"length": _length},
    "audit": {"length": _length},
    "import": {"name": _new_name, "alphabet": _new_alphabet, "columns": _columns, "pattern": _pattern},
    "train": {"hidden": _hidden},
    "regenerate": {"hidden": _hidden},
}
