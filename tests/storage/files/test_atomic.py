import errno
import os
import re
import shutil
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from storage.errors import CaptchasError, NoSpace, Unwritable, explained, readable_size
from storage.files import atomic, local_files

OLD, NEW = b"old bytes", b"new bytes " * 1000


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def failing(number: int):
    def fail(*_, **__):
        raise OSError(number, os.strerror(number))

    return fail


@pytest.fixture(params=["unnamed", "named"])
def system(request, monkeypatch) -> str:
    """With files that have no name until they are published, and without."""
    if request.param == "named":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    elif local_files._unnamed(Path.cwd()) is None:
        pytest.skip("no unnamed files here")
    return request.param


def test_replace_leaves_one_file_with_the_new_bytes(tmp_path):
    path = tmp_path / "made" / "here" / "manifest.json"
    for data in (OLD, NEW, b""):
        atomic.replace(path, data)
        assert path.read_bytes() == data
        assert names(path.parent) == ["manifest.json"]
    assert names(tmp_path) == ["made"]


def test_a_reader_that_holds_the_old_file_keeps_the_old_bytes(tmp_path):
    path = tmp_path / "file"
    atomic.replace(path, OLD)
    with path.open("rb") as reader:
        atomic.replace(path, NEW)
        assert reader.read() == OLD


def test_publish_puts_a_file_once_and_never_replaces_one(tmp_path, system):
    path = tmp_path / "shard"
    assert atomic.publish(path, OLD, "run") is True
    before = path.stat()
    assert atomic.publish(path, NEW, "other") is False
    assert path.read_bytes() == OLD
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert path.stat().st_nlink == 1
    assert names(tmp_path) == ["shard"]


def test_of_many_publishers_one_wins_and_its_bytes_stand(tmp_path, system):
    path = tmp_path / "shard"
    datas = [bytes([n]) * 50_000 for n in range(16)]
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda data: atomic.publish(path, data, f"run{data[0]}"), datas))
    assert won.count(True) == 1
    assert path.read_bytes() == datas[won.index(True)]
    assert names(tmp_path) == ["shard"]


@pytest.mark.parametrize("number", [errno.EISDIR, errno.ENOTSUP, errno.EINVAL])
def test_publish_where_files_must_have_names(tmp_path, monkeypatch, number):
    real = os.open
    monkeypatch.setattr(os, "O_TMPFILE", 1 << 30, raising=False)
    monkeypatch.setattr(
        os, "open", lambda path, flags, *mode: failing(number)() if flags >= 1 << 30 else real(path, flags, *mode)
    )
    assert atomic.publish(tmp_path / "shard", OLD, "run") is True
    assert (tmp_path / "shard").read_bytes() == OLD
    assert names(tmp_path) == ["shard"]


def test_a_file_in_the_making_has_no_name_or_a_hidden_one(tmp_path, monkeypatch, system):
    there = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (there.append(names(tmp_path)), real(handle)))
    assert atomic.publish(tmp_path / "shard", OLD, "run") is True
    shapes = [[re.sub("[0-9a-f]{8}", "…", name) for name in listed] for listed in there]
    assert shapes == [[] if system == "unnamed" else [".shard.run….tmp"]]
    plain = tmp_path / "plain"
    plain.write_bytes(OLD)
    assert (tmp_path / "shard").stat().st_mode == plain.stat().st_mode


def replaced_bit_by_bit(path: Path, data: bytes) -> None:
    with atomic.replacing(path) as write:
        write(data)


@pytest.mark.skipif(not hasattr(os, "posix_fadvise"), reason="this system takes no advice about its page cache")
@pytest.mark.parametrize(
    "put", [atomic.replace, replaced_bit_by_bit, lambda path, data: atomic.publish(path, data, "run")]
)
@pytest.mark.parametrize("refused", [False, True])
def test_a_file_leaves_the_page_cache_once_it_is_on_the_disk(tmp_path, monkeypatch, system, put, refused):
    done = []
    real = os.fsync

    def fsync(handle):
        real(handle)
        done.append(("on the disk", os.fstat(handle).st_size))

    def advise(handle, *advice):
        done.append((advice, os.fstat(handle).st_size))
        if refused:
            failing(errno.EINVAL)()

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "posix_fadvise", advise)
    put(tmp_path / "file", NEW)
    assert (tmp_path / "file").read_bytes() == NEW
    assert done[:2] == [("on the disk", len(NEW)), ((0, 0, os.POSIX_FADV_DONTNEED), len(NEW))]


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK])
def test_publish_where_there_are_no_hard_links(tmp_path, monkeypatch, system, number):
    monkeypatch.setattr(os, "link", failing(number))
    path = tmp_path / "shard"
    assert atomic.publish(path, OLD, "run") is True
    assert atomic.publish(path, NEW, "run") is False
    assert path.read_bytes() == OLD
    assert names(tmp_path) == ["shard"]


