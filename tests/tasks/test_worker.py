"""What tells a worker from the run: its software, its fonts, and what it sees at a path."""

import json
import pickle
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from storage.errors import Damaged
from tasks import worker
from tasks.datasets.recipe import software
from tasks.profiles.fonts import find_face
from tasks.readers import load_reader

ROOT = Path(__file__).parents[2]


def recorded_in(folder: Path) -> dict[str, str]:
    """The record of another process that finds packages in `folder` first."""
    script = (
        "import json, sys; sys.path[:0] = sys.argv[1:]; from tasks import worker; print(json.dumps(worker.record()))"
    )
    run = subprocess.run([sys.executable, "-c", script, folder], capture_output=True, text=True, check=True, cwd=ROOT)
    return json.loads(run.stdout)


def test_a_record_holds_all_that_a_dataset_records_and_the_fonts_and_the_code():
    record = worker.record()
    assert record.items() >= software().items()
    assert set(record) - set(software()) == {"python", "scikit-learn", "code", "fonts"}
    assert all(record.values())
    assert worker.differences(record, record) == []


def test_other_fonts_code_or_libraries_are_told(tmp_path):
    (tmp_path / "fonts").mkdir()
    (tmp_path / "fonts" / "__init__.py").touch()
    (tmp_path / "fonts" / "SHA256SUMS").write_text("0 ./inter/other.otf\n")
    shutil.copytree(ROOT / "storage", tmp_path / "storage")
    with (tmp_path / "storage" / "errors.py").open("a") as file:
        file.write("# one line more\n")
    (tmp_path / "pillow-1.0.dist-info").mkdir()
    (tmp_path / "pillow-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: pillow\nVersion: 1.0\n")
    found, here = recorded_in(tmp_path), worker.record()
    assert worker.differences(found, here) == [
        f"code {found['code']} there, {here['code']} here",
        f"fonts {found['fonts']} there, {here['fonts']} here",
        f"pillow 1.0 there, {here['pillow']} here",
    ]
    assert worker.differences({}, {"numpy": "2"}) == ["numpy missing there, 2 here"]


@pytest.mark.parametrize("name", ["storage/files/atomic.py", "tasks/reading/lattice.py", "tasks/datasets/recipe.py"])
def test_a_changed_file_in_any_folder_changes_the_fingerprint(tmp_path, monkeypatch, name):
    packages = tuple(tmp_path / package.name for package in worker.CODE)
    for package, copied in zip(worker.CODE, packages, strict=True):
        shutil.copytree(package, copied, ignore=lambda _, names: [one for one in names if one == "__pycache__"])
    monkeypatch.setattr(worker, "CODE", packages)

    def fingerprint() -> str:
        worker.record.cache_clear()
        worker.software_fingerprint.cache_clear()
        return worker.software_fingerprint()

    try:
        before = fingerprint()
        assert fingerprint() == before
        file = tmp_path / name
        file.write_bytes(file.read_bytes() + b"# one line more\n")
        changed = fingerprint()
        assert changed != before
        file.rename(file.with_name("renamed.py"))
        assert fingerprint() not in (before, changed)
    finally:
        monkeypatch.undo()
        fingerprint()


def test_a_job_is_done_only_with_the_software_of_the_run():
    assert worker.do(len, worker.software_fingerprint(), "four") == 4
    with pytest.raises(worker.Unfit, match="install the same version"):
        worker.do(len, "another", "four")
    assert isinstance(pickle.loads(pickle.dumps(worker.Unfit("x"))), worker.Unfit)


def test_evidence_of_a_folder_and_of_a_file(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    assert worker.sample(folder) == {str(folder): "folder"}
    file = folder / "a.png"
    file.write_bytes(b"abc")
    (folder / ".hidden").touch()
    seen = worker.sample(folder)
    assert list(seen) == [str(folder), str(file)]
    assert worker.sample(file) == {str(file): seen[str(file)]}
    assert worker.differing_files(seen) == []
    file.write_bytes(b"abd")  # as long, and another
    assert worker.differing_files(seen) == [str(file)]
    file.unlink()
    assert worker.differing_files(seen) == [str(file)]
    folder.joinpath(".hidden").unlink()
    folder.rmdir()
    assert worker.differing_files(seen) == [str(folder), str(file)]


def test_a_file_of_the_project_is_found_where_this_process_has_it(tmp_path):
    face = find_face("Inter Black").path
    inside = Path(face).relative_to(str(files("fonts")))
    assert worker.at_home(face) == face
    assert worker.at_home(str(tmp_path / "fonts" / inside)) == face
    for other in (str(tmp_path / inside), str(tmp_path / "fonts" / "none.otf"), "tasks", "x"):
        assert worker.at_home(other) == other
    shipped = str(files("tasks") / "ladder.skops")
    assert worker.at_home("/opt/elsewhere/tasks/ladder.skops") == shipped
    with pytest.raises(Damaged, match="not the file that this run began with"):
        load_reader("/opt/elsewhere/tasks/ladder.skops", "0" * 64, ())
