"""What an attacker may have: labelled pictures of a dataset, and the unseen pictures that all are measured on."""

import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from storage.dataset import Dataset
from storage.errors import NotThere
from storage.files import atomic
from storage.shards.manifest import Manifest, identity_digest
from storage.shards.shard import BLOCK, FORMAT, SPLITS, Block, layout
from storage.shards.writer import write_shard
from storage.texts import canonical
from tasks.audit.attackers.answers import GUESSES, Answers
from tasks.datasets.folder import complete
from tasks.datasets.generate import BLOCKS_A_SHARD
from tasks.datasets.statistics import Tally
from tasks.datasets.totals import DrawReceipt, Gathered
from tasks.drawing.randomness import pixels_digest
from tasks.loading.decode import LOADER, SEEN
from tasks.lowlevel.deflate import compress
from tasks.lowlevel.inflate import inflate
from tasks.profiles.word_lists import WEB2
from tasks.training.told_splits import blocks_of

_NAMED = "labelled-"
_TEST = SPLITS.index("test")
_SIZES = np.dtype([("height", "<u2"), ("width", "<u2")])


def labelled_in(dataset: Dataset) -> int:
    """Count the pictures that attackers may learn from: all but those of the test split."""
    return sum(count for split, count in dataset.manifest.statistics["splits"].items() if split != "test")


@dataclass(frozen=True)
class Unseen:
    """The pictures that no attacker learns from.

    rows : their places in the dataset
    truths : their labels
    dropped : how many of the test split are left out, since equal pictures are among the labelled ones
    """

    rows: tuple[int, ...]
    truths: tuple[str, ...]
    dropped: int


def find_unseen(dataset: Dataset, count: int) -> Unseen:
    """Choose the first `count` pictures of the test split, or all if there are fewer.

    Splits follow from the pixels, so that equal pictures are on one side. Where folders told them, a picture that is
    also among the labelled ones is left out.

    Raises
    ------
    Damaged
    """
    seen = _labelled_digests(dataset) if (dataset.manifest.source or {}).get("split") else frozenset()
    rows: list[int] = []
    truths: list[str] = []
    first = dropped = 0
    fields = Block._fields if seen else ("text", "split")
    for block in dataset.blocks(fields=fields):
        chosen = np.flatnonzero(block.split == _TEST)
        if seen:
            fresh = [digest not in seen for digest in _digests(block.rows(chosen))]
            dropped += fresh.count(False)
            chosen = chosen[np.array(fresh, bool)]
        chosen = chosen[: count - len(rows)]
        rows += (first + chosen).tolist()
        truths += Block.partial({"text": block.text[chosen]}).texts(dataset.manifest.profile["alphabet"])
        first += len(block.split)
        if len(rows) == count:
            break
    return Unseen(tuple(rows), tuple(truths), dropped)


def _labelled_digests(dataset: Dataset) -> frozenset[bytes]:
    return frozenset(
        digest for block in dataset.blocks() for digest in _digests(block.rows(np.flatnonzero(block.split != _TEST)))
    )


def _digests(block: Block) -> Iterator[bytes]:
    for image, size in zip(block.images, block.parameters, strict=True):
        yield pixels_digest(image[: size["height"], : size["width"]]).tobytes()


def pictures_again(dataset: Dataset) -> int:
    """Count the pictures that equal an earlier picture."""
    return len(dataset) - int(dataset.manifest.statistics["distinct"]["pictures"])


def texts_of_equal(dataset: Dataset) -> int:
    """Count the different texts of pictures that equal a picture with another text.

    Raises
    ------
    Damaged
    """
    texts: dict[bytes, set[str]] = defaultdict(set)
    for block in dataset.blocks():
        for digest, text in zip(_digests(block), block.texts(), strict=True):
            texts[digest].add(text)
    return len(set().union(*(found for found in texts.values() if len(found) > 1)))


def remember(dataset: Dataset, unseen: Unseen) -> Answers:
    """Answer each unseen picture as equal pictures elsewhere in the dataset are labelled, the commonest label first.

    Since equal pictures are on one side of the split, they are looked for on both sides: else nobody would be found to
    know a picture again, though a generator that shows few pictures shows them to attackers too.

    Raises
    ------
    Damaged
    """
    asked = frozenset(unseen.rows)
    shown: list[bytes] = []
    labels: dict[bytes, Counter[str]] = defaultdict(Counter)
    number = 0
    for block in dataset.blocks():
        for digest, text in zip(_digests(block), block.texts(dataset.manifest.profile["alphabet"]), strict=True):
            labels[digest][text] += 1
            if number in asked:
                shown.append(digest)
            number += 1
    others = (labels[digest] - Counter([truth]) for digest, truth in zip(shown, unseen.truths, strict=True))
    return Answers(tuple(tuple(text for text, _ in told.most_common(GUESSES)) for told in others), None, 0.0)


