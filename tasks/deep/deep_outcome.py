"""What a deep training has led to, for people: words right on validation pictures, and what to do next."""

from collections.abc import Mapping
from typing import Any

from tasks.rates import Rate
from tasks.reading.ranking import Ranking

GOOD = 0.95  # words right, above which there is nothing to do
FEW = 10_000  # labelled pictures that are enough for most kinds of pictures (docs/deep.md)
UNSURE = 200  # validation pictures: of fewer, the rate says little
SHORT = 20  # times that each picture should be seen, if there are few
_RISING = 0.02  # by so much the share right still rose over the last quarter of a training


def summary(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the end of a report on a deep model: words right on validation pictures, and what to do next."""
    scores = record.get("scores", {})
    found = {name: {ranking: Rate(part["right"], part["n"]) for ranking, part in rates.items()}
             for name, rates in scores.items()}  # fmt: skip
    told = "; ".join(
        f"{name}: " * (len(found) > 1) + str(rate) + " with the dictionary" * (ranking != Ranking.NONE)
        for name, rates in found.items()
        for ranking, rate in rates.items()
    )
    plain = [rates[Ranking.NONE.value] for rates in found.values() if Ranking.NONE.value in rates]
    right = Rate(sum(rate.right for rate in plain), sum(rate.n for rate in plain))
    advice = _next(record, right)
    return ({"words_right_on_validation": told} if told else {}) | {
        "next": advice,
        "shown": {"next": "; ".join(advice) or None},
    }


def _next(record: Mapping[str, Any], right: Rate) -> list[str]:
    """Return what may help, most promising first."""
    advice = []
    labelled = sum(data["count"] for data in record.get("datasets", ()))
    if labelled and right.n < UNSURE:
        advice.append(f"label more pictures: {right.n} of the validation split say little of how well it reads")
    if right.n and right.right >= GOOD * right.n:
        return advice
    seen = record["pictures"] / labelled if labelled else 0
    if (labelled and seen < SHORT and labelled < FEW) or _rises(record.get("curve", ())):
        times = f"each of {labelled:,} pictures was seen {seen:.1f} times" if labelled else "the curve still rises"
        advice.append(f"train longer (--minutes): {times}")
    if "from" not in record:
        advice.append("begin with the shipped model (--from strangers)")
    if 0 < labelled < FEW:
        advice.append("label more pictures: docs/deep.md has words right over their number")
    return advice


def _rises(curve: Any) -> bool:
    shares = [look["right"] for look in curve]
    return len(shares) > 3 and shares[-1] - shares[-1 - len(shares) // 4] > _RISING
