"""The scores of a report, of readings that are made up."""

import csv
import io
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from flows.reporting.artifacts import evaluation_for_people
from tasks.datasets.recipe import make_recipe, renderer_of
from tasks.profiles.built_in import find_profile
from tasks.scoring.columns import columns_of
from tasks.scoring.evaluate import ReadPictures
from tasks.scoring.metrics import has_both_cases
from tasks.scoring.report import _rates_csv, _scores


def scored(alphabet, truth, answers):
    """The scores of a model that reads nothing right but some words."""
    truth, answers = np.array(truth), np.array(answers)
    n = len(truth)
    read = ReadPictures(
        truth, answers, {"none": answers}, {"none": np.full(n, 0.5)}, np.full(n, 4), np.ones(n, bool),
        np.zeros(n, [("height", "u2")]), np.array([alphabet[:1] * 2]).view("U1").reshape(1, 2),
    )  # fmt: skip
    manifest = SimpleNamespace(profile={"alphabet": alphabet}, fonts=[])
    return _scores(read, SimpleNamespace(manifest=manifest), "none")


def test_a_model_of_both_cases_has_its_rate_with_case_folded():
    scores = scored("ABCDabcd", ["abcd", "ABCD", "AbCd", "aaaa"], ["abcd", "abcd", "aBcD", "bbbb"])
    assert scores["words"]["none"]["right"] == 1
    folded = scores["words_case_folded"]["none"]
    assert (folded["right"], folded["n"]) == (3, 4)
    report = {**scores, "n": 4, "warning": None, "model": "m", "dataset": "d", "split": "test", "dictionary_words": 0,
              "words_per_second_a_worker": None}  # fmt: skip
    rows = list(csv.reader(io.StringIO(_rates_csv(report).decode())))
    assert [row[3:5] for row in rows if row[:2] == ["words, case folded", "none"]] == [["4", "0.75"]]
    (shown,) = evaluation_for_people(report, False, Path())["words_case_folded"]
    assert shown["words_right"].startswith("75.0")


@pytest.mark.parametrize(
    ("alphabet", "both"), [("ABC", False), ("abc1", False), ("ABCd", False), ("ABCa", True), ("äÄ", True), ("", False)]
)
def test_which_alphabets_have_both_cases(alphabet, both):
    assert has_both_cases(alphabet) is both
    assert ("words_case_folded" in scored(alphabet or "x", ["A"], ["A"])) is both


def test_keys_of_randomness_are_no_parameters():
    """Their 64 bits are of no meaning, and the width of their groups overflowed."""
    recipe = make_recipe(find_profile("wild"), 1)
    block = renderer_of(recipe).block(recipe.seed, 0, 64)
    names = block.parameters.dtype.names
    columns = columns_of(block.parameters[[name for name in names if name != "font"]], [])
    assert {"noise", "paint"} <= set(names)
    assert not {"noise", "paint"} & set(columns)


def test_colours_and_grounds_are_broken_down_by_what_they_look_like():
    """Packed channels and numbers of faces and grounds are of no meaning to a reader of the report."""
    parameters = np.array(
        [(3, 0xFF0000, [0xFFFFFF, 0]), (0, 0x000000, [0x808080, 0])],
        [("ground", "<u2"), ("ground_colour", "<u4"), ("letter_colour", "<u4", (2,))],
    )
    columns = columns_of(parameters, [])
    assert {title: values.tolist() for title, values in columns.items()} == {
        "ground": ["stripes", "flat"],
        "ground_colour (lightness, %, of the first)": [50, 0],
        "letter_colour (lightness, %, of the first)": [100, 50],
    }
