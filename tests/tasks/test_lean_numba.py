"""Compiled kernels open without what numba compiles with; a kernel that is compiled later finds it all the same."""

import subprocess
import sys

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
