"""YOLO's boxes of letters: a file of boxes for each picture, and the names of the classes in a file of their own."""

import re
from collections.abc import Sequence

from tasks.exchange.label_sources.annotations import Shape, joined

BOX = re.compile(r"\d{1,6}( -?\d*\.?\d+){4,}")  # a line: class and box
_LIST = re.compile(r"^names:\s*\[(.*?)\]", re.MULTILINE | re.DOTALL)
_LINES = re.compile(r"^names:[ \t]*\r?\n((?:[ \t]*(?:-|\d+:)[ \t]*.*\r?\n?)+)", re.MULTILINE)


_CORNERS = re.compile(r'((?:\s*-?\d+(?:\.\d+)?\s*,){8}|(?:\s*-?\d+\s*,\s*){4})\s*"?(.*?)"?\s*')  # ICDAR: and a text
_TESSERACT = re.compile(r"(\S+) (\d+) \d+ \d+ \d+ \d+(?: #(.*))?")  # a letter and its box, or WordStr and a text


def text_of_boxes(lines: Sequence[str], end: str = "") -> str | None:
    """Return the text of the boxes of ICDAR or, in a `.box`, of Tesseract, each of which has its own text.

    That is one box of all, or letters from left to right; '' for several texts, None for lines that are no such boxes.
    """
    shape = _TESSERACT if end == ".box" else _CORNERS
    boxes = [line for text in lines if (line := text.lstrip("\ufeff")).strip() and line[0] != "\t"]  # a tab ends a line
    found = [match for line in boxes if (match := shape.fullmatch(line))]
    if not found or len(found) < len(boxes):
        return None
    if shape is _TESSERACT:
        shapes = [Shape(float(match[2]), {"": match[3] or match[1]}) for match in found]
    else:
        places = [([float(place) for place in match[1].split(",")[:-1]], match[2]) for match in found]
        shapes = [Shape(min(place[::2]), {"": text}) for place, text in places if text != "###"]
    return joined({"": ""}, shapes)[""]


def are_boxes(lines: Sequence[str]) -> bool:
    """Return whether the lines of a file are boxes."""
    return bool(lines) and all(map(BOX.fullmatch, lines)) and any("." in line for line in lines)


def names_files(paths: Sequence[str]) -> list[str]:
    """Return the files that may name the classes: classes.txt, obj.names, data.yaml; the shortest path first."""
    wanted = re.compile(r"(?:^|/)(?:classes\.txt|[^/]*\.names|[^/]*\.ya?ml)$")
    return sorted((path for path in paths if wanted.search(path)), key=lambda path: (path.count("/"), path))


def class_names(text: str, path: str) -> list[str]:
    """Return the names of the classes, in order; [] if the file names none."""
    if not path.endswith((".yaml", ".yml")):
        return [line.strip() for line in text.split("\n") if line.strip()]
    if found := _LIST.search(text):
        items = re.findall(r"'([^']*)'|\"([^\"]*)\"|([^,\s]+)", found[1])
        return ["".join(item) for item in items]
    found = _LINES.search(text)
    lines = found[1].splitlines() if found else []
    return [re.sub(r"^[ \t]*(?:-|\d+:)[ \t]*", "", line).strip().strip("'\"") for line in lines]


def letters_of(lines: Sequence[str], names: Sequence[str]) -> str:
    """Return the text of boxes from left to right; '' if a class has no name, or one that is no letter."""
    boxes = [(float(line.split()[1]), int(line.split()[0])) for line in lines]
    found = [names[number] if number < len(names) else "" for _, number in sorted(boxes)]
    return "".join(found) if all(len(name) == 1 for name in found) else ""
