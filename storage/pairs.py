"""What validation showed of a classic and a deep model of one name: each alone and both together; kept beside them."""

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from storage.files import atomic
from storage.files.small_files import read_json

ENDING = ".pair.json"  # of the record, which has the models' name
_FORMAT = 1


class Readers(StrEnum):
    """Which of two models read: one of them, or both together. The first are the quickest."""

    CLASSIC = "classic"
    BOTH = "both"
    DEEP = "deep"


@dataclass(frozen=True)
class PairScores:
    """The words that two models read right, on the same pictures.

    classic, deep : str
        The digests of both files.
    rule : (float, float)
        By which both read together.
    datasets : tuple of str
        The names of those whose validation pictures were read.
    n : int
        Pictures.
    right : dict of str to dict of Readers to int
        By ranking.
    """

    classic: str
    deep: str
    rule: tuple[float, float]
    datasets: tuple[str, ...]
    n: int
    right: dict[str, dict[Readers, int]]

    def best(self, ranking: str) -> Readers:
        """Return which read the most words right by a ranking; of equals the quickest."""
        right = self.right[ranking]
        return max(Readers, key=lambda readers: right[readers])


def record_of_pair(classic: Path) -> Path:
    """Return the file that holds the scores of a classic model and of the deep model beside it."""
    return classic.with_name(classic.stem + ENDING)


def save_pair(path: Path, scores: PairScores) -> None:
    """Write the scores, over an existing file.

    Raises
    ------
    NoSpace, Unwritable
    """
    content = {
        "format": _FORMAT, "classic": scores.classic, "deep": scores.deep, "rule": list(scores.rule),
        "datasets": list(scores.datasets), "n": scores.n, "right": scores.right,
    }  # fmt: skip
    atomic.replace(path, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())


def load_pair(path: Path, classic: str, deep: str, rule: tuple[float, float]) -> PairScores | None:
    """Read the scores of two models with these digests that read together by this rule; None if there are none.

    The file can be made again, so a damaged file counts as none.
    """
    try:
        content = read_json(path)
        scores = PairScores(
            str(content["classic"]), str(content["deep"]), tuple(content["rule"]),
            tuple(map(str, content["datasets"])), int(content["n"]),
            {str(ranking): {Readers(key): int(value) for key, value in right.items()}
             for ranking, right in content["right"].items()},
        )  # fmt: skip
        counts = [[right[readers] for readers in Readers] for right in scores.right.values()]
        whole = content["format"] == _FORMAT and all(0 <= count <= scores.n for row in counts for count in row)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    same = (scores.classic, scores.deep, scores.rule) == (classic, deep, rule)
    return scores if whole and same and "none" in scores.right else None
