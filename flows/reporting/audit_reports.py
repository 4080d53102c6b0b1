"""The reports of `captchas audit` and of the commands below it, by their keys; `--json` prints them."""

from typing import Any, NotRequired, TypedDict

from tasks.rates import RateRecord


class AuditFinding(TypedDict):
    """A defect that an audit found before any attack."""

    severity: str
    finding: str
    what_it_means: str


class AuditReport(TypedDict):
    """What an audit found, in short; audit.json has all."""

    kept: bool  # the audit was finished before
    verdict: str
    sentence: str
    audit: str
    page: str | None
    json_file: str
    target: str
    dataset: str
    pictures: int
    unseen: int
    needed: int | None
    words: RateRecord | None
    failed_pictures: str | None  # of an owner's generator: how many of those that were asked for, and why
    attackers: list[dict[str, str]]
    findings: list[AuditFinding]
    left_out: list[dict[str, str]]
    minutes: float
    shown: NotRequired[dict[str, str | None]]


class Compared(TypedDict):
    """How a second CAPTCHA compares with a first."""

    second_is: str  # stronger, weaker or not told apart
    sentence: str
    difference: list[float] | None  # of words right, second less first: the difference, its interval's low and high
    paired: bool  # on equal pictures
    audits: list[dict[str, Any]]
    page: str
    shown: NotRequired[dict[str, None]]


class AuditLine(TypedDict):
    """A finished audit."""

    started: str
    verdict: str
    attacker: str | None
    labels: int
    words_right: str | None
    low: str | None
    high: str | None
    n: int | None
    content: str


class AuditHistory(TypedDict):
    """All finished audits of a target, the oldest first."""

    audits: list[AuditLine]
    look_at: list[str]
