"""Training on two datasets, the ladder, and solving with the result: on a small scale, by the real commands."""

import csv
import json
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from flows import train as flow
from flows.workers import deep_training
from storage.dataset import Dataset
from storage.deep_models import load_deep_model, seal_model
from storage.errors import BadInput
from storage.models import load_model, model_digest
from tasks.profiles.built_in import UNSEEN
from tasks.profiles.profile import Profile
from tasks.scoring.report import warning_of
from tasks.shipped import SHIPPED, STRANGERS
from tasks.training import settings as ladder
from tasks.training.outcome import OutcomeReceipt
from tasks.training.spool import GatherReceipt

# Prefect and what it brings warn while they are imported; that is theirs.
pytestmark = pytest.mark.filterwarnings("ignore")
COUNT = 2048  # pictures of a dataset
TRAIN = ("train", "book", "random", "--pictures", 1500, "--pictures", 800, "--shows", 80_000, "--hidden", 32)


def rows(path: Path) -> list[dict]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def trained(captchas, tmp_path_factory) -> SimpleNamespace:
    """A home with two small datasets, and the model of both."""
    home = tmp_path_factory.mktemp("home")
    for name in ("book", "random"):
        result = captchas("generate", name, "--count", COUNT, "--home", home)
        assert result.returncode == 0, result.stderr
    result = captchas(*TRAIN, "--home", home, "--json")
    assert result.returncode == 0, result.stderr
    return SimpleNamespace(home=home, report=result.report, model=home / "models" / "book.skops")


@pytest.fixture(scope="module")
def few(trained, captchas, tmp_path_factory) -> SimpleNamespace:
    """A model of capital letters alone, with other settings, in the place of a copy of the other model."""
    model = tmp_path_factory.mktemp("few") / "book.skops"
    shutil.copy(trained.model, model)
    result = captchas("train", "book", "--pictures", 500, "--shows", 5000, "--hidden", 4, "--out", model,
                      "--home", trained.home, "--json")  # fmt: skip
    assert result.returncode == 0, result.stderr
    return SimpleNamespace(model=model, report=result.report)


@pytest.fixture(scope="module")
def pictures(trained, tmp_path_factory) -> Path:
    """Ten pictures of each dataset's test split, named for what they show."""
    folder = tmp_path_factory.mktemp("pictures")
    for name in ("book", "random"):
        batch = next(iter(Dataset(trained.home / "datasets" / name).batches(10, split="test")))
        for number, (image, text) in enumerate(zip(batch.images, batch.texts(), strict=True)):
            Image.fromarray(255 - image).save(folder / f"{name}-{number}-{text}.png")
    return folder


@pytest.mark.slow
def test_a_model_of_two_datasets(trained):
    report = trained.report
    assert not report["kept"]
    assert [one["name"] for one in report["datasets"]] == ["book", "random"]
    assert report["classes"] == "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"  # of both, each once
    settings = {"pictures": [1500, 800], "shows": 80_000, "hidden": [32], "leave_out": [], "seed": 1}
    assert report["settings"] == settings
    assert report["pictures"] == 2300
    assert sorted(path.name for path in trained.model.parent.iterdir()) == ["book.skops", "book.skops.lock"]


@pytest.mark.slow
def test_an_equal_model_is_kept_and_another_is_put_aside(trained, few, captchas):
    before = model_digest(trained.model), trained.model.stat().st_mtime_ns
    result = captchas(*TRAIN, "--home", trained.home, "--json")
    assert result.report["kept"]
    assert (model_digest(trained.model), trained.model.stat().st_mtime_ns) == before
    assert not few.report["kept"]
    aside = few.model.with_name(f"book-{before[0][:8]}.skops")
    left = sorted(path.name for path in few.model.parent.iterdir())
    assert left == sorted([aside.name, "book.skops", "book.skops.lock"])
    assert model_digest(aside) == before[0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("book", "random", "--pictures", 5, "--pictures", 6, "--pictures", 7), "one for each of 2 datasets"),
        (("book", "nothing"), "no complete dataset"),
        (("book", "--leave-out", "Inter Blakc"), "did you mean 'Inter Black'?"),
    ],
)
def test_settings_that_fit_no_dataset_are_refused(trained, captchas, arguments, said):
    before = sorted(path.name for path in trained.model.parent.iterdir())
    result = captchas("train", *arguments, "--home", trained.home)
    assert result.returncode == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert sorted(path.name for path in trained.model.parent.iterdir()) == before


