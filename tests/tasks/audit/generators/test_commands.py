"""Commands of any language: how they are told what to draw, how they tell what they drew, and what fails."""

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from storage.errors import BadInput, NotThere
from tasks.audit.generators.judged import text_of_picture
from tasks.audit.generators.own_generator import find_generator
from tasks.audit.generators.pool import Job, Pool
from tasks.audit.generators.processes.limits import Limits
from tasks.audit.generators.processes.picture_files import NoPicture

SLOW = "sleep 30"
LIMITS = Limits(seconds=20, memory=400_000_000, output=500_000, pixels=100_000, processes=8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a picture, and with what is not one."""
    made = tmp_path_factory.mktemp("commands")
    Image.effect_noise((90, 40), 90).save(made / "some.png")
    Image.new("RGB", (50, 20), (255, 0, 0)).save(made / "red.jpg")
    Image.new("1", (1000, 1000)).save(made / "large.png")
    (made / "half.png").write_bytes((made / "some.png").read_bytes()[:900])
    (made / "drawn.svg").write_text('<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"></svg>')
    (made / "draw.php").write_text("<?php\n")
    return made


@pytest.fixture(scope="module")
def drawn(folder):
    """`drawn(command)`: the text and bytes of a picture that a command drew, asked for W0RD."""

    def draw(command: str, **options: object) -> tuple[str, bytes]:
        limits = replace(LIMITS, seconds=0.5) if command == SLOW else LIMITS
        generator = find_generator(None, command, limits=limits, folder=folder, **options)
        with Pool(generator.spec(), 1, 1) as pool:
            (result,) = pool.draw(iter([Job(7, "W0RD")]))
        if "what" in result.answer:
            raise NoPicture(result.answer["what"], result.answer["said"])
        return text_of_picture(generator, result.job, result.answer), result.data

    return draw


def said_by(path: Path) -> bytes:
    """Return the arguments of a process, b'' if it has ended."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("sh -c 'test $1 = W0RD && cp some.png $2' sh {text} {out}", "W0RD"),
        ("sh -c 'read word; test $word = W0RD && cat some.png'", "W0RD"),
        ("sh -c 'read word; cp some.png $1; echo drawn, thank you' sh {out}", "W0RD"),
        ("sh -c 'cp some.png $1; echo OK; echo done' sh {out} {text}", "W0RD"),
        ("sh -c 'cp some.png $1; echo M1NE' sh {out}", "M1NE"),
        ("sh -c 'cp some.png $1/0WN.png' sh {folder}", "0WN"),
        ("sh -c 'cp some.png $TMPDIR/N4ME.png; echo $TMPDIR/N4ME.png'", "N4ME"),
        ("sh -c 'cp red.jpg $1.jpg' sh {out} {text}", "W0RD"),
        ("sh -c 'test $1 -eq 7 && test $2 -ge 0 && cp some.png $3' sh {index} {seed} {out} {text}", "W0RD"),
        ("sh -c 'test -z \"$AWS_SECRET_ACCESS_KEY\" && cat some.png; read word'", "W0RD"),
        ("sh -c 'sleep 62 & cp some.png $1' sh {out} {text}", "W0RD"),
    ],
)
def test_a_text_is_given_and_told_in_many_ways(drawn, folder, command, text):
    found, data = drawn(command)
    assert found == text
    assert data == (folder / ("red.jpg" if "red" in command else "some.png")).read_bytes()
    assert not [path for path in Path("/proc").glob("[0-9]*/cmdline") if said_by(path) == b"sleep\x0062\x00"]


