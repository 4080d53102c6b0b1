"""The ranges that a profile may vary: the meaning, unit and limits of each."""

from dataclasses import dataclass
from typing import TypeGuard

from storage.errors import BadInput


@dataclass(frozen=True)
class Grid:
    """The integers start, start + step … up to and including stop."""

    start: int
    stop: int
    step: int = 1

    def __repr__(self) -> str:
        """Write it like TOML, for messages."""
        return f"{{start = {self.start}, stop = {self.stop}, step = {self.step}}}"

    def values(self) -> tuple[int, ...]:
        """Return all the integers, ascending."""
        return tuple(range(self.start, self.stop + 1, self.step))


OFF = Grid(0, 0)

# Lowest and highest value of every range, and its unit.
LIMITS = {
    "shear": (-1000, 1000, "1/1000 radian"),
    "scale": (10, 400, "percent"),
    "rotation": (-180, 180, "degrees"),
    "move_y": (-200, 200, "px"),
    "move_x": (-200, 200, "px"),
    "tracking": (-200, 200, "px"),
    "overlap": (-200, 200, "px"),
    "wave_y": (0, 1000, "1/10 px"),
    "wave_x": (0, 1000, "1/10 px"),
    "wave_length": (8, 4096, "px"),
    "lines": (0, 100, "lines"),
    "arcs": (0, 100, "arcs"),
    "line_width": (1, 32, "px"),
    "line_ink": (1, 100, "percent"),
    "specks": (0, 10_000, "specks"),
    "background": (0, 90, "percent"),
    "blur": (0, 16, "passes"),
    "ground_size": (4, 512, "px"),
    "ground_width": (1, 64, "px"),
    "ground_angle": (0, 359, "degrees"),
    "ground_ink": (1, 100, "percent"),
    "size": (40, 250, "percent"),
    "growth": (-80, 80, "percent"),
    "weight": (-40, 40, "1/10 px"),
    "hollow": (-60, 60, "1/10 px"),
    "shadow_y": (-50, 50, "px"),
    "shadow_x": (-50, 50, "px"),
    "shadow_ink": (1, 100, "percent"),
    "shadow_weight": (-40, 40, "1/10 px"),
    "bounce": (-100, 100, "px"),
    "place_y": (0, 100, "percent"),
    "place_x": (0, 100, "percent"),
    "lines_under": (-100, 100, "lines"),
    "arcs_under": (-100, 100, "arcs"),
    "strikes": (-16, 16, "waves"),
    "strike_width": (1, 32, "px"),
    "strike_ink": (1, 100, "percent"),
    "ellipses": (-100, 100, "ellipses"),
    "rings": (1, 16, "rings"),
    "crosses": (-100, 100, "crosses"),
    "shape_width": (1, 32, "px"),
    "shape_ink": (1, 100, "percent"),
    "hatching": (-256, 256, "px"),
    "hatching_width": (1, 32, "px"),
    "hatching_ink": (1, 100, "percent"),
    "decoys": (-200, 200, "letters"),
    "decoy_size": (20, 100, "percent"),
    "decoy_ink": (1, 100, "percent"),
    "salt": (-500, 500, "1/1000"),
    "coarse": (-16, 16, "px"),
    "sharpen": (-400, 400, "percent"),
    "halftone": (-64, 64, "levels"),
    "stretch": (40, 250, "percent"),
    "lean": (-800, 800, "1/1000 radian"),
    "letter_ink": (1, 100, "percent"),
    "speck_size": (0, 16, "px"),
    "blots": (0, 200, "blots"),
    "blot_size": (1, 64, "px"),
    "slashes": (0, 8, "lines"),
    "slash_width": (1, 32, "px"),
    "frame_y": (0, 500, "px"),
    "frame_x": (0, 500, "px"),
    "corners": (0, 60, "percent"),
    "curves": (-100, 100, "curves"),
    "curve_width": (1, 32, "px"),
    "curve_ink": (1, 100, "percent"),
    "curve_dash": (0, 64, "px"),
    "lenses": (-8, 8, "lenses"),
    "lens_y": (10, 100, "percent"),
    "lens_x": (10, 100, "percent"),
    "lens_power": (-100, 80, "percent"),
    "lens_turn": (-180, 180, "degrees"),
    "segments": (-100, 100, "lines"),
    "segments_under": (-100, 100, "lines"),
    "segment_width": (1, 32, "px"),
    "segment_ink": (1, 100, "percent"),
    "segment_length": (1, 200, "percent"),
}
MOVING = ("rotation", "move_y", "move_x", "tracking", "wave_y", "wave_x")
NOISE = ("lines", "arcs", "specks", "background", "blur")


