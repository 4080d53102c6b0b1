"""The JSON schemas of what commands print with `--json` and of the files that they write, made from their types.

They are the dialect of 2020-12. A later version may add keys, so a schema allows keys that it does not name.
"""

import ast
import dataclasses
import inspect
import re
import sys
import textwrap
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple, get_args, get_origin, is_typeddict

from flows.reporting import audit_reports, reports
from flows.reporting import plain_reports as plain
from storage.exports.record import ExportRecord
from storage.shards.manifest import Manifest
from tasks.audit.schema import Audit
from tasks.datasets.dry_run import DryRunReport
from tasks.datasets.generate import DrawReport
from tasks.datasets.judge import VerifyReport
from tasks.scoring.report import Evaluation

DIALECT = "https://json-schema.org/draft/2020-12/schema"
UNPRINTED = "shown"  # of a command's report: what people see in place of other keys
# Types with further keys: a profile's own distortions, and what each kind of model records of its training.
OPEN = (plain.ProfileLine, plain.ModelReport, reports.TrainReport)
_PLAIN = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}
_COMMENT = re.compile(r"^    (\w+): .*?  # (.*)$", re.MULTILINE)


class Written(NamedTuple):
    """What is written as JSON: the types that it may be of, and keys that are added to them."""

    kinds: tuple[type, ...]
    added: Mapping[str, type] = types.MappingProxyType({})


# What a command prints with --json, and the files: by the name of the schema.
SCHEMAS = {
    "error": Written((plain.ErrorReport,)),
    "generate": Written((DrawReport, DryRunReport)),
    "verify": Written((VerifyReport, reports.AllVerified)),
    "export": Written((reports.ExportReport,)),
    "import": Written((reports.ImportReport, reports.ImportPlanned)),
    "train": Written((reports.TrainReport,)),
    "evaluate": Written((reports.EvaluationSummary, reports.LadderSummary)),
    "audit": Written((audit_reports.AuditReport,)),
    "audit-compare": Written((audit_reports.Compared,)),
    "audit-history": Written((audit_reports.AuditHistory,)),
    "solve": Written((reports.SolveReport, reports.SolvedAtOnce)),
    "serve": Written((plain.ServeReport,)),
    "reproduce": Written((reports.ReproduceReport,)),
    "demo": Written((reports.DemoReport,)),
    "regenerate": Written((reports.RegenerateReport,)),
    "up": Written((plain.UpStatus, plain.Deployed, plain.UpEnded)),
    "inspect": Written((plain.DatasetReport, plain.ShardReport, plain.ModelReport)),
    "datasets": Written((reports.DatasetList, plain.Removed)),
    "profiles": Written((plain.ProfileList, plain.FaceList)),
    "doctor": Written((plain.DoctorReport,)),
    "preview": Written((plain.PreviewReport,)),
    "explain": Written((plain.WordExplained, plain.ChapterReport, plain.NetworkReport, plain.BackpropagationReport)),
    "audit.json": Written((Audit,)),
    "manifest.json": Written((Manifest,), {"digest": str}),
    "export.json": Written((ExportRecord,), {"pictures": int}),
    "report.json": Written((Evaluation,)),
    "network.json": Written((plain.NetworkReport,)),
}
FILES = {
    "audit.json": "audit.json of an audit",
    "manifest.json": "manifest.json of a dataset",
    "export.json": ".export.json, the record of an export",
    "report.json": "report.json of an evaluation",
    "network.json": "network.json of captchas explain network",
}
_PRINTED = {kind for name, written in SCHEMAS.items() if name not in FILES for kind in written.kinds}


def schema_of(name: str, *, closed: bool = False) -> dict[str, Any]:
    """Return the JSON schema of a command's report or of a file.

    Parameters
    ----------
    name : str
        A key of `SCHEMAS`.
    closed : bool
        Allow no key that the types do not name; for the tests, which so find keys that nobody declared.
    """
    written = SCHEMAS[name]
    definitions: dict[str, Any] = {}
    alternatives = [_reference(kind, definitions, closed) for kind in written.kinds]
    for kind in written.kinds:
        for key, own in written.added.items():
            definitions[kind.__name__]["properties"][key] = _schema(own, definitions, closed)
            definitions[kind.__name__]["required"].append(key)
    return {"$schema": DIALECT, "title": title_of(name), **_any(alternatives), "$defs": definitions}


def title_of(name: str) -> str:
    """Return what a schema is of, for people."""
    if name == "error":
        return "a command that is refused, or fails"
    return FILES[name] if name in FILES else f"captchas {name.replace('-', ' ')}"


def has_keys(kind: Any) -> bool:
    """Return whether a type is an object with named keys."""
    return is_typeddict(kind) or (isinstance(kind, type) and dataclasses.is_dataclass(kind))


def fields_of(kind: type) -> dict[str, tuple[Any, bool, str]]:
    """Return the type of each key, whether it is always there, and the comment behind it in the source."""
    comments = _comments(kind)
    if dataclasses.is_dataclass(kind):
        required: Iterable[str] = [field.name for field in dataclasses.fields(kind)]
    else:
        required = getattr(kind, "__required_keys__", ())
    return {
        key: (own, key in required, comments.get(key, ""))
        for key, own in typing.get_type_hints(kind).items()
        if key != UNPRINTED or kind not in _PRINTED
    }


def _comments(kind: type) -> dict[str, str]:
    """Return the comments behind the keys of a type, and of those that it extends, which Python 3.11 does not keep."""
    source = inspect.getsource(kind)
    (defined,) = ast.parse(textwrap.dedent(source)).body
    found: dict[str, str] = {}
    for base in defined.bases if isinstance(defined, ast.ClassDef) else ():
        extended = getattr(sys.modules[kind.__module__], ast.unparse(base), None)
        if extended is not None and is_typeddict(extended):
            found |= _comments(extended)
    return found | dict(_COMMENT.findall(source))


def _reference(kind: type, definitions: dict[str, Any], closed: bool) -> dict[str, Any]:
    """Return a reference to a type with keys, and define it."""
    name = kind.__name__
    if name not in definitions:
        definitions[name] = {}  # first, since types may hold themselves
        fields = fields_of(kind)
        definitions[name] = {
            "type": "object",
            "description": (inspect.getdoc(kind) or "").partition("\n")[0],
            "properties": {
                key: _schema(own, definitions, closed) | ({"description": said} if said else {})
                for key, (own, _, said) in fields.items()
            },
            "required": [key for key, (_, required, _) in fields.items() if required],
            **({"additionalProperties": False} if closed and kind not in OPEN else {}),
        }
    return {"$ref": f"#/$defs/{name}"}


def _schema(kind: Any, definitions: dict[str, Any], closed: bool) -> dict[str, Any]:
    """Return the schema of a type as it is written in an annotation."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind in _PLAIN:
        return {"type": _PLAIN[kind]}
    if kind is Any or kind is object:
        return {}
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin in (typing.Union, types.UnionType):
        return _any([_schema(one, definitions, closed) for one in arguments])
    if origin is list or origin is tuple:
        return {"type": "array", "items": _schema(arguments[0], definitions, closed)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema(arguments[1], definitions, closed)}
    if has_keys(kind):
        return _reference(kind, definitions, closed)
    raise TypeError(f"{kind}: has no schema; use the types of JSON")


def _any(alternatives: list[dict[str, Any]]) -> dict[str, Any]:
    return alternatives[0] if len(alternatives) == 1 else {"anyOf": alternatives}
