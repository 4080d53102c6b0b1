"""The options of the commands, read from the source of their files: to import a command imports Prefect."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from flows.shell.commands import COMMANDS

SHARED_FLAGS, SHARED_VALUES = {"json", "quiet"}, {"home"}  # options of every command
# How the types of numbers are called; the latter are `flows.parameters`'.
_NUMBERS = {"int", "float", "Count", "Seed", "ModelSeed", "Share", "Seconds", "Minutes", "Price", "Port"}


class Options(NamedTuple):
    """The parameters of a command: those that may stand without a name, those that are lists, flags, and the rest.

    Attributes
    ----------
    choices
        The values of each parameter that has but a few.
    numbers
        Those that are numbers.
    required
        Those that have to be given.
    """

    positional: tuple[str, ...]
    lists: frozenset[str]
    flags: frozenset[str]
    values: frozenset[str]
    choices: dict[str, list[str]]
    numbers: frozenset[str]
    required: frozenset[str]


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
    names = [field for field, *_ in fields]
    first = names.index("_") if "_" in names else 0
    kinds = {field: ast.unparse(annotation) for field, annotation, _ in fields if annotation and field != "_"}
    flags = {field for field, kind in kinds.items() if kind.removesuffix(" | None") == "bool"}
    return Options(
        tuple(names[:first]),
        frozenset(field for field, kind in kinds.items() if kind.startswith("list[")),
        frozenset(flags),
        frozenset(kinds.keys() - flags),
        {field: found for field, kind in kinds.items() if (found := _choices(tree, kind))},
        frozenset(field for field, kind in kinds.items() if kind.partition(" ")[0] in _NUMBERS),
        frozenset(field for field, _, required in fields if required and field in kinds),
    )


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
            source = file.read_text() if file.is_file() else ""
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
