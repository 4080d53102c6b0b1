"""What mkdocs does beside its own work: the reference is written from the code, and outward links become text."""

import inspect
import json
import posixpath
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

ROOT = Path(__file__).resolve().parents[2]
DOORS = (
    "storage.dataset", "tasks.solving.picture_reader", "tasks.reading.reader", "tasks.profiles.profile",
    "tasks.profiles.built_in", "flows.arrays",
)  # fmt: skip
SCHEMA_FILES = "schemas/{}.schema.json"
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

    for name, content in (reference_pages() | schema_files()).items():
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
    """Return the keys of what `--json` prints and of the files of JSON, from their types, with links to the schemas."""
    from flows.reporting.schemas import SCHEMAS, fields_of, title_of

    parts = [
        "# Reports as JSON\n\nWith `--json` a command prints one JSON object, and nothing else on standard output. A "
        "command that is refused prints `error` and `exit_code`. Each schema is JSON Schema of 2020-12. The tables "
        "below have the same keys, with their types in Python. A later version may add keys, so programs should pass "
        "over keys that they do not know ([versions](../versions.md)).\n\n"
        "| written by | is | schema |\n|---|---|---|"
    ]
    found: dict[str, type] = {}
    for name, written in SCHEMAS.items():
        kinds = ", or ".join(f"[{kind.__name__}](#{kind.__name__.lower()})" for kind in written.kinds)
        parts.append(f"| {title_of(name)} | {kinds} | [{name}]({SCHEMA_FILES.format(name)}) |")
        for kind in written.kinds:
            found |= held_by(kind)
    for name, kind in found.items():
        rows = [
            f"| `{key}` | `{written_type(own)}` | {meaning if always else f'may be missing; {meaning}'.strip('; ')} |"
            for key, (own, always, meaning) in fields_of(kind).items()
        ]
        said = (inspect.getdoc(kind) or "").partition("\n\n")[0]
        parts.append(f"\n### {name}\n\n{said}\n\n| key | type | |\n|---|---|---|\n" + "\n".join(rows))
    return "\n".join(parts) + "\n"


def held_by(kind: type) -> dict[str, type]:
    """Return a type with keys, and all such types that it holds, by their names."""
    from flows.reporting.schemas import fields_of, has_keys

    found = {kind.__name__: kind}
    waiting = [own for own, _, _ in fields_of(kind).values()]
    while waiting:
        own = waiting.pop(0)
        waiting += get_args(own)
        if has_keys(own) and own.__name__ not in found:
            found |= held_by(own)
    return found


def written_type(kind: Any) -> str:
    """Return a type as it is written in an annotation."""
    name = kind.__name__ if isinstance(kind, type) and not get_args(kind) else str(kind)
    return re.sub(r"\b(?:[a-z_]+\.)+|<class '|'>", "", name).replace("NoneType", "None").replace("|", "\\|")


def schema_files() -> dict[str, str]:
    """Return the JSON schemas, by the names of their files in the site."""
    from flows.reporting.schemas import SCHEMAS, schema_of

    return {f"reference/{SCHEMA_FILES.format(name)}": json.dumps(schema_of(name), indent=1) + "\n" for name in SCHEMAS}
