"""The command itself: two workers write what one process writes, and a second run finds it whole."""

from dataclasses import replace
from pathlib import Path

import pytest

from storage.dataset import Dataset
from storage.shards.manifest import Manifest
from storage.shards.shard import BLOCK, combined
from storage.shards.writer import write_shard
from tasks.exchange.export import ExportChoice, begin_export, finish_export, plan_export
from tasks.exchange.export_part import export_part
from tasks.exchange.formats import ExportFormat


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_two_workers_write_what_one_process_writes(captchas, make_blocks, tmp_path):
    folder = tmp_path / "datasets" / "made"
    folder.mkdir(parents=True)
    records = [
        write_shard(folder, number, number * BLOCK, [block], "{}", "run")
        for number, block in enumerate(make_blocks(2 * BLOCK + 9))
    ]
    golden = Manifest.read(Path(__file__).parents[1] / "golden" / "v1" / "book")
    replace(
        golden, profile=golden.profile | {"name": "made", "alphabet": "ABCÉONE"}, count=2 * BLOCK + 9,
        content=combined(bytes.fromhex(one) for record in records for one in record.blocks),
        shards=[record.as_dict() for record in records],
    ).write(folder)  # fmt: skip

    command = ("export", "made", "--format", "png", "--split", "test", "--workers", 2, "--home", tmp_path, "--json")
    first = captchas(*command)
    assert first.returncode == 0, first.stderr
    out = tmp_path / "exports" / "made-png-test"
    assert (first.report["export"], first.report["kept"]) == (str(out), 0)
    assert first.report["written"] == first.report["pictures"] > 300

    plan = plan_export(Dataset(folder), ExportChoice(ExportFormat.PNG, split="test"), tmp_path / "alone")
    begin_export(plan, tmp_path / "alone")
    finish_export(plan, tmp_path / "alone", [export_part(job) for job in plan.jobs])
    assert tree(out) == tree(tmp_path / "alone")
    assert sorted(path.name for path in out.parent.iterdir()) == ["made-png-test", "made-png-test.lock"]

    again = captchas(*command)
    assert (again.report["written"], again.report["kept"]) == (0, first.report["pictures"])
    other = captchas(*command[:4], "--out", out, "--home", tmp_path)
    assert other.returncode == 2
    assert "split: 'test' there, not set now" in other.stderr
    assert "Traceback" not in other.stderr
