"""Paint the pictures of a profile: tables for the kernels, where letters stand, and the call of the kernel."""

from typing import NamedTuple

import numpy as np

from tasks.drawing import resampling, warp_kernel
from tasks.drawing.distortions import NOISE_COLUMNS, PHASE_COLUMNS, WAVE, Placement, widen
from tasks.drawing.noise_kernel import thicknesses
from tasks.drawing.outlines import each, ink_columns
from tasks.drawing.painting import layout, picture_kernel, strokes, weights
from tasks.drawing.painting.covering import Letters
from tasks.drawing.painting.filters import align
from tasks.drawing.painting.grounds import NUMBERS as GROUNDS
from tasks.drawing.painting.values import TURNS, Values, values_of
from tasks.profiles.glyphs import GlyphSet
from tasks.profiles.profile import Profile
from tasks.profiles.ranges import Grid

_PLACING = ("size", "growth", "bounce", "place_y", "place_x", "fit")  # the letters' places and sizes tell them
_CENTRED = 50


class Placed(NamedTuple):
    """Where letters stand: bitmaps (n, L), centres (n, L, 2) in 1/64 px.

    zoom : (n, L, 3), of width and height, and the tangent of the lean, in 1/65536
    moved : (n, columns) int64, what tells one place from another, for the split
    """

    glyph: np.ndarray
    behind: np.ndarray
    centre: np.ndarray
    turn: np.ndarray
    zoom: np.ndarray
    fit: np.ndarray
    moved: np.ndarray


