"""Read a dataset's blocks with a model, or with a classic and a deep model, alone and together."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from storage.pairs import Readers
from storage.shards.shard import Block
from tasks.both_readers import RULE, SURE, BothReaders, takes_classic
from tasks.deep.deep_reader import DeepReader
from tasks.doubts import rows_of
from tasks.loading.colour_ink import ink_of_batch
from tasks.rates import Rate, RateRecord
from tasks.readers import AnyReader
from tasks.reading.ranking import Ranking
from tasks.reading.reader import Reader, Readings

Parts = Iterator[tuple[np.ndarray, Readings]]


@dataclass(frozen=True)
class Beside:
    """A classic model that is measured beside a deep one.

    model : str
        Its file.
    sha256 : str
    readers : Readers
        Whose answers count.
    told : str
        What reads, and why, in words.
    """

    model: str
    sha256: str
    readers: Readers
    told: str


class ReadersRecord(TypedDict):
    """The part of a report on a classic and a deep model; `model` of the report is the deep one.

    reader : whose answers the other figures count: `classic`, `deep`, or `both` by the rule
    words : words right by the default answers of either model, and of both together
    """

    classic_model: str
    classic_sha256: str
    reader: str
    reads_with: str
    rule: list[float]
    words: dict[str, RateRecord]


@dataclass(frozen=True)
class ByBoth:
    """The readings of a block by both models.

    classic, deep : Readings
        Of all n pictures.
    taken : (n,) bool
        Where both together give the classic model's answer.
    """

    classic: Readings
    deep: Readings
    taken: np.ndarray

    def parts(self, readers: Readers) -> Parts:
        """Yield rows, (k,) int64, and their readings: each picture once."""
        everywhere = np.ones(len(self.taken), bool)
        taken = {Readers.CLASSIC: everywhere, Readers.DEEP: ~everywhere, Readers.BOTH: self.taken}[readers]
        for readings, mask in ((self.classic, taken), (self.deep, ~taken)):
            if mask.any():
                yield np.flatnonzero(mask), rows_of(readings, np.flatnonzero(mask))

    def right(self, truth: np.ndarray, ranking: Ranking | None = None) -> dict[Readers, np.ndarray]:
        """Tell which answers are the truth, (n,) bool, by what reads; by default the answers that decided `taken`."""
        if ranking is None:
            found, taken = [one.words[:, 0] == truth for one in (self.classic, self.deep)], self.taken
        else:
            both = [one.answers[ranking] for one in (self.classic, self.deep)]
            found = [ranked.words[:, 0] == truth for ranked in both]
            taken = takes_classic(*(ranked.probabilities[:, 0] for ranked in both))
        classic, deep = found
        return {Readers.CLASSIC: classic, Readers.BOTH: np.where(taken, classic, deep), Readers.DEEP: deep}


def read_block(reader: Reader | DeepReader, block: Block, rankings: Iterable[Ranking] = ()) -> Readings:
    """Read a block's pictures as the reader wants them: as ink, or as they are seen."""
    if isinstance(reader, DeepReader):
        sizes = np.column_stack([block.parameters["height"], block.parameters["width"]]).astype(np.int64)
        return reader.read(block.images, rankings, sizes)
    pictures = ink_of_batch(block.images, block.parameters["height"], block.parameters["width"])
    return reader.read(pictures, rankings)


def read_by_both(both: BothReaders, block: Block, rankings: Iterable[Ranking] = ()) -> ByBoth:
    """Read all pictures of a block with both models."""
    classic, deep = (read_block(reader, block, rankings) for reader in (both.classic, both.deep))
    return ByBoth(classic, deep, takes_classic(classic.confidences[:, 0], deep.confidences[:, 0]))


def read_as_solve(reader: AnyReader, block: Block) -> None:
    """Read a block's pictures with no more work than `solve` has: a deep model sees what a classic one doubts."""
    if not isinstance(reader, BothReaders):
        read_block(reader, block)
        return
    doubtful = ~(read_block(reader.classic, block).confidences[:, 0] >= SURE)
    if doubtful.any():
        read_block(reader.deep, block.rows(doubtful))


def readers_record(beside: Beside, parts: Sequence[dict[Readers, np.ndarray]]) -> ReadersRecord:
    """Return the part of a report; each of `parts` tells which answers are right, (n,) bool, or is empty."""
    words = {
        readers.value: Rate.of(np.concatenate([part[readers] for part in parts if part])).as_dict()
        for readers in Readers
    }
    return ReadersRecord(
        classic_model=beside.model, classic_sha256=beside.sha256, reader=beside.readers.value, reads_with=beside.told,
        rule=list(RULE), words=words,
    )  # fmt: skip
