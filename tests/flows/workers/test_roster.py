"""Who works in a run: by a stand-in for Dask's client, which answers as it is told."""

import logging
from types import SimpleNamespace

import pytest

from flows.workers import roster
from flows.workers.roster import ClusterLost, Passing, Roster, WorkerLost
from storage.errors import BadInput
from storage.files.judged_folders import judged
from tasks import worker

HERE = worker.record()


class Stub:
    """Workers by address: what each answers, or raises."""

    def __init__(self, **answers):
        self.status, self.answers, self.silent, self.asked = "running", answers, False, []
        self.scheduler = SimpleNamespace(ncores="ncores")
        self.cluster = SimpleNamespace(workers={})

    def _run(self):
        raise NotImplementedError

    def sync(self, what, *arguments, workers=None, callback_timeout=None, **_):
        assert callback_timeout == roster.ANSWER
        if self.silent:
            raise TimeoutError
        if what == "ncores":
            return dict.fromkeys(self.answers, 2)
        question, *rest = arguments
        self.asked.append((question.__name__, sorted(workers)))
        return {name: self.answers[name] if question is worker.record else question(*rest) for name in workers}


@pytest.fixture
def clock(monkeypatch):
    """Time that passes when it is told to."""
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(roster.time, "monotonic", lambda: now.seconds)
    monkeypatch.setattr(roster.time, "sleep", lambda seconds: setattr(now, "seconds", now.seconds + seconds))
    return now


def test_workers_like_this_process_are_taken_and_asked_once(clock):
    client = Stub(a=HERE, b=HERE)
    one = Roster(client, "tcp://x:1")
    one.require_all()
    assert one.threads == {"a": 2, "b": 2}
    assert (one.refused, one.restriction()) == ({}, {})
    client.answers["c"] = HERE
    one.look()
    assert "c" not in one.threads  # too soon
    clock.seconds += roster.PERIOD
    one.look()
    assert one.threads == {"a": 2, "b": 2, "c": 2}
    assert client.asked == [("record", ["a", "b"]), ("record", ["c"])]


def test_others_are_refused_with_what_differs_equal_reasons_together(clock):
    other = HERE | {"pillow": "1.0", "fonts": "f00"}
    client = Stub(a=HERE, b=other, c=ModuleNotFoundError("No module named 'tasks'"), d=other)
    with pytest.raises(BadInput) as caught:
        Roster(client, "tcp://x:1").require_all()
    assert str(caught.value) == (
        "cluster 'tcp://x:1': 3 of 4 workers cannot work for this run: "
        f"b and 1 more: fonts f00 there, {HERE['fonts']} here, pillow 1.0 there, {HERE['pillow']} here; "
        "c: it lacks this project, or has another version of it (ModuleNotFoundError: No module named 'tasks'). "
        "Install the same version of this project there, with the same constraints.txt, and start the workers again"
    )
    assert caught.value.exit_code == 2


def test_a_worker_that_went_away_while_it_was_asked_is_no_objection(clock):
    Roster(Stub(a=HERE, b=OSError("closed")), "tcp://x:1").require_all()


def test_one_who_comes_later_and_differs_gets_no_jobs(clock, caplog):
    client = Stub(a=HERE)
    one = Roster(client, "tcp://x:1")
    one.require_all()
    client.answers["b"] = HERE | {"numpy": "1.0"}
    assert one.explains(worker.Unfit("…"))  # a job that b was given at once
    assert (one.threads, set(one.refused)) == ({"a": 2}, {"b"})
    assert one.restriction() == {"workers": ["a"], "allow_other_workers": True}
    with caplog.at_level(logging.WARNING):
        client.answers["c"] = ImportError("no tasks")
        clock.seconds += roster.PERIOD
        assert one.explains(ImportError("no tasks"))
    assert "worker c gets no job of this run: it lacks this project" in caplog.text
    del client.answers["b"], client.answers["c"]
    clock.seconds += roster.PERIOD
    one.look()
    assert (one.refused, one.restriction()) == ({}, {})
    assert not one.explains(ImportError("the unit's own"))
    assert not one.explains(ValueError("any"))


def test_one_who_comes_back_at_its_address_with_other_software_is_examined_again(clock):
    """Its job says so; without this it would be given the job for ever."""
    client = Stub(a=HERE, b=HERE)
    one = Roster(client, "tcp://x:1")
    one.require_all()
    client.answers["b"] = HERE | {"numpy": "1.0"}
    assert one.explains(worker.Unfit("…"))
    assert (one.threads, set(one.refused)) == ({"a": 2}, {"b"})


