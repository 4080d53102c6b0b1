"""Tables that people write by hand or keep for other programs: corrections, columns of 0 and 1, titles, splits."""

import json
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from storage.errors import BadInput
from tasks.exchange.label_sources.file_formats.label_table import LabelTable
from tasks.exchange.label_sources.tables import corrections
from tasks.exchange.labelling import LabelOptions, parse_columns
from tasks.exchange.labels import find_labels
from tasks.exchange.preview import notes_of
from tasks.exchange.scan import ImportRequest, Listing

N = 24
CHANCE = random.Random(5)
LABELS = ["".join(CHANCE.choice("ABCDEFHKLMNPRTX3479") for _ in range(4)) for _ in range(N)]
CLASSES = sorted(set("".join(LABELS)))
WANTED = {f"{k}.png": label for k, label in enumerate(LABELS)}
GUESSES = [label if k % 2 else f"{label[:-1]}O" for k, label in enumerate(LABELS)]
FIXED = ["" if k % 2 else label for k, label in enumerate(LABELS)]


def read(
    folder: Path, text: str, paths: Sequence[str] = tuple(WANTED), name: str = "labels.csv", columns: str = ""
) -> Listing:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(b"")
    (folder / name).write_text(text)
    options = LabelOptions(columns=parse_columns(columns or None))
    return Listing(ImportRequest(folder, "mine", find_labels(folder, None, None, options)))


def rows(header: str, *columns: Sequence[object]) -> str:
    lines = [",".join([f"{k}.png", *map(str, cells)]) for k, cells in enumerate(zip(*columns, strict=True))]
    return "\n".join([header, *lines, ""])


@pytest.mark.parametrize("old", ["ocr", "label", "old_label"])
def test_a_text_without_a_correction_was_right(tmp_path, old):
    found = read(tmp_path, rows(f"file,{old},corrected", GUESSES, FIXED))
    assert dict(found.pairs) == WANTED
    assert f"{N // 2} labels had no correction" in " ".join(notes_of(found.wanted, found.mended, found.pairs))


def test_corrections_of_which_some_are_as_before_are_asked_about_and_may_be_chosen(tmp_path):
    text = rows(
        "file,label,corrected",
        GUESSES,
        [label if k == 3 else fixed for k, (label, fixed) in enumerate(zip(LABELS, FIXED, strict=True))],
    )
    with pytest.raises(BadInput, match="--columns file,corrected/label takes label where corrected is empty"):
        read(tmp_path, text)
    assert dict(read(tmp_path, text, columns="file,corrected/label").pairs) == WANTED


def test_guesses_that_nobody_has_come_to_are_no_labels(tmp_path):
    with pytest.raises(BadInput, match="holds a reader's answers"):
        read(tmp_path, rows("file,ocr,corrected", GUESSES, [fixed if k < 5 else "" for k, fixed in enumerate(FIXED)]))


@pytest.mark.parametrize("named", ["{place}_{letter}", "char{place}={letter}", "{letter}_{place}", "{place}{letter}"])
@pytest.mark.parametrize("marks", ["10", ("True", "False")])
def test_a_column_for_each_letter_at_each_place_gives_the_label(tmp_path, named, marks):
    there = [(place, letter) for place in range(4) for letter in CLASSES]
    CHANCE.shuffle(there)
    header = ",".join(["file", *(named.format(place=place + 1, letter=letter) for place, letter in there)])
    cells = [[marks[label[place] != letter] for label in LABELS] for place, letter in there]
    assert dict(read(tmp_path, rows(header, *cells)).pairs) == WANTED


def test_columns_that_name_no_letter_are_refused_with_the_reason(tmp_path):
    cells = [[int(label[place] == letter) for label in LABELS] for place in range(4) for letter in CLASSES]
    with pytest.raises(BadInput, match=f"4 times a 1 in each row of {4 * len(CLASSES)} columns.*not name the letters"):
        read(tmp_path, rows(",".join(["file", *map(str, range(len(cells)))]), *cells))


