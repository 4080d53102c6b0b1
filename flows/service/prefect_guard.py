"""Prefect's server behind a guard that refuses what a foreign web page sends.

A page of any site can have the browser send requests to 127.0.0.1. The browser withholds the answer, unless the
site's name has been pointed at 127.0.0.1 (DNS rebinding), and sends a POST of plain text without asking first. The
guard therefore judges each request by the headers that a page cannot choose: Host, Origin and Sec-Fetch-Site.
"""

import os
import re
import sys
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from pathlib import Path
from typing import Any

import flows
from flows.service import ui_entry
from flows.service.prefect_settings import ignore_folder
from flows.service.run_database import is_current
from flows.service.starting import without_collector
from storage.errors import BadInput

HOSTS = "CAPTCHAS_ALLOWED_HOSTS"  # the operator's: names with or without a port, separated by commas
LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
_NAME = r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::(?P<port>[0-9]{1,5}))?"
_HOST = re.compile(_NAME, re.ASCII)
_ORIGIN = re.compile(rf"(?P<scheme>https?)://{_NAME}", re.ASCII)
_PORTS = {"http": "80", "https": "443"}  # that a browser leaves out
# What a form, or a script without the server's consent, may send to another origin.
_SIMPLE_TYPES = {b"text/plain", b"multipart/form-data", b"application/x-www-form-urlencoded"}
# The browser's own words for a page of the same origin, and for an address that the user typed.
_OWN_SITES = {b"same-origin", b"none"}

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


class Guard:
    """An ASGI application before another application: a request that may come from a foreign page is refused.

    Parameters
    ----------
    application
        Answers the other requests.
    listed
        Names of hosts, beside loopback's names, as `hosts_from` returns them.
    """

    def __init__(self, application: Application, listed: Iterable[tuple[str, str | None]] = ()):
        self._application, self._listed = application, frozenset(listed)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request or WebSocket."""
        why = self.objection(scope) if scope["type"] in ("http", "websocket") else None
        if why is None and _enters(scope):
            await _answer(send, 200, ui_entry.HEADERS, ui_entry.PAGE)
        elif why is None:
            await self._application(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": why})
        else:
            await _answer(send, 403, [(b"content-type", b"text/plain")], f"captchas: refused: {why}\n".encode())

    def objection(self, scope: Message) -> str | None:
        """Return why a request is refused; None if it is let through."""
        headers: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.lower(), []).append(value.strip())
        port = str(scope["server"][1])
        if not self._is_ours(_HOST.fullmatch(_only(headers, b"host")), _PORTS["http"], port):
            return f"Host must be a loopback name with the port {port}, or be listed in {HOSTS}"
        origin = _ORIGIN.fullmatch(_only(headers, b"origin"))
        default = _PORTS[origin["scheme"]] if origin else ""
        if b"origin" in headers and not self._is_ours(origin, default, port):
            return f"Origin must be this server's own, or be listed in {HOSTS}"
        foreign = set(headers.get(b"sec-fetch-site", ())) - _OWN_SITES
        # A file of this user's opens the page for entering, which holds nothing and needs the password.
        if foreign and not _enters(scope) and not (origin and self._is_listed(origin, default)):
            return "Sec-Fetch-Site names another site; type the address of this server, or use a bookmark"
        kinds = {kind.partition(b";")[0].strip().lower() for kind in headers.get(b"content-type", ())}
        return "Content-Type must be application/json" if kinds & _SIMPLE_TYPES else None

    def _is_ours(self, found: re.Match[str] | None, default: str, port: str) -> bool:
        """Return whether a name and its port are loopback's with the server's port, or listed."""
        if found is None:
            return False
        return (found["host"] in LOOPBACK and (found["port"] or default) == port) or self._is_listed(found, default)

    def _is_listed(self, found: re.Match[str], default: str) -> bool:
        """Return whether the operator has listed a name, with its port or with any port."""
        return not self._listed.isdisjoint({(found["host"], found["port"] or default), (found["host"], None)})


def _enters(scope: Message) -> bool:
    return (scope["type"], scope.get("method"), scope.get("path")) == ("http", "GET", ui_entry.PATH)


async def _answer(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


def _only(headers: dict[bytes, list[bytes]], name: bytes) -> str:
    """Return the value of a header in lower case; an empty text if it is missing or given twice."""
    values = headers.get(name, [])
    return values[0].decode("latin-1").lower() if len(values) == 1 else ""


def hosts_from(environment: MutableMapping[str, str]) -> set[tuple[str, str | None]]:
    """Read the names of hosts that the operator lists, each with its port, or with None for any port.

    Raises
    ------
    BadInput
        An entry is no name of a host.
    """
    found: set[tuple[str, str | None]] = set()
    for entry in environment.get(HOSTS, "").lower().split(","):
        name = _HOST.fullmatch(entry.strip())
        if name:
            found.add((name["host"], name["port"]))
        elif entry.strip():
            raise BadInput(
                f"{HOSTS}: {entry.strip()!r} is no name of a host; give names, each with or without a port, separated "
                "by commas, such as captchas.example:443"
            )
    return found


def create_app() -> Application:
    """Return Prefect's server behind the guard; uvicorn calls it.

    The server looks for no migrations if its database needs none.
    """
    ignore_folder()
    os.environ["PREFECT_SERVER_API_BASE_PATH"] = "/api"  # where those who start this server look for it
    with without_collector():
        from prefect.server.api.server import create_app as create_server
        from prefect.settings import get_current_settings

        guarded = Guard(create_server(), hosts_from(os.environ))
    # Only Prefect knows where its database is: settings are in the environment and in profiles.
    database = get_current_settings().server.database
    chosen = "migrate_on_start" in database.model_fields_set
    if not chosen and database.connection_url and is_current(database.connection_url.get_secret_value()):
        database.migrate_on_start = False  # saves a fifth of a second
    return guarded


def server_command(port: int, *options: str) -> list[str]:
    """Return the command that starts the guarded server on 127.0.0.1; `options` are uvicorn's.

    Nothing is imported from the working directory (`-P`), which may be anybody's.
    """
    return [
        sys.executable, "-P", "-m", "uvicorn", "--factory", f"{__name__}:create_app", "--app-dir",
        str(Path(flows.__file__).parents[1]), "--host", "127.0.0.1", "--port", str(port), "--lifespan", "on",
        "--no-proxy-headers", *options,
    ]  # fmt: skip
