"""Time how a dataset of `book` is read, proven and exported, compared with the book's procedure for a picture."""

import os
from pathlib import Path

from flows.workers.cluster import crew
from flows.workers.fanout import fan_out
from storage.dataset import Dataset
from tasks.datasets import prove
from tasks.datasets.inventory import inventory, recipe_of
from tasks.exchange.export import ExportChoice, begin_export, plan_export
from tasks.exchange.export_part import export_part
from tasks.exchange.formats import ExportFormat
from tasks.lowlevel.inflate import inflate
from tests.benchmarks.tables import Table, best

FIELDS = ("images", "text")


def storing(table: Table, folder: Path, reference: float) -> None:
    """Time all parts on the dataset `book` in `folder`."""
    data = Dataset(folder / "book", inflate)
    workers = len(os.sched_getaffinity(0))
    n = len(data)

    def read(*inflate, **options) -> float:  # opened each time, for a dataset proves a shard once
        def through():
            for _ in Dataset(data.folder, *inflate).batches(1024, fields=FIELDS, **options):
                pass

        return n / best(through)

    table.add("book: read images and text in order, one thread", n, read(inflate, threads=1), 1, reference)
    table.add("book: read images and text in order", n, read(inflate), workers, reference)
    mixed = read(inflate, shuffle=1)
    table.add("book: read images and text, shuffled, buffer of 16 blocks", n, mixed, workers, reference)
    table.add("book: read in order by zlib, as Dataset(PATH) does by itself", n, read(), workers, reference)
    with crew(workers) as client:
        found = inventory(data.folder)
        recipe = recipe_of(found, None, None)
        for name, with_recipe in (("verify", None), ("verify --redraw", recipe)):
            jobs = prove.bundles(prove.proof_jobs(found, with_recipe), workers)
            seconds = best(lambda jobs=jobs: list(fan_out(client, prove.prove_all, jobs)))
            table.add(f"book: {name}", n, n / seconds, workers, reference)
        count = min(n, 50_000)
        rounds = iter(("png", "png-again"))

        def export():
            plan = plan_export(data, ExportChoice(ExportFormat.PNG, count=count), out := folder / next(rounds))
            begin_export(plan, out)
            list(fan_out(client, export_part, plan.jobs))

        # Twice: ext4 without a journal passes over files that were deleted minutes ago, by whatever ran before.
        table.add("book: export as PNG", count, count / best(export, 2), workers, reference)
