"""Open a model file as a reader, decide which texts its answers may be, and let it read picture files."""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from storage.errors import BadInput
from storage.files.places import Place
from storage.learnt_texts import LearntTexts, learnt_texts
from storage.model_records import ModelFile, load_either
from tasks.both_readers import BothReaders, classic_length
from tasks.deep.cases import alphabet_in_capitals
from tasks.deep.deep_reader import DeepReader, require_curve
from tasks.deep.session import checked_record
from tasks.deep.shape import UNTOLD
from tasks.doubts import believed
from tasks.loading.decode import load_batch
from tasks.loading.safe_read import BadPicture
from tasks.loading.seen_batches import load_seen_batch
from tasks.profiles.word_lists import WEB2, load_words
from tasks.reading.networks import require_calibrated, require_record
from tasks.reading.ranking import Ranking
from tasks.reading.reader import LONGEST_BY_DEFAULT, Reader, Readings
from tasks.shipped import is_shipped
from tasks.worker import at_home

KEPT_READERS = 4  # in a worker's memory
NO_DICTIONARY = "none"
BOOK_LENGTH = (4, 4)  # of the words of `web2` for a model that does not say what it learnt from
ANY_LENGTH = (1, 32)  # of a user's list
_RUN = 4  # letters in a row of Unicode that are told as A-Z
_MOST_TOLD = 40  # characters of an alphabet in a sentence

AnyReader = Reader | DeepReader | BothReaders


@dataclass(frozen=True)
class ExpectedTexts:
    """The texts that a model's answers may be.

    words : the dictionary; empty for none
    alphabet, length : as for `tasks.reading.reader.Reader`
    letters : the letters of `alphabet`, or all that the model knows
    dictionary : 'web2', 'none', or the file of a list
    told : all of this in words, with the reasons
    sha256 : digest of the model's file when they were told
    """

    words: tuple[str, ...]
    alphabet: str | None
    length: tuple[int, int] | None
    letters: str
    dictionary: str
    told: str
    sha256: str


def expect_texts(
    model: Place, dictionary: str | None = None, alphabet: str | None = None, length: tuple[int, int] | None = None
) -> ExpectedTexts:
    """Decide which texts to expect of pictures that belong to no dataset: as the model learnt, unless told otherwise.

    Parameters
    ----------
    model : Path or ObjectPath
    dictionary : str, optional
        `web2`, the book's dictionary; `none`, for random strings; or the file of a user's list. By default `web2` if
        all texts that the model learnt from are words of it, else none.
    alphabet : str, optional
        The letters that may occur; by default all that the model knows.
    length : (int, int), optional
        The shortest and the longest text; by default as learnt (shipped models: 1 to 12), or those of a user's list.

    Raises
    ------
    BadInput, NotThere, Damaged
    """
    file = load_either(model)
    record, classes = file.record, _letters_of(file)
    alphabet = alphabet_in_capitals(alphabet) if alphabet and record.get("folded") else alphabet
    kinds, derived = _kinds_of(record)
    derived = derived and (dictionary is None or length is None)  # else nothing follows from it
    if dictionary is None:
        words, why = _learnt_words(kinds, classes, alphabet, length)
        dictionary = WEB2 if words else NO_DICTIONARY
    elif dictionary == NO_DICTIONARY:
        words, why = (), "no dictionary, as asked"
    else:
        words = _given_words(dictionary, kinds, classes, alphabet, length)
        why = f"{len(words):,} words of {dictionary} (--dictionary)"
    bounds = length or (UNTOLD if is_shipped(str(model)) else _bounds(kinds))  # strangers' texts may have any length
    if length is None and words:
        bounds = _bounds_of_words(words) if dictionary != WEB2 else (_bounds(_of_words(kinds)) or bounds)
    letters = f"letters {told_alphabet(alphabet or classes)}{' (--alphabet)' if alphabet else ''}"
    letters += ", upper and lower case alike, answers in capitals" if record.get("folded") else ""
    why += ", told from the names of its datasets" if derived else ""
    told = "; ".join([letters, _told_bounds(bounds, length is not None), why])
    return ExpectedTexts(words, alphabet, bounds, alphabet or classes, dictionary, told, file.sha256)


def known_letters(model: Place | str) -> tuple[dict[str, Any], str]:
    """Check a model of either kind against its record; return the record and the letters that it knows.

    Raises
    ------
    BadInput, NotThere, Damaged
    """
    file = load_either(model)
    return file.record, _letters_of(file)


