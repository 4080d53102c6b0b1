"""Texts and pictures that come again: the birthday bound, and how many texts there are."""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from tasks.audit.findings.measuring import evidence
from tasks.audit.findings.measuring.shown import Severity, finding
from tasks.audit.findings.texts.recurrences import told_recurrence
from tasks.audit.findings.texts.sequences import told_dates, told_sequence, unsorted
from tasks.audit.schema import Finding
from tasks.rates import Rate

FEW_TEXTS = 1000  # an attacker collects so many answers in an afternoon
MOST_NAMED = 10
SURE = 1e-6  # chance of so few texts that come three times, below which they are dealt in turn
NEAR, IN_A_ROW = 4, 0.8  # texts, and the share of repeated texts that come again within so many
FOLLOW = 0.5  # share of texts that are followed by the same text again, from which they have an order
LEAST_TEXTS = 30


def find_repeats(texts: Sequence[str], alphabet: str, pictures: tuple[int, int], disagree: int) -> Finding:
    """Compare how often texts and pictures come again with the birthday bound.

    Parameters
    ----------
    pictures : (int, int)
        Different pictures, and pictures in all.
    disagree : int
        Equal pictures with different texts.
    """
    n, counts = len(texts), Counter(texts)
    pairs = sum(count * (count - 1) // 2 for count in counts.values())
    expected = _expected_pairs(texts, alphabet)
    low, high = evidence.poisson_interval(pairs)
    all_pairs = n * (n - 1) / 2
    pool = all_pairs / pairs if pairs else None
    dealt = pool is not None and _dealt(counts, pool)
    if dealt:  # as cards are: each comes once before any comes again
        pool, low, high = float(len(counts)), all_pairs / len(counts), all_pairs / len(counts)
    unlike, total = pictures
    p = evidence.poisson_above(pairs, expected)
    figures: dict[str, object] = {
        "n": n, "different_texts": len(counts), "equal_pairs": pairs, "expected_equal_pairs": round(expected, 3),
        "p": p,
        "texts_there_are": None if pool is None else round(pool),
        "texts_there_are_interval": [round(all_pairs / high), None if low == 0 else round(all_pairs / low)],
        "dealt_in_turn": dealt,
        "commonest": dict(counts.most_common(MOST_NAMED)) if pairs else {},
        "pictures": total, "different_pictures": unlike, "equal_pictures_with_other_texts": disagree,
    }  # fmt: skip
    said: list[str] = []
    remedy: list[str] = []
    severity: Severity = "none"
    if n < LEAST_TEXTS:
        severity = "unknown"
        said.append(f"{n} texts are too few to tell how often texts come again.")
    elif pairs and p < evidence.LEVEL and pool is not None:
        severity = "high" if pool <= FEW_TEXTS else "low"
        if len(counts) <= MOST_NAMED:
            named = ", ".join(counts)
            said.append(f"There are only {len(counts)} texts in {n:,} pictures: {named}.")
        else:
            said.append(_told_pool(n, len(counts), pairs, expected, (pool, all_pairs / high), dealt))
        if _in_a_row(unsorted(texts)):
            remedy.append("Seed the random numbers once, from the system's own, and not by the time.")
        said += _told_order(unsorted(texts))
        remedy.append("Draw each letter anew for each picture instead of choosing from a list.")
    else:
        said.append(
            f"Texts come again as often as random letters do (of {n:,} texts, equal pairs: {pairs:,}; expected: "
            f"{expected:.1f})."
        )
    counted, dates = told_sequence(texts) or told_recurrence(unsorted(texts)), told_dates(texts)
    if counted or dates:
        severity = "high" if counted or severity == "high" else "low"
        said += [one for one in (counted, dates) if one]
        remedy = remedy or ["Draw each letter at random, and none from the text before, the time or a calendar."]
    again = total - unlike
    if again and again >= 0.001 * total and 2 * disagree < again:  # else they are equal by mistake
        if again >= 0.05 * total:
            severity = "high"
        elif severity in ("none", "unknown"):
            severity = "low"
        said.append(f"{again:,} of {total:,} pictures are equal to another: who has seen the answer once knows it.")
        remedy.append("Distort each picture with more random values, or delete a picture once it was shown.")
    if disagree:
        severity = "high" if disagree >= 0.01 * total else "low" if severity in ("none", "unknown") else severity
        said.append(
            f"{disagree:,} pictures are equal to another with a different text, so some labels are wrong, and "
            "attackers read more than this report says."
        )
        remedy.append(
            "If the generator writes into a file of a fixed name, several pictures are drawn at once and take each "
            "other's: write to {out}, or into the folder $TMPDIR."
        )
    return finding("repeats", "Texts and pictures that come again", severity, " ".join(said), " ".join(remedy), figures)


def _told_pool(
    n: int, different: int, pairs: int, expected: float, pool: tuple[float, float], dealt: bool
) -> str:  # fmt: skip
    """Say how many texts there are; `pool` is their number, and the least."""
    if dealt:
        return (
            f"There are {different:,} texts, and each comes once before any comes again: they are dealt in turn, or "
            f"from a list that was shuffled ({n:,} texts)."
        )
    return (
        f"Texts come again more often than random letters would: {pairs:,} equal pairs where {expected:.1f} are "
        f"expected. There are about {pool[0]:,.0f} texts, if each is as likely (at least {pool[1]:,.0f})."
    )


def _told_order(texts: Sequence[str]) -> list[str]:
    """Say in which order texts come again, if there is any: a sentence each."""
    said = []
    if _in_a_row(texts):
        said.append(
            "Equal texts come right after each other, as from random numbers that are seeded by the time: pictures "
            "that are drawn at the same moment show the same text."
        )
    follow = _follow(texts)
    if follow is not None and follow.low >= FOLLOW:
        said.append(
            f"They come in the same order: after a text that was seen before, the next is the same as then in "
            f"{100 * follow.value:.0f} % of {follow.n:,} cases. Who knows a text knows the next."
        )
    return said


def _dealt(counts: Counter[str], pool: float) -> bool:
    """Return whether each text comes about as often as any other, and fewer come three times than of random texts.

    `pool` is the number of texts that equal pairs tell, if each is as likely.
    """
    n, often = counts.total(), counts.values()
    triples = sum(math.comb(count, 3) for count in often)
    expected = math.comb(n, 3) / pool**2
    even = max(often) - min(often) <= 2
    return even and triples < 0.8 * expected and evidence.poisson_below(triples, expected) < SURE


def _in_a_row(texts: Sequence[str]) -> bool:
    """Return whether most texts that come again do so within the next few, which several processes may draw at once."""
    again = len(texts) - len(set(texts))
    near = sum(text in texts[max(0, k - NEAR) : k] for k, text in enumerate(texts))
    return again >= LEAST_TEXTS and len(set(texts)) > MOST_NAMED and near >= IN_A_ROW * again


def _follow(texts: Sequence[str]) -> Rate | None:
    """Return how often the text after a text is the same as at its time before; None if too few come again."""
    after: dict[str, str] = {}
    same = []
    for text, following in pairwise(texts):
        if text == following:
            continue
        if text in after:
            same.append(after[text] == following)
        after[text] = following
    few = len(set(texts)) <= MOST_NAMED  # the same of a few texts follows often by chance
    return None if len(same) < LEAST_TEXTS or few else Rate(sum(same), len(same))


def _expected_pairs(texts: Sequence[str], alphabet: str) -> float:
    """Return how many pairs of texts are equal if letters are drawn apart from each other, each as often as it is seen.

    So uneven letters, which are a finding of their own, are no cause for texts to come again.
    """
    expected = 0.0
    size = max(2, len(set(alphabet) | set("".join(texts))))
    for length, n in Counter(map(len, texts)).items():
        some = [text for text in texts if len(text) == length]
        chance = 1.0
        if len(set(some)) == 1:  # it tells nothing of letters apart from each other
            expected += n * (n - 1) / 2 / size**length
            continue
        for k in range(length):
            equal = sum(count * (count - 1) for count in Counter(text[k] for text in some).values())
            chance *= max(1 / size, equal / (n * (n - 1)) if n > 1 else 0.0)
        expected += n * (n - 1) / 2 * chance
    return expected


def pool_of(repeats: Finding) -> float | None:
    """Return how many texts there are, if they come again more often than chance explains."""
    figures = repeats["figures"]
    return figures["texts_there_are"] if figures["p"] < evidence.LEVEL else None
