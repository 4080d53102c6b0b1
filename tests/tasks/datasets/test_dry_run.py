import pytest

from storage.shards.shard import BLOCK, shard_name
from tasks.datasets import generate
from tasks.datasets.dry_run import measure_cost, rehearse
from tasks.datasets.folder import complete
from tasks.datasets.generate import draw_shard, plan_drawing
from tasks.datasets.recipe import make_recipe
from tasks.datasets.totals import Gathered

COUNT = 2 * BLOCK + 452


@pytest.fixture
def folder(recipe, tmp_path, monkeypatch):
    monkeypatch.setattr(generate, "BLOCKS_A_SHARD", 1)
    draw(recipe, tmp_path / "d", COUNT)
    return tmp_path / "d"


def draw(recipe, folder, count):
    folder.mkdir(exist_ok=True)
    gathered = Gathered(recipe.identity)
    for job in plan_drawing(recipe, folder, count, "run").jobs:
        gathered.add(draw_shard(job))
    complete(folder, gathered, "run")


def files(folder):
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


def test_nothing_is_left_to_do_on_a_whole_dataset(recipe, folder):
    before = files(folder)
    shown = []
    found = rehearse(recipe, plan_drawing(recipe, folder, COUNT, "run"), folder, 2, shown.append)
    assert found["shards"] == {"whole": 3, "missing": 0, "damaged": 0, "stale": 0}
    assert (found["to_draw"], found["bytes"], found["drawing_seconds"], found["findings"]) == (0, 0, 0.0, [])
    assert shown == [BLOCK, BLOCK, 452]
    assert files(folder) == before


def test_neighbours_are_told_as_a_range_to_people(recipe, folder):
    (folder / shard_name(1, BLOCK)).unlink()
    found = rehearse(recipe, plan_drawing(recipe, folder, 9 * BLOCK, "run"), folder, 2)
    assert len(found["findings"]) == 9
    rows = [(row["shard"], row["state"], row["shards"]) for row in found["shown"]["findings"]]
    assert rows == [
        (f"{shard_name(1, BLOCK)} to {shard_name(8, BLOCK)}", "missing", "8"), (shard_name(2, 452), "stale", "1")
    ]  # fmt: skip


def test_very_many_shards_are_told_as_ranges(recipe, folder):
    (folder / shard_name(1, BLOCK)).unlink()
    shown = []
    plan = plan_drawing(recipe, folder, 100_000 * BLOCK, "run")
    found = rehearse(recipe, plan, folder, 2, shown.append)
    rows = [(row["shard"], row["state"], row["shards"]) for row in found["findings"]]
    assert rows == [
        (f"{shard_name(1, BLOCK)} to {shard_name(99_999, BLOCK)}", "missing", "99,999"),
        (shard_name(2, 452), "stale", "1"),
    ]  # fmt: skip
    assert found["to_draw"] == 99_999 * BLOCK and found["shards"]["missing"] == 99_999
    assert shown == [BLOCK, 99_999 * BLOCK] and "jobs" not in vars(plan)
    many = rehearse(recipe, plan_drawing(recipe, folder, 1000 * BLOCK, "run"), folder, 2)
    assert [row["shard"] for row in many["findings"]][:2] == [shard_name(1, BLOCK), shard_name(2, BLOCK)]
    assert len(many["findings"]) == 1000 and "shards" not in many["findings"][0]


def test_every_shard_is_missing_from_a_folder_that_is_not_there(recipe, tmp_path):
    found = rehearse(recipe, plan_drawing(recipe, tmp_path / "none", 20 * BLOCK, "run"), tmp_path / "none", 2)
    assert found["shards"]["missing"] == 2 and found["to_draw"] == 20 * BLOCK
    assert not (tmp_path / "none").exists()


def test_missing_damaged_and_stale_shards_are_told_apart(recipe, folder):
    (folder / shard_name(0, BLOCK)).unlink()
    flipped = folder / shard_name(1, BLOCK)
    data = bytearray(flipped.read_bytes())
    data[len(data) // 2] ^= 1
    flipped.write_bytes(data)
    before = files(folder)
    found = rehearse(recipe, plan_drawing(recipe, folder, 3 * BLOCK, "run"), folder, 1)
    assert [(row["shard"], row["state"]) for row in found["findings"]] == [
        (shard_name(0, BLOCK), "missing"), (shard_name(1, BLOCK), "damaged"),
        (shard_name(2, BLOCK), "missing"), (shard_name(2, 452), "stale"),
    ]  # fmt: skip
    assert "cut or altered" in found["findings"][1]["reason"]
    assert found["to_draw"] == 3 * BLOCK
    assert files(folder) == before


def test_damage_in_a_whole_dataset_is_for_verify_to_mend(recipe, folder):
    flipped = folder / shard_name(1, BLOCK)
    flipped.write_bytes(flipped.read_bytes()[:-1] + b"?")
    found = rehearse(recipe, plan_drawing(recipe, folder, COUNT, "run"), folder, 1)
    assert found["shards"]["damaged"] == 1 and found["to_draw"] == 0
    assert "captchas verify --repair mends it" in found["findings"][0]["reason"]


def test_shards_of_another_dataset_or_place_are_damaged(recipe, small, folder, tmp_path):
    plan = plan_drawing(recipe, folder, 3 * BLOCK, "run")
    draw(make_recipe(small, 99), tmp_path / "other", COUNT)
    (tmp_path / "other" / shard_name(0, BLOCK)).replace(folder / shard_name(0, BLOCK))
    (folder / shard_name(2, 452)).replace(folder / shard_name(1, 452))
    (folder / shard_name(1, BLOCK)).replace(folder / shard_name(2, BLOCK))
    found = rehearse(recipe, plan, folder, 1)
    reasons = {row["shard"]: row["reason"] for row in found["findings"] if row["state"] == "damaged"}
    assert "another dataset" in reasons[shard_name(0, BLOCK)]
    assert f"sealed as {shard_name(1, BLOCK)}" in reasons[shard_name(2, BLOCK)]


def test_the_estimate_is_that_of_one_block(recipe, tmp_path):
    cost = measure_cost(recipe)
    many = 100_000 * BLOCK  # seconds are told to a tenth
    found = rehearse(recipe, plan_drawing(recipe, tmp_path, many, "run"), tmp_path, 4)
    draw(recipe, tmp_path / "d", 16 * BLOCK)
    there = sum(path.stat().st_size for path in (tmp_path / "d").glob("*.h5")) / (16 * BLOCK)
    assert cost.bytes == pytest.approx(there, rel=0.2)
    assert found["bytes"] == round(cost.bytes * many)
    assert cost.seconds > 0 and found["drawing_seconds"] > 0
