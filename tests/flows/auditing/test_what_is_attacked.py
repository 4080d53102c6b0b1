"""Which pictures an audit asks for and refuses, and attackers that read none of them."""

import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from flows import audit as flow
from flows.auditing import attacks
from flows.auditing.clock import Clock
from storage.audits import Steps
from storage.dataset import Dataset
from storage.errors import BadInput
from tasks.audit.attackers.answers import Answers
from tasks.audit.attackers.labelled import find_unseen

# Prefect and what it brings warn while they are imported; that is theirs.
pytestmark = pytest.mark.filterwarnings("ignore")


def field_of(tmp_path: Path) -> flow.Attacked:
    """What is attacked, without a flow."""
    dataset = Dataset("tests/golden/v1/book")
    course = SimpleNamespace(begins=lambda *_: None, tells=lambda _: None)
    unseen = find_unseen(dataset, 5)
    return flow.Attacked(dataset, unseen, None, (), False, 0.001, 1, Steps(tmp_path, {}), Clock(30), course)


@pytest.mark.parametrize(("spent", "read"), [(0, 5), (1800, 2)])
def test_a_shipped_model_reads_few_pictures_once_the_minutes_are_used(tmp_path, monkeypatch, spent, read):
    """It read all of them for minutes after the end, on a busy machine."""
    monkeypatch.setattr(attacks, "LATE", 2)
    monkeypatch.setattr(attacks, "MODELS", attacks.MODELS[:1])
    for name in ("attack_blindly", "attack_from_memory", "attack_trained", "attack_with_program"):
        monkeypatch.setattr(attacks, name, lambda *_: None)
    monkeypatch.setattr(
        attacks, "read_rows_on_dask", lambda _, rows, *__: Answers(tuple(("A",) for _ in rows), None, 0.1)
    )
    field = field_of(tmp_path)
    field.clock.count(spent)
    attacks.attack_all(field)
    assert field.entries[0]["words"]["n"] == read
    assert [line["why"].partition(";")[0] for line in field.skipped] == (
        ["the minutes were used before it read, so it read 2 of 5 unseen pictures"] if spent else []
    )


def test_letters_that_run_from_right_to_left_are_told(tmp_path):
    """No reader here learns texts whose first letter stands at the right, so that its zero looked like strength."""
    field = field_of(tmp_path)
    attacks.tell_direction(field)
    assert field.skipped == []
    field.dataset.manifest.profile["alphabet"] = "אבג1"
    attacks.tell_direction(field)
    (line,) = field.skipped
    assert line["part"] == "reading from right to left" and "'א'" in line["why"]
    assert "from left to right, and audit again" in line["why"]


def test_a_generator_that_was_mended_is_asked_for_all_pictures_again(tmp_path, monkeypatch):
    """The first was slow, so that few of its pictures came in time."""
    wanted = []

    def draw(_target, count, *_):
        wanted.append(count)
        return range(3), None

    monkeypatch.setattr(flow, "draw_target", draw)
    for digest in ("slow", "slow", "mended"):
        target = SimpleNamespace(given="mine.py:draw", generator=SimpleNamespace(digest=digest))
        flow.draw_pictures(flow.AuditRequest(minutes=1), flow.AuditChoice(target, tmp_path), Clock(1))
    assert (wanted[1], wanted[0]) == (3, wanted[2])


def test_a_generator_has_time_to_draw_however_long_the_workers_took_to_start(tmp_path, monkeypatch):
    given = []

    def draw(_target, _count, until, _workers):
        given.append(until - time.monotonic())
        return range(3), None

    monkeypatch.setattr(flow, "draw_target", draw)
    clock = Clock(1)
    clock.count(40)
    target = SimpleNamespace(given="mine.py:draw", generator=SimpleNamespace(digest="d"))
    flow.draw_pictures(flow.AuditRequest(minutes=1), flow.AuditChoice(target, tmp_path), clock)
    assert given[0] == pytest.approx(0.12 * 60, abs=1)


