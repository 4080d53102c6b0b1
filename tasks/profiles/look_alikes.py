"""Profiles that imitate generators in wide use, by the defaults that their documentation and source tell.

They are no rungs of the ladder. The faces are of the same kind as the generators'; docs/look-alikes.md shows both side
by side.
"""

import string

from tasks.profiles.colours import Colours
from tasks.profiles.painting import Ground
from tasks.profiles.profile import Ink, Profile
from tasks.profiles.ranges import OFF, Grid

_AS_DRAWN, _MIDDLE = Grid(100, 100), Grid(50, 50)
_GREYS = tuple(f"#{digit * 6}" for digit in "0123456789")  # from black to a middle grey


def _like(name: str, **fields: object) -> Profile:
    """Make a look-alike: without the book's shears and scales, antialiased, in the middle of its picture."""
    plain = {"shear": OFF, "scale": _AS_DRAWN, "ink": Ink.GREY, "place_y": _MIDDLE, "place_x": _MIDDLE}
    return Profile(f"like-{name}", **(plain | fields))  # type: ignore[arg-type]


# PyPI `captcha` 0.7.1: 160 x 60, letters of 42, 50 or 56 px stretched to their cells, turned by up to 30 degrees and
# bent; a space between two of them every other time; an arc and thirty dots; a smoothed picture of two colours.
_CAPTCHA = _like(
    "captcha", fonts=("B612 Mono Bold", "Cabin Medium", "OCR B", "Tuffy Bold"),
    alphabet=string.ascii_uppercase + string.digits, length=(4, 5), height=60, width=160, font_size=52,
    size=Grid(75, 100, 5), stretch=Grid(130, 165, 5), lean=Grid(-150, 150, 10), rotation=Grid(-15, 15),
    weight=Grid(0, 10, 5), tracking=Grid(-6, 22, 2), place_x=Grid(0, 60, 10), letter_ink=Grid(65, 100, 5),
    ground_colour=Colours(lightness=Grid(94, 99), saturation=Grid(0, 80)),
    letter_colour=Colours(lightness=Grid(35, 62), saturation=Grid(0, 80)), contrast=18,
    arcs=Grid(1, 1), specks=Grid(30, 30), speck_size=Grid(3, 3), blur=Grid(1, 1), sharpen=Grid(120, 120),
)  # fmt: skip

# django-simple-captcha 0.7.0: capitals of 22 px, each turned by up to 35 degrees, 2 px apart, near the top; an arc, two
# lines, a dot for each tenth pixel; smoothed, in #001100 on white, as wide as the text.
_DJANGO = _like(
    "django-simple-captcha", fonts=("Cabin Medium", "Routed Gothic", "TeX Gyre Heros"), alphabet=string.ascii_uppercase,
    length=(4, 4), height=31, width=84, top=2, left=1, font_size=23, rotation=Grid(-35, 35), overlap=Grid(-4, -2),
    place_x=Grid(0, 20, 10), place_y=Grid(0, 30, 10), letter_colour=Colours(("#001100",)), lines=Grid(2, 2),
    arcs=Grid(1, 1), specks=Grid(230, 230), speck_size=Grid(1, 1), blur=Grid(1, 1), sharpen=Grid(80, 80),
)  # fmt: skip

# multicolorcaptcha 1.2.0: four digits, each in its own face, size and colour, turned by up to 55 degrees, with two
# lines of its colour through it; two black lines, seventeen discs of any colour; black above and below. At half size.
_MULTICOLOR = _like(
    "multicolorcaptcha",
    fonts=("Averia Serif GWF Bold", "Because We Connect", "CabinSketch Bold", "Kaushan Script", "Leckerli One",
           "OCR B", "TeX Gyre Cursor Bold", "TeX Gyre Heros", "TeX Gyre Schola Bold", "Tomson Talks"),
    alphabet=string.digits, length=(4, 4), height=360, width=640, top=100, left=16, font_size=125, scale=Grid(50, 50),
    own_faces=True, size=Grid(65, 100, 5), rotation=Grid(-55, 55), tracking=Grid(80, 130, 5), move_y=Grid(-18, 18, 2),
    ground_colour=Colours(), letter_colour=Colours(), own_colours=True, contrast=26,
    slashes=Grid(2, 2), slash_width=Grid(2, 2), lines=Grid(2, 2), line_width=Grid(2, 2),
    line_colour=Colours(("#000000",)), blots=Grid(34, 34), blot_size=Grid(12, 12), speck_colour=Colours(),
    own_line_colours=True, frame_y=Grid(50, 50),
)  # fmt: skip

