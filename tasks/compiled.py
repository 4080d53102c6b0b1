"""Whether the kernels are compiled, or the first run on this installation will have to do it."""

import os
import sys
from importlib import import_module
from typing import Any  # numba's dispatchers have no types

from storage.errors import BadInput
from tasks.lean_numba import import_lean

# One kernel of each part that `tasks.warm` compiles: its module, and its name.
_KERNELS = {
    "tasks.lowlevel.deflate": "_encode",
    "tasks.drawing.letter_kernel": "draw_rows",
    "tasks.reading.lattice": "_find",
}


_SWITCH = "NUMBA_DISABLE_JIT"


def require_compiling() -> None:
    """Refuse an environment in which Python would run the kernels, which call instructions of the processor.

    Raises
    ------
    BadInput
    """
    given = os.environ.get(_SWITCH, "0")
    try:
        off = int(given) != 0
    except ValueError:  # `import_lean` tells it
        off = False
    if off:
        raise BadInput(f"{_SWITCH}: must be 0, since the kernels only run compiled; it is {given!r}; unset it")


def kernels_missing(every: bool = False) -> bool:
    """Return whether a kernel of a module that is imported has to be compiled first, which takes seconds.

    Numba keeps compiled kernels in files with the digest of the source. With `every`, the modules are imported first.

    Raises
    ------
    BadInput
        Compiling is switched off.
    """
    require_compiling()
    if every:
        import_lean()
        for module in _KERNELS:
            import_module(module)
    loaded = ((sys.modules[module], name) for module, name in _KERNELS.items() if module in sys.modules)
    return not all(_is_compiled(getattr(module, name)) for module, name in loaded)


def _is_compiled(kernel: Any) -> bool:
    if not hasattr(kernel, "py_func"):  # a plain function
        raise BadInput("numba: is told not to compile, but the kernels only run compiled; see its variables NUMBA_…")
    return bool(kernel._cache._cache_file._load_index())  # which has the digest of the source: no date counts


def kernels_work() -> bool:
    """Return whether bytes that a kernel compresses come back: a processor may lack what they were compiled for."""
    import_lean()
    import numpy as np

    from tasks.lowlevel.deflate import compress
    from tasks.lowlevel.inflate import inflate

    given = np.arange(4096, dtype=np.uint8)
    back = np.empty_like(given)
    inflate(compress(given), back)
    return bool((given == back).all())
