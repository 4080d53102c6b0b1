"""Training on labelled pictures of another generator, by the real commands: what is learnt, said and left behind."""

import json
import string
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flows import train as flow
from storage.dataset import Dataset
from storage.errors import BadInput
from storage.models import load_model, model_digest
from tasks.profiles.fonts import bundled
from tasks.reading.components import find_apart
from tasks.reading.deskew import upright
from tasks.training import companion, spool
from tests.benchmarks.labelled_drawers import Kind, letters_of, svg_line, write

# Prefect and what it brings warn while they are imported; that is theirs.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
SHOWS = ("--shows", 40_000)


@pytest.fixture(scope="module", autouse=True)
def small_companion():
    """Draw the companion in seven of the faces, so that the tests take less time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(companion, "bundled", lambda: dict(list(bundled().items())[::6]))
        patch.setattr(companion, "PICTURES", 700)
        yield


def imported(captchas, folder: Path, home: Path, name: str) -> Dataset:
    result = captchas("import", folder, "--name", name, "--home", home)
    assert result.returncode == 0, result.stderr
    return Dataset(home / "datasets" / name)


@pytest.fixture(scope="module")
def struck(captchas, tmp_path_factory):
    """A home with pictures of three digits under a line, one with a letter that no face has, and a model of them."""
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("sets") / "struck"
    write(Kind(svg_line, letters_of("2345", 3, 3), (), ()), 200, 1, folder)
    labels = folder / "labels.csv"
    labels.write_text(labels.read_text(encoding="utf-8").replace('00000.png","', '00000.png","字', 1), encoding="utf-8")
    dataset = imported(captchas, folder, home, "struck")
    result = captchas("train", "struck", *SHOWS, "--home", home, "--json")
    return dataset, result


def test_a_set_of_which_no_picture_falls_apart_is_learnt(struck):
    dataset, result = struck
    assert result.returncode == 0, result.stderr
    block = dataset.head(200)
    ink = upright(block.images)[0]
    codes = spool._codes_of(block.texts(), dataset.manifest.profile["alphabet"])
    assert (spool._stand_in(ink, find_apart(ink), codes)[:, 0, 0] < 0).mean() > 0.98
    report = result.report
    assert report["validation"]["right"] / report["validation"]["n"] > 0.6
    assert report["marked"]["rate"] > 0.8


def test_a_rare_letter_is_left_out_with_a_warning(struck):
    _, result = struck
    assert result.report["rare"] == {"字": 1}
    assert "字 (1)" in result.report["warning"]
    assert "字" in result.report["classes"]  # it may occur in a label; it is never read


def test_the_report_ends_with_the_outcome_and_the_companion_is_gone(struck, captchas):
    dataset, result = struck
    home = dataset.folder.parent.parent
    assert list(result.report)[-4:] == ["warning", "words_right_on_validation", "why", "next"]
    assert sorted(path.name for path in (home / "models").iterdir()) == ["struck.skops", "struck.skops.lock"]
    assert [path.name for path in (home / "datasets").iterdir() if path.is_dir()] == ["struck"]
    result = captchas("train", "struck", *SHOWS, "--home", home)
    assert result.returncode == 0, result.stderr
    ending = result.stdout.strip().splitlines()[-3:]
    assert any(line.startswith("words right on validation: ") for line in ending)
    curves = [line for line in result.stdout.splitlines() if line.startswith("calibration: ")]
    assert len(curves) == 1
    assert curves[0].startswith("calibration: calibrated ")
    assert len(curves[0]) < 200


def test_an_error_leaves_nothing_of_the_companion(struck, captchas, monkeypatch):
    dataset, _ = struck
    home = dataset.folder.parent.parent
    before = model_digest(home / "models" / "struck.skops")
    seen = []

    def failing(spool_of_round, *_, **__):
        seen.extend(path.name for path in spool_of_round.parent.glob("drawn-*.npy"))
        raise BadInput("train: planted")

    monkeypatch.setattr(flow, "fit_networks", failing)
    result = captchas("train", "struck", *SHOWS, "--seed", 2, "--home", home)
    assert (result.returncode, "planted" in result.stderr) == (2, True)
    assert len(seen) == 7
    assert sorted(path.name for path in (home / "models").iterdir()) == ["struck.skops", "struck.skops.lock"]
    assert model_digest(home / "models" / "struck.skops") == before


def noise(random, text):
    return Image.fromarray(random.integers(0, 256, (40, 90), np.uint8))


def test_a_training_that_learns_nothing_says_so_and_keeps_the_model(struck, captchas, tmp_path):
    dataset, _ = struck
    home = dataset.folder.parent.parent
    write(Kind(noise, letters_of(string.digits, 4, 4), (), ()), 200, 1, tmp_path / "noise")
    imported(captchas, tmp_path / "noise", home, "noise")
    model = home / "models" / "struck.skops"
    before = model_digest(model)
    result = captchas("train", "noise", "--shows", 20_000, "--out", model, "--home", home)
    assert result.returncode == 1
    assert "nothing was learnt" in result.stderr and "Traceback" not in result.stderr
    assert model_digest(model) == before
    assert sorted(path.name for path in model.parent.iterdir()) == ["struck.skops", "struck.skops.lock"]
    _, record = load_model(model)
    assert json.dumps(record["validation"])