def test_workers_of_this_machine_are_not_examined(clock):
    client = Stub(a=None)
    one = Roster(client)
    one.look(now=True)
    one.require_shared(writes=["/nowhere/at/all"], reads=["/nor/there"])
    assert one.guard(len) == (worker.do_within, (len, judged()))  # but told which folders the command has judged
    assert not one.explains(ImportError("the unit's own"))
    assert (one.threads, client.asked) == ({"a": 2}, [])


def test_a_process_that_dask_has_given_up_is_started_again(clock):
    started = []
    client = Stub(a=None, b=None)
    alive = {"a": True, "b": True}
    client.cluster.workers = {
        name: SimpleNamespace(is_alive=lambda name=name: alive[name], restart=name) for name in alive
    }
    client.cluster.loop = SimpleNamespace(add_callback=started.append)
    one = Roster(client)
    one.look(now=True)
    del client.answers["b"]
    alive["b"] = False
    for passed in (0, roster.REVIVE):  # until then it is Dask's to start it
        clock.seconds += passed
        one.look(now=True)
    assert started == []
    clock.seconds += 1
    one.look(now=True)
    one.look(now=True)
    assert started == ["b"]
    clock.seconds += roster.REVIVE + 1  # it died again
    one.look(now=True)
    assert started == ["b", "b"]
    client.answers["b"] = None
    clock.seconds += roster.REVIVE + 1
    one.look(now=True)
    assert started == ["b", "b"]
    assert one.threads == {"a": 2, "b": 2}


@pytest.mark.parametrize(("address", "remedy"), [("tcp://x:1", "dask worker tcp://x:1"), (None, "fewer --workers")])
def test_nobody_there_for_too_long(clock, address, remedy):
    client = Stub(a=HERE)
    one = Roster(client, address)
    one.look(now=True)
    client.answers.clear()
    for _ in range(int(roster.PATIENCE / roster.PERIOD) + 1):
        clock.seconds += roster.PERIOD
        one.look()
    assert one.threads == {}
    clock.seconds += roster.PERIOD
    with pytest.raises(WorkerLost, match=remedy) as caught:
        one.look()
    assert isinstance(caught.value, Passing)
    client.answers["b"] = HERE
    one.look(now=True)
    assert one.threads == {"b": 2}


def test_a_scheduler_that_is_gone_or_silent(clock):
    client = Stub(a=HERE)
    one = Roster(client, "tcp://x:1")
    one.look(now=True)
    client.silent = True
    clock.seconds += 10 * roster.PATIENCE  # in which nobody asked
    one.look()  # a busy machine
    clock.seconds += roster.PATIENCE
    one.look()
    clock.seconds += roster.PERIOD
    with pytest.raises(ClusterLost, match="did not answer for 60 s"):
        one.look()
    client.silent, client.status = False, "connecting"
    with pytest.raises(ClusterLost, match=r"'tcp://x:1': the scheduler is gone.*same command again") as caught:
        one.look(now=True)
    assert isinstance(caught.value, Passing)
    assert caught.value.exit_code == 1


def test_a_worker_that_hangs_is_named(clock, monkeypatch):
    client = Stub(a=HERE)
    one = Roster(client, "tcp://x:1")
    one.look(now=True)
    monkeypatch.setattr(client, "sync", lambda *_, **__: (_ for _ in ()).throw(TimeoutError))
    with pytest.raises(WorkerLost, match=r"did not answer in 30 s \(a\)"):
        one.require_shared(reads=["/"])


def test_folders_must_be_the_same_everywhere(clock, tmp_path, monkeypatch):
    client = Stub(a=HERE, b=HERE)
    one = Roster(client, "tcp://x:1")
    one.require_all()
    made, there = tmp_path / "made", tmp_path / "there"
    there.mkdir()
    (there / "manifest.json").write_text("{}")
    one.require_shared(writes=[made], reads=[there, str(there / "manifest.json"), "s3://bucket/x"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made", "there"]
    assert [*made.iterdir()] == []  # what was looked for is gone
    assert [path.name for path in there.iterdir()] == ["manifest.json"]

    answered = client.sync

    def blind(what, *arguments, **options):
        """As if b had another disk."""
        return answered(what, *arguments, **options) | ({} if what == "ncores" else {"b": [str(made)]})

    monkeypatch.setattr(client, "sync", blind)
    for given in ({"writes": [made]}, {"reads": [there]}):
        with pytest.raises(BadInput, match=r"1 of 2 workers do not see what is at .*: b\. Mount the same folder"):
            one.require_shared(**given)
    assert [*made.iterdir()] == []
