"""What messages offer is what a shell takes: each option is typed again, and does what the message says."""

import itertools
import random
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.errors import BadInput
from tasks.exchange.labelling import LabelOptions, parse_columns
from tasks.exchange.labels import find_labels
from tasks.exchange.scan import ImportRequest, Listing

N = 24
CHANCE = random.Random(6)
LABELS = ["".join(CHANCE.choice("ABCDEFHKLMNPRTX3479") for _ in range(4)) for _ in range(N)]
OTHERS = [label[::-1] for label in LABELS]


def read(folder: Path, **given: str) -> dict[str, str]:
    options = LabelOptions(columns=parse_columns(given.get("columns")))
    file = Path(given["labels"]) if "labels" in given else None
    return dict(Listing(ImportRequest(folder, "mine", find_labels(folder, file, given.get("pattern"), options))).pairs)


def offered(error: BadInput) -> Iterator[tuple[str, str, str]]:
    """Yield each option of a message that reads something: its name, its value for a shell, and the first label."""
    for match in re.finditer(r"--(columns|pattern) (\S+|'.*?') reads '(.*?)'", str(error)):
        (value,) = shlex.split(match[2])
        yield match[1], value, match[3]


@pytest.mark.parametrize(
    "names",
    [("text", "words"), ("first text", "second text"), ("text, left to right", "text, right to left"), ("a+b", "c/d"),
     ("the typist's text", "the other's text"), ("text", "text"), ("t$1", "t;2")],
)  # fmt: skip
@pytest.mark.parametrize("place", ["file", "image, as drawn"])
def test_columns_of_any_name_can_be_typed(tmp_path, names, place):
    header = ",".join(f'"{name}"' for name in (place, *names))
    rows = [f"{k}.png,{one},{other}" for k, (one, other) in enumerate(zip(LABELS, OTHERS, strict=True))]
    (tmp_path / "labels.csv").write_text("\n".join([header, *rows, ""]))
    for k in range(N):
        (tmp_path / f"{k}.png").write_bytes(b"")
    with pytest.raises(BadInput, match="several columns may hold the labels") as error:
        read(tmp_path)
    typed = [*offered(error.value)]
    assert {label for _, _, label in typed} == {LABELS[0], OTHERS[0]}
    for option, value, label in typed:
        assert read(tmp_path, **{option: value})["0.png"] == label


def test_files_whose_paths_have_blanks_can_be_typed(tmp_path):
    folder = tmp_path / "my own pictures"
    folder.mkdir()
    for k in range(N):
        (folder / f"{k}.png").write_bytes(b"")
    for name, labels in (("labels 1.csv", LABELS), ("labels 2.csv", OTHERS)):
        (folder / name).write_text("".join(f"{k}.png,{label}\n" for k, label in enumerate(labels)))
    with pytest.raises(BadInput, match="they differ") as error:
        read(folder)
    words = shlex.split(str(error.value).partition("choose one with ")[2].partition(": they differ")[0])
    found = [read(folder, labels=value)["0.png"] for option, value in itertools.pairwise(words) if option == "--labels"]
    assert found == [LABELS[0], OTHERS[0]]


def test_answers_of_a_reader_in_a_folder_with_blanks_can_be_typed(tmp_path):
    folder = tmp_path / "my own pictures"
    folder.mkdir()
    for k in range(N):
        (folder / f"{k}.png").write_bytes(b"")
    (folder / "labels.csv").write_text("".join(["file,my guess\n", *(f"{k}.png,{v}\n" for k, v in enumerate(LABELS))]))
    (folder / "labels.csv").rename(folder / "predictions.csv")
    with pytest.raises(BadInput, match="a reader's answers") as error:
        read(folder)
    words = shlex.split(re.search(r"take them with (--labels .*? --columns \S+)", str(error.value))[1])
    assert words[:2] == ["--labels", str(folder / "predictions.csv")]
