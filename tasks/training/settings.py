"""Training settings, the letters and faces of the datasets, and how the shipped model (the ladder's) is trained."""

from dataclasses import dataclass, replace

import numpy as np

from storage.dataset import Dataset
from storage.errors import BadInput, nearest
from storage.shards.shard import Block
from tasks.profiles.built_in import UNSEEN
from tasks.profiles.fonts import face_names
from tasks.reading.networks import MOST_CLASSES

MOST_HIDDEN_LAYERS, MOST_UNITS = (
    4,
    4096,
)  # hidden layers, and units of each; a guard against slips, not a measured limit
# Imported pictures are learnt from in rounds: each finds their letters with the network of the round before. All but
# the last get a fourth of the shows, and no more than so many pictures of each dataset.
EARLY_ROUNDS, EARLY_SHARE, EARLY_PICTURES = 2, 4, 4_000
IMPORTED_SHOWS = 5_000_000  # by default where a dataset was imported: varied copies give so many spans


@dataclass(frozen=True)
class Settings:
    """Settings of a training, which become part of the model's provenance.

    Parameters
    ----------
    pictures : tuple of int
        Most pictures of the train split: one number for all datasets, or one for each.
    shows : int
        Spans shown to the network, counted with repetition.
    hidden : tuple of int
        Units of each hidden layer.
    leave_out : tuple of str
        Names of font faces; their pictures are not learnt from.
    seed : int, 0 to 2**32 - 1
        Of the first weights, of the choice of spans and of their order.

    Raises
    ------
    BadInput
        A value out of range.
    """

    pictures: tuple[int, ...] = (20_000,)
    shows: int = 1_000_000
    hidden: tuple[int, ...] = (128,)
    leave_out: tuple[str, ...] = ()
    seed: int = 1

    def __post_init__(self) -> None:
        layers, units = len(self.hidden), self.hidden
        for name, holds, rule in (
            ("pictures", self.pictures and min(self.pictures) >= 1, "1 or more for each dataset"),
            ("shows", self.shows >= 1, "1 or more"),
            ("hidden", 1 <= layers <= MOST_HIDDEN_LAYERS and 1 <= min(units) <= max(units) <= MOST_UNITS,
             f"one to four layers of 1 to {MOST_UNITS} units"),
            ("seed", 0 <= self.seed < 1 << 32, "from 0 to 2**32 - 1"),
        ):  # fmt: skip
            if not holds:
                raise BadInput(f"{name}: must be {rule}; it is {getattr(self, name)}")


def early(settings: Settings) -> Settings:
    """Return the settings of a round before the last."""
    return replace(
        settings,
        pictures=tuple(min(count, EARLY_PICTURES) for count in settings.pictures),
        shows=max(settings.shows // EARLY_SHARE, 1),
    )


def shares_of(settings: Settings, datasets: int) -> tuple[int, ...]:
    """Give the number of pictures to learn from, for each of the datasets.

    Raises
    ------
    BadInput
        The number of values is neither 1 nor the number of datasets.
    """
    pictures = settings.pictures * (datasets if len(settings.pictures) == 1 else 1)
    if len(pictures) != datasets:
        raise BadInput(f"pictures: must be one number, or one for each of {datasets} datasets; it is {pictures}")
    return pictures


def classes_of(datasets: list[Dataset]) -> str:
    """Collect the letters of all datasets, in the order in which they first occur.

    Raises
    ------
    BadInput
        Too many of them.
    """
    classes = "".join(dict.fromkeys("".join(dataset.manifest.profile["alphabet"] for dataset in datasets)))
    if len(classes) > MOST_CLASSES:
        raise BadInput(f"train: at most {MOST_CLASSES} different letters; the datasets have {len(classes)}")
    return classes


def check_faces(datasets: list[Dataset], faces: tuple[str, ...]) -> None:
    """Refuse to leave out a face that no dataset has.

    Raises
    ------
    BadInput
        Names the nearest face.
    """
    known = {name for dataset in datasets for name in face_names(dataset.manifest.fonts)}
    for face in faces:
        if face not in known:
            remedy = nearest(face, known) or f"; they have {', '.join(sorted(known)) or 'no faces'}"
            raise BadInput(f"leave-out: must be a font face of the datasets; it is {face!r}{remedy}")


def left_out(dataset: Dataset, block: Block, faces: tuple[str, ...]) -> np.ndarray:
    """Find a block's pictures in one of these faces, (n,) bool; a dataset need not have the faces."""
    numbers = [number for number, name in enumerate(face_names(dataset.manifest.fonts)) if name in faces]
    if not numbers:  # imported pictures have no parameter `font`
        return np.zeros(len(block.text), bool)
    return np.isin(block.parameters["font"], numbers)


# The ladder: profiles from easy to hard, and the settings of the model that is shipped.
RUNGS = (
    "book",
    "fonts",
    "unseen",
    "jitter",
    "touching",
    "noise",
    "warp",
    "random",
    "hard",
    "codes",
    "lower",
    "strings",
)
LADDER_COUNT = 217_088  # pictures of each rung: 212 blocks; over 20,000, about a tenth, are in the test split
LADDER_SEED = 1
# Pictures to learn from: of the harder rungs more, of `unseen` none, and of all others none in the faces of `unseen`.
LEARNT = {
    "book": 6_000, "fonts": 24_000, "jitter": 6_000, "touching": 10_000, "noise": 16_000, "warp": 6_000,
    "random": 8_000, "hard": 64_000, "codes": 24_000, "lower": 12_000, "strings": 40_000,
}  # fmt: skip
LADDER_SETTINGS = Settings(pictures=tuple(LEARNT.values()), shows=20_000_000, hidden=(384,), leave_out=UNSEEN)
