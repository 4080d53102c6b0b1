"""The ranges that a profile may vary, and those of its distortions: what each means, its unit and its limits."""

from dataclasses import dataclass, fields

from storage.errors import BadInput


@dataclass(frozen=True)
class Grid:
    """The integers start, start + step … up to and including stop."""

    start: int
    stop: int
    step: int = 1

    def __repr__(self) -> str:
        """As TOML writes it, for messages."""
        return f"{{start = {self.start}, stop = {self.stop}, step = {self.step}}}"

    def values(self) -> tuple[int, ...]:
        """All of them, ascending."""
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
}
MOVING = ("rotation", "move_y", "move_x", "tracking", "wave_y", "wave_x")
NOISE = ("lines", "arcs", "specks", "background", "blur")


@dataclass(frozen=True, kw_only=True)
class Distortions:
    """What may happen to a picture besides shear and scale. Nothing does unless a range says so.

    Letters are moved first, in pixels before scaling; a wave goes over the whole sheared picture; noise
    is drawn over the finished one, in its own pixels.

    Parameters
    ----------
    rotation : Grid
        Of each letter about the centre of its ink, counter-clockwise, in degrees.
    move_y, move_x : Grid
        Of each letter, down and to the right, in pixels.
    tracking : Grid
        Added to the advance between two letters, in pixels; each gap has its own.
    overlap : Grid, optional
        Letters are set by their ink instead of their advance: each one's inked columns, turned as it is,
        begin so many pixels before those of the one before it end; below 0 it is a gap.
    wave_y, wave_x : Grid
        Amplitude of a sine wave in 1/10 px: rows that rise and fall along the columns, columns that sway
        along the rows. Phases are random.
    wave_length : Grid
        In pixels.
    lines, arcs : Grid
        How many strokes cross the picture from left to right: straight ones, bent ones (parabolas).
    line_width : Grid
        Of lines and arcs, in pixels.
    line_ink : Grid
        Of lines, arcs and specks, in percent of a letter's.
    specks : Grid
        How many spots of 1 or 2 by 1 or 2 pixels.
    background : Grid
        Highest ink of an uneven background, in percent: linear between four random corners.
    blur : Grid
        Passes of the filter [1 2 1] / 4 down and across.
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
        """Whether letters stand elsewhere, or otherwise, than the font puts them."""
        return self.overlap is not None or any(getattr(self, field).values() != (0,) for field in MOVING)

    @property
    def adds_noise(self) -> bool:
        """Whether anything is drawn over the letters."""
        return any(getattr(self, field).values() != (0,) for field in NOISE)

    def _check_distortions(self) -> None:
        for field in fields(Distortions):
            if field.name != "overlap" or self.overlap is not None:
                self._check_grid(field.name)
        self._check(
            self.overlap is None or self.tracking == OFF,
            "overlap", f"without tracking, which is {self.tracking!r}, since it sets the letters by their ink",
        )  # fmt: skip
        # Rows shifted along columns and columns along rows fold where both slopes multiply to 1: (2 pi)**2 = 39.5.
        self._check(
            self.wave_y.stop * self.wave_x.stop * 40 <= (10 * self.wave_length.start) ** 2,
            "wave_length",
            f"longer for waves of {self.wave_y.stop} and {self.wave_x.stop} /10 px, or they fold the picture",
        )  # fmt: skip

    def _check_grid(self, field: str) -> None:
        grid = getattr(self, field)
        low, high, unit = LIMITS[field]
        rule = f"start <= stop from {low} to {high} {unit}, step at least 1"
        self._check(isinstance(grid, Grid), field, "a table with start, stop and step")
        numbers = (grid.start, grid.stop, grid.step)
        self._check(
            all(map(is_int, numbers)) and low <= grid.start <= grid.stop <= high and grid.step >= 1, field, rule
        )

    def _check(self, holds: bool, field: str, rule: str) -> None:
        if not holds:
            raise BadInput(f"profile {self.name!r}, {field}: must be {rule}; it is {getattr(self, field)!r}")


def is_int(value) -> bool:
    """Whether a value is a whole number, and not True or False."""
    return isinstance(value, int) and not isinstance(value, bool)
