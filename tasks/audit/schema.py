"""The keys of `audit.json`, version 1: what an audit found, for programs and for the report's page.

Shares and rates are 0 to 1, times are seconds. A later version may add keys; a key changes its meaning only with
`SCHEMA`.
"""

from typing import Any, Literal, NotRequired, TypedDict

from tasks.rates import RateRecord

SCHEMA = 1
BROKEN: Literal["broken"] = "broken"
NOT_SHOWN: Literal["not shown to be strong"] = "not shown to be strong"
HELD: Literal["held against what was tried"] = "held against what was tried"
Word = Literal["broken", "not shown to be strong", "held against what was tried"]
BROKEN_RATE = 0.01  # words right at a try, from which a CAPTCHA is broken
WEAK_RATE = 0.0001  # words right at a try, above which it has not been shown to be strong
TRIES = (1, 3, 5)  # pictures that an attacker may try before it is stopped


class Made(TypedDict):
    """How the audit was made."""

    version: str  # of this package
    python: str
    cores: int
    started: str  # ISO 8601, UTC
    seconds: float
    minutes: float  # the budget
    seed: int
    command: str  # that makes it again, without the home
    packages: dict[str, str]  # versions of what the figures depend on


class Failure(TypedDict):
    """A kind of failure of an owner's generator, how often it came, and what it said."""

    what: str
    count: int
    example: str


class Generator(TypedDict):
    """An owner's generator: what was asked of it, and what it gave."""

    kind: Literal["callable", "command"]
    given: str  # module:function, or the command
    source: str | None  # SHA-256 of the callable's module file; None for a command
    seed: int
    takes_rng: bool  # so equal seeds give equal pictures, if it uses nothing else
    chooses_text: bool
    redraws: bool | None  # whether some pictures, drawn a second time, came out equal; None if not tried
    asked: int
    drawn: int
    failed: int
    failures: list[Failure]
    seconds_a_picture: float  # of one process
    failed_seconds: NotRequired[float]  # that were waited for pictures which took too long


class Target(TypedDict):
    """What was audited."""

    name: str
    kind: Literal["profile", "dataset", "folder", "callable", "command"]
    given: str
    dataset: str  # path or URL
    identity: str
    content: str | None  # digest over all pictures and labels
    pictures: int
    redrawable: bool  # rebuilds bit for bit from its profile and seed
    profile: dict[str, Any] | None
    colour: bool
    size: list[int] | None  # height and width in pixels; None if they differ
    alphabet: str
    lengths: list[int]
    fold_case: bool  # upper and lower case counted alike
    generator: Generator | None


class Threshold(TypedDict):
    """Answers of at least this confidence only: the share that is answered, and how many of these are right."""

    coverage: float
    confidence: float
    right: RateRecord


class Attacker(TypedDict):
    """An attacker at a number of labelled pictures: what it cost, and what it got."""

    name: str  # chance, dictionary, memory, file, tesseract, ddddocr, ladder, strangers, classic, deep
    title: str  # for people
    explained: str  # how it works, a sentence
    labels: int  # labelled pictures that it learnt from
    tried: bool
    why_not: str | None  # what keeps it from being tried, and the remedy
    train_seconds: float
    seconds_a_picture: float | None
    words: RateRecord | None  # right at the first try, on the unseen pictures
    letters: RateRecord | None  # right, of answers that have the right number of letters
    tries: dict[str, RateRecord]  # at least one success within so many fresh pictures
    top_three: RateRecord | None  # the truth is among its three best guesses
    thresholds: list[Threshold]
    expected_tries: float | None  # pictures until a success; None where nothing was right
    seconds_a_success: float | None
    cost: float | None  # of the labels, at the stated price
    right: str | None  # which unseen pictures, in their order: hexadecimal digits of four flags each, highest bit first


