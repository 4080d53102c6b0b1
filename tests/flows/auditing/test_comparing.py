"""Audits are found by what a user has in hand: a name, a folder, or the target as it was given."""

import json
from pathlib import Path

import pytest

from flows.auditing.comparing import audit_at, audit_history, compare_audits
from storage.audits import save_audit
from storage.errors import BadInput, CaptchasError
from tests.sample_audit import audit

FORGED = {"schema": 1, "made": {}, "target": {"name": "x"}, "verdict": {}, "attackers": [{"a": 1}]}


@pytest.fixture
def saved(tmp_path, monkeypatch):
    """`saved(name, given)`: the folder of an audit under the home."""
    monkeypatch.setenv("CAPTCHAS_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def save(name: str, given: str):
        content = audit()
        content["target"]["given"] = given
        save_audit(tmp_path / "audits" / name, content, None, "20261127T181500Z")
        return tmp_path / "audits" / name

    return save


def test_an_audit_is_found_by_its_target_as_it_was_given(saved, tmp_path):
    """Also where the target is a folder or a file that is there."""
    shop = saved("shop-draw", "shop.py:draw")
    shots = saved("shots", "shots/")
    (tmp_path / "shots").mkdir()
    perl = saved("draw", "perl draw.pl {text} {out}")
    assert audit_at("shop.py:draw") == audit_at("shop-draw") == shop
    assert audit_at("shots/") == audit_at("shots") == shots
    assert audit_at("perl draw.pl {text} {out}") == perl
    assert audit_at(str(shop / "audit.json")) == shop / "audit.json"
    assert not audit_at("other").exists()


def test_two_audits_of_one_target_are_told(saved):
    saved("one", "shop.py:draw")
    saved("other", "shop.py:draw")
    with pytest.raises(BadInput, match=r"several audits have that target: .*one, .*other; name a folder"):
        audit_at("shop.py:draw")


def test_an_audit_with_wrong_fields_is_named(tmp_path):
    (tmp_path / "audit.json").write_text(json.dumps(FORGED))
    with pytest.raises(CaptchasError, match=r"cannot be read as an audit \(it"):
        compare_audits(str(tmp_path), str(tmp_path / "audit.json"), out=tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()
    with pytest.raises(CaptchasError):
        audit_history(str(tmp_path))


def test_two_audits_of_one_target_have_names_of_their_own_and_the_page_has_all_notes(saved, tmp_path):
    """The page said that shop is weaker than shop, and not that one had more minutes."""
    saved("before", "shop")
    content = audit()
    content["made"] |= {"started": "2026-11-30T02:00:00Z", "minutes": 999}
    save_audit(tmp_path / "audits" / "after", content, None, "20261130T020000Z")
    found = compare_audits("before", "after")
    page = Path(found["page"]).read_text()
    name = content["target"]["name"]
    assert f"{name} of 2026-11-30 02:00:00 is" in found["sentence"]
    assert f"{name} of 2026-11-30 02:00:00 against {name} of " in page
    assert "999 minutes, and a longer one attacks harder" in found["sentence"] and "999 minutes, and a lo" in page


def test_a_damaged_copy_is_left_out_of_the_history_and_told(saved, capsys):
    """One damaged file hid all other audits, and the remedy was to make it again."""
    folder = saved("one", "one")
    (folder / "history" / "20261126T181500Z.json").write_text('{"schema": 1, "made"')
    found = audit_history("one")
    assert len(found["audits"]) == 1
    told = capsys.readouterr().err
    assert f"as it is damaged: {folder}/history/20261126T181500Z.json; remove the file" in told.replace("\n", "")
    (folder / "history" / "20261126T181500Z.json").unlink()
    (folder / "history" / "20261126T181500Z.json").symlink_to("20261126T181500Z.json")  # the system does not read it
    with pytest.raises(CaptchasError, match="cannot be read as an audit"):
        audit_history("one")
    (folder / "history" / "20261126T181500Z.json").unlink()
    (folder / "history" / "20261126T181500Z.json").write_text('{"schema": 2}')
    with pytest.raises(BadInput, match="update the program"):
        audit_history("one")


def test_a_damaged_result_without_a_history_is_told_as_damaged(tmp_path):
    """It was told to make an audit of the folder, whose pictures it has not."""
    (tmp_path / "audit.json").write_text('{"schema": 1, "made"')
    with pytest.raises(CaptchasError, match="cannot be read as an audit"):
        audit_history(str(tmp_path))


@pytest.mark.parametrize("name", ["../../out", "/out", "a\x00b", "\ud800", "x" * 300, "..", "\x1b[31m\n"])
def test_the_page_of_a_strangers_audit_is_written_among_the_audits(saved, tmp_path, name):
    """Its target's name was taken for a path, and could replace files anywhere."""
    content = audit()
    content["target"]["name"] = name
    save_audit(tmp_path / "theirs", content, None, "20261127T181500Z")
    saved("mine", "mine")
    page = Path(compare_audits("theirs", "mine")["page"])
    assert page.parent == tmp_path / "audits" and page.name.isprintable() and page.is_file()
    assert {path.name for path in tmp_path.iterdir()} == {"audits", "theirs"}


def test_a_comparison_replaces_neither_what_it_reads_nor_what_is_no_page(saved, tmp_path):
    one = saved("one", "one") / "audit.json"
    before = one.read_bytes()
    for first in ("one", str(one)):
        with pytest.raises(BadInput, match="out: must not be a file that is read"):
            compare_audits(first, "one", out=one)
    assert one.read_bytes() == before
    (tmp_path / "audits" / "shop-shop.html").symlink_to("/dev/null")
    with pytest.raises(BadInput, match="is a device"):
        compare_audits("one", "one")


def test_a_folder_or_a_ring_in_an_audits_place_is_bad_input(tmp_path):
    (tmp_path / "audit.json").mkdir()
    with pytest.raises(CaptchasError, match=r"cannot be read as an audit .Is a directory") as folder:
        compare_audits(str(tmp_path), str(tmp_path))
    (tmp_path / "audit.json").rmdir()
    (tmp_path / "audit.json").symlink_to("audit.json")
    with pytest.raises(CaptchasError, match=r"cannot be read as an audit .Too many levels") as ring:
        compare_audits(str(tmp_path), str(tmp_path))
    assert folder.value.exit_code == ring.value.exit_code == 2
