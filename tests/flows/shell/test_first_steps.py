"""What a command says before and beside its work: examples, first steps, colours, width, and quiet."""

import io
import json
import re
import shlex
import sys

import pytest

from flows.__main__ import main
from flows.command_line import app
from flows.parameters import BELOW_AUDIT, spelled
from flows.reporting.show import show
from flows.shell import quiet
from flows.shell.commands import COMMANDS
from flows.shell.examples import EXAMPLES, FIRST_STEPS
from tasks.lowlevel.png_encoder import png

pytestmark = pytest.mark.filterwarnings("ignore")  # Prefect's, while it is imported


class Terminal(io.StringIO):
    """Text that is kept, as if it were shown by a terminal."""

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        raise OSError


@pytest.fixture
def shown(monkeypatch):
    """Run a command; return what a terminal would get on standard output and on standard error."""

    def run(*arguments: str, **environment: str) -> tuple[str, str]:
        out, err = Terminal(), Terminal()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["captchas", *arguments])
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            for each in (app, app.meta):
                patch.setattr(each, "_fallback_console", None)  # it knows whether standard output was a terminal
            for name in ("NO_COLOR", "FORCE_COLOR"):
                patch.delenv(name, raising=False)
            patch.setenv(quiet.QUIET, "")  # which a command with --quiet sets
            for name, value in {"TERM": "xterm-256color", "COLUMNS": "80", **environment}.items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit):
                main()
        return out.getvalue(), err.getvalue()

    return run


def parsed(tokens: list[str]) -> None:
    """Parse a command line as the command does: the options of every command, then the command's."""
    _, shared, _ = app.meta.parse_args(tokens, exit_on_error=False, print_error=False)
    app.parse_args(spelled(shared.args), exit_on_error=False, print_error=False)


@pytest.mark.parametrize("command", EXAMPLES)
def test_help_begins_with_an_example_that_the_command_takes(command, capsys, monkeypatch):
    program, *tokens = shlex.split(EXAMPLES[command])
    assert program == "captchas" and " ".join(tokens).startswith(command)
    parsed(tokens)
    monkeypatch.setattr(sys, "argv", ["captchas", *command.split(), "--help"])
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().out.splitlines()[0] == f"Example: {EXAMPLES[command]}"


def test_there_is_no_example_of_what_is_no_command():
    below = {f"audit {name}" for name in BELOW_AUDIT}
    assert set(EXAMPLES) == set(COMMANDS) | below


def test_the_command_alone_says_where_to_begin(shown):
    out, err = shown()
    assert out == FIRST_STEPS and err == ""
    assert max(map(len, FIRST_STEPS.splitlines())) <= 80
    for line in re.findall(r"^  (captchas .*?)(?:  |$)", FIRST_STEPS, re.MULTILINE):
        word = shlex.split(line)[1]
        assert word.startswith("--") or word in (*COMMANDS, "COMMAND")


WRONG = ("generate", "book", "--words", "/a/long/path/that/is/not/there/" + "x" * 80 + ".txt")


def test_messages_break_between_words_and_paths_stay_whole(shown):
    _, err = shown(*WRONG, TERM="dumb")
    lines = err.splitlines()
    assert any(WRONG[-1] in line for line in lines)
    assert all(len(line) <= 80 or WRONG[-1] in line for line in lines)
    _, err = shown("generate", "bok", TERM="dumb")
    assert len(err.splitlines()) > 1 and max(map(len, err.splitlines())) <= 80


def test_reports_break_between_words_and_tables_that_do_not_fit_are_paragraphs(shown, tmp_path):
    rows = [{"name": "jitter", "fonts": "Inter Black", "text": "characters", "none": None}, {"name": "b"}]
    report = {"folder": "/a" * 60, "words": "one two " * 20, "rows": rows}
    out = Terminal()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        patch.setenv("TERM", "xterm")
        patch.setenv("NO_COLOR", "1")
        for width in ("40", "26"):
            patch.setenv("COLUMNS", width)
            show(report, as_json=False)
    wide, narrow = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue()).split("folder:")[1:]
    assert "/a" * 60 in wide and "│ characters │" in wide
    assert "- jitter: fonts Inter\n    Black; text characters\n- b:" in narrow and "│" not in narrow
    for text, width in ((wide, 40), (narrow, 26)):
        assert all(len(line) <= width for line in text.splitlines() if "/a/a" not in line)


@pytest.mark.parametrize(
    ("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_colours_are_for_terminals_that_have_them(shown, environment, coloured):
    for said in (shown(*WRONG, **environment)[1], shown("profiles", "--help", **environment)[0]):
        assert bool(re.search(r"\x1b\[[0-9;]*3[0-9]", said)) is coloured


def test_in_a_file_a_message_is_a_line(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["captchas", *WRONG])
    with pytest.raises(SystemExit):
        main()
    (line,) = capsys.readouterr().err.splitlines()
    assert "\x1b" not in line


def test_quiet_shows_errors_and_json_only(shown, tmp_path):
    home = ("--home", str(tmp_path))
    assert shown("datasets", *home)[0]
    assert shown("--quiet", "datasets", *home) == shown("datasets", *home, CAPTCHAS_QUIET="1") == ("", "")
    out, err = shown("datasets", "--quiet", "--json", *home)
    assert json.loads(out)["datasets"] == [] and err == ""
    assert "did you mean" in shown("generate", "bok", "--quiet", *home)[1]


def test_quiet_is_known_to_what_runs(shown, tmp_path, monkeypatch):
    """Before the options are parsed: the server and the workers start then."""
    known = []
    monkeypatch.setattr("flows.datasets.datasets_under", lambda _: known.append(quiet.is_quiet()) or [])
    shown("datasets", "--quiet", "--home", str(tmp_path))
    shown("datasets", "--home", str(tmp_path))
    assert known == [True, False]


def test_quiet_says_only_what_is_wrong(shown, tmp_path):
    import numpy as np

    picture = tmp_path / "a.png"
    picture.write_bytes(png(np.zeros((20, 60), np.uint8)))
    arguments = ("solve", str(picture), "--home", str(tmp_path / "home"))
    out, said = shown(*arguments, "--quiet")  # nothing of it can be read, which is an error
    assert out == ""
    assert "blank" in said and said.endswith("\n") and max(map(len, said.split("\n"))) < 200
    assert "a.png" in shown(*arguments, "--quiet", "--json")[0]


def test_progress_is_for_terminals_that_can_show_it(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.delenv(quiet.QUIET, raising=False)
    for term, there in (("xterm", True), ("dumb", False)):
        monkeypatch.setenv("TERM", term)
        assert quiet.shows_progress() is there
    quiet.tell("drawing")
    assert sys.stderr.getvalue() == "captchas: drawing\n"
    monkeypatch.setenv(quiet.QUIET, "1")
    monkeypatch.setenv("TERM", "xterm")
    quiet.tell("drawing")
    assert not quiet.shows_progress() and sys.stderr.getvalue() == "captchas: drawing\n"
