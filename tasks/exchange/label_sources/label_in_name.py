"""Which part of the pictures' names is the label: the part that varies as labels do, and no counter, hash or date."""

import re
import statistics
from collections.abc import Callable, Iterable, Sequence

from storage.errors import BadInput
from tasks.exchange.label_sources.file_formats.label_files import PICTURE
from tasks.exchange.label_sources.folder_names import (
    class_numbers,
    counted_folders,
    few_digits,
    more_than_letters,
)
from tasks.exchange.label_sources.name_parts import (
    FEW,
    MIXED,
    SAME,
    base64_texts,
    character_codes,
    count,
    default_among,
    others_among,
    without_word,
)
from tasks.exchange.label_sources.name_structure import Names, Reading, names_of, strays_among
from tasks.exchange.label_sources.spelling.spelt import have_marked_capitals, hex_texts, require_no_marked_capitals

EXAMPLES = 2  # labels that differ, in a message
MOSTLY = 0.9  # share of the names that must have a label, where labels from elsewhere are compared with them
_SOLVED = re.compile(r"\d+ ?[-+*/x×÷] ?\d+ ?= ?-?\d+")  # a sum with its result


def infer_pattern(paths: Sequence[str], default: str) -> str:
    """Return the pattern by which the names of pictures tell their labels.

    Parameters
    ----------
    paths : sequence of str
        Of pictures, relative to the folder.
    default : str
        The pattern for no pictures.

    Raises
    ------
    BadInput
        Several parts of the names may be the label, or none. The message shows each reading.
    """
    names = names_of(paths)
    if names is None:
        return default
    if names.count == 1 and not have_marked_capitals(names.stems):
        require_no_marked_capitals(names.stems, names.paths[0], "whole")
    found = _distinct(names.readings())
    if len(found) == 1:
        require_no_marked_capitals(found[0].labels, names.paths[0], found[0].pattern)
        _require_plain(names, found[0])
        return found[0].pattern
    if found:
        raise _unclear(names, _distinct([*found, Reading("whole", tuple(names.stems))]))
    raise names.nothing()


def _require_plain(names: Names, only: Reading) -> None:
    """Refuse the only reading if its labels are written in a code, hold more than the label, or are marked as wrong.

    Raises
    ------
    BadInput
    """
    pattern, labels = only.pattern, only.labels
    kept = f"--pattern '{pattern}' takes them as they are"
    if texts := base64_texts(labels):
        raise BadInput(
            f"names: hold labels in base64: {labels[0]!r} is {texts[0]!r}; rename the pictures, or write path and "
            f"label of each into a labels.csv; {kept}"
        )
    if texts := hex_texts(labels):
        raise names.coded(labels[0], texts[0], pattern)
    if pattern == "folder" and (odd := more_than_letters(labels)):
        raise BadInput(
            f"names: most folders are named for a letter, and {odd!r} is not; rename it for the letter that its "
            "pictures show, or take the names of folders as they are with --pattern folder"
        )
    if letters := character_codes(labels):
        raise BadInput(
            f"names: hold codes of characters: {min(labels)!r} is {letters[0]!r}; rename the pictures or their "
            f"folders, or write path and label of each into a labels.csv; {kept}"
        )
    if glued := without_word(pattern, labels):
        raise _unclear(names, [Reading(*glued), only])
    if bare := _without_counter(labels):
        _require_no_counter(names, only, bare)
    if width := _counter_before(labels):
        pattern, bare = f"[0-9]{{{width}}}(?P<label>[^/]+)", [label[width:] for label in labels]
        _require_not_before(names, only, Reading(pattern, tuple(bare)))
    if all(map(_SOLVED.fullmatch, labels)):  # pictures ask, and show no result
        asked = ("{label}=*", 0), ("(?P<label>[^/]*=)[^/]*", 1)
        questions = [Reading(way, tuple(label[: label.rindex("=") + more] for label in labels)) for way, more in asked]
        raise _unclear(names, [*questions, only])
    if few_digits(labels) or class_numbers(labels):
        raise _unclear(names, [only, Reading("whole", tuple(names.stems))])
    usual, _ = default_among(labels) or ("", 0)
    for what, places, most in (
        ("to be marked as wrong or without a label", names.marked_wrong(labels), 1 - 1 / len(labels)),
        ("to stand for no label", [k for k, label in enumerate(labels) if label == usual != ""], MIXED),
        ("to have no label yet", others_among(labels), MIXED),
        ("to have no label yet", counted_folders(names.paths, labels), MIXED),
        ("to be no labels", strays_among(labels), MIXED),
    ):
        if places and len(places) <= most * len(labels):
            raise BadInput(
                f"names: {len(places):,} of {len(labels):,} seem {what}, such as {names.paths[places[0]]}; move these "
                f"pictures away, or take the labels of all with --pattern '{pattern}'"
            )


