"""The unit of training that cuts spans, some letters and some not, out of a shard's pictures."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from storage.dataset import Dataset
from storage.files import atomic
from storage.models import load_model
from tasks.lowlevel.inflate import inflate
from tasks.profiles.fonts import face_names
from tasks.reading.components import find_apart
from tasks.reading.deskew import upright
from tasks.reading.features import shape_spans
from tasks.reading.lattice import find_spans
from tasks.reading.networks import GATE, LETTERS, gate_odds, letter_odds
from tasks.training.alignment import mark, nearness, pick
from tasks.training.fit import SAMPLE, TRAIN, VALIDATION
from tasks.training.settings import Settings, classes_of, shares_of

TRAIN_SHARE = 0.8  # of a dataset's pictures
REFUSED = -15.0  # log odds of what the gate refuses


@dataclass(frozen=True)
class GatherJob:
    """One shard whose spans are to be put into `spool`: the first `pictures` of its train split.

    `model` has the networks of a first round, which find the letters of pictures that have no boxes.
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


@dataclass(frozen=True)
class GatherReceipt:
    """Pictures of the train split, those of them whose letters were found, and the spans of letters among all."""

    shard: int
    pictures: int
    marked: int
    letters: int
    spans: int


def jobs_of(
    datasets: list[Dataset], settings: Settings, share: int, model: Path | None, spool: Path, run: str
) -> list[GatherJob]:
    """One job a shard, of the first shards of each dataset: one in `share` of the pictures wanted.

    Each shard gives as many as its size allows for, so that a short last one does not leave the others' untouched.
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


def gather(job: GatherJob) -> GatherReceipt:
    """Cut a shard's pictures into spans and put some, with labels, into the spool.

    Raises
    ------
    Damaged, NoSpace
    """
    dataset = Dataset(job.folder, inflate)
    networks, record = load_model(job.model) if job.model else (None, {})
    faces = face_names(dataset.manifest.fonts)
    left_out = [number for number, face in enumerate(faces) if face in job.settings.leave_out]
    parts, pictures, marked, letters = [], 0, 0, 0
    for number, block in enumerate(dataset.blocks(shards=[job.shard])):
        used = block.split <= VALIDATION
        if left_out:
            used &= ~np.isin(block.parameters["font"], left_out)
        wanted = np.cumsum(used & (block.split == TRAIN)) + pictures <= job.pictures
        block = block.rows(used & wanted)
        if not len(block.text):
            break
        spans, labels, picture, found = _teach(
            block, job.classes, networks, record.get("gate"), (job.settings.seed, job.shard, number)
        )
        samples = np.empty(len(labels), SAMPLE)
        samples["label"], samples["split"], samples["span"] = labels, block.split[picture], spans
        parts.append(samples)
        train = block.split == TRAIN
        pictures, marked = pictures + int(train.sum()), marked + int(found[train].sum())
        letters += int((labels < len(job.classes)).sum())
    samples = np.concatenate(parts) if parts else np.empty(0, SAMPLE)
    data = io.BytesIO()
    np.save(data, samples)
    atomic.replace(Path(job.spool) / f"{job.name}-{job.shard:06d}.npy", data.getvalue(), job.run)
    return GatherReceipt(job.shard, pictures, marked, letters, len(samples))


def _teach(block, classes: str, networks: dict | None, least: float | None, key: tuple[int, int, int]):
    """Spans to learn from, their labels and pictures; and which pictures' letters were found."""
    index = {letter: number for number, letter in enumerate(classes)}
    texts = block.texts()
    codes = np.full((len(texts), max(max(map(len, texts)), 1)), -1, np.int64)
    for row, text in zip(codes, texts, strict=True):
        row[: len(text)] = [index[letter] for letter in text]
    ink, shear, offset = upright(block.images)
    lattice = find_spans(ink)
    boxes = block.boxes[:, : codes.shape[1]]
    imported = bool((boxes[:, 0, 0] < 0).all())  # without boxes: first, what stands apart in the right number
    if imported:
        boxes, shear, offset = _stand_in(ink, codes), np.zeros_like(shear), np.zeros_like(offset)
    apart = find_apart(ink)
    near, near_apart = (nearness(one, shear, offset, boxes) for one in (lattice, apart))
    odds = None
    if imported and networks is not None:  # it finds the known letters, of touching ones too
        shapes = shape_spans(ink, lattice)
        passed = gate_odds(networks[GATE], shapes) >= least
        odds = np.full((len(shapes), len(classes)), REFUSED)
        odds[passed] = letter_odds(networks[LETTERS], shapes[passed])
        near = None
    labels = mark(lattice, codes, near, odds, len(classes))
    seed, shard, number = key
    random = np.random.Philox(key=[seed, shard], counter=[0, 0, 2, number]).random_raw(len(labels))
    chosen = pick(labels, lattice.picture, len(classes), random)
    found = np.bincount(lattice.picture[(labels >= 0) & (labels < len(classes))], minlength=len(texts)) > 0
    # Components are cut a little closer than spans between cuts; the reader looks at them first.
    known = mark(apart, codes, near_apart, None, len(classes))
    taught = np.flatnonzero(known >= 0)
    return (
        np.concatenate([shape_spans(ink, lattice, chosen), shape_spans(ink, apart, taught)]),
        np.concatenate([labels[chosen], known[taught]]),
        np.concatenate([lattice.picture[chosen], apart.picture[taught]]),
        found,
    )


def _stand_in(ink: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Boxes of components, (n, L, 4), of pictures that have as many as letters; -1 elsewhere."""
    apart, lengths = find_apart(ink), (codes >= 0).sum(axis=1)
    boxes = np.full((*codes.shape, 4), -1, np.int64)
    spans = (apart.counts == lengths)[apart.picture]
    picture = apart.picture[spans]
    boxes[picture, apart.first[spans]] = apart.box[spans]
    return boxes
