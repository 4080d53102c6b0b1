"""What an audit tells while it runs: a line for each part, one a minute at least, and whether a generator is slow."""

import time
from types import SimpleNamespace

import pytest

from flows.auditing import clock as clocks
from flows.auditing import course as courses
from flows.auditing.clock import Clock
from flows.auditing.course import Course
from flows.auditing.few_pictures import failures_told, few_drawn, too_few_told


@pytest.fixture
def course(monkeypatch) -> Course:
    class Log:
        def info(self, *_: object) -> None:
            pass

    monkeypatch.setattr(courses, "create_progress_artifact", lambda *_, **__: None)
    monkeypatch.setattr(courses, "get_run_logger", Log)
    return Course("mine", Clock(1))


def test_each_part_is_told_where_no_bar_is_shown(course, capsys):
    with course:
        course.begins("trying \x1b[31mTesseract")
        course.tells("Tesseract: 3 of 60 right")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("captchas: audit: trying ") and "left" in lines[0] and "\x1b" not in lines[0]
    assert lines[1] == "captchas: audit: Tesseract: 3 of 60 right"


def test_a_long_part_is_told_again_and_again(course, capsys, monkeypatch):
    monkeypatch.setattr(courses, "EVERY", 0.02)
    with course:
        course.begins("trying the deep reader")
        time.sleep(0.3)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) > 3
    assert lines[-1].startswith("captchas: audit: still trying the deep reader; ")
    course._teller.join(5)
    assert not course._teller.is_alive()


@pytest.mark.parametrize(("busy", "seconds"), [(2.0, "40 s"), (8.0, "2 min"), (80.0, "2 min")])
def test_a_used_budget_tells_what_is_still_done_and_for_how_long(course, capsys, monkeypatch, busy, seconds):
    """It said that the budget is used, and went on for minutes."""
    monkeypatch.setattr(clocks.os, "getloadavg", lambda: (busy, 0, 0))
    monkeypatch.setattr(clocks.os, "cpu_count", lambda: 2)
    course.clock.count(60)
    with course:
        course.begins("getting pictures", "drawing")
        course.begins("trying the classic reader", "classic")
        course.begins("looking for defects", "findings")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].endswith(
        "getting pictures; the budget is used; pictures, attackers without training, defects and the report take about "
        f"{seconds} more"
    )
    assert "; after this training defects and the report take about" in lines[1]
    assert "; defects and the report take about" in lines[2]


def test_a_part_that_takes_longer_than_it_should_is_not_said_to_be_done(course, monkeypatch):
    monkeypatch.setattr(clocks.os, "getloadavg", lambda: (0.0, 0, 0))
    clock, now = course.clock, time.monotonic() + 100  # its minute is over
    told = []
    for passed in (0, 6, 200):
        monkeypatch.setattr(clocks.time, "monotonic", lambda: now)
        clock.goes_on("findings")
        monkeypatch.setattr(clocks.time, "monotonic", lambda passed=passed: now + passed)
        told.append(clock.told().partition("about ")[2])
    assert told == ["20 s more", "10 s more", "2 min more"]


@pytest.mark.parametrize(("shows", "quiet"), [(True, False), (False, True)])
def test_nothing_is_told_beside_a_bar_or_to_the_quiet(course, capsys, monkeypatch, shows, quiet):
    monkeypatch.setattr(courses, "EVERY", 0.02)
    monkeypatch.setattr(courses, "shows_progress", lambda: shows)
    monkeypatch.setenv("CAPTCHAS_QUIET", "1" if quiet else "")
    with course:
        course.tells("what came out")
        time.sleep(0.1)
    assert capsys.readouterr().err == ""


def drawn(seconds: float, count: int, asked: int | None = None, **kinds: int) -> dict:
    failures = [{"what": what.replace("_", " "), "count": count, "example": ""} for what, count in kinds.items()]
    asked = asked or count + sum(kinds.values())
    return {
        "seconds_a_picture": seconds, "drawn": count, "asked": asked, "failed": asked - count, "failures": failures,
        "failed_seconds": 10.0 * kinds.get("took_longer_than_10_s", 0),
    }  # fmt: skip


