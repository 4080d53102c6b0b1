"""Measure a classic and a deep model of one name on validation pictures, once, so that the better reading is known."""

from collections.abc import Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE

from flows.home import dataset_folder
from flows.model_pairs import ModelPair, learnt_from, pair_beside, scores_of, told_pair
from flows.reporting.progress import stage
from storage.dataset import Dataset
from storage.errors import CaptchasError
from storage.files.places import Place
from storage.pairs import PairScores, record_of_pair, save_pair
from tasks.scoring.pair import CHECKED, compare_readers


def datasets_of(pair: ModelPair) -> list[Dataset]:
    """Find the datasets that two models learnt from; none unless all are there as they were learnt from."""
    found = []
    for name, identity in learnt_from(pair):
        try:
            dataset = Dataset(dataset_folder(name))
        except CaptchasError:
            return []
        if dataset.manifest.identity != identity:
            return []
        found.append(dataset)
    return found


@task(cache_policy=NO_CACHE, task_run_name="compare the readers")
def compare(pair: ModelPair, datasets: Sequence[Dataset]) -> PairScores | None:
    """Read validation pictures with both models, and keep what that showed beside them; None without pictures."""
    pictures = sum(min(CHECKED, dataset.manifest.statistics["splits"]["validation"]) for dataset in datasets)
    with stage("comparing readers", pictures) as shown:
        scores = compare_readers(datasets, pair.classic, pair.deep, progress=shown.advance)
    if scores is not None:
        save_pair(record_of_pair(pair.classic), scores)
    return scores


def told_beside(model: Place, datasets: Sequence[Dataset]) -> dict[str, str]:
    """Compare a model that was trained with that of the other kind beside it; return what reads, for the report.

    The report has nothing of it if there is no such model that learnt from the same datasets.
    """
    pair = pair_beside(model)
    if pair is None:
        return {}
    if scores_of(pair) is None:
        compare(pair, datasets)
    return {"solve_reads_with": f"`captchas solve --model {pair.classic.stem}`: {told_pair(pair)}"}
