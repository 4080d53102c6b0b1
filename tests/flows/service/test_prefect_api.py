"""The small client of Prefect's interface: a request has a time limit and a size limit as a whole."""

import socket
import threading
import time

import pytest

from flows.service import prefect_api
from flows.service.prefect_api import Api, Unanswered


@pytest.fixture
def sending():
    """Serve one connection: send the parts given, a moment apart; return the URL."""
    servers = []

    def serve(first: bytes, part: bytes, pause: float = 0.05) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def run() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                try:
                    connection.sendall(first)
                    for _ in range(400):
                        connection.sendall(part)
                        time.sleep(pause)
                except OSError:  # the client has left
                    pass

        threading.Thread(target=run, daemon=True).start()
        return f"http://127.0.0.1:{server.getsockname()[1]}/api"

    yield serve
    for server in servers:
        server.close()


@pytest.mark.parametrize(
    ("first", "part"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\nX: ", b"x"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n", b" "),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (b"HTTP/1.1 500 Bad\r\nContent-Length: 400\r\n\r\n", b" "),
    ],
)
def test_an_answer_that_comes_byte_by_byte_takes_no_longer_than_the_limit(sending, first, part):
    api, began = Api(sending(first, part), timeout=0.5), time.monotonic()
    with pytest.raises(Unanswered):
        api.get("admin/version")
    assert time.monotonic() - began < 12  # all of it would take 20 s


def test_an_answer_without_end_is_refused(sending, monkeypatch):
    monkeypatch.setattr(prefect_api, "_MOST", 1000)
    with pytest.raises(Unanswered, match="more than 1000 bytes"):
        Api(sending(b"HTTP/1.1 200 OK\r\n\r\n", b" " * 500, 0)).get("admin/version")
