"""Import labelled pictures: list them, measure them and fill the shards on Dask, write the manifest last."""

import re
import time
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows.home import home, new_dataset_folder
from flows.parameters import Count, File, Name
from flows.reporting.artifacts import show_report
from flows.reporting.progress import stage
from flows.reporting.runs import RETRIES, named, told
from flows.requests import command
from flows.workers.cluster import crew
from flows.workers.fanout import fan_out
from storage.errors import BadInput, NotThere
from storage.files import atomic
from storage.files.locks import locked
from storage.files.places import Place, local, place
from storage.files.targets import Owned, require_folder
from tasks.datasets.folder import complete
from tasks.datasets.totals import Gathered
from tasks.exchange.import_records import write_records
from tasks.exchange.ingest import colour_there, fill_jobs, fill_shard, require_imported, require_same_files
from tasks.exchange.ingest import report as report_of
from tasks.exchange.labelling import LabelOptions, Zeros, parse_columns
from tasks.exchange.labels import find_labels
from tasks.exchange.preview import PAIRS, Preview, dry_report
from tasks.exchange.scan import ImportRequest, Listing, Source, scan_files
from tasks.loading.decode import Colour, Invert
from tasks.profiles.profile import Profile


@dataclass(frozen=True)
class IngestRequest:
    """The folder to import, and how to read it.

    Parameters
    ----------
    folder
        The folder of the pictures. Nothing is written there.
    labels
        A file of labels: a table (.csv, .tsv), lines of path and label (.txt), or JSON. By default such a file in
        the folder, or a .txt or .gt.txt beside each picture, or else the names.
    pattern
        How file names hold labels: first, last, whole, folder, capitals, a template such as '{label}_*', or a regular
        expression with a group named label. By default the part of the names that varies as labels do.
    columns
        The columns of the file of labels that hold path and label, with a comma between: names, or numbers from 1.
        Columns of a letter each are joined by plus signs: image,a+b+c+d.
    fold_case
        Make all labels upper case.
    zeros
        Labels of digits that are shorter than others: fill them with leading zeros, or keep them.
    keep_splits
        Take the split from folders train, val and test; by default it follows from the pixels.
    dry_run
        Show some pictures with their labels, and import nothing.
    name
        Of the dataset; by default the folder's.
    out
        The dataset's own folder, or its URL in an object store; by default datasets/NAME under the home.
    alphabet
        The characters that labels may have; by default those that occur.
    invert
        Whether the pictures are dark on light: auto finds out for each, yes or no say it of all.
    colour
        Whether pictures keep their colours, as people see them, or become ink on an empty ground: auto keeps them
        if any picture has a colour.
    csv_safe
        In rejects.csv, put an apostrophe before what a spreadsheet would run: = + - @ at the beginning of a name.
    workers
        Local processes; by default one for each core.
    cluster
        Address of a Dask scheduler to use instead, such as tcp://host:8786.
    """

    folder: File
    _: KW_ONLY
    labels: File | None = None
    pattern: Name | None = None
    columns: Name | None = None
    fold_case: bool = False
    zeros: Zeros | None = None
    keep_splits: bool = False
    dry_run: bool = False
    name: Name | None = None
    out: File | None = None
    alphabet: Name | None = None
    invert: Invert = Invert.AUTO
    colour: Colour = Colour.AUTO
    csv_safe: bool = False
    workers: Count | None = None
    cluster: Name | None = None


