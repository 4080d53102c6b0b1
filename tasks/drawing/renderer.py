"""Draw parameters for a block, then render the block: picture i depends on profile, seed and i alone."""

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import ArrayLike

from storage.errors import BadInput
from storage.shards.shard import BLOCK, Block
from tasks.drawing import letter_kernel
from tasks.drawing.clipping import Each, check_fit, check_room
from tasks.drawing.distortions import Placement, Variation
from tasks.drawing.letter_kernel import Bitmaps, Setting, Texts
from tasks.drawing.painting.painter import Painter, Placed
from tasks.drawing.randomness import below, raw, split_by
from tasks.drawing.resampling import tangent
from tasks.drawing.sprites import make_shears, make_sprites
from tasks.lowlevel.unaligned import WORD
from tasks.profiles.fonts import Face
from tasks.profiles.glyphs import GlyphSet
from tasks.profiles.profile import Profile
from tasks.profiles.word_lists import letters_of

RENDERER = 1  # raised whenever the same parameters give other bytes; part of a dataset's identity
PARAMETERS = np.dtype([("height", "<u2"), ("width", "<u2"), ("font", "<u2"), ("shear", "<i2"), ("scale", "<u2")])

# Columns of a block's random table. Each has a counter of its own, so that a new column moves no other;
# those of distortions are in distortions.py.
TEXT, FONT, SHEAR, SCALE, FIRST_LETTER = 0, 1, 2, 3, 16


@dataclass(frozen=True)
class BlockParameters:
    """A block's parameters: letters (1024, L) int32 (-1 past the end) and indices (1024,) into the ranges.

    `drawn` (1024,) holds the values of the profile's distortions, a compound without fields if it has none.
    """

    letters: np.ndarray
    font: np.ndarray
    shear: np.ndarray
    scale: np.ndarray
    drawn: np.ndarray

    def rows(self, chosen: slice | np.ndarray) -> "BlockParameters":
        """Return the rows that a mask, slice or index array chooses."""
        return BlockParameters(*(array[chosen] for array in vars(self).values()))


