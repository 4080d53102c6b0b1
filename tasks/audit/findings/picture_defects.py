"""Defects of the pictures: letters at the border, places and shapes that never vary, a constant ground."""

from collections import Counter, defaultdict
from hashlib import blake2b

import numpy as np
from scipy import ndimage, signal

from tasks.audit.findings.measuring import evidence
from tasks.audit.findings.measuring.letters import Cut
from tasks.audit.findings.measuring.same_grounds import Ground, find_grounds, pattern_of
from tasks.audit.findings.measuring.sampled import Sampled, as_seen, by_size
from tasks.audit.findings.measuring.shown import Severity, figure, finding, sheet
from tasks.audit.schema import Figure, Finding
from tasks.rates import Rate

LEAST_PICTURES = 30
MOST_COMPARED, MOST_PIXELS = 300, 8_000_000  # pictures that are laid on each other, and their pixels
OFTEN, SELDOM = 0.2, 0.01  # share of pictures with a letter at the border, of high and of low severity
WHOLE = 0.85  # of its usual size: a letter at the border that has less is cut off
WITH_LINE = 1.25  # of its usual size: what gaps cut out is a letter and a line that crosses it
FEW_SHAPES = 3.0  # pictures of a letter: with fewer, each letter is a stamp
SOME_SHAPES = 200.0  # with fewer, an attacker can collect them all
LEAST_PEAKED = 50  # pictures with texts of one length, whose mean is smooth
PEAK = 0.4  # of the height of the mean ink: what a peak stands above the valleys beside it
STILL = 1.0  # pixels by which a letter's place varies, below which it is fixed
MANY = 0.5  # share of the pictures with one of a few grounds
PATTERN, LARGE_PATTERN = 0.002, 0.01  # share of a picture's pixels that a constant pattern has
_FAINT = 64


def find_border(sample: Sampled, letters: Cut) -> Finding:
    """Count the pictures in which a letter touches the border, which cuts it off or nearly so."""
    title = "Letters at the border"
    shape = [picture.shape[:2] for picture in sample.pictures]
    touching: set[int] = set()
    which: Counter[str] = Counter()
    shares = _shares_kept(letters, shape)
    for label, number, share in zip(letters.labels, letters.sources, shares, strict=True):
        # A line that runs into a letter, where gaps cut letters out, reaches the border: the letter does not.
        if share is not None and not (letters.by_gaps and share > WITH_LINE):
            touching.add(number)
            which[label] += 1
    lost, kept = _lost(sample), _kept(letters, shares)
    n = len(set(letters.sources))
    rate = Rate(len(touching), n)
    figures = {"touching": rate.as_dict(), "letters": dict(which.most_common(10)), "letters_lost": lost,
               "size_kept": kept, "boxes": "gaps between letters" if letters.by_gaps else "stored"}  # fmt: skip
    if n < LEAST_PICTURES:
        plain = "Where the letters are is not known, and gaps do not tell it, so their borders were not looked at."
        return finding("border", title, "unknown", plain, None, figures)
    if rate.low < SELDOM and not lost:
        plain = f"Letters keep away from the border (they touch it in {len(touching):,} of {n:,} pictures)."
        return finding("border", title, "none", plain, None, figures)
    cut = kept is not None and kept < WHOLE
    severity: Severity = "high" if (cut and rate.low >= OFTEN) or lost >= SELDOM * n else "low"
    plain = f"In {100 * rate.value:.1f} % of {n:,} pictures a letter touches the border" + (
        f", and such letters are cut off: {100 * kept:.0f} % of their size is left."
        if cut and kept is not None else ". They keep their size, so little or nothing is cut off."
    )  # fmt: skip
    if lost:
        plain += f" In {lost:,} pictures a letter is outside altogether."
    if cut or lost:
        plain += " People then guess; a program that was shown such letters does not."
    shown = [sample.seen[number] for number in sorted(touching)[:4]]
    seen = [figure(sheet(shown), f"{len(shown)} pictures with a letter at the border.")] if shown else []
    return finding(
        "border", title, severity, plain, "Make the picture larger, the letters smaller, or their shifts shorter.",
        figures, seen,
    )  # fmt: skip


