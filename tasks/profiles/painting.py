"""What a profile may paint besides plain letters: colours, grounds, other letters, other layouts, more noise."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import StrEnum

from tasks.profiles.colours import Colours
from tasks.profiles.ranges import OFF, Distortions, Grid, is_int

FULL, THIN, USUAL, SMALL, BROAD = Grid(100, 100), Grid(1, 1), Grid(16, 16), Grid(40, 40), Grid(8, 8)
MOST_WEIGHTS = 64  # in which every letter is drawn once
LEAST_CONTRAST, MOST_CONTRAST = 10, 210  # tenths: any colours, and black on white


class Ground(StrEnum):
    """What lies under the letters. `tiles` gives each letter a field of its own colour."""

    def __repr__(self) -> str:
        """Write it like TOML, for messages."""
        return f"'{self}'"

    FLAT = "flat"
    GRADIENT = "gradient"
    GRID = "grid"
    STRIPES = "stripes"
    DOTS = "dots"
    CHECKS = "checks"
    TILES = "tiles"
    TEXTURE = "texture"


# Their ranges may begin below 0, which counts as 0, so that they are seldom there.
RARE = (
    "hollow", "lines_under", "arcs_under", "strikes", "ellipses", "crosses", "hatching", "decoys", "salt", "coarse",
    "sharpen", "halftone", "curves", "lenses", "segments", "segments_under",
)  # fmt: skip
COLOUR_FIELDS = (
    "ground_colour", "pattern_colour", "letter_colour", "shadow_colour", "line_colour", "speck_colour", "frame_colour",
)  # fmt: skip
FLAGS = ("own_colours", "own_line_colours", "own_faces")
# With any of these, texts are set into the picture by their own size, and made smaller where they are too large.
FITTED = ("size", "stretch", "lean", "growth", "weight", "hollow", "shadow_y", "shadow_x", "bounce",
          "corners")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Painting(Distortions):
    """Changes that are painted, in colour or in ink; by default there are none.

    A range of what may be rare (see `RARE`) can begin below 0, which counts as 0: -2 to 1 is a wave in every fourth
    picture.
    Colours that are not given: white ground, black letters, shadows and lines in the letters' colour, specks in the
    lines'. Lengths of letters and layout are in pixels before scaling, those of grounds and noise in the picture's.

    Parameters
    ----------
    ground_colour, pattern_colour, letter_colour, shadow_colour : Colours, optional
        Colours of the ground, of what is drawn on it, of letters and shadows.
    line_colour, speck_colour, frame_colour : Colours, optional
        Colours of strokes, of specks and blots, and of the frame, which is black by default.
    own_colours, own_line_colours : bool
        Each letter has its own colour; strokes and specks have eight colours in turn.
    contrast : int
        The least contrast of a letter to everything in the ground, in tenths of WCAG's ratio: 30 is 3 : 1. Colours
        are made lighter or darker until they have it.
    ground : tuple of Ground
        Grounds to choose from.
    ground_size, ground_width : Grid
        The period of a ground's pattern, and the width of its lines or the radius of its dots, in pixels.
    ground_ink : Grid
        How far the colours of pattern and tiles are from the ground's colour to their own, in percent.
    ground_angle : Grid
        Degrees by which the pattern is turned, clockwise.
    own_faces : bool
        Each letter has its own face; the letters stand on one line.
    size : Grid
        Percent; each letter has its own.
    growth : Grid
        Percent by which the last letter is larger than the first.
    weight : Grid
        1/10 px by which outlines move outwards; below 0 letters are thinner.
    hollow : Grid
        Width of the outline that is all that is drawn of a letter, in 1/10 px; 0 draws solid letters.
    shadow_y, shadow_x : Grid
        Pixels down and to the right of a letter where a solid copy of it lies behind all letters.
    shadow_ink, shadow_weight : Grid
        How much the copy covers, in percent, and its weight: a heavier copy without a shift is a rim.
    bounce : Grid
        Pixels by which every second letter stands lower.
    place_y, place_x : Grid, optional
        Where the text stands, in percent of the room that it leaves: 0 is top and left, 100 bottom and right.
    lines_under, arcs_under : Grid
        Strokes under the letters; `lines` and `arcs` are over them.
    strikes, strike_width, strike_ink : Grid
        Waves struck through the whole text.
    ellipses, rings, crosses, shape_width, shape_ink : Grid
        Shapes under the letters; each ellipse has so many rings.
    hatching, hatching_width, hatching_ink : Grid
        Parallel lines under the letters, with so many pixels from line to line; 0 is none.
    decoys, decoy_size, decoy_ink : Grid
        Small letters under the text; their size in percent.
    salt : Grid
        Pixels that are white or black, in 1/1000 of all.
    coarse : Grid
        The picture in squares of so many pixels; 1 is as it is.
    sharpen : Grid
        Percent of the difference to the blurred picture that is added.
    halftone : Grid
        Levels that a picture is printed with; 0 leaves all.
    stretch : Grid
        Percent of its height to which each letter is stretched; its width stays.
    lean : Grid
        Angle by which each letter is sheared about its own centre, before it is turned, in 1/1000 radian.
    letter_ink : Grid
        How much letters cover what is under them, in percent; two that overlap cover it more.
    speck_size : Grid
        Specks are squares of so many pixels; 0 is 1 or 2 by 1 or 2.
    blots, blot_size : Grid
        Discs over the letters; the largest diameter in pixels, of which each has a third to the whole.
    slashes, slash_width : Grid
        Lines through each letter, in its colour.
    frame_y, frame_x : Grid
        Pixels at top and bottom, and at left and right, that a frame covers.
    corners : Grid
        Percent of a letter's height and width by which each of its four corners is moved at most; each letter has its
        own, after it is turned.
    curves, curve_width, curve_ink : Grid
        Cubic Bezier curves from the left to the right edge, over the letters.
    curve_dash : Grid
        A curve is drawn for so many pixels, then left out for as many; 0 draws all of it.
    lenses : Grid
        Ellipses in which the letters are magnified, made smaller or whirled; what is under and over them stays.
    lens_y, lens_x : Grid
        Height and width of a lens, in percent of the picture's.
    lens_power : Grid
        Percent: above 0 the middle of a lens magnifies, below 0 it makes smaller.
    lens_turn : Grid
        Degrees by which the middle of a lens is turned, counter-clockwise.
    segments, segments_under : Grid
        Straight lines anywhere and in any direction, over and under the letters.
    segment_width, segment_ink : Grid
        Their width in pixels, and how much they cover, in percent.
    segment_length : Grid
        Length of the longest, in percent of the picture's width; each has a fifth of that to the whole.
    """

    ground_colour: Colours | None = None
    pattern_colour: Colours | None = None
    letter_colour: Colours | None = None
    shadow_colour: Colours | None = None
    line_colour: Colours | None = None
    speck_colour: Colours | None = None
    frame_colour: Colours | None = None
    own_colours: bool = False
    own_line_colours: bool = False
    contrast: int = LEAST_CONTRAST
    ground: tuple[Ground, ...] = (Ground.FLAT,)
    ground_size: Grid = USUAL
    ground_width: Grid = THIN
    ground_angle: Grid = OFF
    ground_ink: Grid = FULL
    own_faces: bool = False
    size: Grid = FULL
    growth: Grid = OFF
    weight: Grid = OFF
    hollow: Grid = OFF
    shadow_y: Grid = OFF
    shadow_x: Grid = OFF
    shadow_ink: Grid = FULL
    shadow_weight: Grid = OFF
    bounce: Grid = OFF
    place_y: Grid | None = None
    place_x: Grid | None = None
    lines_under: Grid = OFF
    arcs_under: Grid = OFF
    strikes: Grid = OFF
    strike_width: Grid = THIN
    strike_ink: Grid = FULL
    ellipses: Grid = OFF
    rings: Grid = THIN
    crosses: Grid = OFF
    shape_width: Grid = THIN
    shape_ink: Grid = FULL
    hatching: Grid = OFF
    hatching_width: Grid = THIN
    hatching_ink: Grid = FULL
    decoys: Grid = OFF
    decoy_size: Grid = SMALL
    decoy_ink: Grid = FULL
    salt: Grid = OFF
    coarse: Grid = THIN
    sharpen: Grid = OFF
    halftone: Grid = OFF
    stretch: Grid = FULL
    lean: Grid = OFF
    letter_ink: Grid = FULL
    speck_size: Grid = OFF
    blots: Grid = OFF
    blot_size: Grid = BROAD
    slashes: Grid = OFF
    slash_width: Grid = THIN
    frame_y: Grid = OFF
    frame_x: Grid = OFF
    corners: Grid = OFF
    curves: Grid = OFF
    curve_width: Grid = THIN
    curve_ink: Grid = FULL
    curve_dash: Grid = OFF
    lenses: Grid = OFF
    lens_y: Grid = FULL
    lens_x: Grid = FULL
    lens_power: Grid = OFF
    lens_turn: Grid = OFF
    segments: Grid = OFF
    segments_under: Grid = OFF
    segment_width: Grid = THIN
    segment_ink: Grid = FULL
    segment_length: Grid = FULL

    @property
    def colour(self) -> bool:
        """Return whether pictures have three channels, sRGB, instead of ink."""
        return any(getattr(self, field) is not None for field in COLOUR_FIELDS)

    @property
    def fits_text(self) -> bool:
        """Return whether each text is set into the picture by its own size."""
        return self.own_faces or any(self.changes(name) for name in ("place_y", "place_x", *FITTED))

    @property
    def paints(self) -> bool:
        """Return whether any field of this class differs from its default, so that pictures are painted."""
        return any(self.changes(field.name) for field in fields(Painting) if field.name not in _PLAIN)

    @property
    def adds_noise(self) -> bool:
        """Return whether strokes, specks, shade or blur are drawn, whose values are stored together."""
        return super().adds_noise or self.changes("lines_under") or self.changes("arcs_under")

    @property
    def resamples(self) -> bool:
        """Return whether each letter is drawn as it looks alone, and resampled."""
        return self.moves_letters or self.paints

    def changes(self, name: str) -> bool:
        """Return whether a field differs from its default."""
        return bool(getattr(self, name) != Painting.__dataclass_fields__[name].default)


_PLAIN = {field.name for field in fields(Distortions)}
GRIDS = tuple(field.name for field in fields(Painting) if "Grid" in str(field.type) and field.name not in _PLAIN)


def broken_rules(painting: Painting) -> Iterator[tuple[str, str]]:
    """Yield the fields that break their rules, besides ranges, and the rules."""
    for name in COLOUR_FIELDS:
        if not isinstance(getattr(painting, name), Colours | None):
            yield name, "a colour such as '#1f77b4', a list of them, or a table with hue, saturation and lightness"
    for name in FLAGS:
        if not isinstance(getattr(painting, name), bool):
            yield name, "true or false"
    if not (is_int(painting.contrast) and LEAST_CONTRAST <= painting.contrast <= MOST_CONTRAST):
        yield "contrast", f"a whole number from {LEAST_CONTRAST} (any) to {MOST_CONTRAST} (black on white) tenths"
    if len(painting.weight.values()) * len(painting.hollow.values()) > MOST_WEIGHTS:
        yield "weight", f"so few values that there are at most {MOST_WEIGHTS} pairs with those of hollow"
    if _unseen(painting):
        yield "letter_colour", "another colour than the ground's, unless there is a contrast above 10 or a shadow"
    grounds = painting.ground
    if not (
        isinstance(grounds, tuple) and grounds and all(isinstance(ground, Ground) for ground in grounds)
        and len(set(grounds)) == len(grounds)
    ):  # fmt: skip
        yield "ground", f"a list of different ones of {', '.join(Ground)}"
    elif painting.pattern_colour is None and grounds != (Ground.FLAT,):
        yield "ground", "flat alone, unless there is a pattern_colour to draw others with"


def _unseen(painting: Painting) -> bool:
    """Return whether no letter can differ from the ground, whatever is drawn by chance."""
    letter, ground = painting.letter_colour or Colours(("#000000",)), painting.ground_colour or Colours(("#ffffff",))
    told_apart = ("contrast", "ground", "shadow_y", "shadow_x", "shadow_weight")
    if not isinstance(letter, Colours) or not isinstance(ground, Colours) or letter.only is None:
        return False
    return letter.only == ground.only and not any(map(painting.changes, told_apart))
