"""Load kernels in a process that ends soon: numba without what it only looks for."""

import functools
import os
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from types import ModuleType
from typing import Any  # numba has no types

from storage.errors import BadInput

THREADS, CPU_NAME, CPU_FEATURES = "NUMBA_NUM_THREADS", "NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES"
_PACKAGES = "importlib.metadata"
_UNPARSED = r"Environment variable '(NUMBA_\w+)' is defined but its associated value '((?s:.*))' could not be parsed"


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
    with _without(absent), _settings_explained():
        for name in ("numba", "numba.core.typing.cffi_utils"):  # they look for them
            import_module(name)
    vars(import_module("numba.core.config"))["_config_fname"] = os.devnull  # looked for whenever a kernel is compiled
    vars(import_module("numba.core.entrypoints"))["_already_initialized"] = True
    for shorten in (_open_without_rules, _open_without_bitcode, _open_without_origins, _tell_arrays_at_once):
        with suppress(AttributeError):  # of another version of numba, which then does it in its own way
            shorten()


def processor() -> str:
    """Return the processor that numba compiles for, as LLVM names it."""
    return os.environ.get(CPU_NAME) or str(import_module("llvmlite.binding").get_host_cpu_name())


@contextmanager
def _settings_explained() -> Iterator[None]:
    """Name the variable for whose value numba fails, or warns with a traceback.

    Raises
    ------
    BadInput
    """
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "A Numba config file is found")
            warnings.filterwarnings("error", _UNPARSED, RuntimeWarning)
            yield
    except RuntimeWarning as warning:
        if (found := re.match(_UNPARSED, str(warning))) is None:
            raise
        name, value = found.groups()
        rule = "must be 1 or more" if name == THREADS else "must be a value that numba takes"
        raise BadInput(f"{name}: {rule}; it is {value!r}; correct or unset it") from None
    except ValueError as error:
        if (given := os.environ.get(THREADS)) is None:
            raise
        raise BadInput(f"{THREADS}: must be 1 or more; it is {given!r}; correct or unset it") from error


def _open_without_rules() -> None:
    """Have numba open a compiled kernel without its compiler's rules; it loads them itself once it has to compile.

    What counts references to arrays, which numba would compile first, is in the kernel's own code.
    """
    kept, add = import_module("numba.core.caching").Cache, import_module("llvmlite.binding").add_symbol
    helpers = import_module("numba.core.runtime._nrt_python").c_helpers
    open_kernel = kept._load_overload

    def opened(cache: Any, signature: Any, context: Any) -> Any:
        name_runtime()
        with cache._guard_against_spurious_io_errors():
            return open_kernel(cache, signature, context)

    @functools.cache
    def name_runtime() -> None:
        for name, address in helpers.items():  # as numba does when it compiles
            add(name if name.startswith("_") else f"NRT_{name}", address)

    kept.load_overload = opened


def _open_without_bitcode() -> None:
    """Have numba open a compiled kernel by its machine code alone.

    It also parses the kernel's bitcode, and asks LLVM for the name of each function in it. Only a kernel that is
    compiled later and calls this one needs them: they are read then.
    """
    library = import_module("numba.core.codegen").JITCodeLibrary
    result = import_module("numba.core.compiler").CompileResult
    parse = import_module("llvmlite.binding").parse_bitcode
    to_link, rebuild, unserialize = library._get_module_for_linking, result._rebuild, library._unserialize

    def opened(codegen: Any, state: tuple[str, str, Any]) -> Any:
        name, kind, data = state
        if kind != "object":
            return unserialize(codegen, state)
        kernel = codegen.create_library(name)
        kernel.enable_object_caching()
        machine_code, kernel.unread_bitcode = data
        kernel._set_compiled_object(machine_code)
        kernel._finalize_final_module()
        return kernel

    def linkable(kernel: Any) -> Any:
        if bitcode := vars(kernel).pop("unread_bitcode", None):
            kernel._shared_module = parse(bitcode)
            kernel._codegen._engine._load_defined_symbols(kernel._shared_module)
        return to_link(kernel)

    def rebuilt(context: Any, data: Any, description: Any, *rest: Any) -> Any:
        context.codegen()._engine._defined_symbols.add(description.llvm_cpython_wrapper_name)
        return rebuild(context, data, description, *rest)

    library._unserialize, library._get_module_for_linking, result._rebuild = opened, linkable, rebuilt


def _open_without_origins() -> None:
    """Have numba open a compiled kernel without the modules of numba that parts of it come from.

    It imports them, a third of all that it has, for Python's globals, which no machine code without Python reads.
    """
    environment: Any = import_module("numba.core.environment")
    rebuild = environment._rebuild_env

    def rebuilt(module: str, constants: list[Any], name: str) -> Any:
        if not module.startswith("numba.") or module in sys.modules or environment.lookup_environment(name):
            return rebuild(module, constants, name)
        found = environment.Environment({"__name__": module})  # by which it is kept, should another kernel be
        found.consts[:], found.env_name = constants, name
        environment.Environment._memo[name] = found
        return found

    environment._rebuild_env = rebuilt


def _tell_arrays_at_once() -> None:
    """Have numba tell an array's type without a look at whether it is masked, for which it imports `numpy.ma`."""
    numpy_support, types = import_module("numba.np.numpy_support"), import_module("numba.core.types")

    def type_of(array: Any, _context: Any) -> Any:
        kind, layout = numpy_support.from_dtype(array.dtype), numpy_support.map_layout(array)
        return types.Array(kind, array.ndim, layout, readonly=not array.flags.writeable)

    import_module("numba.core.typing.typeof").typeof_impl.register(import_module("numpy").ndarray)(type_of)


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
