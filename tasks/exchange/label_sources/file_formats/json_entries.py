"""The entries of a JSON file that may list labels: an object or a list, a line for each, or what a tool writes."""

import json
import re
from typing import Any

from storage.errors import BadInput
from tasks.exchange.label_sources.file_formats.annotations import (
    FEW,
    as_items,
    as_object,
    labelme_row,
    require_texts,
    via_rows,
)
from tasks.exchange.label_sources.file_formats.letter_boxes import (
    dicts,
    letters_by_boxes,
    listed_letters,
    placed_letters,
)
from tasks.exchange.label_sources.file_formats.letter_order import in_line
from tasks.exchange.label_sources.file_formats.literals import KeyTwice, begins_as_literal, parsed
from tasks.exchange.label_sources.file_formats.tool_exports import is_superannotate, superannotate_row, tool_rows
from tasks.loading.listing import READ

COCO = (("images", "imgs"), ("annotations", "anns"))  # and what COCO-Text calls them
COCO_TEXTS = ("caption", "text", "utf8_string", "transcription", "label")  # of a note or a picture
NAMED_PICTURE = re.compile(READ, re.IGNORECASE)
DEEPEST = 12  # levels of tables and lists in an entry of a JSON file


def entries_of(text: str, name: str) -> list[dict[str, str]]:
    """Return the fields of each entry: scalars by their dotted names.

    Parameters
    ----------
    name : str
        Of the file, for messages.

    Raises
    ------
    BadInput
        With the line.
    """
    return rows_of(parsed(text, name), name)


def literal_rows(text: str, name: str) -> list[dict[str, str]] | None:
    """Return the entries of a text that is an object or a list, as of JSON or Python; None for any other text.

    Raises
    ------
    BadInput
        It holds no labels, or a key twice.
    """
    if not begins_as_literal(text):
        return None
    try:
        value = parsed(text, name)
    except KeyTwice:
        raise
    except BadInput:
        return None
    return rows_of(value, name)


def rows_of(value: object, name: str) -> list[dict[str, str]]:
    """Return the fields of each entry of a document.

    Raises
    ------
    BadInput
    """
    rows = via_rows(value)
    rows = tool_rows(value) if rows is None else rows
    if rows is not None:
        require_texts(rows, name)
        return rows
    if isinstance(value, dict):
        value = _listed(_with_names(value))
    if not isinstance(value, list) or not value:
        raise BadInput(f"{name}: holds no labels; it must be an object or a list of objects, or a line for each")
    return [labelme_row(entry) or _flat(entry) for entry in value]


def entry_of(text: str, name: str) -> dict[str, str]:
    """Return the fields of a JSON file that is about one picture.

    Raises
    ------
    BadInput
    """
    value = parsed(text, name)
    if is_superannotate(value):
        return superannotate_row(as_object(value))
    return labelme_row(value) or (via_rows(value) or [{}])[0] or _flat(value)


def _with_names(value: dict[str, Any]) -> dict[str, Any]:
    """Return Datumaro's annotations with the names of classes for their numbers; anything else as it is."""
    names = [
        str(of.get("name")) for of in dicts(as_object(as_object(value.get("categories")).get("label")).get("labels"))
    ]
    items = dicts(value.get("items"))
    for note in (note for item in items if names for note in dicts(item.get("annotations"))):
        number = note.pop("label_id", None)
        if isinstance(number, int) and 0 <= number < len(names):
            note["label"] = names[number]
    return value


