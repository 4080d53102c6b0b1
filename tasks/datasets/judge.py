"""Judge the proofs of a dataset's files: list the faults, and the files that the folder should hold."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NotRequired, TypedDict, final

from storage.errors import Damaged
from storage.files.places import Place
from storage.shards.manifest import MANIFEST, Manifest
from storage.shards.shard import BLOCK, Shard, ShardLine, ShardRecord, combined, parse_name
from tasks.datasets.inventory import Inventory
from tasks.datasets.prove import Proof

SHOWN = 100  # findings on a terminal; --json has all of them
_GO_ON = (
    f"move {MANIFEST} away if it is there, and give the command that made the dataset (generate or import) again: it "
    "makes what is missing"
)


class State(StrEnum):
    """A fault of a file of a dataset."""

    MISSING = "missing"  # the manifest names it, and it is not there
    DAMAGED = "damaged"  # its bytes differ from the sealed bytes, or its content from the drawn content
    MISPLACED = "misplaced"  # a whole shard under a wrong name, while no whole shard has its own name
    DUPLICATE = "duplicate"  # a copy of a shard that is whole under its own name
    STALE = "stale"  # a shorter shard that an extension replaced: the longer shard holds all its pictures
    UNFINISHED = "unfinished"  # sealed by an extension that did not end
    FOREIGN = "foreign"  # not of this dataset
    LEFTOVER = "leftover"  # a temporary file of a dead run
    MANIFEST = "manifest"  # the manifest is missing or unreadable, or does not fit the shards


class FindingRow(TypedDict):
    """A fault as a row of the table: the file, its state, the reason, and what was done."""

    what: str
    state: str
    reason: str
    done: str


@final
class VerifyReport(TypedDict):
    """What a proof of a dataset found, and what a repair did; `shown` has the rows that people see."""

    dataset: str
    pictures: int
    shards: int
    found_whole: int
    bytes: int
    drawn_again: bool
    findings: list[FindingRow]
    content: str | None
    seconds: float
    pictures_per_second: int
    shown: NotRequired[dict[str, list[FindingRow]]]


@dataclass(frozen=True)
class Finding:
    """A fault: a row of the table. `home` is the name under which a misplaced shard was sealed."""

    what: str
    state: State
    reason: str
    done: str = "-"
    home: str = ""

    def row(self) -> FindingRow:
        """Return the row for tables and for --json."""
        return {"what": self.what, "state": str(self.state), "reason": self.reason, "done": self.done}


@dataclass(frozen=True)
class Verdict:
    """The files that a folder should hold, and its faults in the order of names.

    Attributes
    ----------
    lines : tuple of ShardLine
        The shards that the folder should hold, as lines of a manifest; empty if that is unknown.
    whole : frozenset of str
        Names in `lines` whose files proved whole.
    refusal : str
        Why a repair might do further damage; '' if it is safe.
    """

    lines: tuple[ShardLine, ...]
    findings: tuple[Finding, ...]
    whole: frozenset[str]
    refusal: str


def judge(
    found: Inventory, proofs: Iterable[Proof], *, redrawn: bool = False, statistics: dict[str, Any] | None = None
) -> Verdict:
    """Compare the proofs of the files with the manifest, or with each other if there is no manifest.

    Parameters
    ----------
    redrawn : bool
        The blocks were drawn again. Then a shard that differs from its line may be right, and the line wrong.
    statistics : dict, optional
        The statistics of the pictures, if they were counted.
    """
    files = {proof.name: proof for proof in sorted(proofs, key=lambda proof: proof.name)}
    lines, refusal = (tuple(found.manifest.shards), "") if found.manifest else _own_lines(files, found)
    expected = {line["name"]: line for line in lines}
    states = {name: _in_place(files.get(name), line, redrawn) for name, line in expected.items()}
    whole = {
        name: proof.record
        for name, (state, _) in states.items()
        if state in (None, State.MANIFEST) and (proof := files[name]).record
    }
    about_manifest = [reason for state, reason in states.values() if state is State.MANIFEST]
    if found.manifest is None:
        about_manifest.append(found.distrust)
    elif not about_manifest and whole.keys() == expected.keys():
        reason, refusal = _of_the_whole(found.manifest, whole, statistics, redrawn)
        about_manifest += [reason] if reason else []
    findings = [Finding(MANIFEST, State.MANIFEST, reason) for reason in about_manifest]
    findings += [Finding(name, State.MISSING, "not there") for name in found.named if not lines and name not in files]
    taken: set[str] = set()
    for name in sorted(files.keys() | expected.keys()):
        state, reason = states.get(name, (State.MISPLACED, ""))
        if state is State.MISPLACED:
            finding = _elsewhere(found.folder, files[name], expected, whole, taken) if lines else _loose(files[name])
            findings += [finding] if finding else []
        elif state not in (None, State.MANIFEST):
            findings.append(Finding(name, state, reason))
    findings += [Finding(name, State.FOREIGN, "no file of this dataset") for name in found.strays]
    findings += [Finding(name, State.LEFTOVER, "a temporary file of a run that is dead") for name in found.leftovers]
    return Verdict(lines, tuple(findings), frozenset(whole), refusal)


def _in_place(proof: Proof | None, line: ShardLine, redrawn: bool) -> tuple[State | None, str]:
    """Return the fault of the file that has a line's name; MISPLACED if it is another shard of the dataset."""
    if proof is None:
        return State.MISSING, "not there"
    record = proof.record
    if record is None:
        return State.DAMAGED, proof.reason
    if not proof.ours:
        return State.FOREIGN, proof.reason
    if (record.name, record.first) != (line["name"], line["first"]):
        return State.MISPLACED, ""
    if proof.drawn:
        return State.DAMAGED, proof.reason
    if record.content != line["content"]:
        if redrawn:
            return State.MANIFEST, f"says another content of {proof.name} than was drawn again"
        return State.DAMAGED, "its content is not the manifest's"
    if (record.sha256, record.bytes) != (line["sha256"], line["bytes"]):
        return State.DAMAGED, "its bytes differ from the sha256 in the manifest"
    return None, ""


