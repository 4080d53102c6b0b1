"""Dask arrays over a dataset, on threads and on a cluster; and every snippet of docs/python.md."""

import re
import shutil
import sys
import types
from dataclasses import replace
from pathlib import Path

import dask
import numpy as np
import pytest

from flows.arrays import array, images
from flows.workers.cluster import crew
from storage.errors import BadInput, Damaged, NotThere
from storage.shards.manifest import Manifest
from storage.shards.proven import prove
from storage.shards.shard import BLOCK, Block
from storage.shards.writer import write_shard

DOCS = Path(__file__).parents[2] / "docs" / "python.md"
COUNT = 4 * BLOCK + 300


def put(folder: Path, blocks: list[Block], blocks_a_shard: int) -> Path:
    folder.mkdir(parents=True)
    records = [
        write_shard(folder, number, first * BLOCK, blocks[first : first + blocks_a_shard], "{}", "run")
        for number, first in enumerate(range(0, len(blocks), blocks_a_shard))
    ]
    golden = Manifest.read(Path(__file__).parents[1] / "golden" / "v1" / "book")
    replace(
        golden, count=sum(record.count for record in records), shards=[record.as_dict() for record in records],
    ).write(folder)  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def blocks(make_blocks) -> list[Block]:
    made = make_blocks(COUNT, seed=8)
    for block in made:
        block.parameters["shear"] = np.arange(len(block.images)) % 3 * 50
        block.parameters["scale"] = 100
        block.images[:, 0, 0] = np.arange(len(block.images)) % 251
    return made


@pytest.fixture(scope="module")
def whole(blocks) -> Block:
    return Block(*(np.concatenate(arrays) for arrays in zip(*blocks, strict=True)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory, blocks) -> Path:
    return put(tmp_path_factory.mktemp("arrays") / "data" / "datasets" / "book", blocks, 2)


@pytest.fixture(autouse=True)
def nothing_known():
    prove.cache_clear()


@pytest.mark.parametrize("field", Block._fields)
@pytest.mark.parametrize(("a_chunk", "chunks"), [(None, (2048, 2048, 300)), (1, (1024,) * 4 + (300,))], ids=str)
def test_an_array_is_the_field(folder, whole, field, a_chunk, chunks):
    view, wanted = array(folder, field, blocks=a_chunk), getattr(whole, field)
    assert view.shape == wanted.shape
    assert view.dtype == wanted.dtype
    assert view.chunks == (chunks, *((size,) for size in wanted.shape[1:]))
    assert (view.compute() == wanted).all()


def test_computing_with_it(folder, whole):
    pictures = images(folder)
    assert (pictures.mean(axis=(1, 2)).compute() == whole.images.mean(axis=(1, 2))).all()
    shear = array(folder, "parameters")["shear"]
    assert pictures[shear == 50].sum().compute() == whole.images[whole.parameters["shear"] == 50].sum()
    labels = array(folder, "text").map_blocks(np.strings.decode, "utf-8", dtype="U4")
    assert labels.compute().tolist() == whole.texts()


def test_a_slice_reads_only_the_shards_that_it_touches(tmp_path, folder, whole):
    own = Path(shutil.copytree(folder, tmp_path / "own"))
    view = images(own)
    prove.cache_clear()
    first, second, third = sorted(own.glob("*.h5"))
    third.unlink()
    second.unlink()
    assert (view[5:2048:3].compute() == whole.images[5:2048:3]).all()
    with pytest.raises(Damaged, match=r"shard-000001-2048\.h5: cannot be read"):
        view[2040:2050].compute()
    shutil.copy(first, second)  # sealed and sound, but another's
    with pytest.raises(Damaged, match="differ from the sha256"):
        view[2048:2050].compute()


def test_names_follow_from_the_content(tmp_path, folder, blocks):
    one = images(folder)
    copied = images(shutil.copytree(folder, tmp_path / "copied"))
    assert one.name == copied.name == images(str(folder)).name
    others = [array(folder, "text"), images(folder, blocks=1), images(put(tmp_path / "other", blocks[:3], 2))]
    assert len({one.name, *(other.name for other in others)}) == 4
    assert dask.base.tokenize(one) == dask.base.tokenize(copied)


def test_tasks_hold_paths_and_numbers(folder):
    jobs = list(dict(images(folder).__dask_graph__()).values())
    assert len(jobs) == 3
    for function, *arguments in jobs:
        assert function.__module__ == "storage.shards.proven"
        assert all(type(argument) in (str, int) for argument in arguments)
        assert Path(arguments[0]).is_absolute()


def test_on_a_cluster(folder, whole, monkeypatch):
    monkeypatch.chdir(folder.parent)
    view, labels = images(folder.name), array(folder.name, "text", blocks=1)
    with crew(1):
        assert (view.max(axis=(1, 2)).compute() == whole.images.max(axis=(1, 2))).all()
        assert (labels[1000:2100].compute() == whole.text[1000:2100]).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"field": "pixels"}, "field: must be one of images, text, boxes, parameters, split; it is 'pixels'"),
        ({"field": "text", "blocks": 0}, "blocks: must be an integer of 1 or more, or None; it is 0"),
        ({"field": "text", "blocks": True}, "blocks: must be"),
    ],
)
def test_bad_arguments(folder, arguments, message):
    with pytest.raises(BadInput, match=message):
        array(folder, **arguments)


