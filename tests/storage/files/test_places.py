"""Places, by an object store in memory; what S3 itself does is in test_s3.py."""

import pickle
import threading
import time
import uuid
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from storage.dataset import Dataset
from storage.errors import BadInput, Busy, Damaged, NotThere, Unreachable, Unwritable
from storage.files import atomic
from storage.files.locks import locked
from storage.files.places import ObjectPath, is_url, local, place, read_range, shown, sizes
from storage.models import load_model, model_digest
from storage.objects import leases, retries, store
from storage.shards import cache
from storage.shards.proven import prove
from storage.shards.shard import BLOCK, Block, read_record, sealed, shard_name

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCY"


@pytest.fixture
def there() -> ObjectPath:
    """A folder of its own in the store in memory."""
    return place(f"memory://tests/{uuid.uuid4().hex}")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv(cache.FOLDER, str(tmp_path / "cache"))
    return tmp_path / "cache"


def same(a: Block, b: Block) -> bool:
    return all(x.dtype == y.dtype and x.shape == y.shape and (x == y).all() for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("book", Path("book")),
        (Path("a/b"), Path("a/b")),
        ("/a:/b", Path("/a:/b")),
        ("a/s3:/b", Path("a/s3:/b")),
        ("c:/x", Path("c:/x")),
        ("file:///a/b", Path("/a/b")),
        (Path("file:///a/b"), Path("file:///a/b")),
        ("s3://bucket/a/b", ObjectPath("s3", "bucket/a/b")),
        ("S3://bucket/a/", ObjectPath("s3", "bucket/a")),
        (Path("s3://bucket/a"), ObjectPath("s3", "bucket/a")),  # its slashes are folded into one
        ("memory://x", ObjectPath("memory", "x")),
        (ObjectPath("s3", "bucket/c"), ObjectPath("s3", "bucket/c")),
    ],
)
def test_a_name_is_a_path_or_a_url(name, expected):
    if name == Path("file:///a/b"):
        expected = Path("/a/b")
    found = place(name)
    assert found == expected and type(found) is type(expected)
    assert is_url(name) == str(name).lower().startswith(("s3:", "memory:", "file:"))
    assert place(str(found)) == found  # as a job takes it to a worker
    assert pickle.loads(pickle.dumps(found)) == found


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        (f"s3://AKIA42:{SECRET}@bucket/a", "neither credentials"),
        (Path(f"s3://AKIA42:{SECRET}@bucket/a"), "neither credentials"),
        (f"s3://AKIA42:{SECRET}/bucket/a", "neither credentials"),
        (f"s3://bucket/a?X-Amz-Signature={SECRET}", "nor a query"),
        (f"s3://bucket/a#{SECRET}", "nor a query"),
        (f"memory://u:{SECRET}@a", "neither credentials"),
        (f"https://u:{SECRET}@example.org/a?key={SECRET}", "must begin with s3://"),
        ("simplecache::s3://bucket/a", "must begin with s3://"),
        ("zip://x::s3://bucket/a", "must begin with s3://"),
        ("gs://bucket/a", "must begin with s3://"),
        (Path("gs://bucket/a"), "must begin with s3://"),
        ("s3://bucket", "must name a bucket and a folder"),
        ("s3://Bucket_/a", "must name a bucket and a folder"),
        ("s3://bucket/a/../b", "none of '.' or '..'"),
        ("s3://bucket/a//b", "no empty part"),
        ("memory://", "no empty part"),
        ("file://host/a", "absolute path"),
    ],
)
def test_a_url_that_is_refused_is_told_without_its_secrets(name, rule):
    with pytest.raises(BadInput, match=rule) as caught:
        place(name)
    for text in (str(caught.value), shown(name)):
        assert SECRET not in text and SECRET[:12] not in text and "AKIA42" not in text
    assert caught.value.__cause__ is None


def test_only_what_is_secret_is_left_out():
    assert shown(f"s3://k:{SECRET}@bucket/a@b") != shown("s3://bucket/a@b") == "s3://bucket/a@b"
    assert shown("s3://bucket/a?x=1") == "s3://bucket/a?***"
    assert shown(Path("s3://bucket/a")) == "s3://bucket/a"
    assert shown("data/a?b") == "data/a?b"
    with pytest.raises(BadInput, match="out: must be a folder of this machine; it is s3://bucket/a"):
        local(Path("s3://bucket/a"), "out")
    assert local("a/b", "out") == Path("a/b")


