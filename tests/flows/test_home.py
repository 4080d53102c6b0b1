"""The environment for Prefect, and what a killed run leaves behind."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows import home
from flows.service import processes
from storage.errors import BadInput
from tasks.shipped import STRANGERS


@pytest.fixture
def clean(monkeypatch, tmp_path):
    """An environment without any setting of ours or Prefect's, restored afterwards."""
    before = dict(os.environ)
    for name in before:
        if name.startswith(("PREFECT_", "CAPTCHAS_", "DO_NOT_TRACK")):
            del os.environ[name]
    os.environ["HOME"] = str(tmp_path)
    yield tmp_path
    os.environ.clear()
    os.environ.update(before)


def test_prefect_lives_under_the_home(clean):
    home.prepare_environment(clean / "data")
    assert os.environ["PREFECT_HOME"] == str(clean / "data" / "prefect")
    assert (clean / "data" / "prefect").is_dir()
    assert home.home() == clean / "data"


def test_what_the_user_has_set_stays(clean):
    os.environ["PREFECT_HOME"] = elsewhere = str(clean / "elsewhere")
    os.environ["PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"] = "7"
    home.prepare_environment(clean)
    assert os.environ["PREFECT_HOME"] == elsewhere
    assert os.environ["PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"] == "7"


@pytest.mark.parametrize("variable", ["PREFECT_HOME", "CAPTCHAS_HOME"])
def test_a_folder_that_nobody_can_make_is_named(clean, variable):
    """Prefect would wait for a database in it, for as long as it waits for a server."""
    os.environ |= {"CAPTCHAS_HOME": str(clean)} | {variable: "/proc/nowhere"}
    with pytest.raises(BadInput, match=variable):
        home.prepare_environment()


@pytest.mark.parametrize("below", ["", "below"])
def test_a_home_that_is_no_folder_is_named_with_what_names_it(clean, below):
    (clean / "file").touch()
    place = clean / "file" / below
    os.environ["CAPTCHAS_HOME"] = str(place)
    for chosen, name in ((None, "CAPTCHAS_HOME"), (place, "--home")):
        with pytest.raises(BadInput, match=rf"^{name}: must be a folder; it is '{place}'"):
            home.prepare_environment(chosen)


def test_a_home_in_a_working_directory_that_is_gone_is_named(clean, monkeypatch):
    (folder := clean / "gone").mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    with pytest.raises(
        BadInput, match=r"^home: must be a folder; it is 'data', and the working directory is not there"
    ):
        home.prepare_environment()


def test_settings_of_prefect_in_a_home_are_not_read(clean, capsys):
    """A working directory may have come in an archive, with a folder `data`: Prefect would call what these name."""
    folder = clean / "data" / "prefect"
    folder.mkdir(parents=True)
    for name in ("profiles.toml", "logging.yml"):
        (folder / name).write_text("active = 'x'\n[profiles.x]\nPREFECT_API_URL = 'http://theirs.example/api'\n")
    home.prepare_environment(clean / "data")
    assert home.active_profile() == {}
    assert not Path(os.environ["PREFECT_PROFILES_PATH"]).exists()
    assert not Path(os.environ["PREFECT_LOGGING_SETTINGS_PATH"]).exists()
    assert f"{folder / 'profiles.toml'}: is not read" in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
@pytest.mark.parametrize("theirs", ["data", "data/prefect"])
def test_another_user_s_home_is_refused_unless_a_group_shares_it(clean, monkeypatch, theirs):
    monkeypatch.chdir(clean)
    (clean / "data" / "prefect").mkdir(parents=True)
    os.chown(theirs, 65534, 65534)
    with pytest.raises(BadInput, match=rf"^home: must be this user's own.* {clean / theirs} belongs to .* 65534;"):
        home.prepare_environment()
    os.chown(theirs, 65534, os.getegid())
    Path(theirs).chmod(0o2770)
    os.environ.pop("PREFECT_HOME")
    home.prepare_environment()


def test_the_users_server_is_not_hidden(clean):
    os.environ["PREFECT_API_URL"] = "http://127.0.0.1:4200/api"
    home.prepare_environment(clean)
    assert "PREFECT_HOME" not in os.environ


def test_a_server_in_the_active_profile_is_not_hidden(clean):
    (clean / ".prefect").mkdir()
    (clean / ".prefect" / "profiles.toml").write_text(
        'active = "work"\n[profiles.work]\nPREFECT_API_URL = "http://127.0.0.1:4200/api"\n[profiles.other]\n'
    )
    home.prepare_environment(clean)
    assert "PREFECT_HOME" not in os.environ


def test_a_password_in_the_active_profile_is_sent_to_the_server_in_it(clean):
    (clean / ".prefect").mkdir()
    (clean / ".prefect" / "profiles.toml").write_text(
        'active = "work"\n[profiles.work]\nPREFECT_API_URL = "http://127.0.0.1:4200/api"\n'
        'PREFECT_API_AUTH_STRING = "admin:word"\n'
    )
    home.prepare_environment(clean)
    assert os.environ["PREFECT_API_AUTH_STRING"] == "admin:word"
    os.environ["PREFECT_API_AUTH_STRING"] = "the user's own"
    home.prepare_environment(clean)
    assert os.environ["PREFECT_API_AUTH_STRING"] == "the user's own"


def test_no_web_page_may_read_the_answers_of_a_server_that_prefect_starts(clean):
    home.prepare_environment(clean)
    assert os.environ["PREFECT_SERVER_CORS_ALLOWED_ORIGINS"] == ""


