import hashlib
import json
import os
import shutil
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
from blake3 import blake3

from storage.errors import BadInput, Damaged, GlyphsDiffer, NotThere
from storage.files import atomic
from storage.shards.manifest import MANIFEST
from storage.shards.shard import BLOCK, Block, Shard, combined, shard_name
from storage.shards.writer import write_shard
from storage.texts import canonical
from tasks.datasets import generate, inventory
from tasks.datasets.folder import complete
from tasks.datasets.generate import draw_shard, plan_drawing
from tasks.datasets.inventory import ABSENT, recipe_of, require_dataset
from tasks.datasets.judge import State, judge, report, summary
from tasks.datasets.prove import Proven, proof_jobs, prove_all
from tasks.datasets.recipe import Recipe, make_recipe, renderer_of
from tasks.datasets.repair import count_jobs, count_shard, finish_repair, plan_repair, put_back, redraw_shard
from tasks.datasets.totals import Gathered
from tasks.profiles.fonts import bundled
from tasks.profiles.glyphs import GlyphSet

IMPORTED = Path(__file__).parents[2] / "golden" / "v1" / "imported"
COUNT = 3 * BLOCK + 300
NAMES = [shard_name(0, BLOCK), shard_name(1, BLOCK), shard_name(2, BLOCK), shard_name(3, 300)]
A, B, C, D = NAMES
SEALED = "was cut or altered after it was sealed"
PUT = "digest proven"


def draw(recipe: Recipe, folder: Path, count: int) -> None:
    """What the flow `generate` does, a block a shard."""
    folder.mkdir(parents=True, exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generate, "BLOCKS_A_SHARD", 1)
        plan = plan_drawing(recipe, folder, count, "run")
        gathered = Gathered(recipe.identity)
        for job in plan.jobs:
            gathered.add(draw_shard(job))
        complete(folder, gathered, "run")


def look(folder: Path, *, redraw: bool = False, font=None, words=None, recipe: Recipe | None = None):
    """What the flow `verify` does without --repair: all that it found out. A `recipe` saves finding one."""
    found = inventory.inventory(folder)
    recipe = (recipe or recipe_of(found, font, words)) if redraw else None
    jobs = proof_jobs(found, recipe)
    proven = Proven(jobs)
    for job in jobs:
        proven.add(prove_all((job,)))
    verdict = judge(found, proven.proofs[::-1], redrawn=redraw, statistics=proven.statistics())
    return SimpleNamespace(found=found, proofs=proven.proofs, verdict=verdict)


def repair(folder: Path, *, redraw: bool = False, font=None, words=None, recipe: Recipe | None = None) -> list:
    """What the flow `verify` does with --repair."""
    recipe = recipe or recipe_of(inventory.inventory(folder), font, words)
    seen = look(folder, redraw=redraw, recipe=recipe)
    plan = plan_repair(seen.found, seen.verdict, seen.proofs, recipe, "repair")
    put_back(seen.found, plan)
    drawn = [redraw_shard(job) for job in plan.jobs]
    counted = None
    for job in count_jobs(seen.found, seen.verdict, recipe, "repair"):
        counted = counted or Gathered(recipe.identity)
        counted.add(count_shard(job))
    return finish_repair(seen.found, seen.verdict, plan, seen.proofs, drawn, counted, "repair")


def state(folder: Path) -> dict[str, tuple]:
    """Every entry's inode, time and bytes: whatever touches a file changes it."""
    stats = {path: path.lstat() for path in folder.parent.rglob("*") if path.name != folder.name}
    return {
        str(path.relative_to(folder.parent)): (
            stat.st_ino, stat.st_mtime_ns, path.read_bytes() if path.is_file() else None
        )
        for path, stat in stats.items()
    }  # fmt: skip


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def flip(path: Path, place: float = 0.5) -> None:
    data = bytearray(path.read_bytes())
    data[int(len(data) * place)] ^= 1
    path.write_bytes(data)


def edit(folder: Path, change: Callable[[dict], None], *, reseal: bool = True) -> None:
    """Change the manifest, with a digest that fits."""
    content = json.loads((folder / MANIFEST).read_text())
    change(content)
    if reseal:
        content.pop("digest")
        content["digest"] = hashlib.sha256(canonical(content).encode()).hexdigest()
    (folder / MANIFEST).write_text(json.dumps(content))


def relabel(path: Path, field: str, *, digests: bool) -> None:
    """Change one value of a shard's third picture, and seal the file again, with digests that fit or the old ones."""
    data = path.read_bytes()[:-32]
    with h5py.File("edited", "w", driver="core", backing_store=False) as target:
        with h5py.File(h5py.h5f.open_file_image(data)) as source:
            for name in source:
                source.copy(name, target)
            target.attrs.update(source.attrs)
        if field == "parameters":
            row = target[field][2]
            row["shear"] += 1
        elif field == "text":
            row = b"B" if target[field][2] != b"B" else b"A"
        else:
            row = target[field][2] ^ 1
        target[field][2] = row
        if digests:
            block = Block(*(np.ascontiguousarray(target[name][...]) for name in Block._fields))
            target.attrs["blocks"] = np.array([block.digest().hex()], "S64")
        target.flush()
        data = target.id.get_file_image()
    path.write_bytes(data + blake3(data).digest())


