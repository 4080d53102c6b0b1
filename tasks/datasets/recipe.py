"""A recipe: a profile and a seed, tied to exact fonts, words and glyph bitmaps."""

import functools
import json
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from PIL import features

from storage.errors import BadInput, Different, GlyphsDiffer
from storage.files.places import Place
from storage.shards.manifest import Manifest, identity_digest
from storage.shards.shard import COLOUR_FORMAT, FORMAT
from storage.texts import canonical
from tasks.drawing.renderer import RENDERER, Renderer
from tasks.profiles import word_lists
from tasks.profiles.fonts import Face, bundled, face_name, find_face
from tasks.profiles.glyphs import GlyphSet, draw_glyphs
from tasks.profiles.profile import Profile
from tasks.profiles.scripts import require_basic_layout

MOST_RENDERERS = 4  # that a process keeps: each holds its bitmaps and its letters in every shape


@dataclass(frozen=True)
class Recipe:
    """The data that a worker needs to draw any block, and the identity that its fonts and words must lead to.

    Attributes
    ----------
    identity : str
        Canonical JSON: format version, profile with names of faces and no paths, seed, renderer version, and
        the sha256 of the word list, of each font file and of each face's bitmaps.
    """

    profile: Profile
    seed: int
    identity: str

    @property
    def digest(self) -> str:
        """Return the digest of the identity."""
        return identity_digest(self.identity)


def make_recipe(profile: Profile, seed: int) -> Recipe:
    """Read the fonts and words of a profile as they are now, draw its glyphs, and fix the identity.

    Glyphs are drawn once for the same profile, fonts and words; a changed file is noticed.

    Raises
    ------
    BadInput, NotThere
    """
    require_seed(seed)
    require_basic_layout(profile)
    profile = _with_full_paths(profile)
    return Recipe(profile, seed, _here(profile, seed)[1])


def require_seed(seed: int) -> None:
    """Raise `BadInput` for a seed that does not fit into 63 bits."""
    if not 0 <= seed < 1 << 63:
        raise BadInput(f"seed: must be a whole number from 0 to 2**63 - 1; it is {seed}")


def _with_full_paths(profile: Profile) -> Profile:
    """Return the profile with full paths of fonts and words: a worker may run in another folder."""
    known = bundled()
    return replace(
        profile,
        fonts=tuple(name if name in known else find_face(name).path for name in profile.fonts),
        words=profile.words if profile.words in ("", word_lists.WEB2) else str(Path(profile.words).absolute()),
    )


@functools.lru_cache(maxsize=MOST_RENDERERS)
def renderer_of(recipe: Recipe) -> Renderer:
    """Return the renderer of a recipe on this machine. A process builds it once.

    Raises
    ------
    GlyphsDiffer
        This machine's fonts, words or libraries are not those of the recipe.
    """
    renderer, identity = _here(recipe.profile, recipe.seed)
    if identity != recipe.identity:
        found = identity_differences(json.loads(recipe.identity), json.loads(identity), "here")
        raise GlyphsDiffer(
            f"profile {recipe.profile.name!r}: this machine would draw other pictures: {'; '.join(found)}. "
            "Install the same fonts and versions as where the dataset was begun"
        )
    return renderer


def _here(profile: Profile, seed: int) -> tuple[Renderer, str]:
    """Return the renderer and the identity that this machine's files lead to, as they are now."""
    words = word_lists.load_words(profile.words, profile.alphabet, profile.length) if profile.words else ()
    renderer, content = _assembled(profile, tuple(map(find_face, profile.fonts)), words)
    return renderer, canonical(content | {"seed": seed})


