"""`captchas doctor`: each fault is planted, found alone, and comes with what mends it."""

import base64
import hashlib
import importlib.machinery
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement

import beating_captchas
from flows import doctor as command
from flows.__main__ import main
from flows.health import check_results, installation, machine, packages, servers
from flows.health.check_results import CheckResult, State, fine, run_checks

pytestmark = pytest.mark.filterwarnings("ignore:Cyclopts application")  # it looks for its tests, not for ours


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    """A private home, and an environment in which nothing is wrong."""
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("CAPTCHAS_HOME", str(folder))
    for name in [
        name for name in os.environ if name.startswith(("PREFECT_", "AWS_")) or name.lower().endswith("_proxy")
    ]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PREFECT_HOME", str(folder / "prefect"))
    return folder


def ill(result: CheckResult, state: State, *words: str) -> None:
    """Assert that a check found a fault, says these words, and how to mend it."""
    assert result.state is state, result
    assert result.remedy
    assert all(word in f"{result.found} {result.remedy}" for word in words), result


def alone(check) -> CheckResult:
    (result,) = run_checks({"it": check}, 5)
    return result


@pytest.mark.slow
def test_nothing_is_wrong_here(monkeypatch, capsys):
    """As a person runs it, but for the import of every package, which takes seconds."""
    monkeypatch.setattr(packages, "MODULES", {"json": "json"})
    monkeypatch.setattr(sys, "argv", ["captchas", "doctor", "--json"])
    with pytest.raises(SystemExit) as ended:
        main()
    report = json.loads(capsys.readouterr().out)
    wrong = [row for row in report["checks"] if row["state"] == "wrong"]
    assert (ended.value.code, wrong, report["well"], report["wrong"]) == (0, [], True, 0)
    assert all(row["found"] and (row["remedy"] or row["state"] == "fine") for row in report["checks"])
    assert {"python", "fonts", "models", "kernels", "home", "imports", "dask", "clock"} <= {
        row["check"] for row in report["checks"]
    }


@pytest.fixture
def few(monkeypatch):
    """Have the doctor run a few checks only, of which the last finds a fault."""
    broken = {"fonts": lambda: check_results.wrong("fonts", "a font differs", "make setup")}
    monkeypatch.setattr(command, "run_checks", lambda checks, patience=5: run_checks(
        {"clock": machine.check_clock} | (broken if "fonts" in checks else {}), patience))  # fmt: skip
    monkeypatch.setattr(packages, "MODULES", {"json": "json"})


