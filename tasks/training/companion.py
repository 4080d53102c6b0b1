"""Draw pictures beside an imported set, over the same letters, in memory: their boxes show a first network the letters.

Imported pictures have no boxes. Where their letters touch or a line joins them, only a network can find them, and the
first network needs letters that are known. This project's renderer draws them: in every bundled face, turned, sheared,
touching and with lines and specks, about as high as the letters of the set.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from storage.dataset import Dataset
from storage.errors import BadInput
from storage.files import atomic
from storage.shards.shard import Block
from tasks.drawing.renderer import Renderer
from tasks.loading.colour_ink import ink_of_batch
from tasks.profiles.fonts import bundled, find_face, require_characters
from tasks.profiles.glyphs import GlyphSet, draw_glyphs
from tasks.profiles.profile import Ink, Profile
from tasks.profiles.ranges import OFF, Grid
from tasks.reading.deskew import upright
from tasks.reading.lattice import find_spans
from tasks.training.fit import SAMPLE, TRAIN, VALIDATION
from tasks.training.settings import Settings
from tasks.training.spool import GatherJob, GatherReceipt, gather, teach

PICTURES = 4_000  # in all faces together
LONGEST = 6  # letters of a drawn text: more would teach the same and need wider pictures
LOOKED_AT = 512  # imported pictures that the letters' height is measured on
LOOKED_AT_PIXELS = 20_000_000  # of these pictures together, at most
MOST_LETTERS = 200  # that a profile may have: of more, the first
SMALLEST, LARGEST = 14, 40  # pixels an em: above that only the work grows, since a span's features have no scale
EM = 1.4  # pixels an em for a pixel of a letter's height, about that of capitals
# Of the pictures learnt from, the companion has at least this share. Without it a set of 1,070 pictures was read as
# well, sets of 30 and 100 pictures worse (without varied copies 36.8 instead of 94 %, with them 96.5 instead of 97.3).
LEAST_SHARE = 0.3
_PREFIX = "drawn"  # of the names of its spool files
_OVERLAPS = (3, 1, -1)  # columns by which letters overlap at most: the first that no narrow letter forbids


@dataclass(frozen=True)
class Look:
    """What a companion takes over from the imported sets.

    Attributes
    ----------
    alphabet : str
        The letters of all sets.
    length : (int, int)
        Letters of the shortest and the longest text.
    font_size : int
        Pixels an em.
    """

    alphabet: str
    length: tuple[int, int]
    font_size: int


def look_at(datasets: list[Dataset]) -> Look:
    """Find letters, lengths and the letters' height of some imported sets."""
    profiles = [dataset.manifest.profile for dataset in datasets]
    alphabet = "".join(dict.fromkeys("".join(profile["alphabet"] for profile in profiles)))
    shortest = min(profile["length"][0] for profile in profiles)
    longest = max(profile["length"][1] for profile in profiles)
    height = np.concatenate([_heights(dataset) for dataset in datasets])
    size = round(EM * float(np.median(height[height > 0]))) if (height > 0).any() else LARGEST
    length = min(shortest, LONGEST), min(longest, LONGEST)
    return Look(alphabet[:MOST_LETTERS], length, min(max(size, SMALLEST), LARGEST))


