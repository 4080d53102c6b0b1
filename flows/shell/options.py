"""The options of the commands, read from the source of their files: to import a command imports Prefect."""

import ast
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from flows import parameters
from flows.parameters import BELOW_AUDIT, Limits, command_at, limits_in
from flows.shell.commands import BELOW_MODULE, COMMANDS

SHARED_FLAGS, SHARED_VALUES = {"json", "quiet"}, {"home"}  # options of every command
# Types whose option has another name than the parameter: that name, and their annotation.
_OF_SHELL = {"StartModel": ("from", "Name | None")}
_NUMBERS: dict[object, type] = {"integer": int, "number": float}  # as Prefect's schemas call them


class Options(NamedTuple):
    """The parameters of a command: those that may stand without a name, those that are lists, flags, and the rest.

    Attributes
    ----------
    choices
        The values of each parameter that has but a few.
    numbers
        Those that are numbers, with the type.
    required
        Those that have to be given.
    kinds
        The annotation of each parameter.
    """

    positional: tuple[str, ...]
    lists: frozenset[str]
    flags: frozenset[str]
    values: frozenset[str]
    choices: dict[str, list[str]]
    numbers: dict[str, type]
    required: frozenset[str]
    kinds: dict[str, str]


def commands() -> dict[str, str]:
    """Return where each command is, as `module:function`."""
    return {name: where for name, (where, _) in COMMANDS.items()}


@cache
def options_of(module: str, function: str | None = None) -> Options:
    """Read the parameters of a command from the source of `flows.NAME_request` or `flows.NAME`.

    They are the fields of a class `...Request`, or else the arguments of a function, by default of the same name.
    """
    name = module.rpartition(".")[2]
    source = Path(__file__).parents[2].joinpath(*module.split(".")).with_suffix(".py")
    file = source.with_stem(f"{name}_request")
    tree = ast.parse((file if file.exists() else source).read_bytes())
    fields: list[tuple[str, ast.expr | None, bool]] = [
        (node.target.id, node.annotation, node.value is None)
        for request in tree.body
        if isinstance(request, ast.ClassDef) and request.name.endswith("Request") and function in (None, name)
        for node in request.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    ] or [
        field
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name == (function or name)
        for field in _arguments(node.args)
    ]
    called = [
        (*_OF_SHELL.get(kind := ast.unparse(annotation) if annotation else "", (field, kind)), required)
        for field, annotation, required in fields
    ]
    names = [field for field, *_ in called]
    first = names.index("_") if "_" in names else 0
    kinds = {field: kind for field, kind, _ in called if kind and field != "_"}
    flags = {field for field, kind in kinds.items() if kind.removesuffix(" | None") == "bool"}
    return Options(
        tuple(names[:first]),
        frozenset(field for field, kind in kinds.items() if kind.startswith("list[")),
        frozenset(flags),
        frozenset(kinds.keys() - flags),
        {field: found for field, kind in kinds.items() if (found := _choices(tree, kind))},
        {field: number for field, kind in kinds.items() if (number := _number_in(kind))},
        frozenset(field for field, _, required in called if required and field in kinds),
        kinds,
    )


def command_options(arguments: Sequence[str]) -> tuple[Options, list[str]] | None:
    """Return the options of the command in a command line, and the line without it; None without a command."""
    at = command_at(arguments)
    if at is None or arguments[at] not in COMMANDS:
        return None
    module, _, function = COMMANDS[arguments[at]][0].partition(":")
    below = BELOW_AUDIT.get("".join(arguments[at + 1 : at + 2])) if arguments[at] == "audit" else None
    options = options_of(BELOW_MODULE if below else module, below or function)
    return options, [*arguments[:at], *arguments[at + (2 if below else 1) :]]


def limits_of(kind: str) -> Limits:
    """Return the limits in the source of an annotation, of several types the first's; none for other types."""
    words = re.findall(r"\w+", kind)
    return next((found for word in words if (found := limits_in(getattr(parameters, word, None)))), Limits({}))


def _number_in(kind: str) -> type | None:
    """Return the type of numbers that an annotation names first."""
    plain = {"int": int, "float": float}.get(kind.partition(" ")[0].removeprefix("list[").removesuffix("]"))
    return plain or _NUMBERS.get(limits_of(kind).schema.get("type"))


def _arguments(given: ast.arguments) -> list[tuple[str, ast.expr | None, bool]]:
    """Return names, annotations, and which arguments are required; `_` stands where those begin that need a name."""
    lacking = len(given.args) - len(given.defaults)
    return [
        *((argument.arg, argument.annotation, at < lacking) for at, argument in enumerate(given.args)),
        ("_", None, False),
        *(
            (argument.arg, argument.annotation, default is None)
            for argument, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)
        ),
    ]


def _choices(tree: ast.Module, kind: str) -> list[str]:
    """Return the values of the enumeration that an annotation names; none if it names no enumeration of ours."""
    for name in re.findall(r"\w+", kind):
        for node in tree.body:
            if not isinstance(node, ast.ImportFrom) or all(alias.name != name for alias in node.names):
                continue
            file = Path(__file__).parents[2].joinpath(*(node.module or "").split(".")).with_suffix(".py")
            source = file.read_text("utf-8") if file.is_file() else ""
            if f"class {name}(StrEnum)" in source:
                return _values(ast.parse(source), name)
    return []


def _values(tree: ast.Module, name: str) -> list[str]:
    return [
        line.value.value
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.name == name
        for line in node.body
        if isinstance(line, ast.Assign) and isinstance(line.value, ast.Constant) and isinstance(line.value.value, str)
    ]
