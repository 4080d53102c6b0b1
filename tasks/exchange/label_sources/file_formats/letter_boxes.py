"""Letters that lists of a JSON file mark one by one, each with its place: the text is theirs in reading order."""

from typing import Any

from tasks.exchange.label_sources.file_formats.annotations import LEFT, Shape, joined
from tasks.exchange.label_sources.file_formats.letter_order import FAR, in_line

PLACES = ("coordinates", "value", "bounding_box", "boundingBox", "points", "bbox", "box")  # of CreateML and others
OUTLINES = ("exterior", "points", "bbox", "box")
NAMES = ("name", "title", "className", "classTitle")  # beside `value`, which Labelbox writes in small letters


def dicts(value: object) -> list[dict[str, Any]]:
    """Return the objects of a list, or of an object by number as COCO-Text has it; [] if any is none."""
    items = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return items if all(isinstance(item, dict) for item in items) else []


def listed_letters(value: object) -> str:
    """Return the text of a list of letters; '' for anything else."""
    single = isinstance(value, list) and len(value) > 1 and all(isinstance(x, str) and len(x) == 1 for x in value)
    return "".join(value) if single and isinstance(value, list) else ""


def placed_letters(value: object) -> str:
    """Return the letters of a list of objects from left to right, if each has a letter and a place; else ''.

    Label Studio writes a box twice, with its letter and without.
    """
    marked = [
        (of_item(item), left_of(item)) for item in (dicts(value) if isinstance(value, list) else [])
    ]  # fmt: skip
    lettered = {left for letter, left in marked if letter}
    marked = [(letter, left) for letter, left in marked if letter or left not in lettered]
    if len(marked) < 2 or not all(letter and left is not None for letter, left in marked):
        return ""
    return joined({}, [Shape(left, {"": letter}) for letter, left in marked if left is not None]).get("", "")


def of_item(item: dict[str, Any]) -> str:
    """Return the only letter that an object tells; '' for none, or several."""
    inner = _place_of(item)
    named = next((item[key] for key in NAMES if isinstance(item.get(key), str) and len(item[key]) == 1), "")
    fields = {key: of for key, of in (item | inner).items() if key != "id" and not (named and key == "value")}
    texts = [text[0] if isinstance(text, list) and len(text) == 1 else text for text in fields.values()]
    found = [text for text in texts if isinstance(text, str) and len(text) == 1]
    return found[0] if len(found) == 1 else ""


def _place_of(item: dict[str, Any]) -> dict[str, Any]:
    return next((item[key] for key in PLACES if isinstance(item.get(key), dict)), {})


def left_of(item: dict[str, Any]) -> float | None:
    """Return where an object begins, in the file's unit; None if it does not say."""
    of = item | _place_of(item)
    edges = [of[key] for key in (*LEFT, "x1") if isinstance(of.get(key), int | float)][:1]
    outline: list[Any] = next((of[key] for key in OUTLINES if isinstance(of.get(key), list)), [])
    corners = [point[0] for point in outline if isinstance(point, list) and point]
    numbers = [x for x in edges or corners or outline[:1] if isinstance(x, int | float)]
    return min((float(x) if abs(x) < FAR else FAR for x in numbers), default=None)


def letters_by_boxes(item: dict[str, Any]) -> str:
    """Return the letters of lists side by side, of boxes and of letters, as Hugging Face has objects; else ''."""
    boxes = item.get("bbox") or item.get("boxes")
    told: list[str] = next((value for value in item.values() if listed_letters(value)), [])
    if not isinstance(boxes, list) or not told or len(boxes) != len(told):
        return ""
    if not all(isinstance(box, list) and box and isinstance(box[0], int | float) for box in boxes):
        return ""
    return in_line(sorted((box[0], letter) for box, letter in zip(boxes, told, strict=True)))
