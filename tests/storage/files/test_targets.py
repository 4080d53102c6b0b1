"""What a command may write over: new and ordinary files, and nothing that is a device, a stream or kept here."""

import json
import os
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
import zipfile
from contextlib import closing, suppress
from pathlib import Path

import pytest

from storage.errors import BadInput, Unwritable
from storage.exports.staging import staged_file
from storage.files import atomic, local_files
from storage.files.judged_folders import judged
from storage.files.places import place
from storage.files.targets import (
    STANDARD_OUTPUT,
    Kind,
    Owned,
    is_stream,
    kind_of,
    owned,
    require_file,
    require_folder,
    streamed,
)


def make_special(folder: Path) -> dict[str, Path]:
    """One of each thing that must never be replaced, and links to them."""
    made = {name: folder / name for name in ("fifo", "socket", "folder")}
    os.mkfifo(made["fifo"])
    with closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind(os.path.relpath(made["socket"]))
    made["folder"].mkdir()
    made["device"] = folder / "device"
    try:
        os.mknod(made["device"], stat.S_IFCHR | 0o600, os.makedev(1, 3))
    except PermissionError:
        made["device"].symlink_to("/dev/null")
    for name, path in list(made.items()):
        made[f"link to {name}"] = folder / f"link to {name}"
        made[f"link to {name}"].symlink_to(path)
    return made


SPECIAL = [f"{link}{name}" for link in ("", "link to ") for name in ("fifo", "socket", "folder", "device")]


@pytest.fixture
def special(tmp_path, monkeypatch) -> dict[str, Path]:
    monkeypatch.chdir(tmp_path)  # a socket's path has at most 107 bytes
    return make_special(tmp_path)


@pytest.mark.parametrize("name", SPECIAL)
def test_special_files_are_refused_and_stay(special, name):
    path = special[name]
    before = path.lstat()
    with pytest.raises(BadInput, match=r"out: must be a new or an ordinary file; .* is a .*: choose another path"):
        require_file(path, "out")
    for write in (
        lambda: atomic.replace(path, b"x"), lambda: atomic.publish(path, b"x", "run"), lambda: replaced(path),
        lambda: moved(path),
    ):  # fmt: skip
        with pytest.raises(BadInput, match="must be a new or an ordinary file"):
            write()
    after = path.lstat()
    assert (after.st_mode, after.st_ino) == (before.st_mode, before.st_ino)
    assert not [left for left in special["fifo"].parent.iterdir() if left.suffix == ".tmp"]


def replaced(path: Path) -> None:
    with atomic.replacing(path) as write:
        write(b"x")


def moved(path: Path) -> None:
    source = Path("source")
    source.write_bytes(b"x")
    try:
        atomic.move(source, path)
    finally:
        assert source.read_bytes() == b"x"


@pytest.mark.parametrize(
    "path", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "/proc/version", "/proc/new", "/dev/new", "/dev/null/x"]
)
def test_names_of_the_kernel_are_refused(path):
    with pytest.raises(BadInput, match=r"^out: "):
        require_file(Path(path), "out")
    with pytest.raises(BadInput, match=r"^out: "):
        require_folder(Path(path), "out")


def test_paths_that_cannot_be_looked_at_are_refused_by_name(tmp_path):
    (tmp_path / "ring").symlink_to(tmp_path / "ring")
    (tmp_path / "file").write_bytes(b"x")
    for path in (tmp_path / "ring", tmp_path / ("n" * 300), tmp_path / "file" / "x", tmp_path / "a\0b"):
        for require in (require_file, require_folder):
            with pytest.raises(BadInput, match=r"(?s)^out: .*choose another path"):
                require(path, "out")


def test_ordinary_and_new_files_pass(tmp_path):
    (tmp_path / "old.csv").write_text("a")
    (tmp_path / "empty").touch()
    (tmp_path / "link").symlink_to(tmp_path / "old.csv")
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    (tmp_path / "manifest.json").write_text('{"name": "a browser extension"}')
    for name in ("old.csv", "empty", "link", "nowhere", "new", "new/new", "manifest.json"):
        require_file(tmp_path / name, "out")
    for name in ("", "new", "new/new"):
        require_folder(tmp_path / name, "out", members=("report.json",))


@pytest.mark.parametrize("name", [".export.json", "export.json"])
def test_an_export_is_known_by_its_record_also_of_earlier_versions(tmp_path, name):
    (tmp_path / name).write_text('{"what": {}, "parts": []}')
    assert owned(tmp_path) is Owned.EXPORT
    (tmp_path / name).write_text('{"mine": 1}')
    assert owned(tmp_path) is None


