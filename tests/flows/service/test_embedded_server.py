"""The embedded server that is started early: only where it is ours to start, and it ends with the process."""

import json
import os
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from prefect import Flow
from prefect.results import resolve_serializer

from flows.command_line import PLAIN
from flows.service import embedded_server, passwords, run_database
from flows.service.prefect_guard import HOSTS
from flows.shell.commands import COMMANDS
from storage.errors import BadInput

ANSWERS = """
import http.server, sys
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/api/health" else 404)
        self.end_headers()
    def log_message(self, *_):
        pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Health).serve_forever()
"""


@pytest.fixture
def ours(tmp_path, monkeypatch):
    """The environment as `prepare_environment` leaves it, with a database; no server is started in earnest."""
    (tmp_path / run_database.DATABASE).write_bytes(b"a database")
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    monkeypatch.setenv("PREFECT_SERVER_ALLOW_EPHEMERAL_MODE", "true")
    monkeypatch.setenv("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "20")
    monkeypatch.delenv("PREFECT_API_URL")
    monkeypatch.setattr(run_database, "template", lambda: tmp_path / "none")
    for name in (passwords.SERVER, passwords.CLIENT):
        monkeypatch.setenv(name, "")  # restored afterwards
    monkeypatch.setattr(embedded_server, "_begun", None)
    monkeypatch.setattr(embedded_server.atexit, "register", lambda _: None)
    started = []

    def run(script: str):
        popen = subprocess.Popen

        def other(command, **options):
            port = command[command.index("--port") + 1]
            started.append(popen([sys.executable, "-c", script, port], **options))
            return started[-1]

        monkeypatch.setattr(embedded_server.subprocess, "Popen", other)
        return started

    yield run
    for process in started:
        process.kill()
        process.wait()


def test_it_is_named_waited_for_and_ended(ours):
    started = ours("import time; time.sleep(0.3)" + ANSWERS)
    embedded_server.begin(own=True)
    assert os.environ["PREFECT_API_URL"].startswith("http://127.0.0.1:")
    embedded_server.wait()
    assert started[0].poll() is None
    embedded_server._begun.stop()
    assert started[0].poll() is not None
    embedded_server._begun.stop()


def test_without_a_database_it_is_started_when_it_is_waited_for(ours, tmp_path):
    """The parameters are checked before: a mistake would leave half a database."""
    started = ours(ANSWERS)
    (tmp_path / run_database.DATABASE).unlink()
    embedded_server.begin(own=True)
    named = os.environ["PREFECT_API_URL"]
    embedded_server._begun.stop()
    assert started == []
    embedded_server.wait()
    assert len(started) == 1 and f":{started[0].args[-1]}/" in named
    embedded_server.wait()
    assert len(started) == 1


@pytest.mark.parametrize("own", [True, False])
def test_every_server_of_a_command_asks_for_a_password_of_its_own(ours, own):
    ours(ANSWERS)
    embedded_server.begin(own)  # where it is not ours, Prefect starts one
    assert len(os.environ[passwords.SERVER]) > 40
    assert os.environ[passwords.SERVER] == os.environ[passwords.CLIENT]


def test_a_server_of_the_user_gets_the_password_of_the_user_or_none(ours, monkeypatch):
    started = ours(ANSWERS)
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    embedded_server.begin(own=False)
    assert started == [] and os.environ[passwords.CLIENT] == ""


def test_a_wrong_list_of_hosts_is_told_before_it_starts(ours, monkeypatch):
    started = ours(ANSWERS)
    monkeypatch.setenv(HOSTS, "*")
    with pytest.raises(BadInput, match=HOSTS):
        embedded_server.begin(own=True)
    assert started == []


@pytest.mark.parametrize("why", ["not ours", "not wanted"])
def test_where_it_is_not_ours_to_start_prefect_does_as_always(ours, monkeypatch, why):
    started = ours(ANSWERS)
    if why == "not wanted":
        monkeypatch.setenv("PREFECT_SERVER_ALLOW_EPHEMERAL_MODE", "false")
    embedded_server.begin(own=why != "not ours")
    embedded_server.wait()
    assert started == [] and "PREFECT_API_URL" not in os.environ


def test_one_that_ends_while_it_starts_is_told_at_once(ours):
    ours("raise SystemExit(3)")
    embedded_server.begin(own=True)
    began = time.monotonic()
    with pytest.raises(
        embedded_server.ServerLost, match=r"ended while it started, with exit code 3; see .*; give the same command"
    ):
        embedded_server.wait()
    assert time.monotonic() - began < 30


def test_one_that_takes_too_long_is_told(ours, monkeypatch):
    monkeypatch.setenv("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "0.2")
    ours("import time; time.sleep(60)")
    embedded_server.begin(own=True)
    with pytest.raises(embedded_server.ServerLost, match="takes too long to start"):
        embedded_server.wait()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (httpx.ConnectError("All connection attempts failed"), "All connection attempts failed"),
        (httpx.ReadTimeout(""), "ReadTimeout"),
        (RuntimeError("Failed to reach API at http://127.0.0.1:9/api/"), "Failed to reach API"),
    ],
)
def test_a_server_that_fails_during_a_run_is_told_in_a_line(ours, error, said):
    with pytest.raises(embedded_server.ServerLost, match=said) as told, embedded_server.failures_explained():
        raise error
    assert "\n" not in str(told.value)