WRITERS = {"replace": atomic.replace, "publish": lambda path, data: atomic.publish(path, data, "run")}


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize(
    ("number", "raised"),
    [
        (errno.ENOSPC, NoSpace),
        (errno.EDQUOT, NoSpace),
        (errno.EFBIG, NoSpace),
        (errno.EACCES, Unwritable),
        (errno.EROFS, Unwritable),
    ],
)
def test_a_failing_disk_leaves_nothing_and_keeps_the_old_file(tmp_path, monkeypatch, system, writer, number, raised):
    for call, broken_ones in {"fsync": [(os, "fsync")], "open": [(os, "open"), (Path, "open")]}.items():
        folder = tmp_path / call
        kept, path = folder / "kept", folder / "file"
        atomic.replace(kept, OLD)
        if writer == "replace":
            atomic.replace(path, OLD)
        before = names(folder)
        with monkeypatch.context() as broken:
            for one in broken_ones:
                broken.setattr(*one, failing(number))
            with pytest.raises(raised) as error:
                WRITERS[writer](path, NEW)
        assert str(path) in str(error.value)
        assert isinstance(error.value, CaptchasError)
        assert names(folder) == before
        assert kept.read_bytes() == OLD
        assert writer == "publish" or path.read_bytes() == OLD


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("raised", [KeyboardInterrupt, OSError(errno.EIO, "Input/output error"), MemoryError])
def test_any_other_end_leaves_nothing_either_and_keeps_its_own_name(tmp_path, monkeypatch, system, writer, raised):
    def end(_):
        raise raised

    monkeypatch.setattr(os, "fsync", end)
    with pytest.raises(raised if isinstance(raised, type) else OSError) as error:
        WRITERS[writer](tmp_path / "file", NEW)
    assert not isinstance(error.value, CaptchasError)
    assert names(tmp_path) == []


def test_a_short_write_is_continued(tmp_path, monkeypatch, system):
    """A raw file may take fewer bytes than it is given, for instance at the last free block of a disk."""

    class Short:
        def __init__(self, file):
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def write(self, data):
            return self.file.write(data[:700])

        def fileno(self):
            return self.file.fileno()

    opened, reals = [], (Path.open, os.fdopen)
    for place, name, real in ((Path, "open", reals[0]), (os, "fdopen", reals[1])):
        monkeypatch.setattr(
            place, name,
            lambda one, *args, real=real, **kwargs: opened.append(one) or Short(real(one, *args, **kwargs)),
        )  # fmt: skip
    atomic.publish(tmp_path / "file", NEW, "run")
    assert len(opened) == 1
    monkeypatch.undo()
    assert (tmp_path / "file").read_bytes() == NEW


# Runs in a child: each writer over an old file and under a new name, and what stands there afterwards.
TRIAL = """
    import sys
    from pathlib import Path
    from storage.errors import NoSpace, Unwritable
    from storage.files import atomic

    def trial(folder, size):
        for writer in (atomic.replace, lambda path, data: atomic.publish(path, data, "run")):
            try:
                writer(folder / ("old" if writer is atomic.replace else "new"), bytes(size))
            except Exception as error:
                print(type(error).__name__, end=" ")
        print(*sorted(path.name for path in folder.iterdir()), (folder / "old").read_bytes())
"""


def child(script: str, *before: str) -> subprocess.CompletedProcess:
    command = [*before, sys.executable, "-c", textwrap.dedent(TRIAL) + textwrap.dedent(script)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30)