def lie(folder: Path, name: str, *, whole: bool) -> None:
    """Make the manifest's line of a shard fit that file, and the digest of the whole too if asked."""
    with Shard(folder / name) as shard:
        content = combined(map(bytes.fromhex, shard.digests))
    data = (folder / name).read_bytes()

    def change(manifest: dict) -> None:
        (line,) = (line for line in manifest["shards"] if line["name"] == name)
        line |= {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "content": content}
        if whole:
            manifest["content"] = combined(
                bytes.fromhex(digest) for line in manifest["shards"] for digest in digests_of(folder / line["name"])
            )

    edit(folder, change)


def digests_of(path: Path) -> list[str]:
    with Shard(path) as shard:
        return list(shard.digests)


@pytest.fixture(scope="module")
def made(recipe, tmp_path_factory) -> Path:
    """A dataset of four shards that no test changes."""
    folder = tmp_path_factory.mktemp("made") / "d"
    draw(recipe, folder, COUNT)
    return folder


@pytest.fixture
def folder(made, tmp_path) -> Path:
    shutil.copytree(made, tmp_path / "d")
    return tmp_path / "d"


@pytest.fixture(scope="module")
def other(small, tmp_path_factory) -> Path:
    """A dataset of another seed."""
    folder = tmp_path_factory.mktemp("other") / "other"
    draw(make_recipe(small, 8), folder, 2 * BLOCK)
    return folder


# Whole.


@pytest.mark.parametrize("redraw", [False, True])
def test_a_whole_dataset_has_no_findings_and_is_not_touched(folder, redraw):
    before = state(folder)
    seen = look(folder, redraw=redraw)
    assert seen.verdict.findings == ()
    assert seen.verdict.whole == set(NAMES)
    assert repair(folder, redraw=redraw) == []
    assert state(folder) == before
    content = report(seen.found, seen.verdict, seen.proofs, [], 0.5, 1234.5, redraw)
    assert (content["pictures"], content["shards"], content["found_whole"]) == (COUNT, 4, 4)
    assert content["bytes"] == sum((folder / name).stat().st_size for name in NAMES)
    assert content["pictures_per_second"] == 1234
    assert report(seen.found, seen.verdict, seen.proofs, [], 0.5, None, redraw)["pictures_per_second"] == 2 * COUNT
    assert content["findings"] == []
    assert json.loads(json.dumps(content)) == content


# Damage. Each function returns the findings as (what, state, part of the reason, part of what is done), and the
# names in the foreign folder after the repair.


def lost(folder, other):
    (folder / B).unlink()
    return [(B, "missing", "not there", f"drawn again, {PUT}")], []


def lost_last(folder, other):
    (folder / D).unlink()
    return [(D, "missing", "not there", f"drawn again, {PUT}")], []


def all_lost(folder, other):
    for name in NAMES:
        (folder / name).unlink()
    return [(name, "missing", "not there", PUT) for name in NAMES], []


def cut(folder, other):
    (folder / B).write_bytes((folder / B).read_bytes()[:-100])
    return [(B, "damaged", SEALED, f"moved to d.foreign; drawn again, {PUT}")], [B]


def empty(folder, other):
    (folder / D).write_bytes(b"")
    return [(D, "damaged", SEALED, PUT)], [D]


def flipped(folder, other):
    for place in (0.001, 0.4, 0.999):
        flip(folder / A, place)
    flip(folder / C)
    return [(A, "damaged", SEALED, PUT), (C, "damaged", SEALED, PUT)], [A, C]


def swapped(folder, other):
    (folder / A).rename(folder / "x")
    (folder / C).rename(folder / A)
    (folder / "x").rename(folder / C)
    return [(A, "misplaced", f"was sealed as {C}", f"put back as {C}; put back from {C}"),
            (C, "misplaced", f"was sealed as {A}", f"put back as {A}; put back from {A}")], []  # fmt: skip


def renamed(folder, other):
    (folder / B).rename(folder / "old.h5")
    return [("old.h5", "misplaced", f"was sealed as {B}", f"put back as {B}"),
            (B, "missing", "not there", "put back from old.h5")], []  # fmt: skip


def renamed_like_another(folder, other):
    (folder / B).rename(folder / shard_name(7, 300))
    return [(B, "missing", "not there", f"put back from {shard_name(7, 300)}"),
            (shard_name(7, 300), "misplaced", f"was sealed as {B}", f"put back as {B}")], []  # fmt: skip


def moved_over_another(folder, other):
    (folder / A).replace(folder / B)
    return [(A, "missing", "not there", f"put back from {B}"),
            (B, "misplaced", f"was sealed as {A}", f"put back as {A}; drawn again, {PUT}")], []  # fmt: skip


def renamed_over_damage(folder, other):
    shutil.copy(folder / A, folder / "backup")
    flip(folder / A)
    return [(A, "damaged", SEALED, "moved to d.foreign; put back from backup"),
            ("backup", "misplaced", f"was sealed as {A}", f"put back as {A}")], [A]  # fmt: skip


def duplicated(folder, other):
    shutil.copy(folder / A, folder / "copy.h5")
    shutil.copy(folder / A, folder / shard_name(4, BLOCK))
    shutil.copy(folder / D, folder / shard_name(3, 301))
    return [("copy.h5", "duplicate", f"a copy of {A}", "moved to d.foreign"),
            (shard_name(3, 301), "duplicate", f"a copy of {D}", "moved to d.foreign"),
            (shard_name(4, BLOCK), "duplicate", f"a copy of {A}", "moved to d.foreign"),
    ], ["copy.h5", shard_name(3, 301), shard_name(4, BLOCK)]  # fmt: skip