def _heights(dataset: Dataset) -> np.ndarray:
    """Measure the height of the letters in some pictures, (n,) int64 px; 0 without ink."""
    block = dataset.head(LOOKED_AT)
    some = max(LOOKED_AT_PIXELS // (block.images.shape[1] * block.images.shape[2]), 1)
    block = block.rows(slice(0, some))
    ink = ink_of_batch(block.images, block.parameters["height"], block.parameters["width"])
    return find_spans(upright(ink)[0], fine=0).height


@dataclass(frozen=True)
class DrawnJob:
    """Draw the companion's pictures in one face, and cut them into a spool file.

    Attributes
    ----------
    look : Look
    face, number : str, int
        The face's name, and its number among the faces; the randomness depends on the number and the seed.
    pictures, seed : int
    classes : str
        The letters; their places are the labels.
    spool, run : str
        The folder of the file, and the run's id.
    """

    look: Look
    face: str
    number: int
    pictures: int
    seed: int
    classes: str
    spool: str
    run: str


def drawn_jobs(datasets: list[Dataset], settings: Settings, classes: str, spool: Path, run: str) -> list[DrawnJob]:
    """Plan a job for each bundled face that has some letters of the imported ones among the datasets; perhaps none."""
    imported = [dataset for dataset in datasets if dataset.manifest.source]
    if not imported:
        return []
    look = look_at(imported)
    faces = [name for name in bundled() if name not in settings.leave_out and _letters_in(name, look.alphabet)]
    return [
        DrawnJob(look, name, number, -(-PICTURES // len(faces)), settings.seed, classes, str(spool.resolve()), run)
        for number, name in enumerate(faces)
    ]


def cut(job: GatherJob | DrawnJob) -> GatherReceipt:
    """Do a job: `gather` for a shard's pictures, `draw` for the companion's."""
    return draw(job) if isinstance(job, DrawnJob) else gather(job)


def draw(job: DrawnJob) -> GatherReceipt:
    """Draw the companion's pictures in one face, and put their spans, in random order, into the spool."""
    parts = [np.empty(0, SAMPLE)]
    for number, block in enumerate(draw_face(job.look, job.face, (job.seed << 8) + job.number, job.pictures)):
        taught = teach(block, job.classes, None, None, (job.seed, job.number, number))
        samples = np.empty(len(taught.labels), SAMPLE)
        # None of these pictures is ever tested on: those of the test split are learnt from too.
        split = np.where(block.split == VALIDATION, VALIDATION, TRAIN)
        samples["label"], samples["split"] = taught.labels, split[taught.picture]
        samples["span"] = taught.spans
        parts.append(samples)
    joined = np.concatenate(parts)
    order = np.random.Philox(key=np.array([job.seed, job.number], np.uint64)).random_raw(len(joined)).argsort()
    data = io.BytesIO()
    np.save(data, joined[order])
    atomic.replace(Path(job.spool) / f"{_PREFIX}-{job.number:03d}.npy", data.getvalue(), job.run)
    none = (0,) * len(job.classes)
    letters = int((joined["label"] < len(job.classes)).sum())
    return GatherReceipt(job.number, 0, 0, letters, len(joined), none, none)


def drawn_samples(spool: Path, pictures: int) -> list[np.ndarray]:
    """Open as many of the companion's samples as suit so many pictures, with their copies, to learn from.

    Few pictures need all of it; beside many it is a small share, since it looks otherwise than they do.
    """
    share = max(LEAST_SHARE * pictures, PICTURES - pictures) / PICTURES
    files = [np.load(path, mmap_mode="r") for path in sorted(spool.glob(f"{_PREFIX}-*.npy"))]
    return [file[: round(min(share, 1) * len(file))] for file in files]


def _letters_in(name: str, alphabet: str) -> str:
    """Return the letters that a face has."""
    face = find_face(name)
    try:
        require_characters(face, alphabet)
    except BadInput:
        return "".join(letter for letter in alphabet if _has(name, letter))
    return alphabet


def _has(name: str, letter: str) -> bool:
    try:
        require_characters(find_face(name), letter)
    except BadInput:
        return False
    return True


def draw_face(look: Look, name: str, seed: int, count: int) -> Iterator[Block]:
    """Draw a block of each style in one face; a style that the face cannot be drawn in is left out."""
    letters = _letters_in(name, look.alphabet)
    face = find_face(name)
    try:
        glyphs = draw_glyphs(face, look.font_size, letters, Ink.GREY)
    except BadInput:  # nothing to draw for a letter
        return
    styles = _styles(name, letters, look)
    for number, profiles in enumerate(styles):
        renderer = _first_that_fits(profiles, glyphs)
        if renderer is not None:
            share = (count + number) // len(styles)
            yield renderer.block(seed, number, share)


def _first_that_fits(profiles: list[Profile], glyphs: GlyphSet) -> Renderer | None:
    for profile in profiles:
        try:
            return Renderer(profile, (find_face(profile.fonts[0]),), (glyphs,), ())
        except BadInput:
            continue
    return None


def _styles(name: str, letters: str, look: Look) -> list[list[Profile]]:
    """Return the styles of a face, each with the profiles to try in turn."""
    em = look.font_size
    plain = Profile(
        "companion", fonts=(name,), alphabet=letters, length=look.length, font_size=em, ink=Ink.GREY,
        height=em * 5 // 2, width=em * 3 // 2 * look.length[1] + 3 * em, left=em, top=em // 2,
        shear=Grid(-200, 200, 50), scale=Grid(70, 110, 10), rotation=Grid(-5, 5), tracking=Grid(0, max(em // 6, 1)),
        blur=Grid(0, 1),
    )  # fmt: skip
    apart = replace(plain, tracking=OFF, rotation=Grid(-10, 10), move_y=Grid(-em // 8, em // 8))
    touching = [replace(apart, overlap=Grid(-2, most)) for most in _OVERLAPS]
    turned = replace(plain, rotation=Grid(-30, 30), move_y=Grid(-em // 8, em // 8))
    return [[plain], touching, [_struck(profile, em) for profile in touching], [_struck(turned, em)]]


def _struck(profile: Profile, em: int) -> Profile:
    """Add lines, specks and an uneven ground."""
    return replace(
        profile, lines=Grid(0, 2), arcs=Grid(0, 1), line_width=Grid(1, max(em // 16, 1)),
        line_ink=Grid(50, 100, 10), specks=Grid(0, 30), background=Grid(0, 30, 5),
    )  # fmt: skip
