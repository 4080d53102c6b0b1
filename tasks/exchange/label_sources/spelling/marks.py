"""Marks that divide the names of pictures, where all names have them, and are no part of a label."""

import re
from collections import Counter
from collections.abc import Sequence

from tasks.exchange.label_sources.name_parts import SAME
from tasks.exchange.label_sources.written_labels import as_meant

BRACKETS = (
    "()",
    "[]",
    "{}",
    "<>",
    "«»",
    "‹›",
    "“”",
    "‘’",
    "【】",
    "（）",
    "［］",
    "《》",
    "〈〉",
    "「」",
    "『』",
    "〔〕",
)
ONCE = "@#~,;!$^'`|·・—–+=&%"  # they divide names that all have them once
FIELDS = "=&;,"  # and these, where all names have fields such as `label=ABCD`
_FIELD = re.compile(r"(?:^|[^A-Za-z])([A-Za-z]{2,})=")  # the name of a field
_SUM = re.compile(r"\d\s*(?:[^\w\s]|[x加减減乘除]|plus|minus|times)\s*\d+\s*=|=\W*$", re.IGNORECASE)
_WITHIN = {  # marks that may be within a label, of a sum or the like, and how a name looks then
    "+": re.compile(r"\d\s*\+\s*[\d?]|\+$|^\+"),
    "=": _SUM,
    "&": re.compile(r"&\w+;|&$|^&"),
}


def dividing_marks(stems: Sequence[str]) -> str:
    """Return brackets, marks between fields and others that nearly all names have; labels have none of them."""
    needed = SAME * len(stems)
    once = [mark for mark in ONCE if sum(stem.count(mark) == 1 for stem in stems) >= needed]
    once = [mark for mark in once if not _is_of_labels(mark, stems)]
    marks = once if len(stems) > 1 else []
    marks += [pair for pair in BRACKETS if sum(pair[0] in stem and pair[1] in stem for stem in stems) >= needed]
    words = Counter(word for stem in stems for word in set(_FIELD.findall(stem)))
    if any(count >= needed for count in words.values()):
        marks.extend(mark for mark in FIELDS if mark not in marks)
    return "".join(marks)


def _is_of_labels(mark: str, stems: Sequence[str]) -> bool:
    """Return whether most names have a mark within a sum or a code."""
    if mark == "%":
        return 2 * sum("%" not in as_meant(stem) for stem in stems) > len(stems)
    within = _WITHIN.get(mark)
    return within is not None and 2 * sum(within.search(stem) is not None for stem in stems) > len(stems)
