"""Pictures read at once, in this process: the Python door for programs that have a few pictures and want words."""

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass

from storage.files.places import place
from storage.models import model_digest
from tasks.both_readers import read_together
from tasks.loading.in_memory import Given, picture_bytes
from tasks.readers import AnyReader, expect_texts, load_both, load_reader, read_pictures, told_length
from tasks.shipped import SHIPPED, STRANGERS
from tasks.solving.alike.in_common import InCommon
from tasks.solving.alike.second_reading import Again, is_told, letters_of, limits, read_alike


@dataclass(frozen=True)
class Word:
    """The answer to a picture.

    word : the best answer; '' if there is none
    confidence : from 0 to 1, the calibrated probability that `word` is right; None if the model has none
    others : the next two answers, each with its share of the rest
    reason : why there is no word; or which of several frames it was read from, what was left out, why it is doubted
    """

    word: str
    confidence: float | None
    others: tuple[tuple[str, float | None], ...] = ()
    reason: str = ""


class PictureReader:
    """A model that reads pictures from files or from memory; `open_reader` opens it."""

    def __init__(self, reader: AnyReader, again: Again | None = None):
        self._reader, self._again = reader, again

    def read(self, pictures: Iterable[Given]) -> list[Word]:
        """Read pictures, all together or a few at a time.

        Of pictures that are given together, those whose texts are unlike most others are read once more, as texts like
        the others; see `open_reader`.

        Parameters
        ----------
        pictures : iterable
            Paths of files, bytes of files, Pillow images, or arrays (H, W), (H, W, 3) or (H, W, 4) uint8; mixed as
            they come, in any colours, light on dark or dark on light.

        Returns
        -------
        list of Word
            One for each picture, in order. A picture that cannot be read gives an empty word with the reason, never
            an error.
        """
        given = [*pictures]
        notes: dict[int, str] = {}
        if self._again is None or is_told(self._reader):
            groups, failures = read_pictures(self._reader, given, picture_bytes, notes)
        else:
            groups, failures, _ = read_alike(self._reader, self._again, given, picture_bytes, notes)
        words = [Word("", 0.0)] * len(given)
        shortest, longest = self._reader.length
        for index, error in failures:
            words[index] = Word("", 0.0, reason=str(error))
        for indices, readings in groups:
            for index, found, shares in zip(
                indices.tolist(), readings.words.tolist(), readings.confidences.tolist(), strict=True
            ):
                known = [None if math.isnan(share) else share for share in shares]
                (word, share), *others = zip(found, known, strict=True)
                rest = tuple(other for other in others if other[0])
                if word and not shortest <= len(word) <= longest:
                    words[index] = Word("", 0.0, reason=f"cannot be read as {told_length((shortest, longest))} letters")
                else:
                    words[index] = Word(word, share, rest, notes.get(index, "") if word else "no letter found")
        return words


def open_reader(
    model: str | os.PathLike[str] | None = None,
    *,
    dictionary: str | None = None,
    alphabet: str | None = None,
    length: tuple[int, int] | None = None,
    independent: bool = False,
) -> PictureReader:
    """Open a model for reading pictures in this process: no Prefect, no Dask, no scikit-learn, no database.

    Parameters
    ----------
    model : path or URL, optional
        A model's file; by default both models that come with the package: the classic model where it is sure, and
        the deep model else.
    dictionary : str, optional
        'none' for random strings, 'web2' for the English words, or the path of a word list; by default 'web2' if all
        texts that the model learnt from are words of it, else 'none'.
    alphabet : str, optional
        The letters that may occur, of those that the model knows.
    length : (int, int), optional
        The shortest and the longest text: no answer has another length. By default as the model learnt, and with the
        shipped models 1 to 12.
    independent : bool
        Whether each picture is read from itself alone. By default, where most texts of some twenty pictures or more
        that are given together are alike, such as four digits, the others are read once more as such texts. That is
        for the models that come with the package, without a dictionary.

    Raises
    ------
    NotThere, Damaged, BadInput

    Examples
    --------
    >>> from tasks.datasets.recipe import make_recipe, renderer_of
    >>> from tasks.profiles.built_in import find_profile
    >>> block = renderer_of(make_recipe(find_profile("book"), seed=1)).block(1, 0, 2)
    >>> reader = open_reader(length=(4, 4))
    >>> [answer.word for answer in reader.read([255 - image for image in block.images])]
    ['GAPY', 'TERA']
    >>> reader.read([b"not a picture"])[0].reason.partition(":")[0]
    'no picture'
    """
    path = place(STRANGERS if model is None else os.fspath(model))
    texts = expect_texts(path, dictionary, alphabet, length)
    own, classic = (str(path), texts.sha256), (str(SHIPPED), model_digest(SHIPPED))
    both = model is None and read_together(texts.length)

    def opened(letters: str | None, bounds: tuple[int, int] | None) -> AnyReader:
        if both:
            return load_both(classic, own, texts.words, None, letters, bounds)
        return load_reader(*(classic if model is None else own), texts.words, None, letters, bounds)

    def again(common: InCommon) -> AnyReader:
        letters, bounds = limits(common, letters_of(reader))
        return opened(letters or alphabet, bounds)

    reader = opened(alphabet, texts.length)
    return PictureReader(reader, None if independent else again)
