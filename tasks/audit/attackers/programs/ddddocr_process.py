"""Runs in ddddocr's own environment, as a script: reads the PNG files of a folder in the order of their names.

    python ddddocr_process.py FOLDER default|beta inverted|"as drawn" LETTERS

Prints each answer as a JSON string on a line.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any


def spelled(answer: dict[str, Any], letters: str) -> str:
    """Take the most probable of the letters, in either case, or none at each step; then join repeats.

    What ddddocr does itself with a range of letters is to drop others after they have won, which reads less.
    """
    charset, steps = answer["charset"], answer["probabilities"]
    if len(steps) == 1:  # (1, steps, characters) or (steps, 1, characters), by its version
        steps = steps[0]
    elif len(steps[0]) == 1:
        steps = [step[0] for step in steps]
    wanted = {letter for one in letters for letter in (one, one.upper(), one.lower())}
    kept = [0] + [k for k, text in enumerate(charset) if k and text in wanted]
    best = [max(kept, key=step.__getitem__) for step in steps]
    return "".join(charset[k] for k, before in zip(best, [0, *best[:-1]], strict=True) if k not in (0, before))


def main(folder: str, model: str, turned: str, letters: str) -> None:
    """Read all pictures; print a line for each."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # else its runtime keeps a database of what runs
    import ddddocr  # type: ignore[import-not-found]  # in its own environment only
    from PIL import Image, ImageOps

    reader = ddddocr.DdddOcr(show_ad=False, beta=model == "beta")
    for path in sorted(Path(folder).glob("*.png")):
        with Image.open(path) as file:
            picture = file.convert("RGB")
        if turned == "inverted":
            picture = ImageOps.invert(picture.convert("L"))
        sys.stdout.write(json.dumps(spelled(reader.classification(picture, probability=True), letters)) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
