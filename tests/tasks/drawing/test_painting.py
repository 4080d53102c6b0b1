"""Painted pictures: colours, grounds, letters, noise and filters, by the properties that each must have."""

import colorsys
from dataclasses import replace

import numpy as np
import pytest

from storage.errors import BadInput
from tasks.datasets.recipe import make_recipe, renderer_of
from tasks.drawing import distortions
from tasks.drawing.painting import contrast, values
from tasks.drawing.renderer import Renderer
from tasks.profiles.built_in import BUILT_IN
from tasks.profiles.colours import Colours
from tasks.profiles.fonts import find_face
from tasks.profiles.glyphs import draw_glyphs
from tasks.profiles.painting import GRIDS, RARE, Ground
from tasks.profiles.profile import Grid, Ink, Profile

NEW = ("colour", "faces", "hollow", "ground", "wild")
RED, WHITE = Colours(("#ff0000",)), Colours(("#ffffff",))
PLAIN = Profile("plain", alphabet="AEILMOT", length=(2, 4), height=60, width=150, left=8, top=8, shear=Grid(0, 0),
                scale=Grid(100, 100), ink=Ink.GREY, letter_colour=RED, ground_colour=WHITE)  # fmt: skip
NOISE = {
    "lines_under": 1, "arcs_under": 1, "strikes": 1, "ellipses": 1, "crosses": 1, "hatching": 8, "decoys": 2, "salt": 9,
}  # fmt: skip


def renderer_for(profile: Profile) -> Renderer:
    faces = tuple(map(find_face, profile.fonts))
    glyphs = tuple(draw_glyphs(face, profile.font_size, profile.alphabet, profile.ink, True) for face in faces)
    return Renderer(profile, faces, glyphs, ())


def drawn(profile: Profile, texts=("TAIL", "MO"), **chosen):
    renderer = renderer_for(profile)
    return renderer.render(renderer.table(list(texts), **chosen))


def share_of(images: np.ndarray) -> np.ndarray:
    """How much of each pixel is red on white, 0 to 255."""
    return 255 - images[..., 1]


@pytest.fixture(scope="module")
def blocks():
    return {name: renderer_of(make_recipe(BUILT_IN[name], 5)).block(5, 0, 96) for name in NEW}


def test_hue_saturation_lightness_is_that_of_colorsys():
    hue, saturation, lightness = np.meshgrid(np.arange(0, 720, 7), np.arange(0, 101, 4), np.arange(0, 101, 4))
    found = contrast.rgb_of(hue.ravel(), saturation.ravel(), lightness.ravel())
    for h, s, v, colour in zip(hue.ravel(), saturation.ravel(), lightness.ravel(), found, strict=True):
        wanted = colorsys.hls_to_rgb(h % 360 / 360, v / 100, s / 100)
        channels = (colour >> 16 & 255, colour >> 8 & 255, colour & 255)
        assert max(abs(a - 255 * b) for a, b in zip(channels, wanted, strict=True)) < 0.5 + 1e-9, (h, s, v)


def linear(value: np.ndarray) -> np.ndarray:
    share = value / 255
    return np.where(share <= 0.03928, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def ratio(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """WCAG's contrast of colours (…, 3)."""
    first, second = (linear(colour.astype(float)) @ [0.2126, 0.7152, 0.0722] + 0.05 for colour in (one, other))
    return np.maximum(first, second) / np.minimum(first, second)


def rgb(colours: np.ndarray) -> np.ndarray:
    return np.stack([colours >> 16 & 255, colours >> 8 & 255, colours & 255], axis=-1)


def test_luminance_is_that_of_wcag():
    assert np.abs(contrast.luminances() / 65536 - linear(np.arange(256))).max() < 2 / 65536


@pytest.mark.parametrize("name", ["colour", "ground"])
def test_letters_have_their_contrast_to_every_pixel_of_the_ground(blocks, name):
    block, bound = blocks[name], BUILT_IN[name].contrast / 10
    for image, boxes, row in zip(block.images, block.boxes, block.parameters, strict=True):
        ground = np.ones(image.shape[:2], bool)
        for top, left, bottom, right in boxes:
            ground[top:bottom, left:right] = False
        pixels = image[ground]
        for colour in rgb(row["letter_colour"]):
            assert ratio(pixels, colour[None]).min() > bound - 0.02
            assert (image == colour).all(axis=2).any()  # it is there


@pytest.mark.parametrize("name", NEW)
def test_a_picture_is_the_same_alone_and_its_split_too(blocks, name):
    renderer = renderer_of(make_recipe(BUILT_IN[name], 5))
    table = renderer.parameters(5, 0)
    alone = renderer.render(table.rows(np.array([41, 7])))
    for part, whole in zip(alone, blocks[name], strict=True):
        assert part.tobytes() == whole[[41, 7]].tobytes()
    assert blocks[name].images.shape[1:] == (*BUILT_IN[name].canvas, 3)
    assert renderer.split(table.rows(slice(96))).tolist() == blocks[name].split.tolist()


@pytest.mark.parametrize("name", NEW)
def test_every_letter_has_a_box_within_the_picture(blocks, name):
    block = blocks[name]
    there = block.boxes[..., 0] >= 0
    assert (there.sum(axis=1) == np.char.str_len(block.text)).all()
    boxes, sizes = block.boxes[there].astype(int), np.repeat(block.parameters[["height", "width"]], there.sum(axis=1))
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, 2] <= sizes["height"]).all()
    assert (boxes[:, 3] <= sizes["width"]).all()
    assert (boxes[:, 2:] - boxes[:, :2]).min() >= 2