def _letters_of(file: ModelFile) -> str:
    return checked_record(file.deep)[1] if file.deep else require_record(file.networks or {}, file.record)


def require_confidence(model: Place | str) -> None:
    """Refuse a model of either kind whose confidence was never fitted.

    Raises
    ------
    BadInput, NotThere, Damaged
    """
    file = load_either(model)
    (require_curve if file.deep else require_calibrated)(file.record)


def _kinds_of(record: Mapping[str, Any]) -> tuple[list[LearntTexts], bool]:
    """Return the texts that a model learnt from, and whether they are only derived from its datasets' names.

    Single letters teach letters and are no texts, if the model learnt from others too.
    """
    kinds, derived = list(learnt_texts(record)), False
    if not kinds:
        kinds = _derived(record)
        derived = bool(kinds)
    return [texts for texts in kinds if texts.length[1] > 1] or kinds, derived


def _derived(record: Mapping[str, Any]) -> list[LearntTexts]:
    """Return the texts of the built-in profiles that the datasets are named for; none unless all are."""
    from tasks.profiles.built_in import BUILT_IN  # only models of earlier versions need them

    datasets = record.get("datasets")
    names = [data.get("name") for data in datasets if isinstance(data, dict)] if isinstance(datasets, list) else []
    profiles = [BUILT_IN.get(str(name)) for name in names]
    kinds = [LearntTexts(profile.alphabet, profile.length, profile.words) for profile in profiles if profile]
    return list(dict.fromkeys(kinds)) if len(kinds) == len(names) else []


def _of_words(kinds: Iterable[LearntTexts]) -> list[LearntTexts]:
    return [texts for texts in kinds if texts.words == WEB2]


def _learnt_words(
    kinds: Sequence[LearntTexts], classes: str, alphabet: str | None, length: tuple[int, int] | None
) -> tuple[tuple[str, ...], str]:
    """Return the words of the dictionary that the model learnt from, and how people are told; none with the reason."""
    sources = {texts.words for texts in kinds}
    if not kinds:
        return (), "no dictionary (the model does not say what it learnt from)"
    if "list" in sources:
        return (), "no dictionary (it learnt words of a list, which --dictionary FILE gives)"
    if sources != {WEB2}:
        why = "it learnt from other strings too; --dictionary web2 for English words"
        return (), f"no dictionary ({why})" if WEB2 in sources else "no dictionary, as it learnt"
    if set(alphabet or "") - set("".join(texts.alphabet for texts in kinds)):
        return (), "no dictionary (--alphabet has letters that the words it learnt lack)"
    words = _web2(kinds, classes, alphabet, length)
    if not words:
        return (), "no dictionary (web2 has no word of these letters and this length)"
    return words, f"{len(words):,} English words (web2), as it learnt"


def _web2(
    kinds: Sequence[LearntTexts], classes: str, alphabet: str | None, length: tuple[int, int] | None
) -> tuple[str, ...]:
    """Return the words of `web2` in the letters and lengths of each kind, with what was given in their place."""
    words: set[str] = set()
    for texts in kinds:
        letters = "".join(letter for letter in alphabet or texts.alphabet if letter in classes)
        try:
            words.update(load_words(WEB2, letters, length or texts.length))
        except BadInput:  # no such word
            continue
    return tuple(sorted(words))


def _given_words(
    source: str, kinds: Sequence[LearntTexts], classes: str, alphabet: str | None, length: tuple[int, int] | None
) -> tuple[str, ...]:
    """Return the words of `web2`, as the model learnt them if it did, or of a user's list."""
    if source != WEB2:
        words = load_words(source, alphabet or classes, length or ANY_LENGTH)
        return words if alphabet else _in_both_cases(words, classes)
    learnt = _web2(_of_words(kinds), classes, alphabet, length)
    return learnt or load_words(WEB2, alphabet or classes, length or _bounds(kinds) or BOOK_LENGTH)


def _in_both_cases(words: Sequence[str], classes: str) -> tuple[str, ...]:
    """Add each word in capitals and in small letters, as far as the model knows them: lists are rarely in both."""
    letters, both = set(classes), set(words)
    for word in words:
        both.update(
            form for form in (word.upper(), word.lower()) if len(form) == len(word) and letters.issuperset(form)
        )
    return tuple(sorted(both))


def _bounds(kinds: Sequence[LearntTexts]) -> tuple[int, int] | None:
    lengths = [bound for texts in kinds for bound in texts.length]
    return (min(lengths), max(lengths)) if lengths else None


