"""Names that spell their labels in an odd way: with rare marks, letter by letter, with marked capitals, in codes."""

import hashlib
import random

import pytest

from storage.errors import BadInput
from tasks.exchange.label_sources.label_in_name import infer_pattern
from tasks.exchange.label_sources.spelling.spelt import hex_texts
from tasks.exchange.labelling import Labelling

CHANCE = random.Random(30)
N = 24
WORDS = ["".join(CHANCE.choice("abcdefghijkmnprstuvwxyz") for _ in range(5)) for _ in range(N)]
CODES = ["".join(CHANCE.choice("ABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(4)) for _ in range(N)]
MIXED = ["".join(CHANCE.choice("abcdefghkmnABCDEFGHKMN2345") for _ in range(5)) for _ in range(N)]
DIGITS = [f"{CHANCE.randrange(10_000):04d}" for _ in range(N)]
HASHES = [hashlib.md5(str(k).encode()).hexdigest() for k in range(N)]


def read(want: dict[str, str]) -> dict[str, str]:
    labelling = Labelling(infer_pattern(list(want), "whole"))
    return {path: labelling.label(path) for path in want}


@pytest.mark.parametrize("mark", "=+&%'`|·—–$")
@pytest.mark.parametrize("labels", [WORDS, CODES])
def test_a_mark_that_all_names_have_once_divides_them(mark, labels):
    for behind in (lambda k: str(k), lambda k: HASHES[k][:8]):
        want = {f"{label}{mark}{behind(k)}.png": label for k, label in enumerate(labels)}
        assert read(want) == want
    want = {f"img_{k}{mark}{label}.png": label for k, label in enumerate(labels)}
    assert read(want) == want


@pytest.mark.parametrize(
    "name",
    [
        "{a}+{b}.png",
        "{a}+{b}=.png",
        "{a}+{b}=?.png",
        "{a}加{b}=.png",
        "{a}x{b}=.png",
        "{a}%2B{b}.png",
        "{a}%2B{b}=.png",
    ],
)
def test_a_sum_is_not_divided(name):
    names = [name.format(a=10 + k, b=k % 9) for k in range(N)]
    want = {path: path.removesuffix(".png").replace("%2B", "+") for path in names}
    assert read(want) == want


@pytest.mark.parametrize("pair", ["【】", "（）", "《》", "「」", "«»", "“”", "<>"])
def test_brackets_of_other_scripts_divide_names(pair):
    want = {f"{k}{pair[0]}{label}{pair[1]}.png": label for k, label in enumerate(WORDS)}
    assert read(want) == want


@pytest.mark.parametrize("mark", "_-. ")
@pytest.mark.parametrize("labels", [CODES, MIXED, DIGITS])
@pytest.mark.parametrize(
    "name", ["{}.png", "{}_{n:04d}.png", "{}{mark}{n:04d}.png", "{n:04d}_{}.png", "img_{}_{hash}.png"]
)
def test_letters_one_by_one_are_one_label(mark, labels, name):
    spelt = enumerate(labels)
    want = {name.format(mark.join(v), n=k, mark=mark, hash=HASHES[k]): v for k, v in spelt}
    assert read(want) == want


def test_letters_one_by_one_before_a_counter_of_one_digit():
    want = {f"{'-'.join(v)}-{k}.png": v for k, v in enumerate(CODES[:9])}
    assert read(want) == want


def test_labels_of_several_lengths_letter_by_letter():
    want = {f"{'-'.join(v)}.png": v for v in (v[: 3 + k % 3] for k, v in enumerate(WORDS))}
    assert read(want) == want


def test_a_letter_and_two_counters_are_no_label():
    with pytest.raises(BadInput):
        read({f"{'ABCDEFGH'[k % 8]}_{k // 8 % 3}_{k % 5}.png": "" for k in range(N)})


@pytest.mark.parametrize("mark", "-_.")
def test_counters_within_counters_are_no_label(mark):
    with pytest.raises(BadInput):
        read({f"{a}{mark}{b}{mark}{c}.png": "" for a in range(3) for b in range(3) for c in range(3)})


def test_three_digits_with_dashes_are_asked_about():
    """They may be a date or a version."""
    digits = [f"{CHANCE.randrange(1000):03d}" for _ in range(N)]
    with pytest.raises(BadInput, match="several parts of the pictures' names may be the label"):
        read({f"{'-'.join(label)}.png": label for label in digits})


def test_differences_of_two_digits_stay_as_they_are():
    want = {f"{k:03d}_{k % 9 + 1}-{k % 7 + 1}=.png": f"{k % 9 + 1}-{k % 7 + 1}=" for k in range(N)}
    assert read(want) == want


@pytest.mark.parametrize("mark", "_^!")
@pytest.mark.parametrize("name", ["{}.png", "{n:03d}{gap}{}.png"])
def test_marked_capitals_are_told(mark, name):
    spelt = ["".join(mark + letter.lower() if letter.isupper() else letter for letter in v) for v in MIXED]
    paths = [name.format(text, n=k, gap="_" if mark == "_" else "-") for k, text in enumerate(spelt)]
    with pytest.raises(BadInput, match=r"before each capital of the label, as in .*; write path and label"):
        infer_pattern(paths, "whole")


@pytest.mark.parametrize("labels", [WORDS, CODES, DIGITS])
@pytest.mark.parametrize("name", ["{}.png", "{k}_{}.png"])
def test_codes_of_characters_are_told(labels, name):
    paths = [name.format(label.encode().hex(), k=k) for k, label in enumerate(labels)]
    with pytest.raises(BadInput) as error:
        infer_pattern(paths, "whole")
    assert f"{labels[0].encode().hex()!r} is {labels[0]!r}" in str(error.value)
    assert "write path and label of each into a labels.csv; --pattern '" in str(error.value)


def test_numbers_and_hashes_are_no_codes():
    assert hex_texts([f"{CHANCE.randrange(10**8):08d}" for _ in range(N)]) is None
    assert hex_texts(HASHES) is None
    assert hex_texts(DIGITS[:5]) is None


@pytest.mark.parametrize("length", [2, 4, 6])
def test_digits_from_3_to_7_are_no_codes(length):
    chance = random.Random(8)
    values = ["".join(chance.choices("34567", k=length)) for _ in range(60)]
    assert hex_texts(values) is None
    if length > 2:
        want = {f"{value}.png": value for value in values}
        assert read(want) == want


def test_the_length_of_the_label_beside_it_is_no_label():
    words = [word[: 2 + k % 4] for k, word in enumerate(WORDS)]
    want = {f"{k:04d}_{word}_{len(word)}.png": word for k, word in enumerate(words)}
    assert read(want) == want


def test_folders_of_first_letters_are_no_labels():
    want = {f"{word[0].upper()}/{word}.png": word for word in WORDS}
    assert read(want) == want
    letters = {f"{letter}/{letter}_{k:02d}.png": letter for letter in "ABCDEF" for k in range(6)}
    assert read(letters) == letters


BEHIND = {"a": "ab", "three letters": ("hsr", "kqm"), "three digits": ("398", "417")}


@pytest.mark.parametrize("labels", [CODES, DIGITS, WORDS])
@pytest.mark.parametrize("case", BEHIND)
def test_names_that_go_on_behind_their_folder_are_asked_about(labels, case):
    paths = [f"{label}/{label}{behind}.png" for label in labels for behind in BEHIND[case]]
    with pytest.raises(BadInput, match="several parts of the pictures' names may be the label"):
        infer_pattern(paths, "whole")


@pytest.mark.parametrize("behind", ["{:03d}", "abc", "k3f", "a", "X"])
def test_letters_and_what_stands_behind_them_are_asked_about(behind):
    chance = random.Random(5)
    kinds = {"{:03d}": "0123456789", "abc": "abcdefghijklm", "k3f": "abcdefgh2345", "a": "ab", "X": "XYZ"}[behind]
    length = 1 if len(behind) == 1 else 3
    paths = {f"{c}/{c}{''.join(chance.choices(kinds, k=length))}.png" for c in "ABCDEFGHKMNPQRST" for _ in range(4)}
    with pytest.raises(BadInput, match="several parts of the pictures' names may be the label"):
        infer_pattern(sorted(paths), "whole")


def test_folders_of_two_letters_are_no_labels():
    want = {f"{word[:2].upper()}/{word}.png": word for word in WORDS}
    assert read(want) == want


@pytest.mark.parametrize("odd", ["A_caps", "upper_A", "Acap", "AA"])
def test_a_folder_of_more_than_a_letter_among_letters_is_asked_about(odd):
    folders = ["a", "b", "c", "d", "e", "f", odd]
    with pytest.raises(BadInput, match=f"most folders are named for a letter, and '{odd}' is not; rename it"):
        infer_pattern([f"{folder}/{k}.png" for folder in folders for k in range(5)], "whole")


@pytest.mark.parametrize("labels", [WORDS, CODES, DIGITS])
def test_pictures_that_a_folder_counts_have_no_label_yet(labels):
    """Their numbers are as long as some labels of the other folder."""
    paths = [f"train/{word}.png" for word in {*labels}] + [f"test/{10000 + k}.png" for k in range(N)]
    with pytest.raises(BadInput, match=r"24 of \d\d seem to have no label yet, such as test/10000\.png; move"):
        infer_pattern(paths, "whole")


@pytest.mark.parametrize("mark", "_^-")
def test_marks_before_capitals_are_taken_out(mark):
    want = {"".join(mark + letter if letter.isupper() else letter for letter in v) + ".png": v for v in MIXED}
    assert read(want) == want
    assert infer_pattern(list(want), "whole") == "capitals"


def test_the_pattern_that_is_offered_for_marks_gives_capitals():
    want = {"".join(f"_{x.lower()}" if x.isupper() else x for x in v) + ".png": v for v in [*MIXED, "ABCDE", "abcde"]}
    with pytest.raises(BadInput, match=r"take '\w+' from \w+\.png with --pattern capitals, or take them as they are"):
        infer_pattern(list(want), "whole")
    assert {path: Labelling("capitals").label(path) for path in want} == want


def test_words_with_a_capital_each_are_no_marks_of_capitals():
    paths = [f"{one.capitalize()}_{other.capitalize()}.png" for one, other in zip(WORDS, WORDS[::-1], strict=True)]
    with pytest.raises(BadInput, match="several parts of the pictures' names may be the label"):
        infer_pattern(paths, "whole")


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("labels", [CODES, WORDS])
def test_names_that_go_on_behind_one_of_few_folders_are_asked_about(count, labels):
    paths = [f"{label}/{label}{behind}.png" for label in labels[:count] for behind in "abcdef"]
    with pytest.raises(BadInput, match=r"--pattern 'folder' reads .*--pattern 'whole' reads"):
        infer_pattern(paths, "whole")
    assert Labelling("folder").label(paths[0]) == labels[0]


@pytest.mark.parametrize("name", ["{}-{n}.png", "{n}-{}.png"])
def test_letters_beside_a_digit_are_offered_joined(name):
    labels = ["".join(CHANCE.choice("ABCDEFGHKM") for _ in range(4)) for _ in range(N)]
    paths = {name.format("-".join(label), n=k % 7): label for k, label in enumerate(labels)}
    with pytest.raises(BadInput) as error:
        infer_pattern(list(paths), "whole")
    pattern = str(error.value).partition("--pattern '")[2].partition("' reads")[0]
    assert {path: Labelling(pattern).label(path) for path in paths} == paths
