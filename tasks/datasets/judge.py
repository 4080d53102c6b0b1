"""What the proofs of a dataset's files add up to: findings, and what the folder should hold."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from storage.errors import Damaged
from storage.files.places import Place
from storage.shards.manifest import MANIFEST
from storage.shards.shard import BLOCK, Shard, ShardRecord, combined, parse_name
from tasks.datasets.inventory import Inventory
from tasks.datasets.prove import Proof

SHOWN = 100  # findings on a terminal; --json has all
_GO_ON = (
    f"move {MANIFEST} away if it is there, and give the command that made the dataset (generate or import) again: it "
    "makes what is missing"
)


class State(StrEnum):
    """What may be wrong with a file of a dataset."""

    MISSING = "missing"  # the manifest names it
    DAMAGED = "damaged"  # other bytes than were sealed, or another content than was drawn
    MISPLACED = "misplaced"  # a whole shard under a wrong name, while its own place is not whole
    DUPLICATE = "duplicate"  # a copy of a shard that is whole in its own place
    STALE = "stale"  # a shorter shard that an extension replaced: its pictures are all in the longer one
    UNFINISHED = "unfinished"  # sealed by an extension that never ended
    FOREIGN = "foreign"  # not of this dataset
    LEFTOVER = "leftover"  # a temporary file of a dead run
    MANIFEST = "manifest"  # missing, unreadable, or not true of the shards


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: a row of the table. `home` is the name that a misplaced shard was sealed under."""

    what: str
    state: State
    reason: str
    done: str = "-"
    home: str = ""

    def row(self) -> dict:
        """For people and for --json."""
        return {"what": self.what, "state": str(self.state), "reason": self.reason, "done": self.done}


@dataclass(frozen=True)
class Verdict:
    """What is wrong, in the order of names.

    Attributes
    ----------
    lines : tuple of dict
        What the folder should hold, as in a manifest; empty if that cannot be known.
    whole : frozenset of str
        Names of `lines` whose files proved whole.
    refusal : str
        Why a repair cannot be told from further damage; '' if it can.
    """

    lines: tuple[dict, ...]
    findings: tuple[Finding, ...]
    whole: frozenset[str]
    refusal: str


def judge(
    found: Inventory, proofs: Iterable[Proof], *, redrawn: bool = False, statistics: dict | None = None
) -> Verdict:
    """Compare what the files proved to be with what the manifest says, or with each other where there is none.

    Parameters
    ----------
    redrawn : bool
        The blocks were drawn again, so that a shard which differs from its line may be the right one of the two.
    statistics : dict, optional
        What the pictures add up to, where they were counted.
    """
    files = {proof.name: proof for proof in sorted(proofs, key=lambda proof: proof.name)}
    lines, refusal = (tuple(found.manifest.shards), "") if found.manifest else _own_lines(files, found)
    expected = {line["name"]: line for line in lines}
    states = {name: _in_place(files.get(name), line, redrawn) for name, line in expected.items()}
    whole = frozenset(name for name, (state, _) in states.items() if state in (None, State.MANIFEST))
    about_manifest = [reason for state, reason in states.values() if state is State.MANIFEST]
    if found.distrust:
        about_manifest.append(found.distrust)
    elif not about_manifest and whole == expected.keys():
        reason, refusal = _of_the_whole(found, lines, files, redrawn)
        if not reason and statistics is not None and statistics != found.manifest.statistics:
            reason = f"its statistics are not its pictures' ({_other_fields(found.manifest.statistics, statistics)})"
        about_manifest += [reason] if reason else []
    findings = [Finding(MANIFEST, State.MANIFEST, reason) for reason in about_manifest]
    findings += [Finding(name, State.MISSING, "not there") for name in found.named if not lines and name not in files]
    taken: set[str] = set()
    for name in sorted(files.keys() | expected.keys()):
        state, reason = states.get(name, (State.MISPLACED, ""))
        if state is State.MISPLACED:
            finding = (
                _elsewhere(found.folder, files[name], expected, whole, taken, files) if lines else _loose(files[name])
            )
            findings += [finding] if finding else []
        elif state not in (None, State.MANIFEST):
            findings.append(Finding(name, state, reason))
    findings += [Finding(name, State.FOREIGN, "no file of this dataset") for name in found.strays]
    findings += [Finding(name, State.LEFTOVER, "a temporary file of a run that is dead") for name in found.leftovers]
    return Verdict(lines, tuple(findings), whole, refusal)


