"""The deployments in prefect.yaml, taken by a real server and run by a real worker."""

import csv
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PREFECT = Path(sys.executable).with_name("prefect")
NAMES = {
    "generate/weekly-book", "generate/weekly-letters", "train/weekly-train", "evaluate/weekly-evaluate",
    "solve/hourly-solve",
}  # fmt: skip


@pytest.fixture(scope="module")
def prefect(environment):
    def run(*arguments, timeout=180):
        result = subprocess.run(
            [PREFECT, *map(str, arguments)], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=timeout
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    return run


@pytest.fixture(scope="module")
def deployed(prefect, environment, start):
    """The pool, the deployments and one worker."""
    prefect("work-pool", "create", "captchas", "--type", "process", "--overwrite")
    prefect("--no-prompt", "deploy", "--all")
    start(PREFECT, "worker", "start", "--pool", "captchas", cwd=ROOT)
    return prefect


def test_all_deployments_have_schedules_and_limits(deployed):
    listed = {f"{one['flow']}/{one['name']}" if "flow" in one else one["name"] for one in
              json.loads(deployed("deployment", "ls", "--output", "json"))}  # fmt: skip
    assert {name.split("/")[-1] for name in NAMES} <= {name.split("/")[-1] for name in listed}
    for name in NAMES:
        shown = deployed("deployment", "inspect", name)
        assert "cron" in shown, shown
        assert "concurrency_limit" in shown


def test_generate_and_solve_run_through_the_worker(deployed, demo, tmp_path):
    out = tmp_path / "own"
    deployed(
        "deployment", "run", "generate/weekly-letters", "--watch", "--watch-timeout", 150,
        "-p", "count=3000", "-p", f"out={json.dumps(str(out))}",
    )  # fmt: skip
    assert sorted(path.name for path in out.iterdir()) == ["manifest.json", "shard-000000-3000.h5"]
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for source in sorted((demo[0] / "samples" / "demo").iterdir())[:20]:
        (pictures / source.name).write_bytes(source.read_bytes())
    answers = tmp_path / "answers.csv"
    deployed(
        "deployment", "run", "solve/hourly-solve", "--watch", "--watch-timeout", 150,
        "-p", f"path={json.dumps(str(pictures))}", "-p", f"out={json.dumps(str(answers))}",
        "-p", f"model={json.dumps(str(demo[0] / 'models' / 'letters.skops'))}",
    )  # fmt: skip
    with answers.open(newline="") as file:
        rows = list(csv.DictReader(file))
    # Batches of other sizes may differ in the last digits of a confidence.
    same = ("path", "word", "reading", "segments", "status")
    with (demo[0] / "answers" / "demo" / "answers.csv").open(newline="") as file:
        expected = list(csv.DictReader(file))[:20]
    assert [[row[key] for key in same] for row in rows] == [[row[key] for key in same] for row in expected]
    deadline = time.monotonic() + 30
    while '"Running"' in deployed("flow-run", "ls", "--output", "json") and time.monotonic() < deadline:
        time.sleep(1)