def copied_over_another(folder, other):
    shutil.copy(folder / A, folder / B)
    return [(B, "duplicate", f"a copy of {A}", f"moved to d.foreign; drawn again, {PUT}")], [B]


def another_datasets_in_its_place(folder, other):
    shutil.copy(other / A, folder / A)
    return [
        (A, "foreign", "belongs to another dataset (seed: 8 there, 7 here)", f"moved to d.foreign; drawn again, {PUT}")
    ], [A]


def another_datasets_beside(folder, other):
    shutil.copy(other / B, folder / shard_name(4, BLOCK))
    return [(shard_name(4, BLOCK), "foreign", "seed: 8 there, 7 here", "moved to d.foreign")], [shard_name(4, BLOCK)]


def strays(folder, other):
    (folder / "notes.txt").write_text("mine")
    (folder / ".hidden").write_text("mine too")
    (folder / "notes").mkdir()
    (folder / "notes" / "deep.txt").write_text("deep")
    (folder / shard_name(9, 5)).write_bytes(b"no shard at all")
    (folder / "shard-1-5.h5").write_bytes(b"no shard's name")
    (folder / "made.h5").write_bytes(b"\x89HDF\r\n\x1a\n and nothing more")
    return [(name, "foreign", "", "moved to d.foreign") for name in names(folder) if name not in (*NAMES, MANIFEST)], [
        ".hidden", "made.h5", "notes", "notes.txt", shard_name(9, 5), "shard-1-5.h5"
    ]  # fmt: skip


def no_file_in_its_place(folder, other):
    (folder / A).unlink()
    (folder / A).mkdir()
    (folder / B).unlink()
    (folder / B).symlink_to("nowhere")
    (folder / C).unlink()
    os.mkfifo(folder / C)
    return [(name, "damaged", "is no file", PUT) for name in (A, B, C)], [A, B, C]


def leftover(folder, other):
    (folder / f".{A}.0123456789ab.tmp").write_bytes(b"half of it")
    (folder / ".manifest.json.0123456789ab.tmp").write_bytes(b"{")
    return [(f".{A}.0123456789ab.tmp", "leftover", "", "removed"),
            (".manifest.json.0123456789ab.tmp", "leftover", "", "removed")], []  # fmt: skip


def stale(folder, other):
    with Shard(folder / C) as shard:
        write_shard(folder, 2, 2 * BLOCK, [shard.block(0).rows(slice(452))], shard.identity, "dead")
    return [(shard_name(2, 452), "stale", f"its pictures are all in {C}", "removed")], []


def shorter_with_other_pictures(folder, other):
    with Shard(folder / C) as shard:
        write_shard(folder, 2, 2 * BLOCK, [shard.block(0).rows(slice(1, 453))], shard.identity, "dead")
    return [(shard_name(2, 452), "foreign", "which does not hold its pictures", "moved to d.foreign")], [
        shard_name(2, 452)
    ]


def shorter_beside_a_lost_one(folder, other):
    with Shard(folder / C) as shard:
        write_shard(folder, 2, 2 * BLOCK, [shard.block(0).rows(slice(452))], shard.identity, "dead")
    (folder / C).unlink()
    return [(C, "missing", "", PUT), (shard_name(2, 452), "foreign", "a shorter shard", "moved")], [shard_name(2, 452)]


def unfinished(folder, other):
    with Shard(folder / D) as shard:
        identity = shard.identity
    renderer = renderer_of(RECIPE[0])
    write_shard(folder, 3, 3 * BLOCK, [renderer.block(7, 3)], identity, "dead")
    write_shard(folder, 5, 5 * BLOCK, [renderer.block(7, 5)], identity, "dead")
    beyond = [shard_name(3, BLOCK), shard_name(5, BLOCK)]
    return [(name, "unfinished", "captchas generate", "moved to d.foreign") for name in beyond], beyond


def relabelled(field: str, digests: bool):
    def change(folder, other):
        relabel(folder / B, field, digests=digests)
        reason = "its content is not the manifest's" if digests else "block 0 differs from its digest"
        return [(B, "damaged", reason, PUT)], [B]

    return change


def relabelled_with_a_manifest_that_fits_the_file(folder, other):
    relabel(folder / B, "text", digests=False)
    sha256, size = hashlib.sha256((folder / B).read_bytes()).hexdigest(), (folder / B).stat().st_size
    edit(folder, lambda manifest: manifest["shards"][1].update(sha256=sha256, bytes=size))
    return [(B, "damaged", "block 0 differs from its digest", PUT)], [B]


def packed_otherwise(folder, other):
    """The same pictures, in another file: read as it should be, but not what was sealed."""
    with Shard(folder / B) as shard:
        block, identity = shard.block(0), shard.identity
    (folder / B).unlink()
    write_shard(folder, 1, BLOCK, [block], identity, "x", compress=lambda data: zlib.compress(data, 9))
    return [(B, "damaged", "its bytes differ from the sha256 in the manifest", PUT)], [B]