def _elsewhere(
    folder: Place, proof: Proof, expected: dict[str, ShardLine], whole: dict[str, ShardRecord], taken: set[str]
) -> Finding:
    """Judge a file whose name belongs to no shard of the dataset, or to another shard.

    `taken` collects the names of shards that were found under another name.
    """
    record, name = proof.record, proof.name
    if record is None or not proof.ours or proof.drawn:
        return Finding(name, State.FOREIGN, proof.reason)
    home = expected.get(record.name)
    if home and (record.first, record.content) == (home["first"], home["content"]):
        if record.name in whole or record.name in taken:
            return Finding(name, State.DUPLICATE, f"a copy of {record.name}")
        taken.add(record.name)
        return Finding(name, State.MISPLACED, f"was sealed as {record.name}", home=record.name)
    total = max(line["first"] + line["count"] for line in expected.values())
    line = next((line for line in expected.values() if line["first"] == record.first), None)
    if record.first >= total or (line and record.first + record.count > total):
        return Finding(
            name, State.UNFINISHED,
            "drawn for a larger count than the manifest's; `captchas generate` with that count would use it",
        )  # fmt: skip
    if line and record.count < line["count"]:
        if line["name"] in whole and _continues(folder, record, whole[line["name"]]):
            return Finding(name, State.STALE, f"its pictures are all in {line['name']}")
        return Finding(name, State.FOREIGN, f"a shorter shard than {line['name']}, which does not hold its pictures")
    return Finding(name, State.FOREIGN, f"was sealed as {record.name} from picture {record.first}: no place for it")


def _continues(folder: Place, short: ShardRecord, long: ShardRecord) -> bool:
    """Return whether `long` begins with all the pictures of `short`."""
    full, rest = divmod(short.count, BLOCK)
    if short.blocks[:full] != long.blocks[:full]:
        return False
    if not rest:
        return True
    try:
        with Shard(folder / long.name) as shard:
            return shard.block(full).rows(slice(rest)).digest().hex() == short.blocks[full]
    except Damaged:
        return False


def _loose(proof: Proof) -> Finding | None:
    """Judge a file by itself, while it is unknown what the folder should hold. None if the file is whole."""
    if proof.record and proof.ours and not proof.drawn:
        return None
    damaged = proof.record is None and parse_name(proof.name)
    return Finding(proof.name, State.DAMAGED if damaged else State.FOREIGN, proof.reason)


