"""Read the answers that stand in picture files: where they stand is learnt from some files, and tried on others."""

import codecs
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import NamedTuple

from storage.dataset import Dataset
from storage.errors import BadInput
from storage.files.small_files import read_small
from tasks.audit.attackers.answers import GUESSES, Answers, compared_as
from tasks.audit.attackers.labelled import Unseen
from tasks.audit.findings.files.hidden_parts import parts_of
from tasks.audit.findings.files.own_pictures import labels_of
from tasks.audit.findings.files.spellings import decoded
from tasks.loading.safe_read import MOST_BYTES

LEARNT = 400  # files in which places are looked for
LEAST_ANSWERS, LEAST_SHARE = 3, 0.01  # files of these that a place must tell, as for the finding
_WORDS = 3  # from either end, that a place may be
# Letters with one and the same character between them, as in UTF-16 too.
_SPREAD = re.compile(r"(?<![^\W_])[^\W_](?:([-_., :\0])[^\W_](?:\1[^\W_])*)(?![^\W_])")


class AnswerPlace(NamedTuple):
    """Where answers stand.

    part : the part of the file, such as the tEXt chunk
    notation : of its bytes: as they are (''), base64, hexadecimal, percent signs
    form : of the word
    word : which of the words that may be an answer; below 0 from the end
    """

    part: str
    notation: str
    form: str
    word: int


@dataclass(frozen=True)
class TextRule:
    """What a word must be to be an answer: its letters, its lengths, and whether upper and lower case count alike."""

    alphabet: str
    length: tuple[int, int]
    fold_case: bool = False

    @cached_property
    def _word(self) -> re.Pattern[str]:
        symbols = "".join(letter for letter in self.alphabet if not letter.isalnum())
        return re.compile(rf"(?:[^\W_]|[{re.escape(symbols)}])+" if symbols else r"[^\W_]+")

    def words(self, text: str) -> Iterator[tuple[str, list[str]]]:
        """Yield the words of a text in each form that can be undone: (form, words)."""
        yield "as it is", self._word.findall(text)
        yield "backwards", self._word.findall(text[::-1])
        yield "in ROT13", self._word.findall(codecs.encode(text, "rot13"))
        spread = _SPREAD.finditer(text)
        yield "with a character between its letters", [found[0].replace(found[1], "") for found in spread]

    def answer_of(self, word: str) -> str | None:
        """Return the answer that a word may be, in the case that answers have; None if it is none."""
        if self.alphabet == self.alphabet.upper():
            word = word.upper()
        elif self.alphabet == self.alphabet.lower():
            word = word.lower()
        as_ = compared_as(self.fold_case)
        fits = self.length[0] <= len(word) <= self.length[1] and set(as_(word)) <= set(as_(self.alphabet))
        return word if fits else None


class FileReading:
    """The places in which the files of a dataset hold their answers, and how to read them there."""

    def __init__(self, places: Sequence[AnswerPlace], rule: TextRule):
        self.places, self._rule = tuple(places), rule

    def guesses(self, data: bytes) -> tuple[str, ...]:
        """Return what stands in the places of a file, without repetition."""
        words = words_of(data, self._rule, frozenset(place[:3] for place in self.places))
        told = (_at(words.get(place[:3], []), place.word) for place in self.places)
        return tuple(dict.fromkeys(text for text in told if text is not None))

    def answers(self, files: Sequence[Path]) -> Answers:
        """Read files; one that cannot be read gives no answer."""
        began = time.perf_counter()
        guesses = tuple(() if (data := _bytes_of(file)) is None else self.guesses(data) for file in files)
        return Answers(guesses, None, (time.perf_counter() - began) / max(len(files), 1))


