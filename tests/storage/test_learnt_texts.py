"""What a model learnt from, as its record keeps it: nothing but the three fields, within their bounds."""

import pytest
from sklearn.neural_network import MLPClassifier

from storage.errors import Damaged
from storage.learnt_texts import TEXTS, LearntTexts, learnt_texts
from storage.models import load_model, save_model

FINE = {"alphabet": "AB", "length": [4, 6], "words": "web2"}


@pytest.fixture(scope="module")
def network():
    network = MLPClassifier((2,), random_state=1)
    return network.partial_fit([[0.0, 1.0], [1.0, 0.0]], [0, 1], classes=[0, 1])


def test_texts_are_read_as_they_were_written(network, tmp_path):
    kinds = (
        LearntTexts("AB", (4, 6), "web2"),
        LearntTexts("0123456789", (5, 5), ""),
        LearntTexts("é", (1, 32), "list"),
    )
    save_model(tmp_path / "m.skops", {"one": network}, {TEXTS: [texts.as_dict() for texts in kinds]})
    assert learnt_texts(load_model(tmp_path / "m.skops")[1]) == kinds
    assert learnt_texts({}) == ()


@pytest.mark.parametrize("forged", [
    None, "AB", 5, {}, FINE, [5], [[]], [None], [FINE] * 257, [FINE | {"more": 1}], [{"alphabet": "AB"}],
    [FINE | {"alphabet": ""}], [FINE | {"alphabet": "AA"}], [FINE | {"alphabet": "A B"}],
    [FINE | {"alphabet": "A\x1b"}],
    [FINE | {"alphabet": "\ud800"}], [FINE | {"alphabet": ["A", "B"]}],
    [FINE | {"alphabet": "".join(map(chr, range(256, 600)))}],
    [FINE | {"length": [6, 4]}], [FINE | {"length": [0, 4]}], [FINE | {"length": [4, 33]}], [FINE | {"length": 4}],
    [FINE | {"length": [4]}], [FINE | {"length": [4.0, 5]}], [FINE | {"length": [True, 5]}], [FINE | {"length": "46"}],
    [FINE | {"length": [4, 10**30]}],
    [FINE | {"words": "/etc/passwd"}], [FINE | {"words": None}], [FINE | {"words": ["web2"]}],
])  # fmt: skip
def test_a_forged_record_is_refused_as_the_model_is_loaded(network, tmp_path, forged):
    save_model(tmp_path / "m.skops", {"one": network}, {TEXTS: forged})
    with pytest.raises(Damaged, match=r"m\.skops: its record is not that of a model \(texts"):
        load_model(tmp_path / "m.skops")
