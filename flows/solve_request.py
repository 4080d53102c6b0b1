"""The request of `captchas solve`, with its model and settings: for the flow, and for pictures that are named."""

from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from flows.home import home, model_file
from flows.parameters import Count, Name, Seconds, Share
from storage.errors import BadInput
from storage.ledger.ledger import LEDGER
from tasks.readers import choose_words
from tasks.reading.ranking import Ranking
from tasks.shipped import SHIPPED
from tasks.solving.batches import SolvePlan, make_plan, parse_length
from tasks.solving.tables import AnswerFormat


@dataclass(frozen=True)
class SolveRequest:
    """The pictures to solve, how, and where the answers go.

    Parameters
    ----------
    path
        A folder, or one picture; a name under the home, such as inbox; or a URL of an object store. In a shell also
        several pictures, or - for a picture on standard input.
    model
        A model's name under the home, or its file; by default the newest model there, or else the shipped model.
    dictionary
        web2 (the book's four-letter words), the path of a word list, or none for random strings.
    ranking
        How a word is chosen: by letter probabilities, the book's equal positions, Levenshtein, or none.
    out
        The file of answers, its URL, a FIFO, or - for standard output; by default answers/FOLDER/answers.csv under
        the home, and for pictures none.
    format
        CSV, JSON lines or Parquet; by default by the ending of --out, else CSV.
    csv_safe
        In a CSV file, put an apostrophe before each cell that a spreadsheet would run: one that begins with
        = + - @, a tab or a line break. JSON lines and Parquet stay as they are.
    only_new
        Write only answers since the last run that wrote its answers; by default all.
    again
        Also read pictures that another model, or the same model with other settings, has answered. For one picture
        always so.
    settle
        Seconds between two looks at a file; a file that changes meanwhile is still being written and is left.
    move_to
        Move solved files to this folder, under the same names; a name that is taken there gets a number.
    follow_links
        Read what symbolic links point to as well.
    abstain_below
        Leave a word unanswered if its confidence is below this, from 0 to 1.
    alphabet
        The characters that may occur, such as 0123456789; by default all that the model knows.
    length
        How many letters there are, such as 4 or 4-6; by default as many as the dictionary's words have.
    workers
        Local processes; by default one for each core.
    cluster
        Address of a Dask scheduler to use instead, such as tcp://host:8786.
    """

    path: Path
    _: KW_ONLY
    model: Name | None = None
    dictionary: Name = "web2"
    ranking: Ranking = Ranking.PROBABILITY
    out: Path | None = None
    format: AnswerFormat | None = None
    csv_safe: bool = False
    only_new: bool = False
    again: bool = False
    settle: Seconds = 1.0
    move_to: Path | None = None
    follow_links: bool = False
    abstain_below: Share = 0.0
    alphabet: Name | None = None
    length: Name | None = None
    workers: Count | None = None
    cluster: Name | None = None


def require_settings(request: SolveRequest) -> tuple[int, int] | None:
    """Return the bounds of the length, after a look at the numbers of a request, which needs no file.

    Raises
    ------
    BadInput
    """
    if not 0 <= request.abstain_below <= 1:
        raise BadInput(f"abstain-below: must be from 0 to 1; it is {request.abstain_below}")
    return parse_length(request.length)


def plan_of(request: SolveRequest) -> SolvePlan:
    """Return the model, the dictionary and the settings of a request.

    Raises
    ------
    BadInput, NotThere, Damaged
    """
    length = require_settings(request)
    model = model_file(request.model) if request.model else newest_model()
    words: tuple[str, ...] = ()
    if request.ranking is not Ranking.NONE:
        words = choose_words(request.dictionary, model, request.alphabet, length)
    ranking = request.ranking if words else Ranking.NONE
    return make_plan(model, words, ranking, request.abstain_below, request.alphabet, length)


def ledger() -> Path:
    """Return the file that remembers all inboxes of this home."""
    return home() / "answers" / LEDGER


def newest_model() -> Path:
    """Return the model under the home that was trained last, or else the shipped model."""
    models = (path for path in (home() / "models").glob("*.skops") if path.is_file())  # a link may lead nowhere
    found = sorted(models, key=lambda path: path.stat().st_mtime)
    return found[-1] if found else SHIPPED
