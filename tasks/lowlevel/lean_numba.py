"""Load kernels in a process that ends soon: numba without what it only looks for."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

OWN_SETTINGS = ".numba_config.yaml"  # numba reads it from the working directory


def import_lean() -> None:
    """Import numba and its compiler's tables without scipy, cffi and YAML, and without a search for its extensions.

    numba imports scipy.linalg to see whether kernels can multiply matrices with BLAS, cffi for kernels that call its
    functions, and reads the metadata of every installed package for those that extend it; the kernels here need none of
    it. Together that is a third of a second. Call it before anything imports numba, and only in a process of this
    project: in a user's own, numba has to know of them.
    """
    if "numba" in sys.modules:
        return
    needless = ["scipy.linalg", "cffi"]
    if not Path(OWN_SETTINGS).exists():
        needless.append("yaml")
    with _without(needless):
        for name in ("numba", "numba.core.typing.cffi_utils", "numba.np.arraymath"):  # they look for them
            import_module(name)
    vars(import_module("numba.core.entrypoints"))["_already_initialized"] = True


@contextmanager
def _without(names: list[str]) -> Iterator[None]:
    """Have the import of modules that are not there yet fail."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None makes an import an ImportError
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
