"""Profiles of pictures unlike those that a model learnt from, drawn at random: what its confidence is fitted on."""

import string
from collections.abc import Sequence

import numpy as np

from tasks.profiles.colours import Colours
from tasks.profiles.painting import Ground
from tasks.profiles.profile import Ink, Profile
from tasks.profiles.ranges import OFF, Grid

_CAPITALS, _SMALL, _DIGITS = string.ascii_uppercase, string.ascii_lowercase, string.digits
_ALPHABETS = (_CAPITALS, _SMALL, _DIGITS, _CAPITALS + _DIGITS, _SMALL + _DIGITS, _CAPITALS + _SMALL + _DIGITS)
_FORMS, _NOISE = 0.5, 0.3  # the largest shares of the changes that a profile has, of its letters' forms and of noise
_COLOURFUL = 0.7
_MOST_FACES = 4


def unfamiliar_profiles(seed: int, count: int, faces: Sequence[str], known: str = _ALPHABETS[-1]) -> list[Profile]:
    """Draw profiles that differ from each other and from those of the package.

    Parameters
    ----------
    seed : int
        Equal seeds and faces give equal profiles.
    count : int
    faces : sequence of str
        Names of bundled faces, or font files.
    known : str
        The letters that a model knows; a profile has no others.
    """
    alphabets = ["".join(letter for letter in alphabet if letter in known) for alphabet in _ALPHABETS]
    possible = [alphabet for alphabet in alphabets if len(alphabet) > 1] or [known]
    return [_profile(number, np.random.Generator(np.random.Philox(key=[seed, number])), faces, possible)
            for number in range(count)]  # fmt: skip


def _profile(number: int, chance: np.random.Generator, faces: Sequence[str], alphabets: Sequence[str]) -> Profile:
    shortest = int(chance.integers(3, 7))
    longest = min(shortest + int(chance.integers(0, 3)), 7)
    size = int(chance.integers(18, 52))
    height, width = int(size * chance.uniform(1.2, 2.2)), int(size * (longest + 1) * chance.uniform(0.6, 1.0))
    some = chance.choice(len(faces), min(int(chance.integers(1, _MOST_FACES + 1)), len(faces)), replace=False)
    fields: dict[str, object] = {
        "fonts": tuple(faces[k] for k in some.tolist()), "alphabet": alphabets[int(chance.integers(len(alphabets)))],
        "length": (shortest, longest), "height": height, "width": width, "font_size": size,
        "ink": Ink.GREY, "shear": OFF, "scale": Grid(100, 100), "place_y": Grid(20, 80, 10),
        "place_x": Grid(0, 100, 10), "left": int(chance.integers(0, 6)),
    }  # fmt: skip
    for changes, most in ((_forms(chance, size), _FORMS), (_noise(chance, size), _NOISE)):
        share = chance.uniform(0, most)
        for change in changes:
            if chance.random() < share:
                fields |= change
    if chance.random() < _COLOURFUL:
        fields |= _colours(chance)
    return Profile(f"unfamiliar-{number}", **fields)  # type: ignore[arg-type]