@functools.lru_cache(maxsize=MOST_RENDERERS)
def _assembled(profile: Profile, faces: tuple[Face, ...], words: tuple[str, ...]) -> tuple[Renderer, dict[str, Any]]:
    """Draw glyphs and build a renderer; also the identity without its seed. A face is known by its sha256."""
    size, alphabet, ink, alone = profile.font_size, profile.alphabet, profile.ink, profile.paints
    glyphs = tuple(draw_glyphs(face, size, alphabet, ink, alone) for face in faces)
    content = profile.as_dict()
    content["fonts"] = [face.name for face in faces]
    # The digest of a list identifies it; the path of its file is not part of the dataset.
    content["words"] = profile.words if profile.words in ("", word_lists.WEB2) else "list"
    identity = {
        "format": COLOUR_FORMAT if profile.colour else FORMAT,
        "profile": content,
        "words": word_lists.words_digest(words) if words else None,
        "fonts": [
            face.as_dict() | {"bitmaps": bitmaps.digest()} | _alike(bitmaps, profile.alphabet)
            for face, bitmaps in zip(faces, glyphs, strict=True)
        ],
        "renderer": RENDERER,
    }
    return Renderer(profile, faces, glyphs, words), identity


def _alike(glyphs: GlyphSet, alphabet: str) -> dict[str, list[str]]:
    """Return the groups of letters that a face draws alike, as field `alike`; for most faces an empty dict.

    The split counts the letters of a group as the same.
    """
    found = ["".join(sorted(alphabet[number] for number in numbers)) for numbers in glyphs.alike()]
    return {"alike": sorted(found)} if found else {}


def ambiguities(recipe: Recipe) -> list[str]:
    """Name the letters that no reader can tell apart: a sentence for each face that draws letters alike."""
    return [
        f"{face_name(font['family'], font['style'])} draws {', '.join(' and '.join(group) for group in font['alike'])} "
        "alike, so that only words may tell which it is: leave one of them out of the alphabet, or choose another font"
        for font in json.loads(recipe.identity)["fonts"]
        if "alike" in font
    ]


def identity_of(manifest: Manifest) -> dict[str, Any]:
    """Put the identity together from a manifest's fields."""
    if manifest.source is not None:
        # The manifest says how labels were found, and what drew the pictures; that is not part of the identity.
        source = {key: value for key, value in manifest.source.items() if key not in ("labels", "generator")}
        return {"format": manifest.format, "profile": manifest.profile, "source": source, "seed": manifest.seed}
    return {
        "format": manifest.format,
        "profile": manifest.profile,
        "words": manifest.words,
        "fonts": manifest.fonts,
        "renderer": manifest.renderer,
        "seed": manifest.seed,
    }


def identity_differences(there: dict[str, Any], wanted: dict[str, Any], second: str = "wanted") -> list[str]:
    """List the differences of two identities, each as 'field: a there, b wanted'; `second` replaces 'wanted'.

    A field that an identity lacks, or that is None, is "not set".
    """
    found: list[str] = []
    for key in sorted(set(there) | set(wanted)):
        a, b = there.get(key), wanted.get(key)
        if a == b:
            continue
        if isinstance(a, dict) and isinstance(b, dict):
            found += [f"{key}.{line}" for line in identity_differences(a, b, second)]
        elif key == "fonts" and a and b and isinstance(a[0], dict):
            found += [
                f"fonts[{n}].{line}"
                for n, (x, y) in enumerate(zip(a, b, strict=False))
                for line in identity_differences(x, y, second)
            ]
            if len(a) != len(b):
                found.append(f"fonts: {len(a)} there, {len(b)} {second}")
        else:
            first, other = ("not set" if value is None else repr(value) for value in (a, b))
            found.append(f"{key}: {first} there, {other} {'now' if b is None and second == 'wanted' else second}")
    return found


def require_same(there: dict[str, Any], recipe: Recipe, folder: Place) -> None:
    """Refuse to mix two recipes in one folder; `there` is the identity of the folder.

    Raises
    ------
    Different
        With the fields that differ.
    """
    if "source" in there:
        raise Different(f"{folder}: holds imported pictures; give another folder with --out, or remove it first")
    wanted = json.loads(recipe.identity)
    found = identity_differences(there, wanted)
    if found:
        raise Different(
            f"{folder}: holds another dataset ({'; '.join(found)}); give another folder with --out, "
            "or remove that dataset first"
        )


def software() -> dict[str, str]:
    """Return the versions of the software that draws and packs pictures. They are no part of the identity."""
    names = ("beating-captchas", "pillow", "numpy", "numba", "h5py", "isal", "blake3")
    return {name: version(name) for name in names} | {"freetype": features.version("freetype2") or "none"}
