"""What is audited: a profile, a dataset, a folder of labelled pictures, or an owner's generator."""

import ast
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from flows.generate import generate
from flows.home import home, new_dataset_folder
from flows.ingest import ingest
from flows.reporting.progress import stage
from flows.workers.cluster import cores
from storage.dataset import Dataset
from storage.errors import BadInput, Damaged, Different, NotThere, nearest
from storage.files.places import ObjectPath, Place, is_url, local, place
from storage.shards.manifest import Manifest
from tasks.audit import schema
from tasks.audit.generators.command_line import RUNNERS
from tasks.audit.generators.drawn_dataset import draw
from tasks.audit.generators.own_generator import CALLABLE, GUIDE, OwnGenerator, find_generator
from tasks.audit.generators.staged import GENERATOR, LABELS
from tasks.datasets.folder import DRAWN
from tasks.datasets.inventory import datasets_in, profile_of, require_dataset
from tasks.datasets.recipe import identity_of
from tasks.exchange.labelling import Zeros
from tasks.loading.listing import list_pictures
from tasks.lowlevel.inflate import inflate
from tasks.profiles.built_in import NAMED, find_profile
from tasks.profiles.profile import Profile

KINDS = (
    "a profile, a dataset, a folder of labelled pictures, or your own generator (module:function, or with --command)"
)


LONGEST = 255  # bytes of a name, by most file systems
LEAST_DRAWN = 300  # pictures of an owner's generator: one in three is unseen then


@dataclass(frozen=True)
class AuditTarget:
    """What is audited, and where its dataset is or will be.

    Parameters
    ----------
    name : str
        Of the audit.
    kind : str
    given : str
        As the command line has it.
    folder : Place
        Of the dataset.
    seed : int
    profile : Profile, optional
        What the pictures are drawn by, if this project draws them.
    sources : tuple of Path
        Folders with the owner's own files.
    generator : OwnGenerator, optional
    whose : str
        What tells it from other targets of its name.
    """

    name: str
    kind: Literal["profile", "dataset", "folder", "callable", "command"]
    given: str
    folder: Place
    seed: int
    profile: Profile | None = None
    sources: tuple[Path, ...] = ()
    generator: OwnGenerator | None = None
    whose: str = ""


def find_target(
    target: str | None, command: str | None, *, alphabet: str | None, lengths: tuple[int, ...] | None, seed: int
) -> AuditTarget:
    """Find what is to be audited.

    Raises
    ------
    BadInput, NotThere
        Nothing has that name, or several things have; the message names them, and how to tell them apart.
    """
    if target is not None and command is not None:
        raise BadInput(
            f"target and command: give one of them; they are {target!r} and {command!r}. A deployment that has a "
            "target of its own needs target: null beside the command"
        )
    if command is None and (target is None or not target.strip()):
        raise BadInput(f"target: must be {KINDS}; give one of them")
    given = target or ""
    if not is_url(given) and any(len(os.fsencode(part)) > LONGEST for part in given.split("/")):
        raise BadInput(
            f"target: must be {KINDS}; it has {len(given):,} characters ({given[:40]}…), and no file's name has more "
            f"than {LONGEST} bytes"
        )
    if command is not None or _is_callable(given):
        generator = find_generator(target, command, alphabet=alphabet, lengths=lengths, seed=seed)
        # Another folder for another generator, alphabet or seed: their pictures must not be mixed.
        folder = new_dataset_folder(f"{generator.name}-{generator.digest[:8]}")
        drawn = (folder.with_name(folder.name + DRAWN),)
        return AuditTarget(
            generator.name, generator.kind, generator.given, folder, seed, sources=drawn, generator=generator,
            whose=generator.whose,
        )  # fmt: skip
    for name, value in (("alphabet", alphabet), ("length", lengths)):
        if value is not None:
            raise BadInput(f"{name}: says what to ask your own generator for; {given} is none")
    found = _candidates(given, seed)
    if len(found) > 1:
        ways = "; ".join(f"{_told(one)}: give {_way(one)}" for one in found)
        raise BadInput(f"target {given!r}: means several things ({ways})")
    if not found:
        raise _missing(given)
    return found[0]


