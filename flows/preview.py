"""Draw a profile's first pictures as a contact sheet, at once: no dataset, no server."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from flows.home import home
from flows.parameters import File, Name, Pictures, Seed
from flows.reporting.plain_reports import PreviewReport
from flows.service.starting import compile_kernels, without_collector
from storage.files.places import local
from storage.files.targets import require_file
from tasks.forks import Forked
from tasks.lean_numba import import_lean
from tasks.profiles.built_in import find_profile
from tasks.profiles.materials import find_materials


def preview(
    profile: Name,
    *,
    count: Pictures = 24,
    seed: Seed = 1,
    out: File | None = None,
    font: list[Name] | None = None,
    words: str | None = None,
) -> PreviewReport:
    """Draw a profile's first pictures as a contact sheet, at once, to see what `generate` would draw.

    Parameters
    ----------
    profile
        A built-in profile (see `captchas profiles`) or the path of a .toml file.
    count
        Number of pictures, at most 1,024.
    seed
        As of `captchas generate`, whose first pictures these are.
    out
        The contact sheet's file, a PNG; by default reports/preview/PROFILE.png under the home.
    font
        Use these faces instead of the profile's: bundled names or paths. May be given again.
    words
        Use this word list instead of the profile's: web2, a path, or '' for random strings.
    """
    chosen = find_profile(profile)
    if font:
        chosen = replace(chosen, fonts=tuple(font))
    if words is not None:
        chosen = replace(chosen, words=words)
    sheet = local(out, "out") if out else None
    if sheet:
        faces = [face.rpartition("#")[0] or face for face in chosen.fonts]  # FILE#2 is a face of a collection
        require_file(sheet, "out", inputs=[Path(name).expanduser() for name in (profile, chosen.words, *faces) if name])
    with Forked(partial(find_materials, chosen)) as begun:  # while this process imports what draws
        compile_kernels()
        with without_collector():
            import_lean()
            from tasks.datasets.describe import preview_sheet
            from tasks.datasets.samples import first_pictures

        block = first_pictures(chosen, seed, count, begun)
    sheet = sheet or home() / "reports" / "preview" / f"{chosen.name}.png"
    preview_sheet(block, sheet)
    texts = block.texts()
    return {
        "profile": chosen.name,
        "seed": seed,
        "pictures": len(texts),
        "canvas": list(chosen.canvas),
        "texts": texts,
        "contact_sheet": str(sheet),
    }
