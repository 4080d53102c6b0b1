"""The built-in profiles, and a profile found by its name or read from a TOML file."""

import string
import tomllib
from dataclasses import replace
from pathlib import Path

from storage.errors import BadInput, NotThere, nearest
from tasks.profiles.profile import Profile, profile_from
from tasks.profiles.ranges import Grid

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