# svg-captcha 1.4.0: 150 x 50, four of 62 characters at even distances in a comic face that is white with a rim and a
# shadow at the lower right, in greys; a Bezier curve across.
_SVG = _like(
    "svg-captcha", fonts=("Averia Serif GWF Bold", "Cabin Medium", "Comic Neue Bold", "Tuffy Bold"),
    alphabet=string.ascii_letters + string.digits, length=(4, 4), height=50, width=150, top=2, left=4, font_size=40,
    tracking=Grid(5, 10), place_y=Grid(50, 70, 10), ground_colour=Colours(("#ffffff",)),
    letter_colour=Colours(("#ffffff",)), weight=Grid(-7, -5), shadow_colour=Colours(_GREYS[:4]),
    shadow_weight=Grid(10, 12), shadow_y=Grid(1, 2), shadow_x=Grid(1, 2), curves=Grid(1, 1),
    line_colour=Colours(_GREYS[1:]),
)  # fmt: skip

# kaptcha 2.3.2, by its source: 200 x 50, five characters in black, Arial or Courier of 40 px, both bold, 2 px apart and
# low; rippled by 1.7 px in 31 px across, by less down; from light grey to white along the diagonal; a Bezier curve
# across (theirs have a second one, short and at the left); a black frame.
_KAPTCHA = _like(
    "kaptcha", fonts=("Inter Bold", "TeX Gyre Cursor Bold", "Tuffy Bold"), own_faces=True,
    alphabet="abcde2345678gfynmpwx", length=(5, 5), height=50, width=200, top=1, left=8, font_size=40,
    overlap=Grid(-4, 0), place_y=Grid(60, 90, 10), wave_y=Grid(15, 19, 2), wave_x=Grid(8, 14, 2),
    wave_length=Grid(30, 33), ground=(Ground.GRADIENT,), ground_angle=Grid(14, 14),
    ground_colour=Colours(("#c0c0c0",)), pattern_colour=Colours(("#ffffff",)), letter_colour=Colours(("#000000",)),
    curves=Grid(1, 1), curve_width=Grid(2, 3), frame_y=Grid(1, 1), frame_x=Grid(1, 1),
)  # fmt: skip

# dchest/captcha, by its source: 240 x 80, six digits of dots in one dark colour on white, that lean by up to 0.35 and
# nearly touch, anywhere; a wave struck through; all of that rippled by 5 to 10 px in 100 to 200; small discs around.
_DCHEST = _like(
    "dchest-captcha", fonts=("Cantarell Bold", "DejaVu Sans Bold", "Routed Gothic", "TeX Gyre Heros"),
    alphabet=string.digits, length=(6, 6), height=80, width=240, top=8, left=8, font_size=56, lean=Grid(-340, 340, 20),
    overlap=Grid(-4, -2), move_y=Grid(-1, 1), place_y=Grid(0, 100, 10), place_x=Grid(0, 100, 10),
    wave_y=Grid(50, 100, 10), wave_x=Grid(50, 100, 10), wave_length=Grid(100, 200, 20),
    letter_colour=Colours(lightness=Grid(10, 45)), letter_ink=Grid(70, 100, 10), ground_colour=Colours(("#ffffff",)),
    strikes=Grid(1, 1), strike_width=Grid(2, 3), blots=Grid(20, 20), blot_size=Grid(4, 4),
    speck_colour=Colours(lightness=Grid(20, 95)), own_line_colours=True,
)  # fmt: skip

LOOK_ALIKES = {profile.name: profile for profile in (_CAPTCHA, _DJANGO, _MULTICOLOR, _SVG, _KAPTCHA, _DCHEST)}