def test_a_fault_gives_exit_code_1_and_the_whole_report(few, monkeypatch, capsys):
    for arguments in (["doctor"], ["doctor", "--json"], ["doctor", "--quiet"]):
        monkeypatch.setattr(sys, "argv", ["captchas", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        monkeypatch.setenv("CAPTCHAS_QUIET", "")
        out, err = capsys.readouterr()
        assert ended.value.code == 1
        assert "wrong: fonts" in err
        if "--json" in arguments:
            assert json.loads(out)["checks"][1]["remedy"] == "make setup"
        else:
            assert ("fonts: WRONG: a font differs; mend it: make setup" in out) is ("--quiet" not in arguments)


def test_without_the_packages_of_the_command_line_it_still_works(few, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "flows.__main__", None)  # what a missing package does to its import
    for arguments, code, said in (
        (["doctor", "--home", "elsewhere\x1b"], 1, "fonts: WRONG: a font differs; mend it: make setup\n"),
        (["doctor", "--json"], 1, '"remedy": "make setup"'),
        (["datasets"], 1, ""),
    ):
        monkeypatch.setattr(sys, "argv", ["captchas", *arguments])
        with pytest.raises(SystemExit) as ended:
            beating_captchas.main()
        out, err = capsys.readouterr()
        assert ended.value.code == code and said in out and "Traceback" not in err
        assert ("captchas doctor" in err) is (arguments == ["datasets"])
    assert os.environ["CAPTCHAS_HOME"] == "elsewhere\x1b"


def test_checks_are_alone():
    """What raises, and what takes for ever, hides nothing."""

    def missing() -> CheckResult:
        raise ModuleNotFoundError("No module named 'numba'")

    def odd() -> CheckResult:
        raise ZeroDivisionError

    checks = {"hangs": lambda: time.sleep(9), "missing": missing, "odd": odd, "well": lambda: fine("well", "yes")}
    hangs, lacks, strange, well = run_checks(checks, 0.1)
    ill(hangs, State.WRONG, "no answer within 0.1 s")
    ill(lacks, State.WRONG, "numba")
    ill(strange, State.WRONG, "ZeroDivisionError")
    assert well.state is State.FINE


def test_a_folder_that_was_removed_and_metadata_that_are_gone(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    ill(alone(lambda: machine.check_disk("it", Path("data"))), State.WRONG, "was removed", "cd into another")
    monkeypatch.chdir(tmp_path)
    ill(alone(lambda: metadata.version("beating-nothing")), State.WRONG, "beating-nothing")
    assert "see packages" not in alone(lambda: metadata.version("beating-nothing")).remedy


def test_python_that_is_too_old_or_reads_names_otherwise(monkeypatch):
    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: "ascii")
    ill(packages.check_python(), State.WARNING, "ascii", "PYTHONUTF8=1")
    monkeypatch.setattr(packages, "LEAST_PYTHON", (9, 9))
    ill(packages.check_python(), State.WRONG, "3.11 or newer")


def test_packages_that_are_missing_or_of_another_version(monkeypatch):
    version = metadata.version
    found = {"numpy": "1.0", "h5py": None}

    def planted(name: str) -> str:
        if name in found and found[name] is None:
            raise metadata.PackageNotFoundError
        return found.get(name) or version(name)

    monkeypatch.setattr(packages.metadata, "version", planted)
    ill(packages.check_versions(), State.WRONG, "h5py is missing", "numpy is 1.0, must be >=2.4", "pip install 'h5py>=")
    found.clear()
    found["torch"], found["captcha"] = f"{version('torch').partition('+')[0]}+label", "0.0.1"
    result = packages.check_versions()
    ill(result, State.WARNING, "captcha 0.0.1", "constraints.txt")
    assert "torch" not in result.found


def test_every_required_package_is_imported():
    project = tomllib.loads((check_results.root() / "pyproject.toml").read_text())["project"]
    assert {Requirement(text).name.lower() for text in project["dependencies"]} == set(packages.MODULES)


def test_packages_that_cannot_be_imported(tmp_path, monkeypatch):
    (tmp_path / "torn.py").write_text("raise OSError('libtorn.so: cannot open')")
    (tmp_path / "deadly.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGILL)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(
        packages, "MODULES", {"json": "json", "torn-package": "torn", "deadly": "deadly", "late": "csv"}
    )
    monkeypatch.setitem(packages.MODULES, "absent", "absent")
    monkeypatch.setattr(packages, "_version", lambda name: None if name == "absent" else "1")
    result = packages.check_imports(packages.start_imports())
    ill(result, State.WRONG, "torn: OSError: libtorn.so: cannot open", "deadly: ends Python with code -4",
        "--force-reinstall torn-package deadly")  # fmt: skip
    assert "json" not in result.found and "absent" not in result.found  # which `packages` tells
    monkeypatch.setattr(packages, "MODULES", {"matplotlib": "matplotlib.figure"})
    monkeypatch.setenv("MPLBACKEND", "nonsense")
    ill(packages.check_imports(packages.start_imports()), State.WRONG, "MPLBACKEND is 'nonsense'", "unset MPLBACKEND")


@pytest.mark.parametrize(
    "program", [["-c", "import beating_captchas; beating_captchas.main()"], ["-m", "flows"], ["-m", "flows.doctor"]]
)
def test_packages_of_others_are_named_however_the_command_is_started(tmp_path, program):
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "__init__.py").touch()
    variables = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(tmp_path), str(Path(beating_captchas.__file__).parent)])
    }
    done = subprocess.run([sys.executable, *program], env=variables, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert f"the package 'tasks' is another's: Python finds {tmp_path}/tasks/__init__.py" in line
    assert "environment of its own" in line and str(tmp_path) in line.rpartition("PYTHONPATH")[2]


@pytest.mark.parametrize(
    "record", [None, "tasks/__init__.py,sha256=x,3\n", "other/tasks/__init__.py,,\r\ntasks/__init__.py,,\r\n"]
)
def test_packages_of_others_in_place_of_ours(tmp_path, monkeypatch, record):
    other = SimpleNamespace(
        metadata={"Name": "invoke-tasks"}, files=[Path("tasks/__init__.py")], read_text=lambda _: record
    )
    monkeypatch.setattr(packages.metadata, "distributions", lambda: [other])
    ill(packages.check_names(), State.WRONG, "over ours: invoke-tasks (tasks/__init__.py)", "python3 -m venv")
    monkeypatch.setattr(beating_captchas, "__file__", str(tmp_path / "beating_captchas.py"))
    ill(alone(packages.check_names), State.WRONG, "not whole", "--force-reinstall")


def test_a_package_that_was_installed_over_ours(tmp_path, monkeypatch):
    """As pip does it without a word: two packages with a file of one name."""
    for name in beating_captchas.OWN:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f'"""{name}"""\n')
    record = tmp_path / "beating_captchas-1.dist-info" / "RECORD"
    record.parent.mkdir()
    record.write_text(
        "".join(
            f"{name}/__init__.py,sha256={base64.urlsafe_b64encode(hashlib.sha256(text).digest()).decode().rstrip('=')},9\n"
            for name in beating_captchas.OWN
            for text in [(tmp_path / name / "__init__.py").read_bytes()]
        )
    )
    monkeypatch.setattr(beating_captchas, "__file__", str(tmp_path / "beating_captchas.py"))
    spec = importlib.machinery.ModuleSpec
    monkeypatch.setattr(
        beating_captchas, "find_spec", lambda name: spec(name, None, origin=str(tmp_path / name / "__init__.py"))
    )
    assert beating_captchas.clash() is None
    (tmp_path / "storage" / "__init__.py").write_text("import another")
    found, remedy = beating_captchas.clash()
    assert "'storage' is another's, installed over ours" in found and str(tmp_path / "storage") in found
    assert "environment of its own" in remedy


