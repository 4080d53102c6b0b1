"""What comes from elsewhere runs no code, leads nowhere, and tells nothing; here what no other test has.

- A model runs no code: tests/storage/test_models.py (types that are foreign are named and never built).
- A manifest's names stay in their folder: tests/storage/test_dataset.py, tests/storage/files/test_places.py,
  tests/tasks/datasets/test_prove.py; a word list's or font's path is never part of one.
- Labels (CSV, gt.txt) stay in theirs: tests/tasks/exchange/test_labels.py. No command unpacks archives.
- Links are not followed unless asked: tests/tasks/loading, tests/tasks/solving;
  in a dataset: below.
- Limits of pixels and bytes: tests/tasks/loading/test_decode.py.
- A worker that dies takes no run along: tests/tasks/solving/test_isolated.py, tests/tasks/solving/test_run.py,
  tests/flows/test_inbox_flow.py, tests/flows/test_cluster.py.
- Secrets in URLs: tests/storage/files/test_places.py, tests/storage/objects/test_retries.py,
  tests/flows/test_object_store.py (all that Prefect and the home keep); of a deployment's parameters: below.
"""

import json
import pickle
from dataclasses import replace

import h5py
import numpy as np
import pytest
from blake3 import blake3
from prefect.utilities.callables import parameter_schema
from prefect.utilities.schema_tools.validation import is_valid

from flows.evaluate import evaluate
from flows.generate import generate
from flows.ingest import ingest
from flows.service.deployments import without_secrets
from flows.solve import solve
from flows.train import train
from flows.verify import verify
from storage.dataset import Dataset
from storage.errors import Damaged
from storage.shards.manifest import Manifest
from storage.shards.shard import Shard, shard_name
from storage.shards.writer import write_shard
from tasks.datasets import repair
from tasks.datasets.folder import complete
from tasks.datasets.generate import draw_shard, plan_drawing
from tasks.datasets.inventory import inventory
from tasks.datasets.judge import judge
from tasks.datasets.prove import proof_jobs, prove
from tasks.datasets.totals import Gathered

SHARD = shard_name(0, 1024)


class Intruder:
    """Unpickled, it says so."""

    def __reduce__(self):
        return pytest.fail, ("code of a dataset ran",)


@pytest.fixture
def shard(tmp_path, make_blocks):
    """A sealed shard of a folder, to be altered and sealed again."""
    write_shard(tmp_path, 0, 0, make_blocks(1024), "{}", "run")
    return tmp_path / SHARD


def altered(shard, change) -> None:
    """Change a sealed shard as somebody would who knows the format: the seal fits again."""
    shard.write_bytes(shard.read_bytes()[:-32])
    with h5py.File(shard, "r+") as file:
        change(file)
    data = shard.read_bytes()
    shard.write_bytes(data + blake3(data).digest())


def elsewhere(file: h5py.File) -> None:
    """As an external link: the pictures are those of a file that the reader's user may read."""
    file.move("images", "mine")
    file["images"] = h5py.ExternalLink(str(file.filename).replace(SHARD, "private.h5"), "images")


def through_a_group(file: h5py.File) -> None:
    """The same behind a link within the file."""
    elsewhere(file)
    file.move("images", "away")
    file["images"] = h5py.SoftLink("/away")


def outside(file: h5py.File) -> None:
    """As HDF5's external storage: any file's bytes are the pictures."""
    shape = file["images"].shape
    del file["images"]
    place = str(file.filename).replace(SHARD, "private.txt")
    file.create_dataset("images", shape, np.uint8, external=[(place, 0, h5py.h5f.UNLIMITED)])


def virtual(file: h5py.File) -> None:
    """As a virtual dataset over another file."""
    shape = file["images"].shape
    del file["images"]
    source = h5py.VirtualSource(str(file.filename).replace(SHARD, "private.h5"), "images", shape, np.uint8)
    layout = h5py.VirtualLayout(shape, np.uint8)
    layout[:] = source
    file.create_virtual_dataset("images", layout)


def objects(file: h5py.File) -> None:
    """As Python objects, pickled: what numpy.load would have run."""
    count = len(file["text"])
    del file["text"]
    texts = file.create_dataset("text", (count,), h5py.vlen_dtype(np.uint8), chunks=(1024,), compression="gzip")
    texts[0] = np.frombuffer(pickle.dumps(Intruder()), np.uint8)
    texts.attrs["pickled"] = np.void(pickle.dumps(Intruder()))


