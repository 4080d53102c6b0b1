"""What the tests of runs share: each picture is read once for all of them, with each plan."""

from collections.abc import Callable, Sequence

import pytest

from storage.ledger.ledger import Answer
from tasks.loading.safe_read import Unreadable
from tasks.solving import batches
from tasks.solving.batches import Listed, SolvePlan

known: dict[tuple[SolvePlan, bytes], Answer | Unreadable] = {}


@pytest.fixture(autouse=True)
def _each_picture_is_read_once(monkeypatch) -> None:
    """Remember the answer for a content: what these tests are about is what a run does with the answers."""
    real = batches.answer_pictures

    def remembered(plan: SolvePlan, pictures: Sequence[Listed], read: Callable[[Listed], bytes]):
        contents: dict[int, bytes] = {}

        def kept(number: int) -> bytes:
            contents[number] = read(pictures[number])
            if (plan, contents[number]) in known:
                raise batches.Unsettled("known")
            return contents[number]

        answers = real(plan, range(len(pictures)), kept)
        for number, content in contents.items():
            answers[number] = known.setdefault((plan, content), answers[number])
        return answers

    monkeypatch.setattr(batches, "answer_pictures", remembered)


@pytest.fixture
def forget_answers() -> Callable[[], None]:
    """Return what has the pictures read anew."""
    return known.clear
