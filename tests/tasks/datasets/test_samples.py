import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from storage.errors import CaptchasError
from storage.shards.shard import SPLITS
from tasks.datasets.recipe import Recipe, make_recipe, renderer_of
from tasks.datasets.samples import SampleJob, sample_names, share_right, write_samples
from tasks.drawing.renderer import Renderer
from tasks.profiles.profile import Grid

COUNT = 250  # more than the test pictures of one block


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))  # noqa: PTH208 - hidden files too, as names


def state(folder: Path) -> dict[str, tuple]:
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}


@pytest.fixture(scope="module")
def written(tmp_path_factory, recipe) -> SampleJob:
    job = SampleJob(recipe, str(tmp_path_factory.mktemp("samples") / "new"), COUNT, "run")
    assert write_samples(job) == COUNT
    return job


def test_files_are_numbered_and_named_for_what_they_show(written):
    chosen = sample_names(written)
    assert len(chosen) == COUNT
    assert [name[:7] for name, _, _ in chosen] == [f"{number:06d}_" for number in range(COUNT)]
    assert {name[7:].removesuffix(".png") for name, _, _ in chosen} <= {a + b for a in "ABC" for b in ("", *"ABC")}
    assert names(Path(written.folder)) == [name for name, _, _ in chosen]


def test_the_pictures_are_those_of_the_test_split_in_order(written, recipe):
    renderer = renderer_of(recipe)
    chosen = sample_names(written)
    assert {block for _, block, _ in chosen} >= {0, 1}
    for block in {block for _, block, _ in chosen}:
        drawn = renderer.block(recipe.seed, block)
        rows = [row for _, number, row in chosen if number == block]
        test = np.flatnonzero(drawn.split == SPLITS.index("test")).tolist()
        assert rows == test[: len(rows)]
        assert [name[7:-4] for name, number, _ in chosen if number == block] == drawn.rows(rows).texts()
        for name, number, row in chosen:
            if number != block:
                continue
            with Image.open(Path(written.folder) / name) as image:
                assert image.mode == "L" and image.format == "PNG"
                picture = np.asarray(image)
            height, width = drawn.parameters["height"][row], drawn.parameters["width"][row]
            assert picture.shape == (height, width)
            assert (picture == 255 - drawn.images[row, :height, :width]).all()  # dark on white
            assert not drawn.images[row, height:].any() and not drawn.images[row, :, width:].any()


def test_a_second_run_writes_nothing(written):
    folder = Path(written.folder)
    before = state(folder)
    assert write_samples(replace(written, run="other")) == 0
    assert write_samples(replace(written, count=10)) == 0
    assert state(folder) == before


def test_a_deleted_file_comes_back_equal(written):
    folder = Path(written.folder)
    before = state(folder)
    gone = [names(folder)[number] for number in (0, 100, COUNT - 1)]
    for name in gone:
        (folder / name).unlink()
    assert write_samples(written) == 3
    after = state(folder)
    assert {name: data for name, (_, _, data) in after.items()} == {name: data for name, (_, _, data) in before.items()}
    assert all(after[name] == before[name] for name in before if name not in gone)


def test_more_pictures_begin_with_the_same_ones(written, tmp_path):
    assert write_samples(replace(written, folder=str(tmp_path), count=20)) == 20
    few = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert write_samples(replace(written, folder=str(tmp_path), count=30)) == 10
    assert sample_names(replace(written, count=30))[:20] == sample_names(replace(written, count=20))
    assert {name: (Path(written.folder) / name).read_bytes() for name in few} == few
    assert len(names(tmp_path)) == 30


def test_none_asked_for_is_none_written(written, tmp_path):
    assert write_samples(replace(written, folder=str(tmp_path / "none"), count=0)) == 0
    assert names(tmp_path / "none") == []


def test_a_profile_without_a_test_picture_is_refused(small, tmp_path, monkeypatch):
    """One letter in one shape is one picture, and that is in one split."""
    for letter in "ABCDEFGH":
        profile = replace(small, alphabet=letter, length=(1, 1), shear=Grid(0, 0), scale=Grid(100, 100))
        recipe: Recipe = make_recipe(profile, 1)
        if SPLITS.index("test") not in renderer_of(recipe).block(1, 0).split:
            break
    plain, asked = Renderer.parameters, []

    def counted(self, seed, block):
        asked.append(block)
        if len(asked) > 2000:
            pytest.fail("still looking after 2,000 blocks")
        return plain(self, seed, block)

    monkeypatch.setattr(Renderer, "parameters", counted)
    with pytest.raises(CaptchasError):
        sample_names(SampleJob(recipe, str(tmp_path), 1, "run"))


def test_share_right_compares_names_with_answers(tmp_path):
    answers = tmp_path / "answers.csv"
    answers.write_text(
        "path,word,confidence\n"
        "000000_BONE.png,BONE,0.9\n"
        "deep/000001_WORD.png,WARD,0.9\n"
        "000002_ZOOM.png,,\n"
        '000003_A_B.png,A_B,"0,5"\n',
        encoding="utf-8",
    )
    assert share_right(answers) == (2, 4)
