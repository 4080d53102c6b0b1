"""The built-in profiles; find a profile by its name, or read a profile from a TOML file."""

import string
import tomllib
from dataclasses import replace
from pathlib import Path

from storage.errors import BadInput, NotThere, nearest, remedy
from storage.files.small_files import read_small
from tasks.profiles.colours import Colours
from tasks.profiles.look_alikes import LOOK_ALIKES
from tasks.profiles.painting import Ground
from tasks.profiles.profile import Ink, Profile, profile_from
from tasks.profiles.ranges import Grid

# Faces that no reader is trained on. No family is in both UNSEEN and SEEN, so that `unseen` measures how a reader
# copes with strange faces.
UNSEEN = ("Allerta Medium", "Comic Neue Bold", "Play Bold", "Quicksand Bold", "Roboto Slab Bold", "Vollkorn Bold")

SOLID = (
    "Bebas Neue Bold", "Courier Prime Light", "DejaVu Sans Bold", "Goudy Bookletter 1911", "Inter Black", "Inter Bold",
    "Karla ExtraBold", "League Spartan Bold", "Leckerli One", "National Park Heavy",
)  # fmt: skip

# Further faces to train a reader on; not in SOLID, so that the pictures of `hard` stay the same.
MORE = (
    "Arapey Black", "Averia Serif GWF Bold", "B612 Mono Bold", "Because We Connect", "Cabin Medium", "Caladea Bold",
    "Cantarell Bold", "Dosis Bold", "GFS Didot Bold", "Inconsolata Medium", "Kaushan Script", "League Mono Bold",
    "Manrope ExtraBold", "OCR B", "Prociono", "Quattrocento", "Routed Gothic", "TeX Gyre Adventor Bold",
    "TeX Gyre Cursor Bold", "TeX Gyre Heros", "TeX Gyre Heros Cn Bold", "TeX Gyre Schola Bold", "Tuffy Bold",
    "Yanone Kaffeesatz Bold",
)  # fmt: skip

SEEN = (*SOLID, *MORE, "CabinSketch Bold", "Tomson Talks")  # the last two vanish under noise
EVERY_FACE = tuple(sorted(SEEN + UNSEEN))
# Faces whose lower case letters look like capitals: nobody could tell "wUch" from "WUCH" there.
ONE_CASE = ("Bebas Neue Bold", "Because We Connect", "Tomson Talks")

# The ladder: the same words, face and shears as the book's, but larger, so that letters stay legible. Each rung adds
# one thing that makes CAPTCHAs hard; the last rung has all of them.
_RUNG = Profile(
    "rung", words="web2", length=(4, 4), font_size=28, scale=Grid(60, 120, 10), height=38, width=132, left=4
)


def _turned(profile: Profile) -> Profile:
    return replace(profile, rotation=Grid(-15, 15), move_y=Grid(-3, 3))


def _waved(profile: Profile) -> Profile:
    return replace(profile, wave_y=Grid(10, 30, 5), wave_x=Grid(10, 30, 5), wave_length=Grid(50, 90, 10))


def _noisy(profile: Profile) -> Profile:
    return replace(
        profile, lines=Grid(0, 2), arcs=Grid(1, 2), line_width=Grid(1, 2), line_ink=Grid(50, 100, 10),
        specks=Grid(10, 40), background=Grid(0, 40, 5), blur=Grid(0, 1),
    )  # fmt: skip


_HARD = replace(
    _RUNG, name="hard", fonts=SOLID, length=(4, 6), scale=Grid(70, 120, 10), height=56, width=198, left=6, top=9,
    overlap=Grid(-1, 2),
)  # fmt: skip

# Random strings in many faces; the canvas has room for letters that reach below the line.
_CODES = replace(_RUNG, name="codes", fonts=EVERY_FACE, words="", height=44, width=144, left=8, top=3)
_TWO_CASES = replace(_CODES, fonts=tuple(face for face in EVERY_FACE if face not in ONE_CASE))
_CAPITALS, _SMALL = string.ascii_uppercase + string.digits, string.ascii_lowercase

_JITTER = _turned(replace(_RUNG, name="jitter", move_x=Grid(-3, 3), tracking=Grid(0, 4), width=144, left=6))

