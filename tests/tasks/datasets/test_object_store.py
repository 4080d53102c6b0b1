"""The units of generating, verifying and repairing where the dataset is in an object store, here in memory."""

import uuid

import pytest

from storage.dataset import Dataset
from storage.errors import Unreachable
from storage.files import atomic
from storage.files.places import ObjectPath, place, sizes
from storage.shards import cache
from storage.shards.manifest import MANIFEST
from storage.shards.shard import BLOCK, shard_name
from tasks.datasets import generate, prove, repair
from tasks.datasets.dry_run import rehearse
from tasks.datasets.folder import complete, set_aside, tidy_dataset
from tasks.datasets.inventory import inventory, recipe_of, require_dataset
from tasks.datasets.judge import State, judge
from tasks.datasets.totals import Gathered
from tasks.exchange.export import ExportChoice, examine
from tasks.exchange.formats import ExportFormat

COUNT = 2 * BLOCK + 452
A, B, C = (shard_name(number, min(BLOCK, COUNT - number * BLOCK)) for number in range(3))


@pytest.fixture(autouse=True)
def one_block(tmp_path, monkeypatch):
    """A block a shard, so that a few thousand pictures make several shards; and a cache of its own."""
    monkeypatch.setattr(generate, "BLOCKS_A_SHARD", 1)
    monkeypatch.setenv(cache.FOLDER, str(tmp_path / "cache"))


@pytest.fixture
def there() -> ObjectPath:
    return place(f"memory://tests/{uuid.uuid4().hex}/d")


def draw(recipe, folder, count: int) -> tuple[int, int]:
    """What the flow does; pictures drawn and kept."""
    atomic.make_folder(folder)
    plan = generate.plan_drawing(recipe, folder, count, "run")
    gathered = Gathered(recipe.identity)
    if plan.whole:
        tidy_dataset(folder, recipe.identity)
        return 0, plan.count
    for job in plan.jobs:
        gathered.add(generate.draw_shard(job))
    complete(folder, gathered, "run")
    return gathered.drawn, gathered.kept