def test_it_answers_like_a_path(there):
    (there / "a.h5").write_bytes(b"12345")
    (there / "b" / "c").write_bytes(b"")
    path = there / "a.h5"
    assert (path.name, path.stem, path.suffix) == ("a.h5", "a", ".h5")
    assert path.parent == there and path.with_name("b") == there / "b" and path.resolve() == path
    assert path.is_file() and not path.is_dir() and path.exists() and not path.is_symlink()
    assert there.is_dir() and not there.is_file() and there.exists()
    assert not (there / "nothing").exists() and list((there / "nothing").iterdir()) == []
    assert sorted(there.iterdir()) == [path, there / "b"] and list(there.glob("*.h5")) == [path]
    assert sizes(there) == {"a.h5": 5} and path.stat().st_size == 5
    assert read_range(path, 1, 3) == b"234" and path.read_bytes() == b"12345"
    assert path.is_relative_to(there) and not there.is_relative_to(path) and not path.is_relative_to(Path("/"))
    with pytest.raises(FileNotFoundError):
        (there / "nothing").unlink()
    (there / "nothing").unlink(missing_ok=True)
    with pytest.raises(TypeError):
        open(path)  # noqa: PTH123, SIM115 - no local function takes it for a file


def test_sizes_of_a_local_folder(tmp_path):
    (tmp_path / "a").write_bytes(b"123")
    (tmp_path / "b").mkdir()
    assert sizes(tmp_path) == {"a": 3} and sizes(tmp_path / "nothing") == {} == sizes(tmp_path / "a")
    assert read_range(tmp_path / "a", 1, 9) == b"23"


def test_what_goes_for_a_folder_is_moved_as_a_whole(there):
    (there / "stray" / "a").write_bytes(b"1")
    (there / "stray" / "b" / "c").write_bytes(b"2")
    atomic.move(there / "stray", there / "aside")
    assert sizes(there / "aside") == {"a": 1} and sizes(there / "aside" / "b") == {"c": 1}
    assert not (there / "stray").exists()


def test_a_dataset_is_the_same_there_to_the_last_byte(there, tmp_path, make_blocks, put):
    blocks = make_blocks(2 * BLOCK + 300, seed=4)
    assert put(there, blocks) == put(tmp_path / "d", blocks)
    here = {path.name: path.read_bytes() for path in (tmp_path / "d").iterdir()}
    assert {path.name: path.read_bytes() for path in there.iterdir()} == here
    assert {key: path.name for key, path in sealed(there).items()} == {
        key: path.name for key, path in sealed(tmp_path / "d").items()
    }
    data, other = (pickle.loads(pickle.dumps(Dataset(name))) for name in (str(there), tmp_path / "d"))
    assert all(map(same, data.blocks(), blocks))
    assert (data[1500].image == other[1500].image).all() and data[-1].text == other[-1].text
    assert same(data[[2000, 3, 3]], other[[2000, 3, 3]])
    for a, b in zip(data.batches(700, shuffle=3), other.batches(700, shuffle=3), strict=True):
        assert same(a, b)
    with pytest.raises(NotThere, match=f"{there}/nothing: no complete dataset"):
        Dataset(there / "nothing")
    with pytest.raises(NotThere, match="no such file"):
        load_model(there / "m.skops")
    with pytest.raises(NotThere):
        model_digest(str(there / "m.skops"))


class Counted(store.Memory):
    """Counts requests by their kind."""

    asked: list[tuple] = []  # noqa: RUF012

    def read(self, key, start=0, size=None):
        self.asked.append((key.rpartition("/")[2], start, size))
        return super().read(key, start, size)


@pytest.fixture
def asked(monkeypatch) -> list[tuple]:
    """(name, start, size) of every read."""
    monkeypatch.setattr(Counted, "asked", [])
    monkeypatch.setattr("storage.files.places.store_of", lambda _: Counted())
    prove.cache_clear()
    return Counted.asked


def test_a_shard_is_fetched_once(there, make_blocks, asked, own_cache, put):
    blocks = make_blocks(2 * BLOCK)
    manifest = put(there, blocks)
    data = Dataset(there)
    asked.clear()
    for _ in range(2):
        assert all(map(same, data.blocks(), blocks))
        assert sum(len(batch.images) for batch in data.batches(100, shuffle=1)) == 2 * BLOCK
        assert data[5].text == blocks[0].texts()[5]
    assert [name for name, *_ in asked] == [shard_name(0, BLOCK), shard_name(1, BLOCK)]
    kept = sorted(f"{line['sha256']}.h5" for line in manifest.shards)
    assert sorted(path.name for path in own_cache.iterdir()) == kept