def test_extras_are_told(monkeypatch):
    monkeypatch.setattr(packages, "_version", lambda name: None if name == "torch" else "1")
    texts = ["numpy>=2", 'torch>=2; extra == "deep"', 's3fs; extra == "s3"', 'pyarrow; extra == "export"']
    for clone in (True, False):
        monkeypatch.setattr(packages, "is_clone", lambda clone=clone: clone)
        monkeypatch.setattr(packages.metadata, "requires", lambda _: texts)
        result = packages.check_extras()
        assert result.found.startswith("export, s3 installed")
    assert list(packages._requirements("")) == ["numpy"]
    assert result.state is State.FINE and "not installed: deep (captchas train --reader deep)" in result.found


def test_fonts_and_models_that_are_damaged_or_missing(tmp_path, monkeypatch):
    from tasks import shipped
    from tasks.profiles import fonts

    folder = tmp_path / "fonts"
    folder.mkdir()
    file = next(fonts.files("fonts").glob("dejavu/*.ttf"))
    shutil.copy(file, folder)
    (folder / "SHA256SUMS").write_text(f"{'0' * 64}  {file.name}\n")
    monkeypatch.setattr(fonts, "files", lambda _: folder)
    fonts.bundled.cache_clear()
    ill(alone(installation.check_fonts), State.WRONG, file.name, "install the project again")
    (folder / file.name).unlink()
    ill(alone(installation.check_fonts), State.WRONG, file.name)
    fonts.bundled.cache_clear()
    damaged = tmp_path / "ladder.skops"
    damaged.write_bytes(shipped.SHIPPED.read_bytes()[:-9])
    monkeypatch.setattr(shipped, "SHIPPED", damaged)
    ill(alone(installation.check_models), State.WRONG, "ladder.skops")
    damaged.unlink()
    ill(alone(installation.check_models), State.WRONG, "ladder.skops is missing")


