"""Load kernels in a process that ends soon: numba without what it only looks for."""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any  # numba has no types

from storage.errors import BadInput

THREADS = "NUMBA_NUM_THREADS"
_PACKAGES = "importlib.metadata"


def import_lean() -> None:
    """Import numba without scipy, cffi and YAML, without a search for its extensions, and without its compiler's rules.

    numba imports scipy to see whether kernels can multiply matrices with BLAS, cffi for kernels that call its
    functions, and reads the metadata of every installed package for those that extend it; the kernels here need none of
    it. Nor does it read settings from a file of the working directory, which may be anybody's: they could name a folder
    of compiled kernels. It also loads the rules by which it compiles before it opens a kernel that is compiled already.
    Together that is half a second. Call it before anything imports numba, and only in a process of this project: in a
    user's own, numba has to know of them.
    """
    if "numba" in sys.modules:
        return
    absent: dict[str, ModuleType | None] = {
        "scipy": None, "cffi": None, "yaml": None, _PACKAGES: ModuleType(_PACKAGES)
    }  # fmt: skip
    with _without(absent), _settings_explained(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "A Numba config file is found")
        for name in ("numba", "numba.core.typing.cffi_utils", "numba.np.arraymath"):  # they look for them
            import_module(name)
    vars(import_module("numba.core.config"))["_config_fname"] = os.devnull  # looked for whenever a kernel is compiled
    vars(import_module("numba.core.entrypoints"))["_already_initialized"] = True
    kept = import_module("numba.core.caching").Cache
    if hasattr(kept, "_load_overload"):
        kept.load_overload = _load


@contextmanager
def _settings_explained() -> Iterator[None]:
    """Name the one variable for whose value numba fails; for others it takes its defaults.

    Raises
    ------
    BadInput
    """
    try:
        yield
    except ValueError as error:
        if (given := os.environ.get(THREADS)) is None:
            raise
        raise BadInput(f"{THREADS}: must be 1 or more; it is {given!r}; correct or unset it") from error


def _load(cache: Any, signature: Any, context: Any) -> Any:
    """Open a compiled kernel, as numba does; it loads the rules itself if there is none and it has to compile."""
    import_module("numba.core.runtime").rtsys.initialize(context)
    with cache._guard_against_spurious_io_errors():
        return cache._load_overload(signature, context)


@contextmanager
def _without(absent: dict[str, ModuleType | None]) -> Iterator[None]:
    """Let other modules stand for some that are not there yet; None makes their import fail."""
    hidden = {name: module for name, module in absent.items() if name not in sys.modules}
    sys.modules.update(hidden)  # type: ignore[arg-type]  # None makes an import an ImportError
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
