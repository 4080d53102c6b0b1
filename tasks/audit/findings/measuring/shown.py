"""Pictures for the report: small PNG files as data URIs, each with its text for people who do not see it."""

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from PIL import Image

from tasks.audit.findings.measuring.sampled import as_seen
from tasks.audit.schema import Figure, Finding

Severity = Literal["high", "low", "none", "unknown"]
COLOURS = 64
GAP = 4  # pixels between pictures of a sheet
_RULE = 176  # brightness of the line between them: most are white, and would be taken for one
WIDEST = 640  # pixels of a figure, as it is stored
_LARGE = 240  # rows of a figure, up to which pictures are enlarged


def figure(picture: np.ndarray, text: str) -> Figure:
    """Make a figure of a picture, ink or sRGB, enlarged by whole numbers if it is small."""
    seen = as_seen(picture)
    times = max(1, min(3, _LARGE // max(1, seen.shape[0]), WIDEST // max(1, seen.shape[1])))
    seen = seen.repeat(times, axis=0).repeat(times, axis=1)
    image = Image.fromarray(seen)
    if image.width > WIDEST:
        image = image.resize((WIDEST, max(1, image.height * WIDEST // image.width)), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    # A report holds some dozens of figures in 3 MB; with so many colours nobody sees a difference.
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return Figure(picture=f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}", text=text)


def sheet(pictures: Sequence[np.ndarray], columns: int = 2) -> np.ndarray:
    """Put pictures, ink or sRGB, side by side in lines on white, with rules between them, (h, w, 3) uint8."""
    seen = [as_seen(picture) for picture in pictures]
    lines = [seen[first : first + columns] for first in range(0, len(seen), columns)]
    height = sum(max(p.shape[0] for p in line) + GAP for line in lines) - GAP
    width = max(sum(p.shape[1] + GAP for p in line) for line in lines) - GAP
    out = np.full((height, width, 3), 255, np.uint8)
    top = 0
    for line in lines:
        left = 0
        for picture in line:
            out[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
            left += picture.shape[1] + GAP
            if left < width:
                out[top : top + picture.shape[0], left - GAP // 2] = _RULE
        top += max(p.shape[0] for p in line) + GAP
        if top < height:
            out[top - GAP // 2] = _RULE
    return out


def finding(
    name: str, title: str, severity: Severity, plain: str, remedy: str | None, figures: Mapping[str, Any],
    shown: Sequence[Figure] = (),
) -> Finding:  # fmt: skip
    """Make a finding; one that needs no remedy has none."""
    return Finding(
        name=name, title=title, severity=severity, plain=plain, remedy=remedy or None, figures=dict(figures),
        shown=list(shown),
    )  # fmt: skip


def named(names: Sequence[str]) -> str:
    """Return names as a sentence has them: A, B and C."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
