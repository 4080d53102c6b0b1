"""Measure a classic and a deep model on the same pictures, alone and together, to tell which should read."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from storage.dataset import Dataset
from storage.errors import BadInput
from storage.models import model_digest
from storage.pairs import PairScores, Readers
from tasks.both_readers import RULE
from tasks.lowlevel.inflate import inflate
from tasks.readers import load_both
from tasks.reading.ranking import Ranking
from tasks.scoring.block_readers import read_by_both
from tasks.scoring.evaluate import dictionary_of

CHECKED = 4096  # validation pictures of a dataset, rounded up to whole blocks


def compare_readers(
    datasets: Sequence[Dataset],
    classic: Path,
    deep: Path,
    most: int = CHECKED,
    progress: Callable[[int], object] = lambda _count: None,
) -> PairScores | None:
    """Read validation pictures with two models, alone and together; None if the datasets have no such picture.

    Letters and lengths are known; words too, if a dataset was drawn from English words.

    Parameters
    ----------
    datasets : sequence of Dataset
        That both models learnt from.
    most : int
        Pictures of each, rounded up to whole blocks.
    progress : callable
        Is told how many pictures were read since the last time.

    Raises
    ------
    BadInput, Damaged
    """
    models = (str(classic), model_digest(classic)), (str(deep), model_digest(deep))
    counts: dict[str, dict[Readers, int]] = {}
    n = 0
    ranked = [(dataset, _words_of(dataset)) for dataset in datasets]
    rankings = (Ranking.NONE, *([Ranking.PROBABILITY] if all(words for _, words in ranked) else []))
    for dataset, words in ranked:
        profile, read = dataset.manifest.profile, 0
        both = load_both(*models, words, None, profile["alphabet"], tuple(profile["length"]))
        for block in Dataset(dataset.folder, inflate).blocks("validation"):
            found, truth = read_by_both(both, block, rankings), np.array(block.texts())
            for ranking in rankings:
                told = counts.setdefault(ranking.value, dict.fromkeys(Readers, 0))
                for readers, right in found.right(truth, ranking).items():
                    told[readers] += int(right.sum())
            read += len(truth)
            progress(len(truth))
            if read >= most:
                break
        n += read
    names = tuple(dataset.folder.name for dataset in datasets)
    return PairScores(models[0][1], models[1][1], RULE, names, n, counts) if n else None


def _words_of(dataset: Dataset) -> tuple[str, ...]:
    try:
        return dictionary_of(dataset, None)
    except BadInput:  # of a user's list, which nobody gives here
        return ()
