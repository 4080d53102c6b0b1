"""Stand-ins for Prefect and Dask where only a command's parameters are asked for: its help, a mistake in its line.

To import a flow imports both, which takes several times as long as all the rest. A process that has taken stand-ins
runs no flow.
"""

import sys
from collections.abc import Iterator, MutableSequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import FunctionType, ModuleType
from typing import Any

STOOD_IN_FOR = ("prefect", "dask", "distributed")


class _StandIn:
    """Anything of such a library: attributes, results and unions are stand-ins; as a decorator, it changes nothing."""

    def __getattr__(self, name: str) -> "_StandIn":
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *given: Any, **_options: Any) -> Any:
        return given[0] if len(given) == 1 and isinstance(given[0], FunctionType) else self

    def __or__(self, _other: object) -> "_StandIn":
        return self

    __ror__ = __or__
    __getitem__ = __or__

    def __iter__(self) -> Iterator[object]:
        return iter(())

    def __mro_entries__(self, _bases: tuple[object, ...]) -> tuple[type, ...]:
        return (Exception,)  # what is raised and what is inherited from alike


class _Module(ModuleType):
    """A module all of whose names are stand-ins."""

    __path__: MutableSequence[str] = []  # noqa: RUF012 - nothing is ever found in it

    def __getattr__(self, name: str) -> _StandIn:
        if name.startswith("__"):
            raise AttributeError(name)
        return _StandIn()


class _Finder(MetaPathFinder, Loader):
    def find_spec(self, fullname: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname.partition(".")[0] in STOOD_IN_FOR else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: the module is made."""


def take_stand_ins() -> bool:
    """Let the imports of Prefect and Dask that follow find stand-ins; return False if these are imported already."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        if not sys.modules.keys().isdisjoint(STOOD_IN_FOR):
            return False
        sys.meta_path.insert(0, _Finder())
    return True
