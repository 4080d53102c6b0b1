"""Export a dataset: write the part of each shard on Dask, then the index and the record."""

import time
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import NamedTuple

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE

from flows.home import dataset_folder, home
from flows.parameters import Count, File, Name
from flows.reporting.artifacts import show_report
from flows.reporting.progress import stage
from flows.reporting.runs import RETRIES, named, told
from flows.requests import command
from flows.workers.cluster import crew
from flows.workers.fanout import fan_out
from storage.dataset import Dataset
from storage.files import atomic
from storage.files.locks import locked
from storage.files.places import local
from storage.files.targets import Owned, require_folder
from storage.shards.shard import Split
from tasks.exchange.export import (
    ExportChoice,
    ExportPlan,
    begin_export,
    examine,
    finish_export,
    missing_bytes,
    plan_export,
    tidy_export,
)
from tasks.exchange.export import report as report_of
from tasks.exchange.export_part import PartReceipt, export_part, prove_shard
from tasks.exchange.formats import ExportFormat


class ExportTarget(NamedTuple):
    """The pictures to export, and the folder to write to."""

    data: Dataset
    choice: ExportChoice
    folder: Path


@dataclass(frozen=True)
class ExportRequest:
    """The dataset to export, and the format.

    Parameters
    ----------
    dataset
        A dataset's name under the home, its path, or its URL in an object store.
    format
        png: pictures and labels.csv. gt: pictures and gt.txt, for EasyOCR and
        deep-text-recognition-benchmark. tesseract: .png, .gt.txt and .box. coco: letters' boxes.
        webdataset: tar files. parquet: pictures within. hdf5: one virtual file over the shards.
    out
        A new or empty folder, or that of the same export; by default exports/DATASET-FORMAT under the home.
    split
        Only the pictures of one split; by default all, with their split beside the label.
    count
        At most so many pictures, from the first on.
    invert
        Dark on white; by default white on black, as stored.
    csv_safe
        With png: in labels.csv, put an apostrophe before what a spreadsheet would run: = + - @ at the beginning of
        a label or of a font's name.
    workers
        Local processes; by default one for each core.
    cluster
        Address of a Dask scheduler to use instead, such as tcp://host:8786.
    """

    dataset: Name
    _: KW_ONLY
    format: ExportFormat
    out: File | None = None
    split: Split | None = None
    count: Count | None = None
    invert: bool = False
    csv_safe: bool = False
    workers: Count | None = None
    cluster: Name | None = None


def check(request: ExportRequest) -> ExportTarget:
    """Find the dataset, what to export and where to, or name the wrong parameter."""
    if request.out:
        require_folder(local(request.out, "out"), "out", may_be=Owned.EXPORT)
    data = Dataset(dataset_folder(request.dataset))
    split = request.split.value if request.split else None
    choice = ExportChoice(request.format, split, request.count, request.invert, request.csv_safe)
    name = "-".join(filter(None, (data.folder.resolve().name, request.format.value, choice.split)))
    folder = local(request.out, "out") if request.out else home() / "exports" / name
    examine(data, choice, folder)
    return ExportTarget(data, choice, folder)


@flow(flow_run_name=named("export", "dataset", "format"))
@told
@command(ExportRequest, check)
def export(request: ExportRequest, target: ExportTarget) -> dict[str, object]:
    """Write a dataset's pictures and labels in a format that other tools read.

    A run that was ended at any point goes on where it was; finished parts are kept. The same choice
    gives the same bytes whatever the number of workers.
    """
    data, choice, folder = target
    began = time.monotonic()
    with locked(folder):
        plan = plan_export(data, choice, folder)
        if plan.whole:
            get_run_logger().info("%s is whole", folder)
            tidy_export(folder)
            receipts = []
        else:
            atomic.need_space(folder, missing_bytes(plan, folder))
            begin_export(plan, folder)
            receipts = write_parts(plan, choice, request.workers, request.cluster)
            finish_export(plan, folder, receipts)
    written = sum(receipt.part.pictures for receipt in receipts if not receipt.kept)
    report = report_of(folder, written, time.monotonic() - began)
    show_report("export", report, folder)
    return report


@task(cache_policy=NO_CACHE, task_run_name="write", **RETRIES)
def write_parts(plan: ExportPlan, choice: ExportChoice, workers: int | None, cluster: str | None) -> list[PartReceipt]:
    """Write a plan's parts on Dask; for a virtual dataset, prove its shards instead."""
    virtual = choice.format is ExportFormat.HDF5
    unit, name = (prove_shard, "verifying") if virtual else (export_part, "exporting")
    total = sum(job.count for job in plan.jobs)
    writes, reads = {job.out for job in plan.jobs}, {Path(job.shard).parent for job in plan.jobs}
    with crew(workers, cluster, writes=writes, reads=reads) as client, stage(name, total) as shown:
        return list(fan_out(client, unit, plan.jobs, on_done=lambda receipt: shown.advance(receipt.read)))
