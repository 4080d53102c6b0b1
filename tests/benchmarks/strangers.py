"""How models read pictures unlike those that they learnt from, kind by kind.

    python -m tests.benchmarks.strangers [KIND ...] [--count 200] [--seed 1] [--letters A-Z] [--model FILE ...]
    python -m tests.benchmarks.strangers --doubtful [GROUP ...] [--count 50] [--seed 1] [--model FILE ...]

Each line: the kind, n, the share that issue 16 wants, and for each model the words right, and the wrong words with a
confidence over 0.9. Models are files, or `auto`: what `captchas solve` reads with by default. The last lines have the
expected calibration error of all kinds pooled. Nothing is told to the readers, and no dictionary.

With `--doubtful` the kinds are those of `tests.doubtful`: pictures that show what the shipped models cannot know.
A line is a group of kinds, pooled: how many pictures, the words right, their mean confidence, and the wrong words whose
confidence is over 0.9 and over 0.5.
"""

import argparse

import numpy as np

from flows.home import model_file
from storage.models import model_digest
from tasks.readers import AnyReader, expect_texts, load_both, load_reader, read_pictures
from tasks.scoring.metrics import calibration_error
from tasks.shipped import SHIPPED, STRANGERS
from tests.doubtful import DOUBTFUL, GROUPS
from tests.strangers import FACES, KINDS, LETTERS, draw

SURE, HALF = 0.9, 0.5
AUTO = "auto"
MODELS = ("ladder", "strangers", AUTO)


def open_model(name: str) -> AnyReader:
    """Open a model as `captchas solve --dictionary none` does, by its name or file; `auto` for the default."""
    file = STRANGERS if name == AUTO else model_file(name)
    length = expect_texts(file, "none").length
    if name == AUTO:
        classic, deep = ((str(model), model_digest(model)) for model in (SHIPPED, STRANGERS))
        return load_both(classic, deep, (), length=length)
    return load_reader(str(file), model_digest(file), (), length=length)


def answers(reader: AnyReader, files: list[bytes]) -> tuple[list[str], np.ndarray]:
    """Return the words that a reader reads in picture files, and their confidences; '' and 0 for a bad picture."""
    words, confidences = [""] * len(files), np.zeros(len(files))
    groups, _ = read_pictures(reader, range(len(files)), lambda k: files[k], {})
    for indices, found in groups:
        confidences[indices] = found.confidences[:, 0]
        for index, word in zip(indices.tolist(), found.words[:, 0].tolist(), strict=True):
            words[index] = word
    return words, confidences


def print_doubtful(groups: list[str], count: int, seed: int, models: list[str], faces: tuple[str, ...]) -> None:
    """Print the table of the groups of `tests.doubtful`, by default all."""
    readers = {name: open_model(name) for name in models}
    print(
        "| group | kinds | n |"
        + "".join(f" {name}: right | mean confidence | wrong > {SURE} | wrong > {HALF} |" for name in readers)
    )
    print("|---|---|---|" + "---|---|---|---|" * len(readers))
    for group in groups or GROUPS:
        drawn = [pair for kind in GROUPS[group] for pair in draw(kind, count, seed, faces, kinds=DOUBTFUL)]
        cells = f"| {group} | {len(GROUPS[group])} | {len(drawn)} |"
        for reader in readers.values():
            words, sure = answers(reader, [file for file, _ in drawn])
            right = np.array([word == text for word, (_, text) in zip(words, drawn, strict=True)])
            mean = f"{100 * sure[right].mean():.0f} %" if right.any() else "-"
            wrong = [int(((sure > limit) & ~right).sum()) for limit in (SURE, HALF)]
            cells += f" {int(right.sum())} | {mean} | {wrong[0]} | {wrong[1]} |"
        print(cells, flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.strangers")
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"by default all of {', '.join(KINDS)}")
    parser.add_argument("--doubtful", action="store_true", help=f"groups instead: {', '.join(GROUPS)}")
    parser.add_argument("--count", type=int, default=200, help="pictures of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--letters", default=LETTERS)
    parser.add_argument("--faces", nargs="+", default=list(FACES), help="font files")
    parser.add_argument("--model", nargs="+", default=list(MODELS), help="names or files of models, or auto")
    options = parser.parse_args()
    if options.doubtful:
        print_doubtful(options.kinds, options.count, options.seed, options.model, tuple(options.faces))
        return
    readers = {name: open_model(name) for name in options.model}
    pooled: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {name: [] for name in readers}
    print(f"| kind | n | wanted | {' | '.join(f'{name} | wrong over {SURE}' for name in readers)} |")
    print("|---|---|---|" + "---|---|" * len(readers))
    for kind in options.kinds or KINDS:
        drawn = draw(kind, options.count, options.seed, tuple(options.faces), options.letters)
        cells = []
        for name, reader in readers.items():
            words, sure = answers(reader, [file for file, _ in drawn])
            right = np.array([word == text for word, (_, text) in zip(words, drawn, strict=True)])
            cells.append(f"{100 * right.mean():.1f} % | {int(((sure > SURE) & ~right).sum())}")
            pooled[name].append((sure, right))
        print(f"| {kind} | {len(drawn)} | {100 * KINDS[kind].wanted:.1f} % | {' | '.join(cells)} |", flush=True)
    for name, parts in pooled.items():
        sure, right = (np.concatenate(part) for part in zip(*parts, strict=True))
        error, wrong = calibration_error(sure, right), ((sure > SURE) & ~right).sum()
        print(f"{name}: n = {len(right):,}, {100 * right.mean():.1f} % right, calibration error {100 * error:.1f} %, "
              f"wrong of those over {SURE}: {wrong:,} of {(sure > SURE).sum():,}")  # fmt: skip


if __name__ == "__main__":
    main()
