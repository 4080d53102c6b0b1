"""Look at finished audits: compare two, and list all of a target. Both ask nothing of Prefect."""

from pathlib import Path
from typing import Any

from flows.home import home
from flows.parameters import Name
from storage.audits import earlier_audits, load_audit
from storage.errors import NotThere
from storage.files import atomic
from storage.files.places import local
from tasks.audit.attackers.comparison import compared
from tasks.audit.attackers.verdict import percent

PLOT = "history.svg"


def audit_folder(name: str) -> Path:
    """Find an audit by a name under the home, its folder, or its audit.json."""
    path = local(Path(name), "audit")
    under_home = home() / "audits" / path
    return under_home if len(path.parts) == 1 and not path.is_absolute() and under_home.exists() else path


def compare_audits(first: Name, second: Name) -> dict[str, Any]:
    """Compare two audits: the second CAPTCHA is stronger than the first, weaker, or not told apart.

    Each strongest attacker counts. On equal pictures the difference is paired.

    Parameters
    ----------
    first
        An audit's name under the home, its folder, or an audit.json.
    second
        The same, for instance of the CAPTCHA after a change.
    """
    return compared(load_audit(audit_folder(first)), load_audit(audit_folder(second)))


def audit_history(target: Name) -> dict[str, Any]:
    """List all finished audits of a target, the oldest first, and draw a plot of them.

    Parameters
    ----------
    target
        An audit's name under the home, or its folder.
    """
    from tasks.audit.page.history_page import history_plot

    folder = audit_folder(target)
    audits = [load_audit(path) for path in earlier_audits(folder)]
    if not audits:
        raise NotThere(f"{target}: has no finished audit; make one with captchas audit {target}")
    plot = folder / PLOT
    atomic.replace(plot, history_plot(audits).encode())
    return {"audits": [_row(audit) for audit in audits], "plot": str(plot)}


def _row(audit: dict[str, Any]) -> dict[str, Any]:
    verdict, words = audit["verdict"], audit["verdict"]["words"]
    return {
        "started": audit["made"]["started"], "verdict": verdict["word"], "attacker": verdict["attacker"],
        "labels": verdict["labels"], "words_right": None if words is None else percent(words["rate"]),
        "low": words and words["low"], "high": words and words["high"], "n": words and words["n"],
        "content": (audit["target"]["content"] or "")[:12],
    }  # fmt: skip
