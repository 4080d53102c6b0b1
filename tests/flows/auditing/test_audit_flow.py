"""`captchas audit` as a whole, on few pictures and with few attackers: what comes out, and what a run goes on from."""

import json
import os
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from flows import audit as flow
from flows.auditing import attacks, trainings
from flows.auditing.clock import Clock
from flows.auditing.results import for_people
from storage.audits import Steps
from storage.dataset import Dataset
from storage.errors import BadInput, NothingLearnt
from tasks.audit import schema
from tasks.audit.attackers import budget
from tasks.audit.attackers.answers import Answers, judge
from tasks.audit.attackers.catalogue import attack_of
from tasks.audit.attackers.labelled import find_unseen
from tasks.shipped import SHIPPED

# Prefect and what it brings warn while they are imported; that is theirs.
pytestmark = pytest.mark.filterwarnings("ignore")
UNSEEN = 60
QUICK = ("--minutes", 1, "--json")


@pytest.fixture(scope="module")
def patch():
    """Patch for the whole module: few pictures, the attackers that need no training, no other program."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(budget, "unseen_wanted", lambda _: UNSEEN)
        patch.setattr(attacks, "PROGRAMS", ())
        patch.setattr(attacks, "MODELS", (SHIPPED,))
        patch.setattr(attacks, "attack_trained", lambda *_: None)
        patch.setattr("flows.auditing.follow_ups.draw_changes", lambda *_: [])
        yield patch


@pytest.fixture(scope="module")
def audited(patch, captchas, tmp_path_factory) -> SimpleNamespace:
    """Audit a profile that the shipped reader reads."""
    home = tmp_path_factory.mktemp("home")
    result = captchas("audit", "book", *QUICK, "--home", home)
    assert result.returncode == 0, result.stderr
    folder = home / "audits" / "book"
    return SimpleNamespace(
        home=home, folder=folder, report=result.report, content=json.loads((folder / "audit.json").read_bytes())
    )


def test_a_captcha_that_is_read_is_broken(audited):
    report, verdict = audited.report, audited.content["verdict"]
    assert (report["verdict"], verdict["attacker"], verdict["labels"]) == (schema.BROKEN, "ladder", 0)
    assert verdict["unseen"] == verdict["words"]["n"]
    assert not report["kept"]
    assert [entry["name"] for entry in audited.content["attackers"]] == ["chance", "dictionary", "memory", "ladder"]


def test_what_stands_in_the_folder(audited):
    names = sorted(path.relative_to(audited.folder).as_posix() for path in audited.folder.rglob("*"))
    dated = [name for name in names if name.startswith("history/")]
    assert len(dated) == 1
    assert (audited.folder / dated[0]).read_bytes() == (audited.folder / "audit.json").read_bytes()
    assert [name for name in names if "/" not in name] == ["audit.json", "history", "report.html", "state"]
    assert "<html" in (audited.folder / "report.html").read_text()


def lacking(content: object, kind: type, where: str = "") -> list[str]:
    """Compare the keys of a dict, and of those within, with those of a TypedDict."""
    wanted = set(kind.__annotations__)
    for base in getattr(kind, "__orig_bases__", ()):
        wanted |= set(getattr(base, "__annotations__", ()))
    optional = getattr(kind, "__optional_keys__", ())
    return [f"{where}{key}" for key in sorted(wanted ^ set(content)) if key not in optional]


def test_audit_json_has_the_keys_of_its_schema_and_its_document_names_them(audited):
    content, document = audited.content, Path("docs/audit-json.md").read_text()
    parts = [
        (content, schema.Audit), (content["made"], schema.Made), (content["target"], schema.Target),
        (content["verdict"], schema.Verdict), (content["why"], schema.Why),
        *((entry, schema.Attacker) for entry in content["attackers"]),
        *((sample, schema.Sample) for sample in content["samples"]),
    ]  # fmt: skip
    for part, kind in parts:
        assert lacking(part, kind) == [], kind
    kinds = [kind for kind in vars(schema).values() if hasattr(kind, "__total__")]
    unnamed = {key for kind in kinds for key in kind.__annotations__ if f"`{key}`" not in document}
    assert unnamed <= {"rate"}  # of rates, whose keys are named together
    assert len(content["samples"]) == 12


def test_pictures_that_a_generator_failed_to_draw_have_a_line_at_the_end(audited):
    assert audited.report["failed_pictures"] is None
    failures = [{"what": "took longer than 10 s", "count": 3, "example": "picture 37: 'ABCD'"}]
    target = audited.content["target"] | {"generator": {"failed": 3, "asked": 120, "failures": failures}}
    told = for_people(audited.content | {"target": target}, "here", None, kept=False)
    assert told["failed_pictures"] == "3 of 120 failed: took longer than 10 s"


def test_the_same_audit_is_kept(audited, captchas, monkeypatch):
    monkeypatch.setattr(flow, "attack_all", lambda _: pytest.fail("it is finished"))
    before = (audited.folder / "audit.json").stat().st_mtime_ns
    result = captchas("audit", "book", *QUICK, "--home", audited.home)
    assert result.report["kept"]
    told = [for_people(audited.content, "here", None, kept=kept)["shown"]["kept"] for kept in (False, True)]
    assert told[0] is None and "--again" in told[1]  # that an audit is new needs no line
    assert result.report["sentence"] == audited.report["sentence"]
    assert (audited.folder / "audit.json").stat().st_mtime_ns == before


@pytest.mark.slow
def test_an_audit_by_other_rules_leaves_the_earlier_one_in_the_history(audited, captchas, tmp_path, monkeypatch):
    """As does that of a target that has changed: it began when it began, not when the earlier one did."""
    shutil.copytree(audited.home, tmp_path / "home")
    monkeypatch.setattr(attacks, "MODELS", ())
    captchas("audit", "book", *QUICK, "--fold-case", "--home", tmp_path / "home")
    rows = captchas("audit", "history", "book", "--json", "--home", tmp_path / "home").report["audits"]
    assert [row["started"] for row in rows][:1] == [audited.content["made"]["started"]]
    assert len(rows) == 2


def test_a_program_that_was_installed_since_is_tried(audited, captchas, monkeypatch):
    def attack(_field):
        raise ZeroDivisionError("it is tried")

    monkeypatch.setattr(flow, "programs_here", lambda _: ["ddddocr"])
    monkeypatch.setattr(flow, "attack_all", attack)
    with pytest.raises(ZeroDivisionError, match="it is tried"):
        captchas("audit", "book", *QUICK, "--home", audited.home)


@pytest.mark.parametrize(("allowed", "code"), [(0.5, 3), (1, 0)])
def test_more_than_is_allowed_ends_with_a_code_of_its_own(audited, captchas, allowed, code):
    result = captchas("audit", "book", *QUICK, "--fail-above", allowed, "--home", audited.home)
    assert result.returncode == code
    assert json.loads(result.stdout)["verdict"] == schema.BROKEN
    if code:
        assert "the strongest attacker, the " in result.stderr and "--fail-above allows 50 %" in result.stderr
        assert "Traceback" not in result.stderr


def test_finished_audits_are_listed_and_compared(audited, captchas):
    for arguments in (("history", "book"), ("compare", "book", audited.folder / "audit.json")):
        result = captchas("audit", *arguments, "--json", "--home", audited.home)
        assert result.returncode == 0, result.stderr
        if arguments[0] == "history":
            assert [row["verdict"] for row in result.report["audits"]] == [schema.BROKEN]
        else:
            assert (result.report["second_is"], result.report["paired"]) == ("not told apart", True)
    assert (audited.folder / "history.svg").read_text().startswith("<svg")
    assert (audited.home / "audits" / "book-book.html").exists()


@pytest.mark.slow
def test_a_run_that_was_ended_goes_on_from_what_it_had(patch, audited, captchas, tmp_path, monkeypatch):
    """The second attacker fails as nobody expects; the next run asks only this one and those after it."""
    shutil.copytree(audited.home / "datasets", tmp_path / "datasets")
    asked = []

    def read(_field, use, _title):
        asked.append(use)
        raise ZeroDivisionError("gone")

    with monkeypatch.context() as broken:
        broken.setattr(attacks, "read_untrained", read)
        with pytest.raises(ZeroDivisionError):
            captchas("audit", "book", *QUICK, "--home", tmp_path)
    assert len(asked) == 1
    state = tmp_path / "audits" / "book" / "state"
    names = sorted(path.name for path in state.glob("*.json"))
    assert names == ["began.json", "chance-100.json", "drawn.json", "memory-599.json"]
    guesses = (state / "chance-100.json").stat().st_mtime_ns
    result = captchas("audit", "book", *QUICK, "--home", tmp_path)
    assert result.returncode == 0, result.stderr
    assert (state / "chance-100.json").stat().st_mtime_ns == guesses
    assert result.report["words"] == audited.report["words"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("book", "--minutes", 0.1), "minutes: must be a finite number, 1 or more"),
        (("book", "--fail-above", 2), "fail-above: must be from 0 to 1"),
        (("book", "--label-price", -1), "label-price: must be a finite number, 0 or more"),
        (("book", "--length", "x"), "length: must be a number"),
        ((), "target: must be"),
        (("./compare",), "'./compare'"),
        (("compare", "book"), "SECOND is missing"),
        (("history", "nothing"), "has no finished audit"),
    ],
)
def test_bad_input_is_named(audited, captchas, arguments, said):
    result = captchas("audit", *arguments, "--home", audited.home)
    assert result.returncode == 2, result.stderr
    assert said in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr


def noise(folder: Path, count: int) -> Path:
    """Write pictures without any letter, under random labels of four."""
    chance = np.random.default_rng(3)
    folder.mkdir()
    for number in range(count):
        text = "".join(chance.choice(list("ABCDEFGHJKMNPQRS"), 4))
        pixels = chance.integers(0, 256, (20, 60), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:05d}_{text}.png")
    return folder


def test_an_answer_in_the_files_breaks_what_nobody_reads(patch, captchas, tmp_path):
    """Its success is measured on the unseen pictures, and it passes the limit that was set."""
    chance, folder = np.random.default_rng(3), tmp_path / "noise"
    folder.mkdir()
    for number in range(300):
        text = "".join(chance.choice(list("ABCDEFGHJKMNPQRS"), 4))
        info = PngInfo()
        info.add_text("Comment", f"answer={text}")
        pixels = Image.fromarray(chance.integers(0, 256, (20, 60), np.uint8))
        pixels.save(folder / f"{number:05d}_{text}.png", pnginfo=info)
    result = captchas("audit", folder, *QUICK, "--fail-above", 0.05, "--home", tmp_path / "home")
    assert result.returncode == 3, result.stderr
    assert "a reader of files" in result.stderr
    content = json.loads((tmp_path / "home" / "audits" / "noise" / "audit.json").read_bytes())
    verdict = content["verdict"]
    assert (verdict["word"], verdict["attacker"], verdict["labels"]) == (schema.BROKEN, "file", 0)
    assert verdict["words"]["right"] == verdict["words"]["n"] == verdict["unseen"]
    entry = next(one for one in content["attackers"] if one["name"] == "file")
    assert (entry["cost"], entry["tries"]["3"]["rate"]) == (0.0, 1.0)
    why = content["why"] or {}  # a busy machine has no time for it
    assert why.get("attacker") != entry["title"]  # that a file tells its text says nothing of the pictures
    assert "Reader of files" in (tmp_path / "home" / "audits" / "noise" / "report.html").read_text()


@pytest.mark.slow
def test_noise_is_not_called_broken_nor_strong(patch, captchas, tmp_path):
    folder = noise(tmp_path / "noise", 500)
    result = captchas("audit", folder, *QUICK, "--home", tmp_path / "home")
    assert result.returncode == 0, result.stderr
    assert result.report["verdict"] == schema.NOT_SHOWN
    content = json.loads((tmp_path / "home" / "audits" / "noise" / "audit.json").read_bytes())
    assert "file" not in [entry["name"] for entry in content["attackers"]]
    assert content["verdict"]["words"]["right"] <= 1
    assert content["target"]["kind"] == "folder"


def test_too_few_pictures_are_told(patch, captchas, tmp_path):
    result = captchas("audit", noise(tmp_path / "noise", 30), *QUICK, "--home", tmp_path / "home")
    assert result.returncode == 2, result.stderr
    assert "20 are needed" in result.stderr


def field_of(tmp_path: Path, minutes: float = 30) -> flow.Attacked:
    """What is attacked, without a flow."""
    dataset = Dataset("tests/golden/v1/book")
    course = SimpleNamespace(begins=lambda *_: None, tells=lambda _: None)
    unseen = find_unseen(dataset, 5)
    return flow.Attacked(dataset, unseen, None, (), False, 0.001, 1, Steps(tmp_path, {}), Clock(minutes), course)


@pytest.mark.slow
def test_a_training_that_learns_nothing_has_no_word_right(tmp_path, monkeypatch):
    """Shuffled labels give that."""

    def train(*_, **__):
        raise NothingLearnt("train: nothing was learnt")

    monkeypatch.setattr(trainings, "train", train)
    monkeypatch.setattr(trainings, "fit_deep", train)
    field = field_of(tmp_path)
    trainings.attack_trained(field, lambda *_: pytest.fail("there is no model"))
    tried = [entry for entry in field.entries if entry["tried"]]
    assert {entry["name"] for entry in tried} >= {"classic"}
    assert {entry["words"]["right"] for entry in tried} == {0}


def test_pictures_that_cannot_be_learnt_from_are_no_failure(tmp_path, monkeypatch):
    def train(*_, **__):
        raise BadInput("train: none of the pictures is in the validation split")

    monkeypatch.setattr(trainings, "train", train)
    monkeypatch.setattr(trainings, "fit_deep", train)
    field = field_of(tmp_path)
    trainings.attack_trained(field, lambda *_: pytest.fail("there is no model"))
    assert {entry["tried"] for entry in field.entries} == {False}
    reasons = {"classic": "validation split", "deep": "to learn from|PyTorch"}  # the deep reader asks for more of them
    assert all(re.search(reasons[entry["name"]], entry["why_not"]) for entry in field.entries)


@pytest.mark.parametrize(("load", "asked"), [(0.5, 1), (20.0, 0)])
def test_a_busy_machine_begins_no_training_that_it_cannot_end_in_time(tmp_path, monkeypatch, load, asked):
    """The classic reader was trained for minutes after the end, since the first training was planned as if alone."""
    trained = []

    def train(*_, **__):
        trained.append(1)
        raise BadInput("train: not here")

    monkeypatch.setattr(trainings, "train", train)
    monkeypatch.setattr("flows.auditing.clock.os.getloadavg", lambda: (load * len(os.sched_getaffinity(0)), 0, 0))
    monkeypatch.setattr(trainings, "require_torch", lambda **_: (_ for _ in ()).throw(BadInput("none")))
    field = field_of(tmp_path, minutes=1)
    field.clock.count(25)
    trainings.attack_trained(field, lambda *_: pytest.fail("there is no model"))
    assert (len(trained) > 0) == bool(asked)


def test_a_budget_too_small_for_a_training_says_what_it_would_take(tmp_path, monkeypatch):
    """And loads nothing to train with, which took a minute and more after the end of the budget."""
    loaded = []
    monkeypatch.setattr(trainings, "require_torch", lambda *, load=True: loaded.append(load))
    field = field_of(tmp_path, minutes=1)
    field.clock.count(59)
    trainings.attack_trained(field, lambda *_: pytest.fail("there is no time"))
    assert field.entries == [] or all(not entry["tried"] for entry in field.entries)
    assert loaded == [False]
    told = [line for line in field.skipped if line["part"] == "attackers"]
    assert told
    assert all("--minutes" in line["why"] for line in told)


@pytest.mark.parametrize(("minutes", "why"), [(1, "--minutes 1 was too short"), (30, "this machine was too busy")])
def test_minutes_that_were_enough_are_not_called_too_short(tmp_path, minutes, why):
    field = field_of(tmp_path, minutes)
    trainings.Climb("deep", [100], None, budget.plan_classic).tell(field)
    assert why in field.skipped[0]["why"]


class Trained:
    """A training that takes no time and tells what it was asked."""

    pace = 1.0

    def __init__(self, right: dict[int, int]):
        self.right, self.asked = right, []

    def least(self, _rung: budget.Rung) -> float:
        return 1.0

    def attack(self, rung: budget.Rung) -> schema.Attacker:
        self.asked.append(rung.labels)
        right = self.right[rung.labels]
        answers = Answers((("A",),) * right + (("X",),) * (100 - right), None, 0.1)
        return judge(attack_of("classic", rung.labels), answers, ["A"] * 100, fold_case=False)


def test_more_labels_are_tried_until_they_no_longer_help(tmp_path):
    field = field_of(tmp_path)
    training = Trained({100: 10, 300: 60, 1000: 60, 3000: 70})
    climb = trainings.Climb("classic", [100, 300, 1000, 3000], training, budget.plan_classic)
    climb.go(field, "classic")
    climb.tell(field)
    assert training.asked == [100, 300, 1000]
    why = "more labelled pictures no longer helped"
    assert field.skipped == [{"part": "classic, 3,000 labelled pictures", "why": why}]


def test_a_second_round_tries_what_the_first_had_no_time_for(tmp_path):
    field = field_of(tmp_path, minutes=4)
    training = Trained({100: 10, 300: 60, 1000: 80})
    climb = trainings.Climb("classic", [100, 300, 1000], training, lambda rungs, _: budget.plan_classic(rungs, 25))
    for count in (1, 2, 3):
        climb.go(field, "deep")
        assert len(training.asked) == count
    climb.tell(field)
    assert (training.asked, field.skipped) == ([1000, 300, 100], [])


class Slow:
    """Trainings of which each takes so many seconds of a clock that stands still else."""

    pace = 1.0

    def __init__(self, clock: Clock, seconds: float, least: float = 20.0):
        self.clock, self.seconds, self._least, self.asked = clock, seconds, least, []

    def plan(self, rungs: list[int], seconds: float) -> list[budget.Rung]:
        chosen = budget.spread(rungs, min(int(seconds // self._least), len(rungs)))
        return [budget.Rung(labels, self._least) for labels in chosen]

    def point(self) -> float:
        return self._least

    def least(self, rung: budget.Rung) -> float:
        return rung.seconds

    def attack(self, rung: budget.Rung) -> schema.Attacker:
        self.asked.append(rung.labels)
        self.clock.count(self.seconds)
        self._least = self.seconds
        answers = Answers((("X",),) * 100, None, 0.1)  # more labels may always help
        return judge(attack_of("deep", rung.labels), answers, ["A"] * 100, fold_case=False)


@pytest.mark.parametrize(("seconds", "asked"), [(20, [300, 1000, 5000]), (45, [300, 5000]), (90, [300])])
def test_a_short_budget_gives_a_curve_and_a_slow_machine_keeps_its_end(tmp_path, seconds, asked):
    """Its own part of three minutes is enough for two; it takes the rest from the other reader."""
    field = field_of(tmp_path, minutes=3)
    field.clock.count(45)  # drawing, and attackers without labels
    training = Slow(field.clock, seconds)
    rungs = [100, 300, 1000, 3000, 5000]
    climb = trainings.Climb("deep", rungs, training, training.plan, training.point)
    climb.go(field, "deep")
    assert training.asked == asked


def test_a_curve_of_few_points_says_why(tmp_path):
    field = field_of(tmp_path, minutes=3)
    for name, count in (("classic", 3), ("deep", 2)):
        for labels in range(1, count + 1):
            right = 90 if name == "deep" else 10
            answers = Answers((("A",),) * right + (("X",),) * (100 - right), None, 0.1)
            field.entries.append(judge(attack_of(name, labels), answers, ["A"] * 100, fold_case=False))
    trainings.tell_short_curve(field, 5)
    (line,) = field.skipped
    assert line["part"] == "cost curve"
    assert "the curve of the deep reader has 2 of 3 points" in line["why"] and "--minutes 7 would do" in line["why"]
    field.skipped.clear()
    trainings.tell_short_curve(field, 2)  # there are no more labelled pictures
    field.entries.append(field.entries[-1] | {"labels": 9})
    trainings.tell_short_curve(field, 5)
    assert field.skipped == []
