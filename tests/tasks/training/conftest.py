"""A dataset in two faces, for the tests that leave the pictures of one out."""

from dataclasses import replace

import pytest

from storage.dataset import Dataset
from tasks.profiles.built_in import find_profile


@pytest.fixture(scope="session")
def two_faces(draw_dataset, tmp_path_factory) -> Dataset:
    """Four-letter words in two faces, one of them of style `Regular`, in shards of one block."""
    profile = replace(find_profile("book"), name="two", fonts=("Inter Black", "Prociono"))
    return draw_dataset(profile, 3000, tmp_path_factory.mktemp("faces") / "two", 1)