@pytest.mark.parametrize(
    ("title", "header"),
    [("Captchas, labelled by Ann, May 2024", "file,label"), ("Captchas, batch 2", "file,label"),
     ("Captchas,,", "file,label"), ("a,b\nc,d,e", "file,label"),
     ("Captchas, labelled by Ann, May 2024", "bild,loesung"), ("Captchas,,", "bild,loesung")],
)  # fmt: skip
def test_a_title_with_a_separator_is_no_row(tmp_path, title, header):
    found = read(tmp_path, f"{title}\n{rows(header, LABELS)}")
    assert (dict(found.pairs), found.rejects) == (WANTED, [])


def test_a_first_row_with_a_mark_too_many_is_no_title(tmp_path):
    """Its picture and the next one had lost their labels in silence."""
    first, *others = [f"{k},{label}" for k, label in enumerate(LABELS)]
    text = "\n".join([f"{first[:-2]},{first[-2:]}", *others, ""])
    with pytest.raises(BadInput, match=r"line [12]"):
        read(tmp_path, text)


def test_rows_without_their_last_cells_are_whole(tmp_path):
    text = rows("file,label,remark", LABELS) + "\n"
    assert dict(read(tmp_path, text).pairs) == WANTED
    assert dict(read(tmp_path, text.replace("1.png,", "1.png,", 1).rstrip() + ",blurred\n").pairs) == WANTED


def test_a_header_without_its_last_name_is_refused(tmp_path):
    with pytest.raises(BadInput, match="line 2: has 3 columns of 2"):
        read(tmp_path, rows("file,label", LABELS, LABELS))


@pytest.mark.parametrize(
    ("column", "values", "folders"),
    [("is_train", "01", "test train"), ("is_test", ("False", "True"), "train test"),
     ("train", ("no", "yes"), "val train"), ("usage", ("TEST", "Training"), "test_images Training_images")],
)  # fmt: skip
def test_a_column_tells_which_folder_a_name_is_of(tmp_path, column, values, folders):
    want = {f"{folders.split()[k % 2]}/{k // 2}.png": label for k, label in enumerate(LABELS)}
    lines = [f"{k // 2}.png,{label},{values[k % 2]}" for k, label in enumerate(LABELS)]
    found = read(tmp_path, "\n".join([f"image,label,{column}", *lines, ""]), tuple(want))
    assert (dict(found.pairs), found.rejects) == (want, [])


def test_a_column_that_does_not_tell_which_of_three_folders_is_asked_about(tmp_path):
    want = {f"{('test', 'train', 'val')[k % 3]}/{k // 3}.png": label for k, label in enumerate(LABELS)}
    lines = [f"{k // 3}.png,{label},{int(k % 3 == 0)}" for k, label in enumerate(LABELS)]
    with pytest.raises(BadInput, match="write the folder before each name"):
        read(tmp_path, "\n".join(["image,label,is_test", *lines, ""]), tuple(want))


@pytest.mark.parametrize("word", ["UNK", "unk", "xxxx", "XXXX", "unlabelled", "pending", "no label"])
def test_words_for_no_label_are_left_out(tmp_path, word):
    found = read(tmp_path, rows("file,label", [word, *LABELS[1:]]))
    assert dict(found.pairs) == {path: label for path, label in WANTED.items() if path != "0.png"}
    assert "stands for none" in dict(found.rejects)["0.png"]


@pytest.mark.parametrize(
    ("listed", "there"),
    [("{k}.png", "captcha_{k}.png"), ("{k}", "captcha_{k:04}.png"), ("{k}.jpg", "pictures/img-{k:03}.png"),
     ("{k}.png", "{k}.png.jpg"), ("{k}.jpg.png", "{k}.png"), ("{k}.png#0", "{k}.png")],
)  # fmt: skip
def test_names_that_lack_what_all_pictures_begin_or_end_with(tmp_path, listed, there):
    want = {there.format(k=k): label for k, label in enumerate(LABELS)}
    lines = [f"{listed.format(k=k)},{label}" for k, label in enumerate(LABELS)]
    found = read(tmp_path, "\n".join(["image,label", *lines, ""]), tuple(want))
    assert (dict(found.pairs), found.rejects) == (want, [])