def _in_place(proof: Proof | None, line: dict, redrawn: bool) -> tuple[State | None, str]:
    """What is wrong with the file that has a line's name; MISPLACED if it is some other shard."""
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
            return State.MANIFEST, f"says another content of {proof.name} than the one that was drawn again"
        return State.DAMAGED, "its content is not the manifest's"
    if (record.sha256, record.bytes) != (line["sha256"], line["bytes"]):
        return State.DAMAGED, "its bytes differ from the sha256 in the manifest"
    return None, ""


def _elsewhere(
    folder: Place, proof: Proof, expected: dict, whole: frozenset[str], taken: set[str], files: dict[str, Proof]
) -> Finding:
    """What a file is that stands where no shard of the dataset belongs, or another one does."""
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
        if line["name"] in whole and _continues(folder, record, files[line["name"]].record):
            return Finding(name, State.STALE, f"its pictures are all in {line['name']}")
        return Finding(name, State.FOREIGN, f"a shorter shard than {line['name']}, which does not hold its pictures")
    return Finding(name, State.FOREIGN, f"was sealed as {record.name} from picture {record.first}: no place for it")


def _continues(folder: Place, short: ShardRecord, long: ShardRecord) -> bool:
    """Whether `long` begins with all the pictures of `short`."""
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
    """What can be said of a file while nothing says what the folder should hold."""
    if proof.record and proof.ours and not proof.drawn:
        return None
    damaged = proof.record is None and parse_name(proof.name)
    return Finding(proof.name, State.DAMAGED if damaged else State.FOREIGN, proof.reason)


def _own_lines(files: dict[str, Proof], found: Inventory) -> tuple[tuple[dict, ...], str]:
    """What the shards themselves say that the folder should hold, or why they do not agree."""
    best: dict[int, ShardRecord] = {}
    other = []
    for proof in files.values():
        record = proof.record
        if record is None or not proof.ours:
            if parse_name(proof.name):
                other.append(proof)
            continue
        index = parse_name(record.name)[0]
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
        if parse_name(record.name)[0] != index or record.first != first or first % BLOCK:
            return (), f"{record.name} begins at picture {record.first}, those before it end at {first}; {_GO_ON}"
        first += record.count
    lost = [proof.name for proof in other if parse_name(proof.name)[0] not in best]
    lost += [name for name in found.named if parse_name(name)[0] not in best]
    if not records or lost:
        return (
            (),
            f"{lost[0]} is lost, and nothing proves what it held; {_GO_ON}" if lost else f"no shard is whole; {_GO_ON}",
        )
    return tuple(record.as_dict() for record in records), ""


def _of_the_whole(found: Inventory, lines: tuple[dict, ...], files: dict[str, Proof], redrawn: bool) -> tuple[str, str]:
    """What is wrong with a manifest each of whose lines fits, and why that cannot be mended ('' if it can)."""
    proofs = [files[line["name"]] for line in lines]
    if combined(bytes.fromhex(digest) for proof in proofs for digest in proof.record.blocks) != found.manifest.content:
        undecided = "" if redrawn else (
            "the manifest's content digest is not that of its shards, though each fits its line; only drawing all "
            "again can tell which is wrong: give --redraw with --repair"
        )  # fmt: skip
        return "its content digest is not that of its shards", undecided
    return "", ""


def _other_fields(said: dict, counted: dict) -> str:
    """The names of what differs."""
    return ", ".join(sorted(key for key in said.keys() | counted.keys() if said.get(key) != counted.get(key)))


def report(
    found: Inventory,
    verdict: Verdict,
    proofs: list[Proof],
    findings: Iterable[Finding],
    seconds: float,
    rate: float | None,
    redrawn: bool,
) -> dict:
    """What a run of the flow found and did; `rate` is that between the first and the last proof, if it is known."""
    records = [proof.record for proof in proofs if proof.record]
    pictures = sum(record.count for record in records)
    rows = [finding.row() for finding in findings]
    content = {
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
    return content | ({"shown": {"findings": rows[:SHOWN]}} if len(rows) > SHOWN else {})


def summary(findings: Iterable[Finding]) -> str:
    """How many of each kind, as `2 missing, 1 foreign`."""
    counts = Counter(str(finding.state) for finding in findings)
    return ", ".join(f"{count} {state}" for state, count in counts.most_common())
