"""The rules that the JSON of a manifest must keep: the type and the range of every field, and how fields agree.

A manifest may come from a stranger, and its digest proves only that it is the text that somebody wrote.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from storage.shards.shard import BLOCK, DIGEST, FORMAT, PIXELS, shard_name
from storage.shards.shard_rules import MOST_BLOCKS

_INT64 = (1 << 63) - 1  # numbers of pictures and bytes must fit into int64
_UINT16 = (1 << 16) - 1  # shards hold sides in uint16
_SHOWN = 80  # characters of a wrong value in a message
_LEVELS = 6  # of tables and lists in a field that this version does not know
_LETTERS = 200  # the largest alphabet of a profile or an import
_LONGEST = 32  # characters of a text
MOST_PICTURES = 16_384_000_000  # names of shards count to a million, and a shard of this program has 16,384
_LINE = 10_000  # characters of a name, a version or a pattern
_NO_CONTROLS = re.compile(r"[^\x00-\x1f\x7f-\x9f]*")
_HEX = re.compile(r"[0-9a-f]{64}")
_FILE_NAME = re.compile(r"[^/\\\x00-\x1f\x7f-\x9f]+")


class Misfit(ValueError):
    """A value breaks its rule. The message names the field, the rule and the value."""

    def __init__(self, name: str, rule: str, value: object):
        super().__init__(f"{name}: must be {rule}; it is {shown(value)}")


def shown(value: object) -> str:
    """Return a foreign value for a message: on one line, without control characters, and short."""
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


class Rule(Protocol):
    """The rule of a field."""

    def require(self, value: object, name: str) -> None:
        """Raise `Misfit` if a value breaks the rule; `name` is the field's name in the message."""


@dataclass(frozen=True)
class Whole:
    """A whole number from `low` to `high`; True and False are none."""

    low: int = 0
    high: int = _INT64

    def require(self, value: object, name: str) -> None:
        """Raise `Misfit` if a value breaks the rule."""
        if type(value) is not int or not self.low <= value <= self.high:
            raise Misfit(name, f"a whole number from {self.low} to {self.high}", value)


@dataclass(frozen=True)
class Number:
    """A finite number of at most `most`, without its sign."""

    most: float = 1e18

    def require(self, value: object, name: str) -> None:
        """Raise `Misfit` if a value breaks the rule."""
        # Written so that NaN, which compares with nothing, is refused too.
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= self.most:
            raise Misfit(name, "a finite number", value)


@dataclass(frozen=True)
class YesOrNo:
    """True or false."""

    def require(self, value: object, name: str) -> None:
        """Raise `Misfit` if a value breaks the rule."""
        if not isinstance(value, bool):
            raise Misfit(name, "true or false", value)


@dataclass(frozen=True)
class Text:
    """A string of `least` to `most` characters that matches `pattern`; `rule` describes it."""

    rule: str = "text without control characters"
    pattern: re.Pattern[str] = _NO_CONTROLS
    least: int = 0
    most: int = _LINE

    def require(self, value: object, name: str) -> None:
        """Raise `Misfit` if a value breaks the rule."""
        if not isinstance(value, str) or not self.least <= len(value) <= self.most or not self.pattern.fullmatch(value):
            size = "" if self.least == self.most else f", {self.least} to {self.most} characters"
            raise Misfit(name, self.rule + size, value)


@dataclass(frozen=True)
class Maybe:
    """Null, or a value that keeps `rule`."""

    rule: Rule

    def require(self, value: object, name: str) -> None:
        """Raise `Misfit` if a value breaks the rule."""
        if value is not None:
            self.rule.require(value, name)


@dataclass(frozen=True)
class ListOf:
    """A list of `least` to `most` values that each keep `rule`."""

    rule: Rule
    least: int = 0
    most: int = 1_000_000

    def require(self, value: object, name: str) -> None:
        """Raise `Misfit` if a value breaks the rule."""
        if not isinstance(value, list) or not self.least <= len(value) <= self.most:
            raise Misfit(name, f"a list of {self.least} to {self.most} values", value)
        for number, item in enumerate(value):
            self.rule.require(item, f"{name}[{number}]")


