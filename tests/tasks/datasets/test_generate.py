import itertools
import json
import pickle
import shutil
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from flows.reporting import artifacts
from storage.dataset import Dataset
from storage.errors import Damaged, Different, OutOfBounds
from storage.shards.manifest import MANIFEST, Manifest
from storage.shards.shard import BLOCK, SPLITS, combined, read_record, shard_name
from storage.shards.writer import write_shard
from tasks.datasets import generate, totals
from tasks.datasets.folder import complete, shards_beyond, take_back, tidy_dataset
from tasks.datasets.generate import draw_shard, estimate_bytes, missing_pictures, plan_drawing, report
from tasks.datasets.recipe import Recipe, make_recipe, renderer_of
from tasks.datasets.totals import Gathered
from tasks.drawing.renderer import Renderer
from tasks.profiles.profile import Grid

COUNT = 2 * BLOCK + 452


@pytest.fixture
def one_block(monkeypatch):
    """A block a shard, so that a few thousand pictures make several shards."""
    monkeypatch.setattr(generate, "BLOCKS_A_SHARD", 1)


def draw(recipe: Recipe, folder: Path, count: int, run: str = "run", order=lambda jobs: jobs):
    """What the flow does, without Dask and Prefect: (plan, receipts)."""
    folder.mkdir(parents=True, exist_ok=True)
    plan = plan_drawing(recipe, folder, count, run)
    if plan.whole:
        return plan, []
    receipts = [draw_shard(job) for job in order(list(plan.jobs))]
    complete(folder, gathered(recipe, receipts), run, renderer_of(recipe).letters_a_text())
    return plan, receipts


def gathered(recipe: Recipe, receipts) -> Gathered:
    whole = Gathered(recipe.identity)
    for receipt in receipts:
        whole.add(receipt)
    return whole


