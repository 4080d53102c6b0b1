"""The ladder: which profiles it has, how many pictures of each, and how the model for all of them is trained."""

from tasks.profiles.profile import UNSEEN
from tasks.training.fit import Settings

RUNGS = ("book", "fonts", "unseen", "jitter", "touching", "noise", "warp", "random", "hard")
COUNT = 217_088  # pictures of each: 212 blocks, of which about a tenth, more than 20,000, are of the test split
SEED = 1

# What the model learns from: the rungs but `unseen`, the harder ones more than the others. Of `fonts` only the
# faces that `unseen` has not.
LEARNT = {
    "book": 6_000, "fonts": 24_000, "jitter": 6_000, "touching": 10_000, "noise": 16_000, "warp": 6_000,
    "random": 16_000, "hard": 48_000,
}  # fmt: skip
SETTINGS = Settings(pictures=tuple(LEARNT.values()), shows=12_000_000, hidden=(256,), leave_out=UNSEEN)
