"""Object stores: S3 over the network, and a store in memory; `storage.objects.retries` limits the time of requests."""

import email.utils
import errno
import os
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple, Protocol, TypeVar

from storage.errors import BadInput
from storage.objects.retries import timeout, with_retries

PAGE = 1000  # names in one page of a listing, the most that S3 gives
_CONNECT = 5.0  # seconds, at most, for a connection to be made
# Sizes that set the time limits of requests whose size is not known before.
_TYPICAL_READ = 1 << 23
_TYPICAL_COPY = 1 << 24

_Answer = TypeVar("_Answer")
_Request = Callable[[Any], Awaitable[_Answer]]  # takes the client of aiobotocore, which has no types


class ObjectInfo(NamedTuple):
    """The facts that a store tells about an object.

    size : in bytes
    version : the ETag
    modified, now : seconds since the epoch by the store's own clock, of the last put and of this answer
    """

    size: int
    version: str
    modified: float
    now: float


class Store(Protocol):
    """An object store. A key is `bucket/and/the/rest`, without a slash at the end.

    Every method raises `Unreachable` if the store refuses, or gives no answer in time after several tries, and
    `Unwritable` if it refuses a write. `tick` is the step of its clock in seconds.
    """

    tick: float

    def head(self, key: str) -> ObjectInfo | None:
        """Look an object up; None if it does not exist."""

    def read(self, key: str, start: int = 0, size: int | None = None) -> bytes:
        """Read all bytes, or `size` bytes from `start` on; FileNotFoundError if there is no such object."""

    def put(self, key: str, data: bytes, *, new: bool = False, over: str | None = None) -> str:
        """Write a whole object and return its version.

        With `new`, only if there is no object; with `over`, only over that version. Else FileExistsError, and nothing
        is written.
        """

    def copy(self, key: str, target: str, version: str) -> None:
        """Copy this version of an object; FileNotFoundError or FileExistsError if it is not there."""

    def delete(self, key: str, version: str | None = None) -> None:
        """Remove an object, if it is there; with `version`, only that version."""

    def listed(self, key: str, most: int | None = None) -> Iterator[tuple[str, int | None, float]]:
        """List (name, bytes, time of the put) of each object directly below a key; a folder's size is None."""


def store_of(scheme: str) -> Store:
    """Return the store of a URL's scheme."""
    stores: dict[str, Callable[[], Store]] = {"s3": S3, "memory": Memory}
    return stores[scheme]()


_starting = threading.Lock()


@lru_cache(maxsize=4)
def _connected(process: int, seconds: float, environment: tuple[tuple[str, str], ...]) -> Any:  # s3fs has no types
    """Return the file system that holds this process's connections; new credentials get new connections."""
    import fsspec

    try:
        system = fsspec.filesystem(
            "s3",
            use_listings_cache=False,
            skip_instance_cache=True,
            config_kwargs={
                "connect_timeout": min(_CONNECT, seconds), "read_timeout": seconds,
                "retries": {"total_max_attempts": 1},  # `with_retries` does that within its own limits
            },
        )  # fmt: skip
    except ImportError as error:
        raise BadInput(
            f"s3: URLs need a package that is not installed ({error}); run pip install 'beating-captchas[s3]'"
        ) from error
    system.connect()
    return system


