"""Pictures of generators in wide use, drawn by the packages themselves with their defaults; nothing learns from them.

    python -m tests.benchmarks.others [--count 2000] [--seed 1] [--folder DIR] [NAME ...]

Each package has an environment of its own, made by `make others`, since two of them are called `captcha`. A small
script of `tests/benchmarks/generators` runs there, with a seed in place of the package's own randomness.
"""

import argparse
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from flows.home import home

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(__file__).parent / "generators"
NODE = ROOT / ".node-svg-captcha" / "node_modules"
SECONDS = 1800  # that a generator may take


class NotInstalled(Exception):
    """A generator is not there; the text says what makes it."""


@dataclass(frozen=True)
class Generator:
    """A package that draws CAPTCHAs, what runs its script, and what its texts are made of.

    package : its name and version, which a folder of its pictures has in its name
    """

    package: str
    script: str
    interpreter: Path
    alphabet: str
    length: tuple[int, int]

    @property
    def installed(self) -> bool:
        """Return whether its environment is there."""
        if self.script.endswith(".cjs"):
            package = NODE / self.package.rpartition("-")[0]
            return package.is_dir() and shutil.which(self.interpreter) is not None
        return self.interpreter.exists()

    def command(self) -> list[str]:
        """Return what runs the script, before its arguments."""
        return [str(self.interpreter), str(SCRIPTS / self.script)]


_CAPITALS, _DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"


def _python(name: str) -> Path:
    return ROOT / f".venv-{name}" / "bin" / "python"


# By their names. Profiles imitate the first four, `like-NAME`; nothing of ours was made after the others.
GENERATORS = {
    "captcha": Generator("captcha-0.7.1", "draw_captcha.py", _python("captcha"), _CAPITALS + _DIGITS, (4, 5)),
    "django-simple-captcha": Generator(
        "django-simple-captcha-0.7.0", "draw_django.py", _python("django-simple-captcha"), _CAPITALS, (4, 4)
    ),
    "multicolorcaptcha": Generator(
        "multicolorcaptcha-1.2.0", "draw_multicolor.py", _python("multicolorcaptcha"), _DIGITS, (4, 4)
    ),
    "svg-captcha": Generator(
        "svg-captcha-1.4.0", "draw_svg.cjs", Path("node"), _CAPITALS + _CAPITALS.lower() + _DIGITS, (4, 4)
    ),
    "wheezy.captcha": Generator(
        "wheezy.captcha-3.2.2", "draw_wheezy.py", _python("wheezy.captcha"), "ABCDEFGHJKLMNPQRSTUVWXYZ23456789", (4, 4)
    ),
    "flask-simple-captcha": Generator(
        "flask-simple-captcha-5.5.5",
        "draw_flask_simple.py",
        _python("flask-simple-captcha"),
        "ABCDEFGHJKLMNPQRSTUVWXYZ",
        (6, 6),
    ),
    "captchagen": Generator(
        "captchagen-0.1.0", "draw_captchagen.py", _python("captchagen"), _CAPITALS + _CAPITALS.lower() + _DIGITS, (4, 6)
    ),
    "gvcode": Generator("gvcode-1.0.3", "draw_gvcode.py", _python("gvcode"), _DIGITS, (4, 4)),
    "captchapng": Generator("captchapng-0.0.1", "draw_captchapng.cjs", Path("node"), _DIGITS, (4, 4)),
    "trek-captcha": Generator("trek-captcha-0.4.0", "draw_trek.cjs", Path("node"), _CAPITALS.lower(), (5, 5)),
}
IMITATED = tuple(GENERATORS)[:4]


def write_others(name: str, folder: Path, count: int, seed: int) -> Path:
    """Draw a generator's pictures, unless they are there; return their folder, in which names are NUMBER_TEXT.png.

    Raises
    ------
    NotInstalled
    """
    generator = GENERATORS[name]
    place = folder / f"{generator.package}-{count}-seed-{seed}"
    if place.is_dir():
        return place
    if not generator.installed:
        raise NotInstalled(f"{generator.package} is not installed; run make others")
    unfinished = place.with_suffix(f".{os.getpid()}")
    unfinished.mkdir(parents=True)
    try:
        subprocess.run([*generator.command(), str(count), str(seed), str(unfinished)], check=True, timeout=SECONDS)
        unfinished.rename(place)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return place


def main() -> int:
    """Draw the pictures of the generators that are installed; say which are not."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.others")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"by default all: {', '.join(GENERATORS)}")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="by default samples/others in the home")
    options = parser.parse_args()
    for name in options.names or GENERATORS:
        try:
            print(write_others(name, options.folder or home() / "samples" / "others", options.count, options.seed))
        except (NotInstalled, subprocess.SubprocessError) as error:
            print(f"left out: {name}: {error}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
