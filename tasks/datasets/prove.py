"""The units of verifying: read every shard once, prove it, and on request draw it again."""

import json
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import numpy as np

from storage.errors import Damaged
from storage.files.places import Place, place
from storage.shards.shard import BLOCK, Block, Shard, ShardRecord, combined, read_record, shard_name
from tasks.datasets.inventory import Inventory, short
from tasks.datasets.recipe import Recipe, identity_differences, renderer_of
from tasks.datasets.statistics import Counts, Tally
from tasks.datasets.totals import Gathered, Pace
from tasks.lowlevel.inflate import inflate

TOGETHER = 4  # shards that a worker proves before it reports: Dask takes some milliseconds a job
BUNDLES = 4  # a worker at least, if there are so many shards: a slow worker does not keep the others waiting
# Errors of reading a shard whose arrays or attributes have other types than a dataset's.
_MADE_UP = (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError)


@dataclass(frozen=True)
class ProofJob:
    """A file to prove: by `identity`, by its own digests and, with a recipe, by drawing its blocks again.

    count : pictures by the file's name, for progress
    first, sha256 : number of the first picture, and digest of the file; None if no manifest tells them
    """

    folder: str
    name: str
    count: int
    first: int | None
    identity: str
    recipe: Recipe | None
    sha256: str | None = None


@dataclass(frozen=True)
class Proof:
    """The proof of one file.

    Attributes
    ----------
    record : ShardRecord or None
        Names the shard as it was sealed; None if the file is not whole.
    ours : bool
        The file holds the identity of the job.
    reason : str
        The fault of the file; '' if it has none.
    drawn : tuple of str
        The digests of the blocks that were drawn again, if any differs from the sealed digest.
    counts : Counts or None
        For the manifest's statistics, if the shard was drawn again and is the same.
    """

    name: str
    count: int
    record: ShardRecord | None
    ours: bool
    reason: str = ""
    drawn: tuple[str, ...] = ()
    counts: Counts | None = None


class Proven:
    """Collects the proofs of a dataset's files as they come, and adds up the shards that were drawn again.

    Attributes
    ----------
    proofs : list of Proof
        Without their counts, which take 8 bytes a picture.
    pace : Pace
    """

    def __init__(self, jobs: list[ProofJob]):
        self.proofs: list[Proof] = []
        self.pace = Pace()
        self._uncounted = {job.name for job in jobs if job.recipe and job.first is not None}
        self._counted = Gathered(jobs[0].identity) if self._uncounted else None

    def add(self, proofs: list[Proof]) -> None:
        """Add proofs that `prove_all` returned."""
        self.pace.add(sum(proof.record.count for proof in proofs if proof.record))
        for proof in proofs:
            record = proof.record
            if self._counted and record and proof.counts and record.name == proof.name in self._uncounted:
                self._counted.add_shard(record, proof.counts)
                self._uncounted.discard(proof.name)
            self.proofs.append(replace(proof, counts=None))

    def statistics(self) -> dict[str, Any] | None:
        """Return the pictures' statistics; None unless all shards that the manifest names were drawn again."""
        return None if self._uncounted or not self._counted else self._counted.statistics()


def proof_jobs(found: Inventory, recipe: Recipe | None = None) -> list[ProofJob]:
    """Make a job for each file that may be a shard; with a recipe the job draws it again too."""
    lines = {line["name"]: line for line in found.manifest.shards} if found.manifest else {}
    folder = str(found.folder.resolve())
    jobs = []
    for name, count in found.shards.items():
        line = lines.get(name)
        first, sha256 = (line["first"], line["sha256"]) if line else (None, None)
        jobs.append(ProofJob(folder, name, count, first, found.identity, recipe, sha256))
    return jobs