def test_the_ladder_has_settings_for_each_of_its_datasets():
    names, settings, _ = flow.check(flow.TrainRequest(ladder=True))
    assert len(names) == len(settings.pictures)
    assert set(names) < set(ladder.RUNGS)
    assert "unseen" not in names
    assert settings.leave_out == UNSEEN


@pytest.mark.soak
def test_evaluating_on_a_ladder(trained, captchas, monkeypatch):
    """Two short rungs, of which one is there and one is drawn: a table, a picture, and a report of each."""
    monkeypatch.setattr(ladder, "LADDER_COUNT", COUNT)
    monkeypatch.setattr(ladder, "RUNGS", ("book", "fonts"))
    result = captchas("evaluate", "book", "--ladder", "--home", trained.home, "--json")
    assert result.returncode == 0, result.stderr
    folder = trained.home / "reports" / "book-on-ladder"
    assert sorted(path.name for path in folder.iterdir()) == [
        "book", "fonts", "ladder.csv", "ladder.json", "ladder.md", "ladder.png",
    ]  # fmt: skip
    content = json.loads((folder / "ladder.json").read_text())["rungs"]
    table = rows(folder / "ladder.csv")
    for name, row, shown in zip(("book", "fonts"), content, result.report["rungs"], strict=True):
        report = json.loads((folder / name / "report.json").read_text())
        assert (row["rung"], row["n"], row["words"]) == (name, report["n"], report["words"])
        assert report["n"] == len(
            next(iter(Dataset(trained.home / "datasets" / name).batches(9999, split="test"))).text
        )
        assert f"n = {row['n']:,}" in shown["none"]
        mine = [line for line in table if line["rung"] == name]
        assert [line["ranking"] for line in mine] == ["none", "probability", "positions", "levenshtein"]
        right = {name: rate["right"] for name, rate in report["words"].items()}
        assert {line["ranking"]: int(line["right"]) for line in mine} == right
    assert content[0]["words"]["probability"]["rate"] > 0.9 > content[1]["words"]["none"]["rate"]
    assert (folder / "ladder.md").read_text().count("\n| book |") == 2
    with Image.open(folder / "ladder.png") as image:
        assert min(image.size) > 200
    # What was measured is kept.
    times = [path.stat().st_mtime_ns for path in sorted(folder.glob("*/*"))]
    assert captchas("evaluate", "book", "--ladder", "--home", trained.home).returncode == 0
    assert [path.stat().st_mtime_ns for path in sorted(folder.glob("*/*"))] == times


def test_a_rung_with_letters_that_the_model_does_not_know_is_told_first(trained, few, captchas, monkeypatch):
    monkeypatch.setattr(ladder, "LADDER_COUNT", 2 * COUNT)
    monkeypatch.setattr(ladder, "RUNGS", ("book", "random"))
    result = captchas("evaluate", few.model, "--ladder", "--home", trained.home)
    assert result.returncode == 2
    assert "cannot read 0 1 2 3" in result.stderr
    assert "profile random" in result.stderr
    assert len(Dataset(trained.home / "datasets" / "book")) == COUNT  # nothing was drawn


@pytest.mark.slow
def test_solve_texts_of_several_lengths_over_an_alphabet(trained, captchas, pictures, tmp_path):
    out = tmp_path / "answers.csv"
    common = ("solve", pictures, "--dictionary", "none", "--out", out, "--home", trained.home, "--again", "--json")
    assert captchas(*common, "--length", "4-6").returncode == 0
    free = rows(out)
    assert {len(row["reading"]) for row in free} <= {4, 5, 6}
    result = captchas(*common, "--length", "5", "--alphabet", "0123456789")
    assert result.returncode == 0, result.stderr
    assert result.report["dictionary_words"] == 0
    digits = rows(out)
    assert [row["path"] for row in digits] == [row["path"] for row in free] == sorted(row["path"] for row in free)
    for row in digits:
        assert row["status"] == "solved"
        assert row["reading"].isdecimal() and len(row["reading"]) == 5 == int(row["segments"])


