"""Files of an unknown kind beside the pictures: read where each plainly holds one short text, else refused or told."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from storage.errors import BadInput
from storage.files.small_files import read_small
from tasks.exchange.label_sources.beside import BESIDE, texts_beside
from tasks.exchange.label_sources.column_kinds import tells_else
from tasks.exchange.label_sources.file_formats.label_files import JSONS, PICTURE, TABLES
from tasks.exchange.label_sources.file_formats.unreadable import (
    HOLDERS,
    NO_LABELS,
    PACKED,
    SAYING,
    WRITE_TABLE,
    kind_of,
    remedy_for,
)
from tasks.exchange.label_sources.label_in_name import other_label
from tasks.exchange.label_sources.name_parts import FEW, LONGEST, is_told
from tasks.exchange.label_sources.other_files.file_facts import fact_of_files
from tasks.exchange.label_sources.other_files.naming_files import text_of
from tasks.loading.listing import UNREAD

SAMPLE = 200  # files of a kind that are looked into
HALF = 0.5  # share of the pictures that must have one
NEARLY_ALL = 0.9  # share of the files that must be alike
LARGEST = 64 << 10  # bytes of a text that holds a label, at most
STRUCTURED = {*SAYING, *PACKED, *TABLES, *JSONS, ".xml", ".srt", ".vtt"}  # whose one line is no bare text
SURE = re.compile(r"gt|truth|label|lbl|lab|ans|sol|text|txt|cap|tag|transcr|word|code|value", re.IGNORECASE)
_END = re.compile(r"\.[\w.~-]{1,20}")
_UNREAD = re.compile(UNREAD, re.IGNORECASE)
_FIELD = re.compile(r"[\w\"' -]+[:=](?!//)\s*\S.*")  # such as `label: BONE`


def unknown_ends(pictures: Sequence[str], names: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the files of unknown kinds beside pictures, by picture, for each end of their names; most files first.

    Parameters
    ----------
    names : sequence of str
        Of the other files, without those that are known to lie beside pictures.
    """
    stems = {PICTURE.sub("", path.rpartition("/")[2]) for path in pictures} if names else set()
    files: dict[str, list[str]] = {}
    for name in names:
        base = name.rpartition("/")[2]
        places = [match.start() for match in re.finditer(r"\.", base)]
        place = next((at for at in reversed(places) if at and PICTURE.sub("", base[:at]) in stems), 0)
        end = base[place:] if place else ""
        if (
            _END.fullmatch(end)
            and end not in BESIDE
            and not _UNREAD.search(end)
            and kind_of(f"x{end}") not in NO_LABELS
        ):
            files.setdefault(end, []).append(name)
    found = {
        end: texts_beside([*pictures, *some], end)
        for end, some in files.items()
        if len(some) >= min(FEW, len(pictures))
    }
    return dict(sorted(found.items(), key=lambda item: -len(item[1])))


