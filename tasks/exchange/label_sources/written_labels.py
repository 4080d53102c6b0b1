"""What tools write around a label, and characters that no picture shows: both are taken away."""

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from urllib.parse import unquote

from tasks.exchange.label_sources.name_parts import FEW

MOST_WRITTEN = 1000  # characters of a label with what a tool writes around it and between its letters
QUOTED = 3  # characters that a label in quotes has more than
JOINERS = "\u200c\u200d"  # invisible; in scripts whose letters join they make other letters
JOINED_SCRIPTS = {
    "ARABIC", "SYRIAC", "MONGOLIAN", "NKO", "DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA", "TAMIL", "TELUGU",
    "KANNADA", "MALAYALAM", "SINHALA", "KHMER", "MYANMAR", "TIBETAN",
}  # fmt: skip
# Fillers, a blank in braille, and a mark that only orders other marks: letters or marks by category, and invisible.
UNSEEN = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2800\u3164\uffa0"
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")  # of a variant of the letter before
# What addresses need, so no letter or digit, and what people write, so no control character.
_WRITTEN = re.compile(r"%(?![46][1-9A-F]|[57][0-9Aa]|3[0-9]|[01].|7[Ff])[0-9A-Fa-f]{2}")
_UNICODE = re.compile(r"\\u([0-9A-Fa-f]{4})")  # as JSON and Python write letters
_PADDING = re.compile(r"(?:<(?:pad|blank|unused)>|\[(?:pad|blank)\])+$", re.IGNORECASE)  # at the end of some labels
BETWEEN_LETTERS = ("##", "|", "-", "_", ".", ",", ";", ":", "/", "~")
_APART = re.compile(  # letters with a mark between each, as case-blind file systems need them; no sum, and no date
    r"[^\W_](?:_[^\W_])+|(?=.*[^\W\d_]|.{7})[^\W_]([-. ])[^\W_](?:\1[^\W_])+"
)
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#\d{2,6}|#x[0-9A-Fa-f]{2,5});")
_ITEM = r"""'([^'\\]*)'|"([^"\\]*)\""""
_LIST = re.compile(rf"[\[(] *(?:{_ITEM})(?:(?: *, *| *)(?:{_ITEM}))* *,? *[\])]")  # numpy writes no commas
_BARE_LIST = re.compile(r"[\[(] *[^\W_](?:(?: *, *| +)[^\W_])+ *[\])]")
_FIXED = {  # what stands before and behind all labels of a file, and how a note names it
    "apostrophes": re.compile(r"'(.*[^'])", re.DOTALL),
    "services": re.compile(r"OK ?[|:] ?(.+)", re.DOTALL),
    "bytes": re.compile(r"b'(.+)'|b\"(.+)\"", re.DOTALL),
    "quotes": re.compile(r"""\"(.+)\"|'(.+)'""", re.DOTALL),
    "stops": re.compile(r"(.*[^.,;\s])\s*[.,;]", re.DOTALL),
    "breaks": re.compile(r"(.+?)(?:\\[nrt])+", re.DOTALL),
    "tokens": re.compile(r"(.+?)(?:\[(?:s|eos|end|pad)\]|</?(?:s|eos|end|pad)>)+", re.DOTALL | re.IGNORECASE),
    "brackets": re.compile(r"\((.+)\)|\[([^'\"]+)\]|\{([^'\"].*)\}|<([^<>]+)>|“(.+)”|«(.+)»|„(.+)[“”]", re.DOTALL),
}
TOLD = {  # the notes, by what was taken away
    "apostrophes": "began with an apostrophe, as spreadsheets mark text, which is taken away",
    "services": "began with OK, as services answer, which is taken away",
    "bytes": "were written as bytes of Python (b'…'), which is taken away",
    "quotes": "stood in quotes, which are taken away",
    "stops": "ended with a stop, a comma or a semicolon, which is taken away",
    "breaks": r"ended with \n, which is taken away",
    "tokens": "ended with a token of a model, such as [s], which is taken away",
    "brackets": "stood in brackets, which are taken away",
    "lists": "were written as lists of Python, whose texts are joined",
    "filled": "were filled up at the end to one length, which is taken away",
    "divided": "had a mark between their letters, which is taken out",
    "corrected": "had no correction, so that the text which was there before counts",
    "codes": "had letters as codes, such as %2B, which are written out",
}


def is_unseen(mark: str) -> bool:
    """Return whether no picture shows a character: a blank of any width, a mark of direction, a zero-width space."""
    if mark.isascii():
        return mark == " "
    return unicodedata.category(mark) in ("Zs", "Cf") or mark in UNSEEN or _SELECTORS.match(mark) is not None


def seen(label: str) -> str:
    """Return a label without what no picture shows; joiners stay between letters that they change."""
    if not any(mark in label for mark in JOINERS):
        return "".join(mark for mark in label if not is_unseen(mark))
    letters = [(k, mark) for k, mark in enumerate(label) if not is_unseen(mark) or mark in JOINERS]
    inner = [k for k, mark in letters if mark not in JOINERS]
    first, last = (inner[0], inner[-1]) if inner else (0, 0)
    return "".join(
        mark for k, mark in letters if mark not in JOINERS or (first < k < last and _joins(label[k - 1]))
    )  # fmt: skip


