"""The request of `captchas solve`, with its model and settings: for the flow, and for pictures that are named."""

from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from typing import NamedTuple

from flows.home import home, model_file
from flows.model_pairs import ModelPair, own_models, pair_beside, pair_named, verdict
from flows.parameters import Count, File, Name, ReaderChoice, Settle, Share, require_request
from flows.reporting.plain_reports import ReadsWith
from storage.deep_models import is_deep
from storage.errors import BadInput
from storage.files.places import Place, place
from storage.ledger.ledger import LEDGER
from storage.pairs import Readers
from storage.served_model import SUFFIXES, ServedBy, is_served_by_name, served_in, without_suffix
from tasks.both_readers import SURE, read_together
from tasks.deep.shape import LONGEST
from tasks.profiles.word_lists import WEB2
from tasks.readers import NO_DICTIONARY, ExpectedTexts, expect_texts
from tasks.reading.ranking import Ranking
from tasks.shipped import SHIPPED, STRANGERS
from tasks.solving.batches import SolvePlan, make_plan
from tasks.solving.choice import parse_length
from tasks.solving.tables import AnswerFormat

MOST_NAMED = 3  # models beside the served model that a sentence names
AFTERWARDS = (Ranking.POSITIONS, Ranking.LEVENSHTEIN)  # rankings that mean nothing without a dictionary


@dataclass(frozen=True)
class SolveRequest:
    """The pictures to solve, how, and where the answers go.

    Parameters
    ----------
    path
        A folder, or one picture; a name under the home, such as inbox; or a URL of an object store. In a shell also
        several pictures, or - for a picture on standard input.
    model
        A model's name under the home, or its file; by default the served model: the model that
        `captchas serve` chose or `captchas regenerate` promoted, else the shipped models.
    reader
        Classic, which cuts pictures into letters; deep, a network over whole pictures; or auto: of a classic and a
        deep model of one name, what has the most validation words right: either, or both together. Without a served
        model and without --model that is the shipped classic model where it is sure, and the shipped deep model else.
    dictionary
        web2 (English words), the path of a word list, or none for random strings; by default web2 if all texts that
        the model learnt from are words of it, else none.
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
        Also read pictures that another model, or the same model with other settings, has answered: this is the
        default.
    keep
        Keep the answers of another model or of other settings, and read only what has none.
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
        How many letters there are, such as 4 or 4-6: no answer has another length. By default as many as the texts
        that the model learnt from have (with the shipped models 1 to 12), or the words of the list in --dictionary.
    independent
        Answer each picture from itself alone. By default, where most texts of a folder are alike, such as four digits,
        the pictures that were read otherwise are read once more as such texts. That is for the shipped models without
        a dictionary.
    explain
        Of named pictures only: also write a PNG with every stage of the reading. --explain alone writes
        reports/explain/NAME.png under the home, --explain OUT.png that file.
    workers
        Local processes; by default one for each core.
    cluster
        Address of a Dask scheduler to use instead, such as tcp://host:8786.
    """

    path: File
    _: KW_ONLY
    model: Name | None = None
    reader: ReaderChoice = ReaderChoice.AUTO
    dictionary: Name | None = None
    ranking: Ranking = Ranking.PROBABILITY
    out: File | None = None
    format: AnswerFormat | None = None
    csv_safe: bool = False
    only_new: bool = False
    again: bool = False
    keep: bool = False
    settle: Settle = 1.0
    move_to: File | None = None
    follow_links: bool = False
    abstain_below: Share = 0.0
    alphabet: Name | None = None
    length: Name | None = None
    independent: bool = False
    explain: Name | None = None
    workers: Count | None = None
    cluster: Name | None = None


def require_settings(request: SolveRequest) -> tuple[int, int] | None:
    """Return the bounds of the length, after a look at the numbers of a request, which needs no file.

    Raises
    ------
    BadInput
    """
    require_request(request)
    if request.again and request.keep:
        raise BadInput("keep: keeps the answers that --again reads again; give one of them")
    return parse_length(request.length)


class PlannedReading(NamedTuple):
    """The settings of a reading, and what people are told of them."""

    plan: SolvePlan
    texts: ExpectedTexts
    told: str

    def report(self) -> ReadsWith:
        """Return the first part of a report."""
        return {
            "reads_with": self.told,
            "model": self.plan.model,
            "classic_model": self.plan.classic,
            "reader": _kind(self.plan.model, self.plan.classic).value,
            "alphabet": self.texts.letters,
            "length": list(self.texts.length) if self.texts.length else None,
            "dictionary": self.texts.dictionary,
            "dictionary_words": len(self.texts.words),
        }


def _kind(model: str | Place, classic: str | Place | None) -> Readers:
    """Return which kinds of model read: both if there is a classic model beside."""
    if classic is not None:
        return Readers.BOTH
    return Readers.DEEP if is_deep(model) else Readers.CLASSIC


# Parts of a report that the sentence `reads_with` tells people.
TOLD = ("model", "classic_model", "reader", "alphabet", "length", "dictionary", "dictionary_words")


def plan_of(request: SolveRequest) -> PlannedReading:
    """Return the model, the dictionary and the settings of a request, with the reasons.

    Raises
    ------
    BadInput, NotThere, Damaged
    """
    length = require_settings(request)
    chosen = _models_of(request)
    model = chosen.model
    dictionary = NO_DICTIONARY if request.ranking is Ranking.NONE else request.dictionary
    texts = expect_texts(model, dictionary, request.alphabet, length)
    if not texts.words and request.dictionary is None and request.ranking in AFTERWARDS:
        raise BadInput(
            f"ranking: {request.ranking.value!r} needs a dictionary, and {model.stem} reads with none by default; give "
            "web2 or a word list with --dictionary"
        )
    if chosen.pair is not None:
        chosen = best_of(chosen.pair, chosen.how, words=bool(texts.words))
    chosen = chosen.for_length(texts.length)
    ranking = request.ranking if texts.words else Ranking.NONE
    plan = make_plan(
        chosen.model, texts.words, ranking, request.abstain_below, texts.alphabet, texts.length, chosen.classic,
        together=not request.independent,
    )  # fmt: skip
    if chosen.model == model:  # another one may have taken its place, to which the texts do not belong
        plan = replace(plan, model_sha256=texts.sha256)
    return PlannedReading(plan, texts, f"{chosen.told}; {texts.told}")


