"""Runs in ddddocr's own environment: read the PNG files of a folder in order of their names, print JSON lines.

    python read_ddddocr.py FOLDER [--model beta] [--inverted] [--alphabet ABC] [--limit N]

First the versions, then `name` and `reading` of each file, last the seconds that reading took, without loading.
"""

import argparse
import json
import sys
import time
from importlib.metadata import version
from pathlib import Path

import ddddocr
import numpy as np
from PIL import Image, ImageOps


def restricted(answer: dict, alphabet: str) -> str:
    """Take the most probable character (either case), or none, at each step; join repeats.

    ddddocr's own `set_ranges` drops other characters after they have won, which reads less.
    """
    charset, probabilities = answer["charset"], np.array(answer["probabilities"])
    steps = probabilities[:, 0] if probabilities.shape[1] == 1 else probabilities[0]
    kept = [0] + [k for k, text in enumerate(charset) if k and text and text.upper() in alphabet]
    best = [kept[k] for k in steps[:, kept].argmax(axis=1)]
    return "".join(charset[k] for k, before in zip(best, [0, *best[:-1]], strict=True) if k not in (0, before))


def main() -> None:
    """Read all pictures; print a line for each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", choices=("default", "beta"), default="default")
    parser.add_argument("--inverted", action="store_true")
    parser.add_argument("--alphabet", default="")
    parser.add_argument("--limit", type=int)
    options = parser.parse_args()
    reader = ddddocr.DdddOcr(show_ad=False, beta=options.model == "beta")
    print(json.dumps({name: version(name) for name in ("ddddocr", "onnxruntime")}))
    began = time.perf_counter()
    for path in sorted(options.folder.glob("*.png"))[: options.limit]:
        picture = Image.open(path)
        if options.inverted:
            picture = ImageOps.invert(picture.convert("L"))
        if options.alphabet:
            reading = restricted(reader.classification(picture, probability=True), options.alphabet)
        else:
            reading = reader.classification(picture)
        print(json.dumps({"name": path.name, "reading": reading}))
    print(json.dumps({"seconds": time.perf_counter() - began}))


if __name__ == "__main__":
    sys.exit(main())
