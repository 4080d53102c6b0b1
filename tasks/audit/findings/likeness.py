"""Letters that are drawn alike: pictures of two letters of which nobody can say which is which."""

from collections.abc import Callable, Sequence
from typing import TypedDict

import numpy as np
from scipy import special

from tasks.audit.findings.measuring import evidence
from tasks.audit.findings.measuring.letters import Cut, framed, usual_side
from tasks.audit.findings.measuring.shown import Severity, figure, finding, sheet
from tasks.audit.schema import Figure, Finding

LOOK_ALIKES = (
    "O0", "0o", "Oo", "QO", "Il", "I1", "l1", "lI", "il", "S5", "s5", "B8", "Z2", "z2", "G6", "g9", "q9", "b6", "cC",
    "vV", "wW", "xX", "zZ", "sS", "uU", "pP", "kK", "UV", "uv", "VY", "rn",
)  # fmt: skip
MOST_LETTERS = 6000
LEAST_LETTERS = 20  # of each of two letters
ALIKE = 0.25  # share of letters nearest to the other of the two, from which they are alike; 0.5 is no difference
SAME = 0.35
USUAL = 0.1  # share of the median pair, above which letters are too different, or too few, to be compared
_SHOWN = 6


class Pair(TypedDict):
    """Two letters, the share of their pictures that are nearer to the other, its lower end, and the pictures."""

    letters: str
    confused: float
    low: float
    n: int


def find_alike(letters: Cut, alphabet: str, texts: Sequence[str], as_: Callable[[str], str] = str) -> Finding:
    """Compare the pictures of every two letters: ask whether the nearest picture shows the same letter or the other.

    Two letters that are compared as one, by `as_`, may be drawn alike: it is the same answer.
    """
    title = "Letters that are drawn alike"
    known = set(alphabet) | set("".join(texts))
    listed = sorted({pair for pair in LOOK_ALIKES if set(pair) <= known and len(set(map(as_, pair))) == 2})
    n = len(letters.labels)
    counts = {letter: letters.labels.count(letter) for letter in set(letters.labels)}
    enough = {letter for letter, count in counts.items() if count >= LEAST_LETTERS}
    figures: dict[str, object] = {"n": n, "letters_compared": len(enough), "known_look_alikes_in_use": listed}
    pairs = _confused(letters, enough) if len(enough) > 1 else []
    pairs = [pair for pair in pairs if len(set(map(as_, pair["letters"]))) > 1]
    usual = float(np.median([pair["confused"] for pair in pairs])) if pairs else None
    figures |= {"pairs": pairs[:20], "usual": usual}
    if usual is None or usual > USUAL:
        plain = (
            "There are no boxes of letters, or too few, so their pictures were not compared."
            if usual is None
            else "Letters vary so much that these are too few to compare their pictures."
        )
        severity: Severity = "unknown"
        if listed:
            severity = "low"
            plain += f" The alphabet has letters that most typefaces draw much alike: {_named(listed)}."
        remedy = "Leave one letter of each such pair out, or accept either as the answer." if listed else None
        return finding("alike", title, severity, plain, remedy, figures)
    alike = [pair for pair in pairs if pair["low"] >= ALIKE]
    if not alike:
        plain = f"Every two letters can be told apart by their pictures ({n:,} letters of {len(enough)} kinds)."
        return finding("alike", title, "none", plain, None, figures)
    same = [pair for pair in alike if pair["low"] >= SAME]
    said = f"Letters that are drawn alike: {_named([str(p['letters']) for p in alike[:8]])}."
    if same:
        said += f" Of {_named([str(p['letters']) for p in same[:8]])}, nobody can tell which is which, people included."
    return finding(
        "alike", title, "high" if same else "low",
        said + " That stops people as much as programs, and a program may try both.",
        "Leave one letter of each pair out, or accept either as the answer (and upper case for lower case).",
        figures, [_pictures(letters, pair["letters"], pair["confused"]) for pair in alike[:3]],
    )  # fmt: skip


def _named(pairs: Sequence[str]) -> str:
    return ", ".join(f"{pair[0]} and {pair[1]}" for pair in pairs)


def _confused(letters: Cut, enough: set[str]) -> list[Pair]:
    """Return the pairs of letters, the most alike first, with the share of letters nearer to the other of the two.

    The nearest of all other pictures of the two letters decides; both letters have the same weight. `low` is the lower
    end of the share, corrected for the number of pairs at `evidence.LEVEL`.
    """
    kinds = sorted(enough)
    rows = np.array([k for k, label in enumerate(letters.labels) if label in enough])
    rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), MOST_LETTERS)).astype(int)]
    place = {kind: number for number, kind in enumerate(kinds)}
    label = np.array([place[letters.labels[row]] for row in rows])
    pictures = [letters.pictures[row] for row in rows]
    nearest = nearest_by_kind(framed(pictures, usual_side(pictures)), label, len(kinds))
    found: list[Pair] = []
    quantile = float(-special.ndtri(evidence.LEVEL / max(1, len(kinds) * (len(kinds) - 1) // 2)))
    for a in range(len(kinds)):
        for b in range(a + 1, len(kinds)):
            first, second = label == a, label == b
            if min(first.sum(), second.sum()) < LEAST_LETTERS:
                continue
            # A picture that both letters have counts half.
            of_first = _beaten(nearest[first, b], nearest[first, a])
            of_second = _beaten(nearest[second, a], nearest[second, b])
            share = (of_first + of_second) / 2
            n = int(2 * min(first.sum(), second.sum()))
            low = share - quantile * np.sqrt(max(share * (1 - share), 0.25 / n) / n)
            found.append(
                {"letters": kinds[a] + kinds[b], "confused": round(share, 4), "low": round(max(0, low), 4), "n": n}
            )
    return sorted(found, key=lambda pair: (-float(str(pair["low"])), -pair["confused"], pair["letters"]))


def _beaten(other: np.ndarray, own: np.ndarray) -> float:
    return float(((other < own) + 0.5 * (other == own)).mean())


def nearest_by_kind(points: np.ndarray, label: np.ndarray, kinds: int) -> np.ndarray:
    """Return each point's distance to the nearest other point of each kind, (n, kinds) float32."""
    squares = (points**2).sum(axis=1)
    out = np.full((len(points), kinds), np.inf, np.float32)
    order = [np.flatnonzero(label == kind) for kind in range(kinds)]
    for first in range(0, len(points), 512):
        some = slice(first, first + 512)
        distance = squares[some, None] + squares[None] - 2 * (points[some] @ points.T)
        distance[np.arange(len(distance)), np.arange(first, first + len(distance))] = np.inf
        for kind, members in enumerate(order):
            if len(members):
                out[some, kind] = np.round(np.maximum(distance[:, members].min(axis=1), 0), 3)
    return out


def _pictures(letters: Cut, pair: str, share: float) -> Figure:
    chosen = [
        [letters.pictures[k] for k, label in enumerate(letters.labels) if label == letter][:_SHOWN] for letter in pair
    ]
    text = (
        f"{len(chosen[0])} pictures of {pair[0]!r} above, {len(chosen[1])} of {pair[1]!r} below; "
        f"{100 * share:.0f} % are nearer to the other letter, 50 % would be no difference at all."
    )
    height = max(picture.shape[0] for line in chosen for picture in line)
    padded = [np.pad(p, ((0, height - p.shape[0]), (0, 0))) for line in chosen for p in line]
    return figure(sheet(padded, len(chosen[0])), text)
