"""The dataset's record: what it is, what it holds, and digests of both."""

import hashlib
import json
from dataclasses import asdict, dataclass

from storage.errors import Damaged, NotThere
from storage.files import atomic
from storage.files.places import Place
from storage.shards.shard import BLOCK, DIGEST, FORMAT

MANIFEST = "manifest.json"


def canonical(value) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text, so that it can be digested."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True)
class Manifest:
    """What stands in `manifest.json`; docs/format.md explains each field.

    `identity` is the sha256 of the canonical identity JSON, `shards` a list of
    `{name, first, count, bytes, sha256, content}`.
    """

    identity: str
    profile: dict
    seed: int
    count: int
    content: str
    fonts: list
    software: dict
    statistics: dict
    shards: list
    words: str | None = None
    renderer: int = 0
    source: dict | None = None  # of an imported dataset: what its pictures came from
    block: int = BLOCK
    digests: str = DIGEST
    format: int = FORMAT

    def write(self, folder: Place, run: str | None = None) -> None:
        """Put it beside its shards, atomically; this is what makes the dataset complete."""
        content = asdict(self)
        content["digest"] = _digest(content)
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        atomic.replace(folder / MANIFEST, text.encode(), run)

    @classmethod
    def read(cls, folder: Place) -> "Manifest":
        """The manifest of the dataset in `folder`.

        Raises
        ------
        NotThere
            No dataset, or one that was never completed.
        Damaged
            Not JSON, edited, or of another format version.
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


def _digest(content: dict) -> str:
    return hashlib.sha256(canonical(content).encode()).hexdigest()


def _require_lines(content: dict) -> None:
    """Refuse counts, names and digests of other types than readers rely on, whoever made the digest fit."""
    lines = content["shards"]
    if not isinstance(lines, list) or not _counts(content["count"]):
        raise TypeError("a field is not what it should be: count or shards")
    texts, numbers = ("name", "sha256", "content"), ("first", "count", "bytes")
    for number, line in enumerate(lines):
        if (
            line.keys() != {*texts, *numbers}
            or not all(isinstance(line[key], str) for key in texts)
            or not all(_counts(line[key]) for key in numbers)
        ):
            raise TypeError(f"a field is not what it should be: line {number} of shards")


def _counts(value) -> bool:
    return type(value) is int and 0 <= value < 1 << 63
