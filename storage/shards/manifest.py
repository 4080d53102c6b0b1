"""The manifest of a dataset: its identity, its shards, its statistics, and digests of them."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from storage.errors import Damaged, NotThere
from storage.files import atomic
from storage.files.places import Place
from storage.shards.shard import BLOCK, DIGEST, FORMAT, ShardLine

MANIFEST = "manifest.json"
_LIMIT = 1 << 63  # numbers of pictures and bytes must fit into int64


def canonical(value: object) -> str:
    """Write JSON with sorted keys and no spaces, so that equal values give equal text and equal digests."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True)
class Manifest:
    """The content of `manifest.json`; docs/format.md explains each field.

    `identity` is the sha256 of the canonical identity JSON.
    """

    identity: str
    profile: dict[str, Any]
    seed: int
    count: int
    content: str
    fonts: list[dict[str, Any]]
    software: dict[str, Any]
    statistics: dict[str, Any]
    shards: list[ShardLine]
    words: str | None = None
    renderer: int = 0
    source: dict[str, Any] | None = None  # the files that an imported dataset was made from
    block: int = BLOCK
    digests: str = DIGEST
    format: int = FORMAT

    def write(self, folder: Place, run: str | None = None) -> None:
        """Write the manifest beside its shards, atomically. This completes the dataset."""
        content = asdict(self)
        content["digest"] = _digest(content)
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        atomic.replace(folder / MANIFEST, text.encode(), run)

    @classmethod
    def read(cls, folder: Place) -> "Manifest":
        """Read the manifest of the dataset in `folder`.

        Raises
        ------
        NotThere
            There is no dataset, or it was never completed.
        Damaged
            The manifest is not JSON, was edited, or is of another format version.
        """
        path = folder / MANIFEST
        try:
            content = json.loads(path.read_bytes())
            recorded = content.pop("digest")
            if content.get("format") != FORMAT:
                raise Damaged(f"{path}: format {content.get('format')!r}; this version reads format {FORMAT}")
            if recorded != _digest(content):
                raise Damaged(
                    f"{path}: was changed after it was written (its digest differs); "
                    "captchas verify DATASET --repair rebuilds it from the shards"
                )
            if (content.get("block"), content.get("digests")) != (BLOCK, DIGEST):
                raise Damaged(
                    f"{path}: blocks of {content.get('block')!r} pictures with {content.get('digests')!r} digests; "
                    f"format {FORMAT} has {BLOCK} with {DIGEST!r}"
                )
            _require_lines(content)
            return cls(**content)
        except FileNotFoundError:
            raise NotThere(f"{folder}: no complete dataset there (no {MANIFEST})") from None
        except Damaged:
            raise
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise Damaged(
                f"{path}: cannot be read as a manifest ({error}); "
                "captchas verify DATASET --repair rebuilds it from the shards"
            ) from error


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(canonical(content).encode()).hexdigest()


def _require_lines(content: dict[str, Any]) -> None:
    """Refuse fields of wrong types, which would break readers, even if the manifest's digest is right."""
    lines: object = content["shards"]
    if not isinstance(lines, list) or not _counts(content["count"]):
        raise TypeError("a field has a wrong type or value: count or shards")
    texts, numbers = ("name", "sha256", "content"), ("first", "count", "bytes")
    for number, line in enumerate(lines):
        if (
            line.keys() != {*texts, *numbers}
            or not all(isinstance(line[key], str) for key in texts)
            or not all(_counts(line[key]) for key in numbers)
        ):
            raise TypeError(f"a field has a wrong type or value: line {number} of shards")


def _counts(value: object) -> bool:
    return type(value) is int and 0 <= value < _LIMIT
