"""What if a distortion were removed or stronger: the same texts drawn anew, read again, and compared in pairs."""

import time
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from scipy import special

from storage.errors import BadInput
from storage.shards.shard import SPLITS
from tasks.audit.findings.changes import cost
from tasks.audit.findings.changes.steps import Change, changes_of
from tasks.audit.findings.measuring import evidence
from tasks.audit.findings.measuring.sampled import by_size
from tasks.audit.findings.measuring.shown import figure, sheet
from tasks.audit.findings.saliency import Read
from tasks.audit.schema import Figure, WhatIf
from tasks.drawing.renderer import Renderer
from tasks.profiles.fonts import Face, find_face
from tasks.profiles.glyphs import GlyphSet, draw_glyphs
from tasks.profiles.profile import Ink, Profile
from tasks.profiles.word_lists import load_words
from tasks.rates import Rate

LEAST, TRIAL = 200, 40  # pictures of each change, and to find out how long they take
EXAMPLES = 400  # pictures whose letters the others are compared with, from the train split
MOST_BLOCKS = 64
TOLD = 0.05  # chance, after Holm's correction for the number of changes, below which one is stronger or weaker
_ROOM = 1.25  # times the picture's size, where a stronger distortion does not fit
_TRIES = 3
_SHOWN = 1


@dataclass(frozen=True)
class Drawn:
    """Pictures at their own size, boxes of their letters, texts."""

    pictures: list[np.ndarray]
    boxes: list[np.ndarray]
    texts: list[str]


class Drawing:
    """Draws the same rows of a profile's random table with changed profiles; glyphs are kept.

    Equal seeds give equal texts whatever is distorted, since each value has a column of its own.
    """

    def __init__(self, profile: Profile, seed: int):
        self._seed = seed
        self._words = load_words(profile.words, profile.alphabet, profile.length) if profile.words else ()
        self._faces: dict[str, Face] = {}
        self._glyphs: dict[tuple[str, int, Ink, bool], GlyphSet] = {}

    def fitted(self, profile: Profile) -> tuple[Profile, Renderer]:
        """Build a renderer; where texts do not fit, of a larger picture. Return what it draws, too.

        Raises
        ------
        BadInput
            They do not fit there either.
        """
        for _ in range(_TRIES - 1):
            try:
                return profile, self.renderer(profile)
            except BadInput:
                profile = _larger(profile)
        return profile, self.renderer(profile)

    def renderer(self, profile: Profile) -> Renderer:
        """Build the renderer of a profile whose texts fit."""
        faces = tuple(self._face(name) for name in profile.fonts)
        return Renderer(profile, faces, tuple(self._glyph_set(face, profile) for face in faces), self._words)

    def _face(self, name: str) -> Face:
        if name not in self._faces:
            self._faces[name] = find_face(name)
        return self._faces[name]

    def _glyph_set(self, face: Face, profile: Profile) -> GlyphSet:
        key = (face.path, profile.font_size, profile.ink, profile.paints)
        if key not in self._glyphs:
            pairs = frozenset(pair for word in self._words for pair in pairwise(word)) if self._words else None
            self._glyphs[key] = draw_glyphs(
                face, profile.font_size, profile.alphabet, profile.ink, profile.paints, pairs
            )
        return self._glyphs[key]

    def rows(self, renderer: Renderer, split: str, count: int) -> list[tuple[int, np.ndarray]]:
        """Return the first rows of a split by block, `count` in all, or as many as `MOST_BLOCKS` blocks have."""
        found, have = [], 0
        for block in range(MOST_BLOCKS):
            table = renderer.parameters(self._seed, block)
            chosen = np.flatnonzero(renderer.split(table) == SPLITS.index(split))[: count - have]
            found.append((block, chosen))
            have += len(chosen)
            if have >= count:
                break
        return found

    def draw(self, renderer: Renderer, rows: list[tuple[int, np.ndarray]]) -> Drawn:
        """Draw rows of the table."""
        drawn = Drawn([], [], [])
        for block, chosen in rows:
            if not len(chosen):
                continue
            some = renderer.render(renderer.parameters(self._seed, block).rows(chosen))
            sizes = np.column_stack([some.parameters["height"], some.parameters["width"]]).tolist()
            texts = some.texts()
            drawn.pictures.extend(image[:h, :w].copy() for image, (h, w) in zip(some.images, sizes, strict=True))
            drawn.boxes.extend(box[: len(text)].copy() for box, text in zip(some.boxes, texts, strict=True))
            drawn.texts.extend(texts)
        return drawn


