"""The units of scanning a folder to be imported: list its labelled pictures, digest, measure and record them."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from storage.errors import BadInput
from storage.exports.record import RECORD
from storage.files import atomic
from storage.shards.manifest import canonical
from storage.shards.shard import FORMAT
from tasks.exchange.labels import LIST, TABLE, Labelling, pair
from tasks.loading.decode import LOADER, BadPicture, Invert, decode_picture, read_file
from tasks.loading.listing import list_pictures
from tasks.profiles.profile import LARGEST_CANVAS

FILES = 256  # a scan job
DIGEST = 32  # bytes of a file's sha256
PICTURES, REJECTS = "pictures.jsonl", "rejects.csv"
MOST_LETTERS = 200  # different ones, as in a profile


@dataclass(frozen=True)
class ImportRequest:
    """What to import, and as what. An empty `alphabet` becomes the characters that the labels have."""

    folder: Path
    name: str
    labelling: Labelling
    alphabet: str = ""
    invert: Invert = Invert.AUTO


@dataclass(frozen=True)
class ScanJob:
    """Up to 256 files to digest and measure."""

    number: int
    folder: str
    paths: tuple[str, ...]
    invert: Invert


@dataclass(frozen=True)
class ScanReceipt:
    """The sha256 of each file, one after another; of those that are no pictures, index and reason.

    tallest, widest : (pixels, path)
    """

    number: int
    digests: bytes
    rejects: tuple[tuple[int, str], ...]
    tallest: tuple[int, str]
    widest: tuple[int, str]


class Listing:
    """A folder's labelled files: `pairs` of path and label in order; `rejects`, path and reason of all others.

    220 bytes a file (measured on a million); with the digests, 310 are what grows in the client.
    """

    def __init__(self, wanted: ImportRequest):
        self.wanted = wanted
        own = [wanted.folder / TABLE, wanted.folder / LIST, wanted.folder / RECORD]
        skip = [*own, wanted.labelling.file] if wanted.labelling.file else own
        start = len(str(wanted.folder).rstrip("/")) + 1
        files = (str(path)[start:] for path in list_pictures(wanted.folder, skip))
        self.pairs, self.rejects = pair(files, wanted.labelling, wanted.alphabet)

    def jobs(self) -> list[ScanJob]:
        """All labelled files, `FILES` a job."""
        folder, invert = str(self.wanted.folder), self.wanted.invert
        groups = (self.pairs[first : first + FILES] for first in range(0, len(self.pairs), FILES))
        return [
            ScanJob(number, folder, tuple(path for path, _ in group), invert) for number, group in enumerate(groups)
        ]


def scan_files(job: ScanJob) -> ScanReceipt:
    """Digest and measure files; one that is no picture costs a line with its reason."""
    digests, rejects, tallest, widest = [], [], (0, ""), (0, "")
    for index, path in enumerate(job.paths):
        digest = bytes(DIGEST)
        try:
            data = read_file(Path(job.folder, path))
            height, width = decode_picture(data, job.invert).shape
        except BadPicture as error:
            rejects.append((index, str(error)))
        else:
            digest = sha256(data).digest()
            tallest, widest = max(tallest, (height, path)), max(widest, (width, path))
        digests.append(digest)
    return ScanReceipt(job.number, b"".join(digests), tuple(rejects), tallest, widest)


class Source:
    """What a folder comes to: its labelled, readable pictures, and the identity that follows.

    Their order is that of the sha256 of their paths: the same on any file system, and it mixes labels,
    which names often sort by. Of all A before all B a network would learn little, and no shard would stand
    for the others.

    Attributes
    ----------
    pairs : list of (path, label)
    digests : bytes, 32 a picture
    rejects : list of (path, reason)
    identity : str
        Canonical JSON: format version, profile, source (number of pictures, sha256 over all paths,
        labels and files, what decides about pixels), seed 0.
    tallest, widest : (pixels, path)

    Raises
    ------
    BadInput
        No picture, too many different characters, or a picture too large.
    """

    seed = 0

    def __init__(self, listing: Listing, receipts: Iterable[ScanReceipt]):
        self.wanted = listing.wanted
        digests, gone = np.zeros((len(listing.pairs), DIGEST), np.uint8), {}
        self.tallest, self.widest = (0, ""), (0, "")
        for receipt in receipts:
            first = receipt.number * FILES
            some = np.frombuffer(receipt.digests, np.uint8).reshape(-1, DIGEST)
            digests[first : first + len(some)] = some
            gone.update((first + index, reason) for index, reason in receipt.rejects)
            self.tallest, self.widest = max(self.tallest, receipt.tallest), max(self.widest, receipt.widest)
        self.rejects = sorted(listing.rejects + [(listing.pairs[k][0], reason) for k, reason in gone.items()])
        keys = b"".join(sha256(path.encode()).digest()[:8] for path, _ in listing.pairs)
        order = [k for k in np.frombuffer(keys, ">u8").argsort(kind="stable").tolist() if k not in gone]
        self.pairs = [listing.pairs[k] for k in order]
        self.digests = digests[order].tobytes()
        self._require_possible()
        self.text_bytes = max(len(label.encode()) for _, label in self.pairs)
        self.source = {
            "pictures": len(self.pairs),
            "digest": self._digest(),
            "ink": {"invert": self.wanted.invert.value},
            "loader": LOADER,
        }
        labels = {label for _, label in self.pairs}
        profile = {
            "name": self.wanted.name,
            "alphabet": self.wanted.alphabet or "".join(sorted(set().union(*labels))),
            "words": "",
            "length": [min(map(len, labels)), max(map(len, labels))],
            "height": self.tallest[0],
            "width": self.widest[0],
        }
        if len(profile["alphabet"]) > MOST_LETTERS:
            raise BadInput(
                f"alphabet: at most {MOST_LETTERS} different characters are possible; the labels have "
                f"{len(profile['alphabet'])}: name those to keep with --alphabet"
            )
        self.identity = canonical({"format": FORMAT, "profile": profile, "source": self.source, "seed": self.seed})

    def _require_possible(self) -> None:
        folder = self.wanted.folder
        if not self.pairs and not self.rejects:
            raise BadInput(f"{folder}: has no file; put labelled pictures into it")
        if not self.pairs:
            some = "; ".join(f"{path}: {reason}" for path, reason in self.rejects[:3])
            error = BadInput(
                f"{folder}: none of its {len(self.rejects):,} files is a picture with a label ({some}); name the "
                "files for what they show, or say with --pattern or --labels where their labels are"
            )
            error.report = {"rejected": len(self.rejects), "rejects": shown(self.rejects)}
            raise error
        for size, path in (self.tallest, self.widest):
            if size > LARGEST_CANVAS:
                raise BadInput(
                    f"{folder / path}: must be at most {LARGEST_CANVAS} px high and wide; it has {size}: "
                    "make the picture smaller or take it out"
                )

    def _digest(self) -> str:
        digest = sha256()
        for line in self.lines():
            digest.update(line)
        return digest.hexdigest()

    def lines(self) -> Iterator[bytes]:
        """`["path","label","sha256 of the file"]`, a line a picture, in order: what the source's digest is over."""
        for k, (path, label) in enumerate(self.pairs):
            file = self.digests[DIGEST * k : DIGEST * (k + 1)].hex()
            yield (canonical([path, label, file]) + "\n").encode()

    @property
    def digest(self) -> str:
        """The sha256 of the identity: what a manifest calls `identity`."""
        return sha256(self.identity.encode()).hexdigest()


