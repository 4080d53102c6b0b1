"""Whole pictures in, ranked words with confidence out: what `tasks.reading.reader.Reader` does, with a deep model."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from storage.deep_models import DeepModel
from storage.errors import BadInput
from tasks.deep.cases import alphabet_in_capitals, in_capitals
from tasks.deep.decoding import Texts, best_texts, column_shares, rarely_short
from tasks.deep.numbers import as_numbers
from tasks.deep.pictures import canvas_widths, find_content, natural_widths, normalise
from tasks.deep.session import session_of
from tasks.deep.shape import BLANK, LONGEST, STRIDE, UNTOLD
from tasks.deep.word_paths import best_words_of
from tasks.reading.confidence import Curve, confidence, curves_of, log_odds_of, shares_of, spread, unknown
from tasks.reading.path_bounds import BEST, NEVER
from tasks.reading.ranking import Ranked, Ranking, dictionary_of, join_letters, nearest_words
from tasks.reading.reader import Readings, joined
from tasks.reading.word_search import Words

_COMMON = ("weakest letter", "letters allowed", "few letters", "many letters", "few columns", "many columns")
# The columns of evidence for an answer, by ranking; each speaks for it the more, the larger it is.
EVIDENCE: Mapping[str, tuple[str, ...]] = {
    Ranking.NONE.value: ("text", "margin", *_COMMON),
    Ranking.PROBABILITY.value: ("share of words", "reading bent", "text", *_COMMON),
}
CAUTIOUS = "cautious"  # in a record: the curves for pictures of which nobody knows that the model learnt from such
_LEAST = 1e-7  # shares nearer to 0 or 1 count as that near
_MOST_BENT, _WIDEST_MARGIN, _LEAST_ALLOWED = -20.0, 16.0, -20.0
_AT_ONCE = 256  # pictures that are read at once
_NO_LETTER = -1e4  # the score of a letter in a column beyond a picture's canvas


@dataclass(frozen=True)
class Seen:
    """Pictures that are read, and the columns that the network made of them.

    scores : (n, T, 1 + letters) float32
    sizes : (n, 2) int64, rows and columns of each picture
    widths : (n,) int64, of the normalised pictures, pixels
    contents : (n, 2) float64, left and right edge in each picture of what was normalised
    """

    scores: np.ndarray
    sizes: np.ndarray
    widths: np.ndarray
    contents: np.ndarray

    def rows(self, rows: slice) -> "Seen":
        """Return some of the pictures."""
        return Seen(self.scores[rows], self.sizes[rows], self.widths[rows], self.contents[rows])


class DeepReader:
    """A loaded deep model, with or without a dictionary; parameters and errors are those of the classic `Reader`.

    Parameters
    ----------
    model : DeepModel
        From `storage.deep_models.load_deep_model`.
    words, ranking, alphabet, length
        As for `tasks.reading.reader.Reader`.
    threads : int
        Of onnxruntime.
    familiar : bool
        Whether the pictures are of a kind that the model learnt from, so that its confidence need not be cautious.
    waits : bool
        Whether the network is opened only when the first picture is read.
    """

    doubts = False  # as for the classic `Reader`

    def __init__(
        self,
        model: DeepModel,
        words: tuple[str, ...] = (),
        ranking: Ranking | None = None,
        alphabet: str | None = None,
        length: tuple[int, int] | None = None,
        threads: int = 1,
        familiar: bool = False,
        waits: bool = False,
    ):
        self.session = session_of(model, threads)
        if not waits:
            self.session.open()
        known = self.session.alphabet
        self.folded: bool = bool(model.record.get("folded"))
        if self.folded:  # it reads all letters as capitals, so that is what an alphabet and words become
            alphabet = None if alphabet is None else alphabet_in_capitals(alphabet)
            words = tuple(dict.fromkeys(map(in_capitals, words)))
        self.alphabet, self.told_letters = known if alphabet is None else alphabet, alphabet is not None
        foreign = [letter for letter in self.alphabet if letter not in known]
        if foreign or not self.alphabet:
            raise BadInput(
                f"alphabet {alphabet!r}: must be letters that the model knows, which are {known!r}; it has "
                f"{', '.join(map(repr, foreign)) or 'none'}. Train a model on such letters"
            )
        self._chosen = np.array([known.index(letter) for letter in self.alphabet], np.int64)
        fitted = model.record.get("calibration", {})
        try:
            own, cautious = (curves_of(of, EVIDENCE) for of in (fitted, model.record.get(CAUTIOUS, fitted)))
            self.curves = own if familiar else cautious
        except BadInput as error:
            raise BadInput(f"{error} ({model.name}); train it again") from error
        self.dictionary = dictionary_of(words, self.alphabet)
        lengths = [len(word) for word in self.dictionary.listed] or [1, LONGEST]
        self.length = (min(lengths), min(max(lengths), LONGEST)) if length is None else length
        if not 1 <= self.length[0] <= self.length[1] or self.length[0] > LONGEST:
            raise BadInput(
                f"length: must be from 1 to {LONGEST} letters for a deep model, the shortest first; it is {self.length}"
            )
        self.length = (self.length[0], min(self.length[1], LONGEST))
        if ranking is None:
            ranking = Ranking.PROBABILITY if words else Ranking.NONE
        self.ranking = self._possible(ranking)

    def read(self, images: np.ndarray, rankings: Iterable[Ranking] = (), sizes: np.ndarray | None = None) -> Readings:
        """Read pictures.

        Parameters
        ----------
        images : (n, H, W) or (n, H, W, 3) uint8
            Ink, 0 ground to 255, or sRGB as seen.
        rankings : iterable of Ranking
            More rankings to answer by, besides the reader's own.
        sizes : (n, 2) int64, optional
            Rows and columns of each picture at the top left of its canvas; by default the canvas.

        Raises
        ------
        BadInput
            A ranking that needs a dictionary where there is none.
        ValueError
            Another shape or type.
        """
        if images.dtype != np.uint8 or images.ndim not in (3, 4) or (images.ndim == 4 and images.shape[3] != 3):
            raise ValueError(
                f"images: must be (n, rows, columns) or (n, rows, columns, 3) uint8; it is {images.shape} "
                f"{images.dtype}"
            )
        if sizes is None:
            sizes = np.tile(np.array(images.shape[1:3], np.int64), (len(images), 1))
        rankings = tuple(rankings)
        parts = [
            self.read_seen(self.look(images[first : first + _AT_ONCE], sizes[first : first + _AT_ONCE]), rankings)
            for first in range(0, max(len(images), 1), _AT_ONCE)
        ]
        return parts[0] if len(parts) == 1 else joined(parts)

    def look(self, images: np.ndarray, sizes: np.ndarray) -> Seen:
        """Normalise pictures and run the network."""
        shape = self.session.shape
        rectangles = find_content(images, sizes)
        widths = natural_widths(rectangles[:, 2:] - rectangles[:, :2], shape.height, shape.widest)
        canvases = canvas_widths(widths, self.session.canvas, shape.widest)
        classes = len(self.session.alphabet) + 1 + BLANK
        scores = np.full((len(images), canvases.max(initial=STRIDE) // STRIDE, classes), _NO_LETTER, np.float32)
        scores[:, :, BLANK] = 0.0
        for canvas in np.unique(canvases).tolist():
            rows = np.flatnonzero(canvases == canvas)
            pictures = np.empty((len(rows), 3, shape.height, canvas), np.uint8)
            normalise(images[rows], sizes[rows], rectangles[rows], widths[rows], pictures)
            scores[rows, : canvas // STRIDE] = self.session.scores(pictures)
        return Seen(scores, sizes, widths, rectangles[:, 1::2])

    def _possible(self, ranking: Ranking) -> Ranking:
        ranking = Ranking(ranking)
        if ranking is not Ranking.NONE and not len(self.dictionary):
            raise BadInput(f"ranking {ranking.value!r}: needs a dictionary; give a dictionary, or choose 'none'")
        return ranking

    def read_seen(self, seen: Seen, rankings: Iterable[Ranking] = ()) -> Readings:
        """Read pictures that the network has seen; `rankings` as for `read`."""
        asked = tuple(dict.fromkeys([self.ranking, *map(self._possible, rankings)]))
        shares, allowed = column_shares(seen.scores, self._chosen)
        texts = best_texts(shares, *self.length)
        if self.doubts and self.length == UNTOLD and not len(self.dictionary):
            texts = rarely_short(texts, shares, self.length[1])
        if self.doubts and not self.told_letters and not len(self.dictionary):
            texts = as_numbers(texts, seen.scores, self.session.alphabet, self.length)
        longest = texts.classes.shape[2]
        found = texts.classes[:, 0] >= 0
        evidence = {Ranking.NONE: _evidence(texts, allowed, seen)}
        read = join_letters(texts.classes.reshape(-1, longest), self.dictionary).reshape(-1, BEST)
        own = self._confident(Ranking.NONE, evidence, shares_of(texts.scores), found[:, 0])
        answers = {Ranking.NONE: Ranked(read, own)}
        if Ranking.PROBABILITY in asked:
            words = best_words_of(self.dictionary.trie, shares, self.length)
            evidence[Ranking.PROBABILITY] = _word_evidence(words, texts, evidence[Ranking.NONE])
            part = np.exp(np.maximum(words.scores - words.total[:, None], -50)) * (words.places >= 0)
            own = self._confident(Ranking.PROBABILITY, evidence, part, words.places[:, 0] >= 0)
            answers[Ranking.PROBABILITY] = Ranked(np.append(self.dictionary.words, "")[words.places], own)
        for ranking in asked:
            if ranking not in answers:
                ranked = nearest_words(texts.classes[:, 0].astype(np.int64), self.dictionary, ranking)
                answers[ranking] = Ranked(ranked.words, unknown(ranked.words.shape))
        chosen = answers[self.ranking]
        none = np.zeros(len(found), np.int64)
        return Readings(
            read[:, 0], answers[Ranking.NONE].probabilities[:, 0], chosen.words, chosen.probabilities,
            found.sum(axis=1), np.repeat(np.arange(len(found)), found.sum(axis=1)), _boxes(texts, found, seen),
            seen.sizes[:, 0], none, none, {ranking: answers[ranking] for ranking in asked}, evidence,
        )  # fmt: skip

    def _confident(
        self, ranking: Ranking, evidence: dict[Ranking, np.ndarray], shares: np.ndarray, there: np.ndarray
    ) -> np.ndarray:
        """Return confidences, (n, 3): of the best answer by the calibration; the others share the rest."""
        curve = self.curves.get(ranking.value)
        if not isinstance(curve, Curve):
            return unknown(shares.shape)
        shown: np.ndarray = spread(confidence(evidence[ranking], curve), shares) * there[:, None]
        return shown


def log_probabilities(readings: Readings) -> np.ndarray:
    """Compute the logarithm of the probability of each best text among all texts, (n,) float64.

    It is no number where a classic reader read, which knows no such probability.
    """
    evidence = readings.evidence.get(Ranking.NONE)
    if evidence is None or evidence.shape[1] != len(EVIDENCE[Ranking.NONE.value]):
        return unknown((len(readings.reading),))
    columns = EVIDENCE[Ranking.NONE.value]
    odds, allowed = (evidence[:, columns.index(name)] for name in ("text", "letters allowed"))
    logs: np.ndarray = allowed - np.logaddexp(0, -odds)
    return logs


def _evidence(texts: Texts, allowed: np.ndarray, seen: Seen) -> np.ndarray:
    """Compute the evidence for the best texts, (n, columns) in the order of `EVIDENCE`."""
    share = np.exp(np.maximum(texts.scores[:, 0], -50.0))
    margin = np.minimum(texts.scores[:, 0] - np.maximum(texts.scores[:, 1], -100.0), _WIDEST_MARGIN)
    letters = (texts.classes[:, 0] >= 0).sum(axis=1).astype(np.float64)
    columns = seen.widths / STRIDE
    return np.column_stack([
        log_odds_of(share, _LEAST), margin, log_odds_of(texts.weakest, _LEAST), np.maximum(allowed, _LEAST_ALLOWED),
        -letters, letters, -columns, columns,
    ])  # fmt: skip


def _word_evidence(words: Words, texts: Texts, plain: np.ndarray) -> np.ndarray:
    share = np.exp(np.maximum(words.scores[:, 0] - words.total, -50.0)) * (words.places[:, 0] >= 0)
    bent = np.clip(words.scores[:, 0] - texts.scores[:, 0], _MOST_BENT, 0)
    bent[texts.scores[:, 0] <= NEVER / 2] = _MOST_BENT
    score = np.exp(np.maximum(words.scores[:, 0], -50.0))
    return np.column_stack([log_odds_of(share, _LEAST), bent, log_odds_of(score, _LEAST), plain[:, 2:]])


def _boxes(texts: Texts, found: np.ndarray, seen: Seen) -> np.ndarray:
    """Return where the letters are, (m, 4): half way to the letters beside them, over the whole height."""
    peaks = texts.peaks.astype(np.float64)
    scale = ((seen.contents[:, 1] - seen.contents[:, 0]) / np.maximum(seen.widths, 1) * STRIDE)[:, None]
    middle = seen.contents[:, :1] + (peaks + 0.5) * scale
    halves = np.full(middle.shape, 1.5) * scale
    left, right = middle - halves, middle + halves
    left[:, 1:] = np.maximum(left[:, 1:], (middle[:, 1:] + middle[:, :-1]) / 2)
    nearest = np.minimum(right[:, :-1], (middle[:, 1:] + middle[:, :-1]) / 2)
    right[:, :-1] = np.where(found[:, 1:], nearest, right[:, :-1])
    columns = seen.sizes[:, 1:2].astype(np.float64)
    boxes = np.zeros((*found.shape, 4))
    boxes[..., 1], boxes[..., 3] = np.clip(left, 0, columns), np.clip(right, 0, columns)
    boxes[..., 2] = seen.sizes[:, :1]
    pixels: np.ndarray = np.rint(boxes[found]).astype(np.int16)
    return pixels


def is_familiar(record: Mapping[str, Any], profile: Mapping[str, Any]) -> bool:
    """Tell whether a model learnt from pictures of a dataset's profile, whatever their faces and words."""
    own = _kind_of(profile)
    sources = record.get("sources", [])
    drawn = [source["draw"] for source in sources if "draw" in source]
    return any(own == _kind_of(other) for other in drawn) or profile.get("name") in [
        source["name"] for source in sources if "name" in source
    ]


def _kind_of(profile: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in profile.items() if key not in ("name", "fonts", "words")}


def require_curve(record: Mapping[str, Any]) -> None:
    """Refuse a model whose confidence was never fitted: its answers would have none.

    Raises
    ------
    BadInput
    """
    fitted = record.get("calibration", {})
    if any(Ranking.NONE.value not in curves for curves in (fitted, record.get(CAUTIOUS, fitted))):
        raise BadInput("model, calibration: has no curve, so no confidence could be believed; train it again")
