"""Explain how a model reads one picture: every stage in one PNG."""

import functools
from dataclasses import dataclass, replace

import numpy as np

from storage.errors import BadInput
from storage.files.locks import temporary_folder
from storage.texts import caption
from tasks.both_readers import SURE, BothReaders, takes_classic
from tasks.datasets.samples import first_pictures
from tasks.deep.deep_reader import DeepReader
from tasks.explaining.classic_stages import classic_stages
from tasks.explaining.deep_stages import deep_stages
from tasks.figures.reading_stages import Stage, plot_stages
from tasks.figures.stage_panels import RankingPanel, percent
from tasks.loading.decode import decode_noted, decode_seen, load_batch
from tasks.loading.safe_read import BadPicture
from tasks.loading.seen_batches import load_seen_batch
from tasks.lowlevel.png_encoder import png
from tasks.profiles.profile import Profile
from tasks.readers import AnyReader, known_letters
from tasks.reading.reader import Readings
from tasks.solving.batches import SolvePlan, reader_of

LONGEST = 12  # letters of a word that is drawn to be explained


@dataclass(frozen=True)
class Explained:
    """A picture's answer, and the PNG with the stages that led to it."""

    word: str
    confidence: float | None
    reading: str
    stages: tuple[str, ...]
    png: bytes


def explain_picture(reader: AnyReader, known: str, data: bytes, name: str) -> Explained:
    """Read a picture file and draw every stage.

    Of two readers together, the stages are those of the reader whose answer is taken.

    Parameters
    ----------
    known : str
        The letters that the classic model knows, if there is one.
    data : bytes
        Of a picture file.
    name : str
        What the picture is called, for the title.

    Raises
    ------
    BadPicture
        The file cannot be read as a picture.
    """
    stages, readings = _stages(reader, known, data)
    word, sure = _answer(readings)
    told = f"read as {word}" + (f", {percent(sure)} sure" if sure is not None else "") if word else "no word found"
    return Explained(
        word, sure, str(readings.reading[0]), tuple(stage.title for stage in stages),
        plot_stages(stages, f"{caption(name)}: {told}"),
    )  # fmt: skip


def _answer(readings: Readings) -> tuple[str, float | None]:
    """Return the word of one picture with its confidence; None if it has none."""
    share = float(readings.confidences[0, 0])
    return str(readings.words[0, 0]), None if np.isnan(share) else share


def _stages(reader: AnyReader, known: str, data: bytes) -> tuple[list[Stage], Readings]:
    if isinstance(reader, BothReaders):
        return _stages_of_both(reader, known, data)
    if isinstance(reader, DeepReader):
        groups, failures = load_seen_batch([data], bytes)
        if failures:
            raise failures[0][1]
        high, wide = groups[0].sizes[0].tolist()
        return deep_stages(reader, groups[0].images[0, :high, :wide], groups[0].images, groups[0].sizes)
    loaded, _ = decode_noted(data)
    try:
        seen = decode_seen(data)
    except BadPicture:  # levels that a screen does not tell apart, such as the lowest of 16 bits
        seen = np.repeat(255 - loaded[:, :, None], 3, axis=2)
    return classic_stages(reader, known, seen, load_batch([data], bytes)[0][0][1][0], loaded)


def _stages_of_both(reader: BothReaders, known: str, data: bytes) -> tuple[list[Stage], Readings]:
    """Return the stages of the reader whose answer is taken, and before the last, why it is taken."""
    try:
        stages, readings = _stages(reader.classic, known, data)
    except BadPicture:  # a picture without ink for the classic reader
        return _stages(reader.deep, known, data)
    word, sure = _answer(readings)
    if (sure or 0.0) >= SURE:
        return stages, readings
    try:
        others, deep = _stages(reader.deep, known, data)
    except BadPicture:  # what only the deep reader cannot load has the classic reader's answer
        return stages, readings
    other, surer = _answer(deep)
    taken = bool(takes_classic(readings.confidences[:, 0], deep.confidences[:, 0])[0])
    says = (
        f"The classic reader is under {100 * SURE:.0f} % sure, so the deep reader reads the picture too. The answer of "
        f"the {'classic' if taken else 'deep'} reader is taken, and its stages are shown here."
    )
    rows = [(f"classic: {word or '-'}", sure), (f"deep: {other or '-'}", surer)]
    which = Stage("Two readers", says, RankingPanel(rows, "confidence"))
    shown, chosen = (stages, readings) if taken else (others, deep)
    return [shown[0], which, *shown[1:]], chosen


def explain_planned(plan: SolvePlan, data: bytes, name: str) -> Explained:
    """Explain a picture with the reader and the settings of a plan.

    Raises
    ------
    BadInput, Damaged, BadPicture
    """
    model = (plan.classic, plan.classic_sha256) if plan.classic else (plan.model, plan.model_sha256)
    return explain_picture(reader_of(plan), _known(*model), data, name)


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
    with temporary_folder() as folder:
        words = folder / "word.txt"
        words.write_text(f"{word}\n", encoding="utf-8")
        drawn = replace(profile, words=str(words), length=(len(word), len(word)), width=width)
        block = first_pictures(drawn, seed, 1)
    height, width = int(block.parameters["height"][0]), int(block.parameters["width"][0])
    image = block.images[0, :height, :width]
    return png(255 - image if image.ndim == 2 else image), drawn
