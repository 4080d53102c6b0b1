"""The guard before Prefect's server: what a browser sends for a foreign page is refused, all else is let through."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from flows.service.prefect_guard import HOSTS, Guard, hosts_from, server_command
from storage.errors import BadInput

PORT = 4200
OURS = {"Host": f"127.0.0.1:{PORT}"}
LISTED = "captchas.example:443, 10.0.0.5"


def answer(headers, kind="http", listed=""):
    """Send a request through the guard; the status (0 for a closed WebSocket), what it says, and who answered."""
    reached, sent = [], []

    async def behind(scope, receive, send):
        reached.append(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message):
        sent.append(message)

    pairs = headers.items() if isinstance(headers, dict) else headers
    scope = {
        "type": kind, "server": ("127.0.0.1", PORT),
        "headers": [(name.lower().encode(), value.encode()) for name, value in pairs],
    }  # fmt: skip
    asyncio.run(Guard(behind, hosts_from({HOSTS: listed}))(scope, None, send))
    told = sent[0].get("reason") or b"".join(message.get("body", b"") for message in sent).decode()
    return sent[0].get("status", 0), told, bool(reached)


@pytest.mark.parametrize(
    ("headers", "listed"),
    [
        (OURS, ""),  # no browser
        ({"Host": f"localhost:{PORT}"}, ""),
        ({"Host": f"LOCALHOST:{PORT}"}, ""),
        ({"Host": f"[::1]:{PORT}"}, ""),
        (OURS | {"Content-Type": "application/json"}, ""),
        (OURS | {"Origin": f"http://127.0.0.1:{PORT}", "Sec-Fetch-Site": "same-origin"}, ""),
        (OURS | {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}, ""),
        ({"Host": "captchas.example:443", "Origin": "https://captchas.example"}, LISTED),
        ({"Host": "10.0.0.5:8080", "Origin": "http://10.0.0.5:8080"}, LISTED),
        (OURS | {"Origin": "https://captchas.example", "Sec-Fetch-Site": "cross-site"}, LISTED),
    ],
)  # fmt: skip
def test_requests_of_clients_and_of_own_pages_are_let_through(headers, listed):
    assert answer(headers, listed=listed) == (200, "", True)
    assert answer(headers, "websocket", listed)[2]


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ({}, "Host"),
        ({"Host": ""}, "Host"),
        ({"Host": f"evil.example:{PORT}"}, "Host"),  # a name that was pointed at 127.0.0.1
        ({"Host": f"127.0.0.1.evil.example:{PORT}"}, "Host"),
        ({"Host": f"localhost.evil.example:{PORT}"}, "Host"),
        ({"Host": f"evil.example@127.0.0.1:{PORT}"}, "Host"),
        ({"Host": "127.0.0.1"}, "Host"),
        ({"Host": "127.0.0.1:4201"}, "Host"),
        ({"Host": f"0.0.0.0:{PORT}"}, "Host"),
        ({"Host": "captchas.example:80"}, "Host"),
        ([*OURS.items(), ("Host", "evil.example")], "Host"),
        (OURS | {"Origin": "http://evil.example"}, "Origin"),
        (OURS | {"Origin": f"http://evil.example:{PORT}"}, "Origin"),
        (OURS | {"Origin": "http://127.0.0.1:8000"}, "Origin"),  # another server on this machine
        (OURS | {"Origin": "http://127.0.0.1"}, "Origin"),
        (OURS | {"Origin": "null"}, "Origin"),  # a file, or a frame in a sandbox
        (OURS | {"Origin": ""}, "Origin"),
        (OURS | {"Origin": f"http://127.0.0.1:{PORT}/"}, "Origin"),
        (OURS | {"Origin": f"file://127.0.0.1:{PORT}"}, "Origin"),
        (OURS | {"Origin": "http://captchas.example"}, "Origin"),
        ([*OURS.items(), ("Origin", f"http://127.0.0.1:{PORT}"), ("Origin", "http://evil.example")], "Origin"),
        (OURS | {"Sec-Fetch-Site": "cross-site"}, "Sec-Fetch-Site"),  # an image or a script: without an Origin
        (OURS | {"Sec-Fetch-Site": "same-site"}, "Sec-Fetch-Site"),  # another port of this machine
        (OURS | {"Sec-Fetch-Site": "something new"}, "Sec-Fetch-Site"),
        (OURS | {"Content-Type": "text/plain"}, "Content-Type"),
        (OURS | {"Content-Type": "Text/Plain; charset=UTF-8"}, "Content-Type"),
        (OURS | {"Content-Type": "application/x-www-form-urlencoded"}, "Content-Type"),
        (OURS | {"Content-Type": "multipart/form-data; boundary=x"}, "Content-Type"),
        (OURS | {"Origin": "http://evil.example", "Content-Type": "text/plain"}, "Origin"),
    ],
)
def test_requests_of_foreign_pages_are_refused(headers, name, kind):
    status, told, reached = answer(headers, kind, LISTED)
    assert not reached
    assert status == (403 if kind == "http" else 0)
    assert re.search(rf"\b{name} (must|names)", told)


def test_what_is_no_request_passes():
    assert answer({}, "lifespan")[2]


@pytest.mark.parametrize("listed", ["*", "http://captchas.example", "a b", "host:port", "a.example, x/y"])
def test_a_wrong_list_of_hosts_names_its_variable(listed):
    with pytest.raises(BadInput, match=rf"{HOSTS}: .* is no name of a host; give names"):
        hosts_from({HOSTS: listed})


def test_nothing_is_imported_from_the_working_directory(tmp_path):
    """A folder of pictures may have any file in it."""
    for name in ("uvicorn", "prefect", "flows"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('taken from the working directory')")
    command = server_command(0)
    asked = [*command[: command.index("--factory")], "--version"]
    done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "taken from" not in done.stderr
    folder = Path(command[command.index("--app-dir") + 1])
    assert (folder / "flows" / "service" / "prefect_guard.py").is_file()
    assert command[0] == sys.executable and os.fspath(tmp_path) not in command
