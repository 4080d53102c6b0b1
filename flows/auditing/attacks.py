"""Let all attackers try, from weak to strong: each within its share of the budget, on the same unseen pictures."""

import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from flows.auditing.attacked import Attacked, Tried
from flows.auditing.trainings import attack_trained
from flows.reporting.progress import stage
from flows.reporting.runs import RETRIES
from flows.workers.cluster import crew
from flows.workers.fanout import fan_out
from storage.dataset import Dataset
from storage.errors import BadInput
from storage.files.places import place
from tasks.audit.attackers import constant
from tasks.audit.attackers.answers import Answers, compared_as
from tasks.audit.attackers.catalogue import attack_of
from tasks.audit.attackers.labelled import labelled_in, labelled_texts, pictures_again, remember, take_labelled
from tasks.audit.attackers.model_reading import ModelUse, gather, read_jobs, read_rows, use_of
from tasks.audit.attackers.programs import other_programs
from tasks.audit.attackers.verdict import RIGHT_TO_LEFT
from tasks.audit.findings.files.file_reading import read_answers_in_files
from tasks.audit.schema import Finding
from tasks.shipped import SHIPPED, STRANGERS

PROGRAMS = ("tesseract", "ddddocr")
MODELS = (SHIPPED, STRANGERS)
AGAIN = 0.001  # of the pictures: if fewer equal another, nobody gains much by remembering them
LATE = 100  # unseen pictures that a shipped model reads where the minutes are used before: a busy machine takes minutes
FEWEST = 50  # unseen pictures that a slow program reads at least


def attack_all(field: Attacked) -> None:
    """Let all attackers try, and put what they got into `field`."""
    field.clock.goes_on("unlabelled")
    tell_direction(field)
    attack_blindly(field)
    attack_from_memory(field)
    for name in PROGRAMS:
        attack_with_program(field, name)
    for model in MODELS:
        attack = attack_of(model.stem)
        try:
            use = use_of(model, field.alphabet, field.length, field.words, field.fold_case)
        except BadInput as error:
            field.leave(attack, without_path(str(error), str(model)))
            continue
        entry = field.attack(attack, partial(read_untrained, field, use, attack.title), sha256=use.sha256)
        if entry["words"] and entry["words"]["n"] < len(field.unseen.rows):
            field.skip(
                f"most unseen pictures for {attack.title}",
                f"the minutes were used before it read, so it read {entry['words']['n']:,} of "
                f"{len(field.unseen.rows):,} unseen pictures; give more --minutes",
            )
    attack_trained(field, partial(read_unseen, field))


def tell_direction(field: Attacked) -> None:
    """Note that readers take the letters from left to right, where a script runs the other way."""
    letters = [letter for letter in field.alphabet if unicodedata.bidirectional(letter) in ("R", "AL")]
    if letters:
        field.skip(
            RIGHT_TO_LEFT,
            f"letters such as {letters[0]!r} are written from right to left, and readers that are trained here go from "
            "left to right: where the pictures show the first letter of a text at the right, they learn next to "
            "nothing, and low rates say nothing of strength. Give the texts in the order in which the letters stand "
            "from left to right, and audit again",
        )


def programs_here(letters: str) -> list[str]:
    """List the programs that can be tried, each with its data for the letters.

    An audit is not finished by a program, or by data of it, that were installed since.
    """
    found = []
    for name in PROGRAMS:
        with suppress(other_programs.Missing):
            found.append(other_programs.find_program(name, letters).told)
    return found


def read_untrained(field: Attacked, use: ModelUse, title: str) -> Tried:
    """Read the unseen pictures with a model that learnt from none of the labelled ones; few if the minutes are used."""
    rows = field.unseen.rows if field.clock.left > 0 else field.unseen.rows[:LATE]
    return Tried(read_rows_on_dask(field.dataset, rows, use, f"{title}, {field.clock.told()}"))