def _own_lines(files: dict[str, Proof], found: Inventory) -> tuple[tuple[ShardLine, ...], str]:
    """Return the lines that the shards themselves lead to, or why they do not agree."""
    best: dict[int, ShardRecord] = {}
    other = []
    for proof in files.values():
        record = proof.record
        if record is None or not proof.ours:
            if parse_name(proof.name):
                other.append(proof)
            continue
        index = _index_of(record.name)
        there = best.get(index)
        if there and there.name == record.name and there.content != record.content:
            return (), f"two shards were sealed as {record.name}, with different pictures"
        if there is None or (record.count, record.name == proof.name) > (there.count, False):
            best[index] = record
    foreign = next((proof for proof in other if proof.record), None)
    if foreign:
        return (), f"the shards do not agree: {foreign.name} {foreign.reason}; move those of the other dataset away"
    records = [best[index] for index in sorted(best)]
    first = 0
    for index, record in enumerate(records):
        if _index_of(record.name) != index or record.first != first or first % BLOCK:
            return (), f"{record.name} begins at picture {record.first}, those before it end at {first}; {_GO_ON}"
        first += record.count
    lost = [name for name in (*(proof.name for proof in other), *found.named) if _index_of(name) not in best]
    if lost:
        return (), f"{lost[0]} is lost, and nothing proves what it held; {_GO_ON}"
    if not records:
        return (), f"no shard is whole; {_GO_ON}"
    return tuple(record.as_dict() for record in records), ""


def _index_of(name: str) -> int:
    """Return the index in a shard's name; -1 if the name is not a shard's."""
    parsed = parse_name(name)
    return parsed[0] if parsed else -1


def _of_the_whole(
    manifest: Manifest, whole: dict[str, ShardRecord], statistics: dict[str, Any] | None, redrawn: bool
) -> tuple[str, str]:
    """Return the fault of a manifest whose lines all fit their shards, and why a repair is refused; '' for neither."""
    records = (whole[line["name"]] for line in manifest.shards)
    if combined(bytes.fromhex(digest) for record in records for digest in record.blocks) != manifest.content:
        refusal = "" if redrawn else (
            "the manifest's content digest is not that of its shards, though each fits its line; only drawing all "
            "again can tell which is wrong: give --redraw with --repair"
        )  # fmt: skip
        return "its content digest is not that of its shards", refusal
    if statistics is not None and statistics != manifest.statistics:
        return f"its statistics are not its pictures' ({_other_fields(manifest.statistics, statistics)})", ""
    return "", ""


def _other_fields(said: dict[str, Any], counted: dict[str, Any]) -> str:
    """Return the names of the fields that differ."""
    return ", ".join(sorted(key for key in said.keys() | counted.keys() if said.get(key) != counted.get(key)))


def report(
    found: Inventory,
    verdict: Verdict,
    proofs: list[Proof],
    findings: Iterable[Finding],
    seconds: float,
    rate: float | None,
    redrawn: bool,
) -> VerifyReport:
    """Report what a run of the flow found and did.

    Parameters
    ----------
    proofs : list of Proof, of all files
    findings : iterable of Finding
        The verdict's, after a repair with what was done.
    seconds : float
        That proving took.
    rate : float or None
        Pictures a second between the first and the last proof; if it is unknown, the mean over `seconds` is told.
    redrawn : bool
        The blocks were drawn again.
    """
    records = [proof.record for proof in proofs if proof.record]
    pictures = sum(record.count for record in records)
    rows = [finding.row() for finding in findings]
    content: VerifyReport = {
        "dataset": str(found.folder),
        "pictures": sum(line["count"] for line in verdict.lines),
        "shards": len(verdict.lines),
        "found_whole": len(verdict.whole),
        "bytes": sum(record.bytes for record in records),
        "drawn_again": redrawn,
        "findings": rows,
        "content": found.manifest.content if found.manifest else None,
        "seconds": round(seconds, 2),
        "pictures_per_second": round(rate or pictures / max(seconds, 1e-6)),
    }
    if len(rows) > SHOWN:
        content["shown"] = {"findings": rows[:SHOWN]}
    return content


def summary(findings: Iterable[Finding]) -> str:
    """Count the findings of each state, as `2 missing, 1 foreign`."""
    counts = Counter(str(finding.state) for finding in findings)
    return ", ".join(f"{count} {state}" for state, count in counts.most_common())
