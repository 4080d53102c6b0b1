"""Files that may hold labels and are not read for them: none is passed over in silence, and no other file asks."""

import hashlib
import json
import os
import random
import socket
from pathlib import Path

import pytest

from storage.errors import BadInput
from tasks.exchange.labels import find_labels
from tasks.exchange.preview import few_told, notes_of
from tasks.exchange.scan import ImportRequest, Listing

N = 20
CHANCE = random.Random(16)
IDS = sorted({"".join(CHANCE.choice("abcdefghkmnprsuvwxyz23456789") for _ in range(4)) + "7" for _ in range(N)})
LABELS = ["".join(CHANCE.choice("ABCDEFGHJKLMNPRSTUVWXYZ") for _ in range(5)) for _ in IDS]
ROWS = [(f"{name}.png", label) for name, label in zip(IDS, LABELS, strict=True)]
TABLE = "".join(f"{path},{label}\n" for path, label in ROWS)


def put(folder: Path, files: dict[str, str | bytes], pictures: list[str] | None = None) -> Path:
    for k, name in enumerate(pictures or [path for path, _ in ROWS]):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(900 + 17 * k))
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    return folder


def read(folder: Path, pattern: str | None = None) -> Listing:
    return Listing(ImportRequest(folder, "mine", find_labels(folder, None, pattern)))


def notes(found: Listing) -> list[str]:
    return list(found.wanted.labelling.notes)


def labels_of(found: Listing) -> dict[str, str]:
    return {path: label for path, label in found.pairs if path.endswith(".png")}


def refusal(folder: Path) -> str:
    with pytest.raises(BadInput) as error:
        read(folder)
    assert "--pattern" in str(error.value)
    assert labels_of(read(folder, "whole")) == {f"{name}.png": name for name in IDS}
    return str(error.value)


# Entries that are no regular files, or hidden -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["labels.csv", "labels.txt", "answers.json", "gt.txt", "labels", "labels.xlsx"])
@pytest.mark.parametrize("kind", ["folder", "pipe", "socket", "link to nothing", "link to a device", "link to a file"])
def test_an_entry_named_as_labels_that_is_no_file_is_refused_by_name(tmp_path, in_time, name, kind):
    folder = put(tmp_path / "shots", {})
    place = folder / name
    if kind == "folder":
        if name == "labels":
            return  # an empty folder of a plain name
        place.mkdir()
    elif kind == "pipe":
        os.mkfifo(place)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as made:
            here = Path.cwd()
            os.chdir(folder)  # a socket's path is short
            made.bind(name)
            os.chdir(here)
    else:
        (tmp_path / "elsewhere").write_text(TABLE)
        place.symlink_to({"nothing": "gone", "device": "/dev/zero", "file": "../elsewhere"}[kind.split()[-1]])
    said = refusal(folder)
    assert str(place) in said
    assert {"folder": "is a folder", "pipe": "a pipe", "socket": "a socket", "link to a device": "a device"}.get(
        kind, "is a symbolic link"
    ) in said


def test_a_hidden_file_of_labels_is_refused_by_name(tmp_path):
    assert ".labels.csv: is hidden" in refusal(put(tmp_path, {".labels.csv": TABLE}))


def test_a_link_to_a_folder_of_labels_is_refused(tmp_path):
    put(tmp_path / "elsewhere", {f"{path[:-4]}.txt": label for path, label in ROWS})
    (put(tmp_path / "shots", {}) / "labels").symlink_to("../elsewhere")
    assert "labels: is a symbolic link" in refusal(tmp_path / "shots")


def test_entries_named_as_labels_are_told_where_labels_come_from_another_file(tmp_path):
    put(tmp_path, {"answers.csv": TABLE})
    (tmp_path / "labels.csv").symlink_to("answers.csv")
    found = read(tmp_path)
    assert labels_of(found) == dict(ROWS)
    assert any(note.startswith("labels.csv: not used; it is a symbolic link") for note in notes(found))


@pytest.mark.parametrize("texts", ["labels.csv/train.csv", "labels/answers.csv", "labels.txt/train.txt"])
def test_a_folder_of_labels_is_read(tmp_path, texts):
    assert labels_of(read(put(tmp_path, {texts: TABLE.replace(",", "\t" if "txt" in texts else ",")}))) == dict(ROWS)