@pytest.mark.slow
def test_solve_abstains(trained, captchas, pictures, tmp_path):
    out = tmp_path / "answers.csv"
    common = ("solve", pictures, "--model", "book", "--out", out, "--home", trained.home, "--json")
    result = captchas(*common)
    sure = {row["path"]: row for row in rows(out)}
    right = [path for path, row in sure.items() if path.startswith("book") and row["word"] == path[-8:-4]]
    assert len(right) >= 8
    bound = sorted(float(row["confidence"]) for row in sure.values())[5] + 1e-6
    result = captchas(*common, "--abstain-below", bound)
    read = {row["path"]: row for row in rows(out)}
    below = {path for path, row in sure.items() if float(row["confidence"]) < bound}
    assert {path for path, row in read.items() if row["status"] == "abstained"} == below
    assert result.report["abstained"] == len(below) >= 5
    assert result.report["solved"] == len(read) - len(below)
    for path in below:
        assert read[path]["word"] == ""
        assert read[path]["confidence"] == sure[path]["confidence"]
        assert read[path]["reason"].endswith(f"is below {bound:g}")


def test_solve_reads_with_the_served_model(trained, captchas, pictures, tmp_path):
    """Training another changes nothing; a person's choice does, until the shipped model is served again."""
    home = tmp_path / "home"
    (home / "models").mkdir(parents=True)
    shutil.copy(trained.model, home / "models" / "mine.skops")
    common = ("solve", next(pictures.glob("book-0-*")), "--home", home)

    def head() -> str:
        return captchas(*common).stdout.partition("\n")[0]

    shipped = "reads with: ladder where it is 99 % sure, else strangers (the shipped models"
    assert head().startswith(f"{shipped}, not mine: name that with --model, or `captchas")
    served = captchas("serve", "mine", "--home", home, "--json").report
    assert served["served"] == str(home / "models" / "mine.skops")
    assert head().startswith("reads with: mine (served by `captchas serve`); letters 0-9A-Z; 4 of them; no dictionary")
    report = captchas(*common, "--json").report
    assert (report["alphabet"], report["length"], report["dictionary"]) == (
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", [4, 4], "none"
    )  # fmt: skip
    (home / "models" / "mine.skops").unlink()
    missing = captchas(*common)
    assert missing.returncode == 2
    assert "mine.skops: no such file" in missing.stderr
    assert captchas("serve", "--shipped", "--home", home).returncode == 0
    assert head().startswith(f"{shipped});")
    for wrong in (("none",), ("mine", "--shipped"), (str(pictures),)):
        assert captchas("serve", *wrong, "--home", home).returncode == 2


def test_rankings_that_need_a_dictionary_say_so(trained, captchas, pictures):
    result = captchas("solve", next(pictures.glob("book-0-*")), "--model", "book", "--ranking", "levenshtein",
                      "--home", trained.home)  # fmt: skip
    assert result.returncode == 2
    assert "ranking: 'levenshtein' needs a dictionary" in result.stderr


@pytest.mark.slow
def test_every_split_has_its_own_report(trained, captchas, unplotted, tmp_path):
    """And a warning where the model learnt from it."""

    def evaluate(*arguments):
        result = captchas("evaluate", "book", *arguments, "--home", trained.home, "--json")
        assert result.returncode == 0, result.stderr
        return result.report

    split = {name: evaluate("random", "--split", name) for name in ("test", "validation", "all")}
    data = Dataset(trained.home / "datasets" / "random")
    assert split["all"]["pictures"] == len(data) == COUNT
    assert all(split[name]["pictures"] == data.manifest.statistics["splits"][name] for name in ("test", "validation"))
    assert split["test"]["warning"] is None
    told = warning_of(load_model(trained.model)[1], data, "train")
    assert told.partition(",")[0] == "the model learnt from this split"
    assert {name: report["warning"].partition(",")[0] for name, report in split.items() if report["warning"]} == {
        "validation": "the model's confidence was fitted to this split",
        "all": "the model learnt from most of these pictures",
    }
    reports = trained.home / "reports"
    for name, report in split.items():
        folder = reports / f"book-on-random{'' if name == 'test' else '-' + name}"
        assert report["report"] == str(folder)
        assert json.loads((folder / "report.json").read_text())["split"] == name
    assert captchas("generate", "fonts", "--count", 1024, "--home", trained.home).returncode == 0
    strange = evaluate("fonts", "--split", "all", "--out", tmp_path / "own")
    assert (strange["pictures"], strange["warning"]) == (1024, None)
    assert evaluate("fonts", "--split", "all", "--out", tmp_path / "own")["kept"]
    other = captchas("evaluate", "book", "fonts", "--out", tmp_path / "own", "--home", trained.home)
    assert other.returncode == 2
    assert "out: must not replace the report of another split" in other.stderr
    assert json.loads((tmp_path / "own" / "report.json").read_text())["split"] == "all"


