"""The lock of what is in an object store: an object beside it, made by a conditional put, which runs out.

Its holder renews it while it works. Whoever finds one that was not renewed for as long as it said, by the store's own
clock, puts one of its own over just that version. All that a run changes after it has lost its lock is refused here;
a shard needs no lock, since none is ever put over another one.
"""

import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from storage.errors import BadInput, Busy, CaptchasError
from storage.objects.store import Found, store_of

SECONDS = "CAPTCHAS_LOCK_SECONDS"  # for which a lock is good if it is not renewed, 60 by default
_RENEWALS = 3  # in that time
_PATIENCE = 2.0  # seconds for the last renewal to end
_held: list["_Lease"] = []  # of this process


@contextmanager
def leased(scheme: str, key: str) -> Iterator[None]:
    """Hold the lock `KEY.lock`.

    Raises
    ------
    Busy
        Another run has it; says which, and until when.
    BadInput
        The store takes no notice of conditions, so nothing there can be locked.
    Unreachable, Unwritable
    """
    lease = _Lease(scheme, key)
    lease.take()
    thread = threading.Thread(target=lease.keep, name="captchas-lock", daemon=True)
    thread.start()
    _held.append(lease)
    try:
        yield
    finally:
        _held.remove(lease)
        lease.ended.set()
        thread.join(_PATIENCE)  # it may be waiting for a store that is away, and renews under a condition
        with suppress(CaptchasError):  # it runs out all the same
            lease.give_back()


def require(url: str) -> None:
    """Refuse to change what this process has locked, if its lock ran out.

    Raises
    ------
    Busy
    """
    for lease in list(_held):
        if url == lease.what or url.startswith((f"{lease.what}/", f"{lease.what}.")):
            lease.require()


class _Lease:
    """One lock, from its taking to its end."""

    def __init__(self, scheme: str, key: str):
        self.what = f"{scheme}://{key}"
        self.ended = threading.Event()
        self._store, self._key = store_of(scheme), f"{key}.lock"
        self._seconds = _seconds()
        self._run, self._version, self._renewed = secrets.token_hex(6), "", 0
        self._good_until = 0.0
        self._lost = False

    def take(self) -> None:
        """Make the lock, or put it over one that ran out."""
        for _ in range(2):
            if self._put(new=True):
                self._require_conditions()
                return
            found = self._store.head(self._key)
            if found is None:
                continue  # given back at this moment
            there = self._read()
            # One tick more, lest a lock be taken for run out that has some of it left.
            until = found.modified + float(there["seconds"]) + self._store.tick
            if found.now > until and self._put(over=found.version):
                return
            raise self._busy(there, found)
        raise Busy(f"{self.what}: other runs keep locking it; give the same command again")

    def keep(self) -> None:
        """Renew the lock until it is given back or lost."""
        while not self.ended.wait(self._seconds / _RENEWALS):
            try:
                self._renewed += 1
                if not self._put(over=self._version):
                    self._lost = True
                    return
            except CaptchasError:
                continue  # `require` knows whether it has run out meanwhile

    def require(self) -> None:
        """Refuse if it may be another's by now."""
        if self._lost or _clock() > self._good_until:
            raise Busy(
                f"{self.what}: this run stood still, or did not reach the store, for longer than its lock was good for "
                f"({self._seconds:g} s), so another one may have begun; give the same command again"
            )

    def give_back(self) -> None:
        """Remove the lock object, if it is still ours."""
        if self._lost:
            return
        found = self._store.head(self._key)  # a store may not know conditions of a removal
        if found and found.version == self._version:
            self._store.delete(self._key, self._version)

    def _put(self, **condition) -> bool:
        """Write the lock under a condition; whether it is ours then."""
        began = _clock()
        content = {
            "holder": f"{socket.gethostname()}:{os.getpid()}", "run": self._run, "renewed": self._renewed,
            "seconds": self._seconds,
        }  # fmt: skip
        try:
            self._version = self._store.put(self._key, json.dumps(content).encode(), **condition)
        except FileExistsError:
            # A put that was written, and whose answer was lost, was tried again and met itself.
            found = self._store.head(self._key)
            there = self._read()
            if not found or there["run"] != self._run:
                return False
            self._version = found.version
            if there["renewed"] != self._renewed:  # an earlier renewal, of which nothing was heard
                try:
                    self._version = self._store.put(self._key, json.dumps(content).encode(), over=found.version)
                except FileExistsError:
                    return False
        self._good_until = began + self._seconds
        return True

    def _read(self) -> dict:
        try:
            there = json.loads(self._store.read(self._key))
            there["seconds"] = float(there["seconds"])
            return {"holder": "?", "run": "?", "renewed": -1} | there
        except FileNotFoundError:
            return {"holder": "?", "run": "?", "renewed": -1, "seconds": 0.0}
        except (ValueError, TypeError, KeyError):  # not ours; it runs out all the same
            return {"holder": "?", "run": "?", "renewed": -1, "seconds": _seconds()}

    def _require_conditions(self) -> None:
        """Try what must be refused: a store that ignores conditions would let two runs have one lock."""
        for condition in ({"new": True}, {"over": '"0"'}):
            try:
                self._version = self._store.put(self._key, b"{}", **condition)
            except FileExistsError:
                continue
            self.give_back()
            raise BadInput(
                f"{self.what}: the object store ignores conditions of a put (If-None-Match, If-Match), so that nothing "
                "there can be locked or sealed; use one that keeps them"
            )

    def _busy(self, there: dict, found: Found) -> Busy:
        until = datetime.fromtimestamp(found.modified + there["seconds"] + self._store.tick, UTC)
        return Busy(
            f"{self.what}: another run is working on it ({there['holder']}, run {there['run']}, its lock is good until "
            f"{until:%H:%M:%S} UTC and renewed while it works); wait for that to end, or choose another --out. If that "
            "run is dead, the same command takes over after that time"
        )


def _clock() -> float:
    """Seconds that only go forward, also while the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def _seconds() -> float:
    try:
        seconds = float(os.environ.get(SECONDS, "60"))
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds <= 86_400:
        raise BadInput(f"{SECONDS}: must be a number of seconds from 1 to 86400; it is {os.environ[SECONDS]!r}")
    return seconds