def test_kernels_that_are_not_compiled_or_do_not_work(monkeypatch):
    from tasks import compiled

    monkeypatch.setattr(compiled, "kernels_missing", lambda every: every)
    ill(installation.check_kernels(), State.WARNING, "not compiled", "-m tasks.warm")
    monkeypatch.setattr(compiled, "kernels_missing", lambda every: False)
    done = SimpleNamespace(returncode=0, stdout="False\n", stderr="")
    monkeypatch.setattr(subprocess, "run", lambda *_args, **_kwargs: done)
    ill(installation.check_kernels(), State.WRONG, "do not come back")
    done.returncode = -4  # an instruction that the processor lacks
    ill(installation.check_kernels(), State.WRONG, "ended with code -4", "-m tasks.warm")
    done.stderr = "LLVM ERROR: no such function\n"
    ill(installation.check_kernels(), State.WRONG, "LLVM ERROR: no such function")
    monkeypatch.setattr(subprocess, "run", _late)
    ill(installation.check_kernels(), State.WARNING, "within 60 s", "-m tasks.warm")


def _late(command, timeout, **_):
    raise subprocess.TimeoutExpired(command, timeout)


def test_kernels_that_work(monkeypatch):
    from tasks.compiled import kernels_work

    assert kernels_work()
    monkeypatch.setattr("tasks.lowlevel.inflate.inflate", lambda stream, out: True)
    assert not kernels_work()


def test_a_shell_that_limits_what_a_process_may_address(monkeypatch):
    monkeypatch.setattr(machine.resource, "getrlimit", lambda _: (1 << 30, 1 << 30))
    ill(machine.check_memory(), State.WRONG, "may address 1.1 GB", "ulimit -v unlimited")


