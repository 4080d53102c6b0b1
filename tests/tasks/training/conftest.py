"""A dataset in two faces, for the tests that leave out the pictures of a face."""

from dataclasses import replace

import pytest

from storage.dataset import Dataset
from tasks.profiles.built_in import find_profile


@pytest.fixture(scope="session")
def two_faces(draw_dataset, tmp_path_factory) -> Dataset:
    """Draw four-letter words in two faces, one of style `Regular`, with a shard for each block."""
    profile = replace(find_profile("book"), name="two", fonts=("Inter Black", "Prociono"))
    return draw_dataset(profile, 3000, tmp_path_factory.mktemp("faces") / "two", 1)
