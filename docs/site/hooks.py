"""What mkdocs does beside its own work: the reference is written from the code, and outward links become text."""

import ast
import inspect
import posixpath
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DOORS = (
    "storage.dataset", "tasks.solving.picture_reader", "tasks.reading.reader", "tasks.profiles.profile",
    "tasks.profiles.built_in", "flows.arrays",
)  # fmt: skip
REPORTS = {
    "tasks/datasets/generate.py": "Drawing", "tasks/datasets/dry_run.py": "Planning a drawing",
    "tasks/datasets/judge.py": "Proving a dataset", "tasks/rates.py": "Rates",
    "flows/reporting/reports.py": "Measuring, solving, regenerating", "tasks/audit/schema.py": "audit.json",
}  # fmt: skip
OUTWARD = re.compile(r"\[((?:[^\[\]]|\[[^\]]*\])*)\]\((\.\.?/[^()\s]*)\)")
MOST_WIDTH = 76  # characters of a line of code that no page has to scroll
README, START = "README.md", "index.md"


def on_config(config: Any) -> Any:
    """Name headings as GitHub names them, so that links hold in both places."""
    config.mdx_configs.setdefault("toc", {})["slugify"] = lambda title, _separator: slug(title)
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the pages of the reference."""
    from mkdocs.structure.files import File

    for name, content in reference_pages().items():
        files.append(File.generated(config, name, content=content))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turn links to files outside the documentation into text: a site that is read offline does not have them."""
    return inward(markdown, page.file.src_uri)


def inward(markdown: str, source: str) -> str:
    """Return a page without its links that leave the documentation; those to the README lead to the start."""

    def replaced(match: re.Match[str]) -> str:
        path, _, anchor = match[2].partition("#")
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        if not target.startswith(".."):
            return match[0]
        if target == f"../{README}" and not anchor:
            return f"[{match[1]}]({posixpath.relpath(START, posixpath.dirname(source) or '.')})"
        return match[1] if "`" in match[1] else f"{match[1]} (`{target.removeprefix('../')}`)"

    return OUTWARD.sub(replaced, markdown)


def slug(title: str) -> str:
    """Return the anchor of a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def reference_pages() -> dict[str, str]:
    """Return the pages that are written from the code, by their names."""
    return {
        "reference/commands.md": commands_page(),
        "reference/python.md": python_page(),
        "reference/json.md": reports_page(),
    }


def commands_page() -> str:
    """Return the options of all commands, from the commands themselves, each with its example."""
    from flows.command_line import app
    from flows.shell.examples import EXAMPLES

    text = app.generate_docs(heading_level=1)
    text = re.sub(r"## Table of Contents\n.*?(?=\*\*Commands\*\*)", "", text, flags=re.DOTALL)
    for name, example in EXAMPLES.items():
        text = re.sub(rf"^(#+ captchas {name})\n", rf"\1\n\n```\n{example}\n```\n", text, flags=re.MULTILINE)
    return re.sub(r"\n{3,}", "\n\n", text.replace("# captchas\n", "# Commands\n", 1))


def python_page() -> str:
    """Return the public functions and classes of the modules that programs import, from their docstrings."""
    parts = ["# Python\n\nWhat programs import. [Use it from Python](../python.md) shows how.\n"]
    for name in DOORS:
        module = import_module(name)
        parts.append(f"## {name}\n\n{inspect.getdoc(module)}\n")
        for title, signature, said in described(module):
            parts.append(f"### {title}\n\n```python\n{signature}\n```\n\n{sections(said)}\n")
    return "\n".join(parts)


def described(module: ModuleType) -> Iterator[tuple[str, str, str]]:
    """Yield the title, the signature and the docstring of what a module defines for others."""
    for name, thing in vars(module).items():
        if name.startswith("_") or getattr(thing, "__module__", "") != module.__name__ or not inspect.getdoc(thing):
            continue
        if inspect.isclass(thing):
            yield name, signature_of(name, thing), inspect.getdoc(thing) or ""
            for method, function in vars(thing).items():
                bare = function.fget if isinstance(function, property) else getattr(function, "__func__", function)
                if not method.startswith("_") and inspect.isfunction(bare) and bare.__doc__:
                    yield f"{name}.{method}", signature_of(method, bare), inspect.getdoc(bare) or ""
        elif inspect.isroutine(thing):
            yield name, signature_of(name, thing), inspect.getdoc(thing) or ""


def signature_of(name: str, thing: Any) -> str:
    """Return how a function or a class is called."""
    try:
        written = f"{name}{inspect.signature(thing)}"
    except (TypeError, ValueError):
        return name
    short = re.sub(r"\b(?:[a-z_]\w*\.)+([A-Z]\w*|ndarray)", r"\1", written)  # without the modules of types
    if len(short) <= MOST_WIDTH:
        return short
    head, _, rest = short.partition("(")
    inside, closing, result = rest.rpartition(")")
    parts = re.split(r", (?=[\w*]+(?::|$|,| =))", inside)
    return f"{head}(\n" + "".join(f"    {part},\n" for part in parts) + closing + result


def sections(docstring: str) -> str:
    """Return a numpydoc docstring as Markdown: its sections as lists, its examples as code."""
    parts = re.split(r"^(\w[\w ]*)\n-{3,}\n", docstring, flags=re.MULTILINE)
    text = [re.sub(r"``([^`]+)``", r"`\1`", parts[0].strip()), ""]
    for title, body in zip(parts[1::2], parts[2::2], strict=True):
        text.append(f"**{title}**\n")
        entries = re.findall(r"^(\S.*)\n?((?:^(?: +.*)?\n?)*)", body.rstrip(), flags=re.MULTILINE)
        if ">>>" in body:
            text.append(f"```python\n{body.strip()}\n```\n")
        else:
            text += [re.sub(r"``([^`]+)``", r"`\1`", item(head, rest)) for head, rest in entries]
            text.append("")
    return "\n".join(text)


def item(head: str, rest: str) -> str:
    """Return a parameter, an error or a result with its description, as a line of a list."""
    name, _, kind = head.strip().partition(" : ")
    return f"- `{name}`{f' ({kind})' if kind else ''}: {' '.join(rest.split())}".removesuffix(": ")


def reports_page() -> str:
    """Return the keys of the reports that `--json` prints and of the files of audits, from their types."""
    parts = [
        "# Reports as JSON\n\nEach key with its type in Python, and what it means where its name does not say it.\n"
    ]
    for file, title in REPORTS.items():
        source = (ROOT / file).read_text()
        lines = source.splitlines()
        parts.append(f"## {title}\n\n{ast.get_docstring(ast.parse(source))} (`{file}`)\n")
        for node in ast.parse(source).body:
            fields = [line for line in getattr(node, "body", ()) if isinstance(line, ast.AnnAssign)]
            if isinstance(node, ast.ClassDef) and fields:
                rows = "\n".join(row(field, lines) for field in fields)
                said = ast.get_docstring(node) or ""
                parts.append(f"### {node.name}\n\n{said}\n\n| key | type | |\n|---|---|---|\n{rows}\n")
    return "\n".join(parts)


def row(field: ast.AnnAssign, lines: list[str]) -> str:
    """Return a row of a table: the key, its type, and the comment behind it."""
    comment = lines[(field.end_lineno or field.lineno) - 1].partition("  # ")[2]
    kind = ast.unparse(field.annotation)
    return f"| `{ast.unparse(field.target)}` | `{kind}` | {comment} |"
