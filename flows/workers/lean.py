"""What a local worker does before its first job; Dask finds `dask_setup` by its name."""

from distributed import Worker

from tasks.lean_numba import import_lean


def dask_setup(_worker: Worker) -> None:
    """Import numba while the run itself still begins, and without what it only looks for."""
    import_lean()
