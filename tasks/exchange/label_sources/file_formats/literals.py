"""JSON as people and programs write it: literals of Python, comments, a comma too many, a name before it."""

import ast
import json
import re
from collections import Counter
from typing import Any

from storage.errors import BadInput

# An object or a list, perhaps with a name before it, as in `labels = {`.
_NAMED = re.compile(
    r"\s*(?:(?:export\s+default|[\w$.]{1,60}(?:[ \t]+[\w$.]{1,60})?\s*=)\s*)?(?=[{\[(])"
)  # `labels = {`
_TOKEN = re.compile(
    r"""(?P<text>[uUbBrR]{0,2}(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))
    |(?P<unsaid>\s+|//[^\n]*|\#[^\n]*|/\*.*?\*/)
    |(?P<mark>[{}\[\](),:])
    |(?P<word>[A-Za-z_$][\w$]*)
    |(?P<number>-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)""",
    re.VERBOSE | re.DOTALL,
)
_WORDS = {"None": "null", "True": "true", "False": "false", "null": "null", "true": "true", "false": "false"}
_MARKS = {"(": "[", ")": "]"}  # a tuple is a list


class KeyTwice(BadInput):
    """An object that has a key twice."""


def begins_as_literal(text: str) -> bool:
    """Return whether a text begins as an object or a list, perhaps behind a name, as in `labels = {`."""
    return _NAMED.match(text[:1000]) is not None


def as_json(text: str) -> str | None:
    """Return the JSON of a literal, such as `{'1.png': 'BONE',}`; None for what is none. Nothing is run.

    Numbers that begin with 0 become texts, since labels may.
    """
    found = _NAMED.match(text)
    if found is None:
        return None
    text = text[found.end() :].rstrip().rstrip(";,")
    written: list[str] = []
    place = 0
    while place < len(text):
        token = _TOKEN.match(text, place)
        if token is None:
            return None
        place = token.end()
        if token.lastgroup != "unsaid":
            said = _said(token)
            if said in ("]", "}") and written and written[-1] == ",":
                written.pop()
            written.append(said)
    return "".join(written)


def _said(token: re.Match[str]) -> str:
    """Return a token as JSON writes it; what JSON has no way to write makes the whole no JSON."""
    said = token[0]
    if token.lastgroup == "text":
        if said[0] in "\"'" and "\\" not in said:
            return json.dumps(said[1:-1])
        try:
            value = ast.literal_eval(said)  # of one text only: no name, no call and no depth
        except (ValueError, SyntaxError):
            return said
        return json.dumps(value if isinstance(value, str) else value.decode("ascii", "replace"))
    if token.lastgroup == "word":
        return _WORDS.get(
            said, json.dumps(said) if token.string[token.end() : token.end() + 40].lstrip()[:1] == ":" else said
        )
    if token.lastgroup == "number":
        return json.dumps(said) if re.match(r"-?0\d", said) else said
    return _MARKS.get(said, said)


def parsed(text: str, name: str) -> object:
    """Parse a JSON document, or a line for each entry; also as Python and people write them.

    Raises
    ------
    BadInput
        With the line.
    """
    try:
        return json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        found = _loosely(text)
        return _json_lines(text, name, error) if found is None else found


def _loosely(text: str) -> object:
    """Parse a literal that is nearly JSON; None if it is not."""
    written = as_json(text)
    try:
        return None if written is None else json.loads(written, object_pairs_hook=_once)
    except KeyTwice:
        raise
    except (ValueError, RecursionError):
        return None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse an object that has a key twice: JSON would keep the last in silence."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise KeyTwice(f"labels: the key {twice!r} occurs twice; keep one of them")
    return found


def _json_lines(text: str, name: str, whole: Exception) -> list[Any]:
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                found.append(json.loads(line, object_pairs_hook=_once))
            except BadInput:
                raise
            except (ValueError, RecursionError) as error:
                if (near := _loosely(line)) is not None:
                    found.append(near)
                    continue
                said = error if found else whole
                raise BadInput(f"{name}, line {number}: cannot be read as JSON ({said})") from error
    return found
