"""What the structure of SVG files tells: letters as text, or each letter as a path of the same commands."""

import re
from collections import Counter, defaultdict
from pathlib import Path

LEAST_LETTERS = 30
CONSTANT = 0.9  # share of letters that the commands of their paths tell, from which they give the answer away
_TEXT = re.compile(r"<(?:text|tspan)\b[^<>]*>([^<]*)", re.IGNORECASE)
_PATH = re.compile(r"<path\b[^<>]*>", re.IGNORECASE)
_D = re.compile(r"""\bd\s*=\s*["']([^"']*)""")
_HOLLOW = re.compile(r"""\bfill\s*=\s*["']none""")
_COMMAND = re.compile(r"[A-Za-z]")
_NUMBER = re.compile(r"-?\d*\.?\d+")


class VectorPictures:
    """Gathers what SVG files tell, file after file."""

    def __init__(self) -> None:
        self._files = self._texts = self._letters = 0
        self._seen: list[list[tuple[str, str]]] = []  # for each file, (commands, letter) from left to right

    def add(self, path: Path, data: bytes, text: str | None) -> None:
        """Look at a file; one that is no SVG does not count. `text` is its answer, if known."""
        if path.suffix.lower() != ".svg" and b"<svg" not in data[:1000]:
            return
        self._files += 1
        source = data.decode("utf-8", "replace")
        told = "".join(part.strip() for part in _TEXT.findall(source))
        self._texts += bool(told) and (text is None or "".join(text.split()) in told)
        paths = [_D.search(tag) for tag in _PATH.findall(source) if not _HOLLOW.search(tag)]
        lines = [found.group(1) for found in paths if found]
        drawn = sorted((_left(line), "".join(_COMMAND.findall(line))) for line in lines)
        if text is not None and len(drawn) == len(text):
            self._seen.append([(commands, letter) for (_, commands), letter in zip(drawn, text, strict=True)])
            self._letters += len(text)

    def _constant(self) -> tuple[int, int]:
        """Return how many letters the commands tell, learnt from every other file, and how many were asked for."""
        table: dict[str, Counter[str]] = defaultdict(Counter)
        for lines in self._seen[::2]:
            for commands, letter in lines:
                table[commands][letter] += 1
        asked = [pair for lines in self._seen[1::2] for pair in lines]
        right = sum(
            bool(table[commands]) and table[commands].most_common(1)[0][0] == letter for commands, letter in asked
        )
        return right, len(asked)

    def figures(self) -> dict[str, object]:
        """Return the counts; nothing without SVG files."""
        if not self._files:
            return {}
        right, asked = self._constant()
        return {"svg_files": self._files, "svg_with_text": self._texts, "svg_letters_told": right, "svg_letters": asked}

    def weaknesses(self) -> list[str]:
        """Say what the structure gives away, a sentence each."""
        said = []
        if self._texts:
            said.append(f"{self._texts:,} of {self._files:,} SVG files hold the answer as text elements.")
        right, asked = self._constant()
        if asked >= LEAST_LETTERS and right >= CONSTANT * asked:
            said.append(
                f"Each letter is a path of its own, whose drawing commands tell which letter it is: {right:,} of "
                f"{asked:,} letters were named from their commands alone, without drawing the picture."
            )
        return said


def _left(commands: str) -> float:
    number = _NUMBER.search(commands)
    return float(number.group()) if number else 0.0
