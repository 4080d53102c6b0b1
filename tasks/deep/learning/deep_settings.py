"""How a network is trained."""

from dataclasses import asdict, dataclass
from typing import Any

from storage.errors import BadInput
from tasks.deep.shape import SMALL, Shape


@dataclass(frozen=True)
class Settings:
    """How a network is trained.

    shape : Shape
    minutes, steps : float, int, optional
        The budget: either of them. A budget in steps gives the same model each time on the same machine's processor;
        a budget in minutes ends after as many steps as it has time for, which the model records.
    seed : int
    batch : int
        Pictures in a step.
    rate : float
        The largest learning rate.
    decay : float
        Weight decay of AdamW.
    smoothing : float
        Share of each column's probability that is pulled towards all classes alike.
    averaged : float
        The decay of the weights' moving average, which is what is exported.
    moved : bool
        Whether pictures are cropped, padded, stretched, and changed in colour, contrast and sharpness at random.
    folded : bool
        Whether lower case counts as upper case.
    processes : int
        That draw pictures; 0 for a thread of this process.
    """

    shape: Shape = SMALL
    minutes: float | None = None
    steps: int | None = None
    seed: int = 1
    batch: int = 128
    rate: float = 2e-3
    decay: float = 0.02
    smoothing: float = 0.0
    averaged: float = 0.999
    moved: bool = False
    folded: bool = False
    processes: int = 0

    def __post_init__(self) -> None:
        if (self.minutes is None) == (self.steps is None):
            raise BadInput("train: must have a budget, either --minutes or --steps; give one of them")
        for field, low, high in (
            ("minutes", 0.01, 100_000), ("steps", 1, 10**9), ("seed", 0, 2**63 - 1), ("batch", 2, 65_536),
            ("rate", 1e-7, 1.0), ("decay", 0.0, 10.0), ("smoothing", 0.0, 0.5), ("averaged", 0.0, 0.99999),
            ("processes", 0, 1024),
        ):  # fmt: skip
            value = getattr(self, field)
            if value is not None and not low <= value <= high:
                raise BadInput(f"train, {field}: must be from {low} to {high}; it is {value}")

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return {**asdict(self), "shape": self.shape.as_dict()}
