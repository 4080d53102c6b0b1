"""Whether the kernels are compiled, or the first run on this installation will have to do it."""

import functools
import hashlib
import os
import subprocess
import sys
from importlib import import_module
from typing import Any  # numba's dispatchers have no types

from storage.errors import BadInput
from tasks.lean_numba import CPU_FEATURES, CPU_NAME, import_lean, processor

# One kernel of each part that `tasks.warm` compiles: its module, and its name.
_KERNELS = {
    "tasks.lowlevel.deflate": "_encode",
    "tasks.drawing.letter_kernel": "draw_rows",
    "tasks.reading.lattice": "_find",
}


_SWITCH = "NUMBA_DISABLE_JIT"
_PROCESSOR = (CPU_NAME, CPU_FEATURES)
# LLVM compiles for another processor where it does not know the name, says so on standard error, and may abort.
_TRYING = """
import sys
from llvmlite import binding as llvm
llvm.initialize_native_target()
llvm.initialize_native_asmprinter()
machine = llvm.Target.from_default_triple().create_target_machine(cpu=sys.argv[1], features=sys.argv[2])
machine.emit_object(llvm.parse_assembly("define i64 @one() { ret i64 1 }"))
"""


def require_compiling() -> None:
    """Refuse an environment in which the kernels are not compiled, or for no processor that there is.

    In the first, Python would run them, which cannot call instructions of the processor.

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
    _require_processor(*(os.environ.get(name, "") for name in _PROCESSOR))


@functools.cache
def _require_processor(name: str, features: str) -> None:
    """Refuse a processor that LLVM does not know: each command would compile all kernels anew, or end with a signal."""
    if not name and not features:
        return
    tried = subprocess.run(
        [sys.executable, "-P", "-c", _TRYING, name, features],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False,
    )  # fmt: skip
    if tried.returncode or b"not a recognized" in tried.stderr:
        given = {variable: os.environ[variable] for variable in _PROCESSOR if os.environ.get(variable)}
        raise BadInput(
            f"{' and '.join(given)}: must be of a processor that numba compiles for, such as generic, and +avx2 or "
            f"-avx2; it is {' and '.join(map(repr, given.values()))}; unset it"
        )


def kernels_missing(every: bool = False) -> bool:
    """Return whether a kernel of a module that is imported has to be compiled first, which takes seconds.

    Numba keeps compiled kernels in files with the digest of the source. With `every`, the modules are imported first.

    Raises
    ------
    BadInput
        Compiling is switched off, or for no processor that there is.
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
    kept = kernel._cache._cache_file._load_index()  # which has the digest of the source: no date counts
    # A key has the signature, then for what it was compiled (an image or a home may have been made on another machine),
    # then the digest of Python's code, which `python -OO` writes without docstrings, and so with other constants.
    code = hashlib.sha256(kernel.py_func.__code__.co_code).hexdigest()
    return any(key[1][1] == processor() and key[2][0] == code for key in kept)


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
