"""Reproduce the book's procedure: a job for each step, then a table and a plot."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.errors import BadInput
from storage.files import atomic
from tasks.figures.comparisons import StepScores, plot_steps
from tasks.profiles.fonts import Face, require_characters
from tasks.profiles.word_lists import WEB2, load_words
from tasks.rates import Rate
from tasks.worker import at_home

# It brings scikit-learn and scikit-image, which take most of a second; who deploys or starts a run needs neither.
if TYPE_CHECKING:
    from tasks.scoring import book

COLUMNS = {
    "four_segments": "four segments (%)",
    "no_dictionary": "no dictionary (%)",
    "equal_positions": "equal positions (%)",
    "letter_probabilities": "probabilities (%)",
}
TRAINING_LETTERS = 1000  # as tasks.scoring.book has it, whose import takes scikit-learn along
LEAST_LETTERS, MOST_LETTERS = 100, 200_000  # fewer leave letters unseen; more do not fit into a worker's memory


@dataclass(frozen=True)
class StepJob:
    """Run one step of the procedure over some words."""

    number: int
    step: "book.Step"
    words: tuple[str, ...]
    font_path: str
    seed: int
    letters: int


def jobs(face: Face, seed: int, count: int | None, letters: int) -> list[StepJob]:
    """Plan a job for each step, over all four-letter words or over `count` of them, evenly spread.

    The network learns from nine tenths of so many `letters`.

    Raises
    ------
    BadInput
        A count out of range, or a font without the letters.
    """
    from tasks.scoring import book

    require_characters(face, book.LETTERS)
    words = load_words(WEB2, book.LETTERS, (book.LENGTH, book.LENGTH))
    if count is not None:
        if not 1 <= count <= len(words):
            raise BadInput(f"words: must be from 1 to {len(words)}; it is {count}")
        words = tuple(words[k * len(words) // count] for k in range(count))
    require_letters(letters)
    return [StepJob(number, step, words, face.path, seed, letters) for number, step in enumerate(book.STEPS)]


def require_letters(letters: int) -> None:
    """Raise `BadInput` for a number of letters from which the book's network cannot learn."""
    if not LEAST_LETTERS <= letters <= MOST_LETTERS:
        raise BadInput(f"letters: must be from {LEAST_LETTERS} to {MOST_LETTERS}; it is {letters}")


def run_step_job(job: StepJob) -> dict[str, Any]:
    """Draw, cut, train, read and correct; return the step's row of the table."""
    from tasks.scoring import book

    row = book.run_step(job.step, list(job.words), at_home(job.font_path), job.seed, letters=job.letters)
    return {"number": job.number, **row}


def _rate(row: dict[str, Any], column: str) -> Rate:
    return Rate(round(row[column] * row["n"]), row["n"])


def for_people(rows: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Format the table in percent, with 95 % intervals."""
    return [
        {
            "step": row["name"],
            **{
                title: f"{100 * rate.value:.1f} ({100 * rate.low:.1f} to {100 * rate.high:.1f})"
                for column, title in COLUMNS.items()
                for rate in [_rate(row, column)]
            },
            "letters alone (F1)": f"{row['letters_macro_f1']:.3f}",
        }
        for row in rows
    ]


def as_markdown(rows: list[dict[str, Any]]) -> str:
    """Format the table in Markdown."""
    table = for_people(rows)
    lines = ["| " + " | ".join(table[0]) + " |", "|" + "---|" * len(table[0])]
    lines += ["| " + " | ".join(row.values()) + " |" for row in table]
    return "\n".join(lines) + "\n"


def save_steps(folder: Path, rows: list[dict[str, Any]], face: Face, seed: int) -> dict[str, Any]:
    """Write steps.json, steps.md and steps.png; return the report."""
    report = {"font": face.name, "seed": seed, "n": rows[0]["n"], "steps": rows}
    plotted: list[StepScores] = [
        {
            "step": row["name"],
            "segments": row["four_segments"],
            "rates": {
                "no dictionary": _rate(row, "no_dictionary").as_dict(),
                "hamming": _rate(row, "equal_positions").as_dict(),
                "probability": _rate(row, "letter_probabilities").as_dict(),
            },
        }
        for row in rows
    ]
    title = f"The book's procedure, one defect fewer at a time ({face.name}, {rows[0]['n']:,} words, seed {seed})"
    atomic.replace(folder / "steps.png", plot_steps(plotted, title))
    atomic.replace(folder / "steps.md", as_markdown(rows).encode())
    atomic.replace(folder / "steps.json", (json.dumps(report, indent=1) + "\n").encode())
    return report