def test_its_log_is_for_the_group_of_a_shared_home_and_replaces_what_cannot_be_written(ours, tmp_path):
    """The log of one user kept every other user of a shared home from any command."""
    log, other = tmp_path / embedded_server.LOG, tmp_path / "other"
    other.write_text("another's")
    tmp_path.chmod(0o2770)
    ours("")
    before = os.umask(0o002)
    try:
        for make in (lambda: None, lambda: log.symlink_to(other), lambda: os.mkfifo(log)):
            make()
            os.close(embedded_server._log())
            assert stat.S_ISREG(log.lstat().st_mode) and stat.S_IMODE(log.lstat().st_mode) == 0o660
            log.unlink()
    finally:
        os.umask(before)
    assert other.read_text() == "another's"


def test_a_full_disk_is_named_when_the_server_fails(ours, monkeypatch, tmp_path):
    ours(ANSWERS)
    embedded_server.begin(own=True)
    monkeypatch.setattr(embedded_server.shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
    told = pytest.raises(embedded_server.ServerLost, match=f"0 bytes are free in {tmp_path}")
    with told, embedded_server.failures_explained():
        raise httpx.ConnectError("Server error '500 Internal Server Error'")


def test_a_failure_of_prefect_s_names_the_variables_that_it_may_be_for(ours, monkeypatch):
    """Prefect judges some of its settings only when it uses them."""
    ours("raise SystemExit(3)")
    monkeypatch.setenv("PREFECT_RESULTS_DEFAULT_SERIALIZER", "none such")
    told = pytest.raises(BadInput, match=r"Prefect failed \(.*none such.*unset .*PREFECT_RESULTS_DEFAULT_SERIALIZER")
    with told, embedded_server.failures_explained():
        resolve_serializer("none such")
    embedded_server.begin(own=True)
    with pytest.raises(embedded_server.ServerLost, match=r"unset .*PREFECT_RESULTS_DEFAULT_SERIALIZER"):
        embedded_server.wait()


def test_other_errors_of_a_run_pass(monkeypatch):
    monkeypatch.setenv("PREFECT_RESULTS_DEFAULT_SERIALIZER", "none such")
    with pytest.raises(ZeroDivisionError), embedded_server.failures_explained():
        _ = 1 / 0


@pytest.mark.slow
def test_a_command_uses_it_in_spite_of_proxies_and_leaves_no_process(environment, tmp_path):
    folder = tmp_path / "prefect"
    folder.mkdir()
    # What a first run leaves: the database of the tests' own server, which is complete.
    with (
        closing(sqlite3.connect(Path(environment["TESTS_PREFECT_FOLDER"], run_database.DATABASE))) as made,
        closing(sqlite3.connect(folder / run_database.DATABASE)) as copy,
    ):
        made.backup(copy)
    plain = {name: value for name, value in environment.items() if not name.startswith("PREFECT_")}
    # Nothing answers there: what runs on this machine is asked without a proxy.
    plain |= {"http_proxy": "http://127.0.0.1:9", "HTTPS_PROXY": "127.0.0.1:9", "all_proxy": "http://127.0.0.1:9"}
    command = [sys.executable, "-X", "importtime", "-m", "flows", "generate", "letters", "--count", "1024", "--json"]
    run = subprocess.run(
        [*command, "--workers", "1", "--home", str(tmp_path), "--out", str(tmp_path / "d")],
        capture_output=True, text=True, env=plain, timeout=240,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["drawn"] == 1024
    assert "prefect.client" in run.stderr and "prefect.server.api.server" not in run.stderr  # it is not started here
    with closing(sqlite3.connect(folder / run_database.DATABASE)) as database:
        states = database.execute("select state_type from flow_run where name like 'generate-letters-1024-20%'")
        assert states.fetchall() == [("COMPLETED",)]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            assert str(tmp_path).encode() not in (process / "environ").read_bytes(), process.name
        except OSError:
            continue


NO_FLOWS = """
import sys
from flows.__main__ import main
home, codes = sys.argv[1:], []
for arguments in (["profiles"], ["generate", "--help"], ["inspect", "train"]):
    sys.argv = ["captchas", *arguments, *home]
    try:
        codes.append(main() or 0)
    except SystemExit as ended:
        codes.append(ended.code or 0)
print(codes)
"""


def test_a_command_that_is_no_flow_starts_none(tmp_path):
    (tmp_path / "prefect").mkdir()
    (tmp_path / "prefect" / run_database.DATABASE).touch()  # a server would make it one
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    run = subprocess.run(
        [sys.executable, "-c", NO_FLOWS, "--home", str(tmp_path)], capture_output=True, env=environment, timeout=60
    )
    assert run.stdout.splitlines()[-1] == b"[0, 0, 2]", run.stderr  # there is no `train` to inspect
    assert (tmp_path / "prefect" / run_database.DATABASE).stat().st_size == 0


def test_which_commands_are_no_flows():
    for name, (where, _) in COMMANDS.items():
        module, function = where.split(":")
        assert isinstance(getattr(import_module(module), function), Flow) == (name not in PLAIN), name
