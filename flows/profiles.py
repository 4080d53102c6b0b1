"""List the kinds of pictures that can be drawn, and the faces to draw them with."""

from tasks.fonts import bundled, find_face
from tasks.specs import BUILT_IN, find_profile


def profiles(name: str | None = None, *, fonts: bool = False) -> dict:
    """List the kinds of pictures that can be drawn, and the fonts.

    Parameters
    ----------
    name
        Show every field of one profile: a built-in one or a .toml file.
    fonts
        List the bundled faces instead.
    """
    if fonts:
        return {"fonts": [{"name": face.name, "font_path": face.path} for face in bundled().values()]}
    if name is not None:
        return {"profiles": [_fields(name)]}
    return {"profiles": [_fields(built_in) for built_in in BUILT_IN]}


def _fields(name: str) -> dict:
    profile = find_profile(name)
    return {
        **profile.as_dict(),
        "canvas": list(profile.canvas),
        "font_path": [find_face(font).path for font in profile.fonts],
    }
