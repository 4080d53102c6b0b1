"""People are told when kernels have to be compiled, and only then."""

import os
import subprocess
import sys
from importlib import import_module

import numpy as np
import pytest

import tasks.reading.lattice  # noqa: F401 - one of the modules that are looked at
from storage.errors import BadInput
from storage.shards.shard import Block
from tasks import compiled
from tasks.datasets import statistics
from tasks.deep import pictures
from tasks.loading import colour_ink
from tasks.lowlevel import deflate
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


def test_a_kernel_of_another_source_is_missed_and_no_date_counts(tmp_path, monkeypatch):
    """The clock may be set back, and a file may be written anew: each command would compile again, for ever."""
    (tmp_path / "doubling.py").write_text("from numba import njit\n@njit(cache=True)\ndef double(x):\n    return 2 * x")
    monkeypatch.syspath_prepend(tmp_path)
    kernel = import_module("doubling").double
    assert not compiled._is_compiled(kernel)
    assert kernel(2) == 4 and compiled._is_compiled(kernel)
    os.utime(tmp_path / "doubling.py", (1 << 32, 1 << 32))
    assert compiled._is_compiled(kernel)
    (tmp_path / "doubling.py").write_text("# another source\n" + (tmp_path / "doubling.py").read_text())
    monkeypatch.delitem(sys.modules, "doubling")
    assert not compiled._is_compiled(import_module("doubling").double)


def test_kernels_are_missed_that_were_compiled_without_an_option_of_python(tmp_path):
    """Before, `PYTHONOPTIMIZE=2` compiled them while a picture was read, which then took too long."""
    source = "from numba import njit\n@njit(cache=True)\ndef double(x):\n    'Doubles.'\n    return 2 * x + 7 * x"
    (tmp_path / "doubling.py").write_text(source)
    program = (
        "from tasks import compiled, lean_numba; import doubling; before = compiled._is_compiled(doubling.double); "
        "doubling.double(2); print(before, compiled._is_compiled(doubling.double))"
    )
    paths = os.pathsep.join([str(tmp_path), *sys.path])
    for options in ([], ["-OO"]):
        command = [sys.executable, *options, "-c", program]
        run = subprocess.run(command, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, check=True)
        assert run.stdout.split() == [b"False", b"True"], options


def test_kernels_of_another_processor_are_missed(monkeypatch):
    """An image, or a home, may have been made on another machine; before, all was compiled again in silence."""
    assert compiled._is_compiled(deflate._encode)
    monkeypatch.setattr("llvmlite.binding.get_host_cpu_name", lambda: "another")
    assert not compiled._is_compiled(deflate._encode)


@pytest.mark.parametrize(("name", "value"), [
    ("NUMBA_CPU_NAME", "foo"), ("NUMBA_CPU_NAME", "i386"), ("NUMBA_CPU_FEATURES", "avx2"),
])  # fmt: skip
def test_a_processor_that_is_none_is_named_at_once(monkeypatch, name, value):
    """LLVM would take another, compile for minutes, or abort: i386 has no registers of 64 bits."""
    monkeypatch.setenv(name, value)
    with pytest.raises(BadInput, match=rf"^{name}: must be .*; it is '{value}'; unset it"):
        compiled.require_compiling()


def test_a_kernel_that_reads_is_compiled_once_for_all_arrays():
    """Also for those over bytes and of Pillow, which cannot be written to, and for those that are not contiguous."""
    given = np.full((1, 30, 60, 3), 255, np.uint8)
    given[0, 8:22, 20:24] = 200, 30, 30
    shown = np.frombuffer(given.tobytes(), np.uint8).reshape(given.shape)
    kernels = colour_ink.ink_of_each, deflate._encode, deflate._count_symbols, pictures._find_content
    kernels = (*kernels, statistics.spread_of_colours, statistics.hash_pictures, statistics._insert)
    block = Block(
        given, np.array([b"A"]), np.zeros((1, 1, 4), np.int16),
        np.array([(30, 60)], [("height", "<u2"), ("width", "<u2")]), np.zeros(1, np.uint8),
    )  # fmt: skip
    counts = []
    for images in (given, shown, np.asfortranarray(given)):
        colour_ink.to_ink(images)
        colour_ink.ink_of_colours(images[0])
        pictures.find_content(images, np.array([[30, 60]]))
        deflate.compress(images.reshape(-1))
        statistics.Distinct().add(images.reshape(-1)[:80].view(np.uint64))
        statistics.Tally("A").add(block._replace(images=images))
        counts.append([len(kernel.signatures) for kernel in kernels])
    assert counts[0] == counts[1] == counts[2]
