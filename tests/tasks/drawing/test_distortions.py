"""Parameters of distortions: drawn by column, stored, part of the split; and the built-in ladder, byte for byte."""

import json
from dataclasses import replace

import numpy as np
import pytest

from storage.errors import BadInput
from storage.shards.shard import SPLITS, read_record
from storage.shards.writer import write_shard
from tasks.datasets.recipe import make_recipe, renderer_of
from tasks.drawing import distortions
from tasks.drawing.renderer import PARAMETERS, Renderer
from tasks.profiles.built_in import BUILT_IN, SEEN, UNSEEN
from tasks.profiles.fonts import bundled, find_face
from tasks.profiles.glyphs import draw_glyphs
from tasks.profiles.profile import Grid, Profile
from tasks.profiles.ranges import OFF

SMALL = Profile("small", words="list", alphabet="AEILMOT", length=(2, 4), height=60, width=150, left=20, top=12,
                shear=Grid(0, 200, 100), scale=Grid(80, 120, 20))  # fmt: skip
WORDS = ("AT", "ATE", "TALE", "MOLE", "OIL")
NOISE = {
    "lines": Grid(0, 2),
    "arcs": Grid(0, 1),
    "specks": Grid(0, 5),
    "background": Grid(0, 30, 10),
    "blur": Grid(0, 2),
}
ALL = replace(
    SMALL, rotation=Grid(-10, 10, 5), move_y=Grid(-2, 2), move_x=Grid(-2, 2), tracking=Grid(0, 3),
    wave_y=Grid(0, 20, 10), wave_x=Grid(0, 20, 10), wave_length=Grid(50, 70, 10), **NOISE,
)  # fmt: skip
LETTER_FIELDS = ("rotation", "move_y", "move_x", "tracking")

# Identity of seed 1 and the digests of blocks 0 and 7 before there were distortions.
PLAIN = {
    "letters": (
        "9982e8452a2aff7df8787c88db05c605878282802a19bc419bbc1bb44fd5213f",
        "f42373ed904e97e73a3fbe9855874a4cc8bd62c040b556b2320d9c56007aa375",
        "7587febe55a272de044f7cda0b7f39803935f1bbf1175f0eca7288ee76f4581e",
    ),
    "book": (
        "248f6e683c426de696c00fcfca80b37b97a7c9be7e05f5805102e14c243b6792",
        "6bb4cc2f66b1acbd7da7179058d9b819ee27e5554eb026adcc659c6774f70ebf",
        "3f1f9947f3f817833846eb63d1475fb675fe2902f1eb3da15ae9db39cba471d8",
    ),
}


def renderer_for(profile: Profile, words: tuple[str, ...] = WORDS) -> Renderer:
    faces = tuple(map(find_face, profile.fonts))
    glyphs = tuple(draw_glyphs(face, profile.font_size, profile.alphabet, profile.ink) for face in faces)
    return Renderer(profile, faces, glyphs, words)


@pytest.fixture(scope="module")
def everything() -> Renderer:
    return renderer_for(ALL)


@pytest.mark.parametrize("name", PLAIN)
def test_plain_profiles_keep_their_identity_and_bytes(name):
    recipe = make_recipe(BUILT_IN[name], 1)
    renderer = renderer_of(recipe)
    blocks = [renderer.block(1, number) for number in (0, 7)]
    assert (recipe.digest, *(block.digest().hex() for block in blocks)) == PLAIN[name]
    assert blocks[0].parameters.dtype == PARAMETERS
    assert not {"top", "rotation", "overlap", "noise"} & set(json.loads(recipe.identity)["profile"])


def test_parameters_are_stored_with_their_letters(everything, tmp_path):
    block = everything.block(4, 2)
    fields = [("rotation", "<i2", (4,)), ("move_y", "<i2", (4,)), ("move_x", "<i2", (4,)), ("tracking", "<i2", (4,))]
    fields += [(name, "<u2") for name in ("wave_y", "wave_x", "wave_length", "phase_y", "phase_x")]
    fields += [(name, "<u2") for name in ("lines", "arcs", "line_width", "line_ink", "specks", "background", "blur")]
    assert block.parameters.dtype == np.dtype([*PARAMETERS.descr, *fields, ("noise", "<u8")])
    for name in (*LETTER_FIELDS, "wave_y", "wave_x", *NOISE):
        grid = getattr(ALL, name).values()
        found, counts = np.unique(block.parameters[name], return_counts=True)
        assert set(grid) <= set(found.tolist()) <= {0, *grid}
        assert counts.min() > 0.5 * counts.sum() / len(grid) / (2 if name in LETTER_FIELDS else 1)
    assert len(np.unique(block.parameters["noise"])) > 950
    record = write_shard(tmp_path, 0, 0, [block], "{}", "run")
    there = []
    assert read_record(tmp_path / record.name, "{}", 0, there.append).content == record.content
    for one, other in zip(block, there[0], strict=True):
        assert one.tobytes() == other.tobytes()
        assert one.dtype == other.dtype


def test_a_fields_shape_is_part_of_the_digest(everything):
    block = everything.block(4, 2, 10)
    pairs = [(name, "<i2", (2, 2)) if name in LETTER_FIELDS else (name, *rest)
             for name, *rest in block.parameters.dtype.descr]  # fmt: skip
    assert block._replace(parameters=block.parameters.view(pairs)).digest() != block.digest()


