"""A small client of a Prefect server's HTTP interface, for processes that do not import Prefect, or not yet."""

import io
import json
import os
import time
from base64 import b64encode
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from socket import socket
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPHandler, HTTPSHandler, ProxyHandler, Request, build_opener

from flows.service import passwords
from storage.errors import CaptchasError

_LOCKED = 60.0  # seconds that the server's database may be busy (status 503)
_EVERY = 0.1  # seconds between two looks
_MOST = 64 << 20  # bytes of an answer; the longest, of 200 runs, has a thousandth of it


class Unanswered(CaptchasError, ConnectionError):
    """Prefect's server does not answer, or refuses a request."""


class _Timed(io.RawIOBase):
    """The bytes that a server sends, until a time limit: a socket's own limit begins anew with each byte."""

    def __init__(self, sent: io.RawIOBase, sock: socket):
        self._sent, self._sock = sent, sock
        self._limit = sock.gettimeout()
        self._deadline = time.monotonic() + (self._limit or 0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._limit is not None:
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("timed out")
            self._sock.settimeout(left)
        count: int | None = self._sent.readinto(buffer)
        return count

    def close(self) -> None:
        self._sent.close()
        super().close()


class _Answer(HTTPResponse):
    """An answer whose head and body have to arrive within the time limit of the request."""

    def __init__(self, sock: socket, *args: Any, **kwargs: Any):
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Timed(self.fp.detach(), sock))


class _Connection(HTTPConnection):
    response_class = _Answer


class _SecureConnection(HTTPSConnection):
    response_class = _Answer


class _Handler(HTTPHandler):
    def http_open(self, request: Request) -> HTTPResponse:
        return self.do_open(_Connection, request)


class _SecureHandler(HTTPSHandler):
    def https_open(self, request: Request) -> HTTPResponse:
        return self.do_open(_SecureConnection, request)


# Without proxies: the server is on this machine or near it.
_urlopen = build_opener(ProxyHandler({}), _Handler, _SecureHandler).open


class Api:
    """A Prefect server's interface at `url`, such as http://127.0.0.1:4200/api.

    Every request carries the password, or else the key, that Prefect's own clients send.

    Parameters
    ----------
    url : str
    timeout : float
        Seconds for a request, from its first byte to the last of the answer.
    password : str, optional
        By default the value of PREFECT_API_AUTH_STRING; without it the key in PREFECT_API_KEY.
    """

    def __init__(self, url: str, timeout: float = 30.0, password: str | None = None):
        self.url, self._timeout = url.rstrip("/"), timeout
        self._headers = {"Content-Type": "application/json"}
        password, key = password or os.environ.get(passwords.CLIENT), os.environ.get(passwords.KEY)
        if password:
            self._headers["Authorization"] = f"Basic {b64encode(password.encode()).decode()}"
        elif key:
            self._headers["Authorization"] = f"Bearer {key}"

    def healthy(self, patience: float = 5.0) -> bool:
        """Return whether the server answers within so many seconds."""
        try:
            with _urlopen(self._request("health"), timeout=min(self._timeout, patience)) as answer:
                status: int = answer.status
                return status == 200
        except (OSError, HTTPException, ValueError):
            return False

    def wait(self, seconds: float) -> bool:
        """Wait until the server answers, so many seconds at most; return whether it does."""
        deadline = time.monotonic() + seconds
        while not self.healthy():
            if time.monotonic() > deadline:
                return False
            time.sleep(_EVERY)
        return True

    def get(self, path: str) -> dict[str, Any] | None:
        """Get the object at a path; None if there is none.

        Raises
        ------
        Unanswered
        """
        found: dict[str, Any] | None = self._ask(self._request(path))
        return found

    def find(self, path: str, content: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Post a filter and return the objects that match; an empty list if the path does not exist.

        Raises
        ------
        Unanswered
        """
        found = self.post(path, content)
        return found if isinstance(found, list) else []

    def post(self, path: str, content: dict[str, Any] | None = None) -> dict[str, Any] | list[dict[str, Any]] | None:
        """Post content to a path; return the answer, None if the path does not exist.

        Raises
        ------
        Unanswered
        """
        found: dict[str, Any] | list[dict[str, Any]] | None = self._ask(self._request(path, content or {}))
        return found

    def patch(self, path: str, content: dict[str, Any]) -> None:
        """Change fields of the object at a path.

        Raises
        ------
        Unanswered
        """
        self._ask(self._request(path, content, "PATCH"))

    def _request(self, path: str, content: dict[str, Any] | None = None, method: str | None = None) -> Request:
        """Make a request with the credentials; a POST if it has content and no other method."""
        data = None if content is None else json.dumps(content).encode()
        return Request(f"{self.url}/{path}", data, self._headers, method=method)

    def _ask(self, request: Request) -> Any:
        """Send a request; return the JSON of the answer, None if there is no such path."""
        deadline = time.monotonic() + _LOCKED
        while True:
            try:
                with _urlopen(request, timeout=self._timeout) as answer:
                    content = answer.read(_MOST + 1)
                    if len(content) > _MOST:
                        raise ValueError(f"its answer has more than {_MOST} bytes")
                    return json.loads(content or b"null")
            except HTTPError as error:
                if error.code == 404:
                    return None
                if error.code == 503 and time.monotonic() < deadline:
                    time.sleep(_EVERY)
                    continue
                if error.code == 401:
                    raise Unanswered(
                        f"{self.url}: Prefect's server refused (401); give its password in {passwords.CLIENT}"
                    ) from error
                said = _said(error)
                raise Unanswered(f"{request.full_url}: Prefect's server refused ({error.code}: {said})") from error
            except (OSError, HTTPException, ValueError) as error:
                raise Unanswered(
                    f"{self.url}: no Prefect server answers there ({error}); `captchas up` starts a server"
                ) from error


def _said(error: HTTPError) -> str:
    """Return the beginning of what a server says about a refusal; nothing if it does not come in time."""
    try:
        return error.read(2000).decode(errors="replace")
    except (OSError, HTTPException):
        return ""
