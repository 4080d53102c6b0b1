"""After a folder was solved, people are told which options would tell the reader what most answers have in common."""

import string

import pytest

from flows.reporting.answers import FEW, advice

CODES = string.ascii_uppercase + string.digits
ALL = CODES + string.ascii_lowercase


@pytest.mark.parametrize(
    ("words", "options"),
    [
        (["1234"] * 90 + ["12"] * 5 + ["I234"] * 5, "--length 4 --alphabet 0123456789"),
        (["BONE"] * 80 + ["BONES"] * 10 + ["B0NE5"] * 10, f"--length 4 --alphabet {string.ascii_uppercase}"),
        (["bone1"] * 50 + ["house7"] * 49 + ["Bone1"], f"--alphabet {string.ascii_lowercase}{string.digits}"),
        (["A1B2"] * 50 + ["C3D"] * 49 + ["c3D"], f"--alphabet {CODES}"),
        (["aB3d"] * 99 + ["aB3"], "--length 4"),
        (["aB3d"] * 79 + ["aB3"] * 21, ""),
        (["1234"] * 100, ""),  # there is nothing to mend
        (["1234"] * (FEW - 2) + ["I23"] + [""] * 100, ""),
        ([], ""),
    ],
)
def test_what_most_answers_have_in_common_is_told_with_its_options(words, options):
    said = advice(words, None, ALL)
    assert said.partition(", give ")[2] == (f"{options}: it may mend the others" if options else "")


def test_what_the_reader_expects_already_is_not_told():
    words = ["1234"] * 90 + ["I23"] * 10
    assert "--length 4 --alphabet 0123456789:" in advice(words, (4, 7), ALL)
    assert "--length" not in advice(words, (4, 4), ALL)
    assert "--alphabet" not in advice(words, (4, 7), string.digits)
    assert advice(words, (4, 4), string.digits) == ""


def test_letters_that_the_model_does_not_know_are_not_advised():
    known = "".join(letter for letter in ALL if letter not in "IO01")
    words = ["AB23"] * 90 + ["ab23"] * 10
    assert f"--alphabet {''.join(letter for letter in CODES if letter in known)}:" in advice(words, (4, 4), known)


def test_shares_are_told():
    said = advice(["1234"] * 90 + ["I23"] * 10, None, ALL)
    assert said.startswith("most answers have 4 letters (90.0 %) and digits alone (90.0 %). If all texts are like that")
