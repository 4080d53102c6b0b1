"""Answers of the shipped models to pictures that show what these cannot know are not believed."""

import io
import random

import numpy as np
import pytest
from PIL import Image, ImageDraw

from storage.models import model_digest
from tasks import doubts, plainer
from tasks.deep.deep_reader import DeepReader
from tasks.doubts import APART, BLOTTED, CUT_OFF, DOUBTED, MARKED, READ_WITHOUT, unexplained
from tasks.explaining.classic_stages import classic_stages
from tasks.explaining.deep_stages import deep_stages
from tasks.loading.decode import load_batch
from tasks.loading.oddities.cut_off import CROSSED, TOUCHED
from tasks.loading.oddities.fine_texture import smoothed
from tasks.loading.oddities.in_pieces import in_one_piece
from tasks.loading.oddities.oddities import Oddities
from tasks.loading.oddities.relief import filled_in
from tasks.readers import load_both, load_reader, read_pictures
from tasks.reading.reader import Reader
from tasks.shipped import SHIPPED, STRANGERS
from tests.doubtful import DOUBTFUL
from tests.relief_texts import RELIEF
from tests.strangers import FACES, Plate, draw, lay_out, png
from tests.texts_in_pieces import PIECES

CLASSIC, DEEP = ((str(model), model_digest(model)) for model in (SHIPPED, STRANGERS))


def letters(text: str) -> Plate:
    return lay_out(text, random.Random(1), FACES[0], (190, 48))


def covered(text: str) -> Image.Image:
    plate = letters(text)
    picture = plate.plain()
    ImageDraw.Draw(picture).rectangle(plate.masks[2].getbbox(), fill=(16, 16, 16))
    return picture


def with_ring(text: str, colour: tuple[int, int, int]) -> Image.Image:
    picture = letters(text).plain()
    ImageDraw.Draw(picture).arc((160, 14, 180, 34), 30, 330, fill=colour, width=3)
    return picture


@pytest.fixture(scope="module", params=[SHIPPED, STRANGERS], ids=["classic", "deep"])
def reader(request):
    return load_reader(str(request.param), model_digest(request.param), (), length=(1, 11))  # any, as if told


Answer = tuple[str, float, float, str]  # word, its confidence, that of the reading, what is said of it


def read(reader, pictures: list[Image.Image]) -> list[Answer]:
    notes: dict[int, str] = {}
    groups, _ = read_pictures(reader, range(len(pictures)), lambda k: png(pictures[k]), notes)
    answers = {
        index: (str(found.words[row, 0]), float(found.confidences[row, 0]), float(found.reading_confidence[row]))
        for rows, found in groups
        for row, index in enumerate(rows.tolist())
    }
    return [(*answers[k], notes.get(k, "")) for k in range(len(pictures))]


def test_confident_answers_that_cannot_be_known_are_lowered_and_the_others_kept(reader, monkeypatch):
    monkeypatch.setattr(doubts, "VARIED", 0.0)  # variations change confidences too
    plain = [letters(text).plain() for text in ("KUMA", "Mijn")]
    odd = [letters("KÜMÄ").plain(), with_ring("XKUM", (16, 16, 16)), covered("KUMA")]
    found = read(reader, plain + odd)
    assert reader.doubts
    monkeypatch.setattr(reader, "doubts", False)
    believed = read(reader, plain + odd)
    assert found[:2] == believed[:2]
    assert [answer[0] for answer in found[:2]] == ["KUMA", "Mijn"]
    assert [answer[0] for answer in found] == [answer[0] for answer in believed]
    for (_, sure, reading, note), (_, before, own, _), why in zip(
        found[2:], believed[2:], (MARKED, APART, BLOTTED), strict=True
    ):
        assert max(sure, reading) <= DOUBTED
        assert sure == pytest.approx(before * (DOUBTED if before > DOUBTED else 1))
        assert reading == pytest.approx(own * (DOUBTED if own > DOUBTED else 1))
        assert note == (why if max(before, own) > DOUBTED else "")
    assert believed[2][1] > 0.9


def spaced(text: str) -> Image.Image:
    """Draw a text whose last letter stands apart."""
    plate = letters(text)
    picture = Plate(text, plate.chance, plate.masks[:-1]).plain()
    picture.paste((16, 16, 16), (40, 0), plate.masks[-1])
    return picture


