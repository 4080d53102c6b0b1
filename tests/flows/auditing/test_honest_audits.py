"""Audits of what nobody can read, with real trainings: no attacker is called better than chance."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from storage.dataset import Dataset
from tasks.audit import schema
from tasks.datasets.samples import first_pictures
from tasks.profiles.built_in import find_profile

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.soak]
COUNT = 800


def shuffled(folder: Path) -> Path:
    """Write pictures that are easy to read, under each other's labels."""
    block = first_pictures(find_profile("random"), 5, COUNT)
    texts = np.random.default_rng(1).permutation(block.texts())
    return written(folder, [255 - image for image in block.images], texts.tolist())


def noise(folder: Path) -> Path:
    """Write pictures without any letter, under random labels."""
    chance = np.random.default_rng(2)
    texts = ["".join(chance.choice(list("ABCDEFGHJKMNPQRS"), 4)) for _ in range(COUNT)]
    return written(folder, [chance.integers(0, 256, (24, 70), np.uint8) for _ in range(COUNT)], texts)


def written(folder: Path, images: list[np.ndarray], texts: list[str]) -> Path:
    folder.mkdir()
    for number, (image, text) in enumerate(zip(images, texts, strict=True)):
        Image.fromarray(image).save(folder / f"{number:05d}_{text}.png")
    return folder


@pytest.mark.parametrize("make", [shuffled, noise])
def test_what_nobody_can_read_is_not_called_broken(captchas, tmp_path, make):
    folder, home = make(tmp_path / make.__name__), tmp_path / "home"
    result = captchas("audit", folder, "--minutes", 4, "--json", "--home", home, alone=True, timeout=1500)
    assert result.returncode == 0, result.stderr
    content = json.loads((home / "audits" / make.__name__ / "audit.json").read_bytes())
    assert content["verdict"]["word"] == schema.NOT_SHOWN
    trained = [entry for entry in content["attackers"] if entry["name"] in ("classic", "deep") and entry["tried"]]
    assert trained
    assert max(entry["words"]["rate"] for entry in content["attackers"] if entry["tried"]) < 0.02
    assert len(Dataset(content["target"]["dataset"])) > 0.9 * COUNT
