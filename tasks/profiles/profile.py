"""Profiles: what kind of pictures to draw. They are frozen, and checked on construction."""

import string
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from typing import Any

from storage.errors import BadInput, nearest
from tasks.profiles.colours import colours_from
from tasks.profiles.painting import COLOUR_FIELDS, GRIDS, Ground, Painting, broken_rules
from tasks.profiles.ranges import LIMITS, OFF, Distortions, Grid, grid_from, is_int

LARGEST_CANVAS = 1024  # rows or columns; beyond it a block of 1,024 pictures would not fit in memory
BOOK_SHEAR, BOOK_SCALE = Grid(0, 450, 50), Grid(50, 140, 10)


class Ink(StrEnum):
    """The ink of glyphs: `binary` as in the book (a pixel is ink or not), or `grey`, antialiased."""

    BINARY = "binary"
    GREY = "grey"


@dataclass(frozen=True)
class Profile(Painting):
    """A kind of picture. Every random choice is uniform over the values that a field lists.

    Parameters
    ----------
    name : str
        The profile's name, and by default that of the dataset's folder.
    fonts : tuple of str
        Names of bundled faces (`captchas profiles --fonts` lists them), or paths of .ttf or .otf files, or of
        faces in .ttc files: ``fonts.ttc#2``, from 0.
    alphabet : str
        The characters that may occur, each once.
    words : str
        `web2` (the English words of the `english-words` package), the path of a word list, one word a
        line, or '' for random strings over the alphabet.
    length : (int, int)
        Shortest and longest text, in characters.
    height, width : int
        The picture's size in pixels before scaling.
    font_size : int
        Pixels an em.
    left, top : int
        Column and row at which the text begins, in pixels; the book draws at 0, 0.
    shear : Grid
        Angles in 1/1000 radian; positive angles push lower rows to the right.
    scale : Grid
        Percent of height and width.
    ink : Ink
        Black and white, or antialiased.
    rotation, move_y, move_x, tracking, overlap, wave_y, wave_x, wave_length : Grid
    lines, arcs, line_width, line_ink, specks, background, blur : Grid
        See `Distortions`.
    ground_colour … halftone
        See `Painting`.

    Raises
    ------
    BadInput
        A field breaks its rule; the message has the field, the rule and the value.

    Examples
    --------
    >>> profile = Profile("pairs", words="web2", length=(2, 2), width=60, scale=Grid(100, 200, 50))
    >>> profile.scale.values()
    (100, 150, 200)
    >>> profile.canvas
    (60, 120)
    >>> Profile("pairs", length=(2, 1))
    Traceback (most recent call last):
    storage.errors.BadInput: profile 'pairs', length: must be [shortest, longest], 1 to 32 characters; it is (2, 1)
    """

    name: str
    fonts: tuple[str, ...] = ("Inter Black",)
    alphabet: str = string.ascii_uppercase
    words: str = ""
    length: tuple[int, int] = (1, 1)
    height: int = 30
    width: int = 30
    font_size: int = 22
    left: int = 0
    top: int = 0
    shear: Grid = BOOK_SHEAR
    scale: Grid = BOOK_SCALE
    ink: Ink = Ink.BINARY

    def __post_init__(self) -> None:
        self._check(
            isinstance(self.name, str) and self.name.replace("-", "").replace("_", "").isalnum(),
            "name", "letters, digits, - and _ only",
        )  # fmt: skip
        self._check(
            isinstance(self.fonts, tuple) and 1 <= len(self.fonts) <= 1000 and _all_str(self.fonts),
            "fonts", "a list of one or more names or paths",
        )  # fmt: skip
        self._check(
            isinstance(self.alphabet, str) and 1 <= len(self.alphabet) <= 200, "alphabet", "1 to 200 characters"
        )
        twice = sorted({c for c in self.alphabet if self.alphabet.count(c) > 1})
        self._check(not twice, "alphabet", f"every character once; {', '.join(twice)} comes again")
        blank = [c for c in self.alphabet if c.isspace() or not c.isprintable()]
        self._check(not blank, "alphabet", f"no blank or control characters such as {blank[:1]}")
        self._check(isinstance(self.words, str), "words", "'web2', a path, or '' for random strings")
        self._check(
            isinstance(self.length, tuple) and len(self.length) == 2 and all(map(is_int, self.length))
            and 1 <= self.length[0] <= self.length[1] <= 32,
            "length", "[shortest, longest], 1 to 32 characters",
        )  # fmt: skip
        for field, low, high in (
            ("height", 4, LARGEST_CANVAS), ("width", 4, LARGEST_CANVAS), ("font_size", 4, 500), ("left", 0, 500),
            ("top", 0, 500),
        ):  # fmt: skip
            value = getattr(self, field)
            self._check(is_int(value) and low <= value <= high, field, f"a whole number from {low} to {high} px")
        self._check_grid("shear")
        self._check_grid("scale")
        self._check_distortions()
        self._check(isinstance(self.ink, Ink), "ink", "'binary' or 'grey'")
        rows, columns = self.canvas
        self._check(
            max(rows, columns) <= LARGEST_CANVAS,
            "scale", f"at most {LARGEST_CANVAS} x {LARGEST_CANVAS} px after scaling; this makes {rows} x {columns}",
        )  # fmt: skip

    @property
    def canvas(self) -> tuple[int, int]:
        """Return the rows and columns of every image in the dataset: they hold a picture of any scale."""
        largest = self.scale.values()[-1]
        return max(1, self.height * largest // 100), max(1, self.width * largest // 100)

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as JSON values; `top` and distortions only where they differ from their defaults.

        So a dataset keeps its identity when later versions have more distortions.
        """
        content, later = asdict(self), ("top", *(field.name for field in fields(Painting)))
        defaults = {field.name: field.default for field in fields(self)}
        for name in later:
            value = content.pop(name)
            if getattr(self, name) != defaults[name]:
                content[name] = value
        content |= {name: getattr(self, name).as_value() for name in COLOUR_FIELDS if name in content}
        if "ground" in content:
            content["ground"] = list(map(str, self.ground))
        content |= {"fonts": list(self.fonts), "length": list(self.length), "ink": str(self.ink)}
        return content

    def _check_distortions(self) -> None:
        for field in fields(Distortions):
            if field.name != "overlap" or self.overlap is not None:
                self._check_grid(field.name)
        for name in GRIDS:
            if getattr(self, name) is not None or name not in ("place_y", "place_x"):
                self._check_grid(name)
        for name, rule in broken_rules(self):
            self._check(False, name, rule)
        self._check(
            self.overlap is None or self.tracking == OFF,
            "overlap", f"without tracking, which is {self.tracking!r}, since it sets the letters by their ink",
        )  # fmt: skip
        smallest = self.scale.values()[0]
        for name, side in (("frame_y", self.height * smallest // 100), ("frame_x", self.width * smallest // 100)):
            rule = f"less than half of the smallest picture, which is {side} px, or it covers all letters"
            self._check(2 * getattr(self, name).stop < max(side, 1), name, rule)
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


def _all_str(values: tuple[object, ...]) -> bool:
    return all(isinstance(value, str) and value for value in values)


def profile_from(content: dict[str, Any], base: Profile | None = None, source: str = "profile") -> Profile:
    """Make a profile from plain values, as TOML files and manifests hold them.

    Parameters
    ----------
    content : dict
        Values by field; a range is a table with start, stop and perhaps step, or a whole number.
    base : Profile, optional
        Gives the fields that `content` lacks.
    source : str
        What the messages call the content.

    Raises
    ------
    BadInput
        A field is unknown or wrong.
    """
    known = {field.name for field in fields(Profile)}
    for key in content:
        if key not in known:
            raise BadInput(
                f"{source}: unknown key {key!r}; the keys are {', '.join(sorted(known))}{nearest(key, known)}"
            )
    values = dict(content)
    for key in ("fonts", "length"):
        if isinstance(values.get(key), list):
            values[key] = tuple(values[key])
    for key in LIMITS:
        if key in values:
            values[key] = grid_from(values[key], f"{source}, {key}")
    for key in COLOUR_FIELDS:
        if key in values:
            values[key] = colours_from(values[key], f"{source}, {key}")
    if "ground" in values:
        values["ground"] = _grounds(values["ground"])
    if "ink" in values and values["ink"] in list(Ink):
        values["ink"] = Ink(values["ink"])
    return replace(base, **values) if base else Profile(**values)


def _grounds(value: object) -> object:
    """Make grounds of a name or a list of names; return anything else as it is."""
    names = [value] if isinstance(value, str) else value
    known = list(Ground)
    return tuple(map(Ground, names)) if isinstance(names, list) and all(name in known for name in names) else value
