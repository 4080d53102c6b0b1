"""Which of Tesseract's data know a letter, by the letter's script."""

import unicodedata
from collections.abc import Collection

_SHOWN = 20  # letters in a message
ENGLISH = "eng"
# Data of Tesseract by the scripts that they know. A letter's name in Unicode begins with its script, or with a form.
_DATA = {
    "ARABIC": ("ara", "fas"), "ARMENIAN": ("hye",), "BENGALI": ("ben",), "CJK": ("chi_sim", "chi_tra", "jpn"),
    "CYRILLIC": ("rus", "ukr", "bul"), "DEVANAGARI": ("hin",), "GEORGIAN": ("kat",), "GREEK": ("ell",),
    "HANGUL": ("kor",), "HEBREW": ("heb",), "HIRAGANA": ("jpn",), "KATAKANA": ("jpn",), "TAMIL": ("tam",),
    "THAI": ("tha",),
}  # fmt: skip
_FORMS = {"EXTENDED", "FULLWIDTH", "HALFWIDTH", "MODIFIER"}  # words before the script


def data_for(letters: str, installed: Collection[str]) -> tuple[tuple[str, ...], str]:
    """Choose the data that Tesseract reads letters with: of each script the first that are installed.

    English data know digits, signs and Latin letters.

    Returns
    -------
    data : tuple of str
    unknown : str
        The letters for which no data are installed.
    """
    found: dict[str, None] = {}
    unknown = ""
    for letter in letters:
        chosen = next((data for data in _data_of(letter) if data in installed), None)
        if chosen is None:
            unknown += letter
        else:
            found[chosen] = None
    return tuple(found), unknown


def _data_of(letter: str) -> tuple[str, ...]:
    """Return the data that know a letter, the best first; none if this program knows of none."""
    words = unicodedata.name(letter, "").replace("-", " ").split()
    script = next((word for word in words if word not in _FORMS), "")
    return (ENGLISH,) if letter.isascii() or script == "LATIN" else _DATA.get(script, ())


def told_missing(letters: str) -> str:
    """Say that Tesseract has no data for letters, and which to install."""
    some = dict.fromkeys(data[0] for letter in letters if (data := _data_of(letter)))
    shown = letters if len(letters) <= _SHOWN else f"{letters[:_SHOWN]}…"
    packages = " ".join(f"tesseract-ocr-{data.replace('_', '-')}" for data in some)
    remedy = f"on Debian: apt-get install {packages}" if some else "captchas knows of none that could be installed"
    return f"Tesseract's installed data know none of the letters {shown!r}; {remedy}"
