"""The pictures of every built-in profile are what they always were: digests of 4,096 of each, seed 1.

Look at a contact sheet before changing one.
"""

import numpy as np
import pytest

from storage.shards.shard import combined
from tasks.datasets.recipe import make_recipe, renderer_of
from tasks.profiles.built_in import BUILT_IN

BLOCKS = 4
# Of each profile its identity, and the content of its first 4,096 pictures. A later version may add profiles.
DIGESTS = {
    "letters": (
        "9982e8452a2aff7df8787c88db05c605878282802a19bc419bbc1bb44fd5213f",
        "85e9604161639c57aa9441c26ab4615410d96a82cb46a7a0cddcabf421332e31",
    ),
    "book": (
        "248f6e683c426de696c00fcfca80b37b97a7c9be7e05f5805102e14c243b6792",
        "fb30555a33f97f54e7b2d300afad62a8b293c77d4624ed46116af8bd32673701",
    ),
    "fonts": (
        "d4dbd078894303b1c8403bc23f120f72a0035efa57f8bf7ea6af28536c740b8f",
        "a53699ed3450a0eb1bd70bc5848a9480af913212d76f9d5cfcda620338d27dba",
    ),
    "unseen": (
        "46c117e6b7bb028e48ae9476e2db071c39c715911a8a4da36530dea4de3921b1",
        "48732b659d67f6ce2dfdddaa4e32eef5236363b19e7ece58c71b06d10843c115",
    ),
    "jitter": (
        "635f3237f68cabfbe7784e17bc712a332684619e0f922e3c00ba1272c20ae076",
        "8d50773275e982f58cdcf4dac3e0e56ddcdacfc5c70af3a1f9472b65df03bad9",
    ),
    "touching": (
        "3f88bdc2d1d742631c7c8c55cbe3d120308b9c09ae87cd581fca5dd16d4ead96",
        "73a616c3f5a5d9d41b2c85852e8037e28e8e35184368575a1aa95ddcce8f5365",
    ),
    "noise": (
        "5f185288d6454e753c21de9978ab1c6f664df5fd16a38389ec9ed71a056dec54",
        "c4b1addb8bd833ce6335257a25036ce4e8520dd7d84fbca7ee3379ccd36a0854",
    ),
    "warp": (
        "7c8465de0094ffa30b775ce419653061e3d6089bfbd1bfda87870955fc42c163",
        "8acc6ef844529f0c7d2cfb9d009bf2acb3bc7cf58c49b09882d130f27aad782e",
    ),
    "random": (
        "29013f81bd06df2b528039f06095144357b40d21f85cfcdebf412c24d9126f3f",
        "022c3d77566244a1a8b7df07a1953e02d3b38ed661c53bfb808d20c1fefcb060",
    ),
    "hard": (
        "44c562295ad536ec01b37d94d27d35e6b30e836772cfaa9964073d29167fddc8",
        "4124a74ac03bc2878e970790e03e53121f47edc4885746e9f0ce5aeb5aaccc95",
    ),
    "codes": (
        "1c2b183366aa9933618b425c4ab89fb9c431fd707904c7be769b9ae0ce33d612",
        "5ec4c8d54a2b6dc696016dd79d59ea50540b1df610bec9a642117f3a23ae8e21",
    ),
    "lower": (
        "6d6405ea6a60a789f707c2cf73bd6164f3dc1234895d5de18fa3d4a60ec289a6",
        "6cbb6bd6aa6b3048f12a5b95c02c6e6e1c32a6e22132d4dd0ea56f351212e022",
    ),
    "strings": (
        "2318a6c624ecd48974e440c15346a14172c640ea8518584f0e260eb21504ac6f",
        "bcadc255af2c1eda5393457cf95d7880df41e0bfe71b0c73f57acbee7bf7cc6e",
    ),
    "colour": (
        "18050bceabfcbd4bd7550a7c2d5d8b74300c4cc1feacb8bef397887fcf767555",
        "865da3bec5e5f937dc424cbf35d43c09a22cc4b00a446f12dac9083956a172a0",
    ),
    "faces": (
        "3052f85670b7cb9666a0ad40ff1654711d9b56e8dcfc43d54c0cdd47e8b7d7a9",
        "b764dcbeeea5122cb6a0bf5abf7213ce51b810aee627b5fa5ce1dfac72123016",
    ),
    "hollow": (
        "02e5af85f130449e7b140fb3373e240da474d3e3c1ad657985a750d3a3abfd2f",
        "a88908c145d6d7ce069c319f203653f9e53b0f6513df3fe0d029937ecc22afe2",
    ),
    "ground": (
        "fa5f0ebc8ccd9220af1bb1cc5d2e514551b90e87d95a147c1b6a288968508dbe",
        "f21875ba1af55f44c0689c0fb5e801becbf7f0a22cb033a50aa964c0e2cdaf4f",
    ),
    "wild": (
        "f14dd8c6f33bac0fef4420520fedd78836dde18f1353719197325e0ae0220998",
        "d5b2f366271cb5626a02acd6529f5f1408b9030a5bbe4eceef7638855e175f2d",
    ),
}


def test_every_profile_has_its_digests():
    assert set(DIGESTS) == set(BUILT_IN)


@pytest.mark.parametrize("name", DIGESTS)
def test_identity_and_pictures_are_the_same(name):
    recipe = make_recipe(BUILT_IN[name], 1)
    renderer = renderer_of(recipe)
    blocks = [renderer.block(1, number) for number in range(BLOCKS)]
    assert (recipe.digest, combined(block.digest() for block in blocks)) == DIGESTS[name]
    first = blocks[0]
    assert (first.boxes[..., 2] > first.boxes[..., 0]).sum() == np.char.str_len(first.text).sum()
    if name in ("jitter", "touching", "noise", "warp", "hard"):
        distinct = len({image.tobytes() for image in first.images})
        assert distinct == len(first.images) if name != "touching" else distinct > 0.9 * len(first.images)
