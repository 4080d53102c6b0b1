"""The password of Prefect's server: the operator's, or a generated one that only the owner can read."""

import os
import stat

import pytest

from flows.service import passwords
from flows.service.prefect_settings import require_settings
from storage.errors import BadInput


@pytest.fixture(autouse=True)
def _unset(monkeypatch):
    monkeypatch.setenv(passwords.SERVER, "")
    monkeypatch.setenv(passwords.CLIENT, "")


def mode_of(file):
    return stat.S_IMODE(file.stat().st_mode)


def test_a_new_password_is_random_and_known_to_server_and_clients():
    first = passwords.agree()
    assert len(first) > 40 and first != passwords.new_password()
    assert os.environ[passwords.SERVER] == os.environ[passwords.CLIENT] == first
    assert passwords.agree() == first


@pytest.mark.parametrize("given", [(passwords.SERVER,), (passwords.CLIENT,), (passwords.SERVER, passwords.CLIENT)])
def test_the_password_of_the_operator_is_used_and_not_kept(given, monkeypatch, tmp_path):
    for name in given:
        monkeypatch.setenv(name, "admin:of the site")
    assert passwords.agree_kept(tmp_path) == given[0]
    assert os.environ[passwords.SERVER] == os.environ[passwords.CLIENT] == "admin:of the site"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", ["p\u00e4:\u2713", "x" * 1025, "a:\udcff"])
def test_a_password_that_no_server_takes_is_named_and_not_shown(wrong, monkeypatch):
    """Prefect's server compares ASCII only, and answered everything else with an error of its own, after a minute."""
    monkeypatch.setenv(passwords.CLIENT, wrong)
    with pytest.raises(BadInput, match=rf"^{passwords.CLIENT}: must be at most 1024 characters of ASCII") as refused:
        passwords.agree()
    assert wrong not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "wrong"), [(passwords.CLIENT, "a:\udcff"), (passwords.KEY, "\u043a"), (passwords.KEY, "a\nb")]
)
def test_a_password_or_key_that_cannot_be_sent_to_a_named_server_is_named(name, wrong, monkeypatch):
    monkeypatch.setenv(name, wrong)
    with pytest.raises(BadInput, match=rf"^{name}: must be"):
        require_settings()


def test_two_passwords_of_the_operator_are_refused(monkeypatch):
    monkeypatch.setenv(passwords.SERVER, "one")
    monkeypatch.setenv(passwords.CLIENT, "two")
    with pytest.raises(BadInput, match=f"{passwords.CLIENT}: is not the password in {passwords.SERVER}"):
        passwords.agree()


def test_a_generated_password_is_kept_for_its_owner_alone(tmp_path, monkeypatch):
    folder = tmp_path / "prefect"
    before = os.umask(0)
    try:
        assert passwords.agree_kept(folder) == str(folder / passwords.FILE)
    finally:
        os.umask(before)
    made = os.environ[passwords.SERVER]
    assert mode_of(folder / passwords.FILE) == 0o600
    assert [file.name for file in folder.iterdir()] == [passwords.FILE]
    monkeypatch.setenv(passwords.SERVER, "")
    monkeypatch.setenv(passwords.CLIENT, "")
    passwords.agree_kept(folder)
    assert os.environ[passwords.CLIENT] == made


@pytest.mark.parametrize(
    ("folder", "umask", "expected"),
    [(0o2770, 0o002, 0o640), (0o2770, 0o077, 0o600), (0o2750, 0o002, 0o600), (0o700, 0o002, 0o600)],
)
def test_a_group_that_may_write_to_the_folder_may_read_the_password_in_it(tmp_path, folder, umask, expected):
    """Else only the first user of a shared home could run `captchas up`."""
    tmp_path.chmod(folder)
    before = os.umask(umask)
    try:
        passwords.kept(tmp_path)
        passwords.write_private(tmp_path / "up.json", b"{}")
    finally:
        os.umask(before)
    assert mode_of(tmp_path / passwords.FILE) == expected
    assert mode_of(tmp_path / "up.json") == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a group of its choice")
def test_the_password_is_of_the_folder_s_group_and_not_of_its_owner_s(tmp_path):
    os.chown(tmp_path, -1, 54321)
    tmp_path.chmod(0o770)  # without setgid, new files have their owner's group
    passwords.kept(tmp_path)
    found = (tmp_path / passwords.FILE).stat()
    assert (found.st_gid, stat.S_IMODE(found.st_mode)) == (54321, 0o640)


def test_others_lose_the_permission_and_a_group_keeps_it(tmp_path):
    made, file = passwords.kept(tmp_path), tmp_path / passwords.FILE
    file.chmod(0o644)
    assert passwords.kept(tmp_path) == made
    assert mode_of(file) == 0o640


def test_an_empty_file_gets_a_password_and_a_broken_file_is_named(tmp_path):
    file = tmp_path / passwords.FILE
    file.touch(0o600)
    assert passwords.kept(tmp_path) == file.read_text().strip() != ""
    for wrong in (b"\xff\xfe", b"x" * 1025):
        file.write_bytes(wrong)
        with pytest.raises(BadInput, match=r"password: cannot be read .*remove it"):
            passwords.kept(tmp_path)


def test_a_pipe_or_link_in_the_place_of_the_password_is_neither_waited_for_nor_followed(tmp_path):
    file, other = tmp_path / passwords.FILE, tmp_path / "other"
    other.write_text("another's")
    other.chmod(0o644)
    for make in (lambda: os.mkfifo(file), lambda: file.symlink_to(other)):
        make()
        with pytest.raises(BadInput, match=r"password: cannot be read .*remove it"):
            passwords.kept(tmp_path)
        file.unlink()
    assert mode_of(other) == 0o644


def test_a_private_file_is_replaced_whole_and_never_written_through_a_link(tmp_path):
    target, file = tmp_path / "target", tmp_path / "up.json"
    target.write_text("another's")
    file.symlink_to(target)
    passwords.write_private(file, b"{}")
    assert target.read_text() == "another's"
    assert file.read_bytes() == b"{}" and not file.is_symlink() and mode_of(file) == 0o600
