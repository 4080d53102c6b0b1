"""JSON of anybody is compared with the types that a record is declared with."""

from typing import Any, Literal, NotRequired, TypedDict

import pytest

from storage.files.typed_records import require_record


class Part(TypedDict):
    right: int
    n: int
    rate: float | None
    low: float | None
    high: float | None


class Whole(TypedDict):
    name: str
    parts: list[Part]
    by: dict[str, Part | None]
    kind: Literal["a", "b"]
    share: float
    any: Any
    more: NotRequired[bool]


RATE = {"right": 1, "n": 2, "rate": 0.5, "low": 0.1, "high": 0.9}
GOOD = {"name": "x", "parts": [RATE], "by": {"z": None}, "kind": "a", "share": 1, "any": [{}]}


@pytest.mark.parametrize("change", [
    {}, {"more": True}, {"unknown": 1}, {"parts": []}, {"by": {"k": RATE}}, {"share": 0.5},
    {"parts": [RATE | {"right": 0, "n": 0, "rate": None, "low": None, "high": None}]},
])  # fmt: skip
def test_what_was_declared_passes(change):
    require_record(GOOD | change, Whole)


@pytest.mark.parametrize(("change", "said"), [
    ({"name": 1}, r"it\.name is 1"), ({"parts": {}}, r"it\.parts is no list"),
    ({"parts": [1]}, r"parts\.0 is no object"),
    ({"parts": [{}]}, r"parts\.0 lacks high"), ({"parts": [RATE | {"right": 3}]}, r"parts\.0 is no rate"),
    ({"parts": [RATE | {"low": 0.6}]}, "no rate"), ({"parts": [RATE | {"high": 1.5}]}, "no rate"),
    ({"parts": [RATE | {"n": True}]}, r"n is True"), ({"by": {"k": 2}}, r"by\.k is no object"),
    ({"by": []}, "no object"),
    ({"kind": "c"}, "kind is 'c'"), ({"kind": ["a"]}, "kind is"), ({"share": float("nan")}, "share is nan"),
    ({"share": float("inf")}, "share is inf"), ({"share": False}, "share is False"), ({"more": None}, "more is None"),
    ({"parts": [RATE | {"n": 2**70}]}, "n is 1180"),
])  # fmt: skip
def test_the_first_wrong_place_is_named(change, said):
    with pytest.raises(ValueError, match=said):
        require_record(GOOD | change, Whole)


def test_a_key_that_is_lacking_is_named():
    with pytest.raises(ValueError, match="it lacks name"):
        require_record({key: value for key, value in GOOD.items() if key != "name"}, Whole)
    with pytest.raises(ValueError, match="it is no object"):
        require_record([], Whole)
