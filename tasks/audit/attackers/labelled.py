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
from storage.shards.shard import BLOCK, FORMAT, Block, layout
from storage.shards.writer import write_shard
from storage.texts import canonical
from tasks.audit.attackers.answers import GUESSES, Answers
from tasks.audit.sides import count_kept, digests_of, split_is_told, with_kept
from tasks.datasets.folder import complete
from tasks.datasets.generate import BLOCKS_A_SHARD
from tasks.datasets.statistics import Tally
from tasks.datasets.totals import DrawReceipt, Gathered
from tasks.loading.decode import LOADER, SEEN
from tasks.lowlevel.deflate import compress
from tasks.lowlevel.inflate import inflate
from tasks.profiles.word_lists import WEB2
from tasks.training.told_splits import blocks_of

_NAMED = "labelled-"
_SIZES = np.dtype([("height", "<u2"), ("width", "<u2")])


def labelled_in(dataset: Dataset) -> int:
    """Count the pictures that attackers may learn from."""
    return len(dataset) - count_kept(dataset)


@dataclass(frozen=True)
class Unseen:
    """The pictures that no attacker learns from.

    rows : their places in the dataset
    truths : their labels
    dropped : how many are left out, since equal pictures are among the labelled ones
    """

    rows: tuple[int, ...]
    truths: tuple[str, ...]
    dropped: int


def find_unseen(dataset: Dataset, count: int) -> Unseen:
    """Choose the first `count` pictures that are kept from attackers, or all if there are fewer.

    Where folders told the splits, a picture that is also among the labelled ones is left out.

    Raises
    ------
    Damaged
    """
    seen = _labelled_digests(dataset) if split_is_told(dataset) else frozenset()
    rows: list[int] = []
    truths: list[str] = []
    dropped = 0
    for block, first, kept in with_kept(dataset, dataset.blocks(fields=Block._fields if seen else ("text", "split"))):
        chosen = np.flatnonzero(kept)
        if seen:
            fresh = [digest not in seen for digest in digests_of(block.rows(chosen))]
            dropped += fresh.count(False)
            chosen = chosen[np.array(fresh, bool)]
        chosen = chosen[: count - len(rows)]
        rows += (first + chosen).tolist()
        truths += Block.partial({"text": block.text[chosen]}).texts(dataset.manifest.profile["alphabet"])
        if len(rows) == count:
            break
    return Unseen(tuple(rows), tuple(truths), dropped)


def _labelled_digests(dataset: Dataset) -> frozenset[bytes]:
    sides = with_kept(dataset, dataset.blocks())
    return frozenset(digest for block, _, kept in sides for digest in digests_of(block.rows(np.flatnonzero(~kept))))


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
        for digest, text in zip(digests_of(block), block.texts(), strict=True):
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
        for digest, text in zip(digests_of(block), block.texts(dataset.manifest.profile["alphabet"]), strict=True):
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
    for block, _, kept in with_kept(dataset, dataset.blocks(fields=("text", "split"))):
        texts += Block.partial({"text": block.text[~kept]}).texts()
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
    told = ["labelled", dataset.manifest.content, count, count_kept(dataset)]
    return sha256(canonical(told).encode()).hexdigest()


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
    for block, _, kept in with_kept(dataset, blocks_of(dataset)):
        taken = block.rows(np.flatnonzero(~kept)[:count])
        count -= len(taken.text)
        if len(taken.text):
            sizes = np.empty(len(taken.text), _SIZES)
            sizes["height"], sizes["width"] = taken.parameters["height"], taken.parameters["width"]
            yield taken._replace(boxes=np.full_like(taken.boxes, -1), parameters=sizes)
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
