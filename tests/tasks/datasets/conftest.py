"""A fixture of the tests of recipes and proofs: this process behaves like a new machine."""

from collections.abc import Callable, Iterator

import pytest

from tasks.datasets import recipe


def _forget() -> None:
    recipe.renderer_of.cache_clear()
    recipe._assembled.cache_clear()


@pytest.fixture
def elsewhere() -> Iterator[Callable[[], None]]:
    """Forget all renderers and glyphs before and after a test, as on a new machine; call it to forget them again."""
    _forget()
    yield _forget
    _forget()