def no_manifest(folder, other):
    (folder / MANIFEST).unlink()
    return [(MANIFEST, "manifest", "not there", "rebuilt from the shards")], []


def edited_manifest(folder, other):
    edit(folder, lambda manifest: manifest.update(count=COUNT + 1), reseal=False)
    return [
        (
            MANIFEST,
            "manifest",
            "was changed after it was written",
            "rebuilt from the shards, 3,372 pictures; moved to d.foreign",
        ),
    ], [MANIFEST]


def no_json(folder, other):
    (folder / MANIFEST).write_bytes(b"\xff\x00{")
    return [(MANIFEST, "manifest", "cannot be read as a manifest", "rebuilt")], [MANIFEST]


def another_format(folder, other):
    edit(folder, lambda manifest: manifest.update(format=3))
    return [(MANIFEST, "manifest", "format 3; this version reads formats 1 and 2", "rebuilt")], [MANIFEST]


def resealed(reason: str, **changes):
    def change(folder, other):
        edit(folder, lambda manifest: manifest.update(changes))
        return [(MANIFEST, "manifest", reason, "rebuilt")], [MANIFEST]

    return change


def line_that_leaves_the_folder(folder, other):
    edit(folder, lambda manifest: manifest["shards"][0].update(name="../x.h5"))
    return [(MANIFEST, "manifest", "shards[0].name: must be 'shard-000000-1", "rebuilt")], [MANIFEST]


def lines_in_another_order(folder, other):
    edit(folder, lambda manifest: manifest["shards"].reverse())
    return [(MANIFEST, "manifest", "shards[0].first: must be 0; it is", "rebuilt")], [MANIFEST]


def no_manifest_and_swapped(folder, other):
    swapped(folder, other)
    (folder / MANIFEST).unlink()
    return [(MANIFEST, "manifest", "not there", "rebuilt"), *swapped_again(folder)], []


def swapped_again(folder):
    return [(A, "misplaced", f"was sealed as {C}", "put back"), (C, "misplaced", f"was sealed as {A}", "put back")]


def no_manifest_a_copy_and_a_stray(folder, other):
    (folder / MANIFEST).unlink()
    shutil.copy(folder / B, folder / "copy.h5")
    (folder / "notes.txt").touch()
    return [(MANIFEST, "manifest", "not there", "rebuilt"), ("copy.h5", "duplicate", f"a copy of {B}", "moved"),
            ("notes.txt", "foreign", "", "moved")], ["copy.h5", "notes.txt"]  # fmt: skip


def no_manifest_a_damaged_one_and_its_copy(folder, other):
    (folder / MANIFEST).unlink()
    shutil.copy(folder / B, folder / "copy.h5")
    flip(folder / B)
    return [(MANIFEST, "manifest", "not there", "rebuilt"), ("copy.h5", "misplaced", f"was sealed as {B}", "put back"),
            (B, "damaged", SEALED, "moved to d.foreign; put back from copy.h5")], [B]  # fmt: skip


def no_manifest_and_stale(folder, other):
    (folder / MANIFEST).unlink()
    findings, aside = stale(folder, other)
    return [(MANIFEST, "manifest", "not there", "rebuilt"), *findings], aside


def everything_at_once(folder, other):
    found = [lost(folder, other)]
    flip(folder / A)
    shutil.copy(other / A, folder / shard_name(8, BLOCK))
    (folder / "notes.txt").touch()
    found += [leftover(folder, other)]
    return [(A, "damaged", "", PUT), *found[0][0], (shard_name(8, BLOCK), "foreign", "", ""),
            ("notes.txt", "foreign", "", ""), *found[1][0]], [A, shard_name(8, BLOCK), "notes.txt"]  # fmt: skip


RECIPE: list[Recipe] = []  # for damage that draws


@pytest.fixture(autouse=True)
def _the_recipe(recipe):
    RECIPE[:] = [recipe]


KINDS = {
    function.__name__: function
    for function in (
        lost, lost_last, all_lost, cut, empty, flipped, swapped, renamed, renamed_like_another, moved_over_another,
        renamed_over_damage, duplicated, copied_over_another, another_datasets_in_its_place, another_datasets_beside,
        strays, no_file_in_its_place, leftover, stale, shorter_with_other_pictures, shorter_beside_a_lost_one,
        unfinished, relabelled_with_a_manifest_that_fits_the_file, packed_otherwise, no_manifest, edited_manifest,
        no_json, another_format, line_that_leaves_the_folder, lines_in_another_order, no_manifest_and_swapped,
        no_manifest_a_copy_and_a_stray, no_manifest_a_damaged_one_and_its_copy, no_manifest_and_stale,
        everything_at_once,
    )
} | {
    f"relabelled_{field}_{'with' if digests else 'without'}_digests": relabelled(field, digests)
    for field in ("images", "text", "boxes", "parameters", "split")
    for digests in (False, True)
} | {
    "another seed in the manifest": resealed("its fields do not add up to its identity", seed=8),
    "another count in the manifest": resealed(f"count: must be {COUNT}, the sum of its shards'", count=7),
    "no lines in the manifest": resealed("shards: must be a list of 1 to", shards=[]),
    "lines of another type": resealed("shards: must be a list of 1 to", shards=5),
    "a profile of another type": resealed("profile: must be a table; it is None", profile=None),
}  # fmt: skip