def _without_counter(labels: Sequence[str]) -> list[str] | None:
    """Return labels without the counter that stands right behind all of them, as in `BONE7`; None if none does.

    Some counter must have each number of the labels from 0 or 1 on, at an end of one of them.
    """
    if len({*labels}) < max(FEW, len(labels)) or not all(len(label) > 1 and label[-1].isdecimal() for label in labels):
        return None
    for width in range(2, len(str(len(labels))) + 5):  # all as long: 0001
        tails = [label[-width:] for label in labels]
        padded = all(map(str.isdecimal, tails)) and any(tail[0] == "0" for tail in tails)
        single = len({*tails}) >= SAME * len(tails) and min(map(len, labels)) > width
        if padded and single and count(tails):
            return [label[:-width] for label in labels]
    ends: dict[str, list[str]] = {}
    for label in labels:
        for width in range(1, min(len(label), len(str(len(labels))) + 1)):
            ends.setdefault(label[-width:], []).append(label)
    for first in (0, 1):
        bare: dict[str, str] = {}
        for number in range(first + len(labels) - 1, first - 1, -1):  # longer ones first
            if found := next((label for label in ends.get(str(number), []) if label not in bare), ""):
                bare[found] = found[: -len(str(number))]
        if len(bare) >= SAME * len(labels):
            return [bare.get(label, label) for label in labels]
    return None


def _counter_before(labels: Sequence[str]) -> int:
    """Return the digits of the counter that stands right before all labels, as in `0015BONE`; 0 if none does."""
    if len(labels) < FEW or all(map(str.isdecimal, labels)):
        return 0
    for width in range(len(str(len(labels))) + 4, 1, -1):
        heads = [label[:width] for label in labels]
        padded = all(map(str.isdecimal, heads)) and any(head[0] == "0" for head in heads)
        if padded and len({*heads}) >= SAME * len(heads) and min(map(len, labels)) > width and count(heads):
            return width
    return 0


def _require_not_before(names: Names, only: Reading, bare: Reading) -> None:
    """Ask about names that begin with a counter right before what may be the label."""
    if only.pattern == "whole":
        raise _unclear(names, [bare, only])
    raise BadInput(
        f"names: all seem to have a counter right before the label, as in {names.paths[0]}; rename the pictures, or "
        f"write path and label of each into a labels.csv; --pattern '{only.pattern}' takes it as part of labels"
    )


def _require_no_counter(names: Names, only: Reading, bare: Sequence[str]) -> None:
    """Ask about names that end with a counter right behind what may be the label."""
    length = statistics.mode(map(len, bare))
    one_length = sum(len(label) == length for label in bare) >= SAME * len(bare)
    if only.pattern == "whole" and one_length and all(label[length:].isdecimal() for label in only.labels):
        pattern = f"(?P<label>[^/]{{{length}}})[0-9]+"
        raise _unclear(names, [Reading(pattern, tuple(label[:length] for label in only.labels)), only])
    raise BadInput(
        f"names: all seem to end with a counter right behind the label, as in {names.paths[0]}; rename the pictures, "
        f"or write path and label of each into a labels.csv; --pattern '{only.pattern}' takes it as part of labels"
    )


def difference(pairs: Sequence[tuple[str, str]], tidy: Callable[[str], str]) -> str:
    """Say how the labels of pictures differ from those that their names give, too; '' if they do not.

    Parameters
    ----------
    pairs : sequence of (path, label)
        The labels are from elsewhere than the names.
    tidy : function
        Mends a label of a name as labels are mended.
    """
    reading, others = _differing(pairs, tidy)
    if not others:
        return ""
    told = " and ".join(f"{path} has {label!r}, its name {there!r}" for path, label, there in others[:EXAMPLES])
    return (
        f"names seem to hold labels too (--pattern '{reading.pattern}'), and {len(others):,} of "
        f"{len(reading.labels):,} differ from those that are used: {told}"
    )


