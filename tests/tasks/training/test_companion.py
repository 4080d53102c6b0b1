from types import SimpleNamespace

import numpy as np
import pytest

from storage.shards.shard import Block
from tasks import models
from tasks.profiles.fonts import bundled
from tasks.training import companion
from tasks.training.companion import DrawnJob, Look, cut, draw_face, drawn_jobs, drawn_samples, look_at
from tasks.training.fit import SAMPLE, TRAIN, VALIDATION
from tasks.training.settings import Settings

LETTERS = "il=?:%j8"


def imported(alphabet, length=(4, 5), height=22, source=True):
    """An imported dataset, of which only letters, lengths and pictures are looked at: bars as high as letters."""
    images = np.zeros((5, 40, 120), np.uint8)
    images[:, 8 : 8 + height, 10:100:12] = images[:, 8 : 8 + height, 11:100:12] = 255
    manifest = SimpleNamespace(
        profile={"alphabet": alphabet, "length": list(length)}, source={} if not source else {"a": 1}
    )
    parameters = np.zeros(len(images), [("height", "<u2"), ("width", "<u2")])
    parameters["height"], parameters["width"] = images.shape[1:]
    text, boxes = np.zeros(len(images), "S1"), np.zeros((len(images), 1, 4), np.int16)
    block = Block(images, text, boxes, parameters, np.zeros(len(images), np.uint8))
    return SimpleNamespace(manifest=manifest, head=lambda count: block.rows(slice(count)))


def job(folder, face="Inter Bold", seed=1, number=3, letters=LETTERS):
    return DrawnJob(Look(letters, (2, 3), 24), face, number, 40, seed, letters, str(folder), "run")


def test_it_takes_over_letters_lengths_and_the_height():
    look = look_at([imported("AB"), imported("BC", (3, 9))])
    assert look == Look("ABC", (3, companion.LONGEST), round(companion.EM * 22))
    assert look_at([imported("AB", height=6)]).font_size == companion.SMALLEST
    many = "".join(map(chr, range(0x4E00, 0x4E00 + 230)))
    assert look_at([imported(many[:120]), imported(many[120:])]).alphabet == many[: companion.MOST_LETTERS]


def test_there_is_a_job_for_each_face_that_has_some_of_the_letters(tmp_path):
    def jobs(*datasets, **settings):
        return drawn_jobs(list(datasets), Settings(**settings), "AB1", tmp_path, "run")

    made = jobs(imported("AB1"))
    assert [one.face for one in made] == list(bundled())
    assert [one.number for one in made] == list(range(len(made)))
    assert companion.PICTURES <= sum(one.pictures for one in made) < companion.PICTURES + len(made)
    assert "Inter Bold" not in [one.face for one in jobs(imported("AB1"), leave_out=("Inter Bold",))]
    assert jobs(imported("字")) == []  # no face has it
    assert jobs(imported("AB1", source=False)) == []  # drawn pictures need none
    assert jobs(imported("AB1", source=False), imported("9"))[0].look.alphabet == "9"


def test_equal_jobs_give_equal_files_and_the_seed_decides(tmp_path):
    files = []
    for name, seed in (("one", 1), ("same", 1), ("other", 2)):
        folder = tmp_path / name
        folder.mkdir()
        receipt = cut(job(folder, seed=seed))
        assert [path.name for path in folder.iterdir()] == ["drawn-003.npy"]
        files.append((folder / "drawn-003.npy").read_bytes())
        assert (receipt.pictures, receipt.marked) == (0, 0)  # they are no pictures of the user's
    assert files[0] == files[1] != files[2]


def test_letters_of_several_pieces_are_learnt_from_it(tmp_path):
    cut(job(tmp_path))
    (samples,) = drawn_samples(tmp_path, 0)
    assert samples.dtype == SAMPLE
    counts = np.bincount(samples["label"], minlength=len(LETTERS) + 1)
    assert (counts > 0).all()
    assert set(np.unique(samples["split"])) == {TRAIN, VALIDATION}


@pytest.mark.parametrize("face", sorted(bundled())[::6])
def test_every_face_is_drawn_in_every_style(face):
    blocks = list(draw_face(Look("AgjW1.", (1, 4), 20), face, 1, 30))
    assert [len(block.text) for block in blocks] in ([7, 7, 8, 8], [7, 8, 7, 8], [7, 7, 8, 8])
    assert all(block.images.any(axis=(1, 2)).all() for block in blocks)


def test_a_face_without_some_letters_draws_the_others():
    letters = {
        letter for block in draw_face(Look("A字", (1, 3), 20), "Inter Bold", 1, 12) for letter in "".join(block.texts())
    }
    assert letters == {"A"}


def test_few_pictures_get_all_of_it_and_many_a_share(tmp_path):
    np.save(tmp_path / "drawn-000.npy", np.zeros(1000, SAMPLE))
    assert [len(drawn_samples(tmp_path, pictures)[0]) for pictures in (0, 1000, 3500, 6000, 10**6)] == [
        1000, 750, 262, 450, 1000,
    ]  # fmt: skip
    assert drawn_samples(tmp_path / "none", 100) == []


def test_the_next_training_removes_what_a_killed_one_drew(tmp_path):
    """The spool lies beside the model, under the id of its run."""
    spool = tmp_path / ".mine.0123456789ab.spool"
    (spool / "round-0").mkdir(parents=True)
    (spool / "round-0" / "1-000-000000.npy").write_bytes(b"")
    cut(job(spool))
    models.remove_leftovers(tmp_path / "mine.skops")
    assert list(tmp_path.iterdir()) == []