DRAWN_AGAIN = [name for name in KINDS if "digests" in name or name in (
    "lost", "flipped", "moved_over_another", "copied_over_another", "another_datasets_in_its_place", "no_manifest",
    "packed_otherwise", "no_manifest_and_swapped", "everything_at_once",
)]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "redraw"),
    [(kind, False) for kind in KINDS]
    + [pytest.param(kind, True, marks=() if kind == "flipped" else pytest.mark.slow) for kind in DRAWN_AGAIN],
)
def test_damage_is_found_left_alone_and_repaired(folder, made, other, recipe, kind, redraw):
    expected, foreign = KINDS[kind](folder, other)
    before = state(folder)
    seen = look(folder, redraw=redraw, recipe=recipe)
    found = {finding.what: finding for finding in seen.verdict.findings}
    assert sorted(found) == sorted(what for what, *_ in expected)
    for what, kind_of, reason, _ in expected:
        assert found[what].state == kind_of, found[what]
        assert reason in found[what].reason or (redraw and "drawn again, has other" in found[what].reason)
        assert found[what].done == "-"
        assert str(folder) not in found[what].reason
    assert seen.verdict.refusal == ""
    assert state(folder) == before
    mended = {finding.what: finding for finding in repair(folder, redraw=redraw, recipe=recipe)}
    assert mended.keys() == found.keys()
    for what, _, _, done in expected:
        assert done in mended[what].done, mended[what]
    assert names(folder) == [MANIFEST, *NAMES]
    for name in (MANIFEST, *NAMES):  # byte for byte, the manifest too: this machine made it
        assert (folder / name).read_bytes() == (made / name).read_bytes()
    assert names(folder.with_name("d.foreign")) == sorted(foreign)
    after = state(folder)
    assert look(folder).verdict.findings == ()
    assert repair(folder, redraw=True, recipe=recipe) == []
    assert state(folder) == after


def test_what_is_moved_away_keeps_its_bytes(folder, other):
    flip(folder / A)
    shutil.copy(other / A, folder / B)
    (folder / "notes.txt").write_text("mine")
    data = {name: (folder / name).read_bytes() for name in (A, B, "notes.txt")}
    repair(folder)
    assert {path.name: path.read_bytes() for path in folder.with_name("d.foreign").iterdir()} == data
    (folder / "notes.txt").write_text("mine, again")
    repair(folder)
    assert (folder.with_name("d.foreign") / "notes.txt").read_text() == "mine"
    assert (folder.with_name("d.foreign") / "notes.txt.1").read_text() == "mine, again"


# Made-up shards: sealed as they should be, with contents that are not what was drawn.


def test_a_line_that_fits_a_relabelled_shard_is_told_by_the_digest_of_the_whole(folder, made):
    relabel(folder / B, "text", digests=True)
    lie(folder, B, whole=False)
    before = state(folder)
    seen = look(folder)
    assert [(finding.what, finding.state) for finding in seen.verdict.findings] == [(MANIFEST, State.MANIFEST)]
    assert "its content digest is not that of its shards" in seen.verdict.findings[0].reason
    with pytest.raises(Damaged, match="only drawing all again can tell which is wrong: give --redraw with --repair"):
        repair(folder)
    assert state(folder) == before
    (finding,) = repair(folder, redraw=True)
    assert (finding.what, finding.state, finding.reason) == (B, "damaged", "block 0, drawn again, has other text")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        path.name: path.read_bytes() for path in made.iterdir()
    }


@pytest.mark.parametrize("field", Block._fields)
def test_drawing_again_tells_a_change_that_every_digest_covers(folder, field):
    relabel(folder / B, field, digests=True)
    lie(folder, B, whole=True)
    assert look(folder).verdict.findings == ()  # made up from end to end: nothing else can tell
    seen = look(folder, redraw=True)
    (finding,) = seen.verdict.findings
    assert (finding.what, finding.state, finding.reason) == (B, "damaged", f"block 0, drawn again, has other {field}")
    before = state(folder)
    with pytest.raises(GlyphsDiffer, match=f"{B} would hold other pictures than the manifest vouches for"):
        repair(folder, redraw=True)
    assert state(folder) == before


def test_drawing_again_tells_which_of_shard_and_manifest_is_wrong(folder, made):
    edit(folder, lambda manifest: manifest["shards"][1].update(content="0" * 64))
    (finding,) = look(folder).verdict.findings
    assert (finding.what, finding.state) == (B, "damaged")
    before = state(folder)
    with pytest.raises(GlyphsDiffer, match="Nothing was published over it"):
        repair(folder)
    assert state(folder) == before
    (finding,) = repair(folder, redraw=True)
    assert (finding.what, finding.state) == (MANIFEST, "manifest")
    assert f"says another content of {B}" in finding.reason
    assert (folder / MANIFEST).read_bytes() == (made / MANIFEST).read_bytes()


def test_a_false_digest_of_the_whole_is_mended_by_drawing_again(folder, made):
    edit(folder, lambda manifest: manifest.update(content="0" * 64))
    before = state(folder)
    with pytest.raises(Damaged, match="--redraw with --repair"):
        repair(folder)
    assert state(folder) == before
    repair(folder, redraw=True)
    assert (folder / MANIFEST).read_bytes() == (made / MANIFEST).read_bytes()


