import os
import re
from pathlib import Path

import pytest

from storage.errors import BadInput
from storage.files.small_files import read_small
from tasks.exchange.labels import read_labels
from tasks.profiles.built_in import read_profile
from tasks.profiles.word_lists import load_words


def test_a_file_is_read_up_to_its_limit(tmp_path):
    file = tmp_path / "list"
    file.write_bytes(b"12345")
    assert read_small(file, "mine", 5) == b"12345"
    with pytest.raises(BadInput, match="mine: has more than 4 bytes"):
        read_small(file, "mine", 4)
    with pytest.raises(FileNotFoundError):
        read_small(tmp_path / "none", "mine")
    with pytest.raises(IsADirectoryError):
        read_small(tmp_path, "mine")


def test_the_output_of_a_program_is_read_where_a_shell_has_it():
    reading, writing = os.pipe()
    os.write(writing, b"words")
    os.close(writing)
    try:
        assert read_small(Path(f"/dev/fd/{reading}"), "mine") == b"words"
    finally:
        os.close(reading)


READERS = {
    "word list": lambda path: load_words(str(path), "ABC", (1, 9)),
    "profile": read_profile,
    "labels": read_labels,
}


@pytest.mark.parametrize("what", READERS)
@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_no_device_or_pipe_is_read(tmp_path, what, make):
    """A device without an end would take all memory; a pipe that nobody writes would wait for ever."""
    path = tmp_path / "labels.csv"
    make(path)
    with pytest.raises(BadInput, match=f"{what} {re.escape(str(path))}: is a device, a pipe or a socket"):
        READERS[what](path)
