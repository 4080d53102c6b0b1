"""What the system refuses is told with its rule, the value found and a remedy that helps."""

import errno
import os
import resource
from pathlib import Path

import pytest

from storage.errors import BadInput, Exhausted, NoSpace, explained, refused_by_system

LIMITS = {"files": resource.RLIMIT_NOFILE, "memory": resource.RLIMIT_AS, "size": resource.RLIMIT_FSIZE}


@pytest.fixture
def limited(monkeypatch):
    """Set what `resource` says of a limit."""
    found = dict.fromkeys(LIMITS.values(), resource.RLIM_INFINITY)
    monkeypatch.setattr(resource, "getrlimit", lambda number: (found[number], found[number]))
    return lambda name, value: found.__setitem__(LIMITS[name], value)


def error(number: int, path: str | None = None) -> OSError:
    return OSError(number, os.strerror(number), path) if path else OSError(number, os.strerror(number))


def test_too_many_open_files_name_the_limit(limited):
    limited("files", 8)
    told = refused_by_system(error(errno.EMFILE))
    assert isinstance(told, Exhausted)
    assert "may open 8" in str(told) and "ulimit -n" in str(told)
    assert "this machine" in str(refused_by_system(error(errno.ENFILE)))


def test_a_thread_too_many_names_the_limits():
    assert "ulimit -u" in str(refused_by_system(RuntimeError("can't start new thread")))


def test_a_folder_for_compiled_kernels_that_is_none_names_the_variable():
    told = refused_by_system(RuntimeError("cannot cache function 'f': no locator available for file 'a.py'"))
    assert isinstance(told, BadInput) and str(told).startswith("NUMBA_CACHE_DIR: must be a folder")


def test_a_working_directory_that_is_gone_is_named(tmp_path, monkeypatch):
    assert refused_by_system(error(errno.ENOENT)) is None
    (folder := tmp_path / "gone").mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    with pytest.raises(FileNotFoundError) as gone:
        Path("a.csv").absolute()
    assert "the working directory: is not there any more" in str(refused_by_system(gone.value))


LIBRARY = "Could not find/load shared object file 'libllvmlite.so'"
MAP = "libx.so: failed to map segment from shared object"


@pytest.mark.parametrize("found", [MemoryError(), error(errno.ENOMEM), OSError(LIBRARY), ImportError(MAP)])
def test_too_little_memory_names_the_limit(limited, found):
    limited("memory", 500_000_000)
    told = refused_by_system(found)
    assert isinstance(told, Exhausted)
    assert "500.0 MB" in str(told) and "ulimit -v" in str(told)


def test_without_a_limit_memory_is_short_and_a_library_is_missing(limited):
    assert "--workers" in str(refused_by_system(MemoryError()))
    assert refused_by_system(OSError(LIBRARY)) is None
    assert refused_by_system(ImportError(MAP)) is None


def test_other_errors_are_not_ours():
    for found in (error(errno.EIO, "file"), RuntimeError("other"), ImportError("no module"), OSError("other")):
        assert refused_by_system(found) is None


@pytest.mark.parametrize(
    ("path", "said", "advice"),
    [
        ("/home/" + "n" * 300 + "/prefect", "has 300 bytes", "give another name"),
        ("/" + "folder/" * 600, "has 4201 bytes", "a shorter path"),
        ("/data/" + "n" * 240 + ".lock.tmp", "too long with the ending", "at most 223 bytes"),
    ],
)
def test_a_long_name_gets_the_advice_that_fits(path, said, advice):
    told = refused_by_system(error(errno.ENAMETOOLONG, path))
    assert isinstance(told, BadInput)
    assert said in str(told) and advice in str(told)


def test_a_file_too_large_is_no_full_disk(limited, tmp_path):
    assert "another disk" in str(explained(error(errno.EFBIG), tmp_path))
    limited("size", 1024)
    told = explained(error(errno.EFBIG), tmp_path)
    assert isinstance(told, NoSpace)
    assert "may write 1024 bytes" in str(told) and "ulimit -f" in str(told) and "disk is full" not in str(told)


def test_a_message_about_a_text_without_an_end_has_one():
    told = str(BadInput(f"label {'x' * 1_000_000!r}: must be short; write it again"))
    assert len(told) < 5000
    assert told.startswith("label 'xxx") and told.endswith("must be short; write it again")


@pytest.mark.parametrize(("given", "named"), [("/full/kernels", "/full/kernels"), (None, "beside their sources")])
def test_a_full_disk_of_compiled_kernels_is_named(monkeypatch, given, named):
    """It ended a command with "[Errno 28] No space left on device" and nothing else."""
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    if given:
        monkeypatch.setenv("NUMBA_CACHE_DIR", given)
    space: dict = {}
    code = "def save(): raise OSError(28, 'No space left on device')"
    exec(compile(code, "/lib/numba/core/caching.py", "exec"), space)
    with pytest.raises(OSError, match="No space") as error:
        space["save"]()
    told = refused_by_system(error.value)
    assert isinstance(told, NoSpace)
    assert f"where they are kept, {named}" in str(told)
    assert "export NUMBA_CACHE_DIR=FOLDER" in str(told)
    assert refused_by_system(OSError(28, "No space left on device")) is None