def test_without_a_manifest_a_relabelled_shard_is_told_by_drawing_again(folder, made):
    relabel(folder / B, "boxes", digests=True)
    (folder / MANIFEST).unlink()
    assert [finding.what for finding in repair(folder, redraw=True)] == [MANIFEST, B]
    assert (folder / MANIFEST).read_bytes() == (made / MANIFEST).read_bytes()


@pytest.mark.parametrize("with_manifest", [True, False])
def test_arrays_and_attributes_of_other_types_are_damage_and_no_crash(folder, with_manifest):
    data = (folder / A).read_bytes()[:-32]
    changes = {
        A: lambda file: file.attrs.__setitem__("identity", 5),
        B: lambda file: file.attrs.__setitem__("identity", '{"profile": 7}'),
        C: lambda file: file.attrs.__setitem__("first", -1024),
        D: lambda file: file.attrs.__setitem__("blocks", np.array([1.5])),
        "a.h5": lambda file: (file.__delitem__("text"), file.create_dataset("text", data=np.arange(BLOCK))),
        "b.h5": lambda file: file.attrs.__setitem__("first", 1 << 62),
    }
    for name, change in changes.items():
        with h5py.File("edited", "w", driver="core", backing_store=False) as target:
            with h5py.File(h5py.h5f.open_file_image(data)) as source:
                for one in source:
                    source.copy(one, target)
                target.attrs.update(source.attrs)
            change(target)
            target.flush()
            image = target.id.get_file_image()
        (folder / name).write_bytes(image + blake3(image).digest())
    if not with_manifest:
        (folder / MANIFEST).unlink()
    for redraw in (False, True):
        seen = look(folder, redraw=redraw)
        wrong = {finding.what for finding in seen.verdict.findings}
        assert wrong >= {A, B, C, D} and bool(seen.verdict.refusal) is not with_manifest


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"shards": [{"name": 5}], "format": 1}', '{"format": 1, "digest": "x"}']
)
def test_a_manifest_of_any_text_is_a_finding(folder, made, text):
    (folder / MANIFEST).write_text(text)
    (finding,) = repair(folder)
    assert (finding.what, finding.state) == (MANIFEST, "manifest")
    assert (folder / MANIFEST).read_bytes() == (made / MANIFEST).read_bytes()


# Refusals: nothing is touched.


def refused(folder, message: str, error=Damaged, **options):
    before = state(folder)
    with pytest.raises(error, match=message) as raised:
        repair(folder, **options)
    assert state(folder) == before
    return str(raised.value)


@pytest.mark.parametrize("manifest", ["absent", "edited"])
def test_without_a_manifest_nothing_proves_a_lost_shard(folder, manifest):
    if manifest == "absent":
        (folder / MANIFEST).unlink()
    else:
        edit(folder, lambda content: content.update(seed=8), reseal=False)
    (folder / B).unlink()
    found = refused(folder, f"{C} begins at picture 2048, those before it end at 1024")
    assert "nothing was touched" in found and "give the command that made the dataset" in found
    states = {(finding.what, finding.state) for finding in look(folder).verdict.findings}
    assert states == {(MANIFEST, "manifest")} | ({(B, "missing")} if manifest == "edited" else set())


def test_a_last_shard_that_an_edited_manifest_names_is_not_forgotten(folder):
    edit(folder, lambda content: content.update(seed=8), reseal=False)
    (folder / D).unlink()
    refused(folder, f"{D} is lost, and nothing proves what it held")


def test_shards_of_two_datasets_do_not_make_a_manifest(folder, other):
    (folder / MANIFEST).unlink()
    shutil.copy(other / B, folder / shard_name(4, BLOCK))
    refused(folder, "the shards do not agree: shard-000004-1024.h5 belongs to another dataset .seed: 8 there, 7 here.")
    shutil.move(folder / shard_name(4, BLOCK), folder / shard_name(0, 5))
    refused(folder, "the shards do not agree: .* belongs to another dataset")


def test_two_shards_for_one_place_do_not_make_a_manifest(folder):
    (folder / MANIFEST).unlink()
    with Shard(folder / A) as shard:
        block, identity = shard.block(0), shard.identity
    (folder / "x").mkdir()
    write_shard(folder / "x", 0, 0, [block.rows(slice(None, None, -1))], identity, "x")
    (folder / "x" / A).rename(folder / "other.h5")
    (folder / "x").rmdir()
    refused(folder, f"two shards were sealed as {A}, with different pictures")


def test_a_damaged_shard_without_a_manifest(folder):
    (folder / MANIFEST).unlink()
    flip(folder / D)
    refused(folder, f"{D} is lost, and nothing proves what it held")
    for name in NAMES[:3]:
        flip(folder / name)
    (folder / D).unlink()
    refused(folder, "is lost")
    assert {finding.state for finding in look(folder).verdict.findings} == {State.DAMAGED, State.MANIFEST}


def test_other_glyphs_are_refused_with_both_versions(folder, monkeypatch, elsewhere):
    edit(folder, lambda manifest: manifest["software"].update(freetype="1.2.3"))
    (folder / "notes.txt").touch()
    (folder / B).unlink()
    with monkeypatch.context() as machine:
        machine.setattr(GlyphSet, "digest", lambda self: "f" * 64)
        found = refused(folder, "this machine would draw other pictures", GlyphsDiffer)
        assert f"here: {'f' * 64!r}" in found or f"{'f' * 64!r} here" in found
        assert "fonts[0].bitmaps" in found and "freetype 1.2.3 there, " in found and "pillow" not in found
        with pytest.raises(GlyphsDiffer):
            look(folder, redraw=True)
        look(folder)  # needs no fonts