class Verdict(TypedDict):
    """Three words, and why."""

    word: Word
    sentence: str
    attacker: str | None  # the strongest, by the lower end of its interval
    labels: int
    words: RateRecord | None
    unseen: int  # pictures that every attacker was measured on
    needed: int | None  # unseen pictures that would show less than `WEAK_RATE`, where too few were there
    price_a_label: float
    currency: str
    compared: int  # attackers that were measured
    low: float | None  # of the strongest, in an interval that holds for all attackers at once; above 1 % is broken
    reasons: list[str]  # why it is not shown to be strong; none for another word


class Sample(TypedDict):
    """An unseen picture and what the strongest attacker read in it."""

    picture: str  # data:image/png;base64,...
    truth: str
    read: str
    confidence: float | None
    right: bool


class Figure(TypedDict):
    """A picture that shows something, with its text for people who do not see it."""

    picture: str  # data:image/png;base64,... or an inline SVG
    text: str


class Finding(TypedDict):
    """A defect that needs no attack to be found, or the note that it was looked for and not found."""

    # border, alike, frequencies, entropy, length, repeats, answer, colour, variation, ground, blank, frames, ignored,
    # labels, lost, views
    name: str
    title: str
    severity: Literal["high", "low", "none", "unknown"]  # none: looked for, not found; unknown: cannot be told
    plain: str  # what it means for the owner: a sentence or two
    remedy: str | None
    figures: dict[str, Any]  # numbers, each with n
    shown: list[Figure]


class Bin(RateRecord):
    """The rate of the pictures with values between `start` and `stop`, or of one category."""

    label: str
    start: float | None
    stop: float | None


class Cause(TypedDict):
    """Success against a parameter that was stored, or a property measured on the picture."""

    name: str
    title: str
    stored: bool
    plain: str
    difference: float  # between the best and the worst bin with n of 30 or more
    bins: list[Bin]
    p: NotRequired[float]  # the chance of such bins if it did not matter, corrected for the number of causes
    told_apart: NotRequired[bool]  # p is below 0.01


class Letter(RateRecord):
    """How often a letter was read right, and as what else most often."""

    letter: str
    mistaken_for: list[str]


class Why(TypedDict):
    """Where the strongest attacker succeeds and fails."""

    attacker: str
    n: int
    causes: list[Cause]  # the largest difference first
    letters: list[Letter]  # the hardest first
    pairs: list[dict[str, Any]]  # {"true": "O", "read": "0", "count": 12}
    failures: list[dict[str, Any]]  # {"what": "...", "count": 12, "plain": "..."}
    saliency: list[Figure]


class WhatIf(TypedDict):
    """The profile with a distortion removed or made a step stronger, drawn with the same texts."""

    name: str
    change: str  # for people: "lines: without", "shear: 0.2 to 0.3"
    direction: Literal["removed", "stronger"]
    words: RateRecord
    difference: list[float]  # [difference, low, high] of words right, paired on the same texts
    contrast: float  # of ink to ground, share of what the profile has (1 is equal)
    overlap: float  # share of ink pixels that belong to two letters
    legible: float  # letters told apart without noise: share of the profile's own; stands in for people
    stronger: bool | None  # than the profile for the owner; None if it cannot be told
    picture: Figure | None
    p: NotRequired[float]  # the chance of such pairs without a change, corrected for the number of changes
    worth: NotRequired[float]  # what it buys less what it costs a reader: the order of the list
    legible_share: NotRequired[float]  # letters told apart
    overlap_before: NotRequired[float]  # of the profile as it is


class Skipped(TypedDict):
    """A part of the audit that was left out, and why."""

    part: str
    why: str


class Audit(TypedDict):
    """All that an audit found."""

    schema: int
    made: Made
    target: Target
    verdict: Verdict
    attackers: list[Attacker]  # from weak to strong; one for each number of labels
    samples: list[Sample]  # twelve
    findings: list[Finding]
    why: Why | None
    what_if: list[WhatIf]
    skipped: list[Skipped]