def _larger(profile: Profile) -> Profile:
    height, width = round(profile.height * _ROOM), round(profile.width * _ROOM)
    return replace(
        profile, height=height, width=width,
        left=profile.left + (width - profile.width) // 3, top=profile.top + (height - profile.height) // 3,
    )  # fmt: skip


def find_what_ifs(
    profile: Profile, read: Read, *, count: int, seed: int, until: float, fold_case: bool = False
) -> list[WhatIf]:  # fmt: skip
    """Draw a profile with each distortion removed and each made a step stronger, and measure what that changes.

    Parameters
    ----------
    profile : Profile
    read : callable
        Reads pictures of one size, (k, h, w) or (k, h, w, 3) uint8, and returns their texts. The attacker does not
        learn the changed pictures: see `changes.people.UNFAIR`.
    count : int
        Pictures of each, from the test split, which no attacker learns from. Where the time is too short for all
        changes, fewer, `LEAST` at least.
    seed : int
        Of all drawings. Take another than the attacker's training pictures have.
    until : float
        When to stop, as `time.monotonic` tells time. Changes that do not fit into the time are left out.
    fold_case : bool
        Count upper and lower case alike.

    Returns
    -------
    list of WhatIf
        What buys most beside what it costs a reader first: the fall in success less the loss in legibility and half the
        loss in contrast. Each also has `worth`, that difference; `p`, corrected for the number of changes; and
        `legible_share`, the letters told apart.

    Raises
    ------
    BadInput
        The profile cannot be drawn.
    """
    if time.monotonic() >= until:
        return []
    drawing = Drawing(profile, seed)
    renderer = drawing.renderer(profile)
    changes = changes_of(profile)
    plain = drawing.renderer(cost.bare(profile))
    rows = drawing.rows(renderer, "test", count)
    asked = _Asked(drawing, rows, drawing.rows(renderer, "train", EXAMPLES), read, fold_case)
    if changes and count > LEAST:
        asked = asked.of(_first(rows, _affordable(asked, renderer, plain, until, len(changes))))
    own = _Seen(asked, renderer, plain)
    found: list[tuple[WhatIf, float]] = []
    longest = 0.0
    for change in changes:
        began = time.monotonic()
        if began + longest > until:
            break
        try:
            found.append(_tried(change, asked, own))
        except BadInput:  # texts do not fit even into larger pictures, so there is nothing to compare
            continue
        longest = max(longest, time.monotonic() - began)
    adjusted = evidence.holm([p for _, p in found])
    for (one, _), p in zip(found, adjusted, strict=True):
        one["stronger"] = None if p >= TOLD else one["difference"][0] < 0
        one["p"] = p
    return sorted((one for one, _ in found), key=lambda one: -_worth(one))


@dataclass(frozen=True)
class _Asked:
    """The pictures that are drawn of each profile, and how they are read."""

    drawing: Drawing
    rows: list[tuple[int, np.ndarray]]
    examples: list[tuple[int, np.ndarray]]  # rows of letters that others are compared with
    read: Read
    fold_case: bool

    def of(self, rows: list[tuple[int, np.ndarray]]) -> "_Asked":
        return replace(self, rows=rows)

    def right(self, drawn: Drawn) -> np.ndarray:
        """Read pictures, those of one size together, and return which are right, (n,) bool."""
        right = np.zeros(len(drawn.texts), bool)
        for rows in by_size(drawn.pictures):
            for row, said in zip(rows, self.read(np.stack([drawn.pictures[row] for row in rows])), strict=True):
                truth = drawn.texts[row]
                right[row] = said.upper() == truth.upper() if self.fold_case else said == truth
        return right


