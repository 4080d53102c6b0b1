"""Texts that a program counts up, and texts that are dates or times: who knows one, or knows that, need not look."""

import string
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise

import numpy as np

LEAST_TEXTS = 30
SAME = 0.5  # share of texts that are as much above the text before, from which they are counted
APART = 4  # texts; several processes may count at once
DATES = 0.95  # share of texts that are dates, of which 4 % of random digits are
SORTED = 0.9  # share of steps from text to text that go up, which half of the steps of random texts do
_ORDERS = (string.digits, string.digits + string.ascii_uppercase, string.ascii_uppercase)
_TIMES = ("%H%M%S", "%H%M")  # of which 9 and 14 % of random digits are
_HALF_A_DAY = 12  # hours that come: years such as 2024 look like times, all of one hour
_DATES = ("%d%m%y", "%m%d%y", "%y%m%d", "%d%m%Y", "%m%d%Y", "%Y%m%d")


def told_sequence(texts: Sequence[str]) -> str | None:
    """Say that each text is a number, and the same more or less than the text before; None if it is not.

    Parameters
    ----------
    texts : sequence of str
        In the order of drawing.
    """
    lengths = {len(text) for text in texts}
    if len(texts) < LEAST_TEXTS or len(set(texts)) < LEAST_TEXTS:
        return None
    for order, numbers in numbers_of_texts(texts):
        around = len(order) ** max(lengths)  # a count that reaches its end begins anew
        found = []
        for apart in range(1, APART + 1):
            steps = Counter((b - a) % around for a, b in zip(numbers, numbers[apart:], strict=False))
            step, often = steps.most_common(1)[0]
            if step:  # of equal texts in a row another sentence tells
                found.append((often / (len(texts) - apart), -apart, step))
        share, before, step = max(found, default=(0.0, 0, 0))
        if share >= SAME:
            return (
                f"Texts are counted: in {100 * share:.0f} % of the cases a text, read as a number, is "
                f"{min(step, around - step):,} {'more' if step <= around // 2 else 'less'} than the "
                f"{'text before' if before == -1 else f'text {-before} before'}. Who knows a text knows the next."
            )
    return None


def numbers_of_texts(texts: Sequence[str]) -> Iterator[tuple[str, list[int]]]:
    """Yield the texts read as numbers, in upper case, for each order of the letters that may be meant."""
    upper = [text.upper() for text in texts]
    letters = set("".join(upper))
    for order in dict.fromkeys((*_ORDERS, "".join(sorted(letters)))):
        if not letters <= set(order) or len(order) < 2:
            continue
        place = {letter: number for number, letter in enumerate(order)}
        numbers = []
        for text in upper:
            number = 0
            for letter in text:
                number = number * len(order) + place[letter]
            numbers.append(number)
        yield order, numbers


def unsorted(texts: Sequence[str]) -> Sequence[str]:
    """Return texts as they are, but mixed if they are sorted, as files are by their names: nobody drew them so.

    So neighbours that are alike because they were sorted tell nothing of how texts are drawn.
    """
    steps = [a.casefold() < b.casefold() for a, b in pairwise(texts) if a.casefold() != b.casefold()]
    if len(texts) < LEAST_TEXTS or sum(steps) < SORTED * len(steps):
        return texts
    chances = np.random.Philox(key=[len(texts), 0x736F7274])
    return [texts[k] for k in np.argsort(chances.random_raw(len(texts))).tolist()]


def told_dates(texts: Sequence[str]) -> str | None:
    """Say that texts are dates of six or eight digits, or times of day of four or six; None if they are not."""
    if len(texts) < LEAST_TEXTS or len(set("".join(texts))) < 3:  # zeros and ones are dates by accident
        return None
    for form in _DATES:
        dates = [day for day in (_date(text, form) for text in texts) if day is not None]
        if len(dates) >= DATES * len(texts) and len({*dates}) > 1:
            span = (max(dates) - min(dates)).days + 1
            return f"Texts are dates, of {min(dates).year} to {max(dates).year}: {span:,} days to choose from."
    for form in _TIMES:
        times = [time for time in (_date(text, form) for text in texts) if time is not None]
        if len(times) >= DATES * len(texts) and len({time.hour for time in times}) >= _HALF_A_DAY:
            return f"Texts are times of day: {86_400 if form == _TIMES[0] else 1_440:,} to choose from."
    return None


def _date(text: str, form: str) -> datetime | None:
    if len(text) != len(datetime(2000, 1, 1).strftime(form)) or not text.isdecimal():
        return None
    try:
        return datetime.strptime(text, form)
    except ValueError:
        return None
