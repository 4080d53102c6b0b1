"""The texts that a model learnt from, as its record keeps them: their letters, their lengths, their dictionary."""

from collections.abc import Mapping
from typing import Any, NamedTuple

TEXTS = "texts"  # the key in a model's record; models of earlier versions have none
WORDS = ("web2", "list", "")  # the book's dictionary, a list of the user's, or strings of no dictionary
_MOST_KINDS = 256  # of texts in one record, far more than anybody trains on
_MOST_LETTERS = 254  # as in datasets and in networks
LONGEST = 32  # letters of a text that a reader may look for


class LearntTexts(NamedTuple):
    """The texts of one or more datasets.

    alphabet : the letters that they may have, each once
    length : the shortest and the longest
    words : one of `WORDS`
    """

    alphabet: str
    length: tuple[int, int]
    words: str

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return {"alphabet": self.alphabet, "length": list(self.length), "words": self.words}


def learnt_texts(record: Mapping[str, Any]) -> tuple[LearntTexts, ...]:
    """Read the texts from a model's record; none if it is of an earlier version.

    Raises
    ------
    ValueError
        The record holds something else there.
    """
    kept = record.get(TEXTS, [])
    if not isinstance(kept, list) or len(kept) > _MOST_KINDS:
        raise ValueError(f"{TEXTS}: must be a list of at most {_MOST_KINDS} kinds of texts")
    return tuple(map(_checked, kept))


def _checked(kept: object) -> LearntTexts:
    if not isinstance(kept, dict) or kept.keys() != set(LearntTexts._fields):
        raise ValueError(f"{TEXTS}: must have {', '.join(LearntTexts._fields)} each")
    alphabet, length, words = (kept[field] for field in LearntTexts._fields)
    if not isinstance(alphabet, str) or not 1 <= len(alphabet) <= _MOST_LETTERS or len(set(alphabet)) < len(alphabet):
        raise ValueError(f"{TEXTS}, alphabet: must be 1 to {_MOST_LETTERS} letters, each once")
    if not alphabet.isprintable() or any(letter.isspace() for letter in alphabet):
        raise ValueError(f"{TEXTS}, alphabet: must have no blank or control characters")
    whole = isinstance(length, list) and len(length) == 2 and all(type(bound) is int for bound in length)
    if not whole or not 1 <= length[0] <= length[1] <= LONGEST:
        raise ValueError(f"{TEXTS}, length: must be the shortest and the longest, from 1 to {LONGEST}")
    if not isinstance(words, str) or words not in WORDS:
        raise ValueError(f"{TEXTS}, words: must be one of {', '.join(map(repr, WORDS))}")
    return LearntTexts(alphabet, (length[0], length[1]), words)