def test_a_slow_generator_is_told_with_what_it_would_take():
    """Two processes draw a picture a second; a third of 1,500 is enough, and 12 % of the time is for drawing."""
    said = few_drawn(drawn(2.0, 360), 120, 50, 2)
    assert "360 pictures" in said and "120 unseen" in said and "1 a second" in said
    assert "--minutes 209 would give about 500" in said
    assert "196 a second" not in few_drawn(drawn(0.0102, 1410), 470, 1, 2)
    assert "200 a second" in few_drawn(drawn(0.0102, 1410), 470, 1, 2)
    assert "--minutes 417 " in few_drawn(drawn(2.0, 360, 720), 120, 50, 2)  # half of them fail


def test_a_generator_that_is_too_slow_for_anything_is_told_what_is_enough():
    """The minutes for 20 unseen pictures, since without them there is no verdict at all."""
    assert "--minutes 4 would give about 20" in few_drawn(drawn(2.0, 36), 12, 2, 2, 20)  # it draws on for so few
    assert "--minutes 7 would give about 20" in few_drawn(drawn(2.0, 50), 16, 6, 2, 20)  # more than it had


def test_pictures_that_fail_are_told_with_the_commonest_reasons():
    """And the time that was waited for them counts: without it two minutes would seem more than enough."""
    hanging = drawn(0.01, 27, took_longer_than_10_s=7)
    said = few_drawn(hanging, 9, 1, 2, 20)
    assert "27 pictures in its part of the time (7 of 34 failed: took longer than 10 s), " in said
    assert said.endswith("would give about 20")
    assert "0.77 a second" in said
    several = drawn(2.0, 60, took_longer_than_10_s=3, broke=2, drew_nothing=1)
    assert failures_told(several) == "6 of 66 failed: 3 took longer than 10 s, 2 broke, 1 else"
    assert failures_told(drawn(2.0, 60)) is None and failures_told(None) is None


def test_a_machine_that_was_too_busy_is_told():
    """The drawing takes a tenth of the time by itself: the processes that draw were slow to start."""
    said = few_drawn(drawn(0.01, 40), 13, 1, 2, 20)
    assert "drew 40 pictures" in said and "only 13 unseen" in said
    assert "1.9 a second" in said  # three times 7.2 s
    assert said.endswith("--minutes 2, or a machine that is less busy, would give about 20")
    assert few_drawn(drawn(0.01, 209), 69, 1, 2) is not None
    assert few_drawn(drawn(0.01, 100, 10_000), 9, 1, 2, 20) is None  # nearly all fail, and more would


class Few:
    """As much of a dataset as messages look at."""

    def __init__(self, count: int, split: str | None = None):
        self.count, self.manifest = count, SimpleNamespace(source={"split": split} if split else None)

    def __len__(self):
        return self.count


def test_too_few_pictures_are_told_with_what_helps():
    """Nobody labels what a generator draws; and who has 209 labelled pictures is not told to label 60."""
    said = too_few_told(Few(50), 16, 20, None)
    assert said.startswith("16 of its 50 pictures can be kept from attackers; 20 are needed") and "Label 60" in said
    assert "Label 400 pictures or more" in too_few_told(Few(209), 16, 20, None)
    assert "without --keep-splits" in too_few_told(Few(209, "folders"), 16, 20, None)
    failing = too_few_told(Few(100), 9, 20, drawn(0.01, 100, broke=9900))
    assert "Label" not in failing and "9,900 of 10,000 failed: broke; mend that first" in failing
    assert "draw each picture anew" in too_few_told(Few(900), 3, 20, drawn(0.01, 900))


def test_a_generator_that_is_fast_enough_is_not_told():
    assert few_drawn(None, 3, 1, 2) is None
    assert few_drawn(drawn(2.0, 9000), 500, 1, 2) is None
    assert few_drawn(drawn(0.001, 9000), 400, 30, 2) is None  # pictures come again: more time would not help
