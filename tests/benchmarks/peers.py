"""`make bench-peers`: this project, Tesseract and ddddocr on the same folders of pictures: accuracy and speed.

    python -m tests.benchmarks.peers [--count 200] [--profiles book hard captcha ...] [--readers captchas ...]
        [--model FILE] [--folder DIR] [--json FILE] [--markdown FILE]

A profile is one of this project's (pictures of its test split), `captcha` (the `captcha` package's pictures of
words), `captcha-strings` (the same of any four letters) or `real-NAME` (a generator's of tests.benchmarks.others).
Nothing is installed here: the make targets do that.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flows.home import home
from storage.errors import CaptchasError
from storage.files import atomic
from tasks.datasets.recipe import make_recipe
from tasks.datasets.samples import SampleJob, sample_names, write_samples
from tasks.profiles.built_in import find_profile
from tasks.profiles.word_lists import load_words
from tests.benchmarks import peer_readers as readers
from tests.benchmarks.foreign import ALPHABET, LENGTH, PACKAGE, foreign_names, write_foreign
from tests.benchmarks.others import GENERATORS, NotInstalled, write_others
from tests.benchmarks.peer_readers import Absent, Failed, Reading

SEED = 2  # another than the datasets'; what counts is the test split, which no model is trained on
PROFILES = ("book", "jitter", "noise", "hard", "captcha")
FOREIGN = {"captcha": False, "captcha-strings": True}
REAL = "real-"
READERS = ("captchas", "tesseract", "ddddocr")
TRIALS = 100  # pictures on which the settings of a peer are chosen


@dataclass(frozen=True)
class Pictures:
    """A folder of pictures, which are named by their texts, and the texts that may occur."""

    profile: str
    folder: Path
    names: list[str]
    alphabet: str
    words: tuple[str, ...]  # all that could be drawn; none for random strings


def prepare(profile: str, count: int, folder: Path) -> Pictures:
    """Draw missing pictures. The folder's name holds all that decides its pictures, so that folders are not confused.

    Raises
    ------
    CaptchasError
    NotInstalled
    """
    began = time.perf_counter()
    if profile.removeprefix(REAL) in GENERATORS and profile.startswith(REAL):
        name = profile.removeprefix(REAL)
        place = write_others(name, folder, count, SEED)
        drawn, names = count, sorted(path.name for path in place.iterdir())
        alphabet, words = GENERATORS[name].alphabet, ()
    elif profile in FOREIGN:
        strings = FOREIGN[profile]
        place = folder / f"{profile}-{count}-{PACKAGE}-seed-{SEED}"
        drawn = write_foreign(place, count, SEED, strings=strings)
        names, alphabet = foreign_names(count, SEED, strings=strings), ALPHABET
        words = () if strings else load_words("web2", ALPHABET, (LENGTH, LENGTH))
    else:
        recipe = make_recipe(find_profile(profile), SEED)
        given, profile = recipe.profile, recipe.profile.name  # of a TOML file, its name
        place = folder / f"{profile}-{count}-{recipe.digest[:12]}"
        job = SampleJob(recipe, str(place), count, atomic.new_run())
        drawn, names, alphabet = write_samples(job), [name for name, _, _ in sample_names(job)], given.alphabet
        words = load_words(given.words, alphabet, given.length) if given.words else ()
    _say(f"{profile}: {count:,} pictures, {drawn:,} of them drawn now, {time.perf_counter() - began:.1f} s")
    return Pictures(profile, place, names, alphabet, words)


class Results:
    """A line for each reading, printed as it comes."""

    def __init__(self):
        self.lines, self.trials, self.left_out = [], [], []

    def add(self, pictures: Pictures, reading: Reading) -> None:
        """Score a reading of the whole folder."""
        rate, n = readers.score(pictures.names, reading.texts), len(pictures.names)
        line = {"pictures": pictures.profile, "reader": reading.reader, "settings": reading.settings}
        line |= {"words_right": str(rate), **rate.as_dict(), "seconds": reading.seconds, "whole": reading.whole}
        self.lines.append(line | {"words_per_second": n / max(reading.seconds, 0.01)})
        _say(f"{pictures.profile}: {reading.reader} ({reading.settings}): {rate}, {_speed(self.lines[-1])}")

    def leave_out(self, what: str, why: str) -> None:
        """Print why a reader has no line."""
        self.left_out.append(f"{what}: {why}")
        _say(f"left out: {self.left_out[-1]}")

    def best(self, pictures: Pictures, settings: tuple, read: Callable):
        """Return the setting that reads most of the first pictures; of equal settings the first."""
        names = pictures.names[:TRIALS]
        rates = []
        for setting in settings:
            rate = readers.score(names, read(pictures.folder, names, setting, pictures.alphabet).texts)
            rates.append(rate)
            self.trials.append({"pictures": pictures.profile, "settings": str(setting), **rate.as_dict()})
            _say(f"{pictures.profile}: tried {read.__name__.removeprefix('read_')}, {setting}: {rate}")
        return settings[max(range(len(rates)), key=lambda k: rates[k].right)]

    def markdown(self) -> str:
        """Return all lines as a table."""
        rows = ["| pictures | reader | words right (95 % interval) | words a second | s, whole command |"]
        rows += ["|---|---|---|---|---|"]
        rows += [
            f"| {line['pictures']} | {line['reader']}: {line['settings']} | {line['words_right']} "
            f"| {_rounded(line['words_per_second'])} | {line['whole']:.1f} |"
            for line in self.lines
        ]
        return "\n".join([*rows, *(f"\nLeft out: {text}." for text in self.left_out)]) + "\n"


def _say(text: str) -> None:
    print(text, flush=True)  # at once, into a file too


def _rounded(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 20 else f"{rate:.1f}"


def _speed(line: dict) -> str:
    return f"{_rounded(line['words_per_second'])}/s, {line['whole']:.1f} s in all"


def run_captchas(results: Results, pictures: Pictures, model: str | None) -> None:
    """Run this project's reader with the words that could have been drawn, if any, and without."""
    with tempfile.TemporaryDirectory() as scratch:
        listed = Path(scratch) / "words.txt"
        listed.write_text("\n".join(pictures.words) + "\n")
        for dictionary in [listed, None] if pictures.words else [None]:
            results.add(pictures, readers.read_captchas(pictures.folder, pictures.names, model, dictionary))


