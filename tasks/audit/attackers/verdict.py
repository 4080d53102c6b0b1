"""The verdict on a CAPTCHA: three words, by rules, and the sentence that says why."""

import math
from collections.abc import Sequence
from statistics import NormalDist

from tasks.audit.attackers.answers import flags_of
from tasks.audit.attackers.differences import paired
from tasks.audit.schema import (
    BROKEN,
    BROKEN_RATE,
    HELD,
    NOT_SHOWN,
    WEAK_RATE,
    Attacker,
    Finding,
    Skipped,
    Verdict,
    Word,
)
from tasks.rates import Rate, Z, wilson

HELD_LABELS = 10_000  # labelled pictures that both trained readers must have had before a CAPTCHA has held
TRAINED = ("classic", "deep")
MEMORY, FILE = "memory", "file"
RIGHT_TO_LEFT = "reading from right to left"  # a part that is left out


def strongest(attackers: Sequence[Attacker]) -> Attacker | None:
    """Return the attacker whose interval has the highest lower end, of equals the one with fewer labels."""
    measured = [attacker for attacker in attackers if attacker["tried"] and attacker["words"]]
    return max(measured, key=lambda attacker: (_low(attacker), _right(attacker), -attacker["labels"]), default=None)


def verdict_of(
    attackers: Sequence[Attacker], unseen: int, skipped: Sequence[Skipped], price: float, currency: str,
    few: str | None = None, findings: Sequence[Finding] = (),
) -> Verdict:  # fmt: skip
    """Judge; `few` says why there are few unseen pictures, and what it would take. `findings` are the defects.

    *Broken*: the strongest attacker's rate is above `BROKEN_RATE`, and not because it was picked among many. Each of k
    attackers is judged by an interval of 1 - 0.05 / k (Bonferroni), so that a CAPTCHA which nobody reads is called
    broken in 5 % of all audits at most. To measure the strongest once more on other pictures would do the same, but
    halve the pictures of all attackers, and few owners have many labelled pictures.

    *Held against what was tried*: the upper ends of all attackers are below `WEAK_RATE`, both trained readers had
    `HELD_LABELS` labelled pictures, nothing that attacks was left out, and no defect of high severity was found: one
    may be used in a way that no attacker tried, or show that people cannot pass either. All attackers must pass, so no
    correction is needed: it could only fail to hold by failing for the strongest.

    *Not shown to be strong*: all else.
    """
    best = strongest(attackers)
    measured = [attacker for attacker in attackers if attacker["tried"] and attacker["words"]]
    low = None if best is None else _corrected_low(best, len(measured))
    reasons = [] if best is None else [*_reasons(measured, attackers, skipped), *_defects(findings)]
    word: Word = NOT_SHOWN
    if low is not None and low > BROKEN_RATE:
        word, reasons = BROKEN, []
    elif best is not None and not reasons:
        word = HELD
    return {
        "word": word,
        "sentence": _sentence(word, best, low, len(measured), reasons, (price, currency)) + _told_few(few),
        "attacker": None if best is None else best["name"], "labels": 0 if best is None else best["labels"],
        "words": None if best is None else best["words"], "unseen": unseen,
        "needed": needed_unseen() if word != BROKEN and _too_few(measured) else None,
        "price_a_label": price, "currency": currency, "compared": len(measured), "low": low, "reasons": reasons,
    }  # fmt: skip


def needed_unseen() -> int:
    """Return the unseen pictures, none of them read, whose interval ends below `WEAK_RATE`: z2 / (n + z2) < rate."""
    return math.floor(Z**2 * (1 / WEAK_RATE - 1)) + 1


def helps(before: Attacker, after: Attacker) -> bool:
    """Tell whether more labelled pictures may still help.

    They no longer do where the CAPTCHA is broken already, and no gain is shown: its interval on the same pictures
    reaches 0. Below `BROKEN_RATE` more labels may always be what was missing.
    """
    one, other = before["words"], after["words"]
    if one is None or other is None or _low(before) <= BROKEN_RATE:
        return True
    count = min(one["n"], other["n"])
    return paired(flags_of(before["right"] or "", count), flags_of(after["right"] or "", count)).low > 0


def _rate(attacker: Attacker) -> Rate:
    words = attacker["words"]
    return Rate(words["right"], words["n"]) if words else Rate(0, 0)


def _low(attacker: Attacker) -> float:
    return _rate(attacker).low


def _right(attacker: Attacker) -> float:
    return _rate(attacker).value


def _corrected_low(best: Attacker, compared: int) -> float:
    """Return the lower end of an interval that holds for all attackers at once."""
    rate = _rate(best)
    return wilson(rate.right, rate.n, NormalDist().inv_cdf(1 - 0.025 / compared))[0]


def _too_few(measured: Sequence[Attacker]) -> bool:
    return any(_rate(attacker).n < needed_unseen() for attacker in measured)


