"""Draw labelled pictures with django-simple-captcha and its defaults: `python draw_django.py COUNT SEED FOLDER`.

It runs in an environment that has the package, and imports nothing of this project.
"""

import random
import sys
from pathlib import Path
from types import SimpleNamespace

import django
from django.conf import settings


def main() -> None:
    """Write COUNT pictures, NUMBER_TEXT.png."""
    count, seed, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    settings.configure(
        INSTALLED_APPS=["captcha"], DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
    )
    django.setup()
    from captcha.conf import settings as defaults
    from captcha.views import _captcha_image

    random.seed(seed)  # the package draws from the standard library's generator
    for number in range(count):
        shown, _ = defaults.get_challenge()()
        response = _captcha_image(SimpleNamespace(challenge=shown), 1)
        (folder / f"{number:06d}_{shown}.png").write_bytes(response.content)


main()
