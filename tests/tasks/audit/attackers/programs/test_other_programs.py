"""Tesseract and ddddocr: programs that stand for them are run as they are."""

import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from storage.dataset import Dataset
from tasks.audit.attackers.programs import other_programs
from tasks.audit.attackers.programs.ddddocr_process import spelled
from tasks.audit.attackers.programs.other_programs import (
    DdddocrWay,
    Failed,
    Missing,
    Program,
    TesseractWay,
    answers_of,
    choose,
    find_program,
)

PICTURES = [Image.fromarray(np.full((10, 30), value, np.uint8)) for value in (250, 10, 128)]


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Put a program called tesseract into the path; it gets the arguments of the real one."""

    def put(body: str) -> None:
        file = tmp_path / "tesseract"
        file.write_text(f"#!{sys.executable}\nimport sys\nfrom pathlib import Path\n{body}\n")
        file.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{'/usr/bin:/bin'}")

    return put


def test_each_picture_gets_the_page_that_is_its(program):
    program(
        "names = Path(sys.argv[1]).read_text().split()\n"
        "assert sys.argv[2:5] == ['stdout', '--psm', '7'] and 'tessedit_char_whitelist=AB' in sys.argv\n"
        "assert all(Path(name).read_bytes().startswith(b'P5') for name in names)\n"
        "print('\\f'.join(f'A {Path(name).stem[-1]}\\n' for name in names), end='\\f')"
    )
    found = answers_of(find_program("tesseract"), PICTURES, TesseractWay(7, 48, 3), "AB")
    assert found.firsts == ["A0", "A1", "A2"]
    assert found.confidences is None


@pytest.mark.parametrize(
    ("body", "said"),
    [("print('A')", "1 pages for 3 pictures"), ("sys.exit('no such language')", "exit code 1: no such language"),
     ("import time; time.sleep(60)", "was not done")],
)  # fmt: skip
def test_a_program_that_fails_is_told_and_is_no_defect(program, monkeypatch, body, said):
    monkeypatch.setattr(other_programs, "_PATIENCE", -4.0)  # and 2 s a picture
    program(body)
    began = time.monotonic()
    with pytest.raises(Failed, match=said):
        answers_of(find_program("tesseract"), PICTURES, TesseractWay(7, 48, 0), "AB")
    assert time.monotonic() - began < 30


CRASHING = (
    "import os, signal\n"
    "names = Path(sys.argv[1]).read_text().split()\n"
    "if any({} for name in names): os.kill(os.getpid(), signal.SIGFPE)\n"
    "print('\\f'.join('AB' for _ in names))"
)


def test_a_picture_on_which_it_crashes_is_not_read_and_the_others_are(program):
    """Tesseract divides by zero on some pictures of few dots."""
    program(CRASHING.format("bytes([128] * 30) in Path(name).read_bytes()"))
    found = answers_of(find_program("tesseract"), [*PICTURES, PICTURES[0]], TesseractWay(7, 48, 0), "AB")
    assert [*found.firsts] == ["AB", "AB", "", "AB"]


def test_a_crash_on_every_picture_is_told(program):
    program(CRASHING.format("True"))
    with pytest.raises(Failed, match="crashed on every picture"):
        answers_of(find_program("tesseract"), PICTURES, TesseractWay(7, 48, 0), "AB")


LISTS = (
    "if sys.argv[1:] == ['--list-langs']: sys.exit(print('List of data (2):', 'ell', 'eng', 'heb', sep='\\n'))\n"
    "said = sys.argv[sys.argv.index('-l') + 1]\n"
    "print('\\f'.join(said for _ in Path(sys.argv[1]).read_text().split()))"
)


@pytest.mark.parametrize(
    ("letters", "data"),
    [("AB1", "eng"), ("éß", "eng"), ("αβ", "ell"), ("αβ天1", "ell+eng"), ("אב", "heb"), ("ＡＢ", "eng")],
)  # fmt: skip
def test_tesseract_is_asked_with_the_data_of_the_letters(program, letters, data):
    """English data read no Greek, so that an audit of Greek letters had an attacker that could read none of them."""
    program(LISTS)
    found = answers_of(find_program("tesseract", letters), PICTURES, TesseractWay(7, 48, 0), letters)
    assert set(found.firsts) == {data}


@pytest.mark.parametrize(
    ("letters", "unknown", "remedy"),
    [
        ("天地人", "天地人", "install tesseract-ocr-chi-sim"),
        ("天地人1", "天地人", "install tesseract-ocr-chi-sim"),
        ("тест1", "тест", "install tesseract-ocr-rus"),
        ("٠١٢٣۴", "٠١٢٣۴", "install tesseract-ocr-ara"),
        ("ァーア", "ァーア", "install tesseract-ocr-jpn"),
        ("😀🐶", "😀🐶", "knows of none"),
    ],
)
def test_tesseract_without_data_for_most_letters_is_missing(program, letters, unknown, remedy):
    """A digit in the alphabet was enough to have it read Chinese with English data."""
    program(LISTS)
    with pytest.raises(Missing, match=f"know none of the letters '{unknown}'; .*{remedy}"):
        find_program("tesseract", letters)


def test_a_few_letters_without_data_are_told(program):
    program(LISTS)
    assert find_program("tesseract", "αβγ1").lacks == ""
    assert find_program("tesseract", "αβ天1").lacks == (
        "Tesseract's installed data know none of the letters '天'; on Debian: apt-get install tesseract-ocr-chi-sim"
    )
    assert find_program("tesseract", "αβ天1").told == "tesseract ell+eng"


def test_what_is_missing_is_named_with_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Missing, match="apt-get install tesseract-ocr"):
        find_program("tesseract")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(other_programs, "_OWN_ENVIRONMENT", tmp_path / "none")
    (tmp_path / ".venv-ddddocr" / "bin").mkdir(parents=True)
    (tmp_path / ".venv-ddddocr" / "bin" / "python").symlink_to(sys.executable)  # the working directory's: a stranger's
    with pytest.raises(Missing, match="pip install ddddocr"):
        find_program("ddddocr")


def test_labelled_pictures_choose_the_settings():
    ways = [DdddocrWay("default", False), DdddocrWay("beta", True)]
    golden = Dataset("tests/golden/v1/book")
    truths = golden[:].texts()
    program = Program("x", ways, lambda pictures, way, _: truths if way.inverted else ["?"] * len(pictures))
    assert choose(program, golden, "AB", fold_case=False).way == ways[1]


def test_ddddocr_is_read_line_by_line(tmp_path, monkeypatch):
    python = tmp_path / "python"
    python.write_text(f"#!{sys.executable}\nimport sys\nprint('a note')\nfor text in 'abc': print(f'\"{{text}}\"')\n")
    python.chmod(0o755)
    monkeypatch.setattr(other_programs, "_OWN_ENVIRONMENT", python)
    found = answers_of(find_program("ddddocr"), PICTURES, DdddocrWay("beta", True), "ABC")
    assert found.firsts == ["a", "b", "c"]
    with pytest.raises(Failed, match="3 answers for 2"):
        answers_of(find_program("ddddocr"), PICTURES[:2], DdddocrWay("beta", True), "ABC")


def test_letters_are_chosen_step_by_step():
    """Others are left out before the most probable is taken, in either case; repeats are joined."""
    charset = ["", "a", "B", "?"]
    steps = [[0.1, 0.5, 0.2, 0.9], [0.1, 0.5, 0.2, 0.9], [0.8, 0.1, 0.1, 0], [0, 0.3, 0.2, 0], [0, 0.1, 0.7, 0.2]]
    assert spelled({"charset": charset, "probabilities": [steps]}, "Ab") == "aaB"
    assert spelled({"charset": charset, "probabilities": [[step] for step in steps]}, "b") == "BB"


def test_the_script_of_ddddocr_runs_apart_from_this_package():
    script = other_programs.Path(other_programs.__file__).with_name("ddddocr_process.py")
    done = subprocess.run([sys.executable, "-I", script, ".", "beta", "as drawn", "A"], capture_output=True, text=True)
    assert "No module named 'ddddocr'" in done.stderr or done.returncode == 0
