"""The style and the types of the whole project, as `make check` looks at them."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tasks.figures.style import MOST_WIDTH

ROOT = Path(__file__).parents[1]
TOOLS = Path(sys.executable).parent


# The command `mypy`, without Python's garbage collector: to look again and again through all types took a third of it.
MYPY = """
import gc, sys
gc.disable()
gc.enable = gc.collect = lambda *_: None
from mypy.__main__ import console_entry
console_entry()
"""
COMMANDS = {
    "style": [TOOLS / "ruff", "check", "."], "layout": [TOOLS / "ruff", "format", "--check", "."],
    "types": [sys.executable, "-c", MYPY],
}  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_nothing_is_left_to_mend(command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_figures_of_the_documentation_are_readable_inline():
    """Their code makes them so; a figure that an earlier version of it made is to be made again."""
    figures = [file for file in ROOT.glob("docs/**/*.png") if file.parent.name != "operations"]  # screenshots
    assert figures
    for file in figures:
        with Image.open(file) as figure:
            assert figure.width <= MOST_WIDTH, file.name
