"""List a dataset's folder before any shard is read, and find the recipe that draws its pictures again."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage.errors import BadInput, Damaged, GlyphsDiffer, NotThere
from storage.files import atomic
from storage.files.places import Place, read_range
from storage.shards.cache import LARGEST
from storage.shards.manifest import MANIFEST, Manifest, identity_digest, load
from storage.shards.shard import BLOCK, Shard, parse_name
from storage.texts import canonical
from tasks.datasets.folder import BESIDE, DRAWN, manifest_in
from tasks.datasets.recipe import Recipe, identity_differences, identity_of, make_recipe, software
from tasks.profiles.fonts import bundled
from tasks.profiles.profile import Profile, profile_from
from tasks.profiles.word_lists import WEB2

ABSENT = "not there: it was lost, or the run that makes the dataset did not end and would go on"
_SIGNATURE = b"\x89HDF\r\n\x1a\n"


@dataclass(frozen=True)
class Inventory:
    """The files of a dataset's folder, before any shard is read.

    Attributes
    ----------
    manifest : Manifest or None
        None if it is missing or cannot be trusted. Then `distrust` says why, and `named` holds the shard names in it.
    identity : str
        The canonical identity JSON that shards should hold. Without a manifest, that of the first readable shard;
        '' if none is readable.
    shards : dict of int
        By name, the number of pictures of each file to prove: files with a shard's name, whose names tell it, and
        other HDF5 files, with 0.
    strays, leftovers : tuple of str
        Names of files that are not of a dataset, and of temporary files.
    """

    folder: Place
    manifest: Manifest | None
    distrust: str
    named: tuple[str, ...]
    identity: str
    shards: dict[str, int]
    strays: tuple[str, ...]
    leftovers: tuple[str, ...]

    @property
    def imported(self) -> bool:
        """Return whether the pictures were imported, so that nothing here can draw them."""
        return bool(self.manifest and self.manifest.source) or bool(_content(self.identity).get("source"))


def require_dataset(
    folder: Place,
    *,
    drawing: bool = False,
    font: list[str] | None = None,
    words: str | None = None,
    source: Path | None = None,
) -> None:
    """Refuse a folder or options for a reason that is seen without reading a shard.

    Parameters
    ----------
    drawing : bool
        The dataset is to be drawn again.
    font, words
        Where its fonts and its word list are, if they do not come with this project.
    source : Path, optional
        The folder from which the dataset was imported.

    Raises
    ------
    NotThere
        Neither a manifest nor a shard is in `folder`.
    BadInput
        The dataset is to be drawn, but was imported or has fonts or words that are unknown here.
    """
    if not holds_dataset(folder):
        raise NotThere(f"{folder}: no dataset there; `captchas datasets` lists those under the home")
    try:
        manifest = Manifest.read(folder) if drawing else None
    except (NotThere, Damaged):
        return  # the shards may still tell
    if manifest is None:
        return
    if manifest.source is not None:
        require_no_generator(folder, manifest)
    if manifest.source is not None and source is None:
        raise _imported(folder)
    if manifest.source is None and source is not None:
        raise BadInput(f"source: is where an imported dataset came from; {folder} was drawn and needs none")
    if manifest.source is None:
        profile_of(identity_of(manifest), font, words)


def require_no_generator(folder: Place, manifest: Manifest) -> None:
    """Refuse to draw or import again what an owner's generator drew.

    Raises
    ------
    BadInput
    """
    generator = (manifest.source or {}).get("generator")
    if generator:
        raise BadInput(
            f"{folder}: its pictures were drawn by the generator {generator['given']!r}, which is not this project's, "
            f"so nothing here can draw them again; what it drew is kept in {folder.name}{DRAWN}, and "
            "the command that made the dataset puts lost pictures back from there"
        )


def holds_dataset(folder: Place) -> bool:
    """Return whether a folder holds a manifest or a shard, by their names."""
    return folder.is_dir() and any(path.name == MANIFEST or parse_name(path.name) for path in folder.iterdir())


def datasets_in(folder: Path) -> list[Path]:
    """List the datasets in a folder, whole or not, in the order of their names."""
    return sorted(path for path in folder.glob("*") if not path.name.endswith(BESIDE) and holds_dataset(path))


def is_imported(folder: Place) -> bool:
    """Return whether a dataset was imported by its manifest, so that it cannot be drawn again."""
    try:
        manifest = manifest_in(folder)
    except Damaged:
        return False
    return manifest is not None and manifest.source is not None


def inventory(folder: Place) -> Inventory:
    """List a dataset's folder and decide whether its manifest can be trusted."""
    manifest, distrust = None, ""
    try:
        manifest = Manifest.read(folder)
        distrust = _objection(folder, manifest)
    except NotThere:
        distrust = ABSENT
    except Damaged as error:
        distrust = short(error, folder / MANIFEST)
    temporary = {path.name for path in atomic.leftovers(folder) if path.is_file()}
    others = sorted({path.name for path in folder.iterdir()} - temporary - {MANIFEST})
    shards = {
        name: (parse_name(name) or (0, 0))[1] for name in others if parse_name(name) or _may_be_shard(folder / name)
    }
    trusted = None if distrust else manifest
    return Inventory(
        folder, trusted, distrust, () if trusted else _mentioned(folder / MANIFEST), _identity(folder, trusted, shards),
        shards, tuple(sorted(set(others) - set(shards))), tuple(sorted(temporary)),
    )  # fmt: skip


