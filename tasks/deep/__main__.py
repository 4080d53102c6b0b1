"""Train a deep model on a machine that has little more than PyTorch: `python -m tasks.deep --draw hard --minutes 5`.

`captchas train --reader deep` is the same with Prefect; this door needs neither Prefect nor Dask.
"""

import argparse
import json
import sys
import time
from pathlib import Path

from storage.errors import CaptchasError
from tasks.deep.learning.deep_settings import Settings
from tasks.deep.learning.deep_training import train_deep
from tasks.deep.learning.sources import Drawn, Source, Stored
from tasks.deep.learning.unfamiliar import Varied
from tasks.deep.shape import SHAPES
from tasks.profiles.built_in import EVERY_FACE, ONE_CASE, find_profile

_LINE_SECONDS = 5.0
_TWO_CASES = tuple(face for face in EVERY_FACE if face not in ONE_CASE)


def weighted(given: str) -> tuple[str, float]:
    """Return the name and the weight of `NAME` or `NAME=WEIGHT`."""
    name, equals, weight = given.partition("=")
    try:
        return name, float(weight) if equals else 1.0
    except ValueError:
        raise argparse.ArgumentTypeError(f"{given!r}: the weight must be a number, as in hard=2") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tasks.deep", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("datasets", nargs="*", type=weighted, help="folders of datasets, DIR or DIR=WEIGHT")
    parser.add_argument("--draw", action="append", default=[], type=weighted, help="a profile, NAME or NAME=WEIGHT")
    parser.add_argument("--out", type=Path, default=Path("deep.onnx"))
    parser.add_argument("--checkpoint", type=Path, help="by default OUT.checkpoint")
    parser.add_argument("--shape", choices=sorted(SHAPES), default="small")
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--smoothing", type=float, default=0.0)
    parser.add_argument("--averaged", type=float, default=0.999)
    parser.add_argument("--processes", type=int, default=0)
    parser.add_argument("--checked", type=int, default=4096)
    parser.add_argument(
        "--moved", action="store_true", help="change pictures at random, so that strangers' can be read"
    )
    parser.add_argument("--begin-with", type=Path, help="the weights of another training to begin with")
    parser.add_argument("--weights", type=Path, help="where to write the weights of this training")
    parser.add_argument("--refit", type=Path, help="fit a model's cautious confidence, into --out; no training")
    parser.add_argument("--varied", type=float, metavar="WEIGHT", help="profiles drawn at random, another each block")
    parser.add_argument(
        "--average", type=Path, nargs=2, metavar="MODEL", help="write what is half way between two models"
    )
    parser.add_argument("--faces", nargs="+", default=[], help="of profiles drawn at random: names, or font files")
    parser.add_argument("--folded", action="store_true", help="count lower case as upper case")
    return parser


def main() -> int:
    """Train as the command line says."""
    given = _parser().parse_args()
    try:
        if given.average:
            from tasks.deep.learning.onnx_network import average_models

            record = average_models(given.average[0], given.average[1], given.out)
            print(json.dumps(record["averaged_with"]), flush=True)
            return 0
        if given.refit:
            from tasks.deep.learning.reliability import refit

            record = refit(given.refit, given.out, [*given.faces, *_TWO_CASES], given.seed)
            print(json.dumps(record["cautious_on"]), flush=True)
            return 0
        settings = Settings(
            SHAPES[given.shape], given.minutes, given.steps, given.seed, given.batch, given.rate,
            smoothing=given.smoothing, averaged=given.averaged, moved=given.moved, folded=given.folded,
            processes=given.processes,
        )  # fmt: skip
        sources: list[Source] = [Stored(folder, weight) for folder, weight in given.datasets]
        sources += [Drawn(find_profile(name), given.seed, weight) for name, weight in given.draw]
        if given.varied is not None:
            sources.append(Varied((*given.faces, *EVERY_FACE), given.seed, given.varied))
        checkpoint = given.checkpoint or given.out.with_name(f"{given.out.name}.checkpoint")
        began = time.monotonic()
        record = train_deep(
            sources, settings, given.out, checkpoint, _Lines(), given.checked, given.begin_with, given.weights
        )
    except CaptchasError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    told = {key: record[key] for key in ("steps", "pictures", "seconds", "scores")}
    print(json.dumps(told | {"whole_seconds": round(time.monotonic() - began, 1)}), flush=True)
    return 0


class _Lines:
    """Prints a line of progress every few seconds."""

    def __init__(self) -> None:
        self._last = 0.0

    def __call__(self, progress: object) -> None:
        now = time.monotonic()
        if now - self._last >= _LINE_SECONDS:
            self._last = now
            print(progress, flush=True)


if __name__ == "__main__":
    sys.exit(main())
