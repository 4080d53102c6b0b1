"""The unit of promoting: whether a new model may take the place of the one that is served, and the exchange."""

from dataclasses import asdict, dataclass

import numpy as np

from tasks.rates import Rate
from tasks.reading.ranking import Ranking
from tasks.scoring.evaluate import EvaluateReceipt


@dataclass(frozen=True)
class Pairs:
    """What two models made of the same `n` pictures: both right, one of them only; the others, both wrong.

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
        """Of the new model."""
        return Rate(self.both + self.only_new, self.n)

    @property
    def served(self) -> Rate:
        """Of the one that is served."""
        return Rate(self.both + self.only_served, self.n)

    @property
    def share(self) -> Rate:
        """How often the new one was right where only one of them was: half the time if they are equally good."""
        return Rate(self.only_new, self.only_new + self.only_served)

    def as_dict(self) -> dict:
        """The counts and the three rates, ready for JSON."""
        rates = {"new": self.new, "served": self.served, "share": self.share}
        return asdict(self) | {"rates": {name: rate.as_dict() for name, rate in rates.items()}}


def no_worse(pairs: Pairs) -> bool:
    """Whether the new model may be served: on the same pictures it is no worse, within a 95 % interval.

    The pictures that both read, or neither, say nothing about which is better. Of the others the new model wins a
    share, whose Wilson interval must reach one half; that it does not is McNemar's test at 5 %. Two intervals that
    overlap would be a weaker rule: they forget that the pictures are the same, and let a model pass that lost three
    times as many of them as it won.

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
    """Pair what two models read of the same shards.

    Raises
    ------
    ValueError
        Receipts of other shards or of other pictures.
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
    """By shard: the truth, and whether the answer that people get (with the dictionary, if there is one) was right."""
    found = {}
    for one in receipts:
        best = Ranking.PROBABILITY.value if Ranking.PROBABILITY.value in one.answers else Ranking.NONE.value
        answer = one.answers.get(best, np.empty(0, one.truth.dtype))
        found[one.shard] = (one.truth, answer == one.truth)
    return found
