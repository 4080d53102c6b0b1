"""`captchas explain` and `captchas solve PICTURE --explain`: pictures and pages, and nobody's file is lost."""

import io
import json
import os
import sys

import pytest
from PIL import Image

from flows.explain import explain
from flows.explanations import explanation_file, is_explanation, with_explain_file
from flows.parameters import spelled
from flows.requests import Refused
from flows.solve_at_once import solve_named
from storage.errors import BadInput, NotThere
from tasks.explaining import explain_picture
from tasks.explaining.explain_picture import draw_word
from tasks.profiles.built_in import find_profile

DRAWN = ("--dictionary", "none", "--length", "4")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("CAPTCHAS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    for name, word in (("a", "BONE"), ("b", "CAKE")):
        (tmp_path / f"{name}.png").write_bytes(draw_word(word, find_profile("book"), 1)[0])
    return tmp_path


@pytest.fixture
def quick(monkeypatch):
    """Draw one small picture in place of all stages."""
    file = io.BytesIO()
    Image.new("L", (9, 9)).save(file, "PNG")
    drawn = file.getvalue() + b"captchas explain"
    monkeypatch.setattr(explain_picture, "plot_stages", lambda *_: drawn)


def test_a_word_is_drawn_read_and_explained(folder):
    report = explain("bone")
    assert (report["word"], report["answer"], report["right"]) == ("BONE", "BONE", True)
    assert report["dictionary_words"] > 5000
    assert report["explanation"] == str(folder / "home" / "reports" / "explain" / "BONE.png")
    assert is_explanation(report["explanation"])
    with Image.open(report["explanation"]) as picture:
        assert picture.width == 1000
    first = (folder / "home" / "reports" / "explain" / "BONE.png").read_bytes()
    assert explain("BONE", out=folder / "again.png")["answer"] == "BONE"
    assert (folder / "again.png").read_bytes() == first


@pytest.mark.slow
def test_profiles_seeds_and_dictionaries(folder, quick):
    assert explain("network", profile="lower", out=folder / "n.png")["word"] == "network"
    assert explain("BONE", dictionary="none")["dictionary_words"] == 0
    assert explain("XQZV")["dictionary_words"] == 0  # no word of the profile's list
    (folder / "words.txt").write_text("BONE\nCAKE\n")
    assert explain("BONE", dictionary=str(folder / "words.txt"))["dictionary_words"] == 2
    assert explain("B0NE", profile="codes")["word"] == "B0NE"
    for given, rule in (
        ({"what": "BÖNE"}, "choose another word, or a profile"), ({"what": ""}, "1 to 12 letters"),
        ({"what": "BONE", "profile": "nowhere"}, "nowhere"), ({"what": "BONE", "seed": -1}, "seed"),
        ({"what": "BONE", "out": folder / "x.txt"}, r"ends in \.png"),
        ({"what": "BONE", "out": folder / "a.png"}, "choose another name"),
        ({"what": "backpropagation", "out": folder / "a.png"}, r"ends in \.html"),
        ({"what": "network", "font": "Nowhere"}, "Nowhere"),
    ):  # fmt: skip
        with pytest.raises((BadInput, NotThere), match=rule):
            explain(**given)


def test_topics_have_their_own_files(folder, monkeypatch):
    from tasks.explaining import backpropagation_page, network_report

    seen = []
    monkeypatch.setattr(network_report, "write_network", lambda *given, advance: seen.append(given) or {})
    monkeypatch.setattr(backpropagation_page, "write_page", lambda *given: seen.append(given) or {})
    explain("network")
    explain("backpropagation", seed=3, font="Inter Bold")
    (face, seed, place), (other, own, page) = seen
    assert (face.name, seed, place) == ("Inter Black", 14, folder / "home" / "reports" / "explain" / "network")
    assert (other.name, own, page.name) == ("Inter Bold", 3, "backpropagation.html")
    with pytest.raises(BadInput, match=r"a\.png"):
        explain("network", out=folder / "a.png")


def solved(capsys, *arguments):
    assert solve_named(["solve", *map(str, arguments), *DRAWN, "--json"])
    return json.loads(capsys.readouterr().out)


def test_an_explanation_has_the_name_of_its_picture(folder, capsys, monkeypatch):
    titles = []
    monkeypatch.setattr(explain_picture, "plot_stages", lambda _, title: titles.append(title) or b"captchas explain")
    solved(capsys, "a.png", "--explain", "out.png")
    assert titles[0].startswith("a: read as ")


def test_solve_explains_named_pictures(folder, capsys):
    report = solved(capsys, "a.png", "--explain")
    assert report["explained"] == [str(folder / "home" / "reports" / "explain" / "a.png")]
    assert report["answers"][0]["word"] == "BONE"
    with Image.open(report["explained"][0]) as picture:
        assert picture.width == 1000


def test_where_explanations_go(folder, capsys, quick):
    before = {name: (folder / name).read_bytes() for name in ("a.png", "b.png")}
    assert solved(capsys, "a.png", "--explain", "out.png")["explained"] == ["out.png"]
    assert solved(capsys, "a.png", "--explain", "out.png")["explained"] == ["out.png"]  # it may be replaced
    assert solved(capsys, "--explain=out.png", "a.png")["explained"] == ["out.png"]
    two = solved(capsys, "--explain", "a.png", "b.png")  # both are pictures
    assert [row["word"] for row in two["answers"]] == ["BONE", "CAKE"]
    assert [name.rpartition("/")[2] for name in two["explained"]] == ["a.png", "b.png"]
    assert "explained" not in solved(capsys, "a.png")
    (folder / "empty.png").write_bytes(b"")
    assert solved(capsys, "empty.png", "--explain")["explained"] == []
    for given, rule in (
        (("a.png", "--explain=b.png"), "choose another name"), (("a.png", "--explain=x.txt"), r"ends in \.png"),
        (("a.png", "b.png", "--explain=x.png"), "for one picture"), (("a.png", "--explain="), r"ends in \.png"),
        (("a.png", "--explain=s3://bucket/x.png"), "explain: "), (("a.png", "--explain=a.png/x.png"), "a.png"),
    ):  # fmt: skip
        with pytest.raises(BadInput, match=rule):
            solve_named(["solve", *given])
    assert {name: (folder / name).read_bytes() for name in before} == before


def test_files_of_several_pictures_differ(folder):
    files = explanation_file("yes", [folder / "a.png", folder / "x" / "a.png", folder / "b.png"])
    assert [file.name for file in files] == ["a.png", "a-2.png", "b.png"]
    files = explanation_file("yes", [folder / name / "a.png" for name in "xyz"] + [folder / "a-2.png"])
    assert [file.name for file in files] == ["a.png", "a-2.png", "a-3.png", "a-2-2.png"]


def test_the_file_of_a_picture_with_a_long_name_has_a_shorter_one(folder):
    """Else all the answers were lost, since its temporary file could not be made."""
    files = explanation_file("yes", [folder / f"{'n' * 250}{k}.png" for k in range(2)] + [folder / f"{'é' * 125}.png"])
    assert [file.name for file in files] == [f"{'n' * 200}.png", f"{'n' * 200}-2.png", f"{'é' * 100}.png"]


def test_the_option_is_written_out(folder):
    assert with_explain_file(["a.png", "--explain"]) == ["a.png", "--explain=yes"]
    assert with_explain_file(["--explain", "a.png"]) == ["--explain=yes", "a.png"]  # a picture that is there
    assert with_explain_file(["a.png", "--explain", "new.PNG", "--json"]) == ["a.png", "--explain=new.PNG", "--json"]
    assert with_explain_file(["a.png", "--explain", "--json"]) == ["a.png", "--explain=yes", "--json"]
    os.mkfifo("pipe.png")  # nobody writes into it, so it must not be waited for
    assert with_explain_file(["--explain", "pipe.png"]) == ["--explain=yes", "pipe.png"]
    assert spelled(["--out", "-", "--explain"]) == ["--out=-", "--explain=yes"]


@pytest.mark.filterwarnings("ignore")  # cyclopts wonders about a command line without arguments in a test
def test_in_a_shell(folder, monkeypatch, capsys, quick):
    """The whole way through the command line, which starts no server."""
    from flows.__main__ import main

    monkeypatch.setattr(sys, "argv", ["captchas", "explain", "CAKE", "--json"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert json.loads(capsys.readouterr().out)["answer"] == "CAKE"
    monkeypatch.setattr(sys, "argv", ["captchas", "explain", "CAKE", "--profile", "none.toml"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "no such file" in capsys.readouterr().err


def test_a_model_that_is_none_and_a_word_that_is_too_long_are_bad_input(folder):
    os.mkfifo(folder / "pipe.skops")
    with pytest.raises(Refused, match="is a device, a pipe or a socket"):
        explain("BONE", model=str(folder / "pipe.skops"))
    with pytest.raises(BadInput, match=r"^word: must have 1 to 12 letters; .* has 300"):
        explain("A" * 300)