def _kept(letters: Cut, shares: list[float | None]) -> float | None:
    """Return the median share of their size that letters at the border have; None if it is known of none."""
    known = [share for share in shares if share and not (letters.by_gaps and share > WITH_LINE)]
    return round(float(np.median(known)), 3) if known else None


def _shares_kept(letters: Cut, shape: list[tuple[int, ...]]) -> list[float | None]:
    """Return how long each letter at the border is across it, against the same letters elsewhere.

    None for a letter that is not at the border; 0 for one that is not often enough elsewhere to compare.
    """
    inside: dict[str, list[tuple[int, int]]] = defaultdict(list)
    ends: list[tuple[bool, bool]] = []
    for label, number, (top, left, bottom, right) in zip(letters.labels, letters.sources, letters.boxes, strict=True):
        height, width = shape[number]
        ends.append((top <= 0 or bottom >= height, left <= 0 or right >= width))
        if not any(ends[-1]):
            inside[label].append((bottom - top, right - left))
    usual = {label: np.median(sizes, axis=0) for label, sizes in inside.items() if len(sizes) >= 5}
    shares: list[float | None] = []
    for label, at, (top, left, bottom, right) in zip(letters.labels, ends, letters.boxes, strict=True):
        across = zip(at, (bottom - top, right - left), usual.get(label, (np.inf, np.inf)), strict=True)
        known = [extent / whole for is_at, extent, whole in across if is_at]
        shares.append(float(np.mean(known)) if known else None)
    return shares


def _lost(sample: Sampled) -> int:
    """Count pictures in which a letter has no pixel."""
    if not sample.boxed:
        return 0
    return sum(
        bool((sample.boxes[number, : len(text)] < 0).any()) and bool((sample.boxes[number] >= 0).any())
        for number, text in enumerate(sample.texts)
    )


def find_variation(sample: Sampled, letters: Cut) -> Finding:
    """Ask whether letters vary in place and shape: fixed places are cut by a ruler, fixed shapes read by a stamp."""
    title = "How letters vary"
    places, spread = _places(letters, sample.texts)
    shapes, most_shapes, asked = _shapes(letters)
    bands = fixed_bands(sample)
    still = spread is not None and spread < STILL
    # Specks beside letters move what is cut at gaps, though the letters stand still.
    peaks = not bands and not still and (spread is None or letters.by_gaps) and fixed_peaks(sample)
    figures = {
        "n": len(sample.pictures), "letters": len(letters.labels), "places": places,
        "place_varies_px": spread, "pictures_of_a_letter": shapes, "at_most": most_shapes, "letters_asked": asked,
        "empty_columns_cut_letters": bands, "ink_has_as_many_peaks": peaks,
    }  # fmt: skip
    if len(sample.pictures) < LEAST_PICTURES:
        return finding("variation", title, "unknown", f"{len(sample.pictures)} pictures are too few.", None, figures)
    said, remedy, shown = [], [], []
    severity: Severity = "none"
    if bands or peaks or still:
        severity = "high"
        said.append(
            f"Letters stand in {'nearly ' if peaks else ''}fixed places: "
            + ("some columns are empty in almost every picture and divide it into its letters" if bands else
               "over all pictures, the ink of the columns has as many peaks as a text has letters"
               if peaks else f"the left edge of a letter varies by {spread:.1f} px only")
            + ", so cutting a picture into letters takes no skill."
        )  # fmt: skip
        remedy.append("Shift the text, and let the distances between letters vary.")
        shown += _mean_picture(sample)
    if shapes is not None and most_shapes is not None and most_shapes < SOME_SHAPES:
        severity = "high" if most_shapes < FEW_SHAPES else "low" if severity == "none" else severity
        said.append(
            "Each letter always looks the same: an attacker keeps a stamp of each and compares."
            if most_shapes < FEW_SHAPES
            else f"A letter has only about {shapes:,.0f} different pictures, so an attacker can collect them."
        )
        remedy.append("Use several typefaces, and turn, scale and bend each letter by random amounts.")
    if not said:
        if not asked and spread is None:
            return finding(
                "variation", title, "unknown",
                "Where the letters are is not known, so their places and shapes were not compared; no columns are "
                "empty in almost every picture.", None, figures,
            )  # fmt: skip
        said.append(f"Letters vary in place and shape ({len(letters.labels):,} letters compared).")
    return finding("variation", title, severity, " ".join(said), " ".join(remedy), figures, shown)


