"""Which files of a folder this process has open, whatever other threads open and close meanwhile."""

from contextlib import suppress
from pathlib import Path

_DESCRIPTORS = Path("/proc/self/fd")  # Linux has it


def open_below(folder: Path) -> list[str]:
    """Return the paths below a folder that this process has open; none where the system does not tell."""
    opened = []
    for descriptor in _DESCRIPTORS.iterdir() if _DESCRIPTORS.is_dir() else ():
        with suppress(OSError):  # it was closed meanwhile
            opened.append(str(descriptor.readlink()))
    return [place for place in opened if place.startswith(f"{folder}/")]