def dictionary_file(request: SolveRequest) -> tuple[Place, ...]:
    """Return the file of the word list that a request names; empty if it names none."""
    return () if request.dictionary in (None, WEB2, NO_DICTIONARY) else (place(request.dictionary),)


def ledger() -> Path:
    """Return the file that remembers all inboxes of this home."""
    return home() / "answers" / LEDGER


class ChosenModels(NamedTuple):
    """The model that reads, the classic model that reads before it if there is one, and why, in words.

    pair, how : the classic and the deep model that were to choose from, and how they were chosen, in words
    """

    model: Place
    classic: Place | None
    why: str
    pair: ModelPair | None = None
    how: str = ""

    @property
    def readers(self) -> Readers:
        """Return which kinds of model read."""
        return _kind(self.model, self.classic)

    @property
    def told(self) -> str:
        """Return what people are told: the names of the models, and why they read."""
        classic, model = (file and (file.name if self.pair else file.stem) for file in (self.classic, self.model))
        if classic is None:
            return f"{model} ({self.why})"
        return f"{classic} where it is {100 * SURE:.0f} % sure, else {model} ({self.why})"

    def for_length(self, length: tuple[int, int] | None) -> "ChosenModels":
        """Return the models that read texts of such a length: of a classic and a deep model perhaps the classic."""
        if self.classic is None or read_together(length):
            return self
        why = f"{self.why}; {self.model.stem} knows no texts of over {LONGEST} letters"
        return self._replace(model=self.classic, classic=None, why=why)


def best_of(pair: ModelPair, how: str, *, words: bool = False) -> ChosenModels:
    """Return what reads of a classic and a deep model, with a dictionary or without."""
    readers, why = verdict(pair, words)
    model = pair.classic if readers is Readers.CLASSIC else pair.deep
    return ChosenModels(
        model, pair.classic if readers is Readers.BOTH else None, "; ".join(filter(None, (how, why))), pair, how
    )


def served_model(reader: ReaderChoice = ReaderChoice.AUTO) -> ChosenModels:
    """Return what reads unless a model is named: the served model if it is of the kind wanted, else what is shipped.

    Raises
    ------
    NotThere, Damaged
    """
    served = served_in(home() / "models")
    if served is not None:
        why = "served by `captchas serve`" if served.by is ServedBy.CHOICE else "served by `regenerate`"
        pair = pair_beside(served.model) if is_served_by_name(home() / "models") else None
        if pair is not None:
            return _of_pair(pair, reader, why)
        if _is_kind(served.model, reader):
            return ChosenModels(served.model, None, why)
    match reader:
        case ReaderChoice.AUTO:
            return ChosenModels(STRANGERS, SHIPPED, "the shipped models")
        case ReaderChoice.CLASSIC:
            return ChosenModels(SHIPPED, None, "the shipped classic model")
        case ReaderChoice.DEEP:
            return ChosenModels(STRANGERS, None, "the shipped deep model")


def _of_pair(pair: ModelPair, reader: ReaderChoice, how: str) -> ChosenModels:
    if reader is ReaderChoice.AUTO:
        return best_of(pair, how)
    return ChosenModels(pair.deep if reader is ReaderChoice.DEEP else pair.classic, None, how)


def _is_kind(model: Place, reader: ReaderChoice) -> bool:
    return reader is ReaderChoice.AUTO or is_deep(model) == (reader is ReaderChoice.DEEP)


def _models_of(request: SolveRequest) -> ChosenModels:
    """Return the models of a request, and why; with the models beside them that the user may have meant."""
    if request.model:
        return named_models(request.model, request.reader)
    chosen = served_model(request.reader)
    shipped = chosen.model in (SHIPPED, STRANGERS)
    others = [name for name in own_models() if name != chosen.model.stem or shipped]
    if others:
        why = f"{chosen.why}, not {', '.join(others[:MOST_NAMED])}: name that with --model, or `captchas serve` it"
        chosen = chosen._replace(why=why)
    return chosen


def named_models(name: str, reader: ReaderChoice, how: str = "--model") -> ChosenModels:
    """Return the model of a name; with `auto` what reads of a classic and a deep model of that name.

    Raises
    ------
    BadInput, NotThere, Damaged
    """
    pair = pair_named(name) if reader is ReaderChoice.AUTO else None
    return best_of(pair, how) if pair else ChosenModels(_named(name, reader), None, how)


def _named(name: str, reader: ReaderChoice) -> Place:
    """Return the file of a model that is named, of the kind wanted: models of both kinds may have one name.

    Raises
    ------
    BadInput, NotThere, Damaged
    """
    file = model_file(name)
    if _is_kind(file, reader):
        return file
    beside = model_file(f"{without_suffix(name)}{SUFFIXES[reader is ReaderChoice.DEEP]}")
    if without_suffix(name) == name and beside.is_file() and _is_kind(beside, reader):
        return beside
    raise BadInput(
        f"reader: must be that of the model; {file} is {'deep' if is_deep(file) else 'classic'}, and --reader "
        f"{reader.value} is asked for: leave out --reader, or name another --model"
    )
