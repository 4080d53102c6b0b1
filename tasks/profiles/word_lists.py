"""Dictionaries: the English words of the book's list, or a user's word list."""

import functools
import hashlib
import re
from pathlib import Path

import numpy as np
from english_words import get_english_words_set

from storage.errors import BadInput, NotThere, remedy
from storage.files.small_files import read_small

WEB2 = "web2"


def load_words(source: str, alphabet: str, length: tuple[int, int]) -> tuple[str, ...]:
    """Load the words of `source` with a length in range, sorted, each once.

    Parameters
    ----------
    source : str
        `web2`, or the path of a UTF-8 text file with one word a line (blank lines are skipped).
    alphabet : str
        The characters that words may have. If no letter of it is lower case, words become upper case.
    length : (int, int)
        Shortest and longest word, in characters.

    Raises
    ------
    NotThere
        No such file.
    BadInput
        A line of a user's list is not UTF-8 or has a character outside the alphabet; or no word has
        such a length.
    """
    upper = not any(character.islower() for character in alphabet)
    shortest, longest = length
    if source == WEB2:
        letters = "".join(map(re.escape, alphabet))
        words = re.findall(rf"^[{letters}]{{{shortest},{longest}}}$", _cased(_web2(), upper), re.MULTILINE)
    else:
        own = set()
        for number, word in enumerate(_lines(Path(source)), 1):
            word = _cased(word, upper)
            foreign = sorted(set(word) - set(alphabet))
            if foreign:
                raise BadInput(
                    f"word list {source}, line {number}: {word!r} has {', '.join(map(repr, foreign))}, which the "
                    f"alphabet {alphabet!r} lacks; add it to the profile's alphabet or take the word out"
                )
            own.add(word)
        words = [word for word in own if shortest <= len(word) <= longest]
    chosen = tuple(sorted(words))
    if not chosen:
        raise BadInput(
            f"word list {source}: has no word of {shortest} to {longest} characters over "
            f"{alphabet!r}; give another list, or none for random strings"
        )
    return chosen


def _lines(path: Path) -> list[str]:
    try:
        data = read_small(path, f"word list {path}")
    except FileNotFoundError:
        raise NotThere(f"word list {path}: no such file; give 'web2' or the path of a text file") from None
    except OSError as error:
        raise BadInput(f"word list {path}: cannot be read ({error.strerror}); {remedy(error)}") from error
    lines = []
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").splitlines(), 1):
        try:
            lines.append(line.decode("utf-8").strip())
        except UnicodeDecodeError as error:
            raise BadInput(
                f"word list {path}, line {number}: byte {error.start + 1} (0x{line[error.start]:02x}) is not UTF-8; "
                "save the file as UTF-8"
            ) from error
    return lines


@functools.cache
def _web2() -> str:
    """Return the list's words, one a line: searched as a text, it takes half the time of a set."""
    return "\n".join(get_english_words_set([WEB2], lower=True, alpha=True))


def _cased(word: str, upper: bool) -> str:
    return word.upper() if upper else word


@functools.lru_cache(4)  # drawing asks several times
def letters_of(words: tuple[str, ...], alphabet: str) -> np.ndarray:
    """Return words as numbers in the alphabet, (words, longest) int32, -1 past the end; (0, 0) for random strings.

    The array is read-only.
    """
    lengths = np.fromiter(map(len, words), np.int64, len(words))
    letters = np.full((len(words), lengths.max(initial=0)), -1, np.int32, order="F")  # it is read place by place
    known = np.array([ord(character) for character in alphabet])
    order = known.argsort()
    codes = np.frombuffer("".join(words).encode("utf-32-le"), "<u4")
    found = order[np.searchsorted(known, codes, sorter=order).clip(max=max(len(known) - 1, 0))] if len(codes) else codes
    if (foreign := np.flatnonzero(known[found] != codes)).size:
        raise KeyError(f"{chr(codes[foreign[0]])!r} of a word is not in the alphabet {alphabet!r}")
    letters[np.arange(letters.shape[1]) < lengths[:, None]] = found
    letters.flags.writeable = False
    return letters


def words_digest(words: tuple[str, ...]) -> str:
    """Return the sha256 of the sorted list, one word a line: part of a dataset's identity."""
    return hashlib.sha256("\n".join(sorted(words)).encode()).hexdigest()