def write_records(source: Source, records: Path) -> None:
    """Write `pictures.jsonl`, of every picture in order, and `rejects.csv`, of every file that was left out."""
    lines = io.BytesIO()
    lines.writelines(source.lines())
    atomic.replace(records / PICTURES, lines.getvalue())
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("path", "reason"), *source.rejects])
    atomic.replace(records / REJECTS, text.getvalue().encode())


def changes(there: dict, source: Source, records: Path) -> str:
    """How the files differ from those of the last import, `there`, if its list of them is still in `records`."""
    try:
        data = (records / PICTURES).read_bytes()
        if sha256(data).hexdigest() != there["digest"]:
            data = b""
    except OSError:
        data = b""
    if not data:
        return f"{there['pictures']:,} pictures there, {len(source.pairs):,} now"
    before = {path: (file, label) for path, label, file in map(json.loads, data.splitlines())}
    counts, paths = Counter(), []
    for path, label, file in map(json.loads, source.lines()):
        was = before.pop(path, None)
        if was != (file, label):
            counts["added" if was is None else "changed" if was[0] != file else "labelled anew"] += 1
            paths.append(path)
    counts["removed"] = len(before)
    said = ", ".join(f"{counts[kind]:,} {kind}" for kind in ("added", "removed", "changed", "labelled anew"))
    return f"{said}, for instance {min([*paths, *before])!r}"


def shown(rejects: list[tuple[str, str]], limit: int = 20) -> list[dict]:
    """The first rejects, for people."""
    return [{"path": path, "reason": reason} for path, reason in rejects[:limit]]