def test_boxes_are_those_of_the_letters_own_ink_under_any_noise():
    top = {"place_y": Grid(0, 0), "place_x": Grid(0, 0)}  # where a shadow does not move the text
    profile = replace(PLAIN, shadow_y=Grid(0, 3), **top, **{name: Grid(0, value) for name, value in NOISE.items()})
    clean = drawn(profile)
    for image, boxes in zip(share_of(clean.images), clean.boxes, strict=True):
        for k, (top, left, bottom, right) in enumerate(boxes[boxes[:, 0] >= 0]):
            inside = image[top:bottom, left:right]
            assert inside.any(axis=1)[[0, -1]].all(), k
            assert inside.any(axis=0)[[0, -1]].all(), k
            image[top:bottom, left:right] = 0
        assert not image.any()
    noisy = drawn(profile, paint=77, shadow_y=3, **NOISE)
    assert (noisy.images != clean.images).any()
    assert noisy.boxes.tolist() == clean.boxes.tolist()


@pytest.mark.parametrize("name", NOISE)
def test_noise_changes_pixels_by_its_key_and_under_the_letters_none_of_theirs(name):
    profile = replace(PLAIN, line_colour=Colours(("#0000ff",)), **{name: Grid(0, NOISE[name])})
    clean = drawn(profile).images
    one, other = (drawn(profile, paint=key, **{name: NOISE[name]}).images for key in (1, 2))
    assert (one != clean).any()
    assert (one != other).any()
    solid = share_of(clean) == 255
    over = name in ("strikes", "salt")
    assert (one[solid] != clean[solid]).any() == over or not over
    assert (one != clean).any(axis=3).mean() < 0.5


def test_chosen_colours_are_those_of_the_picture():
    image = drawn(replace(PLAIN, own_colours=True), letter_colour=[[0x00FF00, 0x0000FF, 0, 0x123456]]).images[0]
    found = {tuple(pixel) for pixel in image.reshape(-1, 3).tolist()}
    assert {(255, 255, 255), (0, 255, 0), (0, 0, 255), (0, 0, 0), (0x12, 0x34, 0x56)} <= found
    for value, rule in (({"hatching": 7}, "hatching: must be one of"), ({"nothing": 1}, "nothing: must be one of")):
        with pytest.raises(BadInput, match=rule):
            drawn(replace(PLAIN, hatching=Grid(0, 8, 8)), **value)


def test_a_hollow_letter_is_the_rim_of_a_solid_one():
    profile = replace(PLAIN, hollow=Grid(0, 20, 20), weight=Grid(-5, 10, 5), fonts=("Inter Black",))
    solid, hollow, heavy, light = (
        share_of(drawn(profile, hollow=h, weight=w).images).astype(int) for h, w in ((0, 0), (20, 0), (0, 10), (0, -5))
    )
    assert light.sum() < solid.sum() < heavy.sum()
    assert (hollow <= heavy + 2).all()
    assert hollow.sum() < 0.8 * heavy.sum()
    assert ((hollow == 0) & (solid == 255)).any()


def test_a_thin_letter_can_still_be_seen():
    block = renderer_for(replace(PLAIN, fonts=("Routed Gothic", "Inter Black"), weight=Grid(-40, -10, 10))).block(
        1, 0, 64
    )
    for image, boxes in zip(share_of(block.images), block.boxes, strict=True):
        for top, left, bottom, right in boxes[boxes[:, 0] >= 0]:
            assert image[top:bottom, left:right].max() > 60