class S3:
    """S3, or a store with its protocol that keeps conditions; the credentials come from the environment."""

    tick = 1.0

    def head(self, key: str) -> ObjectInfo | None:
        bucket, rest = _split(key)
        try:
            out = self._ask(key, lambda client: client.head_object(Bucket=bucket, Key=rest))
        except FileNotFoundError:
            return None
        now = email.utils.parsedate_to_datetime(out["ResponseMetadata"]["HTTPHeaders"]["date"])
        return ObjectInfo(out["ContentLength"], out["ETag"], out["LastModified"].timestamp(), now.timestamp())

    def read(self, key: str, start: int = 0, size: int | None = None) -> bytes:
        bucket, rest = _split(key)
        part = {} if size is None else {"Range": f"bytes={start}-{start + size - 1}"}

        async def fetch(client: Any) -> bytes:
            out = await client.get_object(Bucket=bucket, Key=rest, **part)
            async with out["Body"] as body:
                data: bytes = await body.read()
                return data

        return self._ask(key, fetch, size or _TYPICAL_READ)

    def put(self, key: str, data: bytes, *, new: bool = False, over: str | None = None) -> str:
        bucket, rest = _split(key)
        condition = {"IfNoneMatch": "*"} if new else {"IfMatch": over} if over else {}
        try:
            out = self._ask(
                key, lambda client: client.put_object(Bucket=bucket, Key=rest, Body=data, **condition), len(data), True
            )
        except FileNotFoundError:  # there is no version to put it over
            raise FileExistsError(errno.EEXIST, "the object is not there any more", f"s3://{key}") from None
        version: str = out["ETag"]
        return version

    def copy(self, key: str, target: str, version: str) -> None:
        (bucket, rest), (to_bucket, to_rest) = _split(key), _split(target)
        source = {"Bucket": bucket, "Key": rest}
        self._ask(
            target,
            lambda client: client.copy_object(
                Bucket=to_bucket, Key=to_rest, CopySource=source, CopySourceIfMatch=version
            ),
            _TYPICAL_COPY,
            True,
        )

    def delete(self, key: str, version: str | None = None) -> None:
        bucket, rest = _split(key)
        condition = {"IfMatch": version} if version else {}
        with suppress(FileNotFoundError, FileExistsError):
            self._ask(key, lambda client: client.delete_object(Bucket=bucket, Key=rest, **condition), 0, True)

    def listed(self, key: str, most: int | None = None) -> Iterator[tuple[str, int | None, float]]:
        bucket, rest = _split(key)
        prefix = f"{rest}/" if rest else ""
        asked = {"Bucket": bucket, "Prefix": prefix, "Delimiter": "/", "MaxKeys": most or PAGE}
        while True:
            page = self._ask(key, lambda client: client.list_objects_v2(**asked))
            for entry in page.get("CommonPrefixes", ()):
                yield entry["Prefix"][len(prefix) : -1], None, 0.0
            for entry in page.get("Contents", ()):
                if entry["Key"] != prefix:  # consoles create an object of the folder's name
                    # In whole seconds, as in `head`.
                    yield entry["Key"][len(prefix) :], entry["Size"], float(int(entry["LastModified"].timestamp()))
            if most or not page.get("IsTruncated"):
                return
            asked["ContinuationToken"] = page["NextContinuationToken"]

    @staticmethod
    def _ask(key: str, request: _Request[_Answer], size: int = 0, writes: bool = False) -> _Answer:
        seconds = timeout(size)

        def once() -> _Answer:
            from asyncio import wait_for  # here, since most commands use no object store

            from fsspec.asyn import sync

            environment = tuple(sorted(item for item in os.environ.items() if item[0].startswith("AWS_")))
            with _starting:
                system = _connected(os.getpid(), timeout(), environment)

            async def bounded() -> _Answer:
                return await wait_for(request(await system.set_session()), seconds)

            answer: _Answer = sync(system.loop, bounded)
            return answer

        return with_retries(f"s3://{key}", once, writes)


def _split(key: str) -> tuple[str, str]:
    bucket, _, rest = key.partition("/")
    return bucket, rest


class Memory:
    """A store in this process, which ends with it."""

    tick = 0.0
    _changing = threading.Lock()

    def __init__(self) -> None:
        import fsspec

        self._system = fsspec.filesystem("memory")

    def head(self, key: str) -> ObjectInfo | None:
        if not self._system.isfile(key):
            return None
        data = self._system.cat_file(key)
        return ObjectInfo(len(data), _version(data), self._system.modified(key).timestamp(), time.time())

    def read(self, key: str, start: int = 0, size: int | None = None) -> bytes:
        try:
            data: bytes = self._system.cat_file(key, start, None if size is None else start + size)
        except FileNotFoundError:
            raise FileNotFoundError(errno.ENOENT, "no such object", f"memory://{key}") from None
        return data

    def put(self, key: str, data: bytes, *, new: bool = False, over: str | None = None) -> str:
        with self._changing:
            found = self.head(key)
            if (new and found) or (over and (found is None or found.version != over)):
                raise FileExistsError(errno.EEXIST, "another object is there", f"memory://{key}")
            self._system.pipe_file(key, data)
        return _version(data)

    def copy(self, key: str, target: str, version: str) -> None:
        data = self.read(key)
        if _version(data) != version:
            raise FileExistsError(errno.EEXIST, "another object is there", f"memory://{key}")
        self.put(target, data)

    def delete(self, key: str, version: str | None = None) -> None:
        with self._changing:
            found = self.head(key)
            if found and version in (None, found.version):
                self._system.rm_file(key)

    def listed(self, key: str, most: int | None = None) -> Iterator[tuple[str, int | None, float]]:
        try:
            found = [] if self._system.isfile(key) else self._system.ls(key, detail=True)
        except FileNotFoundError:
            found = []
        for entry in found[:most]:
            name = entry["name"].rpartition("/")[2]
            if entry["type"] == "file":
                yield name, entry["size"], self._system.modified(entry["name"]).timestamp()
            else:
                yield name, None, 0.0


def _version(data: bytes) -> str:
    from blake3 import blake3

    digest: str = blake3(data).hexdigest()
    return digest
