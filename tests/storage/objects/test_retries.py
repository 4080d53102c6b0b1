"""Which errors of an object store are tried again, and that no message shows a secret."""

import pytest

from storage.errors import BadInput, Unreachable, Unwritable
from storage.objects import retries

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCY"


@pytest.mark.parametrize("value", ["0", "x", "-3", "-1", "nan"])
def test_a_time_limit_out_of_range_is_refused(monkeypatch, value):
    monkeypatch.setenv(retries.TIMEOUT, value)
    with pytest.raises(BadInput, match="CAPTCHAS_STORE_TIMEOUT"):
        retries.timeout()


class EndpointConnectionError(Exception):
    """Named as botocore's, by whose base it is known."""


class HTTPClientError(EndpointConnectionError):
    pass


class ClientError(Exception):
    """Like botocore's."""

    def __init__(self, status: int, code: str):
        super().__init__(f"An error occurred ({code}) at http://key:{SECRET}@host/bucket?Signature={SECRET}")
        self.response = {"ResponseMetadata": {"HTTPStatusCode": status}, "Error": {"Code": code}}


@pytest.mark.parametrize(
    ("error", "tries", "told"),
    [
        (ConnectionResetError("cut"), 5, Unreachable),
        (TimeoutError(), 5, Unreachable),
        (HTTPClientError("refused"), 5, Unreachable),
        (ClientError(500, "InternalError"), 5, Unreachable),
        (ClientError(503, "SlowDown"), 5, Unreachable),
        (ClientError(409, "ConditionalRequestConflict"), 5, Unreachable),
        (ClientError(400, "RequestTimeout"), 5, Unreachable),
        (ClientError(400, "InvalidArgument"), 1, Unreachable),
        (ClientError(301, "PermanentRedirect"), 1, Unreachable),
        (ClientError(404, "NoSuchKey"), 1, FileNotFoundError),
        (ClientError(404, "NoSuchBucket"), 1, Unreachable),
        (ClientError(412, "PreconditionFailed"), 1, FileExistsError),
        (ClientError(403, "AccessDenied"), 1, Unwritable),
        (type("NoCredentialsError", (Exception,), {})(SECRET), 1, Unreachable),
        (ZeroDivisionError("a mistake of ours"), 1, ZeroDivisionError),
    ],
)
def test_what_may_pass_is_tried_again_and_what_is_told_has_no_secrets(monkeypatch, error, tries, told):
    monkeypatch.setattr(retries, "WAITS", (0.0,) * 4)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    count = 0

    def request():
        nonlocal count
        count += 1
        raise error

    with pytest.raises(told) as caught:
        retries.with_retries("s3://bucket/a", request, writes=True)
    assert count == tries and type(caught.value) is told
    if told not in (ZeroDivisionError,):
        assert SECRET not in str(caught.value) and "s3://bucket/a" in str(caught.value)
        assert caught.value.__context__ is None or caught.value.__suppress_context__  # no traceback shows it
        assert caught.value.__cause__ is None
    if told is Unreachable:
        assert not isinstance(caught.value, OSError)  # which `verify` takes for damage
    again = iter([ConnectionError(), ClientError(503, "SlowDown")])

    def late():
        for passing in again:
            raise passing
        return "done"

    assert retries.with_retries("s3://bucket/a", late) == "done"


def test_a_read_that_is_refused_is_no_damage(monkeypatch):
    def request():
        raise ClientError(403, "AccessDenied")

    with pytest.raises(Unreachable, match="refuses to read it"):
        retries.with_retries("s3://bucket/a", request)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token/of+mine")
    assert retries.scrubbed("a token/of+mine, http://a:b@c/d?e=f g") == "a ***, http://***@c/d?*** g"
