"""What an object store on the network must do, and what happens when it does not; against moto on loopback."""

import http.client
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from storage.dataset import Dataset
from storage.errors import Busy, Unreachable
from storage.files import atomic
from storage.files.locks import locked
from storage.files.places import place, sizes
from storage.objects import leases, retries
from storage.objects import store as objects
from storage.shards import cache
from storage.shards.manifest import Manifest
from storage.shards.shard import BLOCK, read_record, shard_name
from storage.shards.writer import write_shard


class Proxy(ThreadingHTTPServer):
    """Passes requests on to the store; the first ones meet with the `faults`, one each.

    faults : of 'stall', '503', 'cut upload', 'lost answer', 'cut answer', 'pass'
    seen : (method, path, fault) of every request
    """

    daemon_threads = True

    def __init__(self, store: str):
        super().__init__(("127.0.0.1", 0), Handler)
        self.store = store.removeprefix("http://")
        self.faults: deque[str] = deque()
        self.seen: list[tuple[str, str, str]] = []
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request, client_address):
        """Nothing: clients that give up are what this is about."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_any(self):
        fault = self.server.faults.popleft() if self.server.faults else "pass"
        self.server.seen.append((self.command, self.path.partition("?")[0], fault))
        size = int(self.headers.get("Content-Length", 0))
        if self.headers.get("Expect"):
            self.send_response_only(100)
            self.end_headers()
        self.close_connection = fault != "pass"
        if fault == "cut upload":
            self.rfile.read(size // 2)
            self.connection.close()
            return
        body = self.rfile.read(size)
        if fault == "stall":
            self.server.released.wait(30)
            return
        if fault == "503":
            self.reply(503, {}, b"<Error><Code>SlowDown</Code><Message>Please reduce your rate</Message></Error>")
            return
        upstream = http.client.HTTPConnection(self.server.store, timeout=20)
        upstream.request(self.command, self.path, body, dict(self.headers))
        answer = upstream.getresponse()
        content = answer.read()
        upstream.close()
        if fault == "lost answer":
            return
        headers = {name: value for name, value in answer.getheaders() if name.lower() not in ("content-length", "date",
                   "server", "transfer-encoding", "connection")}  # fmt: skip
        if self.command == "HEAD":
            headers["Content-Length"] = answer.getheader("Content-Length", "0")
        self.reply(
            answer.status, headers, content[: len(content) // 2] if fault == "cut answer" else content, len(content)
        )

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = handle_any  # noqa: N815 - http.server's names

    def reply(self, status: int, headers: dict, content: bytes, size: int | None = None):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(content) if size is None else size))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def proxy(store, monkeypatch) -> Iterator[Proxy]:
    server = Proxy(store)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.url)
    monkeypatch.setenv(retries.TIMEOUT, "1")
    monkeypatch.setattr(retries, "WAITS", (0.01, 0.02, 0.03))
    yield server
    server.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.FOLDER, str(tmp_path / "cache"))


def test_what_is_asked_of_a_store(bucket, monkeypatch):
    store, key = objects.S3(), f"{bucket}/a/b c+é.h5"
    assert store.head(key) is None
    with pytest.raises(FileNotFoundError):
        store.read(key)
    first = store.put(key, b"0123456789", new=True)
    with pytest.raises(FileExistsError):
        store.put(key, b"other", new=True)
    with pytest.raises(FileExistsError):
        store.put(key, b"other", over='"0"')
    with pytest.raises(FileExistsError):
        store.put(f"{bucket}/nothing", b"other", over=first)
    assert store.read(key) == b"0123456789" and store.read(key, 2, 3) == b"234"
    second = store.put(key, b"abc", over=first)
    found = store.head(key)
    assert (found.size, found.version) == (3, second) and abs(found.now - found.modified) <= 2
    store.copy(key, f"{bucket}/copy", second)
    store.delete(key, first)  # another version by now
    assert store.head(key).version == second
    assert store.read(f"{bucket}/copy") == b"abc"
    for number in range(5):
        store.put(f"{bucket}/list/{number}", bytes(number))
    store.put(f"{bucket}/list/below/x", b"")
    store.put(f"{bucket}/list/", b"")  # as consoles make folders
    expected = [*((str(number), number) for number in range(5)), ("below", None)]
    assert sorted(entry[:2] for entry in store.listed(f"{bucket}/list")) == expected
    monkeypatch.setattr(objects, "PAGE", 2)
    assert sorted(entry[:2] for entry in store.listed(f"{bucket}/list")) == expected
    assert list(store.listed(f"{bucket}/lis")) == [] and len(list(store.listed(f"{bucket}/list", most=1))) <= 1
    store.delete(key)
    store.delete(key)
    assert store.head(key) is None
    with pytest.raises(Unreachable, match="no such bucket"):
        store.put("nowhere-at-all/x", b"")


def test_a_sealed_shard_is_never_replaced(bucket, make_blocks, tmp_path):
    folder, blocks = place(f"s3://{bucket}/d"), make_blocks(BLOCK)
    record = write_shard(folder, 0, 0, blocks, "{}", "run")
    assert record == write_shard(folder, 0, 0, blocks, "{}", "another")  # an equal one is as good
    before = atomic.fingerprint(folder / record.name)
    with pytest.raises(OSError, match="exists with other content"):
        write_shard(folder, 0, 0, make_blocks(BLOCK, seed=9), "{}", "another")
    assert atomic.fingerprint(folder / record.name) == before
    assert sizes(folder) == {record.name: record.bytes}


@pytest.mark.parametrize("fault", ["503", "cut upload", "lost answer", pytest.param("stall", marks=pytest.mark.slow)])
def test_a_fault_of_an_upload_passes(proxy, bucket, make_blocks, fault):
    folder = place(f"s3://{bucket}/d")
    proxy.faults += [fault, fault]
    record = write_shard(folder, 0, 0, make_blocks(BLOCK), "{}", "run")
    puts = [seen[2] for seen in proxy.seen if seen[0] == "PUT"]
    assert puts[:2] == [fault, fault] and sizes(folder) == {record.name: record.bytes}
    assert read_record(folder / record.name) == record


@pytest.mark.parametrize("fault", ["503", "cut answer", pytest.param("stall", marks=pytest.mark.slow)])
def test_a_fault_of_a_download_passes(proxy, bucket, make_blocks, fault):
    folder, blocks = place(f"s3://{bucket}/d"), make_blocks(BLOCK)
    record = write_shard(folder, 0, 0, blocks, "{}", "run")
    proxy.faults += [fault, fault]
    assert read_record(folder / record.name) == record


def test_what_does_not_pass_is_told_soon_and_leaves_nothing(proxy, bucket, make_blocks, monkeypatch):
    folder = place(f"s3://{bucket}/d")
    for fault in ("503", "cut upload"):
        proxy.faults.extend([fault] * 99)  # aiohttp has tries of its own on a connection that it had before
        with pytest.raises(Unreachable, match=rf"s3://{bucket}/d/{shard_name(0, BLOCK)}: .*tried 4 times"):
            write_shard(folder, 0, 0, make_blocks(BLOCK), "{}", "run")
        proxy.faults.clear()
        assert sizes(folder) == {}
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://someone:the-password@127.0.0.1:1")  # nobody listens there
    began = time.monotonic()
    for request in (lambda: sizes(folder), lambda: Dataset(folder), lambda: Manifest.read(folder)):
        with pytest.raises(Unreachable, match="did not answer, tried 4 times") as caught:
            request()
        text = str(caught.value)
        assert "the-password" not in text and os.environ["AWS_SECRET_ACCESS_KEY"] not in text
    assert time.monotonic() - began < 15


def test_a_store_that_falls_silent_is_waited_for_no_longer_than_said(proxy, bucket, monkeypatch):
    monkeypatch.setenv(retries.TIMEOUT, "0.2")
    proxy.faults.extend(["stall"] * 4)
    began = time.monotonic()
    with pytest.raises(Unreachable, match="tried 4 times"):
        (place(f"s3://{bucket}/d") / "a").write_bytes(b"1")
    assert time.monotonic() - began < 15


@pytest.mark.slow
def test_a_lock_there(bucket, monkeypatch):
    monkeypatch.setenv(leases.SECONDS, "3")
    folder = place(f"s3://{bucket}/d")
    with locked(folder):
        with pytest.raises(Busy, match="another run is working on it"), locked(folder):
            pass
        assert list(sizes(folder.parent)) == ["d.lock"]
    dead = leases._Lease("s3", folder.key)
    dead.take()
    with pytest.raises(Busy), locked(folder):
        pass
    deadline = time.monotonic() + 60
    while True:
        try:
            with locked(folder):
                (folder / "a").write_bytes(b"1")
            break
        except Busy:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    assert sizes(folder.parent) == {} and sizes(folder) == {"a": 1}


@pytest.mark.slow
def test_a_lock_outlives_a_store_that_is_away_for_a_while(proxy, bucket, monkeypatch):
    monkeypatch.setenv(leases.SECONDS, "6")  # it is renewed after two, and tried again within a second or two
    folder = place(f"s3://{bucket}/d")
    with locked(folder):
        proxy.faults.extend(["503"] * 3)
        deadline = time.monotonic() + 30
        while proxy.faults and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not proxy.faults
        (folder / "a").write_bytes(b"1")
    assert not folder.with_name("d.lock").exists()