def _joins(letter: str) -> bool:
    return unicodedata.name(letter, "").partition(" ")[0] in JOINED_SCRIPTS


def as_meant(label: str) -> str:
    """Return the label that a name writes: `12%2B5` is `12+5`, as in addresses; `a_B_c` is `aBc`."""
    if "%" in label and not _WRITTEN.sub("", label).count("%"):
        try:
            label = unquote(label, errors="strict")
        except UnicodeDecodeError:
            return label
    if len(label) > QUOTED and label[0] == label[-1] and label[0] in "'\"`":
        label = label[1:-1]
    return label[::2] if _APART.fullmatch(label) else label


def unwrapped(listed: dict[str, str], mended: Counter[str]) -> dict[str, str]:
    """Take away what a tool wrote around all labels of a file, and write `&amp;` as `&`."""
    if any("&" in label and _ENTITY.search(label) for label in listed.values()):
        changed = {path: html.unescape(label) if _ENTITY.search(label) else label for path, label in listed.items()}
        mended["entities"] += sum(changed[path] != label for path, label in listed.items())
        listed = changed
    written = listed
    if any("%" in label or "\\u" in label for label in listed.values()):
        written = {path: _out_of_codes(label) for path, label in listed.items()}
        mended["codes"] += sum(written[path] != label for path, label in listed.items())
    labels = [label for label in written.values() if label]
    if len(labels) < FEW or max(map(len, labels)) > MOST_WRITTEN:  # patterns take long for texts without a bound
        return written
    for name, taken in _TAKEN.items():
        if all(map(taken, labels)):
            mended[name] += len(labels)
            return {path: taken(label) or "" for path, label in written.items()}
    for name, changed in (("filled", _not_filled_up(labels)), ("divided", _not_divided(labels))):
        if changed:
            mended[name] += sum(changed.get(label, label) != label for label in labels)
            return {path: changed.get(label, label) for path, label in written.items()}
    return written


def _out_of_codes(label: str) -> str:
    r"""Return a label whose letters some tool has written as codes: `%2B` is `+`, as in addresses, `\u0414` is `Д`."""
    if "\\u" in label:
        label = _UNICODE.sub(lambda match: chr(int(match[1], 16)), label)
        label = label.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # two codes of one letter
    return as_meant(label) if "%" in label else label


def _not_filled_up(labels: Sequence[str]) -> dict[str, str]:
    """Return labels without the marks that fill them up to one length, such as `RDLH__`; {} if nothing does."""
    marks = {label[-1] for label in labels if not label[-1].isalnum()}
    if any(_PADDING.search(label) for label in labels if label[-1] in ">]"):
        return {label: _PADDING.sub("", label) for label in labels}
    if len(marks) != 1 or marks & set("=?)]}>\"'%"):
        return {}
    bare = {label: label.rstrip(*marks) for label in labels}
    if any(text and marks & {*text} for text in bare.values()):
        return {}
    filled = [len(label) - len(text) for label, text in bare.items() if text]
    one_length = len({*map(len, labels)}) == 1 and max(filled, default=0) > 1
    return bare if one_length or (marks == {"_"} and min(filled, default=0) == 1) else {}


def _not_divided(labels: Sequence[str]) -> dict[str, str]:
    """Return labels without the mark that all have between each two letters, such as `B|O|N|E`; {} if they do not."""
    for mark in BETWEEN_LETTERS:
        if not all(mark in label for label in labels):
            continue
        letters = {label: [part.strip() for part in label.split(mark)] for label in labels}
        if not all(len(parts) > 1 and all(map(_is_letter, parts)) for parts in letters.values()):
            continue
        figures = mark in "-/.:," and all("".join(parts).isdecimal() for parts in letters.values())  # dates, shares
        if not figures and 2 * sum(len(parts) > 2 for parts in letters.values()) > len(letters):
            return {label: "".join(parts) for label, parts in letters.items()}
    return {}


def _is_letter(text: str) -> bool:
    return len(text) == 1 and text.isalnum()


def _inside(pattern: re.Pattern[str]) -> Callable[[str], str]:
    def inside(label: str) -> str:
        found = pattern.fullmatch(label)
        return next((text for text in found.groups() if text), "") if found else ""

    return inside


def _of_list(label: str) -> str:
    """Return the text of a list as Python writes it, of one text or of letters; '' for anything else."""
    if _BARE_LIST.fullmatch(label):
        text = re.sub(r"\W", "", label)
        return text if {*text} != {"0", "1"} else ""  # a mark for each class
    if not _LIST.fullmatch(label):
        return ""
    texts = ["".join(item) for item in re.findall(_ITEM, label)]
    return "".join(texts) if len(texts) == 1 or all(len(text) == 1 for text in texts) else ""


_TAKEN: dict[str, Callable[[str], str]] = {"lists": _of_list} | {
    name: _inside(pattern) for name, pattern in _FIXED.items()
}  # bytes before brackets and lists before both, or a bracket would take their inside