@dataclass(frozen=True, kw_only=True)
class Distortions:
    """Changes to a picture besides shear and scale; by default there are none.

    Letters are moved first, in pixels before scaling; a wave bends the whole sheared picture; noise
    is drawn over the finished picture, in its own pixels.

    Parameters
    ----------
    rotation : Grid
        Degrees by which each letter is turned about the centre of its ink, counter-clockwise.
    move_y, move_x : Grid
        Pixels by which each letter is moved, down and to the right.
    tracking : Grid
        Pixels added to the advance between two letters; each gap has its own value.
    overlap : Grid, optional
        Letters are set by their ink instead of their advance: the inked columns of each letter, as it is turned,
        begin so many pixels before those of its predecessor end; below 0 it is a gap.
    wave_y, wave_x : Grid
        Amplitude of a sine wave in 1/10 px: rows rise and fall along the columns, columns sway
        along the rows. Phases are random.
    wave_length : Grid
        Pixels.
    lines, arcs : Grid
        How many strokes cross the picture from left to right: straight lines, and parabolas.
    line_width : Grid
        Width of lines and arcs in pixels.
    line_ink : Grid
        Ink of lines, arcs and specks, in percent of a letter's ink.
    specks : Grid
        How many spots of 1 or 2 by 1 or 2 pixels.
    background : Grid
        Highest ink of an uneven background, in percent: linear between four random corners.
    blur : Grid
        How often the picture is filtered with [1 2 1] / 4, down and across.
    """

    rotation: Grid = OFF
    move_y: Grid = OFF
    move_x: Grid = OFF
    tracking: Grid = OFF
    overlap: Grid | None = None
    wave_y: Grid = OFF
    wave_x: Grid = OFF
    wave_length: Grid = Grid(60, 60)
    lines: Grid = OFF
    arcs: Grid = OFF
    line_width: Grid = Grid(1, 1)
    line_ink: Grid = Grid(100, 100)
    specks: Grid = OFF
    background: Grid = OFF
    blur: Grid = OFF

    @property
    def moves_letters(self) -> bool:
        """Return whether letters are moved, turned or waved, so that the general kernel draws them."""
        return self.overlap is not None or any(getattr(self, field).values() != (0,) for field in MOVING)

    @property
    def adds_noise(self) -> bool:
        """Return whether noise is drawn over the letters."""
        return any(getattr(self, field).values() != (0,) for field in NOISE)


def is_int(value: object) -> TypeGuard[int]:
    """Return whether a value is a whole number, and not True or False."""
    return isinstance(value, int) and not isinstance(value, bool)


def grid_from(value: object, name: str) -> object:
    """Make a range of a table with start, stop and perhaps step, or of a whole number; a range and None stay.

    Raises
    ------
    BadInput
        Another value, or a table that lacks start or stop, or has other keys.
    """
    if isinstance(value, dict):
        wrong = set(value) - {"start", "stop", "step"}
        if wrong or not {"start", "stop"} <= set(value):
            raise BadInput(f"{name}: must be a table with start, stop and step; it is {value!r}")
        return Grid(**value)
    if is_int(value):
        return Grid(value, value)
    if isinstance(value, Grid | None):
        return value
    raise BadInput(
        f"{name}: must be a whole number, or a table such as {{start = 80, stop = 120, step = 5}}; it is {value!r}"
    )
