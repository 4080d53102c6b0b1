import json
import os
import re
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from PIL import Image

from tasks.profiles.word_lists import load_words
from tests.benchmarks import peer_readers as readers
from tests.benchmarks import peers
from tests.benchmarks.foreign import ALPHABET, foreign_names, foreign_texts, write_foreign


@pytest.fixture(scope="module")
def foreign(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("foreign") / "new"
    assert write_foreign(folder, 12, 5) == 12
    return folder


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))  # noqa: PTH208 - hidden files too, as names


def test_foreign_words_are_the_same_each_time_and_of_the_dictionary():
    texts = foreign_texts(300, 5)
    assert texts == foreign_texts(300, 5)
    assert texts[:20] == foreign_texts(20, 5)
    assert texts != foreign_texts(300, 6)
    assert set(texts) <= set(load_words("web2", ALPHABET, (4, 4)))
    assert len(set(texts)) > 250
    # Pinned: the figures in docs/peers.md are about these words.
    assert foreign_texts(4, peers.SEED) == ["LINA", "HAPI", "URAO", "BERI"]


def test_foreign_strings_are_four_letters_of_all():
    texts = foreign_texts(300, 5, strings=True)
    assert texts[:20] == foreign_texts(20, 5, strings=True)
    assert {len(text) for text in texts} == {4}
    assert set("".join(texts)) == set(ALPHABET)
    assert len(set(texts) & set(load_words("web2", ALPHABET, (4, 4)))) < 30


def test_foreign_files_are_numbered_and_named_for_what_they_show(foreign):
    assert names(foreign) == foreign_names(12, 5)
    assert [name[:7] for name in names(foreign)] == [f"{number:06d}_" for number in range(12)]
    assert [readers.shown(name) for name in names(foreign)] == foreign_texts(12, 5)
    for path in foreign.iterdir():
        with Image.open(path) as image:
            assert (image.format, image.mode, image.size) == ("PNG", "RGB", (160, 60))
            low, high = image.convert("L").getextrema()
            assert low < 220 < high  # dark on light


def test_a_foreign_folder_is_kept_and_completed(foreign):
    before = {path.name: path.read_bytes() for path in foreign.iterdir()}
    assert write_foreign(foreign, 12, 5) == 0
    assert {path.name: path.read_bytes() for path in foreign.iterdir()} == before
    gone = names(foreign)[3]
    (foreign / gone).unlink()
    assert write_foreign(foreign, 12, 5) == 1
    assert all((foreign / name).read_bytes() == data for name, data in before.items() if name != gone)
    assert names(foreign) == foreign_names(12, 5)


def test_pictures_of_a_profile_and_of_the_package_know_what_may_be_in_them(tmp_path, capsys):
    profile = tmp_path / "mine.toml"
    profile.write_text('based_on = "letters"\nalphabet = "ABC7"\nlength = [1, 2]\nwidth = 54\n')
    ours = peers.prepare(str(profile), 3, tmp_path)
    assert names(ours.folder) == ours.names and len(ours.names) == 3
    assert (ours.profile, ours.alphabet, ours.words) == ("mine", "ABC7", ())
    strings = peers.prepare("captcha-strings", 3, tmp_path)
    assert (strings.alphabet, strings.words) == (ALPHABET, ())
    words = peers.prepare("captcha", 3, tmp_path)
    assert len(words.words) > 5000
    assert len({ours.folder, strings.folder, words.folder}) == 3
    peers.prepare("captcha", 3, tmp_path)
    assert "3 pictures, 0 of them drawn now" in capsys.readouterr().out


def test_score_counts_whole_words_in_either_case_without_white_space():
    files = ["000000_BONE.png", "000001_WORD.png", "000002_A1B2.png", "000003_ZOOM.png", "000004_ECHO.png"]
    texts = {files[0]: "bone", files[1]: " W O\tRD\n", files[2]: "A1B", files[3]: "", "000009_ECHO.png": "ECHO"}
    rate = readers.score(files, texts)
    assert (rate.right, rate.n) == (2, 5)
    assert (readers.score(files, {}).right, readers.score([], {}).n) == (0, 0)


def test_answers_are_parsed_by_their_header():
    text = 'status,word,path\nsolved,BONE,000000_BONE.png\nfailed,,"a,b.png"\n'
    assert readers.parse_answers(text) == {"000000_BONE.png": "BONE", "a,b.png": ""}


def test_pages_of_tesseract_go_to_their_files():
    assert readers.parse_pages("BONE\n\f\fW ORD\n", ["a", "b", "c"]) == {"a": "BONE", "b": "", "c": "W ORD"}
    assert readers.parse_pages("BONE\n\f\f", ["a", "b"]) == {"a": "BONE", "b": ""}
    assert readers.parse_pages("", ["a"]) == {"a": ""}
    with pytest.raises(readers.Failed, match="2 pages for 3"):
        readers.parse_pages("BONE\n\fX", ["a", "b", "c"])


