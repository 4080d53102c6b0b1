"""The models that are shipped with the package."""

from pathlib import Path

SHIPPED = Path(__file__).with_name("ladder.skops")  # for whoever has none; made by `captchas train --ladder`
STRANGERS = Path(__file__).with_name(
    "strangers.onnx"
)  # reads whole pictures; docs/deep.md has the command that made it
