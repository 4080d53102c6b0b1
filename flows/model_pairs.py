"""A classic and a deep model of one name that learnt from the same datasets: which of them reads, by validation."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from flows.home import home, model_file
from storage.errors import Damaged, NotThere
from storage.files.places import Place
from storage.model_records import load_record
from storage.models import model_digest
from storage.pairs import PairScores, Readers, load_pair, record_of_pair
from storage.served_model import SUFFIXES, without_suffix
from tasks.both_readers import RULE, SURE
from tasks.rates import Rate
from tasks.reading.ranking import Ranking

_MOST_NAMED = 3  # datasets that a sentence names


class ModelPair(NamedTuple):
    """The files of a classic and a deep model of one name."""

    classic: Path
    deep: Path

    def told(self, readers: Readers) -> str:
        """Tell which files read."""
        match readers:
            case Readers.BOTH:
                return f"{self.classic.name} where it is {100 * SURE:.0f} % sure, else {self.deep.name}"
            case Readers.CLASSIC:
                return self.classic.name
            case Readers.DEEP:
                return self.deep.name


class Verdict(NamedTuple):
    """Which of two models read, and why, in words."""

    readers: Readers
    why: str


def pair_named(name: str) -> ModelPair | None:
    """Return the models of a name without an ending, if both kinds are under the home and learnt from the same."""
    return pair_beside(model_file(name)) if without_suffix(name) == name and Path(name).name == name else None


def pair_beside(file: Place) -> ModelPair | None:
    """Return a model under the home and the model of the other kind beside it, if both learnt from the same."""
    if not isinstance(file, Path) or file.parent.resolve() != (home() / "models").resolve():
        return None
    classic, deep = (file.with_name(without_suffix(file.name) + suffix) for suffix in SUFFIXES)
    pair = ModelPair(classic, deep)
    if not (classic.is_file() and deep.is_file()):
        return None
    return pair if scores_of(pair) or _learnt_the_same(pair) else None


def scores_of(pair: ModelPair) -> PairScores | None:
    """Return what validation showed of two models as they are now; None if nobody measured them."""
    return load_pair(record_of_pair(pair.classic), model_digest(pair.classic), model_digest(pair.deep), RULE)


def verdict(pair: ModelPair, words: bool) -> Verdict:
    """Return which of two models read: what had the most validation pictures right.

    Parameters
    ----------
    words : bool
        Whether answers are words of a dictionary.
    """
    scores = scores_of(pair)
    if scores is None:
        return _by_own_scores(pair)
    ranking = Ranking.PROBABILITY.value if words and Ranking.PROBABILITY.value in scores.right else Ranking.NONE.value
    right = scores.right[ranking]
    rates = ", ".join(f"{readers} {100 * right[readers] / scores.n:.1f} %" for readers in Readers)
    names = ", ".join(scores.datasets[:_MOST_NAMED]) + (", …" if len(scores.datasets) > _MOST_NAMED else "")
    return Verdict(scores.best(ranking), f"the best on {scores.n:,} validation pictures of {names}: {rates}")


def told_pair(pair: ModelPair) -> str:
    """Tell what reads if both models are named together, and why."""
    scores = scores_of(pair)
    found = verdict(pair, words=scores is not None and Ranking.PROBABILITY.value in scores.right)
    return f"{pair.told(found.readers)} ({found.why})"


def learnt_from(pair: ModelPair) -> list[tuple[str, str]]:
    """Return the name and the identity of each dataset that two models learnt from."""
    return sorted(_learnt(load_record(pair.classic)))


def _learnt(record: Mapping[str, Any]) -> set[tuple[str, str]]:
    datasets = record.get("datasets")
    listed = datasets if isinstance(datasets, list) else []
    return {(str(data.get("name")), str(data.get("identity"))) for data in listed if isinstance(data, dict)}


def _learnt_the_same(pair: ModelPair) -> bool:
    try:
        classic, deep = (_learnt(load_record(file)) for file in pair)
    except (NotThere, Damaged):  # whoever reads with them tells what is wrong
        return False
    if load_record(pair.deep).get("folded"):  # the answers of one would be in capitals, those of the other not
        return False
    return bool(classic) and {identity for _, identity in classic} == {identity for _, identity in deep}


def _by_own_scores(pair: ModelPair) -> Verdict:
    """Compare what each model had right when it was trained: perhaps other pictures of the same split."""
    classic, deep = (load_record(file) for file in pair)
    found = deep.get("scores")
    parts = {
        Readers.CLASSIC: [classic.get("validation")],
        Readers.DEEP: [part.get(Ranking.NONE.value) for part in found.values() if isinstance(part, dict)]
        if isinstance(found, dict) else [],
    }  # fmt: skip
    rates = {readers: _pooled(found) for readers, found in parts.items()}
    told = ", ".join(f"{readers} {rate}" for readers, rate in rates.items())
    why = f"the best when trained: {told}; `captchas evaluate {pair.classic.stem} DATASET` tries both together"
    return Verdict(max(rates, key=lambda readers: rates[readers].right / max(rates[readers].n, 1)), why)


def _pooled(records: Sequence[object]) -> Rate:
    """Add up rates of a record; those that are none are left out."""
    right = n = 0
    for record in records:
        try:
            rate = Rate(record["right"], record["n"])  # type: ignore[index]  # what a file holds
        except (KeyError, TypeError, ValueError):
            continue
        right, n = right + rate.right, n + rate.n
    return Rate(right, n)


def own_models() -> list[str]:
    """Return the names of the models under the home, newest first, without the copies that were put aside."""
    models = home() / "models"
    found = [path for path in models.glob("*") if path.suffix in SUFFIXES and path.is_file()]  # a link may lead nowhere
    names = {path.stem for path in found}
    aside = re.compile(r"(.+)-[0-9a-f]{8}")
    mine = [path for path in found if not ((kept := aside.fullmatch(path.stem)) and kept[1] in names)]
    return [*dict.fromkeys(path.stem for path in sorted(mine, key=lambda path: -path.stat().st_mtime))]