def test_a_folder_of_pictures_may_have_any_name(tmp_path):
    found = read(put(tmp_path, {}, [f"labels.csv/{label}.png" for label in LABELS]))
    assert labels_of(found) == {f"labels.csv/{label}.png": label for label in LABELS}


def test_entries_that_programs_leave_ask_nothing(tmp_path):
    put(tmp_path, {"._labels.csv": "x", ".labels.csv.swp": "x", ".~lock.labels.csv#": "x", ".label.cache": "x"})
    (tmp_path / ".#labels.csv").symlink_to("user@host.17")
    (tmp_path / "train").symlink_to(tmp_path.with_name("pictures"))
    (tmp_path / "@eaDir" / "labels.csv").mkdir(parents=True)
    (tmp_path / "label_1.png").symlink_to(ROWS[0][0])
    (tmp_path / "labels").mkdir()
    found = read(tmp_path)
    assert labels_of(found) == {f"{name}.png": name for name in IDS}
    assert notes(found) == []


# Files of other kinds -------------------------------------------------------------------------------------------------

SAID = "".join(f"{path[:-4]} = {label}\n" for path, label in ROWS)  # without suffixes
BINARY = b"\x0a\x01\x00\xff\xfe\x80".join(f"{path}\t{label}".encode() for path, label in ROWS)
PAGE = "<!DOCTYPE html><html>" + "".join(f'<img src="a/{path}?x=1">{label}<br>' for path, label in ROWS) + "</html>"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        *(
            (f"labels{kind}", TABLE)
            for kind in (
                ".csv.bak", ".csv.old", ".csv~", ".txt.bak", ".data", ".cfg", ".plist", ".properties", ".map", ".out",
                ".ts", ".mjs", ".lua", ".rb", ".tex", ".gsheet", ".env", ".srt", ".vtt", ".ipynb", ".xyz",
            )
        ),
        *((f"labels{kind}", SAID) for kind in (".ts", ".lua", ".env", ".rb", ".xyz")),
        *(
            (f"labels{kind}", b"\x00\x01\xff\xfe\x80")
            for kind in (".tfrecord", ".bin", ".lmdb", ".record", ".xlsb", ".duckdb", ".orc", ".rds", ".sav", ".dta")
        ),
        ("labels.tfrecord-00000-of-00002", b"\x00\xff"),
        ("data.mdb", b"\x00\xff"),
        ("store.xyz", BINARY),
        ("README.md", "# Shots\n\n" + "".join(f"| {path} | {label} |\n" for path, label in ROWS)),
        ("README.md", "# Shots\n\n" + "".join(f"| {path[:-4]} | {label} |\n" for path, label in ROWS)),
        ("README", "".join(f"{path[:-4]} {label}\n" for path, label in ROWS)),
        ("README.md", "".join(f"## {path}\n\n{label}\n\n" for path, label in ROWS)),
        ("index.html", PAGE),
        ("captcha.log", "".join(f"2024-01-05 10:00:00 INFO {path}: {label}\n" for path, label in ROWS)),
        ("captcha.log", "".join(f"2024-01-05 INFO {path}: {label}\n" for path, label in ROWS[: N // 2 + 1])),
        ("solved.txt", "".join(f"the {path} shows {label}{' now' * (label > 'M')}\n" for path, label in ROWS)),
        ("notes.json", "// " + json.dumps(dict(ROWS))[:-1]),
        ("shots.txt", TABLE + "".join(f"other{k}.png,ABCDE\n" for k in range(9 * N))),
    ],
)  # fmt: skip
def test_a_file_that_may_hold_labels_is_never_passed_over(tmp_path, name, data):
    """It is read, or refused by name with a remedy."""
    put(tmp_path, {name: data})
    try:
        found = read(tmp_path)
    except BadInput:
        assert name in refusal(tmp_path)
    else:
        assert labels_of(found) == dict(ROWS)


CHECKSUMS = "".join(f"{hashlib.sha256(path.encode()).hexdigest()}  {path}\n" for path, _ in ROWS)
QUIET: dict[str, tuple[str, str | bytes]] = {
    "a viewer's index": ("Thumbs.db", BINARY),
    "another viewer's index": ("ZbThumbnail.info", BINARY),
    "a Mac's": (".DS_Store", BINARY),
    "a viewer's list": ("Picasa.ini", TABLE),
    "a licence": ("LICENSE", "Permission is hereby granted, free of charge\n" * 40),
    "a licence with a suffix": ("LICENSE.md", "Permission is hereby granted, free of charge\n" * 40),
    "requirements": ("requirements.txt", "numpy==1.26.4\npillow>=10\n"),
    "a README with examples": ("README.md", f"`{ROWS[0][0]}` shows {LABELS[0]}; {ROWS[1][0]} is hard.\n" * 30),
    "a log of a few": ("captcha.log", "".join(f"{path} saved\n" for path, _ in ROWS[:4]) * 30),
    "a log of a generator": (
        "made.log",
        "".join(f"2024-01-05 10:00:{k:02d} wrote {p}\n" for k, (p, _) in enumerate(ROWS)),
    ),
    "a small file of facts": ("metadata.info", "version 1"),
    "a log of a training": ("train.log", "".join(f"step {k:05d} loss 0.{k}\n" for k in range(900))),
    "a program": ("train.py", "import numpy\nprint('label')\n" * 50),
    "a notebook": ("notebook.ipynb", json.dumps({"cells": [{"source": [f"open('{ROWS[0][0]}')"]}]}) * 20),
    "a font": ("labels.ttf", b"\x00\x01\x00\x00" * 90),
    "a list of classes": ("label_map.pbtxt", "item { id: 1 name: 'A' }\n" * 30),
    "a cache of YOLO": ("labels.cache", b"\x93NUMPY" + BINARY),
    "an empty file": ("labels.bak", b""),
    "a page without pictures": ("index.html", "<html>Hello</html>" * 90),
    "an archive": ("captchas.zip", b"PK\x03\x04" + bytes(999)),
    "YAML of a project": ("config.yaml", "rate: 0.1\n" * 90),
    "a picture of another format": ("label_7.psd", b"8BPS" + bytes(90)),
}


@pytest.mark.parametrize("case", QUIET)
def test_files_that_hold_no_labels_ask_nothing(tmp_path, case):
    name, data = QUIET[case]
    found = read(put(tmp_path, {name: data}))
    assert labels_of(found) == {f"{name}.png": name for name in IDS}
    assert notes(found) == []


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("SHA256SUMS", CHECKSUMS),
        ("SHA256SUMS.txt", CHECKSUMS),
        ("md5.txt", "".join(f"{hashlib.md5(path.encode()).hexdigest()} *{path}\n" for path, _ in ROWS)),
        ("CHECKSUMS", "".join(f"SHA256 ({path}) = {hashlib.sha256(path.encode()).hexdigest()}\n" for path, _ in ROWS)),
        ("shots.md5", "".join(f"{hashlib.md5(path.encode()).hexdigest()}  {path}\n" for path, _ in ROWS)),
        ("shots.sfv", "; made by x\n" + "".join(f"{path} {k:08X}\n" for k, (path, _) in enumerate(ROWS))),
    ],
)
def test_checksums_are_at_most_told(tmp_path, name, data):
    found = read(put(tmp_path, {name: data}))
    assert labels_of(found) == {f"{name}.png": name for name in IDS}
    assert all(note.startswith(f"{name}: not used") for note in notes(found))


