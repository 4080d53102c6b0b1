"""Profiles drawn at random: of pictures that a model's confidence is fitted on, and of pictures that it learns from."""

import functools
import string
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from storage.errors import BadInput
from storage.shards.shard import Block
from tasks.datasets.recipe import make_recipe, renderer_of
from tasks.profiles.colours import Colours
from tasks.profiles.fonts import find_face
from tasks.profiles.glyphs import draw_glyphs
from tasks.profiles.painting import FULL, Ground
from tasks.profiles.profile import Ink, Profile
from tasks.profiles.ranges import OFF, Grid

_CAPITALS, _SMALL, _DIGITS = string.ascii_uppercase, string.ascii_lowercase, string.digits
_ALPHABETS = (_CAPITALS, _SMALL, _DIGITS, _CAPITALS + _DIGITS, _SMALL + _DIGITS, _CAPITALS + _SMALL + _DIGITS)
_FORMS, _NOISE = 0.5, 0.3  # the largest shares of the changes that a profile has, of its letters' forms and of noise
_COLOURFUL = 0.7
_RELIEF = 0.15  # the share of profiles whose letters are in the ground's colour
_MOST_FACES = 4
_LENGTHS = (3, 7)
_SMALLEST, _LARGEST = 18, 52  # px of a face
_TOLD_APART = "abdeghnqrt"  # letters of which the capital has another form
_COMPARED = 20  # rows and columns that letters are compared at
_ONE_CASE = 0.75  # of the ink that small letters and capitals have in common: more, and a face has one case
_TRIES = 8  # profiles in a row whose pictures cannot be drawn


@dataclass(frozen=True)
class Varied:
    """Profiles drawn at random, another for each block, whose pictures are drawn as they are needed.

    faces : tuple of str
        Names of bundled faces, or font files.
    """

    faces: tuple[str, ...]
    seed: int
    weight: float = 1.0
    name = "varied"
    alphabet = _ALPHABETS[-1]
    length = _LENGTHS
    words = ""
    size = (_LARGEST * 2, _LARGEST * _LENGTHS[1])

    def block(self, number: int) -> Block:
        """Draw a block, of the first profile whose letters fit into its pictures and are all to be seen there.

        Raises
        ------
        BadInput
            No profile is so, or a face lacks letters.
        """
        for tried in range(number * _TRIES, (number + 1) * _TRIES):
            try:
                recipe = make_recipe(unfamiliar_profile(self.seed, tried, self.faces), self.seed)
                return renderer_of(recipe).block(self.seed, number)
            except BadInput as error:
                unfit = error
        raise unfit


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
    return [unfamiliar_profile(seed, number, faces, possible) for number in range(count)]


def unfamiliar_profile(
    seed: int, number: int, faces: Sequence[str], alphabets: Sequence[str] = _ALPHABETS, relief: float = _RELIEF
) -> Profile:
    """Draw a profile, as `unfamiliar_profiles` does; `relief` is the chance of letters in the ground's colour."""
    chance = np.random.Generator(np.random.Philox(key=[seed, number]))
    shortest = int(chance.integers(_LENGTHS[0], _LENGTHS[1]))
    longest = min(shortest + int(chance.integers(0, 3)), _LENGTHS[1])
    size = int(chance.integers(_SMALLEST, _LARGEST))
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
    if chance.random() < relief:
        fields |= _relief(chance, size)
    if any(one_case(faces[k]) for k in some.tolist()):
        capitals = "".join(sorted({letter.upper() for letter in str(fields["alphabet"])}))
        fields["alphabet"] = capitals if len(capitals) > 1 else fields["alphabet"]
    return Profile(f"unfamiliar-{number}", **fields)  # type: ignore[arg-type]


@functools.cache
def one_case(name: str) -> bool:
    """Tell whether a face draws small letters as capitals, of any size: its small letters are no labels.

    Raises
    ------
    BadInput
        The face lacks letters.
    """
    small, capital = (
        [_form(bitmap) for bitmap in _bitmaps(name, letters)] for letters in (_TOLD_APART, _TOLD_APART.upper())
    )
    common = [(a & b).sum() / max((a | b).sum(), 1) for a, b in zip(small, capital, strict=True)]
    return bool(np.mean(common) > _ONE_CASE)


def _bitmaps(name: str, letters: str) -> list[np.ndarray]:
    glyphs = draw_glyphs(find_face(name), 2 * _COMPARED, letters, Ink.BINARY, alone=True)
    return [glyphs.bitmaps[number] for number in glyphs.variant[-1].tolist()]


def _form(bitmap: np.ndarray) -> np.ndarray:
    """Return a letter at the size that forms are compared at, (20, 20) bool."""
    rows, columns = (np.arange(_COMPARED) * size // _COMPARED for size in bitmap.shape)
    return np.asarray(bitmap[np.ix_(rows, columns)] > 0)


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
        {"coarse": Grid(1, _upto(chance, 3))}, {"corners": Grid(0, _upto(chance, 35))},
        {"lenses": Grid(1, _upto(chance, 2)), "lens_y": Grid(50, 100, 10), "lens_x": Grid(30, 100, 10),
         "lens_power": Grid(-_upto(chance, 60), _upto(chance, 50)), "lens_turn": Grid(-turn, turn)},
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
        {"curves": Grid(0, _upto(chance, 4)), "curve_width": Grid(1, _upto(chance, 4)),
         "curve_dash": Grid(0, _upto(chance, 12))},
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


def _relief(chance: np.random.Generator, size: int) -> dict[str, object]:
    """Return the fields of letters that only their rim and shadow show, as stamped or engraved ones have them."""
    light = bool(chance.random() < 0.85)
    ground = int(chance.integers(80, 101)) if chance.random() < 0.5 else 100
    shade = int(chance.integers(0, 45))
    down, right = (int(chance.choice((-1, 1))) * int(chance.integers(1, max(2, size // 14) + 1)) for _ in "yx")
    thin, rim = int(chance.integers(0, 8)), int(chance.integers(0, 14))
    colour = Colours(lightness=Grid(ground, ground) if light else Grid(100 - ground, 100 - ground), saturation=OFF)
    return {
        "ground": (Ground.FLAT,), "ground_colour": colour, "letter_colour": colour, "own_colours": False,
        "shadow_colour": Colours(lightness=Grid(shade, shade + 20) if light else Grid(80 - shade, 100 - shade)),
        "contrast": 10,
        "hollow": OFF, "letter_ink": FULL, "shadow_ink": FULL, "weight": Grid(-thin, 1 - thin),
        "shadow_weight": Grid(rim, rim + 2), "shadow_y": Grid(min(down, 2 * down), max(down, 2 * down)),
        "shadow_x": Grid(min(right, 2 * right), max(right, 2 * right)),
    }  # fmt: skip
