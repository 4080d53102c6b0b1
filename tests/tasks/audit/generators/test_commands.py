"""Commands of any language: how they are told what to draw, how they tell what they drew, and what fails."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from storage.errors import BadInput, NotThere
from tasks.audit.generators.judged import text_of_picture
from tasks.audit.generators.own_generator import OwnGenerator, find_generator
from tasks.audit.generators.pool import Job, Pool, Result
from tasks.audit.generators.processes.counter_texts import seed_of
from tasks.audit.generators.processes.limits import Limits
from tasks.audit.generators.processes.picture_files import NoPicture, from_base64

LONG = 100_000 + os.getpid()  # seconds that nobody else sleeps
LIMITS = Limits(seconds=20, memory=400_000_000, output=500_000, pixels=100_000, processes=8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a picture, and with what is not one."""
    made = tmp_path_factory.mktemp("commands")
    Image.effect_noise((90, 40), 90).save(made / "some.png")
    Image.new("RGB", (50, 20), (255, 0, 0)).save(made / "red.jpg")
    Image.new("1", (1000, 1000)).save(made / "large.png")
    Image.new("LA", (50, 20)).save(made / "wide.tif")
    eight, sixteen = (np.array([258, 3, 2, 0, bits, bits], "<u2").tobytes() for bits in (8, 16))  # its bits a channel
    (made / "wide.tif").write_bytes((made / "wide.tif").read_bytes().replace(eight, sixteen))
    (made / "half.png").write_bytes((made / "some.png").read_bytes()[:900])
    (made / "drawn.svg").write_text('<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"></svg>')
    (made / "draw.php").write_text("<?php\n")
    for name, first in (
        ("carriage.pl", b"#!/usr/bin/env\r\n"),
        ("missing.rb", b"#!/no/ruby -w\n"),
        ("plain.sh", b"exit\n"),
    ):
        (made / name).write_bytes(first)
        (made / name).chmod(0o755)
    (made / "odd {text} {x}.sh").write_text("#!/bin/sh\ntest $1 = W0RD && cp some.png $2\n")
    (made / "odd {text} {x}.sh").chmod(0o755)
    return made


@pytest.fixture
def php(tmp_path, monkeypatch):
    """A program of PHP's name, first on the PATH: a machine may have none."""
    (tmp_path / "php").symlink_to(shutil.which("true"))
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)


@pytest.fixture(scope="module")
def drawn(folder):
    """`drawn(command)`: the text and bytes of a picture that a command drew, asked for W0RD."""

    def draw(command: str, limits: Limits = LIMITS) -> tuple[str, bytes]:
        generator = find_generator(None, command, limits=limits, folder=folder)
        with Pool(generator.spec(), 1, 1) as pool:
            (result,) = pool.draw(iter([Job(7, "W0RD")]))
        return came(generator, result)

    return draw


def came(generator: OwnGenerator, result: Result) -> tuple[str, bytes]:
    """Return the text and the bytes of a picture that came."""
    if "what" in result.answer:
        raise NoPicture(result.answer["what"], result.answer["said"])
    return text_of_picture(generator, result.job, result.answer), result.data


def left_behind() -> list[Path]:
    """List the processes of these tests that sleep on."""

    def arguments(path: Path) -> bytes:
        try:
            return path.read_bytes()
        except OSError:
            return b""

    return [path for path in Path("/proc").glob("[0-9]*/cmdline") if arguments(path) == f"sleep\0{LONG}\0".encode()]


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("sh -c 'test $1 = W0RD && cp some.png $2' sh {text} {out}", "W0RD"),
        ("sh -c 'read word; test $word = W0RD && cat some.png'", "W0RD"),
        ("sh -c 'read word; base64 some.png'", "W0RD"),
        ("sh -c 'read word; printf data:image/png\\;base64,; base64 -w 0 some.png; echo'", "W0RD"),
        ("sh -c 'read word; cp some.png $1; echo drawn, thank you' sh {out}", "W0RD"),
        ("sh -c 'cp some.png $1; echo OK; echo done' sh {out} {text}", "W0RD"),
        ("sh -c 'cp some.png $1; echo M1NE' sh {out}", "M1NE"),
        ("sh -c 'cp some.png $1/0WN.png' sh {folder}", "0WN"),
        (r"""sh -c 'cp some.png $1; printf "\357\273\277M1NE\r\n"' sh {out}""", "M1NE"),
        (r"""sh -c 'cp some.png $1; echo "{\"id\": 7, \"text\": \"M1NE\"}"' sh {out}""", "M1NE"),
        ("'./odd {text} {x}.sh' {text} {out}", "W0RD"),
        ("sh './odd {text} {x}.sh' {text} {out}", "W0RD"),
        ("sh -c 'cp some.png $TMPDIR/N4ME.png; echo $TMPDIR/N4ME.png'", "N4ME"),
        ("sh -c 'cp red.jpg $1.jpg' sh {out} {text}", "W0RD"),
        (
            f"sh -c 'test $1 = 7 && test $2 = {seed_of(1, 7)} && cp some.png $3' x {{index}} {{seed}} {{out}} {{text}}",
            "W0RD",
        ),
        ("sh -c 'test -z \"$AWS_SECRET_ACCESS_KEY\" && cat some.png; read word'", "W0RD"),
        ("sh -c 'sleep LONG & cp some.png $1' sh {out} {text}", "W0RD"),
    ],
)
def test_a_text_is_given_and_told_in_many_ways(drawn, folder, command, text):
    found, data = drawn(command.replace("LONG", str(LONG)))  # not in the test's name, which all processes must share
    assert found == text
    assert data == (folder / ("red.jpg" if "red" in command else "some.png")).read_bytes()
    assert not left_behind()


