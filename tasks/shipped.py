"""The model that is shipped with the package, for whoever has none."""

from pathlib import Path

SHIPPED = Path(__file__).with_name("ladder.skops")  # made by `captchas train --ladder`
