"""Open a model file as a reader, and choose the words that it ranks its answers by."""

import functools

from storage.errors import Damaged
from storage.files.places import Place
from storage.models import load_model, model_digest
from tasks.profiles.word_lists import WEB2, load_words
from tasks.reading.networks import require_calibrated
from tasks.reading.ranking import Ranking
from tasks.reading.reader import Reader
from tasks.worker import at_home

KEPT_READERS = 4  # in a worker's memory


def choose_words(
    given: str, model: Place, alphabet: str | None = None, length: tuple[int, int] | None = None
) -> tuple[str, ...]:
    """Choose the words to rank a model's answers by, for pictures that belong to no dataset.

    Parameters
    ----------
    given : str
        `web2`, the book's dictionary; `none`, for random strings; or the file of a user's list.
    model : Path or ObjectPath
    alphabet : str, optional
        The letters that may occur; by default all that the model knows.
    length : (int, int), optional
        The shortest and the longest word; by default four letters of `web2`, and any length of a user's list.

    Raises
    ------
    BadInput, NotThere
    """
    if given == "none":
        return ()
    _, provenance = load_model(model)
    return load_words(given, alphabet or provenance["classes"], length or ((4, 4) if given == WEB2 else (1, 32)))


@functools.lru_cache(maxsize=KEPT_READERS)
def load_reader(
    model: str,
    sha256: str,
    dictionary: tuple[str, ...],
    ranking: Ranking | None = None,
    alphabet: str | None = None,
    length: tuple[int, int] | None = None,
) -> Reader:
    """Open a model file as a reader, and keep it for the worker's next job.

    Parameters
    ----------
    model, sha256 : str
        The file as the run's client names it, and its digest when the run began.
    dictionary, ranking, alphabet, length
        As for `tasks.reading.reader.Reader`.

    Raises
    ------
    NotThere, BadInput
    Damaged
        Also if the file has changed since the run began.
    """
    model = at_home(model)
    if model_digest(model) != sha256:
        raise Damaged(f"model {model}: is not the file that this run began with; run again")
    networks, record = load_model(model)
    reader = Reader(networks, record, dictionary, ranking, alphabet, length)
    require_calibrated(record)
    return reader