def test_a_shard_that_left_the_cache_is_read_by_ranges_then_fetched_again(there, make_blocks, asked, own_cache, put):
    blocks = make_blocks(BLOCK)
    line = put(there, blocks).shards[0]
    shard = prove(str(there / line["name"]), line["sha256"])
    (own_cache / f"{line['sha256']}.h5").unlink()
    asked.clear()
    for _ in range(2):
        assert same(shard.block(0), blocks[0])
    ranges = [(start, size) for _, start, size in asked]
    assert ranges[:-1] == [tuple(shard.places[field][0].tolist()) for field in Block._fields[:4]]
    assert ranges[-1] == (0, None) and (own_cache / f"{line['sha256']}.h5").exists()


def test_nothing_is_kept_where_there_is_no_room(there, make_blocks, asked, own_cache, monkeypatch, put):
    monkeypatch.setenv(cache.BYTES, "0")
    blocks = make_blocks(BLOCK)
    line = put(there, blocks).shards[0]
    shard = prove(str(there / line["name"]), line["sha256"])
    asked.clear()
    for _ in range(2):
        assert same(shard.block(0), blocks[0])
    assert all(size is not None for _, _, size in asked) and len(asked) == 10 and not own_cache.exists()
    monkeypatch.setenv(cache.BYTES, "many")
    with pytest.raises(BadInput, match="CAPTCHAS_CACHE_BYTES: must be a number of bytes"):
        cache.room()


def test_the_cache_stays_within_its_bound(tmp_path, own_cache, monkeypatch):
    monkeypatch.setenv(cache.BYTES, "250")
    for number in range(5):
        cache._keep(f"{number:064x}", bytes(100))
        time.sleep(0.002)
    assert sorted(path.name for path in own_cache.iterdir()) == [f"{number:064x}.h5" for number in (3, 4)]
    cache._keep("f" * 64, bytes(251))
    assert len(list(own_cache.iterdir())) == 2


def test_bytes_that_changed_in_the_cache_are_fetched_again(there, make_blocks, own_cache, put):
    blocks = make_blocks(BLOCK, seed=7)
    line = put(there, blocks).shards[0]
    path, copy = there / line["name"], own_cache / f"{line['sha256']}.h5"
    shard = prove(str(path), line["sha256"])
    for harm in (bytes(line["bytes"]), b"", b"short"):
        copy.write_bytes(harm)
        assert same(shard.block(0), blocks[0])
        copy.write_bytes(harm)
        assert all(map(same, Dataset(there).blocks(), blocks))
    copy.unlink()
    path.write_bytes(bytes(line["bytes"]))  # and now the object
    with pytest.raises(Damaged, match="changed since the file was proven"):
        shard.block(0)
    prove.cache_clear()
    with pytest.raises(Damaged, match="differ from the sha256"):
        Dataset(there)[0]
    assert not copy.exists()


def test_proving_looks_at_the_object_and_not_at_the_cache(there, make_blocks, put):
    line = put(there, make_blocks(BLOCK)).shards[0]
    path = there / line["name"]
    assert list(Dataset(there).blocks()) and read_record(path).sha256 == line["sha256"]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(Damaged, match="was cut or altered"):
        read_record(path)


@pytest.mark.parametrize(
    "name", ["../shard-000000-1024.h5", "/etc/passwd", "s3://other/shard-000000-1024.h5", "sub/shard-000000-1024.h5"]
)
def test_a_manifest_cannot_name_what_is_elsewhere(there, make_blocks, name, put):
    manifest = put(there, make_blocks(1024))
    there.with_name("shard-000000-1024.h5").write_bytes((there / "shard-000000-1024.h5").read_bytes())
    replace(manifest, shards=[manifest.shards[0] | {"name": name}]).write(there)
    for read in (lambda: list(Dataset(there).blocks()), lambda: Dataset(there)[0], lambda: Dataset(there).path(0)):
        with pytest.raises(Damaged, match="no shard's name"):
            read()


def test_one_lock_and_one_holder(there):
    with locked(there):
        assert sorted(there.parent.glob(f"{there.name}*")) == [there.with_name(f"{there.name}.lock")]
        with (
            pytest.raises(Busy, match=r"another run is working on it \(.+:\d+, run [0-9a-f]{12}, .* UTC"),
            locked(there),
        ):
            pass
        with locked(there / "other"):
            pass
        (there / "a").write_bytes(b"1")
    assert sizes(there.parent).keys() & {f"{there.name}.lock"} == set()
    with pytest.raises(KeyError), locked(there):
        raise KeyError
    with locked(there):
        pass


