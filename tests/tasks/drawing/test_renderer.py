"""The kernel against plain references, spelled out with scikit-image and Pillow."""

import bisect
import functools
import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from skimage.transform import AffineTransform, warp

from storage.errors import BadInput
from storage.shards.shard import BLOCK
from tasks.drawing import letter_kernel, resampling
from tasks.drawing.renderer import PARAMETERS, BlockParameters, Renderer, below, raw
from tasks.profiles import word_lists
from tasks.profiles.built_in import BUILT_IN
from tasks.profiles.fonts import bundled, find_face
from tasks.profiles.glyphs import draw_glyphs
from tasks.profiles.profile import Grid, Ink, Profile

drawn_glyphs = functools.cache(draw_glyphs)
load_words = functools.cache(word_lists.load_words)


def renderer_for(profile: Profile, words: tuple[str, ...] | None = None) -> Renderer:
    if words is None:
        words = load_words(profile.words, profile.alphabet, profile.length) if profile.words else ()
    faces = tuple(map(find_face, profile.fonts))
    glyphs = tuple(drawn_glyphs(face, profile.font_size, profile.alphabet, profile.ink) for face in faces)
    return Renderer(profile, faces, glyphs, words)


@pytest.fixture(scope="module")
def book() -> Renderer:
    return renderer_for(BUILT_IN["book"])


def bitmap_of(text: str, profile: Profile, face: int = 0) -> np.ndarray:
    """The book's first step: Pillow draws the whole word, ink 1 on 0; here 255 on 0."""
    font = ImageFont.truetype(
        find_face(profile.fonts[face]).path, profile.font_size, layout_engine=ImageFont.Layout.BASIC
    )
    picture = Image.new("L", (profile.width, profile.height))
    ImageDraw.Draw(picture).text((profile.left, 0), text, fill=1 if profile.ink is Ink.BINARY else 255, font=font)
    return np.asarray(picture).astype(float) * (255 if profile.ink is Ink.BINARY else 1)


def averages(size: int, scale: int) -> np.ndarray:
    """(size * scale // 100, size) matrix: each output pixel is the mean over its share of the source."""
    count = size * scale // 100
    edges = np.arange(count + 1) * 100 / scale
    return np.array(
        [
            [max(0.0, min(j + 1, high) - max(j, low)) * scale / 100 for j in range(size)]
            for low, high in itertools.pairwise(edges)
        ]
    )


