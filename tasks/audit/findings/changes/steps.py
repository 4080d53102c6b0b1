"""The table of changes: for each distortion what removes it, and what makes it a step stronger."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Literal

from storage.errors import BadInput
from tasks.profiles.painting import LEAST_CONTRAST, MOST_CONTRAST, RARE, Ground
from tasks.profiles.profile import Profile
from tasks.profiles.ranges import LIMITS, OFF, Grid

MORE_FACES = (
    "Courier Prime Light", "DejaVu Sans Bold", "Goudy Bookletter 1911", "Kaushan Script", "Leckerli One", "OCR B",
    "Tuffy Bold",
)  # fmt: skip
CONTRAST_STEP = 15  # tenths


class Grows(StrEnum):
    """How the range of a field becomes stronger."""

    WIDER = "wider"  # both ends move outwards by half of their distance to what does nothing
    MORE = "more"  # both ends move up by half of the highest value
    LESS = "less"  # both ends move down by a fifth of the highest value


@dataclass(frozen=True)
class Step:
    """A distortion: its field, what people call it, the range without it, how it grows, and how it may begin.

    `first` is added to profiles that do not have the distortion, if given; `also` sets more fields with it.
    """

    field: str
    title: str
    off: Grid | None
    grows: Grows | None = None
    first: Grid | None = None
    also: tuple[tuple[str, Any], ...] = ()


_FULL, _ONE = Grid(100, 100), Grid(1, 1)
STEPS = (
    Step("shear", "shear of the text", OFF, Grows.WIDER),
    Step("scale", "size of the picture", _FULL, Grows.LESS),
    Step("rotation", "turned letters", OFF, Grows.WIDER, Grid(-15, 15)),
    Step("lean", "leaning letters", OFF, Grows.WIDER),
    Step("move_y", "letters moved up and down", OFF, Grows.WIDER),
    Step("move_x", "letters moved sideways", OFF, Grows.WIDER),
    Step("tracking", "distances between letters", OFF, Grows.WIDER),
    Step("overlap", "letters that touch", None, Grows.MORE, Grid(1, 3)),
    Step("wave_y", "waves along the text", OFF, Grows.MORE, Grid(10, 25, 5), (("wave_length", Grid(50, 90, 10)),)),
    Step("wave_x", "sideways waves", OFF, Grows.MORE),
    Step("size", "letters of several sizes", _FULL, Grows.WIDER),
    Step("stretch", "stretched letters", _FULL, Grows.WIDER),
    Step("growth", "letters that grow along the text", OFF, Grows.WIDER),
    Step("weight", "weight of letters", OFF, Grows.WIDER),
    Step("hollow", "hollow letters", OFF, Grows.MORE),
    Step("bounce", "letters that stand higher and lower", OFF, Grows.WIDER),
    Step("lines", "lines over the text", OFF, Grows.MORE, Grid(1, 2)),
    Step("arcs", "arcs over the text", OFF, Grows.MORE, Grid(1, 2)),
    Step("line_width", "width of lines and arcs", _ONE, Grows.MORE),
    Step("lines_under", "lines under the text", OFF, Grows.MORE),
    Step("arcs_under", "arcs under the text", OFF, Grows.MORE),
    Step("strikes", "waves struck through the text", OFF, Grows.MORE, Grid(1, 1)),
    Step("slashes", "lines through each letter", OFF, Grows.MORE),
    Step("specks", "specks", OFF, Grows.MORE, Grid(20, 40)),
    Step("blots", "discs over the text", OFF, Grows.MORE),
    Step("salt", "white and black pixels", OFF, Grows.MORE),
    Step("ellipses", "ellipses under the text", OFF, Grows.MORE),
    Step("crosses", "crosses under the text", OFF, Grows.MORE),
    Step("hatching", "hatching", OFF),
    Step("decoys", "small letters under the text", OFF, Grows.MORE),
    Step("background", "uneven background", OFF, Grows.MORE),
    Step("blur", "blur", OFF, Grows.MORE, Grid(1, 1)),
    Step("coarse", "coarse pixels", _ONE, Grows.MORE),
    Step("sharpen", "sharpening", OFF, Grows.MORE),
    Step("halftone", "few levels of colour", OFF),
    Step("letter_ink", "ink of letters", _FULL, Grows.LESS),
    Step("ground_ink", "strength of the ground's pattern", Grid(1, 1), Grows.MORE),
)
# Several fields that are one thing to people: (what, the fields that are set to their defaults).
GROUPS = (
    ("shadows", ("shadow_y", "shadow_x", "shadow_ink", "shadow_weight", "shadow_colour")),
    ("frame", ("frame_y", "frame_x", "frame_colour")),
    ("patterned ground", ("ground", "pattern_colour", "ground_size", "ground_width", "ground_angle", "ground_ink")),
    ("colour of lines: that of the letters", ("line_colour", "own_line_colours")),
    ("colour of specks: that of the lines", ("speck_colour",)),
    ("colour of the ground: white", ("ground_colour",)),
    ("colour of letters: black", ("letter_colour", "own_colours")),
    ("a colour for each letter", ("own_colours",)),
    ("a typeface for each letter", ("own_faces",)),
)


@dataclass(frozen=True)
class Change:
    """A changed profile: the field or group, what people read, whether it is removed or stronger."""

    name: str
    told: str
    direction: Literal["removed", "stronger"]
    profile: Profile


_UNITS = {"1/10 px": (0.1, " px"), "1/1000 radian": (0.0573, " degrees"), "percent": (1.0, " %"), "1/1000": (0.1, " %")}


def changes_of(profile: Profile) -> list[Change]:
    """Return every change of a profile: what it has removed, what it has stronger, then what it lacks.

    A change whose fields break a rule together is left out.
    """
    own = [*_groups(profile), *_faces(profile), *_contrast(profile), *_steps(profile)]
    return [*sorted(own, key=lambda change: change.direction), *_beginnings(profile)]


def _steps(profile: Profile) -> Iterator[Change]:
    for step in STEPS:
        grid = getattr(profile, step.field)
        if not _has(profile, step) or grid is None:
            continue
        yield from _made(profile, step, "removed", f"{step.title}: without", {step.field: step.off})
        harder = stronger(step, grid)
        if harder is not None and harder != grid:
            told = f"{step.title}: {said(step.field, grid, False)}, made {said(step.field, harder)}"
            yield from _made(profile, step, "stronger", told, {step.field: harder})


def _has(profile: Profile, step: Step) -> bool:
    """Return whether a profile has a distortion; the width of lines counts only where there are lines."""
    if step.field == "line_width" and not any(
        getattr(profile, name).stop > 0 for name in ("lines", "arcs", "lines_under", "arcs_under")
    ):
        return False
    if step.field == "ground_ink" and profile.ground == (Ground.FLAT,):
        return False
    return bool(getattr(profile, step.field) != step.off)


def stronger(step: Step, grid: Grid) -> Grid | None:
    """Return a range that is a step stronger, within the field's limits; None if there is none."""
    low, high, _ = LIMITS[step.field]
    middle = step.off.start if step.off else 0
    pace = grid.step
    if step.grows is Grows.WIDER:
        start = grid.start - _half(middle - grid.start, pace)
        stop = grid.stop + _half(grid.stop - middle, pace)
    elif step.grows is Grows.MORE:
        by = max(pace, -(-abs(grid.stop) // 2))
        by = max(pace, by // pace * pace)
        start, stop = grid.start + by, grid.stop + by
    elif step.grows is Grows.LESS:
        by = max(pace, grid.stop // 5 // pace * pace)
        start, stop = grid.start - by, grid.stop - by
    else:
        return None
    start, stop = max(low, start), min(high, stop)
    return Grid(start, stop, grid.step) if start <= stop else None


def _half(distance: int, pace: int) -> int:
    """Return half a distance in whole steps, at least one; 0 for a distance of 0 or less."""
    return 0 if distance <= 0 else max(pace, -(-distance // 2) // pace * pace)


def said(field: str, grid: Grid, with_unit: bool = True) -> str:
    """Write a range as people count: pixels instead of tenths, degrees instead of 1/1000 radian."""
    unit = LIMITS[field][2]
    share, word = _UNITS.get(unit, (1.0, f" {unit}"))
    if not with_unit or unit in field:  # `2 to 3`, of lines
        word = ""
    start = max(grid.start, 0) if field in RARE else grid.start
    ends = [f"{round(value * share, 1):g}" for value in (start, grid.stop)]
    return f"{' to '.join(dict.fromkeys(ends))}{word}"


def _groups(profile: Profile) -> Iterator[Change]:
    defaults = {name: part.default for name, part in Profile.__dataclass_fields__.items()}
    for told, names in GROUPS:
        if any(getattr(profile, name) != defaults[name] for name in names if name != "own_colours" or len(names) == 1):
            word = told if ":" in told else f"{told}: without"
            yield from _replaced(profile, told.partition(":")[0], word, "removed", {n: defaults[n] for n in names})


def _faces(profile: Profile) -> Iterator[Change]:
    if len(profile.fonts) > 1:
        told = f"typefaces: only {profile.fonts[0]} instead of {len(profile.fonts)}"
        yield from _replaced(profile, "typefaces", told, "removed", {"fonts": profile.fonts[:1]})
    more = tuple(dict.fromkeys((*profile.fonts, *MORE_FACES)))
    if len(profile.fonts) < len(MORE_FACES):
        told = f"typefaces: {len(more)} instead of {len(profile.fonts)}"
        yield from _replaced(profile, "typefaces", told, "stronger", {"fonts": more})


def _contrast(profile: Profile) -> Iterator[Change]:
    if not profile.colour or profile.contrast == LEAST_CONTRAST:
        return
    for direction, tenths in (
        ("removed", min(MOST_CONTRAST, 2 * profile.contrast)),
        ("stronger", max(LEAST_CONTRAST, profile.contrast - CONTRAST_STEP)),
    ):
        told = f"least contrast: {profile.contrast / 10:g} : 1, made {tenths / 10:g} : 1"
        yield from _replaced(profile, "contrast", told, direction, {"contrast": tenths})


def _beginnings(profile: Profile) -> Iterator[Change]:
    for step in STEPS:
        if step.first is None or _has(profile, step):
            continue
        fields: dict[str, Any] = {step.field: step.first, **dict(step.also)}
        if step.field == "overlap":
            fields["tracking"] = OFF
        told = f"{step.title}: {said(step.field, step.first)} instead of none"
        yield from _made(profile, step, "stronger", told, fields)


def _made(
    profile: Profile, step: Step, direction: Literal["removed", "stronger"], told: str, fields: dict[str, Any]
) -> Iterator[Change]:
    return _replaced(profile, step.field, told, direction, fields)


def _replaced(
    profile: Profile, name: str, told: str, direction: Any, fields: dict[str, Any]
) -> Iterator[Change]:  # fmt: skip
    try:
        changed = replace(profile, **fields)
    except BadInput:  # the fields break a rule together, such as waves that fold the picture
        return
    yield Change(name, told, direction, changed)
