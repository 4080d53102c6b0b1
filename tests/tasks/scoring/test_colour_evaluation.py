"""A dataset in colour reaches the classic reader as ink: in training, in fitting its confidence, in evaluation."""

import numpy as np
import pytest

from storage.models import model_digest
from tasks.profiles.built_in import BUILT_IN
from tasks.scoring.evaluate import EvaluateJob, read_shard
from tasks.shipped import SHIPPED
from tasks.training.calibrate import CheckJob, check_answers
from tasks.training.outcome import OutcomeJob, read_validation
from tasks.training.settings import Settings
from tasks.training.spool import gather, jobs_of


@pytest.fixture(scope="module")
def coloured(draw_dataset, tmp_path_factory):
    return draw_dataset(BUILT_IN["colour"], 300, tmp_path_factory.mktemp("coloured") / "colour")


def test_its_letters_are_found_and_learnt(coloured, tmp_path):
    (job,) = jobs_of([coloured], Settings(pictures=(100,)), 1, None, tmp_path, "run")
    receipt = gather(job)
    assert receipt.pictures == 100
    assert receipt.marked >= 98
    assert receipt.letters > 4 * 90


def test_it_is_read_as_well_as_grey_pictures(coloured):
    job = EvaluateJob(str(coloured.folder), 0, "all", str(SHIPPED), model_digest(SHIPPED), ())
    receipt = read_shard(job)
    assert np.mean(receipt.truth == receipt.reading) > 0.9
    assert all(image.ndim == 3 for image in receipt.mistakes[0])  # people see the colours


def test_its_validation_pictures_are_read_for_confidence_and_outcome(coloured):
    receipt = read_validation(OutcomeJob(str(coloured.folder), str(SHIPPED), ()))
    assert np.mean(np.array(receipt.truth) == np.array(receipt.reading)) > 0.8
    assert check_answers(CheckJob(str(coloured.folder), str(SHIPPED), ())).right["none"].mean() > 0.5
