"""Every stage of a reading is drawn, and says the same as the reading itself."""

import io
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from storage.errors import BadInput
from storage.files.places import place
from storage.models import model_digest
from tasks.explaining import deep_stages as deep_stages_room
from tasks.explaining import explain_picture as explain_picture_room
from tasks.explaining.classic_stages import classic_stages
from tasks.explaining.deep_saliency import saliency
from tasks.explaining.deep_stages import deep_stages
from tasks.explaining.explain_picture import draw_word, explain_picture
from tasks.figures.reading_stages import Stage, plot_stages
from tasks.figures.stage_panels import ColumnsPanel, LettersPanel, PathPanel, RankingPanel, percent
from tasks.loading.decode import decode_noted, decode_seen, load_batch
from tasks.loading.safe_read import BadPicture
from tasks.loading.seen_batches import load_seen_batch
from tasks.profiles.built_in import find_profile
from tasks.readers import known_letters, load_both, load_reader
from tasks.shipped import SHIPPED, STRANGERS
from tasks.solving.picture_reader import PictureReader
from tests.doubtful import DOUBTFUL
from tests.strangers import draw

WORDS = ("BONE", "LORD", "OORD", "WORD")
CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def classic(words=WORDS):
    return load_reader(str(SHIPPED), model_digest(SHIPPED), words, None, CAPITALS, (4, 4))


@pytest.fixture(scope="module")
def both():
    """Both shipped readers, without a dictionary."""
    files = [(str(model), model_digest(model)) for model in (SHIPPED, STRANGERS)]
    return load_both(*files, (), None, CAPITALS, (4, 4))


@pytest.fixture
def unseen(monkeypatch) -> None:
    """Draw no figure, and ask nowhere where the deep model looks, which reads a picture a hundred times."""
    monkeypatch.setattr(explain_picture_room, "plot_stages", lambda *_: b"")
    monkeypatch.setattr(deep_stages_room, "saliency", lambda _, taken, __: np.zeros(taken.shape[1:], np.float32))


def stages_of(word: str, profile: str, seed: int, words=WORDS):
    data, _ = draw_word(word, find_profile(profile), seed)
    ((_, images),) = load_batch([data], bytes)[0]
    stages, readings = classic_stages(classic(words), known_letters(place(SHIPPED))[1], decode_seen(data), images[0],
                                      decode_noted(data)[0])  # fmt: skip
    return {stage.title: stage for stage in stages}, readings


def test_a_clean_word_goes_through_all_stages():
    stages, readings = stages_of("BONE", "book", 1)
    assert [*stages] == ["The picture", "Ground", "Ink", "Upright", "Cuts", "Letters", "Path", "Dictionary"]
    assert readings.words[0, 0] == "BONE"
    assert "4 connected pieces" in stages["Cuts"].says
    assert "leaned to the left" in stages["Upright"].says
    letters = stages["Letters"].panel
    assert isinstance(letters, LettersPanel)
    assert [shares[0][0] for shares in letters.shares] == [*"BONE"]
    assert all(shares[0][1] > 0.9 for shares in letters.shares)
    path = stages["Path"].panel
    assert isinstance(path, PathPanel)
    assert [letter for _, letter in path.path] == [*"BONE"]
    lefts = [path.spans[k][0] for k, _ in path.path]
    assert lefts == sorted(lefts)
    ranking = stages["Dictionary"].panel
    assert isinstance(ranking, RankingPanel)
    assert ranking.rows[0] == ("BONE", float(readings.confidences[0, 0]))


def test_where_the_dictionary_bends_the_reading_the_path_is_the_words():
    stages, readings = stages_of("WORD", "hard", 3)
    word, reading = str(readings.words[0, 0]), str(readings.reading[0])
    assert word != reading
    path = stages["Path"].panel
    assert "".join(letter for _, letter in path.path) == word
    ends = [path.spans[k] for k, _ in path.path]
    assert all(a[1] <= b[0] for a, b in pairwise(ends))  # no overlap
    assert not np.array_equal(ends, readings.box[:, [1, 3]])  # these are the cuts of the reading without a dictionary
    assert reading in stages["Path"].says
    assert reading in stages["Dictionary"].says
    assert "small network keeps" in stages["Cuts"].says


def test_without_a_dictionary_the_last_stage_says_so():
    stages, readings = stages_of("BONE", "book", 1, ())
    assert [*stages][-1] == "Answers"
    assert "no dictionary" in stages["Answers"].says
    assert readings.words[0, 0] == "BONE"


def test_shares_and_the_rest_add_up_to_all():
    stages, _ = stages_of("WORD", "hard", 3)
    path = stages["Path"].panel
    assert ((path.shares >= 0) & (path.shares <= 1)).all()
    assert len(path.shares) == len(path.letters) == len(path.spans)


def test_a_deep_model_shows_its_columns():
    data, _ = draw_word("BONE", replace(find_profile("hard"), fonts=("Inter Black",)), 5)
    reader = load_reader(str(STRANGERS), model_digest(STRANGERS), WORDS, None, None, (4, 4))
    groups, _ = load_seen_batch([data], bytes)
    stages, readings = deep_stages(reader, decode_seen(data), groups[0].images, groups[0].sizes)
    panel = next(stage.panel for stage in stages if isinstance(stage.panel, ColumnsPanel))
    assert readings.words[0, 0] == "BONE"
    assert panel.shares.shape == (len(panel.letters), len(panel.best))
    assert set("BONE") <= {letter.upper() for letter in panel.letters}
    assert len(panel.peaks) == 4
    assert (panel.shares <= 1).all()
    assert [stage.title for stage in stages][-3:] == ["Where it looks", "Best paths", "Dictionary"]
    tint = stages[-3].panel.image.astype(int)
    assert (tint[..., 0] - tint[..., 2]).max() > 60  # somewhere the answer depends on what is there
    with Image.open(io.BytesIO(plot_stages(stages, "deep"))) as drawn:
        assert drawn.width == 1000


