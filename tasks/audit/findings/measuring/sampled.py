"""A sample of a dataset for the findings: pictures at their own size, all texts up to a bound, in bounded memory."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from storage.dataset import Dataset
from storage.shards.shard import BLOCK
from tasks.loading.colour_ink import ink_of_batch

MOST_PICTURES = 1500
MOST_PIXELS = 150_000_000  # bytes of all pictures of a sample
MOST_BLOCKS = 48  # that a sample is taken from
MOST_TEXTS = 200_000


@dataclass(frozen=True)
class Sampled:
    """Pictures of a dataset, evenly from all of it, and texts.

    Attributes
    ----------
    pictures : list of (h, w) or (h, w, 3) uint8
        Ink or sRGB, without the rest of the canvas.
    texts : list of str
        Their labels.
    boxes : (n, L, 4) int16
        -1 where unknown.
    parameters : (n,) compound
    every_text : list of str
        Labels of all pictures, or of as many whole shards as `MOST_TEXTS` allows.
    total : int
        Pictures of the dataset.
    """

    pictures: list[np.ndarray]
    texts: list[str]
    boxes: np.ndarray
    parameters: np.ndarray
    every_text: list[str]
    total: int

    @property
    def colour(self) -> bool:
        """Return whether the pictures are sRGB."""
        return bool(self.pictures) and self.pictures[0].ndim == 3

    @property
    def boxed(self) -> bool:
        """Return whether the letters' boxes are known."""
        return bool(self.boxes.size) and bool((self.boxes >= 0).any())

    @cached_property
    def inks(self) -> list[np.ndarray]:
        """Return the pictures as ink, (h, w) uint8."""
        return inks_of(self.pictures)

    @cached_property
    def seen(self) -> list[np.ndarray]:
        """Return the pictures as people see them, (h, w, 3) uint8."""
        return [as_seen(picture) for picture in self.pictures]


def as_seen(picture: np.ndarray) -> np.ndarray:
    """Return ink or sRGB as sRGB: ink is dark on white."""
    if picture.ndim == 3:
        return picture
    return np.repeat((255 - picture)[..., None], 3, axis=2)


def inks_of(pictures: list[np.ndarray]) -> list[np.ndarray]:
    """Return pictures of any sizes as ink; pictures of one size are worked on together."""
    out: list[np.ndarray] = list(pictures)
    for rows in by_size(pictures):
        if pictures[rows[0]].ndim == 3:
            images = np.stack([pictures[row] for row in rows])
            heights, widths = (np.full(len(rows), size) for size in images.shape[1:3])
            for row, ink in zip(rows, ink_of_batch(images, heights, widths), strict=True):
                out[row] = ink
    return out


def by_size(pictures: list[np.ndarray]) -> list[list[int]]:
    """Group the numbers of pictures that have one shape, in the order in which the shapes first come."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for row, picture in enumerate(pictures):
        groups.setdefault(picture.shape, []).append(row)
    return list(groups.values())


def take_sample(dataset: Dataset, most: int = MOST_PICTURES) -> Sampled:
    """Read a sample: rows at equal distances, from at most `MOST_BLOCKS` blocks at equal distances."""
    every_text = _texts(dataset)
    blocks = -(-len(dataset) // BLOCK)
    chosen = np.unique(np.linspace(0, blocks - 1, min(blocks, MOST_BLOCKS)).astype(np.int64))
    rows = np.concatenate([np.arange(b * BLOCK, min((b + 1) * BLOCK, len(dataset))) for b in chosen.tolist()])
    pixels = max(1, int(np.prod(dataset[0:1].images.shape[1:])))
    count = max(1, min(most, MOST_PIXELS // pixels, len(rows)))
    rows = rows[np.linspace(0, len(rows) - 1, count).astype(np.int64)]
    block = dataset[rows]
    sizes = np.column_stack([block.parameters["height"], block.parameters["width"]]).tolist()
    pictures = [image[:h, :w].copy() for image, (h, w) in zip(block.images, sizes, strict=True)]
    return Sampled(pictures, block.texts(), block.boxes, block.parameters, every_text, len(dataset))


def _texts(dataset: Dataset) -> list[str]:
    shards = len(dataset.manifest.shards)
    a_shard = max(1, int(dataset.manifest.shards[0]["count"]))
    most = max(1, MOST_TEXTS // a_shard)
    chosen = np.unique(np.linspace(0, shards - 1, min(shards, most)).astype(np.int64)).tolist()
    texts: list[str] = []
    for block in dataset.blocks(shards=chosen, fields=("text",)):
        texts += block.texts()
    return texts[:MOST_TEXTS]
