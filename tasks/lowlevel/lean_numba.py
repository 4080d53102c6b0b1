"""Load kernels in a process that ends soon: numba without scipy."""

import sys


def load_without_scipy() -> None:
    """Have numba load its compiler's tables without scipy, whose linear algebra takes a fifth of a second more.

    numba imports scipy.linalg there, to see whether kernels can multiply matrices with BLAS. The kernels here do not.
    Call it before the first kernel, and only in a process of this project: in a user's own, numba has to know of BLAS.
    """
    if "scipy.linalg" in sys.modules:
        return
    sys.modules["scipy.linalg"] = None  # type: ignore[assignment]  # so that its import is an ImportError
    try:
        import numba.np.arraymath  # noqa: F401 - it looks for BLAS
    finally:
        del sys.modules["scipy.linalg"]