def test_what_surely_is_no_letter_is_left_out_by_the_deep_reader_and_the_row_says_so():
    disc = letters("KUMA").plain()
    ImageDraw.Draw(disc).ellipse((160, 10, 184, 36), fill=(16, 16, 16))
    icons = [with_ring("XKUM", (60, 110, 200)), disc]
    pictures = [*icons, letters("KUMA").plain(), spaced("KUMAX")]
    deep, both = load_reader(*DEEP, ()), load_both(CLASSIC, DEEP, ())
    for reader in (deep, both):
        found = read(reader, pictures)
        assert [answer[0] for answer in found] == ["XKUM", "KUMA", "KUMA", "KUMAX"]
        assert [answer[3] for answer in found] == [READ_WITHOUT, READ_WITHOUT, "", APART]
        assert all(0.5 < answer[1] <= 0.9 for answer in found[:2])
        assert found[2][1] > 0.9
        assert found[3][1] <= DOUBTED
    assert [len(answer[0]) for answer in read(load_reader(*DEEP, (), length=(5, 5)), icons)] == [
        5,
        5,
    ]  # as they are told


def test_letters_that_only_rims_show_are_read_filled_in_also_if_that_is_shorter(monkeypatch):
    asked = {"relief-shadow": ("RdKG", FACES[4]), "relief-coloured": ("dFFQ", FACES[5])}
    files = [
        RELIEF[kind].make(lay_out(text, random.Random(2), face, **RELIEF[kind].layout))
        for kind, (text, face) in asked.items()
    ]
    pictures = [Image.open(io.BytesIO(file)) for file in files]
    reader = load_reader(*DEEP, ())
    filled = read(reader, pictures)
    assert [answer[0] for answer in filled] == [text for text, _ in asked.values()]
    monkeypatch.setattr(plainer, "PLAINER", [way for way in plainer.PLAINER if way.find is not filled_in])
    monkeypatch.setattr(doubts, "VARIED", 0.0)  # variations read some of them too
    for (word, *_), (seen, *_), (text, _) in zip(filled, read(reader, pictures), asked.values(), strict=True):
        assert seen != word == text


@pytest.mark.parametrize("kind", ["dots-4", "squares-4", "dots-colour", "sparse-30"])
def test_letters_in_pieces_are_read_joined(kind, monkeypatch):
    drawn = draw(kind, 4, 2, kinds=PIECES)
    pictures, reader = [Image.open(io.BytesIO(file)) for file, _ in drawn], load_reader(*DEEP, ())

    def right() -> int:
        return sum(answer[0].upper() == text for answer, (_, text) in zip(read(reader, pictures), drawn, strict=True))

    assert right() >= 3
    monkeypatch.setattr(plainer, "PLAINER", [way for way in plainer.PLAINER if way.find is not smoothed])
    assert right() >= 3  # pieces are a fine texture as well, which another way reads
    monkeypatch.setattr(plainer, "PLAINER", [way for way in plainer.PLAINER if way.find is not in_one_piece])
    monkeypatch.setattr(doubts, "VARIED", 0.0)  # variations read some of them too
    assert right() <= 2


def test_letters_on_a_card_and_of_dots_are_read():
    texts, pictures = ["KXGU", "VCWO", "BMOO"], []
    for text in texts:
        pictures.append(Image.new("RGB", (300, 150), (60, 64, 70)))
        pictures[-1].paste(lay_out(text, random.Random(1), FACES[0]).plain(), (23, 71))
    for text in ("KUMA", "XDGW"):
        texts.append(text)
        pictures.append(lay_out(text, random.Random(1), FACES[0]).plain((150, 150, 150)).convert("1"))
    for reader in (load_reader(*DEEP, ()), load_both(CLASSIC, DEEP, ())):
        found = read(reader, pictures)
        assert [answer[0] for answer in found] == texts
        assert min(answer[1] for answer in found) > 0.9