def _listed(value: dict[str, Any], level: int = 0) -> object:
    """Make a list of entries from an object: by path, lists side by side, or a list of pictures within."""
    if rows := _of_pandas(value):
        return rows
    lists = {key: item for key, item in value.items() if isinstance(item, list)}
    pictures, notes = (dicts(value.get(key) or value.get(short)) for key, short in COCO)
    if pictures and notes:
        return _coco(pictures, notes, dicts(value.get("categories")))
    named = [
        item for item in value.values() if isinstance(item, dict) and item and all(map(NAMED_PICTURE.search, item))
    ]
    if len(named) == 1 and len(value) > 1 and not any(map(NAMED_PICTURE.search, value)):
        return _listed(named[0], level)  # beside a version, classes or lists of a split
    if lists and len(lists) == len(value) and all(map(_are_names, lists.values())):
        return [{"path": name, "label": key} for key, names in lists.items() for name in names]
    if (
        lists
        and all(map(NAMED_PICTURE.search, value))
        and all(listed_letters(item) or placed_letters(item) for item in lists.values())
    ):
        return [{"path": key, "label": item} for key, item in value.items()]
    cells = [cell for item in lists.values() for cell in item]
    if (
        lists
        and len(lists) == len(value)
        and all(map(NAMED_PICTURE.search, value))
        and all(isinstance(cell, str) for cell in cells)
        and len(widths := {*map(len, lists.values())}) == 1
        and cells
    ):
        names = ["label"] if widths == {1} else [str(k) for k in range(1, max(widths) + 1)]
        return [{"path": key} | dict(zip(names, item, strict=True)) for key, item in lists.items()]
    if lists:
        return _tables(value, lists)
    inner = [item for item in value.values() if isinstance(item, dict) and item]
    if inner and len(deep := _naming_lists(value)) == 1:
        return deep[0]
    if inner and len(inner) == len(value):
        if all(NAMED_PICTURE.search(key) for item in inner for key in item):  # of train and val, for instance
            return [{"path": key, "label": text} for item in inner for key, text in item.items()]
        if len(inner) == 1 and level < DEEPEST and any(dicts(item) for item in inner[0].values()):
            return _listed(inner[0], level + 1)
        return [{"path": key} | {f".{name}": below for name, below in item.items()} for key, item in value.items()]
    return [{"path": key, "label": item} for key, item in value.items()]


def _naming_lists(value: dict[str, Any], level: int = 0) -> list[list[dict[str, Any]]]:
    """Return the lists below an object whose entries name a picture each, several in all; none within an entry."""
    found = []
    for item in value.values():
        entries = dicts(item)
        if len(entries) > 1 and all(map(_names_picture, entries[:FEW])):
            found.append(entries)
        elif isinstance(item, dict) and level < DEEPEST:
            found += _naming_lists(item, level + 1)
    return found


def _tables(value: dict[str, Any], lists: dict[str, list[Any]]) -> list[Any]:
    """Return the entries of an object that has lists: the one that names pictures, or all, or what it says itself."""
    tables = [item for item in lists.values() if item and all(isinstance(entry, dict) for entry in item)]
    naming = [item for item in tables if all(_names_picture(entry) for entry in item[:FEW])]
    if len(naming) == 1:
        return naming[0]  # beside what describes its fields, for instance
    by_key = [dicts(item) for item in value.values() if isinstance(item, dict)]
    by_key = [item for item in by_key if len(item) > 1 and all(map(_names_picture, item[:FEW]))]
    if not naming and len(by_key) == 1:
        return by_key[0]  # of VoTT, for instance
    if not naming and _names_picture({key: item for key, item in value.items() if key not in lists}):
        return [value]  # which is about one picture
    if tables and all(item.keys() == tables[0][0].keys() for entries in tables for item in entries):
        return [item for entries in tables for item in entries]  # of train and val, for instance
    sizes = {len(item) for item in lists.values()}
    if len(lists) > 1 and len(sizes) == 1:
        return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]
    return []


