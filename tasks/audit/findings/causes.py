"""Why an attacker succeeds or fails: success against properties, the hardest letters, kinds of failure."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from rapidfuzz.distance import Levenshtein

from storage.dataset import Dataset
from tasks.audit.findings.measuring import evidence
from tasks.audit.findings.measuring.properties import Property, measured_properties, stored_properties
from tasks.audit.findings.measuring.sampled import inks_of
from tasks.audit.findings.saliency import Read, show_saliency
from tasks.audit.schema import Bin, Cause, Letter, Why
from tasks.profiles.profile import Profile
from tasks.rates import Rate

MOST_PICTURES = 2000
MOST_PIXELS = 150_000_000
NEEDED = 30  # pictures of a bin that counts
BINS = 5
MOST_VALUES = 8  # different numbers that each have their own bin
MOST_NAMES = 40
TOLD = 0.01  # chance, after Holm's correction for the number of properties, below which a difference is told apart
_MOST_PAIRS, _MOST_MISTAKEN = 40, 5


def find_causes(
    dataset: Dataset, profile: Profile | None, split_indices: np.ndarray, truths: Sequence[str], reads: Sequence[str],
    confidences: np.ndarray, read: Read | None,
) -> Why:  # fmt: skip
    """Find out where the strongest attacker succeeds and fails.

    Parameters
    ----------
    split_indices : (n,) int
        The pictures that were read, as numbers in the dataset.
    truths, reads : sequence of str, n of each
        Fold case in both if it does not count.
    confidences : (n,) float
    read : callable, optional
        Reads pictures of one size, (k, h, w) or (k, h, w, 3) uint8, for saliency.

    Returns
    -------
    Why
        `attacker` is empty, for the caller to fill in. Each cause also has `p`, the chance of such a difference if the
        property did not matter, corrected for the number of properties, and `told_apart`, whether it is under `TOLD`.
    """
    indices = np.asarray(split_indices, np.int64)
    if not len(indices):
        return Why(attacker="", n=0, causes=[], letters=[], pairs=[], failures=[], saliency=[])
    right = np.array([truth == said for truth, said in zip(truths, reads, strict=True)], bool)
    chosen = _chosen(dataset, len(indices))
    block = dataset[indices[chosen]]
    sizes = np.column_stack([block.parameters["height"], block.parameters["width"]]).tolist()
    pictures = [image[:h, :w] for image, (h, w) in zip(block.images, sizes, strict=True)]
    some = [truths[k] for k in chosen.tolist()]
    properties = stored_properties(dataset, block.parameters)
    properties += measured_properties(pictures, inks_of(pictures), some)
    # Saliency shows pictures that were read right, the surest first, and one that was read wrong.
    sure = np.nan_to_num(np.asarray(confidences, np.float64)[chosen], nan=0.0)
    order = np.argsort(-sure, kind="stable")
    shown = [k for k in order.tolist() if right[chosen[k]]][:3] + [k for k in order.tolist() if not right[chosen[k]]][
        :1
    ]
    return Why(
        attacker="", n=len(truths), causes=_causes(properties, right[chosen]), letters=_letters(truths, reads),
        pairs=_pairs(truths, reads), failures=_failures(truths, reads),
        saliency=show_saliency([(pictures[k], some[k]) for k in shown], read) if read else [],
    )  # fmt: skip


def _chosen(dataset: Dataset, count: int) -> np.ndarray:
    pixels = max(1, int(np.prod(dataset[0:1].images.shape[1:])))
    most = max(1, min(count, MOST_PICTURES, MOST_PIXELS // pixels))
    return np.linspace(0, count - 1, most).astype(np.int64) if count else np.zeros(0, np.int64)


def _causes(properties: Sequence[Property], right: np.ndarray) -> list[Cause]:
    found = [(one, _bins(one, right)) for one in properties]
    tested = [
        (one, bins, evidence.equal_rates(*(np.array([b[key] for b in bins]) for key in ("right", "n"))))
        for one, bins in found
        if len(bins) > 1
    ]
    adjusted = evidence.holm([p for _, _, p in tested])
    causes = [_cause(one, bins, p) for (one, bins, _), p in zip(tested, adjusted, strict=True)]
    return sorted(causes, key=lambda cause: -cause["difference"])


def _cause(one: Property, bins: list[Bin], p: float) -> Cause:
    large = [b for b in bins if b["n"] >= NEEDED and b["rate"] is not None] or bins
    best = max(large, key=lambda b: b["rate"] or 0.0)
    worst = min(large, key=lambda b: b["rate"] or 0.0)
    difference = (best["rate"] or 0.0) - (worst["rate"] or 0.0)
    told = p < TOLD
    rates = [f"{100 * (b['rate'] or 0):.0f} % right at {b['label']}" for b in (best, worst)]
    plain = f"{one.title}: {', '.join(rates)}."
    if not told:
        plain += " Chance may make such a difference: more pictures would tell."
    return Cause(
        name=one.name, title=one.title, stored=one.stored, plain=plain, difference=difference, bins=bins, p=p,
        told_apart=told,
    )  # fmt: skip


def _bins(one: Property, right: np.ndarray) -> list[Bin]:
    """Divide pictures by a property: its values, or as many in each of `BINS` ranges; ends are inclusive."""
    if one.named:
        names = [name for name, _ in Counter(one.values.tolist()).most_common(MOST_NAMES)]
        return [_bin(name, None, None, right[one.values == name]) for name in names]
    values = np.unique(one.values)
    if len(values) <= MOST_VALUES:
        return [_bin(_shown(value), float(value), float(value), right[one.values == value]) for value in values]
    edges = np.unique(np.quantile(one.values, np.linspace(0, 1, BINS + 1)))
    found = []
    for k, (low, high) in enumerate(pairwise(edges.tolist())):
        last = k == len(edges) - 2
        inside = (one.values >= low) & ((one.values <= high) if last else (one.values < high))
        found.append(_bin(f"{_shown(low)} to {_shown(high)}", float(low), float(high), right[inside]))
    return [b for b in found if b["n"]]


def _shown(value: float) -> str:
    return f"{value:.0f}" if abs(value - round(value)) < 1e-9 else f"{value:.3g}"


def _bin(label: str, start: float | None, stop: float | None, right: np.ndarray) -> Bin:
    return Bin(label=label, start=start, stop=stop, **Rate.of(right).as_dict())


def _aligned(truth: str, said: str) -> list[tuple[str, str]]:
    """Return each true letter and what was read for it, '' for nothing, by the fewest changes."""
    pairs = []
    for change in Levenshtein.opcodes(truth, said):
        tag, first, last = change.tag, change.src_start, change.src_end
        start, stop = change.dest_start, change.dest_end
        if tag == "equal" or tag == "replace":
            pairs += list(zip(truth[first:last], said[start:stop], strict=True))
        elif tag == "delete":
            pairs += [(letter, "") for letter in truth[first:last]]
    return pairs


def _letters(truths: Sequence[str], reads: Sequence[str]) -> list[Letter]:
    right: Counter[str] = Counter()
    every: Counter[str] = Counter()
    mistaken: dict[str, Counter[str]] = defaultdict(Counter)
    for truth, said in zip(truths, reads, strict=True):
        for letter, read in _aligned(truth, said):
            every[letter] += 1
            right[letter] += letter == read
            if letter != read:
                mistaken[letter][read or "nothing"] += 1
    found = [
        Letter(letter=letter, mistaken_for=[m for m, _ in mistaken[letter].most_common(_MOST_MISTAKEN)],
               **Rate(right[letter], count).as_dict())
        for letter, count in every.items()
    ]  # fmt: skip
    return sorted(found, key=lambda row: (row["n"] < NEEDED, row["rate"] or 0.0, row["letter"]))


def _pairs(truths: Sequence[str], reads: Sequence[str]) -> list[dict[str, object]]:
    counts = Counter(
        pair for truth, said in zip(truths, reads, strict=True) for pair in _aligned(truth, said)
        if pair[0] != pair[1] and pair[1]
    )  # fmt: skip
    return [{"true": true, "read": said, "count": count} for (true, said), count in counts.most_common(_MOST_PAIRS)]


_FAILURES: dict[str, tuple[str, Callable[[str, str], bool]]] = {
    "nothing read": ("The attacker gave no answer.", lambda _, s: not s),
    "case only": (
        "All letters are right, but not whether they are capitals: if case need not count, these are successes.",
        lambda t, s: t.lower() == s.lower(),
    ),
    "too few letters": (
        "Letters were lost: they touch each other, or are too faint.", lambda t, s: len(s) < len(t)
    ),
    "too many letters": ("Noise, or parts of letters, were read as letters.", lambda t, s: len(s) > len(t)),
    "order": ("The letters are right, but in another order.", lambda t, s: sorted(t) == sorted(s)),
    "one letter wrong": (
        "A single letter is wrong: a second or a third guess is often right.",
        lambda t, s: sum(a != b for a, b in zip(t, s, strict=True)) == 1,
    ),
    "several letters wrong": ("Two letters or more are wrong.", lambda _t, _s: True),
}  # fmt: skip


def _failures(truths: Sequence[str], reads: Sequence[str]) -> list[dict[str, object]]:
    counts: Counter[str] = Counter()
    for truth, said in zip(truths, reads, strict=True):
        if truth != said:
            counts[next(what for what, (_, fits) in _FAILURES.items() if fits(truth, said))] += 1
    n = len(truths)
    return [
        {"what": what, "count": count, "share": round(count / n, 4), "plain": _FAILURES[what][0]}
        for what, count in counts.most_common()
    ]
