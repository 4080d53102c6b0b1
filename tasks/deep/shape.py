"""The shape of a deep model: how large its pictures are, how wide its layers, and where its columns stand."""

from dataclasses import asdict, dataclass
from typing import Any

from storage.errors import BadInput
from storage.networks import shapes

STRIDE = shapes.STRIDE  # pixels of a normalised picture to a column of the network's output
BLANK = 0  # the class of "no new letter here"; the letters of the alphabet follow from 1
LONGEST = 12  # letters of a text
UNTOLD = (1, LONGEST)  # letters of texts of which nobody tells the length
COLUMNS_PADDED_TO = 8  # pixels: pictures of a batch are as wide as the widest, rounded up to this
_HEIGHTS = (24, 32, 40, 48)
_MOST_CHANNELS = 512
_MOST_BLOCKS = 8


@dataclass(frozen=True)
class Shape:
    """The shape of a network.

    height : pixels of a normalised picture; a multiple of 8
    widest : pixels that a normalised picture is wide at most; wider pictures are squeezed
    channels : of the three stages of two-dimensional convolutions
    blocks : residual blocks of each stage
    context : channels of the one-dimensional convolutions over columns
    depth : residual blocks of those
    """

    height: int = 32
    widest: int = 160
    channels: tuple[int, int, int] = (32, 64, 128)
    blocks: tuple[int, int, int] = (0, 1, 1)
    context: int = 256
    depth: int = 3

    def __post_init__(self) -> None:
        self._check(self.height in _HEIGHTS, "height", f"one of {', '.join(map(str, _HEIGHTS))} px")
        self._check(
            self.height <= self.widest <= shapes.WIDEST and self.widest % COLUMNS_PADDED_TO == 0, "widest",
            f"from the height to {shapes.WIDEST} px, a multiple of {COLUMNS_PADDED_TO}",
        )  # fmt: skip
        for field, least, most in (("channels", 1, _MOST_CHANNELS), ("blocks", 0, _MOST_BLOCKS)):
            values = getattr(self, field)
            fits = isinstance(values, tuple) and len(values) == 3
            fits = fits and all(type(value) is int and least <= value <= most for value in values)
            self._check(fits, field, f"three whole numbers from {least} to {most}")
        self._check(1 <= self.context <= _MOST_CHANNELS, "context", f"from 1 to {_MOST_CHANNELS} channels")
        self._check(1 <= self.depth <= _MOST_BLOCKS, "depth", f"from 1 to {_MOST_BLOCKS} blocks")

    def _check(self, holds: bool, field: str, rule: str) -> None:
        if not holds:
            raise BadInput(f"shape, {field}: must be {rule}; it is {getattr(self, field)!r}")

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return {**asdict(self), "channels": list(self.channels), "blocks": list(self.blocks)}


SMALL = Shape()  # for two cores and twenty minutes
WIDE = Shape(height=40, widest=192, blocks=(1, 1, 1), context=320, depth=4)  # for a GPU, or an hour and a half
SHAPES = {"small": SMALL, "wide": WIDE}


def shape_from(record: object) -> Shape:
    """Return the shape that a model's record holds.

    Raises
    ------
    BadInput
    """
    fields = Shape().as_dict()
    if not isinstance(record, dict) or record.keys() != fields.keys():
        raise BadInput(f"shape: must have {', '.join(fields)}; it is {record!r}")
    values = dict(record)
    for field, value in values.items():
        if isinstance(fields[field], list):
            values[field] = tuple(value) if isinstance(value, list) else ()
        elif type(value) is not int:
            raise BadInput(f"shape, {field}: must be a whole number; it is {value!r}")
    return Shape(**values)