def check(request: IngestRequest) -> tuple[ImportRequest, Place]:
    """Find what to import and the dataset's folder, or name the wrong parameter."""
    folder, alphabet = request.folder, request.alphabet
    root = local(folder, "folder").resolve()
    if not root.exists():
        raise NotThere(f"{folder}: no such folder; check the path")
    if not root.is_dir():
        raise BadInput(f"{folder} is a file, not a folder; give the folder that holds it")
    chosen = request.name or re.sub(r"[^\w-]+", "-", root.name).strip("-")
    if not chosen:
        raise BadInput(f"name: must be given with --name, since {root} has none of letters and digits")
    Profile(chosen, alphabet=alphabet or "A")  # their rules
    target = place(request.out) if request.out else new_dataset_folder(chosen)
    for there, option in ((target, "out"), (home(), "home")):
        if there.resolve().is_relative_to(root):
            raise BadInput(f"{option}: must be outside the folder that is imported; {there} is in {root}")
    require_folder(target, "out", may_be=Owned.DATASET)
    require_imported(target)
    options = LabelOptions(parse_columns(request.columns), request.fold_case, request.zeros and Zeros(request.zeros))
    labelling = find_labels(root, request.labels and Path(request.labels).resolve(), request.pattern, options)
    invert, colour = Invert(request.invert), _colour(request, target)
    wanted = ImportRequest(root, chosen, labelling, alphabet or "", invert, request.keep_splits, colour)
    return wanted, target


def _colour(request: IngestRequest, target: Place) -> Colour:
    """Return whether pictures keep their colours, where something else than the pictures decides it."""
    colour, invert = Colour(request.colour), Invert(request.invert)
    if colour is Colour.KEEP and invert is not Invert.AUTO:
        raise BadInput(f"invert: tells which side is ink, and --colour keep makes no ink; it is {invert.value}")
    if colour is Colour.AUTO and invert is not Invert.AUTO:
        return Colour.GREY
    return colour_there(target) or colour if colour is Colour.AUTO else colour


@flow(flow_run_name=named("import", "folder", "name"))
@told
@command(IngestRequest, check)
def ingest(request: IngestRequest, checked: tuple[ImportRequest, Place]) -> dict[str, object]:
    """Make a dataset of a folder of labelled pictures.

    PNG, JPEG, GIF, BMP, WebP and TIFF in nested folders, read as `solve` reads them. Labels are taken from
    a file of labels in the folder, from a text file beside each picture, or from the file names. Where two of
    them or two parts of the names fit, both are shown and nothing is guessed. Files without a label
    and files that are no pictures are left out and listed with the reason.
    """
    wanted, target = checked
    records = home() / "reports" / "import" / target.resolve().name
    run = atomic.new_run()
    began = time.monotonic()
    if request.dry_run:
        return dry_report(Listing(wanted), records)
    with locked(target), crew(request.workers, request.cluster):
        source = measure(Listing(wanted))
        require_same_files(source, target, records)
        write_records(source, records, request.csv_safe)
        atomic.make_folder(target)
        gathered = fill(source, target, run)
        complete(target, gathered, run)
        Preview(source.wanted, source.pairs).write_sheet(records / PAIRS)
        report = report_of(source, target, records, gathered, time.monotonic() - began)
    show_report("import", {key: value for key, value in report.items() if key not in ("rejects", "shown")}, target)
    return report


@task(cache_policy=NO_CACHE, task_run_name="measure", **RETRIES)
def measure(listing: Listing) -> Source:
    """Digest and measure every labelled file on Dask."""
    with crew(reads=[listing.wanted.folder]) as client, stage("measuring", len(listing.pairs)) as shown:
        jobs = listing.jobs()
        sizes = [len(job.paths) for job in jobs]
        return Source(
            listing, fan_out(client, scan_files, jobs, on_done=lambda receipt: shown.advance(sizes[receipt.number]))
        )


@task(cache_policy=NO_CACHE, task_run_name="fill", **RETRIES)
def fill(source: Source, folder: Place, run: str) -> Gathered:
    """Fill the shards on Dask; an intact shard costs a read."""
    gathered = Gathered(source.identity, source.wanted.labelling.as_dict())
    with crew(writes=[folder]) as client, stage("filling", len(source.pairs)) as shown:
        for receipt in fan_out(client, fill_shard, fill_jobs(source, folder, run)):
            gathered.add(receipt)
            shown.advance(receipt.record.count)
    return gathered