class Renderer:
    """Draws a profile's blocks.

    Parameters
    ----------
    profile : Profile
    faces, glyphs : the profile's faces, and their letters at its size, in order
        Without glyphs, `()`, it only draws parameters: these depend on no letter's form, so none is prepared.
    words : tuple of str
        The dictionary; empty for random strings.
    used : (faces, A) bool array, optional
        The letters that will be drawn, if they are few. Default: all.
    each : callable, optional
        Applies a function to each face, in order, as `map` does; `in_two` does it in two processes.

    Raises
    ------
    BadInput
        Some text does not fit into the picture.
    """

    def __init__(
        self, profile: Profile, faces: tuple[Face, ...], glyphs: tuple[GlyphSet, ...], words: tuple[str, ...],
        used: np.ndarray | None = None, each: Each = map,
    ):  # fmt: skip
        self.profile = profile
        self.canvas = profile.canvas
        self.shape = (*profile.canvas, 3) if profile.colour else profile.canvas  # of a picture's array
        self._shears = np.array(profile.shear.values(), np.int64)
        self._scales = np.array(profile.scale.values(), np.int64)
        self._slopes = np.array([tangent(int(shear)) for shear in self._shears], np.int64)
        sizes = [(profile.height * scale // 100, profile.width * scale // 100) for scale in self._scales]
        self._sizes = np.maximum(np.array(sizes, np.int64), 1)
        # By digest, not by place in the list, so that a face has the same number in every profile.
        self._face_numbers = np.array([int(face.sha256[:16], 16) for face in faces], np.uint64)
        # Letters that a face draws alike share a code, so that equal pictures share a split whatever their text is.
        codes = [ord(character) for character in profile.alphabet]
        self._codes = np.tile(np.array([*codes, 0], np.uint64), (len(faces), 1))
        self._read_words(words)
        self._variation = Variation(profile, glyphs, self.longest)
        self._painter = Painter(profile, glyphs, self.longest, used) if profile.paints else None
        self._drawn = np.dtype([*self._variation.dtype.descr, *(self._painter.dtype.descr if self._painter else [])])
        self._parameters = np.dtype(PARAMETERS.descr + [(name, *part) for name, *part in self._drawn.descr])
        if glyphs:
            self._prepare(faces, glyphs, words, each)

    def _prepare(
        self, faces: tuple[Face, ...], glyphs: tuple[GlyphSet, ...], words: tuple[str, ...], each: Each
    ) -> None:  # fmt: skip
        """Check that the texts fit, and make the tables that drawing needs."""
        profile = self.profile
        for row, glyph_set in zip(self._codes, glyphs, strict=True):
            for numbers in glyph_set.alike():
                row[numbers] = row[numbers].min()
        self._join(glyphs)
        if profile.fits_text:
            check_room(profile, faces, glyphs, words, self._fits)
        else:
            check_fit(profile, faces, glyphs, words, each)
        if not profile.resamples:
            lowest = int((self._bitmaps.corners[:, 0] + self._bitmaps.shapes[:, 0]).max())
            self._by_shear = make_shears(self._slopes, self._scales, self._sizes, max(self.canvas), lowest)
            self._sprites = make_sprites(self._bitmaps, self._by_shear, self.canvas[0])

    def _read_words(self, words: tuple[str, ...]) -> None:
        self.longest = max(map(len, words)) if words else self.profile.length[1]
        widest = max(len(character.encode()) for character in self.profile.alphabet)
        self.text_bytes = max(len(word.encode()) for word in words) if words else widest * self.longest
        self._words = letters_of(words, self.profile.alphabet) if words else None
        self._encoded = [character.encode() for character in self.profile.alphabet]

    def _join(self, glyphs: tuple[GlyphSet, ...]) -> None:
        """Join the tables of all faces, the bitmaps one after another."""
        firsts = np.cumsum([0] + [len(glyph_set.bitmaps) for glyph_set in glyphs[:-1]])
        self._setting = Setting(
            np.stack([glyph_set.variant + first for glyph_set, first in zip(glyphs, firsts, strict=True)]),
            np.stack([glyph_set.advance for glyph_set in glyphs]),
            np.stack([glyph_set.kerning for glyph_set in glyphs]), self.profile.left,
        )  # fmt: skip
        corners = np.concatenate([glyph_set.corners for glyph_set in glyphs]).astype(np.int64)
        corners[:, 0] += self.profile.top
        bitmaps = [bitmap for glyph_set in glyphs for bitmap in glyph_set.bitmaps]
        self._bitmaps = Bitmaps(
            np.concatenate([bitmap.ravel() for bitmap in bitmaps]),
            np.cumsum([0] + [bitmap.size for bitmap in bitmaps[:-1]]).astype(np.int64),
            np.array([bitmap.shape for bitmap in bitmaps], np.int64), corners,
        )  # fmt: skip

    def parameters(self, seed: int, block: int) -> BlockParameters:
        """Draw the whole table of a block, always 1,024 rows."""
        profile = self.profile
        numbers = raw(seed, block, TEXT)
        if self._words is not None:
            letters = self._words[below(numbers, len(self._words))]
        else:
            shortest, longest = profile.length
            lengths = shortest + below(numbers, longest - shortest + 1)
            columns = [below(raw(seed, block, FIRST_LETTER + k), len(profile.alphabet)) for k in range(longest)]
            letters = np.stack(columns, axis=1).astype(np.int32)
            letters[np.arange(longest) >= lengths[:, None]] = -1
        font = below(raw(seed, block, FONT), len(self._face_numbers))
        drawn = self._variation.draw(lambda column: raw(seed, block, column), letters)
        if self._painter:
            painted = self._painter.values.draw(lambda column: raw(seed, block, column), letters, font)
            drawn = self._joined(drawn, painted, letters)
        return BlockParameters(
            letters, font, below(raw(seed, block, SHEAR), len(self._shears)),
            below(raw(seed, block, SCALE), len(self._scales)), drawn,
        )  # fmt: skip

    def _joined(self, varied: np.ndarray, painted: np.ndarray, letters: np.ndarray) -> np.ndarray:
        """Join the values of both kinds of distortions; what has no effect is 0."""
        drawn = np.zeros(len(letters), self._drawn)
        for part in (varied, painted):
            for name in part.dtype.names or ():
                drawn[name] = part[name]
        if self._painter:
            self._painter.values.clear(drawn, letters)
        return drawn

    def _fits(self, texts: list[str], shear: int) -> np.ndarray:
        """Return the least percent of its size at which a text in each face fits, (n,) int."""
        fits = [np.full(len(texts), 100)]
        for values in self._painter.values.largest(self._drawn) if self._painter else ():
            placed = self._place(self.table(texts, np.arange(len(texts)), shear, self._scales[0], **values))
            fits += [placed.fit] if isinstance(placed, Placed) else []
        return np.asarray(np.min(fits, axis=0))

    def letters_a_text(self) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and variance of each character's count in a text, both (A,) float64."""
        size = len(self.profile.alphabet)
        if self._words is None:
            lengths, share = np.arange(self.profile.length[0], self.profile.length[1] + 1), 1 / size
            variance = lengths.mean() * share * (1 - share) + lengths.var() * share**2
            return np.full(size, lengths.mean() * share), np.full(size, variance)
        counts = [(self._words == number).sum(axis=1) for number in range(size)]
        return np.array([times.mean() for times in counts]), np.array([times.var() for times in counts])

    def scratch(self) -> np.ndarray:
        """Return memory for a whole block's pictures, to be used for block after block."""
        return np.empty(BLOCK * prod(self.shape) + WORD, np.uint8)

    def block(self, seed: int, block: int, count: int = BLOCK, pixels: np.ndarray | None = None) -> Block:
        """Draw the first `count` pictures of a block, with text, boxes, parameters and split.

        Parameters
        ----------
        pixels : ndarray, optional
            Memory from `scratch()`, in which the pictures are drawn. New memory for each block would take
            as much time as drawing.
        """
        return self.render(self.parameters(seed, block).rows(slice(count)), pixels)

    def render(self, table: BlockParameters, pixels: np.ndarray | None = None) -> Block:
        """Draw the pictures of any table; rows do not depend on one another."""
        count = len(table.letters)
        size = count * prod(self.shape)
        # The kernel writes whole words, so the last may reach past the pictures.
        pixels = np.empty(size + WORD, np.uint8) if pixels is None else pixels[: size + WORD]
        images = pixels[:size].reshape(count, *self.shape)
        boxes = np.empty((count, self.longest, 4), np.int16)
        placement = self._place(table)
        drawn = table.drawn
        if isinstance(placement, Placed):
            drawn = self._paint(table, placement, images, boxes)
        elif placement is None:
            texts = Texts(table.letters, table.font, table.shear, table.scale)
            letter_kernel.draw_rows(
                texts, self._setting, self._bitmaps, self._by_shear, self._sprites, pixels, self.canvas, boxes
            )
        else:
            slopes = self._slopes[table.shear]
            self._variation.draw_letters(placement, slopes, table.scale, self._sizes, table.drawn, images, boxes)
        if self.profile.adds_noise and not self._painter:
            self._variation.add_noise(table.drawn, self._sizes[table.scale], images, boxes)
        parameters = np.empty(count, self._parameters)
        parameters["height"], parameters["width"] = self._sizes[table.scale].T
        parameters["font"] = table.font
        parameters["shear"] = self._shears[table.shear]
        parameters["scale"] = self._scales[table.scale]
        for name in drawn.dtype.names or ():
            parameters[name] = drawn[name]
        return Block(images, self._text(table.letters), boxes, parameters, self._split(table, placement))

    def _place(self, table: BlockParameters) -> Placement | Placed | None:
        """Place the letters; None if they stand as the font puts them."""
        if not self.profile.resamples:
            return None
        placement = self._variation.place(table.letters, table.font, table.drawn)
        if not self._painter:
            return placement
        return self._painter.place(table.letters, table.font, self._slopes[table.shear], table.drawn, placement)

    def _paint(self, table: BlockParameters, placed: Placed, images: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        """Paint pictures, and return their values with the sizes at which their texts fit."""
        drawn = table.drawn.copy()
        if "fit" in (drawn.dtype.names or ()):
            drawn["fit"] = placed.fit
        canvases = images.reshape(len(images), *self.canvas, -1)
        if self._painter:
            self._painter.paint(placed, self._slopes[table.shear], table.scale, drawn, canvases, boxes)
        return drawn

    def table(
        self, texts: list[str], font: ArrayLike = 0, shear: ArrayLike = 0, scale: ArrayLike = 100,
        **distortions: ArrayLike,
    ) -> BlockParameters:  # fmt: skip
        """Make a table of chosen texts and parameter values, each a single value or a list.

        `distortions` are fields of the stored parameters; those of letters are (n, L) or broadcast to it. A field
        that is not given has the first value of its range. `noise` is any number.

        Raises
        ------
        BadInput
            A character outside the alphabet, a text too long, or a value the profile does not have.
        """
        letters, alphabet = np.full((len(texts), self.longest), -1, np.int32), self.profile.alphabet
        for row, text in zip(letters, texts, strict=True):
            for k, character in enumerate(text):
                if k >= self.longest or character not in alphabet:
                    raise BadInput(f"text {text!r}: must be at most {self.longest} characters of {alphabet!r}")
                row[k] = alphabet.index(character)

        def indices(field: str, value: ArrayLike, allowed: np.ndarray) -> np.ndarray:
            values = np.broadcast_to(np.asarray(value), len(texts))
            found = np.searchsorted(allowed, values).clip(max=len(allowed) - 1)
            if (allowed[found] != values).any():
                raise BadInput(f"{field}: must be one of {allowed.tolist()}; it is {value!r}")
            return found

        known = [name for name in self._drawn.names or () if name != "fit"]  # which follows from the others
        for name in distortions.keys() - known:
            raise BadInput(f"{name}: must be one of {', '.join(known or ('no distortion',))}")
        face = indices("font", font, np.arange(len(self._face_numbers)))
        varied = self._variation.dtype.names or ()
        drawn = self._variation.chosen(letters, {k: v for k, v in distortions.items() if k in varied})
        if self._painter:
            rest = {k: v for k, v in distortions.items() if k not in varied}
            drawn = self._joined(drawn, self._painter.values.chosen(letters, face, rest), letters)
        return BlockParameters(
            letters, face, indices("shear", shear, self._shears), indices("scale", scale, self._scales), drawn
        )

    def split(self, table: BlockParameters) -> np.ndarray:
        """Return 0 train, 1 validation, 2 test (80/10/10), (n,) uint8, from letters, face, shear, scale, distortions.

        It does not depend on the seed: the same picture falls into the same split in every dataset.
        """
        return self._split(table, self._place(table))

    def _split(self, table: BlockParameters, placement: Placement | Placed | None) -> np.ndarray:
        own = self.profile.own_faces
        faces = table.drawn["face"] if own else np.broadcast_to(table.font[:, None], table.letters.shape)
        columns = list(self._codes[faces, table.letters].T)
        columns += [self._face_numbers[table.font], self._shears[table.shear].astype(np.uint64)]
        columns += [self._scales[table.scale].astype(np.uint64)]
        if not isinstance(placement, Placed):
            return split_by(columns + self._variation.columns(table.drawn, placement))
        if own:
            columns += list(np.where(table.letters < 0, np.uint64(0), self._face_numbers[faces]).T)
        columns += self._variation.columns(table.drawn, None)
        return split_by(columns + (self._painter.columns(table.drawn, placement) if self._painter else []))

    def _text(self, letters: np.ndarray) -> np.ndarray:
        if len(b"".join(self._encoded)) == len(self._encoded):  # one byte a character
            codes = np.frombuffer(b"".join(self._encoded) + b"\0", np.uint8)[letters]
            return np.ascontiguousarray(codes[:, : self.text_bytes]).view(f"S{self.text_bytes}").ravel()
        texts = [b"".join(self._encoded[k] for k in row if k >= 0) for row in letters.tolist()]
        return np.array(texts, f"S{self.text_bytes}")
