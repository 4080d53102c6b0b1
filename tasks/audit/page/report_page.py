"""The report of an audit: one page of HTML that opens offline."""

from typing import Any

from tasks.audit.page.elements.album import MOST, Album
from tasks.audit.page.elements.document import MOST_BYTES, document, heading
from tasks.audit.page.elements.markup import Child, element, together
from tasks.audit.page.elements.wording import counted, duration
from tasks.audit.page.parts.attacker_part import attacker_part
from tasks.audit.page.parts.cause_part import why_part
from tasks.audit.page.parts.defect_part import defect_part
from tasks.audit.page.parts.first_screen import first_screen
from tasks.audit.page.parts.made_part import made_part
from tasks.audit.page.parts.verdict_part import verdict_part
from tasks.audit.page.parts.what_if_part import what_if_part
from tasks.audit.schema import Audit

PARTS = (
    ("first", "Verdict"), ("defects", "Defects"), ("attackers", "Attackers"), ("verdict", "How to read it"),
    ("why", "Why"), ("what-if", "What if"), ("made", "How it was made"),
)  # fmt: skip
# Characters of a text, rows of a table, and bytes of all pictures: the first that give a page below its limit.
BOUNDS = ((4000, 500, MOST), (400, 100, MOST // 4), (80, 20, 0))
KINDS = {
    "profile": "A profile", "dataset": "A dataset", "folder": "A folder of pictures",
    "callable": "A generator in Python", "command": "A generator run as a command",
}  # fmt: skip


def write_page(audit: Audit) -> str:
    """Return `report.html` of an audit.

    Every text of the audit may come from strangers: names, labels, messages of a generator. They are shown, never run.

    Parameters
    ----------
    audit : Audit
        As `audit.json` has it; parts that were left out are None or empty.

    Returns
    -------
    str
        HTML without any request, below 3 MB as UTF-8: pictures that would pass that are left out, and their texts stay.
    """
    page = ""
    for most_text, most_rows, most_pictures in BOUNDS:
        page = _page(_cut(audit, most_text, most_rows), Album(most_pictures))
        if len(page.encode()) < MOST_BYTES:
            break
    return page


def _cut(value: Any, most_text: int, most_rows: int, key: str = "") -> Any:
    """Return a value with its texts and lists cut; pictures stay."""
    if isinstance(value, dict):
        return {name: _cut(inner, most_text, most_rows, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_cut(inner, most_text, most_rows) for inner in value[:most_rows]]
    if isinstance(value, str) and key != "picture" and len(value) > most_text:
        return f"{value[:most_text]}… (and {len(value) - most_text:,} characters more)"
    return value


def _page(audit: Audit, album: Album) -> str:
    target = audit["target"]
    return document(
        f"{audit['verdict']['word'].capitalize()}: audit of {target['name']}",
        heading("CAPTCHA audit", target["name"], _note(audit)),
        PARTS,
        together(
            first_screen(audit, album),
            defect_part(audit, album),
            attacker_part(audit),
            verdict_part(audit),
            why_part(audit, album),
            what_if_part(audit, album),
            made_part(audit),
        ),
    )


def _note(audit: Audit) -> Child:
    made, target = audit["made"], audit["target"]
    return [
        f"{KINDS.get(target['kind'], 'Pictures')}; {counted(target['pictures'], 'picture')}; audited ",
        element("time", made["started"][:10], datetime=made["started"]),
        f" in {duration(made['seconds'])}, seed {made['seed']}.",
    ]
