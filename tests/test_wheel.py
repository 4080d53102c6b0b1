"""The wheel holds every tracked file of the packages and nothing else: `pyproject.toml` names them one by one."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
PACKAGES = ("flows", "tasks", "storage", "fonts")
BEGINNING = "beating_captchas.py"  # of the command: the only module beside the packages
NAMED_BY_HAND = {
    BEGINNING,
    "flows/py.typed", "tasks/py.typed", "storage/py.typed", "tasks/ladder.skops", "tasks/strangers.onnx",
    "fonts/SHA256SUMS",
    "tasks/audit/page/elements/page.css", "tasks/audit/page/elements/plots.css", "tasks/audit/page/elements/page.js",
    "flows/deployment/prefect.yaml",
}  # fmt: skip


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


# What `python -m build` does, in an environment that has setuptools already.
BUILDING = """
import sys, tarfile
from pathlib import Path
from setuptools import build_meta
out = sys.argv[1]
sources = tarfile.open(Path(out, build_meta.build_sdist(out)))
sources.extractall(out, filter="data")
import os
os.chdir(Path(out, sources.getnames()[0].partition("/")[0]))
print(build_meta.build_wheel(out))
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A folder with an sdist of a copy of the tracked files, and the wheel that was built from that sdist."""
    # An older one cannot read the license field of pyproject.toml. The extra `test` brings it.
    pytest.importorskip("setuptools", minversion="77", reason="pip install -e .[test] brings setuptools 77 or newer")
    copy, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for name in tracked():
        if name.startswith((*PACKAGES, "tests/test_", "docs/format")) or "/" not in name:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)
    done = subprocess.run([sys.executable, "-c", BUILDING, out], cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def wheel(built) -> set[str]:
    """The names of the files in the wheel."""
    (file,) = built.glob("*.whl")
    with zipfile.ZipFile(file) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_the_tracked_files_of_the_packages_and_no_others(wheel):
    wanted = {name for name in tracked() if name.partition("/")[0] in (*PACKAGES, BEGINNING)}
    assert wanted >= NAMED_BY_HAND
    found = {name for name in wheel if ".dist-info/" not in name}
    assert sorted(wanted - found) == []
    assert sorted(found - wanted) == []


def test_the_wheel_brings_the_licenses_and_the_command(wheel):
    (information,) = {name.partition("/")[0] for name in wheel if ".dist-info/" in name}
    assert {f"{information}/entry_points.txt", f"{information}/licenses/LICENSE"} <= wheel


def test_the_sdist_holds_what_a_wheel_is_built_from(built):
    (file,) = built.glob("*.tar.gz")
    with tarfile.open(file) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {name for name in tracked() if name.partition("/")[0] in (*PACKAGES, BEGINNING)}
    assert wanted | {"pyproject.toml", "README.md", "LICENSE"} <= names


@pytest.mark.soak
def test_the_wheel_works_in_an_empty_environment(built, tmp_path):
    """Outside the repository, with nothing but what pip installs with it."""
    environment, home = tmp_path / "environment", tmp_path / "home"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    (file,) = built.glob("*.whl")
    packages = ["-c", str(ROOT / "constraints.txt"), str(file)]
    installing = [environment / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", *packages]
    subprocess.run(installing, check=True, cwd=tmp_path)
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PREFECT_", "CAPTCHAS_", "PYTHON", "AWS_"))
    }

    def captchas(*arguments: object, code: int = 0) -> dict:
        command = [environment / "bin" / "captchas", *map(str, arguments), "--json", "--home", str(home)]
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=tmp_path, env=clean, timeout=2400, check=False
        )
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout)

    profiles = captchas("profiles")["profiles"]
    assert all(Path(path).is_file() for profile in profiles for path in profile["font_path"])
    assert captchas("up", "--check", code=1)
    assert captchas("demo")["solved"]
    (picture, *_) = sorted((home / "samples" / "demo").rglob("*.png"))
    for model in ("ladder", "strangers"):
        assert captchas("solve", picture, "--model", model)["answers"]
    assert captchas("doctor")["wrong"] == 0