@pytest.mark.parametrize("change", [elsewhere, through_a_group, outside, virtual, objects])
def test_a_shard_from_elsewhere_shows_no_other_file_and_runs_no_code(shard, make_blocks, change):
    folder = shard.parent
    (folder / "other").mkdir()
    write_shard(folder / "other", 0, 0, make_blocks(1024, 2), "{}", "run")
    (folder / "other" / SHARD).rename(folder / "private.h5")
    (folder / "private.txt").write_bytes(b"secret " * 40_000)
    with Shard(shard) as before:
        assert len(list(before)) == 1
    altered(shard, change)
    with pytest.raises(Damaged) as refused, Shard(shard) as opened:
        list(opened)
    assert "secret" not in str(refused.value)


def test_a_manifest_s_text_is_text(recipe, tmp_path):
    """Whatever stands in one is read as JSON: words that Python or YAML would run are words."""
    folder = drawn(recipe, tmp_path / "d")
    manifest = Manifest.read(folder)
    words = "!!python/object/apply:os.system ['false'] {0.__class__} $(false) __import__('os')"
    replace(manifest, software={"numpy": words}).write(folder)
    assert Manifest.read(folder).software == {"numpy": words}
    assert len(next(Dataset(folder).blocks()).images) == 500


def drawn(recipe, folder):
    """A whole dataset of 500 pictures."""
    folder.mkdir()
    gathered, plan = Gathered(recipe.identity), plan_drawing(recipe, folder, 500, "run")
    for job in plan.jobs:
        gathered.add(draw_shard(job))
    complete(folder, gathered, "run")
    return folder


def test_a_repair_writes_beside_links_and_never_through_them(recipe, tmp_path):
    """A dataset in which a shard and a stray name are links: what they point to stays as it is."""
    folder = drawn(recipe, tmp_path / "d")
    wanted = Manifest.read(folder).content
    targets = [tmp_path / "mine.h5", tmp_path / "mine.txt"]
    for target in targets:
        target.write_bytes(b"precious")
    shard = folder / shard_name(0, 500)
    shard.unlink()
    shard.symlink_to(targets[0])
    (folder / "notes").symlink_to(targets[1])
    (folder / "outside").symlink_to(tmp_path)
    found = inventory(folder)
    proofs = [prove(job) for job in proof_jobs(found)]
    verdict = judge(found, proofs)
    plan = repair.plan_repair(found, verdict, proofs, recipe, "again")
    repair.put_back(found, plan)
    receipts = [repair.redraw_shard(job) for job in plan.jobs]
    repair.finish_repair(found, verdict, plan, proofs, receipts, None, "again")
    assert [target.read_bytes() for target in targets] == [b"precious"] * 2
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", shard.name]
    assert not shard.is_symlink()
    assert Manifest.read(folder).content == wanted
    aside = tmp_path / "d.foreign"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d", aside.name, "mine.h5", "mine.txt"]
    assert {path.name: path.is_symlink() for path in aside.iterdir()} == {
        "notes": True, "outside": True, shard.name: True,
    }  # fmt: skip


SECRET = "wJalrXUtnFEMI"
FLOWS = {
    generate: ("profile", "out", "cluster"), verify: ("dataset", "source"), train: ("datasets", "out"),
    evaluate: ("model", "dataset", "out"), solve: ("path", "out", "move_to", "model"), ingest: ("folder", "labels"),
}  # fmt: skip


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_a_url_with_a_secret_is_refused_by_the_server_before_its_database_has_it(flow):
    """By the schema that `captchas up` gives to the deployments; the flow's own check would come too late."""
    schema = without_secrets(json.loads(parameter_schema(flow).model_dump_json()))
    needed = dict.fromkeys(schema.get("required", ()), "x")
    assert is_valid(needed, schema)
    good = ("s3://bucket/a", "s3:/bucket/a", "inbox", "/a/b?c#d@e:f", "c:/x?", "tcp://host:8786", "file:///a?b")
    bad = (
        f"s3://AKIA:{SECRET}@bucket/a", f"s3:/AKIA:{SECRET}@bucket/a", f"S3://AKIA:{SECRET}/a", f"s3://b/a?X-Sig={SECRET}",
        f"s3://b/a#{SECRET}", f"https://u:{SECRET}@host/a", f"tcp://u:{SECRET}@host:1", f"postgresql+asyncpg://u:{SECRET}@h/d",
    )  # fmt: skip
    for name in FLOWS[flow]:
        listed = '"items"' in json.dumps(schema["properties"][name])
        for value in (*good, *bad):
            given = needed | {name: [value] if listed else value}
            assert is_valid(given, schema) == (value in good), (name, value)
