"""Pictures that stand beside others: masks and thumbnails, which show no text of their own, and second drawings."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from tasks.exchange.label_sources.file_formats.label_files import PICTURE

NAMES = {"mask", "masks", "seg", "segmentation", "label", "labels", "gt", "trimap", "thumb", "thumbs", "thumbnail"}
FOLDERS = NAMES | {
    "segmentations", "trimaps", "annotation", "annotations", "groundtruth", "truth", "thumbnails", "preview",
    "previews", "heatmap", "heatmaps",
}  # fmt: skip
ORIGINALS = {"image", "images", "img", "imgs", "picture", "pictures"}  # words for what others are companions of
FEWEST = 3  # companions of a kind
MOST = 2  # folders beside theirs that hold a picture of a companion's name, if none is named images or the like
FITS = 0.9  # share of them that must have the picture that they are of
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
TEXTS = 20_000  # different texts that are looked at for second drawings
TWICE = 0.5  # share of the pictures that must have another drawing
_LAST_WORD = re.compile(r"(.*[-_. ])([^\W\d_]{3,})")  # of a name, such as `noisy`
_Kind = tuple[str, str]  # where such pictures are: a folder, or one and the word in their names


def companions(paths: Sequence[str]) -> dict[str, str]:
    """Return the pictures that are masks or thumbnails of others, each with the picture that it is of.

    A folder (`masks/7.png` beside `images/7.png`; `train_masks`, `SegmentationClass`, `thumbs`) or a word at the
    beginning or the end of names (`7_mask.png` beside `7.png`) says so, if nine of ten of its pictures have one that
    they may be of. The tenth has ''.

    Parameters
    ----------
    paths : sequence of str
        Relative to the folder, with forward slashes. Files of other kinds are passed over.
    """
    folders = {folder: _role(folder) for folder in {path.rpartition("/")[0] for path in paths}}
    kinds: dict[str, _Kind] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        if (word := folders[folder] or _word(name)) and PICTURE.search(path):
            kinds[path] = (folder, "" if folders[folder] else word)
    if not kinds:
        return {}
    whole = Counter(kinds.values())
    originals = _Originals([path for path in paths if path not in kinds and PICTURE.search(path)])
    found = {path: originals.of(path, folders[path.rpartition("/")[0]]) for path in kinds}
    fitting = Counter(kinds[path] for path, original in found.items() if original)
    sure = {kind for kind, count in fitting.items() if count >= max(FEWEST, FITS * whole[kind])}
    return {path: original for path, original in found.items() if kinds[path] in sure}


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


def _role(folder: str) -> str:
    """Return the innermost folder of a path that is named as one of companions; '' if none is."""
    return next((name for name in reversed(folder.split("/")) if not FOLDERS.isdisjoint(_words(name))), "")


def _word(name: str) -> str:
    """Return the word at the end or the beginning of a picture's name that says that it is a companion; else ''."""
    words = _words(PICTURE.sub("", name))
    return next((word for word in (words[-1:] + words[:1]) if word in NAMES), "") if len(words) > 1 else ""


def _bare(name: str) -> str:
    """Return a picture's name without its suffix and the words for what it is."""
    stem = PICTURE.sub("", name)
    for words in (NAMES, ORIGINALS):
        edges = "|".join(sorted(words, key=len, reverse=True))
        stem = re.sub(rf"^(?:{edges})[-_. ]+|[-_. ]+(?:{edges})$", "", stem, flags=re.IGNORECASE)
    return stem


class _Originals:
    """The pictures that companions may be of, by their places."""

    def __init__(self, paths: Sequence[str]):
        self._there: dict[tuple[str, ...], str] = {}
        self._beside: dict[tuple[str, ...], list[str]] = {}  # with any one folder in the place of an empty one
        for path in paths:
            *folders, name = path.split("/")
            bare = _bare(name)
            self._there.setdefault((*folders, bare), path)
            for place in range(len(folders)):
                self._beside.setdefault((*folders[:place], "", *folders[place + 1 :], bare), []).append(path)

    def of(self, path: str, role: str) -> str:
        """Return the picture that a companion is of; '' for none. `role` is the folder that says what it is, or ''."""
        *folders, name = path.split("/")
        bare = _bare(name)
        if not role:
            return self._there.get((*folders, bare), "")
        place = len(folders) - 1 - folders[::-1].index(role)
        beside = self._beside.get((*folders[:place], "", *folders[place + 1 :], bare), [])
        if len(beside) > MOST:  # as in a folder a word, one of which is mask
            beside = [other for other in beside if not ORIGINALS.isdisjoint(_words(other.split("/")[place]))]
        return next(iter(beside), "") or self._there.get((*folders[:place], *folders[place + 1 :], bare), "")


def drawn_twice(pairs: Sequence[tuple[str, str]]) -> tuple[int, tuple[str, ...]] | None:
    """Return how many texts stand in several drawings, and what tells these apart; None if few do.

    Their paths differ in one folder (`noisy/BONE.png`, `clean/BONE.png`), in the last word of the name or in the
    suffix, and their labels are equal. Single letters do not count: fonts and people repeat them.

    Parameters
    ----------
    pairs : sequence of (path, label)
    """
    labels = sorted({label for _, label in pairs if len(label) > 1})
    chosen = {*labels[:: max(1, len(labels) // TEXTS)]}
    some = [(path, label) for path, label in pairs if label in chosen]
    together: dict[tuple[str, ...], set[str]] = {}
    for path, label in some:
        for *key, told in _told_apart(path):
            together.setdefault((label, *key), set()).add(told)
    several = Counter(tuple(sorted(told)) for told in together.values() if len(told) > 1)
    what, count = several.most_common(1)[0] if several else ((), 0)
    least = max(2 * FEWEST, TWICE * len(some))
    return (count * len(labels) // len(chosen), what) if count * len(what) >= least else None


def _told_apart(path: str) -> Iterator[tuple[str, str, str]]:
    """Yield what remains of a path without a folder, without the last word of its name and without its suffix."""
    *folders, name = path.split("/")
    for place, folder in enumerate(folders):
        yield "/".join(folders[:place]), "/".join([*folders[place + 1 :], name]), f"{folder}/"
    stem = PICTURE.sub("", name)
    if stem != name:
        yield "/".join(folders), stem, name.removeprefix(stem)
    if found := _LAST_WORD.fullmatch(stem):
        yield "/".join([*folders, found[1]]), name.removeprefix(stem), f"…{found[2]}"