class _Seen:
    """What a profile shows: pictures, which of them are read, contrast, overlap, letters told apart."""

    def __init__(self, asked: _Asked, renderer: Renderer, plain: Renderer):
        drawing = asked.drawing
        self.drawn = drawing.draw(renderer, asked.rows)
        self.right = asked.right(self.drawn)
        letters = _letters(drawing.draw(plain, asked.rows))
        self.contrast = cost.contrast_of(self.drawn.pictures, letters)
        self.overlap = cost.overlap_of(letters)
        self.legible = cost.told_apart(_letters(drawing.draw(plain, asked.examples)), letters)


def _affordable(asked: _Asked, renderer: Renderer, plain: Renderer, until: float, changes: int) -> int:
    """Return how many pictures of each of so many changes can be drawn, read and measured until a time."""
    seconds = []
    for count in (TRIAL, TRIAL, 3 * TRIAL):  # the first also compiles and warms up
        began = time.monotonic()
        _Seen(asked.of(_first(asked.rows, count)), renderer, plain)
        seconds.append(time.monotonic() - began)
    each = max(1e-6, (seconds[2] - seconds[1]) / (2 * TRIAL))
    return max(LEAST, int(((until - time.monotonic()) / changes - seconds[1]) / each))


def _first(rows: list[tuple[int, np.ndarray]], count: int) -> list[tuple[int, np.ndarray]]:
    """Return the first `count` of the rows."""
    found = []
    for block, chosen in rows:
        found.append((block, chosen[: max(0, count)]))
        count -= len(chosen)
    return found


def _letters(drawn: Drawn) -> cost.Letters:
    return cost.Letters(drawn.pictures, drawn.boxes, drawn.texts)


def _tried(change: Change, asked: _Asked, own: _Seen) -> tuple[WhatIf, float]:
    """Draw and read a changed profile; return what it changes, and the chance of that if nothing had changed."""
    profile, renderer = asked.drawing.fitted(change.profile)
    changed = _Seen(asked, renderer, asked.drawing.renderer(cost.bare(profile)))
    if changed.drawn.texts != own.drawn.texts:
        raise BadInput(f"{change.told}: draws other texts")
    right, after = own.right, changed.right
    one = WhatIf(
        name=change.name, change=change.told, direction=change.direction, words=Rate.of(after).as_dict(),
        difference=list(evidence.paired_difference(right, after)), contrast=_share(changed.contrast, own.contrast),
        overlap=changed.overlap, legible=_share(changed.legible, own.legible), stronger=None,
        picture=_pictures(change, own.drawn, changed.drawn), legible_share=changed.legible, overlap_before=own.overlap,
    )  # fmt: skip
    one["worth"] = _worth(one)
    return one, _mcnemar(int((right & ~after).sum()), int((~right & after).sum()))


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 1.0


def _worth(one: WhatIf) -> float:
    return -one["difference"][0] - max(0.0, 1 - one["legible"]) - max(0.0, 1 - one["contrast"]) / 2


def _mcnemar(lost: int, won: int) -> float:
    """Return the chance of pairs so uneven if a change did nothing: the exact test of McNemar."""
    total = lost + won
    return min(1.0, 2 * float(special.bdtr(min(lost, won), total, 0.5))) if total else 1.0


def _pictures(change: Change, base: Drawn, drawn: Drawn) -> Figure | None:
    shown = range(min(_SHOWN, len(drawn.pictures)))
    if not shown:
        return None
    texts = ", ".join(drawn.texts[k] for k in shown)
    pairs = [picture for k in shown for picture in (base.pictures[k], drawn.pictures[k])]
    return figure(sheet(pairs, 2), f"{texts}: on the left as it is, on the right with the change ({change.told}).")
