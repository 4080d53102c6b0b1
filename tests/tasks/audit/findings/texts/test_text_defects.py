"""Texts: planted defects are named, honest texts are not accused more often than the level says."""

import string
from itertools import pairwise

import numpy as np
import pytest

from tasks.audit.findings.measuring.evidence import LEVEL
from tasks.audit.findings.texts.lengths import find_length
from tasks.audit.findings.texts.repeated_texts import find_repeats, pool_of
from tasks.audit.findings.texts.text_defects import explained, find_entropy, find_frequencies
from tasks.profiles.word_lists import load_words

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def drawn(count: int, seed: int, alphabet: str = LETTERS, length: int = 4) -> list[str]:
    """Draw texts of letters that are all equally likely; a letter that `alphabet` has twice is twice as likely."""
    numbers = np.random.Generator(np.random.Philox(key=[seed, 5])).integers(0, len(alphabet), (count, length))
    return ["".join(alphabet[k] for k in row) for row in numbers.tolist()]


def repeats(texts: list[str], **changes):
    return find_repeats(texts, LETTERS, changes.get("pictures", (len(texts), len(texts))), changes.get("disagree", 0))


def test_a_letter_three_times_as_often_is_named():
    found = find_frequencies(drawn(400, 1, LETTERS + "QQ"), LETTERS, None)
    assert found["severity"] == "high"
    assert "Q 2." in found["plain"] or "Q 3." in found["plain"]
    assert max(found["figures"]["times_fair_share"], key=found["figures"]["times_fair_share"].get) == "Q"
    assert found["remedy"]


def test_a_letter_three_times_as_often_is_found_in_few_texts():
    """A test of single letters finds it where that of all letters together does not."""
    found = [find_frequencies(drawn(130, seed, LETTERS + "QQ"), LETTERS, None) for seed in range(10)]
    assert sum(one["severity"] == "high" for one in found) >= 8


def test_letters_half_as_often_as_others_are_a_defect_of_low_severity():
    """Rounding a random number to a place in the list does this to its first and last letter."""
    found = find_frequencies(drawn(4000, 1, LETTERS[1:-1] * 2 + LETTERS[0] + LETTERS[-1]), LETTERS, None)
    assert found["severity"] == "low"
    assert {"A", "9"} <= set(found["figures"]["times_fair_share"])


def test_a_first_letter_that_is_never_a_digit_is_found():
    texts = [LETTERS[k % 26] + text for k, text in enumerate(drawn(3000, 2, length=3))]
    tests = {row["what"]: row["p"] for row in find_frequencies(texts, LETTERS, None)["figures"]["tests"]}
    assert tests["the first letter"] < LEVEL < tests["letter 2"]


def test_pairs_that_depend_on_each_other_are_found():
    texts = [a + LETTERS[(LETTERS.index(a) + 1) % 8] for a in drawn(3000, 3, LETTERS[:8], 1)]
    tests = {row["what"]: row["p"] for row in find_frequencies(texts, LETTERS[:8], None)["figures"]["tests"]}
    assert tests["pairs of letters"] < LEVEL < tests["all letters"]


@pytest.mark.parametrize(
    ("count", "alphabet", "length"),
    [(200, LETTERS, 4), pytest.param(500, "0123456789", 4, marks=pytest.mark.slow), (150, LETTERS, 6)],
)
def test_even_letters_are_seldom_accused(count, alphabet, length):
    """Of 150 honest generators 0.15 are expected at the level; three or more have a chance of 1 in 2,000."""
    found = [find_frequencies(drawn(count, seed, alphabet, length), alphabet, None) for seed in range(150)]
    assert sum(one["severity"] in ("low", "high") for one in found) < 3
    again = [find_repeats(drawn(count, seed, alphabet, length), alphabet, (1, 1), 0) for seed in range(150)]
    assert sum(one["severity"] in ("low", "high") for one in again) < 3


@pytest.mark.parametrize("shuffled", [False, True])
def test_texts_that_are_dealt_in_turn_are_counted(shuffled):
    """Equal pairs alone would tell 799 texts of 400, since each comes twice and none three times."""
    few = drawn(400, 7, LETTERS[:26], 5)
    again = [few[k * 7 % 400] for k in range(400)] if shuffled else few
    found = repeats([*few, *again])
    assert found["figures"]["texts_there_are"] == 400
    assert "400 texts, and each comes once before any comes again" in found["plain"]
    assert ("in the same order" in found["plain"]) is not shuffled