def other_label(pairs: Sequence[tuple[str, str]], tidy: Callable[[str], str]) -> tuple[str, str, str, str] | None:
    """Return pattern, path, label and the name's label where names seem to hold labels, too, and most differ."""
    reading, others = _differing(pairs, tidy)
    others = (
        [] if reading.pattern == "folder" else [other for other in others if other[1].casefold() != other[2].casefold()]
    )
    return (reading.pattern, *others[0]) if 2 * len(others) > len(reading.labels) else None


def beside_numbers(labels: dict[str, str]) -> str | None:
    """Return the pattern of the words in names that also hold the numbers that a file lists, such as `12_BONE_4711`.

    None if the labels are no numbers, or names do not hold both.
    """
    paths = [path for path, label in labels.items() if label.isdecimal()]
    names = names_of(paths) if len(paths) == len(labels) else None
    if names is None or any(labels[path] not in re.split(r"[\W_]", path) for path in names.paths):
        return None
    readings = [reading for reading in names.readings() if not any(map(str.isdecimal, reading.labels))]
    return readings[0].pattern if len(readings) == 1 else None


def inside_names(labels: dict[str, str]) -> str | None:
    """Return the pattern of the labels that are in the names, where a file repeats whole names; None if it does not.

    Raises
    ------
    BadInput
        It repeats them, and they hold no label, or perhaps several.
    """
    if all(label.isdecimal() or label not in _whole_names(path) for path, label in labels.items()):
        return None
    if not all(label in _whole_names(path) for path, label in labels.items()):
        return None
    pattern, names = infer_pattern([*labels], "whole"), names_of([*labels])
    readings = [] if names is None else names.readings()
    there = next((reading.labels for reading in readings if reading.pattern == pattern), ())
    paths = [] if names is None else names.paths
    return pattern if any(labels[path] != label for path, label in zip(paths, there, strict=False)) else None


def labels_by(pattern: str, paths: Sequence[str]) -> list[tuple[str, str]]:
    """Return path and label of pictures by a pattern that `infer_pattern` found; [] if no reading has it."""
    names = names_of(paths)
    readings = [] if names is None else [reading for reading in names.readings() if reading.pattern == pattern]
    return list(zip(names.paths, readings[0].labels, strict=True)) if names and readings else []


def _whole_names(path: str) -> tuple[str, str, str]:
    name = path.rpartition("/")[2]
    return path, name, PICTURE.sub("", name)


def _differing(
    pairs: Sequence[tuple[str, str]], tidy: Callable[[str], str]
) -> tuple[Reading, list[tuple[str, str, str]]]:
    """Return the reading of names that is nearest to the labels, and (path, label, label of the name) that differ."""
    names = names_of([path for path, _ in pairs])
    labels = dict(pairs)
    readings = [] if names is None else [
        (reading, [(path, labels[path], name)
                   for path, name in zip(names.paths, map(tidy, reading.labels), strict=True) if labels[path] != name])
        for reading in names.readings()
        if sum(map(bool, reading.labels)) >= MOSTLY * len(reading.labels) and not count(reading.labels)
    ]  # fmt: skip
    # Folders that share no label with the file are named for something else.
    readings = [found for found in readings if found[0].pattern != "folder" or len(found[1]) < len(pairs)]
    return min(readings, key=lambda found: len(found[1]), default=(Reading("", ()), []))


def _distinct(readings: Iterable[Reading]) -> list[Reading]:
    """Leave out readings that give the same labels."""
    return list({reading.labels: reading for reading in reversed(list(readings))}.values())[::-1]


def _unclear(names: Names, readings: list[Reading]) -> BadInput:
    told = "; ".join(
        f"--pattern '{reading.pattern}' reads "
        + ", ".join(f"{reading.labels[k]!r} in {names.paths[k]}" for k in names.examples())
        for reading in readings
    )
    return BadInput(f"names: several parts of the pictures' names may be the label; choose one: {told}")
