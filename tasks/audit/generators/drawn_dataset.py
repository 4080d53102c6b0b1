"""Draw pictures with an owner's generator, and make a dataset of them."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from storage.errors import BadInput, Different
from storage.files import atomic
from storage.files.locks import locked
from storage.files.places import Place, local
from storage.shards.manifest import MANIFEST, Manifest
from storage.texts import plain
from tasks.audit import schema
from tasks.audit.generators.judged import keep_result
from tasks.audit.generators.own_generator import GUIDE, OwnGenerator
from tasks.audit.generators.pool import Job, Pool
from tasks.audit.generators.processes.counter_texts import text_of
from tasks.audit.generators.processes.limits import SECONDS
from tasks.audit.generators.staged import AGAIN, LABELS, Row, Staged
from tasks.datasets.folder import DRAWN, complete, manifest_in
from tasks.datasets.recipe import require_seed
from tasks.datasets.totals import Gathered
from tasks.exchange.ingest import fill_jobs, fill_shard
from tasks.exchange.labelling import Labelling
from tasks.exchange.scan import ImportRequest, Listing, Source, scan_files
from tasks.loading.decode import Colour

SOON = 60  # pictures after which some are drawn again
TRIED = 20  # pictures: if none of the first can be used, the rest is not tried
LATE = 3  # the same for pictures that take too long
OVERTIME = 3.0  # times its time that a generator gets which has drawn too few pictures for anything


def draw(
    generator: OwnGenerator, count: int, folder: Place, *, workers: int = 1,
    on_done: Callable[[int], object] | None = None, until: float | None = None, least: int = 0,
) -> schema.Generator:  # fmt: skip
    """Draw `count` pictures with an owner's generator, and make a dataset of them at `folder`.

    What was drawn stays in `NAME.drawn` beside the folder: a run that was killed goes on, and a call for more pictures
    draws those that are missing. The same pictures have the same numbers in the larger dataset.

    Parameters
    ----------
    generator : OwnGenerator
    count : int
        Fewer pictures come if time runs out, or if more than half of them fail.
    folder : Path
    workers : int
        Processes that draw at a time.
    on_done : callable, optional
        Called with the number of pictures that the dataset has so far, after each.
    until : float, optional
        `time.monotonic()` after which no picture is begun.
    least : int
        Pictures without which the rest is worth nothing: while there are fewer, it goes on for `OVERTIME` times as
        long.

    Returns
    -------
    schema.Generator

    Raises
    ------
    BadInput
        Not a single picture can be used; the message says why.
    Different
        The folder holds another dataset, or what another generator drew.
    Busy, Damaged, NoSpace, Unwritable
    """
    require_seed(generator.seed)
    if count < 1 or workers < 1:
        raise BadInput(f"pictures and workers: must be 1 or more; they are {count} and {workers}")
    target = local(folder, "folder").resolve()
    with locked(target):
        require_own(target, generator)
        with Staged(target.with_name(target.name + DRAWN), generator) as staged:
            _draw_missing(staged, _Jobs(generator, staged, count, Deadline(until, least)), workers, on_done)
            rows = staged.chosen(count)
            if not rows:
                raise _nothing(generator, staged)
            staged.write_labels(rows)
            _fill(generator, staged, rows, target)
            return _report(generator, staged, count)


def require_own(target: Path, generator: OwnGenerator) -> None:
    """Refuse a folder with a dataset that this generator did not draw.

    Raises
    ------
    Different
    """
    manifest = manifest_in(target)
    there = (manifest.source or {}).get("generator", {}) if manifest else None
    if there is not None and there.get("digest") != generator.digest:
        raise Different(f"{target}: holds another dataset; choose another folder, or remove that one")


class Deadline:
    """When the drawing ends: at a time, or later if there are fewer than `least` pictures then."""

    def __init__(self, until: float | None, least: int):
        self._until, self._least = until, least
        now = time.monotonic()
        self._last = None if until is None else now + OVERTIME * (until - now)

    def passed(self, pictures: int) -> bool:
        """Return whether no picture may be begun any more."""
        last = self._until if pictures >= self._least else self._last
        return last is not None and time.monotonic() >= last


class _Jobs(Iterator[Job]):
    """The pictures to draw: always the first that is missing, so that what is there has no gaps when it ends.

    It has no next job while enough are in flight; later it may have one again.
    """

    def __init__(self, generator: OwnGenerator, staged: Staged, count: int, deadline: Deadline):
        self.generator, self._staged, self.count, self._deadline = generator, staged, count, deadline
        self._next = 0
        self._flying = 0
        self._repeated: set[int] = set()
        self._compared = False
        self.stopped = False

    def __next__(self) -> Job:
        if self.stopped or self._deadline.passed(len(self._staged.rows)):
            raise StopIteration
        staged, size = self._staged, self.generator.batch
        # Early, since most drawings end with their time, and nothing would be drawn again then.
        if len(staged.rows) >= SOON and not self._compared and (again := self._second()) is not None:
            return again
        if len(staged.rows) + self._flying < self.count and self._next < 2 * self.count + TRIED:
            while self._next in staged.rows or self._next in staged.failed:
                self._next += 1
            first = self._next - self._next % size  # of a batch, of which a run may have kept a part
            self._next = first + size
            self._flying += size
            return Job(first, self._text(first), count=size)
        if (again := self._second()) is None:
            raise StopIteration
        return again

    def landed(self, job: Job) -> None:
        """Note that a picture came, or failed."""
        self._flying -= 0 if job.again else job.count

    def _second(self) -> Job | None:
        """Return a picture that is to be drawn again; None if there is none, or not yet."""
        size, staged = self.generator.batch, self._staged
        chosen = sorted(staged.rows)[:AGAIN]
        if self._flying and not self._settled(chosen):
            return None
        for index in chosen:
            first = index - index % size
            if index not in staged.equal and first not in self._repeated:
                self._repeated.add(first)
                return Job(first, self._text(first), again=True, count=size)
        self._compared = len(chosen) == AGAIN
        return None

    def _settled(self, chosen: list[int]) -> bool:
        """Return whether no picture that is in flight can come before the last of these."""
        staged = self._staged
        return len(chosen) == AGAIN and all(k in staged.rows or k in staged.failed for k in range(chosen[-1]))

    def _text(self, index: int) -> str | None:
        generator = self.generator
        return text_of(generator.seed, index, generator.alphabet, generator.lengths) if generator.takes_text else None


def _draw_missing(staged: Staged, jobs: _Jobs, workers: int, on_done: Callable[[int], object] | None) -> None:
    generator = jobs.generator
    late = generator.limits.told()["seconds"]
    with Pool(generator.spec(), generator.seed, workers) as pool:
        for result in pool.draw(jobs):
            jobs.landed(result.job)
            keep_result(generator, staged, result)
            if on_done and not result.job.again:
                on_done(min(len(staged.rows), jobs.count))
            if not staged.rows:
                slow = sum(failed.what == late for failed in staged.failed.values())
                jobs.stopped = slow >= LATE or len(staged.failed) >= TRIED


class _Drawn(Listing):
    """The listing of what was drawn, in the order of drawing: a larger dataset begins with the same pictures."""

    mixed = False

    def __init__(self, wanted: ImportRequest, rows: list[Row]):
        self.wanted, self.rejects, self.mended = wanted, [], Counter()
        self.pairs = [(row.file, row.text) for row in rows]


def _fill(generator: OwnGenerator, staged: Staged, rows: list[Row], folder: Path) -> None:
    """Make the dataset; a dataset of fewer pictures gives way to it."""
    # As seen, also if all are grey: ink has no shades, by which letters may differ from what lies under them.
    wanted = ImportRequest(staged.folder, generator.name, Labelling(file=staged.folder / LABELS), colour=Colour.KEEP)
    listing = _Drawn(wanted, rows)
    source = Source(listing, map(scan_files, listing.jobs()))
    run = atomic.new_run()
    there = manifest_in(folder)
    if there and there.identity != source.digest:
        _remove(folder, there)
        there = None
    atomic.make_folder(folder)
    gathered = Gathered(source.identity, {"file": LABELS}, provenance(generator))
    for job in fill_jobs(source, folder, run, there):
        gathered.add(fill_shard(job))
    complete(folder, gathered, run)


def provenance(generator: OwnGenerator) -> dict[str, Any]:
    """Return what a dataset says of the generator that drew it."""
    return {
        "kind": generator.kind, "given": plain(generator.given), "source": generator.source, "seed": generator.seed,
        "digest": generator.digest,
    }  # fmt: skip


def _remove(folder: Path, manifest: Manifest) -> None:
    """Remove a dataset whose pictures are all staged: first what says that it is whole."""
    (folder / MANIFEST).unlink()
    for line in manifest.shards:
        (folder / line["name"]).unlink(missing_ok=True)


def _nothing(generator: OwnGenerator, staged: Staged) -> BadInput:
    if not staged.failed:
        return BadInput(f"{plain(generator.given)}: no time was left to draw a picture; give it more")
    tried = min(len(staged.failed), TRIED)  # some more were in flight
    failures = staged.failures(sorted(staged.failed)[tried - 1] + 1)
    late = any(line["what"] == generator.limits.told()["seconds"] for line in failures)
    remedy = (
        f"a picture may take longer with {SECONDS}=30; if only the first of a process is slow, do what takes long when "
        "the module is imported"
        if late
        else "mend the generator"
    )
    kinds = "; ".join(f"{line['count']} {line['what']}, such as {line['example']}" for line in failures)
    error = BadInput(
        f"{plain(generator.given)}: none of the first {tried} pictures can be used ({kinds}); {remedy}, or see {GUIDE}"
    )
    error.report = {"failures": [dict(line) for line in failures]}
    return error


def _report(generator: OwnGenerator, staged: Staged, count: int) -> schema.Generator:
    indices = sorted(staged.rows)[:count]
    # Where pictures are missing, those that failed behind the last one count too.
    asked = 1 + (indices[-1] if len(indices) == count else max([*staged.rows, *staged.failed]))
    chosen = (
        staged.rows[index].text != text_of(generator.seed, index, generator.alphabet, generator.lengths)
        for index in indices
    )
    compared = [staged.equal[index] for index in indices if index in staged.equal]
    failures, limits = staged.failures(asked), generator.limits
    late = sum(line["count"] for line in failures if line["what"] == limits.told()["seconds"])
    return {
        "kind": generator.kind,
        "given": plain(generator.given),
        "source": generator.source,
        "seed": generator.seed,
        "takes_rng": generator.takes_rng,
        "chooses_text": not generator.takes_text or any(chosen),
        "redraws": all(compared) if compared else None,
        "asked": asked,
        "drawn": len(indices),
        "failed": asked - len(indices),
        "failures": failures,
        "seconds_a_picture": sum(staged.rows[index].seconds for index in indices) / len(indices),
        "failed_seconds": late * limits.seconds,
    }
