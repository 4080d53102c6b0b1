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

    def __init__(self, reader: AnyReader):
        self._reader = reader

    def read(self, pictures: Iterable[Given]) -> list[Word]:
        """Read pictures, all together or a few at a time.

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
        groups, failures = read_pictures(self._reader, given, picture_bytes, notes)
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
        The shortest and the longest text: no answer has another length. By default as the model learnt.

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
    own = (str(path), model_digest(path))
    if model is None and read_together(texts.length):
        classic = (str(SHIPPED), model_digest(SHIPPED))
        return PictureReader(load_both(classic, own, texts.words, None, alphabet, texts.length))
    if model is None:
        own = (str(SHIPPED), model_digest(SHIPPED))
    return PictureReader(load_reader(*own, texts.words, None, alphabet, texts.length))
