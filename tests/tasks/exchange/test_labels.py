import os

import pytest

from storage.errors import BadInput, NotThere
from tasks.exchange.labelling import Labelling
from tasks.exchange.labels import find_labels, read_labels
from tasks.exchange.pairing import pair


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("000123_BONE.png", "BONE"),
        ("a/b_c/x_y_BONE.tar.png", "BONE.tar"),
        ("BONE.png", "BONE"),
        ("BONE", "BONE"),
        ("12_.png", ""),
        ("_É☃.jpeg", "É☃"),
        ("two\nlines_AB.png", "AB"),
    ],
)
def test_by_default_the_label_follows_the_last_underscore(path, label):
    assert Labelling().label(path) == label


@pytest.mark.parametrize(
    ("pattern", "path", "label"),
    [
        ("{label}_*", "BONE_12_3.png", "BONE"),
        ("*_{label}", "12_3_BONE.png", "BONE"),
        ("{label}", "x/BO_NE.png", "BO_NE"),
        ("{label}.png", "BONE.png", "BONE"),
        ("{label}/*", "train/A/0001.png", "A"),
        ("{label}/*/*", "A/b/0001.png", "A"),
        ("img(*)-{label}", "img(7)-BONE.png", "BONE"),
        ("{label}-*", "BONE_12.png", None),
        ("{label}/*", "0001.png", None),
        ("(?P<label>[A-Z]+)-[0-9]+", "BONE-12.png", "BONE"),
        ("(?P<label>[^/]+)-[0-9]+", "d/BONE-12.png", "BONE"),
        ("(?P<label>[A-Z]+)-[0-9]+", "BONE-12x.png", None),
        (r"(?P<label>[A-Z]{4}).*\.jpg", "BONE12.jpg", "BONE"),
        ("(x)|(?P<label>y)", "x.png", ""),
    ],
)
def test_patterns(pattern, path, label):
    assert Labelling(pattern).label(path) == label


@pytest.mark.parametrize(
    ("pattern", "said"),
    [("*_*", "must have {label} once"), ("{label}{label}", "must have {label} once"), ("", "must have {label} once"),
     ("(?P<label>[", "is no regular expression")],
)  # fmt: skip
def test_a_pattern_without_a_label_is_refused(pattern, said):
    with pytest.raises(BadInput, match="pattern") as error:
        Labelling(pattern)
    assert said in str(error.value)
    assert repr(pattern) in str(error.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("labels.csv", "path,label\na.png,BONE\nd/b.png,ÉTÉ\n"),
        ("labels.csv", "\ufefffilename,words\r\na.png,BONE\r\nd\\b.png,ÉTÉ\r\n"),
        ("labels.csv", 'number;Text;File\n1; BONE ;./a.png\n\n2;"ÉTÉ";d/b.png'),
        ("l.tsv", "word\tpath\nBONE\ta.png\nÉTÉ\td//b.png\n"),
        ("gt.txt", "a.png\tBONE\n\nd/b.png\tÉTÉ\n"),
        ("gt.txt", "\ufeffa.png\tBONE\r\nd/b.png\tÉTÉ"),
    ],
)
def test_files_of_labels(tmp_path, name, content):
    (tmp_path / name).write_bytes(content.encode())
    assert read_labels(tmp_path / name) == {"a.png": "BONE", "d/b.png": "ÉTÉ"}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("l.csv", b"path,label\na.png,A\nb.png,B\n./a.png,C\n", ["lines 2 and 4", "'a.png'", "keep one"]),
        ("l.csv", b"path,label\na.png,A\na.png,A\na.png,B\n", ["lines 3 and 4"]),
        ("l.csv", b'path,label\n"a\nb.png",A\n"a\nb.png",B\n', ["lines 3 and 5"]),
        ("l.csv", b"number,colour\n1,A\n", ["path, file or filename", "'number,colour'"]),
        ("l.csv", b"path,label\na.png,A,B\n", ["line 2", "3 columns of 2", "double quotes"]),
        ("l.csv", b"", ["the first line must name"]),
        ("l.csv", b"path,label\na.png\n", ["line 2", "1 columns of 2"]),
        ("l.csv", b"path,label\na.png,\xe9\n", ["line 2", "0xe9", "not UTF-8"]),
        ("l.csv", b"path,label\n" + b"a" * 200_000 + b",A\n", ["line 2", "table"]),
        ("gt.txt", b"a.png\tA\nb.png B\n", ["line 2", "a tab", "'b.png B'"]),
        ("gt.txt", b"a.png\tA\nb.png\tB\na.png\tC\n", ["lines 1 and 3"]),
        ("gt.txt", b"a.png\tA\n\xff.png\tB\n", ["line 2", "0xff"]),
    ],
)
def test_a_file_that_is_wrong_is_told_with_its_line(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput) as error:
        read_labels(tmp_path / name)
    for words in [name, *said]:
        assert words in str(error.value)


