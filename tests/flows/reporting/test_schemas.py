"""The JSON schemas: one for each command, valid, and strict enough to find what nobody declared.

`tests/flows/test_documented_commands.py` holds what commands print and write against them.
"""

from typing import Any, Literal, NotRequired, TypedDict

import pytest
from jsonschema import Draft202012Validator

from flows.__main__ import COMMANDS
from flows.parameters import BELOW_AUDIT
from flows.reporting import schemas
from flows.reporting.schemas import FILES, SCHEMAS, Written, schema_of
from tests.sample_audit import audit

# Prefect and what it brings warn while they are imported; that is theirs.
pytestmark = pytest.mark.filterwarnings("ignore")


class Inner(TypedDict):
    """A row."""

    name: str  # of the row
    next: NotRequired["Inner | None"]


class Outer(Inner):
    """Rows, and more."""

    rows: list[Inner]
    share: float
    kind: Literal["a", "b"]
    any: Any
    counts: dict[str, int]
    shown: NotRequired[dict[str, None]]


GOOD = {
    "name": "x",
    "rows": [{"name": "y", "next": {"name": "z"}}],
    "share": 1,
    "kind": "a",
    "any": [],
    "counts": {"n": 2},
}


def faults(name: str, content: object, *, closed: bool = True) -> list[str]:
    return [error.json_path for error in Draft202012Validator(schema_of(name, closed=closed)).iter_errors(content)]


def test_every_command_has_a_schema_and_each_is_one():
    assert {*SCHEMAS} == {*COMMANDS, *(f"audit-{name}" for name in BELOW_AUDIT), *FILES, "error"}
    for name in SCHEMAS:
        schema = schema_of(name)
        Draft202012Validator.check_schema(schema)
        assert schema["title"] and all(one["description"] for one in schema["$defs"].values()), name


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({}, None), ({"share": 0.5}, None), ({"share": "1"}, "$.share"), ({"share": True}, "$.share"),
        ({"kind": "c"}, "$.kind"), ({"counts": {"n": 0.5}}, "$.counts.n"), ({"rows": [{}]}, "$.rows[0]"),
        ({"rows": [{"name": "y", "next": None}]}, None), ({"rows": [{"name": "y", "other": 1}]}, "$.rows[0]"),
        ({"name": None}, "$.name"), ({"undeclared": 1}, "$"), ({"shown": {}}, "$"),
    ],
)  # fmt: skip
def test_a_schema_finds_what_is_not_as_the_type_says(change, where, monkeypatch):
    monkeypatch.setitem(SCHEMAS, "sample", Written((Outer,)))
    monkeypatch.setattr(schemas, "_PRINTED", {Outer})
    assert faults("sample", GOOD | change) == ([] if where is None else [where])


def test_an_open_schema_takes_keys_of_later_versions_and_missing_keys_are_found(monkeypatch):
    monkeypatch.setitem(SCHEMAS, "sample", Written((Outer,)))
    monkeypatch.setattr(schemas, "_PRINTED", {Outer})
    assert faults("sample", GOOD | {"later": 1}, closed=False) == []
    for key in GOOD:
        assert faults("sample", {name: value for name, value in GOOD.items() if name != key}) == ["$"]
    described = schema_of("sample")["$defs"]["Outer"]["properties"]
    assert described["name"] == {"type": "string", "description": "of the row"} and "shown" not in described


def test_a_type_that_json_does_not_have_is_refused(monkeypatch):
    monkeypatch.setitem(SCHEMAS, "sample", Written((TypedDict("Odd", {"when": complex}),)))
    monkeypatch.setattr(schemas, "_comments", lambda _: {})
    with pytest.raises(TypeError, match="complex"):
        schema_of("sample")


def test_the_file_of_an_audit_is_as_its_schema_says():
    content = audit()
    assert faults("audit.json", content) == []
    content["verdict"]["word"] = "perhaps"
    assert faults("audit.json", content) == ["$.verdict.word"]
