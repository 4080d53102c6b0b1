"""The script that audits the ladder and generators in wide use names what is there, and writes what audits found."""

from pathlib import Path

import numpy as np
import pytest

from storage.audits import save_audit
from tasks.training.settings import RUNGS
from tests.benchmarks import audits
from tests.benchmarks.others import NotInstalled
from tests.sample_audit import audit

ROOT = Path(__file__).parents[1]


def test_every_rung_and_every_kind_of_generator_is_audited():
    assert set(RUNGS) <= set(audits.SUBJECTS)
    given = [" ".join(subject.arguments) for subject in audits.SUBJECTS.values()]
    assert {name for name in ("node", "php", "perl") if any(f"--command {name} " in line for line in given)} == {
        "node", "php", "perl"}  # fmt: skip
    scripts = [word for line in given for word in line.split() if word.startswith(audits.SCRIPTS)]
    assert len(scripts) == 5 and all((ROOT / script).is_file() for script in scripts)


def test_what_is_missing_is_named(monkeypatch):
    absent = audits.Subject((), Path("/nowhere/autoload.php"))
    monkeypatch.setitem(audits.SUBJECTS, "gregwar", absent)
    with pytest.raises(NotInstalled, match=r"gregwar: /nowhere/autoload\.php is missing"):
        audits.arguments_of("gregwar")


def test_the_table_has_verdict_interval_and_command():
    found = audit()
    found["target"]["name"] = "a|b"
    text = audits.table({"shop": found})
    (row,) = [line for line in text.splitlines() if line.startswith("| [shop]")]
    assert "**broken**" in row and "92.3 % (91 to 93.4 %), 2,000" in row
    assert "Noise has another colour than the letters" in row and row.count(" | ") == 5
    assert "- shop: `captchas audit shop:draw --minutes 30 --seed 1`" in text


def test_the_table_has_all_that_are_finished(monkeypatch, tmp_path):
    """Also those of an earlier call, which was ended or named others."""
    monkeypatch.setenv("CAPTCHAS_HOME", str(tmp_path))
    for name in ("svg-captcha", "book"):
        save_audit(audits.folder_of(name), audit(), None, "20261127T181500Z")
    monkeypatch.setattr(audits, "run_audit", lambda *_: None)
    monkeypatch.setattr(audits, "find_browser", lambda: None)
    monkeypatch.setattr("sys.argv", ["audits", "book", "--out", str(tmp_path / "out")])
    audits.main()
    rows = (tmp_path / "out" / "verdicts.md").read_text().splitlines()
    assert [row[3 : row.index("]")] for row in rows if row.startswith("| [")] == ["book", "svg-captcha"]


def test_the_table_keeps_the_rows_of_audits_that_were_made_elsewhere(monkeypatch, tmp_path):
    """Another home has other audits; what is made anew replaces its row."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "verdicts.md").write_text(audits.table({"svg-captcha": audit(), "book": audit(), "gone": audit()}))
    monkeypatch.setenv("CAPTCHAS_HOME", str(tmp_path))
    other = audit()
    other["made"]["command"] = "captchas audit book --minutes 99"
    save_audit(audits.folder_of("book"), other, None, "20261127T181500Z")
    monkeypatch.setattr(audits, "run_audit", lambda *_: None)
    monkeypatch.setattr(audits, "find_browser", lambda: None)
    monkeypatch.setattr("sys.argv", ["audits", "book", "--out", str(out)])
    audits.main()
    lines = (out / "verdicts.md").read_text().splitlines()
    assert [line[3 : line.index("]")] for line in lines if line.startswith("| [")] == ["book", "svg-captcha", "gone"]
    assert [line.partition(":")[0] for line in lines if line.startswith("- ")] == ["- book", "- svg-captcha", "- gone"]
    assert "- book: `captchas audit book --minutes 99`" in lines


def test_a_setting_of_the_package_draws_the_same_with_the_same_numbers():
    settings = pytest.importorskip("tests.benchmarks.generators.pypi_captcha", exc_type=ImportError)
    drawn = {
        setting: getattr(settings, setting)("K7QX", np.random.default_rng(3)).tobytes()
        for setting in ("default", "calm", "wild", "narrow")
    }
    assert len(set(drawn.values())) == 4
    assert settings.wild("K7QX", np.random.default_rng(3)).tobytes() == drawn["wild"]
