"""Compare JSON of anybody with the declared types of a record, before anything uses it."""

from types import NoneType, UnionType
from typing import Any, Literal, NotRequired, Required, Union, get_args, get_origin, get_type_hints, is_typeddict

_RATE = ("right", "n", "rate", "low", "high")


def require_record(value: object, kind: Any, where: str = "it") -> None:
    """Check JSON against a `TypedDict`, and what is in it; keys that the type does not name are let be.

    Raises
    ------
    ValueError
        Naming the first wrong place.
    """
    if fault := _fault(value, kind, where):
        raise ValueError(fault)


def _fault(value: object, kind: Any, where: str) -> str | None:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (NotRequired, Required):
        return _fault(value, arguments[0], where)
    if kind is Any or kind is object:
        return None
    if origin in (Union, UnionType):
        faults = [_fault(value, choice, where) for choice in arguments]
        return None if None in faults else faults[0]
    if origin is Literal:
        return None if value in arguments else f"{where} is {value!r:.40}"
    if is_typeddict(kind):
        return _record_fault(value, kind, where)
    if kind is list or origin is list:
        return _fault_within(enumerate(value), arguments, where) if isinstance(value, list) else f"{where} is no list"
    if kind is dict or origin is dict:
        found = value.items() if isinstance(value, dict) else None
        return f"{where} is no object" if found is None else _fault_within(found, arguments[1:], where)
    return _plain_fault(value, kind, where)


def _record_fault(value: object, kind: Any, where: str) -> str | None:
    if not isinstance(value, dict):
        return f"{where} is no object"
    if lacking := sorted(kind.__required_keys__ - value.keys()):
        return f"{where} lacks {lacking[0]}"
    hints = get_type_hints(kind, include_extras=True)
    faults = (_fault(value[key], hint, f"{where}.{key}") for key, hint in hints.items() if key in value)
    first = next((fault for fault in faults if fault), None)
    return first or (_rate_fault(value, where) if hints.keys() >= set(_RATE) else None)


def _rate_fault(value: dict[str, Any], where: str) -> str | None:
    right, n, rate, low, high = (value[key] for key in _RATE)
    if None in (rate, low, high):  # of no cases
        return None
    return None if 0 <= right <= n and 0 <= low <= rate <= high <= 1 else f"{where} is no rate"


def _fault_within(items: Any, kinds: tuple[Any, ...], where: str) -> str | None:
    faults = (_fault(item, kinds[0], f"{where}.{key}") for key, item in items) if kinds else ()
    return next((fault for fault in faults if fault), None)


def _plain_fault(value: object, kind: Any, where: str) -> str | None:
    if kind is None or kind is NoneType:
        fits = value is None
    elif kind is float:
        fits = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300  # and no NaN
    elif kind is int:
        fits = isinstance(value, int) and not isinstance(value, bool) and value.bit_length() < 64
    else:
        fits = isinstance(value, kind)
    return None if fits else f"{where} is {value!r:.40}"
