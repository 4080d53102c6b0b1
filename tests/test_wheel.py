"""The wheel holds every tracked file of the packages and nothing else: `pyproject.toml` names them one by one."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("flows", "tasks", "storage", "fonts")
NAMED_BY_HAND = {
    "flows/py.typed", "tasks/py.typed", "storage/py.typed", "tasks/ladder.skops", "tasks/strangers.onnx",
    "fonts/SHA256SUMS",
    "tasks/audit/page/elements/page.css", "tasks/audit/page/elements/plots.css", "tasks/audit/page/elements/page.js",
    "flows/deployment/prefect.yaml",
}  # fmt: skip


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> set[str]:
    """The names of the files in a wheel that was built from a copy of the tracked files, without a network."""
    # An older one cannot read the license field of pyproject.toml. The extra `test` brings it.
    pytest.importorskip("setuptools", minversion="77", reason="pip install -e .[test] brings setuptools 77 or newer")
    copy, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in tracked():
        if name.startswith(PACKAGES) or "/" not in name:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)
    offline = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "wheel", *offline, "--wheel-dir", out, copy]
    done = subprocess.run(command, cwd=out, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (built,) = out.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_the_tracked_files_of_the_packages_and_no_others(wheel):
    wanted = {name for name in tracked() if name.partition("/")[0] in PACKAGES}
    assert wanted >= NAMED_BY_HAND
    found = {name for name in wheel if ".dist-info/" not in name}
    assert sorted(wanted - found) == []
    assert sorted(found - wanted) == []


def test_the_wheel_brings_the_licenses_and_the_command(wheel):
    (information,) = {name.partition("/")[0] for name in wheel if ".dist-info/" in name}
    assert {f"{information}/entry_points.txt", f"{information}/licenses/LICENSE"} <= wheel