def test_a_shadow_lies_behind_the_letters_where_it_is_shifted_to():
    top = {"place_y": Grid(0, 0), "place_x": Grid(0, 0)}  # where a shadow does not move the text
    profile = replace(PLAIN, shadow_y=Grid(0, 4), shadow_x=Grid(0, 3), shadow_colour=Colours(("#0000ff",)), **top)
    letters, shaded = drawn(profile).images, drawn(profile, shadow_y=4, shadow_x=3).images
    solid = share_of(letters) == 255
    assert (shaded[solid] == letters[solid]).all()
    ink = share_of(letters)
    behind = np.zeros_like(ink)
    behind[:, 4:, 3:] = ink[:, :-4, :-3]
    free = ink == 0
    assert ((255 - shaded[..., 0])[free] == behind[free]).all()


@pytest.mark.parametrize("ground", [ground for ground in Ground if ground is not Ground.FLAT])
def test_a_ground_lies_between_its_two_colours_under_the_letters(ground):
    profile = replace(
        PLAIN, ground=(Ground.FLAT, ground), ground_size=Grid(6, 20), ground_width=Grid(1, 2),
        ground_angle=Grid(0, 350, 10), ground_ink=Grid(50, 100, 50), pattern_colour=Colours(("#ffff00",)),
    )  # fmt: skip
    number = list(Ground).index(ground)
    flat, image = (
        drawn(profile, ground=kind, ground_size=12, ground_width=2, ground_angle=30, ground_ink=100, paint=3).images
        for kind in (0, number)
    )
    solid = share_of(flat) == 255
    assert (image[solid] == flat[solid]).all()
    free = share_of(flat) == 0
    blue = image[free][:, 2]
    assert (image[free][:, :2] == 255).all()
    assert blue.min() <= 1 if ground is not Ground.TEXTURE else blue.std() > 20
    assert ground is Ground.TILES or blue.max() > 200
    block = renderer_for(replace(profile, ground=(ground,), ground_ink=Grid(50, 50))).block(1, 0, 32)
    assert block.images[..., 2][share_of(block.images) == 0].min() >= 127  # half of the way to yellow


def test_text_is_fitted_to_the_picture_and_never_clipped():
    profile = replace(
        PLAIN, alphabet="MWjg", fonts=("Vollkorn Bold", "Inter Black"), own_faces=True, size=Grid(70, 140, 10),
        rotation=Grid(-40, 40, 8), bounce=Grid(-6, 6, 3), growth=Grid(-40, 40, 20), shear=Grid(-300, 300, 300),
        place_y=Grid(0, 100, 100), place_x=Grid(0, 100, 100), length=(1, 4), height=50, width=110, left=3, top=2,
    )  # fmt: skip
    block = renderer_for(profile).block(1, 0)
    assert block.parameters["fit"].min() < 90
    assert block.parameters["fit"].max() == 100
    border = share_of(block.images).copy()
    border[:, 2:48, 3:107] = 0
    assert not border.any()
    # Far from the edge that it stands at, a text is as it is in a larger picture.
    whole = block.parameters["fit"] == 100
    near = (block.parameters["place_y"] == 0) & (block.parameters["place_x"] == 0) & whole
    larger = renderer_for(replace(profile, height=90, width=200)).block(1, 0)
    straight = near & (block.parameters["shear"] == 0)
    assert straight.sum() > 20
    assert (larger.images[straight, :50, :110] == block.images[straight]).all()
    with pytest.raises(
        BadInput, match=r"'WWWW' in .* would be drawn at \d+ % of its size, and must be at 30 % or more"
    ):
        renderer_for(replace(profile, width=40))


def test_letters_of_one_face_stand_on_one_line_in_any_size():
    profile = replace(PLAIN, alphabet="HIT", size=Grid(80, 120, 20), place_y=Grid(50, 50))
    boxes = drawn(profile, ("HIT",), size=[[80, 100, 120, 80]]).boxes[0]
    assert np.ptp(boxes[:3, 2]) <= 1
    heights = (boxes[:3, 2] - boxes[:3, 0]).tolist()
    assert heights == sorted(heights)
    assert heights[2] - heights[0] >= 4
    low = drawn(replace(profile, bounce=Grid(0, 5)), ("HIT",), bounce=5, size=100).boxes[0]
    assert 4 <= low[1, 2] - low[0, 2] <= 6
    assert abs(low[2, 2] - low[0, 2]) <= 1


