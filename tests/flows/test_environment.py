"""A wrong environment: each is told in a line that names it, by the real command, before any work."""

import errno
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path

import pytest

from flows import environment
from flows.service import prefect_settings
from flows.service.prefect_settings import require_settings, require_writable
from flows.service.run_database import ONCE
from storage.errors import BadInput, NoSpace, Unreachable

ROOT = Path(__file__).parents[2]

LONG = pytest.mark.soak  # more cases of kinds that are tried each time


@pytest.fixture
def captchas(tmp_path):
    """Run `captchas ARGUMENTS` from a shell line that ends with `"$@"`, without any setting of ours or Prefect's."""

    def run(*arguments, shell: str = 'exec "$@"', **variables) -> subprocess.CompletedProcess:
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PREFECT_", "CAPTCHAS_")) and not name.lower().endswith("_proxy")
        }
        environment = clean | {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "CAPTCHAS_HOME": str(tmp_path / "data")}
        command = ["bash", "-c", shell, "bash", sys.executable, "-m", "flows", *map(str, arguments)]
        return subprocess.run(command, env=environment | variables, capture_output=True, text=True, timeout=120)

    return run


def in_a_line(result: subprocess.CompletedProcess, code: int, *words: str) -> None:
    # An installation without the template of Prefect's database says so before.
    lines = [line for line in result.stderr.splitlines() if ONCE not in line]
    assert result.returncode == code, result.stderr
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("captchas: ")
    for word in words:
        assert word in lines[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "abc"),
        pytest.param(*("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "-1"), marks=LONG),
        pytest.param(*("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "nan"), marks=LONG),
        pytest.param(*("PREFECT_LOGGING_LEVEL", "nonsense"), marks=LONG),
        pytest.param(*("PREFECT_TASKS_DEFAULT_RETRIES", "many"), marks=LONG),
        pytest.param(*("PREFECT_SERVER_API_PORT", "http"), marks=LONG),
        ("PREFECT_API_URL", "nonsense"),
        pytest.param(*("PREFECT_API_URL", "ftp://127.0.0.1/api"), marks=LONG),
        pytest.param(*("PREFECT_API_URL", "http://[::1/api"), marks=LONG),
        pytest.param(*("PREFECT_API_URL", "http://127.0.0.1:99999/api"), marks=LONG),
    ],
)
def test_a_bad_variable_is_named(captchas, name, value):
    result = captchas("generate", "book", "--count", 10, **{name: value})
    in_a_line(result, 2, f"captchas: {name}: ", "correct or unset it")
    assert f"it is {value!r}".casefold() in result.stderr.casefold()  # Prefect judges some values in upper case


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PREFECT_CLIENT_CUSTOM_HEADERS", "nonsense"),
        pytest.param(*("PREFECT_LOGGING_SETTINGS_PATH", "folder"), marks=LONG),
        pytest.param(*("PREFECT_LOGGING_SETTINGS_PATH", "empty.yml"), marks=LONG),
        ("PREFECT_HOME", "empty.yml"),
        pytest.param(*("PREFECT_HOME", "empty.yml/below"), marks=LONG),
        pytest.param(*("PREFECT_SERVER_DATABASE_CONNECTION_URL", "mysql://me:secret@127.0.0.1/prefect"), marks=LONG),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(captchas, tmp_path, name, value):
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.yml").touch()
    result = captchas("generate", "book", shell=f'cd {tmp_path}; exec "$@"', **{name: value})
    in_a_line(result, 2, f"captchas: {name}: ", "correct or unset it")
    assert "secret" not in result.stderr


@pytest.mark.parametrize("command", [("preview", "letters"), ("solve", "a.png")])
def test_a_number_of_threads_that_numba_cannot_have_is_named(captchas, tmp_path, command):
    (tmp_path / "a.png").write_bytes(b"")
    result = captchas(*command, shell=f'cd {tmp_path}; exec "$@"', NUMBA_NUM_THREADS="0")
    in_a_line(result, 2, "captchas: NUMBA_NUM_THREADS: must be 1 or more; it is '0'", "correct or unset it")


def test_kernels_that_are_not_to_be_compiled_are_refused(captchas, tmp_path):
    picture = tmp_path / "a.png"
    picture.touch()
    in_a_line(captchas("solve", picture, NUMBA_DISABLE_JIT="1"), 2, "NUMBA_DISABLE_JIT: ", "unset it")
    in_a_line(captchas("generate", "book", NUMBA_DISABLE_JIT="2"), 2, "NUMBA_DISABLE_JIT: ", "unset it")
    assert not (tmp_path / "data" / "prefect" / "prefect.db").exists()  # no server has been started
    assert captchas("profiles", NUMBA_DISABLE_JIT="1").returncode == 0


@LONG
def test_a_bad_variable_is_named_after_up_could_not_start(captchas):
    result = captchas("up", "--port", 0, PREFECT_LOGGING_LEVEL="nonsense")
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1].startswith("captchas: PREFECT_LOGGING_LEVEL: ")


@pytest.mark.parametrize(("status", "body"), [(200, b"<html>"), pytest.param(404, b"", marks=LONG)])
def test_a_server_of_something_else_is_named(captchas, status, body):
    class Other(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        try:
            url = f"http://somebody:secret@127.0.0.1:{server.server_port}/api"
            result = captchas("generate", "book", "--count", 10, PREFECT_API_URL=url)
        finally:
            server.shutdown()
    in_a_line(result, 1, "PREFECT_API_URL", f"http://127.0.0.1:{server.server_port}/api", "something else")
    assert "secret" not in result.stderr


@pytest.mark.parametrize("silent", [1, 2], ids=["it answers later", "it never answers"])
def test_a_server_that_is_busy_is_waited_for(monkeypatch, capsys, silent):
    asked, over = [], threading.Event()

    class Busy(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            if len(asked) <= silent:
                over.wait(30)
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'"3.7.8"')

        def log_message(self, *_):
            pass

    monkeypatch.setattr(environment, "_ANSWER", 0.3)
    monkeypatch.setattr(environment, "_BUSY", 30.0 if silent == 1 else 0.3)
    with ThreadingHTTPServer(("127.0.0.1", 0), Busy) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        named = environment.Server("PREFECT_API_URL", f"http://somebody:secret@127.0.0.1:{server.server_port}/api")
        try:
            if silent == 1:
                environment.require_reachable(named)
            else:
                with pytest.raises(Unreachable, match=r"takes connections and does not answer within 0 s: it is busy"):
                    environment.require_reachable(named)
        finally:
            over.set()
            server.shutdown()
    assert asked == ["/api/admin/version"] * 2
    said = capsys.readouterr().err
    assert said.startswith("captchas: PREFECT_API_URL: waiting for http://127.0.0.1:") and "secret" not in said


@pytest.mark.slow
def test_a_server_that_is_not_there_is_named_without_its_password(captchas):
    url = "http://somebody:secret@127.0.0.1:9/api"  # the port of `discard`
    result = captchas("generate", "book", "--count", 10, PREFECT_API_URL=url)
    in_a_line(result, 1, "PREFECT_API_URL", "http://127.0.0.1:9/api", "start it")
    assert "secret" not in result.stderr


@pytest.mark.parametrize(
    "content",
    [
        "[[[",
        pytest.param("profiles = 3\n", marks=LONG),
        pytest.param("[profiles]\nwork = 'no table'\n", marks=LONG),
    ],
)
def test_a_broken_file_of_profiles_is_named(captchas, tmp_path, content):
    (tmp_path / ".prefect").mkdir()
    (tmp_path / ".prefect" / "profiles.toml").write_text(content)
    in_a_line(captchas("generate", "book"), 2, str(tmp_path / ".prefect" / "profiles.toml"), "mend or remove it")


def test_a_file_of_profiles_that_is_a_pipe_or_has_no_end_is_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    monkeypatch.delenv("PREFECT_PROFILES_PATH", raising=False)
    monkeypatch.setattr(environment.Path, "read_text", None)  # which would wait
    profiles = tmp_path / "profiles.toml"
    os.mkfifo(profiles)
    for _ in range(2):
        with pytest.raises(BadInput, match=r"profiles.toml: is no file of Prefect's profiles \(it is a device, a pipe"):
            environment.active_profile()
        profiles.unlink()
        profiles.symlink_to("/dev/zero")


def test_no_profiles_are_said_with_the_null_device(monkeypatch):
    monkeypatch.setenv("PREFECT_PROFILES_PATH", "/dev/null")
    assert environment.active_profile() == {}


def test_closed_standard_output_is_named(captchas):
    in_a_line(captchas("profiles", shell='exec "$@" >&-'), 2, "standard output", "/dev/null")


@pytest.mark.parametrize("option", [(), ("--json",)])
def test_full_standard_output_is_named(captchas, option):
    in_a_line(captchas("profiles", *option, shell='exec "$@" >/dev/full'), 1, "standard output", "No space left")


@pytest.mark.parametrize("arguments", [("--version",), ("verify", "--help")])
def test_full_standard_output_is_named_for_help(captchas, arguments):
    result = captchas(*arguments, shell='exec "$@" >/dev/full')
    in_a_line(result, 1, "standard output", "No space left")


def test_a_reader_that_leaves_early_does_no_harm(captchas):
    result = captchas("profiles", shell='"$@" | head -c 1; echo "${PIPESTATUS[0]}"')
    assert (result.stdout[1:], result.stderr) in {("0\n", ""), ("1\n", "")}  # 0 if all was written before it left


def test_closed_input_and_errors_do_no_harm(captchas):
    result = captchas("profiles", "--json", shell='exec "$@" <&- 2>&-')
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("columns", ["0", pytest.param("2", marks=LONG)])
def test_help_on_a_terminal_of_no_width(captchas, columns):
    result = captchas("datasets", "--help", COLUMNS=columns)
    assert (result.returncode, "Usage:" in result.stdout) == (0, True)


def test_few_open_files_are_named(captchas):
    in_a_line(captchas("generate", "book", shell='ulimit -n 40; exec "$@"'), 2, "open files", "40", "ulimit -n")


def test_small_files_are_named(captchas):
    result = captchas("generate", "book", shell='ulimit -f 100; exec "$@" 2> >(cat >&2)')
    in_a_line(result, 2, "size of files", "102400 bytes", "ulimit -f")


@pytest.mark.parametrize(
    "home", [pytest.param("", marks=LONG), "/proc/1/nowhere", pytest.param("/dev/null", marks=LONG)]
)
def test_a_home_of_the_user_that_is_of_no_use_does_no_harm(captchas, home):
    assert captchas("datasets", "--json", HOME=home).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("answer", [b"[]", pytest.param(b"nothing", marks=LONG)])
def test_a_server_that_only_looks_like_prefect_s_is_named(captchas, answer):
    class Other(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'"3.8.8"' if self.path.endswith("version") else answer)

        do_POST = do_GET  # noqa: N815 - named by http.server

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        try:
            url = f"http://127.0.0.1:{server.server_port}/api"
            result = captchas("generate", "book", "--count", 10, PREFECT_API_URL=url)
        finally:
            server.shutdown()
    in_a_line(result, 1, url, "an answer that Prefect does not know", "correct or unset PREFECT_API_URL")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("http_proxy", "garbage:xx"),
        pytest.param(*("HTTPS_PROXY", "ftp://h:3"), marks=LONG),
        pytest.param(*("http_proxy", "socks5://h:3"), marks=LONG),
        ("ALL_PROXY", "::1"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named(captchas, name, value):
    in_a_line(captchas("generate", "book", **{name: value}), 2, f"captchas: {name}: ", value, "correct or unset it")
    assert captchas("profiles", **{name: value}).returncode == 0


@pytest.mark.slow
def test_a_proxy_that_does_not_answer_is_named_where_the_server_is_behind_it(captchas):
    result = captchas(
        "generate", "book", ALL_PROXY="http://me:secret@127.0.0.1:9", PREFECT_API_URL="http://10.1.2.3:4200/api"
    )
    in_a_line(result, 1, "captchas: all_proxy: ", "http://127.0.0.1:9", "no_proxy=10.1.2.3")
    assert "secret" not in result.stderr


@LONG  # tests/flows/service/test_embedded_server.py has a command that runs with three proxies
@pytest.mark.parametrize(
    "proxies",
    [
        {"HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "example.org"},
        {"ALL_PROXY": "socks5h://127.0.0.1:9"},
        {"http_proxy": "nonsense:x", "no_proxy": "*"},
    ],
)
def test_a_run_on_this_machine_needs_no_proxy(captchas, proxies):
    result = captchas("generate", "book", "--count", 10, "--json", **proxies)
    assert (result.returncode, json.loads(result.stdout)["drawn"]) == (0, 10), result.stderr


def test_loopback_is_exempt_from_proxies(captchas):
    script = "import os; from flows.home import prepare_environment as p; p(); print(os.environ['no_proxy'])"
    for given in ("", "example.org", "localhost"):
        result = captchas(shell=f'exec "$1" -c "{script}"', no_proxy=given, http_proxy="http://127.0.0.1:9")
        assert {"127.0.0.1", "localhost", *filter(None, [given])} <= set(result.stdout.strip().split(",")), (
            result.stderr
        )


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no /proc")
def test_linux_without_proc_is_named(monkeypatch, tmp_path):
    environment.require_processes()
    monkeypatch.setattr(environment, "_PROCESSES", tmp_path / "stat")
    with pytest.raises(BadInput, match=r"/proc: must be mounted, .*; mount it: mount -t proc proc /proc"):
        environment.require_processes()


@pytest.mark.parametrize(
    "name", ["DASK_CONFIG", "PREFECT_PROFILES_PATH", "PREFECT_LOGGING_SETTINGS_PATH", "SSL_CERT_FILE"]
)
def test_a_file_of_settings_that_has_no_end_is_not_read(tmp_path, monkeypatch, name):
    os.mkfifo(pipe := tmp_path / "pipe")
    (huge := tmp_path / "huge").touch()
    os.truncate(huge, 10 << 30)
    for given, why in (("/dev/zero", "is a device"), (pipe, "a pipe"), (huge, "has 10.7 GB")):
        monkeypatch.setenv(name, str(given))
        with pytest.raises(BadInput, match=f"{name}: must name a file of .*{why}.*correct or unset it"):
            require_settings()
    for given in (os.devnull, tmp_path, tmp_path / "none"):
        monkeypatch.setenv(name, str(given))
        require_settings()


def test_a_full_disk_is_no_fault_of_the_folder_that_is_named(tmp_path, monkeypatch):
    """Exit code 1: another value of the variable is one remedy of several."""

    def refuse(**_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    monkeypatch.setattr(prefect_settings, "TemporaryFile", refuse)
    with pytest.raises(NoSpace, match="the disk is full"):
        require_writable()
