"""The reports of the commands that answer without a server, by their keys; `--json` prints them."""

from typing import Any, NotRequired, TypedDict


class ErrorReport(TypedDict):
    """What a command prints that was refused or failed, if it has no report of its own."""

    error: str  # the rule, the value found, and what to do next
    exit_code: int


class CheckLine(TypedDict):
    """What a check of the doctor found."""

    check: str
    state: str  # fine, warning or wrong
    found: str
    remedy: str | None  # a command, or what a person has to do


class DoctorReport(TypedDict):
    """What is wrong with an installation; the exit code is 1 unless it is well."""

    well: bool
    wrong: int
    warnings: int
    checks: list[CheckLine]
    shown: NotRequired[dict[str, str | None]]


class UpStatus(TypedDict):
    """Which parts run, for `up --check`; the exit code is 1 unless all do."""

    server: str | None
    server_answers: bool
    pool: bool
    deployments: int
    deployments_missing: list[str]
    worker: str | None
    worker_last_seen_seconds: float | None


class Deployed(TypedDict):
    """What `up --deploy` made."""

    server: str
    deployments: list[str]


class UpEnded(TypedDict):
    """How `up` ended."""

    ended_by: str  # a signal's name
    seconds: float


class ServeReport(TypedDict):
    """The model that solve reads with, and why it is this."""

    served: str
    why: str
    models_of_this_home: list[str]


class Removed(TypedDict):
    """The folder of the dataset that was removed; None if a person said no."""

    removed: str | None


class ProfileLine(TypedDict):
    """A profile: its fields, as a TOML file has them, and the files of its faces."""

    name: str
    fonts: list[str]
    alphabet: str
    words: str
    length: list[int]  # least and most letters
    height: int
    width: int
    canvas: list[int]  # rows and columns of the stored pictures, which the largest scale fills
    font_path: list[str]


class ProfileList(TypedDict):
    """The kinds of pictures that can be drawn."""

    profiles: list[ProfileLine]
    shown: NotRequired[dict[str, Any]]


class FaceLine(TypedDict):
    """A face that comes with the package."""

    name: str
    font_path: str


class FaceList(TypedDict):
    """The faces that come with the package."""

    fonts: list[FaceLine]


class PreviewReport(TypedDict):
    """The first pictures of a profile."""

    profile: str
    seed: int
    pictures: int
    canvas: list[int]  # rows and columns
    texts: list[str]
    contact_sheet: str


class ArrayLine(TypedDict):
    """An array of a shard."""

    name: str
    dtype: str
    shape: str


class ShardReport(TypedDict):
    """What a shard holds."""

    shard: str
    index: int
    first: int  # the number of its first picture
    count: int
    blocks: int
    arrays: list[ArrayLine]
    contact_sheet: str


class DatasetReport(TypedDict):
    """What a dataset holds, from its manifest and its first shard."""

    dataset: str
    profile: str
    seed: int
    pictures: int
    splits: dict[str, int]
    bytes: int
    shards: int
    blocks_of: int  # pictures
    source: dict[str, Any] | None  # of an imported dataset
    fonts: list[str]
    arrays: list[ArrayLine]
    settings: dict[str, Any]  # the profile's fields
    different_pictures: dict[str, int | float | bool]
    ink: dict[str, float]  # share of a picture that is ink
    blank: int
    clipped: int
    equal_blocks: int
    letters_off: float
    ink_off: float
    rarest_letter: str
    software: dict[str, str]
    identity: str
    content: str
    contact_sheet: str


class ModelReport(TypedDict):
    """What a model file holds; a classic model and a deep model have further keys of their own."""

    model: str
    sha256: str
    bytes: int
    classes: str  # the letters that it can tell apart
    texts: NotRequired[list[dict[str, Any]]]  # the kinds of texts that it learnt from
    pictures: int
    software: dict[str, str]


class WordExplained(TypedDict):
    """How a word was read."""

    word: str
    profile: str
    seed: int
    reads_with: str
    model: str
    classic_model: str | None
    dictionary_words: int
    answer: str | None
    confidence: float | None
    letters_alone: str | None
    right: bool
    stages: list[str]
    explanation: str  # a PNG
    shown: NotRequired[dict[str, str | None]]


class ChapterStep(TypedDict):
    """The words that a step of the book's procedure reads."""

    step: str
    words_right: int
    percent: float
    threshold: float


class ChapterReport(TypedDict):
    """The pictures of the book's chapter."""

    font: str
    seed: int
    words: int
    steps: list[ChapterStep]
    folder: str
    pictures: list[str]


class LetterScores(TypedDict):
    """How well letters are read; None where there is no letter."""

    n: int
    macro_f1: float | None
    micro_f1: float | None


class NetworkReport(TypedDict):
    """What the book's network learnt; the file `network.json` has the same keys."""

    font: str
    seed: int
    parameters: dict[str, Any]  # of scikit-learn's `get_params`
    shapes: dict[str, list[list[int]]]
    weights: int
    steps: int
    neurons_that_no_letter_excites: int
    macro_f1_as_the_book_scores: float
    letters_alone: LetterScores
    letters_cut_from_words: LetterScores
    words_drawn: int
    words_cut_into_four: int
    excites: list[str]  # the three letters that excite each hidden neuron most
    folder: str
    pictures: list[str]
    shown: NotRequired[dict[str, str | None]]


class BackpropagationReport(TypedDict):
    """The page in which a letter goes through a small network, and its error back."""

    font: str
    seed: int
    hidden_neurons: int
    letter: str
    read_as: str
    loss: float
    learning_rate: float
    loss_after_one_step: float
    page: str


class ReadsWith(TypedDict):
    """What a run reads with: a sentence with the reasons, and its parts; `length` is None if it is not known.

    `classic_model` reads before `model`, which is deep then; None if there is no such model. `reader` is `classic`,
    `deep` or `both`.
    """

    reads_with: str
    model: str
    classic_model: str | None
    reader: str
    alphabet: str
    length: list[int] | None
    dictionary: str
    dictionary_words: int
