"""Whose an audit's folder is, and the state of its target: a changed target is audited anew in the same folder."""

from dataclasses import replace
from pathlib import Path

from flows.auditing.target import AuditTarget
from flows.home import home, new_dataset_folder
from flows.shell.quiet import tell
from storage.audits import earlier_audits, folder_of, keep_target, target_in
from storage.files.places import Place
from storage.shards.manifest import Manifest, identity_digest
from storage.texts import canonical, plain
from tasks.audit.own_files import folder_digest
from tasks.datasets.folder import identity_in, manifest_in
from tasks.datasets.recipe import make_recipe

DIGITS = 8  # of a state, in the name of a dataset


def place_at_home(target: AuditTarget) -> tuple[AuditTarget, Path]:
    """Return the folder of a target's audits under the home, and the target with the name that it has there."""
    folder = folder_of(home() / "audits", target.name, target.whose)
    if folder.name == target.name:
        return target, folder
    named = target.folder
    if target.generator is not None or target.kind == "folder":
        named = new_dataset_folder(named.name.replace(target.name, folder.name, 1))
    return replace(target, name=folder.name, folder=named), folder


def settle(target: AuditTarget, folder: Path) -> AuditTarget:
    """Choose the dataset of a target as it is now, and say so if it has changed since its last audit.

    An earlier state keeps its dataset, and its results stay in the history. The caller holds the audit's lock.

    Raises
    ------
    BadInput, NotThere, Damaged, NoSpace, Unwritable
    """
    before = target_in(folder)
    state, dataset = _state_of(target, before)
    if before.get("state", state) != state and earlier_audits(folder):
        tell(
            f"{plain(target.name)} has changed since its last audit: its new state is audited, and the earlier result "
            "stays in its history"
        )
    keep_target(folder, {"whose": target.whose, "state": state, "dataset": dataset.name})
    return replace(target, folder=dataset)


def _state_of(target: AuditTarget, before: dict[str, str]) -> tuple[str, Place]:
    """Return the digest of what is audited, and the folder of its dataset."""
    named = target.folder
    if target.generator is not None:
        return target.generator.code_digest, named
    if target.kind == "dataset":
        return Manifest.read(named).content, named
    if target.kind == "folder":
        state = folder_digest(target.sources[0])
        kept = before.get("dataset")
        if before.get("state") == state and isinstance(kept, str) and kept == Path(kept).name:  # no path elsewhere
            return state, new_dataset_folder(kept)
        return state, _beside(named, state) if named.exists() else named
    if target.profile is None:
        raise TypeError("a profile's audit has the profile")
    state = make_recipe(target.profile, target.seed).digest
    return state, _beside(named, state) if _is_other(named, state) else named


def _beside(dataset: Place, state: str) -> Place:
    return dataset.with_name(f"{dataset.name}-{state[:DIGITS]}")


def _is_other(dataset: Place, identity: str) -> bool:
    """Return whether a folder holds a dataset of another identity, also one that is not finished."""
    manifest = manifest_in(dataset)
    if manifest is not None:
        return manifest.identity != identity
    there = identity_in(dataset) if dataset.exists() else None
    return there is not None and identity_digest(canonical(there)) != identity
