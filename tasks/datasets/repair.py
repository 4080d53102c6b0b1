"""The units of repairing: put shards back, draw lost shards again, prove them, tidy, and write the manifest last."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from storage.errors import Damaged, GlyphsDiffer
from storage.files import atomic
from storage.files.places import Place, place, sizes
from storage.shards.manifest import MANIFEST, Manifest
from storage.shards.shard import ShardLine, ShardRecord, combined, read_record, shard_name
from tasks.datasets.folder import set_aside
from tasks.datasets.generate import DrawJob, seal
from tasks.datasets.inventory import ABSENT, Inventory
from tasks.datasets.judge import Finding, State, Verdict
from tasks.datasets.prove import Proof
from tasks.datasets.recipe import Recipe
from tasks.datasets.statistics import Tally
from tasks.datasets.totals import DrawReceipt, Gathered
from tasks.lowlevel.inflate import inflate

_MOVED = (State.FOREIGN, State.DUPLICATE, State.UNFINISHED, State.DAMAGED)


@dataclass(frozen=True)
class RedrawJob:
    """A shard to draw again, and the content digest that it must have.

    `refused` is the sha256 of the file in its place, if that is whole but not the shard that was sealed; else ''.
    """

    shard: DrawJob
    content: str
    refused: str


@dataclass(frozen=True)
class RepairPlan:
    """The files that a repair moves and the shards that it draws.

    Attributes
    ----------
    homes : dict of str
        By the present name of each misplaced file, the name under which it was sealed.
    bytes : int
        Size of the shards to draw.
    """

    homes: dict[str, str]
    jobs: tuple[RedrawJob, ...]
    bytes: int


def plan_repair(
    found: Inventory, verdict: Verdict, proofs: Iterable[Proof], recipe: Recipe | None, run: str
) -> RepairPlan:
    """Plan a repair; no file is touched.

    Parameters
    ----------
    run : str
        An id for the names of temporary files.

    Raises
    ------
    Damaged
        It is unknown what the folder should hold, or nothing here can draw it.
    GlyphsDiffer
        Pictures that were drawn again are neither the shards' nor the manifest's.
    """
    if verdict.refusal or (recipe is None and not found.imported):
        raise Damaged(f"{found.folder}: cannot be repaired, and nothing was touched: {verdict.refusal}")
    files = {proof.name: proof for proof in proofs}
    homes = {finding.what: finding.home for finding in verdict.findings if finding.state is State.MISPLACED}
    lost = [line for line in verdict.lines if line["name"] not in verdict.whole | set(homes.values())]
    if not lost:
        return RepairPlan(homes, (), 0)
    if recipe is None:
        raise Damaged(f"{found.folder}: {lost[0]['name']} was imported; --source FOLDER reads it again")
    contents = {line["name"]: _content_of(files.get(line["name"]), line) for line in lost}
    if found.manifest and any(contents[line["name"]] != line["content"] for line in lost):
        _require_vouched(found.folder, found.manifest, verdict, files)
    places = _shard_jobs(found, verdict, recipe, run)
    jobs = tuple(RedrawJob(places[name], content, _sha256(files.get(name))) for name, content in contents.items())
    return RepairPlan(homes, jobs, sum(line["bytes"] for line in lost))


def _shard_jobs(found: Inventory, verdict: Verdict, recipe: Recipe, run: str) -> dict[str, DrawJob]:
    """Make a job for each shard that the folder should hold, by name."""
    folder = str(found.folder.resolve())
    return {
        line["name"]: DrawJob(recipe, folder, index, line["first"], line["count"], run)
        for index, line in enumerate(verdict.lines)
    }


def _sha256(proof: Proof | None) -> str:
    return proof.record.sha256 if proof and proof.record else ""


def _content_of(proof: Proof | None, line: ShardLine) -> str:
    """Return the content digest that a lost shard must have: of its last drawing if it was drawn, else the line's."""
    record = proof.record if proof else None
    if proof and record and proof.drawn and (record.name, record.first) == (line["name"], line["first"]):
        return combined(map(bytes.fromhex, proof.drawn))
    return line["content"]


