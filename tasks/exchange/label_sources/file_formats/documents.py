"""Documents of YAML and TOML, read as JSON is: objects, lists and texts."""

import re
import tomllib
from typing import Any

from tasks.exchange.label_sources.file_formats.json_entries import (
    DEEPEST,
    NAMED_PICTURE,
    literal_rows,
    rows_of,
)
from tasks.exchange.label_sources.file_formats.literals import KeyTwice

YAML, TOML = {".yaml", ".yml"}, {".toml"}
_MOST_DOTS = 1000  # in a line of TOML: a key takes time with the square of its dots
_REWRITTEN = re.compile(r"[=\[,][ \t]*(?:\+|0[xob]|\d+_)")  # numbers of TOML that are not what stands there


def document_rows(text: str, name: str, suffix: str) -> list[dict[str, str]] | None:
    """Return the entries of a text that is an object or a list; None for any other, which may be a list of lines.

    Parameters
    ----------
    name : str
        Of the file, for messages.
    suffix : str
        Of the file: .yaml, .yml and .toml are documents of these kinds, any other is JSON or Python.

    Raises
    ------
    BadInput
        It holds no labels, or a key twice.
    """
    if suffix in YAML:
        value = _of_yaml(text, name)
    elif suffix in TOML:
        value = _of_toml(text)
    else:
        return literal_rows(text, name)
    if isinstance(value, list) and value and all(map(_by_name, value)):  # a picture each, or several documents
        value = [{"path": key, "label": item} for entry in value for key, item in entry.items()]
    if isinstance(value, dict):  # a title such as `labels:` may stand above lines that are not below it
        value = {key: item for key, item in value.items() if item not in ("", {}, []) or NAMED_PICTURE.search(key)}
    return rows_of(value, name) if isinstance(value, dict | list) and value else None


def _by_name(entry: object) -> bool:
    """Return whether an entry is an object by the names of pictures."""
    return isinstance(entry, dict) and bool(entry) and all(map(NAMED_PICTURE.search, entry))


def _of_toml(text: str) -> dict[str, Any] | None:
    """Return a document of TOML; None for what is none, or has numbers that TOML would write otherwise."""
    if _REWRITTEN.search(text) or any(line.count(".") > _MOST_DOTS for line in text.splitlines()):
        return None
    try:
        value = _plain(tomllib.loads(text, parse_float=str))
        return value if isinstance(value, dict) else None
    except (tomllib.TOMLDecodeError, RecursionError):
        return None


def _plain(value: Any, level: int = 0) -> object:
    """Return a value of TOML with its dates as texts; nothing of what lies too deep."""
    if isinstance(value, dict):
        found: dict[str, object] = {}
        for key, item in value.items() if level < DEEPEST else ():
            if isinstance(item, dict) and item and all("." not in e and NAMED_PICTURE.search(f"x.{e}") for e in item):
                found |= {f"{key}.{ending}": text for ending, text in item.items()}  # of `1.png = "X"`, without quotes
            else:
                found[key] = _plain(item, level + 1)
        return found
    if isinstance(value, list):
        return [_plain(item, level + 1) for item in value] if level < DEEPEST else []
    return value if isinstance(value, str | int) else str(value)


def _of_yaml(text: str, name: str) -> object:
    """Return a document of YAML, or the list of several; None for what is none, refers to itself or lies too deep.

    Each scalar is a text as it stands: a label such as `0123`, `NO` or `1e5` is no number and no truth value. What
    would lose a part, to a comment behind it, a tag or an anchor, is no document: lines keep it.

    Raises
    ------
    BadInput
        An object has a key twice.
    """
    import yaml

    if any(" #" in line and line[0] != "#" for line in (line.strip().replace("\t", " ") for line in text.splitlines())):
        return None
    documents: list[Any] = []
    above: list[Any] = [documents]  # the document's objects and lists that are open
    keys: list[str | None] = [None]  # of each, the key whose value comes next

    def put(value: object) -> None:
        if isinstance(above[-1], list):
            above[-1].append(value)
        elif keys[-1] is not None:
            above[-1][keys[-1]], keys[-1] = value, None
        elif isinstance(value, str):
            if value in above[-1]:
                raise KeyTwice(f"{name}: the key {value[:80]!r} occurs twice; keep one of them")
            keys[-1] = value
        else:
            raise yaml.YAMLError("a key is no text")

    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CLoader", yaml.Loader)):
            if getattr(event, "anchor", None) or getattr(event, "tag", None):  # of an alias, too
                return None
            if isinstance(event, yaml.ScalarEvent):
                put(None if event.value == "~" and not event.style else event.value)
            elif isinstance(event, yaml.CollectionStartEvent):
                inner: object = [] if isinstance(event, yaml.SequenceStartEvent) else {}
                put(inner)
                above.append(inner)
                keys.append(None)
                if len(above) > DEEPEST:
                    return None
            elif isinstance(event, yaml.CollectionEndEvent):
                above.pop()
                keys.pop()
    except (yaml.YAMLError, UnicodeError):
        return None
    return documents[0] if len(documents) == 1 else documents