@pytest.mark.parametrize(
    ("command", "what", "said"),
    [
        ("sh -c 'cp half.png $1' sh {out} {text}", "gave a damaged picture", "900 bytes"),
        ("cat half.png", "gave a damaged picture", "900 bytes"),
        (SLOW, "took longer than 0.5 s", ""),
        ("yes", "wrote more than 500.0 kB", ""),
        ("sh -c 'yes > $1' sh {out} {text}", "wrote more than 500.0 kB", ""),
        ("sh -c 'for k in 1 2 3 4 5 6; do head -c 450000 /dev/zero > $TMPDIR/$k; done; sleep 3'",
         "wrote more than 500.0 kB", ""),
        ("sh -c 'echo no; echo such font >&2; exit 4'", "ended with exit code 4", "such font"),
        ("sh -c 'kill -SEGV $$'", "was ended by SIGSEGV", ""),
        ("true", "gave no picture", "nothing (0 bytes)"),
        ("true {out} {text}", "wrote no picture to {out}", "no file there; it printed nothing"),
        ("echo hello", "gave no picture", "6 bytes that begin with 'hello"),
        ("cat drawn.svg", "gave an SVG", "convert it in the generator"),
        ("cat large.png", "drew more than 100,000 pixels", "1000 x 1000 pixels"),
        ("cat some.png", "did not tell its text", "did not read the text on its standard input and printed none"),
        ("sh -c 'cp some.png $1; echo a; echo b' sh {out}", "did not tell its text", "it printed 2 lines"),
        ("sh -c 'cp some.png $1; echo 0THR' sh {out} {text}", "gave another text than was asked", "printed '0THR'"),
        ("sh -c 'cp some.png $1; echo far too long a text for a label of thirty-two' sh {out}",
         "gave a text that cannot be used", "at most 32"),
        ("python3 -c 'x = bytearray(10**9)'", "ended with exit code 1", "MemoryError"),
    ],
)  # fmt: skip
def test_what_fails_is_told(drawn, command, what, said):
    with pytest.raises(NoPicture) as error:
        drawn(command)
    assert error.value.what == what
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("command", "kind", "said"),
    [
        ("", BadInput, "must name a program, such as --command 'php draw.php {text} {out}'"),
        ("php 'draw.php", BadInput, "cannot be divided into arguments"),
        ("php draw.php {text} | convert - {out}", BadInput, "needs a shell, and none is started: it has '|'"),
        ("php draw.php {text} > {out}", BadInput, "it has '>'"),
        ("php $HOME/draw.php {text}", BadInput, "it has '$'"),
        ("php ~/draw.php {text}", BadInput, "it has '~'"),
        ("X=1 php draw.php", BadInput, "it begins with 'X=1' (without one: 'env X=1 php draw.php')"),
        ("no-such-program {text}", NotThere, "no program 'no-such-program' is on the PATH"),
        ("draw.php {text} {out}", BadInput, "cannot be run; name the program that runs it, such as 'php draw.php"),
        ("php draw.php {TEXT}", BadInput, "places are written in small letters; it has {TEXT}"),
    ],
)  # fmt: skip
def test_a_command_that_cannot_be_run_is_refused_with_its_remedy(folder, command, kind, said):
    with pytest.raises(kind) as error:
        find_generator(None, command, folder=folder)
    assert said in str(error.value)


@pytest.mark.parametrize(
    "command", ["php -r 'echo $x | 3; {text}' {out}", 'sh -c "cat \\"$1\\" > x" sh {text}', "echo a~b {text}"]
)
def test_what_is_quoted_needs_no_shell_of_ours(folder, command):
    find_generator(None, command, folder=folder)


def test_a_text_that_a_shell_would_obey_is_refused_within_code(folder):
    with pytest.raises(BadInput, match=r"stands within code .* which would take '\$' of the alphabet for code too"):
        find_generator(None, "sh -c 'draw {text}'", alphabet="ABC$", folder=folder)
    find_generator(None, "sh -c 'draw $1' sh {text}", alphabet="ABC$", folder=folder)


def test_the_record_knows_the_script(folder):
    before = find_generator(None, "php draw.php {text} {out}", folder=folder)
    assert (before.name, [name for name, _ in before.files]) == ("draw", ["draw.php"])
    (folder / "draw.php").write_text("<?php // changed\n")
    assert find_generator(None, "php draw.php {text} {out}", folder=folder).digest != before.digest
    assert str(Path(folder).parent) not in str(before.record())
