"""Pictures: planted defects are named, honest profiles raise no alarm of high severity."""

import base64
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from storage.dataset import Dataset
from tasks.audit.findings import defects
from tasks.audit.findings.colour_defects import find_colour
from tasks.audit.findings.defects import find_defects
from tasks.audit.findings.likeness import find_alike
from tasks.audit.findings.measuring.letters import Cut, boxes_by_gaps, cut_letters
from tasks.audit.findings.measuring.properties import measured_properties
from tasks.audit.findings.measuring.sampled import Sampled, take_sample
from tasks.audit.findings.measuring.shown import figure, sheet
from tasks.audit.findings.picture_defects import find_border, find_ground, find_variation
from tasks.datasets.folder import complete
from tasks.datasets.samples import first_pictures
from tasks.datasets.totals import Gathered
from tasks.exchange.ingest import fill_jobs, fill_shard
from tasks.exchange.labels import find_labels
from tasks.exchange.scan import ImportRequest, Listing, Source, scan_files
from tasks.loading.decode import Colour
from tasks.profiles.built_in import find_profile
from tasks.profiles.colours import Colours
from tasks.profiles.profile import Ink, Profile
from tasks.profiles.ranges import OFF, Grid

PLAIN = Profile(
    "plain", fonts=("Inter Bold",), alphabet="ABCDEFGHKLMNPRSTUVWXYZ23456789", length=(4, 5), height=50, width=198,
    font_size=32, left=6, top=5, shear=OFF, scale=Grid(100, 100), ink=Ink.GREY, rotation=Grid(-12, 12),
    move_y=Grid(-4, 4), tracking=Grid(0, 6), letter_colour=Colours(("#101040",)), ground_colour=Colours(("#ffffff",)),
)  # fmt: skip
NOISY = replace(PLAIN, lines=Grid(2, 3), arcs=Grid(1, 1), line_width=Grid(2, 2), specks=Grid(40, 60))


def sampled(profile: Profile, count: int = 40, seed: int = 1, boxed: bool = True) -> Sampled:
    """Draw a sample without a dataset; as an owner's pictures have none, perhaps without boxes."""
    block = first_pictures(profile, seed, count)
    sizes = zip(block.images, block.parameters["height"].tolist(), block.parameters["width"].tolist(), strict=True)
    pictures = [image[:h, :w] for image, h, w in sizes]
    boxes = block.boxes if boxed else np.full_like(block.boxes, -1)
    return Sampled(pictures, block.texts(), boxes, block.parameters, block.texts(), count)


def hue(start: int, stop: int) -> Colours:
    return Colours(hue=Grid(start, stop), saturation=Grid(80, 100), lightness=Grid(30, 45))


@pytest.mark.parametrize(
    "colours",
    [
        {"line_colour": Colours(("#d01010",))},
        {"line_colour": Colours(("#a0a0a0",))},
        {"letter_colour": hue(0, 100), "line_colour": hue(180, 280)},
        {"letter_colour": Colours(("#ffffff",)), "ground_colour": Colours(("#203050",)),
         "line_colour": Colours(("#e08020",))},
        {"letter_colour": hue(0, 359), "own_colours": True, "line_colour": Colours(("#909090",))},
        {"line_colour": hue(0, 359), "own_line_colours": True, "letter_colour": Colours(("#000000",))},
    ],
)  # fmt: skip
def test_noise_of_another_colour_is_named_and_shown(colours):
    found = find_colour(sampled(replace(NOISY, **colours)))
    assert found["severity"] == "high", found["figures"]
    assert "drop" in found["plain"]
    assert found["shown"][0]["picture"].startswith("data:image/png;base64,")
    assert found["shown"][0]["text"]


@pytest.mark.parametrize(
    "colours",
    [{}, {"letter_colour": hue(0, 359)}, {"letter_colour": hue(0, 359), "blur": Grid(1, 1)},
     pytest.param({"letter_colour": hue(0, 359), "own_colours": True, "line_colour": hue(0, 359),
                   "own_line_colours": True}, marks=pytest.mark.slow),
     {"lines": OFF, "arcs": OFF, "specks": OFF}],
)  # fmt: skip
def test_noise_of_the_letters_colour_is_no_defect(colours):
    assert find_colour(sampled(replace(NOISY, **colours)))["severity"] == "none"


