"""What processes that a command starts take from the working directory, which may be anybody's: nothing.

An archive of pictures may have a `multiprocessing.py` or a `.numba_config.yaml` beside them.
"""

import os

SAFE_PATH = "PYTHONSAFEPATH"  # Python's: a new process imports nothing from its working directory
# numba's variables count for more than its file, which could name a folder of compiled kernels.
_NUMBA = {"NUMBA_CACHE_DIR": "", "NUMBA_CACHE_LOCATOR_CLASSES": "", "NUMBA_DISABLE_JIT": "0"}


def shut_out_folder() -> None:
    """Set the variables by which children import and load nothing that lies in the working directory."""
    os.environ[SAFE_PATH] = "1"
    for name, value in _NUMBA.items():
        os.environ.setdefault(name, value)
