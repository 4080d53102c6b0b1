"""The record in a deep model's file: JSON that anybody may have written, so each value that is used has its kind."""

import json
import math
import unicodedata
from collections.abc import Callable
from typing import Any

_DEEPEST = 16  # lists and objects within each other; a record of ours has seven
_LARGEST = 1 << 63  # of a number: as large as a seed may be
_NO_TEXT = ("Cc", "Cs", "Co", "Cn")  # categories of Unicode: control characters, halves of characters, no characters

Check = Callable[[Any], bool]


def record_from(text: str) -> dict[str, Any]:
    """Read a record.

    Raises
    ------
    ValueError, TypeError
        It is no JSON object, is nested too deep, holds numbers that are none, control characters, or another kind of
        value than the program writes: which, and what it must be.
    """
    try:
        record = json.loads(text, parse_constant=_refuse_number)
    except RecursionError:
        raise ValueError(f"must be nested at most {_DEEPEST} deep") from None
    if not isinstance(record, dict):
        raise TypeError("it must be an object")
    _require_plain(record)
    for key, (fits, told) in _RULES.items():
        if key in record and not fits(record[key]):
            raise ValueError(f"{key}: must be {told}; it is {_short(record[key])}")
    return record


def _refuse_number(text: str) -> Any:
    raise ValueError(f"must have numbers only; it has {text}")


def _require_plain(record: dict[str, Any]) -> None:
    """Refuse what no field may hold, however deep; without recursion."""
    level: list[Any] = [record]
    for _ in range(_DEEPEST):
        inner: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                inner += [*value, *value.values()]
            elif isinstance(value, list):
                inner += value
            elif isinstance(value, str):
                wrong = next((letter for letter in value if unicodedata.category(letter) in _NO_TEXT), None)
                if wrong is not None:
                    raise ValueError(f"must have no control characters; it has {wrong!r} in {_short(value)}")
            elif isinstance(value, int | float) and not -_LARGEST < value < _LARGEST:
                raise ValueError(f"must have numbers below 2 to the 63rd; it has {_short(value)}")
        level = inner
    if level:
        raise ValueError(f"must be nested at most {_DEEPEST} deep")


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _list_of(fits: Check) -> Check:
    return lambda value: isinstance(value, list) and all(map(fits, value))


def _mapping_to(fits: Check) -> Check:
    return lambda value: isinstance(value, dict) and all(map(fits, value.values()))


def _having(optional: dict[str, Check] | None = None, **needed: Check) -> Check:
    """Return a check for an object that has some fields, each of its kind, and may have others."""
    fields = needed | (optional or {})
    return lambda value: (
        isinstance(value, dict)
        and needed.keys() <= value.keys()
        and all(fits(value[field]) for field, fits in fields.items() if field in value)
    )


def _rate(value: Any) -> bool:
    return _having(right=_count, n=_count)(value) and value["right"] <= value["n"] and value["n"] > 0


def _source(value: Any) -> bool:
    kinds = (
        {"draw": _having(name=_text)}, {"varied": _having(faces=_list_of(_text))}, {"name": _text},
    )  # fmt: skip
    return any(_having(**kind)(value) for kind in kinds)


def _or_none(fits: Check) -> Check:
    return lambda value: value is None or fits(value)


_begun = _having({"pictures": _or_none(_count), "sources": _list_of(_or_none(_text))}, name=_text)
_RULES: dict[str, tuple[Check, str]] = {
    "classes": (_text, "a text"),
    "folded": (lambda value: isinstance(value, bool), "true or false"),
    "steps": (_count, "a whole number"),
    "pictures": (_count, "a whole number"),
    "seconds": (_number, "a number"),
    "curve": (
        _list_of(_having(step=_count, pictures=_count, seconds=_number, loss=_number, right=_number)),
        "a list of the looks at a training, each with step, pictures, seconds, loss and right",
    ),
    "sources": (_list_of(_source), "a list of datasets with names and of profiles"),
    "datasets": (_list_of(_having(name=_text, count=_count)), "a list of datasets, each with name and count"),
    "scores": (_mapping_to(_mapping_to(_rate)), "rates by dataset and ranking, each with right and n"),
    "software": (_mapping_to(_text), "version numbers by name"),
    **dict.fromkeys(("settings", "calibration", "cautious", "shape"), (_mapping_to(lambda _: True), "an object")),
    "from": (_begun, "an object with the name of a model"),
    "averaged_with": (_list_of(_begun), "a list of models with names"),
    "cautious_on": (_having(seed=_count), "an object with a seed"),
}
