"""Files of labels by hostile hands: each is read or refused in little time; a letter without a place gives no text."""

import contextlib
import json

import pytest
from PIL import Image

from storage.errors import BadInput
from tasks.exchange.label_sources.beside import are_boxes, class_names, text_of_boxes
from tasks.exchange.label_sources.file_formats.annotations import xml_rows
from tasks.exchange.label_sources.file_formats.json_entries import literal_rows
from tasks.exchange.label_sources.file_formats.label_files import decode, read_table
from tasks.exchange.label_sources.file_formats.literals import as_json
from tasks.exchange.label_sources.file_formats.remarks import rows_only
from tasks.exchange.label_sources.written_labels import unwrapped
from tasks.exchange.scan import DIGEST_BYTES, ScanJob, scan_files
from tasks.loading.decode import Colour, Invert

HUGE = "1" + "0" * 400  # no float


def rows_of(tmp_path, name: str, text: str) -> list[list[str]]:
    file = tmp_path / name
    file.write_text(text)
    return [cells for _, cells in read_table(file).rows]


def coco(place: str) -> str:
    notes = ",".join(f'{{"image_id":1,"category_id":{k},"bbox":[{left},1]}}' for k, left in ((1, place), (2, "2.5")))
    names = '[{"id":1,"name":"A"},{"id":2,"name":"B"}]'
    return f'{{"images":[{{"id":1,"file_name":"a.png"}}],"annotations":[{notes}],"categories":{names}}}'


def labelme(place: str) -> str:
    shapes = ",".join(f'{{"points":[[{left},1]],"label":"{text}"}}' for text, left in (("A", place), ("B", "2.5")))
    return f'[{{"imagePath":"a.png","shapes":[{shapes}]}}]'


def boxes(place: str) -> str:
    return f"filename,xmin,xmax,ymin,ymax,class\na.png,{place},3,1,3,A\na.png,2.5,3,1,3,B\n"


@pytest.mark.parametrize("place", ["NaN", "Infinity", "-Infinity", "1e999", HUGE])
@pytest.mark.parametrize(("name", "write"), [("a.json", coco), ("a.json", labelme), ("a.csv", boxes)])
def test_a_letter_whose_place_is_nowhere_gives_no_text(tmp_path, name, write, place):
    assert "AB" in rows_of(tmp_path, name, write("1"))[0]
    (row,) = rows_of(tmp_path, name, write(place))
    assert not {"A", "B", "AB", "BA"} & set(row)


@pytest.mark.parametrize("place", ["nan", "-inf", HUGE])
def test_a_letter_of_xml_whose_place_is_nowhere_gives_no_text(place):
    letter = "<object><name>{}</name><bndbox><xmin>{}</xmin></bndbox></object>".format
    for left, told in ((1, "AB"), (place, "")):
        data = f"<annotation>{letter('A', left)}{letter('B', 9)}</annotation>".encode()
        assert xml_rows(data, "x") == [{"object.label": told}]


def test_lists_of_boxes_and_paddle_with_places_too_large_are_read(tmp_path):
    assert rows_of(tmp_path, "a.json", f'[{{"path":"a.png","o":{{"bbox":[[{HUGE}],[2.5]],"l":["A","B"]}}}}]')
    line = f'a.png\t[{{"points":[[{HUGE},0]],"transcription":"A"}},{{"points":[[1.5,0]],"transcription":"B"}}]\n'
    assert rows_of(tmp_path, "a.txt", line)[0][1].startswith("[{")


def test_an_empty_box_is_no_place(tmp_path):
    letters = [{"label": letter, "x": left, "box": []} for left, letter in enumerate("BA")]
    assert rows_of(tmp_path, "a.json", json.dumps({"a.png": letters})) == [["a.png", "BA"]]


def test_a_short_row_of_via_has_no_label(tmp_path):
    header = "#filename,file_attributes,region_shape_attributes,region_attributes"
    rows = rows_of(tmp_path, "a.csv", f'{header}\na.png\nb.png,"{{""text"":""BONE""}}",{{}},{{}}\n')
    assert ["b.png", "BONE"] in rows and not any("a.png" in row and len(set(row)) > 2 for row in rows)


def test_long_files_take_no_longer_than_their_bytes(tmp_path, in_time):
    many = 100_000
    with pytest.raises(BadInput, match="'z' occurs twice"):
        rows_of(tmp_path, "a.json", "{" + "".join(f'"k{k}":1,' for k in range(many)) + '"z":1,"z":2}')
    assert xml_rows(b"<r>" + b"".join(b"<t%d/>" % k for k in range(many)) + b"</r>", "x")
    with pytest.raises(BadInput, match="field limit"):
        rows_of(tmp_path, "a.csv", "path,label\na.png," + '\\"' * many * 4 + "\n")
    assert text_of_boxes([f"1,{' ' * many}x"]) is None
    assert text_of_boxes([f'1,2,3,4,"x{" " * many}y"{" " * many}']) == ""
    assert not are_boxes([f"1 {'1' * many}x"])
    assert class_names("names: [\n" * many, "data.yaml") == []
    assert class_names("names:\n[a, 'b', \"c\"]\n", "data.yaml") == ["a", "b", "c"]
    for text in (
        "['" * many,
        "{" * many,
        "['a', " * many,
        "{/*" * many,
        "{# " * many,
        "[b'" + "\\'" * many,
        "{a " * many,
    ):
        assert literal_rows(text, "x") is None
    assert as_json("{" + "'a': 1, " * many + "}") == "{" + ",".join(['"a":1'] * many) + "}"
    listed = {f"{k}.png": f"['a'{' ' * many}x" for k in range(30)}
    assert unwrapped(listed, {}) == listed


