"""Colours that a profile draws from: a list, or ranges of hue, saturation and lightness."""

import re
from dataclasses import dataclass
from typing import Any

from storage.errors import BadInput
from tasks.profiles.ranges import Grid, grid_from, is_int

MOST_LISTED = 256
ANY_HUE, ANY_PERCENT = Grid(0, 359), Grid(0, 100)
# Lowest and highest value of each range, and its unit. A hue beyond 359 goes around again: 340 to 380 is red.
PARTS = {"hue": (0, 719, "degrees"), "saturation": (0, 100, "percent"), "lightness": (0, 100, "percent")}
_HEXADECIMAL = re.compile("#[0-9a-f]{6}")


@dataclass(frozen=True)
class Colours:
    """Colours to choose from, all equally likely: those of a list, or every combination of three ranges.

    Parameters
    ----------
    listed : tuple of str
        Colours such as '#1f77b4' (red, green and blue of sRGB). If there are any, the ranges do not count.
    hue : Grid
        Degrees: 0 is red, 120 green, 240 blue.
    saturation, lightness : Grid
        Percent.

    Raises
    ------
    BadInput
        A value breaks its rule.
    """

    listed: tuple[str, ...] = ()
    hue: Grid = ANY_HUE
    saturation: Grid = ANY_PERCENT
    lightness: Grid = ANY_PERCENT

    def __repr__(self) -> str:
        """Write them like TOML, for messages."""
        return str(list(self.listed)) if self.listed else f"{{{', '.join(f'{n} = {getattr(self, n)}' for n in PARTS)}}}"

    def __post_init__(self) -> None:
        _require(isinstance(self.listed, tuple), "colours", "a tuple of colours such as '#1f77b4'", self.listed)
        _require(len(self.listed) <= MOST_LISTED, "colours", f"at most {MOST_LISTED}", len(self.listed))
        for colour in self.listed:
            known = isinstance(colour, str) and _HEXADECIMAL.fullmatch(colour)
            _require(bool(known), "colours", "such as '#1f77b4', with six hexadecimal digits", colour)
        for name, (low, high, unit) in PARTS.items():
            grid = getattr(self, name)
            _require(
                isinstance(grid, Grid) and all(map(is_int, (grid.start, grid.stop, grid.step)))
                and low <= grid.start <= grid.stop <= high and grid.step >= 1,
                name, f"a range with start <= stop from {low} to {high} {unit}, step at least 1", grid,
            )  # fmt: skip

    @property
    def only(self) -> object:
        """Return what tells a single colour from others; None if there are several to choose from."""
        parts = [set(self.listed)] if self.listed else [set(getattr(self, name).values()) for name in PARTS]
        return parts if all(len(part) == 1 for part in parts) else None

    def as_value(self) -> list[str] | dict[str, Any]:
        """Return the colours as a profile's file and a dataset's identity hold them."""
        if self.listed:
            return list(self.listed)
        parts = {name: getattr(self, name) for name in PARTS}
        return {name: {"start": grid.start, "stop": grid.stop, "step": grid.step} for name, grid in parts.items()}


def _require(holds: bool, name: str, rule: str, value: object) -> None:
    if not holds:
        raise BadInput(f"{name}: must be {rule}; it is {value!r}")


def colours_from(value: object, source: str) -> object:
    """Make colours of a plain value: '#1f77b4', a list of such, or a table with hue, saturation and lightness.

    Any other value is returned as it is, for the profile to refuse.

    Raises
    ------
    BadInput
        A value breaks its rule.
    """
    try:
        if isinstance(value, str):
            return Colours((value.lower(),))
        if isinstance(value, list) and value and all(isinstance(colour, str) for colour in value):
            return Colours(tuple(colour.lower() for colour in value))
        if isinstance(value, dict):
            _require(not set(value) - set(PARTS), "colours", f"a table with {', '.join(PARTS)}", value)
            parts: dict[str, Any] = {name: grid_from(part, name) for name, part in value.items()}
            return Colours(**parts)
    except BadInput as error:
        raise BadInput(f"{source}, {error}") from None
    return value
