"""How a reader is trained: its settings, the letters and faces of its datasets, and the ladder of the shipped model."""

from dataclasses import dataclass

from storage.dataset import Dataset
from storage.errors import BadInput, nearest
from tasks.profiles.built_in import UNSEEN
from tasks.profiles.fonts import face_names

MOST_CLASSES = 254  # what a label of one byte can tell apart, beside "not one letter"
FIRST_SHARE = 4  # the first round has a fourth of the pictures and of the shows


@dataclass(frozen=True)
class Settings:
    """How letters are learnt; part of a model's provenance.

    pictures : of the train splits, at most: one number for all datasets, or one for each
    shows : spans shown to the network, counted with repetition
    hidden : units of its hidden layers
    leave_out : font faces whose pictures are not learnt from
    seed : of the first weights, of the order of spans and of their choice
    """

    pictures: tuple[int, ...] = (20_000,)
    shows: int = 1_000_000
    hidden: tuple[int, ...] = (128,)
    leave_out: tuple[str, ...] = ()
    seed: int = 1

    def __post_init__(self):
        for name, holds, rule in (
            ("pictures", self.pictures and min(self.pictures) >= 1, "1 or more for each dataset"),
            ("shows", self.shows >= 1, "1 or more"),
            ("hidden", 1 <= len(self.hidden) <= 4 and all(1 <= units <= 4096 for units in self.hidden),
             "one to four layers of 1 to 4096 units"),
            ("seed", 0 <= self.seed < 1 << 32, "from 0 to 2**32 - 1"),
        ):  # fmt: skip
            if not holds:
                raise BadInput(f"{name}: must be {rule}; it is {getattr(self, name)}")


RUNGS = ("book", "fonts", "unseen", "jitter", "touching", "noise", "warp", "random", "hard")
LADDER_COUNT = 217_088  # pictures of each: 212 blocks, of which about a tenth, more than 20,000, are of the test split
LADDER_SEED = 1

# What the model learns from: the rungs but `unseen`, the harder ones more than the others. Of `fonts` only the
# faces that `unseen` has not.
LEARNT = {
    "book": 6_000, "fonts": 24_000, "jitter": 6_000, "touching": 10_000, "noise": 16_000, "warp": 6_000,
    "random": 16_000, "hard": 48_000,
}  # fmt: skip
LADDER_SETTINGS = Settings(pictures=tuple(LEARNT.values()), shows=12_000_000, hidden=(256,), leave_out=UNSEEN)


def classes_of(datasets: list[Dataset]) -> str:
    """The letters of all datasets, in the order in which they come first."""
    classes = "".join(dict.fromkeys("".join(dataset.manifest.profile["alphabet"] for dataset in datasets)))
    if len(classes) > MOST_CLASSES:
        raise BadInput(f"train: at most {MOST_CLASSES} different letters; the datasets have {len(classes)}")
    return classes


def check_faces(datasets: list[Dataset], faces: tuple[str, ...]) -> None:
    """Refuse a face that is to be left out, and that no dataset has.

    Raises
    ------
    BadInput
        With the nearest that one has.
    """
    there = {name for dataset in datasets for name in face_names(dataset.manifest.fonts)}
    for face in faces:
        if face not in there:
            raise BadInput(f"leave-out: must be a font face of the datasets; it is {face!r}{nearest(face, there)}")


def shares_of(settings: Settings, datasets: int) -> tuple[int, ...]:
    """Pictures to learn from, of each of the datasets.

    Raises
    ------
    BadInput
        Another number of numbers than of datasets.
    """
    pictures = settings.pictures * (datasets if len(settings.pictures) == 1 else 1)
    if len(pictures) != datasets:
        raise BadInput(f"pictures: must be one number, or one for each of {datasets} datasets; it is {pictures}")
    return pictures