def draw_target(
    target: AuditTarget, count: int, until: float, workers: int | None = None
) -> tuple[Dataset, schema.Generator | None]:
    """Draw or import what there is to draw or import, and return the dataset.

    Parameters
    ----------
    count : int
        Pictures that are wanted; a folder and a dataset have what they have.
    until : float
        `time.monotonic()` after which an owner's generator begins no picture.
    workers : int, optional
        Processes in which an owner's generator draws; by default one for each core.

    Raises
    ------
    BadInput, Different
    """
    try:
        record = _draw(target, count, until, workers)
    except Different as error:
        if target.generator is not None:
            raise
        what = re.split("; (?:give|choose) another", str(error))[0]  # its --out would be that of the audit
        raise Different(
            f"{target.name}: has changed since its pictures were taken for an audit, or something else has that name: "
            f"{what}; remove that dataset first, the history of audits stays: captchas datasets --remove "
            f"{target.folder.name}"
        ) from error
    except BadInput as error:
        if target.kind != "folder" or not re.search("--(?:labels|columns|pattern|zeros)", str(error)):
            raise
        raise BadInput(
            f"{error}. These are options of captchas import: give them there, and audit the dataset: captchas import "
            f"{target.given} …, captchas audit {target.name}"
        ) from error
    return Dataset(target.folder, inflate), record


def _draw(target: AuditTarget, count: int, until: float, workers: int | None) -> schema.Generator | None:
    record = None
    if target.generator is not None:
        with stage("drawing", count, until=until) as shown:
            record = draw(
                target.generator, count, target.folder, workers=workers or cores(), until=until,
                on_done=lambda done: shown.advance(done - shown.done), least=LEAST_DRAWN,
            )  # fmt: skip
    elif target.kind == "profile":
        generate(target.given, count=count, seed=target.seed, out=Path(str(target.folder)))
    elif target.kind == "folder":
        labels = target.sources[0] / LABELS if _is_drawn(target.sources[0]) else None
        zeros = Zeros.KEEP if labels else None  # a generator's own numbers
        ingest(target.sources[0], labels=labels, zeros=zeros, name=target.name, out=Path(str(target.folder)))
    return record


def _is_drawn(folder: Path) -> bool:
    """Return whether a folder holds what an owner's generator drew for a former audit, with its table of labels."""
    return folder.name.endswith(DRAWN) and all((folder / name).is_file() for name in (GENERATOR, LABELS))


def _is_callable(given: str) -> bool:
    return not is_url(given) and CALLABLE.fullmatch(given) is not None and not Path(given).exists()


def _candidates(given: str, seed: int) -> list[AuditTarget]:
    """Return all that a name may mean."""
    path = place(given)
    if isinstance(path, ObjectPath):
        return [_of_dataset(given, path, seed)]
    found: list[AuditTarget] = []
    named = path if "/" in given else new_dataset_folder(given)
    if given.endswith(DRAWN) and not path.is_dir() and _is_drawn(named):
        return [_of_folder(given, named, seed)]  # what was drawn lies beside the datasets, and is found by its name
    manifest = _manifest_in(named)
    if given in NAMED or (given.endswith(".toml") and path.is_file()):
        profile = find_profile(given)
        folder = new_dataset_folder(profile.name)
        there = _manifest_in(folder)
        # A dataset that was drawn from the profile is the profile's, and so is its seed.
        own = there is not None and there.source is None and there.profile["name"] == profile.name
        found.append(
            AuditTarget(
                profile.name, "profile", given, folder, there.seed if own and there else seed, profile,
                whose=f"profile {given if given in NAMED else path.resolve()}",
            )
        )  # fmt: skip
        if own and folder == named:
            manifest = None
    if manifest is not None:
        found.append(_of_dataset(given, named, seed))
    if path.is_dir() and path.resolve() != named.resolve():
        found.append(_of_dataset(given, path, seed) if _manifest_in(path) else _of_folder(given, path, seed))
    elif path.is_dir() and manifest is None:
        found.append(_of_folder(given, path, seed))
    return found


