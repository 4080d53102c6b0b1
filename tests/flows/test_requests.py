"""A command's request: its parameters declared once, checked once, and nothing misspelt swallowed."""

import hashlib
import inspect
import os
from dataclasses import KW_ONLY, FrozenInstanceError, dataclass
from importlib import import_module

import pytest

from flows.generate import GenerateRequest
from flows.parameters import Count, require_limits, require_workers
from flows.regenerate import RegenerateRequest
from flows.requests import Refused, checked, command, handed_on, needing_workers
from flows.shell.commands import COMMANDS
from flows.solve import solve
from storage.errors import BadInput, Busy, Damaged, Unreachable
from storage.shards.shard import BLOCK, sealed, shard_name
from tasks.datasets.generate import BLOCKS_A_SHARD
from tasks.shipped import SHIPPED


@dataclass(frozen=True)
class HalveRequest:
    """A number to halve.

    Parameters
    ----------
    number
        Any even number.
    """

    number: int
    _: KW_ONLY
    workers: int | None = None


CHECKS = []


def check(request: HalveRequest) -> int:
    """Count the calls, and refuse some numbers."""
    CHECKS.append(request)
    for number, error in ((1, BadInput), (3, Busy), (5, Unreachable)):
        if request.number == number:
            raise error(f"number: must be even; it is {number}")
    return request.number // 2


@command(HalveRequest, check)
def halve(request: HalveRequest, half: int) -> dict:
    """Halve a number."""
    return {"number": request.number, "half": half}


@pytest.fixture(autouse=True)
def _no_checks():
    CHECKS.clear()


def test_the_fields_are_the_parameters_and_the_descriptions():
    assert str(inspect.signature(halve)) == "(number: int, *, workers: int | None = None) -> dict"
    assert halve.__name__ == "halve"
    assert halve.__doc__ == "Halve a number.\n\nParameters\n----------\nnumber\n    Any even number."


def test_each_call_checks_once():
    assert halve(4) == halve(number=4) == {"number": 4, "half": 2}
    assert len(CHECKS) == 2


def test_a_misspelt_parameter_is_an_error():
    with pytest.raises(TypeError, match="wrokers"):
        halve(4, wrokers=2)
    with pytest.raises(TypeError, match="wrokers"), checked(halve, 4, wrokers=2):
        pass


def test_a_call_takes_what_was_checked_before():
    with checked(halve, 4) as known:
        assert known and halve(4)["half"] == 2
    assert len(CHECKS) == 1


def test_what_was_checked_is_taken_once_and_for_equal_parameters_only():
    with checked(halve, 4):
        halve(4)
        halve(4)
    assert len(CHECKS) == 2
    with checked(halve, 4):
        assert halve(6)["half"] == 3
        halve(4)  # another call came first
    assert len(CHECKS) == 5
    with checked(halve, 4):
        pass
    halve(4)  # afterwards
    assert len(CHECKS) == 7


def test_a_command_hands_on_what_it_has_checked_itself():
    with handed_on(HalveRequest(4), 17):
        assert halve(4)["half"] == 17
    assert CHECKS == []


@pytest.mark.parametrize(("number", "error", "code"), [(1, BadInput, 2), (3, Refused, 2), (5, Unreachable, 1)])
def test_what_is_refused_before_it_runs_is_bad_input(number, error, code):
    with pytest.raises(error, match=f"number: must be even; it is {number}") as raised, checked(halve, number):
        pass
    assert raised.value.exit_code == code


def test_a_forged_model_is_refused_before_the_run(tmp_path):
    """Its seal fits, its content does not."""
    body = SHIPPED.read_bytes()[:-64].replace(b"relu", b"tanh")
    forged = tmp_path / "m.skops"
    forged.write_bytes(body + hashlib.sha256(body).hexdigest().encode())
    with pytest.raises(Refused, match=r"model .*m\.skops: ") as refused, checked(solve, tmp_path, model=str(forged)):
        pass
    assert refused.value.exit_code == 2 and isinstance(refused.value.__cause__, Damaged)


@dataclass(frozen=True)
class LimitedRequest:
    """A number above 0 to halve."""

    number: Count


@command(LimitedRequest, check)
def halve_limited(request: LimitedRequest, half: int) -> dict:
    """Halve a number above 0."""
    return {"number": request.number, "half": half}


def test_limits_are_checked_before_the_rest():
    with pytest.raises(BadInput, match="number: must be 1 or more; it is 0"):
        halve_limited(0)
    with pytest.raises(BadInput, match=r"number: must be a whole number; it is 2\.5"), checked(halve_limited, 2.5):
        pass
    assert CHECKS == [] and halve_limited(4)["half"] == 2


def test_every_command_has_a_frozen_request_or_nothing_to_check():
    for where, _ in COMMANDS.values():
        module, _, function = where.partition(":")
        body = getattr(import_module(module), function)
        homes = module, f"{module}_request"
        kinds = {
            value for value in vars(import_module(module)).values()
            if inspect.isclass(value) and value.__module__ in homes and value.__name__.endswith("Request")
        }  # fmt: skip
        if not kinds:
            with checked(body) as known:
                assert not known
            continue
        (kind,) = kinds
        parameters = inspect.signature(body).parameters
        assert inspect.signature(kind).parameters == parameters
        needed = [name for name, field in parameters.items() if field.default is inspect.Parameter.empty]
        with pytest.raises(FrozenInstanceError):
            kind(**dict.fromkeys(needed, "x")).workers = 5


def test_a_command_says_whether_it_is_sure_to_need_local_workers():
    @dataclass(frozen=True)
    class Request:
        pictures: int
        cluster: str | None = None

    @command(Request, lambda request: request.pictures * 2, lambda request, twice: request.pictures < twice)
    def draw(request, twice):
        return {}

    @command(Request, lambda request: None)
    def look(request, _nothing):
        return {}

    with checked(draw, 3):
        assert needing_workers(draw) == Request(3)
    with checked(draw, 0):
        assert needing_workers(draw) is None
    with checked(draw, 3, cluster="tcp://host:8786"):
        assert needing_workers(draw) is None
    with checked(look, 3):
        assert needing_workers(look) is None
    assert needing_workers(draw) is None  # nothing is handed on


@pytest.mark.parametrize("count", [16_384_000_001, 10**26])
def test_more_pictures_than_shards_have_names_for_are_refused(tmp_path, count):
    """A run for them would plan its shards until no memory is left."""
    most = 16_384_000_000
    size = BLOCKS_A_SHARD * BLOCK
    last = most // size - 1
    for index in (last, last + 1):
        (tmp_path / shard_name(index, size)).touch()
    assert [*sealed(tmp_path)] == [(last, size)]
    with pytest.raises(BadInput, match=r"^count: must be from 1 to 16,384,000,000; it is "):
        require_limits(GenerateRequest.__annotations__, {"count": count})
    with pytest.raises(BadInput, match=r"^count: must be from 1 to 16,384,000,000; it is "):
        require_limits(RegenerateRequest.__annotations__, {"count": [10, count]})
    require_limits(GenerateRequest.__annotations__, {"count": most})


@pytest.mark.parametrize("workers", [3000, 10**26])
def test_more_processes_than_a_machine_can_use_are_refused(workers, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    with pytest.raises(BadInput, match=r"^workers: must be at most 64 on this machine; it is \d+: what counts"):
        require_workers(workers)
    require_workers(64)
    monkeypatch.setattr(os, "cpu_count", lambda: 1000)
    require_workers(4000)
