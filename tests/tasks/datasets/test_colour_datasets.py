"""Drawn datasets in colour: made, counted, proven, repaired, shown and taken as samples."""

import io
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from storage.dataset import Dataset
from storage.shards.shard import COLOUR_FORMAT, FORMAT, Block, combined, read_record
from storage.shards.writer import fast_zlib, write_shard
from tasks.datasets.describe import describe_dataset
from tasks.datasets.dry_run import rehearse
from tasks.datasets.folder import complete
from tasks.datasets.generate import compressor_of, draw_shard, plan_drawing
from tasks.datasets.inventory import inventory
from tasks.datasets.judge import judge
from tasks.datasets.prove import proof_jobs, prove
from tasks.datasets.recipe import make_recipe, renderer_of
from tasks.datasets.repair import finish_repair, plan_repair, put_back, redraw_shard
from tasks.datasets.samples import SampleJob, write_samples
from tasks.datasets.statistics import Tally
from tasks.datasets.totals import Gathered
from tasks.profiles.built_in import BUILT_IN
from tasks.profiles.ranges import Grid

COUNT = 1100
NAME = f"shard-000000-{COUNT}.h5"


@pytest.fixture(scope="module")
def recipe():
    profile = replace(
        BUILT_IN["colour"], name="small", height=20, width=80, font_size=12, scale=Grid(50, 100, 25), move_y=Grid(-1, 1)
    )
    return make_recipe(profile, 3)


@pytest.fixture(scope="module")
def made(recipe, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "small"
    folder.mkdir()
    gathered = Gathered(recipe.identity)
    for job in plan_drawing(recipe, folder, COUNT, "run").jobs:
        gathered.add(draw_shard(job))
    complete(folder, gathered, "run", renderer_of(recipe).letters_a_text())
    return folder


def found_in(folder, recipe=None):
    found = inventory(folder)
    proofs = [prove(job) for job in proof_jobs(found, recipe)]
    return found, proofs, judge(found, proofs, redrawn=recipe is not None)


def test_its_identity_and_manifest_are_of_format_2(made, recipe):
    data = Dataset(made)
    assert json.loads(recipe.identity)["format"] == data.manifest.format == COLOUR_FORMAT
    assert data[:5].images.shape == (5, *recipe.profile.canvas, 3)
    assert compressor_of(recipe.profile) is fast_zlib
    assert json.loads(make_recipe(BUILT_IN["book"], 3).identity)["format"] == FORMAT


def test_it_is_whole_also_when_it_is_drawn_again(made, recipe):
    assert found_in(made, recipe)[2].findings == ()
    plan = plan_drawing(recipe, made, COUNT, "run")
    assert plan.whole
    assert rehearse(recipe, plan, made, 2)["shards"] == {"whole": 1, "missing": 0, "damaged": 0, "stale": 0}


def grey_shard(folder, recipe):
    """Of the dataset's own identity, and sealed as its own."""
    blocks = [block._replace(images=np.ascontiguousarray(block.images[..., 1])) for block in Dataset(folder).blocks()]
    (folder / NAME).unlink()
    write_shard(folder, 0, 0, blocks, recipe.identity, "run")
    return "its identity is of format 2, its pictures are of format 1"


def other_pixels(folder, recipe):
    blocks = [block._replace(images=255 - block.images) for block in Dataset(folder).blocks()]
    (folder / NAME).unlink()
    write_shard(folder, 0, 0, blocks, recipe.identity, "run")
    return "its content is not the manifest's"


def flipped_bit(folder, recipe):
    data = bytearray((folder / NAME).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / NAME).write_bytes(data)
    return "was cut or altered after it was sealed"


@pytest.mark.parametrize("spoil", [grey_shard, other_pixels, flipped_bit])
def test_a_wrong_shard_is_found_and_drawn_again(made, recipe, tmp_path, spoil):
    folder = tmp_path / "small"
    shutil.copytree(made, folder)
    reason = spoil(folder, recipe)
    found, proofs, verdict = found_in(folder)
    ((what, state, said),) = [(finding.what, str(finding.state), finding.reason) for finding in verdict.findings]
    assert (what, state) == (NAME, "damaged")
    assert reason in said
    plan = plan_repair(found, verdict, proofs, recipe, "run")
    put_back(found, plan)
    finish_repair(found, verdict, plan, proofs, [redraw_shard(job) for job in plan.jobs], None, "run")
    assert found_in(folder, recipe)[2].findings == ()
    assert Dataset(folder).manifest.content == Dataset(made).manifest.content


def test_pictures_of_a_block_depend_on_nothing_else(made, recipe):
    renderer = renderer_of(recipe)
    digests = [renderer.block(3, 1, COUNT - 1024).digest(), renderer.block(3, 0).digest()][::-1]
    assert combined(digests) == Dataset(made).manifest.content
    assert read_record(made / NAME).blocks == tuple(digest.hex() for digest in digests)


def test_ink_is_the_distance_from_the_mean_colour(made):
    block = Dataset(made).head(200)
    tally = Tally("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    tally.add(block)
    total = 0
    for image, row in zip(block.images, block.parameters, strict=True):
        part = image[: row["height"], : row["width"]].reshape(-1, 3).astype(int)
        mean = (part.sum(axis=0) + len(part) // 2) // len(part)
        total += (int(np.abs(part - mean).sum()) + 2) // 3
    counts = tally.counts()
    assert (counts.ink, counts.blank) == (total, 0)
    assert len(np.unique(np.frombuffer(counts.keys, np.uint64))) == len({bytes(image) for image in block.images})


def test_a_picture_of_a_single_colour_is_blank(made):
    block = Dataset(made).head(3)
    images = np.zeros_like(block.images)
    images[:] = (200, 30, 90)
    images[1, 2, 3, 1] += 1
    images[2, block.parameters["height"][2] :] = 0  # outside of the picture
    tally = Tally("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    tally.add(block._replace(images=images))
    counts = tally.counts()
    assert (counts.blank, counts.where_blank) == (2, 0)


def test_it_is_shown_and_written_in_its_colours(made, recipe, tmp_path):
    told = describe_dataset(made, tmp_path / "sheet.png")
    assert told["arrays"][0]["shape"] == " x ".join(map(str, (COUNT, *recipe.profile.canvas, 3)))
    data = Dataset(made)
    with Image.open(tmp_path / "sheet.png") as sheet:
        there = {bytes(pixel) for row in np.asarray(sheet.convert("RGB")) for pixel in row}
    assert {bytes(data[k].image[0, 0]) for k in range(20)} <= there
    assert write_samples(SampleJob(recipe, str(tmp_path / "samples"), 3, "run")) == 3
    for path in (tmp_path / "samples").iterdir():
        with Image.open(io.BytesIO(path.read_bytes())) as sample:
            assert sample.mode == "RGB"
            text = path.stem.partition("_")[2]
            assert any((np.asarray(sample) == other).all() for other in _of_text(recipe, text, sample.size))


def _of_text(recipe, text: str, size: tuple[int, int]) -> list[np.ndarray]:
    renderer, found = renderer_of(recipe), []
    for number in range(2):
        block: Block = renderer.block(recipe.seed, number)
        rows = np.flatnonzero(block.text == text.encode())
        heights, widths = block.parameters["height"], block.parameters["width"]
        found += [block.images[k, : heights[k], : widths[k]] for k in rows if (widths[k], heights[k]) == size]
    return found