def reference(bitmap: np.ndarray, shear: int, scale: int) -> np.ndarray:
    """The bitmap sheared by `warp`, then scaled: `warp` above 100 %, area averaging below."""
    sheared = warp(bitmap, AffineTransform(shear=shear / 1000), order=1, mode="constant", preserve_range=True)
    rows, columns = bitmap.shape
    if scale < 100:
        return averages(rows, scale) @ sheared @ averages(columns, scale).T
    # Pixel centres: output x looks at source (x + 1/2) / s - 1/2.
    factor = 100 / scale
    matrix = np.array([[factor, 0, factor / 2 - 0.5], [0, factor, factor / 2 - 0.5], [0, 0, 1]])
    shape = (rows * scale // 100, columns * scale // 100)
    return warp(sheared, matrix, output_shape=shape, order=1, mode="constant", preserve_range=True)


def test_kernel_agrees_with_warp_to_two_grey_levels(book):
    profile = book.profile
    words = load_words("web2", profile.alphabet, (4, 4))[::97]
    worst = 0.0
    for k, word in enumerate(words):
        for shear, scale in zip(profile.shear.values(), np.roll(profile.scale.values(), k), strict=True):
            drawn = book.render(book.table([word], 0, shear, scale)).images[0]
            rows, columns = profile.height * scale // 100, profile.width * scale // 100
            expected = reference(bitmap_of(word, profile), shear, int(scale))
            worst = max(worst, np.abs(drawn[:rows, :columns] - expected).max())
            assert not drawn[rows:].any()
            assert not drawn[:, columns:].any()
    assert worst <= 2, worst


@pytest.mark.parametrize(
    ("font", "ink", "shear", "scale"),
    [
        ("Vollkorn Bold", Ink.BINARY, Grid(0, 437, 23), Grid(37, 199, 13)),
        ("Comic Neue Bold", Ink.GREY, Grid(-300, 300, 75), Grid(51, 149, 7)),
        ("Leckerli One", Ink.GREY, Grid(0, 200, 50), Grid(100, 100)),
        ("Bebas Neue Bold", Ink.BINARY, Grid(-450, 0, 90), Grid(100, 300, 50)),
    ],
)
def test_other_fonts_inks_and_grids_agree_too(font, ink, shear, scale):
    profile = Profile(
        "other", fonts=(font,), words="web2", length=(4, 4), height=40, width=150, left=20, ink=ink,
        shear=shear, scale=scale,
    )  # fmt: skip
    renderer = renderer_for(profile)
    words = load_words("web2", profile.alphabet, (4, 4))
    random = np.random.Generator(np.random.Philox(7))
    for _ in range(60):
        word, angle, percent = random.choice(words), random.choice(shear.values()), random.choice(scale.values())
        drawn = renderer.render(renderer.table([str(word)], 0, angle, percent)).images[0]
        expected = reference(bitmap_of(str(word), profile), int(angle), int(percent))
        difference = np.abs(drawn[: expected.shape[0], : expected.shape[1]] - expected)
        assert difference.max() <= 2, (word, angle, percent, difference.max())


@pytest.mark.parametrize("name", ["book", "letters"])
def test_sprites_and_direct_drawing_give_the_same_bytes(name, monkeypatch):
    cached = renderer_for(BUILT_IN[name])
    monkeypatch.setattr(letter_kernel, "SPRITE_BYTES", 0)
    direct = renderer_for(BUILT_IN[name])
    assert len(cached._sprites.pixels)
    assert not len(direct._sprites.pixels)
    for block in range(8):
        for one, other in zip(cached.block(3, block), direct.block(3, block), strict=True):
            assert one.tobytes() == other.tobytes()


def test_boxes_are_those_of_letters_drawn_alone(book):
    """Each letter of a word, drawn alone at its place with warp and averaging, has its ink in its box."""
    profile = book.profile
    block = book.block(5, 2)
    font = ImageFont.truetype(find_face(profile.fonts[0]).path, profile.font_size, layout_engine=ImageFont.Layout.BASIC)
    for k in range(0, 1024, 7):
        text, row = block.text[k].decode(), block.parameters[k]
        for place, letter in enumerate(text):
            pen = font.getlength(text[: place + 1]) - font.getlength(letter)
            picture = Image.new("L", (profile.width, profile.height))
            ImageDraw.Draw(picture).text((round(pen), 0), letter, fill=1, font=font)
            alone = reference(np.asarray(picture) * 255.0, int(row["shear"]), int(row["scale"]))
            # The kernel rounds: a pixel at exactly half a grey level may fall on either side.
            for level, outside in ((0.6, False), (0.4, True)):
                ys, xs = np.nonzero(alone > level)
                box = (ys.min(), xs.min(), ys.max() + 1, xs.max() + 1)
                there = block.boxes[k, place]
                inner, outer = (there, box) if outside else (box, there)
                assert (outer[:2] <= inner[:2]).all() if outside else np.all(np.array(outer[:2]) <= inner[:2])
                assert np.all(np.array(outer[2:]) >= np.array(inner[2:])), (text, letter, row, box, there)


def test_boxes_hold_all_ink_and_nothing_past_the_text():
    renderer = renderer_for(Profile("strings", length=(1, 5), width=140))
    block = renderer.block(1, 0)
    lengths = np.char.str_len(block.text)
    assert sorted(set(lengths.tolist())) == [1, 2, 3, 4, 5]
    for image, boxes, length in zip(block.images, block.boxes, lengths, strict=True):
        assert (boxes[length:] == -1).all()
        covered = np.zeros(image.shape, bool)
        for top, left, bottom, right in boxes[:length]:
            assert image[top:bottom, left:right].any()
            covered[top:bottom, left:right] = True
        assert not image[~covered].any()


def test_a_block_depends_on_seed_and_number_alone(book):
    whole = book.block(11, 5)
    for one, other in zip(whole.rows(slice(0, 100)), book.block(11, 5, 100), strict=True):
        assert one.tobytes() == other.tobytes()
    assert book.block(11, 6).digest() != whole.digest()
    assert book.block(12, 5).digest() != whole.digest()
    # A fresh process, other order: the same digest.
    program = (
        "from tasks.datasets.recipe import make_recipe, renderer_of; from tasks.profiles.built_in import BUILT_IN;"
        "r = renderer_of(make_recipe(BUILT_IN['book'], 11)); r.block(11, 9); print(r.block(11, 5).digest().hex())"
    )
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == whole.digest().hex()


def test_random_numbers_are_philox_and_stay_so():
    """Known values: another NumPy, or another machine, must give these."""
    first = [int(raw(*key)[0]) >> 32 for key in ((1, 0, 0), (1, 0, 1), (2, 7, 3))]
    assert first == [1303814779, 1159242015, 426699352]
    assert len({raw(1, 0, column).tobytes() for column in range(20)}) == 20


def philox(counter: tuple[int, ...], key: tuple[int, ...]) -> list[int]:
    """Four words of Philox 4x64-10 (Salmon et al., 2011), as somebody would write it in another language."""
    words, (first, second), mask = list(counter), key, (1 << 64) - 1
    for _ in range(10):
        high, low = divmod(0xD2E7470EE14C6C93 * words[0], 1 << 64), divmod(0xCA5A826395121157 * words[2], 1 << 64)
        words = [low[0] ^ words[1] ^ first, low[1], high[0] ^ words[3] ^ second, high[1]]
        first, second = first + 0x9E3779B97F4A7C15 & mask, second + 0xBB67AE8584CAA73B & mask
    return words


def test_the_random_table_is_as_the_format_is_described():
    wanted = [word for row in range(BLOCK // 4) for word in philox((row + 1, 0, 0, 3), (1, 7))]
    assert raw(1, 7, 3).tolist() == wanted
    told = (Path(__file__).parents[3] / "docs" / "format.md").read_text()
    assert all(f"{word:016x}" in told for word in wanted[:5])


def test_below_is_uniform_and_in_range():
    numbers = np.concatenate([raw(9, block, 4) for block in range(40)])
    counts = np.bincount(below(numbers, 10), minlength=10)
    assert len(counts) == 10
    expected = len(numbers) / 10
    assert ((counts - expected) ** 2 / expected).sum() < 27.9  # chi square, 9 degrees, p = 0.001


def test_every_value_of_the_grids_occurs_about_equally(book):
    parameters = np.concatenate([book.block(1, block).parameters for block in range(12)])
    assert parameters.dtype == PARAMETERS
    for field, values in (("shear", book.profile.shear.values()), ("scale", book.profile.scale.values())):
        found, counts = np.unique(parameters[field], return_counts=True)
        assert found.tolist() == list(values)
        assert counts.min() > 0.85 * len(parameters) / len(values)
    assert (parameters["height"] == 30 * parameters["scale"] // 100).all()
    assert (parameters["width"] == parameters["scale"]).all()


def test_split_is_80_10_10_and_equal_pictures_share_one(book):
    blocks = [book.block(seed, number) for seed in (1, 2) for number in range(20)]
    shares = np.bincount(np.concatenate([block.split for block in blocks[:20]]), minlength=3) / 20480
    assert np.abs(shares - [0.8, 0.1, 0.1]).max() < 0.01
    home: dict[bytes, int] = {}
    for block in blocks:
        for image, split in zip(block.images, block.split.tolist(), strict=True):
            assert home.setdefault(image.tobytes(), split) == split
    assert len(home) < 39 * 1024  # many pictures did come again, so the test had something to see


def test_a_face_keeps_its_pictures_in_their_split_in_any_profile():
    one = renderer_for(Profile("one", fonts=("Inter Black",)))
    two = renderer_for(Profile("two", fonts=("Karla ExtraBold", "Inter Black")))
    texts = list("ABCDEFGHIJKLMNOPQRSTUVWXYZ") * 4
    shears = np.repeat([0, 100, 200, 300], 26)
    assert one.split(one.table(texts, 0, shears)).tolist() == two.split(two.table(texts, 1, shears)).tolist()
    assert one.split(one.table(texts, 0, shears)).tolist() != two.split(two.table(texts, 0, shears)).tolist()


def test_what_does_not_fit_is_refused_with_the_pixels():
    with pytest.raises(BadInput, match=r"'M' in Inter Black reaches 5 px past the right edge at shear 450"):
        renderer_for(Profile("narrow", width=25))
    with pytest.raises(BadInput, match=r"reaches \d+ px past the bottom edge"):
        renderer_for(Profile("low", height=20))
    with pytest.raises(BadInput, match=r"past the left edge.*a larger left"):
        renderer_for(Profile("left", fonts=("Goudy Bookletter 1911",), width=60))
    with pytest.raises(BadInput, match=r"'WAWA' in Inter Black reaches 4 px past the right edge"):
        renderer_for(Profile("words", words="web2", length=(4, 4), width=90))


@pytest.mark.parametrize("font", ["Inter Black", "Vollkorn Bold", "Comic Neue Bold"])
def test_fit_is_exact(font):
    """One column fewer than the check allows would lose ink; the width it asks for loses none."""
    shear = Grid(0, 450, 150)

    def fits(width):
        try:
            return renderer_for(Profile("fit", fonts=(font,), words="web2", length=(3, 3), width=width, shear=shear))
        except BadInput:
            return None

    width = bisect.bisect_left(range(200), True, key=lambda width: width > 30 and fits(width) is not None)
    wide = renderer_for(Profile("fit", fonts=(font,), words="web2", length=(3, 3), width=200, shear=shear))
    texts = list(load_words("web2", wide.profile.alphabet, (3, 3)))
    images = wide.render(wide.table(texts, 0, 450, 100)).images
    assert images.any(axis=(0, 1))[width - 1]
    assert not images[:, :, width:].any()
    narrow = fits(width)
    assert (narrow.render(narrow.table(texts, 0, 450, 100)).images[:, :30, :width] == images[:, :30, :width]).all()


def test_random_strings_that_fit_are_never_clipped():
    profile = Profile("strings", alphabet="AJVWMQ07", length=(2, 4), width=140, fonts=("Play Bold",))
    renderer = renderer_for(profile)
    wide = renderer_for(Profile("strings", alphabet="AJVWMQ07", length=(2, 4), width=200, fonts=("Play Bold",)))
    for block in range(4):
        assert renderer.block(1, block).images.sum() == wide.block(1, block).images.sum()


def test_tangent_is_exact_to_its_last_bit():
    for angle in range(-1000, 1001, 7):
        assert abs(resampling.tangent(angle) - np.tan(angle / 1000) * 65536) <= 0.5000001
    assert resampling.tangent(-450) == -resampling.tangent(450)


@pytest.mark.parametrize("scale", [10, 37, 50, 99, 100, 101, 140, 333, 400])
def test_taps_keep_solid_ink_solid(scale):
    taps = resampling.make_taps(scale, 50)
    assert (taps.weight.sum(axis=1) == 1 << resampling.WEIGHT_BITS).all()
    assert (taps.weight >= 0).all()


def test_text_outside_the_alphabet_is_refused(book):
    with pytest.raises(BadInput, match="'BOne'"):
        book.table(["BOne"])
    with pytest.raises(BadInput, match="shear: must be one of"):
        book.table(["BONE"], shear=7)


def test_render_takes_any_table(book):
    table = BlockParameters(*(array[[3, 3, 1]] for array in vars(book.parameters(1, 0)).values()))
    block = book.render(table)
    assert block.images[0].tobytes() == block.images[1].tobytes()
    assert block.texts()[0] == block.texts()[1]


def test_every_bundled_face_draws_letters():
    for name in bundled():
        block = renderer_for(Profile("face", fonts=(name,), width=60, height=40, left=6)).block(1, 0)
        assert block.images.any(axis=(1, 2)).all(), name


def test_glyphs_of_any_height_the_profile_allows():
    """Buffers follow the tallest glyph: a bar of 599 rows once wrote past one of 512."""
    renderer = renderer_for(
        Profile("pipe", alphabet="|M", height=1000, width=1000, font_size=500, shear=Grid(0, 100), scale=Grid(100, 100))
    )
    block = renderer.block(1, 0, 16)
    for image, boxes, text in zip(block.images, block.boxes, block.texts(), strict=True):
        top, left, bottom, right = boxes[0]
        rows, columns = np.nonzero(image)
        assert (rows.min(), columns.min(), rows.max() + 1, columns.max() + 1) == (top, left, bottom, right)
        assert (bottom - top > 512) == (text == "|")


@pytest.mark.parametrize("name", ["book", "hard", "wild"])
def test_parameters_are_the_same_without_letters(name):
    profile = BUILT_IN[name]
    whole = renderer_for(profile)
    words = load_words(profile.words, profile.alphabet, profile.length) if profile.words else ()
    alone = Renderer(profile, tuple(map(find_face, profile.fonts)), (), words)
    for one, other in zip(*(vars(drawer.parameters(3, 1)).values() for drawer in (whole, alone)), strict=True):
        assert one.dtype == other.dtype
        assert (one == other).all()
