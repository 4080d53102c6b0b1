"""Whether the kernels are compiled, or the first run on this installation will have to do it."""

import os
import sys
from pathlib import Path
from typing import Any  # numba's dispatchers have no types

from storage.errors import BadInput

# One kernel of each part that `tasks.warm` compiles: its module, and its name.
_KERNELS = {
    "tasks.lowlevel.deflate": "_encode",
    "tasks.drawing.letter_kernel": "draw_rows",
    "tasks.reading.lattice": "_find",
}


def kernels_missing() -> bool:
    """Return whether a kernel of a module that is imported has to be compiled first, which takes seconds.

    Numba keeps compiled kernels in files that are newer than the source.

    Raises
    ------
    BadInput
        NUMBA_DISABLE_JIT is set: Python would run the kernels, which call instructions of the processor.
    """
    loaded = ((sys.modules[module], name) for module, name in _KERNELS.items() if module in sys.modules)
    return not all(_is_compiled(getattr(module, name)) for module, name in loaded)


def _is_compiled(kernel: Any) -> bool:
    if not hasattr(kernel, "py_func"):  # a plain function
        raise BadInput(
            f"NUMBA_DISABLE_JIT: must be 0, since the kernels only run compiled; it is "
            f"{os.environ.get('NUMBA_DISABLE_JIT')!r}; unset it"
        )
    source = Path(kernel.py_func.__code__.co_filename)
    made = Path(kernel.stats.cache_path).glob(f"{source.stem}.{kernel.__name__}-*.nbi")
    return any(index.stat().st_mtime >= source.stat().st_mtime for index in made)