def test_pictures_that_were_too_few_are_drawn_again(tmp_path, monkeypatch):
    """The machine was busy: the same command at a better time must not end with the same few."""
    wanted = []

    def draw(_target, count, *_):
        wanted.append(count)
        return range(3), None

    monkeypatch.setattr(flow, "draw_target", draw)
    monkeypatch.setattr(flow, "find_unseen", lambda *_: SimpleNamespace(rows=(), truths=(), dropped=0))
    monkeypatch.setattr(flow, "few_drawn", lambda *_: "it was slow")
    monkeypatch.setattr(flow, "require_different", lambda *_: None)
    target = SimpleNamespace(name="mine", given="mine.py:draw", generator=SimpleNamespace(digest="d"))
    request, choice = flow.AuditRequest(minutes=1), flow.AuditChoice(target, tmp_path)
    for _ in range(2):
        pictures, generator = flow.draw_pictures(request, choice, Clock(1))
        with pytest.raises(BadInput, match="it was slow"):
            flow.attacked(request, choice, pictures, generator, SimpleNamespace(clock=Clock(1)))
    assert wanted[0] == wanted[1]


def test_pictures_that_are_nearly_all_equal_are_told(monkeypatch):
    """More labels would not help."""
    monkeypatch.setattr(flow, "pictures_again", lambda _: 690)
    monkeypatch.setattr(flow, "texts_of_equal", lambda _: 0)
    with pytest.raises(BadInput, match="only 10 of its 700 pictures differ"):
        flow.require_different("few", range(700))
    flow.require_different("too few to tell", range(30))


def test_equal_pictures_of_many_texts_are_told_as_such(monkeypatch):
    """To draw each anew would not help a generator that ignores its text."""
    monkeypatch.setattr(flow, "pictures_again", lambda _: 699)
    monkeypatch.setattr(flow, "texts_of_equal", lambda _: 650)
    with pytest.raises(BadInput, match=r"do not depend on the text: 650 different texts.*only 1 of 700"):
        flow.require_different("same", range(700))


def test_programs_are_those_that_are_installed(monkeypatch):
    """The report asks to install the others; an audit after that is another."""

    def find(name, letters):
        if name == "ddddocr":
            raise attacks.other_programs.Missing("not installed")
        return SimpleNamespace(told=f"{name} for {letters}")

    monkeypatch.setattr(attacks.other_programs, "find_program", find)
    assert attacks.programs_here("αβ") == ["tesseract for αβ"]


def test_who_guesses_counts_case_alike_where_the_audit_does(tmp_path, monkeypatch):
    """A text that comes twice, but in other letters, is frequent only so."""
    monkeypatch.setattr(attacks, "labelled_texts", lambda *_: ["Abcd", "aBcd", "efgh"])
    field = field_of(tmp_path)
    field.fold_case = True
    attacks.attack_blindly(field)
    assert {entry["name"] for entry in field.entries if entry["tried"]} == {"chance", "dictionary"}


@pytest.mark.parametrize(("again", "tried"), [(0, []), (500, ["memory"])])
def test_pictures_that_come_again_are_tried_from_memory(tmp_path, monkeypatch, again, tried):
    monkeypatch.setattr(attacks, "pictures_again", lambda _: again)
    field = field_of(tmp_path)
    attacks.attack_from_memory(field)
    assert [entry["name"] for entry in field.entries] == tried


def test_a_report_does_not_tell_where_a_shipped_model_is():
    """Letters of another script: the page is shown to a team."""
    for model in attacks.MODELS:
        with pytest.raises(BadInput) as raised:
            attacks.use_of(model, "ΑΒΓΔ", (4, 4), (), False)
        said = attacks.without_path(str(raised.value), str(model))
        assert said.startswith("knows none of the letters 'ΑΒΓΔ'") and "/" not in said


def test_the_clock_knows_which_attackers_are_trained(tmp_path):
    """Else it would tell of attackers that are done already."""
    field = field_of(tmp_path)
    parts = []
    field.course.begins = lambda _, part: parts.append(part)
    for name, labels in (("tesseract", 0), ("classic", 100), ("deep", 100)):
        field.attack(attacks.attack_of(name, labels), lambda: attacks.Tried(Answers((("A",),) * 5, None, 0.1)))
    assert parts == [None, "classic", "deep"]
