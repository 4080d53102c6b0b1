"""Compiled kernels open without what numba compiles with; a kernel that is compiled later finds it all the same."""

import subprocess
import sys

import pytest

from storage.errors import BadInput
from tasks.lean_numba import _settings_explained

PROGRAM = """
import sys
from tasks.lean_numba import import_lean
import_lean()
import numba
import numpy as np
from tasks.reading import deskew
from tasks.reading.components import find_apart

images = np.zeros((1, 40, 90), np.uint8)
images[:, 10:30, 20:26] = 255
print(find_apart(deskew.upright(images)[0]).counts)
print([name for name in ("numba.np.arrayobj", "numpy.ma") if name in sys.modules])

@numba.njit
def reach(rows):
    return np.array([deskew._reach(rows)])

print(deskew._reach.stats.cache_hits.total(), reach(40) == [deskew._reach(40)])
"""


def test_a_kernel_opens_by_its_machine_code_and_can_still_be_called_by_one_that_is_compiled():
    run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert run.stdout.split("\n")[:3] == ["[1]", "[]", "1 [ True]"]


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [("NUMBA_DEBUG", "o\nn", "a value that numba takes"), ("NUMBA_NUM_THREADS", "two", "1 or more")],
)
def test_a_variable_that_numba_cannot_read_is_named(name, value, rule):
    from numba.core.config import _env_reloader

    with pytest.raises(BadInput) as error, _settings_explained():
        _env_reloader.process_environ({name: value})
    assert str(error.value) == f"{name}: must be {rule}; it is {value!r}; correct or unset it"
