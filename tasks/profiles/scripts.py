"""Refuse the letters that Pillow's basic layout, which puts one glyph after the other, would draw wrongly."""

import unicodedata

from fontTools.unicodedata import script, script_name

from storage.errors import BadInput
from tasks.profiles.profile import Profile

# The scripts whose letters have a Joining_Type of dual, left or right in Unicode's ArabicShaping.txt (16.0).
JOINING = frozenset(
    {"Adlm", "Arab", "Chrs", "Mand", "Mani", "Mong", "Nkoo", "Ougr", "Phag", "Phlp", "Rohg", "Sogd", "Syrc"}
)


def require_basic_layout(profile: Profile) -> None:
    """Refuse an alphabet whose texts need shaping: letters would have other forms than people write and read.

    Letters alone are drawn as they are, so that texts of one letter may have any that are no marks.

    Raises
    ------
    BadInput
    """
    alphabet = profile.alphabet
    marks = [letter for letter in alphabet if unicodedata.category(letter).startswith("M")]
    _refuse(profile, marks, "marks that attach to the letter before them, or change places with it")
    if profile.length[1] == 1 and not profile.words:
        return
    joined = [letter for letter in alphabet if unicodedata.category(letter)[0] == "L" and script(letter) in JOINING]
    scripts = ", ".join(sorted({script_name(script(letter)) for letter in joined}))
    _refuse(profile, joined, f"letters that join their neighbours ({scripts})")
    others = [letter for letter in alphabet if not letter.isascii()]
    composed = [a for a in others if any(_composes(a, b) for b in others)]
    _refuse(profile, composed, "parts that compose one letter with the next, such as Hangul's jamo")


def _composes(first: str, second: str) -> bool:
    normal = unicodedata.normalize
    return len(normal("NFC", first + second)) < len(normal("NFC", first)) + len(normal("NFC", second))


def _refuse(profile: Profile, letters: list[str], what: str) -> None:
    if letters:
        names = ", ".join(unicodedata.name(letter, f"U+{ord(letter):04X}") for letter in letters[:3])
        raise BadInput(
            f"profile {profile.name!r}, alphabet: must be letters that are drawn alike beside any other; it has "
            f"{len(letters)} {what}: {names}{', …' if len(letters) > 3 else ''}. Pictures are drawn with Pillow's "
            "basic layout, which does not shape texts; import pictures that another program drew (captchas import)"
        )
