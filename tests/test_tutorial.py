"""The tutorial: its commands are commands, its Python prints what it says, its pictures are there and are shown."""

import contextlib
import io
import json
import os

import pytest

from tasks.profiles.built_in import find_profile
from tests.benchmarks import tutorial
from tests.benchmarks.tutorial import BLOCK, LINK, TUTORIAL, cells_of, commands, files, kept, pages, remade

PAGES = pages()


def test_the_index_leads_to_every_page():
    assert {page.name for page in PAGES} == {page.name for page in TUTORIAL.glob("*.md")}
    assert len(PAGES) == 10


def test_commands_are_found():
    """`tests/test_docs.py` parses all command lines of all pages."""
    given = [command for page in PAGES for command in commands(page.read_text())]
    assert len(given) >= 12
    assert {tokens[0] for tokens in given} >= {"explain", "preview", "generate", "inspect", "reproduce", "evaluate"}


def test_pictures_exist_and_each_is_shown():
    shown = {name for page in PAGES for name in files(page.read_text())}
    assert shown == {path.name for path in TUTORIAL.iterdir() if path.suffix not in (".md", ".ipynb")}
    for page in PAGES:
        assert page.name == "index.md" or files(page.read_text()), page
        for name in LINK.findall(page.read_text()):
            assert "/" in name or (TUTORIAL / name).exists(), (page, name)


def test_no_page_needs_what_a_later_page_makes():
    """A picture is made by a command of its own page or of an earlier page; so are the datasets that it names."""
    made: set[str] = set()
    for page in PAGES[1:]:
        for tokens in commands(page.read_text()):
            if tokens[0] in ("inspect", "evaluate"):
                assert tokens[-1 if tokens[0] == "evaluate" else 1] in made
            made |= {tokens[1]} | {token.rpartition("/")[2] for token in tokens}
    assert {"chapter", "network", "words", "letters", "reproduced"} <= made


def test_profiles_and_python_are_as_they_say(tmp_path):
    seen = set()
    for page in PAGES:
        for block in BLOCK.finditer(page.read_text()):
            seen.add(block["kind"])
            if block["kind"] == "toml":
                (tmp_path / "own.toml").write_text(block["body"])
                assert find_profile(str(tmp_path / "own.toml")).scale.values() == (100,)
            elif block["kind"] == "python":
                out = io.StringIO()
                with contextlib.redirect_stdout(out):
                    exec(compile(block["body"], page.name, "exec"), {})
                assert f"```text\n{out.getvalue()}```" in block["printed"]
    assert seen == {"console", "toml", "python"}


def test_commands_replace_what_a_page_shows(tmp_path, monkeypatch):
    monkeypatch.setattr(tutorial, "run", lambda command, _: f"ran {command}\nsecond\nthird\n")
    page = (
        "text\n\n<!-- lines: 1, 3 -->\n```console\n$ captchas profiles\nold\n```\n\n```python\nprint(1 + 1)\n```\nend\n"
    )
    new = remade(page, tmp_path)
    assert "ran captchas profiles\n…\nthird\n```" in new
    assert "old" not in new
    assert "```text\n2\n```" in new
    assert remade(new, tmp_path) == new
    assert kept("a\nb\nc\nd\n", "2-3") == "…\nb\nc\n…\n"
    assert kept("a\n", None) == "a\n"


def test_the_notebook_is_the_pages_and_runs(tmp_path, monkeypatch):
    """All cells run in order; the commands, which the other tests run, only leave their pictures here."""
    book = json.loads((TUTORIAL / "tutorial.ipynb").read_text())
    assert book["cells"] == [cell for page in PAGES for cell in cells_of(page.read_text())]
    assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in book["cells"]}) == len(book["cells"])
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    given: list[str] = []

    def captchas(line: str) -> None:
        given.append(line)
        for path in TUTORIAL.glob("*.*"):
            (tmp_path / path.name).write_bytes(path.read_bytes())

    for cell in book["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
            if "captchas" in names and not given:
                names["captchas"] = captchas
    assert [line.split() for line in given] == [tokens for page in PAGES for tokens in commands(page.read_text())]


@pytest.mark.soak
def test_the_notebook_runs_with_all_its_commands(tmp_path, monkeypatch):
    book = json.loads((TUTORIAL / "tutorial.ipynb").read_text())
    monkeypatch.chdir(tmp_path)
    for name in [*os.environ]:
        if name.startswith("PREFECT"):  # those of the tests; the commands start a server of their own
            monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHONPATH", str(TUTORIAL.parents[1]))
    names: dict[str, object] = {}
    for cell in book["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    made = {path.name for path in tmp_path.rglob("*.*")}
    assert {name for page in PAGES for name in files(page.read_text())} <= made
