"""What tests of recipes and of proofs share: another machine, in this process."""

from collections.abc import Callable, Iterator

import pytest

from tasks.datasets import recipe


def _forget() -> None:
    recipe.renderer_of.cache_clear()
    recipe._assembled.cache_clear()


@pytest.fixture
def elsewhere() -> Iterator[Callable[[], None]]:
    """Forget all renderers and glyphs, before and after, as on another machine; call it to forget them again."""
    _forget()
    yield _forget
    _forget()
