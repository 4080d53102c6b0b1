"""What to make: frozen profiles, checked on construction; the built-in ones and a user's TOML files."""

import difflib
import string
import tomllib
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from pathlib import Path

from storage.errors import BadInput, NotThere
from tasks.profiles.ranges import LIMITS, Distortions, Grid, is_int

LARGEST_CANVAS = 1024  # rows or columns; beyond it a block of 1,024 pictures would not fit in memory
BOOK_SHEAR, BOOK_SCALE = Grid(0, 450, 50), Grid(50, 140, 10)


class Ink(StrEnum):
    """How glyphs are inked: `binary` like the book's (a pixel is ink or not), or `grey`, antialiased."""

    BINARY = "binary"
    GREY = "grey"


@dataclass(frozen=True)
class Profile(Distortions):
    """One kind of picture. Every random choice is uniform over what a field lists.

    Parameters
    ----------
    name : str
        Of the profile, and by default of the dataset's folder.
    fonts : tuple of str
        Bundled faces by name (`captchas profiles --fonts` lists them), or paths of .ttf or .otf files.
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
        In pixels an em.
    left, top : int
        Where the text begins and how far down its line is, in pixels; the book draws at 0, 0.
    shear : Grid
        Angles in 1/1000 radian; a positive one pushes lower rows to the right.
    scale : Grid
        In percent of height and width.
    ink : Ink
    rotation, move_y, move_x, tracking, overlap, wave_y, wave_x, wave_length : Grid
    lines, arcs, line_width, line_ink, specks, background, blur : Grid
        See `Distortions`.

    Raises
    ------
    BadInput
        Naming the field, the rule, the value and, for names, the nearest valid one.
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

    def __post_init__(self):
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
        """(rows, columns) that hold a picture of any scale: of every image in the dataset."""
        largest = self.scale.values()[-1]
        return max(1, self.height * largest // 100), max(1, self.width * largest // 100)

    def as_dict(self) -> dict:
        """The fields as JSON would hold them; `top` and distortions only where they differ from their defaults.

        So a dataset keeps its identity when later versions know of more distortions.
        """
        content, later = asdict(self), ("top", *(field.name for field in fields(Distortions)))
        defaults = {field.name: field.default for field in fields(self)}
        for name in later:
            value = content.pop(name)
            if getattr(self, name) != defaults[name]:
                content[name] = value
        content |= {"fonts": list(self.fonts), "length": list(self.length), "ink": str(self.ink)}
        return content


def _all_str(values) -> bool:
    return all(isinstance(value, str) and value for value in values)


# Faces by whether a reader may learn from them: no family is in both, so that `unseen` measures strange ones.
UNSEEN = ("Allerta Medium", "Comic Neue Bold", "Play Bold", "Quicksand Bold", "Roboto Slab Bold", "Vollkorn Bold")
SOLID = (
    "Bebas Neue Bold", "Courier Prime Light", "DejaVu Sans Bold", "Goudy Bookletter 1911", "Inter Black", "Inter Bold",
    "Karla ExtraBold", "League Spartan Bold", "Leckerli One", "National Park Heavy",
)  # fmt: skip
# More for a reader to learn letters from; apart from SOLID, so that `hard` stays what it is.
MORE = (
    "Arapey Black", "Averia Serif GWF Bold", "B612 Mono Bold", "Because We Connect", "Cabin Medium", "Caladea Bold",
    "Cantarell Bold", "Dosis Bold", "GFS Didot Bold", "Inconsolata Medium", "Kaushan Script", "League Mono Bold",
    "Manrope ExtraBold", "OCR B", "Prociono", "Quattrocento", "Routed Gothic", "TeX Gyre Adventor Bold",
    "TeX Gyre Cursor Bold", "TeX Gyre Heros", "TeX Gyre Heros Cn Bold", "TeX Gyre Schola Bold", "Tuffy Bold",
    "Yanone Kaffeesatz Bold",
)  # fmt: skip
SEEN = (*SOLID, *MORE, "CabinSketch Bold", "Tomson Talks")  # the last two vanish under noise

# The ladder: the same words, face and shears as the book's, large enough to read what the rungs do to them, and
# on each rung one more thing that makes CAPTCHAs hard; on the last one all of them.
_RUNG = Profile(
    "rung", words="web2", length=(4, 4), font_size=28, scale=Grid(60, 120, 10), height=38, width=132, left=4
)
_WAVE = {"wave_y": Grid(10, 30, 5), "wave_x": Grid(10, 30, 5), "wave_length": Grid(50, 90, 10)}
_NOISE = {
    "lines": Grid(0, 2), "arcs": Grid(1, 2), "line_width": Grid(1, 2), "line_ink": Grid(50, 100, 10),
    "specks": Grid(10, 40), "background": Grid(0, 40, 5), "blur": Grid(0, 1),
}  # fmt: skip
_TURN = {"rotation": Grid(-15, 15), "move_y": Grid(-3, 3)}

BUILT_IN = {
    profile.name: profile
    for profile in (
        Profile("letters"),  # the book's training samples: single letters
        Profile("book", words="web2", length=(4, 4), width=100),  # the book's CAPTCHAs
        replace(_RUNG, name="fonts", fonts=tuple(sorted(SEEN + UNSEEN))),
        replace(_RUNG, name="unseen", fonts=UNSEEN),
        replace(_RUNG, name="jitter", **_TURN, move_x=Grid(-3, 3), tracking=Grid(0, 4), width=144, left=6),
        replace(_RUNG, name="touching", overlap=Grid(1, 3), width=120),
        replace(_RUNG, name="noise", **_NOISE),
        replace(_RUNG, name="warp", **_WAVE, left=6),
        replace(_RUNG, name="random", words="", alphabet=string.ascii_uppercase + string.digits, width=138),
        replace(
            _RUNG, name="hard", fonts=SOLID, length=(4, 6), scale=Grid(70, 120, 10), height=56, width=198, left=6,
            top=9, overlap=Grid(-1, 2), **_TURN, **_WAVE, **_NOISE,
        ),
    )
}  # fmt: skip


def find_profile(name: str) -> Profile:
    """A built-in profile by name, or a user's by the path of its TOML file.

    Raises
    ------
    BadInput
        With the nearest valid name.
    """
    if name in BUILT_IN:
        return BUILT_IN[name]
    if name.endswith(".toml") or "/" in name:
        return read_profile(Path(name))
    raise BadInput(
        f"profile {name!r}: must be one of {', '.join(BUILT_IN)}, or the path of a .toml file{nearest(name, BUILT_IN)}"
    )


def read_profile(path: Path) -> Profile:
    """A profile from TOML: the fields of `Profile`, and `based_on`, a built-in one that they change.

    Raises
    ------
    NotThere, BadInput
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotThere(f"profile {path}: no such file") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInput(f"profile {path}: cannot be read as TOML ({error})") from error
    base = content.pop("based_on", None)
    if base is not None and base not in list(BUILT_IN):  # a list: TOML may hold what cannot be hashed
        raise BadInput(
            f"profile {path}, based_on: must be one of {', '.join(BUILT_IN)}; it is {base!r}{nearest(base, BUILT_IN)}"
        )
    content.setdefault("name", path.stem)
    return profile_from(content, BUILT_IN.get(base), str(path))


def profile_from(content: dict, base: Profile | None = None, source: str = "profile") -> Profile:
    """A profile from plain values, as in TOML or a manifest.

    Raises
    ------
    BadInput
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
        grid = values.get(key)
        if isinstance(grid, dict):
            wrong = set(grid) - {"start", "stop", "step"}
            if wrong or not {"start", "stop"} <= set(grid):
                raise BadInput(f"{source}, {key}: must be a table with start, stop and step; it is {grid!r}")
            values[key] = Grid(**grid)
        elif is_int(grid):
            values[key] = Grid(grid, grid)
    if "ink" in values and values["ink"] in list(Ink):
        values["ink"] = Ink(values["ink"])
    return replace(base, **values) if base else Profile(**values)


def nearest(name: str, valid) -> str:
    """'; did you mean X?' for a name close to a valid one, else ''."""
    close = difflib.get_close_matches(str(name), list(valid), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