def test_a_file_size_limit(tmp_path):
    """The kernel itself writes 20,000 of the 50,000 bytes and then refuses (EFBIG)."""
    (tmp_path / "old").write_bytes(OLD)
    run = child(f"""
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        trial(Path({str(tmp_path)!r}), 50_000)
    """)
    assert run.stdout.strip() == f"NoSpace NoSpace old {OLD!r}", run.stderr
    assert names(tmp_path) == ["old"]


def test_a_real_full_disk_and_a_real_read_only_one(tmp_path):
    """In a mount namespace of its own: a file system of 64 KiB, full, and then mounted read-only."""
    alone = ["unshare", "--mount"]
    if not shutil.which("unshare") or subprocess.run([*alone, "mount", "-t", "tmpfs", "none", tmp_path]).returncode:
        pytest.skip("needs the right to mount")
    run = child(
        f"""
        import subprocess
        folder = Path({str(tmp_path)!r})
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", folder], check=True)
        (folder / "old").write_bytes({OLD!r})
        trial(folder, 100_000)
        atomic.replace(folder / "fits", bytes(30_000))
        trial(folder, 30_000)
        try:
            atomic.need_space(folder, 64_000)
        except NoSpace as error:
            print(error)
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        trial(folder, 10)
        try:
            atomic.make_folder(folder / "a")
        except Unwritable as error:
            print(error)
        """,
        *alone,
    )
    full, later, space, refused, folder = run.stdout.splitlines()
    assert full == f"NoSpace NoSpace old {OLD!r}", run.stderr
    assert later == f"NoSpace NoSpace fits old {OLD!r}"
    assert space.startswith(f"{tmp_path}: about 64.0 kB are needed, ")
    assert refused == f"Unwritable Unwritable fits old {OLD!r}"
    assert folder.startswith(f"{tmp_path / 'a'}: this user may not write there (Read-only file system)")


def test_a_path_under_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_bytes(OLD)
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(Unwritable, match="cannot be a folder"):
            atomic.make_folder(folder)
        with pytest.raises(Unwritable, match="choose another path"):
            atomic.replace(folder / "x", NEW)
    assert names(tmp_path) == ["file"]
    assert (tmp_path / "file").read_bytes() == OLD


def test_temporary_files_are_hidden_carry_the_run_and_are_found_again(tmp_path):
    run = atomic.new_run()
    assert len(run) == 12 and set(run) <= set("0123456789abcdef")
    assert len({atomic.new_run() for _ in range(100)}) == 100
    staged = atomic.temporary(tmp_path / "shard-000000-5.h5", run)
    assert staged.name == f".shard-000000-5.h5.{run}.tmp"
    for name in (staged.name, "shard-000000-5.h5", ".hidden", "x.tmp", "manifest.json"):
        (tmp_path / name).touch()
    assert atomic.leftovers(tmp_path) == [staged]


def test_need_space_asks_for_five_percent_more(tmp_path, monkeypatch):
    asked = []

    def usage(folder):
        asked.append(folder)
        return SimpleNamespace(free=1_050_000)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    atomic.need_space(tmp_path / "not" / "yet", 1_000_000)
    with pytest.raises(NoSpace, match=r"about 1\.1 MB are needed, 1\.1 MB are free; .*--count.*--out"):
        atomic.need_space(tmp_path, 1_050_000)
    assert asked == [tmp_path, tmp_path]  # the nearest folder that exists


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (1_500_000, "1.5 MB"),
        (999_949, "999.9 kB"),
        (999_999, "1.0 MB"),
        (2_340_000_000, "2.3 GB"),
        (7_000_000_000_000, "7.0 TB"),
        (7_000_000_000_000_000, "7000.0 TB"),
    ],
)
def test_readable_size(count, text):
    assert readable_size(count) == text


def test_a_worker_that_was_killed_while_it_wrote_does_not_bar_the_next_try(tmp_path, system):
    """The same job of the same run, on another worker, beside what the first one left."""
    atomic.temporary(tmp_path / "shard", "run").write_bytes(OLD[:1])
    assert atomic.publish(tmp_path / "shard", NEW, "run") is True
    assert (tmp_path / "shard").read_bytes() == NEW