def _places(letters: Cut, texts: list[str]) -> tuple[int, float | None]:
    """Return how many letters were placed, and how far places vary: the median deviation of their middles, pixels."""
    middles: dict[tuple[int, int], list[float]] = defaultdict(list)
    order: Counter[int] = Counter()
    for number, (_, left, _, right) in zip(letters.sources, letters.boxes, strict=True):
        middles[len(texts[number]), order[number]].append((left + right) / 2)
        order[number] += 1
    known = [np.array(some) for some in middles.values() if len(some) >= LEAST_PICTURES]
    if not known:
        return 0, None
    # A letter's own width moves its middle in proportional type: at fixed places only its half varies.
    spread = float(np.median([np.percentile(np.abs(some - np.median(some)), 75) for some in known]))
    return sum(map(len, known)), round(spread, 2)


def _shapes(letters: Cut) -> tuple[float | None, float | None, int]:
    """Estimate how many different pictures a letter has, from how many pairs of its pictures are equal.

    Returns
    -------
    shapes, most : float or None
        If all are equally likely, and the upper end of the 95 % interval; None where no pair, or too few, is equal.
    asked : int
        Letters that were compared.
    """
    counts: dict[str, Counter[bytes]] = defaultdict(Counter)
    for picture, label in zip(letters.pictures, letters.labels, strict=True):
        dark = (picture >= 128).astype(np.uint8)
        counts[label][blake2b(repr(dark.shape).encode() + dark.tobytes(), digest_size=12).digest()] += 1
    totals = [shapes.total() for shapes in counts.values()]
    pairs = sum(n * (n - 1) / 2 for n in totals)
    equal = sum(count * (count - 1) // 2 for shapes in counts.values() for count in shapes.values())
    low, _ = evidence.poisson_interval(equal)
    return (
        round(pairs / equal, 1) if equal else None, round(pairs / low, 1) if low > 0 else None, sum(totals)
    )  # fmt: skip


def fixed_bands(sample: Sampled) -> bool:
    """Return whether columns that are empty in 98 % of the pictures divide them into just their letters."""
    lengths = Counter(map(len, sample.texts))
    length, often = lengths.most_common(1)[0]
    if length < 2 or often < 0.9 * len(sample.texts):
        return False
    for rows in by_size(sample.pictures):
        if len(rows) < max(LEAST_PICTURES, 0.5 * len(sample.pictures)):
            continue
        filled = np.stack([(sample.inks[row] >= _FAINT).any(axis=0) for row in rows]).mean(axis=0)
        inside = filled > 0.02
        starts = np.flatnonzero(inside & ~np.concatenate([[False], inside[:-1]]))
        if len(starts) == length:
            return True
    return False


def fixed_peaks(sample: Sampled) -> bool:
    """Return whether the mean ink of the columns has a peak for each letter: noise fills the gaps, but less.

    Letters whose places vary by half the distance between them leave a single wide hill.
    """
    length, _ = Counter(map(len, sample.texts)).most_common(1)[0]
    largest = max(by_size(sample.pictures), key=len)
    rows = [row for row in largest if len(sample.texts[row]) == length]
    if length < 2 or len(rows) < LEAST_PEAKED:
        return False
    filled = np.mean([(sample.inks[row] >= _FAINT).mean(axis=0) for row in rows], axis=0)
    smooth = np.pad(ndimage.uniform_filter1d(filled, max(3, filled.size // (8 * length))), 1)
    peaks, _ = signal.find_peaks(smooth, prominence=PEAK * (smooth[1:-1].max() - smooth[1:-1].min()))
    return len(peaks) == length


def _mean_picture(sample: Sampled) -> list[Figure]:
    rows = max(by_size(sample.pictures), key=len)
    rows = rows[: max(LEAST_PICTURES, MOST_PIXELS // sample.inks[rows[0]].size)]
    mean = np.mean([sample.inks[row] for row in rows], axis=0)
    ink = (255 * mean / max(1.0, float(mean.max()))).astype(np.uint8)
    return [
        figure(ink, f"The mean of {len(rows):,} pictures: dark where ink often is. Letters stand in the same places.")
    ]


def find_ground(sample: Sampled) -> Finding:
    """Look for what is the same in all pictures of a size: an attacker subtracts it."""
    title = "A ground that never changes"
    rows = max(by_size(sample.pictures), key=len)
    n = len(rows)
    figures: dict[str, object] = {"n": n, "sizes": len(by_size(sample.pictures))}
    if n < LEAST_PICTURES:
        plain = "Too few pictures have one size, so they could not be laid on each other."
        return finding("ground", title, "unknown", plain, None, figures)
    pixels = max(1, sample.pictures[rows[0]].shape[0] * sample.pictures[rows[0]].shape[1])
    rows = rows[:: max(1, -(-n // min(MOST_COMPARED, max(LEAST_PICTURES, MOST_PIXELS // pixels))))]
    stack = np.stack([as_seen(sample.pictures[row]) for row in rows]).astype(np.int16)
    median, pattern = pattern_of(stack)
    height, width = pattern.shape
    share, within = _shares(pattern)
    figures |= {"pattern": round(share, 4), "pattern_in_the_middle": round(within, 4)}
    grounds = find_grounds(stack, [sample.texts[row] for row in rows])
    if few := _few_grounds(grounds, len(rows), share, figures):
        return few
    if share < PATTERN:
        plain = f"No lines or patterns are the same in all pictures ({n:,} of {width} x {height} pixels)."
        return finding("ground", title, "none", plain, None, figures)
    severity: Severity = "high" if within >= LARGE_PATTERN else "low"
    shown = [
        figure(
            median.astype(np.uint8), f"The median of {len(rows)} pictures: what is left when letters are averaged away."
        )
    ]
    return finding(
        "ground", title, severity,
        f"{100 * share:.1f} % of the pixels are a pattern that is the same in all pictures, {_where(severity)}. An "
        "attacker averages some pictures, gets the pattern alone, and subtracts it.",
        "Draw lines and grounds anew for each picture.", figures, shown,
    )  # fmt: skip


def _shares(pattern: np.ndarray) -> tuple[float, float]:
    """Return the share of a picture that a pattern has, and of its middle."""
    height, width = pattern.shape
    middle = pattern[height // 6 : height - height // 6, width // 8 : width - width // 8]
    return float(pattern.mean()), float(middle.mean()) if middle.size else 0.0


def _where(severity: Severity) -> str:
    return "where the letters are" if severity == "high" else "mostly outside the letters"


def _few_grounds(grounds: list[Ground], n: int, common: float, figures: dict[str, object]) -> Finding | None:
    """Tell of pictures that have one of a few grounds; None if half of them have none.

    `common` is the share of the pixels in which all pictures are alike; the grounds have to have more than that.
    """
    rate = Rate(sum(len(ground.members) for ground in grounds), n)
    figures |= {"grounds": len(grounds), "of_a_ground": rate.as_dict()}
    shares = [_shares(ground.pattern) for ground in grounds]
    if rate.low < MANY or min(share for share, _ in shares) < max(PATTERN, 2 * common):
        return None
    severity: Severity = "high" if float(np.median([within for _, within in shares])) >= LARGE_PATTERN else "low"
    shown = [
        figure(
            ground.median.astype(np.uint8),
            f"The median of {len(ground.members)} pictures: a ground, from which letters are averaged away.",
        )
        for ground in grounds[:4]
    ]
    least = "at least " if rate.value < 0.99 else ""  # others may have too few pictures to be told
    one = "one ground" if len(grounds) == 1 else f"one of {least}{len(grounds)} grounds"
    return finding(
        "ground", "A ground that never changes", severity,
        f"{100 * rate.value:.0f} % of {n:,} pictures compared have {one}, with lines or patterns {_where(severity)} "
        f"that never change ({100 * float(np.median([share for share, _ in shares])):.1f} % of the pixels). An "
        "attacker puts pictures of the same ground together, averages them, gets the ground alone, and subtracts it.",
        "Draw lines and grounds anew for each picture, or place each by large random shifts, turns and sizes.",
        figures, shown,
    )  # fmt: skip
