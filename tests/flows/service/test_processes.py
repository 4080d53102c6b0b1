"""Processes that a command starts: begun again when they die, found and ended when their command is dead."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flows.service import processes
from flows.service.processes import Child, Exhausted, end, orphans, started

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs Linux's /proc")
SLEEP = [sys.executable, "-S", "-c", "import time; time.sleep(60)", "prefect"]


@pytest.fixture
def child(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "_BACK_OFF", (0.05, 0.1))
    made = []

    def make(*command):
        made.append(Child("server", [sys.executable, "-S", *command], dict(os.environ), tmp_path / "logs" / "it.log"))
        return made[-1]

    yield make
    for one in made:
        one.end(5)


def until(reached, seconds=10):
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_child_that_dies_is_started_again_and_given_up_in_the_end(child):
    one = child("-c", "print('it is broken'); raise SystemExit(7)")
    one.start()
    said = []

    def look():
        message = one.look()
        said.extend([message] if message else [])

    with pytest.raises(Exhausted, match=r"the server ended 3 times in short time, at last with exit code 7; .*broken"):
        until(look)  # never true: it ends with the error
    assert [message.partition(";")[0].partition(" (")[0] for message in said] == [
        "the server ended with exit code 7", "the server was started again",
        "the server ended with exit code 7", "the server was started again",
    ]  # fmt: skip
    assert "0.05 s" in said[0] and "0.1 s" in said[2]
    assert not one.running


def test_one_that_ran_long_begins_anew(child, monkeypatch):
    monkeypatch.setattr(processes, "_SHORT", 0.0)
    one = child("-c", "raise SystemExit(7)")
    one.start()
    for _ in range(4):
        until(lambda: not one.running)
        until(one.look)
        until(one.look)
    assert one._deaths == 1


def test_it_waits_for_what_it_needs(child):
    one, asked = child("-c", "pass"), []
    one._ready = lambda: asked.append(one.running) or len(asked) > 2
    one.start()
    until(lambda: not one.running)
    until(one.look)
    until(one.look)
    assert asked == [False] * 3


def test_runs_that_have_a_process_are_known_by_their_id():
    ids = {processes.RUN: "the-run", processes.CLIENT: "-5"}
    process = subprocess.Popen(SLEEP, env=os.environ | ids)
    try:
        until(lambda: processes.runs_alive(-5) == {"the-run"})
        assert processes.runs_alive(-6) == set()
    finally:
        process.kill()
        process.wait()
    assert processes.runs_alive(-5) == set()


def test_it_is_ended_within_its_time(child):
    one = child(
        "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    one.start()
    until(lambda: one.last_words() == "deaf")
    pid, began = one.pid, time.monotonic()
    one.end(0.2)
    assert time.monotonic() - began < 30
    assert one.code == -9 and started(pid) is None and one.pid is None
    one.end(0.2)
    two = child("-c", "import time; time.sleep(60)")
    two.start()
    two.end(5)
    assert two.code == -15


def test_a_log_that_grew_long_is_begun_anew(child, monkeypatch):
    monkeypatch.setattr(processes, "_LOG_KEPT", 10)
    one = child("-c", "print('0123456789 and more')")
    for _ in range(2):
        one.start()
        until(lambda: not one.running)
        one.end(1)
    assert sorted(path.name for path in one.log.parent.iterdir()) == ["it.log", "it.log.1"]


def test_orphans_are_of_dead_commands_on_this_home():
    before = processes.all_of(os.getpid())  # of other tests in this process
    dead = subprocess.run([sys.executable, "-S", "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    variables = {"CAPTCHAS_CLIENT": dead.stdout.strip(), "PREFECT_HOME": "/a/home"}
    living = variables | {"CAPTCHAS_CLIENT": str(os.getpid())}
    started_now = [
        subprocess.Popen(command, env=os.environ | wanted, start_new_session=True)
        for command, wanted in (
            (SLEEP, variables), (SLEEP, living), (SLEEP, variables | {"PREFECT_HOME": "/another"}),
            (SLEEP[:-1], variables),  # nothing of Prefect's
        )
    ]  # fmt: skip
    try:
        until(lambda: len(processes.all_of(os.getpid())) > len(before))
        assert orphans("/a/home") == [started_now[0].pid]
        assert {*processes.all_of(os.getpid())} - {*before} == {started_now[1].pid}
        assert end(orphans("/a/home"), patience=5) == [started_now[0].pid]
        assert started_now[0].wait(5) == -15
        assert [one.poll() for one in started_now[1:]] == [None] * 3
    finally:
        for one in started_now:
            one.kill()
            one.wait()


def test_a_process_is_told_from_a_later_one_with_its_number():
    mine = started(os.getpid())
    assert mine == started(os.getpid()) and mine.isdigit()
    one = subprocess.Popen(SLEEP)
    try:
        assert started(one.pid) not in (None, mine)
    finally:
        one.kill()
        one.wait()
    assert started(one.pid) is None
    assert end([one.pid]) == [one.pid]  # nobody is hurt


@pytest.mark.skipif(not Path("/proc/self/comm").exists(), reason="needs Linux's /proc")
def test_a_process_may_have_any_name():
    """A process chooses its name, which /proc shows as it is."""
    program = (
        "import pathlib, sys; pathlib.Path('/proc/self/comm').write_bytes(b') \\xff('); print(1, flush=True); input()"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        assert started(child.pid).isdecimal()
        child.communicate(b"\n")
