"""What makes some texts likelier than others: common letters, English words, letters that are in order."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from storage.errors import BadInput
from tasks.profiles.word_lists import WEB2, load_words
from tasks.rates import Rate

LEAST_ORDERED = 0.9  # share of the texts, by the lower end of its interval, that are in order
LEAST_KINDS = 30  # different texts with three different letters or more
_CONTROL = 0x746578747300  # the key of the shuffle that says how many words chance makes


class Order(NamedTuple):
    """An order of the letters of nearly all texts: how it is called, how many have it, and the bits that it takes."""

    name: str
    texts: Rate
    bits: float

    @property
    def told(self) -> str:
        """Return what it means."""
        return (
            f"In {100 * self.texts.value:.0f} % of {self.texts.n:,} texts the letters are in {self.name}. That takes "
            f"{self.bits:.1f} bits away, and tells an attacker which answers are misread."
        )


def find_order(texts: Sequence[str]) -> Order | None:
    """Return the order of the alphabet, or its reverse, if nearly all texts have it; else None."""
    some = [text for text in texts if len(set(text)) > 2]
    if len(set(some)) < LEAST_KINDS:
        return None
    keys: tuple[Callable[[str], str], ...] = (str, str.casefold)
    for name, backwards in (("the order of the alphabet", False), ("the reverse order of the alphabet", True)):
        for key in keys:
            ordered = Rate(sum(sorted(text, key=key, reverse=backwards) == list(text) for text in some), len(some))
            if ordered.low >= LEAST_ORDERED:
                lost = [math.log2(_orders(text)) if len(set(text)) > 2 else 0.0 for text in texts]
                return Order(name, ordered, float(np.mean(lost)) * ordered.value)
    return None


def _orders(text: str) -> int:
    """Return in how many orders the letters of a text can stand."""
    return math.factorial(len(text)) // math.prod(math.factorial(count) for count in Counter(text).values())


def best_guess(lines: np.ndarray, size: int, lengths: Counter[int]) -> float:
    """Return how often the best guess of a length and of the commonest letter at each place of it is right.

    The commonest of few letters is common by chance: the lower end of its share counts, and its fair share at least.
    """
    best = 0.0
    for length, often in lengths.items():
        some = lines[(lines >= 0).sum(axis=1) == length][:, :length]
        counts = [np.bincount(column, minlength=size) for column in some.T]
        shares = [max(1 / size, Rate(int(count.max()), int(count.sum())).low) for count in counts]
        best = max(best, often / len(lines) * math.prod(shares))
    return best


def english(texts: Sequence[str], letters: str) -> tuple[int, float, float]:
    """Return the English words of these letters and lengths, the share of texts among them, and that of shuffled texts.

    Texts are shuffled by exchanging the letters at each place between them, which keeps all frequencies.
    """
    if not texts:
        return 1, 0.0, 0.0
    chosen = list(texts[:: max(1, len(texts) // 5000)])
    bounds = min(map(len, chosen)), max(map(len, chosen))
    small = "".join(sorted({letter.lower() for letter in letters if letter.isalpha()}))
    try:
        words = set(load_words(WEB2, small, bounds)) if small else set()
    except BadInput:  # no word has such letters and lengths
        words = set()
    if not words:
        return 1, 0.0, 0.0
    shuffled = _shuffled(chosen)
    share, control = (
        sum(text.lower() in words for text in some) / len(chosen) for some in (chosen, shuffled)
    )  # fmt: skip
    return len(words), share, control


def _shuffled(texts: list[str]) -> list[str]:
    chances = np.random.Philox(key=[_CONTROL, 0])
    columns: list[list[str]] = []
    for k in range(max(map(len, texts))):
        there = [text[k] for text in texts if len(text) > k]
        columns.append([there[place] for place in np.argsort(chances.random_raw(len(there))).tolist()])
    ends = [iter(column) for column in columns]
    return ["".join(next(ends[k]) for k in range(len(text))) for text in texts]
