"""Check that every text of a profile fits into its picture, so that nothing is clipped silently."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np

from storage.errors import BadInput
from tasks.drawing import outlines, resampling
from tasks.profiles.fonts import Face
from tasks.profiles.glyphs import GlyphSet
from tasks.profiles.profile import Profile
from tasks.profiles.word_lists import letters_of

_ROUNDING = 32  # 1/32 px of slack for the rounding of turned coordinates
LEAST_FIT = 30  # percent of its size at which a text may be drawn
_TRIES = 8  # of a fitting picture: a larger top or height moves sheared letters to the right again
_PEN = 64  # units of a pixel in which pens move
_LEFT, _RIGHT, _UP, _DOWN = range(4)  # edges

Worst = dict[str, tuple[int, str]]
Each = Callable[[Callable[[tuple[Face, GlyphSet]], Worst], list[tuple[Face, GlyphSet]]], Iterable[Worst]]


def check_fit(
    profile: Profile, faces: tuple[Face, ...], glyphs: tuple[GlyphSet, ...], words: tuple[str, ...], each: Each = map
) -> None:
    """Refuse a profile in which some letter would be clipped, or letters would change places.

    Noise may end where the picture does. `each` applies a function to each face, in order.

    Raises
    ------
    BadInput
        The message has, for each edge, the worst text, its face and shear and the number of pixels, and which picture
        would do.
    """
    texts = letters_of(words, profile.alphabet)
    worst = _worst(profile, faces, glyphs, texts, each)
    if worst:
        said = "; ".join(where for _, where in sorted(worst.values(), key=lambda found: -found[0]))
        raise BadInput(
            f"profile {profile.name!r}: the picture is {profile.height} x {profile.width} px, and {said}; "
            "choose a larger height or width, a larger left (if it is the left edge), a smaller font_size or less shear"
            + (", a larger top, or less rotation, move, tracking or wave" if profile.moves_letters else "")
            + _fitting(profile, faces, glyphs, texts, worst)
        )


def check_room(
    profile: Profile, faces: tuple[Face, ...], glyphs: tuple[GlyphSet, ...], words: tuple[str, ...],
    fits: Callable[[list[str], int], np.ndarray],
) -> None:  # fmt: skip
    """Refuse a profile whose texts are fitted to the picture, but whose widest would hardly be seen there.

    Parameters
    ----------
    fits : callable
        Takes a text for each face and a shear, and returns the percent of its size at which each is drawn, where it
        needs most room.

    Raises
    ------
    BadInput
        The message has the worst text, its face, and how small it would be.
    """
    letters = letters_of(words, profile.alphabet)
    texts = []
    for face, glyph_set in _different(faces, glyphs):
        _require_order(profile, face, glyph_set)
    for glyph_set in glyphs:
        wide = np.append(glyph_set.advance, 0)
        if words:
            texts.append(words[int(wide[letters].sum(axis=1).argmax())])
        else:
            texts.append(profile.alphabet[int(glyph_set.advance.argmax())] * profile.length[1])
    for shear in {profile.shear.values()[0], profile.shear.values()[-1]}:
        found = fits(texts, shear)
        worst = int(found.argmin())
        if found[worst] < LEAST_FIT:
            raise BadInput(
                f"profile {profile.name!r}: the picture is {profile.height} x {profile.width} px, in which "
                f"{texts[worst]!r} in {faces[worst].name} would be drawn at {found[worst]} % of its size, and must be "
                f"at {LEAST_FIT} % or more; choose a larger height or width, a smaller left, top, font_size, size or "
                "length, or less rotation, lean, tracking, move, bounce, wave, shadow or corners"
            )


def _worst(
    profile: Profile, faces: tuple[Face, ...], glyphs: tuple[GlyphSet, ...], texts: np.ndarray, each: Each = map
) -> Worst:
    """Find for each edge that is passed the most pixels, and where: text, face and shear."""

    def of_face(drawn: tuple[Face, GlyphSet]) -> Worst:
        face, glyph_set = drawn
        worst: Worst = {}
        _require_order(profile, face, glyph_set)
        # Shear is monotone, so the extremes are at its first and last value.
        shears = {profile.shear.values()[0], profile.shear.values()[-1]}
        reach = _reaches if profile.resamples else outlines.edges
        edges = {shear: reach(profile, glyph_set, shear) for shear in shears}
        # Texts stand alike at any shear. So where the furthest reach of all fits, each does.
        for shear in shears if any(_over(profile, glyph_set, texts, np.maximum.reduce([*edges.values()]))) else ():
            for edge, over, text in _over(profile, glyph_set, texts, edges[shear]):
                if over > worst.get(edge, (0, ""))[0]:
                    said = f"{text!r} in {face.name} reaches {over} px past the {edge} edge at shear {shear}"
                    worst[edge] = (over, said)
        return worst

    worst: Worst = {}
    for found in each(of_face, _different(faces, glyphs)):
        worst |= {edge: told for edge, told in found.items() if told[0] > worst.get(edge, (0, ""))[0]}
    return worst


def _different(faces: tuple[Face, ...], glyphs: tuple[GlyphSet, ...]) -> list[tuple[Face, GlyphSet]]:
    """Return each set of letters once: faces share theirs in `first_pictures`."""
    return list({id(glyph_set): (face, glyph_set) for face, glyph_set in zip(faces, glyphs, strict=True)}.values())


def _fitting(
    profile: Profile, faces: tuple[Face, ...], glyphs: tuple[GlyphSet, ...], texts: np.ndarray, worst: Worst
) -> str:
    """Say which picture would do; nothing if none is found that is small enough."""
    for _ in range(_TRIES):
        over = {edge: pixels for edge, (pixels, _) in worst.items()}
        left, top = over.get("left", 0), over.get("top", 0)
        try:
            profile = replace(
                profile, left=profile.left + left, top=profile.top + top,
                width=profile.width + left + over.get("right", 0), height=profile.height + top + over.get("bottom", 0),
            )  # fmt: skip
        except BadInput:  # larger than any picture may be
            return ""
        worst = _worst(profile, faces, glyphs, texts)
        if not worst:
            return (
                f". All texts fit with height = {profile.height}, width = {profile.width}, left = {profile.left}, "
                f"top = {profile.top}"
            )
    return ""


def _alone(glyphs: GlyphSet) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the bitmap and the corner of each letter without neighbours."""
    for g in glyphs.variant[-1]:
        yield glyphs.bitmaps[g], glyphs.corners[g].astype(np.int64)