def test_each_column_is_its_own():
    """A profile that uses one more distortion draws the same values for the others."""
    fewer = renderer_for(replace(ALL, move_y=OFF, **dict.fromkeys(NOISE, OFF))).parameters(9, 3)
    more = renderer_for(ALL).parameters(9, 3)
    assert "move_y" not in fewer.drawn.dtype.names
    for name in fewer.drawn.dtype.names:
        assert (fewer.drawn[name] == more.drawn[name]).all()
    places = [
        *distortions.WAVE.values(),
        *distortions.PHASE_COLUMNS.values(),
        *distortions.NOISE_COLUMNS.values(),
        distortions.KEY,
    ]
    places += [column + k for column in distortions.LETTER.values() for k in range(32)]
    assert len(set(places)) == len(places)
    assert min(places) > 16 + 32  # a random string's letters


def test_what_cannot_show_is_0(everything):
    table = everything.parameters(1, 1)
    drawn, past = table.drawn, table.letters < 0
    for name in LETTER_FIELDS:
        assert (drawn[name][past] == 0).all()
        assert (drawn[name][~past] != 0).any()
    assert (drawn["tracking"][:, 0] == 0).all()
    still = (drawn["wave_y"] == 0) & (drawn["wave_x"] == 0)
    assert ((drawn["wave_length"] == 0) == still).all()
    assert (drawn["phase_y"][drawn["wave_y"] == 0] == 0).all()
    clean = (drawn["lines"] == 0) & (drawn["arcs"] == 0)
    assert ((drawn["line_width"] == 0) == clean).all()
    clean &= drawn["specks"] == 0
    assert ((drawn["line_ink"] == 0) == clean).all()
    assert ((drawn["noise"] == 0) == (clean & (drawn["background"] == 0))).all()


def test_equal_pictures_share_a_split_and_the_rest_is_80_10_10(everything):
    # Tracking and moves that come to the same place.
    letters = everything.table(["MOLE"] * 64, tracking=[0, 2, 0, 1], move_x=[0, -1, 0, 2], noise=7, lines=1)
    same = everything.table(["MOLE"] * 64, tracking=[0, 1, 0, 3], move_x=[0, 0, 1, 1], noise=7, lines=1)
    one, other = everything.render(letters), everything.render(same)
    assert one.images.tobytes() == other.images.tobytes()
    assert one.split.tolist() == other.split.tolist() == everything.split(same).tolist()
    assert one.parameters.tobytes() != other.parameters.tobytes()
    # Every parameter counts.
    values = dict.fromkeys(LETTER_FIELDS, 0) | {"lines": 1, "noise": np.arange(400)}
    base = everything.table(["MOLE"] * 400, 0, 100, 100, **values)
    for field, value in {
        "rotation": [0, 0, 0, 5], "move_y": [1, 0, 0, 0], "move_x": [0, 0, -1, 0], "tracking": [0, 1, 0, 0],
        "wave_y": 10, "lines": 2, "arcs": 1, "specks": 3, "background": 20, "blur": 1,
    }.items():  # fmt: skip
        changed = everything.table(["MOLE"] * 400, 0, 100, 100, **(values | {field: value}))
        assert (everything.split(base) != everything.split(changed)).mean() > 0.2, field
    splits = np.concatenate([everything.block(seed, 0).split for seed in range(6)])
    shares = np.bincount(splits, minlength=len(SPLITS)) / len(splits)
    assert np.abs(shares - [0.8, 0.1, 0.1]).max() < 0.015


def test_boxes_grow_with_blur_within_the_picture(everything):
    texts = ["TALE", "AT", "OIL"]
    values = dict.fromkeys((*LETTER_FIELDS, "wave_y", "wave_x", "lines", "arcs", "specks", "background"), 0)
    sharp, soft = (everything.render(everything.table(texts, blur=passes, **values)) for passes in (0, 2))
    for image, boxes, wider, text in zip(soft.images, sharp.boxes, soft.boxes, texts, strict=True):
        assert (wider[: len(text)] - boxes[: len(text)] == [-2, -2, 2, 2]).all()
        assert (wider[len(text) :] == -1).all()
        for top, left, bottom, right in wider[: len(text)]:
            image[top:bottom, left:right] = 0
        assert not image.any()
    edge = renderer_for(replace(SMALL, left=0, top=0, shear=OFF, blur=Grid(12, 12)))
    block = edge.block(1, 0, 50)
    assert block.boxes[:, 0].min() == 0
    assert (block.boxes[..., 2] <= block.parameters["height"][:, None]).all()


def test_chosen_values_are_checked(everything):
    with pytest.raises(BadInput, match=r"rotation: must be one of \[-10, -5, 0, 5, 10\]; it is 7"):
        everything.table(["AT"], rotation=7)
    with pytest.raises(BadInput, match="overlap: must be one of rotation, move_y"):
        everything.table(["AT"], overlap=7)
    with pytest.raises(BadInput, match="rotation: must be one of no distortion"):
        renderer_for(SMALL).table(["AT"], rotation=7)


def test_no_family_is_both_seen_and_unseen():
    assert sorted(SEEN + UNSEEN) == sorted(bundled())
    families = [{bundled()[name].family for name in names} for names in (SEEN, UNSEEN)]
    assert not families[0] & families[1]
    assert set(BUILT_IN["unseen"].fonts) == set(UNSEEN)
    assert set(BUILT_IN["hard"].fonts) <= set(SEEN)
