"""`make bench`: speed as ratios to a reference that is timed in the same process, right before.

    python -m tests.benchmarks [--count 200000] [--large 1000000 10000000] [--starts] [--json FILE] [--markdown FILE]

Each line: what, n, a second on how many processes, and how many times the reference of its part, core for
core. Machines are noisy: the best of several rounds counts, for the references too; datasets are drawn once.
"""

import argparse
import json
import os
import platform
import shutil
import tempfile
from pathlib import Path

from flows.home import prepare_environment
from tests.benchmarks.drawing import drawing, generate, peak
from tests.benchmarks.reading import reading
from tests.benchmarks.starting import starting
from tests.benchmarks.storing import storing
from tests.benchmarks.tables import SEED, Table


def large(table: Table, counts: list[int], folder: Path, reference: float) -> None:
    """Draw datasets of `book` of some sizes; print rate, bytes, and the memory of a worker and of the client."""
    for count in counts:
        gathered = generate(table, "book", count, folder / str(count), reference, large=True)
        table.note(f"book: peak memory of the client, {count:,} pictures", peak(), "MB")
        size = sum(path.stat().st_size for path in (folder / str(count) / "book").iterdir())
        table.note(f"book: size of {count:,} pictures", size / 1e6, "MB")
        seconds = gathered.pace.seconds()
        table.note(f"book: from the first to the last of {count:,}", seconds, "s")
        shutil.rmtree(folder / str(count))


def main() -> None:
    """Run all parts."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--count", type=int, default=400_000, help="pictures to draw on all cores")
    parser.add_argument("--large", type=int, nargs="*", default=[], help="only draw datasets of these sizes")
    parser.add_argument("--starts", action="store_true", help="only time how long commands take to start")
    parser.add_argument("--folder", type=Path, help="where to draw; by default the folder for temporary files")
    parser.add_argument("--json", type=Path, help="write the results to this file too")
    parser.add_argument("--markdown", type=Path, help="write the table to this file too")
    options = parser.parse_args()
    machine = f"{len(os.sched_getaffinity(0))} cores, {platform.machine()}, Python {platform.python_version()}"
    print(f"seed {SEED}; {machine}; load {os.getloadavg()[0]:.1f}")
    table = Table()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        prepare_environment(folder)
        if options.large:
            large(table, options.large, folder, 0.0)
        elif options.starts:
            starting(table, folder)
        else:
            reference = drawing(table, options.count, folder)
            storing(table, folder, reference)
            reading(table)
            starting(table, folder)
    if options.markdown:
        options.markdown.write_text(f"Seed {SEED}; {machine}.\n\n" + table.markdown())
    if options.json:
        options.json.write_text(json.dumps({"seed": SEED, "machine": machine, "lines": table.lines}, indent=1))


if __name__ == "__main__":
    main()
