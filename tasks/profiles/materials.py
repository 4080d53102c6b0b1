"""What drawing a profile takes and no kernel makes: faces, words and letters; a child can see to them."""

from collections.abc import Container
from typing import NamedTuple

from tasks.profiles.fonts import Face, find_face
from tasks.profiles.glyphs import GlyphSet, draw_glyphs, kerned
from tasks.profiles.profile import Profile
from tasks.profiles.word_lists import load_words

_MOST_FACES = 64  # whose letters are drawn before it is known which are used


class Materials(NamedTuple):
    """A profile's faces, its words (none for random strings), and the letters of each face, alone and without kerning.

    There are no letters where pairs of letters share pixels, or where only few of many faces may be used.
    """

    faces: tuple[Face, ...]
    words: tuple[str, ...]
    letters: tuple[GlyphSet, ...]

    def glyphs_of(self, profile: Profile, number: int, pairs: Container[tuple[str, str]]) -> GlyphSet:
        """Return the letters of a face by its number, with what these pairs of letters need."""
        face, size, alphabet = self.faces[number], profile.font_size, profile.alphabet
        if self.letters:
            return kerned(self.letters[number], face, size, alphabet, pairs)
        return draw_glyphs(face, size, alphabet, profile.ink, profile.paints, pairs)


def find_materials(profile: Profile, *, letters: bool = True) -> Materials:
    """Find what a profile is drawn of; `letters=False` leaves the letters to be drawn when they are asked for.

    Raises
    ------
    BadInput, NotThere
        A face or word list cannot be read, or lacks characters.
    """
    faces = tuple(map(find_face, profile.fonts))
    words = load_words(profile.words, profile.alphabet, profile.length) if profile.words else ()
    drawn: tuple[GlyphSet, ...] = ()
    if letters and profile.paints and len(faces) <= _MOST_FACES:
        size, alphabet, ink = profile.font_size, profile.alphabet, profile.ink
        drawn = tuple(draw_glyphs(face, size, alphabet, ink, alone=True, pairs=()) for face in faces)
    return Materials(faces, words, drawn)
