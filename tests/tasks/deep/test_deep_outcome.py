"""The end of a report on a deep model: how many words are right, and what may help."""

import pytest

from tasks.deep.deep_outcome import summary

CURVE = [{"right": 0.1 * k} for k in range(1, 9)]


def record(right=50, n=400, count=1000, pictures=100_000, curve=(), **more):
    rate = {"right": right, "n": n}
    return {
        "scores": {"mine": {"none": rate}}, "pictures": pictures, "curve": curve, "datasets": [{"count": count}], **more
    }  # fmt: skip


def test_without_a_dataset_nothing_is_to_be_labelled():
    told = summary(record(1, 20, datasets=[], **{"from": {}}) | {"scores": {}})
    assert told == {"next": [], "shown": {"next": None}}


@pytest.mark.parametrize(("told", "said"), [
    (record(400), []),
    (record(20, 20), ["label more pictures: 20 of the validation split"]),
    (record(), ["begin with the shipped model (--from strangers)", "label more pictures: docs/deep.md"]),
    (record(**{"from": {}}), ["label more pictures: docs/deep.md"]),
    (record(pictures=2048, **{"from": {}}), ["train longer (--minutes): each of 1,000 pictures was seen 2.0 times",
                                             "label more pictures: docs/deep.md"]),
    (record(count=20_000, curve=CURVE, **{"from": {}}), ["train longer (--minutes)"]),
    (record(datasets=[], curve=CURVE, **{"from": {}}), ["train longer (--minutes): the curve still rises"]),
])  # fmt: skip
def test_what_may_help_is_told_most_promising_first(told, said):
    found = summary(told)
    assert found["words_right_on_validation"].endswith(f"n = {told['scores']['mine']['none']['n']})")
    assert len(found["next"]) == len(said)
    assert all(one.startswith(wanted) for one, wanted in zip(found["next"], said, strict=True))
    assert found["shown"]["next"] == ("; ".join(found["next"]) or None)


def test_each_source_is_named_with_its_dictionary():
    scores = {
        "a": {"none": {"right": 1, "n": 2}, "probability": {"right": 2, "n": 2}},
        "b": {"none": {"right": 0, "n": 3}},
    }
    said = summary(record() | {"scores": scores})["words_right_on_validation"]
    assert [part.partition(":")[0] for part in said.split("; ")] == ["a", "a", "b"]
    assert said.split("; ")[1].endswith("with the dictionary")