def test_a_drawing_that_differs_with_the_same_glyphs_is_not_published(folder, monkeypatch):
    (folder / B).unlink()
    flip(folder / C)
    renderer = renderer_of(RECIPE[0])
    plain = type(renderer).block

    def other(self, seed, number, *rest):
        block = plain(self, seed, number, *rest)
        return block._replace(images=block.images ^ 1)

    monkeypatch.setattr(type(renderer), "block", other)
    found = refused(folder, "would hold other pictures than the manifest vouches for", GlyphsDiffer)
    assert B in found


# Fonts and words of one's own.


def test_fonts_and_words_from_files_are_asked_for(small, tmp_path, elsewhere):
    font, words = tmp_path / "mine.otf", tmp_path / "words.txt"
    shutil.copy(bundled()["Inter Black"].path, font)
    words.write_text("AB\nC\nBA")
    folder = tmp_path / "in" / "d"
    draw(make_recipe(replace(small, words=str(words)), 7), folder, 2 * BLOCK)
    flip(folder / A)
    refused(folder, "say where it is with --words FILE", BadInput)
    with pytest.raises(BadInput, match="--words FILE"):
        require_dataset(folder, drawing=True)
    require_dataset(folder)
    words.write_text("AB\nC\nCA")
    refused(folder, "words: ", GlyphsDiffer, words=str(words))
    words.write_text("C\nBA\nAB")
    require_dataset(folder, drawing=True, words=str(words))
    assert [finding.what for finding in repair(folder, words=str(words), font=[str(font)])] == [A]
    assert look(folder, redraw=True, words=str(words)).verdict.findings == ()


def test_a_face_that_is_not_bundled_is_asked_for(folder, monkeypatch):
    faces = dict(bundled())
    del faces["Inter Black"]
    monkeypatch.setattr(inventory, "bundled", lambda: faces)
    refused(folder, "font 'Inter Black': .* say where it is with --font PATH", BadInput)
    flip(folder / A)
    assert [finding.what for finding in repair(folder, font=["Inter Black"])] == [A]


def test_imported_pictures_are_not_drawn(tmp_path):
    folder = tmp_path / "imported"
    shutil.copytree(IMPORTED, folder)
    for options in ({}, {"redraw": True}):
        refused(folder, "its pictures were imported.*--repair --source FOLDER", BadInput, **options)
    with pytest.raises(BadInput, match="were imported"):
        require_dataset(folder, drawing=True)
    require_dataset(folder, drawing=True, source=folder)
    require_dataset(folder)


@pytest.mark.parametrize("forged", [False, True], ids=["identity kept", "identity made to fit"])
@pytest.mark.parametrize(
    "changes",
    [{"profile": {"name": "other"}}, {"profile": {"alphabet": "ABCDEFGHILMNOPRSTUVWYZ7"}}, {"profile": {"width": 57}},
     {"source": {"ink": {"invert": "yes"}}}, {"source": {"digest": "0" * 64}}, {"source": {"pictures": 21}},
     {"source": {"loader": 2}}, {"seed": 1}],
    ids=str,
)  # fmt: skip
def test_what_an_import_is_known_by_is_that_of_its_shards(tmp_path, changes, forged):
    folder = tmp_path / "imported"
    shutil.copytree(IMPORTED, folder)
    assert look(folder).verdict.findings == ()

    def change(manifest: dict) -> None:
        for key, value in changes.items():
            manifest[key] = manifest[key] | value if isinstance(value, dict) else value
        if forged:
            known = {key: manifest[key] for key in ("format", "profile", "source", "seed")}
            known["source"] = {key: value for key, value in known["source"].items() if key != "labels"}
            manifest["identity"] = hashlib.sha256(canonical(known).encode()).hexdigest()

    edit(folder, change)
    (finding,) = look(folder).verdict.findings
    assert (finding.what, finding.state) == (MANIFEST, State.MANIFEST)
    assert finding.reason == (
        "its identity is not that of the shards that it names" if forged else
        "its fields do not add up to its identity"
    )  # fmt: skip
    refused(folder, "its pictures were imported", BadInput)


def test_a_shard_of_another_import_does_not_unsettle_the_manifest(tmp_path):
    folder = tmp_path / "imported"
    shutil.copytree(IMPORTED, folder)
    (name,) = [path.name for path in folder.glob("*.h5")]
    with Shard(folder / name) as shard:
        blocks = list(shard)
        other = shard.identity.replace('"seed":0', '"seed":1')
    (folder / name).unlink()
    write_shard(folder, 0, 0, blocks, other, "run")
    (finding,) = look(folder).verdict.findings
    assert (finding.what, finding.state) == (name, State.FOREIGN)
    assert "belongs to another dataset (seed: 1 there, 0 here)" in finding.reason


def test_a_drawn_dataset_needs_no_source(folder):
    with pytest.raises(BadInput, match="source: is where an imported dataset came from"):
        require_dataset(folder, drawing=True, source=folder)


# What is there.


