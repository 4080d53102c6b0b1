"""What an object store does: S3 over the network, and one in memory; `storage.objects.retries` bounds each request."""

import asyncio
import email.utils
import errno
import os
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple, Protocol

from storage.errors import BadInput
from storage.objects.retries import patience, tried

PAGE = 1000  # names in one answer of a listing, the most that S3 gives


class Found(NamedTuple):
    """An object: its size in bytes, its version (the ETag), and by the store's own clock when it was put, and now."""

    size: int
    version: str
    modified: float
    now: float


class Store(Protocol):
    """What an object store does. A key is `bucket/and/the/rest`, without a slash at the end.

    All raise `Unreachable` where it does not answer in time, several times, or refuses; `Unwritable` where it
    refuses to be written to. `tick` is in what steps its clock goes, in seconds.
    """

    tick: float

    def head(self, key: str) -> Found | None:
        """What is there; None for nothing."""

    def read(self, key: str, start: int = 0, size: int | None = None) -> bytes:
        """All bytes, or `size` of them from `start` on; FileNotFoundError if there is no such object."""

    def put(self, key: str, data: bytes, *, new: bool = False, over: str | None = None) -> str:
        """Write an object whole; its version.

        FileExistsError, and nothing is written, where it is to be `new` and there is one, or it is to be put `over`
        a version and there is another one or none.
        """

    def copy(self, key: str, target: str, version: str) -> None:
        """Copy this version of an object; FileNotFoundError or FileExistsError if it is not there."""

    def delete(self, key: str, version: str | None = None) -> None:
        """Remove an object, if it is there, and of that version; another one stays."""

    def listed(self, key: str, most: int | None = None) -> Iterator[tuple[str, int | None, float]]:
        """(name, size, when it was put) of each object directly below a key, and of folders, whose size is None."""


def store_of(scheme: str) -> Store:
    """The store behind URLs of a scheme."""
    return {"s3": S3, "memory": Memory}[scheme]()


_starting = threading.Lock()


@lru_cache(maxsize=4)
def _connected(process: int, seconds: float, environment: tuple):
    """The file system that holds this process's connections; other credentials are other connections."""
    import fsspec

    try:
        system = fsspec.filesystem(
            "s3",
            use_listings_cache=False,
            skip_instance_cache=True,
            config_kwargs={
                "connect_timeout": min(5.0, seconds), "read_timeout": seconds,
                "retries": {"total_max_attempts": 1},  # `tried` does that, and says when it is enough
            },
        )  # fmt: skip
    except ImportError as error:
        raise BadInput(
            f"s3: URLs need a package that is not installed ({error}); pip install 'beating-captchas[s3]'"
        ) from error
    system.connect()
    return system


