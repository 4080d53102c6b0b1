"""Fixtures that several test files of this folder share."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from storage.files import atomic
from storage.files.places import ObjectPath, Place
from storage.shards.manifest import Manifest
from storage.shards.shard import BLOCK, Block
from storage.shards.writer import write_shard

GOLDEN = Path(__file__).parents[1] / "golden" / "v1" / "book"  # whose manifest has every field


@pytest.fixture
def object_folder() -> ObjectPath:
    """Return a new folder in the object store in memory."""
    return ObjectPath("memory", f"tests/{uuid.uuid4().hex}")


@pytest.fixture(scope="session")
def put() -> Callable[[Place, list[Block]], Manifest]:
    """`put(folder, blocks)`: write a dataset with a shard for each block."""

    def made(folder: Place, blocks: list[Block]) -> Manifest:
        atomic.make_folder(folder)
        records = [
            write_shard(folder, number, number * BLOCK, [block], "{}", "run") for number, block in enumerate(blocks)
        ]
        manifest = replace(
            Manifest.read(GOLDEN), count=sum(record.count for record in records),
            shards=[record.as_dict() for record in records],
        )  # fmt: skip
        manifest.write(folder)
        return manifest

    return made