@pytest.fixture
def kept(tmp_path) -> dict[Path, Owned]:
    """Files of the project by what they are."""
    data, export = tmp_path / "data", tmp_path / "export"
    for folder in (data / "more", export):
        folder.mkdir(parents=True)
    (data / "manifest.json").write_text('{"identity": "", "shards": []}')
    (export / ".export.json").write_text('{"what": {}, "parts": []}')
    (data / "shard-000000-1.h5").write_bytes(b"\x89HDF\r\n\x1a\nx")
    with closing(sqlite3.connect(tmp_path / "b.dat")) as base:
        base.execute("CREATE TABLE t (a)")
    (tmp_path / "m.skops").write_bytes(b"x")
    with zipfile.ZipFile(tmp_path / "renamed.csv", "w") as archive:
        archive.writestr("schema.json", "{}")
    (tmp_path / "to base").symlink_to(tmp_path / "b.dat")
    (tmp_path / "to data").symlink_to(data)
    return {
        data / "manifest.json": Owned.MANIFEST, data / "shard-000000-1.h5": Owned.SHARD,
        tmp_path / "b.dat": Owned.DATABASE,
        tmp_path / "b.dat-wal": Owned.DATABASE, tmp_path / "to base": Owned.DATABASE,
        tmp_path / "m.skops": Owned.MODEL, tmp_path / "renamed.csv": Owned.MODEL, tmp_path / "data.lock": Owned.LOCK,
        tmp_path / "prefect" / "password": Owned.SERVER, tmp_path / "prefect" / "up.json": Owned.SERVER,
        tmp_path / "ledger.sqlite": Owned.LEDGER, tmp_path / "ledger.sqlite-shm": Owned.LEDGER,
    }  # fmt: skip


def test_what_is_kept_is_refused(tmp_path, kept):
    for path, owner in kept.items():
        with pytest.raises(
            BadInput, match=rf"out: must replace nothing that is kept here; .* is {owner.value}: choose"
        ):
            require_file(path, "out")
    for name in ("data/new.csv", "data/more/new.csv", "data/no/such/new.csv", "to data/new.csv", "export/new.csv"):
        with pytest.raises(BadInput, match="out: must not lie in a"):
            require_file(tmp_path / name, "out")
        with pytest.raises(BadInput, match="out: must not lie in a"):
            require_folder(tmp_path / name, "out", may_be=Owned.DATASET)
    for name in ("data", "to data", "export"):
        with pytest.raises(BadInput, match="out: must replace nothing"):
            require_folder(tmp_path / name, "out")
    require_folder(tmp_path / "data", "out", may_be=Owned.DATASET)
    require_folder(tmp_path / "export", "out", may_be=Owned.EXPORT)
    require_file(tmp_path / "m.skops", "out", model=True)


def test_a_dataset_that_is_being_drawn_is_one(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "shard-000000-1024.h5").touch()
    (tmp_path / "d.lock").touch()
    with pytest.raises(BadInput, match="out: must not lie in a dataset"):
        require_file(tmp_path / "d" / "answers.csv", "out")


def test_inputs_and_members_are_refused(tmp_path, special):
    words = tmp_path / "words.txt"
    words.write_text("word")
    (tmp_path / "same").symlink_to(words)
    for path in (words, tmp_path / "same"):
        with pytest.raises(BadInput, match="out: must not be a file that is read"):
            require_file(path, "out", inputs=(words,))
    with pytest.raises(BadInput, match="fifo is a FIFO"):
        require_folder(tmp_path, "out", members=("fifo",))
    for require in (require_file, require_folder):
        with pytest.raises(BadInput, match="standard output"):
            require(STANDARD_OUTPUT, "out")


def test_a_stream_is_written_to_and_stays(special, capfdbinary):
    fifo, got = special["fifo"], []
    require_file(fifo, "out", stream=True)
    require_file(STANDARD_OUTPUT, "out", stream=True)
    for name in ("socket", "folder", "device"):
        with pytest.raises(BadInput, match="choose another path, or - for standard output"):
            require_file(special[name], "out", stream=True)
    reader = threading.Thread(target=lambda: got.append(fifo.read_bytes()))
    reader.start()
    with streamed(fifo) as write:
        write(b"one ")
        write(b"two")
    reader.join()
    assert got == [b"one two"]
    assert kind_of(fifo) is Kind.FIFO and is_stream(fifo) and is_stream(STANDARD_OUTPUT)
    with streamed(STANDARD_OUTPUT) as write:
        write(b"three")
    assert capfdbinary.readouterr().out == b"three"
    assert not Path("-").exists()


def test_objects_are_judged_too(tmp_path):
    data = place("memory://targets/data")
    (data / "manifest.json").write_bytes(b'{"identity": "", "shards": []}')
    for path in (data / "manifest.json", data / "new.csv", data, place("memory://targets/m.skops.lock")):
        with pytest.raises(BadInput, match=r"^out: must"):
            require_file(path, "out")
    require_file(place("memory://targets/new.csv"), "out")
    require_folder(data, "out", may_be=Owned.DATASET)