def test_a_backup_of_the_file_of_labels_is_no_other(tmp_path):
    found = read(put(tmp_path, {"labels.csv": TABLE, "labels.csv.bak": TABLE[:90], "labels.csv~": TABLE[:90]}))
    assert labels_of(found) == dict(ROWS)
    assert notes(found) == []


def test_what_is_not_read_is_told_beside_a_file_of_labels(tmp_path):
    found = read(put(tmp_path, {"labels.csv": TABLE, "answers.xlsx": b"PK"}))
    assert notes(found) == ["answers.xlsx: not used; it may hold labels, and cannot be read; save it as CSV"]
    folder = put(tmp_path / "b", {f"{path[:-4]}.txt": label for path, label in ROWS} | {"answers.xlsx": b"PK"})
    assert notes(read(folder))[0].startswith("answers.xlsx: not used")


# Files of an unknown kind beside every picture ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "end",
    [".gt", ".ans", ".truth", ".meta", ".info", ".nfo", ".cap", ".lbl", ".tag", ".text", ".transcript", ".answer",
     ".png.gt", ".json.txt", ".foo"],
)  # fmt: skip
@pytest.mark.parametrize("folder", ["", "labels/"])
def test_a_short_text_of_any_kind_beside_each_picture_is_its_label(tmp_path, end, folder):
    found = read(put(tmp_path, {f"{folder}{path[:-4]}{end}": f"{label}\n" for path, label in ROWS}))
    assert dict(found.pairs) == dict(ROWS)
    assert found.rejects == []