def read_answers_in_files(
    dataset: Dataset, unseen: Unseen, source: Path, fold_case: bool
) -> Callable[[], Answers] | None:
    """Find where a dataset's files hold their answers, on pictures that are not unseen.

    Parameters
    ----------
    source : Path
        The folder of the files that the dataset was made of.

    Returns
    -------
    callable or None
        Reads the unseen pictures' files; None if no place was found, or the files are no longer those of the dataset.

    Raises
    ------
    Damaged
    """
    texts = [text for block in dataset.blocks(fields=("text",)) for text in block.texts()]
    files = _files_of(texts, source)
    if files is None:
        return None
    profile = dataset.manifest.profile
    rule = TextRule(str(profile["alphabet"]), (min(profile["length"]), max(profile["length"])), fold_case)
    apart = frozenset(unseen.rows)
    known = [row for row in range(len(texts)) if row not in apart]
    known = known[:: max(1, -(-len(known) // LEARNT))]
    places = find_places([files[row] for row in known], [texts[row] for row in known], rule)
    return partial(FileReading(places, rule).answers, [files[row] for row in unseen.rows]) if places else None


def find_places(files: Sequence[Path], texts: Sequence[str], rule: TextRule) -> list[AnswerPlace]:
    """Find where files hold their answers, the best place first, `GUESSES` places at most.

    A place counts if it tells three times as many files' own answers as those of other files, as for the finding. Each
    after the first tells some that those before it do not.
    """
    as_ = compared_as(rule.fold_case)
    right: dict[AnswerPlace, set[int]] = defaultdict(set)
    wrong: Counter[AnswerPlace] = Counter()
    others = [*texts[len(texts) // 2 :], *texts[: len(texts) // 2]]
    for number, (file, text, other) in enumerate(zip(files, texts, others, strict=True)):
        data = _bytes_of(file)
        for view, words in words_of(data, rule).items() if data is not None and len(text) > 1 else ():
            for word in (*range(_WORDS), *range(-1, -_WORDS - 1, -1)):
                told = as_(_at(words, word) or "")
                if told == as_(text):
                    right[AnswerPlace(*view, word)].add(number)
                elif told == as_(other):
                    wrong[AnswerPlace(*view, word)] += 1
    least = max(LEAST_ANSWERS, LEAST_SHARE * len(files))
    fitting = {place: rows for place, rows in right.items() if len(rows) >= least and len(rows) > 3 * wrong[place]}
    chosen: list[AnswerPlace] = []
    read: set[int] = set()
    while fitting and len(chosen) < GUESSES:
        best = max(fitting, key=lambda place: len(fitting[place] - read))
        if len(fitting[best] - read) < least:
            break
        chosen.append(best)
        read |= fitting.pop(best)
    return chosen


def words_of(
    data: bytes, rule: TextRule, wanted: frozenset[tuple[str, str, str]] | None = None
) -> dict[tuple[str, str, str], list[str]]:
    """Return the words in a file that may be answers, by (part, notation, form); only those wanted, if it is given."""
    found: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    parts = None if wanted is None else {part for part, _, _ in wanted}
    for part, body in parts_of(data):
        if parts is not None and part not in parts:
            continue
        for notation, view in decoded(body):
            text = view.decode(errors="replace")
            for form, words in rule.words(text):
                if wanted is None or (part, notation, form) in wanted:
                    answers = map(rule.answer_of, words)
                    found[part, notation, form] += [answer for answer in answers if answer is not None]
    return found


def _at(words: Sequence[str], number: int) -> str | None:
    return words[number] if -len(words) <= number < len(words) else None


def _bytes_of(file: Path) -> bytes | None:
    try:
        return read_small(file, f"picture {file}", MOST_BYTES)
    except (BadInput, OSError):
        return None


def _files_of(texts: Sequence[str], source: Path) -> list[Path] | None:
    """Return the file of each picture of a dataset; None if the folder's labels are others.

    A folder is imported in the order of the digests of its paths, and what a generator drew in the order of drawing.
    Files that are no pictures have no row, so rows are looked for in the files' order: a file that stands for another
    has the same label.
    """
    for pairs in labels_of(source):
        rest = iter(pairs)
        files = [next((source / path for path, label in rest if label == text), None) for text in texts]
        found = [file for file in files if file is not None]
        if len(found) == len(texts):
            return found
    return None
