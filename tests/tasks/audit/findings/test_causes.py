"""Causes of success: planted causes come first, failures are split, saliency shows what the answer rests on."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from storage.dataset import Dataset
from tasks.audit.findings import causes
from tasks.audit.findings.causes import find_causes
from tasks.audit.findings.measuring.properties import measured_properties
from tasks.audit.findings.saliency import saliency_of, show_saliency
from tasks.datasets.samples import first_pictures
from tasks.profiles.built_in import find_profile
from tasks.profiles.ranges import Grid

COUNT = 300


class Drawn:
    """What `find_causes` asks of a dataset, drawn in memory."""

    def __init__(self, profile, count: int = COUNT):
        self.block = first_pictures(profile, 3, count)
        names = [name.rpartition(" ")[::2] for name in profile.fonts]
        fonts = [{"family": family or name, "style": name} for family, name in names]
        self.manifest = SimpleNamespace(fonts=fonts, source=None)

    def __getitem__(self, chosen):
        return self.block.rows(chosen)


def why(dataset, reads, read=None):
    truths = dataset.block.texts()
    return find_causes(dataset, None, np.arange(COUNT), truths, reads, np.linspace(0, 1, COUNT), read)


@pytest.fixture(scope="module")
def random() -> Drawn:
    return Drawn(replace(find_profile("random"), lines=Grid(0, 3), fonts=("Inter Black", "Tuffy Bold")))


def test_a_planted_cause_comes_first_and_is_told_apart(random):
    """The attacker fails where there are two lines or more."""
    lines = random.block.parameters["lines"]
    reads = [text if n < 2 else text[::-1] + "X" for text, n in zip(random.block.texts(), lines, strict=True)]
    found = why(random, reads)
    first = found["causes"][0]
    assert (first["name"], first["stored"], first["told_apart"]) == ("lines", True, True)
    assert first["difference"] == 1
    assert [row["label"] for row in first["bins"]] == ["0", "1", "2", "3"]
    assert sum(row["n"] for row in first["bins"]) == COUNT == found["n"]
    assert all(row["low"] <= row["rate"] <= row["high"] for row in first["bins"])
    differences = [cause["difference"] for cause in found["causes"]]
    assert differences == sorted(differences, reverse=True)
    assert {"typeface", "shear"} <= {cause["title"] for cause in found["causes"]}
    assert not {"noise", "height", "width"} & {cause["name"] for cause in found["causes"] if cause["stored"]}


def test_success_by_chance_has_no_cause(random):
    """Of thirty attackers who fail at random, at most a few are told a cause: the level is 1 in 100 for all causes."""
    right = np.random.Generator(np.random.Philox(key=[1, 1])).random((30, COUNT)) < 0.5
    block = random.block
    sizes = zip(block.images, block.parameters["height"], block.parameters["width"], strict=True)
    pictures = [image[:h, :w] for image, h, w in sizes]
    properties = causes.stored_properties(random, block.parameters)
    properties += measured_properties(pictures, pictures, block.texts())
    told = [any(cause["told_apart"] for cause in causes._causes(properties, row)) for row in right]
    assert sum(told) <= 2


def test_letters_pairs_and_kinds_of_failure_are_counted(random):
    truths = ["ABCD", "ABCD", "ABCD", "abcd", "ABCD", "ABCD", "ABCD", "ABCD"]
    reads = ["ABCD", "ABXD", "ABD", "ABCD", "ABCDE", "BACD", "", "XYCD"]
    few = Drawn(find_profile("random"), 8)
    found = find_causes(few, None, np.arange(8), truths, reads, np.zeros(8), None)
    assert {row["what"]: row["count"] for row in found["failures"]} == {
        "one letter wrong": 1, "too few letters": 1, "case only": 1, "too many letters": 1, "order": 1,
        "nothing read": 1, "several letters wrong": 1,
    }  # fmt: skip
    assert all(row["plain"] for row in found["failures"])
    assert {"true": "C", "read": "X", "count": 1} in found["pairs"]
    rows = {row["letter"]: row for row in found["letters"]}
    assert (rows["D"]["right"], rows["D"]["n"]) == (6, 7)
    assert rows["C"]["mistaken_for"] == ["nothing", "X"]
    assert found["saliency"] == []


def test_what_is_measured_tells_pictures_apart():
    plain = np.zeros((30, 80), np.uint8)
    plain[8:22, 10:14] = plain[8:22, 30:34] = plain[8:22, 50:54] = 255
    faint, leaning, specked = plain // 2 + plain // 8, np.zeros_like(plain), plain.copy()
    for row in range(14):
        for left in (10, 30, 50):
            leaning[8 + row, left + row // 2 : left + row // 2 + 4] = 255
    specked[2::6, 2::8] = 255
    joined = plain.copy()
    joined[14, 10:54] = 255
    pictures = [plain, faint, leaning, specked, joined]
    found = {one.name: one.values for one in measured_properties(pictures, pictures, ["III"] * 5)}
    assert found["contrast_measured"][1] < found["contrast_measured"][0]
    assert found["tilt"][2] == pytest.approx(np.degrees(np.arctan(0.5)), abs=4)
    assert found["tilt"][0] < 1
    assert found["specks"][3] > 10 > found["specks"][0]
    assert found["columns"][4] == 1 > found["columns"][0]
    assert "colours" not in found
    assert "length" not in found  # which is the same everywhere


def test_saliency_shows_the_part_that_the_answer_rests_on():
    """A reader that looks at the ink of the left half alone."""
    picture = np.zeros((20, 60), np.uint8)
    picture[5:15, 8:16] = picture[5:15, 40:48] = 255

    def read(images):
        return ["L" if image[:, :30].sum() > 18_000 else "-" for image in images]

    answer, heat, side = saliency_of(picture, read)
    assert answer == "L"
    assert heat[:, 8:16].max() > 0.5
    assert heat[:, 30 + side :].max() == 0
    (figure,) = show_saliency([(picture, "L")], read)
    assert "left third" in figure["text"]
    colour = np.repeat((255 - picture)[..., None], 3, axis=2)
    assert "changes nothing" in show_saliency([(colour, "A")], lambda images: ["B"] * len(images))[0]["text"]


def test_a_dataset_on_disk_is_read(random):
    data = Dataset("tests/golden/v1/book")
    truths = data[:].texts()
    found = find_causes(
        data, None, np.arange(len(data)), truths, truths, np.ones(len(data)), lambda images: ["A"] * len(images)
    )
    assert found["failures"] == []
    assert len(found["saliency"]) == 3
    none = find_causes(data, None, np.zeros(0, np.int64), [], [], np.zeros(0), None)
    assert (none["n"], none["causes"]) == (0, [])