def test_a_lock_is_renewed_while_it_is_held_and_runs_out_when_its_holder_is_dead(there, monkeypatch):
    monkeypatch.setenv(leases.SECONDS, "1")
    lock = there.with_name(f"{there.name}.lock")
    with locked(there):
        first = atomic.fingerprint(lock)
        time.sleep(1.3)
        assert atomic.fingerprint(lock) != first
        with pytest.raises(Busy), locked(there):
            pass
    dead = leases._Lease("memory", there.key)
    dead.take()
    with pytest.raises(Busy), locked(there):
        pass
    time.sleep(1.1)
    with locked(there):
        (there / "a").write_bytes(b"the next run's")
        with pytest.raises(Busy, match="longer than its lock was good for"):
            dead.require()
        assert not dead._put(over=dead._version)
        dead.give_back()
        assert lock.exists()  # what is another's is left alone
    assert not lock.exists()


def test_what_has_lost_its_lock_changes_nothing_any_more(there, monkeypatch):
    """A run that was stopped, as by a closed lid, and goes on when another one has begun."""
    monkeypatch.setenv(leases.SECONDS, "1")
    monkeypatch.setattr(leases._Lease, "keep", lambda self: None)
    (there / "a").write_bytes(b"old")
    with locked(there):
        time.sleep(1.1)
        with locked_elsewhere(there):
            for change in (
                lambda: (there / "a").write_bytes(b"new"),
                lambda: (there / "a").unlink(),
                lambda: atomic.move(there / "a", there.with_name(f"{there.name}.foreign") / "a"),
                lambda: atomic.replace(there / "a", b"new"),
            ):
                with pytest.raises(Busy, match="another one may have begun"):
                    change()
            assert atomic.publish(there / "shard", b"1", "run")  # which replaces nothing, so needs no lock
    assert sizes(there) == {"a": 3, "shard": 1} and (there / "a").read_bytes() == b"old"


def locked_elsewhere(there: ObjectPath):
    """The lock as another process has it."""
    return leases.leased("memory", there.key)


def test_two_runs_that_find_a_dead_lock_at_once_do_not_both_have_it(there, monkeypatch):
    monkeypatch.setenv(leases.SECONDS, "1")
    leases._Lease("memory", there.key).take()
    time.sleep(1.1)
    begin, had = threading.Barrier(8), []

    def race():
        lease = leases._Lease("memory", there.key)
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


def test_a_store_that_ignores_conditions_is_refused(there, monkeypatch):
    monkeypatch.setattr(leases, "store_of", lambda _: Careless())
    with pytest.raises(BadInput, match="ignores conditions"), locked(there):
        pass
    assert not there.with_name(f"{there.name}.lock").exists()


class Forgetful(store.Memory):
    """Writes, and its answer is lost: the second try meets the first one's object."""

    def put(self, key, data, **condition):
        if condition and b"renewed" in data:
            super().put(key, data, **condition)
        return super().put(key, data, **condition)


def test_a_lock_whose_answer_was_lost_is_ours_all_the_same(there, monkeypatch):
    monkeypatch.setenv(leases.SECONDS, "1")
    monkeypatch.setattr(leases, "store_of", lambda _: Forgetful())
    with locked(there):
        time.sleep(0.8)
        (there / "a").write_bytes(b"1")
    assert not there.with_name(f"{there.name}.lock").exists()


def test_a_renewal_of_which_nothing_was_heard_is_no_loss(there, monkeypatch):
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
    with locked(there):
        time.sleep(2.5)
        (there / "a").write_bytes(b"1")
    assert away and not there.with_name(f"{there.name}.lock").exists()


@pytest.mark.parametrize("value", ["0", "x", "-3", "1e9", "nan"])
def test_settings_that_are_no_time_are_refused(there, monkeypatch, value):
    monkeypatch.setenv(leases.SECONDS, value)
    with pytest.raises(BadInput, match=r"CAPTCHAS_LOCK_SECONDS: must be a number of seconds from 1"), locked(there):
        pass
    monkeypatch.setenv(retries.TIMEOUT, "-1" if value == "1e9" else value)
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


def test_arrays_of_rows_come_from_there_too(there, make_blocks, put):
    from flows.arrays import images

    blocks = make_blocks(BLOCK + 5)
    put(there, blocks)
    assert (images(str(there))[1000:1029].compute(scheduler="sync") == np.concatenate(
        [block.images for block in blocks])[1000:1029]).all()  # fmt: skip
