"""Locks in an object store: leases, that is, objects that expire.

A lease lies beside the dataset or model that it locks and is made by a conditional put. Its holder renews it while it
works. Another run that finds an expired lease, by the store's own clock, puts its own over exactly that version. A run
that has lost its lease is refused every change but publishing a shard, which never replaces a shard and needs no lock.
"""

import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TypedDict, Unpack

from storage.errors import BadInput, Busy, CaptchasError
from storage.objects.store import ObjectInfo, store_of

SECONDS = "CAPTCHAS_LOCK_SECONDS"  # for which a lease is good without a renewal, 60 by default
_LONGEST = 86_400  # seconds, a day
_RENEWALS = 3  # in the time of a lease
_LAST_RENEWAL = 2.0  # seconds that the end of a run waits for a renewal under way
_TRIES = 2  # to take a lease that is given back at that moment
_held: list["_Lease"] = []  # by this process


class _Condition(TypedDict, total=False):
    """The conditions of `Store.put`."""

    new: bool
    over: str | None


@dataclass(frozen=True)
class _Content:
    """The content of the lock object; the defaults are for an object that is not ours or is gone."""

    holder: str = "?"
    run: str = "?"
    renewed: int = -1
    seconds: float = 0.0


@contextmanager
def leased(scheme: str, key: str) -> Iterator[None]:
    """Hold the lease `KEY.lock`.

    Raises
    ------
    Busy
        Another run holds it; the message names that run and the time at which the lease expires.
    BadInput
        The store ignores conditions, so nothing there can be locked.
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
        # It may be waiting for a store that does not answer; a late renewal is harmless, since it has a condition.
        thread.join(_LAST_RENEWAL)
        with suppress(CaptchasError):  # the lease expires all the same
            lease.give_back()


def require(url: str) -> None:
    """Refuse to change an object that this process has locked if the lease has expired.

    Raises
    ------
    Busy
    """
    for lease in list(_held):
        if url == lease.what or url.startswith((f"{lease.what}/", f"{lease.what}.")):
            lease.require()


class _Lease:
    """A lease, from the time it is taken until it is given back."""

    def __init__(self, scheme: str, key: str) -> None:
        self.what = f"{scheme}://{key}"
        self.ended = threading.Event()
        self._store, self._key = store_of(scheme), f"{key}.lock"
        self._seconds = _seconds()
        self._run, self._version, self._renewed = secrets.token_hex(6), "", 0
        self._good_until = 0.0
        self._lost = False

    def take(self) -> None:
        """Put the lock object, if none exists or if it has expired."""
        for _ in range(_TRIES):
            if self._put(new=True):
                self._require_conditions()
                return
            found = self._store.head(self._key)
            if found is None:
                continue  # it was given back at this moment
            content = self._read()
            if found.now > self._expires(content, found) and self._put(over=found.version):
                return
            raise self._busy(content, found)
        raise Busy(f"{self.what}: other runs keep locking it; give the same command again")

    def keep(self) -> None:
        """Renew the lease until it is given back or lost."""
        while not self.ended.wait(self._seconds / _RENEWALS):
            try:
                self._renewed += 1
                if not self._put(over=self._version):
                    self._lost = True
                    return
            except CaptchasError:
                continue  # `require` knows whether it has expired meanwhile

    def require(self) -> None:
        """Refuse if another run may hold the lease by now."""
        if self._lost or _clock() > self._good_until:
            raise Busy(
                f"{self.what}: this run stood still, or did not reach the store, for longer than its lock was good for "
                f"({self._seconds:g} s), so another run may have begun; give the same command again"
            )

    def give_back(self) -> None:
        """Remove the lock object, if it is still ours."""
        if self._lost:
            return
        found = self._store.head(self._key)  # a store may not support conditions of a removal
        if found and found.version == self._version:
            self._store.delete(self._key, self._version)

    def _put(self, **condition: Unpack[_Condition]) -> bool:
        """Write the lock object under a condition; True if the lease is ours then."""
        began = _clock()
        content = _Content(f"{socket.gethostname()}:{os.getpid()}", self._run, self._renewed, self._seconds)
        data = json.dumps(asdict(content)).encode()
        try:
            self._version = self._store.put(self._key, data, **condition)
        except FileExistsError:
            # The object may be ours: a put was written, its answer was lost, and the retry met the object.
            found, existing = self._store.head(self._key), self._read()
            if not found or existing.run != self._run:
                return False
            self._version = found.version
            if existing.renewed != self._renewed:  # an earlier renewal whose answer was lost
                try:
                    self._version = self._store.put(self._key, data, over=found.version)
                except FileExistsError:
                    return False
        self._good_until = began + self._seconds
        return True

    def _read(self) -> _Content:
        try:
            content = json.loads(self._store.read(self._key))
            known = {name: content[name] for name in ("holder", "run", "renewed") if name in content}
            return _Content(**known, seconds=float(content["seconds"]))
        except FileNotFoundError:
            return _Content()
        except (ValueError, TypeError, KeyError):  # not written by us; it expires all the same
            return _Content(seconds=_seconds())

    def _expires(self, content: _Content, found: ObjectInfo) -> float:
        # One tick later: the store's times are that coarse, and no lease is taken while some of it is left.
        return found.modified + content.seconds + self._store.tick

    def _require_conditions(self) -> None:
        """Try puts that the store must refuse: if it ignores conditions, two runs could hold one lease."""
        conditions: tuple[_Condition, ...] = ({"new": True}, {"over": '"0"'})
        for condition in conditions:
            try:
                self._version = self._store.put(self._key, b"{}", **condition)
            except FileExistsError:
                continue
            self.give_back()
            raise BadInput(
                f"{self.what}: the object store ignores conditions of a put (If-None-Match, If-Match), so that nothing "
                "there can be locked or sealed; use a store that keeps them"
            )

    def _busy(self, content: _Content, found: ObjectInfo) -> Busy:
        until = datetime.fromtimestamp(self._expires(content, found), UTC)
        return Busy(
            f"{self.what}: another run is working on it ({content.holder}, run {content.run}, its lock is good until "
            f"{until:%H:%M:%S} UTC and renewed while it works); wait for that to end, or choose another --out. If that "
            "run is dead, the same command takes over after that time"
        )


def _clock() -> float:
    """Return the seconds of a clock that only goes forward, also while the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def _seconds() -> float:
    try:
        seconds = float(os.environ.get(SECONDS, "60"))
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds <= _LONGEST:
        raise BadInput(f"{SECONDS}: must be a number of seconds from 1 to {_LONGEST}; it is {os.environ[SECONDS]!r}")
    return seconds
