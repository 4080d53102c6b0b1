"""The few questions that `captchas up` asks a Prefect server, over its HTTP interface: no import of Prefect."""

import json
import time
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from storage.errors import CaptchasError

_LOCKED = 60.0  # seconds that its database may be busy, which it tells by 503
_EVERY = 0.1  # seconds between two looks
_urlopen = build_opener(ProxyHandler({})).open  # a server on this machine or beside it: no proxy leads there


class Unanswered(CaptchasError, ConnectionError):
    """Prefect's server does not answer, or refuses what it was asked."""


class Api:
    """A Prefect server's interface at `url`, such as http://127.0.0.1:4200/api."""

    def __init__(self, url: str, timeout: float = 30.0):
        self.url, self._timeout = url.rstrip("/"), timeout

    def healthy(self) -> bool:
        """Whether it answers."""
        try:
            with _urlopen(f"{self.url}/health", timeout=min(self._timeout, 5)) as answer:
                return answer.status == 200
        except (OSError, HTTPException, ValueError):
            return False

    def wait(self, seconds: float) -> bool:
        """Whether it answers within that time."""
        deadline = time.monotonic() + seconds
        while not self.healthy():
            if time.monotonic() > deadline:
                return False
            time.sleep(_EVERY)
        return True

    def get(self, path: str) -> dict | None:
        """What stands there; None where nothing does.

        Raises
        ------
        Unanswered
        """
        return self._ask(Request(f"{self.url}/{path}"))

    def find(self, path: str, content: dict | None = None) -> list[dict]:
        """Ask with parameters for all that fit; an empty list where nothing is there.

        Raises
        ------
        Unanswered
        """
        found = self.post(path, content)
        return found if isinstance(found, list) else []

    def post(self, path: str, content: dict | None = None) -> dict | list | None:
        """Ask with parameters, or change something; None where nothing is there.

        Raises
        ------
        Unanswered
        """
        data = json.dumps(content or {}).encode()
        return self._ask(Request(f"{self.url}/{path}", data, {"Content-Type": "application/json"}))

    def patch(self, path: str, content: dict) -> None:
        """Change what stands there.

        Raises
        ------
        Unanswered
        """
        data = json.dumps(content).encode()
        self._ask(Request(f"{self.url}/{path}", data, {"Content-Type": "application/json"}, method="PATCH"))

    def _ask(self, request: Request):
        deadline = time.monotonic() + _LOCKED
        while True:
            try:
                with _urlopen(request, timeout=self._timeout) as answer:
                    return json.loads(answer.read() or b"null")
            except HTTPError as error:
                if error.code == 404:
                    return None
                if error.code == 503 and time.monotonic() < deadline:
                    time.sleep(_EVERY)
                    continue
                said = error.read(2000).decode(errors="replace")
                raise Unanswered(f"{request.full_url}: Prefect's server refused ({error.code}: {said})") from error
            except (OSError, HTTPException, ValueError) as error:
                raise Unanswered(
                    f"{self.url}: no Prefect server answers there ({error}); `captchas up` starts one"
                ) from error
