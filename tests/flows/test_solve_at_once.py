"""`captchas solve` for named pictures and standard input: at once, without Prefect and Dask."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from flows import solve_at_once, solve_request
from flows.__main__ import main
from flows.requests import Refused
from flows.solve_at_once import solve_named
from flows.solve_request import ledger
from storage.errors import BadInput, CaptchasError, Damaged, NotThere
from storage.files.locks import inbox_locked
from storage.ledger.ledger import FAILED, SOLVED, Answer, Ledger, LedgerEntry, PictureFile, digest_of
from storage.served_model import ServedBy, serve_model
from tasks.datasets.recipe import make_recipe, renderer_of
from tasks.lowlevel.png_encoder import png
from tasks.profiles.built_in import find_profile
from tasks.readers import expect_texts
from tasks.reading.ranking import Ranking
from tasks.shipped import SHIPPED, STRANGERS
from tasks.solving.batches import answer_pictures, make_plan, reader_of
from tasks.solving.claims import claim_answers
from tasks.solving.tables import COLUMNS
from tests.number_pictures import numbers

ROOT = Path(__file__).parents[2]
HEAVY = (
    "prefect", "dask", "distributed", "sklearn", "scipy", "skops", "matplotlib", "pydantic", "h5py", "rapidfuzz",
    "cffi", "yaml", "cyclopts", "rich.console", "http.client", "onnxruntime",
)  # fmt: skip
DRAWN = ("--dictionary", "none", "--length", "4")


@pytest.fixture
def inbox(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("CAPTCHAS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "inbox"
    folder.mkdir()
    images = renderer_of(make_recipe(find_profile("book"), 5)).block(5, 0).images
    for name, image in zip("abcd", images, strict=False):
        (folder / f"{name}.png").write_bytes(png(image))
    return folder


def expected(*files: Path) -> list[str | None]:
    plan = make_plan(STRANGERS, (), Ranking.NONE, length=(4, 4), classic=SHIPPED)
    return [answer.word for answer in answer_pictures(plan, files, Path.read_bytes)]


def solved(capsys, *arguments: object) -> dict:
    assert solve_named(["solve", *map(str, arguments), "--json"])
    return json.loads(capsys.readouterr().out)


def test_named_pictures_are_read_and_nothing_is_left_behind(inbox, tmp_path, capsys):
    files = [inbox / "a.png", inbox / "b.png", inbox / "a.png"]
    report = solved(capsys, *files, *DRAWN)
    assert [row["word"] for row in report["answers"]] == expected(*files)
    assert [row["path"] for row in report["answers"]] == [str(path) for path in files]
    assert set(report["answers"][0]) == set(COLUMNS)
    assert (report["total"], report["solved"], report["failed"], report["answers_file"]) == (3, 3, 0, None)
    assert (report["model"], report["classic_model"]) == (str(STRANGERS), str(SHIPPED))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["inbox"]  # no home, no ledger


@pytest.mark.parametrize(("chosen", "told", "models"), [
    (("--reader", "classic"), "ladder (the shipped classic model)", (SHIPPED, None)),
    (("--reader", "deep"), "strangers (the shipped deep model)", (STRANGERS, None)),
    (("--model", "strangers"), "strangers (--model)", (STRANGERS, None)),
    (("--model", "ladder", "--reader", "classic"), "ladder (--model)", (SHIPPED, None)),
    (("--length", "13-14"), "ladder (the shipped models; strangers knows no texts of over 12", (SHIPPED, None)),
])  # fmt: skip
def test_the_reader_is_chosen_and_told(inbox, capsys, chosen, told, models):
    report = solved(capsys, inbox / "a.png", *chosen)
    assert report["reads_with"].startswith(told)
    assert (report["model"], report["classic_model"]) == (str(models[0]), models[1])


def test_a_model_of_the_other_kind_is_refused(inbox):
    with pytest.raises(BadInput, match=r"reader: must be that of the model; .*strangers\.onnx is deep, and --reader c"):
        solve_named(["solve", "inbox/a.png", "--model", "strangers", "--reader", "classic"])


def test_models_of_both_kinds_may_have_a_name(inbox, capsys):
    models = Path("home", "models")
    models.mkdir(parents=True)
    for shipped in (SHIPPED, STRANGERS):
        (models / f"mine{shipped.suffix}").write_bytes(shipped.read_bytes())
    for reader, suffix in (("auto", ".skops"), ("classic", ".skops"), ("deep", ".onnx")):
        report = solved(capsys, "inbox/a.png", "--model", "mine", "--reader", reader)
        assert Path(report["model"]).name == f"mine{suffix}"
    serve_model(models, models / "mine.skops", ServedBy.CHOICE)
    assert solved(capsys, "inbox/a.png")["reads_with"].startswith("mine (served")
    assert solved(capsys, "inbox/a.png", "--reader", "deep")["model"] == str(STRANGERS)


def test_people_see_each_word_beside_its_picture(inbox, capsys):
    (inbox / "[red]x.png").write_bytes(b"")
    assert solve_named(["solve", "inbox/a.png", "inbox/[red]x.png", *DRAWN])  # short, so that no cell is folded
    shown = capsys.readouterr().out
    (word,) = expected(inbox / "a.png")
    assert word in shown
    assert "[red]x.png" in shown
    assert "the file is empty" in shown


def test_one_picture_shows_its_word_its_confidence_and_the_next_two(inbox, monkeypatch, capsys):
    answer = Answer("WORD", 0.93211, "WORD", 0.9, "WARD", 0.05, "WORE", 0.0001, 4)
    monkeypatch.setattr("flows.solve_at_once.answer_forked", lambda _, contents, __: [answer] * len(contents))
    assert solve_named(["solve", "inbox/a.png", *DRAWN])
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith(
        "reads with: ladder where it is 99 % sure, else strangers (the shipped models); letters 0-9A-Z"
    )
    assert shown[0].endswith("; 4 of them (--length); no dictionary, as asked")
    assert shown[1:] == ["picture: inbox/a.png", "word: WORD (93.2 %)", "next: WARD 5.0 %, WORE under 0.1 %"]
    (inbox / "a.png").write_bytes(b"")
    monkeypatch.undo()
    assert solve_named(["solve", str(inbox / "a.png"), *DRAWN])
    assert "word: - (failed: the file is empty" in capsys.readouterr().out


@pytest.fixture
def forms(tmp_path) -> list[Path]:
    """Files of numbers, each named for its text."""
    (tmp_path / "forms").mkdir()
    files = []
    for number, (file, text) in enumerate(numbers(60)):
        files.append(tmp_path / "forms" / f"{number:02}-{text}.png")
        files[-1].write_bytes(file)
    return files


def right(rows: list[dict]) -> int:
    return sum(row["word"] == Path(row["path"]).stem[3:] for row in rows)


def test_named_pictures_tell_each_other_what_to_expect(inbox, forms, capsys):
    with Ledger(ledger()) as base:
        folder = base.folder(forms[0].parent)
    alone = solved(capsys, *forms, "--independent")
    assert "in_common" not in alone
    together = solved(capsys, *forms)
    assert right(together["answers"]) >= right(alone["answers"]) + 5
    again = together["in_common"]
    assert again["told"] == "4 letters of 0-9"
    marked = [row for row in together["answers"] if row["reason"]]
    assert len(marked) == again["pictures"] >= again["changed"] >= 5
    assert marked[0]["reason"] == "read once more, like most others: 4 letters of 0-9"
    with Ledger(ledger()) as base:  # a run over the folder finds out what its texts have in common
        assert [answer.word for _, answer in base.results(folder)] == [row["word"] for row in alone["answers"]]
    assert solve_named(["solve", *map(str, forms)])
    shown = " ".join(capsys.readouterr().out.split())
    assert f"in common: 4 letters of 0-9; {again['pictures']} pictures that were read otherwise were read" in shown
    assert "in_common" not in solved(capsys, *forms[:15])


def test_what_can_be_read_once_only_is_not_read_again(inbox, forms, capsys, monkeypatch):
    alone = solved(capsys, *forms, "--independent")["answers"]
    unlike = [row["path"] for row in alone if not row["word"].isdigit()]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(Path(unlike[0]).read_bytes())))
    given = ["-" if str(path) == unlike[0] else path for path in forms]
    gone = solve_at_once.read_unlike

    def then_gone(plan, answers, read_again):
        Path(unlike[1]).write_bytes(b"another")
        Path(unlike[2]).unlink()
        return gone(plan, answers, read_again)

    monkeypatch.setattr(solve_at_once, "read_unlike", then_gone)
    rows = {row["path"]: row for row in solved(capsys, *given)["answers"]}
    words = {row["path"]: row["word"] for row in alone}
    assert [rows[path]["word"] for path in ("-", *unlike[1:3])] == [words[path] for path in unlike[:3]]
    assert all(rows[path]["word"].isdigit() for path in unlike[3:])


def test_a_second_reading_holds_no_more_in_memory_than_the_first(tmp_path, monkeypatch):
    sizes = []

    def forked(unit, contents):
        sizes.append(len(contents))
        return [None] * len(contents)

    monkeypatch.setattr(solve_at_once, "MOST_BYTES", 15)
    monkeypatch.setattr(solve_at_once, "do_forked", forked)
    monkeypatch.setattr(solve_at_once, "read_unlike", lambda plan, answers, again: again(None, [0, 1, 2]))
    files = tuple(tmp_path / f"{number}.png" for number in range(3))
    for file in files:
        file.write_bytes(b"0123456789")
    kept = [LedgerEntry(PictureFile(str(file), 10, 0, digest_of(b"0123456789")), Answer()) for file in files]
    assert solve_at_once._read_unlike([], kept, files, None) == [None] * 3
    assert sizes == [2, 1]


def test_a_picture_that_cannot_be_read_is_a_failure(inbox, capsys):
    """As for programs that show files: what can be read is read, and the exit code tells that something could not."""
    (inbox / "text.png").write_text("no picture")
    for names, code in (("a.png",), 0), (("text.png",), 1), (("text.png", "a.png"), 1), (("a.png", "b.png"), 0):
        done = solve_named(["solve", *(f"inbox/{name}" for name in names), *DRAWN])
        assert done.exit_code == code, names
        assert len(done) and capsys.readouterr().err == ""  # the report tells which
    done = solve_named(["solve", "inbox/a.png", *DRAWN, "--abstain-below", "1"])
    assert done.exit_code == 0  # it was asked for


def test_quiet_prints_the_bare_words(inbox, monkeypatch, capsys):
    monkeypatch.setenv("CAPTCHAS_QUIET", "1")
    (inbox / "text\n.png").write_text("no picture")
    first, second = expected(inbox / "a.png", inbox / "b.png")
    assert solve_named(["solve", "inbox/a.png", *DRAWN]).exit_code == 0
    assert capsys.readouterr() == (f"{first}\n", "")
    assert solve_named(["solve", "inbox/a.png", "inbox/text\n.png", "inbox/b.png", *DRAWN]).exit_code == 1
    out, err = capsys.readouterr()
    assert out == f"inbox/a.png\t{first}\ninbox/text\\n.png\t\ninbox/b.png\t{second}\n"
    assert err.startswith("captchas: inbox/text\\n.png: no picture") and err.count("\n") == 1
    assert solve_named(["solve", "inbox/a.png", *DRAWN, "--out", "words.csv"]).exit_code == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("options", [
    ["--json", "--quiet"], ["--out", "-"], ["--out=x.csv", "--csv-safe", "--format", "csv"],
    ["--home=other", "--again"],
    ["--reader", "deep", "--length", "4-6", "--alphabet", "ABC"], ["--abstain-below", "0.5", "--ranking=none"],
    ["--model", "a-b.onnx", "--dictionary", "./list"], ["--settle", "2", "--workers", "3", "--move-to", "x"],
    ["--explain", "--keep"], ["--only-new", "--follow-links", "--cluster", "tcp://h:1"], [],
])  # fmt: skip
def test_ordinary_command_lines_are_understood_without_cyclopts(options):
    from flows.parameters import spelled
    from flows.shell.solve_arguments import _plain_values, _values

    tokens = spelled(["a.png", *options, "b.png"])
    plain = _plain_values(tokens)
    assert plain is not None and plain == _values(tokens)


@pytest.mark.parametrize("options", [
    ["--worker", "1"], ["--workers", "x"], ["--workers", "1e3"], ["--length"], ["--length", "--json"], ["-v"],
    ["--csv_safe"], ["--json", "--json"], ["--no-again"], ["--reader", "DEEP"], ["--json=true"], ["--out", "-x"],
])  # fmt: skip
def test_unusual_command_lines_are_left_to_cyclopts(options):
    from flows.shell.solve_arguments import _plain_values

    assert _plain_values(["a.png", *options]) is None


def test_standard_input_is_a_picture(inbox, monkeypatch, capsys):
    for given in (["-"], ["/dev/stdin"]):
        piped = io.TextIOWrapper(io.BytesIO((inbox / "b.png").read_bytes()))
        monkeypatch.setattr("sys.stdin", piped)
        (row,) = solved(capsys, *given, *DRAWN)["answers"]
        assert (row["path"], row["word"]) == ("-", *expected(inbox / "b.png"))


def test_standard_input_may_be_closed_or_a_program(inbox, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(BadInput, match="standard input, which is closed"):
        solve_named(["solve", "-"])
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as program:
        program.write((inbox / "b.png").read_bytes())
    (row,) = solved(capsys, f"/dev/fd/{reading}", *DRAWN)["answers"]  # as the shell gives `<(program)`
    os.close(reading)
    assert row["word"] == expected(inbox / "b.png")[0]
    (row,) = solved(capsys, "--path", inbox / "c.png", *DRAWN)["answers"]
    assert row["word"] == expected(inbox / "c.png")[0]


def test_hostile_names_are_read_and_shown_safely(inbox, hostile_names, capsys):
    picture, files = (inbox / "a.png").read_bytes(), []
    for number, name in enumerate(hostile_names):
        folder = inbox / str(number)  # names that a file system takes for one another
        files.append(folder / name)
        files[-1].parent.mkdir(parents=True, exist_ok=True)
        files[-1].write_bytes(picture)
    word = expected(inbox / "a.png")[0]
    arguments = ["solve", *map(str, files), *DRAWN]
    assert solve_named(arguments)
    shown = capsys.readouterr().out
    assert not [c for c in shown if not c.isprintable() and c != "\n"]
    assert solve_named([*arguments, "--json"])
    text = capsys.readouterr().out
    assert not [c for c in text if not c.isprintable() and c != "\n"]
    rows = json.loads(text)["answers"]
    assert [(row["path"], row["word"]) for row in rows] == [(str(path), word) for path in files]


def test_answers_go_to_a_file_or_to_standard_output(inbox, tmp_path, capsysbinary):
    out = tmp_path / "new" / "answers.csv"
    assert solve_named(["solve", str(inbox / "a.png"), *DRAWN, "--out", str(out)])
    capsysbinary.readouterr()
    assert solve_named(["solve", str(inbox / "a.png"), *DRAWN, "--out", "-"])
    written = capsysbinary.readouterr().out
    assert out.read_bytes() == written
    (row,) = csv.DictReader(io.StringIO(written.decode()))
    assert (row["path"], row["word"]) == (str(inbox / "a.png"), *expected(inbox / "a.png"))


def test_a_bad_file_costs_its_own_row(inbox, capsys):
    os.mkfifo(inbox / "pipe.png")
    (inbox / "empty.png").write_bytes(b"")
    (inbox / "text.png").write_text("no picture")
    (inbox / "dangling.png").symlink_to("nowhere.png")
    Image.new("L", (60, 20), 255).save(inbox / "white.png")
    odd = os.fsdecode(os.fsencode(inbox) + b"/\xff.png")
    Path(odd).write_bytes((inbox / "c.png").read_bytes())
    os.utime(inbox / "d.png", (2**34, 2**34))
    names = ["pipe.png", "empty.png", "text.png", "dangling.png", "white.png"]
    report = solved(capsys, *(inbox / name for name in names), odd, inbox / "d.png", *DRAWN)
    failed, fine = report["answers"][:5], report["answers"][5:]
    assert {row["status"] for row in failed} == {FAILED}
    assert all(row["reason"] for row in failed)
    assert [row["word"] for row in fine] == expected(inbox / "c.png", inbox / "d.png")
    assert (report["total"], report["failed"], report["read"]) == (7, 5, 2)


def test_the_ledger_keeps_answers_of_folders_that_it_knows(inbox, tmp_path, capsys):
    deep = inbox / "deep" / "er"
    deep.mkdir(parents=True)
    (deep / "e.png").write_bytes((inbox / "b.png").read_bytes())
    (tmp_path / "elsewhere.png").write_bytes((inbox / "b.png").read_bytes())
    ledger().parent.mkdir(parents=True)
    with Ledger(ledger()) as known:
        number = known.folder(inbox.resolve())
    os.chdir(inbox)
    report = solved(capsys, "a.png", "deep/er/e.png", tmp_path / "elsewhere.png", *DRAWN)
    assert "not_kept_in_the_ledger" not in report
    with Ledger(ledger()) as known:
        rows = {row.path: row.answer.word for row in known.results(number)}
        assert not known.knows(tmp_path.resolve())
    assert rows == dict(zip(("a.png", "deep/er/e.png"), expected(inbox / "a.png", deep / "e.png"), strict=True))


def test_a_ledger_that_cannot_be_written_costs_no_answer(inbox, tmp_path, capsys):
    ledger().parent.mkdir(parents=True)
    with Ledger(ledger()) as known:
        number = known.folder(inbox.resolve())
    with inbox_locked(ledger().parent, inbox.resolve()):
        report = solved(capsys, inbox / "a.png", *DRAWN)
    assert report["solved"] == 1
    assert "another run is solving it" in report["not_kept_in_the_ledger"][0]
    with Ledger(ledger()) as known:
        assert not [*known.results(number)]
    ledger().write_bytes(b"no database")
    report = solved(capsys, inbox / "a.png", *DRAWN)
    assert report["solved"] == 1
    assert report["not_kept_in_the_ledger"]


def test_more_pictures_than_a_batch(inbox, monkeypatch, capsys):
    monkeypatch.setattr("flows.solve_at_once.BATCH", 3)
    files = [inbox / f"{name}.png" for name in "abcdabcd"]
    report = solved(capsys, *files, *DRAWN)
    assert [row["word"] for row in report["answers"]] == expected(*files)
    assert report["rows"] == {SOLVED: 8}


@pytest.mark.parametrize("arguments", [
    ["verify", "a.png"], ["solve"],
    ["solve", "inbox"], ["solve", "inbox/none.png"], ["solve", "inbox/a.png", "--worker"],
    ["solve", "inbox/a.png", "--move-to", "done"], ["solve", "inbox/a.png", "--cluster", "tcp://h:1"],
    ["solve", "memory://bucket/a.png"], ["evaluate", "solve", "inbox/a.png"], ["inspect", "solve"], ["export", "solve"],
    ["--home", "solve", "inspect", "inbox/a.png"],
])  # fmt: skip
def test_other_command_lines_take_the_ordinary_way(arguments, inbox, capsys):
    assert not solve_named(arguments)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("arguments", "error", "says"), [
    (["inbox/a.png", "inbox/none.png"], NotThere, "inbox/none.png: no such file"),
    (["inbox/a.png", "inbox"], BadInput, "inbox is a folder among others"),
    (["inbox/a.png", "s3://bucket/b.png"], BadInput, "is a URL"),
    (["inbox/a.png", "inbox/b.png", "--move-to", "done"], BadInput, "move-to: is for a folder or for one file"),
    (["-", "--only-new"], BadInput, "only-new: is for a folder"),
    (["-", "-"], BadInput, "it is given twice"),
    (["inbox/a.png", "--length", "x"], BadInput, "length: must be a number"),
    (["inbox/a.png", "--abstain-below", "2"], BadInput, "abstain-below: must be from 0 to 1"),
    (["inbox/a.png", "--model", "none"], NotThere, "none"),
    (["inbox/a.png", "--out", "inbox/a.png"], BadInput, "out: must not be a file that is read"),
    (["inbox/a.png", "--out", "inbox/b.png"], BadInput, "out: must be a new file, or a file of answers"),
    (["inbox/a.png", "--out", "-", "--json"], BadInput, "out: must be a file with --json"),
    (["inbox/a.png", "--out", "home/answers/inbox/answers.csv"], BadInput, "the answers of another folder"),
    (["inbox/a.png", "--model", "cut.skops"], Refused, "cut.skops"),
    (["inbox/a.png", "--out", "inbox"], BadInput, "out: must be a new or an ordinary file"),
])  # fmt: skip
def test_mistakes_are_named_before_any_work(arguments, error, says, inbox):
    claim_answers(ledger().parent, inbox.resolve())
    Path("cut.skops").write_bytes(SHIPPED.read_bytes()[:5000])
    with pytest.raises(error, match=says):
        solve_named(["solve", *arguments])
    assert issubclass(error, CaptchasError)
    assert error.exit_code == 2
    assert sorted(path.name for path in inbox.iterdir()) == ["a.png", "b.png", "c.png", "d.png"]


def test_an_interruption_says_what_the_same_command_does(inbox, monkeypatch, capsys):
    """Named pictures are read anew; most other commands go on."""

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("flows.solve_at_once.answer_forked", interrupted)
    monkeypatch.setattr("flows.__main__._run", interrupted)
    for arguments, said in (
        (("solve", "inbox/a.png"), "begins anew"), (("solve", "inbox"), "goes on from here"),
        (("--json", "evaluate", "ladder"), "begins anew"), (("evaluate", "ladder", "--ladder"), "goes on from here"),
        (("export", "--format", "png"), "goes on from here"),
    ):  # fmt: skip
        monkeypatch.setattr(sys, "argv", ["captchas", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 130
        assert f"interrupted; the same command {said}" in capsys.readouterr().err


def test_the_whole_command_loads_nothing_heavy(inbox):
    """Not even scipy, where numba looks for BLAS, cffi, or the deep reader's runtime for a picture that is easy.

    The import of the command loads no numba.
    """
    code = (
        "import sys, flows.__main__ as command\n"
        f"heavy = [name for name in {(*HEAVY, 'numba', 'numpy')} if name in sys.modules]\n"
        f"sys.argv = ['captchas', 'solve', {str(inbox / 'a.png')!r}]\n"
        "lean = command.import_lean\n"
        "def import_lean():\n"
        "    lean()\n"
        "    from tasks.solving import batches, isolated\n"
        "    isolated.answer_forked = batches.answer_pictures\n"  # in this process, whose modules are looked at
        "command.import_lean = import_lean\n"
        "try: command.main()\n"
        "except SystemExit as end: code = end.code\n"
        f"print(code, heavy, [name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.stdout.splitlines()[-1] == "0 [] []", done.stdout + done.stderr


def test_large_pictures_are_not_held_all_at_once(tmp_path, monkeypatch):
    pictures = tuple(tmp_path / f"{k}.png" for k in range(3))
    for picture in pictures:
        picture.write_bytes(b"1234")
    assert [len(batch) for batch in solve_at_once._batches(pictures)] == [3]
    monkeypatch.setattr(solve_at_once, "MOST_BYTES", 7)
    assert [len(batch) for batch in solve_at_once._batches(pictures)] == [2, 1]


def test_what_may_be_readable_next_time_is_kept_as_passing(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(b"1")
    monkeypatch.setattr(solve_at_once, "answer_forked", lambda *_: [solve_at_once.Unreadable("no memory")])
    _, (entry,) = solve_at_once._answers((tmp_path / "a.png",), None)
    assert entry.passing is True


def test_a_plan_is_for_the_model_whose_texts_were_told(tmp_path, monkeypatch):
    path = tmp_path / "mine.skops"
    path.write_bytes(SHIPPED.read_bytes())

    def told(*given):
        texts = expect_texts(*given)
        path.write_bytes(STRANGERS.read_bytes())  # as another command may
        return texts

    monkeypatch.setattr(solve_request, "expect_texts", told)
    plan = solve_request.plan_of(solve_request.SolveRequest(path=tmp_path, model=str(path))).plan
    with pytest.raises(Damaged, match=r"mine\.skops: is not the file that this run began with; run again"):
        reader_of(plan)