def test_a_new_home_is_private_with_a_server_of_the_user_too(clean):
    before = os.umask(0o022)
    try:
        os.environ["PREFECT_API_URL"] = "http://127.0.0.1:4200/api"
        home.prepare_environment(clean / "data")
    finally:
        os.umask(before)
    assert (clean / "data").stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_the_record_of_another_user_is_not_believed(clean):
    record = {
        "pid": os.getpid(),
        "started": processes.started(os.getpid()),
        "password": "x",
        "api": "http://[::1]:9/api",
    }
    (clean / "prefect").mkdir()
    (clean / "prefect" / home.UP_RECORD).write_text(json.dumps(record))
    os.environ[home.HOME] = str(clean)
    assert home.served() == record
    os.chown(clean / "prefect" / home.UP_RECORD, 65534, 65534)
    assert home.served() is None


def test_commands_send_the_password_of_the_up_on_their_home(clean):
    record = {"pid": os.getpid(), "started": processes.started(os.getpid()), "api": "http://127.0.0.1:9/api"}
    (clean / "prefect").mkdir()
    (clean / "prefect" / home.UP_RECORD).write_text(json.dumps(record | {"password": "captchas:x"}))
    os.environ["PREFECT_API_AUTH_STRING"] = "of another server"
    assert home.prepare_environment(clean) is False
    assert os.environ["PREFECT_API_URL"] == record["api"]
    assert os.environ["PREFECT_API_AUTH_STRING"] == "captchas:x"
    os.environ.pop("PREFECT_API_AUTH_STRING")
    home.prepare_environment(clean)  # the same server, named by its address
    assert os.environ["PREFECT_API_AUTH_STRING"] == "captchas:x"
    os.environ.pop("PREFECT_API_AUTH_STRING")
    os.environ["PREFECT_API_URL"] = "http://127.0.0.1:10/api"
    home.prepare_environment(clean)
    assert "PREFECT_API_AUTH_STRING" not in os.environ  # another server is not told


def test_a_new_home_is_the_user_s_alone_and_one_that_is_there_stays(clean):
    before = os.umask(0o022)
    try:
        home.prepare_environment(clean / "data")
        (clean / "old").mkdir(0o755)
        os.environ.pop("PREFECT_HOME")
        home.prepare_environment(clean / "old")
    finally:
        os.umask(before)
    modes = {path: (clean / path).stat().st_mode & 0o777 for path in ("data", "data/prefect", "old", "old/prefect")}
    assert modes == {"data": 0o700, "data/prefect": 0o700, "old": 0o755, "old/prefect": 0o700}


def test_names_and_paths(clean):
    os.environ["CAPTCHAS_HOME"] = str(clean)
    assert home.dataset_folder("book") == clean / "datasets" / "book"
    assert home.dataset_folder("some/book").parts == ("some", "book")
    assert home.model_file("letters") == home.model_file("letters.skops") == clean / "models" / "letters.skops"
    assert home.model_file("strangers") == home.model_file("strangers.onnx") == STRANGERS
    assert home.model_file("strangers.skops") == clean / "models" / "strangers.skops"
    own = clean / "models" / "strangers.onnx"
    own.parent.mkdir(parents=True, exist_ok=True)
    own.touch()
    assert home.model_file("strangers") == own


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs Linux's /proc")
def test_only_servers_of_dead_runs_on_this_home_are_ended(clean):
    home.prepare_environment(clean)
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    dead = {"CAPTCHAS_CLIENT": ended.stdout.decode().strip()}

    def server(**variables):
        # As the real one: the words stand in its command line.
        program = [sys.executable, "-c", "import time; time.sleep(60)", "prefect.server.api.server"]
        return subprocess.Popen(program, env=os.environ | variables)

    orphan, living, elsewhere = server(**dead), server(), server(**dead, PREFECT_HOME=str(clean / "other"))
    try:
        assert home.end_orphaned_servers() == 1
        assert orphan.wait(30) != 0
        assert living.poll() is None
        assert elsewhere.poll() is None
    finally:
        for process in (orphan, living, elsewhere):
            process.kill()
            process.wait()


def test_a_new_dataset_never_lands_in_a_folder_that_happens_to_be_here(clean, monkeypatch):
    (clean / "here" / "book").mkdir(parents=True)
    monkeypatch.chdir(clean / "here")
    monkeypatch.setenv("CAPTCHAS_HOME", str(clean / "data"))
    assert home.dataset_folder("book") == Path("book")  # to be read
    assert home.new_dataset_folder("book") == clean / "data" / "datasets" / "book"


def test_a_deployment_s_run_takes_the_inbox_of_its_home(tmp_path, monkeypatch):
    """A shell takes what stands in its folder first; a worker's folder is nobody's choice."""
    (tmp_path / "home" / "inbox").mkdir(parents=True)
    (tmp_path / "inbox").mkdir()
    (tmp_path / "pictures").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CAPTCHAS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv(processes.RUN, raising=False)
    assert home.pictures_at(Path("inbox")) == Path("inbox")
    monkeypatch.setenv(processes.RUN, "a-run")
    assert home.pictures_at(Path("inbox")) == tmp_path / "home" / "inbox"
    assert home.pictures_at(Path("pictures")) == Path("pictures")
    assert home.pictures_at(tmp_path / "inbox") == tmp_path / "inbox"
