"""Models and records that somebody else has put in place: a pipe, a device, a file without an end, deep JSON."""

import json
import os
from pathlib import Path

import pytest

from flows import home
from storage import audits, models, pairs, served_model
from storage.deep_models import is_deep, load_deep_model
from storage.errors import Damaged
from storage.exports.record import ExportRecord
from storage.files.places import read_range
from storage.files.small_files import NotOrdinary, read_json, read_ordinary
from storage.shards.shard import Shard

KINDS = ("pipe", "device", "endless", "socket")


@pytest.fixture
def place(tmp_path):
    """Put something that cannot be read whole in a file's place."""

    def put(kind: str, path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "device":
            path.symlink_to("/dev/zero")
        elif kind == "socket":
            path.symlink_to("/dev/tty")
        elif kind == "endless":
            path.touch()
            os.truncate(path, 1 << 40)  # it takes no room
        else:
            path.write_text("[" * 200_000)
        return path

    return put


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("read", [models.load_model, models.model_digest, load_deep_model, is_deep])
def test_a_model_without_an_end_is_refused(tmp_path, place, kind, read):
    with pytest.raises(Damaged, match=r"m\.onnx: (is no file of a model|cannot be read)"):
        read(place(kind, tmp_path / "m.onnx"))


@pytest.mark.parametrize("kind", [*KINDS, "deep"])
def test_a_record_without_an_end_is_as_good_as_a_damaged_one(tmp_path, place, kind):
    record = place(kind, tmp_path / "served.json")
    with pytest.raises((ValueError, OSError)):
        read_json(record)
    with pytest.raises(Damaged, match="does not say which model is served"):
        served_model.served_in(tmp_path)
    assert not served_model.is_served_by_name(tmp_path)
    assert pairs.load_pair(record, "", "", (0.0, 0.0)) is None
    steps = audits.Steps(tmp_path, {})
    place(kind, steps.path("one"))
    assert steps.find("one") is None
    place(kind, tmp_path / audits.STATE / audits.TARGET)
    assert audits.target_in(tmp_path) == {}
    place(kind, tmp_path / "out" / "export.json")
    with pytest.raises(Damaged, match="cannot be read as the record of an export"):
        ExportRecord.read(tmp_path / "out")


@pytest.mark.parametrize("kind", [*KINDS, "deep"])
def test_no_record_of_up_holds_a_command_up(tmp_path, place, kind, monkeypatch):
    monkeypatch.setenv(home.HOME, str(tmp_path))
    place(kind, tmp_path / "prefect" / home.UP_RECORD)
    assert home.served() is None


def test_a_shard_without_an_end_is_damaged(tmp_path):
    os.mkfifo(pipe := tmp_path / "shard-000000-64.h5")
    (huge := tmp_path / "shard-000001-64.h5").touch()
    os.truncate(huge, 10 << 30)
    for path, why in ((pipe, "is a device, a pipe or a socket"), (huge, "has 10.7 GB")):
        with pytest.raises(Damaged, match=f"{path.name}: is no shard .it {why}"), Shard(path):
            pass
    with pytest.raises(OSError, match="seek"):
        read_range(pipe, 0, 8)


def test_an_ordinary_file_is_read_up_to_its_bound(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps([1, 2]))
    assert read_json(path) == [1, 2]
    assert read_ordinary(path, most=6) == b"[1, 2]"
    assert read_ordinary(path, first=2) == b"[1"
    with pytest.raises(NotOrdinary, match="it has 6 bytes and is larger than the 5 bytes"):
        read_ordinary(path, most=5)
    with pytest.raises(IsADirectoryError):
        read_ordinary(tmp_path)
