"""Attackers that do not look at the picture: they give the same answer each time."""

import math
from collections import Counter
from collections.abc import Sequence

from tasks.audit.attackers.answers import GUESSES, Answers
from tasks.rates import Rate

LOOKED_AT = 100  # labelled texts that tell which answer is best: people who try a form see as many
_REPEATED = 2  # times that a text has to come before it is called frequent


def by_letters(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the best constant guesses by length and letter frequency, best first.

    Lengths count as often as they come: where short texts are about as frequent as long ones, a short guess is right
    far more often, since it has fewer letters to guess.
    """
    letters = len(set("".join(texts)))
    found: list[tuple[float, int, str]] = []
    for length in dict.fromkeys(map(len, texts)):
        some = [text for text in texts if len(text) == length]
        for chance, count, guess in _of_length(some, letters):
            found.append((len(some) / len(texts) * chance, count, guess))
    # Among equal chances the more frequent letters, and then the order of the alphabet.
    best = sorted(found, key=lambda one: (-one[0], -one[1], one[2]))
    return tuple(guess for _, _, guess in best[:GUESSES])


def _of_length(texts: Sequence[str], letters: int) -> list[tuple[float, int, str]]:
    """Return the best guesses for texts of one length: chance, how often their letters came, guess.

    The first has the most frequent letter at each place; others take the next one at a single place. The most frequent
    of few letters is frequent by chance, so the lower end of its share counts, and a fair share at least.
    """
    n = len(texts)
    places = [Counter(text[k] for text in texts).most_common(GUESSES) for k in range(len(texts[0]))]
    best = [place[0] for place in places]
    choices = [best, *([*best[:k], other, *best[k + 1 :]] for k, place in enumerate(places) for other in place[1:])]
    return [
        (
            math.prod(max(1 / letters, Rate(count, n).low) for _, count in chosen),
            sum(count for _, count in chosen),
            "".join(letter for letter, _ in chosen),
        )
        for chosen in choices
    ]


def by_words(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the most frequent texts, best first; none if no text comes twice."""
    common = Counter(texts).most_common(GUESSES)
    return tuple(text for text, _ in common) if common and common[0][1] >= _REPEATED else ()


def always(guesses: tuple[str, ...], count: int) -> Answers:
    """Return the answers of an attacker that gives the same guesses to each of `count` pictures."""
    return Answers((guesses,) * count, None, 0.0)
