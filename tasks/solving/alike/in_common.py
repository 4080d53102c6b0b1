"""What the texts of pictures that belong together have in common: how long they are, and which letters they have.

A CAPTCHA's texts are alike: four digits, or six capitals and digits without O and 0. Where nearly all answers to a
folder's pictures agree, an answer that differs is often wrong. So such a picture is read once more, as a text like the
others, and Bayes' rule chooses: it weighs how probable each reading is, and how frequent texts of its kind are.
"""

import math
import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

IN_COMMON = 1  # raised whenever other pictures are read again, or other answers taken
FEWEST = 20.0  # the sum of all confidences from which answers tell anything
LIKE = 0.4  # share of the answers that must be alike
# Of the frequency of the most frequent length, and of the frequency that a kind's letters would have were all letters
# equally frequent: how much of it shows that a length or a kind of letters is in use.
LENGTH_SEEN, KIND_SEEN = 0.3, 0.25
# A letter of which so many are expected, and of which that share is seen or less, is not in use: generators often leave
# out 0, O, 1, I and l.
EXPECTED, ABSENT = 10.0, 0.1
# Letters of a kind that are hardly taken for letters of another: the others prove nothing.
KINDS = {
    string.digits: "347",
    string.ascii_uppercase: "AEFHLMNR",
    string.ascii_lowercase: "adefhmnrt",
}
ALIKE = frozenset("CcKkOoPpSsUuVvWwXxZz")  # where both cases are in use, each is often read as the other
# What follows was chosen on 17 generators and 6 mixtures of two (docs/second-looks.md).
LIKELIER = 2.0  # how much likelier the text that is like the others must be
SURER = 3.0  # a network is so much surer of a wrong letter than of a letter too many: logarithms are divided by it
_ROUNDS = 30  # of expectation and maximisation


class Other(NamedTuple):
    """A picture whose text is unlike the others, read once more.

    text, confidence : of the first reading
    margin : the logarithm of how much more probable the second reading is than the first; -inf for no second reading
    """

    text: str
    confidence: float
    margin: float


class InCommon(NamedTuple):
    """What nearly all answers to some pictures have in common.

    length : of the shortest and of the longest text
    letters : that are in use, of those that are possible, in their order
    like : how many answers are alike, each counted by its confidence
    unlike : the same of the texts that truly have another length, and of those that truly have other letters
    """

    length: tuple[int, int]
    letters: str
    like: float
    unlike: tuple[float, float]

    def fits(self, text: str) -> bool:
        """Tell whether a text is like the others."""
        return self._has_length(text) and not text.strip(self.letters)

    def takes(self, other: Other) -> bool:
        """Tell whether the second reading of a picture is taken."""
        return self._odds(other) > math.log(LIKELIER)

    def learnt(self, others: Sequence[Other]) -> "InCommon":
        """Estimate how frequent texts are that truly differ from the others, by expectation and maximisation.

        Parameters
        ----------
        others : sequence of Other
            All of the pictures whose answers differ, or some of them.
        """
        counted = [other for other in others if other.text]
        kinds = [self._kind(other) for other in counted]
        seen = [
            sum(other.confidence for other, kind in zip(counted, kinds, strict=True) if kind == of) for of in (0, 1)
        ]
        found = self
        for _ in range(_ROUNDS):
            true = [0.0, 0.0]
            for other, kind in zip(counted, kinds, strict=True):
                true[kind] += other.confidence / (1 + math.exp(min(found._odds(other), 50.0)))
            shares = [true[of] / seen[of] if seen[of] else 1.0 for of in (0, 1)]
            unlike = tuple(self.unlike[of] * shares[of] for of in (0, 1))
            found = self._replace(like=self.like + sum(self.unlike) - sum(unlike), unlike=unlike)  # type: ignore[arg-type]
        return found

    def _has_length(self, text: str) -> bool:
        return self.length[0] <= len(text) <= self.length[1]

    def _kind(self, other: Other) -> int:
        return int(self._has_length(other.text))

    def _odds(self, other: Other) -> float:
        """Return the logarithm of the odds that the second reading is right and not the first."""
        kind = self._kind(other)
        return other.margin / (SURER if kind else 1.0) + math.log((self.like + 1) / (self.unlike[kind] + 1))


