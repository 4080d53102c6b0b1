"""The working directory may be anybody's: what lies there is neither imported nor obeyed by what a command starts."""

import subprocess
import sys
from pathlib import Path

import pytest

from flows.__main__ import main
from flows.shell.surroundings import SAFE_PATH

ROOT = Path(__file__).parents[3]


@pytest.fixture
def foreign(tmp_path, monkeypatch):
    """A working directory with a stranger's module and settings of numba; the variables that a command sets."""
    (tmp_path / "multiprocessing.py").write_text("raise SystemExit('theirs')")
    (tmp_path / ".numba_config.yaml").write_text("cache_dir: theirs\nnum_threads: 1\ndisable_jit: 1\n")
    monkeypatch.chdir(tmp_path)
    for name in (SAFE_PATH, "NUMBA_CACHE_DIR", "NUMBA_CACHE_LOCATOR_CLASSES", "NUMBA_DISABLE_JIT"):
        monkeypatch.setenv(name, "?")  # restored at the end
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr(sys, "argv", ["captchas"])
    return tmp_path


def run(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False).stdout


def test_a_child_imports_no_module_and_takes_no_compiled_kernels_of_the_working_directory(foreign):
    program = "import multiprocessing, numba; print(repr(numba.config.CACHE_DIR), numba.config.DISABLE_JIT)"
    assert run(program) == ""
    with pytest.raises(SystemExit):
        main()
    assert run(program) == "'' 0\n"


def test_numba_reads_no_settings_of_the_working_directory(foreign):
    program = (
        "import sys; sys.path.pop(0); from tasks.lean_numba import import_lean; import_lean(); import numba; "
        "import warnings; warnings.simplefilter('error'); "
        "numba.core.config.reload_config(); print(repr(numba.config.CACHE_DIR), numba.config.DISABLE_JIT)"
    )
    assert run(program) == "'' 0\n"


def test_names_are_read_and_told_in_a_locale_that_knows_none(tmp_path):
    """As under cron, or in a container: Python would read names and text as ASCII."""
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "flows", "solve", "nicht-d\u00e4-\u5199.png"],
        capture_output=True, env=locale, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.decode().startswith("captchas: nicht-d\u00e4-\u5199.png: no such file or folder")