def test_a_rule_that_holds_for_all_pictures_is_told():
    found = find_colour(sampled(replace(NOISY, line_colour=Colours(("#d01010",)))))
    assert found["figures"]["rule"]
    assert found["figures"]["rule_right"] >= 0.95
    assert found["figures"]["rule"] in found["plain"]


def test_a_rule_that_no_single_colour_shows_is_told_alone():
    """Letters of many dark colours under thin lines: a share of 3 % would belie that the rule holds for all."""
    rng, font, sample = np.random.default_rng(1), ImageFont.load_default(size=34), sampled(PLAIN)
    pictures = []
    for text in sample.texts:
        picture = Image.new("RGB", (180, 64), (250, 248, 240))
        for place, letter in enumerate(text):
            tile = Image.new("L", (48, 48))
            ImageDraw.Draw(tile).text((8, 2), letter, 255, font)
            colour = (int(rng.integers(120)), 40, int(rng.integers(160)))
            picture.paste(colour, (8 + 30 * place, int(rng.integers(4, 16))), tile.rotate(rng.uniform(-20, 20)))
        for _ in range(5):
            ImageDraw.Draw(picture).line((rng.random((3, 2)) * (180, 64)).ravel().tolist(), (90, 90, 160), 1)
        pictures.append(np.asarray(picture))
    found = find_colour(replace(sample, pictures=pictures))
    assert found["severity"] == "high" and found["figures"]["divided_by_colour"]["low"] < 0.25
    assert found["plain"].startswith(f"One rule tells letters from noise in all pictures: {found['figures']['rule']}")
    # The picture shows what the rule keeps: no letter is lost whose own colour is no other letter's.
    assert found["figures"]["rule"] in found["shown"][0]["text"]
    seen = np.asarray(Image.open(io.BytesIO(base64.b64decode(found["shown"][0]["picture"].split(",")[1]))).convert("L"))
    times = seen.shape[1] // (2 * 180)
    left, right = seen[:, : 180 * times], seen[:, -180 * times :]
    for line in range(3):
        rows = slice(line * 68 * times, (line * 68 + 64) * times)
        for place in range(len(sample.texts[line])):
            columns = slice((16 + 30 * place) * times, (36 + 30 * place) * times)
            dark = (left[rows, columns] < 75).sum()
            assert (right[rows, columns] < 100).sum() > 0.5 * dark > 0, (line, place)


def test_defects_count_case_as_the_audit_does(monkeypatch):
    asked = {}

    def spied(name: str):
        real = getattr(defects, name)

        def spy(*given):
            asked[name] = given
            return real(*given)

        return spy

    for name in ("find_repeats", "find_entropy", "find_frequencies"):
        monkeypatch.setattr(defects, name, spied(name))
    dataset = Dataset("tests/golden/v1/book")
    texts = take_sample(dataset).every_text
    find_defects(dataset, None, (), fold_case=True)
    assert asked["find_repeats"][0] == asked["find_entropy"][0] == [text.casefold() for text in texts] != texts
    assert asked["find_entropy"][1] == asked["find_entropy"][1].casefold()
    assert asked["find_frequencies"][0] == texts  # how they are drawn


def test_letters_that_are_one_answer_may_be_drawn_alike():
    numbers = np.random.default_rng(1).integers(0, 250, (2, 12, 10)).repeat(100, axis=0)
    letters = Cut(
        list(numbers.astype(np.uint8)), ["c", "C"] * 50 + ["O", "Q"] * 50, list(range(200)), [(1, 1, 13, 11)] * 200
    )
    apart, alike = (find_alike(letters, "cCOQ", ["cCOQ"], as_) for as_ in (str, str.casefold))
    assert [pair["letters"] for pair in apart["figures"]["pairs"][:2]] == ["Cc", "OQ"]
    assert {pair["letters"] for pair in apart["figures"]["pairs"]} - {
        pair["letters"] for pair in alike["figures"]["pairs"]
    } == {"Cc"}
    assert (apart["figures"]["known_look_alikes_in_use"], alike["figures"]["known_look_alikes_in_use"]) == (
        ["QO", "cC"],
        ["QO"],
    )


