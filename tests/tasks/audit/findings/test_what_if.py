"""What a change buys: paired on the same texts, and told only where the pairs tell."""

import time
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

from storage.errors import BadInput
from tasks.audit.findings import what_if
from tasks.audit.findings.changes import cost
from tasks.audit.findings.changes.steps import STEPS, changes_of, said, stronger
from tasks.audit.findings.measuring.evidence import holm, paired_difference
from tasks.audit.findings.what_if import Drawing, find_what_ifs
from tasks.profiles.built_in import NAMED, find_profile
from tasks.profiles.colours import Colours
from tasks.profiles.profile import Ink, Profile
from tasks.profiles.ranges import OFF, Grid

SMALL = Profile(
    "small", fonts=("Inter Bold",), alphabet="ABEHKMOX", length=(3, 3), height=40, width=120, font_size=26, left=10,
    top=4, shear=OFF, scale=Grid(100, 100), ink=Ink.GREY, lines=Grid(1, 2), rotation=Grid(-10, 10),
)  # fmt: skip
COUNT = 24


def by_pixels(images: np.ndarray) -> list[str]:
    """Read texts that `texts_of` has set, by the pictures' bytes."""
    return [KNOWN.get(image.tobytes(), "?") for image in images]


KNOWN: dict[bytes, str] = {}


def learn(drawing: Drawing, rows: list[tuple[int, np.ndarray]], profile: Profile) -> None:
    """Let the reader know pictures of a profile by heart."""
    drawn = drawing.draw(drawing.renderer(profile), rows)
    KNOWN.update((picture.tobytes(), text) for picture, text in zip(drawn.pictures, drawn.texts, strict=True))


@pytest.mark.slow
def test_what_an_attacker_loses_and_keeps_is_told():
    """An attacker who knows the profile by heart, with and without lines, and nothing else."""
    KNOWN.clear()
    drawing = Drawing(SMALL, 5)
    rows = drawing.rows(drawing.renderer(SMALL), "test", COUNT)
    learn(drawing, rows, SMALL)
    learn(drawing, rows, replace(SMALL, lines=OFF))
    found = find_what_ifs(SMALL, by_pixels, count=COUNT, seed=5, until=time.monotonic() + 60)
    named = {(one["name"], one["direction"]): one for one in found}
    kept, lost = named["lines", "removed"], named["lines", "stronger"]
    assert (kept["difference"][0], kept["stronger"], kept["p"]) == (0, None, 1)
    assert (lost["difference"][0], lost["stronger"]) == (-1, True)
    assert lost["words"]["n"] == COUNT
    assert lost["difference"][1] <= -0.8
    assert [one["worth"] for one in found] == sorted((one["worth"] for one in found), reverse=True)
    assert named["blur", "stronger"]["contrast"] < 0.95 < named["lines", "removed"]["contrast"]
    assert named["overlap", "stronger"]["overlap"] > lost["overlap"]
    assert 0 < lost["legible"] <= 1.1
    for one in found:
        assert one["picture"]["text"]
        assert one["change"]


def test_case_is_folded_where_it_does_not_count():
    small = replace(SMALL, alphabet="aBcD", lines=OFF, rotation=OFF)

    def upper(images: np.ndarray) -> list[str]:
        return [said.upper() for said in by_pixels(images)]

    KNOWN.clear()
    drawing = Drawing(small, 5)
    learn(drawing, drawing.rows(drawing.renderer(small), "test", 8), small)
    for fold in (True, False):
        found = find_what_ifs(small, upper, count=8, seed=5, until=time.monotonic() + 60, fold_case=fold)
        lost = next(one for one in found if one["name"] == "lines")
        assert (lost["difference"][0] == -1) == fold  # else nothing was right before


def test_as_many_pictures_are_drawn_as_the_time_allows():
    drawing = Drawing(SMALL, 5)
    renderer, plain = drawing.renderer(SMALL), drawing.renderer(cost.bare(SMALL))
    few, more = (drawing.rows(renderer, split, 130) for split in ("train", "test"))
    asked = what_if._Asked(drawing, more, few, by_pixels, False)
    now = time.monotonic()
    assert what_if._affordable(asked, renderer, plain, now, 10) == what_if.LEAST
    assert what_if._affordable(asked, renderer, plain, now + 10_000, 10) > 1000


def test_a_budget_that_is_used_leaves_changes_out():
    assert find_what_ifs(SMALL, by_pixels, count=2, seed=5, until=time.monotonic()) == []


