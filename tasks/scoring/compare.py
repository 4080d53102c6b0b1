"""Compare a new model with the served model on the same pictures, to decide whether it may take its place."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tasks.rates import Rate
from tasks.reading.ranking import Ranking
from tasks.scoring.evaluate import EvaluateReceipt


@dataclass(frozen=True)
class Pairs:
    """Counts of the same `n` pictures that both models, only the new model or only the served model read right.

    Raises
    ------
    ValueError
        For counts that do not fit each other.
    """

    n: int
    both: int
    only_new: int
    only_served: int

    def __post_init__(self) -> None:
        counts = (self.both, self.only_new, self.only_served)
        if min(counts) < 0 or sum(counts) > self.n:
            raise ValueError(f"counts must be 0 or more, and {self.n} at most in all, not {counts}")

    @property
    def new(self) -> Rate:
        """Return the rate of pictures that the new model reads right."""
        return Rate(self.both + self.only_new, self.n)

    @property
    def served(self) -> Rate:
        """Return the rate of pictures that the served model reads right."""
        return Rate(self.both + self.only_served, self.n)

    @property
    def share(self) -> Rate:
        """Return how often the new model is right where only one of the two is: about half if they are equally good."""
        return Rate(self.only_new, self.only_new + self.only_served)

    def as_dict(self) -> dict[str, Any]:
        """Return the counts and the three rates, ready for JSON."""
        rates = {"new": self.new, "served": self.served, "share": self.share}
        return asdict(self) | {"rates": {name: rate.as_dict() for name, rate in rates.items()}}


def no_worse(pairs: Pairs) -> bool:
    """Tell whether the new model may be served: on the same pictures it is no worse, within a 95 % interval.

    Pictures that both models read, or neither, do not tell which is better. The new model wins a share of the others,
    and the Wilson interval of that share must reach one half: this is McNemar's test at 5 %. To ask that the
    intervals of the two models overlap would be weaker. It would forget that the pictures are the same, and pass a
    model that loses three times as many of them as it wins.

    Raises
    ------
    ValueError
        No picture at all.

    References
    ----------
    Q. McNemar, "Note on the sampling error of the difference between correlated proportions or percentages",
    Psychometrika 12, 1947.
    """
    if not pairs.n:
        raise ValueError("n must be 1 or more: without a picture nothing is known of either model")
    return pairs.share.n == 0 or pairs.share.high >= 0.5


def compare(new: list[EvaluateReceipt], served: list[EvaluateReceipt]) -> Pairs:
    """Count the pictures that two models read right in the same shards.

    Raises
    ------
    ValueError
        The receipts are of different shards, or of different pictures.
    """
    right_new, right_served = (_right(receipts) for receipts in (new, served))
    if right_new.keys() != right_served.keys():
        raise ValueError(f"both must be of the same shards, not {sorted(right_new)} and {sorted(right_served)}")
    pairs = []
    for shard in right_new:
        (truth, mine), (truth_too, theirs) = right_new[shard], right_served[shard]
        if not np.array_equal(truth, truth_too):
            raise ValueError(f"both must be of the same pictures; shard {shard} differs")
        pairs.append([len(truth), (mine & theirs).sum(), (mine & ~theirs).sum(), (~mine & theirs).sum()])
    return Pairs(*map(int, np.sum(pairs, axis=0))) if pairs else Pairs(0, 0, 0, 0)


def _right(receipts: list[EvaluateReceipt]) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Give for each shard the truth, and whether the default answer (with the dictionary, if any) is right."""
    found = {}
    for receipt in receipts:
        best = Ranking.PROBABILITY.value if Ranking.PROBABILITY.value in receipt.answers else Ranking.NONE.value
        answer = receipt.answers.get(best, np.empty(0, receipt.truth.dtype))
        found[receipt.shard] = (receipt.truth, answer == receipt.truth)
    return found
