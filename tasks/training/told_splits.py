"""What is learnt from and what is kept for validation, where folders told the split and none told validation."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from storage.dataset import Dataset
from storage.shards.shard import Block
from tasks.drawing.randomness import pixels_digest, split_by
from tasks.training.fit import TRAIN, VALIDATION


def lacks_validation(dataset: Dataset) -> bool:
    """Return whether folders told a dataset's split, some train and none validation."""
    splits = dataset.manifest.statistics["splits"]
    told = bool((dataset.manifest.source or {}).get("split"))
    return told and splits["train"] > 0 and splits["validation"] == 0


def note_of(datasets: Sequence[Dataset]) -> str:
    """Say which datasets lack validation, and what is done; '' if none does."""
    names = ", ".join(dataset.folder.name for dataset in datasets if lacks_validation(dataset))
    return (
        f"no folder told the validation split of {names}: one in ten of its train pictures, chosen by their pixels, "
        "are kept for that and not learnt from"
    ) if names else ""  # fmt: skip


def blocks_of(dataset: Dataset, shards: Iterable[int] | None = None) -> Iterator[Block]:
    """Iterate over a dataset's blocks, with the splits that a training uses: those of the dataset.

    If it lacks validation, one in ten of train's pictures are validation, those that the import would have chosen by
    their pixels. So equal pictures stay together, and the same pictures are kept each time. Test stays test.

    Raises
    ------
    Damaged
    """
    lacking = lacks_validation(dataset)
    for block in dataset.blocks(shards=shards):
        yield _with_validation(block) if lacking else block


def validation_blocks(dataset: Dataset) -> Iterator[Block]:
    """Iterate over the pictures that a training measures itself on; blocks without any are skipped.

    Raises
    ------
    Damaged
    """
    if not lacks_validation(dataset):
        yield from dataset.blocks("validation")
        return
    for block in blocks_of(dataset):
        if (chosen := block.split == VALIDATION).any():
            yield block.rows(chosen)


def _with_validation(block: Block) -> Block:
    heights, widths = block.parameters["height"], block.parameters["width"]
    content = np.array(
        [
            pixels_digest(image[:height, :width])
            for image, height, width in zip(block.images, heights, widths, strict=True)
        ]
    )
    chosen = (block.split == TRAIN) & (split_by(content.T) == VALIDATION)
    return block._replace(split=np.where(chosen, VALIDATION, block.split).astype(np.uint8))
