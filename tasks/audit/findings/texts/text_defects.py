"""Defects of the texts: uneven letters, and few bits."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from tasks.audit.findings.measuring import evidence
from tasks.audit.findings.measuring.shown import Severity, finding
from tasks.audit.findings.texts.check_letters import Check
from tasks.audit.findings.texts.dependent_letters import DEPENDENT, dependence_tests, lacking_letter
from tasks.audit.findings.texts.likely_texts import best_guess, english, find_order
from tasks.audit.findings.texts.repeated_texts import FEW_TEXTS, LEAST_TEXTS, MOST_NAMED, pool_of
from tasks.audit.findings.texts.sequences import unsorted
from tasks.audit.schema import BROKEN_RATE, WEAK_RATE, Finding
from tasks.rates import Rate

TWICE = 2.0  # times its fair share, from which a letter's frequency is a defect of high severity
LEAST_EFFECT = 0.05  # Cohen's w, below which a difference means nothing to an attacker
WORDY = 0.3  # share of texts that are English words beyond what chance makes, from which texts are words
_OFTEN = 5  # texts for each different one, from which each is counted


def find_frequencies(texts: Sequence[str], alphabet: str, why: str | None) -> Finding:
    """Test how often each letter occurs, anywhere, first, at each place, and in pairs.

    `why` explains uneven letters by what another finding says, such as that texts are words; they are no finding of
    high severity then.
    """
    letters = "".join(sorted(set(alphabet) | set("".join(texts))))
    size = len(letters)
    lines = _numbered(texts, letters)
    n = int((lines >= 0).sum())
    figures: dict[str, Any] = {"n": len(texts), "letters": n, "alphabet": size}
    if size < 2 or n < evidence.LEAST_EXPECTED * size:
        needed = math.ceil(evidence.LEAST_EXPECTED * size / max(1.0, n / max(1, len(texts))))
        plain = f"{len(texts):,} texts are too few to test {size} letters; {needed:,} would do."
        if size < 2:
            plain = "All texts consist of one letter."
        return finding("frequencies", "How often each letter occurs", "unknown", plain, None, figures)
    counts = np.bincount(lines[lines >= 0], minlength=size)
    tests = _frequency_tests(lines, size)
    adjusted = evidence.holm([p for _, _, _, p in tests])
    mixed = unsorted(texts)
    others = dependence_tests(mixed, lines if mixed is texts else _numbered(mixed, letters), size)
    tests, adjusted = tests + others, adjusted + evidence.holm([p for _, _, _, p in others])
    figures["tests"] = [
        {"what": what, "n": count, "chi_square": round(x, 2), "p": p, "effect": round(math.sqrt(x / count), 4)}
        for (what, count, x, _), p in zip(tests, adjusted, strict=True)
    ]
    found = [what for (what, count, x, _), p in zip(tests, adjusted, strict=True)
             if p < evidence.LEVEL and math.sqrt(x / count) >= LEAST_EFFECT]  # fmt: skip
    odd = _odd_letters(counts, letters)
    entropy = evidence.bits(counts)
    lacking = lacking_letter(letters, n)
    figures |= {
        "letter_that_never_comes": lacking,
        "times_fair_share": dict(sorted(odd.items(), key=lambda item: -item[1])[: 2 * MOST_NAMED]),
        "bits_a_letter": round(entropy, 3), "bits_if_even": round(math.log2(size), 3),
        "best_guess_of_a_letter": round(float(counts.max()) / n, 4), "chance_of_a_letter": round(1 / size, 4),
        "repeats_within_texts": _within(lines, counts / n),
    }  # fmt: skip
    dependent = [DEPENDENT[what] for what in found if what in DEPENDENT]
    if len(dependent) == len(found):  # each letter by itself is even
        return _even_letters(figures, dependent, lacking, why)
    most = max(odd.values(), default=1.0)
    severity: Severity = "high" if most >= TWICE and why is None else "low"
    said = ", ".join(f"{letter} {times:.1f} times" for letter, times in _extremes(odd)) or "no single letter stands out"
    where = "" if {"all letters", "a single letter"} & set(found) else f" The difference shows for {found[0]}."
    full = math.log2(size)
    instead = f" instead of {full:.2f}" if full - entropy >= 0.02 else ", hardly less than even letters"
    plain = (
        f"Letters are not drawn evenly: against its fair share, {said}.{where} A letter has {entropy:.2f} bits"
        f"{instead}. An attacker who guesses the commonest is right in {100 * counts.max() / n:.1f} % instead of "
        f"{100 / size:.1f} %."
    ) + "".join(f" {DEPENDENT[what][0].upper()}{DEPENDENT[what][1:]}." for what in found if what in DEPENDENT)
    plain += ("" if why is None else f" {why}") + ("" if lacking is None else f" {_told_lacking(lacking)}")
    remedy = (
        None
        if why
        else (
            "Draw each letter with a uniform random choice, such as Python's secrets.choice; rounding a random number "
            "to a place in the list draws the first and the last letter half as often."
        )
    )
    return finding("frequencies", "How often each letter occurs", severity, plain, remedy, figures)


def _even_letters(
    figures: dict[str, Any], dependent: Sequence[str], lacking: str | None, why: str | None
) -> Finding:  # fmt: skip
    """Tell of letters that come equally often, but may depend on something, and of a letter that never comes."""
    said, remedy = f"All {figures['alphabet']} letters occur about equally often", []
    said += "" if not dependent else f", but {' and '.join(dependent)}"
    said += f" ({figures['n']:,} texts, {figures['letters']:,} letters)."
    if dependent:
        said += " An attacker who knows that has fewer answers to choose from." + ("" if why is None else f" {why}")
        remedy.append("Draw the length, and each letter, without regard to the others.")
    if lacking is not None:
        said += f" {_told_lacking(lacking)}"
        remedy.append("If that is not meant, let the random number reach the end of the list of letters.")
    severity: Severity = "low" if remedy else "none"
    title = "How often each letter occurs"
    return finding("frequencies", title, severity, said, " ".join(remedy) or None, figures)


def _told_lacking(letter: str) -> str:
    return f"{letter} never comes, though all others of its kind do."


def _numbered(texts: Sequence[str], letters: str) -> np.ndarray:
    """Return the texts as numbers of letters, (n, L) int64, -1 past the end."""
    place = {letter: number for number, letter in enumerate(letters)}
    lines = np.full((len(texts), max(map(len, texts), default=0)), -1, np.int64)
    for line, text in zip(lines, texts, strict=True):
        line[: len(text)] = [place[letter] for letter in text]
    return lines


def _frequency_tests(lines: np.ndarray, size: int) -> list[tuple[str, int, float, float]]:
    """Return (what, n, statistic, chance) of each test that has counts enough."""
    tests = []
    whole = np.bincount(lines[lines >= 0], minlength=size)
    for what, counts in [("all letters", whole)] + [
        ("the first letter" if k == 0 else f"letter {k + 1}", np.bincount(column[column >= 0], minlength=size))
        for k, column in enumerate(lines.T)
    ]:
        n = int(counts.sum())
        if n >= evidence.LEAST_EXPECTED * size:
            tests.append((what, n, *evidence.chi_square(counts, np.full(size, n / size))))
    n = int(whole.sum())
    odd, chance = evidence.oddest(whole, 1 / size)
    tests.append(("a single letter", n, float((whole[odd] - n / size) ** 2 / (n / size)), chance))
    first, second = lines[:, :-1].ravel(), lines[:, 1:].ravel()
    there = second >= 0
    n = int(there.sum())
    shares = whole / whole.sum()
    expected = n * np.outer(shares, shares)
    if n and expected[expected > 0].min() >= evidence.LEAST_EXPECTED:
        pairs = np.zeros((size, size), np.int64)
        np.add.at(pairs, (first[there], second[there]), 1)
        margins = np.outer(pairs.sum(axis=1), pairs.sum(axis=0)) / n
        statistic = float(((pairs - margins) ** 2 / np.maximum(margins, 1e-9)).sum())
        tests.append(("pairs of letters", n, statistic, float(evidence.chance_above(statistic, (size - 1) ** 2))))
    return tests


def _odd_letters(counts: np.ndarray, letters: str) -> dict[str, float]:
    """Return the letters whose frequency chance does not explain, with the factor to their fair share."""
    n, size = int(counts.sum()), len(letters)
    least = evidence.strict_z(size)
    return {
        letter: round(float(count) * size / n, 3)
        for letter, count in zip(letters, counts.tolist(), strict=True)
        if abs(evidence.binomial_z(count, n, 1 / size)) > least
    }


def _extremes(odd: dict[str, float]) -> list[tuple[str, float]]:
    ordered = sorted(odd.items(), key=lambda item: -item[1])
    return ordered if len(ordered) <= 6 else ordered[:3] + ordered[-3:]


def _within(lines: np.ndarray, shares: np.ndarray) -> dict[str, object]:
    """Count texts in which a letter comes twice, against what the letters' frequencies lead to."""
    lengths = (lines >= 0).sum(axis=1)
    twice = sum(len(set(line[line >= 0].tolist())) < length for line, length in zip(lines, lengths, strict=True))
    size = len(shares)
    distinct = {int(length): math.prod(max(0, size - k) / size for k in range(length)) for length in np.unique(lengths)}
    expected = sum(1 - distinct[int(length)] for length in lengths)
    return {"texts": int(twice), "expected_if_even": round(float(expected), 1), "n": len(lines)}


