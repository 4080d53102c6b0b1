"""Solve small least squares in a kernel; numba's own solver imports scipy.linalg, which takes longer than a picture."""

import numba


@numba.njit(cache=True, nogil=True)
def solve(normal, right, solution):
    """Solve normal equations by elimination; they need no pivots, since they are symmetric and positive definite.

    Parameters
    ----------
    normal, right : (n, n), (n,) float64
        They are overwritten.
    solution : (n,) float64
        Filled in.
    """
    count = len(right)
    for a in range(count):
        for b in range(a + 1, count):
            share = normal[b, a] / normal[a, a]
            for c in range(a, count):
                normal[b, c] -= share * normal[a, c]
            right[b] -= share * right[a]
    for a in range(count - 1, -1, -1):
        rest = right[a]
        for b in range(a + 1, count):
            rest -= normal[a, b] * solution[b]
        solution[a] = rest / normal[a, a]