def content(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def mend(folder, recipe) -> dict[str, str]:
    """What the flow of verifying does with --repair: what was done to what."""
    found = inventory(folder)
    proofs = prove.prove_all(prove.proof_jobs(found))
    verdict = judge(found, proofs)
    plan = repair.plan_repair(found, verdict, proofs, recipe, atomic.new_run())
    repair.put_back(found, plan)
    counting = repair.count_jobs(found, verdict, recipe, "run")
    counted = Gathered(recipe.identity) if counting else None
    drawn = [repair.redraw_shard(job) for job in plan.jobs]
    for job in counting:
        counted.add(repair.count_shard(job))
    done = repair.finish_repair(found, verdict, plan, proofs, drawn, counted, "run")
    return {finding.what: finding.done for finding in done}


def findings(folder) -> dict[str, State]:
    found = inventory(folder)
    return {one.what: one.state for one in judge(found, prove.prove_all(prove.proof_jobs(found))).findings}


def test_drawn_resumed_and_extended_there_as_here(recipe, there, tmp_path):
    here = tmp_path / "d"
    assert draw(recipe, there, BLOCK + 7) == draw(recipe, here, BLOCK + 7) == (BLOCK + 7, 0)
    assert content(there) == content(here)
    assert draw(recipe, there, COUNT) == draw(recipe, here, COUNT) == (COUNT - BLOCK, BLOCK)
    assert content(there) == content(here) and sorted(content(there)) == [MANIFEST, A, B, C]
    assert draw(recipe, there, 5) == (0, COUNT)
    (there / MANIFEST).unlink()
    (there / B).unlink()
    assert generate.missing_pictures(generate.plan_drawing(recipe, there, COUNT, "run"), there) == BLOCK
    plan = generate.plan_drawing(recipe, there, COUNT, "run")
    report = rehearse(recipe, plan, there, 1)
    assert (report["shards"], report["to_draw"], report["dataset"]) == (
        {"whole": 2, "missing": 1, "damaged": 0, "stale": 0}, BLOCK, str(there)
    )  # fmt: skip
    assert draw(recipe, there, COUNT) == (BLOCK, COUNT - BLOCK)
    assert content(there) == content(here) and sorted(path.name for path in there.parent.iterdir()) == ["d"]


def test_what_is_wrong_is_found_and_mended(recipe, there):
    draw(recipe, there, COUNT)
    whole = content(there)
    require_dataset(there, drawing=True)
    assert findings(there) == {}
    flipped = bytearray(whole[A])
    flipped[len(flipped) // 2] ^= 1
    (there / A).write_bytes(bytes(flipped))
    (there / B).write_bytes(whole[B][:-100])
    (there / C).unlink()
    (there / "notes.txt").write_bytes(b"mine")
    (there / "below" / "x").write_bytes(b"too")
    assert findings(there) == {
        A: State.DAMAGED, B: State.DAMAGED, C: State.MISSING, "notes.txt": State.FOREIGN, "below": State.FOREIGN,
    }  # fmt: skip
    done = mend(there, recipe_of(inventory(there)))
    assert done["notes.txt"] == done["below"] == "moved to d.foreign" and "drawn again" in done[A]
    assert content(there) == whole and findings(there) == {}
    aside = there.with_name("d.foreign")
    assert sizes(aside) == {A: len(flipped), B: len(whole[B]) - 100, "notes.txt": 4}
    assert sizes(aside / "below") == {"x": 3} and (aside / A).read_bytes() == bytes(flipped)


def test_swapped_shards_and_a_lost_manifest(recipe, there):
    draw(recipe, there, COUNT)
    whole = content(there)
    (there / A).write_bytes(whole[B])
    (there / B).write_bytes(whole[A])
    (there / MANIFEST).unlink()
    assert findings(there)[MANIFEST] is State.MANIFEST
    mend(there, recipe)
    assert content(there) == whole and findings(there) == {}


def test_a_shard_that_somebody_else_puts_there_meanwhile_stays(recipe, there):
    draw(recipe, there, BLOCK)
    path = there / A
    judged = atomic.fingerprint(path)
    path.write_bytes(b"newer")
    set_aside(path, judged)
    assert path.read_bytes() == b"newer" and not there.with_name("d.foreign").exists()
    for number in range(3):
        path.write_bytes(bytes([number]))
        set_aside(path)
    assert sizes(there.with_name("d.foreign")) == {A: 1, f"{A}.1": 1, f"{A}.2": 1}


def test_a_store_that_is_away_is_no_damage(recipe, there, monkeypatch):
    """Else a repair would draw all of it again."""
    draw(recipe, there, BLOCK)
    jobs = prove.proof_jobs(inventory(there))
    plan = generate.plan_drawing(recipe, there, 2 * BLOCK, "run")

    def away(self):
        raise Unreachable(f"{self}: away")

    monkeypatch.setattr(ObjectPath, "read_bytes", away)
    for unit, job in ((prove.prove, jobs[0]), (generate.draw_shard, plan.jobs[0])):
        with pytest.raises(Unreachable, match="away"):
            unit(job)
    for look in (lambda: inventory(there), lambda: Dataset(there), lambda: require_dataset(there, drawing=True)):
        with pytest.raises(Unreachable, match="away"):
            look()
    assert not there.with_name("d.foreign").exists()


def test_what_needs_a_disk_is_refused(recipe, there, tmp_path):
    draw(recipe, there, BLOCK)
    with pytest.raises(ValueError, match=r"format hdf5: is one file over shards that stand on a disk"):
        examine(Dataset(there), ExportChoice(ExportFormat.HDF5), tmp_path / "out")
    examine(Dataset(there), ExportChoice(ExportFormat.PNG), tmp_path / "out")
