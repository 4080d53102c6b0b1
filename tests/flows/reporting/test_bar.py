"""The bar of commands that ask no server: on a terminal only."""

import io

import pytest

from flows.reporting.bar import shown_bar


class Terminal(io.StringIO):
    """Standard error as a terminal that moves its cursor."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("there", [True, False])
def test_a_bar_is_drawn_on_a_terminal_only(monkeypatch, there):
    stderr = Terminal() if there else io.StringIO()
    monkeypatch.setattr("sys.stderr", stderr)
    monkeypatch.setenv("TERM", "xterm")
    with shown_bar("training", 20, "steps") as advance:
        for _ in range(4):
            advance(5)
    said = stderr.getvalue()
    assert ("training" in said and "20/20" in said and "steps" in said) is there
    assert there or not said
