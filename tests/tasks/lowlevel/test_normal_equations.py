"""Small least squares, solved in a kernel."""

import numpy as np

from tasks.lowlevel.normal_equations import solve


def test_the_solution_is_that_of_numpy():
    random = np.random.Generator(np.random.Philox(3))
    for rows in (4, 5, 32):
        design = random.random((rows, 4))
        normal, right = design.T @ design + 1e-3 * np.eye(4), design.T @ (255 * random.random(rows))
        found = np.zeros(4)
        solve(normal.copy(), right.copy(), found)
        np.testing.assert_allclose(found, np.linalg.solve(normal, right), rtol=1e-9)
