"""The manifest of a dataset: its identity, its shards, its statistics, and digests of them."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from storage.errors import Damaged, NotThere, remedy
from storage.files import atomic
from storage.files.places import Place
from storage.files.small_files import read_ordinary
from storage.shards.manifest_rules import require_manifest, shown
from storage.shards.shard import BLOCK, DIGEST, FORMAT, PIXELS, ShardLine
from storage.texts import canonical

MANIFEST = "manifest.json"
# Names of shards count to a million, and a shard's entry takes 280 bytes: no dataset has a larger manifest.
LARGEST = 300_000_000  # bytes


def identity_digest(identity: str) -> str:
    """Return the sha256 of a dataset's canonical identity, which a manifest calls `identity`."""
    return hashlib.sha256(identity.encode()).hexdigest()


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
            The manifest is not JSON, was edited, is of another format version, or has a field that breaks its rule.
        """
        path = folder / MANIFEST
        try:
            content = load(path)
            if not isinstance(content, dict) or "digest" not in content:
                raise ValueError("it is no table with a digest")
            recorded = content.pop("digest")
            number = content.get("format")
            if type(number) is not int or number not in PIXELS:
                known = " and ".join(map(str, PIXELS))
                raise Damaged(f"{path}: format {shown(number)}; this version reads formats {known}")
            if recorded != _digest(content):
                raise Damaged(
                    f"{path}: was changed after it was written (its digest differs); "
                    "captchas verify DATASET --repair rebuilds it from the shards"
                )
            require_manifest(content)
            return cls(**content)
        except FileNotFoundError:
            raise NotThere(
                f"{folder}: no complete dataset there (no {MANIFEST}); captchas datasets lists those of the home, "
                "captchas import makes a folder of labelled pictures a dataset"
            ) from None
        except Damaged:
            raise
        except OSError as error:
            raise Damaged(f"{path}: cannot be read ({error.strerror or error}); {remedy(error)}") from error
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise Damaged(
                f"{path}: cannot be read as a manifest ({error}); "
                "captchas verify DATASET --repair rebuilds it from the shards"
            ) from error


def load(path: Place) -> object:
    """Parse the JSON of a manifest, whatever it says.

    Raises
    ------
    OSError, ValueError, RecursionError
        It cannot be read, is no regular file or too large, or is no JSON.
    """
    try:
        return json.loads(read_ordinary(path, LARGEST))
    except IsADirectoryError:
        raise ValueError("it is a folder") from None


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(canonical(content).encode()).hexdigest()