def test_no_dataset_is_said(tmp_path, folder):
    for place in (tmp_path / "nothing", tmp_path):
        with pytest.raises(NotThere, match="no dataset there"):
            require_dataset(place)
    (folder / MANIFEST).unlink()
    require_dataset(folder, drawing=True)
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / MANIFEST).touch()
    require_dataset(tmp_path / "begun")


def test_a_stray_file_is_not_read_if_it_is_no_shard(folder, monkeypatch):
    shutil.copy(folder / A, folder / "large.h5")
    (folder / "text.h5").write_text("no HDF5")
    assert set(inventory.inventory(folder).shards) == {*NAMES, "large.h5"}
    monkeypatch.setattr(inventory, "LARGEST", (folder / A).stat().st_size - 1)
    assert inventory.inventory(folder).strays == ("large.h5", "text.h5")


def test_an_inventory_says_why_a_manifest_is_not_trusted(folder):
    found = inventory.inventory(folder)
    assert (found.distrust, found.named, found.imported) == ("", (), False)
    edit(folder, lambda manifest: manifest.update(count=3), reseal=False)
    found = inventory.inventory(folder)
    assert found.manifest is None and found.named == tuple(NAMES) and "was changed" in found.distrust
    (folder / MANIFEST).unlink()
    assert inventory.inventory(folder).distrust == ABSENT


# Kills.


def test_a_worker_that_died_after_sealing_is_followed_by_one_that_finds_its_shard(folder, made):
    flip(folder / B)
    seen = look(folder)
    (job,) = plan_repair(seen.found, seen.verdict, seen.proofs, RECIPE[0], "run").jobs
    first = redraw_shard(job)
    before = state(folder)
    assert redraw_shard(job) == first
    assert state(folder) == before
    assert (folder / B).read_bytes() == (made / B).read_bytes()
    assert names(folder.with_name("d.foreign")) == [B]


def test_a_repair_that_died_while_it_moved_files_is_mended_by_the_next(folder, made, monkeypatch):
    swapped(folder, None)
    seen = look(folder)
    plan = plan_repair(seen.found, seen.verdict, seen.proofs, RECIPE[0], "run")
    plain, calls = Path.rename, []

    def dies(path, target):
        calls.append(path)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return plain(path, target)

    with monkeypatch.context() as kill:
        kill.setattr(Path, "rename", dies)
        with pytest.raises(KeyboardInterrupt):
            put_back(seen.found, plan)
    between = [name for name in names(folder) if name not in (MANIFEST, B, D)]
    assert [name.rpartition(".")[0] for name in between] == [A, C]  # under other names, but still in the folder
    repair(folder)
    for name in (MANIFEST, *NAMES):
        assert (folder / name).read_bytes() == (made / name).read_bytes()
    assert names(folder) == [MANIFEST, *NAMES]
    assert names(folder.with_name("d.foreign")) == []


def test_what_changes_during_a_repair_is_not_called_whole(folder, monkeypatch):
    flip(folder / B)
    plain = atomic.sync_folder
    monkeypatch.setattr(atomic, "sync_folder", lambda path: ((folder / A).unlink(), plain(path)))
    with pytest.raises(Damaged, match="changed while it was repaired"):
        repair(folder)


# The report.


def test_a_report_shows_the_first_findings_and_holds_all(folder):
    for number in range(150):
        (folder / f"{number}.txt").touch()
    (folder / B).unlink()
    seen = look(folder)
    content = report(seen.found, seen.verdict, seen.proofs, seen.verdict.findings, 1.0, None, False)
    assert len(content["findings"]) == 151 and len(content["shown"]["findings"]) == 100
    assert content["found_whole"] == 3
    assert content["findings"][0] == {"what": B, "state": "missing", "reason": "not there", "done": "-"}
    assert summary(seen.verdict.findings) == "150 foreign, 1 missing"


# Statistics.


def forge(manifest: dict) -> None:
    manifest["statistics"]["letters"]["A"] += 1
    manifest["statistics"]["distinct"]["exact"] = False


def test_forged_statistics_are_found_by_drawing_again_and_counted_anew(folder):
    before = state(folder)
    edit(folder, forge)
    assert look(folder).verdict.findings == ()  # their digest fits, and nothing was counted
    (finding,) = look(folder, redraw=True).verdict.findings
    assert (finding.what, finding.state) == (MANIFEST, State.MANIFEST)
    assert finding.reason == "its statistics are not its pictures' (distinct, letters)"
    (finding,) = repair(folder, redraw=True)
    assert finding.done == f"rebuilt from the shards, {COUNT:,} pictures"
    assert {path: content for path, (_, _, content) in state(folder).items()} == {
        path: content for path, (_, _, content) in before.items()
    }
    assert look(folder, redraw=True).verdict.findings == ()


def test_copies_and_strangers_count_for_nothing(folder):
    shutil.copy(folder / NAMES[0], folder / "copy.h5")
    shutil.copy(folder / NAMES[1], folder / shard_name(9, BLOCK))
    states = {finding.what: finding.state for finding in look(folder, redraw=True).verdict.findings}
    assert states == {"copy.h5": State.DUPLICATE, shard_name(9, BLOCK): State.DUPLICATE}


def test_statistics_are_not_judged_where_a_shard_is_lost(folder):
    edit(folder, forge)
    (folder / NAMES[0]).unlink()
    seen = look(folder, redraw=True)
    assert [finding.state for finding in seen.verdict.findings] == [State.MISSING]