def test_a_container_that_gives_less_than_the_machine_has(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    (tmp_path / "cpu.max").write_text("150000 100000\n")
    ill(machine.check_cores(), State.WARNING, "8 of", "time of 1.5", "--workers 1")
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert machine.check_cores().state is State.FINE
    (tmp_path / "memory.max").write_text(f"{2 << 30}\n")
    (tmp_path / "memory.current").write_text(f"{1 << 30}\n")
    ill(machine.check_memory(), State.WARNING, "1.1 GB free in its control group", "--workers 2")
    (tmp_path / "memory.current").write_text(f"{2 << 30}\n")
    ill(machine.check_memory(), State.WRONG, "0 MB free")
    for name in ("cpu.max", "memory.max"):
        (tmp_path / name).unlink()
    (tmp_path / "cpu").mkdir()  # the older kind of control groups
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("200000\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    ill(machine.check_cores(), State.WARNING, "time of 2", "--workers 2")
    monkeypatch.setattr(machine, "MEMORY_INFORMATION", tmp_path / "none")
    ill(machine.check_memory(), State.WARNING, "does not tell")


def test_disks_that_are_full_and_temporary_files_that_cannot_be(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1 << 20))
    ill(machine.check_disk("disk", tmp_path / "not" / "there"), State.WRONG, "1 MB free", str(tmp_path), "--home")
    ill(machine.check_temporary(), State.WRONG, "1 MB free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1 << 30))
    ill(machine.check_disk("disk", tmp_path), State.WARNING, "1.1 GB")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    ill(machine.check_temporary(), State.WRONG, "TMPDIR")


def test_a_clock_that_is_wrong(monkeypatch):
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 60)
    ill(machine.check_clock(), State.WARNING, "+60 s", "--settle 61")
    monkeypatch.setattr(time, "time", lambda: 0.0)
    ill(machine.check_clock(), State.WRONG, "set the clock")


@pytest.mark.slow
def test_limits_and_settings_are_those_that_commands_refuse(monkeypatch):
    from flows import environment

    monkeypatch.setattr(environment.resource, "getrlimit", lambda _: (64, 64))
    ill(alone(machine.check_limits), State.WRONG, "ulimit")
    monkeypatch.setenv("PREFECT_LOGGING_LEVEL", "LOUD")
    (result,) = run_checks({"it": servers.check_settings}, 60)
    ill(result, State.WRONG, "PREFECT_LOGGING_LEVEL", "it is 'LOUD'", "unset it")
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/certificates.pem")
    ill(alone(servers.check_settings), State.WRONG, "SSL_CERT_FILE", "/nowhere/certificates.pem", "unset it")
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    ill(alone(servers.check_settings), State.WRONG, "NUMBA_DISABLE_JIT", "unset it")
    monkeypatch.setenv("PREFECT_SERVER_DATABASE_CONNECTION_URL", "mysql://x")
    ill(alone(servers.check_settings), State.WRONG, "PREFECT_SERVER_DATABASE_CONNECTION_URL", "unset it")
    monkeypatch.setenv("CAPTCHAS_DRAW_SECONDS", "long")
    ill(alone(servers.check_settings), State.WRONG, "CAPTCHAS_DRAW_SECONDS", "unset it")


def test_a_port_that_is_taken(monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setattr(machine, "UP_PORT", taken.getsockname()[1])
        ill(machine.check_ports(lambda: False), State.WARNING, "another program", "captchas up --port 0")
        assert machine.check_ports(lambda: True).state is State.FINE
    assert machine.check_ports(lambda: False).state is State.FINE


def test_homes_that_cannot_be_used(home, monkeypatch):
    home.chmod(0o777)
    ill(servers.check_home(), State.WRONG, "every user", "chmod o-rwx")
    home.chmod(0o755)
    ill(servers.check_home(), State.WARNING, "every user", "chmod o-rwx")
    home.chmod(0o700)
    with monkeypatch.context() as other:
        other.setattr(os, "geteuid", lambda: 12345)
        ill(servers.check_home(), State.WARNING, "another user", "chown -R 12345")
    mounts = home / "mounts"
    mounts.write_text(f"disk / ext4 rw 0 0\nserver:/x {home.resolve()} nfs4 rw 0 0\n")
    monkeypatch.setattr(servers, "MOUNTS", mounts)
    ill(servers.check_home(), State.WARNING, "nfs4")
    monkeypatch.setattr(tempfile, "TemporaryFile", _refuse)
    ill(servers.check_home(), State.WRONG, "Permission denied", "chmod u+rwx")
    monkeypatch.setenv("CAPTCHAS_HOME", str(mounts))
    ill(servers.check_home(), State.WRONG, "is no folder")
    monkeypatch.setenv("CAPTCHAS_HOME", str(home / "new"))
    assert servers.check_home().state is State.FINE and not (home / "new").exists()
    monkeypatch.setattr(os, "access", lambda *_: False)
    ill(servers.check_home(), State.WRONG, "may not be written to", "CAPTCHAS_HOME")
    monkeypatch.setenv("CAPTCHAS_HOME", "s3://bucket/home")
    ill(alone(servers.check_home), State.WRONG, "must be a folder of this machine")


def _refuse(*_args, **_kwargs):
    raise PermissionError(13, "Permission denied")


def test_a_database_of_runs_that_is_damaged(home):
    assert servers.check_database().state is State.FINE
    (home / "prefect").mkdir()
    file = home / "prefect" / "prefect.db"
    with sqlite3.connect(file) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE runs (name)")
    assert "1 tables" in servers.check_database().found  # while it is in use
    database.close()
    assert "1 tables" in servers.check_database().found
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    file.write_bytes(b"no database at all" * 100)
    ill(servers.check_database(), State.WRONG, "prefect.db", "mv ")


def test_a_named_server_that_is_no_url_does_not_keep_the_doctor_from_its_checks(few, monkeypatch, capsys):
    monkeypatch.setenv("PREFECT_API_URL", "nonsense")
    monkeypatch.setattr(sys, "argv", ["captchas", "doctor", "--json"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1  # 2 would mean that nothing was looked at
    assert [row["check"] for row in json.loads(capsys.readouterr().out)["checks"]][:1] == ["clock"]
    ill(alone(servers.check_prefect), State.WRONG, "PREFECT_API_URL", "'nonsense'", "unset it")


def test_servers_that_do_not_answer(monkeypatch):
    from flows import environment

    monkeypatch.setattr(environment, "_ANSWER", 0.1)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert (
        servers.check_prefect().state is servers.check_store().state is servers.check_cluster(None).state is State.FINE
    )
    ill(servers.check_cluster(f"tcp://127.0.0.1:{port}"), State.WRONG, str(port), "dask scheduler")
    monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{port}/api")
    ill(alone(servers.check_prefect), State.WRONG, "no Prefect server answers", "start it")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://user:secret@127.0.0.1:{port}")
    result = servers.check_store()
    ill(result, State.WRONG, f"nothing answers at http://127.0.0.1:{port}", "AWS_ENDPOINT_URL_S3")
    assert "secret" not in str(result)
    with socket.create_server(("127.0.0.1", port)):
        assert servers.check_store().state is servers.check_cluster(f"127.0.0.1:{port}").state is State.FINE
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    ill(servers.check_store(), State.WARNING, "the extra s3", "s3fs")


def test_a_run_that_fails_is_told(monkeypatch):
    def failing(*_args, **_kwargs):
        return SimpleNamespace(returncode=1, stderr="captchas: the disk is full", stdout="")

    monkeypatch.setattr(subprocess, "run", failing)
    ill(servers.check_start(None), State.WRONG, "the disk is full")


@pytest.mark.soak
def test_every_package_can_be_imported():
    assert packages.check_imports(packages.start_imports()).found.startswith(f"all {len(packages.MODULES)} ")


@pytest.mark.soak
def test_a_run_starts_all_that_it_needs():
    result = servers.check_start(None)
    assert result.state is State.FINE and "64 pictures" in result.found, result


def test_no_other_process_can_be_started(monkeypatch):
    """Rights of Python itself, or a limit on processes: the other checks are told all the same."""
    monkeypatch.setattr(sys, "executable", "/nowhere/python3")
    ill(packages.check_imports(packages.start_imports()), State.WRONG, "/nowhere/python3", "No such file", "ulimit -u")
    monkeypatch.setattr(packages, "_version", lambda _: json.loads("{"))
    (result,) = run_checks({"imports": lambda: packages.check_imports(packages.start_imports())}, 5)
    ill(result, State.WRONG, "JSONDecodeError")
    monkeypatch.setattr(command, "run_checks", lambda checks, patience=5: run_checks(
        {name: checks[name] for name in ("clock", "imports") if name in checks}, patience))  # fmt: skip
    report = command.examine()
    assert [row["check"] for row in report["checks"]] == ["clock", "imports"]  # and it ends without an error


def test_where_no_thread_can_be_started_checks_still_run(monkeypatch):
    monkeypatch.setattr(threading.Thread, "start", _no_thread)
    assert alone(lambda: fine("it", "runs")).found == "runs"


def _no_thread(_thread):
    raise RuntimeError("can't start new thread")


def test_a_disk_that_has_room_but_not_for_more_files(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1 << 40))
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_files=1000, f_favail=7))
    ill(machine.check_disk("disk", tmp_path), State.WRONG, "room for 7 more files", "remove files")
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_files=0, f_favail=0))
    assert "more files" not in machine.check_disk("disk", tmp_path).found


@pytest.mark.parametrize(
    ("number", "remedy"), [(28, "free some space"), (122, "free some space"), (30, "another home")]
)
def test_a_home_that_is_full_or_read_only_is_not_a_matter_of_rights(number, remedy, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    ill(servers.check_home(), State.WRONG, os.strerror(number), remedy)
    assert "chmod" not in servers.check_home().remedy


def test_folders_of_a_home_that_another_user_made(home, monkeypatch):
    for name in ("datasets", "models", "reports"):
        (home / name).mkdir()
    monkeypatch.setattr(os, "access", lambda path, _: Path(path).name not in ("datasets", "models"))
    ill(servers.check_home(), State.WRONG, "read and write datasets and models", "chmod u+rwx", "datasets")
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    ill(servers.check_home(), State.WRONG, "chown -R 12345")
