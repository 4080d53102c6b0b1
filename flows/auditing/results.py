"""Put an audit together: the verdict, what follows from the strongest attacker, and the files and tables for people."""

import platform
import re
import shlex
from collections.abc import Collection, Mapping
from dataclasses import fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from flows.auditing.few_pictures import failures_told
from flows.reporting.progress import artifact_key
from flows.workers.cluster import cores
from storage.audits import PAGE, save_audit
from storage.texts import code, markdown
from tasks.audit.attackers.verdict import percent, told_interval
from tasks.audit.page.report_page import write_page
from tasks.audit.schema import Attacker, Audit, Made
from tasks.rates import Rate

PACKAGES = ("numpy", "numba", "pillow", "scikit-learn", "scikit-image", "onnxruntime", "torch", "ddddocr")
PICTURES = 6  # in Prefect's report, which holds pictures as text


def made(started: str, seconds: float, minutes: float, seed: int, command: str) -> Made:
    """Return how an audit was made."""
    packages = {}
    for name in PACKAGES:
        try:
            packages[name] = version(name)
        except PackageNotFoundError:  # an extra that is not installed
            continue
    return {
        "version": version("beating-captchas"), "python": platform.python_version(), "cores": cores(),
        "started": started, "seconds": round(seconds, 1), "minutes": minutes, "seed": seed, "command": command,
        "packages": packages,
    }  # fmt: skip


def first_screen(audit: Audit) -> list[str]:
    """Return the verdict, and a table of the attackers, as lines of Markdown."""
    verdict = audit["verdict"]
    lines = [f"# {markdown(audit['target']['name'])}: {verdict['word']}", "", f"**{markdown(verdict['sentence'])}**"]
    lines += ["", "| attacker | labelled pictures | words right | within 3 tries | seconds a success | labels cost |"]
    lines += ["|---|---|---|---|---|---|"]
    for row in attacker_rows(audit["attackers"], verdict["currency"]):
        lines.append(f"| {' | '.join(markdown(value) for value in row.values())} |")
    lines += [""] + [f"- left out, {markdown(line['part'])}: {markdown(line['why'])}" for line in audit["skipped"]]
    lines += ["", *(
        f"![{markdown(sample['truth'])} read as {markdown(sample['read'] or 'nothing')}]({sample['picture']})"
        for sample in audit["samples"][:PICTURES]
    )]  # fmt: skip
    return lines


def spelled_again(request: Any, left_out: Collection[str]) -> str:
    """Return the command that makes the audit again, with the options that were given, a dataclass."""
    words = ["captchas", "audit"]
    for field in fields(request):
        value = getattr(request, field.name)
        if value in (None, False) or value == field.default or field.name in left_out:
            continue
        words += [] if field.name == "target" else [f"--{field.name.replace('_', '-')}"]
        words += [] if value is True else [shlex.quote(f"{value:g}" if isinstance(value, float) else str(value))]
    return " ".join(words)


def attacker_rows(attackers: list[Attacker], currency: str) -> list[dict[str, str]]:
    """Return the attackers as rows of a table, in words."""
    return [
        {
            "attacker": entry["title"], "labelled_pictures": f"{entry['labels']:,}",
            "words_right": _told_rate(entry), "within_3_tries": _told_tries(entry),
            "seconds_a_success": "-" if entry["seconds_a_success"] is None else f"{entry['seconds_a_success']:,.2g}",
            "labels_cost": "-" if entry["cost"] is None else f"{entry['cost']:,.2f} {currency}",
        }
        for entry in attackers
    ]  # fmt: skip


def _told_rate(entry: Attacker) -> str:
    words = entry["words"]
    if words is None:
        return f"not tried: {entry['why_not']}"
    rate = Rate(words["right"], words["n"])
    return f"{percent(rate.value)} ({told_interval(rate)})"


def _told_tries(entry: Attacker) -> str:
    three = entry["tries"].get("3")
    return "-" if three is None or three["rate"] is None else percent(three["rate"])


@task(cache_policy=NO_CACHE, task_run_name="write the report")
def write_result(folder: Path, audit: Audit) -> None:
    """Write audit.json, a dated copy of it and the page; show the first screen in Prefect."""
    stamp = re.sub("[-:]", "", audit["made"]["started"])
    save_audit(folder, audit, write_page(audit), stamp)
    lines = [*first_screen(audit), "", f"The whole report: {code(folder / PAGE)}"]
    create_markdown_artifact("\n".join(lines), key=artifact_key("audit", audit["target"]["name"]))


def for_people(audit: Mapping[str, Any], folder: str, page: str | None, kept: bool) -> dict[str, Any]:
    """Return what the command prints."""
    verdict = audit["verdict"]
    return {
        "kept": kept, "verdict": verdict["word"], "sentence": verdict["sentence"], "audit": folder,
        "page": page, "json_file": f"{folder}/audit.json", "target": audit["target"]["name"],
        "dataset": audit["target"]["dataset"], "pictures": audit["target"]["pictures"],
        "unseen": verdict["unseen"], "needed": verdict["needed"], "words": verdict["words"],
        "failed_pictures": failures_told(audit["target"].get("generator")),
        "attackers": attacker_rows(audit["attackers"], verdict["currency"]),
        "findings": [
            {"severity": found["severity"], "finding": found["title"], "what_it_means": found["plain"]}
            for found in audit["findings"] if found["severity"] in ("high", "low")
        ],
        "left_out": audit["skipped"], "minutes": round(audit["made"]["seconds"] / 60, 2),
        # The sentence has the words right; that an audit is new needs no line.
        "shown": {"words": None, "kept": "this audit was finished before; --again attacks anew" if kept else None},
    }  # fmt: skip