def test_texts_that_are_seeded_by_the_time_come_in_a_row():
    """They have no order that tells the next; other texts that come again do not come in a row."""
    found = repeats([text for text in drawn(60, 7, LETTERS[:26], 5) for _ in range(9)])
    assert "seeded by the time" in found["plain"]
    assert "in the same order" not in found["plain"]
    few = drawn(400, 7, LETTERS[:26], 5)
    assert "seeded by the time" not in repeats([*few, *few])["plain"]


def days(count: int) -> list[str]:
    rows = np.random.Generator(np.random.Philox(key=[1, 8])).integers(1, (29, 13, 90), (count, 3))
    return ["".join(f"{number:02d}" for number in row) for row in rows.tolist()]


def times(count: int, parts: int) -> list[str]:
    numbers = np.random.Generator(np.random.Philox(key=[parts, 4])).random((count, 3)) * (24, 60, 60)
    return ["".join(f"{int(part):02d}" for part in row[:parts]) for row in numbers.tolist()]


@pytest.mark.parametrize(
    ("texts", "severity", "said"),
    [
        ([str(1000 + k) for k in range(60)], "high", "is 1 more than the text before"),
        ([f"{k * 7919 % 10**6:06d}" for k in range(200)], "high", "is 7,919 more than the text before"),
        ([np.base_repr(40_000 + k // 2 + k % 2 * 5000, 36) for k in range(60)], "high", "than the text 2 before"),
        (days(60), "low", "Texts are dates"),
        (times(90, 3), "low", "times of day: 86,400 to"),
        (times(90, 2), "low", "times of day: 1,440 to"),
    ],
)
def test_texts_that_are_counted_or_are_dates_are_named(texts, severity, said):
    found = repeats(texts)
    assert found["severity"] == severity
    assert said in found["plain"]
    assert found["remedy"]


def test_random_numbers_are_neither_counted_nor_dates():
    found = [repeats(drawn(200, seed, "0123456789", length)) for seed in range(4) for length in (4, 6)]
    pairs = ("01", "10", "11")  # of zeros and ones many are dates
    found.append(repeats([year + month + day for year in pairs for month in pairs for day in pairs] * 2))
    found.append(repeats([str(2000 + year * year % 60) for year in range(90)]))
    assert not any(word in one["plain"] for one in found[:-1] for word in ("counted", "dates", "times of day"))
    assert "times of day" not in found[-1]["plain"]  # years


def test_random_texts_of_a_few_are_not_dealt():
    few = drawn(400, 7, LETTERS[:26], 5)
    numbers = np.random.Generator(np.random.Philox(key=[9, 9])).integers(0, 400, (40, 800))
    found = [repeats([few[k] for k in row]) for row in numbers.tolist()]
    assert not any(one["figures"]["dealt_in_turn"] or "same order" in one["plain"] for one in found)


def of_length(text: str) -> str:
    """Cut a text to a length that its first letter tells."""
    return text[: 4 + (text[0] > "F") + (text[0] > "T")]


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ([of_length(text) for text in drawn(1500, 1, LETTERS[:26], 6)], "letters depend on the length"),
        ([text for text in drawn(1500, 2, length=5) if all(a != b for a, b in pairwise(text))], "follows itself less"),
        ([text for text in drawn(2500, 3, length=6) if len(set(text)) == 6], "has a letter twice less often"),
        ([text[:2] + text[0] + text[3:] for text in drawn(800, 4, length=5)], "has a letter twice more often"),
        ([a[:2] + b[2:] for a, b in pairwise(drawn(1500, 5, length=5)) for b in (a, b)], "with the text before more"),
    ],
)  # fmt: skip
def test_letters_that_depend_on_something_are_named(texts, said):
    found = find_frequencies(texts, "", None)
    assert found["severity"] == "low"
    assert said in found["plain"]


@pytest.mark.parametrize(
    ("alphabet", "lacks"),
    [
        (LETTERS[:25], "Z"), (LETTERS[1:26], None), (LETTERS[:12] + LETTERS[13:26], "M"), (LETTERS[:35], "9"),
        ("BCDFGHJKLMNPQRSTVWXZ", None), ("ABCDEFGHJKLMNPQRSTUVWXYZ23456789", None), (LETTERS.replace("O", ""), None),
        (LETTERS.replace("Z", ""), None), (LETTERS, None), (LETTERS[:14] + LETTERS[15:26], None),
    ],
)  # fmt: skip
def test_the_only_letter_of_its_kind_that_never_comes_is_named(alphabet, lacks):
    """A letter that looks like another is left out on purpose, and vowels so that no words come."""
    found = find_frequencies(drawn(400, 1, alphabet, 5), "", None)
    assert found["figures"]["letter_that_never_comes"] == lacks
    assert found["severity"] == ("low" if lacks else "none")


def test_too_few_texts_are_not_tested():
    found = find_frequencies(drawn(20, 1), LETTERS, None)
    assert found["severity"] == "unknown"
    assert "45 would do" in found["plain"]


def test_fixed_texts_of_as_many_lengths_are_named():
    texts = [("8KXP", "B2Q", "M7RTA", "ZH4C9W")[k % 4] for k in range(300)]
    found = repeats(texts)
    assert found["severity"] == "high"
    assert "only 4 texts" in found["plain"]


def test_four_fixed_texts_are_named():
    texts = [("8KXP", "B2QW", "M7RT", "ZH4C")[k % 4] for k in range(300)]
    found = repeats(texts)
    assert found["severity"] == "high"
    assert all(text in found["plain"] for text in ("8KXP", "B2QW", "M7RT", "ZH4C"))
    assert "only 4 texts" in found["plain"]
    few = find_entropy(texts, LETTERS, pool_of(found))
    assert few["severity"] == "high"
    assert few["figures"]["best_guess"] == pytest.approx(0.25, abs=0.01)
    assert find_frequencies(texts, LETTERS, explained(few, found))["severity"] == "low"


def test_the_size_of_a_pool_is_estimated():
    pool = drawn(3000, 1)
    chosen = np.random.Generator(np.random.Philox(key=[1, 1])).integers(0, 3000, 1500)
    low, high = repeats([pool[k] for k in chosen])["figures"]["texts_there_are_interval"]
    assert low < 3000 < high


def test_uneven_letters_are_not_taken_for_repeated_texts():
    """Three letters out of 39 are the same, so that half as many texts again are equal."""
    texts = drawn(12_000, 1, LETTERS + "QQQQ")
    found = repeats(texts)
    assert found["severity"] == "none"
    assert found["figures"]["equal_pairs"] > 55  # 43 of even letters


def test_words_are_told_from_random_letters():
    words = load_words("web2", LETTERS, (4, 4))
    chosen = np.random.Generator(np.random.Philox(key=[1, 2])).integers(0, len(words), 400)
    texts = [words[k] for k in chosen]
    found = find_entropy(texts, LETTERS, None)
    assert found["severity"] == "low"
    assert found["figures"]["english_words"] == 1
    assert found["figures"]["bits_a_text"] == pytest.approx(np.log2(len(words)), abs=0.01)
    why = explained(found, repeats(texts))
    assert "English" in why
    assert find_frequencies(texts, LETTERS[:26], why)["severity"] == "low"
    assert find_entropy(drawn(400, 1, LETTERS[:26]), LETTERS, None)["figures"]["words_of_the_dictionary"] is None


def test_bits_are_those_of_the_letters():
    found = find_entropy(drawn(4000, 1), LETTERS, None)
    assert found["severity"] == "none"
    assert found["figures"]["bits_a_text"] == pytest.approx(4 * np.log2(36), abs=0.02)
    assert find_entropy(drawn(400, 1, "01", 4), "01", None)["severity"] == "high"


@pytest.mark.parametrize("count", [30, 200])
def test_few_texts_are_not_taken_for_easy_guesses(count):
    """The commonest letter of thirty is common by chance."""
    for seed in range(6):
        assert find_entropy(drawn(count, seed), LETTERS, None)["severity"] == "none"


def test_a_fixed_length_and_repeated_pictures_are_told():
    assert find_length(drawn(100, 1))["severity"] == "low"
    assert find_length(drawn(50, 1) + drawn(50, 2, length=5))["severity"] == "none"
    assert find_length(["AB"] * 5)["severity"] == "unknown"
    texts = drawn(1000, 1)
    assert repeats(texts, pictures=(900, 1000))["severity"] == "high"
    assert repeats(texts, pictures=(995, 1000))["severity"] == "low"
    wrong = repeats(texts, disagree=3)
    assert "labels are wrong" in wrong["plain"] and "$TMPDIR" in wrong["remedy"]
    assert wrong["severity"] != "none"
    mixed_up = repeats(texts, pictures=(len(texts) // 2, len(texts)), disagree=len(texts) // 2)
    assert mixed_up["severity"] == "high" and "seen the answer" not in mixed_up["plain"]


def test_a_guess_that_is_seldom_right_is_told_as_one_of_many_tries():
    assert "is right in 1 of 1,600,000 tries." in find_entropy(drawn(4000, 1), LETTERS, None)["plain"]


def test_lengths_are_a_part_of_what_there_is_to_guess():
    """One text in four has three letters: the best guess is one of these, and the length itself has bits."""
    texts = drawn(1000, 1, length=3) + drawn(3000, 2, length=6)
    figures = find_entropy(texts, LETTERS, None)["figures"]
    assert figures["best_guess"] == pytest.approx(0.25 / 36**3, rel=0.5)
    bits = 0.25 * 3 * np.log2(36) + 0.75 * 6 * np.log2(36) + 0.811
    assert figures["bits_a_text"] == pytest.approx(bits, abs=0.05)


def test_case_that_counts_alike_leaves_fewer_texts():
    """Of 52 letters 26 are left, and texts that differ in case only come again."""
    mixed = drawn(4000, 1, string.ascii_letters)
    apart = find_entropy(mixed, string.ascii_letters, None)
    folded = [text.casefold() for text in mixed]
    alike = find_entropy(folded, string.ascii_lowercase, None, folded=True)
    assert apart["figures"]["bits_a_text"] - alike["figures"]["bits_a_text"] == pytest.approx(4, abs=0.05)
    assert (round(apart["figures"]["effective_alphabet"]), round(alike["figures"]["effective_alphabet"])) == (52, 26)
    assert "count alike" in alike["plain"] and "count alike" not in apart["plain"]


def sums(count: int = 260) -> list[str]:
    numbers = np.random.Generator(np.random.Philox(key=[5, 1])).integers(0, 10, (count, 2))
    return [str(first + second) for first, second in numbers.tolist()]


def test_the_best_guess_of_few_texts_is_a_text_that_comes():
    """The first letter of longer texts is 1, but 1 alone is a rare answer; there are 19 answers."""
    texts = sums()
    figures = find_entropy(texts, string.digits, None)["figures"]
    assert 0.05 < figures["best_guess"] <= max(map(texts.count, texts)) / len(texts)
    assert 3.5 < figures["bits_a_text"] < 4.2


def test_the_best_guess_of_a_length_has_the_letters_of_that_length():
    """Many different texts: half are A and three letters, half B to Z alone and one more."""
    rng = np.random.Generator(np.random.Philox(key=[6, 1]))
    letters = list(string.ascii_uppercase[1:])
    texts = ["A" + "".join(rng.choice(letters, 3)) for _ in range(300)]
    texts += ["".join(rng.choice(letters, 2)) for _ in range(300)]
    assert find_entropy(texts, string.ascii_uppercase, None)["figures"]["best_guess"] < 0.004


@pytest.mark.parametrize(("backwards", "said"), [(False, "in the order of"), (True, "in the reverse order of")])
def test_letters_in_the_order_of_the_alphabet_are_named(backwards, said):
    texts = ["".join(sorted(text, reverse=backwards)) for text in drawn(400, 1, string.ascii_uppercase, 5)]
    even, found = (
        find_entropy(drawn(400, 1, string.ascii_uppercase, 5), LETTERS, None),
        find_entropy(texts, LETTERS, None),
    )
    assert found["severity"] == "low"
    assert said in found["plain"]
    lost = even["figures"]["bits_a_text"] - found["figures"]["bits_a_text"]
    assert 6 < lost < 7  # of 120 orders, fewer where a letter comes twice
    assert even["figures"]["order"] is None


def test_a_few_texts_that_happen_to_be_in_order_are_none():
    assert find_entropy(["ABCD", "EFGH", "KLMN"] * 50, LETTERS, None)["figures"]["order"] is None


@pytest.mark.parametrize(
    ("narrowest", "a_letter", "spread", "severity"),
    [(20, 24, 8, "low"), (20, 24, 60, "none"), (160, 0, 1, "none"), (160, 0, 40, "none")],
)
def test_a_width_that_tells_the_length_is_named(narrowest, a_letter, spread, severity):
    """A margin of random width hides it, and so does one width for all."""
    rng = np.random.Generator(np.random.Philox(key=[spread, 8]))
    texts = [text[: 4 + int(rng.integers(3))] for text in drawn(200, 6, "ABCDEFGHKLMN", 6)]
    widths = [(narrowest + a_letter * len(text) + int(rng.integers(spread)), len(text)) for text in texts]
    found = find_length(texts, widths)
    assert found["severity"] == severity
    assert ("the width of a picture tells" in found["plain"]) == (severity == "low")
    assert find_length(texts)["severity"] == "none"
