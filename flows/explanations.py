"""The files of explanations: where they go, and how `--explain` names one on a command line."""

import itertools
import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from flows.home import home
from storage.errors import BadInput
from storage.files import atomic
from storage.files.places import local
from storage.files.small_files import read_ordinary
from storage.files.targets import require_file

if TYPE_CHECKING:  # every command line is looked at here before anything heavy is imported
    from tasks.loading.safe_read import BadPicture
    from tasks.solving.batches import SolvePlan

MARK = b"captchas explain"  # in the first bytes of each explanation
DEFAULT = "yes"  # what a bare `--explain` stands for
_MOST_NAME = 200  # bytes
_OPTION, _SUFFIX, _HEAD = "--explain", ".png", 512


def is_explanation(path: str | os.PathLike[str]) -> bool:
    """Return whether a file is an explanation, which the next explanation may replace."""
    try:
        return MARK in read_ordinary(Path(path), sys.maxsize, _HEAD)
    except (OSError, ValueError):
        return False


def with_explain_file(tokens: Iterable[str]) -> list[str]:
    """Write a bare `--explain` as `--explain=yes`, and `--explain OUT.png` as `--explain=OUT.png`.

    A picture that is there stays a picture: only a PNG that is not there, or that is an explanation, is taken.
    """
    found: list[str] = []
    for token in tokens:
        if token == _OPTION:
            found.append(f"{_OPTION}={DEFAULT}")
        elif found and found[-1] == f"{_OPTION}={DEFAULT}" and _may_be_written(token):
            found[-1] = f"{_OPTION}={token}"
        else:
            found.append(token)
    return found


def _may_be_written(token: str) -> bool:
    named = token.lower().endswith(_SUFFIX) and not token.startswith("-")
    return named and (not os.path.lexists(token) or is_explanation(token))


def explanation_file(asked: str, pictures: Iterable[Path]) -> list[Path]:
    """Return the file of each picture's explanation: the file that is asked for, or files under the home.

    Raises
    ------
    BadInput
        One file for several pictures, or a file that may not be replaced.
    """
    given = [*pictures]
    if asked == DEFAULT:
        names: dict[str, None] = {}
        for picture in given:
            stem = os.fsdecode(os.fsencode(_title(picture))[:_MOST_NAME])  # its file's temporary name is longer
            numbered = (f"{stem}-{number}" for number in itertools.count(2))
            names[next(name for name in itertools.chain([stem], numbered) if name not in names)] = None
        return [home() / "reports" / "explain" / f"{name}{_SUFFIX}" for name in names]
    if len(given) > 1:
        raise BadInput(
            f"explain: one file is for one picture; {len(given)} pictures are given: leave the file out, and each gets "
            "its own"
        )
    out = local(asked, "explain")
    require_replaceable(out, "explain", given)
    return [out]


def require_replaceable(out: Path, parameter: str, inputs: Iterable[Path] = ()) -> None:
    """Refuse a file that is no PNG by its name, that is read, or that holds something else than an explanation.

    Raises
    ------
    BadInput
    """
    if out.suffix.lower() != _SUFFIX:
        raise BadInput(f"{parameter}: must be a file that ends in {_SUFFIX}; it is {out}")
    require_file(out, parameter, inputs=tuple(inputs))
    if out.is_file() and not is_explanation(out):
        raise BadInput(
            f"{parameter}: must be a new file, or an explanation that may be replaced; {out} is neither: choose "
            "another name"
        )


def _title(picture: Path) -> str:
    return "picture" if str(picture).startswith("/dev/") else picture.stem


def write_explanation(
    plan: "SolvePlan", pictures: Sequence[Path], files: list[Path], done: list[str], number: int,
    content: "bytes | BadPicture",
) -> None:  # fmt: skip
    """Write the explanation of the picture of that number, and add it to `done`; of a file that is no picture none."""
    from tasks.explaining.explain_picture import explain_planned  # it brings matplotlib
    from tasks.loading.safe_read import BadPicture

    if isinstance(content, bytes):
        with suppress(BadPicture):
            explained = explain_planned(plan, content, _title(pictures[number]))
            atomic.replace(files[number], explained.png)
            done.append(str(files[number]))