def _reasons(measured: Sequence[Attacker], attackers: Sequence[Attacker], skipped: Sequence[Skipped]) -> list[str]:
    """Return why it is not shown to hold; none if it held."""
    reasons = []
    above = [attacker for attacker in measured if _low(attacker) > WEAK_RATE]
    open_ = [attacker for attacker in measured if _rate(attacker).high >= WEAK_RATE and attacker not in above]
    if above:
        reasons.append(f"{len(above)} of {len(measured)} attackers get through more often than once in 10,000 tries")
    if open_:
        fewest = min(_rate(attacker).n for attacker in open_)
        reasons.append(
            f"{fewest:,} unseen pictures are too few to show less than 0.01 %; it takes {needed_unseen():,} of which "
            "none is read, by every attacker"
        )
    for name in TRAINED:
        had = [attacker["labels"] for attacker in measured if attacker["name"] == name]
        if not had:
            why = next((a["why_not"] for a in attackers if a["name"] == name and a["why_not"]), "it was left out")
            reasons.append(f"the {name} reader was not trained on it: {why}")
        elif max(had) < HELD_LABELS:
            reasons.append(
                f"the {name} reader had {max(had):,} labelled pictures at most; attackers may have {HELD_LABELS:,}"
            )
    if any(line["part"] == "attackers" for line in skipped):
        reasons.append("attackers were left out, since the budget ended")
    if any(line["part"] == RIGHT_TO_LEFT for line in skipped):
        reasons.append("its letters run from right to left, and readers that are trained here go from left to right")
    return reasons


def _defects(findings: Sequence[Finding]) -> list[str]:
    """Return what the findings say against a CAPTCHA that no attacker reads."""
    high = [finding["title"] for finding in findings if finding["severity"] == "high"]
    if not high:
        return []
    return [f"{'a defect' if len(high) == 1 else 'defects'} of high severity stand{'s' * (len(high) == 1)} against it: "
            f"{', '.join(high)}"]  # fmt: skip


def _sentence(
    word: Word, best: Attacker | None, low: float | None, compared: int, reasons: Sequence[str],
    price: tuple[float, str],
) -> str:  # fmt: skip
    if best is None or low is None:
        return "Not shown to be strong: no attacker could be measured."
    rate = _rate(best)
    who = best["title"] + _told_labels(best, *price)
    if word == BROKEN:
        three = best["tries"]["3"]["rate"]
        does = f"{who} reads {percent(rate.value)} of the pictures that it has not seen"
        if best["name"] == MEMORY:  # it has seen what it answers, and reads nothing
            cost = f" (labels for {best['cost']:,.2f} {price[1]})" if best["cost"] else ""
            does = (
                f"pictures come again. Who keeps {best['labels']:,} of them with their texts{cost} knows the answer to "
                f"{percent(rate.value)} of those that are shown, without reading any"
            )
        elif best["name"] == FILE:
            does = (
                "the answer stands in the file. Who opens it, without any labelled picture, knows the answer to "
                f"{percent(rate.value)} of the pictures, without looking at any"
            )
        return (
            f"Broken: {does} ({told_interval(rate)}), and gets through within three tries in {percent(three or 0.0)}. "
            f"Allowing for the {compared} attackers that were compared, it is above {percent(low)}; 1 % counts as "
            "broken."
        )
    if word == HELD:
        return (
            f"Held against what was tried: of {compared} attackers none reads more than {percent(rate.high)} of the "
            f"pictures; the strongest was {who} ({told_interval(rate)}). Others may still read it."
        )
    return (
        f"Not shown to be strong: the strongest of {compared} attackers, {who}, has {percent(rate.value)} right "
        f"({told_interval(rate)}), not surely more than the 1 % that counts as broken. But {'; '.join(reasons)}."
    )


def _told_few(few: str | None) -> str:
    return f" {few[:1].upper()}{few[1:]}." if few else ""


def _told_labels(attacker: Attacker, price: float, currency: str) -> str:
    if not attacker["labels"]:
        return " without any labelled picture"
    cost = f" ({attacker['labels'] * price:,.2f} {currency})" if attacker["cost"] else ""
    return f" with {attacker['labels']:,} labelled pictures{cost}"


def told_interval(rate: Rate) -> str:
    """Return the interval of a rate as people read it: `84.7 to 90.0 %, n = 700`."""
    return str(rate).partition("(")[2].rstrip(")")


def percent(share: float) -> str:
    """Return a share as people read it: enough decimals to tell it from 0, and no "100" for what is less."""
    if share in (0.0, 1.0):
        return f"{100 * share:.0f} %"
    if share >= 0.9995:
        return "nearly 100 %"
    decimals = 1 if share >= 0.001 else min(max(1, math.ceil(-math.log10(100 * share)) + 1), 6)
    return f"{100 * share:.{decimals}f} %"