@pytest.mark.slow
def test_solve_reads_with_the_shipped_model_where_there_is_no_other(trained, captchas, pictures, tmp_path, monkeypatch):
    """A copy stands in for it."""
    shipped = tmp_path / "package" / SHIPPED.name
    shipped.parent.mkdir()
    shutil.copy(trained.model, shipped)
    monkeypatch.setattr("flows.solve_request.SHIPPED", shipped)
    monkeypatch.setattr("flows.home.SHIPPED", shipped)
    for chosen, key in (((), "classic_model"), (("--model", "ladder"), "model")):
        result = captchas("solve", pictures, *chosen, "--home", tmp_path / "home", "--json")
        assert result.returncode == 0, result.stderr
        assert (result.report[key], result.report["total"]) == (str(shipped), 20)


@pytest.mark.parametrize(("given", "said"), [
    (("book", "--from", "strangers"), "from: belongs to the deep reader"),
    (("book", "--fold-case"), "fold-case: belongs to the deep reader"),
    pytest.param(("book", "--reader", "deep", "--from", "ladder"),
                 "from: must be a deep model; .*ladder.skops is a classic", marks=pytest.mark.slow),
    (("book", "--reader", "deep", "--from", "nowhere"), "from: .*nowhere.skops is not there"),
])  # fmt: skip
def test_a_start_that_cannot_be_is_named(trained, captchas, given, said):
    result = captchas("train", *given, "--home", trained.home)
    assert result.returncode == 2
    assert re.search(said, result.stderr)


def test_texts_that_some_are_too_long_for_the_deep_reader_are_refused_before_it_learns(monkeypatch):
    monkeypatch.setattr(deep_training, "find_profile", lambda _: Profile("long", length=(4, 13), width=400))
    with pytest.raises(BadInput, match="long: has texts of 4 to 13 letters; the deep reader reads at most 12"):
        deep_training.choose_deep(None, ["long"], None, None, 1)


def test_cases_that_count_alike_are_a_setting_of_the_training():
    choice = deep_training.choose_deep(None, ["strings"], None, None, 1, fold_case=True)
    assert choice.settings.folded
    assert not deep_training.choose_deep(None, ["strings"], None, None, 1).settings.folded


@pytest.mark.soak
def test_the_ladder_takes_a_deep_model_too(trained, captchas, unplotted, monkeypatch):
    monkeypatch.setattr(ladder, "LADDER_COUNT", COUNT)
    monkeypatch.setattr(ladder, "RUNGS", ("book",))
    result = captchas("evaluate", "strangers", "--ladder", "--home", trained.home, "--json")
    assert result.returncode == 0, result.stderr
    assert result.report["rungs"][0]["n"] > 50
    assert result.report["rungs"][0]["none"].startswith("100.0")
    assert "| book |" in (trained.home / "reports" / "strangers-on-ladder" / "ladder.md").read_text()


