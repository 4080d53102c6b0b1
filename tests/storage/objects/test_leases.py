"""Locks in an object store, by a store in memory; S3's own are in test_s3.py."""

import threading
import time

import pytest

from storage.errors import BadInput, Busy, Unreachable
from storage.files import atomic
from storage.files.locks import locked
from storage.files.places import ObjectPath, sizes
from storage.objects import leases, store


def test_one_lock_and_one_holder(object_folder):
    with locked(object_folder):
        assert sorted(object_folder.parent.glob(f"{object_folder.name}*")) == [
            object_folder.with_name(f"{object_folder.name}.lock")
        ]
        with (
            pytest.raises(Busy, match=r"another run is working on it \(.+:\d+, run [0-9a-f]{12}, .* UTC"),
            locked(object_folder),
        ):
            pass
        with locked(object_folder / "other"):
            pass
        (object_folder / "a").write_bytes(b"1")
    assert sizes(object_folder.parent).keys() & {f"{object_folder.name}.lock"} == set()
    with pytest.raises(KeyError), locked(object_folder):
        raise KeyError
    with locked(object_folder):
        pass


def test_a_lock_is_renewed_while_it_is_held_and_runs_out_when_its_holder_is_dead(object_folder, monkeypatch):
    monkeypatch.setenv(leases.SECONDS, "1")
    lock = object_folder.with_name(f"{object_folder.name}.lock")
    with locked(object_folder):
        first = atomic.fingerprint(lock)
        time.sleep(1.3)
        assert atomic.fingerprint(lock) != first
        with pytest.raises(Busy), locked(object_folder):
            pass
    dead = leases._Lease("memory", object_folder.key)
    dead.take()
    with pytest.raises(Busy), locked(object_folder):
        pass
    time.sleep(1.1)
    with locked(object_folder):
        (object_folder / "a").write_bytes(b"the next run's")
        with pytest.raises(Busy, match="longer than its lock was good for"):
            dead.require()
        assert not dead._put(over=dead._version)
        dead.give_back()
        assert lock.exists()  # what is another's is left alone
    assert not lock.exists()


def test_what_has_lost_its_lock_changes_nothing_any_more(object_folder, monkeypatch):
    """A run that was stopped, as by a closed lid, and goes on when another one has begun."""
    monkeypatch.setenv(leases.SECONDS, "1")
    monkeypatch.setattr(leases._Lease, "keep", lambda self: None)
    (object_folder / "a").write_bytes(b"old")
    with locked(object_folder):
        time.sleep(1.1)
        with locked_elsewhere(object_folder):
            for change in (
                lambda: (object_folder / "a").write_bytes(b"new"),
                lambda: (object_folder / "a").unlink(),
                lambda: atomic.move(
                    object_folder / "a", object_folder.with_name(f"{object_folder.name}.foreign") / "a"
                ),
                lambda: atomic.replace(object_folder / "a", b"new"),
            ):
                with pytest.raises(Busy, match="another run may have begun"):
                    change()
            assert atomic.publish(object_folder / "shard", b"1", "run")  # which replaces nothing, so needs no lock
    assert sizes(object_folder) == {"a": 3, "shard": 1} and (object_folder / "a").read_bytes() == b"old"


def locked_elsewhere(object_folder: ObjectPath):
    """The lock as another process has it."""
    return leases.leased("memory", object_folder.key)


def test_two_runs_that_find_a_dead_lock_at_once_do_not_both_have_it(object_folder, monkeypatch):
    monkeypatch.setenv(leases.SECONDS, "1")
    leases._Lease("memory", object_folder.key).take()
    time.sleep(1.1)
    begin, had = threading.Barrier(8), []

    def race():
        lease = leases._Lease("memory", object_folder.key)
        begin.wait()
        try:
            lease.take()
        except Busy:
            return
        had.append(lease)

    threads = [threading.Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(had) == 1


class Careless(store.Memory):
    """Takes no notice of conditions, like some stores that speak S3's language."""

    def put(self, key, data, *, new=False, over=None):
        return super().put(key, data)


def test_a_store_that_ignores_conditions_is_refused(object_folder, monkeypatch):
    monkeypatch.setattr(leases, "store_of", lambda _: Careless())
    with pytest.raises(BadInput, match="ignores conditions"), locked(object_folder):
        pass
    assert not object_folder.with_name(f"{object_folder.name}.lock").exists()


class Forgetful(store.Memory):
    """Writes, and its answer is lost: the second try meets the first one's object."""

    def put(self, key, data, **condition):
        if condition and b"renewed" in data:
            super().put(key, data, **condition)
        return super().put(key, data, **condition)


def test_a_lock_whose_answer_was_lost_is_ours_all_the_same(object_folder, monkeypatch):
    monkeypatch.setenv(leases.SECONDS, "1")
    monkeypatch.setattr(leases, "store_of", lambda _: Forgetful())
    with locked(object_folder):
        time.sleep(0.8)
        (object_folder / "a").write_bytes(b"1")
    assert not object_folder.with_name(f"{object_folder.name}.lock").exists()


@pytest.mark.slow
def test_a_renewal_of_which_nothing_was_heard_is_no_loss(object_folder, monkeypatch):
    """It was written, its answer was lost, and the store stayed away for longer than is tried."""
    away = []

    class Away(store.Memory):
        def put(self, key, data, **condition):
            version = super().put(key, data, **condition)
            if not away and b'"renewed": 1,' in data:
                away.append(version)
                raise Unreachable("away")
            return version

    monkeypatch.setenv(leases.SECONDS, "2")
    monkeypatch.setattr(leases, "store_of", lambda _: Away())
    with locked(object_folder):
        time.sleep(2.5)
        (object_folder / "a").write_bytes(b"1")
    assert away and not object_folder.with_name(f"{object_folder.name}.lock").exists()


@pytest.mark.parametrize("value", ["0", "x", "-3", "1e9", "nan"])
def test_a_time_of_leases_out_of_range_is_refused(object_folder, monkeypatch, value):
    monkeypatch.setenv(leases.SECONDS, value)
    with (
        pytest.raises(BadInput, match=r"CAPTCHAS_LOCK_SECONDS: must be a number of seconds from 1"),
        locked(object_folder),
    ):
        pass