def _bounds_of_words(words: Sequence[str]) -> tuple[int, int]:
    return min(map(len, words)), max(map(len, words))


def told_length(bounds: tuple[int, int]) -> str:
    """Tell a shortest and a longest length: `4`, or `4 to 6`."""
    shortest, longest = bounds
    return f"{shortest}" if shortest == longest else f"{shortest} to {longest}"


def _told_bounds(bounds: tuple[int, int] | None, given: bool) -> str:
    if bounds is None:
        return f"1 to {LONGEST_BY_DEFAULT} of them, since the model does not say how many it learnt"
    return f"{told_length(bounds)} of them{' (--length)' if given else ''}"


def told_alphabet(alphabet: str) -> str:
    """Tell an alphabet in short: `A-Z0-9` for runs of letters, the first ones of a long alphabet without runs."""
    told, letters = "", sorted(set(alphabet))
    while letters:
        size = 1
        while size < len(letters) and ord(letters[size]) == ord(letters[0]) + size:
            size += 1
        run = letters[:size]
        told += f"{run[0]}-{run[-1]}" if size >= _RUN else "".join(run)
        letters = letters[size:]
    return told if len(told) <= _MOST_TOLD else f"{told[:_MOST_TOLD]}… ({len(alphabet)})"


@functools.lru_cache(maxsize=KEPT_READERS)
def load_reader(
    model: str, sha256: str, dictionary: tuple[str, ...], ranking: Ranking | None = None, alphabet: str | None = None,
    length: tuple[int, int] | None = None, familiar: bool = False, waits: bool = False,
) -> Reader | DeepReader:  # fmt: skip
    """Open a model file of either kind as a reader, and keep it for the worker's next job.

    Parameters
    ----------
    model, sha256 : str
        The file as the run's client names it, and its digest when the run began.
    dictionary, ranking, alphabet, length, familiar
        As for the readers.
    waits
        Whether a deep model's network is opened only when it reads.

    Raises
    ------
    NotThere, BadInput
    Damaged
        Also if the file has changed since the run began.
    """
    model = at_home(model)
    file = load_either(model, sha256)
    if file.deep:
        require_curve(file.record)
        reader: Reader | DeepReader = DeepReader(file.deep, dictionary, ranking, alphabet, length, 1, familiar, waits)
    else:
        reader = Reader(file.networks or {}, file.record, dictionary, ranking, alphabet, length)
        require_calibrated(file.record)
    reader.doubts = is_shipped(model)
    return reader


@functools.lru_cache(maxsize=KEPT_READERS)
def load_both(
    classic: tuple[str, str], deep: tuple[str, str], dictionary: tuple[str, ...], ranking: Ranking | None = None,
    alphabet: str | None = None, length: tuple[int, int] | None = None,
) -> BothReaders:  # fmt: skip
    """Open a classic and a deep model to read together; each is a file and its digest, the rest as `load_reader`."""
    first = load_reader(*classic, dictionary, ranking, alphabet, classic_length(length, is_shipped(classic[0])))
    second = load_reader(*deep, dictionary, ranking, alphabet, length, waits=True)  # most pictures may not need it
    if not isinstance(first, Reader) or not isinstance(second, DeepReader):
        raise BadInput(f"model: a classic and a deep model must read together; they are {classic[0]} and {deep[0]}")
    return BothReaders(first, second)


def read_pictures(
    reader: AnyReader, pictures: Iterable[object], read: Callable[..., bytes], notes: dict[int, str]
) -> tuple[list[tuple[np.ndarray, Readings]], list[tuple[int, BadPicture]]]:
    """Load and read pictures.

    Parameters
    ----------
    read : callable
        Returns the bytes of a picture's file, or raises `BadPicture`.
    notes : dict
        Filled in with what is to be known of a picture, by its index.

    Returns
    -------
    readings : list of (indices (k,) int64, Readings)
    failures : list of (index, BadPicture)
        Every picture is either in one of the readings or here.
    """
    if isinstance(reader, BothReaders):
        return reader.read_files(pictures, read, notes)
    if isinstance(reader, DeepReader):
        seen, failures = load_seen_batch(pictures, read, notes)
        loaded: list[tuple[np.ndarray, np.ndarray, np.ndarray | None]] = [*seen]
    else:
        groups, failures = load_batch(pictures, read, notes)
        loaded = [(*group, None) for group in groups]
    return [part.noted(each[0], notes) for each in loaded for part in believed(reader, *each[1:])], failures
