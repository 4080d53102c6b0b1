"""Requests to an object store: a time limit, retries where they help, and the project's errors."""

import errno
import os
import re
import time
from collections.abc import Callable
from typing import TypeVar

from storage.errors import BadInput, CaptchasError, Unreachable, Unwritable

TIMEOUT = "CAPTCHAS_STORE_TIMEOUT"  # seconds for one request, 30 by default; large requests get more
WAITS = (0.1, 0.3, 1.0, 3.0)  # seconds before the second and each later try
_SLOWEST = 100_000  # bytes a second of a line that is slow but alive
_SHORTEST_SECRET = 4  # characters; a shorter value would be replaced within ordinary words
_SECRETS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID")
# Classes of botocore and aiohttp for connections that were refused, cut or too slow; they share no base class.
_CUT = {
    "ConnectionError", "TimeoutError", "HTTPClientError", "ClientConnectionError", "ClientPayloadError",
    "IncompleteReadError", "ResponseStreamingError", "ServerDisconnectedError",
}  # fmt: skip
_TRANSIENT = {408, 409, 425, 429}  # HTTP codes of errors that may pass; so may all from 500 on
_SERVER_ERROR = 500  # the first HTTP code of a server's own errors
_CUT_SHORT = {"RequestTimeout", "IncompleteBody", "BadDigest", "XAmzContentChecksumMismatch"}  # sent with code 400

_Answer = TypeVar("_Answer")


def timeout(size: int = 0) -> float:
    """Return the seconds that a request of `size` bytes may take.

    Raises
    ------
    BadInput
    """
    try:
        seconds = float(os.environ.get(TIMEOUT, "30"))
    except ValueError:
        seconds = 0.0
    if not seconds > 0:
        raise BadInput(f"{TIMEOUT}: must be a number of seconds above 0; it is {os.environ[TIMEOUT]!r}")
    return seconds + size / _SLOWEST


def scrubbed(text: str) -> str:
    """Return a library's message without the credentials of the environment and those within URLs."""
    for name in _SECRETS:
        if len(os.environ.get(name, "")) >= _SHORTEST_SECRET:
            text = text.replace(os.environ[name], "***")
    return re.sub(r"(\w:/+\S*?)\?[^\s\"']*", r"\1?***", re.sub(r"(\w:/+)\S*@", r"\1***@", text))


def with_retries(url: str, request: Callable[[], _Answer], writes: bool = False) -> _Answer:
    """Return the result of `request()`; after an error that may pass, wait and try again.

    Raises
    ------
    FileNotFoundError, FileExistsError
    Unreachable, Unwritable
        With the URL, the reason and the remedy. They hide their cause, since it may hold credentials that a
        traceback would show.
    """
    for wait in (*WAITS, None):
        try:
            return request()
        except (CaptchasError, FileNotFoundError, FileExistsError, KeyboardInterrupt):
            raise
        except Exception as error:
            told, reason = _told(error, url, writes), scrubbed(str(error) or type(error).__name__)
            if told is error:
                raise
        if told is not None:
            raise told from None
        if wait is not None:
            time.sleep(wait)
    raise Unreachable(
        f"{url}: the object store did not answer, tried {len(WAITS) + 1} times ({reason}); check that it runs and that "
        "AWS_ENDPOINT_URL_S3 names it, then give the same command again: it goes on from there"
    )


def _told(error: Exception, url: str, writes: bool) -> Exception | None:
    """Return the project's error for a library's error: None if it may pass, `error` itself if it is unknown."""
    names = {cls.__name__ for cls in type(error).__mro__}
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        if names & {"NoCredentialsError", "PartialCredentialsError"}:
            return Unreachable(
                f"{url}: there are no credentials for it; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
                "AWS_PROFILE, in the environment (with a cluster, in that of its workers too)"
            )
        return None if names & _CUT or isinstance(error, OSError) else error
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    code = response.get("Error", {}).get("Code", "")
    if status >= _SERVER_ERROR or status in _TRANSIENT or code in _CUT_SHORT:
        return None
    if code == "NoSuchBucket" and writes:
        return Unreachable(f"{url}: there is no such bucket; make it, or check the name")
    if status == 404:
        return FileNotFoundError(errno.ENOENT, "no such object", url)
    if status == 412:
        return FileExistsError(errno.EEXIST, "another object is there", url)
    if status in (401, 403):
        kind = Unwritable if writes else Unreachable
        return kind(
            f"{url}: the object store refuses to {'write' if writes else 'read'} it ({code}); check the credentials in "
            "the environment, and their permissions in that bucket"
        )
    return Unreachable(f"{url}: the object store refuses the request: {scrubbed(str(error))}")
