"""A file beside each picture that holds its label: a text, or an annotation in XML or JSON."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from storage.errors import BadInput
from storage.files.small_files import read_small
from tasks.exchange.label_sources.doubtful import ReadersAnswers, of_service
from tasks.exchange.label_sources.file_formats.annotations import Shape, joined, require_texts, xml_rows
from tasks.exchange.label_sources.file_formats.json_entries import entry_of
from tasks.exchange.label_sources.file_formats.label_files import PICTURE, XML, decode, entries_table
from tasks.exchange.label_sources.file_formats.letter_order import in_line
from tasks.exchange.label_sources.file_formats.tool_exports import SIDE
from tasks.exchange.label_sources.label_columns import resolve
from tasks.exchange.label_sources.picture_index import ListedLabels, Match, PictureIndex

TEXTS = (".gt.txt", ".txt", ".caption", ".lab", ".label", ".box")
ANNOTATIONS = (XML, ".json")
BESIDE = (*TEXTS, *ANNOTATIONS)  # the ends of the files' names, the first that most pictures have counts
OWN = "path"  # the column of the picture's own path
FOLDERS = 5  # with a picture and a text each, at least, for texts that share no name with their pictures
_MADE = re.compile(r"\.(?:bin|nrm|raw|col|dewarp|gray)$")  # what OCRopus and Kraken make of a picture
# A line: class and box. Here and below a text is matched in one way only, since a foreign line may be long.
BOX = re.compile(r"\d{1,6}( -?(?:\d+(?:\.\d+)?|\.\d+)){4,}")
SURE_BOX = 6  # numbers of a box with a confidence; outlines have an odd count
_LIST = re.compile(r"^names:\s*\[", re.MULTILINE)
_MAP = re.compile(r"^names:\s*\{([^}]*)\}", re.MULTILINE)
_LINES = re.compile(r"^names:[ \t]*\r?\n((?:[ \t]*(?:-|\d+:)[ \t]*.*\r?\n?)+)", re.MULTILINE)
_CORNERS = re.compile(r'((?:\s*-?\d+(?:\.\d+)?\s*,){8}|(?:\s*-?\d+\s*,){4})\s*"?(.*)')  # ICDAR: and a text
_TESSERACT = re.compile(r"(\S+) (\d+) \d+ \d+ \d+ \d+(?: #(.*))?")  # a letter and its box, or WordStr and a text
_ROLES = {"label", "labels", "image", "img", "gt", "text", "txt", "caption", "truth", "groundtruth", "captcha"}


def texts_beside(paths: Sequence[str], end: str) -> dict[str, str]:
    """Return the text file of each picture: of the same name beside it, or in another folder such as labels/."""
    if not any(path.endswith(end) for path in paths):
        return {}
    index = PictureIndex([path for path in paths if not path.endswith(end)])
    found: dict[str, str] = {}
    for match in (Match.STEM, Match.NAME_STEM):
        for path in paths:
            if (
                path.endswith(end)
                and len(pictures := index.find(match, path.removesuffix(end).removesuffix(SIDE))) == 1
            ):
                found.setdefault(pictures[0], path)
        if found:
            return found
    for key in (_made_of, _role_of, _folder_of):
        if found := _alike(paths, end, key):
            return found
    return {}


def _alike(paths: Sequence[str], end: str, key: Callable[[str], str]) -> dict[str, str]:
    """Return the text of each picture that has its key; {} if one may be of several pictures, unless made so."""
    texts: dict[str, list[str]] = {}
    pictures: dict[str, list[str]] = {}
    for path in paths:
        if path.endswith(end):
            texts.setdefault(key(path.removesuffix(end)), []).append(path)
        elif PICTURE.search(path):
            pictures.setdefault(key(PICTURE.sub("", path)), []).append(path)
    shared = {name: of for name, of in pictures.items() if name and len(texts.get(name, [])) == 1}
    several = any(len(of) > 1 for of in shared.values())
    least = FOLDERS if key is _folder_of else 2 if key is _role_of else 1
    if (several and key is not _made_of) or len(shared) < least or 2 * len(shared) < len(pictures):
        return {}
    return {path: texts[name][0] for name, of in shared.items() for path in of}


def _made_of(stem: str) -> str:
    """Return the name before what a tool put behind it: `0001.bin` and `0001.nrm` are made of `0001`."""
    return _MADE.sub("", stem)


def _role_of(stem: str) -> str:
    """Return a name without the words for what a file is: `image-0001` and `label-0001` are alike."""
    folder, _, name = stem.rpartition("/")
    parts = [part for part in re.split(r"[-_. ]", name) if part.lower() not in _ROLES]
    return f"{'/'.join(part for part in folder.split('/') if part.lower() not in _ROLES)}/{'-'.join(parts)}"


def _folder_of(stem: str) -> str:
    """Return the folder: `0001/captcha` and `0001/label` are alike."""
    return stem.rpartition("/")[0]


def labels_beside(folder: Path, paths: Sequence[str], end: str, columns: tuple[str, str] | None = None) -> ListedLabels:
    """Read the labels of pictures from the files beside them.

    Parameters
    ----------
    paths : sequence of str
        Of pictures and other files, relative to the folder.
    end : str
        Of `BESIDE`, or of another kind of texts.
    columns : (path, label), optional
        The fields of annotations.

    Raises
    ------
    BadInput
        A file cannot be read; or they hold boxes, or several fields that may be the label.
    """
    found = texts_beside(paths, end)
    return _annotated(folder, found, end, columns) if end in ANNOTATIONS else _texts(folder, found, end, paths)


def _texts(folder: Path, found: dict[str, str], end: str, paths: Sequence[str]) -> ListedLabels:
    lines = {path: _own(path, _text(folder / text)).splitlines() for path, text in found.items()}
    if places := {path: text for path, some in lines.items() if (text := text_of_boxes(some, end)) is not None}:
        return ListedLabels(folder, dict.fromkeys(lines, "") | places)
    if sum(map(are_boxes, lines.values())) * 2 <= len(lines):
        return ListedLabels(folder, {path: "\n".join(text) for path, text in lines.items()})
    if all(len(line.split()) == SURE_BOX for text in lines.values() if are_boxes(text) for line in text):
        raise BadInput(
            f"labels: the {end} files hold boxes with a confidence each (class, x, y, width, height, confidence), so a "
            "detector's answers, and some may be wrong; if you have looked at them, take the sixth numbers away"
        )
    read: dict[str, dict[str, str]] = {}
    for file in names_files(paths):
        names = class_names(_text(folder / file), file)
        labels = {path: letters_of(text, names) if are_boxes(text) else "" for path, text in lines.items()}
        if any(labels.values()):
            read[file] = labels
    for file, labels in read.items():
        other, rest = next(((name, of) for name, of in read.items() if of != labels), ("", labels))
        if other:
            path = next(path for path in labels if labels[path] != rest[path])
            raise BadInput(
                f"labels: {file} and {other} name the classes differently: by them {path} shows {labels[path]!r} or "
                f"{rest[path]!r}; take the wrong one away"
            )
        return ListedLabels(folder, labels)
    raise BadInput(
        f"labels: the {end} files hold boxes (class, x, y, width, height), not the texts of pictures, and no "
        "classes.txt, .names or .yaml says which letter each class is; give the labels with --labels FILE, or "
        "--pattern if they are in the names"
    )


def _own(path: str, text: str) -> str:
    """Return a text without the name of its own picture, which some tools write before the label."""
    mark = next((mark for mark in "\t,; " if mark in text.strip()), " ")
    first, _, rest = text.strip().partition(mark)
    return rest.strip() if PICTURE.search(first) and _base(first) == _base(path) else text.strip()


def _base(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]


def _annotated(folder: Path, found: dict[str, str], end: str, columns: tuple[str, str] | None) -> ListedLabels:
    rows = []
    for path, text in found.items():
        name = f"labels {folder / text}"
        data = _bytes(folder / text)
        fields = (xml_rows(data, name) or [{}])[0] if end == XML else entry_of(decode(data, name), name)
        # What the file says of the picture's place may be of another machine.
        told = {key: value for key, value in fields.items() if key != OWN and not PICTURE.search(value)}
        rows.append({OWN: path} | told)
    require_texts(rows, f"labels: the {end} files beside the pictures")
    field = "" if columns else of_service([name for row in rows for name in row])
    if field:
        raise ReadersAnswers(
            f"labels: the {end} files beside the pictures hold a reader's answers, and some may be wrong; if you have "
            f"looked at them, take them with --columns path,{field}"
        )
    return resolve(entries_table(folder / f"*{end}", rows), PictureIndex(list(found)), columns=columns)


def _text(file: Path) -> str:
    return decode(_bytes(file), f"labels {file}")


def _bytes(file: Path) -> bytes:
    try:
        return read_small(file, f"labels {file}")
    except OSError as error:
        raise BadInput(f"labels {file}: cannot be read ({error.strerror})") from error


# Boxes of letters: of YOLO, whose classes have their names in a file of their own, of ICDAR and of Tesseract ----------


def text_of_boxes(lines: Sequence[str], end: str = "") -> str | None:
    """Return the text of the boxes of ICDAR or, in a `.box`, of Tesseract, each of which has its own text.

    That is one box of all, or letters from left to right; '' for several texts, None for lines that are no such boxes.
    """
    shape = _TESSERACT if end == ".box" else _CORNERS
    boxes = [line for text in lines if (line := text.lstrip("\ufeff")).strip() and line[0] != "\t"]  # a tab ends a line
    found = [match for line in boxes if (match := shape.fullmatch(line))]
    if not found or len(found) < len(boxes):
        return None
    if shape is _TESSERACT:
        shapes = [Shape(float(match[2]), {"": match[3] or match[1]}) for match in found]
    else:
        told = [(match[1].split(",")[:-1], match[2].rstrip().removesuffix('"')) for match in found]
        places = [(list(map(float, place)), text) for place, text in told]
        shapes = [Shape(min(place[::2]), {"": text}) for place, text in places if text != "###"]
    return joined({}, shapes).get("", "")  # which leaves out what is too long


def are_boxes(lines: Sequence[str]) -> bool:
    """Return whether the lines of a file are boxes."""
    return bool(lines) and all(map(BOX.fullmatch, lines)) and any("." in line for line in lines)


def names_files(paths: Sequence[str]) -> list[str]:
    """Return the files that may name the classes: classes.txt, obj.names, data.yaml; the shortest path first."""
    wanted = re.compile(r"(?:^|/)(?:classes\.txt|[^/]*\.names|[^/]*\.ya?ml)$")
    return sorted((path for path in paths if wanted.search(path)), key=lambda path: (path.count("/"), path))


def class_names(text: str, path: str) -> list[str]:
    """Return the names of the classes, in order; [] if the file names none."""
    if not path.endswith((".yaml", ".yml")):
        lines = [line.strip() for line in text.split("\n") if line.strip()]
        numbered = [re.fullmatch(r"\d+[:;, \t]+(\S)", line) for line in lines]
        return [match[1] for match in numbered if match] if all(numbered) else lines
    found = _LIST.search(text)
    if found and (end := text.find("]", found.end())) >= 0:
        items = re.findall(r"'([^']*)'|\"([^\"]*)\"|([^,\s]+)", text[found.end() : end])
        return ["".join(item) for item in items]
    if found := _MAP.search(text):
        return [one.strip("'\"") for _, one in re.findall(r"(\d+):\s*('[^']*'|\"[^\"]*\"|[^,}\s]+)", found[1])]
    found = _LINES.search(text)
    lines = found[1].splitlines() if found else []
    return [re.sub(r"^[ \t]*(?:-|\d+:)[ \t]*", "", line).strip().strip("'\"") for line in lines]


def letters_of(lines: Sequence[str], names: Sequence[str]) -> str:
    """Return the text of boxes from left to right; '' if a class has no name, or one that is no letter."""
    boxes = [(float(line.split()[1]), int(line.split()[0])) for line in lines]
    found = [(left, names[number] if number < len(names) else "") for left, number in sorted(boxes)]
    return in_line(found) if all(len(name) == 1 for _, name in found) else ""