def _by_letter(glyphs: GlyphSet) -> GlyphSet:
    """Replace the numbers of bitmaps by those of letters, whatever the letter before; advances stay the same."""
    return replace(glyphs, variant=np.tile(np.arange(len(glyphs.advance)), (len(glyphs.variant), 1)))


def _reaches(profile: Profile, glyphs: GlyphSet, shear: int) -> np.ndarray:
    return np.stack([_reach(profile, *bitmap, shear) for bitmap in _alone(glyphs)]).T


def _reach(profile: Profile, bitmap: np.ndarray, corner: np.ndarray, shear: int) -> np.ndarray:
    """Return how far at most the general kernel draws a letter left, right, up and down of its pen, (4,) int px.

    If the profile has `overlap`, the pen is the left border of the ink.
    """
    pixel, half = resampling.ONE, resampling.ONE // 2
    degrees = np.array(profile.rotation.values())
    s, c = (array[:, None] for array in resampling.turned(degrees))
    slope = resampling.tangent(shear)
    y, x = outlines.outline(bitmap).T * half
    # About the letter's centre, in 1/65536 px: turned, then sheared.
    down, across = (c * y - s * x) >> 16, (c * x + s * y) >> 16
    across = across + (slope * down >> 16)
    # A pixel's bilinear support is a square of two pixels, turned and sheared likewise; and rounding.
    slack = pixel // _ROUNDING
    tall, wide = abs(s) + abs(c) + slack, abs(c - (slope * s >> 16)) + abs(s + (slope * c >> 16)) + slack
    tall, wide = tall + profile.wave_y.stop * pixel // 10, wide + profile.wave_x.stop * pixel // 10
    height, width = bitmap.shape
    middle_y = (corner[0] + profile.top) * pixel + (height - 1) * half
    rows = [middle_y + move * pixel for move in (profile.move_y.start, profile.move_y.stop)]
    pushed = [slope * row >> 16 for row in rows]
    middle_x = corner[1] * pixel + (width - 1) * half
    if profile.overlap is not None:
        # The ink's left border stands half a pixel left of its first pixel's centre; pens are rounded.
        middle_x = -(outlines.ink_columns(bitmap, degrees)[:, :1] << 10) - half
        wide = wide + pixel
    left = (across - wide + middle_x).min() + min(pushed) + profile.move_x.start * pixel
    right = (across + wide + middle_x).max() + max(pushed) + profile.move_x.stop * pixel
    up, low = (down - tall).min() + rows[0], (down + tall).max() + rows[1]
    # Nothing is lost up to the first sample outside: half a sample past the border, half a pixel off its centre.
    near = [50 * pixel // (scale * resampling.samples(scale)) for scale in profile.scale.values()]

    def past(size: int) -> int:
        ends = [(size * scale // 100) * 100 * pixel // scale for scale in profile.scale.values()]
        return size * pixel - min(end + half_sample for end, half_sample in zip(ends, near, strict=True)) + half

    spare = half + min(near)
    reach = np.array([-left - spare, right + past(profile.width), -up - spare, low + past(profile.height)])
    return -(-reach // pixel)


def _over(profile: Profile, glyphs: GlyphSet, texts: np.ndarray, edges: np.ndarray) -> Iterator[tuple[str, int, str]]:
    """Yield (edge, pixels past it, text); of letters set by their ink at its widest and at its narrowest."""
    if profile.overlap is None:
        yield from _overhangs(profile, _by_letter(glyphs) if profile.resamples else glyphs, texts, edges)
        return
    widths = _ink_widths(profile, glyphs)
    # The narrowest letters reach furthest left, the widest furthest right.
    for leftmost, advance in ((True, widths.min(axis=1)), (False, widths.max(axis=1))):
        by_ink = replace(_by_letter(glyphs), advance=advance, kerning=np.zeros_like(glyphs.kerning))
        yield from _overhangs(profile, by_ink, texts, edges, (leftmost,))


def _ink_widths(profile: Profile, glyphs: GlyphSet) -> np.ndarray:
    """Return how wide each letter's ink is at each angle, (A, angles), in 1/64 px."""
    degrees = np.array(profile.rotation.values())
    reach = [outlines.ink_columns(bitmap, degrees) for bitmap, _ in _alone(glyphs)]
    return np.array([(ends[:, 1] - ends[:, 0]) for ends in reach])


def _require_order(profile: Profile, face: Face, glyphs: GlyphSet) -> None:
    """Refuse a profile in which letters could begin left of their predecessors, so that labels were wrong.

    With `overlap` none may, not the narrowest; with `tracking`, which kerning and narrow letters bend anyway, none of
    usual width.
    """
    percent = profile.size.values()[0] * (200 - max(map(abs, profile.growth.values()))) // 200
    if profile.overlap is not None:
        name, widths, back = "overlap", _ink_widths(profile, glyphs).min(axis=1), profile.overlap.stop
        letter = int(widths.argmin())
    else:
        name, widths, back = "tracking", glyphs.advance.astype(np.int64), -profile.tracking.start
        letter = int(np.argsort(widths)[len(widths) // 2])
    if _PEN * back >= widths[letter] * percent // 100 > 0:
        rule = "less than the narrowest" if name == "overlap" else "a smaller step back than the usual"
        raise BadInput(
            f"profile {profile.name!r}, {name}: must be {rule} letter, {profile.alphabet[letter]!r} in {face.name}, is "
            f"wide, {widths[letter] * percent / 100 / _PEN:.1f} px, or letters would change places; "
            f"it is {getattr(profile, name)!r}"
        )


def _overhangs(
    profile: Profile, glyphs: GlyphSet, texts: np.ndarray, edges: np.ndarray, sides: tuple[bool, ...] = (True, False)
) -> Iterator[tuple[str, int, str]]:
    """Yield (edge, pixels past it, text) of the worst text for each edge that is passed.

    Parameters
    ----------
    edges : (4, G) int
        How far each bitmap reaches left, right, up and down of its pen.
    sides : tuple of bool
        True for the left edge, False for the three others.
    """
    # The least and the most that each gap adds, in 1/64 px.
    gaps = (profile.tracking.start * _PEN, profile.tracking.stop * _PEN)
    if profile.overlap is not None:
        gaps = (-profile.overlap.stop * _PEN, -profile.overlap.start * _PEN)
    limits = (("left", 0), ("right", profile.width), ("top", 0), ("bottom", profile.height))
    for leftmost in sides:
        gap = gaps[0 if leftmost else 1]
        for variants, columns, text in _steps(glyphs, profile.alphabet, texts, profile.length[1], gap, leftmost):
            place = profile.left + columns
            for number in (_LEFT,) if leftmost else (_RIGHT, _UP, _DOWN):
                edge, limit = limits[number]
                moved = (-1, 1, 0, 0)[number] * place - limit
                if edges[number].max() + moved.max() <= 0:  # whatever letter is at whichever place
                    continue
                over = edges[number][variants] + moved
                over = np.where(variants >= 0, over, -1)
                worst = int(over.argmax())
                if over[worst] > 0:
                    yield edge, int(over[worst]), text(worst)


def _pixels(pens: np.ndarray) -> np.ndarray:
    """Round pens to whole pixels."""
    return (pens + _PEN // 2) // _PEN


def _steps(
    glyphs: GlyphSet, alphabet: str, letters: np.ndarray, longest: int, gap: int, leftmost: bool
) -> Iterator[tuple[np.ndarray, np.ndarray, Callable[[int], str]]]:
    """Yield bitmaps, columns and a function that gives the text of the n-th, place by place in the texts.

    The columns are where every word's letters begin, or those of the worst random strings.

    Parameters
    ----------
    gap : int
        1/64 px between two letters besides their advance and kerning.
    leftmost : bool
        Of random strings take those whose pen went least far, else furthest.
    """
    if len(letters):
        count = len(alphabet)
        steps = (glyphs.advance[:, None] + glyphs.kerning + gap).ravel()
        pens, previous = np.zeros(len(letters), np.int64), np.full(len(letters), count)
        for k in range(letters.shape[1]):
            letter = letters[:, k].astype(np.int64)
            pair = np.where(letter >= 0, previous * count + letter, 0)  # past a word's end, any
            if k:
                pens = pens + steps[pair]
            variants = np.where(letter >= 0, glyphs.variant.ravel()[pair], -1)
            yield variants, _pixels(pens), lambda n: "".join(alphabet[m] for m in letters[n] if m >= 0)
            previous = letter
        return
    # Random strings: the extreme pen of every pair of last letters, letter by letter.
    count = len(alphabet)
    pens, ends = np.zeros(count, np.int64), list(alphabet)
    yield glyphs.variant[-1], np.zeros(count, np.int64), ends.__getitem__
    for _ in range(1, longest):
        reached = pens[:, None] + glyphs.advance[:, None] + glyphs.kerning + gap
        numbered = glyphs.variant[:-1].ravel()
        yield numbered, _pixels(reached.ravel()), lambda n, ends=ends: ends[n // count] + alphabet[n % count]  # type: ignore[misc]
        before = reached.argmin(axis=0) if leftmost else reached.argmax(axis=0)
        pens, ends = reached[before, np.arange(count)], [ends[before[j]] + alphabet[j] for j in range(count)]
