from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from storage.errors import BadInput
from tasks.profiles.built_in import BUILT_IN, UNSEEN
from tasks.profiles.fonts import bundled
from tasks.training import settings
from tasks.training.settings import LADDER_SETTINGS, LEARNT, RUNGS, Settings


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"pictures": ()}, r"^pictures: must be 1 or more for each dataset; it is \(\)"),
        ({"pictures": (5, 0)}, r"^pictures: must be 1 or more for each dataset; it is \(5, 0\)"),
        ({"shows": 0}, "^shows: must be 1 or more; it is 0"),
        ({"hidden": ()}, "^hidden: must be one to four layers"),
        ({"hidden": (4, 4, 4, 4, 4)}, "^hidden: must be one to four layers"),
        ({"hidden": (4097,)}, "^hidden: must be one to four layers"),
        ({"seed": -1}, "^seed: must be from 0"),
        ({"seed": 2**32}, "^seed: must be from 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(change, said):
    with pytest.raises(BadInput, match=said):
        replace(Settings(), **change)


def test_every_dataset_has_its_share():
    assert settings.shares_of(Settings(pictures=(7,)), 3) == (7, 7, 7)
    assert settings.shares_of(Settings(pictures=(7, 8)), 2) == (7, 8)
    with pytest.raises(BadInput, match=r"^pictures: must be one number, or one for each of 3 datasets; it is \(7, 8\)"):
        settings.shares_of(Settings(pictures=(7, 8)), 3)


def test_the_ladder_learns_from_rungs_that_there_are_and_not_from_unseen_faces():
    assert set(LEARNT) == set(RUNGS) - {"unseen"}
    assert set(RUNGS) <= set(BUILT_IN)
    assert settings.shares_of(LADDER_SETTINGS, len(LEARNT)) == tuple(LEARNT.values())
    assert LADDER_SETTINGS.leave_out == UNSEEN
    for name in LEARNT:
        assert name in ("fonts", "codes", "lower", "strings") or not set(BUILT_IN[name].fonts) & set(UNSEEN)


def test_classes_are_those_of_all_datasets_in_their_order(draw_dataset, small, tmp_path):
    other = replace(small, name="other", alphabet="CDA")
    one, two = draw_dataset(small, 20, tmp_path / "one"), draw_dataset(other, 20, tmp_path / "two")
    assert settings.classes_of([one, two]) == "ABCD"
    assert settings.classes_of([two, one]) == "CDAB"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "MOST_CLASSES", 3)
        assert settings.classes_of([one]) == "ABC"
        with pytest.raises(BadInput, match="at most 3 different letters; the datasets have 4"):
            settings.classes_of([one, two])


def drawn_in(*names):
    """As much of a dataset in these bundled faces as `check_faces` looks at."""
    return SimpleNamespace(manifest=SimpleNamespace(fonts=[bundled()[name].as_dict() for name in names]))


def test_every_bundled_face_is_left_out_by_its_printed_name():
    names = tuple(bundled())
    assert "Prociono" in names
    settings.check_faces([drawn_in(*names)], names)
    settings.check_faces([drawn_in(name) for name in names], names)
    settings.check_faces([SimpleNamespace(manifest=SimpleNamespace(fonts=None))], ())  # imported pictures


def test_another_name_of_a_face_is_refused_with_the_nearest():
    dataset = drawn_in("Inter Black", "Prociono")
    for wrong in ("Prociono Regular", "prociono", "Prociono-Regular"):
        message = rf"^leave-out: must be a font face of the datasets; it is '{wrong}'; did you mean 'Prociono'\?$"
        with pytest.raises(BadInput, match=message):
            settings.check_faces([dataset], ("Inter Black", wrong))
    with pytest.raises(
        BadInput,
        match=r"^leave-out: must be a font face of the datasets; it is 'Play Bold'; they have Inter Black, Prociono$",
    ):
        settings.check_faces([dataset], ("Play Bold",))


def test_pictures_in_faces_that_are_left_out_are_found(two_faces):
    block = two_faces.head(1024)
    assert settings.left_out(two_faces, block, ("Prociono",)).tolist() == (block.parameters["font"] == 1).tolist()
    assert settings.left_out(two_faces, block, ("Inter Black", "Prociono")).all()
    assert not settings.left_out(two_faces, block, ("Nobody Bold",)).any()
    imported = SimpleNamespace(manifest=SimpleNamespace(fonts=None))
    bare = block._replace(parameters=np.zeros(1024, [("height", "u2"), ("width", "u2")]))
    assert settings.left_out(imported, bare, ("Prociono",)).tolist() == [False] * 1024
