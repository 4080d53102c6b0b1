"""Run the tutorial: every command and every line of Python in docs/tutorial, in order, in a new home.

    python -m tests.benchmarks.tutorial

What the commands print replaces what the pages show, and the pictures that the pages name are copied beside them.
`<!-- lines: 1-4, 8 -->` before a block keeps those lines of its output. It takes about five minutes on two cores.
With `--notebook` it only writes the pages as a notebook, tutorial.ipynb, which the whole run writes too.
"""

import contextlib
import hashlib
import io
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from tasks.figures.contact_sheet import at_most

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "tutorial"
MOST_BYTES = 230_000  # of a picture
BLOCK = re.compile(
    r"(?:<!-- lines: (?P<lines>[\d, -]+) -->\n)?```(?P<kind>console|toml|python)\n(?P<body>.*?)```\n"
    r"(?P<printed>\n```text\n.*?```\n)?",
    re.DOTALL,
)
LINK = re.compile(r"\]\(([^)#:]+?)(?:#[^)]*)?\)")
PICTURES = (".png", ".gif", ".html")


def pages() -> list[Path]:
    """Return the pages in the order in which they are read: the index, then those that it names."""
    index = TUTORIAL / "index.md"
    named = dict.fromkeys(name for name in LINK.findall(index.read_text()) if re.match(r"\d-", name))
    return [index, *(TUTORIAL / name for name in named)]


def commands(text: str) -> list[list[str]]:
    """Return the arguments of each `$ captchas …` line of a page."""
    found = []
    for block in BLOCK.finditer(text):
        if block["kind"] == "console":
            found += [shlex.split(line[2:])[1:] for line in block["body"].splitlines() if line.startswith("$ ")]
    return found


def files(text: str) -> list[str]:
    """Return the files beside a page that it shows or links to."""
    return [name for name in LINK.findall(text) if name.endswith(PICTURES) and "/" not in name]


def kept(output: str, lines: str | None) -> str:
    """Return the chosen lines of an output, with a line of dots for each gap."""
    every = output.splitlines()
    if lines is None:
        return "".join(f"{line}\n" for line in every)
    chosen = set()
    for part in lines.split(","):
        first, _, last = part.strip().partition("-")
        chosen |= set(range(int(first), int(last or first) + 1))
    shown: list[str] = []
    for number, line in enumerate(every, 1):
        if number in chosen:
            shown.append(line)
        elif not shown or shown[-1] != "…":
            shown.append("…")
    return "".join(f"{line}\n" for line in shown)


def run(command: str, folder: Path) -> str:
    """Run a `captchas` command in a folder; return what it prints, without the paths of this machine."""
    print(f"$ {command}", file=sys.stderr)
    line = [sys.executable, "-m", "flows", *shlex.split(command)[1:]]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "CAPTCHAS_HOME": "data"}
    done = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command}: {done.stderr}")
    return done.stdout.replace(f"{folder}/", "").replace(f"{ROOT}/", "")


def remade(text: str, folder: Path) -> str:
    """Run the blocks of a page; return the page with what they print."""
    names: dict[str, object] = {}

    def block(found: re.Match[str]) -> str:
        body, printed = found["body"], found["printed"] or ""
        if found["kind"] == "toml":
            name = re.match(r"# (\S+\.toml)\n", body)
            (folder / name[1]).write_text(body)
        elif found["kind"] == "python":
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(compile(body, "page", "exec"), names)
            printed = f"\n```text\n{out.getvalue()}```\n"
        else:
            given = [line for line in body.splitlines() if line.startswith("$ ")]
            body = "".join(f"{line}\n{kept(run(line[2:], folder), found['lines'])}" for line in given)
        lines = f"<!-- lines: {found['lines']} -->\n" if found["lines"] else ""
        return f"{lines}```{found['kind']}\n{body}```\n{printed}"

    return BLOCK.sub(block, text)


# The first cell of code: what a command and a picture of the pages are in a notebook.
FIRST = """import shlex, subprocess, sys
from pathlib import Path

def captchas(line):
    subprocess.run([sys.executable, "-m", "flows", *shlex.split(line)], check=True)

def show(name):
    path = next(Path().rglob(name))
    try:
        from IPython.display import Image, display
    except ImportError:
        print(path)
    else:
        display(Image(path))
"""
SHOWN = re.compile(r"^!\[[^\]]*\]\((?P<picture>[^)]+)\)\n", re.MULTILINE)


def _cell(kind: str, source: str, place: str) -> dict[str, object]:
    """Return a cell of a notebook; its id follows from its place and its text."""
    cell: dict[str, object] = {
        "cell_type": kind, "id": hashlib.sha256(f"{place}{source}".encode()).hexdigest()[:8], "metadata": {},
        "source": source.strip("\n").splitlines(keepends=True),
    }  # fmt: skip
    return cell | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def cells_of(text: str) -> list[dict[str, object]]:
    """Return the cells of a page: its text, its commands, its files and its Python, in their order."""
    cells = [_cell("code", FIRST, "first")] if text.startswith("# The chapter, retold") else []

    def add(kind: str, source: str) -> None:
        if source.strip():
            cells.append(_cell(kind, source, f"{text[:40]}{len(cells)}"))

    def words(part: str) -> None:
        at = 0
        for shown in SHOWN.finditer(part):
            add("markdown", part[at : shown.start()])
            add("code", f"show({shown['picture']!r})")
            at = shown.end()
        add("markdown", part[at:])

    at = 0
    for block in BLOCK.finditer(text):
        words(text[at : block.start()])
        at = block.end()
        if block["kind"] == "console":
            lines = [line[2:] for line in block["body"].splitlines() if line.startswith("$ ")]
            add("code", "".join(f"captchas({line.partition(' ')[2]!r})\n" for line in lines))
        elif block["kind"] == "toml":
            name = block["body"].partition("\n")[0].removeprefix("# ")
            add("code", f"Path({name!r}).write_text({block['body']!r})")
        else:
            add("code", block["body"])
    words(text[at:])
    return cells


def write_notebook() -> None:
    cells = [cell for page in pages() for cell in cells_of(page.read_text())]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    book = {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    (TUTORIAL / "tutorial.ipynb").write_text(json.dumps(book, indent=1, ensure_ascii=False) + "\n")


def main() -> None:
    if "--notebook" in sys.argv[1:]:
        write_notebook()
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        for page in pages():
            page.write_text(remade(page.read_text(), folder))
            for file in files(page.read_text()):
                (source,) = folder.rglob(file)
                data = source.read_bytes()
                (TUTORIAL / file).write_bytes(at_most(data, MOST_BYTES) if file.endswith(".png") else data)
    write_notebook()


if __name__ == "__main__":
    main()