def _of_pandas(value: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of a table as pandas writes it, as lists or by columns; [] for anything else."""
    rows = [row for row in as_items(value.get("data")) if isinstance(row, list)] if "columns" in value else []
    if rows:
        return [dict(zip(map(str, as_items(value["columns"])), row, strict=False)) for row in rows]
    columns = [item for item in value.values() if isinstance(item, dict) and item]
    same = len(columns) == len(value) > 1 and all(item.keys() == columns[0].keys() for item in columns)
    if same and any(all(NAMED_PICTURE.search(str(name)) for name in item.values()) for item in columns):
        return [{name: item[key] for name, item in value.items()} for key in columns[0]]
    return []


def _are_names(value: list[Any]) -> bool:
    """Return whether a list holds names of pictures only."""
    return bool(value) and all(isinstance(name, str) and NAMED_PICTURE.search(name) for name in value)


def _names_picture(entry: dict[str, Any]) -> bool:
    """Return whether a field of an entry, or of one below it, names a picture, perhaps by an address."""
    return any(NAMED_PICTURE.search(text.partition("?")[0]) for text in _flat(entry).values())


def _coco(
    pictures: list[dict[str, Any]], notes: list[dict[str, Any]], categories: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Put the only note of a picture beside it, if it has text; or the text of its letters, a box each."""
    by_picture: dict[Any, list[dict[str, Any]]] = {}
    named = all(
        isinstance(picture.get("file_name"), str) for picture in pictures
    )  # then a number of COCO's own is no picture's name
    for note in notes:
        by_picture.setdefault(_key(note, "image_id"), []).append(note)
    names = {_key(category, "id"): str(category.get("name")) for category in categories}
    letters = all(len(names.get(_key(note, "category_id"), "")) == 1 for note in notes)
    told = any(entry.get(key) for entry in (*notes, *pictures) for key in COCO_TEXTS)
    of_each = [by_picture.get(_key(picture, "id"), []) for picture in pictures]
    pictures = [{key: of for key, of in picture.items() if key != "id"} if named else picture for picture in pictures]
    if letters and not told:
        return [picture | {"label": _by_boxes(own, names)} for picture, own in zip(pictures, of_each, strict=True)]
    if all(len(own) == 1 for own in of_each):
        own_numbers = {"id", "image_id"} if named else set()
        only = [{key: of for key, of in own[0].items() if key not in own_numbers} for own in of_each]
        return [picture | {"annotation": note} for picture, note in zip(pictures, only, strict=True)]
    return pictures


def _key(entry: dict[str, Any], name: str) -> str | float | None:
    """Return the number of an entry; None for what is none."""
    value = entry.get(name)
    return value if isinstance(value, str | int | float) else None


def _by_boxes(notes: list[dict[str, Any]], names: dict[Any, str]) -> str:
    """Return the letters of a picture from left to right."""
    boxes = [(note.get("bbox"), names[_key(note, "category_id")]) for note in notes]
    places = [
        (box[0], name) for box, name in boxes if isinstance(box, list) and box and isinstance(box[0], int | float)
    ]
    return in_line(sorted(places)) if len(places) == len(notes) > 0 else ""


def _or_text(text: str) -> object:
    """Return what a text holds if it is JSON itself, as Donut's metadata has it; else the text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _flat(value: object) -> dict[str, str]:
    """Return the scalars of an entry by their dotted names; a list of two texts is a path and a label."""
    found: dict[str, str] = {}

    def walk(name: str, item: object, level: int) -> None:
        if isinstance(item, dict | list):
            if level < DEEPEST:
                if isinstance(item, dict) and (letters := letters_by_boxes(item)):
                    found[f"{name}.label"] = letters
                    return
                inner = item.items() if isinstance(item, dict) else enumerate(item)
                if letters := (listed_letters(item) or placed_letters(item)) if name else "":
                    found[name] = letters
                    return
                for key, below in inner:
                    walk(f"{name}.{key}" if name else str(key), below, level + 1)
        elif isinstance(item, str) and item.startswith("{") and isinstance(below := _or_text(item), dict):
            walk(name, below, level)
        elif item is not None:
            found[name] = item if isinstance(item, str) else json.dumps(item)

    walk("", value, 0)
    return {name: text.strip() for name, text in found.items()}
