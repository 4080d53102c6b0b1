"""Random numbers by place: each column of a block's table has its own, from Philox's raw output."""

from collections.abc import Iterable
from hashlib import sha256

import numpy as np

from storage.shards.shard import BLOCK
from tasks.lowlevel.splitmix64 import GAMMA, mix

_SPLIT_SEED = np.uint64(0x6A09E667F3BCC909)  # the fraction of the square root of 2, in 1/2**64


def raw(seed: int, block: int, column: int) -> np.ndarray:
    """Return a block's 1,024 random numbers for one column, (1024,) uint64, from Philox 4x64's raw output.

    Philox is counter-based (Salmon et al., 2011): the numbers depend on key and counter alone. NumPy
    keeps bit generators the same between versions, which it does not promise of `Generator`.
    """
    return np.random.Philox(key=[seed, block], counter=[0, 0, 0, column]).random_raw(BLOCK)


def below(numbers: np.ndarray, limit: int) -> np.ndarray:
    """Map uint64 numbers to 0 … limit - 1 by a multiplication of the upper half; the bias is under limit / 2**32."""
    return ((numbers >> np.uint64(32)) * np.uint64(limit) >> np.uint64(32)).astype(np.int64)


def pixels_digest(picture: np.ndarray) -> np.ndarray:
    """Return the digest of an imported picture's size and pixels that decides about its split, (4,) uint64."""
    height, width = picture.shape[:2]
    return np.frombuffer(sha256(b"%d %d " % (height, width) + picture.tobytes()).digest(), "<u8")


def split_by(columns: Iterable[np.ndarray]) -> np.ndarray:
    """Return 0 train, 1 validation, 2 test (80/10/10), (n,) uint8, by a hash of columns, each (n,) uint64."""
    state = np.array(_SPLIT_SEED)
    for column in columns:
        state = mix((state ^ column) + GAMMA)
    tenth = (state >> np.uint64(32)) * np.uint64(10) >> np.uint64(32)
    return np.where(tenth < 8, 0, tenth - np.uint64(7)).astype(np.uint8)