def _require_vouched(folder: Place, manifest: Manifest, verdict: Verdict, files: dict[str, Proof]) -> None:
    """Refuse new drawings that contradict a line of the manifest, unless they fit its digest of the whole dataset."""
    blocks: list[str] = []
    for line in verdict.lines:
        proof = files.get(line["name"])
        if proof is None or proof.record is None:
            blocks = []
            break
        blocks += proof.drawn or proof.record.blocks
    if not blocks or combined(map(bytes.fromhex, blocks)) != manifest.content:
        names = ", ".join(finding.what for finding in verdict.findings if finding.state is State.DAMAGED)
        raise _other_pictures(folder, names)


def _other_pictures(folder: Place, names: str) -> GlyphsDiffer:
    return GlyphsDiffer(
        f"{folder}: drawn again, {names} would hold other pictures than the manifest vouches for, although the glyph "
        "bitmaps are the same. Nothing was published over it: either the manifest was made up, or this version draws "
        "otherwise. Compare with a new dataset (`captchas generate … --out OTHER`) and keep the dataset that you trust"
    )


def put_back(found: Inventory, plan: RepairPlan) -> None:
    """Give misplaced shards their own names; a file that has such a name is moved to the foreign folder.

    Shards that have each other's names pass through temporary names in the same folder. After a kill the next
    repair finds them there: without a manifest only they identify the dataset.
    """
    run = atomic.new_run()
    between = {home: found.folder / f"{home}.{run}" for home in plan.homes.values()}
    for name, home in plan.homes.items():
        atomic.move(found.folder / name, between[home])
    for home, path in between.items():
        target = found.folder / home
        if target.exists() or target.is_symlink():
            set_aside(target)
        atomic.move(path, target)


def redraw_shard(job: RedrawJob) -> ShardRecord:
    """Draw a shard again, prove its content, then move the old file away and publish the new file.

    Raises
    ------
    GlyphsDiffer
        The drawing has another content; no file was touched.
    NoSpace, Unwritable
    """
    path = place(job.shard.folder) / shard_name(job.shard.index, job.shard.count)

    def require_content(digests: list[bytes]) -> None:
        if combined(digests) != job.content:
            raise _other_pictures(path.parent, path.name)
        judged = atomic.fingerprint(path)
        if judged and not _redrawn(path, job):
            set_aside(path, judged)

    return seal(job.shard, Tally(job.shard.recipe.profile.alphabet), require_content)


def _redrawn(path: Place, job: RedrawJob) -> bool:
    """Return whether the shard is sealed already, by a worker that died afterwards."""
    if not path.is_file():
        return False
    try:
        record = read_record(path, job.shard.recipe.identity, job.shard.first, inflate=inflate)
    except Damaged:
        return False
    return record.content == job.content and record.sha256 != job.refused


def count_jobs(found: Inventory, verdict: Verdict, recipe: Recipe | None, run: str) -> list[DrawJob]:
    """Make a job for every shard to count, if the manifest must be rebuilt.

    Raises
    ------
    Damaged
        The dataset was imported: only an import can rebuild its manifest.
    """
    if not any(finding.state is State.MANIFEST for finding in verdict.findings):
        return []
    if recipe is None:
        raise Damaged(f"{found.folder}: `captchas import FOLDER --out {found.folder}` writes the manifest again")
    return list(_shard_jobs(found, verdict, recipe, run).values())


def count_shard(job: DrawJob) -> DrawReceipt:
    """Read a whole shard, prove it, and count its pictures for the manifest's statistics.

    Raises
    ------
    Damaged
    """
    tally = Tally(job.recipe.profile.alphabet)
    path = place(job.folder) / shard_name(job.index, job.count)
    record = read_record(path, job.recipe.identity, job.first, tally.add, inflate=inflate)
    return DrawReceipt(job.index, record, False, tally.counts())


