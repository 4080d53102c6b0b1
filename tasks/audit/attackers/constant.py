"""Attackers that do not look at the picture: they give the same answer each time."""

from collections import Counter
from collections.abc import Sequence

from tasks.audit.attackers.answers import GUESSES, Answers

LOOKED_AT = 100  # labelled texts that tell which answer is best: people who try a form see as many
_REPEATED = 2  # times that a text has to come before it is called frequent


def by_letters(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the best constant guesses by length and letter frequency, best first.

    The length is the most frequent one; each place has its most frequent letter. The second and the third guess take
    the next letter at the place where that costs least.
    """
    length = Counter(map(len, texts)).most_common(1)[0][0]
    places = [Counter(text[k] for text in texts if len(text) == length).most_common(GUESSES) for k in range(length)]
    best = [letters[0][0] for letters in places]
    others = sorted(
        (
            (count / letters[0][1], k, letter)
            for k, letters in enumerate(places)
            for letter, count in letters[1:]
        ),
        reverse=True,
    )  # fmt: skip
    guesses = ["".join(best)]
    guesses += ["".join([*best[:k], letter, *best[k + 1 :]]) for _, k, letter in others[: GUESSES - 1]]
    return tuple(guesses)


def by_words(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the most frequent texts, best first; none if no text comes twice."""
    common = Counter(texts).most_common(GUESSES)
    return tuple(text for text, _ in common) if common and common[0][1] >= _REPEATED else ()


def always(guesses: tuple[str, ...], count: int) -> Answers:
    """Return the answers of an attacker that gives the same guesses to each of `count` pictures."""
    return Answers((guesses,) * count, None, 0.0)
