"""Cut labelled spans, letters and others, out of a shard's pictures, and put them into a spool file."""

import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from storage.dataset import Dataset
from storage.files import atomic
from storage.models import Network, load_model
from storage.shards.shard import Block
from tasks.loading.colour_ink import ink_of_batch
from tasks.lowlevel.inflate import inflate
from tasks.reading.components import find_apart
from tasks.reading.deskew import upright
from tasks.reading.features import shape_spans
from tasks.reading.lattice import Lattice, find_spans
from tasks.reading.networks import GATE, LETTERS, gate_odds, letter_odds
from tasks.training.alignment import LIKELY, NEAR, believed, mark, nearness, odds_of_letters, pick
from tasks.training.copies import vary
from tasks.training.fit import SAMPLE, TRAIN, VALIDATION
from tasks.training.settings import Settings, classes_of, left_out, shares_of
from tasks.training.told_splits import blocks_of

TRAIN_SHARE = 0.8  # of a dataset's pictures are in its train split
REFUSED = -15.0  # log odds of every letter for a span that the gate refuses: far below those of a letter
_PURPOSE = 2  # the third word of Philox's counter; it is 0 for the order of spans, which has the same keys


@dataclass(frozen=True)
class GatherJob:
    """Cut the first `pictures` of one shard's train split, and the validation pictures between them.

    Attributes
    ----------
    folder, shard : str, int
        The dataset and the number of its shard.
    pictures : int
        At most.
    classes : str
        The letters; their places are the labels.
    settings : Settings
    model : str or None
        The model of the round before, which finds the letters of pictures without boxes.
    spool, name : str
        The folder, and the beginning of the file's name.
    run : str
        The run's id, for the temporary name.
    copy : int
        0 for the pictures themselves; above that the number of a varied copy of each picture of the train split.
    """

    folder: str
    shard: int
    pictures: int
    classes: str
    settings: Settings
    model: str | None
    spool: str
    name: str
    run: str
    copy: int = 0


@dataclass(frozen=True)
class GatherReceipt:
    """Counts of one spool file.

    Attributes
    ----------
    shard : int
    pictures, marked : int
        Of the train split; and those of them whose letters were found and are believed. None of a varied copy.
    letters, spans : int
        Of both splits: spans that show a letter, and all spans.
    labelled, learnt : tuple of int
        How often each letter occurs in the labels of the train split, and in how many of its spans it was found.
    """

    shard: int
    pictures: int
    marked: int
    letters: int
    spans: int
    labelled: tuple[int, ...]
    learnt: tuple[int, ...]


