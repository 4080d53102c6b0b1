"""Pictures by other generators: kept once they are drawn, and left out where a package is not installed."""

import sys
from pathlib import Path

import pytest

from tests.benchmarks import others, peers

SCRIPT = """
import pathlib, sys
count, seed, folder = int(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])
for number in range(count):
    (folder / f"{number:06d}_AB{seed}.png").write_bytes(b"")
"""


@pytest.fixture
def generator(monkeypatch, tmp_path):
    monkeypatch.setattr(others, "SCRIPTS", tmp_path)
    (tmp_path / "draw.py").write_text(SCRIPT)
    made = others.Generator("made-1.0", "draw.py", Path(sys.executable), "AB7", (3, 3))
    monkeypatch.setitem(others.GENERATORS, "made", made)
    return tmp_path / "draw.py"


def test_pictures_are_drawn_once_and_known_by_their_names(generator, tmp_path):
    folder = others.write_others("made", tmp_path / "kept", 3, 7)
    assert [path.name for path in sorted(folder.iterdir())] == [f"00000{n}_AB7.png" for n in range(3)]
    generator.unlink()
    assert others.write_others("made", tmp_path / "kept", 3, 7) == folder
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["made-1.0-3-seed-7"]


def test_peers_read_them_by_name(generator, tmp_path):
    pictures = peers.prepare("real-made", 2, tmp_path)
    assert (pictures.names, pictures.alphabet, pictures.words) == (["000000_AB2.png", "000001_AB2.png"], "AB7", ())


def test_a_generator_that_fails_leaves_no_folder(generator, tmp_path):
    generator.write_text("raise SystemExit(3)")
    with pytest.raises(others.subprocess.CalledProcessError):
        others.write_others("made", tmp_path / "kept", 3, 7)
    assert list((tmp_path / "kept").iterdir()) == []


def test_what_is_not_installed_is_left_out_with_the_remedy(monkeypatch, tmp_path):
    monkeypatch.setattr(others, "NODE", tmp_path / "none")
    with pytest.raises(others.NotInstalled, match=r"svg-captcha-1.4.0 is not installed; run make others"):
        others.write_others("svg-captcha", tmp_path, 3, 7)
    results, _ = peers.compare(["real-svg-captcha"], [], 3, tmp_path, None)
    assert results.left_out == ["real-svg-captcha: svg-captcha-1.4.0 is not installed; run make others"]