def pictures_at(dataset: Dataset, rows: Sequence[int]) -> Iterator[np.ndarray]:
    """Iterate over pictures of a dataset, without the rest of the canvas."""
    block = dataset[list(rows)]
    for image, size in zip(block.images, block.parameters, strict=True):
        yield image[: size["height"], : size["width"]]


def size_of(dataset: Dataset) -> list[int] | None:
    """Return rows and columns of the pictures; None if they differ."""
    sizes = {
        (int(height), int(width))
        for block in dataset.blocks(fields=("parameters",))
        for height, width in np.unique(block.parameters[["height", "width"]]).tolist()
    }
    return list(sizes.pop()) if len(sizes) == 1 else None


def labelled_texts(dataset: Dataset, count: int) -> list[str]:
    """Return the labels of the first `count` pictures that attackers may learn from."""
    texts: list[str] = []
    for block in dataset.blocks(fields=("text", "split")):
        texts += Block.partial({"text": block.text[block.split != _TEST]}).texts()
        if len(texts) >= count:
            break
    return texts[:count]


def take_labelled(dataset: Dataset, count: int, within: Path) -> Dataset:
    """Make a dataset of the first `count` pictures that attackers may learn from, with their labels and nothing else.

    Of drawn pictures the places of letters and the parameters of drawing are left out: whoever buys labels has
    neither. A dataset of the same pictures that is there is kept.

    Parameters
    ----------
    within : Path
        The folder that it is put into, under a name of its own; `drop_labelled` removes what was put there.

    Raises
    ------
    Damaged, NoSpace, Unwritable
    """
    identity = canonical(_identity(dataset, count))
    folder = within / f"{_NAMED}{count}-{identity_digest(identity)[:12]}"
    with suppress(NotThere):
        return Dataset(folder, inflate)
    atomic.make_folder(folder)
    run = atomic.new_run()
    gathered = Gathered(identity)
    rows = _blocks_of_size(_labelled_blocks(dataset, count))
    for index, first, number in layout(count, BLOCKS_A_SHARD):
        tally = Tally(dataset.manifest.profile["alphabet"])
        blocks = _counted(rows, number, tally)
        record = write_shard(folder, index, first, blocks, identity, run, compress_labels=compress)
        gathered.add(DrawReceipt(index, record, True, tally.counts()))
    complete(folder, gathered, run)
    return Dataset(folder, inflate)


def drop_labelled(within: Path) -> None:
    """Remove the datasets that `take_labelled` made: they can be made again."""
    for folder in within.glob(f"{_NAMED}*"):
        shutil.rmtree(folder, ignore_errors=True)


def _source_digest(dataset: Dataset, count: int) -> str:
    return sha256(canonical(["labelled", dataset.manifest.content, count]).encode()).hexdigest()


def _identity(dataset: Dataset, count: int) -> dict[str, Any]:
    """Return the identity of an imported dataset: there are no fonts and no parameters."""
    manifest: Manifest = dataset.manifest
    rows, columns = dataset.proven(0).shapes["images"][:2]
    grey = manifest.format == FORMAT
    profile = {
        "name": manifest.profile["name"], "alphabet": manifest.profile["alphabet"],
        "words": WEB2 if manifest.profile["words"] == WEB2 else "", "length": list(manifest.profile["length"]),
        "height": rows, "width": columns,
    }  # fmt: skip
    source = {"pictures": count, "digest": _source_digest(dataset, count), "loader": LOADER if grey else SEEN}
    if grey:
        source["ink"] = {"invert": "auto"}
    return {"format": manifest.format, "profile": profile, "source": source, "seed": 0}


def _labelled_blocks(dataset: Dataset, count: int) -> Iterator[Block]:
    for block in blocks_of(dataset):
        kept = block.rows(np.flatnonzero(block.split != _TEST)[:count])
        count -= len(kept.text)
        if len(kept.text):
            sizes = np.empty(len(kept.text), _SIZES)
            sizes["height"], sizes["width"] = kept.parameters["height"], kept.parameters["width"]
            yield kept._replace(boxes=np.full_like(kept.boxes, -1), parameters=sizes)
        if not count:
            return


def _blocks_of_size(blocks: Iterator[Block]) -> Iterator[Block]:
    """Join blocks to blocks of `BLOCK` pictures; the last is shorter."""
    waiting: list[Block] = []
    have = 0
    for block in blocks:
        waiting.append(block)
        have += len(block.text)
        while have >= BLOCK:
            whole = _joined(waiting)
            yield whole.rows(slice(BLOCK))
            waiting, have = [whole.rows(slice(BLOCK, None))], have - BLOCK
    if have:
        yield _joined(waiting)


def _joined(blocks: list[Block]) -> Block:
    return Block(*(np.concatenate(arrays) for arrays in zip(*blocks, strict=True)))


def _counted(blocks: Iterator[Block], count: int, tally: Tally) -> Iterator[Block]:
    """Take blocks of `count` pictures in all, and count what they show."""
    for _ in range(-(-count // BLOCK)):
        block = next(blocks)
        tally.add(block)
        yield block