def _manifest_in(folder: Path) -> Manifest | None:
    """Return the manifest of a dataset's folder; None if it is no dataset. One that is damaged is told."""
    try:
        require_dataset(folder)
        return Manifest.read(folder)
    except NotThere:  # also of a run that was ended before the dataset was whole: it goes on
        return None


def _of_dataset(given: str, folder: Place, seed: int) -> AuditTarget:
    manifest = Manifest.read(folder)
    profile = None
    if manifest.source is None:
        with suppress(BadInput, Damaged):  # fonts or words of its own: what is drawn by them cannot be changed here
            profile = profile_of(identity_of(manifest), None, None)
    kept = folder.name if folder == new_dataset_folder(folder.name) else folder.resolve()  # a home may be moved
    return AuditTarget(folder.name, "dataset", given, folder, seed, profile, whose=f"dataset {kept}")


def _of_folder(given: str, folder: Path, seed: int) -> AuditTarget:
    root = local(folder, "target").resolve()
    name = re.sub(r"[^\w-]+", "-", root.name).strip("-") or "pictures"
    if next(list_pictures(root), None) is None:
        raise BadInput(f"target {given!r}: is a folder without any file; put labelled pictures into it")
    return AuditTarget(name, "folder", given, new_dataset_folder(name), seed, sources=(root,), whose=f"folder {root}")


def _told(target: AuditTarget) -> str:
    return {"profile": "a profile", "dataset": "a dataset"}.get(target.kind, "a folder of pictures")


def _way(target: AuditTarget) -> str:
    """Return how to name a target so that it means nothing else."""
    if target.kind == "profile":
        return f"a .toml file with based_on = {target.name!r}"
    folder = target.sources[0] if target.sources else target.folder
    with suppress(ValueError):
        folder = Path(str(folder)).resolve().relative_to(Path.cwd())
        return f"./{folder}"
    return str(folder)


def _missing(given: str) -> BadInput | NotThere:
    """Return the error for a name that nothing has, with what may have been meant."""
    path = Path(given)
    source = path if path.suffix == ".py" else path.with_name(f"{path.name}.py")
    if source.is_file():
        names = [f"{given}:{name}" for name in functions_in(source)]
        return BadInput(f"target {given!r}: name the function that draws: {', '.join(names[:5]) or given + ':draw'}")
    if path.suffix in RUNNERS and path.is_file():
        return BadInput(
            f"target {given!r}: is a program; say how it is run: --command '{RUNNERS[path.suffix]} {given} "
            f"{{text}} {{out}}' ({GUIDE})"
        )
    if path.is_file():
        if os.access(path, os.X_OK):
            run = path if "/" in given else f"./{given}"
            return BadInput(
                f"target {given!r}: is a program; say how it is run: --command '{run} {{text}} {{out}}', or --command "
                f"{run} if it reads the text and writes the picture to its standard output ({GUIDE})"
            )
        return BadInput(f"target {given!r}: is a file; it must be {KINDS}")
    datasets = [folder.name for folder in datasets_in(home() / "datasets")]
    return NotThere(
        f"target {given!r}: nothing has that name{nearest(given, [*NAMED, *datasets])}; it must be {KINDS}. Profiles: "
        f"{', '.join(NAMED)}; datasets under the home: {', '.join(datasets) or 'none'}"
    )


def functions_in(path: Path) -> list[str]:
    """List the public functions of a Python file, without running it; those that draw, by their name, first."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return []
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]
    return sorted(names, key=lambda name: not re.search("draw|captcha|image|picture|generate|render", name.lower()))