def test_a_folder_that_became_a_link_is_not_written_into(tmp_path):
    outside, here = tmp_path / "outside", tmp_path / "here"
    (outside / "inner").mkdir(parents=True)
    here.mkdir()
    for name in ("out.csv", "inner/out.csv"):
        (outside / name).write_text("precious")
    require_file(here / "out.csv", "out")
    require_folder(here / "inner", "out")

    def swap():
        here.rename(tmp_path / "away")
        here.symlink_to(outside)

    with pytest.raises(Unwritable, match=r"leads to .*outside now; nothing is replaced"):  # noqa: SIM117
        with atomic.replacing(here / "out.csv") as write:
            write(b"answers")
            swap()
    for name in ("out.csv", "inner/out.csv", "inner/deeper/out.csv"):
        with pytest.raises(Unwritable, match="Put the folder back"):
            atomic.replace(here / name, b"answers")
    assert {path.read_text() for path in outside.rglob("*.csv")} == {"precious"}
    assert not list((tmp_path / "away").rglob("*.tmp")) and not list(outside.rglob("*.tmp"))

    require_file(here / "out.csv", "out")  # the next command takes the link for what its user means
    atomic.replace(here / "out.csv", b"answers")
    assert (outside / "out.csv").read_text() == "answers"


def test_a_folder_that_moved_between_two_commands_is_judged_anew(tmp_path):
    """A long-lived process runs many commands: what the first remembers binds no later one."""
    here, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    (here / "sub").mkdir(parents=True)
    require_folder(here, "out")
    here.rename(elsewhere)
    here.symlink_to(elsewhere)
    require_file(here / "sub" / "b.json", "out")
    atomic.replace(here / "sub" / "b.json", b"new")
    assert (elsewhere / "sub" / "b.json").read_bytes() == b"new"


@pytest.fixture
def between(tmp_path, monkeypatch):
    """`between(write)`: run it, and let a link take its folder's place once all is judged and before it is renamed."""
    outside, here = tmp_path / "outside", tmp_path / "here"
    outside.mkdir()
    here.mkdir()
    (outside / "out.csv").write_text("precious")
    require_file(here / "out.csv", "out")
    sync, once = local_files.sync_file, []

    def swap(file):
        sync(file)
        if not once:
            once.append(1)
            here.rename(tmp_path / "away")
            here.symlink_to(outside)

    def run(write):
        monkeypatch.setattr(local_files, "sync_file", swap)
        monkeypatch.setattr(atomic, "sync_file", swap)
        with suppress(Unwritable):
            write(here / "out.csv")
        assert once
        assert [(path.name, path.read_text()) for path in outside.iterdir()] == [("out.csv", "precious")]
        assert not list((tmp_path / "away").glob(".*"))

    return run


def _piece_by_piece(path):
    with atomic.replacing(path) as write:
        write(b"answers")


def _published(path):
    atomic.publish(path.with_name("new.csv"), b"answers", "run")


def _of_an_export(path):
    with staged_file(path) as file:
        file.write(b"answers")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no names of open folders")
@pytest.mark.parametrize(
    "write",
    [lambda path: atomic.replace(path, b"answers"), _published,
     _piece_by_piece, _of_an_export],
    ids=["replace", "publish", "replacing", "export"],
)  # fmt: skip
def test_a_link_that_comes_at_the_last_moment_is_not_followed(between, write):
    """The file goes into the folder that was judged, wherever that is now."""
    between(write)


def test_a_process_that_works_for_another_judges_by_its_folders(tmp_path):
    """Workers write into the folders that the command has judged, and know no folder of an earlier command."""
    outside, here = tmp_path / "outside", tmp_path / "here"
    outside.mkdir()
    here.mkdir()
    require_folder(here, "out")
    program = (
        "import json, pathlib, sys\n"
        "from storage.files import atomic, judged_folders\n"
        "folders, path = json.loads(sys.argv[1]), pathlib.Path(sys.argv[2])\n"
        "judged_folders.take_over(folders)\n"
        "try:\n    atomic.replace(path, b'new')\nexcept OSError as error:\n    print(error)\n"
        "judged_folders.take_over({})\n"
        "atomic.replace(path, b'newer')\n"
    )
    folders = json.dumps(judged())
    here.rename(tmp_path / "away")
    here.symlink_to(outside)
    done = subprocess.run(
        [sys.executable, "-c", program, folders, here / "a.csv"], capture_output=True, text=True, check=True
    )
    assert "leads to" in done.stdout and "Put the folder back" in done.stdout
    assert (outside / "a.csv").read_bytes() == b"newer"
