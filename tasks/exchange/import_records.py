"""The records of an import, beside the other reports: its pictures, and the files that it left out."""

import io
import json
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Any

from storage.files import atomic
from storage.texts import csv_bytes
from tasks.exchange.scan import Source

PICTURES, REJECTS = "pictures.jsonl", "rejects.csv"


def write_records(source: Source, records: Path, csv_safe: bool = False) -> None:
    """Write `pictures.jsonl`, a line for each picture, and `rejects.csv`, a line for each file that was left out.

    With `csv_safe` the latter holds nothing that a spreadsheet would run.
    """
    lines = io.BytesIO()
    lines.writelines(source.lines())
    atomic.replace(records / PICTURES, lines.getvalue())
    atomic.replace(records / REJECTS, csv_bytes([("path", "reason"), *source.rejects], safe=csv_safe))


def changes(there: dict[str, Any], source: Source, records: Path) -> str:
    """Say how the files differ from those of the last import.

    Parameters
    ----------
    there : dict
        The last import's source, from its manifest.
    records : Path
        The folder with the last import's list of files. Without it only the numbers of pictures are told.
    """
    try:
        data = (records / PICTURES).read_bytes()
        if sha256(data).hexdigest() != there["digest"]:
            data = b""
    except OSError:
        data = b""
    if not data:
        return f"{there['pictures']:,} pictures there, {len(source.pairs):,} now"
    before = {path: (file, label) for path, label, file in map(json.loads, data.splitlines())}
    counts: Counter[str] = Counter()
    paths: list[str] = []
    for path, label, file in map(json.loads, source.lines()):
        was = before.pop(path, None)
        if was != (file, label):
            counts["added" if was is None else "changed" if was[0] != file else "labelled anew"] += 1
            paths.append(path)
    counts["removed"] = len(before)
    said = ", ".join(f"{counts[kind]:,} {kind}" for kind in ("added", "removed", "changed", "labelled anew"))
    return f"{said}, for instance {min([*paths, *before])!r}"