def _objection(folder: Place, manifest: Manifest) -> str:
    """Return why a manifest whose digest and fields fit cannot be true; '' if no reason is found."""
    for index, line in enumerate(manifest.shards):
        if line["first"] % BLOCK:
            return f"its shards[{index}] begins at picture {line['first']}, which is within a block"
    if identity_digest(canonical(identity_of(manifest))) != manifest.identity:
        return "its fields do not add up to its identity"
    if manifest.source is not None and not _bears_out(folder, manifest):
        return "its identity is not that of the shards that it names"
    return ""


def _bears_out(folder: Place, manifest: Manifest) -> bool:
    """Return whether an import's shards hold the identity in its manifest, by the first shard with the bytes there.

    Nothing here can draw imported pictures again, so that the identity in the shards is the truth. For drawn
    datasets the recipe decides.
    """
    for line in manifest.shards:
        try:
            with Shard(folder / line["name"], sha256=line["sha256"]) as shard:
                return identity_digest(shard.identity) == manifest.identity
        except Damaged:
            continue  # proving it tells why
    return True


def _mentioned(path: Place) -> tuple[str, ...]:
    """List the shard names in a manifest that cannot be trusted: they hint at missing shards."""
    try:
        content: Any = load(path)
        return tuple(sorted(line["name"] for line in content["shards"] if parse_name(line["name"])))
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return ()


def _may_be_shard(path: Place) -> bool:
    """Return whether a file begins as an HDF5 file and is not too large for a shard."""
    try:
        if not path.is_file() or path.stat().st_size > LARGEST:
            return False
        return read_range(path, 0, len(_SIGNATURE)) == _SIGNATURE
    except OSError:
        return False


def _content(identity: str) -> dict[str, Any]:
    """Parse an identity; an empty dict if it is no JSON object."""
    try:
        content = json.loads(identity)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _identity(folder: Place, manifest: Manifest | None, shards: Iterable[str]) -> str:
    """Return the identity that shards should hold: the manifest's, or that of the first readable shard."""
    if manifest:
        return canonical(identity_of(manifest))
    for name in shards:
        try:
            with Shard(folder / name) as shard:
                if _content(shard.identity).get("profile"):
                    return shard.identity
        except Damaged:
            continue  # proving it tells why
    return ""


def profile_of(identity: dict[str, Any], font: list[str] | None = None, words: str | None = None) -> Profile:
    """Return the profile of an identity, with this machine's names for fonts and words.

    Raises
    ------
    BadInput
        Fonts or words came from files, whose paths no dataset records: `font` or `words` must name them.
    Damaged
        The identity holds no profile.
    """
    try:
        content = dict(identity["profile"])
        names, list_of_words = content["fonts"], content["words"]
        profile_from(content | {"words": ""}, source="the dataset's profile")
    except (KeyError, TypeError, ValueError) as error:
        raise Damaged(f"the profile that the dataset records cannot be read: {error}") from error
    unknown = [name for name in names if name not in bundled()]
    if unknown and not font:
        raise BadInput(
            f"font {unknown[0]!r}: the dataset was drawn with a font that does not come with this project; say where "
            f"it is with --font PATH, once for each of {', '.join(names)}, in that order"
        )
    if list_of_words not in ("", WEB2) and words is None:
        raise BadInput("words: the dataset was drawn from a word list of its own; say where it is with --words FILE")
    content |= {"fonts": font or names, "words": list_of_words if words is None else words}
    return profile_from(content, source="the dataset's profile")


def recipe_of(found: Inventory, font: list[str] | None = None, words: str | None = None) -> Recipe | None:
    """Return the recipe of a dataset, which draws the same glyphs here; None if the identity is unknown.

    Raises
    ------
    BadInput
        The dataset was imported, or fonts or words were not found.
    Damaged
        The identity holds no profile or no seed.
    GlyphsDiffer
        With the fields that differ, and the versions there and here.
    """
    if found.imported:
        raise _imported(found.folder)
    if not found.identity:
        return None
    identity = json.loads(found.identity)
    profile = profile_of(identity, font, words)
    if not isinstance(identity.get("seed"), int):
        raise Damaged(
            f"{found.folder}: the seed in its shards' identity is {identity.get('seed')!r}, which is no number"
        )
    recipe = make_recipe(profile, identity["seed"])
    if recipe.identity != found.identity:
        here = software()
        there = found.manifest.software if found.manifest else {}
        versions = ", ".join(
            f"{name} {there.get(name, 'unknown')} there, {here.get(name, 'none')} here"
            for name in sorted(set(here) | set(there))
            if here.get(name) != there.get(name)
        )
        fields = "; ".join(identity_differences(identity, json.loads(recipe.identity), "here"))
        raise GlyphsDiffer(
            f"{found.folder}: this machine would draw other pictures, so nothing was touched: {fields}. Versions: "
            f"{versions or 'the same there and here'}. Install the same fonts and versions as where the dataset was "
            "drawn; a font or list that was given as a file is named with --font or --words"
        )
    return recipe


def short(error: Exception, path: Place) -> str:
    """Return an error's message without the path, which the table names."""
    return str(error).removeprefix(f"{path}: ")


def _imported(folder: Place) -> BadInput:
    return BadInput(
        f"{folder}: its pictures were imported, so nothing here can draw them; `captchas verify {folder} --repair "
        "--source FOLDER` reads the folder that they came from again"
    )