@pytest.mark.parametrize(
    ("end", "text"),
    [
        *((end, "label: {}\n") for end in (".yaml", ".yml", ".meta", ".info", ".toml", ".ini")),
        *((end, "{}\n") for end in (".yaml", ".md", ".csv", ".tsv", ".html", ".toml")),
        (".csv", "label\n{}\n"),
        (".html", "<html><body>{}</body></html>\n"),
        (".srt", "1\n00:00:00,000 --> 00:00:01,000\n{}\n"),
        (".nfo", "<movie><title>{}</title></movie>"),
        (".json.txt", '{{"label": "{}"}}'),
        (".gt", "{}\nand more\n"),
    ],
)
def test_other_texts_beside_each_picture_are_refused(tmp_path, end, text):
    put(tmp_path, {f"{path[:-4]}{end}": text.format(label) for path, label in ROWS})
    with pytest.raises(
        BadInput, match=r"beside each picture may hold them: rename these files to \.txt or \.json"
    ) as no:
        read(tmp_path)
    assert f"the {end} beside" in str(no.value)
    assert "--pattern" in str(no.value)


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (".md5", lambda k, path, label: hashlib.md5(path.encode()).hexdigest()),
        (".sha256", lambda k, path, label: f"{hashlib.sha256(path.encode()).hexdigest()}  {path}"),
        (".kind", lambda k, path, label: "captcha"),
        (".conf", lambda k, path, label: f"0.{k + 10}"),
        (".size", lambda k, path, label: str(8 + 900 + 17 * k)),
        (".src", lambda k, path, label: f"https://example.org/captcha?k={k}"),
        (".raw", lambda k, path, label: b"\x00\xff\xfe"),
    ],
)
def test_facts_beside_each_picture_are_told_and_set_aside(tmp_path, end, said):
    files = {f"{path[:-4]}{end}": said(k, path, label) for k, (path, label) in enumerate(ROWS)}
    found = read(put(tmp_path, files))
    assert labels_of(found) == {f"{name}.png": name for name in IDS}
    (note,) = notes(found)
    assert note.startswith(f"a {end} beside each picture: not used; it ")


def test_texts_of_some_pictures_are_refused(tmp_path):
    put(tmp_path, {f"{path[:-4]}.gt": label for path, label in ROWS[:7]})
    assert "7 of 20 pictures have a .gt beside them" in refusal(tmp_path)


def test_a_short_text_counts_where_annotations_hold_facts(tmp_path):
    files = {f"{path[:-4]}.json": json.dumps({"width": 90 + k}) for k, (path, _) in enumerate(ROWS)}
    put(tmp_path, files | {f"{path[:-4]}.gt": label for path, label in ROWS})
    assert labels_of(read(tmp_path)) == dict(ROWS)


def test_texts_of_two_kinds_must_agree(tmp_path):
    put(tmp_path, {f"{path[:-4]}{end}": label for path, label in ROWS for end in (".gt", ".cap")})
    assert dict(read(tmp_path).pairs).items() >= dict(ROWS).items()
    (tmp_path / f"{IDS[3]}.cap").write_text("OTHER")
    with pytest.raises(BadInput, match=r"the \.(cap|gt) beside it says '.*take one kind of files away"):
        read(tmp_path)


def test_texts_of_an_unknown_name_that_differ_from_names_are_asked_about(tmp_path):
    files = {f"{label}.xq": ["easy", "hard"][k % 2] for k, label in enumerate(LABELS)}
    put(tmp_path, files, [f"{label}.png" for label in LABELS])
    with pytest.raises(
        BadInput, match=r"the \.xq beside each picture says '(easy|hard)' of .*rename .*--pattern 'whole'"
    ):
        read(tmp_path)


