"""The pages: every link, anchor and picture is there, every page is listed, and every command line can be parsed."""

import importlib.util
import os
import re
import shlex
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml
from cyclopts import CycloptsError, MissingArgumentError

from flows.command_line import app
from flows.parameters import spelled
from flows.shell.commands import COMMANDS
from flows.shell.examples import EXAMPLES
from tests.browser import NoBrowserError, browser
from tests.documented import PAGES, ROOT, commands_in, programs_in, prose

pytestmark = pytest.mark.filterwarnings("ignore")  # Prefect's, while the commands are imported

SITE = ROOT / "docs" / "site"
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+(?:\([^()\s]*\))?)\)|<img[^>]* src=\"([^\"]+)\"")


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub and the site name them."""
    found: set[str] = set()
    for title in re.findall(r"^#+ (.+?)\s*$", prose(text), re.MULTILINE):
        title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title)
        slug = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        name, number = slug, 0
        while name in found:
            number += 1
            name = f"{slug}-{number}"
        found.add(name)
    return found | {*re.findall(r"<a (?:id|name)=\"([^\"]+)\"", text)}


def broken_links(page: Path) -> list[str]:
    """The links and pictures of a page that lead nowhere."""
    text, found = page.read_text(), []
    for match in LINK.finditer(prose(text)):
        link = match[1] or match[2]
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists():
            found.append(f"{page.name}: {link}: is not there")
        elif anchor and target.suffix == ".md" and anchor not in anchors(target.read_text()):
            found.append(f"{page.name}: {link}: has no such heading")
    return found


def lost_lists(text: str) -> list[str]:
    """The first lines of lists right below a paragraph, which the site takes for the paragraph's."""
    return re.findall(r"^(?![-*|#> ]|\d+\. ).+\n((?:[-*]|1\.) .+)", prose(text), re.MULTILINE)


def wrong(line: str, whole: bool) -> str | None:
    """What the parser says of a command line; in running text a mention may lack what it has to have."""
    tokens = shlex.split(line)[1:]
    cut = next((k for k, token in enumerate(tokens) if "…" in token or "..." in token), len(tokens))
    mention = not whole or cut < len(tokens)
    tokens = tokens[:cut]
    if tokens[:1] in (["COMMAND"], ["--version"], ["--help"]) or (tokens and "completion" in tokens[0]):
        return None
    _, shared, _ = app.meta.parse_args(tokens, exit_on_error=False, print_error=False)
    given = [token for token in shared.args if token != "--help"]
    try:
        if not given or given[0] not in COMMANDS:
            return f"{line}: no such command"
        if given[0] == "solve":  # pictures that are named are read at once, by a parser of their own
            given = ["solve", *(token for k, token in enumerate(given[1:]) if k == 0 or not _picture(token))]
            given = [token if token != "-" or k > 1 else "a.png" for k, token in enumerate(given)]
        app.parse_args(spelled(given), exit_on_error=False, print_error=False)
    except CycloptsError as error:
        unsaid = isinstance(error, MissingArgumentError) or re.search(r" --[a-z-]+ [A-Z]+( |$)", line)
        return None if mention and unsaid else f"{line}: {error}"
    return None


