"""Tesseract and ddddocr as attackers: other programs, run in processes of their own on files.

Each may take one of several settings. Labelled pictures choose it, so that the unseen ones stay unseen.
"""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from storage.dataset import Dataset
from storage.errors import CaptchasError
from storage.files.locks import temporary_folder
from tasks.audit.attackers.answers import Answers, compared_as
from tasks.audit.attackers.labelled import pictures_at
from tasks.audit.attackers.programs.tesseract_data import ENGLISH, data_for, told_missing

CHOOSING = 60  # labelled pictures that choose the settings
_BATCH = 25  # pictures of a process of Tesseract
_PATIENCE = 30.0  # seconds that a process may take besides 2 s a picture
_MARGIN, _LIGHT = 20, 255  # around what Tesseract sees: pixels, and their brightness
# In the project's folder. The working directory may be an unpacked archive, whose programs nobody chose to run.
_OWN_ENVIRONMENT = Path(__file__).parents[4] / ".venv-ddddocr" / "bin" / "python"


class Missing(Exception):
    """A program is not installed; the text says what to do."""


class Failed(CaptchasError, RuntimeError):
    """A program that is installed failed."""


class Crashed(Failed):
    """A program was ended by a signal, as by an error in its arithmetic: another picture may do better."""


class TesseractWay(NamedTuple):
    """How a picture is prepared for Tesseract: page mode, rows, and the size of a median filter (0: none)."""

    pages: int
    rows: int
    median: int


WAYS = (TesseractWay(7, 48, 0), TesseractWay(7, 64, 3), TesseractWay(13, 60, 5))


class DdddocrWay(NamedTuple):
    """Which model of ddddocr reads, and whether light and dark are exchanged first."""

    model: str
    inverted: bool


DDDDOCR_WAYS = tuple(DdddocrWay(model, inverted) for model in ("default", "beta") for inverted in (False, True))
Ways = Sequence[TesseractWay] | Sequence[DdddocrWay]


@dataclass(frozen=True)
class Program:
    """A program that reads pictures: its name, its settings, and how it reads with one of them."""

    name: str
    ways: Ways
    read: Callable[[Sequence[Image.Image], object, str], list[str]]
    data: tuple[str, ...] = ()  # for the letters
    lacks: str = ""  # what is missing for some of them, and the remedy

    @property
    def told(self) -> str:
        """Return the name, and the data that it reads with."""
        return f"{self.name} {'+'.join(self.data)}".strip()


def find_program(name: str, letters: str = "") -> Program:
    """Find an installed program; Tesseract only if it has data for half of the letters.

    Raises
    ------
    Missing
    """
    if name == "tesseract":
        if shutil.which("tesseract") is None:
            raise Missing("Tesseract is not installed; on Debian: apt-get install tesseract-ocr")
        return _find_tesseract(letters)
    python = _ddddocr_python()
    return Program(name, DDDDOCR_WAYS, lambda pictures, way, letters: _read_ddddocr(python, pictures, way, letters))


def _find_tesseract(letters: str) -> Program:
    """Return Tesseract with its data for letters.

    Raises
    ------
    Missing
        It has data for less than half of the letters: what it reads says little.
    """
    data, unknown = _installed_for(letters)
    lacks = told_missing(unknown) if unknown else ""
    if letters and 2 * len(unknown) > len(letters):
        raise Missing(lacks)
    return Program("tesseract", WAYS, _read_tesseract, data, lacks)


def _installed_for(letters: str) -> tuple[tuple[str, ...], str]:
    return data_for(letters, {ENGLISH} if letters.isascii() else _listed(shutil.which("tesseract")))


@cache
def _listed(program: str | None) -> frozenset[str]:
    """Return the data that a program lists; those of English if it does not say."""
    try:
        said = _run([program or "tesseract", "--list-langs"], 1)
    except (Failed, OSError):
        return frozenset({ENGLISH})
    return frozenset(line.strip() for line in said.splitlines())


def _ddddocr_python() -> str:
    if importlib.util.find_spec("ddddocr") is not None:
        return sys.executable
    if _OWN_ENVIRONMENT.exists():
        return str(_OWN_ENVIRONMENT)
    # The report shows this to others, so it names no folder of this machine.
    raise Missing("ddddocr is not installed; python -m pip install ddddocr, or in a clone: make bench-peers")


def as_seen(dataset: Dataset, rows: Sequence[int]) -> list[Image.Image]:
    """Return stored pictures as files would show them: ink dark on light, or their colours."""
    return [Image.fromarray(image if image.ndim == 3 else 255 - image) for image in pictures_at(dataset, rows)]


class Choice(NamedTuple):
    """The settings that read most of the labelled pictures, and the seconds of a picture with them."""

    way: object
    seconds: float


def choose(program: Program, labelled: Dataset, letters: str, fold_case: bool) -> Choice:
    """Try all settings on the pictures of a dataset of labelled pictures.

    Raises
    ------
    Failed
    """
    as_ = compared_as(fold_case)
    pictures, truths = as_seen(labelled, range(len(labelled))), labelled[:].texts()
    found: list[tuple[int, int, Choice]] = []
    for number, way in enumerate(program.ways):
        began = time.perf_counter()
        reads = program.read(pictures, way, letters)
        seconds = (time.perf_counter() - began) / max(len(pictures), 1)
        right = sum(as_(read) == as_(truth) for read, truth in zip(reads, truths, strict=True))
        found.append((right, -number, Choice(way, seconds)))
    return max(found, key=lambda entry: entry[:2])[2]