def bundles(jobs: list[ProofJob], workers: int) -> list[tuple[ProofJob, ...]]:
    """Group jobs, at most `TOGETHER` in a bundle, and fewer if workers would get less than `BUNDLES` each."""
    size = min(TOGETHER, max(1, len(jobs) // (BUNDLES * workers)))
    return [tuple(jobs[k : k + size]) for k in range(0, len(jobs), size)]


def prove_all(jobs: tuple[ProofJob, ...]) -> list[Proof]:
    """Prove each of a bundle."""
    return [prove(job) for job in jobs]


def prove(job: ProofJob) -> Proof:
    """Read a whole file once and prove which shard it is.

    Raises
    ------
    GlyphsDiffer, BadInput, NotThere
        This worker would draw other glyphs, or lacks a font or word list.
    """
    path = place(job.folder) / job.name
    if not path.is_file():  # a pipe has no end
        return Proof(job.name, job.count, None, False, "is no file")
    if job.recipe:
        renderer_of(job.recipe)  # its errors are this machine's, not a shard's
    try:
        again = _again(path, job)
        compare = again.compare if again else None
        record = read_record(path, job.identity, job.first, compare, job.sha256, inflate)
    except Damaged as error:
        return _as_sealed(path, job, short(error, path))
    except _MADE_UP as error:
        return Proof(job.name, job.count, None, False, f"holds what no shard holds ({type(error).__name__}: {error})")
    ours = bool(job.identity)
    if again is None:
        return Proof(job.name, job.count, record, ours)
    return Proof(job.name, job.count, record, ours, again.difference, again.digests(record), again.counts())


def _again(path: Place, job: ProofJob) -> "_Again | None":
    """Return what draws a file's blocks again; None for a job without a recipe."""
    if job.recipe is None:
        return None
    if job.first is not None:
        return _Again(job.recipe, job.first)
    with Shard(path) as shard:
        return _Again(job.recipe, shard.first)


def _require_block(first: int) -> None:
    if first < 0 or first % BLOCK:
        raise Damaged(f"begins at picture {first}, where no block begins")


class _Again:
    """Draws blocks again, in order, and compares; `first` is the number of the shard's first picture."""

    def __init__(self, recipe: Recipe, first: int):
        self._recipe = recipe
        self._first = first
        self._seen = 0
        self._pixels: np.ndarray | None = None  # memory that all blocks share
        self._others: dict[int, str] = {}
        self._tally = Tally(recipe.profile.alphabet)
        self.difference = ""
        _require_block(first)

    def compare(self, block: Block) -> None:
        """Draw the next block again and note how `block` differs from it."""
        number, self._seen = self._seen, self._seen + 1
        renderer = renderer_of(self._recipe)
        if self._pixels is None:
            self._pixels = renderer.scratch()
        again = renderer.block(self._recipe.seed, self._first // BLOCK + number, len(block.images), self._pixels)
        # This takes a third of the time that a digest of the new block would take.
        wrong = [
            name
            for name, a, b in zip(Block._fields, block, again, strict=True)
            if a.dtype != b.dtype or not np.array_equal(a, b)
        ]
        if wrong:
            self._others[number] = again.digest().hex()
            self.difference = self.difference or f"block {number}, drawn again, has other {', '.join(wrong)}"
        else:
            self._tally.add(block)

    def counts(self) -> Counts | None:
        """Return the counts of all blocks; None if any differs from its new drawing."""
        return None if self.difference else self._tally.counts()

    def digests(self, record: ShardRecord) -> tuple[str, ...]:
        """Return the digests of all blocks as drawn again; empty if they equal the sealed digests."""
        return tuple(self._others.get(n, digest) for n, digest in enumerate(record.blocks)) if self._others else ()


def _as_sealed(path: Place, job: ProofJob, reason: str) -> Proof:
    """Prove a file that is not the shard that its name and the dataset demand: it may be another whole shard."""
    try:
        with Shard(path) as shard:
            ours = bool(job.identity) and shard.identity == job.identity
            if not ours:
                reason = _of_another(shard.identity, job.identity)
            _require_block(shard.first)
            again = _Again(job.recipe, shard.first) if ours and job.recipe else None
            for number, block in enumerate(shard):
                if block.digest().hex() != shard.digests[number]:
                    return Proof(job.name, job.count, None, ours, reason)
                if again:
                    again.compare(block)
            data = path.read_bytes()
            record = ShardRecord(
                shard_name(shard.index, shard.count), shard.first, shard.count, len(data), sha256(data).hexdigest(),
                combined(map(bytes.fromhex, shard.digests)), tuple(shard.digests),
            )  # fmt: skip
    except (Damaged, OSError, *_MADE_UP):
        return Proof(job.name, job.count, None, False, reason)
    if again is None:
        return Proof(job.name, job.count, record, ours, reason)
    return Proof(job.name, job.count, record, ours, again.difference or reason, again.digests(record))


def _of_another(there: str, wanted: str) -> str:
    """Say how a shard's identity differs from the dataset's."""
    if not wanted:
        return "the dataset that it belongs to is unknown"
    try:
        fields = "; ".join(identity_differences(json.loads(there), json.loads(wanted), "here"))
    except (ValueError, AttributeError, TypeError):
        fields = "its identity cannot be read"
    return f"belongs to another dataset ({fields})"