class S3:
    """S3, or a store that speaks its language and keeps its conditions: the credentials are the environment's."""

    tick = 1.0

    def head(self, key: str) -> Found | None:
        bucket, rest = _split(key)
        try:
            out = self._ask(key, lambda client: client.head_object(Bucket=bucket, Key=rest))
        except FileNotFoundError:
            return None
        now = email.utils.parsedate_to_datetime(out["ResponseMetadata"]["HTTPHeaders"]["date"])
        return Found(out["ContentLength"], out["ETag"], out["LastModified"].timestamp(), now.timestamp())

    def read(self, key: str, start: int = 0, size: int | None = None) -> bytes:
        bucket, rest = _split(key)
        part = {} if size is None else {"Range": f"bytes={start}-{start + size - 1}"}

        async def fetch(client):
            out = await client.get_object(Bucket=bucket, Key=rest, **part)
            async with out["Body"] as body:
                return await body.read()

        return self._ask(key, fetch, size or 1 << 23)

    def put(self, key: str, data: bytes, *, new: bool = False, over: str | None = None) -> str:
        bucket, rest = _split(key)
        condition = {"IfNoneMatch": "*"} if new else {"IfMatch": over} if over else {}
        try:
            out = self._ask(
                key, lambda client: client.put_object(Bucket=bucket, Key=rest, Body=data, **condition), len(data), True
            )
        except FileNotFoundError:  # nothing to be put over
            raise FileExistsError(errno.EEXIST, "the object is not there any more", f"s3://{key}") from None
        return out["ETag"]

    def copy(self, key: str, target: str, version: str) -> None:
        (bucket, rest), (to_bucket, to_rest) = _split(key), _split(target)
        source = {"Bucket": bucket, "Key": rest}
        self._ask(
            target,
            lambda client: client.copy_object(
                Bucket=to_bucket, Key=to_rest, CopySource=source, CopySourceIfMatch=version
            ),
            1 << 24,
            True,
        )

    def delete(self, key: str, version: str | None = None) -> None:
        bucket, rest = _split(key)
        condition = {"IfMatch": version} if version else {}
        with suppress(FileNotFoundError, FileExistsError):
            self._ask(key, lambda client: client.delete_object(Bucket=bucket, Key=rest, **condition), 0, True)

    def listed(self, key: str, most: int | None = None) -> Iterator[tuple[str, int | None, float]]:
        bucket, rest = _split(key)
        prefix, more = f"{rest}/" if rest else "", {}
        while True:
            asked = {"Bucket": bucket, "Prefix": prefix, "Delimiter": "/", "MaxKeys": most or PAGE, **more}
            page = self._ask(key, lambda client, asked=asked: client.list_objects_v2(**asked))
            for entry in page.get("CommonPrefixes", ()):
                yield entry["Prefix"][len(prefix) : -1], None, 0.0
            for entry in page.get("Contents", ()):
                if entry["Key"] != prefix:  # consoles make an object of the folder
                    # In whole seconds, as `head` gives it.
                    yield entry["Key"][len(prefix) :], entry["Size"], float(int(entry["LastModified"].timestamp()))
            if most or not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}

    @staticmethod
    def _ask(key: str, request: Callable[..., Awaitable], size: int = 0, writes: bool = False):
        seconds = patience(size)

        def once():
            from fsspec.asyn import sync

            environment = tuple(sorted(item for item in os.environ.items() if item[0].startswith("AWS_")))
            with _starting:
                system = _connected(os.getpid(), patience(), environment)

            async def bounded():
                return await asyncio.wait_for(request(await system.set_session()), seconds)

            return sync(system.loop, bounded)

        return tried(f"s3://{key}", once, writes)


def _split(key: str) -> tuple[str, str]:
    bucket, _, rest = key.partition("/")
    return bucket, rest


class Memory:
    """Objects in this process, gone with it."""

    tick = 0.0
    _changing = threading.Lock()

    def __init__(self):
        import fsspec

        self._system = fsspec.filesystem("memory")

    def head(self, key: str) -> Found | None:
        from blake3 import blake3

        if not self._system.isfile(key):
            return None
        data = self._system.cat_file(key)
        return Found(len(data), blake3(data).hexdigest(), self._system.modified(key).timestamp(), time.time())

    def read(self, key: str, start: int = 0, size: int | None = None) -> bytes:
        try:
            return self._system.cat_file(key, start, None if size is None else start + size)
        except FileNotFoundError:
            raise FileNotFoundError(errno.ENOENT, "no such object", f"memory://{key}") from None

    def put(self, key: str, data: bytes, *, new: bool = False, over: str | None = None) -> str:
        with self._changing:
            there = self.head(key)
            if (new and there) or (over and (there is None or there.version != over)):
                raise FileExistsError(errno.EEXIST, "another object is there", f"memory://{key}")
            self._system.pipe_file(key, data)
            return self.head(key).version

    def copy(self, key: str, target: str, version: str) -> None:
        data = self.read(key)
        if self.head(key).version != version:
            raise FileExistsError(errno.EEXIST, "another object is there", f"memory://{key}")
        self.put(target, data)

    def delete(self, key: str, version: str | None = None) -> None:
        with self._changing:
            there = self.head(key)
            if there and version in (None, there.version):
                self._system.rm_file(key)

    def listed(self, key: str, most: int | None = None) -> Iterator[tuple[str, int | None, float]]:
        try:
            found = [] if self._system.isfile(key) else self._system.ls(key, detail=True)
        except FileNotFoundError:
            found = []
        for one in found[:most]:
            name, file = one["name"].rpartition("/")[2], one["type"] == "file"
            yield name, one["size"] if file else None, self._system.modified(one["name"]).timestamp() if file else 0.0
