"""Compare two audits by their strongest attackers."""

from collections.abc import Mapping
from typing import Any, Literal

from tasks.audit.attackers.answers import flags_of
from tasks.audit.attackers.differences import Difference, paired, unpaired
from tasks.audit.attackers.verdict import percent
from tasks.rates import Rate

Told = Literal["stronger", "weaker", "not told apart"]


def compared(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Return how the second CAPTCHA compares with the first, the difference of success and its 95 % interval.

    The pictures are the same if the datasets are and both audits read as many of them; then the difference is paired.
    """
    rates = [_rate(audit) for audit in (first, second)]
    word: Told = "not told apart"
    difference, same = None, False
    if all(rate.n for rate in rates):
        flags = [_flags(audit) for audit in (first, second)]
        same = _same_pictures(first, second) and len(flags[0]) == len(flags[1]) > 0
        difference = paired(flags[0], flags[1]) if same else unpaired(rates[0], rates[1])
        word = told_of(difference)
    return {
        "second_is": word, "sentence": _sentence(word, first, second, rates, difference),
        "difference": None if difference is None else list(difference), "paired": same,
        "audits": [_row(audit, rate) for audit, rate in zip((first, second), rates, strict=True)],
    }  # fmt: skip


def told_of(difference: Difference) -> Told:
    """Return what a difference of attackers' success means for the owner."""
    if difference.high < 0:
        return "stronger"
    return "weaker" if difference.low > 0 else "not told apart"


def _same_pictures(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    contents = [audit["target"].get("content") for audit in (first, second)]
    return contents[0] is not None and contents[0] == contents[1]


def _strongest(audit: Mapping[str, Any]) -> Mapping[str, Any]:
    verdict = audit["verdict"]
    wanted = (verdict["attacker"], verdict["labels"])
    return next((one for one in audit["attackers"] if (one["name"], one["labels"]) == wanted), {})


def _flags(audit: Mapping[str, Any]) -> list[bool]:
    return flags_of(_strongest(audit).get("right") or "", _rate(audit).n)


def _rate(audit: Mapping[str, Any]) -> Rate:
    words = audit["verdict"]["words"] or {"right": 0, "n": 0}
    return Rate(words["right"], words["n"])


def _points(difference: Difference) -> str:
    value, low, high = (100 * share for share in difference)
    return f"{value:+.2f} percentage points ({low:+.2f} to {high:+.2f})"


def _sentence(
    word: Told, first: Mapping[str, Any], second: Mapping[str, Any], rates: list[Rate], difference: Difference | None
) -> str:  # fmt: skip
    names = names_of(first, second)
    if difference is None:
        return f"{names[1]} is not told apart from {names[0]}: an audit has no measured attacker."
    how = {"stronger": "is stronger than", "weaker": "is weaker than", "not told apart": "is not told apart from"}[word]
    reads = f"its strongest attacker reads {percent(rates[1].value)} instead of {percent(rates[0].value)}"
    told = f"{names[1]} {how} {names[0]}: {reads}, {_points(difference)}."
    return " ".join([told, *notes_of(first, second)])


def names_of(first: Mapping[str, Any], second: Mapping[str, Any]) -> tuple[str, str]:
    """Return the names of two audits' targets; of one target, when each audit began, too."""
    names = (first["target"]["name"], second["target"]["name"])
    began = [str(audit["made"]["started"])[:19].replace("T", " ") for audit in (first, second)]
    if names[0] != names[1] or began[0] == began[1]:
        return names
    return (f"{names[0]} of {began[0]}", f"{names[1]} of {began[1]}")


def notes_of(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """Return sentences on what else differs: defects of high severity that only one has, and the minutes."""
    return [*_defects(first, second), *_unequal(first, second)]


def _defects(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """Say which defects of high severity only one of two audits has: also they may make attackers fail."""
    high = [
        {finding["name"]: finding["title"] for finding in audit.get("findings", []) if finding["severity"] == "high"}
        for audit in (first, second)
    ]
    told = []
    for name, own, other in zip(names_of(first, second), high, high[::-1], strict=True):
        titles = [title for kind, title in own.items() if kind not in other]
        if titles:
            told.append(f"Of high severity, only {name} has: {', '.join(titles)}.")
    return told


def _unequal(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """Say that one of two audits had more time to attack, if so: then not only the pictures make the difference."""
    minutes = [audit["made"].get("minutes") for audit in (first, second)]
    if None in minutes or minutes[0] == minutes[1]:
        return []
    return [
        f"The audits had {minutes[0]:g} and {minutes[1]:g} minutes, and a longer one attacks harder: make both of "
        "one length."
    ]


def _row(audit: Mapping[str, Any], rate: Rate) -> dict[str, Any]:
    verdict = audit["verdict"]
    return {
        "target": audit["target"]["name"], "started": audit["made"]["started"], "verdict": verdict["word"],
        "attacker": verdict["attacker"], "labels": verdict["labels"], "words_right": str(rate),
    }  # fmt: skip
