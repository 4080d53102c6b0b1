"""Add up the receipts of a run in turn, into the manifest and the numbers of the report."""

import json
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from storage.errors import OutOfBounds
from storage.shards.manifest import Manifest, identity_digest
from storage.shards.shard import BLOCK, ShardLine, ShardRecord, combined
from tasks.datasets.recipe import software
from tasks.datasets.statistics import SIGMAS, Counts, Summary


@dataclass(frozen=True)
class DrawReceipt:
    """The result of a job that makes a shard. `drawn` is False if the shard was already sealed and intact."""

    index: int
    record: ShardRecord
    drawn: bool
    counts: Counts


class Pace:
    """Measures how fast pictures arrive, from the first arrival to the last: the workers' start does not count.

    It is this process's monotonic clock: workers' clocks may differ, and any wall clock may be set.
    """

    def __init__(self) -> None:
        self._first = self._last = 0.0
        self._arrivals = self._pictures = 0

    def add(self, pictures: int) -> None:
        """Note that so many pictures arrive now."""
        self._last = time.monotonic()
        if not self._arrivals:
            self._first = self._last
        else:
            self._pictures += pictures
        self._arrivals += 1

    def seconds(self) -> float:
        """Return the time between the first and the last arrival."""
        return self._last - self._first

    def rate(self) -> float | None:
        """Return pictures a second in that time; None for fewer than three arrivals."""
        return self._pictures / max(self.seconds(), 1e-6) if self._arrivals > 2 else None


class Gathered:
    """Adds up receipts as they come, in any order, and keeps none of them.

    Parameters
    ----------
    identity : str
        The dataset's identity, as its shards hold it.
    labels : dict, optional
        For imported pictures, where their labels come from; not part of the identity.
    generator : dict, optional
        For pictures that an owner's generator drew, what that is; not part of the identity.

    Attributes
    ----------
    identity : str
    drawn, kept : int
        Numbers of pictures in shards that this run made, and in shards that were there.
    pace : Pace
        Of the pictures that were drawn.
    """

    def __init__(self, identity: str, labels: dict[str, str] | None = None, generator: dict[str, Any] | None = None):
        self.identity = identity
        self._content = content = json.loads(identity)
        told = {"labels": labels, "generator": generator}
        self._told = {key: value for key, value in told.items() if value}
        self._profile = content["profile"]
        self._summary = Summary(self._profile["alphabet"], bounded="source" not in content)
        self._lines: dict[int, ShardLine] = {}
        self._digests: dict[int, bytes] = {}
        self.drawn = self.kept = 0
        self.pace = Pace()

    def add(self, receipt: DrawReceipt) -> None:
        """Add the receipt of a shard that was drawn, filled or kept."""
        record = receipt.record
        if receipt.drawn:
            self.drawn += record.count
            self.pace.add(record.count)
        else:
            self.kept += record.count
        self.add_shard(record, receipt.counts)

    def add_shard(self, record: ShardRecord, counts: Counts) -> None:
        """Add a shard's record and its counts."""
        self._lines[record.first] = record.as_dict()
        self._digests[record.first] = b"".join(map(bytes.fromhex, record.blocks))
        self._summary.add(record.name, record.first, counts)

    def statistics(self) -> dict[str, Any]:
        """Return the statistics of the pictures, as the manifest holds them."""
        count = sum(line["count"] for line in self._lines.values())
        digests = b"".join(self._digests[first] for first in sorted(self._lines))
        # The first 8 bytes stand for a digest: a chance match, 1 in 10**15, costs a second look only.
        whole = np.frombuffer(digests, "<u8")[::4][: count // BLOCK]
        equal = np.setdiff1d(np.arange(len(whole)), np.unique(whole, return_index=True)[1])
        return self._summary.statistics((equal * BLOCK).tolist(), self._profile["length"][1])

    def manifest(self, letters_a_text: tuple[np.ndarray, np.ndarray] | None = None) -> Manifest:
        """Make the manifest of the dataset that these shards are.

        Parameters
        ----------
        letters_a_text : two (A,) arrays, optional
            Mean and variance of how often a text should have each character (`Renderer.letters_a_text`). The bounds
            in the manifest compare shards with each other, and so miss a fault that all shards have.

        Raises
        ------
        OutOfBounds
            The statistics leave their bounds.
        """
        order = sorted(self._lines)
        lines = [self._lines[first] for first in order]
        digests = b"".join(self._digests[first] for first in order)
        count = sum(line["count"] for line in lines)
        statistics = self.statistics()
        self._summary.require_bounds(statistics, self._profile["name"])
        if letters_a_text:
            self._require_letters(statistics["letters"], count, *letters_a_text)
        content = self._content
        return Manifest(
            identity=identity_digest(self.identity),
            profile=content["profile"],
            seed=content["seed"],
            words=content.get("words"),
            fonts=content.get("fonts", []),
            renderer=content.get("renderer", 0),
            format=content["format"],
            source=content["source"] | self._told if "source" in content else None,
            count=count,
            content=combined([digests]),
            software=software(),
            statistics=statistics,
            shards=lines,
        )

    def _require_letters(self, letters: dict[str, int], count: int, mean: np.ndarray, variance: np.ndarray) -> None:
        found = np.array(list(letters.values()))
        off = np.abs(found - count * mean) / np.sqrt(np.maximum(count * variance, 1.0))
        worst = int(off.argmax())
        if off[worst] > SIGMAS:
            name, letter = self._profile["name"], self._profile["alphabet"][worst]
            wanted = count * mean[worst]
            raise OutOfBounds(
                f"{name}: {letter!r} comes {found[worst]:,} times in {count:,} texts, {wanted:,.0f} are expected; "
                f"that is {off[worst]:.1f} standard deviations off, allowed are {SIGMAS:.0f}. No manifest was "
                "written; this is a defect of the program: please report it"
            )