def test_lines_of_ddddocr_are_parsed_and_a_missing_end_is_seen():
    lines = [{"ddddocr": "1"}, {"name": "a.png", "reading": "b中"}, {"name": "c.png", "reading": ""}, {"seconds": 2.5}]
    text = "an advertisement\n" + "\n".join(map(json.dumps, lines))
    assert readers.parse_lines(text) == ({"a.png": "b中", "c.png": ""}, 2.5)
    for cut in ("", text.rpartition("\n")[0]):
        with pytest.raises(readers.Failed, match="last line"):
            readers.parse_lines(cut)


@pytest.mark.parametrize("how", readers.PREPARATIONS, ids=str)
def test_tesseract_gets_a_larger_grey_picture_with_a_margin(foreign, tmp_path, how):
    prepared = tmp_path / "x.pgm"
    prepared.write_bytes(how.apply(foreign / names(foreign)[0]))
    with Image.open(prepared) as image:
        assert image.mode == "L"
        rows = (how.times * 60 if how.times else how.height) + 2 * readers.MARGIN
        assert image.height == rows
        assert image.getpixel((0, 0)) == readers.BACKGROUND
        assert image.getextrema()[0] < 230


def test_the_best_setting_is_chosen_and_of_equals_the_first(capsys):
    pictures = peers.Pictures("p", Path("p"), [f"{k:06d}_AB.png" for k in range(300)], "AB", ())

    def read_it(_folder, asked, setting, _alphabet):
        assert len(asked) == peers.TRIALS
        return readers.Reading("x", setting, dict.fromkeys(asked[: len(setting)], "ab"), 1.0, 2.0)

    results = peers.Results()
    assert results.best(pictures, ("a", "three", "seven", "bb"), read_it) == "three"
    assert [trial["right"] for trial in results.trials] == [1, 5, 5, 2]
    assert capsys.readouterr().out.count("p: tried it, ") == 4


def test_absent_peers_and_failures_are_said_and_the_rest_goes_on(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(readers, "PEER_PYTHON", tmp_path / "no" / "python")
    monkeypatch.setenv("PATH", str(tmp_path))

    def solved(_folder, asked, model, dictionary):
        if dictionary is None:
            raise readers.Failed("captchas: exit code 2; no model there")
        assert model == "m.skops" and len(dictionary.read_text().split()) > 5000
        return readers.Reading("captchas", "m.skops", {asked[0]: readers.shown(asked[0])}, 0.5, 3.0)

    monkeypatch.setattr(readers, "read_captchas", solved)
    table, report = tmp_path / "t.md", tmp_path / "t.json"
    arguments = ["--count", "4", "--profiles", "captcha", "--folder", str(tmp_path / "f"), "--model", "m.skops"]
    assert peers.main([*arguments, "--markdown", str(table), "--json", str(report)]) == 0
    said = json.loads(report.read_text())
    assert [line["right"] for line in said["lines"]] == [1]
    assert said["lines"][0]["words_per_second"] == 8
    assert len(said["left_out"]) == 3
    assert re.search("Tesseract is not installed: .*apt-get install tesseract-ocr", said["left_out"][0])
    assert re.search("ddddocr is not installed: .*make bench-peers", said["left_out"][1])
    assert said["left_out"][2] == "captchas on captcha: captchas: exit code 2; no model there"
    assert all(f"Left out: {text}." in table.read_text() for text in said["left_out"])
    row = "| captcha | captchas: m.skops | 25.00 % (4.6 to 69.9 %, n = 4) | 8.0 | 3.0 |"
    assert row in table.read_text() and row in capsys.readouterr().out


def test_a_profile_that_does_not_exist_is_refused_by_name(tmp_path, capsys):
    assert peers.main(["--profiles", "bok", "--readers", "captchas", "--folder", str(tmp_path)]) == 2
    assert "'book'" in capsys.readouterr().err


def test_a_command_that_fails_or_takes_too_long_says_so():
    with pytest.raises(readers.Failed, match=r"exit code 3; no such thing$"):
        readers.call([sys.executable, "-c", "import sys; print('no such thing', file=sys.stderr); sys.exit(3)"], 20)
    with pytest.raises(readers.Failed, match=r"not done after 0 s"):
        readers.call([sys.executable, "-c", "import time; time.sleep(30)"], 0.3)


def test_ctrl_c_ends_the_command_that_runs_and_comes_out(tmp_path):
    sign = tmp_path / "ended"
    code = f"""
import pathlib, time
try:
    pathlib.Path({str(tmp_path / "began")!r}).touch()
    time.sleep(30)
except KeyboardInterrupt:
    pathlib.Path({str(sign)!r}).touch()
"""

    def interrupt():
        while not (tmp_path / "began").exists():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        readers.call([sys.executable, "-c", code], 30)
    assert sign.exists()


def test_ctrl_c_ends_all_with_130(tmp_path, monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(readers, "read_captchas", interrupted)
    assert (
        peers.main(
            ["--count", "2", "--profiles", "captcha-strings", "--folder", str(tmp_path), "--readers", "captchas"]
        )
        == 130
    )
    assert "interrupted" in capsys.readouterr().err


def test_the_script_for_ddddocr_is_plain_enough_for_an_environment_of_its_own():
    source = Path(readers.__file__).with_name("read_ddddocr.py").read_text()
    imported = set(re.findall(r"^(?:import|from) (\w+)", source, re.MULTILINE))
    assert imported - set(sys.stdlib_module_names) == {"ddddocr", "numpy", "PIL"}
