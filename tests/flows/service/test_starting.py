"""What makes commands start and end sooner leaves the process as it was."""

import gc
import json
import subprocess
import sys

import pytest
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, get_current_settings, temporary_settings

from flows.service.starting import without_collector, without_heartbeats


@pytest.mark.parametrize("on", [True, False])
def test_the_collector_is_as_it_was(on):
    if not on:
        gc.disable()
    try:
        with pytest.raises(ImportError), without_collector():
            assert not gc.isenabled()
            raise ImportError
        assert gc.isenabled() is on
    finally:
        gc.enable()
        gc.unfreeze()


def test_commands_send_no_heartbeats_unless_the_user_sets_them():
    assert get_current_settings().flows.heartbeat_frequency is not None
    with without_heartbeats():
        assert get_current_settings().flows.heartbeat_frequency is None
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: 60}), without_heartbeats():
        assert get_current_settings().flows.heartbeat_frequency == 60


def test_prefect_imports_nothing_more_once_the_rest_is_imported():
    """What a first flow run imports is imported while the server starts."""
    program = (
        "import json, sys; import flows.generate; from flows.service.starting import import_rest; import_rest(); "
        "before = set(sys.modules); import prefect.engine, prefect.flow_engine, prefect.task_engine, fastapi.encoders; "
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert json.loads(run.stdout) == []