def run_tesseract(results: Results, pictures: Pictures) -> None:
    """Run Tesseract with the best preparation, with a process for each picture and for many pictures."""
    how = results.best(pictures, readers.PREPARATIONS, readers.read_tesseract)
    for alone in (True, False):
        given = (pictures.folder, pictures.names, how, pictures.alphabet)
        results.add(pictures, readers.read_tesseract(*given, one_at_a_time=alone))


def run_ddddocr(results: Results, pictures: Pictures) -> None:
    """Run ddddocr with the best of its models."""
    how = results.best(pictures, readers.CHOICES, readers.read_ddddocr)
    results.add(pictures, readers.read_ddddocr(pictures.folder, pictures.names, how, pictures.alphabet))


def compare(profiles: list[str], wanted: list[str], count: int, folder: Path, model: str | None) -> tuple:
    """Return results and versions; leave out readers that are missing or fail, with the reason."""
    results, versions = Results(), {"captcha package": PACKAGE.removeprefix("captcha-")}
    runs: dict[str, Callable] = {"captchas": lambda pictures: run_captchas(results, pictures, model)}
    for name, found, run in (
        ("tesseract", readers.tesseract_version, run_tesseract),
        ("ddddocr", readers.ddddocr_version, run_ddddocr),
    ):
        if name not in wanted:
            continue
        try:
            versions[name] = found()
            runs[name] = lambda pictures, run=run: run(results, pictures)
        except Absent as error:
            results.leave_out(name, str(error))
    for profile in profiles:
        try:
            pictures = prepare(profile, count, folder)
        except NotInstalled as error:
            results.leave_out(profile, str(error))
            continue
        for name in wanted:
            if name in runs:
                try:
                    runs[name](pictures)
                except Failed as error:
                    results.leave_out(f"{name} on {profile}", str(error))
    return results, versions


_PROFILES = f"built-in, TOML, {', '.join(FOREIGN)}, or {', '.join(REAL + name for name in GENERATORS)}"


def positive(text: str) -> int:
    """Parse an integer above 0."""
    if not text.isascii() or not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more; it is {text}")
    return int(text)


def main(arguments: list[str] | None = None) -> int:
    """Run all; return 0, or 1 if this project's own reader has no line."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.peers")
    parser.add_argument("--count", type=positive, default=200, help="pictures of each profile")
    parser.add_argument("--profiles", nargs="+", default=PROFILES, help=_PROFILES)
    parser.add_argument("--readers", nargs="+", choices=READERS, default=READERS)
    parser.add_argument("--model", help="as of captchas solve; by default what that takes")
    parser.add_argument("--folder", type=Path, help="where the pictures are kept; by default samples/peers in the home")
    parser.add_argument("--json", type=Path, help="write the results to this file too")
    parser.add_argument("--markdown", type=Path, help="write the table to this file too")
    options = parser.parse_args(arguments)
    machine = f"{readers.CORES} cores, {platform.machine()}, Python {platform.python_version()}"
    print(f"seed {SEED}; {machine}; load {os.getloadavg()[0]:.1f}")
    folder = options.folder or home() / "samples" / "peers"
    try:
        results, versions = compare(options.profiles, options.readers, options.count, folder, options.model)
    except KeyboardInterrupt:
        print("\ninterrupted; the pictures drawn so far are kept", file=sys.stderr)
        return 130
    except CaptchasError as error:
        print(f"bench-peers: {error}", file=sys.stderr)
        return error.exit_code
    told = "; ".join(f"{name} {number}" for name, number in versions.items())
    head = f"n = {options.count:,} pictures each, seed {SEED}; {machine}; {told}.\n\n"
    print(f"\n{head}{results.markdown()}")
    if options.markdown:
        options.markdown.write_text(head + results.markdown(), encoding="utf-8")
    if options.json:
        content = {"seed": SEED, "count": options.count, "machine": machine, "versions": versions}
        content |= {"lines": results.lines, "trials": results.trials, "left_out": results.left_out}
        options.json.write_text(json.dumps(content, indent=1), encoding="utf-8")
    return int("captchas" in options.readers and not any(line["reader"] == "captchas" for line in results.lines))


if __name__ == "__main__":
    sys.exit(main())
