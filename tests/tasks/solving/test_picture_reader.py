"""The Python door: pictures from files and from memory, in one process."""

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from storage.errors import BadInput, NotThere
from tasks.datasets.recipe import make_recipe, renderer_of
from tasks.profiles.built_in import find_profile
from tasks.solving.picture_reader import open_reader


@pytest.fixture(scope="module")
def drawn() -> tuple[np.ndarray, list[str]]:
    """Eight pictures of `book`, dark on light, and their words."""
    block = renderer_of(make_recipe(find_profile("book"), 5)).block(5, 0, 8)
    return 255 - block.images, block.texts()


def test_files_bytes_images_and_arrays_are_read_alike(drawn, tmp_path):
    images, texts = drawn
    Image.fromarray(images[0]).save(tmp_path / "a.png")
    Image.fromarray(images[1]).save(buffer := io.BytesIO(), "BMP")
    colour = np.stack([images[4], images[4], np.full_like(images[4], 255)], axis=2)
    clear = np.dstack([np.zeros_like(colour[..., :3]), 255 - images[5]])  # black ink on nothing
    given = [
        str(tmp_path / "a.png"), buffer.getvalue(), Image.fromarray(images[2]), images[3], colour, clear,
        Image.fromarray(images[6]).convert("P"), tmp_path / "a.png",
    ]  # fmt: skip
    answers = open_reader(length=(4, 4)).read(given)
    assert [answer.word for answer in answers] == [*texts[:7], texts[0]]
    assert all(0.5 < answer.confidence <= 1 and answer.reason == "" for answer in answers)


def test_a_picture_that_cannot_be_read_costs_its_own_answer(drawn, tmp_path):
    images, texts = drawn
    wrong = [
        b"", b"no picture", tmp_path / "none.png", tmp_path, np.zeros((3, 3), np.float32), np.zeros((0, 9), np.uint8),
        np.zeros((4, 4, 2), np.uint8), np.full((9, 9), 255, np.uint8), None, 7,
    ]  # fmt: skip
    answers = open_reader().read([*wrong, images[0]])
    assert answers[-1].word == texts[0]
    assert all(answer.word == "" and answer.confidence == 0 and answer.reason for answer in answers[:-1])
    assert open_reader().read([]) == []


def test_a_dictionary_and_the_next_answers(drawn):
    images, texts = drawn
    answers = open_reader(dictionary="web2", length=(4, 4)).read(images)
    assert [answer.word for answer in answers] == texts
    assert all(
        len(answer.others) <= 2 and answer.confidence >= max([0, *(s for _, s in answer.others)]) for answer in answers
    )


def test_no_answer_has_another_length(drawn):
    images, _ = drawn
    answers = open_reader(length=(31, 32)).read(images[:, 12:24, 20:30])  # a piece of a letter
    assert {answer.word for answer in answers} == {""}
    assert {answer.reason for answer in answers} - {"no letter found"} == {"cannot be read as 31 to 32 letters"}


def test_what_the_model_cannot_do_is_refused(tmp_path):
    with pytest.raises(BadInput, match="letters that the model knows"):
        open_reader(alphabet="äß")
    with pytest.raises(NotThere, match="no such file"):
        open_reader(tmp_path / "none.skops")


def test_it_needs_neither_prefect_nor_dask_nor_scikit_learn():
    code = (
        "import sys; from tasks.solving.picture_reader import open_reader; open_reader().read([b'']); "
        "libraries = {'prefect', 'dask', 'distributed', 'sklearn', 'skops', 'matplotlib', 'sqlite3'}; "
        "print(sorted(libraries & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