class Painter:
    """Paints the pictures of a profile.

    Parameters
    ----------
    profile : Profile
    glyphs : tuple of GlyphSet
        The letters of its faces, in order; none, if only values are drawn.
    longest : int
        Number of letters of the longest text.
    used : (faces, A) bool array, optional
        The letters that will be painted. Default: all.
    """

    def __init__(
        self, profile: Profile, glyphs: tuple[GlyphSet, ...], longest: int, used: np.ndarray | None = None
    ):  # fmt: skip
        self._profile = profile
        self.values = Values(profile, longest)
        self.dtype = np.dtype([*self.values.dtype.descr, *([("fit", "<u2")] if profile.fits_text else [])])
        self._letters = len(profile.alphabet)
        if glyphs:
            self._prepare(glyphs, used)

    def _prepare(self, glyphs: tuple[GlyphSet, ...], used: np.ndarray | None) -> None:
        """Make the tables that painting needs."""
        alone = [[glyph_set.bitmaps[g] for g in glyph_set.variant[-1]] for glyph_set in glyphs]
        bitmaps = [bitmap for letters in alone for bitmap in letters]
        self._join(bitmaps, used)
        self._set_faces(bitmaps, glyphs)
        self._scale()
        self._tables = strokes.Tables(
            resampling.sines(warp_kernel.SINES), thicknesses(), strokes.chords(), np.arange(self._count)
        )

    def _join(self, bitmaps: list[np.ndarray], used: np.ndarray | None) -> None:
        """Join the bitmaps of all letters in every weight that occurs."""
        profile = self._profile
        fronts = [(w, h) for w in profile.weight.values() for h in values_of(profile, "hollow")]
        behind = [(w, 0) for w in profile.shadow_weight.values()]
        self._weights = {kind: number for number, kind in enumerate(dict.fromkeys([*fronts, *behind]))}
        self._bitmaps = weights.join(bitmaps, list(self._weights), used, profile.changes("decoys"))
        self._count = len(bitmaps)

    def _set_faces(self, bitmaps: list[np.ndarray], glyphs: tuple[GlyphSet, ...]) -> None:
        """Make the tables of faces; each face's letters stand on the row where most of them end."""
        corners = [glyph_set.corners[glyph_set.variant[-1]].astype(np.int64) for glyph_set in glyphs]
        shapes = np.array([bitmap.shape for bitmap in bitmaps], np.int64)
        lines = []
        for k, corner in enumerate(corners):
            ends = corner[:, 0] + shapes[k * self._letters : (k + 1) * self._letters, 0]
            lines.append(int(np.sort(ends)[len(ends) // 2]))
        lowered = [corner - [line, 0] for corner, line in zip(corners, lines, strict=True)]
        degrees = np.array(self._profile.rotation.values() if self._profile.overlap is not None else (0,))
        reach = np.stack(each(ink_columns, bitmaps, degrees)).astype(np.int64)
        self._faces = layout.Faces(
            np.stack([glyph_set.advance for glyph_set in glyphs]).astype(np.int64),
            np.stack([glyph_set.kerning for glyph_set in glyphs]).astype(np.int64),
            np.concatenate(lowered), shapes, reach,
        )  # fmt: skip

    def _scale(self) -> None:
        """Make the tables of scales: as the general kernel has them, then with twice as many samples."""
        profile = self._profile
        scales = profile.scale.values()
        sizes = np.array([(profile.height * scale // 100, profile.width * scale // 100) for scale in scales], np.int64)
        dense = [resampling.samples(scale) for scale in scales]
        dense += [2 * side for side in dense]
        rows = [
            resampling.sample_places(scale, max(profile.canvas) + 1, side)
            for scale, side in zip(scales * 2, dense, strict=True)
        ]
        places = np.zeros((len(rows), max(map(len, rows))), np.int64)
        for row, sampled in zip(places, rows, strict=True):
            row[: len(sampled)] = sampled
        self._scales = warp_kernel.Scales(
            np.maximum(sizes, 1), np.array(scales, np.int64), np.array(dense, np.int64), places
        )

    def place(
        self, letters: np.ndarray, font: np.ndarray, slope: np.ndarray, drawn: np.ndarray, placement: Placement
    ) -> Placed:
        """Choose the letters' bitmaps, and set the texts if the profile fits them; else leave them where they are."""
        there = letters >= 0
        face = self.faces(font, drawn, letters)
        kinds = self._kind(drawn, ("weight", "hollow"))[:, None]
        behind = self._kind(drawn, ("shadow_weight",))[:, None]
        number = face * self._letters + np.where(there, letters, 0)
        glyph = np.where(there, number + self._count * kinds, -1)
        behind = np.where(there, number + self._count * behind, -1)
        if not self._profile.fits_text:
            zoom = np.full((*letters.shape, 3), (resampling.ONE, resampling.ONE, 0), np.int64)
            moved = placement.moved
            fit = np.full(len(letters), 100, np.int64)
            return Placed(glyph, behind, placement.centre << 5, placement.turn, zoom, fit, moved)
        wanted = self._wanted(letters, face, slope, drawn, placement, glyph)
        centre, fit = np.zeros((*letters.shape, 2), np.int64), np.zeros(len(letters), np.int64)
        layout.settle(wanted, self._faces, self._profile.overlap is not None, self._room(), centre, fit)
        zoom = wanted.zoom * fit[:, None] // 100
        named = drawn.dtype.names or ()
        rotation = drawn["rotation"].astype(np.int64) if "rotation" in named else np.zeros_like(zoom)
        parts = [np.where(there, part, 0) for part in (rotation, centre[..., 0], centre[..., 1], zoom)]
        zoom = np.maximum(zoom, 1)
        form = np.stack([zoom, np.maximum(zoom * wanted.stretch // 100, 1), self._lean(drawn, letters)], axis=2)
        return Placed(glyph, behind, centre, placement.turn, form, fit, np.concatenate(parts, axis=1))

    def _lean(self, drawn: np.ndarray, letters: np.ndarray) -> np.ndarray:
        """Return the tangent of each letter's lean in 1/65536, (n, L) int64."""
        lean = self._number(drawn, "lean")
        values = self._profile.lean.values()
        tangents = np.array([resampling.tangent(angle) for angle in (0, *values)], np.int64)
        # Past the end of a text the lean is 0, which the range need not have.
        number = np.where(lean == 0, 0, 1 + np.searchsorted(values, lean).clip(max=len(values) - 1))
        return np.broadcast_to(tangents[number].reshape(len(drawn), -1), letters.shape)

    def _room(self) -> np.ndarray:
        profile = self._profile
        return np.array(
            [profile.top, profile.left, profile.height - 2 * profile.top, profile.width - 2 * profile.left], np.int64
        )

    def faces(self, font: np.ndarray, drawn: np.ndarray, letters: np.ndarray) -> np.ndarray:
        """Return the number of each letter's face, (n, L) int64."""
        if self._profile.own_faces:
            return drawn["face"].astype(np.int64)
        return np.broadcast_to(font[:, None], letters.shape).astype(np.int64)

    def _number(self, drawn: np.ndarray, name: str) -> np.ndarray:
        """Return a field's values, (n,) or (n, L) int64; where it is not stored, its only value."""
        if name in (drawn.dtype.names or ()):
            stored: np.ndarray = drawn[name].astype(np.int64)
            return stored
        grid = getattr(self._profile, name)
        return np.full(len(drawn), grid.start if isinstance(grid, Grid) else _CENTRED, np.int64)

    def _each(self, drawn: np.ndarray, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """Return a field's values, (n, L) int64."""
        return np.broadcast_to(self._number(drawn, name).reshape(len(drawn), -1), shape).copy()

    def _kind(self, drawn: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
        """Return the number of the weight in which bitmaps are drawn."""
        values = [self._number(drawn, name) for name in names] + (
            [] if len(names) == 2 else [np.zeros(len(drawn), int)]
        )
        found = np.zeros(len(drawn), np.int64)
        for kind, number in self._weights.items():
            found[(values[0] == kind[0]) & (values[1] == kind[1])] = number
        return found

    def _wanted(
        self, letters: np.ndarray, face: np.ndarray, slope: np.ndarray, drawn: np.ndarray, placement: Placement,
        glyph: np.ndarray,
    ) -> layout.Wanted:  # fmt: skip
        """Gather what the layout needs."""
        profile = self._profile
        named = set(drawn.dtype.names or ())

        def each(name: str) -> np.ndarray:
            return drawn[name].astype(np.int64) if name in named else np.zeros(letters.shape, np.int64)

        size = drawn["size"].astype(np.int64) if "size" in named else np.full(letters.shape, profile.size.start)
        count = (letters >= 0).sum(axis=1)[:, None]
        order = np.arange(letters.shape[1])
        growth = self._number(drawn, "growth")[:, None]
        # From the first letter to the last; in the middle letters keep their size.
        share = (
            1000
            * (200 * np.maximum(count - 1, 1) + growth * (2 * order - count + 1))
            // (200 * np.maximum(count - 1, 1))
        )
        zoom = np.maximum(size * share * resampling.ONE // 100_000, resampling.ONE // 10)
        odd = (order % 2)[None] * self._number(drawn, "bounce")[:, None]
        move = np.stack([each("move_y") + odd, each("move_x")], axis=2)
        gap = -each("overlap") if profile.overlap is not None else each("tracking")
        angle = np.searchsorted(profile.rotation.values(), each("rotation")).clip(max=self._faces.reach.shape[1] - 1)
        stretch = np.where(letters < 0, 100, self._each(drawn, "stretch", letters.shape))
        half = self._bitmaps.shapes[np.maximum(glyph, 0)]
        half[..., 0] = half[..., 0] * stretch // 100
        half[..., 1] += abs(self._lean(drawn, letters)) * half[..., 0] >> 16
        half = -(-half * (100 + 2 * self._each(drawn, "corners", letters.shape)[..., None]) // 100)
        place = np.stack([self._number(drawn, name) for name in ("place_y", "place_x")], axis=1)
        return layout.Wanted(
            np.where(letters >= 0, letters, -1).astype(np.int64), face, angle, placement.turn, zoom, stretch, move, gap,
            half, slope, self._spare(drawn, slope), place,
        )  # fmt: skip

    def _spare(self, drawn: np.ndarray, slope: np.ndarray) -> np.ndarray:
        """Return what waves and shadows take at the top, left, bottom and right, (n, 4) int64, in 1/64 px."""
        named = set(drawn.dtype.names or ())
        none = np.zeros(len(drawn), np.int64)
        wave = [
            drawn[name].astype(np.int64) * layout.PEN // 10 + layout.PEN // 2 if name in named else none
            for name in ("wave_y", "wave_x")
        ]
        down, right = (layout.PEN * self._number(drawn, name) for name in ("shadow_y", "shadow_x"))
        heavier = np.maximum(self._number(drawn, "shadow_weight"), 0) * layout.PEN // 10
        spare = [wave[0] - np.minimum(down - heavier, 0), wave[1] - np.minimum(right - heavier, 0)]
        spare += [wave[0] + np.maximum(down + heavier, 0), wave[1] + np.maximum(right + heavier, 0)]
        return np.stack(spare, axis=1)

    def paint(
        self, placed: Placed, slope: np.ndarray, scale: np.ndarray, drawn: np.ndarray, images: np.ndarray,
        boxes: np.ndarray,
    ) -> None:  # fmt: skip
        """Paint pictures into `images`, (n, H, W, C), and write the boxes of their letters' own ink."""
        wave = np.zeros((len(scale), 5), np.int64)
        for k, name in enumerate((*WAVE, *PHASE_COLUMNS)):
            if name in (drawn.dtype.names or ()):
                wave[:, k] = drawn[name]
        across, down, lean = (np.ascontiguousarray(placed.zoom[..., k]) for k in range(3))
        letters = Letters(
            placed.glyph, placed.behind, placed.centre, placed.turn, across, down, lean, slope, scale, wave,
            self._each(drawn, "corners", placed.glyph.shape),
        )  # fmt: skip
        pictures = self._pictures(drawn, placed.glyph, images.shape[-1])
        picture_kernel.paint(pictures, letters, self._bitmaps, self._scales, self._tables, images, boxes)
        layout.require_ink(self._profile, np.where(placed.glyph < 0, -1, placed.glyph % self._letters), boxes)
        sizes, named = self._scales.sizes[scale], drawn.dtype.names or ()
        if "coarse" in named:
            align(boxes, np.maximum(drawn["coarse"].astype(np.int64), 1), sizes)
        if "blur" in named:
            widen(boxes, drawn["blur"].astype(np.int64), sizes)

    def _pictures(self, drawn: np.ndarray, glyph: np.ndarray, channels: int) -> picture_kernel.Pictures:
        named = set(drawn.dtype.names or ())
        numbers = np.zeros((len(drawn), len(picture_kernel.NUMBERS)), np.int64)
        for k, name in enumerate(picture_kernel.NUMBERS):
            if name in NOISE_COLUMNS:
                numbers[:, k] = drawn[name] if name in named else 0
            elif name == "ground":
                numbers[:, k] = drawn[name] if name in named else GROUNDS[self._profile.ground[0]]
            elif name == "shadow":
                for field in ("shadow_y", "shadow_x", "shadow_weight"):
                    numbers[:, k] |= self._number(drawn, field) != 0
            else:
                numbers[:, k] = self._number(drawn, name)
        keys = drawn["noise"].copy() if "noise" in named else np.zeros(len(drawn), np.uint64)
        turn = np.stack(resampling.turned(self._number(drawn, "ground_angle")), axis=1)
        return picture_kernel.Pictures(
            numbers, keys, drawn["paint"].copy(), turn=turn, **self._colours(drawn, glyph.shape, channels)
        )

    def _colours(self, drawn: np.ndarray, shape: tuple[int, ...], channels: int) -> dict[str, np.ndarray]:
        """Return the colours of grounds, tiles, letters, shadows, strokes, specks, frame as the kernel takes them."""
        named, n = set(drawn.dtype.names or ()), len(drawn)
        if channels == 1:
            counts = {"letter": shape[1], "shadow": shape[1], "line": TURNS, "speck": TURNS, "frame": 1}
            inks = {name: np.full((n, count, 1), 255, np.uint8) for name, count in counts.items()}
            return {"ground": np.zeros((n, 2, 1), np.uint8), "tile": np.zeros((n, 1, 1), np.uint8), **inks}

        def spread(name: str, count: int) -> np.ndarray:
            stored: np.ndarray = drawn[name].reshape(n, -1)
            return _channels(np.broadcast_to(stored, (n, count)))

        ground = spread("ground_colour", 1)
        pattern = spread("pattern_colour", 1) if "pattern_colour" in named else ground
        tile = spread("tile_colour", shape[1]) if "tile_colour" in named else ground
        letter = spread("letter_colour", shape[1])
        shadow = spread("shadow_colour", shape[1]) if "shadow_colour" in named else letter
        line = spread("line_colour", TURNS) if "line_colour" in named else np.repeat(letter[:, :1], TURNS, axis=1)
        speck = spread("speck_colour", TURNS) if "speck_colour" in named else line
        frame = spread("frame_colour", 1) if "frame_colour" in named else np.zeros((n, 1, 3), np.uint8)
        return {
            "ground": np.concatenate([ground, pattern], axis=1), "tile": tile, "letter": letter, "shadow": shadow,
            "line": np.ascontiguousarray(line), "speck": np.ascontiguousarray(speck), "frame": frame,
        }  # fmt: skip

    def columns(self, drawn: np.ndarray, placed: Placed) -> list[np.ndarray]:
        """Return the values that tell pictures of equal texts and faces apart, each (n,) uint64, for the split."""
        found = list(placed.moved.T)
        for name in self.dtype.names or ():
            if name not in _PLACING:
                values = drawn[name]
                found += list(values.T) if values.ndim == 2 else [values]
        return [values if values.dtype == np.uint64 else values.astype(np.int64).astype(np.uint64) for values in found]


def _channels(colours: np.ndarray) -> np.ndarray:
    """Divide colours 0xRRGGBB into (…, 3) uint8."""
    return np.stack([colours >> shift & 255 for shift in (16, 8, 0)], axis=-1).astype(np.uint8)
