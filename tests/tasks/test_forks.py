import os
import signal
import time

import pytest

from storage.errors import BadInput
from tasks import forks
from tasks.forks import Forked, in_two


@pytest.fixture(autouse=True)
def two_processors(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})


@pytest.mark.parametrize("count", [4, 5, 9])
def test_a_child_makes_every_second_thing(count):
    parent = os.getpid()
    made = in_two(lambda number: (number, os.getpid() == parent), range(count))
    assert made == [(number, number % 2 == 0) for number in range(count)]


@pytest.mark.parametrize(("count", "processors"), [(3, 2), (9, 1), (0, 2)])
def test_few_things_or_one_processor_need_no_child(count, processors, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(processors)))
    parent = os.getpid()
    assert in_two(lambda _: os.getpid() == parent, range(count)) == [True] * count


def test_a_child_that_dies_costs_only_its_time():
    parent = os.getpid()

    def fatal(number: int) -> int:
        if os.getpid() != parent:
            os._exit(3)
        return number

    assert in_two(fatal, range(6)) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("bad", [2, 3])  # of this process, of the child
def test_the_error_of_a_thing_is_raised_and_no_child_is_left(bad, monkeypatch):
    children, fork = [], os.fork

    def kept() -> int:
        children.append(fork())
        return children[-1]

    monkeypatch.setattr(forks.os, "fork", kept)

    def refused(number: int) -> int:
        if number == bad:
            raise BadInput(f"number {number}")
        return number

    with pytest.raises(BadInput, match=f"number {bad}"):
        in_two(refused, range(6))
    with pytest.raises(ChildProcessError):
        os.waitpid(children[0], os.WNOHANG)


def test_a_child_that_nobody_waits_for_is_ended_with_its_block():
    with pytest.raises(BadInput), Forked(lambda: time.sleep(60)) as begun:
        child = begun._child
        raise BadInput("something else")
    with pytest.raises(ChildProcessError):
        os.waitpid(child, os.WNOHANG)
    assert begun.wait() is None


def test_without_room_for_a_child_this_process_makes_all(monkeypatch):
    def no_fork():
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(forks.os, "fork", no_fork)
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    assert in_two(str, range(6)) == list("012345")
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_a_process_that_ignores_the_end_of_its_children_gets_all():
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert in_two(str, range(6)) == list("012345")
    finally:
        signal.signal(signal.SIGCHLD, before)