# In colour, each one thing more; the last has all of it. Without UNSEEN, as a model may be trained on any of them.
_CLEAR = SOLID + MORE
_COLOUR = replace(
    _JITTER, name="colour", ground_colour=Colours(), letter_colour=Colours(), own_colours=True, contrast=30
)
_FACES = replace(_COLOUR, name="faces", fonts=_CLEAR, own_faces=True, size=Grid(80, 125, 5), left=2, top=1)
_HOLLOW = replace(_COLOUR, name="hollow", hollow=Grid(12, 18, 2), weight=Grid(5, 10, 5), contrast=45, left=2, top=1)
_GROUND = replace(
    _COLOUR, name="ground", pattern_colour=Colours(), ground=tuple(Ground), ground_size=Grid(8, 32, 4),
    ground_width=Grid(1, 3), ground_angle=Grid(0, 345, 15), ground_ink=Grid(20, 60, 5),
)  # fmt: skip
_WILD = Profile(
    "wild", fonts=tuple(face for face in _CLEAR if face not in ONE_CASE), alphabet=_CAPITALS + _SMALL, length=(4, 7),
    height=60, width=160, font_size=28, left=3, top=2, ink=Ink.GREY, shear=Grid(-200, 200, 50), scale=Grid(100, 100),
    rotation=Grid(-15, 15), move_y=Grid(-2, 2), tracking=Grid(0, 4), bounce=Grid(-6, 6, 2),
    wave_y=Grid(0, 20, 5), wave_x=Grid(0, 20, 5), wave_length=Grid(60, 90, 10),
    ground_colour=Colours(), letter_colour=Colours(), shadow_colour=Colours(), line_colour=Colours(),
    speck_colour=Colours(), own_colours=True, own_line_colours=True, contrast=45,
    pattern_colour=Colours(), ground=_GROUND.ground, ground_size=_GROUND.ground_size,
    ground_width=_GROUND.ground_width, ground_angle=_GROUND.ground_angle, ground_ink=Grid(10, 40, 5),
    own_faces=True, size=Grid(85, 135, 5), growth=Grid(-20, 20, 5), weight=Grid(0, 10, 5), hollow=Grid(-18, 18, 18),
    shadow_y=Grid(-2, 2), shadow_x=Grid(-2, 2), shadow_ink=Grid(20, 60, 10),
    place_y=Grid(0, 100), place_x=Grid(0, 100),
    lines=Grid(0, 1), arcs=Grid(0, 1), lines_under=Grid(0, 2), arcs_under=Grid(0, 1), line_width=Grid(1, 2),
    line_ink=Grid(40, 80, 10), strikes=Grid(-1, 1), strike_ink=Grid(50, 90, 10),
    ellipses=Grid(0, 1), rings=Grid(1, 3), crosses=Grid(0, 4), shape_ink=Grid(20, 60, 10),
    hatching=Grid(0, 24, 12), hatching_ink=Grid(10, 30, 10),
    decoys=Grid(0, 6), decoy_size=Grid(30, 40, 5), decoy_ink=Grid(20, 40, 10),
    specks=Grid(0, 30), salt=Grid(0, 6), coarse=Grid(-12, 2, 2), blur=Grid(0, 1), sharpen=Grid(0, 100, 50),
    halftone=Grid(0, 24, 8),
)  # fmt: skip

BUILT_IN = {
    profile.name: profile
    for profile in (
        Profile("letters"),  # the book's training samples: single letters
        Profile("book", words="web2", length=(4, 4), width=100),  # the book's CAPTCHAs
        replace(_RUNG, name="fonts", fonts=EVERY_FACE),
        replace(_RUNG, name="unseen", fonts=UNSEEN),
        _JITTER,
        replace(_RUNG, name="touching", overlap=Grid(1, 3), width=120),
        _noisy(replace(_RUNG, name="noise")),
        _waved(replace(_RUNG, name="warp", left=6)),
        replace(_RUNG, name="random", words="", alphabet=_CAPITALS, width=138),
        _noisy(_waved(_turned(_HARD))),
        replace(_CODES, alphabet=_CAPITALS),
        replace(_TWO_CASES, name="lower", alphabet=_SMALL),
        replace(_TWO_CASES, name="strings", alphabet=_CAPITALS + _SMALL),
        _COLOUR,
        _FACES,
        _HOLLOW,
        _GROUND,
        _WILD,
    )
}

NAMED = BUILT_IN | LOOK_ALIKES  # all that have a name


def find_profile(name: str) -> Profile:
    """Find a built-in profile or a look-alike by its name, or read a user's from the path of its TOML file.

    Raises
    ------
    NotThere
        No such file.
    BadInput
        No such profile; the message has the nearest valid name. Or see `read_profile`.
    """
    if name in NAMED:
        return NAMED[name]
    if name.endswith(".toml") or "/" in name:
        return read_profile(Path(name))
    raise BadInput(
        f"profile {name!r}: must be one of {', '.join(NAMED)}, or the path of a .toml file{nearest(name, NAMED)}"
    )


def read_profile(path: Path) -> Profile:
    r"""Read a profile from a TOML file.

    Parameters
    ----------
    path : Path
        The file has fields of `Profile`, and perhaps `based_on`, the name of a built-in profile whose fields they
        replace. `name` is by default the file's name without .toml.

    Raises
    ------
    NotThere
        No such file.
    BadInput
        The file is not TOML, or a field is unknown or wrong.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "slanted.toml")
    ...     _ = path.write_text('based_on = "book"\nshear = {start = 200, stop = 400, step = 50}')
    ...     profile = read_profile(path)
    >>> profile.name, profile.words, profile.shear.values()
    ('slanted', 'web2', (200, 250, 300, 350, 400))
    """
    try:
        content = tomllib.loads(read_small(path, f"profile {path}").decode("utf-8-sig"))
        repr(content)  # fails for numbers of thousands of digits, which no message could tell
    except FileNotFoundError:
        raise NotThere(f"profile {path}: no such file") from None
    except BadInput:
        raise
    except OSError as error:
        raise BadInput(f"profile {path}: cannot be read ({error.strerror}); {remedy(error)}") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"profile {path}: cannot be read as TOML ({error}); save the file as UTF-8") from error
    except (ValueError, RecursionError) as error:  # also numbers of thousands of digits, and tables without an end
        raise BadInput(f"profile {path}: cannot be read as TOML ({error}); see docs/profiles.md") from error
    base = content.pop("based_on", None)
    if base is not None and base not in list(NAMED):  # a list: a TOML value may be unhashable
        raise BadInput(
            f"profile {path}, based_on: must be one of {', '.join(NAMED)}; it is {base!r}{nearest(base, NAMED)}"
        )
    content.setdefault("name", path.stem)
    return profile_from(content, NAMED.get(base), str(path))