def find_entropy(
    texts: Sequence[str], alphabet: str, pool: float | None, folded: bool = False, check: Check | None = None
) -> Finding:  # fmt: skip
    """Say how many bits a text has, and how often the best guess without looking is right.

    `folded` tells that upper and lower case of texts and alphabet were made alike, since the owner counts them so;
    `check` is a rule by which a letter follows from the others.
    """
    n = len(texts)
    letters = "".join(sorted(set(alphabet) | set("".join(texts))))
    lines = _numbered(texts, letters)
    places = [column[column >= 0] for column in lines.T]
    each = np.bincount(lines[lines >= 0], minlength=len(letters))
    lengths = Counter(map(len, texts))
    # A text is its length, and then so many letters.
    bits = evidence.bits(np.array(list(lengths.values()) or [1]))
    bits += sum(len(column) / max(1, n) * evidence.bits(each) for column in places)
    even = sum(map(len, texts)) / max(1, n) * math.log2(max(2, len(letters))) + math.log2(max(1, len(lengths)))
    guess = best_guess(lines, len(letters), lengths)
    kinds = Counter(texts)
    if n >= _OFTEN * len(kinds):  # so few texts that each can be counted, whatever their letters are
        bits = min(bits, evidence.bits(np.array(list(kinds.values()) or [1])))
        guess = max(1 / max(1, len(kinds)), Rate(max(kinds.values(), default=0), n).low)
    words, share, control = english(texts, letters)
    wordy = share - control >= WORDY and n >= LEAST_TEXTS
    if wordy:
        bits, guess = min(bits, math.log2(words)), max(guess, 1 / words)
    if pool is not None:
        bits, guess = min(bits, math.log2(pool)), max(guess, 1 / pool)
    elif check is not None and not wordy:
        bits, guess = max(1.0, bits - check.bits), min(1.0, guess * 2**check.bits)
    order = None if pool is not None else find_order(texts)
    if order is not None:
        bits = max(1.0, bits - order.bits)
    figures: dict[str, object] = {
        "n": n, "alphabet": letters, "effective_alphabet": round(2 ** evidence.bits(each), 2),
        "bits_a_text": round(bits, 2), "bits_if_even": round(even, 2), "best_guess": float(guess),
        "case_counted_alike": folded, "english_words": round(share, 4), "english_words_by_chance": round(control, 4),
        "words_of_the_dictionary": words if wordy else None,
        "check": None if check is None else {"modulus": check.modulus, "bits": round(check.bits, 2), "n": check.texts},
        "order": None if order is None else {"bits": round(order.bits, 2), "texts": order.texts.as_dict()},
    }  # fmt: skip
    title = "How much there is to guess"
    if n < LEAST_TEXTS:
        return finding("entropy", title, "unknown", f"{n} texts are too few to tell.", None, figures)
    said = f"A text has about {bits:.1f} bits, as if chosen from {2**bits:,.0f} equally likely texts"
    said += ": upper and lower case count alike." if folded else "."
    if wordy:
        said += (
            f" {100 * share:.0f} % of the texts are English words, of which there are {words:,} of these lengths: an "
            "attacker mends what was misread with a dictionary."
        )
    said += f" The best guess without looking at the picture is right in {_told(guess)}."
    severity: Severity = (
        "high" if guess >= BROKEN_RATE else "low" if guess >= WEAK_RATE or wordy or check or order else "none"
    )
    remedy = None
    if severity != "none":
        remedy = "Draw random letters instead of words." if wordy else "Use longer texts, or more different letters."
    if check is not None:
        said += f" {_told_check(check)}"
        remedy = "Draw every letter at random; a letter that follows from the others adds nothing to guess."
    if order is not None:
        said += f" {order.told}"
        remedy = "Draw every letter at random, and leave them in the order in which they were drawn."
    return finding("entropy", title, severity, said, remedy, figures)


def _told_check(check: Check) -> str:
    """Say by which rule a letter follows from others."""
    *first, last = [str(place + 1) for place in check.places]
    return (
        f"A letter follows, at least in part, from others, as a check letter does: letters {', '.join(first)} and "
        f"{last} obey a rule modulo {check.modulus} in all {check.texts:,} texts compared. That takes "
        f"{check.bits:.1f} bits away, and tells an attacker which answers are misread."
    )


def _told(guess: float) -> str:
    """Say how often a guess is right; what is seldom as 1 of many tries, since a tiny percentage says little."""
    return (
        f"{float(f'{100 * guess:.2g}'):g} % of tries"
        if guess >= 1e-3
        else f"1 of {float(f'{1 / guess:.2g}'):,.0f} tries"
    )


def explained(entropy: Finding, repeats: Finding) -> str | None:
    """Say what explains uneven letters: that there are few texts, or that texts are words; None if neither."""
    pool = pool_of(repeats)
    if pool is not None and pool <= FEW_TEXTS:
        return "That follows from the few texts that there are."
    return "That is so in English words." if entropy["figures"]["words_of_the_dictionary"] else None