def _picture(token: str) -> bool:
    return token.endswith((".png", ".gif", ".jpg")) and not token.startswith("-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_line_is_one_that_the_command_takes(page):
    lines = commands_in(page.read_text())
    assert [said for line, whole in lines if (said := wrong(line, whole))] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_and_picture_is_there(page):
    assert broken_links(page) == []
    assert lost_lists(page.read_text()) == []


def test_command_lines_are_found_and_mistakes_are_told(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "`captchas sovle x`, `captchas import`, `captchas up …`\n"
        "```\ncaptchas generate book --count many   # draw\n$ A=b captchas train && captchas inspect book --bad\n"
        "captchas solve a.png b.png > out.txt\ncaptchas profiles \\\n    --fonts\n```\n"
        "```python\ncaptchas = 1\n```\n[a](none.md) [b](#there-1) ![c](d.png)\n# There\n# There\n[e](page.md#where)\n"
    )
    lines = commands_in(page.read_text())
    assert len(lines) == 8
    assert [said.partition(":")[0] for line, whole in lines if (said := wrong(line, whole))] == [
        "captchas generate book --count many", "captchas inspect book --bad", "captchas sovle x",
    ]  # fmt: skip
    assert [said.split(": ")[1] for said in broken_links(page)] == ["none.md", "d.png", "page.md#where"]
    assert lost_lists("A\n- b\n- c\n\n- d\n  e\n- f\n\nG:\n1. h\n") == ["- b", "1. h"]


def listed(entries: list) -> list[str]:
    """The pages of the site's navigation."""
    found = []
    for entry in entries:
        for value in entry.values() if isinstance(entry, dict) else [entry]:
            found += listed(value) if isinstance(value, list) else [value]
    return found


@pytest.fixture(scope="module")
def hooks():
    """The module that mkdocs loads beside its own."""
    spec = importlib.util.spec_from_file_location("site_hooks", SITE / "hooks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def reference(hooks) -> dict[str, str]:
    """The pages that are written from the code."""
    return hooks.reference_pages()


def test_every_page_is_in_the_navigation(reference):
    pages = listed(yaml.safe_load((SITE / "mkdocs.yml").read_text())["nav"])
    there = {page.relative_to(ROOT / "docs").as_posix() for page in (ROOT / "docs").rglob("*.md")}
    assert len(pages) == len(set(pages))
    assert set(pages) == there | set(reference)


def test_the_site_asks_no_other_site_and_is_strict():
    (built,) = re.findall(r"mkdocs (build .*)", re.sub("#.*", "", (ROOT / "Makefile").read_text()))
    assert "--strict" in built and "quiet" not in built  # with --quiet mkdocs counts no warning
    settings = yaml.safe_load((SITE / "mkdocs.yml").read_text())
    assert settings["strict"] and settings["theme"]["font"] is False and settings["plugins"] == ["search"]
    checks = [rule for part in settings["validation"].values() for rule in part.values()]
    assert len(checks) == 7 and set(checks) == {"warn"}  # strict makes errors of warnings


def test_the_reference_has_every_command_with_its_options_and_example(reference):
    page = reference["reference/commands.md"]
    for command in COMMANDS:
        part = page.partition(f"## captchas {command}\n")[2].partition("\n## ")[0]
        assert EXAMPLES[command] in part and "captchas " + command in part and len(part) > 200, command
    assert "--abstain-below" in page and "--quiet" in page


def test_the_reference_has_what_programs_import_and_the_keys_of_reports(reference):
    page = reference["reference/python.md"]
    assert "### Dataset\n" in page and "### PictureReader" in page and "**Parameters**" in page and "**Raises**" in page
    assert "| `seconds_a_picture` | `float` | of one process |" in reference["reference/json.md"]


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """The site as `make docs` builds it; a request would go to a proxy that is not there."""
    pytest.importorskip("material", reason="make docs installs mkdocs-material")
    folder = tmp_path_factory.mktemp("site")
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTPS_PROXY"), "http://127.0.0.1:9")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", SITE / "mkdocs.yml"]
    done = subprocess.run(
        [*command, "--site-dir", folder], capture_output=True, text=True, check=False, env=os.environ | nowhere
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.soak
def test_the_site_is_built_without_a_network(built):
    pages = [*built.rglob("*.html")]
    assert len(pages) > 20
    for page in pages:
        loaded = re.findall(r"<(?:script|img|link)[^>]* (?:src|href)=\"?(https?:[^\" >]+)", page.read_text())
        assert loaded == [], page.name


# What reaches past the screen and cannot be scrolled by itself, and pictures that were not loaded.
TOO_WIDE = """(() => {
    const inside = e => e !== document.body && e.parentElement
        && (getComputedStyle(e).overflowX !== "visible" || inside(e.parentElement));
    const past = r => r.width && r.right > innerWidth + 1;
    const parts = [...document.querySelectorAll("article *")].filter(
        e => past(e.getBoundingClientRect()) && !inside(e.parentElement));
    const lost = [...document.images].filter(e => !e.complete || !e.naturalWidth).map(e => e.src);
    return [...parts.slice(0, 3).map(e => e.outerHTML.slice(0, 80)), ...lost,
        ...(document.documentElement.scrollWidth > innerWidth ? ["the page scrolls sideways"] : [])];
})()"""


@pytest.mark.soak
def test_no_page_is_wider_than_a_screen(built, tmp_path):
    with ExitStack() as stack:
        try:
            shown = stack.enter_context(browser(tmp_path))
        except NoBrowserError as error:
            pytest.skip(str(error))
        found = []
        for page in sorted(built.rglob("*.html")):
            for width in (1400, 390):
                shown.look(width)
                shown.open(page)
                found += [f"{page.relative_to(built)} at {width}: {part}" for part in shown.run(TOO_WIDE)]
                found += [f"{page.relative_to(built)} asks for {url}" for url in shown.requests()]
        assert [one for one in found if not one.startswith("404.html")] == []  # its links are a server's


def test_links_that_leave_the_pages_become_text(hooks):
    said = "[a](../README.md) [`b`](../flows/x.yaml) [c](../LICENSE) [d](format.md#x) [e](y.png)"
    assert hooks.inward(said, "page.md") == "[a](index.md) `b` c (`LICENSE`) [d](format.md#x) [e](y.png)"
    assert hooks.inward("[a](../format.md) [b](../../README.md)", "in/page.md") == "[a](../format.md) [b](../index.md)"
    assert {hooks.slug(title) for title in ("Two  words", "`A`, b: 1.5 %")} == {"two--words", "a-b-15-"}


def test_every_picture_is_shown_by_a_page():
    shown = " ".join(page.read_text() for page in PAGES)
    pictures = [file for kind in ("png", "svg") for file in (ROOT / "docs").rglob(f"*.{kind}")]
    assert pictures
    assert [file.name for file in pictures if file.name not in shown] == []


def test_the_diagram_has_every_room():
    drawn = set(re.findall(r"<text class=\"t\"[^>]*>(\w+)</text>", (ROOT / "docs" / "rooms.svg").read_text()))
    rooms = {path.parent.name for package in ("flows", "tasks", "storage") for path in ROOT.glob(f"{package}/*/*.py")}
    assert rooms - drawn == set()


# Lines that run programs of others, and what is tested of them.
SITE_TEST = "tests/flows/service/test_site_on_loopback.py"
ELSEWHERE = {
    r"docker ": f"needs a container engine: tests/test_containers.py; the same services run in {SITE_TEST}",
    r"(systemctl|createuser) ": f"needs a machine's administrator; the same services run in {SITE_TEST}",
    r"(prefect server start$|dask (scheduler|worker) )": f"runs until it is ended: {SITE_TEST}",
    r"(pip install|python3 -m venv|python -m build)": "needs a package index: tests/test_wheel.py",
    r"python create_lmdb_dataset": "is another project's: tests/tasks/exchange/test_export.py",
    r"python -c ": "prints where a file of the wheel is: tests/test_wheel.py",
}
PROGRAMS = sorted({line for page in PAGES for line in programs_in(page.read_text())})
MAKE = [line for line in PROGRAMS if line.startswith("make ")]
MODULES = [line for line in PROGRAMS if re.match(r"python -m (tests|tasks|flows|pytest)", line)]


def test_every_other_program_is_made_sure_of():
    rest = set(PROGRAMS) - {*MAKE} - {*MODULES}
    assert {line for line in rest if not any(re.match(rule, line) for rule in ELSEWHERE)} == set()
    for rule, reason in ELSEWHERE.items():
        assert any(re.match(rule, line) for line in rest), rule
        assert all((ROOT / name).is_file() for name in re.findall(r"tests/\S+\.py", reason)), reason


@pytest.mark.parametrize("line", MAKE)
def test_make_knows_each_target(line):
    done = subprocess.run(["make", "-n", *shlex.split(line)[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("line", MODULES)
def test_each_module_is_there_and_knows_its_options(line):
    _, _, module, *arguments = shlex.split(line)
    assert importlib.util.find_spec(module), line
    named = [
        file for name in (module, f"{module}.__main__") if (file := ROOT / f"{name.replace('.', '/')}.py").exists()
    ]
    for option in [word for word in arguments if word.startswith("--")] if named else ():
        assert f'"{option}"' in named[-1].read_text() or module == "flows", option
    if module in ("tests.benchmarks.colours", "tests.benchmarks.look_alikes"):
        assert f'"{arguments[0]}"' in named[-1].read_text()
