"""Run three readers on a folder of pictures as their users do: this project's command, Tesseract, ddddocr.

All of them are other processes; what they print is parsed here. Tesseract and ddddocr may take one of several
settings: those that read most of the first pictures of a folder are kept, which is in their favour.
"""

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageFilter, ImageOps

from flows.home import home
from tasks.rates import Rate

PEER_PYTHON = Path(__file__).parents[2] / ".venv-ddddocr" / "bin" / "python"
BATCH = 50  # pictures a process of Tesseract: Ctrl-C waits for one batch
GRACE = 6.0  # seconds to end cleanly; this project's command takes up to 5
CORES = len(os.sched_getaffinity(0))
BACKGROUND, MARGIN = 255, 20  # around what Tesseract sees, in pixels


class Absent(Exception):
    """A reader is not installed; the text says how to get it."""


class Failed(Exception):
    """A reader failed; the text says why."""


@dataclass(frozen=True)
class Reading:
    """The result of a reader: file name -> text, and the seconds of reading and of the whole command."""

    reader: str
    settings: str
    texts: dict[str, str]
    seconds: float
    whole: float


def shown(name: str) -> str:
    """Return the text of a picture by its name: BONE for `000123_BONE.png`."""
    return Path(name).stem.partition("_")[2]


def score(names: Iterable[str], texts: dict[str, str]) -> Rate:
    """Count whole words that are right, in either case, with any white space; a missing answer is wrong."""
    right = ["".join(texts.get(name, "").split()).casefold() == shown(name).casefold() for name in names]
    return Rate(sum(right), len(right))


def call(command: list, seconds: float, data: bytes | None = None, **environment: str) -> str:
    """Return a command's standard output; end the command after so many seconds.

    It runs in a session of its own, so that Ctrl-C comes from here, once, and is waited for.

    Raises
    ------
    Failed
    """
    name = Path(command[0]).name
    process = subprocess.Popen(
        list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=os.environ | environment, start_new_session=True,
    )  # fmt: skip
    try:
        out, errors = process.communicate(data, timeout=seconds)
    except (KeyboardInterrupt, subprocess.TimeoutExpired) as error:
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        if isinstance(error, KeyboardInterrupt):
            raise
        raise Failed(f"{name}: not done after {seconds:.0f} s") from None
    if process.returncode:
        said = errors.decode(errors="replace").strip().splitlines()
        raise Failed(f"{name}: exit code {process.returncode}; {' '.join(said[-2:]) or 'it said nothing'}")
    return out.decode()


def patience(pictures: int) -> float:
    """Return after how many seconds a reader of so many pictures is ended."""
    return 180 + 2 * pictures


# This project ------------------------------------------------------------------------------------------------------


def parse_answers(text: str) -> dict[str, str]:
    """Return file name -> word, from answers.csv."""
    return {row["path"]: row["word"] for row in csv.DictReader(io.StringIO(text))}


def read_captchas(folder: Path, names: list[str], model: str | None, dictionary: Path | None) -> Reading:
    """Run `captchas solve` with or without a word list.

    Raises
    ------
    Failed
    """
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "answers.csv"
        command = [sys.executable, "-m", "flows", "solve", folder, "--dictionary", dictionary or "none"]
        command += ["--out", out, "--json", *(["--model", model] if model else [])]
        # A home of its own: what an earlier run answered would not be read again.
        for name in ("models", "prefect"):
            if (home() / name).is_dir():
                (Path(scratch) / name).symlink_to((home() / name).resolve())
        command += ["--home", scratch, "--settle", "0"]
        began = time.perf_counter()
        report = json.loads(call(command, patience(len(names))))
        whole = time.perf_counter() - began
        texts = parse_answers(out.read_text(encoding="utf-8"))
    settings = f"dictionary of {report['dictionary_words']:,} words" if dictionary else "no dictionary"
    models = [Path(report[name]).name for name in ("classic_model", "model") if report.get(name)]
    settings = f"{' and '.join(models)}, {settings}"
    return Reading("captchas", settings, texts, report["seconds"], whole)


# Tesseract ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Preparation:
    """The preparation of a picture for Tesseract, and Tesseract's page mode (7 a line, 13 a raw line)."""

    pages: int = 7
    times: int | None = None  # enlarged so many times
    height: int = 48  # else to so many rows; sizes of a profile differ, and Tesseract likes letters of 20 to 40
    median: int = 0  # takes away dots and thin lines
    blur: int = 0

    def __str__(self) -> str:
        size = f"{self.times} x the size" if self.times else f"{self.height} rows"
        median = f", median {self.median}" if self.median else ""
        return f"--psm {self.pages}, {size}{median}{', blur' if self.blur else ''}"

    def apply(self, path: Path) -> bytes:
        """Return the prepared picture as PGM. The files are dark on light already, as Tesseract needs them."""
        with Image.open(path) as image:
            grey = image.convert("L")
        if self.median:
            grey = grey.filter(ImageFilter.MedianFilter(self.median))
        factor = self.times or self.height / grey.height
        size = max(1, round(grey.width * factor)), max(1, round(grey.height * factor))
        grey = grey.resize(size, Image.Resampling.BICUBIC)
        if self.blur:
            grey = grey.filter(ImageFilter.GaussianBlur(self.blur))
        file = io.BytesIO()
        ImageOps.expand(grey, MARGIN, BACKGROUND).save(file, "PPM")
        return file.getvalue()