def in_common(answers: Iterable[tuple[str, float]], length: tuple[int, int], letters: str) -> InCommon | None:
    """Tell what answers have in common that was not known of them before.

    Parameters
    ----------
    answers : iterable of (str, float)
        Texts that were read, each with its confidence; '' for none. They are iterated over twice and not kept, so that
        memory does not grow with their number; an iterator's are kept.
    length, letters
        What the reader expects: the shortest and the longest text, and the letters that may occur.

    Returns
    -------
    InCommon or None
        None if the answers are too few or too different, or show nothing that `length` and `letters` do not say.

    Examples
    --------
    >>> answers = [(f"{number:04}", 0.99) for number in range(0, 9999, 101)]
    >>> found = in_common([*answers, ("77l7", 0.5)], (1, 12), "0123456789lO")
    >>> found.length, found.letters, found.fits("77l7")
    ((4, 4), '0123456789', False)
    """
    given = [*answers] if iter(answers) is answers else answers
    lengths: dict[int, float] = {}
    counts: dict[str, float] = {}
    for text, weight in _weighed(given):
        lengths[len(text)] = lengths.get(len(text), 0.0) + weight
        for letter in text:
            counts[letter] = counts.get(letter, 0.0) + weight
    total = sum(lengths.values())
    if total < FEWEST:
        return None
    found = InCommon(_bounds(lengths, length), _in_use(counts, letters), 0.0, (0.0, 0.0))
    if (found.length, found.letters) == (length, letters) or found.length[0] > found.length[1] or not found.letters:
        return None
    like = longer = 0.0
    for text, weight in _weighed(given):
        if not found._has_length(text):
            longer += weight
        elif found.fits(text):
            like += weight
    if like < LIKE * total:
        return None
    return found._replace(like=like, unlike=(longer, max(total - like - longer, 0.0)))


def _weighed(answers: Iterable[tuple[str, float]]) -> Iterator[tuple[str, float]]:
    """Yield the texts with their confidences, which anybody may have written into the ledger."""
    return ((text, min(max(0.0, confidence), 1.0)) for text, confidence in answers if text)


def _bounds(lengths: Mapping[int, float], length: tuple[int, int]) -> tuple[int, int]:
    most = max(lengths.values())
    used = [size for size, weight in lengths.items() if weight >= LENGTH_SEEN * most]
    return max(min(used), length[0]), min(max(used), length[1])


def _in_use(seen: Mapping[str, float], letters: str) -> str:
    """Return the letters that are in use, of those that are possible."""
    counts = {**dict.fromkeys(letters, 0.0), **seen}
    total = sum(seen.values())
    others = [letter for letter in letters if not any(letter in kind for kind in KINDS)]
    used = {kind for kind in KINDS if any(letter in letters for letter in kind)}
    while True:  # without a kind, more are expected of each other letter
        usual = [letter for letter in letters if any(letter in kind for kind in used)] + others
        shares = {}
        for kind in sorted(used):
            telling = [letter for letter in KINDS[kind] if letter in letters] or [one for one in kind if one in letters]
            shares[kind] = sum(counts[letter] for letter in telling) / (total * len(telling) / len(usual))
        if len(used) <= 1 or min(shares.values()) >= KIND_SEEN:
            break
        used.remove(min(shares, key=shares.__getitem__))
    expected = total / max(len(usual), 1)
    unclear = ALIKE if {string.ascii_uppercase, string.ascii_lowercase} <= used else frozenset[str]()
    rare = {
        letter for letter in usual
        if letter not in unclear and expected >= EXPECTED and counts[letter] <= ABSENT * expected
    }  # fmt: skip
    return "".join(letter for letter in letters if letter in usual and letter not in rare)