def answers_of(program: Program, pictures: Sequence[Image.Image], way: object, letters: str) -> Answers:
    """Read pictures with chosen settings; blanks in an answer do not count.

    Raises
    ------
    Failed
    """
    began = time.perf_counter()
    reads = program.read(pictures, way, letters)
    seconds = (time.perf_counter() - began) / max(len(pictures), 1)
    return Answers(tuple((read,) if read else () for read in reads), None, seconds)


def _read_tesseract(pictures: Sequence[Image.Image], way: object, letters: str) -> list[str]:
    """Read by as many processes as there are cores, each with a single thread.

    A picture on which Tesseract crashes is not read; the others of its process are read again without it.
    """
    if not isinstance(way, TesseractWay):
        raise TypeError("these are no settings of Tesseract")
    batches = [pictures[first : first + _BATCH] for first in range(0, len(pictures), _BATCH)]
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        try:
            parts = list(pool.map(lambda batch: _without_crashes(batch, way, letters), batches))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    reads = [text for part in parts for text in part]
    if reads and all(text is None for text in reads):
        raise Failed("tesseract: crashed on every picture; try it by hand on one of them")
    return [text or "" for text in reads]


def _without_crashes(pictures: Sequence[Image.Image], way: TesseractWay, letters: str) -> list[str | None]:
    """Read pictures; None for each on which Tesseract crashes."""
    try:
        return [*_tesseract_batch(pictures, way, letters)]
    except Crashed:
        if len(pictures) == 1:
            return [None]
    half = len(pictures) // 2
    return [*_without_crashes(pictures[:half], way, letters), *_without_crashes(pictures[half:], way, letters)]


def _tesseract_batch(pictures: Sequence[Image.Image], way: TesseractWay, letters: str) -> list[str]:
    with temporary_folder() as scratch:
        paths = [Path(scratch, f"{number:06d}.pgm") for number in range(len(pictures))]
        for path, picture in zip(paths, pictures, strict=True):
            _prepared(picture, way).save(path, "PPM")
        listed = Path(scratch, "list.txt")
        listed.write_text("".join(f"{path}\n" for path in paths), encoding="utf-8")
        command = ["tesseract", str(listed), "stdout", "--psm", str(way.pages), "--dpi", "300"]
        command += ["-l", "+".join(_installed_for(letters)[0]) or ENGLISH]
        command += ["-c", f"tessedit_char_whitelist={letters}"]
        pages = _run(command, len(pictures), OMP_THREAD_LIMIT="1").split("\f")
    if len(pages) == len(pictures) + 1:
        pages.pop()  # some versions end every page with a form feed
    if len(pages) != len(pictures):
        raise Failed(f"tesseract: gave {len(pages)} pages for {len(pictures)} pictures; try it by hand on one of them")
    return ["".join(page.split()) for page in pages]


def _prepared(picture: Image.Image, way: TesseractWay) -> Image.Image:
    """Return a picture as Tesseract likes it: grey, dark on light, as high as its letters want."""
    grey = picture.convert("L")
    if np.median(np.asarray(grey)) < _LIGHT / 2:
        grey = ImageOps.invert(grey)
    if way.median:
        grey = grey.filter(ImageFilter.MedianFilter(way.median))
    columns = max(round(grey.width * way.rows / grey.height), 1)
    return ImageOps.expand(grey.resize((columns, way.rows), Image.Resampling.BICUBIC), _MARGIN, _LIGHT)


def _read_ddddocr(python: str, pictures: Sequence[Image.Image], way: object, letters: str) -> list[str]:
    if not isinstance(way, DdddocrWay):
        raise TypeError("these are no settings of ddddocr")
    with temporary_folder() as scratch:
        for number, picture in enumerate(pictures):
            picture.save(Path(scratch, f"{number:06d}.png"))
        script = Path(__file__).with_name("ddddocr_process.py")
        command = [
            python,
            "-I",
            str(script),
            str(scratch),
            way.model,
            "inverted" if way.inverted else "as drawn",
            letters,
        ]
        said = _run(command, len(pictures))
    lines = [line for line in said.splitlines() if line.startswith('"')]
    if len(lines) != len(pictures):
        raise Failed(f"ddddocr: gave {len(lines)} answers for {len(pictures)} pictures; try it by hand on one of them")
    return [str(json.loads(line)) for line in lines]


def _run(command: list[str], pictures: int, **environment: str) -> str:
    """Return a program's standard output.

    It has a session of its own, so that Ctrl-C comes from here only, and is killed with its children.

    Raises
    ------
    Failed
    """
    name = Path(command[0]).name
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=os.environ | environment, start_new_session=True,
    )  # fmt: skip
    try:
        out, errors = process.communicate(timeout=_PATIENCE + 2 * pictures)
    except BaseException as error:
        process.kill()
        process.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            raise Failed(f"{name}: was not done after {error.timeout:.0f} s; try it by hand on a picture") from None
        raise
    if process.returncode:
        said = " ".join(errors.decode(errors="replace").split()[-30:])
        kind = Crashed if process.returncode < 0 else Failed
        raise kind(f"{name}: ended with exit code {process.returncode}: {said or 'it said nothing'}")
    return out.decode(errors="replace")