def finish_repair(
    found: Inventory,
    verdict: Verdict,
    plan: RepairPlan,
    proofs: Iterable[Proof],
    drawn: Iterable[ShardRecord],
    counted: Gathered | None,
    run: str,
) -> list[Finding]:
    """Write the manifest if it is not true, tidy the folder, and say how each finding was repaired.

    Parameters
    ----------
    drawn : iterable of ShardRecord
        From `redraw_shard`, for each job of the plan.
    counted : Gathered or None
        The receipts of `count_shard`, for each job of `count_jobs`; None if there were no such jobs.

    Raises
    ------
    Damaged
        The shards do not lead to the manifest's content digest, or a file changed meanwhile.
    """
    records = {record.name: record for record in drawn}
    for proof in proofs:
        if proof.record and (proof.name in verdict.whole or proof.name in plan.homes):
            records.setdefault(proof.record.name, proof.record)
    ordered = [records[line["name"]] for line in verdict.lines]
    manifest = _repaired_manifest(found, ordered, counted)
    if manifest.content != combined(bytes.fromhex(digest) for record in ordered for digest in record.blocks):
        raise Damaged(f"{found.folder}: its shards are whole, but not the dataset that the manifest tells of")
    if manifest != found.manifest:
        path = found.folder / MANIFEST
        if found.manifest is None and (path.exists() or path.is_symlink()):
            set_aside(path)  # whoever edited it may want to see it again
        manifest.write(found.folder, run)
    for finding in verdict.findings:
        path = found.folder / finding.what
        if finding.state in (State.STALE, State.LEFTOVER):
            path.unlink(missing_ok=True)
        elif _in_the_way(finding, verdict):
            set_aside(path)
    atomic.sync_folder(found.folder)
    _require_whole(found.folder, manifest)
    return [replace(finding, done=_done(finding, found, plan, manifest.count)) for finding in verdict.findings]


def _repaired_manifest(found: Inventory, records: list[ShardRecord], counted: Gathered | None) -> Manifest:
    """Return the manifest that the repaired folder must have."""
    if counted is None:
        if found.manifest is None:
            raise Damaged(f"{found.folder}: has no manifest, and its shards were not counted; verify it again")
        return replace(found.manifest, shards=[record.as_dict() for record in records])
    manifest = counted.manifest()
    # The pictures are those that the software in the old manifest drew, though its other fields may be wrong.
    return replace(manifest, software=found.manifest.software) if found.manifest else manifest


def _in_the_way(finding: Finding, verdict: Verdict) -> bool:
    """Return whether a finding's file does not belong in the folder; a file with a shard's name has been moved."""
    return finding.state in _MOVED and finding.what not in {line["name"] for line in verdict.lines}


def _require_whole(folder: Place, manifest: Manifest) -> None:
    """Refuse a folder that holds anything else than the manifest and its shards."""
    wanted = {line["name"]: line["bytes"] for line in manifest.shards}
    there = sizes(folder)
    there.pop(MANIFEST, None)
    names = {path.name for path in folder.iterdir()}
    if there != wanted or names - {MANIFEST} != there.keys() or Manifest.read(folder) != manifest:
        raise Damaged(f"{folder}: changed while it was repaired; verify it again")


def _done(finding: Finding, found: Inventory, plan: RepairPlan, count: int) -> str:
    """Return how a finding was repaired, for the table."""
    origin = {home: name for name, home in plan.homes.items()}
    drawn = {shard_name(job.shard.index, job.shard.count) for job in plan.jobs}
    moved = f"moved to {found.folder.resolve().name}.foreign"
    done = []
    if finding.state is State.MANIFEST:
        done.append(f"rebuilt from the shards, {count:,} pictures")
        done += [moved] if found.manifest is None and found.distrust != ABSENT else []
    if finding.state is State.MISPLACED:
        done.append(f"put back as {finding.home}")
    if finding.state in (State.STALE, State.LEFTOVER):
        done.append("removed")
    if finding.state in _MOVED:
        done.append(moved)
    if finding.what in origin:
        done.append(f"put back from {origin[finding.what]}")
    if finding.what in drawn:
        done.append("drawn again, digest proven")
    return "; ".join(done)
