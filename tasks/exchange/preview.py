"""What an import will make: some pictures with their labels, the labels' lengths, and their alphabet."""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from storage.files import atomic
from tasks.exchange.label_sources.companions import drawn_twice
from tasks.exchange.label_sources.file_formats.label_files import PICTURE
from tasks.exchange.label_sources.label_in_name import difference
from tasks.exchange.label_sources.picture_index import split_of
from tasks.exchange.label_sources.set_aside import is_picture
from tasks.exchange.label_sources.written_labels import TOLD
from tasks.exchange.rejects import MANY, alphabet_of, first_rejects, require_pictures, same_beginning
from tasks.exchange.scan import ImportRequest, Listing
from tasks.figures.contact_sheet import mixed_sheet
from tasks.loading.colours.seen import is_coloured
from tasks.loading.decode import Colour, decode_picture, decode_seen
from tasks.loading.safe_read import BadPicture, read_file

PAIRS = "pairs.png"
SHOWN = 5  # pairs in a report
ZEROS = 30  # numbers of which some begin with 0, as a rule
NEEDED = (  # what a split is for, and what to do or what happens without its folder
    ("train", "train` learns from", "make a folder train"),
    ("validation", "train` measures itself on", "it takes one in ten of train's, chosen by their pixels"),
    ("test", "evaluate` reads", "make a folder test, or evaluate with --split all"),
)
TWINS = dict(zip("АВЕКМНОРСТУХаеорсухΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", "ABEKMHOPCTYXaeopcyxABEZHIKMNOPTYXo", strict=True))
ODD = '?*/|#_"\\;,()[]<>'  # marks in place of a letter, or between two readings
TRIED = 25  # files that are tried for them, since some may be no pictures


class Preview:
    """Some labelled pictures from all over a folder.

    Parameters
    ----------
    pairs : sequence of (path, label)

    Attributes
    ----------
    coloured : bool
        Whether the pictures that are shown keep their colours.
    images : list of (h, w) or (h, w, 3) uint8
    unread : list of (path, reason)
        Those that were tried and could not be read.
    """

    def __init__(self, wanted: ImportRequest, pairs: Sequence[tuple[str, str]]):
        self._labels = [label for _, label in pairs]
        self.unread: list[tuple[str, str]] = []
        chosen: list[tuple[str, str]] = []
        inks: list[np.ndarray] = []
        seen: list[np.ndarray] = []
        ordered = sorted(pairs)
        for k in _spread(len(ordered)):
            path, label = ordered[k]
            try:
                data = read_file(Path(wanted.folder, path), follow=False)
                shown = [] if wanted.colour is Colour.GREY else [decode_seen(data)]
                inks += [] if wanted.colour is Colour.KEEP else [decode_picture(data, wanted.invert)]
            except BadPicture as error:
                self.unread.append((path, str(error)))
                continue
            seen += shown
            chosen.append((path, label))
            if len(chosen) == SHOWN:
                break
        self._chosen = chosen
        self.coloured = wanted.colour is Colour.KEEP or any(map(is_coloured, seen))
        self.images = seen if self.coloured else inks

    def pairs(self) -> list[dict[str, str]]:
        """Return path and label of each picture that is shown."""
        return [{"picture": path, "label": label} for path, label in sorted(self._chosen)]

    def lengths(self) -> dict[str, int]:
        """Count the labels of each length."""
        return {str(length): count for length, count in sorted(Counter(map(len, self._labels)).items())}

    def lengths_told(self) -> str:
        """Return the lengths as people read them."""
        return ", ".join(f"{count:,} of {length}" for length, count in self.lengths().items())

    def write_sheet(self, file: Path) -> None:
        """Write a contact sheet of the pictures with their labels and paths.

        Raises
        ------
        NoSpace, Unwritable
        """
        captions = [f"{label}\n{path}" for path, label in self._chosen]
        atomic.replace(file, mixed_sheet(self.images, captions, columns=SHOWN))


def _spread(count: int) -> list[int]:
    """Return the places of some of `count` pairs: `SHOWN` from all over, then others between them."""
    places: list[int] = []
    for many in (SHOWN, TRIED):
        step = (count - 1) / max(1, min(many, count) - 1)
        places += [round(k * step) for k in range(min(many, count))]
    return list(dict.fromkeys(places))


