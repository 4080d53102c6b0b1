"""Draw the parameters of a profile's distortions, place the letters accordingly, and apply the kernels."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from storage.errors import BadInput
from tasks.drawing import noise_kernel, outlines, resampling, warp_kernel
from tasks.drawing.bilinear import texels
from tasks.drawing.randomness import below
from tasks.profiles.glyphs import GlyphSet
from tasks.profiles.profile import Profile
from tasks.profiles.ranges import OFF

# Columns of a block's random table, 64 and up; the first columns are in renderer.py. Letter k adds k.
WAVE = {"wave_y": 64, "wave_x": 65, "wave_length": 66}
PHASE_COLUMNS = {"phase_y": 67, "phase_x": 68}
NOISE_COLUMNS = {"lines": 72, "arcs": 73, "line_width": 74, "line_ink": 75, "specks": 76, "background": 77, "blur": 78}
KEY = 79
LETTER = {"rotation": 128, "move_y": 160, "move_x": 192, "tracking": 224, "overlap": 256}


@dataclass(frozen=True)
class Placement:
    """Letters for the kernel: glyph (n, L), centre and turn (n, L, 2), and what moved them, (n, 3 L) for the split."""

    glyph: np.ndarray
    centre: np.ndarray
    turn: np.ndarray
    moved: np.ndarray


class Variation:
    """Draws the parameters of a profile's distortions, and applies them.

    Parameters
    ----------
    profile : Profile
    glyphs : tuple of GlyphSet
        The letters of its faces, in order; none, if only parameters are drawn.
    longest : int
        Number of letters of the longest text.

    Attributes
    ----------
    dtype : numpy.dtype
        The fields that these distortions append to a dataset's parameters; none for a plain profile.
    """

    def __init__(self, profile: Profile, glyphs: tuple[GlyphSet, ...], longest: int):
        self._profile = profile
        names = []
        if profile.moves_letters:
            names = [name for name in LETTER if getattr(profile, name) not in (None, OFF)]
        fields: list[tuple[str, str] | tuple[str, str, tuple[int]]] = [(name, "<i2", (longest,)) for name in names]
        self._waves = any(getattr(profile, name).values() != (0,) for name in ("wave_y", "wave_x"))
        if self._waves:
            fields += [(name, "<u2") for name in (*WAVE, *PHASE_COLUMNS)]
            names += WAVE
        if profile.adds_noise:
            fields += [*((name, "<u2") for name in NOISE_COLUMNS), ("noise", "<u8")]
            names += NOISE_COLUMNS
        self.dtype = np.dtype(fields)
        self._values = {name: np.array(getattr(profile, name).values(), np.int64) for name in names}
        self._thickness = noise_kernel.thicknesses()
        if profile.resamples and glyphs:
            self._join(glyphs)

    def _join(self, glyphs: tuple[GlyphSet, ...]) -> None:
        """Join the bitmaps that the letters of all faces have without neighbours, and make the tables of scales."""
        profile = self._profile
        alone = [[glyph_set.bitmaps[g] for g in glyph_set.variant[-1]] for glyph_set in glyphs]
        bitmaps = [bitmap for letters in alone for bitmap in letters]
        self._glyph = np.arange(len(bitmaps)).reshape(len(glyphs), -1)
        self._corners = np.concatenate([glyph_set.corners[glyph_set.variant[-1]] for glyph_set in glyphs]).astype(
            np.int64
        )
        self._corners[:, 0] += profile.top
        self._shapes = np.array([bitmap.shape for bitmap in bitmaps], np.int64)
        self._advance = np.stack([glyph_set.advance for glyph_set in glyphs]).astype(np.int64)
        self._kerning = np.stack([glyph_set.kerning for glyph_set in glyphs]).astype(np.int64)
        parts = [packed.ravel() for packed in outlines.each(texels, bitmaps)]
        first = np.cumsum([0, *(len(part) for part in parts[:-1])])
        self._bitmaps = warp_kernel.Bitmaps(np.concatenate(parts), first, self._shapes)
        scales = profile.scale.values()
        self._percents = np.array(scales, np.int64)
        self._dense = np.array([resampling.samples(scale) for scale in scales], np.int64)
        places = [resampling.sample_places(scale, max(profile.canvas) + 1) for scale in scales]
        self._places = np.zeros((len(scales), max(map(len, places))), np.int64)
        for row, sampled in zip(self._places, places, strict=True):
            row[: len(sampled)] = sampled
        if profile.overlap is not None:
            degrees = np.array(profile.rotation.values())
            self._reach = np.stack(outlines.each(outlines.ink_columns, bitmaps, degrees))

    def draw(self, column: Callable[[int], np.ndarray], letters: np.ndarray) -> np.ndarray:
        """Draw the rows of a block, (1024,) of `dtype`; `column` returns a block's random numbers by column.

        Values without effect are 0: those of a letter past the end, of a gap before the first letter, of a wave's
        length and phase without a wave. So equal pictures have equal rows.
        """
        drawn = np.zeros(len(letters), self.dtype)
        for name, values in self._values.items():
            if name in LETTER:
                for k in range(letters.shape[1]):
                    drawn[name][:, k] = values[below(column(LETTER[name] + k), len(values))]
            else:
                drawn[name] = values[below(column((WAVE | NOISE_COLUMNS)[name]), len(values))]
        if self._waves:
            for name, number in PHASE_COLUMNS.items():
                drawn[name] = below(column(number), warp_kernel.PHASES)
        if self._profile.adds_noise:
            drawn["noise"] = column(KEY)
        return self._cleared(drawn, letters)

    def chosen(self, letters: np.ndarray, values: dict[str, ArrayLike]) -> np.ndarray:
        """Make rows of chosen values by field, each a single value, (n,) or (n, L).

        A field that is not given has the first value of its range.

        Raises
        ------
        BadInput
            A value that the profile does not have.
        """
        drawn = np.zeros(len(letters), self.dtype)
        for name, allowed in self._values.items():
            drawn[name] = allowed[0]
        for name, value in values.items():
            if name in self._values and not np.isin(value, self._values[name]).all():
                raise BadInput(f"{name}: must be one of {self._values[name].tolist()}; it is {value!r}")
            drawn[name] = value
        return self._cleared(drawn, letters)

    def _cleared(self, drawn: np.ndarray, letters: np.ndarray) -> np.ndarray:
        for name in LETTER:
            if name in self._values:
                drawn[name][letters < 0] = 0
        for name in ("tracking", "overlap"):
            if name in self._values:
                drawn[name][:, 0] = 0
        if self._waves:
            drawn["wave_length"][(drawn["wave_y"] == 0) & (drawn["wave_x"] == 0)] = 0
            for wave, phase in (("wave_y", "phase_y"), ("wave_x", "phase_x")):
                drawn[phase][drawn[wave] == 0] = 0
        if self._profile.adds_noise and not self._profile.paints:
            strokes = (drawn["lines"] > 0) | (drawn["arcs"] > 0)
            drawn["line_width"][~strokes] = 0
            drawn["line_ink"][~strokes & (drawn["specks"] == 0)] = 0
            drawn["noise"][~strokes & (drawn["specks"] == 0) & (drawn["background"] == 0)] = 0
        return drawn

    def place(self, letters: np.ndarray, font: np.ndarray, drawn: np.ndarray) -> Placement:
        """Compute where letters stand, and how they are turned, before shear and scale."""
        there = letters >= 0
        known, face = np.where(there, letters, 0), font[:, None]
        glyph = self._glyph[face, known]
        nothing = np.zeros(letters.shape, np.int64)
        rotation, down, right, tracking, overlap = (
            drawn[name].astype(np.int64) if name in self._values else nothing for name in LETTER
        )
        steps = nothing.copy()
        steps[:, 1:] = self._advance[face, known[:, :-1]] + self._kerning[face, known[:, :-1], known[:, 1:]]
        plain = self._profile.left + ((steps.cumsum(axis=1) + 32) >> 6)
        column = self._profile.left + (((steps + 64 * tracking).cumsum(axis=1) + 32) >> 6)
        height, width = self._shapes[glyph, 0], self._shapes[glyph, 1]
        if self._profile.overlap is not None:
            # Past the end of a text the turn is 0, which the range need not have.
            angle = np.searchsorted(self._profile.rotation.values(), rotation).clip(max=self._reach.shape[1] - 1)
            low, high = self._reach[glyph, angle, 0], self._reach[glyph, angle, 1]
            steps[:, 1:] = high[:, :-1] - low[:, :-1] - 64 * overlap[:, 1:]
            # The left border of the ink, from which its centre and its pen follow.
            begin = 64 * self._profile.left - 32 + steps.cumsum(axis=1)
            column = (begin - low - 64 * self._corners[glyph, 1] - 32 * (width - 1) + 32) >> 6
        centre = np.stack(
            [
                2 * (self._corners[glyph, 0] + down) + height - 1,
                2 * (column + right + self._corners[glyph, 1]) + width - 1,
            ],
            axis=2,
        )
        moved = np.concatenate(
            [np.where(there, amount, 0) for amount in (rotation, down, column + right - plain)], axis=1
        )
        turn = np.stack(resampling.turned(rotation), axis=2)
        return Placement(np.where(there, glyph, -1), centre, turn, moved)

    def draw_letters(
        self, placement: Placement, slope: np.ndarray, scale: np.ndarray, sizes: np.ndarray, drawn: np.ndarray,
        images: np.ndarray, boxes: np.ndarray,
    ) -> None:  # fmt: skip
        """Draw placed letters; `slope` and `scale` as the kernel takes them, `sizes` the pictures' by scale."""
        wave = np.zeros((len(scale), 5), np.int64)
        for k, name in enumerate((*WAVE, *PHASE_COLUMNS) if self._waves else ()):
            wave[:, k] = drawn[name]
        letters = warp_kernel.Letters(placement.glyph, placement.centre, placement.turn, slope, scale, wave)
        scales = warp_kernel.Scales(sizes, self._percents, self._dense, self._places)
        table = resampling.sines(warp_kernel.SINES)
        warp_kernel.draw_letters(letters, self._bitmaps, scales, table, images, boxes)

    def add_noise(self, drawn: np.ndarray, sizes: np.ndarray, images: np.ndarray, boxes: np.ndarray) -> None:
        """Draw noise over pictures of `sizes` (n, 2), in place; blur widens boxes by a pixel a pass."""
        settings = np.stack([drawn[name].astype(np.int64) for name in NOISE_COLUMNS], axis=1)
        noise_kernel.add_noise(images, sizes, drawn["noise"].copy(), settings, self._thickness)
        widen(boxes, settings[:, -1], sizes)

    def columns(self, drawn: np.ndarray, placement: Placement | None) -> list[np.ndarray]:
        """Return the values that tell pictures of equal text, face, shear and scale apart, each (n,) uint64.

        The split depends on them. Letters count by where they stand: tracking and a move may lead to the same place.
        """
        found = [] if placement is None else list(placement.moved.T)
        found += [drawn[name] for name in (self.dtype.names or ()) if name not in LETTER]
        return [values.astype(np.int64).astype(np.uint64) if values.dtype != np.uint64 else values for values in found]


def widen(boxes: np.ndarray, passes: np.ndarray, sizes: np.ndarray) -> None:
    """Widen boxes (n, L, 4) by a pixel a pass (n,) on each side, within pictures of `sizes` (n, 2), in place."""
    there = boxes[..., 0] >= 0
    for edge in range(4):
        wider = boxes[..., edge] + (-passes if edge < 2 else passes)[:, None]
        boxes[..., edge] = np.where(there, wider.clip(0, sizes[:, edge % 2][:, None]), -1)