@pytest.mark.parametrize("name", ["hard", "wild", "like-captcha", "like-multicolorcaptcha", "random"])
def test_every_change_draws_the_same_texts(name):
    """Texts come from columns of their own, so that no distortion moves them: each pair shows one text."""
    profile = replace(find_profile(name), fonts=find_profile(name).fonts[:1], words="")
    changes = changes_of(profile)
    assert len(changes) > 10
    assert len({(change.told, change.direction) for change in changes}) == len(changes)
    drawing = Drawing(profile, 3)
    base = drawing.fitted(profile)[1]
    texts = [base.parameters(3, 0).letters]
    for change in changes[:: max(1, len(changes) // 3)]:
        with suppress(BadInput):  # a change that cannot be drawn is left out
            texts.append(drawing.fitted(replace(change.profile, fonts=profile.fonts))[1].parameters(3, 0).letters)
    assert len(texts) > 3
    assert all(np.array_equal(texts[0], other) for other in texts)


def test_every_distortion_that_a_profile_has_is_removed():
    for profile in NAMED.values():
        removed = {change.name for change in changes_of(profile) if change.direction == "removed"}
        for step in STEPS:
            grid = getattr(profile, step.field)
            if step.off is not None and grid != step.off and step.field not in ("line_width", "ground_ink"):
                assert step.field in removed, (profile.name, step.field)
        assert ("typefaces" in removed) == (len(profile.fonts) > 1)
        assert ("colour of lines" in removed) == (profile.line_colour is not None or profile.own_line_colours)


def test_a_step_is_stronger_and_within_limits():
    steps = {step.field: step for step in STEPS}
    assert stronger(steps["rotation"], Grid(-15, 15)) == Grid(-23, 23)
    assert stronger(steps["rotation"], Grid(-180, 180)) == Grid(-180, 180)
    assert stronger(steps["lines"], Grid(0, 2)) == Grid(1, 3)
    assert stronger(steps["letter_ink"], Grid(65, 100, 5)) == Grid(45, 80, 5)
    assert stronger(steps["wave_y"], Grid(10, 30, 5)) == Grid(25, 45, 5)
    assert stronger(steps["hatching"], Grid(0, 24, 12)) is None
    assert said("wave_y", Grid(10, 25, 5)) == "1 to 2.5 px"
    assert said("lines", Grid(1, 1)) == "1"
    assert said("shear", Grid(0, 450)) == "0 to 25.8 degrees"


def test_letters_alone_stand_where_the_picture_has_them():
    """The letters of the bare profile cover the ink of the painted picture, so contrast is measured where they are."""
    for profile in (SMALL, replace(SMALL, letter_colour=Colours(("#000000",)), ground_colour=Colours(("#ffffff",)))):
        drawing = Drawing(profile, 2)
        renderer, bare = drawing.renderer(profile), drawing.renderer(cost.bare(profile))
        rows = drawing.rows(renderer, "test", 6)
        pictures, letters = drawing.draw(renderer, rows), drawing.draw(bare, rows)
        assert pictures.texts == letters.texts
        alone = cost.Letters(letters.pictures, letters.boxes, letters.texts)
        assert cost.told_apart(alone, alone) > 0.9
        assert 0.5 < cost.contrast_of(pictures.pictures, alone) <= 1
        for picture, ink in zip(pictures.pictures, letters.pictures, strict=True):
            seen = picture if picture.ndim == 2 else 255 - picture[..., 0]
            assert (seen[ink >= 250] >= 200).mean() > 0.95
        for ink, boxes in zip(letters.pictures, letters.boxes, strict=True):
            for top, left, bottom, right in boxes.tolist():
                ink[top:bottom, left:right] = 0
            assert not ink.any()  # no line is left


def test_differences_of_pairs_are_newcombes():
    """Examples of method 10 in table II of Newcombe (1998)."""

    def pairs(both: int, first: int, second: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
        before = np.repeat([True, True, False, False], [both, first, second, neither])
        after = np.repeat([True, False, True, False], [both, first, second, neither])
        return after, before

    assert paired_difference(*pairs(36, 12, 2, 0)) == pytest.approx((0.2, 0.0569, 0.3404), abs=0.0005)
    assert paired_difference(*pairs(0, 54, 0, 0)) == pytest.approx((1.0, 0.9065, 1.0), abs=0.0005)
    assert paired_difference(*pairs(0, 0, 0, 54)) == pytest.approx((0.0, -0.0664, 0.0664), abs=0.0005)
    assert np.isnan(paired_difference(np.zeros(0, bool), np.zeros(0, bool))[0])


def test_chances_are_corrected_for_their_number():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
