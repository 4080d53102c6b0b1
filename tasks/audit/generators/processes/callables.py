"""A Python callable of the owner's: find it by `module:name`, and call it with what its parameters ask for."""

import hashlib
import importlib
import importlib.util
import inspect
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from storage.errors import BadInput, NotThere, nearest
from tasks.audit.generators.processes.counter_texts import generator_of, seed_of

RNG = frozenset({"rng", "generator", "gen", "prng", "random", "rand", "random_state"})
_OWN = ("seed", "index")  # parameters of these names get the picture's own
_TEXT = "text"
_STANDARD = "random.Random"  # a parameter with this annotation gets a generator of the standard library
_CALLED = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_SHOWN = 12  # names that a message lists


@dataclass(frozen=True)
class Slot:
    """A parameter that gets a value: its name, what it gets, and whether it has to be given by place."""

    name: str
    gets: str  # text, rng, standard, seed or index
    by_place: bool


@dataclass(frozen=True)
class Found:
    """A callable, and what it takes."""

    function: Callable[..., Any]
    slots: tuple[Slot, ...]
    source: str | None  # SHA-256 of the module's file
    file: str | None = None  # of the module

    @property
    def takes_text(self) -> bool:
        """Return whether the callable is told what to draw."""
        return any(slot.gets == _TEXT for slot in self.slots)

    @property
    def takes_rng(self) -> bool:
        """Return whether the callable gets random numbers, or a seed, from here."""
        return any(slot.gets in ("rng", "standard", "seed") for slot in self.slots)

    def call(self, text: str | None, seed: int, index: int) -> Any:
        """Call it for a picture. Global generators are seeded too, for a callable that draws from them."""
        own = seed_of(seed, index)
        random.seed(own)
        np.random.seed(own)  # noqa: NPY002 - the owner's code may use it
        places: list[Any] = []
        names: dict[str, Any] = {}
        for slot in self.slots:
            value: Any = {_TEXT: text, "seed": own, "index": index}.get(slot.gets)
            if slot.gets == "rng":
                value = generator_of(seed, index)
            elif slot.gets == "standard":
                value = random.Random(own)
            if slot.by_place:
                places.append(value)
            else:
                names[slot.name] = value
        return self.function(*places, **names)


def find_callable(given: str, folder: str) -> Found:
    """Import a module, also from a folder or a file, and find a callable in it.

    Parameters
    ----------
    given : str
        `module:name`, `package.module:name`, `file.py:name`; the name may have dots. Of a class that needs no
        arguments, `Class.method` is called on an object of it.
    folder : str
        Where a module is looked for first.

    Raises
    ------
    BadInput, NotThere
        There is no such module or name, or nobody knows what to call it with. Importing may raise anything else.
    """
    place, _, name = given.rpartition(":")
    module = _import(place, Path(folder))
    parent, found = None, module  # type: tuple[Any, Any]
    for part in name.split("."):
        if not hasattr(found, part):
            has = [word for word in vars(found) if not word.startswith("_")] if hasattr(found, "__dict__") else []
            some = ", ".join(has[:_SHOWN]) + ", …" * (len(has) > _SHOWN)
            raise NotThere(f"{given}: {place} has no {part!r}{nearest(part, has)}; it has {some or 'no public names'}")
        parent, found = found, getattr(found, part)
    if isinstance(parent, type) and inspect.isfunction(inspect.getattr_static(parent, part)):
        try:
            found = getattr(parent(), part)
        except TypeError as error:
            raise BadInput(
                f"{given}: is called on an object of {parent.__name__}, which cannot be made without arguments "
                f"({error}); write a function that makes it: docs/audit-generators.md"
            ) from error
    if isinstance(found, type) or not callable(found):
        methods = [word for word in vars(found) if not word.startswith("_")] if isinstance(found, type) else []
        if methods:
            raise BadInput(f"{given}: is a class; name a method, such as {given}.{methods[0]}")
        raise BadInput(f"{given}: is no function but {type(found).__name__}")
    there = getattr(module, "__file__", None)
    file = Path(there).resolve() if there and Path(there).is_file() else None
    source = hashlib.sha256(file.read_bytes()).hexdigest() if file else None
    return Found(found, _slots(given, found), source, str(file) if file else None)


def _import(place: str, folder: Path) -> ModuleType:
    """Import a module by its name or its file; a file in `folder` comes before an installed module of that name."""
    by_path = place.endswith(".py") or "/" in place
    file = folder / (place if place.endswith(".py") else f"{place}.py")
    sys.path.insert(0, str(file.parent.resolve() if by_path else folder))
    if by_path and not file.is_file():
        raise NotThere(f"{place}: no such file")
    if file.is_file():  # by its file, since the interpreter may have a module of that name already
        spec = importlib.util.spec_from_file_location(file.stem, file)
        if spec is None or spec.loader is None:
            raise BadInput(f"{place}: cannot be imported")
        module = importlib.util.module_from_spec(spec)
        sys.modules[file.stem] = module
        spec.loader.exec_module(module)
        return module
    try:
        return importlib.import_module(place)
    except ModuleNotFoundError as error:
        if error.name is None or not (place == error.name or place.startswith(f"{error.name}.")):
            raise
        raise NotThere(
            f"{place}: no module of that name in {folder}, nor installed beside this program ({sys.executable}); give "
            "its file (draw.py:draw), or if another Python has it: --command '/path/to/python draw.py {text} {out}'"
        ) from error


def _slots(given: str, function: Callable[..., Any]) -> tuple[Slot, ...]:
    """Find out what a callable's parameters get."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a builtin that tells nothing
        return (Slot(_TEXT, _TEXT, True),)
    slots: list[Slot] = []
    for parameter in parameters:
        if parameter.kind not in _CALLED:
            continue
        gets = _gets(parameter, any(slot.gets == _TEXT for slot in slots))
        if gets:
            slots.append(Slot(parameter.name, gets, parameter.kind is inspect.Parameter.POSITIONAL_ONLY))
        elif parameter.default is inspect.Parameter.empty:
            raise BadInput(
                f"{given}: takes {parameter.name!r}, which nobody gives; a generator takes text and rng, or one of "
                "them, and may take seed and index; write a function that gives the rest: docs/audit-generators.md"
            )
    return tuple(slots)


def _gets(parameter: inspect.Parameter, has_text: bool) -> str:
    """Return what a parameter gets; '' for nothing."""
    required = parameter.default is inspect.Parameter.empty
    wanted = parameter.annotation
    if wanted is random.Random or (isinstance(wanted, str) and _STANDARD in wanted):
        return "standard"
    if parameter.name == "rng" or (parameter.name in RNG and required):
        return "rng"
    if parameter.name in _OWN:
        return parameter.name
    if not has_text and (required or parameter.name == _TEXT):
        return _TEXT
    return ""
