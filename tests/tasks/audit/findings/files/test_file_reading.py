"""Attackers that read files: where answers stand is learnt from some, and measured on others."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from storage.dataset import Dataset
from storage.files import atomic
from tasks.audit.attackers.labelled import find_unseen
from tasks.audit.findings.files import file_reading
from tasks.audit.findings.files.file_reading import FileReading, TextRule, find_places, read_answers_in_files
from tasks.datasets.folder import complete
from tasks.datasets.totals import Gathered
from tasks.exchange.ingest import fill_jobs, fill_shard
from tasks.exchange.labels import find_labels
from tasks.exchange.scan import ImportRequest, Listing, Source, scan_files
from tasks.lowlevel.inflate import inflate

ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ"
RULE = TextRule(ALPHABET, (4, 4))


def texts(count: int, seed: int = 1) -> list[str]:
    chance = np.random.default_rng(seed)
    return ["".join(chance.choice(list(ALPHABET), 4)) for _ in range(count)]


def png(value: str | None, seed: int = 0, key: str = "Comment") -> bytes:
    """Make a picture of noise with a text chunk."""
    info = PngImagePlugin.PngInfo()
    info.add_text("Software", "CAPS BOLD")
    if value is not None:
        info.add_text(key, value)
    file = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (12, 30), np.uint8)
    Image.fromarray(pixels).save(file, "PNG", pnginfo=info)
    return file.getvalue()


def written(folder: Path, answers: list[str], values: list[str | None]) -> list[Path]:
    folder.mkdir()
    files = [folder / f"{number:04d}_{text}.png" for number, text in enumerate(answers)]
    for number, (file, value) in enumerate(zip(files, values, strict=True)):
        file.write_bytes(png(value, number))
    return files


FORMS = {
    "plain": lambda text: text,
    "in a sentence": lambda text: f"the answer is {text}",
    "lower case": str.lower,
    "backwards": lambda text: text[::-1],
    "base64": lambda text: base64.b64encode(f"id:{text}".encode()).decode(),
    "hexadecimal": lambda text: text.encode().hex(),
    "dashes": "-".join,
    "zeros": "\0".join,
}


@pytest.mark.parametrize("form", FORMS)
def test_what_stands_in_a_file_is_read_in_files_whose_answers_nobody_told(tmp_path, form):
    known, fresh = texts(60), texts(40, 2)
    places = find_places(written(tmp_path / "known", known, list(map(FORMS[form], known))), known, RULE)
    files = written(tmp_path / "fresh", fresh, list(map(FORMS[form], fresh)))
    assert FileReading(places, RULE).answers(files).firsts == fresh


def test_no_place_is_found_where_no_answer_stands(tmp_path):
    """Words that all files have, other answers, and names of files with the answers are none."""
    known, others = texts(60), texts(60, 3)
    for name, values in (("none", [None] * 60), ("constant", [known[0]] * 60), ("others", others)):
        assert find_places(written(tmp_path / name, known, values), known, RULE) == []


def test_success_is_measured_where_only_some_files_tell(tmp_path):
    known = texts(80)
    values = [text if number % 4 == 0 else None for number, text in enumerate(known)]
    files = written(tmp_path / "some", known, values)
    places = find_places(files[:40], known[:40], RULE)
    assert sum(map(str.__eq__, FileReading(places, RULE).answers(files[40:]).firsts, known[40:])) == 10
    gone = [tmp_path / "gone.png"]
    assert FileReading(places, RULE).answers(gone).guesses == ((),)


def imported(folder: Path, to: Path) -> Dataset:
    """Import a folder, one damaged file among its pictures, as `captchas import` does."""
    listing = Listing(ImportRequest(folder, "some", find_labels(folder, None)))
    source = Source(listing, map(scan_files, listing.jobs()))
    to.mkdir()
    gathered = Gathered(source.identity, {})
    run = atomic.new_run()
    for job in fill_jobs(source, to, run):
        gathered.add(fill_shard(job))
    complete(to, gathered, run)
    return Dataset(to, inflate)


def test_the_files_of_unseen_pictures_are_found_again(tmp_path):
    answers = texts(300)
    files = written(tmp_path / "shots", answers, list(answers))
    files[7].write_bytes(b"no picture")
    dataset = imported(tmp_path / "shots", tmp_path / "dataset")
    unseen = find_unseen(dataset, 20)
    read = read_answers_in_files(dataset, unseen, tmp_path / "shots", False)
    assert read is not None
    assert read().firsts == list(unseen.truths)
    files[9].rename(files[9].with_name("0009_OTHR.png"))
    assert read_answers_in_files(dataset, unseen, tmp_path / "shots", False) is None


def test_words_of_an_alphabet_with_symbols_are_found():
    rule = TextRule("0123456789+=", (4, 4))
    assert [rule.answer_of(word) for word in dict(rule.words("sum 3+4= of"))["as it is"]] == [None, "3+4=", None]
    assert file_reading.TextRule("abcd", (2, 2), True).answer_of("AB") == "ab"
