"""Promises 1 and 2 on the real command: the same digests for any workers, after any kill, and nothing left over."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from storage.dataset import Dataset
from storage.files.locks import locked

# Prefect and what it brings warn while they are imported; that is theirs.
pytestmark = pytest.mark.filterwarnings("ignore")
CAPTCHAS = Path(sys.executable).with_name("captchas")

COUNT = 70_000  # four whole shards and a short one
FILES = sorted([
    "manifest.json", "shard-000000-16384.h5", "shard-000001-16384.h5", "shard-000002-16384.h5",
    "shard-000003-16384.h5", "shard-000004-4464.h5",
])  # fmt: skip


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def whole(captchas, tmp_path_factory) -> Dataset:
    home = tmp_path_factory.mktemp("one")
    result = captchas("generate", "book", "--count", COUNT, "--workers", 1, "--home", home, "--json")
    assert result.returncode == 0, result.stderr
    assert result.report["drawn"] == COUNT
    return Dataset(home / "datasets" / "book")


def test_what_an_earlier_try_drew_is_this_runs_too(environment, tmp_path):
    """As after a lost worker: the task begins again, and finds shards that were not there before the run."""
    from flows.generate import draw
    from tasks.datasets.generate import draw_shard, plan_drawing
    from tasks.datasets.recipe import make_recipe
    from tasks.profiles.built_in import find_profile

    recipe = make_recipe(find_profile("letters"), 1)
    plan = plan_drawing(recipe, tmp_path, 40_000, "run")
    names = [draw_shard(job).record.name for job in plan.jobs[:2]]
    gathered, shards = draw.fn(recipe, plan, tmp_path, {names[0]}, 1, None)
    assert (gathered.drawn, gathered.kept) == (40_000 - 16_384, 16_384)
    assert {row["shard"]: row["state"] for row in shards} == dict.fromkeys(
        (path.name for path in tmp_path.glob("*.h5")), "made"
    ) | {names[0]: "skipped"}


@pytest.mark.slow
def test_a_command_checks_its_request_once(captchas, monkeypatch, tmp_path):
    """Before Prefect has started; the flow, which Prefect calls, takes the result."""
    from flows import generate

    made, original = [], generate.make_recipe

    def make(*parameters):
        made.append(parameters)
        return original(*parameters)

    monkeypatch.setattr(generate, "make_recipe", make)
    result = captchas("generate", "letters", "--count", 100, "--out", tmp_path / "few", "--home", tmp_path, "--json")
    assert result.returncode == 0, result.stderr
    assert result.report["drawn"] == 100
    assert len(made) == 1


def test_two_workers_give_the_same_bytes(captchas, whole, tmp_path):
    result = captchas("generate", "book", "--count", COUNT, "--home", tmp_path, "--json")
    assert result.returncode == 0, result.stderr
    folder = tmp_path / "datasets" / "book"
    assert files(folder) == FILES == files(whole.folder)
    other = Dataset(folder)
    assert other.manifest.content == whole.manifest.content == result.report["content"]
    assert other.manifest.shards == whole.manifest.shards
    assert files(folder.parent) == ["book", "book.lock"]


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was(captchas, start, whole, tmp_path):
    folder = tmp_path / "datasets" / "book"
    command = (CAPTCHAS, "generate", "book", "--count", COUNT, "--workers", "2", "--home", tmp_path)
    process = start(*command)
    deadline = time.monotonic() + 200
    while not list(folder.glob("shard-*.h5")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    sealed = {path.name: path.stat().st_mtime_ns for path in folder.glob("shard-*.h5")}
    assert sealed
    assert not (folder / "manifest.json").exists()
    result = captchas("generate", "book", "--count", COUNT, "--home", tmp_path, "--json")
    assert result.returncode == 0, result.stderr
    assert files(folder) == FILES
    assert Dataset(folder).manifest.content == whole.manifest.content
    assert result.report["kept"] >= sum(int(name[13:-3]) for name in sealed)
    for name, changed in sealed.items():
        assert (folder / name).stat().st_mtime_ns == changed


def test_a_finished_dataset_is_left_alone_and_a_larger_count_extends_it(captchas, tmp_path):
    command = ("generate", "letters", "--home", tmp_path, "--json", "--count")
    first = captchas(*command, 20_000)
    folder = tmp_path / "datasets" / "letters"
    before = {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}
    again = captchas(*command, 20_000)
    assert (again.report["drawn"], again.report["kept"]) == (0, 20_000)
    assert {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()} == before
    more = captchas(*command, 40_000)
    assert more.returncode == 0, more.stderr
    assert files(folder) == ["manifest.json", "shard-000000-16384.h5", "shard-000001-16384.h5", "shard-000002-7232.h5"]
    name = "shard-000000-16384.h5"
    assert ((folder / name).stat().st_mtime_ns, (folder / name).read_bytes()) == before[name]
    assert more.report["content"] != first.report["content"]


@pytest.mark.slow
def test_a_full_disk_leaves_nothing_half_written(captchas, whole, tmp_path):
    folder = tmp_path / "datasets" / "book"
    command = ("generate", "book", "--count", 20_000, "--home", tmp_path)  # a whole shard and a short one
    limit = 5_000_000  # bytes a file: less than a shard
    result = captchas(
        *command, "--workers", 1, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    )
    assert result.returncode == 1
    assert f"may write {limit} bytes to a file" in result.stderr
    assert "Traceback" not in result.stderr
    assert [name for name in files(folder) if name != "shard-000001-3616.h5"] == []
    result = captchas(*command, "--json")
    assert result.returncode == 0, result.stderr
    assert Dataset(folder).manifest.shards[0] == whole.manifest.shards[0]
    assert files(folder) == ["manifest.json", "shard-000000-16384.h5", "shard-000001-3616.h5"]


@pytest.mark.slow
def test_ctrl_c_ends_soon_with_130_and_the_next_run_goes_on(captchas, start, whole, tmp_path):
    folder = tmp_path / "datasets" / "book"
    process = start(CAPTCHAS, "generate", "book", "--count", COUNT, "--home", tmp_path)
    deadline = time.monotonic() + 200
    while not list(folder.glob("shard-*.h5")) and time.monotonic() < deadline:
        time.sleep(0.01)
    began = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: every process of the group
    _, errors = process.communicate(timeout=120)
    assert time.monotonic() - began < 15
    assert process.returncode == 130
    assert "Traceback" not in errors
    result = captchas("generate", "book", "--count", COUNT, "--home", tmp_path, "--json")
    assert result.report["content"] == whole.manifest.content
    assert files(folder) == FILES


def test_a_dataset_in_use_is_refused_and_a_dead_lock_is_not_in_the_way(captchas, tmp_path):
    folder = tmp_path / "datasets" / "letters"
    with locked(folder):
        result = captchas("generate", "letters", "--count", 1000, "--home", tmp_path)
    assert result.returncode == 1
    assert f"{folder}: another run is working on it" in result.stderr
    assert "Traceback" not in result.stderr
    (folder.parent / "letters.lock").write_text("left by a run that died")
    assert captchas("generate", "letters", "--count", 1000, "--home", tmp_path).returncode == 0


def test_another_recipe_in_the_folder_is_refused_with_the_fields(captchas, whole):
    home = whole.folder.parent.parent
    result = captchas("generate", "book", "--seed", 2, "--home", home)
    assert result.returncode == 2
    assert "seed: 1 there, 2 wanted" in result.stderr
    result = captchas("generate", "book", "--font", "Karla ExtraBold", "--home", home)
    assert result.returncode == 2
    assert "'Inter Black'" in result.stderr
    assert "'Karla ExtraBold'" in result.stderr
    assert files(whole.folder) == FILES


@pytest.mark.slow
def test_letters_that_a_face_draws_alike_are_said(captchas, tmp_path):
    (tmp_path / "own.toml").write_text('based_on = "random"\nalphabet = "AO0"\nfonts = ["Bebas Neue Bold"]\n')
    for how in (["--dry-run"], [], []):  # looked at, drawn, and found whole
        told = captchas("generate", tmp_path / "own.toml", "--count", 100, *how, "--home", tmp_path, "--json").report
        assert told["unclear"].startswith("Bebas Neue Bold draws 0 and O alike, so that")
    assert "unclear" not in captchas("generate", "book", "--count", 100, "--home", tmp_path, "--json").report


@pytest.mark.slow
def test_no_scheduler_at_the_address_is_said(captchas, tmp_path):
    result = captchas("generate", "book", "--cluster", "tcp://127.0.0.1:9", "--home", tmp_path)
    assert result.returncode == 2
    assert "no Dask scheduler answers there" in result.stderr


def test_plain_h5py_and_h5dump_open_a_shard(whole):
    import h5py

    with h5py.File(whole.folder / "shard-000000-16384.h5") as file:
        assert file["images"].shape == (16384, 42, 140)
        assert file["images"][5].any()
        assert file["text"][5].decode().isalpha()
    for tool in ("/usr/bin/h5dump",):
        if Path(tool).exists():
            text = subprocess.run([tool, "-pH", whole.folder / "shard-000000-16384.h5"], capture_output=True, text=True)
            assert "COMPRESSION DEFLATE" in text.stdout