# What fails, by the picture's index; each command is told its picture in another way.
FAIL = {
    "sh asked.sh {index} {out} {text}": [
        ("cp half.png $2", "gave a damaged picture", "900 bytes"),
        ("yes > $2", "wrote more than 500.0 kB", ""),
        ("for k in 1 2 3 4 5 6; do head -c 450000 /dev/zero > $TMPDIR/$k; done; sleep 60",
         "wrote more than 500.0 kB", ""),
        ("echo no; echo such font >&2; exit 4", "ended with exit code 4", "such font"),
        ("kill -SEGV $$", "was ended by SIGSEGV", ""),
        ("true", "wrote no picture to {out}", "no file there; it printed nothing"),
        ("cp some.png $2; echo 0THR", "gave another text than was asked", "printed '0THR'"),
        # Node, PHP and Rust end with where it happened.
        (r"printf 'x.js:1\nError: no fonts\n    at f (x.js:2:1) {\n  list: [\n  ]\n}\n\nNode.js v20.1\n' >&2; exit 1",
         "ended with exit code 1", "Error: no fonts"),
        (r"printf 'PHP Fatal error:  Uncaught: no font in x:3\n#0 {main}\n  thrown in /x.php on line 3\n' >&2;"
         "exit 255", "ended with exit code 255", "PHP Fatal error:  Uncaught: no font"),
        (r"printf 'panicked at x.rs:2:5:\nno font\nnote: run with RUST_BACKTRACE=1\n' >&2; exit 101",
         "ended with exit code 101", "no font"),
        ("python3 -c 'x = bytearray(10**9)'", "ended with exit code 1", "MemoryError"),
        (f"for k in 1 2 3 4 5 6 7 8 9; do sleep {LONG} & done; wait", "had more than 8 processes at a time", ""),
    ],
    "sh piped.sh {index}": [
        ("cat half.png", "gave a damaged picture", "900 bytes"),
        ("yes", "wrote more than 500.0 kB", ""),
        ("true", "gave no picture", "nothing (0 bytes)"),
        ("echo hello", "gave no picture", "6 bytes that begin with 'hello"),
        ("echo Content-type: image/png; echo; cat some.png", "gave no picture",
         "a picture begins after 25 bytes: print only"),
        (r"printf '\0\0\1\0\1\0'; cat some.png", "gave no picture", "read are PNG, JPEG"),  # as ICO begins
        ("cat wide.tif", "gave a picture of a kind that is not read", "a .tif file; its beginning is damaged, or"),
        ("cat some.png | base64 | head -c 40", "gave a picture of a kind that is not read", "30 bytes that begin as"),
        ("cat drawn.svg", "gave an SVG", "convert it in the generator"),
        ("cat large.png", "drew more than 100,000 pixels", "1000 x 1000 pixels"),
        ("cat some.png", "did not tell its text", "did not read the text on its standard input and printed none"),
    ],
    "sh chosen.sh {index} {out}": [
        ("cp some.png $2; echo a; echo b", "did not tell its text", "it printed 2 lines"),
        (r"cp some.png $2; printf '\304\326'", "gave a text that cannot be used", "bytes that are not UTF-8"),
        ("""cp some.png $2; echo '{"id": 7}'""", "did not tell its text", "printed none"),
        ("cp some.png $2; echo far too long a text for a label of thirty-two",
         "gave a text that cannot be used", "at most 32"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("command", FAIL)
def test_what_fails_is_told(folder, command):
    cases = "".join(f"{number}) {does};;\n" for number, (does, _, _) in enumerate(FAIL[command]))
    (folder / command.split()[1]).write_text(f"case $1 in\n{cases}esac\n")
    generator = find_generator(None, command, limits=LIMITS, folder=folder)
    with Pool(generator.spec(), 1, 1) as pool:
        results = list(pool.draw(Job(index, "W0RD") for index in range(len(FAIL[command]))))
    for result, (_, what, said) in zip(results, FAIL[command], strict=True):
        with pytest.raises(NoPicture) as error:
            came(generator, result)
        assert error.value.what == what
        assert said in str(error.value)
    assert not left_behind()


def test_a_script_that_names_no_program_is_told_how(drawn):
    with pytest.raises(NoPicture, match="Exec format error; begin it with a line that names its program"):
        drawn("./plain.sh {text}")


def test_a_slow_command_is_ended(drawn):
    with pytest.raises(NoPicture) as error:
        drawn("sleep 30", replace(LIMITS, seconds=0.4))
    assert error.value.what == "took longer than 0.4 s"


@pytest.mark.parametrize(
    ("command", "kind", "said"),
    [
        ("", BadInput, "must name a program, such as --command 'php draw.php {text} {out}'"),
        ("php 'draw.php", BadInput, "cannot be divided into arguments"),
        ("./carriage.pl {text}", NotThere, "'/usr/bin/env\\r', which is not there; end its lines with line feeds"),
        ("./missing.rb {text}", NotThere, "names '/no/ruby', which is not there; mend that line, or name the program"),
        ("php draw.php {text} | convert - {out}", BadInput, "needs a shell, and none is started: it has '|'"),
        ("php draw.php {text} > {out}", BadInput, "it has '>'"),
        ("php $HOME/draw.php {text}", BadInput, "it has '$'"),
        ("php ~/draw.php {text}", BadInput, "it has '~'"),
        ("X=1 php draw.php", BadInput, "it begins with 'X=1' (without one: 'env X=1 php draw.php')"),
        ("no-such-program {text}", NotThere, "no program 'no-such-program' is on the PATH"),
        ("draw.php {text} {out}", BadInput, "cannot be run; name the program that runs it, such as 'php draw.php"),
        ("php draw.php {count} {out}", BadInput, "{count} goes with {folder}, and not with {text} or {out}"),
        ("php draw.php {TEXT}", BadInput, "places are written in small letters; it has {TEXT}"),
    ],
)  # fmt: skip
def test_a_command_that_cannot_be_run_is_refused_with_its_remedy(folder, command, kind, said):
    with pytest.raises(kind) as error:
        find_generator(None, command, folder=folder)
    assert said in str(error.value)


def test_the_environment_of_the_owner_is_not_that_of_this_program(drawn, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "theirs")
    monkeypatch.setenv("A_SECRET", "password")
    told = drawn("sh -c 'cp some.png $1; echo \"$PYTHONPATH-$A_SECRET-${TMPDIR##*/}\"' sh {out}")[0]
    assert told == "theirs--work"
    monkeypatch.delenv("PYTHONPATH")
    assert drawn("sh -c 'cp some.png $1; echo x${PYTHONPATH+set}' sh {out}")[0] == "x"


@pytest.mark.parametrize(
    "command",
    ["php -r 'echo $x | 3; {text}' {out}", 'sh -c "cat \\"$1\\" > x" sh {text}', "echo a~b {text}"],
)
def test_what_is_quoted_needs_no_shell_of_ours(folder, php, command):
    find_generator(None, command, folder=folder)


def test_a_text_that_a_shell_would_obey_is_refused_within_code(folder):
    with pytest.raises(BadInput, match=r"stands within code .* which would take '\$' of the alphabet for code too"):
        find_generator(None, "sh -c 'draw {text}'", alphabet="ABC$", folder=folder)
    find_generator(None, "sh -c 'draw $1' sh {text}", alphabet="ABC$", folder=folder)


def test_the_record_knows_the_script(folder, php):
    before = find_generator(None, "php draw.php {text} {out}", folder=folder)
    assert (before.name, [name for name, _ in before.files]) == ("draw", ["draw.php"])
    (folder / "draw.php").write_text("<?php // changed\n")
    assert find_generator(None, "php draw.php {text} {out}", folder=folder).digest != before.digest
    assert str(Path(folder).parent) not in str(before.record())


def test_what_is_nearly_base64_takes_no_longer_than_its_bytes(in_time):
    """Blanks before another character took time with their cube: 20 minutes for 8,000 of them."""
    for data in (
        b" " * 1_000_000 + b"!",
        b"A" * 1_000_000 + b" " * 1_000_000 + b"!",
        b"data:image/" + b"a" * 1_000_000,
    ):
        assert from_base64(data) is data
