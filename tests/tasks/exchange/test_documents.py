"""Labels in YAML and TOML, as people and programs write them."""

import json

import pytest

from storage.errors import BadInput
from tasks.exchange.label_sources.file_formats.documents import document_rows
from tasks.exchange.label_sources.file_formats.label_files import read_table
from tasks.exchange.label_sources.label_columns import resolve
from tasks.exchange.label_sources.picture_index import PictureIndex

# What other readers of YAML take for numbers, truth values, dates and nothing.
TEXTS = ["0123", "NO", "1e5", "yes", "0x1F", "12_3", "null", "B0NE", "1979", "TRUE"]
NAMES = [f"img{k:03}.png" for k in range(len(TEXTS))]
PAIRS = dict(zip(NAMES, TEXTS, strict=True))
WRITTEN = {
    "a list": ("yaml", "".join(f"- file: {n}\n  label: {t}\n" for n, t in PAIRS.items())),
    "a list in a line": ("yaml", "images:\n" + "".join(f"  - {{file: {n}, text: {t}}}\n" for n, t in PAIRS.items())),
    "by name": ("yml", "".join(f"{n}: {t}\n" for n, t in PAIRS.items())),
    "by name, quoted": ("yaml", "# labels\n---\n" + "".join(f"'{n}': \"{t}\"\n" for n, t in PAIRS.items())),
    "below a key": ("yaml", "labels:\n" + "".join(f"  {n}: {t}\n" for n, t in PAIRS.items())),
    "fields by name": ("yaml", "".join(f"{n}:\n  text: {t}\n  width: 90\n" for n, t in PAIRS.items())),
    "pairs": ("yaml", "".join(f"- [{n}, {t}]\n" for n, t in PAIRS.items())),
    "documents": ("yaml", "---\n".join(f"file: {n}\nlabel: {t}\n" for n, t in PAIRS.items())),
    "beside other keys": (
        "yaml",
        "version: 2\nauthor: me\nitems:\n" + "".join(f"  - name: {n}\n    label: {t}\n" for n, t in PAIRS.items()),
    ),
    "tables": ("toml", "".join(f'[[image]]\nfile = "{n}"\nlabel = "{t}"\n' for n, t in PAIRS.items())),
    "fields of a picture each": ("yaml", "".join(f"- {n}:\n    text: {t}\n    width: 90\n" for n, t in PAIRS.items())),
    "below comments": (
        "yaml",
        "# labels, see #3\n\n" + "".join(f"{n}: {t}\n  # and so on\n" for n, t in PAIRS.items()),
    ),
    "a picture each": ("yaml", "".join(f"- {n}: {t}\n" for n, t in PAIRS.items())),
    "documents by name": ("yaml", "".join(f"---\n{n}: {t}\n" for n, t in PAIRS.items())),
    "bare keys": ("toml", "[labels]\n" + "".join(f"{n} = '{t}'\n" for n, t in PAIRS.items())),
    "keys": ("toml", "".join(f'"{n}" = "{t}"\n' for n, t in PAIRS.items())),
    "keys of a table": ("toml", "[labels]\n" + "".join(f"'{n}' = '{t}'\n" for n, t in PAIRS.items())),
    "a table each": ("toml", "".join(f'["{n}"]\nlabel = "{t}"\nday = 2024-05-27\n' for n, t in PAIRS.items())),
    "JSON named as YAML": ("yaml", json.dumps(PAIRS)),
}


@pytest.mark.parametrize("kind", WRITTEN)
def test_each_label_is_read_as_it_stands(tmp_path, kind):
    suffix, text = WRITTEN[kind]
    file = tmp_path / f"labels.{suffix}"
    file.write_text(text)
    found = resolve(read_table(file), PictureIndex(NAMES), "")
    assert found.labels == PAIRS


@pytest.mark.parametrize("suffix", ["yaml", "toml"])
def test_lines_that_are_no_document_are_read_as_lines(tmp_path, suffix):
    file = tmp_path / f"labels.{suffix}"
    file.write_text("".join(f"{n}\t{t}\n" for n, t in PAIRS.items()))
    assert [cells for _, cells in read_table(file).rows] == [list(pair) for pair in PAIRS.items()]


def test_lists_of_texts_by_name_are_columns():
    rows = document_rows(json.dumps({n: [t, t.lower()] for n, t in PAIRS.items()}), "x", ".json")
    assert rows == [{"path": n, "1": t, "2": t.lower()} for n, t in PAIRS.items()]


def test_a_key_twice_is_told(tmp_path):
    with pytest.raises(BadInput, match=r"the key 'a\.png' occurs twice; keep one"):
        document_rows("a.png: AB\nb.png: CD\na.png: EF\n", "labels x", ".yaml")


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        (".yaml", "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"),  # which would double with each line
        (".yaml", "[" * 100_000),
        (".yaml", "- " * 100_000),
        (".yaml", "".join(" " * k + f"k{k}:\n" for k in range(400))),
        (".yaml", "? [a, b]\n: c\n"),
        (".yaml", "{" * 50 + "}" * 50),
        (".yaml", "one: two: three"),
        (".yaml", "a.png: K4 #QX\n"),  # a comment, a tag and an anchor would take a label away
        (".yaml", "a.png:\t#QX\n"),
        (".yaml", "a.png: !7H2M\n"),
        (".yaml", "a.png: &AB\n"),
        (".toml", "'a.png' = 0x1F\n"),
        (".toml", "'a.png' = 12_3\n"),
        (".toml", "a = [1, +99]\n"),
        (".toml", "a = " + "[" * 100_000),
        (".toml", "a = 1\na = 2\n"),
        (".yaml", ""),
        (".toml", ""),
    ],
)
def test_what_is_no_document_of_labels_is_none(suffix, text, in_time):
    assert document_rows(text, "labels x", suffix) is None


def test_a_picture_without_a_label_stays():
    assert document_rows("labels:\na.png:\nb.png: X\n", "x", ".yaml") == [
        {"path": "a.png", "label": ""},
        {"path": "b.png", "label": "X"},
    ]


def test_numbers_of_toml_stay_as_they_stand():
    rows = document_rows("'a.png' = 1.50\n'b.png' = 1e5\n'c.png' = 12\n", "x", ".toml")
    assert rows is not None
    assert [row["label"] for row in rows] == ["1.50", "1e5", "12"]


def test_nothing_stands_for_no_label():
    assert document_rows("- file: a.png\n  label: ~\n- file: b.png\n  label: '~'\n", "x", ".yaml") == [
        {"file": "a.png"},
        {"file": "b.png", "label": "~"},
    ]


def test_no_tag_makes_anything():
    assert document_rows("- file: a.png\n  label: !!python/object/apply:os.getcwd []\n", "x", ".yaml") is None


def test_long_documents_take_no_longer_than_their_bytes(in_time):
    assert document_rows(".".join("a" * 500_000) + " = 1", "x", ".toml") is None
    text = "".join(f"- file: {k}.png\n  label: A{k}\n" for k in range(30_000))
    rows = document_rows(text, "x", ".yaml")
    assert rows is not None
    assert rows[-1] == {"file": "29999.png", "label": "A29999"}
