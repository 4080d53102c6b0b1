"""How the shipped model reads pictures unlike those it learnt from, kind by kind.

    python -m tests.benchmarks.strangers [KIND ...] [--count 200] [--seed 1] [--letters A-Z] [--model FILE]

Each line: the kind, n, words right and the share that issue 16 wants, and wrong words with a confidence over 0.9. The
last line has the expected calibration error of all kinds pooled. Nothing is told to the reader, and no dictionary.
"""

import argparse
from pathlib import Path

import numpy as np

from storage.models import load_model
from tasks.loading.decode import load_batch
from tasks.reading.reader import Reader
from tasks.scoring.metrics import calibration_error
from tests.strangers import FACES, KINDS, LETTERS, draw

SURE = 0.9


def answers(reader: Reader, files: list[bytes]) -> tuple[list[str], np.ndarray]:
    """Return the words that a reader reads in picture files, and their confidences; '' and 0 for a bad picture."""
    words, confidences = [""] * len(files), np.zeros(len(files))
    groups, _ = load_batch(range(len(files)), lambda k: files[k])
    for indices, images in groups:
        found = reader.read(images)
        confidences[indices] = found.confidences[:, 0]
        for index, word in zip(indices.tolist(), found.words[:, 0].tolist(), strict=True):
            words[index] = word
    return words, confidences


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.strangers")
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"by default all of {', '.join(KINDS)}")
    parser.add_argument("--count", type=int, default=200, help="pictures of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--letters", default=LETTERS)
    parser.add_argument("--faces", nargs="+", default=list(FACES), help="font files")
    parser.add_argument("--model", type=Path, default=Path("tasks/ladder.skops"))
    options = parser.parse_args()
    reader = Reader(*load_model(options.model))
    pooled = []
    print(f"{'kind':20}{'n':>6}{'right':>9}{'wanted':>9}{'wrong over ' + str(SURE):>16}")
    for kind in options.kinds or KINDS:
        drawn = draw(kind, options.count, options.seed, tuple(options.faces), options.letters)
        words, sure = answers(reader, [file for file, _ in drawn])
        right = np.array([word == text for word, (_, text) in zip(words, drawn, strict=True)])
        wrong = int(((sure > SURE) & ~right).sum())
        print(f"{kind:20}{len(drawn):6}{right.mean():9.1%}{KINDS[kind].wanted:9.1%}{wrong:16}", flush=True)
        pooled.append((sure, right))
    sure, right = (np.concatenate(part) for part in zip(*pooled, strict=True))
    error = calibration_error(sure, right)
    print(f"all: n = {len(right):,}, {right.mean():.1%} right, expected calibration error {error:.1%}")
    print(f"wrong of those over {SURE}: {((sure > SURE) & ~right).sum():,} of {(sure > SURE).sum():,}")


if __name__ == "__main__":
    main()
