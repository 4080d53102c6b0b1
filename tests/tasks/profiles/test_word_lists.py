import hashlib
import string

import pytest

from storage.errors import BadInput, NotThere
from tasks.profiles.word_lists import WEB2, letters_of, load_words, words_digest

UPPER = string.ascii_uppercase


def test_web2_has_5006_words_of_four_letters():
    words = load_words(WEB2, UPPER, (4, 4))
    assert len(words) == 5006
    assert list(words) == sorted(set(words))
    assert {len(word) for word in words} == {4}
    assert set("".join(words)) == set(UPPER)
    assert {"BONE", "WORD", "ZOOM"} <= set(words)


def test_web2_over_other_alphabets():
    lower = load_words(WEB2, string.ascii_lowercase, (4, 4))
    assert [word.upper() for word in lower] == list(load_words(WEB2, UPPER, (4, 4)))
    few = load_words(WEB2, "ABENOT", (3, 5))
    assert "BONE" in few and {len(word) for word in few} == {3, 4, 5}
    assert set(few) == {word for word in load_words(WEB2, UPPER, (3, 5)) if set(word) <= set("ABENOT")}


def listed(tmp_path, data: bytes, alphabet: str = UPPER, length=(1, 32)):
    path = tmp_path / "list.txt"
    path.write_bytes(data)
    return load_words(str(path), alphabet, length)


@pytest.mark.parametrize(
    "data",
    [
        b"BONE\nWORD\nAPE\n",
        b"WORD\nBONE\nAPE",  # any order, no line end at the end
        b"bone\nWord\naPE\nBONE\n",  # any case, twice
        b"BONE\r\nWORD\r\nAPE\r\n",
        b"BONE\rWORD\rAPE\r",
        b"\xef\xbb\xbfBONE\nWORD\nAPE\n",  # with a byte order mark, as Windows' editors write
        b"\n\nBONE\n\n   \n  WORD\t\nAPE\n\n",
    ],
)
def test_a_list_however_it_was_saved(tmp_path, data):
    assert listed(tmp_path, data) == ("APE", "BONE", "WORD")


def test_length_chooses(tmp_path):
    assert listed(tmp_path, b"A\nBONE\nWORDS\n", length=(2, 4)) == ("BONE",)


def test_an_alphabet_with_lower_case_letters_keeps_the_case(tmp_path):
    assert listed(tmp_path, b"Bone\nbone\nBONE\n", UPPER + string.ascii_lowercase) == ("BONE", "Bone", "bone")
    assert listed(tmp_path, "straße\nÄHRE".encode(), UPPER + "ÄÖÜ") == ("STRASSE", "ÄHRE")


@pytest.mark.parametrize(
    ("data", "line", "byte", "value"),
    [
        (b"BONE\nW\xd6RD\n", 2, 2, "d6"),  # Latin-1
        (b"\xff\xfeB\0O\0", 1, 1, "ff"),  # UTF-16
        (b"BONE\r\n\r\nAB\xc3\r\n", 3, 3, "c3"),  # cut in the middle of a character
        ("ÄÄ".encode() + b"\x80", 1, 5, "80"),
    ],
)
def test_a_byte_that_is_not_utf8_is_named_with_its_line(tmp_path, data, line, byte, value):
    with pytest.raises(BadInput) as error:
        listed(tmp_path, data, UPPER + "Ä")
    start = f"word list {tmp_path / 'list.txt'}, line {line}: byte {byte} (0x{value}) is not UTF-8; save"
    assert str(error.value).startswith(start)


@pytest.mark.parametrize(
    ("data", "line", "word", "foreign"),
    [
        ("BONE\n\nÉTÉ\n", 3, "'ÉTÉ'", "'É'"),
        ("BONE\r\nice-cream\r\n", 2, "'ICE-CREAM'", "'-'"),
        ("two words\n", 1, "'TWO WORDS'", "' '"),
        ("A1B2\n", 1, "'A1B2'", "'1', '2'"),
        ("AB\x00", 1, r"'AB\x00'", r"'\x00'"),
    ],
)
def test_a_character_outside_the_alphabet_is_named_with_its_line(tmp_path, data, line, word, foreign):
    with pytest.raises(BadInput) as error:
        listed(tmp_path, data.encode())
    start = f"word list {tmp_path / 'list.txt'}, line {line}: {word} has {foreign}, which the alphabet {UPPER!r} lacks"
    assert str(error.value).startswith(start)


@pytest.mark.parametrize("data", [b"", b"\n \n", b"\xef\xbb\xbf", b"TOOLONG\nA\n"])
def test_no_word_left_is_refused(tmp_path, data):
    with pytest.raises(BadInput, match=r"list\.txt: has no word of 4 to 5 characters over 'ABC") as error:
        listed(tmp_path, data, length=(4, 5))
    assert error.value.exit_code == 2


def test_no_web2_word_left_is_refused():
    with pytest.raises(BadInput, match="word list web2: has no word of 4 to 4 characters over 'XQ'"):
        load_words(WEB2, "XQ", (4, 4))


def test_a_list_that_is_not_there_or_no_file(tmp_path):
    with pytest.raises(NotThere, match=r"none\.txt: no such file; give 'web2' or the path of a text file"):
        load_words(str(tmp_path / "none.txt"), UPPER, (4, 4))
    with pytest.raises(BadInput, match="cannot be read"):
        load_words(str(tmp_path), UPPER, (4, 4))


def test_the_digest_is_of_the_sorted_words():
    expected = hashlib.sha256(b"APE\nBONE\n\xc3\x84").hexdigest()
    assert words_digest(("BONE", "Ä", "APE")) == words_digest(("APE", "BONE", "Ä")) == expected
    assert len({words_digest(words) for words in [("AB",), ("A", "B"), ("AB", "A"), ("A",)]}) == 4


def test_letters_of_words_are_their_numbers_in_the_alphabet():
    assert letters_of(("ba", "c", "abca"), "cab").tolist() == [[2, 1, -1, -1], [0, -1, -1, -1], [1, 2, 0, 1]]
    assert letters_of(("é𝄞",), "𝄞é").tolist() == [[1, 0]]
    assert letters_of((), "ab").shape == (0, 0)
    for foreign in ("aZ", "aé", "A"):
        with pytest.raises(KeyError):
            letters_of((foreign,), "abc")
