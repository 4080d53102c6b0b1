"""Folders of one name never share a file of answers, in new homes and in old ones."""

import threading
from pathlib import Path

import pytest

from storage.errors import BadInput
from storage.ledger.ledger import LEDGER, Ledger
from tasks.solving.claims import MARK, claim_answers, require_own


def inbox(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


@pytest.fixture
def answers(tmp_path) -> Path:
    return inbox(tmp_path / "home" / "answers").resolve()


def wrote(answers: Path, source: Path, out: Path) -> None:
    """A run of an earlier version: results in the ledger, and no mark."""
    with Ledger(answers / LEDGER) as ledger:
        run = ledger.begin(ledger.folder(source))
        with ledger.transaction():
            ledger.finish(run, {"out": str(out), "format": "csv"})
    inbox(out.parent)
    out.write_text("path\n")


def test_two_folders_of_a_name_have_two_folders_of_answers(tmp_path, answers):
    first, second, third = (inbox(tmp_path / name / "inbox") for name in "abc")
    homes = [claim_answers(answers, source) for source in (first, second, third)]
    assert homes[0] == (answers / "inbox", "")
    assert len({claim.folder for claim in homes}) == 3
    assert all(claim.folder.name.startswith("inbox-") and len(claim.folder.name) == 14 for claim in homes[1:])
    assert homes[1].why == f"{answers / 'inbox'} has the answers of {first}"
    assert [claim_answers(answers, source) for source in (first, second, third)] == homes


def test_old_homes_go_on(tmp_path, answers):
    first, second = (inbox(tmp_path / name / "inbox") for name in "ab")
    wrote(answers, first, answers / "inbox" / "answers.csv")
    wrote(answers, second, answers / "inbox" / "answers.jsonl")  # the last to write there
    wrote(answers, first, tmp_path / "new.csv")
    assert claim_answers(answers, first).folder.name.startswith("inbox-")
    assert claim_answers(answers, second) == (answers / "inbox", "")
    (answers / "inbox" / MARK).unlink()
    assert claim_answers(answers, second) == (answers / "inbox", "")


def test_answers_of_an_unknown_writer_go_to_the_first_that_asks(tmp_path, answers):
    inbox(answers / "inbox")
    (answers / "inbox" / "answers.csv").write_text("path\n")
    assert claim_answers(answers, inbox(tmp_path / "inbox")) == (answers / "inbox", "")


def test_runs_at_the_same_time_do_not_share(tmp_path, answers):
    sources = [inbox(tmp_path / str(number) / "inbox") for number in range(8)]
    claims, gate = [], threading.Barrier(len(sources))

    def ask(source: Path) -> None:
        gate.wait()
        claims.append(claim_answers(answers, source).folder)

    threads = [threading.Thread(target=ask, args=(source,)) for source in sources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(claims)) == len(sources)


@pytest.mark.parametrize("name", ["locks", "ledger.sqlite", "ledger.sqlite-wal", "x" * 255, "é" * 127, "\udcff"])
def test_names_that_are_taken_or_long_or_strange(tmp_path, answers, name):
    claims = [claim_answers(answers, inbox(tmp_path / place / name)).folder for place in "ab"]
    assert len(set(claims)) == 2
    assert all((claim / MARK).is_file() and claim.parent == answers for claim in claims)
    assert not {"locks", "ledger.sqlite", "ledger.sqlite-wal"} & {claim.name for claim in claims}


def test_pictures_have_answers_of_their_own(tmp_path, answers):
    folder = inbox(tmp_path / "x")
    pictures = [folder / "a.png", folder / "a.jpg", inbox(tmp_path / "y") / "a.png"]
    for picture in pictures:
        picture.touch()
    sources = [*pictures, inbox(tmp_path / "a")]
    assert len({claim_answers(answers, source).folder for source in sources}) == 4


def test_a_home_that_was_moved_keeps_its_names(tmp_path, answers):
    home = answers.parent
    claim_answers(answers, inbox(home / "inbox"))
    home.rename(tmp_path / "moved")
    moved = (tmp_path / "moved").resolve()
    assert claim_answers(moved / "answers", moved / "inbox") == (moved / "answers" / "inbox", "")


def test_the_answers_of_another_folder_are_refused_as_out(tmp_path, answers):
    first, second = (inbox(tmp_path / name / "inbox") for name in "ab")
    folder = claim_answers(answers, first).folder
    require_own(folder / "answers.csv", answers, first)
    require_own(folder / "other.csv", answers, second)
    require_own(tmp_path / "answers.csv", answers, second)
    with pytest.raises(BadInput, match=r"out: must not be the answers of another folder; .* has those of .*a/inbox"):
        require_own(folder / "answers.csv", answers, second)