@dataclass(frozen=True)
class Table:
    """A table with all of `fields` and perhaps some of `optional`; every other key keeps `others`, or is refused."""

    fields: Mapping[str, Rule] = field(default_factory=dict)
    optional: Mapping[str, Rule] = field(default_factory=dict)
    others: Rule | None = None
    least: int = 0

    def require(self, value: object, name: str) -> None:
        """Raise `Misfit` if a value breaks the rule."""
        if not isinstance(value, dict) or len(value) < self.least:
            raise Misfit(name or "the manifest", "a table" + f" of {self.least} or more" * (self.least > 0), value)
        for key in self.fields:
            if key not in value:
                raise Misfit(name or "the manifest", f"a table with the key {key!r}", sorted(value)[:_SHOWN])
        for key, item in value.items():
            rule = self.fields.get(key) or self.optional.get(key) or self.others
            part = key if key.isidentifier() and len(key) <= _SHOWN else shown(key)
            if rule is None:
                known = ", ".join(sorted({*self.fields, *self.optional}))
                raise Misfit(name or "the manifest", f"a table with no other keys than {known}", key)
            rule.require(item, f"{name}.{part}" if name else part)


@dataclass(frozen=True)
class Plain:
    """A value of a field that this version does not know: plain and not nested deeply."""

    levels: int = _LEVELS

    def require(self, value: object, name: str) -> None:
        """Raise `Misfit` if a value breaks the rule."""
        if value is None or isinstance(value, bool):
            return
        if isinstance(value, str):
            _ANY.require(value, name)
        elif isinstance(value, float):
            Number().require(value, name)
        elif isinstance(value, int):
            Whole(-_INT64).require(value, name)
        elif not self.levels:
            raise Misfit(name, f"nested in at most {_LEVELS} levels", value)
        elif isinstance(value, list):
            ListOf(Plain(self.levels - 1)).require(value, name)
        else:
            Table(others=Plain(self.levels - 1)).require(value, name)


@dataclass(frozen=True)
class Range:
    """A whole number, or a table with `start`, `stop` and perhaps `step`."""

    def require(self, value: object, name: str) -> None:
        """Raise `Misfit` if a value breaks the rule."""
        if isinstance(value, dict):
            number = Whole(-_INT64)
            Table({"start": number, "stop": number}, {"step": number}).require(value, name)
        elif type(value) is not int or abs(value) > _INT64:
            raise Misfit(name, "a whole number, or a table with start, stop and step", value)


@dataclass(frozen=True)
class Setting:
    """What a profile says of a distortion or a colour: yes or no, a range, names, or a table of ranges."""

    def require(self, value: object, name: str) -> None:
        """Raise `Misfit` if a value breaks the rule."""
        if isinstance(value, list):
            ListOf(_NAME, 1, _LETTERS * 2).require(value, name)
        elif isinstance(value, dict) and not {"start", "stop"} & value.keys():
            Table(others=Range(), least=1).require(value, name)
        elif not isinstance(value, bool):
            Range().require(value, name)


