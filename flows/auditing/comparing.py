"""Look at finished audits: compare two, and list all of a target. Both ask nothing of Prefect."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from flows.home import home
from flows.parameters import File, Name
from flows.requests import refusing
from flows.shell.quiet import tell
from storage.audits import RESULT, earlier_audits, find_audit, load_audit
from storage.errors import BadInput, CaptchasError, Damaged, NotThere
from storage.files import atomic
from storage.files.places import local
from storage.files.targets import require_file
from storage.files.typed_records import require_record
from storage.texts import plain
from tasks.audit.attackers.comparison import compared, names_of, notes_of
from tasks.audit.attackers.verdict import percent
from tasks.audit.page.comparison_page import write_comparison
from tasks.audit.page.history_page import history_plot, write_history
from tasks.audit.schema import Audit

PLOT, LIST = "history.svg", "history.html"
_MOST_NAME = 100  # bytes of each audit's part of a page's name


def audit_at(name: str) -> Path:
    """Find an audit by a name under the home, its folder, its audit.json, or its target as it was given.

    Raises
    ------
    BadInput
        Several audits have that target.
    """
    path = local(Path(name), "audit")
    under_home = home() / "audits" / path
    if len(path.parts) == 1 and not path.is_absolute() and under_home.exists():
        return under_home
    if path.exists() and (not path.is_dir() or earlier_audits(path)):
        return path
    found = [folder for folder, audit in _finished() if audit["target"].get("given") == name]
    if len(found) > 1:
        raise BadInput(f"{name}: several audits have that target: {', '.join(map(str, found))}; name a folder")
    return found[0] if found else path


def _finished() -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield the folders of all audits under the home that are finished, and the audits."""
    for path in sorted((home() / "audits").glob(f"*/{RESULT}")):
        audit = find_audit(path.parent)
        if audit is not None:
            yield path.parent, audit


def compare_audits(first: Name, second: Name, *, out: File | None = None) -> dict[str, Any]:
    """Compare two audits: the second CAPTCHA is stronger than the first, weaker, or not told apart.

    The strongest attacker of each counts. On equal pictures the difference is paired.

    Parameters
    ----------
    first
        What was audited, an audit's name under the home, its folder, or an audit.json.
    second
        The same, for instance of the CAPTCHA after a change.
    out
        File of a page for people; by default audits/FIRST-SECOND.html under the home.
    """
    read = [audit_at(name) for name in (first, second)]
    if out:
        require_file(local(out, "out"), "out", inputs=[path / RESULT if path.is_dir() else path for path in read])
    audits = [_load(path) for path in read]
    found = compared(*audits)
    page = local(out, "out") if out else home() / "audits" / f"{'-'.join(map(_file_name, audits))}.html"
    require_file(page, "out")
    atomic.make_folder(page.parent)
    one, other = audits
    written = write_comparison(one, other, found["difference"], names_of(one, other), notes_of(one, other))
    atomic.replace(page, written.encode())
    return {**found, "page": str(page), "shown": {"difference": None}}  # the sentence has it


def audit_history(target: Name) -> dict[str, Any]:
    """List all finished audits of a target, the oldest first; draw a plot of them, and a page with both.

    Parameters
    ----------
    target
        What was audited, an audit's name under the home, or its folder.
    """
    folder = audit_at(target)
    audits = _that_can_be_read(earlier_audits(folder))
    for name in (PLOT, LIST):
        require_file(folder / name, "the audit's folder")
    if not audits:
        if (folder / RESULT).exists():
            _load(folder)  # tells what is wrong with it
        raise NotThere(f"{target}: has no finished audit; make one with captchas audit {target}")
    files = {PLOT: history_plot(audits), LIST: write_history(audits)}
    for name, content in files.items():
        atomic.replace(folder / name, content.encode())
    return {"audits": [_row(audit) for audit in audits], "look_at": [str(folder / name) for name in files]}


def _that_can_be_read(paths: Iterable[Path]) -> list[Audit]:
    """Read audits; of a copy that is damaged, say so and leave it out: the others still have a history."""
    found = []
    for path in paths:
        try:
            found.append(_load(path))
        except CaptchasError as error:
            damage = error.__cause__
            if not isinstance(damage, Damaged | ValueError) or isinstance(damage.__cause__, OSError):
                raise  # of a later version, or out of reach
            tell(f"left out of the history, as it is damaged: {plain(str(path))}; remove the file")
    return found


def _load(path: Path) -> Audit:
    with refusing():
        content = load_audit(path)
        try:
            require_record(content, Audit)
        except ValueError as error:
            raise Damaged(f"{path}: cannot be read as an audit ({plain(str(error))}); make the audit again") from error
    return cast(Audit, content)


def _file_name(audit: Audit) -> str:
    """Return a target's name as a part of a file's: an audit may be a stranger's, and its name may be a path."""
    name = re.sub(r"[^\w.-]+", "-", audit["target"]["name"]).strip(".-") or "audit"
    return name.encode()[:_MOST_NAME].decode(errors="ignore")


def _row(audit: Audit) -> dict[str, Any]:
    verdict, words = audit["verdict"], audit["verdict"]["words"]
    shares = (None, None, None) if words is None else (words["rate"], words["low"], words["high"])
    rate, low, high = (None if share is None else percent(share) for share in shares)
    return {
        "started": audit["made"]["started"], "verdict": verdict["word"], "attacker": verdict["attacker"],
        "labels": verdict["labels"], "words_right": rate, "low": low, "high": high,
        "n": None if words is None else words["n"], "content": (audit["target"]["content"] or "")[:12],
    }  # fmt: skip
