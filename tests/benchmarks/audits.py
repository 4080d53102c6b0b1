"""Audit every rung of the ladder and generators in wide use; save the first screens of the reports and their verdicts.

    python -m tests.benchmarks.audits [NAME ...] [--minutes 15] [--seed 1] [--out docs/audits] [--list]

Each audit is the command that the table shows. An audit that is finished is not made again, so the script can be ended
and goes on; the table has all that are finished, and keeps the rows of others that were made elsewhere. What is not
installed is left out and named: `make others` brings the generators of PyPI and npm;
apt-get install php-cli php-gd php-gregwar-captcha libgd-securityimage-perl brings those of Debian.
"""

import argparse
import io
import re
import string
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from flows.home import home
from storage.audits import find_audit
from storage.texts import markdown
from tasks.audit.page.report_page import write_page
from tasks.figures.style import MOST_WIDTH
from tasks.training.settings import RUNGS
from tests.benchmarks.others import GENERATORS, NODE, NotInstalled
from tests.browser import browser, find_browser

ROOT = Path(__file__).parents[2]
SCRIPTS = "tests/benchmarks/generators"
CAPITALS = string.ascii_uppercase + string.digits
HEIGHT, COLOURS = 980, 200  # pixels and colours of a first screen
OWN_PYTHON = ("django-simple-captcha", "multicolorcaptcha")  # each in an environment of its own, by `make others`
BRINGS = "see the first lines of this script"
COLOUR_RUNGS = ("colour", "faces", "hollow", "ground", "wild")
_ROW, _COMMAND = re.compile(r"\| \[([\w-]+)\]\("), re.compile(r"- ([\w-]+): `")
PHP, PERL = Path("/usr/share/php/Gregwar/Captcha/autoload.php"), Path("/usr/share/perl5/GD/SecurityImage.pm")


@dataclass(frozen=True)
class Subject:
    """What is audited.

    arguments : of `captchas audit`
    needs : a file that is there if the generator is installed
    """

    arguments: tuple[str, ...]
    needs: Path | None = None


def _callable(setting: str) -> Subject:
    given = f"{SCRIPTS.replace('/', '.')}.pypi_captcha:{setting}"
    return Subject((given, "--alphabet", CAPITALS, "--length", "4-5"))


def _command(interpreter: str, script: str, needs: Path, *more: str) -> Subject:
    """Return a script that draws COUNT pictures with texts of its own: to start its language takes longer than one."""
    return Subject(("--command", f"{interpreter} {SCRIPTS}/{script} {{count}} {{seed}} {{folder}}", *more), needs)


def _many(name: str) -> Subject:
    generator = GENERATORS[name]
    return _command(str(generator.interpreter.relative_to(ROOT)), generator.script, generator.interpreter)


SUBJECTS = {
    **{rung: Subject((rung,)) for rung in (*RUNGS, *COLOUR_RUNGS)},
    **{f"captcha-{setting}": _callable(setting) for setting in ("default", "calm", "wild", "narrow")},
    **{name: _many(name) for name in OWN_PYTHON},
    "svg-captcha": _command("node", "draw_svg.cjs", NODE),
    "gregwar": _command("php", "draw_gregwar.php", PHP, "--fold-case"),  # it compares without case
    "gd-security-image": _command("perl", "draw_gd_security_image.pl", PERL),
}  # fmt: skip


def arguments_of(name: str) -> tuple[str, ...]:
    """Return what `captchas audit` takes.

    Raises
    ------
    NotInstalled
    """
    subject = SUBJECTS[name]
    if subject.needs and not subject.needs.exists():
        raise NotInstalled(f"{name}: {subject.needs} is missing; {BRINGS}")
    return subject.arguments


def folder_of(name: str) -> Path:
    """Return the folder of an audit, in the home."""
    return home() / "audits" / f"evidence-{name}"


def finished() -> dict[str, dict]:
    """Return all audits that are finished, in the order of the subjects."""
    found = {name: find_audit(folder_of(name)) for name in SUBJECTS}
    return {name: audit for name, audit in found.items() if audit is not None}