def test_where_labels_come_from(tmp_path):
    assert find_labels(tmp_path) == Labelling()
    (tmp_path / "gt.txt").write_text("a.png\tA\n")
    assert find_labels(tmp_path).file == tmp_path / "gt.txt"
    assert find_labels(tmp_path, pattern="{label}").file is None
    (tmp_path / "labels.csv").write_text("path,label\n")
    with pytest.raises(BadInput, match=r"both labels\.csv and gt\.txt; choose one with --labels"):
        find_labels(tmp_path)
    chosen = find_labels(tmp_path, tmp_path / "labels.csv")
    assert chosen.as_dict() == {"file": "labels.csv"}  # a manifest does not tell where
    assert Labelling("{label}").as_dict() == {"pattern": "{label}"}
    with pytest.raises(BadInput, match="one of them at most"):
        find_labels(tmp_path, tmp_path / "labels.csv", "{label}")
    with pytest.raises(NotThere, match=r"none\.csv: no such file"):
        find_labels(tmp_path, tmp_path / "none.csv")


def test_pairs_are_sorted_by_bytes_and_all_others_have_a_reason():
    undecodable = os.fsdecode(b"x_\xffA.png")
    paths = ["z_B.png", "a/x_A.png", "a-b_A.png", "É_C.png", "Z_A.png", "x_.png", undecodable, "x_A B.png",
             "x_A\tB.png", "x_ABX.png", "x_" + "A" * 33 + ".png"]  # fmt: skip
    pairs, rejects = pair(paths, Labelling(), "ABC ")
    assert pairs == [
        ("Z_A.png", "A"), ("a-b_A.png", "A"), ("a/x_A.png", "A"), ("x_A B.png", "AB"), ("z_B.png", "B"),
        ("É_C.png", "C"),
    ]  # fmt: skip
    assert [path.encode() for path, _ in pairs] == sorted(path.encode() for path, _ in pairs)
    reasons = dict(rejects)
    assert len(pairs) + len(rejects) == len(paths)
    assert reasons == {
        "x_.png": "its label is empty",
        "x_\\xffA.png": "the name is not UTF-8; rename it",
        "x_A\tB.png": "its label 'A\\tB' has a blank or control character",
        "x_ABX.png": "its label 'ABX' has 'X', which the alphabet lacks",
        "x_" + "A" * 33 + ".png": "its label has 33 characters; at most 32 are possible",
    }


@pytest.mark.parametrize("outside", ["../secret", "x/../../secret", "..\\secret", "{}/secret"])
def test_paths_cannot_lead_out_of_the_folder(tmp_path, outside):
    """Labels are for files that the folder's listing has; what a file of labels names is never opened."""
    (tmp_path / "secret").write_text("there")
    outside = outside.replace("{}", str(tmp_path))
    (tmp_path / "labels.csv").write_text(f"path,label\na.png,A\n{outside},B\n")
    pairs, rejects = pair(["a.png"], Labelling(file=tmp_path / "labels.csv"))
    assert pairs == [("a.png", "A")]
    assert [reason for _, reason in rejects] == [
        "labels.csv labels it, but the folder has no such file (or a link, or hidden)"
    ]


def test_files_and_labels_that_do_not_meet_are_rejects(tmp_path):
    (tmp_path / "gt.txt").write_text("a.png\tA\nabsent.png\tB\n../out.png\tC\n")
    pairs, rejects = pair(["a.png", "b_X.png"], Labelling(file=tmp_path / "gt.txt"))
    assert pairs == [("a.png", "A")]
    assert [path for path, _ in rejects] == ["../out.png", "absent.png", "b_X.png"]
    assert dict(rejects)["b_X.png"] == "no label in gt.txt"
    assert "no such file" in dict(rejects)["absent.png"]
    assert pair(["BONE.png"], Labelling("{label}-*"))[1] == [
        ("BONE.png", "no label: the name does not match the pattern '{label}-*'")
    ]
