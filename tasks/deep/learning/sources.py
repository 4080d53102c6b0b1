"""What a network learns from: profiles, drawn as pictures are needed, and datasets; a block of any, normalised."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from storage.dataset import Dataset
from storage.errors import BadInput
from storage.shards.shard import BLOCK, SPLITS, Block, blocks_in
from tasks.datasets.recipe import make_recipe
from tasks.deep.cases import in_capitals
from tasks.deep.learning.unfamiliar import Varied
from tasks.deep.pictures import find_content, natural_widths, normalise
from tasks.deep.shape import LONGEST, STRIDE
from tasks.drawing.renderer import Renderer
from tasks.profiles.profile import Profile

_FEWEST = 50  # pictures: of fewer, not even a model that reads strangers' learns anything
_UNSEEN_BLOCKS = 1 << 40  # validation is drawn from here, training from 0: no block is both
_IDENTITY = 0.3  # of the pictures are not moved or stretched, as readers will see them
_PADDED, _CROPPED = 0.35, 0.2  # of the height: margins that are added, or taken away at most
_STRETCHED = 0.3  # of the logarithm of the aspect
_LETTERS_APART = 1.0  # pixels that a crop leaves around the ink


@dataclass(frozen=True)
class Drawn:
    """A profile whose pictures are drawn as they are needed."""

    profile: Profile
    seed: int
    weight: float = 1.0

    @property
    def name(self) -> str:
        """Return what reports call it."""
        return self.profile.name

    @property
    def alphabet(self) -> str:
        """Return the letters that its texts may have."""
        return self.profile.alphabet

    @property
    def length(self) -> tuple[int, int]:
        """Return the shortest and the longest text."""
        return self.profile.length

    @property
    def words(self) -> str:
        """Return `web2`, `list` or ''."""
        return self.profile.words if self.profile.words in ("", "web2") else "list"

    @property
    def size(self) -> tuple[int, int]:
        """Return rows and columns of its largest picture."""
        return self.profile.canvas


@dataclass(frozen=True)
class Stored:
    """A dataset, drawn or imported."""

    folder: str
    weight: float = 1.0

    @property
    def name(self) -> str:
        """Return what reports call it."""
        return str(_opened(self.folder).manifest.profile["name"])

    @property
    def alphabet(self) -> str:
        """Return the letters that its texts may have."""
        return str(_opened(self.folder).manifest.profile["alphabet"])

    @property
    def length(self) -> tuple[int, int]:
        """Return the shortest and the longest text."""
        shortest, longest = _opened(self.folder).manifest.profile["length"]
        return shortest, longest

    @property
    def words(self) -> str:
        """Return `web2`, `list` or ''."""
        return str(_opened(self.folder).manifest.profile.get("words", ""))

    @property
    def size(self) -> tuple[int, int]:
        """Return rows and columns of its canvas."""
        rows, columns = _opened(self.folder).proven(0).shapes["images"][:2]
        return rows, columns


Source = Drawn | Stored | Varied


@functools.lru_cache(maxsize=64)
def _opened(folder: str) -> Dataset:
    return Dataset(folder)


@dataclass(frozen=True)
class Form:
    """How pictures and labels are put before the network.

    height, columns : pixels of a normalised picture, and of the canvas that it is on
    alphabet : the letters of the classes, from class 1
    folded : whether a letter counts as its capital
    moved : whether pictures are cropped, padded and stretched at random
    """

    height: int
    columns: int
    alphabet: str
    folded: bool = False
    moved: bool = False

    @functools.cached_property
    def classes(self) -> dict[str, int]:
        """Return the class of each letter of the alphabet."""
        return {letter: number for number, letter in enumerate(self.alphabet, 1)}


@dataclass(frozen=True)
class Slot:
    """The memory of one normalised block.

    pictures : (BLOCK, 3, height, columns) uint8
    labels : (BLOCK, LONGEST) uint8, classes, 0 past the end
    centres : (BLOCK, LONGEST) float32, the column of the output where a letter's middle is; -1 if not known
    widths : (BLOCK,) int64, pixels
    """

    pictures: np.ndarray
    labels: np.ndarray
    centres: np.ndarray
    widths: np.ndarray

    @classmethod
    def of(cls, memory: memoryview, form: Form) -> "Slot":
        """Lay the arrays into memory of `slot_bytes(form)` bytes."""
        arrays, at = [], 0
        for shape, dtype in _layout(form):
            size = int(np.prod(shape)) * dtype.itemsize
            arrays.append(np.frombuffer(memory[at : at + size], dtype).reshape(shape))
            at += size
        return cls(*arrays)


def _layout(form: Form) -> list[tuple[tuple[int, ...], np.dtype]]:
    return [
        ((BLOCK, 3, form.height, form.columns), np.dtype(np.uint8)), ((BLOCK, LONGEST), np.dtype(np.uint8)),
        ((BLOCK, LONGEST), np.dtype(np.float32)), ((BLOCK,), np.dtype(np.int64)),
    ]  # fmt: skip


def slot_bytes(form: Form) -> int:
    """Return the bytes of a `Slot`."""
    return sum(int(np.prod(shape)) * dtype.itemsize for shape, dtype in _layout(form))


def blocks_of(source: Source) -> int | None:
    """Return the number of blocks of a dataset; None for a profile, which has as many as are asked for."""
    return blocks_in(len(_opened(source.folder))) if isinstance(source, Stored) else None


def fill(source: Source, number: int, split: str, form: Form, slot: Slot, seed: int) -> int:
    """Draw or read a block, normalise its pictures of a split, and put them into a slot; return how many they are.

    Parameters
    ----------
    number : int
        Of a block that a profile draws; of a dataset's blocks, over all epochs: each epoch has its own order.
    split : {'train', 'validation', 'test'}
    seed : int
        Of the order of a dataset's blocks, and of how pictures are moved.

    Raises
    ------
    BadInput
        A label that the network cannot learn.
    Damaged
    """
    block, texts = _read(source, number, split, seed)
    count = len(texts)
    labels = _labels(texts, form, source)
    sizes = np.column_stack([block.parameters["height"], block.parameters["width"]]).astype(np.int64)
    rectangles = find_content(block.images, sizes)
    if form.moved and split == "train":
        numbers = np.random.Philox(key=[seed, number], counter=[0, 0, 0, 1 << 32]).random_raw((count, 6))
        rectangles, widths = _move(rectangles, block.boxes, numbers / 2.0**64, form)
    else:
        widths = natural_widths(rectangles[:, 2:] - rectangles[:, :2], form.height, form.columns)
    normalise(block.images, sizes, rectangles, widths, slot.pictures[:count])
    slot.labels[:count], slot.widths[:count] = labels, widths
    slot.centres[:count] = _centres(block.boxes, labels, rectangles, widths)
    return count


def _read(source: Source, number: int, split: str, seed: int) -> tuple[Block, list[str]]:
    if not isinstance(source, Stored):
        number += 0 if split == "train" else _UNSEEN_BLOCKS
        if isinstance(source, Drawn):
            block = _renderer(source.profile).block(source.seed, number)
        else:
            block = source.block(number)
    else:
        dataset, blocks = _opened(source.folder), blocks_of(source) or 1
        epoch, place = divmod(number, blocks)
        order = np.argsort(np.random.Philox(key=[seed, epoch], counter=[0, 0, 0, 1 << 33]).random_raw(blocks))
        shard, within = dataset.place(int(order[place]) if split == "train" else place)
        block = dataset.proven(shard).block(within)
    block = block.rows(block.split == SPLITS.index(split))
    return block, block.texts()


@functools.lru_cache(maxsize=64)
def _renderer(profile: Profile) -> Renderer:
    """Return the renderer of a profile, which the process keeps: a mixture has more than recipes keep."""
    from tasks.datasets.recipe import renderer_of

    return renderer_of(make_recipe(profile, 0))


def _labels(texts: Sequence[str], form: Form, source: Source) -> np.ndarray:
    labels = np.zeros((len(texts), LONGEST), np.uint8)
    for row, text in zip(labels, texts, strict=True):
        if not 1 <= len(text) <= LONGEST:
            raise BadInput(
                f"{source.name}, label {text!r}: must have 1 to {LONGEST} letters for the deep reader; it has "
                f"{len(text)}. Leave such pictures out, or train the classic reader"
            )
        try:
            row[: len(text)] = [form.classes[letter] for letter in (in_capitals(text) if form.folded else text)]
        except KeyError:
            raise BadInput(
                f"{source.name}, label {text!r}: must have letters that the model knows, which are "
                f"{form.alphabet!r}; train a model of its own for other letters"
            ) from None
    return labels


def _move(content: np.ndarray, boxes: np.ndarray, chance: np.ndarray, form: Form) -> tuple[np.ndarray, np.ndarray]:
    """Choose a rectangle around the ink of each picture near its content, and the width that it is drawn at."""
    top, left, bottom, right = content.T
    rows = bottom - top
    boxes = boxes.astype(np.float64)
    there = boxes[:, :, 0] >= 0
    known = np.asarray(there.any(axis=1))
    first, last = np.where(there, 0.0, np.inf), np.where(there, 0.0, -np.inf)
    ink = np.column_stack([
        (boxes[:, :, 0] + first).min(axis=1) - top, (boxes[:, :, 1] + first).min(axis=1) - left,
        bottom - (boxes[:, :, 2] + last).max(axis=1), right - (boxes[:, :, 3] + last).max(axis=1),
    ])  # fmt: skip
    # What a crop may take at the top, left, bottom and right.
    room = np.maximum(np.where(known[:, None], ink - _LETTERS_APART, 0.0), 0.0)
    change = np.empty((len(content), 4))
    for side in range(4):
        share = chance[:, side] * (_PADDED + _CROPPED) - _CROPPED
        change[:, side] = np.maximum(share * rows, -room[:, side])
    still = chance[:, 4] < _IDENTITY
    change[still] = 0
    rectangles = content + change * np.array([-1, -1, 1, 1])
    stretch = np.where(still, 1.0, np.exp((2 * chance[:, 5] - 1) * _STRETCHED))
    wide = (rectangles[:, 3] - rectangles[:, 1]) * stretch
    seen = np.column_stack([rectangles[:, 2] - rectangles[:, 0], wide])
    return rectangles, natural_widths(seen, form.height, form.columns)


def _centres(boxes: np.ndarray, labels: np.ndarray, rectangles: np.ndarray, widths: np.ndarray) -> np.ndarray:
    """Return the output's column of each letter's middle, (n, LONGEST); -1 where no box tells."""
    centres = np.full(labels.shape, -1.0, np.float32)
    longest = min(boxes.shape[1], LONGEST)
    middle = (boxes[:, :longest, 1] + boxes[:, :longest, 3]) / 2.0
    left, right = rectangles[:, 1:2], rectangles[:, 3:4]
    column = (middle - left) / (right - left) * widths[:, None] / STRIDE
    known = (boxes[:, :longest, 0] >= 0) & (labels[:, :longest] > 0)
    # Letters may be drawn over each other; only those that go on to the right tell a column of their own.
    apart = np.diff(column, axis=1)
    known[:, 1:] &= apart >= 1
    centres[:, :longest] = np.where(known, column, -1.0)
    return centres


def require_drawable(sources: Sequence[Source]) -> None:
    """Refuse datasets that are not there or hold nothing, before any worker starts.

    Raises
    ------
    BadInput, NotThere, Damaged
    """
    if not sources:
        raise BadInput("train: must have a dataset, or a profile to draw (--draw); there is none")
    for source in sources:
        if not source.weight > 0:
            raise BadInput(f"{source.name}: its weight must be above 0; it is {source.weight}")
        if source.length[0] > LONGEST:
            raise BadInput(
                f"{source.name}: has texts of {source.length[0]} to {source.length[1]} letters; the deep reader reads "
                f"at most {LONGEST}"
            )
        if isinstance(source, Stored):
            _require_pictures(source, _opened(source.folder).manifest.statistics["splits"])


def _require_pictures(source: Stored, splits: Mapping[str, int]) -> None:
    """Refuse a dataset of too few pictures to learn from; docs/deep.md has the learning curve."""
    if splits["train"] < _FEWEST:
        raise BadInput(
            f"{source.name}: has {splits['train']} pictures to learn from; the deep reader needs {_FEWEST} at least, "
            "some 2,000 with --from strangers, and 10,000 or more without. Label more, or train the classic reader"
        )
