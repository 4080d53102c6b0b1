"""The models that are shipped with the package."""

import os
from pathlib import Path

SHIPPED = Path(__file__).with_name("ladder.skops")  # for whoever has none; made by `captchas train --ladder`
STRANGERS = Path(__file__).with_name(
    "strangers.onnx"
)  # reads whole pictures; docs/deep.md has the command that made it


def is_shipped(model: str) -> bool:
    """Tell whether a model's file is one of these."""
    return os.path.realpath(model) in map(os.path.realpath, (SHIPPED, STRANGERS))