def notes_of(
    wanted: ImportRequest,
    mended: Counter[str],
    pairs: Sequence[tuple[str, str]],
    twice_split: int = 0,
    contradicting: Sequence[tuple[int, int]] = (),
) -> list[str]:
    """Say what a person should know of the labels, a sentence each.

    Parameters
    ----------
    twice_split : int
        The number of pictures that are in several splits.
    contradicting : sequence of (int, int)
        The places of pictures that are equal files with different labels.
    """
    told = list(wanted.labelling.notes)
    if wanted.labelling.source and (differs := difference(pairs, wanted.labelling.options.tidy)):
        told.append(differs)
    if len(pairs) >= MANY and len({label for _, label in pairs}) == 1:
        told.append(f"all {len(pairs):,} pictures have the label {pairs[0][1]!r}")
    told += _odd_told([label for _, label in pairs])
    if wanted.labelling.source:
        told += _listed_told([label for _, label in pairs], wanted.labelling.options.zeros is not None)
    told += _twins_told(alphabet_of({label for _, label in pairs}))
    if count := mended["blanks"]:
        told.append(
            "1 label had a blank, which is taken out: no picture shows it" if count == 1
            else f"{count:,} labels had blanks, which are taken out: no picture shows them"
        )  # fmt: skip
    if count := mended["unseen"]:
        told.append(f"{count:,} label{'s' * (count > 1)} had invisible characters, which are taken out")
    told += [
        f"{'all ' * (mended[name] == len(pairs) > 1)}{mended[name]:,} label{'s' * (mended[name] > 1)} {what}"
        for name, what in TOLD.items() if mended[name]
    ]  # fmt: skip
    if count := mended["entities"]:
        told.append(f"{count:,} label{'s' * (count > 1)} had entities of HTML, such as &amp;, which are written out")
    if twice := drawn_twice(pairs):
        count, what = twice[0], " and ".join(twice[1][:3])
        told.append(
            f"{count:,} texts have several pictures, {what}: all are taken, and those of one text may "
            "come into both train and test, where scores get too good; if one is only another drawing of the other, "
            "move it away, or import the folder of the one that counts"
        )
    if count := mended["companions"]:
        told.append(
            f"{count:,} picture{'s' * (count > 1)} left out: the name says that it is a mask or a thumbnail of another"
        )
    if count := mended["turned"]:
        told.append(f"{count:,} row{'s' * (count > 1)} had path and label in each other's column, and are put right")
    if count := mended["zeros"]:
        told.append(f"{count:,} label{'s' * (count > 1)} got leading zeros")
    splits = sorted({split for path, _ in pairs if (split := split_of(path))})
    if len(splits) > 1 and not wanted.keep_splits:
        told.append(
            f"folders tell {', '.join(splits[:-1])} and {splits[-1]}; the split follows from the pixels, or from the "
            "folders with --keep-splits"
        )
    told += [
        f"no folder tells {split}, which `captchas {use}: {remedy}"
        for split, use, remedy in NEEDED if wanted.keep_splits and split not in splits
    ]  # fmt: skip
    if contradicting:
        (one, first), (other, second) = (pairs[k] for k in contradicting[0])
        told.append(
            f"{len(contradicting):,} file{'s' * (len(contradicting) > 1)} have another label than an equal file, such "
            f"as {one} with {first!r} and {other} with {second!r}: one of them is wrong"
        )
    if twice_split:
        told.append(f"{twice_split:,} pictures are in more than one split, as equal files: scores will be too good")
    return told


def few_told(splits: Mapping[str, int]) -> list[str]:
    """Say which splits have no picture by chance, as of few pictures, and what lacks them."""
    without = [split for split in ("validation", "test") if not splits[split]]
    uses = {
        "validation": "`captchas train` needs one there",
        "test": "`captchas evaluate` needs one there or --split all",
    }
    return [
        f"no picture came into the split {split}, which gets one in ten: {uses[split]}; import more pictures"
        for split in without
    ]


def _odd_told(labels: Sequence[str]) -> list[str]:
    """Say if some labels have marks as of letters that nobody could read, or are numbers as of classes."""
    asked = 2 * sum(label.endswith(("=", "?")) for label in labels) > len(labels)
    odd = [
        label for label in labels
        if any(mark in ODD or (mark > "\x7f" and unicodedata.category(mark) == "So") for mark in label)
        and not (asked and label[-1] in "=?")
    ]  # fmt: skip
    told = []
    if 0 < 3 * len(odd) < len(labels):
        told.append(f"{len(odd):,} of {len(labels):,} labels have marks that the others lack, such as {odd[0]!r}")
    lower = sum(label.islower() for label in labels)
    upper = sum(label.isupper() for label in labels)
    small, large = (set().union(*filter(case, labels)) for case in (str.islower, str.isupper))
    same_letters = 2 * len({letter.upper() for letter in small} & large) >= min(len(small), len(large))
    one_case = all(label.islower() or label.isupper() or label.upper() == label.lower() for label in labels)
    if (
        len(labels) >= MANY
        and one_case
        and same_letters
        and 10 * min(lower, upper) >= len(labels)
        and max(map(len, labels)) > 1
    ):
        told.append(
            f"{lower:,} labels are in lower case and {upper:,} in upper case, and none has both: if people typed them "
            "so, use --fold-case"
        )
    numbers = {int(label) for label in labels if label.isdecimal() and str(int(label)) == label}
    if len(numbers) > MANY and numbers == {*range(len(numbers))} and all(map(str.isdecimal, labels)):
        told.append(f"labels are numbers from 0 to {len(numbers) - 1}, as of classes: pictures must show these numbers")
    return told