def run_audit(name: str, minutes: float, seed: int) -> None:
    """Audit, or go on."""
    command = [sys.executable, "-m", "flows", "audit", *arguments_of(name), "--minutes", f"{minutes:g}"]
    command += ["--seed", str(seed), "--out", str(folder_of(name))]
    home().mkdir(parents=True, exist_ok=True)
    # In the clone's folder `fonts` would be a folder too; other people's generators are named from there.
    done = subprocess.run(command, cwd=home() if arguments_of(name) == (name,) else ROOT, check=False)
    if done.returncode:
        raise NotInstalled(f"{name}: captchas audit ended with exit code {done.returncode}")


def save_screens(found: dict[str, dict], out: Path) -> None:
    """Save the first screen of each audit's page, written anew, as a PNG of few colours."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, browser(Path(profile)) as page:
        for name, audit in found.items():
            written = Path(profile) / f"{name}.html"
            written.write_text(write_page(audit), encoding="utf-8")
            page.look(MOST_WIDTH, HEIGHT)
            page.open(written)
            with Image.open(io.BytesIO(page.picture())) as screen:
                few = screen.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
            few.save(out / f"{name}.png", optimize=True)


def table(audits: dict[str, dict], before: str = "") -> str:
    """Return the verdicts as a table of Markdown; `before`, an earlier table, has those that are not among them."""
    rows: dict[str, str] = {}
    commands: dict[str, str] = {}
    for line in before.splitlines():
        if found := _ROW.match(line) or _COMMAND.match(line):
            (rows if line.startswith("|") else commands)[found[1]] = line
    for name, audit in audits.items():
        verdict, words = audit["verdict"], audit["verdict"]["words"]
        said = "not measured"
        if words and words["n"]:
            share, low, high = (f"{100 * words[key]:.3g}" for key in ("rate", "low", "high"))
            said = f"{share} % ({low} to {high} %), {words['n']:,}"
        serious = [one["title"] for one in audit["findings"] if one["severity"] == "high"]
        cells = (f"[{name}]({name}.png)", f"**{verdict['word']}**", markdown(verdict["attacker"] or "none"),
                 f"{verdict['labels']:,}", said, markdown("; ".join(serious) or "none"))  # fmt: skip
        rows[name] = f"| {' | '.join(cells)} |"
        commands[name] = f"- {name}: `{audit['made']['command']}`"
    order = [*(name for name in SUBJECTS if name in rows), *(name for name in rows if name not in SUBJECTS)]
    return "\n".join([
        "| | verdict | strongest attacker | labelled pictures | words right, 95 % interval, n | serious defects |",
        "|---|---|---|---|---|---|", *(rows[name] for name in order), "", "The commands:", "",
        *(commands[name] for name in order if name in commands), "",
    ])  # fmt: skip


def main() -> int:
    """Audit what is installed, and write the table and the screens."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.audits")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"by default all: {', '.join(SUBJECTS)}")
    parser.add_argument("--minutes", type=float, default=15, help="of each audit")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "audits")
    parser.add_argument("--list", action="store_true", help="only list the names")
    options = parser.parse_args()
    if options.list:
        print("\n".join(SUBJECTS))
        return 0
    if unknown := set(options.names) - set(SUBJECTS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known are {', '.join(SUBJECTS)}")
    options.out.mkdir(parents=True, exist_ok=True)
    left_out = []
    for name in options.names or SUBJECTS:
        try:
            run_audit(name, options.minutes, options.seed)
        except NotInstalled as error:
            left_out.append(str(error))
        else:
            page = options.out / "verdicts.md"
            before = page.read_text(encoding="utf-8") if page.exists() else ""
            page.write_text(table(finished(), before), encoding="utf-8")
    if find_browser():
        save_screens(finished(), options.out)
    else:
        left_out.append("first screens: no Chromium is installed")
    print("\n".join(f"left out: {said}" for said in left_out), file=sys.stderr)
    return bool(left_out)


if __name__ == "__main__":
    sys.exit(main())
