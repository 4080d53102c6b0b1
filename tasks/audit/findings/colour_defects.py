"""Noise whose colour is not the letters': it can be taken away by colour alone."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tasks.audit.findings.colour_rules import (
    LEAST_ACROSS,
    LEAST_NOISE,
    LETTERS,
    PARTS,
    Rule,
    Searched,
    rule_by_shapes,
    values_of,
)
from tasks.audit.findings.measuring.inks import Layer, layers_of, shapes_of
from tasks.audit.findings.measuring.sampled import Sampled
from tasks.audit.findings.measuring.shown import Severity, figure, finding, sheet
from tasks.audit.schema import Figure, Finding
from tasks.rates import Rate

MOST_PICTURES = 300
MOST_PIXELS = 6_000_000
LEAST_PICTURES = 20
OFTEN, SELDOM = 0.5, 0.25  # share of the pictures that colour alone divides, of high and of low severity
MIXED = 0.5  # of the pixels of each colour of noise, at most
RULE = 0.95  # share of pixels that one threshold puts on the right side, from which it is a rule


@dataclass(frozen=True)
class Divided:
    """A picture, the layers that make its letters and those that make noise, and whether one colour makes all letters.

    Without layers of noise where no colours make letters alone.
    """

    picture: np.ndarray
    letters: list[Layer]
    noise: list[Layer]

    @property
    def clean(self) -> bool:
        """Return whether the letters have one colour, and the noise has others."""
        return len(self.letters) == 1 and bool(self.noise)


def find_colour(sample: Sampled) -> Finding:
    """Ask whether noise can be told from letters by colour alone, within each picture, or by one rule for all."""
    title = "Noise of another colour"
    pixels = max(1, sample.pictures[0].shape[0] * sample.pictures[0].shape[1])
    step = max(1, -(-len(sample.pictures) // min(MOST_PICTURES, max(LEAST_PICTURES, MOST_PIXELS // pixels))))
    divided = [divide(picture, len(text)) for picture, text in
               zip(sample.seen[::step], sample.texts[::step], strict=True)]  # fmt: skip
    n = len(divided)
    noisy = [one for one in divided if one.noise]
    clean = [one for one in noisy if one.clean]
    rate = Rate(len(clean), n)
    rule, told, of = _rule(noisy)
    figures = {
        "n": n, "with_noise_of_another_colour": len(noisy), "divided_by_colour": rate.as_dict(),
        "rule": None if rule is None else rule.told, "rule_right": told, "rule_n": of,
    }  # fmt: skip
    if n < LEAST_PICTURES:
        return finding("colour", title, "unknown", f"{n} pictures are too few.", None, figures)
    ruled = rule is not None and len(noisy) >= OFTEN * n
    if rate.low < SELDOM and not ruled:
        searched = rule_by_shapes(sample.seen, [len(text) for text in sample.texts], sample.colour)
        if searched is not None:
            return _of_many_colours(title, figures, searched, sample.colour)
        plain = (
            "Colour alone does not divide letters from noise: noise has the letters' colours, or there is none "
            f"({n:,} pictures)."
        )
        return finding("colour", title, "none", plain, None, figures)
    severity: Severity = "high" if (rate.low >= OFTEN or ruled) and sample.colour else "low"
    plain = f"In {100 * rate.value:.0f} % of {n:,} pictures the letters have a colour that the noise does not have."
    if not sample.colour:
        plain = f"In {100 * rate.value:.0f} % of {n:,} pictures the noise is lighter or darker than the letters."
    if rule is not None:
        plain += f" One rule holds for all: {rule.told} (right for {100 * told:.3g} % of the pixels)."
    if (
        rule is not None and rate.low < SELDOM
    ):  # letters of many colours: no single colour makes them, so only the rule is worth telling
        plain = (
            f"One rule tells letters from noise in all pictures: {rule.told} (right for {100 * told:.3g} % of the "
            "pixels)."
        )
    plain += " A program keeps the letters' colour and drops all else; the noise then hinders people only."
    return finding(
        "colour", title, severity, plain, "Draw lines and specks in the colour of the letters that they cross.",
        figures, _cleaned(clean or noisy, rule),
    )  # fmt: skip


def _of_many_colours(title: str, figures: dict[str, object], searched: Searched, colour: bool) -> Finding:
    """Say that a rule tells letters from noise, though both have colours that no picture has in common."""
    told = searched.rule.told
    figures |= {"rule": told, "rule_right": searched.rate.value, "rule_n": searched.rate.n}
    plain = (
        f"One rule leaves the letters and takes most of the noise away: {told} (in {searched.rate.right} of "
        f"{searched.rate.n} pictures that were tried). A program that keeps it reads pictures without noise; the noise "
        "then hinders people only."
    )
    shown = figure(
        sheet(searched.shown, 2), f"On the left pictures as they are, on the right what the rule keeps ({told})."
    )
    return finding(
        "colour", title, "high" if colour else "low", plain,
        "Draw lines and specks in the colour of the letters that they cross.", figures, [shown],
    )  # fmt: skip


def divide(picture: np.ndarray, letters: int) -> Divided:
    """Divide a picture's colours into those of letters and those of noise, by the shapes that they make.

    A single colour is tried first, then all colours but one.

    Parameters
    ----------
    picture : (h, w, 3) uint8
    letters : int
        How many letters it has.
    """
    layers = layers_of(picture)
    every = np.logical_or.reduce([layer.mask for layer in layers]) if layers else np.zeros(picture.shape[:2], bool)
    singles = [[layer] for layer in layers]
    all_but_one = [[layer for layer in layers if layer is not one] for one in layers] if len(layers) > 2 else []
    for choices in (singles, all_but_one):
        found = [(_likeness(chosen, layers, every, letters), chosen) for chosen in choices]
        most, best = max(found, key=lambda pair: pair[0], default=(0.0, []))
        if most:
            return Divided(picture, best, [layer for layer in layers if all(layer is not one for one in best)])
    return Divided(picture, layers, [])


def _likeness(chosen: list[Layer], layers: list[Layer], every: np.ndarray, letters: int) -> float:
    """Return which share of some layers' pixels is in parts like letters; 0 unless they make all letters, and no noise.

    Then the other layers are noise: neither together nor alone do they make letters.
    """
    mask = np.logical_or.reduce([layer.mask for layer in chosen])
    rest = every & ~mask
    if rest.sum() < LEAST_NOISE * every.sum():
        return 0.0
    like = shapes_of(mask, rest)
    if like.share < LETTERS or like.parts < max(1, (letters + 1) // 3) or like.across < LEAST_ACROSS:
        return 0.0
    # Across letters the bits of a line beside them would join and be as high as letters.
    if shapes_of(rest, np.zeros_like(rest)).share > 1 - LETTERS:
        return 0.0
    others = [layer for layer in layers if all(layer is not one for one in chosen)]
    mixed = any(shapes_of(layer.mask, every & ~layer.mask).share > MIXED for layer in others)
    return 0.0 if mixed else like.share


def _rule(divided: list[Divided]) -> tuple[Rule | None, float, int]:
    """Find a threshold that tells letters' colours from noise's in all pictures, proven on every second picture."""

    def gather(some: list[Divided]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        layers = [(layer, True) for one in some for layer in one.letters]
        layers += [(layer, False) for one in some for layer in one.noise]
        colours = np.array([layer.colour for layer, _ in layers], float).reshape(-1, 3)
        letter = np.array([is_letter for _, is_letter in layers], bool)
        weight = np.array([layer.pixels for layer, _ in layers], float)
        for kind in (letter, ~letter):  # both kinds weigh the same
            weight[kind] /= max(1.0, weight[kind].sum())
        return colours, letter, weight

    if len(divided) < LEAST_PICTURES:
        return None, 0.0, 0
    colours, letter, weight = gather(divided[::2])
    values = values_of(colours)
    best = (0.0, 0.0, 0, 0.0, True)
    for part in range(len(PARTS)):
        levels = np.unique(values[:, part])
        for low, high in pairwise(levels.tolist()):
            threshold = (low + high) / 2
            for above in (True, False):
                guess = (values[:, part] > threshold) == above
                score = float(weight[guess == letter].sum()) / 2
                best = max(best, (score, high - low, part, threshold, above))  # of equals the one with most room
    rule = Rule(*best[2:])
    colours, letter, weight = gather(divided[1::2])
    proven = float(weight[rule.holds(colours) == letter].sum()) / 2
    found = rule if min(best[0], proven) >= RULE else None
    return found, round(proven, 4), len(divided[1::2])


def _cleaned(divided: list[Divided], rule: Rule | None) -> list[Figure]:
    """Show pictures beside what is left of them: by the rule if it holds for all, else by each picture's colours."""
    shown = []
    for one in divided[:3]:
        cleaned = np.full_like(one.picture, 255)
        for layer in one.letters if rule is None else [*one.letters, *one.noise]:
            if rule is None or rule.holds(layer.colour):
                cleaned[layer.mask] = 0
        shown += [one.picture, cleaned]
    if not shown:
        return []
    kept = "only the letters' colour of each" if rule is None else f"what the rule keeps ({rule.told})"
    return [figure(sheet(shown, 2), f"On the left pictures as they are, on the right {kept}.")]