def test_letters_are_read_before_other_letters_of_a_fainter_colour(monkeypatch):
    texts, pictures = ["2DIC", "XDGW", "R7TH"], []
    for seed, (text, decoy) in enumerate(zip(texts, ["QHWLB", "MPBNS", "WEXKA"], strict=True), 1):
        behind, before = (
            lay_out(word, random.Random(seed), face, (190, 56), points=32)
            for word, face in ((decoy, FACES[1]), (text, FACES[0]))
        )
        paper = Image.new("RGB", (190, 56), (238, 238, 238))
        paper.paste((170, 221, 204), (9, 5), behind.mask)
        pictures.append(before.plain((0, 136, 204), paper))
    reader = load_reader(*DEEP, ())
    assert [answer[0] for answer in read(reader, pictures)] == texts
    layers = ("several_inks", "fainter_layer", "leaning")  # made upright, one is read too
    others = [way for way in plainer.PLAINER if not way.find.__module__.endswith(layers)]
    monkeypatch.setattr(plainer, "PLAINER", others)
    monkeypatch.setattr(doubts, "VARIED", 0.0)  # variations read some of them too
    assert all(len(answer[0]) > 4 for answer in read(reader, pictures))


def test_a_model_of_an_owner_knows_what_the_owners_pictures_show(tmp_path):
    copy = tmp_path / "mine.skops"
    copy.write_bytes(SHIPPED.read_bytes())
    assert not load_reader(str(copy), model_digest(copy), ()).doubts


def test_an_explained_picture_has_the_confidence_that_solving_gives():
    reader = load_reader(str(SHIPPED), model_digest(SHIPPED), ())
    assert isinstance(reader, Reader)
    picture = letters("KÜMÄ").plain()
    ((_, images),), _ = load_batch([png(picture)], bytes)
    seen = np.array(picture)
    readings = classic_stages(reader, reader.alphabet, seen, images[0], images[0])[1]
    assert (readings.words[0, 0], readings.confidences[0, 0]) == read(reader, [picture])[0][:2]


@pytest.mark.parametrize(("ink", "read"), [((60, 110, 200), "an icon was left out"), (None, "no ground is taken away")])
def test_an_explained_picture_is_shown_as_it_was_read(ink, read, monkeypatch):
    monkeypatch.setattr("tasks.explaining.deep_stages._looks", lambda *_: [])  # it takes seconds
    reader = load_reader(*DEEP, ())
    assert isinstance(reader, DeepReader)
    seen = np.array(with_ring("XKUM", ink) if ink else letters("XKUM").plain())
    stages, readings = deep_stages(reader, seen, seen[None], np.array([seen.shape[:2]]))
    assert readings.words[0, 0] == "XKUM"
    taken = next(stage for stage in stages if stage.title == "As the network takes it")
    assert read in taken.says


@pytest.mark.parametrize(
    ("word", "things", "marks", "apart", "blots", "why"),
    [
        ("KUMA", 4, 0, False, False, ""),
        ("KUMA", 4, 1, False, False, MARKED),
        ("KÜMA", 4, 1, False, False, ""),  # of a model that knows the letter
        ("Kija", 4, 2, False, False, ""),
        ("Kija", 4, 3, False, False, MARKED),
        ("KUMA", 2, 1, False, False, ""),  # the letters cannot be told from each other
        ("KUMAC", 4, 0, True, False, APART),
        ("KUMA", 4, 0, True, False, ""),  # the icon was left out
        ("KUMA", 4, 0, False, True, BLOTTED),
        ("KUMA", 4, 0, True, True, ""),
        ("", 4, 1, True, True, ""),
        ("KUMA", 4, 0, False, CROSSED, CUT_OFF),
        ("KUMA", 5, 0, False, TOUCHED, CUT_OFF),
        ("KUMA", 4, 0, False, TOUCHED, ""),
    ],
)  # fmt: skip
def test_what_explains_what(word, things, marks, apart, blots, why):
    no, none = np.array([False]), np.array([0])
    """A number in place of whether there is a blot tells how a letter is at the border."""
    cut = 0 if isinstance(blots, bool) else blots
    shown = (things, marks, apart, blots is True)
    found = Oddities(*(np.array([value]) for value in shown), none, none, no, np.array([cut]))
    assert unexplained(found, [word]) == [why]


def test_texts_that_are_set_otherwise_are_read_beside_others():
    """Their pictures have other sizes, and none gets the answer of another."""
    model = load_reader(*DEEP, (), length=(4, 8))
    drawn = [draw(kind, 1, 3, kinds=DOUBTFUL)[0] for kind in ("rows-equal", "column", "tiles", "side-left", "shines")]
    files = [file for file, _ in drawn]
    groups, _ = read_pictures(model, range(len(files)), files.__getitem__, {})
    answers = {k: str(word) for rows, found in groups for k, word in zip(rows.tolist(), found.words[:, 0], strict=True)}
    assert [answers[k] for k in range(len(files))] == [text for _, text in drawn]
