"""Alphabets whose texts need shaping are refused, since the basic layout would draw them wrongly."""

import pytest

from storage.errors import BadInput
from tasks.profiles.profile import Profile
from tasks.profiles.scripts import require_basic_layout


def profile(alphabet: str, longest: int = 4) -> Profile:
    return Profile("p", alphabet=alphabet, length=(1, longest))


@pytest.mark.parametrize(
    ("alphabet", "why"),
    [
        ("ابتثج", "join their neighbours (Arabic): ARABIC LETTER ALEF, ARABIC LETTER BEH"),
        ("Aب", "join their neighbours (Arabic)"),
        ("ܐܒܓ", "join their neighbours (Syriac)"),
        ("ߊߋߌ", "join their neighbours"),
        ("ᠠᠡᠢ", "join their neighbours (Mongolian)"),
        ("ࡀࡁ", "join their neighbours (Mandaic)"),
        ("𞤀𞤁", "join their neighbours (Adlam)"),
        ("कखि", "marks that attach"),
        ("กขิ", "marks that attach"),
        ("A\u0301", "marks that attach"),
        ("\u1100\u1161", "compose"),
    ],
)
def test_letters_that_need_shaping_are_refused_with_the_reason(alphabet, why):
    with pytest.raises(BadInput) as error:
        require_basic_layout(profile(alphabet))
    assert why in str(error.value) and "captchas import" in str(error.value)


@pytest.mark.parametrize(
    "alphabet", ["ABCabc019", "ÀÉßØ", "ΑΒΓαβγ", "ЖЯйё", "אבג", "あいうアイ", "漢字", "가나다", "٠١٢٣"]
)
def test_letters_that_stand_alone_are_drawn(alphabet):
    require_basic_layout(profile(alphabet))


def test_a_letter_alone_joins_nothing():
    require_basic_layout(profile("ابت", longest=1))
    with pytest.raises(BadInput):
        require_basic_layout(profile("कि", longest=1))