def _listed_told(labels: Sequence[str], sure: bool) -> list[str]:
    """Say what is odd of labels that a file lists; `sure` of their zeros."""
    return _alike_told(labels) + ([] if sure else _zeros_told(labels))


def _alike_told(labels: Sequence[str]) -> list[str]:
    """Say if all labels begin or end with one mark, or begin with one word, which somebody may have put there."""
    if len({*labels}) < MANY:
        return []
    begun = same_beginning(labels)
    begun = begun if len(begun) > 1 else re.sub(r"\w", "", begun)
    ends = {label[-1] for label in labels}
    ended = "" if len(ends) > 1 or ends & {*"=?"} else re.sub(r"\w", "", ends.pop())
    return [
        f"all labels {how} with {mark!r}: if pictures do not show it, take it out of the labels"
        for how, mark in (("begin", begun), ("end", ended)) if mark
    ]  # fmt: skip


def _zeros_told(labels: Sequence[str]) -> list[str]:
    """Say if numbers of several lengths never begin with 0, and few are the shortest, as where zeros were lost."""
    counts = Counter(map(len, labels))
    if len(labels) < ZEROS or len(counts) < 2 or not all(map(str.isdecimal, labels)):
        return []
    shortest = min(counts)
    few = counts[shortest] < counts[shortest + 1] / 4
    if not few or any(label[0] == "0" for label in labels) or "0" not in "".join(labels):
        return []
    return [
        f"no label begins with 0, and the shortest are few ({counts[shortest]:,} of {len(labels):,}), such as "
        f"{min(labels, key=len)!r}: if pictures show a 0 before some, a spreadsheet has taken it away"
    ]


def _twins_told(alphabet: str) -> list[str]:
    """Say which letters of labels have a twin that looks like them, such as a Cyrillic А beside a Latin A."""
    twins = [(letter, unicodedata.normalize("NFKC", letter)) for letter in alphabet]
    wide = [(letter, twin) for letter, twin in twins if twin != letter and len(twin) == 1 and twin.isascii()]
    others = [(letter, TWINS[letter]) for letter in alphabet if TWINS.get(letter, " ") in alphabet]
    told = [
        f"{letter!r} ({unicodedata.name(letter, 'without a name')}) looks like {twin!r}"
        for letter, twin in wide + others
    ]
    more = f" and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
    return (
        [f"letters of labels have twins: {', '.join(told[:SHOWN])}{more}; mend them if pictures show one"]
        if told
        else []
    )


def dry_report(listing: Listing, records: Path) -> dict[str, object]:
    """Write the contact sheet, and report what an import would take; no picture but a few is read.

    Raises
    ------
    BadInput
        An import would refuse the folder: no label is usable, or of all pictures that were tried none can be read.
    """
    wanted = listing.wanted
    # Only the import looks into all files: here into those that are not named as pictures, such as LICENSE.
    pairs = [pair for pair in listing.pairs if PICTURE.search(pair[0]) or is_picture(wanted.folder / pair[0])]
    others = [(path, "is no picture") for path, _ in sorted({*listing.pairs} - {*pairs})]
    rejects = sorted([*listing.rejects, *others])
    require_pictures(wanted.folder, pairs, rejects)
    alphabet = wanted.alphabet or alphabet_of({label for _, label in pairs})
    seen = Preview(wanted, pairs)
    if not seen.images:
        require_pictures(wanted.folder, [], [*seen.unread, *rejects])
    seen.write_sheet(records / PAIRS)
    return {
        "dry_run": True,
        "name": wanted.name,
        "folder": str(wanted.folder),
        "labels": wanted.labelling.as_dict(),
        "pictures": len(pairs),
        "rejected": len(rejects),
        "pairs": seen.pairs(),
        "alphabet": alphabet,
        "label_lengths": seen.lengths(),
        "colour": seen.coloured,
        "notes": notes_of(wanted, listing.mended, pairs),
        "sheet": str(records / PAIRS),
        "rejects": first_rejects(rejects),
        "shown": {"label_lengths": seen.lengths_told()},
    }