def test_of_two_readers_the_one_whose_answer_is_taken_is_shown(unseen, monkeypatch):
    files = [(str(model), model_digest(model)) for model in (SHIPPED, STRANGERS)]
    both = load_both(*files, WORDS, None, CAPITALS, (4, 4))
    known = known_letters(place(SHIPPED))[1]
    sure = explain_picture(both, known, draw_word("BONE", find_profile("book"), 1)[0], "BONE")
    assert "Cuts" in sure.stages
    assert "Two readers" not in sure.stages
    data, _ = draw_word("WORD", find_profile("hard"), 3)
    unsure = explain_picture(both, known, data, "WORD")
    assert {"Two readers", "Columns"} <= set(unsure.stages)
    ((_, readings),) = both.read_files([data], bytes, {})[0]
    assert (unsure.word, unsure.confidence) == (readings.words[0, 0], readings.confidences[0, 0])
    monkeypatch.setattr(explain_picture_room, "takes_classic", lambda *_: np.array([True]))
    taken = explain_picture(both, known, data, "WORD")
    assert {"Two readers", "Cuts"} <= set(taken.stages)


@pytest.mark.parametrize("kind", ["speck", "wide", pytest.param("tall", marks=pytest.mark.slow), "colour"])
def test_strange_pictures_are_explained_too(kind):
    rng = np.random.default_rng(5)
    array = np.full((20, 60), 255, np.uint8)
    if kind == "speck":
        array[10, 30] = 0
    elif kind == "wide":
        array = np.repeat(rng.integers(0, 2, (12, 1), np.uint8) * 255, 600, axis=1)
        array[3:9, ::7] = 0
    elif kind == "tall":
        array = np.full((300, 9), 255, np.uint8)
        array[40:60, 3:6] = 0
    else:
        array = rng.integers(0, 256, (20, 60, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    name = f"{kind} 字\x1b[31m $x$" + 60 * "y"
    explained = explain_picture(classic(), known_letters(place(SHIPPED))[1], file.getvalue(), name)
    with Image.open(io.BytesIO(explained.png)) as drawn:
        assert drawn.width == 1000
        assert drawn.info["Description"] == "captchas explain"
    assert len(explained.stages) >= 7


@pytest.mark.parametrize("kind", ["sixteen-low", "letters-in-turn", "exif", "transparent-light"])
def test_files_of_other_kinds_are_explained_as_they_are_read(unseen, both, kind, monkeypatch):
    """Frames, levels that no screen tells apart, turned and transparent pictures."""
    ((data, _),) = draw(kind, 1, 3)
    for reader in (both, both.classic, both.deep):
        if (kind, reader) == ("exif", both.deep):  # a picture that lies on its side
            monkeypatch.setattr(deep_stages_room, "saliency", saliency)
        (own,) = PictureReader(reader).read([data])
        if own.word:
            explained = explain_picture(reader, known_letters(place(SHIPPED))[1], data, kind)
            assert (explained.word, explained.confidence) == (own.word, own.confidence)


@pytest.mark.parametrize("kind", ["rows-equal", "column"])
def test_a_text_that_is_set_in_a_row_is_shown_in_it(kind, monkeypatch):
    monkeypatch.setattr(deep_stages_room, "saliency", lambda _, taken, __: np.zeros(taken.shape[1:], np.float32))
    ((data, text),) = draw(kind, 1, 3, kinds=DOUBTFUL)
    reader = load_reader(str(STRANGERS), model_digest(STRANGERS), (), None, CAPITALS, (1, 12))
    groups, _ = load_seen_batch([data], bytes)
    stages, readings = deep_stages(reader, decode_seen(data), groups[0].images, groups[0].sizes)
    assert readings.words[0, 0] == text
    seen, looked_at = (stage.panel.image for stage in stages[:2])
    assert looked_at.shape[1] > 2 * looked_at.shape[0]
    assert seen.shape != looked_at.shape
    with Image.open(io.BytesIO(plot_stages(stages, "deep"))) as drawn:
        assert drawn.width == 1000


def test_what_is_no_picture_has_a_reason():
    with pytest.raises(BadPicture):
        explain_picture(classic(), CAPITALS, b"no picture", "x")


def test_words_are_drawn_as_a_profile_draws_them():
    data, drawn = draw_word("QUIETLY", find_profile("book"), 2)
    assert drawn.length == (7, 7)
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.width > find_profile("book").canvas[1] / 2
    assert draw_word("QUIETLY", find_profile("book"), 2)[0] == data
    assert draw_word("QUIETLY", find_profile("book"), 3)[0] != data
    for word, rule in (("", "1 to 12 letters"), ("A" * 13, "1 to 12 letters"), ("BÖNE", "draws ABC")):
        with pytest.raises(BadInput, match=rule):
            draw_word(word, find_profile("book"), 1)


def test_answers_of_any_length_and_script_are_drawn():
    rows = [("字" * 32, 0.5), ("QUARTERLYQUARTERLY", None), ("$x$_{2}", 0.1)]
    drawn = plot_stages([Stage("Answers", "said " * 40, RankingPanel(rows, "confidence"))], "title")
    with Image.open(io.BytesIO(drawn)) as picture:
        assert picture.width == 1000


def test_percents_tell_nearly_all_from_all():
    assert [percent(share) for share in (None, 0.0, 0.0002, 0.5, 0.9996, 1.0)] == [
        "-", "0.0 %", "< 0.1 %", "50.0 %", "99.960 %", "> 99.99 %"
    ]  # fmt: skip