OTHERS = ("wild", "colour", "strings", "noise", "like-captcha", "like-svg-captcha")


@pytest.mark.parametrize(
    ("name", "seed"),
    [("hard", 1), ("random", 1),
     *(pytest.param(name, seed, marks=pytest.mark.soak) for name in OTHERS for seed in range(1, 6))],
)  # fmt: skip
def test_honest_profiles_raise_no_high_alarm(name, seed):
    sample = sampled(find_profile(name), 40, seed)
    letters = cut_letters(sample)
    alphabet = find_profile(name).alphabet
    found = [find_border(sample, letters), find_alike(letters, alphabet, sample.texts), find_colour(sample),
             find_variation(sample, letters), find_ground(sample)]  # fmt: skip
    assert [one["name"] for one in found if one["severity"] == "high"] == []


def test_letters_at_fixed_places_and_of_one_shape_are_named():
    fixed = Profile(
        "fixed", fonts=("League Mono Bold",), alphabet="ABCDEFGHKM", length=(4, 4), height=40, width=120, font_size=28,
        left=4, top=2, shear=OFF, scale=Grid(100, 100),
    )  # fmt: skip
    for boxed in (True, False):
        sample = sampled(fixed, boxed=boxed)
        found = find_variation(sample, cut_letters(sample))
        assert found["severity"] == "high"
        assert "fixed places" in found["plain"]
        assert "stamp" in found["plain"]
        assert found["shown"]
    moved = sampled(PLAIN, 250)
    assert find_variation(moved, cut_letters(moved))["severity"] == "low"  # a face, turned by 25 angles
    varied = sampled(find_profile("faces"), 120)
    assert find_variation(varied, cut_letters(varied))["severity"] == "none"


def test_a_ground_that_never_changes_is_named():
    sample = sampled(NOISY)
    pictures = [np.minimum(picture, _lines(picture.shape)) for picture in sample.pictures]
    always = Sampled(pictures, sample.texts, sample.boxes, sample.parameters, sample.texts, len(pictures))
    found = find_ground(always)
    assert found["severity"] == "high"
    assert found["shown"]
    assert find_ground(sample)["severity"] == "none"
    framed = replace(PLAIN, frame_y=Grid(2, 2), frame_x=Grid(2, 2))
    assert find_ground(sampled(framed))["severity"] == "low"


def _lines(shape: tuple[int, ...]) -> np.ndarray:
    """Draw some lines that are the same in all pictures."""
    out = np.full(shape, 255, np.uint8)
    for k in range(4):
        rows = np.linspace(5 + 10 * k, shape[0] - 5 - 8 * k, shape[1]).astype(int)
        out[rows, np.arange(shape[1])] = 90
    return out


def test_letters_that_are_cut_off_are_named():
    sample = sampled(PLAIN, 200)
    whole = find_border(sample, cut_letters(sample))
    assert whole["severity"] == "none"
    # The left edge goes through the middle of each first letter, of which half is left.
    cut, boxes = [], sample.boxes.copy()
    for number, (picture, text) in enumerate(zip(sample.pictures, sample.texts, strict=True)):
        at = int(sample.boxes[number, 0, [1, 3]].mean())
        cut.append(picture[:, at:])
        boxes[number, : len(text), 1::2] = np.maximum(boxes[number, : len(text), 1::2] - at, 0)
    found_sample = Sampled(cut, sample.texts, boxes, sample.parameters, sample.texts, 200)
    found = find_border(found_sample, cut_letters(found_sample))
    assert found["severity"] == "high"
    assert found["figures"]["size_kept"] < 0.7
    assert "cut off" in found["plain"]


