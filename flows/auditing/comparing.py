"""Look at finished audits: compare two, and list all of a target. Both ask nothing of Prefect."""

from pathlib import Path
from typing import Any, cast

from flows.home import home
from flows.parameters import Name
from storage.audits import earlier_audits, load_audit
from storage.errors import Damaged, NotThere
from storage.files import atomic
from storage.files.places import local
from storage.files.targets import require_file
from storage.files.typed_records import require_record
from storage.texts import plain
from tasks.audit.attackers.comparison import compared
from tasks.audit.attackers.verdict import percent
from tasks.audit.page.comparison_page import write_comparison
from tasks.audit.page.history_page import history_plot, write_history
from tasks.audit.schema import Audit

PLOT, LIST = "history.svg", "history.html"


def audit_at(name: str) -> Path:
    """Find an audit by a name under the home, its folder, or its audit.json."""
    path = local(Path(name), "audit")
    under_home = home() / "audits" / path
    return under_home if len(path.parts) == 1 and not path.is_absolute() and under_home.exists() else path


def compare_audits(first: Name, second: Name, *, out: Path | None = None) -> dict[str, Any]:
    """Compare two audits: the second CAPTCHA is stronger than the first, weaker, or not told apart.

    The strongest attacker of each counts. On equal pictures the difference is paired.

    Parameters
    ----------
    first
        An audit's name under the home, its folder, or an audit.json.
    second
        The same, for instance of the CAPTCHA after a change.
    out
        File of a page for people; by default audits/FIRST-SECOND.html under the home.
    """
    if out:
        require_file(local(out, "out"), "out")
    audits = [_load(audit_at(name)) for name in (first, second)]
    found = compared(*audits)
    names = "-".join(audit["target"]["name"] for audit in audits)
    page = local(out, "out") if out else home() / "audits" / f"{names}.html"
    atomic.make_folder(page.parent)
    atomic.replace(page, write_comparison(audits[0], audits[1], found["difference"]).encode())
    return {**found, "page": str(page), "shown": {"difference": None}}  # the sentence has it


def audit_history(target: Name) -> dict[str, Any]:
    """List all finished audits of a target, the oldest first; draw a plot of them, and a page with both.

    Parameters
    ----------
    target
        An audit's name under the home, or its folder.
    """
    folder = audit_at(target)
    audits = [_load(path) for path in earlier_audits(folder)]
    if not audits:
        raise NotThere(f"{target}: has no finished audit; make one with captchas audit {target}")
    files = {PLOT: history_plot(audits), LIST: write_history(audits)}
    for name, content in files.items():
        atomic.replace(folder / name, content.encode())
    return {"audits": [_row(audit) for audit in audits], "look_at": [str(folder / name) for name in files]}


def _load(path: Path) -> Audit:
    content = load_audit(path)
    try:
        require_record(content, Audit)
    except ValueError as error:
        raise Damaged(f"{path}: cannot be read as an audit ({plain(str(error))}); make the audit again") from error
    return cast(Audit, content)


def _row(audit: Audit) -> dict[str, Any]:
    verdict, words = audit["verdict"], audit["verdict"]["words"]
    shares = (None, None, None) if words is None else (words["rate"], words["low"], words["high"])
    rate, low, high = (None if share is None else percent(share) for share in shares)
    return {
        "started": audit["made"]["started"], "verdict": verdict["word"], "attacker": verdict["attacker"],
        "labels": verdict["labels"], "words_right": rate, "low": low, "high": high,
        "n": None if words is None else words["n"], "content": (audit["target"]["content"] or "")[:12],
    }  # fmt: skip