# Facts about files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fact", ["st_size", "st_mtime", "st_ino"])
@pytest.mark.parametrize("name", ["files.txt", "files.csv", "labels.txt"])
def test_sizes_times_and_numbers_of_files_are_no_labels(tmp_path, fact, name):
    put(tmp_path, {})
    for k, (path, _) in enumerate(ROWS):
        os.utime(tmp_path / path, (1704067200 + 977 * k,) * 2)
    told = {path: int(getattr((tmp_path / path).stat(), fact)) for path, _ in ROWS}
    mark = "," if "csv" in name else " "
    put(tmp_path, {}).joinpath(name).write_text("".join(f"{path}{mark}{number}\n" for path, number in told.items()))
    for k, (path, _) in enumerate(ROWS):
        os.utime(tmp_path / path, (1704067200 + 977 * k,) * 2)
    if name == "labels.txt":
        assert "tells " in refusal(tmp_path)
        return
    found = read(tmp_path)
    assert labels_of(found) == {f"{name}.png": name for name in IDS}
    assert notes(found) == [f"{name}: not used; it holds no labels of these pictures"]


def test_numbers_that_are_labels_are_read(tmp_path):
    labels = {path: f"{1000 + 37 * k % 9000}" for k, (path, _) in enumerate(ROWS)}
    found = read(put(tmp_path, {"answers.txt": "".join(f"{path} {label}\n" for path, label in labels.items())}))
    assert labels_of(found) == labels


NAMED = [f"{path},{label}\n" for path, label in ROWS]
TABLES = {  # of databases, Markdown, spreadsheets and people, with lines that are no rows
    "labels.csv: a comment": ["// made by hand\n", "file,label\n", *NAMED],
    "labels.csv: two comments": ["% a set\n", "% of 2024\n", "file,label\n", *NAMED],
    "labels.csv: a title": ["Labels by Bob\n", "\n", "file,label\n", *NAMED],
    "labels.csv: a count": ["file,label\n", *NAMED, "(20 rows)\n"],
    "labels.csv: a sum": ["file,label\n", *NAMED, "Total: 20\n"],
    "labels.txt: MySQL": [
        "+---+---+\n", "| file | code |\n", "+---+---+\n", *(f"| {p} | {v} |\n" for p, v in ROWS), "+---+---+\n",
    ],
    "labels.txt: Postgres": [" file | code\n", "------+------\n", *(f" {p} | {v}\n" for p, v in ROWS), "(20 rows)\n"],
    "labels.txt: Markdown": ["| file | label |\n", "|:---|---:|\n", *(f"| {p} | {v} |\n" for p, v in ROWS)],
    "labels.txt: reStructuredText": [
        "==== ====\n", "file label\n", "==== ====\n", *(f"{p} {v}\n" for p, v in ROWS), "==== ====\n",
    ],
    "chars.csv: a letter a row": [
        "filename,char_index,char\n", *(f"{p},{k},{c}\n" for p, v in ROWS for k, c in reversed([*enumerate(v)])),
    ],
}  # fmt: skip


@pytest.mark.parametrize("case", TABLES)
def test_lines_that_are_no_rows_are_passed_over(tmp_path, case):
    found = read(put(tmp_path, {case.partition(":")[0]: "".join(TABLES[case])}))
    assert labels_of(found) == dict(ROWS)
    assert found.rejects == []


@pytest.mark.parametrize("row", ["more.png\n", "2\n", "ABCD\n"])
def test_a_row_without_a_label_is_told(tmp_path, row):
    """It may have been cut off, and is no count of rows."""
    put(tmp_path, {"labels.csv": "".join(["file,label\n", *NAMED, row])})
    with pytest.raises(BadInput, match=r"labels\.csv, line 22: has 1 columns of 2"):
        read(tmp_path)


def test_rows_of_letters_without_their_places_are_told(tmp_path):
    put(tmp_path, {"chars.csv": "file,letter\n" + "".join(f"{p},{c}\n" for p, v in ROWS for c in v)})
    with pytest.raises(BadInput, match=r"lines 2 and 3: both label .*if each row is a letter, write their places"):
        read(tmp_path)


