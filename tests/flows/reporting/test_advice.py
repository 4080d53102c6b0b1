"""After a folder was solved, people are told which options would tell the reader what most answers have in common."""

import string

import pytest

from flows.reporting.answers import FEW, advice

CODES = string.ascii_uppercase + string.digits


@pytest.mark.parametrize(
    ("words", "options"),
    [
        (["1234"] * 90 + ["12"] * 5 + ["I234"] * 5, "--length 4 --alphabet 0123456789"),
        (["BONE"] * 80 + ["BONES"] * 20, f"--length 4 --alphabet {string.ascii_uppercase}"),
        (["bone1"] * 50 + ["house7"] * 50, f"--alphabet {string.ascii_lowercase}{string.digits}"),
        (["A1B2"] * 50 + ["C3D"] * 50, f"--alphabet {CODES}"),
        (["aB3d"] * 100, "--length 4"),
        (["aB3d"] * 79 + ["aB3"] * 21, ""),
        (["1234"] * (FEW - 1) + [""] * 100, ""),
        ([], ""),
    ],
)
def test_what_most_answers_have_in_common_is_told_with_its_options(words, options):
    said = advice(words, length_told=False, letters_told=False)
    assert said.partition("if all texts have, ")[2] == (f"{options} reads the others better" if options else "")


def test_what_was_told_is_not_told_again():
    words = ["1234"] * 100
    assert advice(words, length_told=True, letters_told=True) == ""
    assert "--length" not in advice(words, length_told=True, letters_told=False)
    assert "--alphabet" not in advice(words, length_told=False, letters_told=True)


def test_shares_are_told():
    said = advice(["1234"] * 90 + ["123"] * 10, length_told=False, letters_told=False)
    assert said.startswith("most answers have 4 letters (90.0 %) and digits alone (over 99.9 %)")