def test_numbers_that_begin_one_too_high_are_told_for_names_with_one_beginning(tmp_path):
    lines = [f"{k + 1},{label}" for k, label in enumerate(LABELS)]
    with pytest.raises(BadInput, match="its numbers go from 1 to 24, and those of the pictures from 0 to 23"):
        read(tmp_path, "\n".join(["id,label", *lines, ""]), [f"captcha_{k:04}.png" for k in range(N)])


def test_numbers_in_a_column_of_another_name_are_no_pictures(tmp_path):
    """A history of a training counts its epochs."""
    paths = {f"captcha_{k}.png": label for k, label in enumerate(LABELS)}
    with pytest.raises(BadInput, match="no column names pictures"):
        read(tmp_path, "\n".join(["epoch,loss", *(f"{k},0.{k + 3}" for k in range(N)), ""]), [*paths], "best.csv")


def test_a_list_of_classes_labels_no_numbered_pictures(tmp_path):
    text = "".join(["id,letter\n", *(f"{k},{'ABCDEFGHIJKLMNOPQRSTUVWX'[k]}\n" for k in range(N))])
    with pytest.raises(BadInput, match="may be a list of classes"):
        read(tmp_path, text, [f"captcha_{k}.png" for k in range(N)], "meta.csv")


@pytest.mark.parametrize(
    ("row", "begin", "end"),
    [('"{k}.png": "{v}",', "", ""), ('    "{k}.png": "{v}",', "labels = {{\n", "}}"),
     ("    '{k}.png' => '{v}',", "<?php\nreturn [\n", "];"), ('"{k}.png" = "{v}"', "[labels]\n", "")],
)  # fmt: skip
def test_pairs_in_quotes_are_read_from_a_text(tmp_path, row, begin, end):
    text = begin + "".join(row.format(k=k, v=v) + "\n" for k, v in enumerate(LABELS)) + end
    found = read(tmp_path, text, name="labels.txt")
    assert (dict(found.pairs), found.rejects) == (WANTED, [])


CASED = ["".join(letter.lower() if (k + place) % 3 else letter for place, letter in enumerate(label))
         for k, label in enumerate(LABELS)]  # fmt: skip


@pytest.mark.parametrize("change", [str.lower, str.upper])
@pytest.mark.parametrize("name", ["label_cased", "original", "shown", "drawn as"])
def test_labels_whose_case_was_taken_are_asked_about(tmp_path, change, name):
    text = rows(f"file,label,{name}", list(map(change, CASED)), CASED)
    with pytest.raises(BadInput, match="several columns may hold the labels"):
        read(tmp_path, text)
    assert list(read(tmp_path, text, columns=f"file,{name}").pairs) == sorted(zip(WANTED, CASED, strict=True))


@pytest.mark.parametrize("name", ["label_lower", "normalized", "shown"])
def test_labels_beside_the_same_without_case_are_taken(tmp_path, name):
    found = read(tmp_path, rows(f"file,label,{name}", CASED, [label.lower() for label in CASED]))
    assert dict(found.pairs) == dict(zip(WANTED, CASED, strict=True))


@pytest.mark.parametrize("below", ["result", "result.data", "a.b.c"])
@pytest.mark.parametrize("beside", [{}, {"meta": {"by": "Ann", "version": 1}}])
def test_entries_deep_in_an_object_are_found(tmp_path, below, beside):
    value: object = {
        "items": [{"media": {"file": path}, "answers": [{"value": label, "by": "a"}]} for path, label in WANTED.items()]
    }
    for name in reversed(below.split(".")):
        value = {name: value}
    assert isinstance(value, dict)
    found = read(tmp_path, json.dumps(beside | value), name="labels.json")
    assert (dict(found.pairs), found.rejects) == (WANTED, [])


