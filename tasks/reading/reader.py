"""Pictures in, ranked words with confidence out: the only door for evaluating and for solving."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from storage.errors import BadInput
from storage.learnt_texts import LONGEST
from tasks.reading.components import find_apart
from tasks.reading.confidence import (
    ALLOWED,
    Curve,
    Letters,
    common_evidence,
    confidence,
    curves_of,
    log_odds_of,
    old_confidence,
    old_evidence,
    shares_of,
    spread,
    unknown,
)
from tasks.reading.deskew import upright
from tasks.reading.features import shape_spans
from tasks.reading.lattice import Lattice, find_spans
from tasks.reading.networks import GATE, LETTERS, FittedNetwork, gate_odds, layers_of, letter_odds, require_record
from tasks.reading.path_bounds import BEST, NEVER, Spans
from tasks.reading.ranking import Cases, Ranked, Ranking, dictionary_of, join_letters, nearest_words
from tasks.reading.string_search import Strings, best_strings
from tasks.reading.word_search import best_words

LONGEST_BY_DEFAULT = 12  # letters of a text whose length is not known

# Log odds.
SURE = 1.0  # a picture whose components are all letters at least this surely is not cut any further
SLACK = 8.0  # strings that score this much less than the best are not searched
MARGIN = 5.0  # words that score this much less than the best do not count in the sum of all words
FAR = -3.0  # a span whose best letter has less is on no path worth a search; costs no word of `hard` (docs/reader.md)
MOST_BENT = -20  # evidence for a confidence is cut off here
LEAST_SHARE = 1e-5  # so is a word's share of all words, and its complement
_AT_ONCE = 256  # pictures that are read at once
_NEAR = 64  # pictures with spans between any cuts: the shapes of so many stay in the processor's cache


@dataclass(frozen=True)
class Readings:
    """The readings of n pictures, and how they were found; m letters.

    Attributes
    ----------
    reading : (n,) str
        The most probable letters, before any dictionary; '' without ink.
    reading_confidence : (n,) float64
        Calibrated; 0 beside ''; not a number if the model has no curve for it.
    words, confidences : (n, 3) str, (n, 3) float64
        Best first, by the reader's ranking; '' and 0 where there are fewer. Not a number where the model has no curve
        for the ranking: a share among words is no confidence.
    segments : (n,) int64
        How many letters the picture was cut into.
    picture, box : (m,) int64, (m, 4) int16
        Where the letters of the readings are: top, left, bottom, right in the upright ink.
    height, shear, offset : (n,) int64
        Of the letters, and what made the picture upright (see `tasks.reading.deskew.upright`).
    answers : dict of Ranking to Ranked
        For every ranking that was asked for; `words` and `confidences` are one of them.
    evidence : dict of Ranking to (n, k) float64
        The evidence that the confidences of `PROBABILITY` and `NONE` are computed from.
    """

    reading: np.ndarray
    reading_confidence: np.ndarray
    words: np.ndarray
    confidences: np.ndarray
    segments: np.ndarray
    picture: np.ndarray
    box: np.ndarray
    height: np.ndarray
    shear: np.ndarray
    offset: np.ndarray
    answers: dict[Ranking, Ranked]
    evidence: dict[Ranking, np.ndarray]


class Reader:
    """A loaded model, with or without a dictionary.

    Parameters
    ----------
    networks, provenance : dict of str to fitted network, dict
        From `storage.models.load_model`; the provenance has at least what `require_record` asks for.
    words : tuple of str
        The dictionary; empty for random strings.
    ranking : Ranking, optional
        By default `PROBABILITY` with a dictionary, and `NONE` without.
    alphabet : str, optional
        The letters that may occur, of those that the model knows, each as probable as the others. By default all, and
        texts of one case are more probable (see `tasks.reading.ranking.Cases`).
    length : (int, int), optional
        The shortest and the longest text; by default those of the dictionary's words, or 1 to 12.

    Raises
    ------
    BadInput
        The model was trained on other features or its record is incomplete; letters that it does not know; a word
        with other letters; a ranking that needs a dictionary where there is none; a length that cannot be.

    Examples
    --------
    >>> from storage.models import load_model
    >>> from tasks.datasets.recipe import make_recipe, renderer_of
    >>> from tasks.profiles.built_in import find_profile
    >>> networks, provenance = load_model("tasks/ladder.skops")
    >>> block = renderer_of(make_recipe(find_profile("book"), seed=1)).block(1, 0, 8)
    >>> readings = Reader(networks, provenance).read(block.images)
    >>> readings.reading[:3].tolist()
    ['GAPY', 'TERA', 'COAK']
    >>> readings.reading.tolist() == block.texts()
    True
    >>> readings.words.shape
    (8, 3)
    """

    doubts = False  # whether pictures of strangers are looked at for what the model cannot know: `tasks.doubts`

    def __init__(
        self,
        networks: Mapping[str, FittedNetwork],
        provenance: dict[str, Any],
        words: tuple[str, ...] = (),
        ranking: Ranking | None = None,
        alphabet: str | None = None,
        length: tuple[int, int] | None = None,
    ):
        known = require_record(networks, provenance)
        self._letters, self._gate = layers_of(networks[LETTERS]), layers_of(networks[GATE])
        self.alphabet = known if alphabet is None else alphabet
        foreign = [letter for letter in self.alphabet if letter not in known]
        if foreign or not self.alphabet:
            raise BadInput(
                f"alphabet {alphabet!r}: must be letters that the model knows, which are {known!r}; it has "
                f"{', '.join(map(repr, foreign)) or 'none'}. Train a model on such letters"
            )
        self._columns = np.array([known.index(letter) for letter in self.alphabet])
        self.least: float = provenance["gate"]
        self.curves: dict[str, Curve | list[float]] = curves_of(provenance["calibration"])
        self._cases = Cases(self.alphabet) if alphabet is None else None
        self.dictionary = dictionary_of(words, self.alphabet)
        lengths = [len(word) for word in self.dictionary.listed] or [1, LONGEST_BY_DEFAULT]
        self.length = (min(lengths), max(lengths)) if length is None else length
        if not 1 <= self.length[0] <= self.length[1] <= LONGEST:
            raise BadInput(f"length: must be from 1 to {LONGEST} letters, the shortest first; it is {self.length}")
        self.ranking = self._possible(ranking or (Ranking.PROBABILITY if words else Ranking.NONE))

    def read(self, images: np.ndarray, rankings: Iterable[Ranking] = ()) -> Readings:
        """Read pictures.

        Parameters
        ----------
        images : (n, H, W) uint8
            0 background to 255 ink.
        rankings : iterable of Ranking
            More rankings to answer by, besides the reader's own. Cutting and classifying is done once.

        Raises
        ------
        BadInput
            A ranking that needs a dictionary where there is none.
        ValueError
            Another shape or type.
        """
        if images.ndim != 3 or images.dtype != np.uint8:
            raise ValueError(f"images: must be (n, rows, columns) uint8; it is {images.shape} {images.dtype}")
        asked = tuple(dict.fromkeys([self.ranking, *map(self._possible, rankings)]))
        parts = [
            self._read(images[first : first + _AT_ONCE], asked) for first in range(0, max(len(images), 1), _AT_ONCE)
        ]
        return parts[0] if len(parts) == 1 else joined(parts)

    def _possible(self, ranking: Ranking) -> Ranking:
        ranking = Ranking(ranking)
        if ranking is not Ranking.NONE and not len(self.dictionary):
            raise BadInput(f"ranking {ranking.value!r}: needs a dictionary; give a dictionary, or choose 'none'")
        return ranking

    def _read(self, images: np.ndarray, asked: tuple[Ranking, ...]) -> Readings:
        ink, shear, offset = upright(images)
        lattice, known = self.spans(ink)
        n, longest = len(images), self.length[1]
        odds = np.ascontiguousarray(known[:, self._columns])
        spans = Spans(lattice.starts, lattice.cuts, lattice.first, lattice.last, odds)
        strings = best_strings(spans, *self.length, SLACK)
        plain = strings.scores[:, 0]
        if self._cases:
            strings = self._cases.favour(spans, strings, self.length, SLACK)
        classes, chosen, scores = strings
        found = chosen >= 0
        evidence = self._evidence(strings, known, lattice, ink)
        old = {Ranking.NONE: old_evidence(strings, odds, lattice)}
        texts = join_letters(classes.reshape(-1, longest), self.dictionary).reshape(-1, BEST)
        shares = self._confident(Ranking.NONE, evidence, old, shares_of(scores), found[:, 0])
        answers = {Ranking.NONE: Ranked(texts, shares)}
        if Ranking.PROBABILITY in asked:
            words, worth, total = best_words(self.dictionary.trie, spans, MARGIN)
            listed = np.append(self.dictionary.words, "")
            own = np.exp(np.maximum(worth - total[:, None], -50)) * (words >= 0)
            bent = np.clip(worth[:, 0] - plain, MOST_BENT, 0)
            first = np.column_stack([log_odds_of(own[:, 0], LEAST_SHARE), bent])
            evidence[Ranking.PROBABILITY] = np.column_stack([first, evidence[Ranking.NONE][:, 1:]])
            old[Ranking.PROBABILITY] = np.column_stack([first, old[Ranking.NONE][:, 1:3]])
            shares = self._confident(Ranking.PROBABILITY, evidence, old, own, words[:, 0] >= 0)
            answers[Ranking.PROBABILITY] = Ranked(listed[words], shares)
        for ranking in asked:
            if ranking not in answers:
                ranked = nearest_words(classes[:, 0], self.dictionary, ranking)
                answers[ranking] = Ranked(ranked.words, unknown(ranked.words.shape))
        own = answers[self.ranking]
        return Readings(
            texts[:, 0], answers[Ranking.NONE].probabilities[:, 0], own.words, own.probabilities, found.sum(axis=1),
            np.repeat(np.arange(n), found.sum(axis=1)), lattice.box[chosen[found]], lattice.height, shear, offset,
            {ranking: answers[ranking] for ranking in asked}, evidence,
        )  # fmt: skip

    def _evidence(
        self, strings: Strings, known: np.ndarray, lattice: Lattice, ink: np.ndarray
    ) -> dict[Ranking, np.ndarray]:
        """Compute the evidence for the best strings; `known` has the log odds of all letters that the model knows."""
        texts, chosen, scores = strings
        found = chosen >= 0
        counts, own = found.sum(axis=1), texts[:, 0][found].astype(np.int64)
        odds, margin = known[chosen[found]], np.minimum(scores[:, 0] - scores[:, 1], SLACK)
        if self._cases:
            odds, turned = self._cases.lower_other(odds, texts[:, 0], self._columns)
            margin = np.minimum(margin, turned)
        allowed = np.isin(np.arange(known.shape[1]), self._columns)
        letters = Letters(counts, odds, self._columns[own], allowed, lattice.box[chosen[found]])
        return {Ranking.NONE: np.column_stack([margin, common_evidence(letters, ink, lattice.cuts, lattice.height)])}

    def spans(self, ink: np.ndarray) -> tuple[Lattice, np.ndarray]:
        """Find the spans of upright ink that may be letters, and their log odds (m, C) float64 against other ink.

        The odds are of all C letters that the model knows. Components are the spans if each surely is a letter and
        their number is allowed; else spans between any cuts that the gate does not refuse.
        """
        # Columns that were picked lie behind each other, and a kernel compiles anew for another order of its arrays.
        apart = find_apart(ink)
        odds = letter_odds(self._letters, shape_spans(ink, apart))
        doubtful = np.bincount(apart.picture[self._top(odds) < SURE], minlength=len(ink)) > 0
        fine = (apart.counts >= self.length[0]) & (apart.counts <= self.length[1]) & ~doubtful
        if fine.all():
            return apart, odds.astype(np.float64, order="C")
        rest = np.ascontiguousarray(ink[~fine])
        parts = [self._between(rest[first : first + _NEAR]) for first in range(0, len(rest), _NEAR)]
        both, more = apart.of(fine), [odds[fine[apart.picture]]]
        for lattice, some in parts:
            both = both.followed_by(lattice)
            more.append(some)
        place = np.argsort(np.concatenate([np.flatnonzero(fine), np.flatnonzero(~fine)]))
        lattice, order = both.at(place)
        return lattice, np.concatenate(more)[order].astype(np.float64, order="C")

    def _between(self, ink: np.ndarray) -> tuple[Lattice, np.ndarray]:
        """Find the spans between any cuts that may be letters, and their log odds."""
        lattice = find_spans(ink)
        shapes = shape_spans(ink, lattice)
        passed = gate_odds(self._gate, shapes) >= self.least
        odds = letter_odds(self._letters, shapes[passed])
        near = self._top(odds) >= FAR
        passed[passed], odds = near, odds[near]
        # A picture that has no path left gets all its spans back.
        lost = (lattice.keep(passed).longest() < self.length[0])[lattice.picture]
        if lost.any():
            passed |= lost
            odds = letter_odds(self._letters, shapes[passed])
        return lattice.keep(passed), odds

    def _top(self, odds: np.ndarray) -> np.ndarray:
        """Return the largest log odds of the letters that may occur, (m,)."""
        top: np.ndarray = odds[:, self._columns].max(axis=1, initial=NEVER)
        return top

    def _confident(
        self, ranking: Ranking, evidence: dict[Ranking, np.ndarray], old: dict[Ranking, np.ndarray],
        shares: np.ndarray, there: np.ndarray,
    ) -> np.ndarray:  # fmt: skip
        """Return confidences, (n, 3): of the best word by the calibration; the others share the rest in proportion."""
        curve = self.curves.get(ranking.value)
        if curve is None:
            return unknown(shares.shape)
        if isinstance(curve, list):
            best = old_confidence(old[ranking], curve, evidence[Ranking.NONE][:, ALLOWED])
        else:
            best = confidence(evidence[ranking], curve)
        shown: np.ndarray = spread(best, shares) * there[:, None]
        return shown


def joined(parts: list[Readings]) -> Readings:
    """Join the readings of consecutive pictures."""
    before = np.cumsum([0] + [len(part.reading) for part in parts])[:-1]
    whole = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(Readings)
        if field.name not in ("picture", "answers", "evidence")
    }
    picture = np.concatenate([part.picture + start for part, start in zip(parts, before, strict=True)])
    answers = {
        ranking: Ranked(
            np.concatenate([part.answers[ranking].words for part in parts]),
            np.concatenate([part.answers[ranking].probabilities for part in parts]),
        )
        for ranking in parts[0].answers
    }
    evidence = {key: np.concatenate([part.evidence[key] for part in parts]) for key in parts[0].evidence}
    return Readings(**whole, picture=picture, answers=answers, evidence=evidence)
