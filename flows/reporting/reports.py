"""The reports of the commands that other code reads, by their keys; `--json` prints them.

The reports of drawing and of proving are with their units, in `tasks.datasets`.
"""

from typing import Any, NotRequired, TypedDict, final

from flows.reporting.plain_reports import ModelReport, ReadsWith
from tasks.datasets.describe import DatasetLine
from tasks.rates import RateRecord


class ShardState(TypedDict):
    """A shard of a drawn dataset: made, repaired or skipped."""

    shard: str
    state: str
    pictures: int
    bytes: int


class VerifiedDataset(TypedDict):
    """A dataset in the proof of all; numbers are None if the proof ended early."""

    dataset: str
    state: str
    pictures: int | None
    shards: int | None
    found_whole: int | None
    findings: int


@final
class AllVerified(TypedDict):
    """The proof of all datasets under the home."""

    datasets: list[VerifiedDataset]


class DatasetList(TypedDict):
    """The datasets of a home."""

    folder: str
    datasets: list[DatasetLine]


class RankingRate(RateRecord):
    """The words that a ranking has right; `words_right` is the rate as people read it."""

    ranking: str
    words_right: str


class RankingError(TypedDict):
    """The calibration error of a ranking's confidence, in percent."""

    ranking: str
    error: str


class ReaderRate(RateRecord):
    """The words that a classic, a deep model or both together have right by their default answers."""

    reader: str
    model: str
    words_right: str


@final
class EvaluationSummary(TypedDict):
    """The parts of an evaluation that the command shows; `kept` if its report was there before."""

    warning: str | None
    kept: bool
    report: str
    reads_with: str | None  # whose answers count, and why: of two models, or where both cases count alike
    readers: list[ReaderRate]
    model: str
    dataset: str
    split: str
    pictures: int
    dictionary_words: int
    words: list[RankingRate]
    words_case_folded: list[RankingRate]
    cut_right: str
    letters_macro_f1: float | None
    letters_right: str
    calibration_error: list[RankingError]
    failures: list[dict[str, str | int]]
    failures_explained: list[dict[str, str]]
    words_per_second_a_worker: int | None
    pictures_to_look_at: list[str]


@final
class LadderSummary(TypedDict):
    """The evaluations on all rungs of the ladder, and where their table and plot are."""

    report: str
    model: str
    split: str
    rungs: list[dict[str, str | int]]
    pictures_to_look_at: list[str]


class ReadOnceMore(TypedDict):
    """The pictures whose texts are unlike most others, which were read once more."""

    told: str  # what most texts have in common, such as: 4 letters of 0-9
    pictures: int
    changed: int  # of these, with another answer now


class Solved(ReadsWith):
    """What was answered, left out and moved, and why."""

    other_settings: str | None  # what became of answers of another model or other settings
    answers: list[dict[str, object]] | None  # by the columns of a file of answers; None for more than 1,000
    total: int
    solved: int
    abstained: int
    failed: int
    skipped: int
    skipped_because: dict[str, int]
    read: int
    moved: int
    rows: dict[str, int]
    seconds: float
    pictures_per_second: int
    failures: list[dict[str, str]]
    left_for_the_next_run: list[dict[str, str]]
    not_moved: list[dict[str, str]]
    in_common: NotRequired[ReadOnceMore]  # not there if no picture was read once more


class SolveReport(Solved):
    """The run on a folder."""

    answers_file: str
    folder: str
    shown: NotRequired[dict[str, object]]
    answers_note: NotRequired[str]


class DrawnDataset(TypedDict):
    """A dataset that a new model was made of."""

    dataset: str
    count: int
    drawn: int
    kept: int
    content: str


class RegenerateReport(TypedDict):
    """Whether a new model is served, why, and the comparison; None where no model was served before."""

    model: str
    replaced: bool
    why: str
    solve_reads_with: str  # without --model
    before: str | None
    candidate: str | None
    datasets: list[DrawnDataset]
    n: int | None
    pairs: dict[str, Any] | None
    new_right: str | None
    served_right: str | None
    only_one_right_new_won: str | None
    shown: NotRequired[dict[str, None]]


class SolvedAtOnce(Solved):
    """The answers of named pictures, at once."""

    answers_file: str | None
    folder: None
    explained: NotRequired[list[str]]  # the files of --explain
    not_kept_in_the_ledger: NotRequired[list[str]]


class Pair(TypedDict):
    """A picture with its label."""

    picture: str
    label: str


class Imported(TypedDict):
    """What an import takes, or would take."""

    folder: str
    labels: dict[str, str]  # where labels come from
    pictures: int
    rejected: int
    pairs: list[Pair]  # five
    alphabet: str
    label_lengths: dict[str, int]  # labels of each length
    colour: bool
    notes: list[str]
    sheet: str
    rejects: list[dict[str, str]]  # the first ones
    shown: NotRequired[dict[str, object]]


class ImportPlanned(Imported):
    """What an import would take; no picture but a few was read."""

    dry_run: bool
    name: str


class ImportReport(Imported):
    """What an import took, and what the dataset holds."""

    dataset: str
    filled: int
    kept: int
    canvas: list[int]  # rows and columns
    tallest: str
    widest: str
    shards: int
    bytes: int
    splits: dict[str, int]
    seconds: float
    identity: str
    content: str
    files: list[str]


class ExportReport(TypedDict):
    """What an export wrote and kept, and what the folder holds."""

    export: str
    format: str
    dataset: str
    split: str | None
    pictures: int
    written: int
    kept: int
    parts: int
    index: list[str]
    files: int
    bytes: int
    seconds: float
    pictures_per_second: int | None
    identity: str
    content: str


class ReproduceReport(TypedDict):
    """The book's procedure, a defect fewer in each step; rates in percent, with 95 % intervals."""

    font: str
    seed: int
    n: int
    letters: int
    steps: list[dict[str, str]]
    plot: str
    table: str
    json_file: str


class DemoReport(TypedDict):
    """What the demo drew, trained, measured and read, in words."""

    letters: str
    book: str
    model: str
    unseen_words: list[dict[str, str]]
    letters_cut_from_words: str
    words_cut_into_the_right_number: str
    calibration_error: list[str]
    solved: str
    new_captchas: str
    solved_right: str
    answers: str
    seconds: float
    look_at: list[str]


class TrainReport(ModelReport):
    """The model that was trained; a classic model with its outcome, and both kinds with further keys of their own."""

    kept: NotRequired[bool]  # the model of these data and settings was there
    words_right_on_validation: NotRequired[str]
    why: NotRequired[list[str]]
    next: NotRequired[list[str]]
    pictures_to_look_at: NotRequired[list[str]]  # the course of a deep training
    solve_reads_with: NotRequired[str]  # of a classic and a deep model of one name: what reads best on validation
    note: NotRequired[str]
    warning: NotRequired[str]
