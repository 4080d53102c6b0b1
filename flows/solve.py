"""Read a folder of pictures into a CSV file: list, read in batches on Dask, write the answers as they come."""

import time
from pathlib import Path

from prefect import flow, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from flows.cluster import crew, fan_out
from flows.home import SHIPPED, home, model_file, pictures_at
from flows.parameters import Count, Name, Share
from flows.progress import artifact_key, stage
from flows.runs import RETRIES, named, told
from storage import atomic
from storage.errors import BadInput
from tasks import solve as units
from tasks.ranking import Ranking


def check(
    path: Path,
    *,
    model: str | None = None,
    dictionary: str = "web2",
    ranking: Ranking = Ranking.PROBABILITY,
    out: Path | None = None,
    abstain_below: float = 0.0,
    alphabet: str | None = None,
    length: str | None = None,
    **_,
) -> tuple[Path, Path, tuple[str, ...], tuple[int, int] | None]:
    """Where the answers go, the model's file, the dictionary and the length, or an error that names what is wrong."""
    path = pictures_at(path)
    lengths = units.parse_length(length)
    if not 0 <= abstain_below <= 1:
        raise BadInput(f"abstain-below: must be from 0 to 1; it is {abstain_below}")
    name = path.resolve().name if path.is_dir() else path.stem
    out = out or home() / "answers" / name / "answers.csv"
    if out.is_dir():
        raise BadInput(f"out: must be a file to write the answers to; {out} is a folder")
    if not path.is_dir():  # one without a picture is none too few: an inbox is empty most of the time
        units.must_have_files(path, out)
    atomic.make_folder(out.parent)  # now, not after an hour's reading
    chosen = model_file(model) if model else newest_model()
    words = units.dictionary_of(dictionary, chosen, alphabet, lengths) if ranking is not Ranking.NONE else ()
    units.reader_of(units.plan(chosen, words, ranking if words else Ranking.NONE, abstain_below, alphabet, lengths))
    return out, chosen, words, lengths


@flow(flow_run_name=named("solve", "path"))
@told
def solve(
    path: Path,
    *,
    model: Name | None = None,
    dictionary: Name = "web2",
    ranking: Ranking = Ranking.PROBABILITY,
    out: Path | None = None,
    abstain_below: Share = 0.0,
    alphabet: Name | None = None,
    length: Name | None = None,
    workers: Count | None = None,
    cluster: Name | None = None,
) -> dict:
    """Read a folder of pictures, or one picture, into a CSV file.

    PNG, JPEG, GIF, BMP, WebP and TIFF, of any colours and either polarity, in nested folders. A file
    that cannot be read costs one row with the reason. The file names are not looked at.

    Parameters
    ----------
    path
        A folder, or one picture; or a name under the home, such as inbox.
    model
        A model's name under the home, or its file; by default the newest one there, or the one that is shipped.
    dictionary
        web2 (the book's four-letter words), the path of a word list, or none for random strings.
    ranking
        How a word is chosen: by letter probabilities, the book's equal positions, Levenshtein, or none.
    out
        The CSV file; by default answers/FOLDER/answers.csv under the home.
    abstain_below
        Leave a word unanswered if its confidence is below this, from 0 to 1.
    alphabet
        The characters that may occur, such as 0123456789; by default all that the model knows.
    length
        How many letters there are, such as 4 or 4-6; by default as many as the dictionary's words have.
    workers
        Local processes; by default one a core.
    cluster
        Address of a Dask scheduler to use instead, such as tcp://host:8786.
    """
    path = pictures_at(path)
    out, chosen, words, lengths = check(
        path, model=model, dictionary=dictionary, ranking=ranking, out=out, abstain_below=abstain_below,
        alphabet=alphabet, length=length,
    )  # fmt: skip
    plan = units.plan(chosen, words, ranking if words else Ranking.NONE, abstain_below, alphabet, lengths)
    done, seconds = read(path, out, plan, workers, cluster)
    total = sum(done.counts.values())
    report = {
        "answers": str(out),
        "folder": str(units.folder_of(path)),
        "model": str(chosen),
        "dictionary_words": len(words),
        "total": total,
        **done.counts,
        "seconds": round(seconds, 2),
        "pictures_per_second": round(total / seconds),
        "failures": done.failures,
    }
    rows = [{"what": key, "value": str(value)} for key, value in report.items() if key != "failures"]
    create_table_artifact(rows, key=artifact_key("solve", units.folder_of(path).name), description=str(out))
    return report


@task(cache_policy=NO_CACHE, task_run_name="read", **RETRIES)
def read(
    path: Path, out: Path, plan: units.SolvePlan, workers: int | None, cluster: str | None
) -> tuple[units.Solved, float]:
    """Read all files on Dask, and write each answer when those before it are written.

    Also the seconds that it took, once the workers were there. The files are counted first, for the bar: that
    takes a millionth of a second each.
    """
    with crew(workers, cluster) as client, stage("solving", units.count(path, out)) as shown:
        began = time.monotonic()
        receipts = fan_out(
            client, units.solve_batch, units.batches(path, out, plan), in_order=True,
            on_done=lambda one: shown.advance(one.files),
        )  # fmt: skip
        return units.write_answers(out, receipts), time.monotonic() - began


def newest_model() -> Path:
    """The model under the home that was trained last, or the one that is shipped."""
    models = sorted((home() / "models").glob("*.skops"), key=lambda path: path.stat().st_mtime)
    return models[-1] if models else SHIPPED