def test_no_dataset(tmp_path):
    with pytest.raises(NotThere):
        images(tmp_path)


# The documentation.


class Tensor(np.ndarray):
    """As much of a tensor as the recipe asks for."""

    def unsqueeze(self, axis):
        return np.expand_dims(self, axis)

    def float(self):
        return self.astype(np.float32)


def stand_in() -> dict[str, types.ModuleType]:
    """Modules that behave as torch where the recipe uses it: torch itself is no dependency."""
    torch, utils, data = (types.ModuleType(name) for name in ("torch", "torch.utils", "torch.utils.data"))
    torch.from_numpy = lambda array: array.view(Tensor)
    torch.utils, utils.data = utils, data
    data.IterableDataset = type("IterableDataset", (), {})
    data.get_worker_info = lambda: None
    data.DataLoader = lambda dataset, batch_size, num_workers: iter(dataset)
    return {"torch": torch, "torch.utils": utils, "torch.utils.data": data}


@pytest.fixture
def documented(folder, monkeypatch) -> dict:
    """The names that the page's snippets leave behind, run from top to bottom."""
    try:
        import torch  # noqa: F401
    except ImportError:
        for name, module in stand_in().items():
            monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.chdir(folder.parents[2])
    names = {"__name__": "documented"}
    snippets = re.findall(r"^```python\n(.*?)^```$", DOCS.read_text(), re.MULTILINE | re.DOTALL)
    assert len(snippets) >= 6
    for snippet in snippets:
        exec(compile(snippet, DOCS.name, "exec"), names)
    return names


@pytest.mark.slow
def test_the_page_does_what_it_says(documented, whole, capsys):
    straight = np.flatnonzero(whole.parameters["shear"] == 0)[:500]
    assert (documented["chosen"].images == whole.images[straight]).all()
    assert (documented["several"].text == whole.text[[5, 3, 3, -1]]).all()
    assert documented["pixels"].shape[1:] == (1, 6, 9)
    assert 0 <= float(documented["pixels"].min()) <= float(documented["pixels"].max()) <= 1


def test_the_recipe_gives_each_picture_to_one_worker_of_one_rank(documented, whole):
    seen = []
    for rank in range(2):
        captchas = documented["Captchas"]("data/datasets/book", 100, split="train", rank=rank, world=2)
        for worker in range(3):
            documented["get_worker_info"] = lambda worker=worker: types.SimpleNamespace(id=worker, num_workers=3)
            for pixels, labels in captchas:
                assert len(pixels) == len(labels)
                seen += [bytes(picture.astype(np.uint8)) for picture in np.rint(np.asarray(pixels) * 255)]
    assert sorted(seen) == sorted(bytes(image) for image in whole.images[whole.split == 0])
