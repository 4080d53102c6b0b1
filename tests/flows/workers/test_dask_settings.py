"""A variable of Dask's that it cannot use is named before any worker fails for it."""

import errno
import os
import tempfile

import pytest
from dask import config
from distributed.config import initialize_logging

from flows.service.prefect_settings import settings_explained
from flows.workers.cluster import beginning, crew
from flows.workers.dask_settings import require_dask_settings, require_scratch
from storage.errors import BadInput, NoSpace


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DISTRIBUTED__COMM__TIMEOUTS__CONNECT", "banana"),
        ("DISTRIBUTED__WORKER__MEMORY__TARGET", "hello"),
        ("DISTRIBUTED__COMM__SHARD", "much"),
        ("DISTRIBUTED__WORKER__DAEMON", "perhaps"),
        ("DISTRIBUTED__WORKER", "3"),
        ("DISTRIBUTED__COMM__COMPRESSION", "nope"),
    ],
)
def test_a_value_of_another_kind_is_named(monkeypatch, name, value):
    monkeypatch.setenv(f"DASK_{name}", value)
    with pytest.raises(BadInput, match=f"DASK_{name}: must be .*; it is '{value}'; correct or unset it"), crew(1):
        pass
    with pytest.raises(BadInput, match=name), beginning(1):
        pass


def test_values_of_dask_s_kinds_are_taken(monkeypatch):
    defaults = {
        "COMM__TIMEOUTS__CONNECT": "90s", "WORKER__MEMORY__TARGET": "False", "COMM__SHARD": "1 GiB", "X": "y",
        "WORKER__DAEMON": "false", "SCHEDULER__ALLOWED_FAILURES": "0", "COMM__TIMEOUTS__TCP": "7",
        "COMM__COMPRESSION": "zlib",
    }  # fmt: skip
    for name, value in defaults.items():
        monkeypatch.setenv(f"DASK_DISTRIBUTED__{name}", value)
    monkeypatch.setenv("DASK_CONFIG", os.devnull)
    require_dask_settings()


def test_a_malformed_file_is_named(tmp_path):
    (tmp_path / "dask.yaml").write_text("a: [1\n")
    with pytest.raises(BadInput, match=r"DASK_CONFIG: .*dask\.yaml' is malformed.*mend"), settings_explained():
        list(config.collect_yaml([str(tmp_path)]))


def test_a_level_of_logging_that_is_none_is_named(monkeypatch):
    monkeypatch.setenv("DASK_DISTRIBUTED__LOGGING__DISTRIBUTED", "zzz")
    settings = {"distributed": {"logging": {"distributed": "zzz"}}}  # as Dask reads it while it is imported
    said = r"^DASK_DISTRIBUTED__LOGGING__DISTRIBUTED: its logging .*'ZZZ'.*correct"
    with pytest.raises(BadInput, match=said), settings_explained():
        initialize_logging(config.merge(config.config, settings))


def test_a_folder_for_temporary_files_that_cannot_be_is_named(monkeypatch):
    monkeypatch.setenv("DASK_TEMPORARY_DIRECTORY", "/dev/null/x")
    told = pytest.raises(BadInput, match=r"DASK_TEMPORARY_DIRECTORY: must be a folder .*; it is '/dev/null/x'")
    with config.set({"temporary-directory": "/dev/null/x"}), beginning(1), told, crew(1):
        pass


def test_a_full_disk_is_no_fault_of_the_folder_that_is_named(monkeypatch, tmp_path):
    def refuse(**_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with config.set({"temporary-directory": str(tmp_path)}), pytest.raises(NoSpace, match="the disk is full"):
        require_scratch()
