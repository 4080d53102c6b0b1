"""Explain how a model reads one picture: every stage in one PNG."""

import functools
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from storage.errors import BadInput
from tasks.datasets.samples import first_pictures
from tasks.deep.deep_reader import DeepReader
from tasks.explaining.classic_stages import classic_stages
from tasks.explaining.deep_stages import deep_stages
from tasks.figures.reading_stages import percent, plot_stages
from tasks.loading.decode import decode_noted, decode_seen, load_batch
from tasks.loading.seen_batches import load_seen_batch
from tasks.lowlevel.grey_png import png
from tasks.profiles.profile import Profile
from tasks.readers import known_letters, load_reader
from tasks.reading.reader import Reader
from tasks.solving.batches import SolvePlan

LONGEST = 12  # letters of a word that is drawn to be explained


@dataclass(frozen=True)
class Explained:
    """A picture's answer, and the PNG with the stages that led to it."""

    word: str
    confidence: float | None
    reading: str
    stages: tuple[str, ...]
    png: bytes


def explain_picture(reader: Reader | DeepReader, known: str, data: bytes, name: str) -> Explained:
    """Read a picture file and draw every stage.

    Parameters
    ----------
    known : str
        The letters that the model knows.
    data : bytes
        Of a picture file.
    name : str
        What the picture is called, for the title.

    Raises
    ------
    BadPicture
        The file cannot be read as a picture.
    """
    seen = decode_seen(data)
    if isinstance(reader, DeepReader):
        groups, failures = load_seen_batch([data], bytes)
        if failures:
            raise failures[0][1]
        stages, readings = deep_stages(reader, seen, groups[0].images, groups[0].sizes)
    else:
        loaded, _ = decode_noted(data)
        stages, readings = classic_stages(reader, known, seen, load_batch([data], bytes)[0][0][1][0], loaded)
    word, share = str(readings.words[0, 0]), float(readings.confidences[0, 0])
    sure = None if np.isnan(share) else share
    told = f"read as {word}" + (f", {percent(sure)} sure" if sure is not None else "") if word else "no word found"
    return Explained(
        word, sure, str(readings.reading[0]), tuple(stage.title for stage in stages),
        plot_stages(stages, f"{name}: {told}"),
    )  # fmt: skip


def explain_planned(plan: SolvePlan, data: bytes, name: str) -> Explained:
    """Explain a picture with the reader and the settings of a plan.

    Raises
    ------
    BadInput, Damaged, BadPicture
    """
    words = tuple(plan.words.split("\n")) if plan.words else ()
    reader = load_reader(plan.model, plan.model_sha256, words, plan.ranking, plan.alphabet, plan.length)
    return explain_picture(reader, _known(plan.model, plan.model_sha256), data, name)


@functools.lru_cache(maxsize=4)
def _known(model: str, _sha256: str) -> str:
    """Return the letters that a model knows, for picture after picture."""
    return known_letters(model)[1]


def draw_word(word: str, profile: Profile, seed: int) -> tuple[bytes, Profile]:
    """Draw a word as a profile draws its texts; the canvas is widened for a word longer than the profile's texts.

    Returns
    -------
    data : bytes
        A PNG.
    profile : Profile
        What it was drawn with: its lengths are those of the word.

    Raises
    ------
    BadInput, NotThere
    """
    if not 1 <= len(word) <= LONGEST:
        raise BadInput(f"word: must have 1 to {LONGEST} letters; {word!r} has {len(word)}")
    foreign = [letter for letter in dict.fromkeys(word) if letter not in profile.alphabet]
    if foreign:
        raise BadInput(
            f"word: profile {profile.name!r} draws {profile.alphabet}; {word!r} has {', '.join(map(repr, foreign))}: "
            "choose another word, or a profile with --profile (`captchas profiles` lists them)"
        )
    longest = profile.length[1]
    width = -(-profile.width * len(word) // longest) if len(word) > longest else profile.width
    with tempfile.TemporaryDirectory() as folder:
        words = Path(folder) / "word.txt"
        words.write_text(f"{word}\n", encoding="utf-8")
        drawn = replace(profile, words=str(words), length=(len(word), len(word)), width=width)
        block = first_pictures(drawn, seed, 1)
    height, width = int(block.parameters["height"][0]), int(block.parameters["width"][0])
    image = block.images[0, :height, :width]
    return png(255 - image if image.ndim == 2 else image), drawn