def expected(recipe: Recipe, count: int) -> str:
    """A dataset's content digest, from the renderer alone."""
    renderer = renderer_of(recipe)
    return combined(
        renderer.block(recipe.seed, first // BLOCK, min(BLOCK, count - first)).digest()
        for first in range(0, count, BLOCK)
    )


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def state(folder: Path) -> dict[str, tuple]:
    """Every file's inode, time and bytes: whatever touches a file changes it."""
    stats = {path: path.stat() for path in folder.rglob("*") if path.is_file()}
    return {path.name: (stat.st_ino, stat.st_mtime_ns, path.read_bytes()) for path, stat in stats.items()}


def whole_dataset(recipe: Recipe, folder: Path, count: int) -> None:
    """All that a complete dataset promises."""
    dataset = Dataset(folder)
    manifest = dataset.manifest
    assert manifest.count == len(dataset) == count
    assert manifest.identity == recipe.digest
    assert manifest.content == expected(recipe, count)
    assert sum(len(block.images) for block in dataset.blocks()) == count  # every shard's sha256 is checked
    assert names(folder) == sorted([MANIFEST, *(line["name"] for line in manifest.shards)])


# The same pictures, however they are drawn.


@pytest.mark.parametrize("blocks", [1, 2, 16])
def test_the_content_does_not_depend_on_the_shards_size(recipe, tmp_path, monkeypatch, blocks):
    monkeypatch.setattr(generate, "BLOCKS_A_SHARD", blocks)
    plan, receipts = draw(recipe, tmp_path / "d", COUNT)
    whole_dataset(recipe, tmp_path / "d", COUNT)
    assert not plan.whole
    assert [receipt.index for receipt in receipts] == list(range(-(-3 // blocks)))
    assert all(receipt.drawn for receipt in receipts)
    assert [digest for receipt in receipts for digest in receipt.record.blocks] == [
        renderer_of(recipe).block(7, number, min(BLOCK, COUNT - number * BLOCK)).digest().hex() for number in range(3)
    ]


@pytest.mark.parametrize("order", [(2, 1, 0), (1, 2, 0)])
def test_the_content_does_not_depend_on_the_order(recipe, tmp_path, one_block, order):
    draw(recipe, tmp_path / "a", COUNT)
    draw(recipe, tmp_path / "b", COUNT, order=lambda jobs: [jobs[number] for number in order])
    whole_dataset(recipe, tmp_path / "b", COUNT)
    for name in names(tmp_path / "a"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_job_that_runs_twice_draws_once(recipe, tmp_path, one_block):
    plan = plan_drawing(recipe, tmp_path, COUNT, "run")
    first = [draw_shard(job) for job in plan.jobs]
    before = state(tmp_path)
    second = [draw_shard(replace(job, run="other")) for job in plan.jobs]
    assert state(tmp_path) == before
    assert [receipt.record for receipt in second] == [receipt.record for receipt in first]
    assert [receipt.counts for receipt in second] == [receipt.counts for receipt in first]
    assert {receipt.drawn for receipt in first} == {True}
    assert {receipt.drawn for receipt in second} == {False}


def test_two_workers_with_one_job_seal_one_shard(recipe, tmp_path, monkeypatch):
    """The second one did not see the first one's shard when it began."""
    (job,) = plan_drawing(recipe, tmp_path, 300, "run").jobs
    first = draw_shard(job)
    before = state(tmp_path)
    with monkeypatch.context() as blind:
        blind.setattr(Path, "exists", lambda path: False)
        second = draw_shard(replace(job, run="other"))
    assert second.record == first.record
    assert state(tmp_path) == before


def test_seeds_give_other_pictures(small, tmp_path):
    contents = set()
    for seed in (1, 2):
        draw(make_recipe(small, seed), tmp_path / str(seed), 500)
        contents.add(Dataset(tmp_path / str(seed)).manifest.content)
    assert len(contents) == 2


# Resuming.


def test_a_whole_dataset_is_left_alone(recipe, tmp_path, one_block):
    draw(recipe, tmp_path, COUNT)
    before = state(tmp_path)
    for count in (COUNT, COUNT - 1, BLOCK, 1):
        plan, _ = draw(recipe, tmp_path, count)
        assert plan.whole and plan.count == COUNT and plan.jobs == ()
    assert state(tmp_path) == before


def test_what_a_dead_run_left_is_used_and_tidied(recipe, tmp_path, one_block):
    plan = plan_drawing(recipe, tmp_path, COUNT, "dead")
    draw_shard(plan.jobs[1])
    kept = state(tmp_path)
    (tmp_path / ".shard-000000-1024.h5.dead.tmp").write_bytes(b"half of it")
    (tmp_path / ".manifest.json.dead.tmp").write_bytes(b"{")
    assert missing_pictures(plan_drawing(recipe, tmp_path, COUNT, "run"), tmp_path) == COUNT - BLOCK
    _, receipts = draw(recipe, tmp_path, COUNT)
    assert [receipt.drawn for receipt in receipts] == [True, False, True]
    whole_dataset(recipe, tmp_path, COUNT)
    assert state(tmp_path).items() >= kept.items()


def test_a_run_that_died_before_the_manifest_costs_no_picture(recipe, tmp_path, one_block):
    for job in plan_drawing(recipe, tmp_path, COUNT, "dead").jobs:
        draw_shard(job)
    kept = state(tmp_path)
    _, receipts = draw(recipe, tmp_path, COUNT)
    assert not any(receipt.drawn for receipt in receipts)
    whole_dataset(recipe, tmp_path, COUNT)
    assert state(tmp_path).items() >= kept.items()


def test_after_a_dead_run_a_smaller_count_is_what_was_asked_for(recipe, tmp_path, one_block):
    for job in plan_drawing(recipe, tmp_path, COUNT, "dead").jobs:
        draw_shard(job)
    draw(recipe, tmp_path, 1500)
    whole_dataset(recipe, tmp_path, 1500)


def test_a_shard_that_went_missing_is_drawn_again(recipe, tmp_path, one_block):
    draw(recipe, tmp_path, COUNT)
    before = state(tmp_path)
    (tmp_path / shard_name(1, 1024)).unlink()
    plan, receipts = draw(recipe, tmp_path, 5)  # fewer than are there: the whole is mended, nothing shrinks
    assert plan.count == COUNT
    assert [receipt.drawn for receipt in receipts] == [False, True, False]
    whole_dataset(recipe, tmp_path, COUNT)
    after = state(tmp_path)
    for name in (shard_name(0, 1024), shard_name(2, 452)):
        assert after[name] == before[name]
    assert {name: data for name, (_, _, data) in after.items()} == {name: data for name, (_, _, data) in before.items()}


# Extending.


def test_an_extension_touches_no_whole_shard_and_completes_the_last(recipe, tmp_path, one_block):
    draw(recipe, tmp_path, COUNT)
    before = state(tmp_path)
    old = Dataset(tmp_path).manifest
    plan, receipts = draw(recipe, tmp_path, 4000)
    assert [receipt.drawn for receipt in receipts] == [False, False, True, True]
    assert [(job.index, job.first, job.count) for job in plan.jobs] == [
        (0, 0, 1024), (1, 1024, 1024), (2, 2048, 1024), (3, 3072, 928)
    ]  # fmt: skip
    whole_dataset(recipe, tmp_path, 4000)
    assert names(tmp_path) == [
        MANIFEST, shard_name(0, 1024), shard_name(1, 1024), shard_name(2, 1024), shard_name(3, 928)
    ]  # fmt: skip
    after = state(tmp_path)
    for name in (shard_name(0, 1024), shard_name(1, 1024)):
        assert after[name] == before[name]
    assert Dataset(tmp_path).manifest.shards[:2] == old.shards[:2]


def test_pictures_and_splits_stay_where_they_are_when_a_dataset_grows(recipe, tmp_path):
    draw(recipe, tmp_path, 1500)
    old = Dataset(tmp_path).head(1500)
    draw(recipe, tmp_path, 2500)
    assert names(tmp_path) == [MANIFEST, shard_name(0, 2500)]
    for a, b in zip(Dataset(tmp_path).head(1500), old, strict=True):
        assert (a == b).all()


def test_an_extension_that_died_at_any_point_goes_on(recipe, tmp_path, one_block):
    draw(recipe, tmp_path / "whole", 3000)
    begun = tmp_path / "begun"
    draw(recipe, begun, COUNT)
    old = Manifest.read(begun)
    # Died with the longer shard sealed and the manifest still the old one: the old dataset is whole.
    jobs = plan_drawing(recipe, begun, 3000, "dead").jobs
    draw_shard(jobs[2])
    assert sum(len(block.images) for block in Dataset(begun).blocks()) == COUNT
    assert plan_drawing(recipe, begun, COUNT, "run").whole
    _, receipts = draw(recipe, begun, 3000)
    assert not any(receipt.drawn for receipt in receipts)
    whole_dataset(recipe, begun, 3000)
    # Died between the manifest and the tidying: the short shard is no obstacle and goes next time.
    short = begun / shard_name(2, 452)
    assert old.shards[2]["name"] == short.name and not short.exists()
    renderer = renderer_of(recipe)
    write_shard(begun, 2, 2048, [renderer.block(7, 2, 452)], recipe.identity, "dead")
    assert sum(len(block.images) for block in Dataset(begun).blocks()) == 3000
    draw(recipe, begun, 3001)
    whole_dataset(recipe, begun, 3001)


def test_a_smaller_count_after_a_run_that_died_loses_no_sealed_shard(recipe, tmp_path, one_block):
    folder = tmp_path / "d"
    folder.mkdir()
    for job in plan_drawing(recipe, folder, 6000, "dead").jobs:  # the run died before its manifest
        draw_shard(job)
    before = state(folder)
    plan = plan_drawing(recipe, folder, COUNT, "run")
    assert shards_beyond(folder, [(job.index, job.count) for job in plan.jobs]) == 4
    draw(recipe, folder, COUNT)
    whole_dataset(recipe, folder, COUNT)
    aside = tmp_path / "d.foreign"
    assert names(aside) == [shard_name(2, 1024), shard_name(3, 1024), shard_name(4, 1024), shard_name(5, 880)]
    (aside / shard_name(3, 1024)).write_bytes(b"damaged")
    wanted = [(job.index, job.count) for job in plan_drawing(recipe, folder, 6000, "run").jobs]
    assert take_back(folder, wanted, "{}") == 0  # of another dataset
    assert take_back(folder, wanted, recipe.identity) == 3
    _, receipts = draw(recipe, folder, 6000)
    assert [receipt.drawn for receipt in receipts] == [False, False, False, True, False, False]
    whole_dataset(recipe, folder, 6000)
    after = state(folder)
    assert all(after[name] == before[name] for name in before if name not in (shard_name(3, 1024), MANIFEST))


def test_a_run_that_died_after_its_manifest_is_tidied_by_the_same_command(recipe, tmp_path, one_block):
    """The dataset is whole, so nothing is drawn; what an extension sealed beyond it stays for that to go on from."""
    draw(recipe, tmp_path, COUNT)
    before = state(tmp_path)
    renderer = renderer_of(recipe)
    write_shard(tmp_path, 2, 2048, [renderer.block(7, 2, 100)], recipe.identity, "dead")
    write_shard(tmp_path, 1, 1024, [renderer.block(7, 1, 5)], "{}", "dead")
    (tmp_path / ".manifest.json.dead.tmp").write_bytes(b"{")
    further = [draw_shard(job).record.name for job in plan_drawing(recipe, tmp_path, 4000, "dead").jobs[2:]]
    assert plan_drawing(recipe, tmp_path, COUNT, "run").whole
    tidy_dataset(tmp_path, recipe.identity)
    assert further == [shard_name(2, 1024), shard_name(3, 928)]
    assert names(tmp_path) == sorted([*before, *further, shard_name(1, 5)])  # another dataset's is for verify to judge
    assert state(tmp_path).items() >= before.items()


# Damage.


def flip(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize("with_manifest", [True, False])
@pytest.mark.parametrize("damage", [flip, lambda data: data[:-1], lambda data: b"", lambda data: bytes(len(data))],
                         ids=["flip", "cut", "empty", "zeros"])  # fmt: skip
def test_a_damaged_shard_is_set_aside_and_drawn_again(recipe, tmp_path, one_block, damage, with_manifest):
    folder = tmp_path / "d"
    draw(recipe, folder, COUNT)
    content = Manifest.read(folder).content
    path = folder / shard_name(0, 1024)
    whole = path.read_bytes()
    for number in range(2):  # twice: the second one does not replace the first
        path.write_bytes(damage(whole))
        if with_manifest:
            count = COUNT + number + 1  # an extension reads every shard; verify reads them at any time
        else:
            count = COUNT
            (folder / MANIFEST).unlink()
        _, receipts = draw(recipe, folder, count)
        assert receipts[0].drawn and not receipts[1].drawn
        whole_dataset(recipe, folder, count)
        assert path.read_bytes() == whole
    assert with_manifest or Manifest.read(folder).content == content
    foreign = tmp_path / "d.foreign"
    assert names(foreign) == [path.name, path.name + ".1"]
    assert {(foreign / name).read_bytes() for name in names(foreign)} == {damage(whole)}


def test_a_worker_that_outlives_its_client_moves_no_shard_that_the_next_run_sealed(
    recipe, tmp_path, one_block, monkeypatch
):
    """It was paused between finding the shard damaged and setting it aside."""
    folder = tmp_path / "d"
    _, receipts = draw(recipe, folder, BLOCK)
    path = folder / receipts[0].record.name
    damaged = path.read_bytes()[:-1]
    path.write_bytes(damaged)
    job = plan_drawing(recipe, folder, BLOCK + 1, "late").jobs[0]

    def paused(*arguments, **options):
        monkeypatch.setattr(generate, "read_record", read_record)
        with pytest.raises(Damaged) as caught:
            read_record(*arguments, **options)
        assert draw_shard(replace(job, run="next")).drawn
        raise caught.value

    monkeypatch.setattr(generate, "read_record", paused)
    late = draw_shard(job)
    assert late.record == receipts[0].record == read_record(path, recipe.identity, 0)
    assert names(folder) == [MANIFEST, path.name]
    assert {name: (tmp_path / "d.foreign" / name).read_bytes() for name in names(tmp_path / "d.foreign")} == {
        path.name: damaged
    }


def test_a_shard_under_another_ones_name_is_set_aside(recipe, tmp_path, one_block):
    folder = tmp_path / "d"
    draw(recipe, folder, 2048)
    first, second = (folder / shard_name(number, 1024) for number in range(2))
    data = [first.read_bytes(), second.read_bytes()]
    first.write_bytes(data[1])
    second.write_bytes(data[0])
    (folder / MANIFEST).unlink()
    draw(recipe, folder, 2048)
    whole_dataset(recipe, folder, 2048)
    assert [first.read_bytes(), second.read_bytes()] == data
    assert names(tmp_path / "d.foreign") == [first.name, second.name]


def test_another_number_of_blocks_a_shard_takes_no_shard_for_what_it_is_not(recipe, tmp_path, monkeypatch):
    """Shard 1 of 1,024 pictures is another one in a layout of one block a shard than in one of two."""
    folder = tmp_path / "d"
    monkeypatch.setattr(generate, "BLOCKS_A_SHARD", 1)
    draw(recipe, folder, 2048)
    monkeypatch.setattr(generate, "BLOCKS_A_SHARD", 2)
    draw(recipe, folder, 3072)
    whole_dataset(recipe, folder, 3072)


def test_a_damaged_manifest_is_said_and_nothing_is_touched(recipe, tmp_path):
    draw(recipe, tmp_path, 100)
    (tmp_path / MANIFEST).write_bytes(flip((tmp_path / MANIFEST).read_bytes()))
    before = state(tmp_path)
    with pytest.raises(Damaged, match=MANIFEST):
        plan_drawing(recipe, tmp_path, 100, "run")
    assert state(tmp_path) == before


def test_an_identity_that_cannot_be_read_is_damage_and_no_other_dataset(recipe, tmp_path, one_block):
    folder = tmp_path / "d"
    folder.mkdir()
    block = renderer_of(recipe).block(7, 0)
    write_shard(folder, 0, 0, [block], recipe.identity[:-1], "run")
    draw(recipe, folder, 1500)
    whole_dataset(recipe, folder, 1500)
    assert names(tmp_path / "d.foreign") == [shard_name(0, 1024)]


def test_it_works_in_the_current_folder(recipe, tmp_path, monkeypatch):
    folder = tmp_path / "d"
    folder.mkdir()
    monkeypatch.chdir(folder)
    Path(shard_name(0, 100)).write_bytes(b"damaged")
    draw(recipe, Path(), 100)
    whole_dataset(recipe, folder, 100)
    assert names(tmp_path / "d.foreign") == [shard_name(0, 100)]


def test_a_shard_of_another_dataset_is_not_deleted(recipe, tmp_path, one_block):
    folder, other = tmp_path / "d", tmp_path / "other"
    draw(recipe, folder, 1024)
    draw(replace(recipe, seed=8, identity=make_recipe(recipe.profile, 8).identity), other, 2048)
    stray = other / shard_name(1, 1024)
    data = stray.read_bytes()
    shutil.copy(stray, folder / shard_name(9, 1024))
    draw(recipe, folder, 1500)
    assert data in [path.read_bytes() for path in tmp_path.rglob("*.h5*") if other not in path.parents]


# Another recipe.


@pytest.mark.parametrize("with_manifest", [True, False])
@pytest.mark.parametrize("change", ["seed", "profile", "font"])
def test_another_recipe_in_the_folder_is_refused_with_the_fields(recipe, small, tmp_path, change, with_manifest):
    other, fields = {
        "seed": (make_recipe(small, 8), ["seed: 7 there, 8 wanted"]),
        "profile": (
            make_recipe(replace(small, height=31, shear=Grid(0, 0)), 7),
            ["profile.height: 30 there, 31 wanted", "profile.shear.step: ", "profile.shear.stop: 200 there, 0 wanted"],
        ),
        "font": (
            make_recipe(replace(small, fonts=("Inter Bold",)), 7),
            ["fonts[0].bitmaps: ", "fonts[0].sha256: ", "fonts[0].style: 'Black' there, 'Bold' wanted"],
        ),
    }[change]
    draw(recipe, tmp_path, 1500)
    if not with_manifest:
        (tmp_path / MANIFEST).unlink()
    before = state(tmp_path)
    for count in (10, 1500, 5000):
        with pytest.raises(Different) as error:
            plan_drawing(other, tmp_path, count, "run")
        assert str(error.value).startswith(f"{tmp_path}: holds another dataset (")
        for field in fields:
            assert field in str(error.value)
    assert state(tmp_path) == before


def test_an_empty_folder_and_one_with_other_files_are_fine(recipe, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "shard-old.h5").write_text("mine too")
    draw(recipe, tmp_path, 100)
    assert names(tmp_path) == [MANIFEST, "notes.txt", shard_name(0, 100), "shard-old.h5"]


# Counts.


def test_statistics_add_up(recipe, tmp_path, one_block):
    draw(recipe, tmp_path, COUNT)
    manifest = Manifest.read(tmp_path)
    whole = Dataset(tmp_path).head(COUNT)
    statistics = manifest.statistics
    assert statistics["splits"] == {name: int((whole.split == number).sum()) for number, name in enumerate(SPLITS)}
    assert sum(statistics["splits"].values()) == COUNT
    assert min(statistics["splits"].values()) > 0
    texts = "".join(whole.texts())
    assert statistics["letters"] == {letter: texts.count(letter) for letter in "ABC"}
    assert statistics["blank"] == 0
    pixels = (whole.parameters["height"].astype(int) * whole.parameters["width"]).sum()
    assert statistics["mean_ink"] == pytest.approx(whole.images.sum(dtype=np.int64) / 255 / pixels, abs=1e-6)
    assert json.loads(json.dumps(statistics)) == statistics


def test_the_bytes_are_estimated_before_they_are_written(recipe, tmp_path):
    draw(recipe, tmp_path, 5 * BLOCK)
    there = sum(line["bytes"] for line in Manifest.read(tmp_path).shards) / (5 * BLOCK)
    assert estimate_bytes(recipe) == pytest.approx(there, rel=0.3)


def test_few_pictures_are_drawn_for_the_estimate(recipe, monkeypatch):
    """Drawing cannot be interrupted, and some profiles take half a second a picture."""
    counts, block = [], Renderer.block
    monkeypatch.setattr(
        Renderer, "block", lambda self, seed, number, count: counts.append(count) or block(self, seed, number, count)
    )
    assert estimate_bytes(recipe) > 1
    assert counts == [256]


def test_a_plan_knows_how_many_pictures_are_missing(recipe, tmp_path, one_block):
    plan = plan_drawing(recipe, tmp_path, COUNT, "run")
    assert missing_pictures(plan, tmp_path) == COUNT
    draw_shard(plan.jobs[2])
    assert missing_pictures(plan, tmp_path) == 2 * BLOCK
    assert not plan.whole and plan.count == COUNT
    assert {(job.folder, job.run, job.recipe) for job in plan.jobs} == {(str(tmp_path), "run", recipe)}


def test_the_steady_rate_leaves_out_the_first_shard_and_those_that_were_there(recipe, tmp_path, one_block, monkeypatch):
    receipts = draw(recipe, tmp_path, 5 * BLOCK)[1]

    def pace(some):
        seconds = itertools.count(100)
        with monkeypatch.context() as patch:
            # Of this module alone: other threads ask for the time too. Whoever sets the wall clock changes no rate.
            clock = SimpleNamespace(monotonic=lambda: float(next(seconds)), time=lambda: 0.0)
            patch.setattr(totals, "time", clock)
            return gathered(recipe, some).pace

    assert pace(receipts).rate() == pace(receipts[::-1]).rate() == 4 * BLOCK / 4
    assert pace(receipts).seconds() == 4
    assert pace([*receipts[:4], replace(receipts[4], drawn=False)]).rate() == BLOCK
    assert pace(receipts[:2]).rate() is None
    assert pace([]).rate() is None
    assert pace([]).seconds() == 0


def test_a_report_says_what_the_folder_holds(recipe, tmp_path, one_block):
    draw(recipe, tmp_path, COUNT)
    found = report(tmp_path, drawn=COUNT, kept=0, seconds=1.234, rate=1999.6)
    manifest = Manifest.read(tmp_path)
    assert found["bytes"] == sum(path.stat().st_size for path in tmp_path.glob("*.h5"))
    assert (found["profile"], found["seed"], found["count"], found["shards"]) == ("small", 7, COUNT, 3)
    assert (found["content"], found["identity"]) == (manifest.content, manifest.identity)
    assert (found["seconds"], found["pictures_per_second"]) == (1.23, 2000)
    assert {"what": "count", "value": str(COUNT)} in artifacts.as_table(found)
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize("words", [(), ("AAB", "ABB", "BCA")])
def test_what_a_letter_comes_to_is_known_beforehand(small, words, tmp_path):
    """Also a fault of all shards, which they do not show beside one another, leaves a bound."""
    if words:
        (tmp_path / "list").write_text("\n".join(words))
    recipe = make_recipe(
        replace(small, words=str(tmp_path / "list") if words else "", alphabet="ABC", length=(3, 3), width=70), 1
    )
    mean, variance = renderer_of(recipe).letters_a_text()
    texts = words or ["".join(letters) for letters in itertools.product("ABC", repeat=3)]
    counts = np.array([[text.count(letter) for letter in "ABC"] for text in texts])
    assert mean == pytest.approx(counts.mean(axis=0))
    assert variance == pytest.approx(counts.var(axis=0))
    folder = tmp_path / "d"
    folder.mkdir()
    receipts = [draw_shard(job) for job in plan_drawing(recipe, folder, 3 * BLOCK, "run").jobs]
    one_less = [replace(one, counts=replace(one.counts, letters=(*one.counts.letters[:2], 0))) for one in receipts]
    with pytest.raises(OutOfBounds, match=r"'C' comes 0 times in 3,072 texts, [\d,]+ are expected"):
        complete(folder, gathered(recipe, one_less), "run", renderer_of(recipe).letters_a_text())
    assert not (folder / MANIFEST).exists()
    complete(folder, gathered(recipe, receipts), "run", renderer_of(recipe).letters_a_text())
    whole_dataset(recipe, folder, 3 * BLOCK)


@pytest.mark.slow
def test_the_client_keeps_a_few_kilobytes_a_shard_and_nothing_a_picture(recipe, tmp_path, peak):
    receipt = draw_shard(plan_drawing(recipe, tmp_path, BLOCK, "run").jobs[0])
    identity = recipe.identity

    def gather_all(count):
        whole = Gathered(identity)
        for index in range(count):
            line = replace(
                receipt.record, name=f"shard-{index:06d}-{BLOCK}.h5", first=index * BLOCK,
                blocks=(sha256(str(index).encode()).hexdigest(),) * 16,
            )  # fmt: skip
            # As a receipt comes from a worker: its own copies, of which nothing may stay but what is needed.
            whole.add(pickle.loads(pickle.dumps(replace(receipt, index=index, record=line))))
        return whole

    few, many = (peak(partial(gather_all, count)) for count in (200, 1200))
    assert 0 < many - few < 1000 * 4000  # a receipt alone has 8 KB of keys