def test_a_file_is_moved_to_another_file_system(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(OLD)
    with monkeypatch.context() as apart:
        apart.setattr(Path, "rename", failing(errno.EXDEV))
        atomic.move(tmp_path / "a", tmp_path / "b")
    assert names(tmp_path) == ["b"] and (tmp_path / "b").read_bytes() == OLD
    with monkeypatch.context() as refused:
        refused.setattr(Path, "rename", failing(errno.EACCES))
        with pytest.raises(Unwritable):
            atomic.move(tmp_path / "b", tmp_path / "c")
    assert names(tmp_path) == ["b"]


def test_only_a_runs_own_files_are_its_leftovers(tmp_path):
    ours = atomic.temporary(tmp_path / "shard-000000-1.h5", atomic.new_run())
    for path in (ours, tmp_path / ".my notes.tmp", tmp_path / ".cache.tmp"):
        path.write_bytes(OLD)
    (tmp_path / f".folder.h5.{atomic.new_run()}.tmp").mkdir()
    assert atomic.leftovers(tmp_path) == [ours]


@pytest.mark.parametrize("number", [errno.ENOENT, errno.EIO, errno.ENOSPC, errno.EACCES])
def test_no_error_is_its_own_cause(tmp_path, number):
    """Dask follows causes to their end."""
    original = OSError(number, "so it is", "a")
    told = explained(original, tmp_path / "b")
    assert told is not original and "so it is" in str(told) and str(tmp_path / "b") in str(told)
    with pytest.raises(FileNotFoundError) as caught:
        atomic.publish(tmp_path / "nowhere" / "shard", OLD, "run")
    assert caught.value.__cause__ is not caught.value and caught.value.__cause__.__cause__ is None


@pytest.mark.parametrize("write", [atomic.publish, atomic.replace])
@pytest.mark.parametrize("instead", [None, b"a file"])
def test_a_folder_that_is_gone_is_told_with_the_remedy(tmp_path, monkeypatch, write, instead):
    """Whether it was moved away before the write, or while the file was filled."""
    folder = tmp_path / "folder"
    folder.mkdir()

    def move_away(*_):
        folder.rename(tmp_path / "away")
        if instead:
            folder.write_bytes(instead)

    monkeypatch.setattr(local_files, "_fill", move_away)
    monkeypatch.setattr(local_files, "_name", failing(errno.ENOENT))
    monkeypatch.setattr(local_files, "_link_unnamed", failing(errno.ENOENT))
    with pytest.raises(Unwritable, match=r"a\.h5: its folder is gone.*put it back, and give the same command again"):
        write(folder / "a.h5", b"new", "run")


def test_a_file_that_came_at_the_moment_of_a_move_is_put_back(tmp_path, monkeypatch):
    """Whoever moves a file that it judged moves no other, even one of the same size."""
    path, target = tmp_path / "shard", tmp_path / "aside"
    path.write_bytes(b"bad")
    judged = atomic.fingerprint(path)
    rename = Path.rename

    def late(self, to):
        replace_by(self, b"new")
        return rename(self, to)

    def replace_by(place, data):
        other = tmp_path / "other"
        other.write_bytes(data)
        other.replace(place)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", late)
        assert not atomic.move(path, target, judged)
    assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == {"shard": b"new"}

    assert atomic.move(path, target, atomic.fingerprint(path))
    assert not atomic.move(path, tmp_path / "again", atomic.fingerprint(path))
    assert atomic.fingerprint(path) == ()
    assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == {"aside": b"new"}


def test_a_file_put_back_replaces_none_that_came_after_it(tmp_path, monkeypatch):
    path, target = tmp_path / "shard", tmp_path / "aside"
    path.write_bytes(b"good")
    rename = Path.rename

    def late(self, to):
        rename(self, to)
        path.write_bytes(b"newer")

    monkeypatch.setattr(Path, "rename", late)
    assert not atomic.move(path, target, (1, 2, 3, 4))
    assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == {"shard": b"newer", "aside": b"good"}


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs Linux's /proc, where nobody makes folders")
def test_a_place_where_there_are_no_folders_to_be_made_is_said():
    with pytest.raises(Unwritable, match=r"^/proc/nowhere cannot be a folder: .*; choose another path$"):
        atomic.make_folder(Path("/proc/nowhere"))
