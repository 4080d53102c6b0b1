"""Check letters are found whatever their rule, and texts without one are not accused."""

import functools
import operator

import numpy as np
import pytest

from tasks.audit.findings.texts.check_letters import find_check
from tasks.audit.findings.texts.text_defects import find_entropy

LETTERS = "ABCDEFGHJKLM"


def drawn(count: int, seed: int, alphabet: str = LETTERS, length: int = 4) -> list[str]:
    numbers = np.random.Generator(np.random.Philox(key=[seed, 5])).integers(0, len(alphabet), (count, length))
    return ["".join(alphabet[k] for k in row) for row in numbers.tolist()]


def weighted(text: str, alphabet: str = LETTERS) -> str:
    return (
        text + alphabet[sum((place + 2) * alphabet.index(letter) for place, letter in enumerate(text)) % len(alphabet)]
    )


def luhn(text: str) -> str:
    doubled = [sum(divmod(int(digit) * (2 - place % 2), 10)) for place, digit in enumerate(reversed(text))]
    return text + str(-sum(doubled) % 10)


def xor(text: str) -> str:
    return text + chr(64 + functools.reduce(operator.xor, map(ord, text)))


@pytest.mark.parametrize(
    ("texts", "bits"),
    [
        ([weighted(text) for text in drawn(200, 1)], 1.0),
        ([luhn(text) for text in drawn(200, 2, "0123456789", 5)], 3.3),
        ([xor(text) for text in drawn(200, 3)], 4.0), ([text + text[1] for text in drawn(200, 4)], 3.5),
        ([text + str(sum(map(ord, text)) % 7) for text in drawn(200, 5)], 2.8),
    ],
)  # fmt: skip
def test_a_letter_that_follows_from_others_is_named(texts, bits):
    check = find_check(texts)
    assert check.bits >= bits
    assert check.places[-1] == len(texts[0]) - 1
    found = find_entropy(texts, LETTERS, None, check=check)
    assert found["severity"] in ("low", "high")
    assert "as a check letter does" in found["plain"]


def test_a_rule_modulo_two_primes_is_told_modulo_their_product():
    """Who is told 5 for a sum modulo 10 looks for another rule than there is."""
    texts = drawn(300, 2, "0123456789", 4)
    summed = [
        text + str(sum((1 + place % 2 * 2) * int(digit) for place, digit in enumerate(text)) % 10) for text in texts
    ]
    assert find_check(summed).modulus == 10
    assert "a rule modulo 10 in all" in find_entropy(summed, "", None, check=find_check(summed))["plain"]


def test_a_check_letter_of_few_texts_is_found_by_usual_orders_of_letters():
    """Texts that are too few for a value of each letter at each place."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    assert find_check([weighted(text, alphabet) for text in drawn(120, 1, alphabet)]).bits > 1
    assert find_check(drawn(120, 1, alphabet, 5)) is None


@pytest.mark.parametrize(("alphabet", "count"), [("0123456789", 250), ("01", 16), ("ABCDEFGHJKLMN", 200)])
def test_texts_without_a_rule_are_not_accused(alphabet, count):
    assert not any(find_check(drawn(count, seed, alphabet)) for seed in range(8))


@pytest.mark.parametrize(
    "texts", [[], ["A"], ["AB", "CD", "EF"] * 100, ["X" + text for text in drawn(200, 1, length=1)]]
)
def test_too_little_is_no_rule(texts):
    assert find_check(texts) is None


def test_copies_of_letters_take_their_bits_away_and_no_more():
    """Each of the values of a copied letter obeys a rule of its own."""
    assert find_check([text + text[0] for text in drawn(200, 1)]).bits == pytest.approx(np.log2(len(LETTERS)))
    turned = find_check([text + text[::-1] for text in drawn(200, 1, length=2)])
    assert turned.bits == pytest.approx(2 * np.log2(len(LETTERS)))


@pytest.mark.parametrize(
    ("alphabet", "length", "count", "seed"),
    [("aeiou", 5, 58, 1), ("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 3, 1000, 4)],
)
def test_numbers_that_are_all_odd_and_letters_that_are_seldom_chosen_are_no_rule(alphabet, length, count, seed):
    assert find_check(drawn(count, seed, alphabet, length)) is None