def test_filters():
    profile = replace(PLAIN, coarse=Grid(0, 4, 4), sharpen=Grid(0, 100, 100), halftone=Grid(0, 4, 4), blur=Grid(0, 2))
    plain = drawn(profile)
    coarse = drawn(profile, coarse=4)
    squares = coarse.images[:, :60, :148].reshape(-1, 15, 4, 37, 4, 3).astype(int)
    assert (np.ptp(squares, axis=(2, 4)) == 0).all()
    means = plain.images[:, :60, :148].reshape(-1, 15, 4, 37, 4, 3).mean(axis=(2, 4))
    assert np.abs(squares[:, :, 0, :, 0] - means).max() <= 0.51
    assert (coarse.boxes[coarse.boxes >= 0] % 4 == 0).all() or coarse.boxes[..., 3].max() == 150
    printed = drawn(profile, halftone=4).images
    assert set(np.unique(printed)) <= {0, 85, 170, 255}
    soft, sharp = drawn(profile, blur=2), drawn(profile, sharpen=100).images
    flat = np.ones(soft.images.shape[:3], bool)
    for n, boxes in enumerate(soft.boxes):
        for top, left, bottom, right in boxes[boxes[:, 0] >= 0]:
            flat[n, top:bottom, left:right] = False
    assert (soft.images[flat] == 255).all()
    assert (sharp[flat] == 255).all()
    edges = plain.images[..., 1].astype(int)
    assert np.abs(np.diff(sharp[..., 1].astype(int), axis=2)).sum() >= np.abs(np.diff(edges, axis=2)).sum()
    assert np.abs(np.diff(soft.images[..., 1].astype(int), axis=2)).max() < np.abs(np.diff(edges, axis=2)).max()


def test_ink_is_painted_too():
    """A profile without colours has pictures of ink, by the same kernel."""
    coloured = replace(PLAIN, own_faces=True, fonts=("Inter Black", "Vollkorn Bold"), hollow=Grid(0, 12, 12),
                       letter_colour=Colours(("#000000",)))  # fmt: skip
    grey = replace(coloured, letter_colour=None, ground_colour=None)
    assert not grey.colour
    assert grey.paints
    one, other = renderer_for(coloured).block(2, 0, 64), renderer_for(grey).block(2, 0, 64)
    assert other.images.shape == (64, 60, 150)
    assert (255 - one.images == other.images[..., None]).all()
    assert (one.boxes == other.boxes).all()


def test_every_value_counts_for_the_split_and_what_cannot_show_is_0(blocks):
    rows = blocks["wild"].parameters
    past = np.arange(7) >= np.char.str_len(blocks["wild"].text)[:, None]
    for name in ("face", "size", "letter_colour"):
        assert (rows[name][past] == 0).all()
    for cause, idle in (("strikes", "strike_ink"), ("ellipses", "rings"), ("decoys", "decoy_size"),
                        ("hatching", "hatching_ink"), ("specks", "speck_colour")):  # fmt: skip
        assert (rows[idle][rows[cause] == 0] == 0).all(), idle
        assert (rows[idle][rows[cause] > 0] != 0).any(), idle
    flat = rows["ground"] == list(Ground).index(Ground.FLAT)
    assert (rows["pattern_colour"][flat] == 0).all()
    renderer = renderer_of(make_recipe(BUILT_IN["wild"], 5))
    base = renderer.parameters(5, 0)
    for name in ("letter_colour", "ground_colour", "size", "face", "salt", "place_x", "hollow"):
        changed = base.rows(slice(None))
        other = changed.drawn.copy()
        other[name] = np.roll(other[name], 1, axis=0)
        moved = (other[name] != changed.drawn[name]).reshape(1024, -1).any(axis=1)
        split = renderer.split(replace(changed, drawn=other))
        assert (split != renderer.split(base))[moved].mean() > 0.2, name


def test_each_value_has_a_column_of_its_own():
    assert {*values.COLUMNS, *values.LETTER_COLUMNS} - {"face"} == set(GRIDS)
    assert set(RARE) <= set(GRIDS)
    places = [values.KEY, values.GROUND, *values.COLUMNS.values()]
    places += [column + k for column in values.LETTER_COLUMNS.values() for k in range(32)]
    places += [column + k for column in (*values.COLOUR_COLUMNS.values(), values.TILES) for k in range(3 * 32)]
    assert len(set(places)) == len(places)
    assert min(places) > max(distortions.LETTER.values()) + 32


def test_new_fields_are_no_part_of_an_older_profile():
    for profile in BUILT_IN.values():
        added = {*GRIDS, "ground", "contrast", "letter_colour", "own_faces"} & set(profile.as_dict())
        assert profile.paints == bool(added)


def test_grey_pictures_have_no_pattern_whose_ink_could_be_drawn():
    """A field of colour that a grey profile has stored, and changes nothing."""
    grey = replace(BUILT_IN["jitter"], size=Grid(90, 110))
    before, block = (
        renderer_of(make_recipe(profile, 1)).block(1, 0, 4)
        for profile in (grey, replace(grey, ground_ink=Grid(20, 60)))
    )
    assert before.images.tobytes() == block.images.tobytes()
    assert not block.parameters["ground_ink"].any()