_ANY = Text("text", re.compile(r".*", re.DOTALL))
_PLAIN = Plain()
_NAME = Text(least=1)
_DIGEST = Text("64 lower-case hexadecimal digits", _HEX, 64, 64)
# A path would be read as a word list by whoever evaluates a stranger's dataset.
_WORDS = Text("'', 'web2' or 'list'", re.compile("(web2|list)?"))
_SIDE = Whole(1, _UINT16)
_PROFILE = Table(
    {
        "name": _NAME, "alphabet": Text(least=1, most=_LETTERS), "words": _WORDS,
        "length": ListOf(Whole(1, _LONGEST), 2, 2), "height": _SIDE, "width": _SIDE,
    },
    {
        "fonts": ListOf(_NAME, 1, 1000), "font_size": Whole(1, _UINT16), "left": Whole(0, _UINT16),
        "top": Whole(0, _UINT16), "ink": _NAME,
    },
    Setting(),  # the distortions and the colours, whose limits `tasks.profiles` knows
)  # fmt: skip
_FONT = Table(
    {"family": Text(), "style": Text(), "sha256": _DIGEST, "bitmaps": _DIGEST}, {"alike": ListOf(_NAME)}, _PLAIN
)
_STATISTICS = Table(
    {
        "splits": Table({"train": Whole(), "validation": Whole(), "test": Whole()}),
        "letters": Table(others=Whole(), least=1), "mean_ink": Number(),
        "ink": Table({"mean": Number(), "deviation": Number(), "least": Number(), "most": Number()}, {}, _PLAIN),
        "distinct": Table({"pictures": Whole(), "share": Number(), "exact": YesOrNo()}, {}, _PLAIN),
        "blank": Whole(), "clipped": Whole(), "equal_blocks": Whole(), "letters_off": Number(), "ink_off": Number(),
        "bounds": Table(others=ListOf(Number(), 2, 2)),
    },
    {}, _PLAIN,
)  # fmt: skip
_LINE_OF_SHARD = Table({
    "name": Text(), "first": Whole(), "count": Whole(1, MOST_BLOCKS * BLOCK), "bytes": Whole(), "sha256": _DIGEST,
    "content": _DIGEST,
})  # fmt: skip
_SOURCE = Table(
    {
        "pictures": Whole(), "digest": _DIGEST, "loader": Whole(),
    },
    {
        "ink": Table({"invert": Text("auto, yes or no", re.compile("auto|yes|no"))}),
        "labels": Table(
            {},
            {
                "file": Text("a file's name", _FILE_NAME, 1, 255), "pattern": _ANY, "found": _ANY, "beside": _ANY,
                "columns": _ANY, "case": Text("upper", re.compile("upper")),
                "zeros": Text("fill or keep", re.compile("fill|keep")),
            },
        ),
        "split": Text("folders", re.compile("folders")),
        "generator": Table(
            {"kind": Text("callable or command", re.compile("callable|command")), "given": Text(), "seed": Whole(),
             "digest": _DIGEST},
            {}, _PLAIN,
        ),
    },
    _PLAIN,
)  # fmt: skip
_MANIFEST = Table({
    "identity": _DIGEST, "profile": _PROFILE, "seed": Whole(), "count": Whole(1, MOST_PICTURES), "content": _DIGEST,
    "fonts": ListOf(_FONT, 0, 1000), "software": Table(others=Text()), "statistics": _STATISTICS,
    "shards": ListOf(_LINE_OF_SHARD, 1), "words": Maybe(_DIGEST), "renderer": Whole(), "source": Maybe(_SOURCE),
    "block": Whole(BLOCK, BLOCK), "digests": Text(DIGEST, re.compile(DIGEST)),
    "format": Whole(min(PIXELS), max(PIXELS)),
})  # fmt: skip


def require_manifest(content: dict[str, Any]) -> None:
    """Refuse the content of a manifest, without its digest, that no dataset can have.

    Raises
    ------
    Misfit
        Names the field, the rule and the value.
    """
    _MANIFEST.require(content, "")
    _require_profile(content)
    first = 0
    for index, line in enumerate(content["shards"]):
        for key, wanted in (("first", first), ("name", shard_name(index, line["count"]))):
            if line[key] != wanted:
                raise Misfit(f"shards[{index}].{key}", repr(wanted), line[key])
        first += line["count"]
    if content["count"] != first:
        raise Misfit("count", f"{first}, the sum of its shards' counts", content["count"])


def _require_profile(content: dict[str, Any]) -> None:
    """Refuse a profile that does not fit itself, or the fonts and the source beside it."""
    profile, fonts = content["profile"], content["fonts"]
    if len(set(profile["alphabet"])) < len(profile["alphabet"]):
        raise Misfit("profile.alphabet", "of characters that each come once", profile["alphabet"])
    if profile["length"][0] > profile["length"][1]:
        raise Misfit("profile.length", "[shortest, longest]", profile["length"])
    if content["source"] is None:
        names = profile.get("fonts", [])
        if not names or len(fonts) != len(names):
            raise Misfit("fonts", f"as many as the profile names, {len(names)}, and one at least", len(fonts))
        return
    for key, wanted in (("fonts", []), ("words", None), ("renderer", 0)):
        if content[key] != wanted:
            raise Misfit(key, f"{wanted!r} for imported pictures", content[key])
    if ("ink" in content["source"]) is not (content["format"] == FORMAT):
        raise Misfit("source.ink", f"there in format {FORMAT} only, where pictures are ink", content["source"])
