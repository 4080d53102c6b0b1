"""A classic and a deep model on the same pictures: each alone, and both together as `solve` reads."""

from dataclasses import replace

import numpy as np
import pytest

from storage.models import model_digest
from storage.pairs import Readers
from tasks.lowlevel.png_encoder import png
from tasks.profiles.built_in import find_profile
from tasks.readers import load_both, read_pictures
from tasks.reading.ranking import Ranking
from tasks.scoring.block_readers import Beside, read_by_both
from tasks.scoring.evaluate import EvaluateJob, read_shard
from tasks.scoring.pair import compare_readers
from tasks.scoring.report import saved_report, summarise
from tasks.shipped import SHIPPED, STRANGERS


@pytest.fixture(scope="module")
def hard(draw_dataset, tmp_path_factory):
    return draw_dataset(find_profile("hard"), 300, tmp_path_factory.mktemp("pair") / "hard")


def beside(readers: Readers) -> Beside:
    return Beside(str(SHIPPED), model_digest(SHIPPED), readers, "both read")


@pytest.fixture(scope="module")
def receipts(hard):
    job = EvaluateJob(str(hard.folder), 0, "test", str(STRANGERS), model_digest(STRANGERS), ())
    alone = replace(job, model=str(SHIPPED), model_sha256=model_digest(SHIPPED))
    return {
        "classic alone": read_shard(alone), "deep alone": read_shard(job),
        **{readers: read_shard(replace(job, beside=beside(readers))) for readers in Readers},
    }  # fmt: skip


def right(receipt):
    return int((receipt.answers["none"] == receipt.truth).sum())


def test_each_alone_has_what_it_has_without_the_other(receipts):
    both = receipts[Readers.BOTH]
    assert int(both.right[Readers.CLASSIC].sum()) == right(receipts["classic alone"])
    assert int(both.right[Readers.DEEP].sum()) == right(receipts["deep alone"])
    assert int(both.right[Readers.CLASSIC].sum()) < int(both.right[Readers.DEEP].sum())
    assert receipts["deep alone"].right == {}


def test_the_figures_are_those_of_what_counts(receipts):
    for readers in Readers:
        receipt = receipts[readers]
        assert right(receipt) == int(receipt.right[readers].sum())
        assert sorted(receipt.truth) == sorted(receipts["deep alone"].truth)
        wrong = min(48, len(receipt.truth) - right(receipt))
        assert len(receipt.mistakes[0]) == len(receipt.mistakes[1]) == wrong


def test_both_read_as_solve_does(hard):
    both = load_both((str(SHIPPED), model_digest(SHIPPED)), (str(STRANGERS), model_digest(STRANGERS)), (),
                     alphabet=hard.manifest.profile["alphabet"], length=(4, 6))  # fmt: skip
    block = next(hard.blocks("test"))
    found = read_by_both(both, block)
    assert 0 < found.taken.sum() < len(found.taken)
    told = np.empty(len(found.taken), "U12")
    for rows, readings in found.parts(Readers.BOTH):
        told[rows] = readings.words[:, 0]
    sizes = zip(block.parameters["height"].tolist(), block.parameters["width"].tolist(), strict=True)
    files = [png(np.ascontiguousarray(image[:h, :w])) for image, (h, w) in zip(block.images, sizes, strict=True)]
    groups, _ = read_pictures(both, range(len(files)), lambda k: files[k], {})
    for indices, readings in groups:
        assert readings.words[:, 0].tolist() == told[indices].tolist()


def test_a_report_has_all_three_and_is_kept_for_the_same_models(hard, receipts, tmp_path, monkeypatch):
    for name in ("plot_rates", "plot_confusion", "plot_failures", "plot_reliability"):
        monkeypatch.setattr(f"tasks.scoring.report.{name}", lambda *_: b"")
    pair = beside(Readers.BOTH)
    report, files = summarise([receipts[Readers.BOTH]], hard, STRANGERS, "test", (), pair)
    assert report["readers"]["words"]["both"] == report["words"]["none"]
    assert [*report["readers"]["words"]] == ["classic", "both", "deep"]
    assert (report["readers"]["reader"], report["readers"]["reads_with"]) == ("both", "both read")
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    of = (tmp_path, hard, STRANGERS, "test", ())
    assert saved_report(*of, pair)["n"] == report["n"]
    for other in (None, beside(Readers.DEEP), replace(pair, sha256="0")):
        assert saved_report(*of, other) is None


def test_validation_tells_which_should_read(hard):
    done = []
    scores = compare_readers([hard], SHIPPED, STRANGERS, progress=done.append)
    assert scores.n == sum(done) == hard.manifest.statistics["splits"]["validation"]
    assert (scores.classic, scores.deep) == (model_digest(SHIPPED), model_digest(STRANGERS))
    assert scores.datasets == ("hard",)
    assert set(scores.right) == {Ranking.NONE, Ranking.PROBABILITY}  # its texts are English words
    for counts in scores.right.values():
        assert 0 < counts[Readers.CLASSIC] <= counts[Readers.BOTH] <= scores.n
    assert scores.right["none"][Readers.CLASSIC] < scores.right["probability"][Readers.CLASSIC]


def test_datasets_without_validation_pictures_tell_nothing(hard, monkeypatch):
    monkeypatch.setattr("tasks.scoring.pair.Dataset", lambda *_: type("Empty", (), {"blocks": lambda *_: iter(())})())
    assert compare_readers([hard], SHIPPED, STRANGERS) is None


@pytest.mark.parametrize("text", ["[]", "7", "{", '{"readers": 7}', '{"readers": {}, "split": "test"}'])
def test_a_report_that_is_none_is_made_again(hard, tmp_path, text):
    """It was a traceback."""
    (tmp_path / "report.json").write_text(text)
    assert saved_report(tmp_path, hard, STRANGERS, "test", ()) is None
