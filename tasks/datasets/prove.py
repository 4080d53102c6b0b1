"""The units of verifying: read every shard once, prove it, and draw it again if that is asked for."""

import json
from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np

from storage.errors import Damaged
from storage.files.places import Place, place
from storage.shards.shard import BLOCK, Block, Shard, ShardRecord, combined, read_record, shard_name
from tasks.datasets.inventory import Inventory, short
from tasks.datasets.recipe import Recipe, differences, renderer_of
from tasks.datasets.statistics import Counts, Tally
from tasks.datasets.totals import Gathered, Pace
from tasks.lowlevel.inflate import inflate

TOGETHER = 4  # shards that a worker proves before it reports
# What reading a shard may raise that was sealed with arrays or attributes of other types than a dataset's.
_MADE_UP = (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError)


@dataclass(frozen=True)
class ProofJob:
    """One file to prove: against `identity`, its own digests and, with a recipe, a new drawing of its blocks."""

    folder: str
    name: str
    count: int  # pictures, by its name; for progress
    first: int | None  # of its pictures, where the manifest tells
    identity: str
    recipe: Recipe | None
    sha256: str | None = None  # where the manifest tells


@dataclass(frozen=True)
class Proof:
    """What a file proved to be.

    Attributes
    ----------
    record : ShardRecord or None
        None for a file that is not whole. Its name is the one that it was sealed under.
    ours : bool
        It holds the identity that was looked for.
    reason : str
        What is wrong with it; '' if nothing is.
    drawn : tuple of str
        The blocks' digests as drawn again, if any differs.
    counts : Counts or None
        What the manifest's statistics are made of, of a shard that was drawn again and is the same.
    """

    name: str
    count: int
    record: ShardRecord | None
    ours: bool
    reason: str = ""
    drawn: tuple[str, ...] = ()
    counts: Counts | None = None


class Proven:
    """The proofs of a dataset's files as they come, and what those that were drawn again add up to.

    Attributes
    ----------
    proofs : list of Proof
        Without their counts, which take 8 bytes a picture.
    pace : Pace
    """

    def __init__(self, jobs: list[ProofJob]):
        self.proofs: list[Proof] = []
        self.pace = Pace()
        self._places = {job.name for job in jobs if job.recipe and job.first is not None}
        self._counted = Gathered(jobs[0].identity) if self._places else None

    def add(self, proofs: list[Proof]) -> None:
        """Add what `prove_all` returned."""
        self.pace.add(sum(proof.record.count for proof in proofs if proof.record))
        for proof in proofs:
            if proof.counts and proof.name in self._places and proof.record.name == proof.name:
                self._counted.add_shard(proof.record, proof.counts)
                self._places.discard(proof.name)
            self.proofs.append(replace(proof, counts=None))

    def statistics(self) -> dict | None:
        """What the pictures add up to; None unless all shards that the manifest names were drawn again."""
        return None if self._places or not self._counted else self._counted.statistics()


def proof_jobs(found: Inventory, recipe: Recipe | None = None) -> list[ProofJob]:
    """A job for each file that may be a shard; with a recipe each is drawn again too."""
    lines = {line["name"]: line for line in found.manifest.shards} if found.manifest else {}
    folder = str(found.folder.resolve())
    jobs = []
    for name, count in found.shards.items():
        line = lines.get(name, {})
        jobs.append(ProofJob(folder, name, count, line.get("first"), found.identity, recipe, line.get("sha256")))
    return jobs