WRITTEN = {
    "labels.yaml": ("{k}.png: {v}", "labels:\n"),
    "annotations.yml": ("  '{k}.png': '{v}'", "---\nlabels:\n"),
    "labels.ini": ("{k}.png = {v}", "[labels]\n"),
    "labels.toml": ('"{k}.png" = "{v}"', "[labels]\n"),
    "labels.md": ("| {k}.png | {v} |", "# Labels\n\n| file | label |\n|---|---|\n"),
}


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("labels", [LABELS, [f"{k * 379 % 10000:04d}" for k in range(N)]])
def test_lists_in_files_for_people_and_settings_are_read(tmp_path, name, labels):
    row, begin = WRITTEN[name]
    found = read(tmp_path, begin + "".join(row.format(k=k, v=v) + "\n" for k, v in enumerate(labels)), name=name)
    assert (dict(found.pairs), found.rejects) == (dict(zip(WANTED, labels, strict=True)), [])


@pytest.mark.parametrize("name", WRITTEN)
def test_such_files_that_are_no_lists_are_refused_with_a_remedy(tmp_path, name):
    text = "".join(f"- file: {path}\n- label: {label}\n" for path, label in WANTED.items())
    with pytest.raises(BadInput, match=rf"{name}: may hold labels, and cannot be read; write path and label"):
        read(tmp_path, text, name=name)


@pytest.mark.parametrize("name", ["new", "final_grade", "checked_by"])
def test_marks_in_a_column_named_as_corrected_are_no_labels(tmp_path, name):
    found = read(tmp_path, rows(f"file,label,{name}", LABELS, ["" if k % 2 else "x" for k in range(N)]))
    assert dict(found.pairs) == WANTED


def test_long_texts_are_no_corrections(tmp_path):
    found = read(tmp_path, rows("file,label,corrected", LABELS, ["" if k % 2 else "x" * 5000 for k in range(N)]))
    assert dict(found.pairs) == WANTED


@pytest.mark.parametrize("by", ["label", "corrected"])
def test_corrected_texts_of_other_lengths_are_asked_about(tmp_path, by):
    cut = [label[:2] for label in LABELS]
    texts = (cut, LABELS) if by == "corrected" else (LABELS, [f"{label}{label[:2]}" for label in LABELS])
    with pytest.raises(BadInput, match="several columns may hold the labels"):
        read(tmp_path, rows("file,label,final_text", *texts))


@pytest.mark.parametrize(
    ("header", "columns"),
    [('file,label,"final, new"', "file,3/label"), ("file,label,corrected", "file,3/2"),
     ('file,label,"final, new",', "file,3/2"), ("file,text,text", "file,3/2")],
)  # fmt: skip
def test_numbers_of_columns_may_be_chosen_in_place_of_empty_ones(tmp_path, header, columns):
    spare = [range(N)] if header.endswith(",") else []
    assert dict(read(tmp_path, rows(header, GUESSES, FIXED, *spare), columns=columns).pairs) == WANTED


def test_texts_of_x_are_labels_where_there_are_few_letters(tmp_path):
    """Of four letters, one text in 16 of an alphabet of two is XXXX."""
    texts = ["".join("XO"[k >> n & 1] for n in range(4)) for k in range(N)]
    assert "XXXX" in texts and len(read(tmp_path, rows("file,label", texts)).pairs) == N


@pytest.mark.parametrize(("columns", "count"), [(1, 2_000), (20, 20)])
def test_few_corrections_are_compared_one_by_one(monkeypatch, columns, count):
    """Each comparison of long texts takes milliseconds: of a large file, or one of many columns, all took hours."""
    header = ["file", *(f"new{k}" for k in range(columns)), *["label"] * columns]
    lines = [[f"{k}.png", *["" if k < 2 else "AB"] * columns, *["AC"] * columns] for k in range(count)]
    compared = []

    class Counted(corrections.SequenceMatcher):
        def ratio(self) -> float:
            compared.append(1)
            return super().ratio()

    monkeypatch.setattr(corrections, "SequenceMatcher", Counted)
    _, filled = corrections.with_corrections(LabelTable(Path("labels.csv"), "line", [*enumerate([header, *lines])]))
    assert filled == (2 if columns == 1 else 0)
    assert len(compared) <= max(corrections.COMPARED, corrections.COLUMNS**2 * count)