def attack_blindly(field: Attacked) -> None:
    """Let those attackers try that look at no picture."""
    as_ = compared_as(field.fold_case)
    texts = [as_(text) for text in labelled_texts(field.dataset, constant.LOOKED_AT)]
    if not texts:
        field.leave(attack_of("chance"), "no picture is left beside the unseen ones; label more pictures")
        return
    count = len(field.unseen.rows)
    for name, guesses in (("chance", constant.by_letters(texts)), ("dictionary", constant.by_words(texts))):
        attack = attack_of(name, len(texts), field.price)
        if guesses:
            field.attack(attack, partial(Tried, constant.always(guesses, count)))
        else:
            field.leave(attack, f"no text comes twice among {len(texts)}: there is no frequent word")


def attack_from_memory(field: Attacked) -> None:
    """Let who remembers pictures try, where pictures come again."""
    dataset = field.dataset
    if pictures_again(dataset) > AGAIN * len(dataset):
        attack = attack_of("memory", len(dataset) - 1, field.price)
        field.attack(attack, lambda: Tried(remember(dataset, field.unseen)))


def attack_by_files(field: Attacked, sources: Sequence[Path], findings: Sequence[Finding]) -> None:
    """Let who opens the files try, where a finding says that answers stand in them."""
    told = [found for found in findings if found["name"] == "answer" and found["severity"] == "high"]
    if not sources or not any(found["figures"].get("places") for found in told):
        return
    read = read_answers_in_files(field.dataset, field.unseen, sources[0], field.fold_case)
    if read is not None:
        field.attack(attack_of("file"), lambda: Tried(read()))
        field.in_order()


def attack_with_program(field: Attacked, name: str) -> None:
    """Let a program try that is installed, on as many unseen pictures as its share of the budget allows."""
    attack = attack_of(name)
    try:
        program = other_programs.find_program(name, field.alphabet)
        field.attack(attack, lambda: Tried(read_with_program(field, program)), program=program.told)
        if program.lacks:
            field.skip(f"some letters for {attack.title}", program.lacks)
    except (other_programs.Missing, other_programs.Failed) as error:
        field.leave(attack, str(error))


@task(cache_policy=NO_CACHE, task_run_name="read with another program")
def read_with_program(field: Attacked, program: other_programs.Program) -> Answers:
    """Choose a program's settings by labelled pictures, and read unseen pictures with them."""
    few = min(other_programs.CHOOSING, labelled_in(field.dataset))
    chosen_by = take_labelled(field.dataset, few, field.state)
    way, seconds = other_programs.choose(program, chosen_by, field.alphabet, field.fold_case)
    affordable = int(field.clock.share("unlabelled") / 2 / max(seconds, 1e-4))
    count = min(max(affordable, FEWEST), len(field.unseen.rows))
    with stage(program.name, count) as shown:
        pictures = other_programs.as_seen(field.dataset, field.unseen.rows[:count])
        answers = other_programs.answers_of(program, pictures, way, field.alphabet)
        shown.advance(count)
    return answers


def read_unseen(field: Attacked, use: ModelUse, title: str) -> Answers:
    """Read the unseen pictures with a model."""
    return read_rows_on_dask(field.dataset, field.unseen.rows, use, f"{title}, {field.clock.told()}")


@task(cache_policy=NO_CACHE, task_run_name="read unseen pictures", **RETRIES)
def read_rows_on_dask(dataset: Dataset, rows: Sequence[int], use: ModelUse, said: str) -> Answers:
    """Read pictures of a dataset with a model on Dask."""
    jobs = read_jobs(dataset, rows, use)
    with (
        crew(reads=[dataset.folder, place(use.model)]) as client,
        stage("reading", len(rows)) as shown,
    ):
        shown.note(said)
        return gather(fan_out(client, read_rows, jobs, on_done=lambda receipt: shown.advance(len(receipt.guesses))))


def without_path(said: str, model: str) -> str:
    """Return what is said of a shipped model, without where it is installed: a report is shown to others."""
    return said.removeprefix(f"model {model}: ").replace(model, "the model")
