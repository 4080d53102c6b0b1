"""Texts and pictures that come again: the birthday bound, and how many texts there are."""

from collections import Counter
from collections.abc import Sequence

from tasks.audit.findings.measuring import evidence
from tasks.audit.findings.measuring.shown import Severity, finding
from tasks.audit.schema import Finding

FEW_TEXTS = 1000  # an attacker collects so many answers in an afternoon
MOST_NAMED = 10
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
    unlike, total = pictures
    p = evidence.poisson_above(pairs, expected)
    figures: dict[str, object] = {
        "n": n, "different_texts": len(counts), "equal_pairs": pairs, "expected_equal_pairs": round(expected, 3),
        "p": p,
        "texts_there_are": None if pool is None else round(pool),
        "texts_there_are_interval": [round(all_pairs / high), None if low == 0 else round(all_pairs / low)],
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
            said.append(
                f"Texts come again more often than random letters would: {pairs:,} equal pairs where {expected:.1f} "
                f"are expected. There are about {pool:,.0f} texts, if each is as likely (at least "
                f"{all_pairs / high:,.0f})."
            )
        remedy.append("Draw each letter anew for each picture instead of choosing from a list.")
    else:
        said.append(
            f"Texts come again as often as random letters do ({pairs:,} equal pairs of {n:,} texts; expected "
            f"{expected:.1f})."
        )
    again = total - unlike
    if again and again >= 0.001 * total:
        if again >= 0.05 * total:
            severity = "high"
        elif severity in ("none", "unknown"):
            severity = "low"
        said.append(f"{again:,} of {total:,} pictures are equal to another: who has seen the answer once knows it.")
        remedy.append("Distort each picture with more random values, or delete a picture once it was shown.")
    if disagree:
        said.append(f"{disagree:,} pictures are equal to another with a different text, so some labels are wrong.")
    return finding("repeats", "Texts and pictures that come again", severity, " ".join(said), " ".join(remedy), figures)


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
