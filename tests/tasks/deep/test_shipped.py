"""The deep model of the package: found by its name, and worth having."""

from storage.deep_models import load_deep_model
from tasks.datasets.samples import first_pictures
from tasks.deep.deep_reader import DeepReader
from tasks.profiles.built_in import find_profile
from tasks.shipped import STRANGERS


def test_it_reads_what_it_never_saw():
    reader = DeepReader(load_deep_model(STRANGERS), length=(4, 5))
    for name in ("like-django-simple-captcha", "like-captcha", "colour"):
        block = first_pictures(find_profile(name), 77, 24)
        readings = reader.read(block.images)
        right = sum(a == b for a, b in zip(readings.words[:, 0].tolist(), block.texts(), strict=True))
        assert right >= 18, name
        assert ((readings.confidences[:, 0] > 0) & (readings.confidences[:, 0] < 1)).all()
