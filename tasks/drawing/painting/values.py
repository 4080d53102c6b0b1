"""Draw the values of what a profile paints: numbers, faces, sizes and colours, a column of a block's table each."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike

from storage.errors import BadInput
from tasks.drawing.painting import contrast
from tasks.drawing.painting.grounds import NUMBERS as GROUNDS
from tasks.drawing.randomness import below
from tasks.profiles.colours import PARTS, Colours
from tasks.profiles.painting import COLOUR_FIELDS, GRIDS, LEAST_CONTRAST, RARE, Ground
from tasks.profiles.profile import Profile
from tasks.profiles.ranges import Grid

# Columns of a block's random table, 512 and up; those below are in renderer.py and distortions.py. New values get
# numbers of their own at the end, so that a new column moves no other.
KEY, GROUND = 512, 513
COLUMNS = {
    "ground_size": 514, "ground_width": 515, "ground_angle": 516, "growth": 517, "weight": 518, "hollow": 519,
    "shadow_y": 520, "shadow_x": 521, "shadow_ink": 522, "shadow_weight": 523, "bounce": 524, "place_y": 525,
    "place_x": 526, "lines_under": 527, "arcs_under": 528, "strikes": 529, "strike_width": 530, "strike_ink": 531,
    "ellipses": 532, "rings": 533, "crosses": 534, "shape_width": 535, "shape_ink": 536, "hatching": 537,
    "hatching_width": 538, "hatching_ink": 539, "decoys": 540, "decoy_size": 541, "decoy_ink": 542, "salt": 543,
    "coarse": 544, "sharpen": 545, "halftone": 546, "ground_ink": 547, "letter_ink": 560, "speck_size": 561,
    "blots": 562, "blot_size": 563, "slashes": 564, "slash_width": 565, "frame_y": 566, "frame_x": 567,
    "curves": 568, "curve_width": 569, "curve_ink": 570, "curve_dash": 571, "lenses": 572, "lens_y": 573,
    "lens_x": 574, "lens_power": 575, "lens_turn": 576, "segments": 577, "segments_under": 578, "segment_width": 579,
    "segment_ink": 580, "segment_length": 581,
}  # fmt: skip
LETTER_COLUMNS = {"face": 1024, "size": 1056, "stretch": 1088, "lean": 1120, "corners": 1152}  # letter k adds k
# Colour k of a role takes three columns from 3 k on: hue (or the number in a list), saturation, lightness.
TILES = 2048 + 128 * 6  # after the first six fields
COLOUR_COLUMNS = {name: 2048 + 128 * (number + (number > 5)) for number, name in enumerate(COLOUR_FIELDS)}
TURNS = 8  # colours that strokes have in turn
_WIDE = (0, 45, 90, 135, 180)  # degrees; near one of them a text is widest or highest
# Fields without effect where the first is 0 (or, of the ground, where it is not of a kind): they are 0 then.
_IDLE = {
    ("strikes",): ("strike_width", "strike_ink"),
    ("ellipses",): ("rings",),
    ("ellipses", "crosses"): ("shape_width", "shape_ink"),
    ("hatching",): ("hatching_width", "hatching_ink"),
    ("decoys",): ("decoy_size", "decoy_ink"),
    ("specks",): ("speck_size",),
    ("blots",): ("blot_size",),
    ("slashes",): ("slash_width",),
    ("curves",): ("curve_width", "curve_ink", "curve_dash"),
    ("lenses",): ("lens_y", "lens_x", "lens_power", "lens_turn"),
    ("segments", "segments_under"): ("segment_width", "segment_ink", "segment_length"),
    ("frame_y", "frame_x"): ("frame_colour",),
    ("shadow_y", "shadow_x", "shadow_weight"): ("shadow_ink", "shadow_colour"),
}
_LINES = ("lines", "arcs", "lines_under", "arcs_under")
_STROKES = (*_LINES, "strikes", "ellipses", "crosses", "hatching", "decoys", "curves", "segments",
            "segments_under")  # fmt: skip
_SPOTS = ("specks", "blots")
_CHANCES = ("lines_under", "arcs_under", "strikes", "ellipses", "crosses", "hatching", "decoys", "salt", "blots",
            "slashes", "corners", "curves", "lenses", "segments", "segments_under")  # fmt: skip
_USES = {  # of the ground's fields, which grounds use them
    "ground_size": (Ground.GRID, Ground.STRIPES, Ground.DOTS, Ground.CHECKS, Ground.TEXTURE),
    "ground_width": (Ground.GRID, Ground.STRIPES, Ground.DOTS),
    "ground_angle": (Ground.GRADIENT, Ground.GRID, Ground.STRIPES, Ground.DOTS, Ground.CHECKS),
    "ground_ink": tuple(ground for ground in Ground if ground is not Ground.FLAT),
    "paint": (Ground.GRID, Ground.STRIPES, Ground.DOTS, Ground.CHECKS, Ground.TEXTURE),
    "pattern_colour": tuple(ground for ground in Ground if ground not in (Ground.FLAT, Ground.TILES)),
    "tile_colour": (Ground.TILES,),
}


def values_of(profile: Profile, name: str) -> tuple[int, ...]:
    """Return the values of a field; of those that may be rare, values below 0 count as 0."""
    values: tuple[int, ...] = getattr(profile, name).values()
    return tuple(max(0, value) for value in values) if name in RARE else values


class Values:
    """Draws what a profile paints.

    Attributes
    ----------
    dtype : numpy.dtype
        The fields that are appended to a dataset's parameters. A colour is 0xRRGGBB.
    """

    def __init__(self, profile: Profile, longest: int):
        self._profile = profile
        self._numbers = {name: np.array(values_of(profile, name), np.int64) for name in GRIDS if profile.changes(name)}
        fields: list[tuple[str, str] | tuple[str, str, tuple[int]]] = [("paint", "<u8")]
        if profile.own_faces:
            fields.append(("face", "<u2", (longest,)))
        fields += [(name, "<i2", (longest,)) if name in LETTER_COLUMNS else (name, "<i2") for name in self._numbers]
        self._grounds = np.array([GROUNDS[ground] for ground in profile.ground], np.int64)
        if profile.changes("ground"):
            fields.append(("ground", "<u2"))
        self._colours = self._used_colours() if profile.colour else {}
        for name in self._colours:
            shape = self._shape(name, longest)
            fields.append((name, "<u4", shape) if shape else (name, "<u4"))
        self.dtype = np.dtype(fields)

    def _used_colours(self) -> dict[str, Colours]:
        """Return the colours by field that are stored, also of those that the profile does not give."""
        profile = self._profile
        white, black = Colours(("#ffffff",)), Colours(("#000000",))
        found = {"ground_colour": profile.ground_colour or white, "letter_colour": profile.letter_colour or black}
        if profile.pattern_colour:
            found["pattern_colour"] = profile.pattern_colour
            if Ground.TILES in profile.ground:
                found["tile_colour"] = profile.pattern_colour
        for name in ("shadow_colour", "line_colour", "speck_colour", "frame_colour"):
            given = getattr(profile, name)
            if given:
                found[name] = given
        return found

    def _shape(self, name: str, longest: int) -> tuple[int] | None:
        """Return the shape of a colour's field; None for a single colour."""
        if name == "tile_colour" or (name == "letter_colour" and self._profile.own_colours):
            return (longest,)
        if name in ("line_colour", "speck_colour") and self._profile.own_line_colours:
            return (TURNS,)
        return None

    def draw(self, column: Callable[[int], np.ndarray], letters: np.ndarray, font: np.ndarray) -> np.ndarray:
        """Draw the rows of a block, (1024,) of `dtype`; `column` returns a block's random numbers by column.

        The first letter has the picture's face, `font`.
        """
        drawn = np.zeros(len(letters), self.dtype)
        drawn["paint"] = column(KEY)
        names = self.dtype.names or ()
        if "face" in names:
            drawn["face"][:, 0] = font
            for k in range(1, letters.shape[1]):
                drawn["face"][:, k] = below(column(LETTER_COLUMNS["face"] + k), len(self._profile.fonts))
        for name, values in self._numbers.items():
            if name in LETTER_COLUMNS:
                for k in range(letters.shape[1]):
                    drawn[name][:, k] = values[below(column(LETTER_COLUMNS[name] + k), len(values))]
            else:
                drawn[name] = values[below(column(COLUMNS[name]), len(values))]
        if "ground" in names:
            drawn["ground"] = self._grounds[below(column(GROUND), len(self._grounds))]
        for name, colours in self._colours.items():
            first, shape = COLOUR_COLUMNS.get(name, TILES), self.dtype[name].shape
            for k in range(shape[0] if shape else 1):
                found = _colours(colours, column, first + 3 * k)
                if shape:
                    drawn[name][:, k] = found
                else:
                    drawn[name] = found
        self._mix(drawn)
        self._separate(drawn, letters)
        return drawn

    def chosen(self, letters: np.ndarray, font: np.ndarray, values: dict[str, ArrayLike]) -> np.ndarray:
        """Make rows of chosen values by field; a field that is not given has the first value of its range.

        Colours are those given, 0xRRGGBB, without a bound on their contrast.

        Raises
        ------
        BadInput
            A value that the profile does not have.
        """
        drawn = np.zeros(len(letters), self.dtype)
        for name, allowed in self._numbers.items():
            drawn[name] = allowed[0]
        names = self.dtype.names or ()
        if "face" in names:
            drawn["face"] = font[:, None]
        if "ground" in names:
            drawn["ground"] = self._grounds[0]
        for name, colours in self._colours.items():
            drawn[name] = _colours(colours, lambda _: np.zeros(1, np.uint64), 0)[0]
        allowed_by = self._numbers | {"ground": self._grounds, "face": np.arange(len(self._profile.fonts))}
        for name in values.keys() - self._colours.keys():
            if name in allowed_by and not np.isin(values[name], allowed_by[name]).all():
                raise BadInput(f"{name}: must be one of {allowed_by[name].tolist()}; it is {values[name]!r}")
            drawn[name] = values[name]
        self._mix(drawn)
        self._separate(drawn, letters)
        for name in values.keys() & self._colours.keys():
            drawn[name] = values[name]
        return drawn

    def largest(self, fields: np.dtype) -> Iterator[dict[str, ArrayLike]]:
        """Yield values by field at which texts need most room: letters far from each other, turned by several angles.

        Other numbers have the value that is furthest from 0.
        """
        profile = self._profile
        found: dict[str, ArrayLike] = {}
        for name in fields.names or ():
            grid = getattr(profile, name, None)
            if isinstance(grid, Grid):
                values = values_of(profile, name)
                found[name] = values[0] if name == "overlap" else max(values, key=abs)
        order = np.arange(fields["move_y"].shape[0] if "move_y" in found else 0)
        if "move_y" in found:  # every second letter low, as `bounce` has it
            low = (order % 2 == 1) == (np.asarray(found.get("bounce", 0)) >= 0)
            found["move_y"] = np.where(low, profile.move_y.values()[-1], profile.move_y.values()[0])
        if "move_x" in found:
            order = np.arange(fields["move_x"].shape[0])
            found["move_x"] = np.where(2 * order < len(order), profile.move_x.values()[0], profile.move_x.values()[-1])
        angles = profile.rotation.values()
        for turn in {min(angles, key=lambda angle: abs(abs(angle) - wide)) for wide in _WIDE}:
            yield found | ({"rotation": turn} if "rotation" in found else {})

    def _mix(self, drawn: np.ndarray) -> None:
        """Move the colours of patterns towards the ground's by what `ground_ink` leaves."""
        if "ground_ink" not in self._numbers or not self._colours:  # a grey picture has no pattern
            return
        ink = drawn["ground_ink"].astype(np.int64)
        ground = drawn["ground_colour"].astype(np.int64)
        for name in ("pattern_colour", "tile_colour"):
            if name in self._colours:
                own = drawn[name].astype(np.int64)
                shape = (-1, 1) if own.ndim == 2 else (-1,)
                drawn[name] = contrast.mixed(ground.reshape(shape), own, ink.reshape(shape))

    def _separate(self, drawn: np.ndarray, letters: np.ndarray) -> None:
        """Give letters the contrast to their ground that the profile asks for."""
        if not self._colours or self._profile.contrast == LEAST_CONTRAST:
            return
        names = [name for name in ("ground_colour", "pattern_colour", "tile_colour") if name in self._colours]
        grounds = np.concatenate([drawn[name].reshape(len(drawn), -1).astype(np.int64) for name in names], axis=1)
        own = drawn["letter_colour"].reshape(len(drawn), -1).astype(np.int64)
        counts = (letters >= 0).sum(axis=1).clip(max=own.shape[1])
        contrast.separate(grounds, own, counts, self._profile.contrast, contrast.luminances())
        drawn["letter_colour"] = own.reshape(drawn["letter_colour"].shape)
        first = 0
        for name in names:
            count = drawn[name].size // max(1, len(drawn))
            drawn[name] = grounds[:, first : first + count].reshape(drawn[name].shape)
            first += count

    def clear(self, drawn: np.ndarray, letters: np.ndarray) -> None:
        """Set what has no effect to 0, in rows that also have the fields of the other distortions."""
        names = set(drawn.dtype.names or ())
        ground = drawn["ground"] if "ground" in names else np.full(len(drawn), GROUNDS[self._profile.ground[0]])

        def where(fields: tuple[str, ...]) -> np.ndarray:
            """Return the rows in which any of the fields is not 0."""
            found = np.zeros(len(drawn), bool)
            for field in names & set(fields):
                there = drawn[field] != 0
                found |= there.any(axis=1) if there.ndim == 2 else there
            return found

        def on(users: tuple[Ground, ...]) -> np.ndarray:
            return np.isin(ground, [GROUNDS[user] for user in users])

        for name in (*LETTER_COLUMNS, "letter_colour", "tile_colour"):
            if name in names and drawn[name].ndim == 2:
                drawn[name][letters < 0] = 0
        words = (letters >= 0).sum(axis=1) > 1
        rows = {"growth": words, "bounce": words}
        rows |= {name: where(causes) for causes, idle in _IDLE.items() for name in idle}
        rows |= {name: on(users) for name, users in _USES.items()}
        rows["line_colour"] = where(_STROKES if "speck_colour" in names else (*_STROKES, *_SPOTS))
        rows["speck_colour"] = where(_SPOTS)
        rows["paint"] |= where(_CHANCES)
        rows["line_width"] = where(_LINES)
        rows["line_ink"] = where((*_LINES, "specks"))
        rows["noise"] = where(("lines", "arcs", "specks", "background"))
        for name in names & set(rows):
            drawn[name][~rows[name]] = 0


def _colours(colours: Colours, column: Callable[[int], np.ndarray], first: int) -> np.ndarray:
    """Draw a colour a row, int64."""
    if colours.listed:
        listed = np.array([int(colour[1:], 16) for colour in colours.listed], np.int64)
        chosen: np.ndarray = listed[below(column(first), len(listed))]
        return chosen
    parts = []
    for k, name in enumerate(PARTS):
        values = np.array(getattr(colours, name).values(), np.int64)
        parts.append(values[below(column(first + k), len(values))])
    hue, saturation, lightness = parts
    found: np.ndarray = contrast.rgb_of(hue, saturation, lightness)
    return found
