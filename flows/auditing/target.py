"""What is audited: a profile, a dataset, a folder of labelled pictures, or an owner's generator."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from flows.generate import generate
from flows.home import dataset_folder
from storage.dataset import Dataset
from storage.errors import NotThere
from storage.files.places import Place
from tasks.audit import schema
from tasks.lowlevel.inflate import inflate
from tasks.profiles.built_in import find_profile
from tasks.profiles.profile import Profile


@dataclass(frozen=True)
class AuditTarget:
    """What is audited, and where its dataset is or will be."""

    name: str
    kind: Literal["profile", "dataset", "folder", "callable", "command"]
    given: str
    folder: Place
    seed: int
    profile: Profile | None = None
    sources: tuple[Path, ...] = ()


def find_target(
    target: str | None, command: str | None, *, alphabet: str | None, lengths: tuple[int, ...] | None, seed: int
) -> AuditTarget:
    """Find what is to be audited."""
    folder = dataset_folder(target or "")
    try:
        data = Dataset(folder)
    except NotThere:
        profile = find_profile(target or "")
        return AuditTarget(profile.name, "profile", target or "", folder, seed, profile)
    return AuditTarget(data.folder.name, "dataset", target or "", folder, seed)


def draw_target(target: AuditTarget, count: int, until: float) -> tuple[Dataset, schema.Generator | None]:
    """Draw what there is to draw, and return the dataset."""
    if target.profile is not None:
        generate(target.given, count=count, seed=target.seed, out=Path(str(target.folder)))
    return Dataset(target.folder, inflate), None
