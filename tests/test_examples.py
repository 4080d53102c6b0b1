"""The examples in the docstrings of the public doors are run as they stand."""

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOORS = (
    "storage.dataset",
    "tasks.reading.reader",
    "tasks.solving.picture_reader",
    "tasks.solving.alike.in_common",
    "tasks.profiles.profile",
    "tasks.profiles.built_in",
)


@pytest.mark.parametrize("name", DOORS)
def test_examples_say_what_they_print(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    found = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert found.attempted > 0, f"{name}: no example"
    assert found.failed == 0
