"""Whether every text of a profile fits into its picture: nothing is clipped silently."""

import numpy as np

from storage.errors import BadInput
from tasks import raster
from tasks.fonts import Face, GlyphSet
from tasks.specs import Profile


def check_fit(profile: Profile, faces: tuple[Face, ...], glyphs: tuple[GlyphSet, ...], words: tuple[str, ...]) -> None:
    """Refuse a profile in which some text would be clipped.

    Raises
    ------
    BadInput
        With the worst text, its face and shear, the edge and by how many pixels.
    """
    worst: tuple[int, str] = (0, "")
    for face, one in zip(faces, glyphs, strict=True):
        # Shear is monotone, so the extremes are at its first and last value.
        for shear in {profile.shear.values()[0], profile.shear.values()[-1]}:
            slope = raster.tangent(shear)
            lows, highs = [], []
            for bitmap, (top, left) in zip(one.bitmaps, one.corners.tolist(), strict=True):
                shifts = slope * (top + np.arange(len(bitmap)))
                inked = bitmap > 0
                firsts, lasts = inked.argmax(axis=1), bitmap.shape[1] - inked[:, ::-1].argmax(axis=1)
                rows = inked.any(axis=1)
                lows.append(int((left + firsts + (shifts >> 16))[rows].min()))
                highs.append(int((left + lasts - (-shifts >> 16))[rows].max()))
            tops, bottoms = one.corners[:, 0], one.corners[:, 0] + [len(bitmap) for bitmap in one.bitmaps]
            edges = np.stack([-np.array(lows), np.array(highs), -tops, bottoms])
            for edge, over, text in _overhangs(profile, one, words, edges):
                if over > worst[0]:
                    worst = (over, f"{text!r} in {face.name} reaches {over} px past the {edge} edge at shear {shear}")
    if worst[0]:
        raise BadInput(
            f"profile {profile.name!r}: the picture is {profile.height} x {profile.width} px, and {worst[1]}; "
            "choose a larger height or width, a larger left (if it is the left edge), a smaller font_size or less shear"
        )


def _overhangs(profile: Profile, glyphs: GlyphSet, words: tuple[str, ...], edges: np.ndarray):
    """(edge, pixels past it, text) of the worst text for each edge.

    edges : (4, G) int, how far each bitmap reaches left, right, up and down of its pen
    """
    alphabet = profile.alphabet
    if words:
        index = {character: k for k, character in enumerate(alphabet)}
        letters = np.full((len(words), max(map(len, words))), -1)
        for row, word in zip(letters, words, strict=True):
            row[: len(word)] = [index[character] for character in word]
        steps = []
        pens, previous = np.zeros(len(words), np.int64), np.full(len(words), len(alphabet))
        for k in range(letters.shape[1]):
            letter = letters[:, k]
            if k:
                pens += glyphs.advance[previous] + glyphs.kerning[previous, letter]
            steps.append((np.where(letter >= 0, glyphs.variant[previous, letter], -1), (pens + 32) >> 6, words))
            previous = letter
    else:
        # Random strings: the furthest pen of every pair of last letters, letter by letter.
        count = len(alphabet)
        pens, ends = np.zeros(count, np.int64), list(alphabet)
        steps = [(glyphs.variant[-1], np.zeros(count, np.int64), ends)]
        for _ in range(1, profile.length[1]):
            reached = pens[:, None] + glyphs.advance[:, None] + glyphs.kerning
            texts = [first + second for first in ends for second in alphabet]
            steps.append((glyphs.variant[:-1].ravel(), (reached.ravel() + 32) >> 6, texts))
            before = reached.argmax(axis=0)
            pens, ends = reached.max(axis=0), [ends[before[j]] + alphabet[j] for j in range(count)]
    limits = (("left", 0), ("right", profile.width), ("top", 0), ("bottom", profile.height))
    for number, (edge, limit) in enumerate(limits):
        for variants, columns, texts in steps:
            place = profile.left + columns
            sign = (-1, 1, 0, 0)[number]
            over = np.where(variants >= 0, edges[number][variants] + sign * place - limit, -1)
            worst = int(over.argmax())
            yield edge, int(over[worst]), texts[worst]