def _forms(chance: np.random.Generator, size: int) -> list[dict[str, object]]:
    """Return changes of the letters' forms, each stronger than in the package's profiles, or not in them."""
    small = size // 12
    turn, slope, wave = _upto(chance, 60, 5), _upto(chance, 400, 50), _upto(chance, 15 * small)
    return [
        {"rotation": Grid(-turn, turn)}, {"lean": Grid(-slope, slope)}, {"shear": Grid(-slope, slope)},
        {"tracking": Grid(-_upto(chance, size / 4), _upto(chance, size / 3))},
        {"move_y": Grid(-_upto(chance, size / 4), _upto(chance, size / 4))},
        {"bounce": Grid(-_upto(chance, size / 4), _upto(chance, size / 4))},
        {"wave_y": Grid(0, wave), "wave_length": Grid(2 * size, 4 * size)},
        {"wave_x": Grid(0, wave), "wave_length": Grid(2 * size, 4 * size)},
        {"size": Grid(50, 150, 10)}, {"growth": Grid(-50, 50, 10)}, {"stretch": Grid(60, 200, 10)},
        {"weight": Grid(-_upto(chance, 3 * small), _upto(chance, 5 * small), 6)},
        {"hollow": Grid(_upto(chance, 8), _upto(chance, 25, 9), 8)}, {"own_faces": True},
        {"letter_ink": Grid(30, 80, 10)},
        {"shadow_y": Grid(-small, small), "shadow_x": Grid(-small, small), "shadow_ink": Grid(30, 100, 10),
         "shadow_weight": Grid(0, _upto(chance, 12))},
        {"slashes": Grid(0, _upto(chance, 3)), "slash_width": Grid(1, _upto(chance, 3))},
        {"blur": Grid(1, _upto(chance, 4))}, {"sharpen": Grid(0, _upto(chance, 200))},
        {"coarse": Grid(1, _upto(chance, 3))},
    ]  # fmt: skip


def _noise(chance: np.random.Generator, size: int) -> list[dict[str, object]]:
    """Return changes of what is under and over the letters, as `_forms` does."""
    return [
        {"lines": Grid(0, _upto(chance, 8)), "line_width": Grid(1, _upto(chance, 4))},
        {"arcs": Grid(0, _upto(chance, 5)), "line_width": Grid(1, _upto(chance, 4))},
        {"lines_under": Grid(0, _upto(chance, 10))}, {"arcs_under": Grid(0, _upto(chance, 8))},
        {"strikes": Grid(1, _upto(chance, 3)), "strike_width": Grid(1, _upto(chance, 5))},
        {"ellipses": Grid(0, _upto(chance, 4)), "rings": Grid(1, _upto(chance, 4))},
        {"crosses": Grid(0, _upto(chance, 12))},
        {"hatching": Grid(_upto(chance, 12, 4), _upto(chance, 24, 12)), "hatching_ink": Grid(20, 80, 10)},
        {"decoys": Grid(0, _upto(chance, 20)), "decoy_ink": Grid(20, 80, 10)},
        {"specks": Grid(0, _upto(chance, size * size / 8)), "speck_size": Grid(1, _upto(chance, 3))},
        {"salt": Grid(0, _upto(chance, 80))}, {"halftone": Grid(2, _upto(chance, 16, 2))},
        {"blots": Grid(0, _upto(chance, 30)), "blot_size": Grid(2, _upto(chance, size / 3, 3))},
        {"frame_y": Grid(0, _upto(chance, 6)), "frame_x": Grid(0, _upto(chance, 6))},
        {"background": Grid(0, _upto(chance, 60))},
    ]  # fmt: skip


def _upto(chance: np.random.Generator, most: float, least: int = 1) -> int:
    return int(chance.integers(least, max(int(most), least) + 1))


def _colours(chance: np.random.Generator) -> dict[str, object]:
    grounds = tuple(Ground)
    fields: dict[str, object] = {
        "ground_colour": Colours(), "letter_colour": Colours(), "contrast": int(chance.integers(13, 60)),
        "own_colours": bool(chance.random() < 0.4),
    }  # fmt: skip
    if chance.random() < 0.5:
        fields |= {"line_colour": Colours(), "own_line_colours": bool(chance.random() < 0.5)}
    if chance.random() < 0.5:
        fields |= {"speck_colour": Colours(), "shadow_colour": Colours()}
    if chance.random() < 0.4:
        fields |= {
            "ground": (grounds[chance.integers(len(grounds))],), "pattern_colour": Colours(),
            "ground_size": Grid(6, 30, 2), "ground_width": Grid(1, 3), "ground_angle": Grid(0, 345, 15),
            "ground_ink": Grid(10, 60, 10),
        }  # fmt: skip
    return fields
