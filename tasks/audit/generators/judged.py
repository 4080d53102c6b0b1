"""What a picture that came shows: the text that was asked for, or the text that its generator chose."""

from typing import Any

from tasks.audit.generators.own_generator import OwnGenerator
from tasks.audit.generators.pool import Job
from tasks.audit.generators.processes.picture_files import NoPicture
from tasks.exchange.labelling import fault_of, tidy_label

OTHER = "gave another text than was asked"
UNTOLD = "did not tell its text"


def text_of_picture(generator: OwnGenerator, job: Job, answer: dict[str, Any]) -> str:
    """Return the text that a picture shows.

    Raises
    ------
    NoPicture
        It is unknown, another than was asked, or none that a dataset can hold.
    """
    judge = _of_callable if generator.kind == "callable" else _of_command
    text = tidy_label(judge(generator, job, answer).strip())
    if fault := fault_of(text, frozenset()):
        raise NoPicture("gave a text that cannot be used", fault)
    return text


def _of_callable(generator: OwnGenerator, job: Job, answer: dict[str, Any]) -> str:
    returned = answer.get("text")
    if not generator.takes_text:
        if not isinstance(returned, str):
            raise NoPicture(UNTOLD, "it takes no text, so it has to return (text, picture)")
        return returned
    if isinstance(returned, str) and tidy_label(returned) != job.text:
        raise NoPicture(
            OTHER,
            f"asked for {job.text!r}, it returned {returned!r}; a generator that chooses its text takes no "
            "parameter for it; letters that it changes do not belong into --alphabet",
        )
    return str(job.text)


def _of_command(generator: OwnGenerator, job: Job, answer: dict[str, Any]) -> str:
    printed = str(answer["printed"])
    if answer["asked"] or answer["read"]:
        # A word that could be a text is taken for one; whatever else it prints is no business of ours.
        meant = len(printed) == len(str(job.text)) and set(printed) <= set(generator.alphabet)
        if meant and printed != job.text:
            raise NoPicture(OTHER, f"asked for {job.text!r}, it printed {printed!r}")
        return str(job.text)
    if answer["name"]:
        return str(answer["name"])
    if not printed:
        raise NoPicture(
            UNTOLD,
            "it did not read the text on its standard input and printed none; put {text} into the command, or print "
            "the text that it chose",
        )
    if len(printed.splitlines()) > 1:
        raise NoPicture(UNTOLD, f"it printed {len(printed.splitlines())} lines, {printed[:80]!r}, and not only a text")
    return printed
