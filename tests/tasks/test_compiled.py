"""People are told when kernels have to be compiled, and only then."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import tasks.lowlevel.deflate
import tasks.reading.lattice  # noqa: F401 - one of the modules that are looked at
from tasks import compiled
from tasks.warm import warm


def test_after_setup_nothing_is_missing():
    warm()
    assert not compiled.kernels_missing()


def test_a_kernel_that_was_not_compiled_is_missed(tmp_path):
    program = "import tasks.reading.lattice; from tasks.compiled import kernels_missing; print(kernels_missing())"
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    run = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True)
    assert run.stdout.split() == [b"True"]


def test_every_module_is_looked_at_on_request(tmp_path):
    program = "from tasks.compiled import kernels_missing; print(kernels_missing(), kernels_missing(every=True))"
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    run = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True)
    assert run.stdout.split() == [b"False", b"True"]


def test_a_kernel_that_is_older_than_its_source_is_missed(tmp_path):
    source_of = tasks.lowlevel.deflate._encode.py_func
    kernel = SimpleNamespace(
        __name__="_encode", py_func=source_of, stats=SimpleNamespace(cache_path=str(tmp_path))
    )  # fmt: skip
    assert not compiled._is_compiled(kernel)
    index = tmp_path / "deflate._encode-1.py311.nbi"
    index.touch()
    assert compiled._is_compiled(kernel)
    source = Path(tasks.lowlevel.deflate.__file__).stat().st_mtime
    os.utime(index, (source - 1, source - 1))
    assert not compiled._is_compiled(kernel)
