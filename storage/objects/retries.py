"""One request to an object store: bounded in time, tried again where that helps, its errors as the project's."""

import errno
import os
import re
import time
from collections.abc import Callable

from storage.errors import BadInput, CaptchasError, Unreachable, Unwritable

TIMEOUT = "CAPTCHAS_STORE_TIMEOUT"  # seconds for one request, 30 by default; more for many bytes
WAITS = (0.1, 0.3, 1.0, 3.0)  # seconds before the second try and those after it
_SLOWEST = 100_000  # bytes a second, of a line that is slow but alive
_SECRETS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID")
# Classes of botocore and aiohttp for connections that were refused, cut or too slow; they have no common one.
_CUT = {
    "ConnectionError", "TimeoutError", "HTTPClientError", "ClientConnectionError", "ClientPayloadError",
    "IncompleteReadError", "ResponseStreamingError", "ServerDisconnectedError",
}  # fmt: skip
_PASSES = {408, 409, 425, 429}  # and 500 or more
_CUT_SHORT = {"RequestTimeout", "IncompleteBody", "BadDigest", "XAmzContentChecksumMismatch"}  # told as a 400


def patience(size: int = 0) -> float:
    """Seconds that a request may take.

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
    """A message of a library, without credentials: those of the environment, and those within URLs."""
    for name in _SECRETS:
        if len(os.environ.get(name, "")) > 3:
            text = text.replace(os.environ[name], "***")
    return re.sub(r"(\w:/+\S*?)\?[^\s\"']*", r"\1?***", re.sub(r"(\w:/+)\S*@", r"\1***@", text))


def tried(url: str, request: Callable, writes: bool = False):
    """What `request()` returns, tried again, after a while, where what went wrong may pass.

    Raises
    ------
    FileNotFoundError, FileExistsError
    Unreachable, Unwritable
        With the URL, the reason and the remedy. Not raised from their cause: that may hold credentials, and a
        traceback shows it.
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
        f"{url}: the object store did not answer, tried {len(WAITS) + 1} times ({reason}); see that it runs and that "
        "AWS_ENDPOINT_URL_S3 names it, then give the same command again: it goes on from there"
    )


def _told(error: Exception, url: str, writes: bool) -> Exception | None:
    """The project's error for what a library raised; None for what may pass, and `error` for what is not known."""
    names = {cls.__name__ for cls in type(error).__mro__}
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        if names & {"NoCredentialsError", "PartialCredentialsError"}:
            return Unreachable(
                f"{url}: there are no credentials for it; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
                "AWS_PROFILE, in the environment (with a cluster: of its workers too)"
            )
        return None if names & _CUT or isinstance(error, OSError) else error
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    code = response.get("Error", {}).get("Code", "")
    if status >= 500 or status in _PASSES or code in _CUT_SHORT:
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
            "the environment, and what they may do in that bucket"
        )
    return Unreachable(f"{url}: the object store refuses the request: {scrubbed(str(error))}")
