"""List the kinds of pictures that can be drawn, and the faces to draw them with."""

from dataclasses import fields

from flows.parameters import Name
from tasks.profiles.built_in import NAMED, find_profile
from tasks.profiles.fonts import bundled, find_face
from tasks.profiles.painting import Painting
from tasks.profiles.profile import Profile
from tasks.profiles.ranges import LIMITS, Distortions

FEW = 3  # faces that a line of the table names


def profiles(name: Name | None = None, *, fonts: bool = False) -> dict[str, object]:
    """List the kinds of pictures that can be drawn, and the fonts.

    Parameters
    ----------
    name
        Show every field of a profile, built-in or from a .toml file.
    fonts
        List the bundled faces instead.
    """
    if fonts:
        return {"fonts": [{"name": face.name, "font_path": face.path} for face in bundled().values()]}
    chosen = [find_profile(name)] if name is not None else list(NAMED.values())
    content = [_fields(profile) for profile in chosen]
    shown = [
        {
            "name": profile.name,
            "fonts": list(profile.fonts) if len(profile.fonts) <= FEW else f"{len(profile.fonts)} faces",
            "texts": f"{profile.words or 'random'}, {_range(*profile.length)} of {len(profile.alphabet)} characters",
            "rows x columns": f"{profile.height} x {profile.width}",
            "shear (mrad)": _range(profile.shear.start, profile.shear.stop),
            "scale (%)": _range(profile.scale.start, profile.scale.stop),
            "distortions": _distortions(profile),
        }
        for profile in chosen
    ]
    return {"profiles": content, "shown": {"profiles": None, **content[0]} if name is not None else {"profiles": shown}}


def _fields(profile: Profile) -> dict[str, object]:
    return {
        **profile.as_dict(),
        "canvas": list(profile.canvas),
        "font_path": [find_face(font).path for font in profile.fonts],
    }


def _distortions(profile: Profile) -> str:
    given = profile.as_dict()
    ranges = {field.name: getattr(profile, field.name) for field in fields(Distortions)}
    varied = [
        f"{name.replace('_', ' ')} {_range(grid.start, grid.stop)} ({LIMITS[name][2]})".removesuffix(f" ({name})")
        for name, grid in ranges.items()
        if name in given
    ]
    painted = [field.name.replace("_", " ") for field in fields(Painting) if field.name not in ranges]
    return ", ".join(varied + [name for name in painted if name.replace(" ", "_") in given])


def _range(low: int, high: int) -> str:
    return f"{low}" if low == high else f"{low} to {high}"