def jobs_of(
    datasets: list[Dataset], settings: Settings, share: int, model: Path | None, spool: Path, run: str
) -> list[GatherJob]:
    """Plan one job a shard over the first shards of each dataset, for one in `share` of the wanted pictures.

    The shards share the pictures by their sizes: a short last shard costs none.
    """
    pictures = shares_of(settings, len(datasets))
    classes, jobs = classes_of(datasets), []
    for number, (dataset, wanted) in enumerate(zip(datasets, pictures, strict=True)):
        shards = dataset.manifest.shards
        sizes = np.cumsum([TRAIN_SHARE * line["count"] for line in shards])
        used = min(int(np.searchsorted(sizes, wanted / share)) + 1, len(shards))
        total = sum(line["count"] for line in shards[:used])
        jobs += [
            GatherJob(
                str(dataset.folder.resolve()), shard, -(-wanted * line["count"] // (share * total)), classes, settings,
                str(model.resolve()) if model else None, str(spool.resolve()), f"{share}-{number:03d}", run,
            )
            for shard, line in enumerate(shards[:used])
        ]  # fmt: skip
    return jobs


def with_copies(jobs: list[GatherJob], copies: int, datasets: list[Dataset]) -> list[GatherJob]:
    """Add jobs that cut as many varied copies of each imported picture; a drawn picture's boxes would no longer fit."""
    imported = {str(dataset.folder.resolve()) for dataset in datasets if dataset.manifest.source}
    return jobs + [
        replace(job, copy=number, name=f"{job.name}-copy-{number:02d}")
        for job in jobs
        if job.folder in imported
        for number in range(1, copies + 1)
    ]


def gather(job: GatherJob) -> GatherReceipt:
    """Cut a shard's pictures into spans, and put some of them, with labels, into the spool.

    Raises
    ------
    Damaged, NoSpace
    """
    dataset = Dataset(job.folder, inflate)
    networks, record = load_model(job.model) if job.model else (None, {})
    parts, pictures, marked, letters = [], 0, 0, 0
    labelled, learnt = np.zeros(len(job.classes), np.int64), np.zeros(len(job.classes), np.int64)
    for number, block in enumerate(blocks_of(dataset, [job.shard])):
        used = (block.split <= VALIDATION) & ~left_out(dataset, block, job.settings.leave_out)
        wanted = np.cumsum(used & (block.split == TRAIN)) + pictures <= job.pictures
        block = block.rows(used & wanted)
        if not len(block.text):
            break
        block = block._replace(images=ink_of_batch(block.images, block.parameters["height"], block.parameters["width"]))
        if job.copy:
            block = _copied(block.rows(block.split == TRAIN), job, number)
        taught = teach(block, job.classes, networks, record.get("gate"), (job.settings.seed, job.shard, number))
        samples = np.empty(len(taught.labels), SAMPLE)
        samples["label"], samples["split"] = taught.labels, block.split[taught.picture]
        samples["span"] = taught.spans
        parts.append(samples)
        train = block.split == TRAIN
        pictures, marked = pictures + int(train.sum()), marked + int(taught.believed[train].sum())
        letters += int((taught.labels < len(job.classes)).sum())
        codes = _codes_of(block.texts(job.classes), job.classes)[train]
        labelled += np.bincount(codes[codes >= 0], minlength=len(job.classes))
        own = taught.labels[train[taught.picture] & (taught.labels < len(job.classes))]
        learnt += np.bincount(own, minlength=len(job.classes))
    samples = np.concatenate(parts) if parts else np.empty(0, SAMPLE)
    data = io.BytesIO()
    np.save(data, samples)
    atomic.replace(Path(job.spool) / f"{job.name}-{job.shard:06d}.npy", data.getvalue(), job.run)
    if job.copy:  # the pictures count once
        pictures, marked, labelled = 0, 0, np.zeros_like(labelled)
    return GatherReceipt(
        job.shard, pictures, marked, letters, len(samples), tuple(labelled.tolist()), tuple(learnt.tolist())
    )


def _copied(block: Block, job: GatherJob, number: int) -> Block:
    """Vary the pictures of a block; the shard, the block's number and the copy's decide how."""
    key = (job.settings.seed, (job.shard << 32) + (number << 8) + job.copy)
    return block._replace(images=vary(block.images, block.parameters["height"], block.parameters["width"], key))


class Taught(NamedTuple):
    """Spans to learn from.

    spans : (k, SIZE) uint8
    labels, picture : (k,) int64, the class of each span, and its picture
    found : (n,) bool, whether the letters of each picture were found
    believed : (n,) bool, of those, whether the network that found them would read them there
    """

    spans: np.ndarray
    labels: np.ndarray
    picture: np.ndarray
    found: np.ndarray
    believed: np.ndarray


def teach(
    block: Block, classes: str, networks: dict[str, Network] | None, least: float | None, key: tuple[int, int, int]
) -> Taught:
    """Cut pictures into spans, label them and choose some; `key` is the seed, the shard and the block's number.

    True boxes align the letters. Without boxes, components stand in for them; or, in the second round, `networks`
    find the letters, also where they touch: `least` is the gate's bound.
    """
    codes = _codes_of(block.texts(classes), classes)
    ink, shear, offset = upright(block.images)
    lattice, apart = find_spans(ink), find_apart(ink)
    boxes = block.boxes[:, : codes.shape[1]]
    imported = bool((boxes[:, 0, 0] < 0).all())
    if imported:
        boxes, shear, offset = _stand_in(ink, apart, codes), np.zeros_like(shear), np.zeros_like(offset)
    trusted = np.ones(len(codes), bool)
    if imported and networks is not None and least is not None:
        odds = _odds_of_spans(shape_spans(ink, lattice), networks, least, len(classes))
        labels = mark(lattice, codes, odds_of_letters(lattice, codes, odds), LIKELY, len(classes))
        trusted = believed(lattice, codes, odds)
    else:
        labels = mark(lattice, codes, nearness(lattice, shear, offset, boxes), NEAR, len(classes))
    seed, shard, number = key
    random = np.random.Philox(key=[seed, shard], counter=[0, 0, _PURPOSE, number]).random_raw(len(labels))
    chosen = pick(labels, lattice.picture, len(classes), random)
    found = np.bincount(lattice.picture[(labels >= 0) & (labels < len(classes))], minlength=len(codes)) > 0
    # The reader looks at components first, and they are cut a little closer than spans between cuts.
    known = mark(apart, codes, nearness(apart, shear, offset, boxes), NEAR, len(classes))
    taught = np.flatnonzero(known >= 0)
    return Taught(
        np.concatenate([shape_spans(ink, lattice, chosen), shape_spans(ink, apart, taught)]),
        np.concatenate([labels[chosen], known[taught]]),
        np.concatenate([lattice.picture[chosen], apart.picture[taught]]),
        found,
        found & trusted,
    )


def _codes_of(texts: list[str], classes: str) -> np.ndarray:
    """Give the class of each letter, (n, longest) int64; -1 past the end of a text."""
    index = {letter: number for number, letter in enumerate(classes)}
    codes = np.full((len(texts), max(max(map(len, texts)), 1)), -1, np.int64)
    for row, text in zip(codes, texts, strict=True):
        row[: len(text)] = [index[letter] for letter in text]
    return codes


def _odds_of_spans(shapes: np.ndarray, networks: dict[str, Network], least: float, classes: int) -> np.ndarray:
    """Give the log odds of each letter, (m, classes) float64; `REFUSED` for spans below the gate's bound."""
    passed = gate_odds(networks[GATE], shapes) >= least
    odds = np.full((len(shapes), classes), REFUSED)
    odds[passed] = letter_odds(networks[LETTERS], shapes[passed])
    return odds


def _stand_in(ink: np.ndarray, apart: Lattice, codes: np.ndarray) -> np.ndarray:
    """Take components for the letters' boxes, (n, L, 4), in pictures that have as many; -1 in the others.

    Letters of several pieces, such as `=`, `?` and `i`, are no single components. In pictures where the components do
    not do, whatever shares a column of ink is one letter.
    """
    boxes = _boxes_of(apart, codes)
    lattice = find_spans(ink, fine=0)
    pieces = lattice.keep(lattice.last - lattice.first == 1)
    joined = _boxes_of(pieces, codes)
    whole = (pieces.counts == pieces.cuts - 1)[:, None, None]  # no piece is too thin or too wide for a letter
    return np.where((boxes[:, :1, :1] < 0) & whole, joined, boxes)


def _boxes_of(spans: Lattice, codes: np.ndarray) -> np.ndarray:
    """Take spans, from left to right, for the letters of pictures that have as many, (n, L, 4); -1 in the others."""
    boxes = np.full((*codes.shape, 4), -1, np.int64)
    own = (spans.counts == (codes >= 0).sum(axis=1))[spans.picture]
    picture, place = spans.picture[own], (np.arange(len(own)) - spans.starts[spans.picture])[own]
    boxes[picture, place] = spans.box[own]
    return boxes