class Sidecars:
    """The files of unknown kinds beside the pictures.

    Attributes
    ----------
    ends : dict
        Of each end of names the file by picture; all or a few pictures may have one.
    """

    def __init__(self, folder: Path, pictures: Sequence[str], names: Sequence[str], tidy: Callable[[str], str]):
        self._folder, self._tidy = folder, tidy
        self.ends = unknown_ends(pictures, names)
        self._count = len(pictures)

    @property
    def files(self) -> set[str]:
        """Return the files of the kinds that half of the pictures have."""
        return {file for end in self._many() for file in self.ends[end].values()}

    def _many(self) -> list[str]:
        return [end for end, texts in self.ends.items() if len(texts) > 0 and len(texts) >= HALF * self._count]

    def labels(self) -> str:
        """Return the end of the files that each plainly hold one short text; '' if there are none.

        Raises
        ------
        BadInput
            Files of several kinds do, and differ; or their texts are other than what names seem to hold.
        """
        plain = {end: lines for end in self._many() if (lines := self._lines(end)) and not self._fact(lines)}
        if not plain:
            return ""
        end, lines = next(iter(plain.items()))
        for other, others in plain.items():
            path = next((path for path, line in lines.items() if others.get(path, line) != line), "")
            if path:
                raise BadInput(
                    f"labels: of {path} the {end} beside it says {lines[path]!r} and the {other} {others[path]!r}; "
                    "take one kind of files away"
                )
        few = HALF * len(lines) > len({*lines.values()}) or all(map(str.isdecimal, lines.values()))
        if few and not SURE.search(end) and (differs := other_label(list(lines.items()), self._tidy)):
            pattern, path, listed, named = differs
            raise BadInput(
                f"labels: the {end} beside each picture says {listed!r} of {path}, whose name may say {named!r}; "
                f"choose one: rename these files to .txt, or --pattern '{pattern}'"
            )
        return end

    def require_none(self) -> list[str]:
        """Return notes on files that hold no labels.

        Raises
        ------
        BadInput
            Half of the pictures have a text of a kind beside them that may hold their labels, and is not read; or
            fewer have one that is named as labels are.
        """
        notes = []
        for end in self._many():
            first = next(iter(self.ends[end].values()))
            lines = self._lines(end)
            remedy = remedy_for(first)
            if lines:
                notes.append(f"a {end} beside each picture: not used; it holds {self._fact(lines)}")
            elif not (remedy or self._are_texts(end)):
                notes.append(f"a {end} beside each picture: not used; it is no text")
            elif kind_of(first) in HOLDERS or kind_of(first) == ".hocr":
                raise BadInput(
                    f"labels: {first} may hold them, as the {end} beside each picture; {WRITE_TABLE}, or take labels "
                    "from the names with --pattern"
                )
            else:
                raise BadInput(
                    f"labels: the {end} beside each picture may hold them: rename these files to .txt or .json, with "
                    f"nothing but the label in each .txt; or {WRITE_TABLE}, or take labels from the "
                    "names with --pattern"
                )
        for end, texts in self.ends.items():
            if end not in self._many() and SURE.search(end) and (lines := self._lines(end)) and not self._fact(lines):
                raise BadInput(
                    f"labels: {len(texts):,} of {self._count:,} pictures have a {end} beside them; take labels from "
                    "the names with --pattern, or write a file for every picture"
                )
        return notes

    def _some(self, end: str) -> list[tuple[str, str]]:
        items = list(self.ends[end].items())
        return items[:: max(1, len(items) // SAMPLE)]

    def _are_texts(self, end: str) -> bool:
        read = [text_of(self._folder / file) for _, file in self._some(end)]
        return sum(bool(text and text[0].strip() and not text[1]) for text in read) >= HALF * len(read)

    def _lines(self, end: str) -> dict[str, str]:
        """Return the only line of each file, by picture, of some; {} unless nearly all are a short text."""
        if kind_of(f"x{end}") in STRUCTURED:
            return {}
        some = self._some(end)
        found: dict[str, str] = {}
        for path, file in some:
            try:
                lines = read_small(self._folder / file, file, LARGEST).decode("utf-8-sig").split("\n")
            except (OSError, BadInput, ValueError):
                continue
            filled = [line.strip() for line in lines if line.strip()]
            if (
                len(filled) == 1
                and len(filled[0]) <= LONGEST * 4
                and filled[0][0] not in "{[<"
                and "\0" not in filled[0]
            ):
                found[path] = filled[0]
        fields = sum(_FIELD.fullmatch(line) is not None for line in found.values())
        return found if len(found) >= NEARLY_ALL * len(some) and fields < HALF * len(found) else {}

    def _fact(self, lines: Mapping[str, str]) -> str:
        """Return what the files hold if that is no label; '' for labels."""
        values = [line.partition(" ")[0] if PICTURE.search(line) else line for line in lines.values()]
        if len(values) >= FEW and len({*values}) == 1:
            return f"only {values[0]!r}"
        if all(len(value) > LONGEST for value in values):
            return "no labels but longer texts"
        return tells_else(values) or fact_of_files(self._folder, lines) or ("a share" if is_told(values) else "")