PREPARATIONS = (
    Preparation(times=3),
    Preparation(height=48),
    Preparation(height=64, median=3),
    Preparation(13, height=64, median=3),
    Preparation(height=60, median=5, blur=1),
    Preparation(13, height=60, median=5, blur=1),
)


def tesseract_version() -> str:
    """Return the version that Tesseract reports.

    Raises
    ------
    Absent
    """
    if not shutil.which("tesseract"):
        raise Absent("Tesseract is not installed: `make bench-peers` as root, or `apt-get install tesseract-ocr`")
    done = subprocess.run(["tesseract", "--version"], capture_output=True, text=True, timeout=30, check=False)
    return (done.stdout + done.stderr).splitlines()[0].removeprefix("tesseract ")


def parse_pages(text: str, names: list[str]) -> dict[str, str]:
    """Return file name -> reading from Tesseract's output for a list of files, with form feeds between pages.

    Raises
    ------
    Failed
        Not as many pages as files.
    """
    pages = text.split("\f")
    if len(pages) == len(names) + 1 and not pages[-1].strip():
        pages.pop()  # other versions end every page with one
    if len(pages) != len(names):
        raise Failed(f"tesseract: {len(pages)} pages for {len(names)} pictures")
    return dict(zip(names, map(str.strip, pages), strict=True))


def read_tesseract(
    folder: Path, names: list[str], how: Preparation, alphabet: str, *, one_at_a_time: bool = False
) -> Reading:
    """Run as many single-thread processes as there are cores, a new process for each picture or each batch.

    Raises
    ------
    Failed
    """
    options = ["stdout", "--psm", how.pages, "--dpi", 300, "-c", f"tessedit_char_whitelist={alphabet}"]
    one_thread = {"OMP_THREAD_LIMIT": "1"}  # more of them wait for each other more than they help

    def alone(name: str) -> dict[str, str]:
        return {name: call(["tesseract", "stdin", *options], 60, how.apply(folder / name), **one_thread).strip()}

    def batch(some: list[str]) -> dict[str, str]:
        with tempfile.TemporaryDirectory() as scratch:
            for name in some:
                (Path(scratch) / f"{name}.pgm").write_bytes(how.apply(folder / name))
            listed = Path(scratch) / "list.txt"
            listed.write_text("".join(f"{scratch}/{name}.pgm\n" for name in some))
            return parse_pages(call(["tesseract", listed, *options], patience(len(some)), **one_thread), some)

    began = time.perf_counter()
    with ThreadPoolExecutor(CORES) as pool:
        # Fewer than a batch a core would leave a core without work.
        size = min(BATCH, -(-len(names) // CORES))
        batches = [names[first : first + size] for first in range(0, len(names), size)]
        try:
            parts = list(pool.map(alone, names) if one_at_a_time else pool.map(batch, batches))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    seconds = time.perf_counter() - began
    started = "a process a picture" if one_at_a_time else f"a process for {size} pictures"
    texts = {name: text for part in parts for name, text in part.items()}
    return Reading("Tesseract", f"{how}, {started}", texts, seconds, seconds)


# ddddocr -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Choice:
    """A model of ddddocr, on dark or light letters, with all its characters or only those that occur."""

    model: str = "default"
    inverted: bool = False
    restricted: bool = False

    def __str__(self) -> str:
        alphabet = ", alphabet given" if self.restricted else ""
        return f"{self.model} model, {'inverted' if self.inverted else 'as drawn'}{alphabet}"


CHOICES = tuple(
    Choice(model, inverted, restricted)
    for restricted in (False, True)
    for model in ("default", "beta")
    for inverted in (False, True)
)


def ddddocr_version() -> str:
    """Return the version of the package in its environment.

    Raises
    ------
    Absent
    """
    command = [PEER_PYTHON, "-c", "import ddddocr, importlib.metadata as m; print(m.version('ddddocr'))"]
    try:
        return call(command, 60).strip()
    except (OSError, Failed):
        raise Absent("ddddocr is not installed: `make bench-peers` puts it into .venv-ddddocr") from None


def parse_lines(text: str) -> tuple[dict[str, str], float]:
    """Return file name -> reading, and the seconds of reading, from the lines of read_ddddocr.py.

    Raises
    ------
    Failed
        It ended before its last line.
    """
    rows = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    if not rows or "seconds" not in rows[-1]:
        raise Failed("ddddocr: its last line is missing")
    return {row["name"]: row["reading"] for row in rows if "name" in row}, rows[-1]["seconds"]


def read_ddddocr(folder: Path, names: list[str], how: Choice, alphabet: str) -> Reading:
    """Read the first `len(names)` pictures in turn, with ddddocr's own threads.

    Raises
    ------
    Failed
    """
    command = [PEER_PYTHON, Path(__file__).with_name("read_ddddocr.py"), folder, "--limit", len(names)]
    command += ["--model", how.model, *(["--inverted"] if how.inverted else [])]
    command += ["--alphabet", alphabet] if how.restricted else []
    began = time.perf_counter()
    texts, seconds = parse_lines(call(command, patience(len(names))))
    return Reading("ddddocr", str(how), texts, seconds, time.perf_counter() - began)