def test_a_line_from_a_letter_to_the_border_is_no_letter_at_the_border():
    """Where gaps cut letters out, a line that crosses one belongs to what is cut out."""
    sample = sampled(PLAIN, 200, boxed=False)
    lined = []
    for number, picture in enumerate(sample.pictures):
        boxes = boxes_by_gaps(sample.inks[number], len(sample.texts[number]))
        picture = picture.copy()
        if boxes and number % 5 == 0:
            top, left, bottom, right = boxes[0]
            picture[: (top + bottom) // 2, (left + right) // 2] = (16, 16, 64)  # the letters' colour
        lined.append(picture)
    found_sample = Sampled(lined, sample.texts, sample.boxes, sample.parameters, sample.texts, 200)
    found = find_border(found_sample, cut_letters(found_sample))
    assert found["severity"] == "none"
    assert found["figures"]["touching"]["right"] == 0


def test_letters_that_a_face_draws_alike_are_named():
    """Bebas Neue draws O and 0 with the same bitmap, and capitals for small letters."""
    alike = replace(PLAIN, fonts=("Bebas Neue Bold",), alphabet="O0XW", rotation=Grid(-5, 5), letter_colour=None,
                    ground_colour=None)  # fmt: skip
    sample = sampled(alike, 150)
    found = find_alike(cut_letters(sample), "O0XW", sample.texts)
    assert found["severity"] == "high"
    assert [pair["letters"] for pair in found["figures"]["pairs"] if pair["low"] > 0.25] == ["0O"]
    assert "0 and O" in found["plain"]
    assert found["shown"]
    other = sampled(replace(alike, alphabet="AHXW"), 150)
    assert find_alike(cut_letters(other), "AHXW", other.texts)["severity"] == "none"


def test_without_boxes_the_alphabet_tells_known_look_alikes():
    sample = sampled(replace(PLAIN, alphabet="O0IL", tracking=Grid(-8, -8)), boxed=False)
    found = find_alike(cut_letters(sample), "O0IL", sample.texts)
    assert (found["severity"], found["figures"]["known_look_alikes_in_use"]) == ("low", ["O0"])


def test_gaps_give_the_boxes_of_letters_that_stand_apart():
    ink = np.zeros((20, 40), np.uint8)
    ink[4:16, 5:10] = ink[4:18, 15:22] = ink[2:10, 30:33] = 255
    ink[18, 38] = 255  # a speck
    assert boxes_by_gaps(ink, 3) == [(4, 5, 16, 10), (4, 15, 18, 22), (2, 30, 10, 33)]
    assert boxes_by_gaps(ink, 4) == []
    assert boxes_by_gaps(np.zeros((20, 40), np.uint8), 1) == []


def test_gaps_that_divide_few_pictures_are_not_believed():
    """Where lines join most letters, the few pictures that have the right number of parts have noise for letters."""
    sample = sampled(NOISY, 120, boxed=False)
    assert any(boxes_by_gaps(ink, len(text)) for ink, text in zip(sample.inks, sample.texts, strict=True))
    letters = cut_letters(sample)
    assert letters.labels == []
    assert find_border(sample, letters)["severity"] == "unknown"
    assert find_alike(letters, "AH", sample.texts)["figures"]["letters_compared"] == 0


def test_letters_that_are_too_different_are_not_compared():
    """Of noise, every picture is as near to any letter: that is no likeness of two letters."""
    numbers = np.random.Generator(np.random.Philox(key=[2, 2])).integers(0, 256, (200, 20, 12))
    letters = Cut(list(numbers.astype(np.uint8)), list("ABCD") * 50, list(range(200)), [(1, 1, 21, 13)] * 200)
    found = find_alike(letters, "ABCD", ["ABCD"])
    assert found["severity"] == "unknown"
    assert "vary so much" in found["plain"]


STRANGE = {
    "noise in colour": lambda rng, k: rng.integers(0, 256, (30, 80, 3)),
    "noise in grey": lambda rng, k: rng.integers(0, 256, (30, 80)),
    "no ink": lambda rng, k: np.zeros((30, 80)),
    "white": lambda rng, k: np.full((30, 80, 3), 255),
    "a pixel": lambda rng, k: rng.integers(0, 256, (1, 1, 3)),
    "each of another size": lambda rng, k: rng.integers(0, 256, (5 + k, 20 + k, 3)),
}


@pytest.mark.parametrize("kind", STRANGE)
@pytest.mark.parametrize("count", [1, 40])
def test_strange_pictures_are_looked_at_and_not_accused(kind, count):
    rng = np.random.Generator(np.random.Philox(key=[1, 1]))
    pictures = [STRANGE[kind](rng, k).astype(np.uint8) for k in range(count)]
    texts = ["".join("ABéD漢F"[number] for number in rng.integers(0, 6, 4)) for _ in range(count)]
    sample = Sampled(pictures, texts, np.full((count, 4, 4), -1, np.int16), np.zeros(count), texts, count)
    letters = cut_letters(sample)
    found = [find_border(sample, letters), find_alike(letters, "", texts), find_colour(sample),
             find_variation(sample, letters), find_ground(sample)]  # fmt: skip
    assert {one["severity"] for one in found} <= {"none", "unknown"}
    json.dumps(found, allow_nan=False)
    measured_properties(pictures, sample.inks, texts)


def imported(folder: Path, out: Path) -> Dataset:
    """What the flow does, without Dask and Prefect."""
    listing = Listing(ImportRequest(folder, "pictures", find_labels(folder), colour=Colour.KEEP))
    source = Source(listing, [scan_files(job) for job in listing.jobs()])
    out.mkdir()
    gathered = Gathered(source.identity, source.wanted.labelling.as_dict())
    for job in fill_jobs(source, out, "run"):
        gathered.add(fill_shard(job))
    complete(out, gathered, "run")
    return Dataset(str(out))


def test_all_that_was_planted_is_found_in_an_owners_folder(tmp_path):
    """Four texts, the answer in a tEXt chunk, lines of another colour: all in one imported folder."""
    sample = sampled(replace(NOISY, length=(4, 4), line_colour=Colours(("#d01010",))))
    texts = ("AHKX", "XAAK", "HHXA", "KKXH")  # not what the pictures show, which does not matter here
    folder = tmp_path / "pictures"
    folder.mkdir()
    for k, picture in enumerate(sample.pictures):
        info = PngImagePlugin.PngInfo()
        info.add_text("answer", texts[k % 4])
        Image.fromarray(picture).save(folder / f"{k:04d}_{texts[k % 4]}.png", pnginfo=info)
    found = {one["name"]: one for one in find_defects(imported(folder, tmp_path / "out"), None, [folder])}
    assert set(found) == {"border", "alike", "frequencies", "entropy", "length", "repeats", "answer", "colour",
                          "variation", "ground"}  # fmt: skip
    high = {name for name, one in found.items() if one["severity"] == "high"}
    assert high >= {"repeats", "entropy", "answer", "colour"}
    assert all(text in found["repeats"]["plain"] for text in texts)
    assert "tEXt" in found["answer"]["plain"]
    for one in found.values():
        assert one["plain"].strip()
        assert one["remedy"] is None or one["severity"] in ("high", "low")
        assert "n" in one["figures"] or "n" in one["figures"]["touching"]


def test_figures_are_small():
    """A report has dozens of them in 3 MB."""
    white = np.full((20, 30, 3), 255, np.uint8)
    apart = sheet([white, white, white])
    assert apart.shape == (44, 64, 3)
    assert (apart[:20, 32] < 255).all() and (apart[22] < 255).all()  # white pictures were taken for one
    assert (apart[:20, :30] == 255).all() and (apart[24:, :30] == 255).all()
    shown = figure(sheet(sampled(find_profile("like-captcha"), 2).pictures), "two pictures")
    data = base64.b64decode(shown["picture"].partition(",")[2])
    assert len(data) < 20_000
    assert Image.open(io.BytesIO(data)).width == 324
