"""Grounds that come again: pictures in groups that have the same lines and patterns behind their letters."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

SAME_LEVEL, SAME_SHARE = 12, 0.75  # a pixel is constant if so many pictures have it within so many levels of the median
LEAST_MEMBERS = 8  # pictures with a ground: it is learnt from half of them, and has to be on the others
_ASKED = 4_000  # pixels by which pictures are compared
_NEAR, _FAR = 0.2, 0.6  # the share of its lines that two pictures have in common is above the one for the same ground
_SPREADS = 8.0  # standard deviations above what pictures of different grounds have in common
_KEPT, _GAP = 0.6, 0.15  # share of a ground that pictures of it show, and how much less all others show
_BARE = 0.25  # share of the pictures without a pattern that show their plain ground there
_ONE_LETTER = 0.6  # share of one letter at a place, from which a group may have its text in common


class Ground(NamedTuple):
    """The pictures of one ground by their numbers, and the ground, (h, w, 3), with its pattern, (h, w) bool."""

    members: list[int]
    median: np.ndarray
    pattern: np.ndarray


def pattern_of(stack: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the median of pictures, (n, h, w, 3) int16, and where it is a pattern of their ground, (h, w) bool.

    There it is constant and not plain. Pictures without the pattern show a letter over it. Where they often show their
    plain ground, it is no pattern but a stroke that most letters have, which stand in fixed places.
    """
    median = np.median(stack, axis=0)
    constant = (np.abs(stack - median).max(axis=3) <= SAME_LEVEL).mean(axis=0) >= SAME_SHARE
    plain = np.median(median.reshape(-1, 3), axis=0)
    pattern = constant & (np.abs(median - plain).max(axis=2) > 2 * SAME_LEVEL)
    values = stack[:, pattern]
    without = np.abs(values - median[pattern]).max(axis=2) > SAME_LEVEL
    grounds = np.median(stack.reshape(len(stack), -1, 3), axis=1)
    bare = np.abs(values - grounds[:, None]).max(axis=2) <= 2 * SAME_LEVEL
    pattern[pattern] = (without & bare).sum(axis=0) <= _BARE * without.sum(axis=0)
    return median, pattern


def find_grounds(stack: np.ndarray, texts: Sequence[str]) -> list[Ground]:
    """Divide pictures of one size into those that have the same ground; the most frequent ground first.

    Pictures without a ground of their own group are in none. A ground is learnt from half of its pictures, and counts
    if the other half shows it and pictures of other groups do not.

    Parameters
    ----------
    stack : (n, h, w, 3) int16
    texts : sequence of str
        A group with the same letters has its letters in common, and is left out.
    """
    alike = _alike(stack)
    far = alike[~np.eye(len(alike), dtype=bool)]
    low, middle = np.percentile(far, (10, 25))
    near = alike >= np.clip(middle + _SPREADS * (middle - low) / 0.607, _NEAR, _FAR)  # of a normal distribution
    free = np.ones(len(stack), bool)
    found: list[Ground] = []
    while True:
        counts = (near & free).sum(axis=1) * free
        members = np.flatnonzero(near[counts.argmax()] & free)
        if len(members) < LEAST_MEMBERS:
            return found
        free[members] = False
        if _shown(stack, members) and not _same_letters([texts[k] for k in members.tolist()]):
            found.append(Ground(members.tolist(), *pattern_of(stack[members])))


def _alike(stack: np.ndarray) -> np.ndarray:
    """Return which share of each picture's lines, which are not of its plain ground, another has too, (n, n)."""
    flat = stack.mean(axis=3).reshape(len(stack), -1).astype(np.int16)
    flat = flat[:, :: max(1, flat.shape[1] // _ASKED)]
    drawn = np.abs(flat - np.median(flat, axis=1, keepdims=True)) > 2 * SAME_LEVEL
    one_way = np.stack([
        ((np.abs(flat - line) <= SAME_LEVEL) & some).sum(axis=1) / max(1, some.sum())
        for line, some in zip(flat, drawn, strict=True)
    ])  # fmt: skip
    both_ways: np.ndarray = np.minimum(one_way, one_way.T)
    return both_ways


def _shown(stack: np.ndarray, members: np.ndarray) -> bool:
    """Return whether every second member shows the pattern of the rest, and pictures of other grounds do not."""
    median, pattern = pattern_of(stack[members[::2]])
    if not pattern.any():
        return False
    kept = (np.abs(stack[:, pattern] - median[pattern]).max(axis=2) <= SAME_LEVEL).mean(axis=1)
    others = np.delete(kept, members)
    most = float(np.percentile(others, 95)) if len(others) else 0.0
    return bool(np.median(kept[members[1::2]]) >= max(_KEPT, most + _GAP))


def _same_letters(texts: Sequence[str]) -> bool:
    """Return whether one letter is at a place of most texts."""
    return any(
        Counter(text[k] for text in texts if len(text) > k).most_common(1)[0][1] > _ONE_LETTER * len(texts)
        for k in range(min(map(len, texts)))
    )
