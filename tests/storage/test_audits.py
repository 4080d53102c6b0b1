"""The folder of an audit: steps that are whole or not there, the result and its dated copies."""

import json

import pytest

from storage.audits import (
    LARGEST,
    Steps,
    audit_locked,
    earlier_audits,
    find_audit,
    folder_of,
    keep_target,
    load_audit,
    require_own,
    save_audit,
    target_in,
)
from storage.errors import BadInput, Busy, Damaged, NotThere

RESULT = {"schema": 1, "made": {}, "target": {}, "verdict": {}, "attackers": []}


def test_a_step_is_found_only_with_all_that_it_depends_on(tmp_path):
    steps = Steps(tmp_path, {"content": "abc"})
    steps.keep("ladder-0", {"right": 3}, model="m")
    assert steps.find("ladder-0", model="m") == {"right": 3}
    assert steps.find("ladder-0") is None
    assert steps.find("ladder-0", model="n") is None
    assert steps.find("ladder-1", model="m") is None
    assert Steps(tmp_path, {"content": "other"}).find("ladder-0", model="m") is None
    assert [path.name for path in steps.folder.iterdir()] == ["ladder-0.json"]


@pytest.mark.parametrize("bytes_", [b"", b"{", b"[]", b'{"key": 1}', b"\xff", b"null"])
def test_a_step_that_is_not_whole_is_done_again(tmp_path, bytes_):
    steps = Steps(tmp_path, {})
    steps.keep("x", {})
    steps.path("x").write_bytes(bytes_)
    assert steps.find("x") is None


@pytest.mark.parametrize("name", ["report.html", "audit.json"])
def test_files_that_no_audit_wrote_are_not_written_over(tmp_path, name):
    """Other programs write a `report.html` too."""
    require_own(tmp_path)
    (tmp_path / name).write_text("{}")
    with pytest.raises(BadInput, match=name):
        require_own(tmp_path)
    save_audit(tmp_path, RESULT, "page", "20261127T181500Z")
    require_own(tmp_path)
    (tmp_path / "audit.json").write_text("damaged")
    require_own(tmp_path)


def test_steps_are_forgotten_on_request_and_named_plainly(tmp_path):
    steps = Steps(tmp_path, {})
    steps.forget()
    steps.keep("x", {"a": 1})
    steps.forget()
    assert steps.find("x") is None
    with pytest.raises(ValueError, match="small letters"):
        steps.keep("../x", {})


def test_each_result_has_a_dated_copy(tmp_path):
    save_audit(tmp_path, RESULT | {"n": 1}, "<html>", "20260101T000000Z")
    save_audit(tmp_path, RESULT | {"n": 2}, None, "20260102T000000Z")
    assert load_audit(tmp_path)["n"] == 2
    assert load_audit(tmp_path / "audit.json")["n"] == 2
    assert [load_audit(path)["n"] for path in earlier_audits(tmp_path)] == [1, 2]
    (tmp_path / "history" / "note.txt").write_text("x")
    assert len(earlier_audits(tmp_path)) == 2
    assert (tmp_path / "report.html").read_text() == "<html>"


@pytest.mark.parametrize(
    ("content", "error", "said"),
    [(None, NotThere, "no finished audit"), ("{", Damaged, "cannot be read"), ("[1]", Damaged, "no audit"),
     ('{"schema": "1"}', Damaged, "no audit"), ('{"schema": 2}', BadInput, "schema 2"),
     ('{"schema": 1, "made": {}}', Damaged, "lacks target, verdict, attackers"),
     ("[" * 100_000, Damaged, "cannot be read")],
)  # fmt: skip
def test_a_file_that_is_no_audit_is_told(tmp_path, content, error, said):
    if content is not None:
        (tmp_path / "audit.json").write_text(content)
    with pytest.raises(error, match=said):
        load_audit(tmp_path)
    assert find_audit(tmp_path) is None


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    with (tmp_path / "audit.json").open("wb") as file:
        file.truncate(LARGEST + 1)
    with pytest.raises(Damaged, match="larger"):
        load_audit(tmp_path)


def test_the_result_is_plain_json(tmp_path):
    save_audit(tmp_path, RESULT | {"text": "é\u202e"}, None, "20260101T000000Z")
    assert json.loads((tmp_path / "audit.json").read_bytes())["text"] == "é\u202e"


def test_two_targets_of_one_name_have_folders_of_their_own(tmp_path):
    names = []
    for whose in ("folder /a/shots", "folder /b/shots", "folder /a/shots", "folder /b/shots"):
        folder = folder_of(tmp_path, "shots", whose)
        keep_target(folder, {"whose": whose})
        names.append(folder.name)
    assert names[0] == names[2] == "shots"
    assert names[1] == names[3] and names[1].startswith("shots-")
    assert len(folder_of(tmp_path, "x" * 255, "y").name) == 255  # a name of its own is kept
    keep_target(tmp_path / ("x" * 255), {"whose": "z"})
    assert len(folder_of(tmp_path, "x" * 255, "y").name) < 255


def test_whose_an_audit_is_outlives_a_new_beginning(tmp_path):
    keep_target(tmp_path, {"whose": "me"})
    Steps(tmp_path, {}).forget()
    assert target_in(tmp_path) == {"whose": "me"}
    (tmp_path / "state" / "target").write_text("[")
    assert target_in(tmp_path) == {}


def test_an_audit_that_came_to_nothing_leaves_nothing(tmp_path):
    with pytest.raises(BadInput), audit_locked(tmp_path / "mine"):
        keep_target(tmp_path / "mine", {"whose": "me"})
        with pytest.raises(Busy, match="auditing it"), audit_locked(tmp_path / "mine"):
            pass
        raise BadInput("nothing can be drawn")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(KeyboardInterrupt), audit_locked(tmp_path / "mine"):
        Steps(tmp_path / "mine", {}).keep("drawn", {"count": 3})
        raise KeyboardInterrupt
    assert Steps(tmp_path / "mine", {}).find("drawn") == {"count": 3}