def test_long_lines_in_quotes_take_no_longer_than_their_bytes(in_time):
    for line in ('"' + "a,b" * 200_000, '"' + "a,b" * 200_000 + '"', "\0" * 500_000 + "x", '," ' + " " * 500_000):
        rows_only(f"{line}\n{line}")
        with contextlib.suppress(BadInput):
            decode(line.encode(), "x")


@pytest.mark.parametrize(
    "text",
    [
        '"AB,C"\n"D,EF"\n',
        "img1 ABC\nimg2 DEF\n" + "".join(f"img{k} a,b{k}\n" for k in range(3, 60)),
        "ABCD\n---\nEFGH\n",
        "---\nABCD\nEFGH\n",
        'a.png,AB\nb.png,"x\n---\ny"\n',
        'a.png,AB\nb.png,"x\n+---+\ny"\nc.png,CD\n',
        "a.png,AB\nb.png,CD\n---\nc.png,EF\nd.png,GH\n",
        '"file\nname",label\na.png,AB\nb.png,CD\nc.png,EF\n',
    ],
)
def test_rows_that_look_like_remarks_stay(text):
    assert rows_only(text) == text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('"file,label"\n"img1,AB"\n', "file,label\nimg1,AB\n"),
        ('"a.png;AB"\n"b.png;CD"\n', "a.png;AB\nb.png;CD\n"),
        ("file,label\n----------\na.png,AB\nb.png,CD\n", "file,label\n\na.png,AB\nb.png,CD\n"),
        ("a.png AB\nb.png CD\n--------\n", "a.png AB\nb.png CD\n\n"),
        ("My labels\na.png,A B C\nb.png,A B D\nc.png,B C D\n", "\na.png,A B C\nb.png,A B D\nc.png,B C D\n"),
        ('|a|b|\n|---|---|\n|x.png|"|\n', 'a|b\n\nx.png|"\n'),
    ],
)
def test_remarks_around_rows_go(text, wanted):
    assert rows_only(text) == wanted


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-16"])
@pytest.mark.parametrize("width", [0, 2, 30])
def test_zeros_that_fill_cells_up_are_no_part_of_them(encoding, width):
    rows = [("a.png", "ABCD"), ("b.png", "EF")]
    fill = "\0" * width
    text = "".join(f"{path}{fill},{label}{fill}\n" for path, label in rows)
    for filled in (text, text.rstrip("\n"), text + "\0" * 64):
        plain = decode(filled.encode(encoding), "x")
        assert plain.split() == ["a.png,ABCD", "b.png,EF"]
    with pytest.raises(BadInput, match="is no text, as it has characters of zero"):
        decode("a.png,A\0B\nb.png,CD\n".encode(encoding), "x")


def test_a_text_or_row_of_letters_too_long_for_a_label_is_none(tmp_path):
    assert text_of_boxes([f'1,2,3,4,"{"x" * 501}"']) == ""
    letters = [{"label": "A", "x": left} for left in range(501)]
    with pytest.raises(BadInput, match="its entries have 1003 fields"):
        rows_of(tmp_path, "a.json", json.dumps([{"path": "a.png", "letters": letters}]))
    assert text_of_boxes(['1,2,3,4, "A B" ']) == "A B"


def test_quotes_within_quotes_end_with_the_last_of_their_line(tmp_path):
    assert rows_of(tmp_path, "a.csv", 'path,label\na.png,"a\\"b"\nb.png,c\\"d\n')[1:] == [
        ["a.png", 'a"b'],
        ["b.png", 'c\\"d'],
    ]


def test_a_link_that_came_to_the_place_of_a_file_is_not_followed(tmp_path):
    elsewhere, folder = tmp_path / "secret.png", tmp_path / "folder"
    folder.mkdir()
    Image.new("L", (40, 20), 255).save(elsewhere)
    (folder / "BONE.png").symlink_to(elsewhere)
    receipt = scan_files(ScanJob(0, str(folder), ("BONE.png",), Invert.AUTO, Colour.AUTO))
    assert [reason for _, reason in receipt.ink.rejects] == ["not a regular file but a link, pipe, socket or device"]
    assert receipt.digests == bytes(DIGEST_BYTES)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("{'a.png': 'AB'}", '{"a.png":"AB"}'),
        ("x = ('a', u'\\u00e4', b'\\x41', r'\\d', \"it's\",)", '["a","\\u00e4","A","\\\\d","it\'s"]'),
        ("module.exports = {a: 007, b: -1.5e3, c: None, d: True};", '{"a":"007","b":-1.5e3,"c":null,"d":true}'),
        ("{'a': __import__('os')}", '{"a":__import__["os"]}'),
        ("{'a' + 'b'}", None),
        ("{f'{x}': 1}", '{f"{x}":1}'),
        ("a.png AB", None),
    ],
)
def test_literals_become_json_and_nothing_is_run(text, wanted):
    """What is no literal becomes text that no parser of JSON takes."""
    assert as_json(text) == wanted