@pytest.mark.parametrize("sources", [(None, None), (None, {"labels": "file"})])
def test_only_pictures_without_boxes_take_early_rounds(monkeypatch, tmp_path, sources):
    """A companion and a network find their letters, round by round; drawn ones are learnt from at once."""
    seen = []
    profile = {"height": 40, "width": 100}
    datasets = [
        SimpleNamespace(
            folder=tmp_path,
            manifest=SimpleNamespace(source=source, profile=profile, statistics={"splits": {"validation": 1}}),
        )
        for source in sources
    ]
    receipt = GatherReceipt(0, 100, 90, 400, 900, (200, 200), (300, 300))
    monkeypatch.setattr(flow, "drawn_jobs", lambda *_: seen.append("companion") or [])
    monkeypatch.setattr(
        flow,
        "jobs_of",
        lambda data, settings, share, model, spool, _: seen.append((spool.name, model and model.parent.name)),
    )
    monkeypatch.setattr(flow, "with_copies", lambda jobs, copies, _: seen.append(copies))
    monkeypatch.setattr(flow, "gather", lambda jobs: [receipt, receipt])
    monkeypatch.setattr(
        flow, "fit", lambda spool, name, classes, settings, shows, beside: seen.append(shows) or ({}, {})
    )
    monkeypatch.setattr(flow, "save_model", lambda path, *_: None)
    monkeypatch.setattr(flow, "check_outcome", lambda jobs: [OutcomeReceipt(("AB",) * 9, ("AB",) * 9)])
    monkeypatch.setattr(flow, "calibrate", lambda jobs: {})
    facts, _, marked = flow._learn(datasets, flow.Settings(shows=4000), {"classes": "AB"}, tmp_path, "run")
    rounds = ["companion", ("round-0", None), 1000, ("round-1", "round-0"), 1000, ("last", "round-1"), 16, 4000]
    assert seen == (rounds if any(sources) else [("last", None), 0, 4000])
    assert (marked.right, marked.n) == (180, 200)
    assert (facts["validation"]["right"], facts["rare"]) == (9, {})


def test_imported_pictures_are_shown_more_often_unless_told_otherwise(monkeypatch):
    def shows(source, given=None):
        manifest = SimpleNamespace(
            source=source, profile={"alphabet": "AB"}, fonts=None, statistics={"splits": {"validation": 1}}
        )
        monkeypatch.setattr(flow, "Dataset", lambda folder: SimpleNamespace(manifest=manifest))
        return flow.check(flow.TrainRequest(["some"], shows=given))[1].shows

    assert (shows(None), shows({"labels": "file"}), shows({"labels": "file"}, 77)) == (1_000_000, 5_000_000, 77)


@pytest.mark.slow
def test_both_kinds_of_one_name_are_compared_once_and_measured_together(trained, captchas, unplotted, tmp_path):
    """The deep model is the shipped network, said to have learnt from the classic model's datasets."""
    home = tmp_path / "home"
    (home / "models").mkdir(parents=True)
    (home / "datasets").symlink_to(trained.home / "datasets")
    classic = Path(shutil.copy(trained.model, home / "models"))
    model = load_deep_model(STRANGERS)
    datasets = [{**data, "weight": 1.0} for data in load_model(classic)[1]["datasets"]]
    classic.with_suffix(".onnx").write_bytes(seal_model(model.network, model.record | {"datasets": datasets}))
    told = captchas("evaluate", "book", "random", "--home", home, "--json").report
    assert [row["reader"] for row in told["readers"]] == ["classic", "both", "deep"]
    rates = {row["reader"]: row["right"] for row in told["readers"]}
    assert max(rates.values()) > min(rates.values())
    assert "validation pictures of book, random: classic " in told["reads_with"]
    record = home / "models" / "book.pair.json"
    kept = record.stat().st_mtime_ns
    assert captchas("evaluate", "book", "random", "--home", home, "--json").report["kept"]
    again = captchas(*TRAIN, "--home", home, "--json").report
    assert again["kept"]
    assert again["solve_reads_with"].startswith("`captchas solve --model book`: book.")
    assert record.stat().st_mtime_ns == kept
    record.unlink()
    assert captchas(*TRAIN, "--home", home, "--json").report["solve_reads_with"] == again["solve_reads_with"]
    assert record.exists()
    alone = captchas("evaluate", "book", "random", "--reader", "deep", "--home", home, "--json").report
    assert (alone["readers"], alone["words"][0]["right"]) == ([], rates["deep"])
    shipped = captchas("evaluate", "auto", "random", "--home", home, "--json").report
    assert shipped["reads_with"].startswith("ladder where it is 99 % sure, else strangers (the shipped models")
    assert shipped["report"] == str(home / "reports" / "auto-on-random")
    assert rates["deep"] == {row["reader"]: row["right"] for row in shipped["readers"]}["deep"]