def test_a_name_of_two_pictures_with_two_labels_asks_for_the_folder(tmp_path):
    rows = [f"{path},{label}\n" for path, label in ROWS]
    other = [f"{path},{label[::-1]}X\n" for path, label in ROWS]
    put(
        tmp_path,
        {"labels.csv": "file,label\n" + "".join([*rows, *other])},
        [f"{s}/{p}" for s in ("train", "test") for p, _ in ROWS],
    )
    with pytest.raises(
        BadInput, match=r"which may be test/.*\.png or train/.*\.png; write the folder before each name"
    ):
        read(tmp_path)


def test_bytes_that_are_no_text_are_told_and_not_shown(tmp_path):
    put(tmp_path, {"train-labels-idx1-ubyte": b"\0\0\x08\x01\0\0\0\x14" + bytes(range(20))})
    with pytest.raises(BadInput, match="is no text, as it has characters of zero; write path and label"):
        read(tmp_path)


def test_edges_of_boxes_are_not_offered_as_labels(tmp_path):
    edges = {"x": 100, "y": 25, "width": 180, "height": 40}
    rows = [{"image": path, "annotations": [{"label": "captcha", "coordinates": edges}]} for path, _ in ROWS]
    put(tmp_path, {"_annotations.createml.json": json.dumps(rows)})
    with pytest.raises(BadInput, match="say 'captcha' of all 20 pictures, as of a class"):
        read(tmp_path)


def test_two_alphabets_of_one_case_each_are_no_mistake(tmp_path):
    cyrillic = ["".join(chr(0x430 + ord(c) - 65) for c in label) for label in LABELS[:10]]
    put(tmp_path, {}, [f"{label}.png" for label in [*cyrillic, *LABELS[10:]]])
    found = read(tmp_path)
    assert not any("--fold-case" in note for note in notes_of(found.wanted, found.mended, found.pairs))


def test_splits_without_a_picture_are_told():
    validation, test = few_told({"train": 5, "validation": 0, "test": 0})
    assert "no picture came into the split validation, which gets one in ten: `captchas train` needs one" in validation
    assert "`captchas evaluate` needs one there or --split all; import more pictures" in test
    assert few_told({"train": 30, "validation": 4, "test": 6}) == []


WRAPPED = {
    "a version beside the entries": {"version": 1, "created": "2024", "labels": dict(ROWS)},
    "classes and a split beside the entries": {"classes": ["A", "B"], "train": IDS[:9], "labels": dict(ROWS)},
    "entries of objects": {"version": 1, "labels": {path: {"text": label} for path, label in ROWS}},
}


@pytest.mark.parametrize("case", WRAPPED)
def test_entries_of_pictures_beside_other_fields_are_read(tmp_path, case):
    assert labels_of(read(put(tmp_path, {"labels.json": json.dumps(WRAPPED[case])}))) == dict(ROWS)


def test_rows_in_quotes_as_a_whole_are_read(tmp_path):
    rows = ['"file,label"\n', *(f'"{path},{label}"\r\n' for path, label in ROWS)]
    assert labels_of(read(put(tmp_path, {"labels.csv": "".join(rows)}))) == dict(ROWS)


def test_a_lexicon_beside_the_tag_is_no_label(tmp_path):
    """As SVT's lists of words that a picture may show."""
    box = '<taggedRectangle height="9" width="9" x="1" y="1"><tag>{}</tag></taggedRectangle>'
    facts = "<imageName>{}</imageName><address>1 Main St</address><lex>A,B,{}</lex>"
    images = "".join(
        f"<image>{facts.format(path, label)}<taggedRectangles>{box.format(label)}</taggedRectangles></image>"
        for path, label in ROWS
    )
    assert labels_of(read(put(tmp_path, {"train.xml": f"<tagset>{images}</tagset>"}))) == dict(ROWS)


def test_a_list_without_names_is_told(tmp_path):
    put(tmp_path, {"labels.json": json.dumps(LABELS)})
    with pytest.raises(BadInput, match="is a list without names of pictures; write path and label of each"):
        read(tmp_path)
