"""The examples in docs/audit-generators.md draw, each as it stands, where its program and packages are installed."""

import re
import shlex
import shutil
import subprocess
import sys
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import pytest

from tasks.audit.generators.judged import text_of_picture
from tasks.audit.generators.own_generator import find_generator
from tasks.audit.generators.pool import Job, Pool
from tasks.audit.generators.processes.callables import find_callable
from tasks.audit.generators.processes.counter_texts import ALPHABET, LENGTHS, text_of
from tasks.audit.generators.processes.returned import unpack
from tasks.solving.choice import parse_length

GUIDE = Path(__file__).parents[4] / "docs" / "audit-generators.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NAME = re.compile(r"(?:#|//|<\?php //) (\S+\.\w+)\n")
NEEDED = {  # by the script's name
    "django_many": lambda: False,  # needs an environment of its own
    "svg_many": lambda: (
        shutil.which("node") and not subprocess.run(["node", "-e", "require('svg-captcha')"]).returncode
    ),
    "piped": lambda: "gd" in php_modules(),
    "draw.php": lambda: "gd" in php_modules(),
    "choose": lambda: shutil.which("perl"),
}


def php_modules() -> list[str]:
    if not shutil.which("php"):
        return []
    return subprocess.run(["php", "-m"], capture_output=True, text=True).stdout.split()


def examples() -> list[str]:
    """Return the commands of the guide."""
    blocks = [text for kind, text in BLOCK.findall(GUIDE.read_text()) if kind == "sh"]
    return [line for text in blocks for line in text.splitlines() if line.startswith("captchas audit")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the scripts of the guide."""
    made = tmp_path_factory.mktemp("guide")
    for kind, text in BLOCK.findall(GUIDE.read_text()):
        if kind != "sh":
            (made / NAME.match(text)[1]).write_text(text)
    assert len(list(made.iterdir())) == 7
    return made


def test_the_guide_has_examples():
    assert len(examples()) == 12


@pytest.mark.parametrize("line", examples())
def test_an_example_draws(folder, monkeypatch, line):
    words = shlex.split(line, comments=True)[2:]
    missing = next((name for name, there in NEEDED.items() if name in line and not there()), None)
    if missing or ("captcha.image" in line and not find_spec("captcha")):
        pytest.skip("its program or its package is not installed")
    options = dict(pairwise(words))
    command, letters, bounds = (
        options.get("--command"),
        options.get("--alphabet"),
        parse_length(options.get("--length")),
    )
    lengths = tuple(range(bounds[0], bounds[1] + 1)) if bounds else LENGTHS
    if not command:
        monkeypatch.setattr("sys.path", [*sys.path])
        monkeypatch.setitem(sys.modules, "draw", None)  # taken away afterwards
        monkeypatch.setitem(sys.modules, "own_text", None)
        del sys.modules["draw"], sys.modules["own_text"]
        found = find_callable(words[0], str(folder))
        text = text_of(1, 0, letters or ALPHABET, lengths)
        shown, data = unpack(found.call(text, 1, 0), 10_000)
        assert (shown in (None, text)) if found.takes_text else len(shown) == 5
        assert data.startswith(b"\x89PNG")
        return
    generator = find_generator(None, command, folder=folder)
    text = text_of(1, 0, generator.alphabet, generator.lengths) if generator.takes_text else None
    with Pool(generator.spec(), 1, 1) as pool:
        (result,) = pool.draw(iter([Job(0, text, count=generator.batch)]))
    assert "what" not in result.answer, result.answer
    if generator.batch > 1:
        assert len(result.answer["files"]) == generator.batch
        return
    shown = text_of_picture(generator, result.job, result.answer)
    assert shown == text or "choose" in line
    assert result.data.startswith((b"\x89PNG", b"BM"))
