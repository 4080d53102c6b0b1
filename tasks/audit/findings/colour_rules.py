"""A threshold that tells letters from noise in all pictures, whatever colours they have."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from tasks.audit.findings.measuring.inks import NEAR, shapes_of
from tasks.rates import Rate

LEAST_NOISE = 0.08  # of the pixels that are no ground; less noise does not hinder anybody
LETTERS = 0.8  # share of pixels in parts like letters, of which a colour makes letters
LEAST_ACROSS = 0.2  # of a picture's columns that letters reach over
TRIED = 12  # pictures that a threshold is chosen by, and as many that prove it
MOST_PIXELS = 1_000_000  # of all of them
HELD = 0.75  # share of the pictures in which a threshold must leave letters, and only them
_LEVELS = 9  # thresholds of each value of a colour
_SAME = 8  # levels within which colours are one
# Share of noise, and of letters, that has the colour of a neighbour: less is what soft edges make of any colour.
_FLAT, _FLAT_LETTERS = 0.8, 0.4
_LEAST_LETTERS = 0.2  # of what is no ground
PARTS = ("red", "green", "blue", "saturation", "lightness")


@dataclass(frozen=True)
class Rule:
    """A threshold that tells letters from noise: which value of a colour, 0 to 255, and on which side letters are."""

    part: int
    threshold: float
    above: bool

    @property
    def told(self) -> str:
        """Return the rule for people."""
        side = "above" if self.above else "at most"
        return f"{PARTS[self.part]} {side} {self.threshold:.0f} of 255 is a letter"

    def holds(self, colours: np.ndarray) -> np.ndarray:
        """Tell of colours, (..., 3), whether they are a letter's."""
        held: np.ndarray = (values_of(colours)[..., self.part] > self.threshold) == self.above
        return held


def values_of(colours: np.ndarray) -> np.ndarray:
    """Return the five values of colours, (..., 3), that a rule may look at, (..., 5) float64."""
    colours = np.asarray(colours, float)
    low, high = colours.min(axis=-1), colours.max(axis=-1)
    saturation = 255 * (high - low) / np.maximum(high, 1e-9)
    return np.concatenate([colours, np.stack([saturation, (low + high) / 2], axis=-1)], axis=-1)


class Searched(NamedTuple):
    """A rule that holds, in how many of the pictures that prove it, and some of them with what it keeps."""

    rule: Rule
    rate: Rate
    shown: list[np.ndarray]


def rule_by_shapes(pictures: Sequence[np.ndarray], letters: Sequence[int], colour: bool) -> Searched | None:
    """Search a threshold that leaves what looks like letters, and takes away what does not; None if there is none.

    Letters and noise may have any colours: only the shapes that a threshold leaves and takes are looked at.

    Parameters
    ----------
    pictures : sequence of (h, w, 3) uint8
    letters : sequence of int
        How many letters each has.
    colour : bool
        Else only the lightness is looked at.
    """
    largest = max((picture.shape[0] * picture.shape[1] for picture in pictures), default=0)
    if len(pictures) < 2 * TRIED or 2 * TRIED * largest > MOST_PIXELS:
        return None
    chosen = [round(k) for k in np.linspace(0, len(pictures) - 1, 2 * TRIED)]
    looked = [_Looked.at(pictures[k], letters[k]) for k in chosen]
    learnt, proof = looked[::2], looked[1::2]
    best, most = None, HELD * TRIED - 1
    for rule in _rules(learnt, colour):
        held = 0
        for number, view in enumerate(learnt):
            held += view.divided_by(rule)
            if held + len(learnt) - number - 1 <= most:
                break
        else:
            best, most = rule, held
    if best is None:
        return None
    right = [view.divided_by(best) for view in proof]
    if sum(right) < HELD * len(proof):
        return None
    shown = [
        picture for view, held in zip(proof, right, strict=True) if held for picture in (view.picture, view.kept(best))
    ]
    return Searched(best, Rate.of(np.array(right, bool)), shown[:6])


@dataclass(frozen=True)
class _Looked:
    """A picture, its ground, the five values of its pixels, (h, w, 5), what is no ground, and its number of letters."""

    picture: np.ndarray
    ground: np.ndarray
    values: np.ndarray
    ink: np.ndarray
    letters: int

    @classmethod
    def at(cls, picture: np.ndarray, letters: int) -> "_Looked":
        """Look at a picture: its ground is the commonest colour of its border."""
        edge = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
        colours, counts = np.unique(edge >> 4, axis=0, return_counts=True)
        ground = np.median(edge[(edge >> 4 == colours[counts.argmax()]).all(axis=1)], axis=0)
        ink = np.linalg.norm(picture - ground, axis=2) > NEAR
        return cls(picture, ground, values_of(picture), ink, letters)

    def kept(self, rule: Rule) -> np.ndarray:
        """Return the picture with what a rule keeps in black on white."""
        kept = np.full_like(self.picture, 255)
        kept[self._mask(rule)] = 0
        return kept

    def divided_by(self, rule: Rule) -> bool:
        """Return whether a rule leaves letters, and takes away noise that makes none."""
        mask = self._mask(rule)
        rest, every = self.ink & ~mask, int(self.ink.sum())
        if rest.sum() < LEAST_NOISE * every or mask.sum() < _LEAST_LETTERS * every:
            return False
        like = shapes_of(mask, rest)
        if like.share < LETTERS or like.parts < max(1, (self.letters + 1) // 3) or like.across < LEAST_ACROSS:
            return False
        if shapes_of(rest, np.zeros_like(rest)).share > 1 - LETTERS:
            return False
        apart = rest & ~ndimage.binary_dilation(mask, np.ones((3, 3), bool))  # without the letters' own soft edges
        return self._flat(apart) >= _FLAT and self._flat(mask) >= _FLAT_LETTERS

    def _flat(self, rest: np.ndarray) -> float:
        """Return which share of some pixels have the colour of a neighbour, or stand alone on the ground.

        Thin lines with soft edges, and soft edges of letters, are mixtures with the ground: lighter than the rest,
        though they are drawn in the same colour.
        """
        flat = np.zeros_like(rest)
        alone = rest.copy()
        for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
            for sign in (1, -1):
                beside = np.roll(self.picture, (sign * down, sign * right), axis=(0, 1)).astype(np.int16)
                there = np.roll(rest, (sign * down, sign * right), axis=(0, 1))
                flat |= there & (np.abs(beside - self.picture).max(axis=2) <= _SAME)
                alone &= np.abs(beside - self.ground).max(axis=2) <= _SAME
        return float((flat | alone)[rest].mean()) if rest.any() else 0.0

    def _mask(self, rule: Rule) -> np.ndarray:
        mask: np.ndarray = self.ink & ((self.values[..., rule.part] > rule.threshold) == rule.above)
        return mask


def _rules(looked: Sequence[_Looked], colour: bool) -> Iterator[Rule]:
    """Yield the thresholds that divide the inks of some pictures into tenths."""
    inks = np.concatenate([view.values[view.ink] for view in looked])
    if not len(inks):
        return
    parts = range(len(PARTS)) if colour else (PARTS.index("lightness"),)
    for part in parts:
        levels = np.unique(np.quantile(inks[:, part], np.linspace(0, 1, _LEVELS + 2)[1:-1]).round())
        for threshold, above in product(levels.tolist(), (False, True)):
            yield Rule(part, threshold, above)
