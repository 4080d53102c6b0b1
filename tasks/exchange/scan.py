"""The units of scanning a folder for an import: list its labelled pictures; digest, measure and record them."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from storage.errors import BadInput
from storage.exports.record import RECORDS
from storage.shards.manifest import identity_digest
from storage.shards.shard import COLOUR_FORMAT, FORMAT
from storage.texts import canonical
from tasks.exchange.label_sources.file_formats.label_files import LIST, TABLE
from tasks.exchange.label_sources.picture_index import split_of
from tasks.exchange.labelling import Labelling
from tasks.exchange.pairing import pair
from tasks.exchange.rejects import alphabet_of, require_pictures
from tasks.loading.colours.seen import is_coloured
from tasks.loading.decode import LOADER, SEEN, Colour, Invert, decode_picture, decode_seen
from tasks.loading.listing import list_pictures
from tasks.loading.safe_read import BadPicture, read_file
from tasks.profiles.profile import LARGEST_CANVAS

FILES = 256  # of one scan job
DIGEST_BYTES = 32  # bytes of a file's sha256


@dataclass(frozen=True)
class ImportRequest:
    """The folder to import, and the dataset's name. An empty `alphabet` means the characters of the labels.

    With `keep_splits`, the folders train, validation and test (and their short names) tell the split of a picture.
    Ink is told by `invert`, which pictures in colour have no use for.
    """

    folder: Path
    name: str
    labelling: Labelling
    alphabet: str = ""
    invert: Invert = Invert.AUTO
    keep_splits: bool = False
    colour: Colour = Colour.GREY


@dataclass(frozen=True)
class ScanJob:
    """Up to `FILES` files to digest and measure."""

    number: int
    folder: str
    paths: tuple[str, ...]
    invert: Invert
    colour: Colour


class Measured:
    """The pictures of some files, as ink or as they are seen.

    rejects : (index of the file, reason) of each file that is no picture
    tallest, widest : (pixels, path)
    """

    def __init__(self) -> None:
        self.rejects: list[tuple[int, str]] = []
        self.tallest, self.widest = (0, ""), (0, "")

    def measure(self, index: int, path: str, decode: Callable[[], np.ndarray]) -> np.ndarray | None:
        """Decode and measure a file; None for a file that is no picture."""
        try:
            picture = decode()
            height, width = picture.shape[:2]
            if max(height, width) > LARGEST_CANVAS:
                raise BadPicture(f"{height} x {width} px; at most {LARGEST_CANVAS} each way: make the picture smaller")
        except BadPicture as error:
            self.rejects.append((index, str(error)))
            return None
        self.tallest, self.widest = max(self.tallest, (height, path)), max(self.widest, (width, path))
        return picture

    def add(self, other: "Measured", first: int) -> None:
        """Add the files of a job, whose first file is file `first`."""
        self.rejects += [(first + index, reason) for index, reason in other.rejects]
        self.tallest, self.widest = max(self.tallest, other.tallest), max(self.widest, other.widest)


@dataclass(frozen=True)
class ScanReceipt:
    """The result of a job.

    digests : the sha256 of each file, in their order; zeros for a file that cannot be read
    coloured : whether a picture has a colour
    ink, seen : of the pictures as ink, not all of them if pictures keep their colours; and as they are seen
    """

    number: int
    digests: bytes
    coloured: bool
    ink: Measured
    seen: Measured


class Listing:
    """A folder's labelled files.

    It takes 220 bytes a file, and 310 with the digests, by measurement on a million files.

    Attributes
    ----------
    pairs : list of (path, label)
        In order of the paths.
    rejects : list of (path, reason)
        All other files.
    mended : Counter
        The labels that were changed, by what was done: `blanks` taken out, `zeros` written.
    mixed : bool
        Whether the dataset's order is that of the sha256 of the paths, or the listing's.
    """

    mixed = True

    def __init__(self, wanted: ImportRequest):
        self.wanted = wanted
        own = [wanted.folder / name for name in (TABLE, LIST, *RECORDS)]
        skip = [*own, *wanted.labelling.files, *wanted.labelling.agreeing]
        start = len(str(wanted.folder).rstrip("/")) + 1
        files = (str(path)[start:] for path in list_pictures(wanted.folder, skip))
        self.mended: Counter[str] = Counter()
        self.pairs, self.rejects = pair(files, wanted.labelling, wanted.alphabet, self.mended)
        if wanted.keep_splits:
            self._require_splits()

    def _require_splits(self) -> None:
        """Leave out the pictures whose folders tell no split."""
        without = [path for path, _ in self.pairs if split_of(path) is None]
        if without and len(without) == len(self.pairs):
            raise BadInput(
                f"keep-splits: {self.wanted.folder} has no pictures in folders train, val or test; for instance "
                f"{without[0]} is in none"
            )
        left_out = set(without)
        self.pairs = [(path, label) for path, label in self.pairs if path not in left_out]
        self.rejects = sorted([*self.rejects, *((path, "in no folder train, val or test") for path in without)])

    def order(self) -> list[int]:
        """Return the places of the files in the order that their pictures have in the dataset."""
        if not self.mixed:
            return list(range(len(self.pairs)))
        keys = b"".join(sha256(path.encode()).digest()[:8] for path, _ in self.pairs)
        order: list[int] = np.frombuffer(keys, ">u8").argsort(kind="stable").tolist()
        return order

    def jobs(self) -> list[ScanJob]:
        """Make the jobs for all labelled files."""
        folder, invert, colour = str(self.wanted.folder), self.wanted.invert, self.wanted.colour
        groups = (self.pairs[first : first + FILES] for first in range(0, len(self.pairs), FILES))
        return [
            ScanJob(number, folder, tuple(path for path, _ in group), invert, colour)
            for number, group in enumerate(groups)
        ]


def scan_files(job: ScanJob) -> ScanReceipt:
    """Digest and measure files; a file that is no picture becomes a reject with its reason."""
    digests: list[bytes] = []
    ink, seen = Measured(), Measured()
    coloured = False
    for index, path in enumerate(job.paths):
        try:
            data = read_file(Path(job.folder, path), follow=False)  # a link may have come to the place of a file
        except BadPicture as error:
            for measured in (ink, seen):
                measured.rejects.append((index, str(error)))
            digests.append(bytes(DIGEST_BYTES))
            continue
        digests.append(sha256(data).digest())
        if job.colour is not Colour.GREY:
            picture = seen.measure(index, path, partial(decode_seen, data))
            coloured = coloured or (picture is not None and is_coloured(picture))
        if job.colour is Colour.GREY or (job.colour is Colour.AUTO and not coloured):
            ink.measure(index, path, partial(decode_picture, data, job.invert))
    return ScanReceipt(job.number, b"".join(digests), coloured, ink, seen)


class Source:
    """The labelled, readable pictures of a folder, and the identity of their dataset.

    Pictures are in the order of the sha256 of their paths, if the listing is `mixed`. This order is the same on any
    file system, and it mixes labels, by which names are often sorted: a network learns little from all A before all B,
    and each shard should resemble the others.

    Attributes
    ----------
    wanted : ImportRequest
        Its `colour` is `keep` or `grey`, as the pictures decided.
    pairs : list of (path, label)
    digests : bytes, 32 a picture
    rejects : list of (path, reason)
    identity : str
        Canonical JSON: format version, profile, seed 0, and source: number of pictures, sha256 over all paths,
        labels and files, and what else decides about pixels.
    tallest, widest : (pixels, path)

    Raises
    ------
    BadInput
        The folder has no picture that can be imported, or too many different characters.
    """

    seed = 0

    def __init__(self, listing: Listing, receipts: Iterable[ScanReceipt]):
        self.mended = listing.mended
        digests = np.zeros((len(listing.pairs), DIGEST_BYTES), np.uint8)
        ink, seen, coloured = Measured(), Measured(), listing.wanted.colour is Colour.KEEP
        for receipt in receipts:
            first = receipt.number * FILES
            some = np.frombuffer(receipt.digests, np.uint8).reshape(-1, DIGEST_BYTES)
            digests[first : first + len(some)] = some
            coloured = coloured or receipt.coloured
            ink.add(receipt.ink, first)
            seen.add(receipt.seen, first)
        self.wanted = replace(listing.wanted, colour=Colour.KEEP if coloured else Colour.GREY)
        chosen = seen if coloured else ink
        gone = dict(chosen.rejects)
        self.tallest, self.widest = chosen.tallest, chosen.widest
        self.rejects = sorted(listing.rejects + [(listing.pairs[k][0], reason) for k, reason in gone.items()])
        order = [k for k in listing.order() if k not in gone]
        self.pairs = [listing.pairs[k] for k in order]
        self.digests = digests[order].tobytes()
        require_pictures(self.wanted.folder, self.pairs, self.rejects)
        self.text_bytes = max(len(label.encode()) for _, label in self.pairs)
        self.source: dict[str, Any] = {
            "pictures": len(self.pairs),
            "digest": self._digest(),
            **({"loader": SEEN} if coloured else {"ink": {"invert": self.wanted.invert.value}, "loader": LOADER}),
        }
        if self.wanted.keep_splits:
            self.source["split"] = "folders"
        labels = {label for _, label in self.pairs}
        alphabet = self.wanted.alphabet or alphabet_of(labels)
        profile = {
            "name": self.wanted.name,
            "alphabet": alphabet,
            "words": "",
            "length": [min(map(len, labels)), max(map(len, labels))],
            "height": self.tallest[0],
            "width": self.widest[0],
        }
        number = COLOUR_FORMAT if coloured else FORMAT
        self.identity = canonical({"format": number, "profile": profile, "source": self.source, "seed": self.seed})

    def _digest(self) -> str:
        digest = sha256()
        for line in self.lines():
            digest.update(line)
        return digest.hexdigest()

    def lines(self) -> Iterator[bytes]:
        """Yield a line `["path","label","sha256 of the file"]` for each picture; the source's digest is over these."""
        for k, (path, label) in enumerate(self.pairs):
            file = self.digests[DIGEST_BYTES * k : DIGEST_BYTES * (k + 1)].hex()
            yield (canonical([path, label, file]) + "\n").encode()

    def twice_split(self) -> int:
        """Count the pictures whose files are also in another split, where folders tell the split."""
        if not self.wanted.keep_splits:
            return 0
        splits: dict[bytes, set[str | None]] = {}
        files = [self.digests[DIGEST_BYTES * k : DIGEST_BYTES * (k + 1)] for k in range(len(self.pairs))]
        for file, (path, _) in zip(files, self.pairs, strict=True):
            splits.setdefault(file, set()).add(split_of(path))
        return sum(len(splits[file]) > 1 for file in files)

    def contradicting(self) -> list[tuple[int, int]]:
        """Return the places of equal files that have different labels, two by two."""
        keys = np.frombuffer(self.digests, ">u8").reshape(-1, DIGEST_BYTES // 8)[:, 0]
        order = keys.argsort(kind="stable")
        same = np.flatnonzero(keys[order[1:]] == keys[order[:-1]])
        pairs = [(int(order[k]), int(order[k + 1])) for k in same]
        return [(a, b) for a, b in pairs if self.pairs[a][1] != self.pairs[b][1]]

    @property
    def digest(self) -> str:
        """Return the digest of the identity."""
        return identity_digest(self.identity)