def bundles(jobs: list[ProofJob], workers: int) -> list[tuple[ProofJob, ...]]:
    """Jobs by the handful, as long as every worker gets some: Dask needs some ms for each that it is given."""
    size = min(TOGETHER, max(1, len(jobs) // (4 * workers)))
    return [tuple(jobs[k : k + size]) for k in range(0, len(jobs), size)]


def prove_all(jobs: tuple[ProofJob, ...]) -> list[Proof]:
    """`prove` for each."""
    return [prove(job) for job in jobs]


def prove(job: ProofJob) -> Proof:
    """Read a file once, whole, and prove what it is.

    Raises
    ------
    GlyphsDiffer, BadInput, NotThere
        This worker would draw other glyphs, or has no such font or words.
    """
    path = place(job.folder) / job.name
    if not path.is_file():  # reading a pipe would never end
        return Proof(job.name, job.count, None, False, "is no file")
    if job.recipe:
        renderer_of(job.recipe)  # before anything is taken for a shard's fault
    try:
        first = job.first
        if job.recipe and first is None:
            with Shard(path) as shard:
                first = shard.first
        again = _Again(job.recipe, first)
        compare = again.compare if job.recipe else None
        record = read_record(path, job.identity, job.first, compare, job.sha256, inflate)
    except Damaged as error:
        return _as_sealed(path, job, short(error, path))
    except _MADE_UP as error:
        return Proof(job.name, job.count, None, False, f"holds what no shard holds ({type(error).__name__}: {error})")
    return Proof(
        job.name, job.count, record, bool(job.identity), again.difference, again.digests(record), again.counts()
    )  # fmt: skip


class _Again:
    """Draws blocks again and compares; `first` is the number of the first one's first picture."""

    def __init__(self, recipe: Recipe | None, first: int | None):
        self._recipe = recipe
        self._first = first or 0
        self._seen = 0
        self._pixels = None  # memory that all blocks share
        self._others: dict[int, str] = {}
        self._tally = Tally(recipe.profile.alphabet) if recipe else None
        self.difference = ""
        if self._first < 0 or self._first % BLOCK:
            raise Damaged(f"begins at picture {first}, where no block begins")

    def compare(self, block: Block) -> None:
        number, self._seen = self._seen, self._seen + 1
        renderer = renderer_of(self._recipe)
        if self._pixels is None:
            self._pixels = renderer.scratch()
        again = renderer.block(self._recipe.seed, self._first // BLOCK + number, len(block.images), self._pixels)
        # A third of the time that the digest of what was drawn would take.
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
        """What the blocks add up to, if all of them are those that were drawn again."""
        return self._tally.counts() if self._tally and not self.difference else None

    def digests(self, record: ShardRecord) -> tuple[str, ...]:
        """All blocks' digests as drawn again; empty if they are the sealed ones."""
        return tuple(self._others.get(n, digest) for n, digest in enumerate(record.blocks)) if self._others else ()


def _as_sealed(path: Place, job: ProofJob, reason: str) -> Proof:
    """The proof of a file that is not what its name and the dataset say: it may be whole all the same."""
    try:
        with Shard(path) as shard:
            ours = bool(job.identity) and shard.identity == job.identity
            if not ours:
                reason = _of_another(shard.identity, job.identity)
            again = _Again(job.recipe if ours else None, shard.first)
            for number, block in enumerate(shard):
                if block.digest().hex() != shard.digests[number]:
                    return Proof(job.name, job.count, None, ours, reason)
                if ours and job.recipe:
                    again.compare(block)
            data = path.read_bytes()
            record = ShardRecord(
                shard_name(shard.index, shard.count), shard.first, shard.count, len(data), sha256(data).hexdigest(),
                combined(map(bytes.fromhex, shard.digests)), tuple(shard.digests),
            )  # fmt: skip
    except (Damaged, OSError, *_MADE_UP):
        return Proof(job.name, job.count, None, False, reason)
    return Proof(job.name, job.count, record, ours, again.difference or reason, again.digests(record))


def _of_another(there: str, wanted: str) -> str:
    if not wanted:
        return "the dataset that it belongs to is unknown"
    try:
        fields = "; ".join(differences(json.loads(there), json.loads(wanted), "here"))
    except (ValueError, AttributeError, TypeError):
        fields = "its identity cannot be read"
    return f"belongs to another dataset ({fields})"
