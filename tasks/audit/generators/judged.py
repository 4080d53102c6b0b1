"""What came of a job: pictures to keep, each with the text that it shows, or the reason why one cannot be used."""

import json
from contextlib import suppress
from hashlib import sha256
from typing import Any

from tasks.audit.generators.drawn_batches import Came, labelled_files
from tasks.audit.generators.own_generator import OwnGenerator
from tasks.audit.generators.pool import Job, Result
from tasks.audit.generators.processes.picture_files import NoPicture, portable, suffix_of
from tasks.audit.generators.processes.returned import TEXTS
from tasks.audit.generators.staged import AGAIN, Staged, StagedFile
from tasks.exchange.labelling import tidy_label
from tasks.exchange.rejects import fault_of
from tasks.loading.decode import decode_seen
from tasks.loading.safe_read import BadPicture

OTHER = "gave another text than was asked"
UNTOLD = "did not tell its text"
FEWER = "drew fewer pictures than asked"


def keep_result(generator: OwnGenerator, staged: Staged, result: Result) -> None:
    """Keep the pictures that came of a job, or note why they cannot be used."""
    job, answer, data = result
    indices = range(job.index, job.index + job.count)
    try:
        if "what" in answer:
            raise NoPicture(str(answer["what"]), str(answer["said"]))
        if "files" in answer:
            came = labelled_files(staged, answer, data)
        else:
            came = [Came(text_of_picture(generator, job, answer), data)]
    except NoPicture as error:
        for index in indices:
            _miss(generator, staged, job, index, error)
        return
    for index in indices[len(came) :]:
        _miss(generator, staged, job, index, NoPicture(FEWER, f"{len(came)} of {job.count}"))
    for index, picture in zip(indices, came, strict=False):
        try:
            _keep(staged, job, index, picture, float(answer["seconds"]) / job.count, generator.limits.pixels)
        except NoPicture as error:
            _miss(generator, staged, job, index, error)


def _keep(staged: Staged, job: Job, index: int, picture: Came, seconds: float, pixels_at_most: int) -> None:
    """Keep a picture, or compare it with what it was the first time."""
    try:
        data = portable(picture.data, pixels_at_most)
        seen = decode_seen(data)
    except BadPicture as error:
        raise NoPicture("gave a picture that cannot be read", str(error)) from error
    pixels = sha256(repr(seen.shape).encode() + seen.tobytes()).hexdigest()[:32]
    if not job.again:
        if index not in staged.rows:
            name = f"_{picture.name}" if picture.name else ""
            file = StagedFile(f"{name}{suffix_of(data)}", data, picture.time)
            staged.add(index, picture.text, file, pixels, seconds)
    elif index in staged.rows and len(staged.equal) < AGAIN:
        staged.compare(index, pixels if picture.text == staged.rows[index].text else None)


def _miss(generator: OwnGenerator, staged: Staged, job: Job, index: int, error: NoPicture) -> None:
    """Note why a picture cannot be used."""
    if not job.again:
        asked = [repr(job.text)] if job.text and generator.takes_text else []
        staged.fail(index, error.what, ": ".join([*asked, *filter(None, [str(error)])]))
    elif index in staged.rows and len(staged.equal) < AGAIN:
        staged.compare(index, None)


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


def _told(printed: str) -> str:
    """Return the text of what was printed: a line, or a JSON object that names it."""
    if printed.startswith("{"):
        with suppress(ValueError, RecursionError):
            named = json.loads(printed)
            return next((str(named[key]) for key in TEXTS if isinstance(named.get(key), str | int)), "")
    return printed


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
    printed = _told(printed.removeprefix("\ufeff"))  # programs on Windows begin with a mark of the byte order
    if "\ufffd" in printed:
        raise NoPicture("gave a text that cannot be used", "it printed bytes that are not UTF-8")
    if not printed:
        raise NoPicture(
            UNTOLD,
            "it did not read the text on its standard input and printed none; put {text} into the command, or print "
            "the text that it chose",
        )
    if len(printed.splitlines()) > 1:
        raise NoPicture(UNTOLD, f"it printed {len(printed.splitlines())} lines, {printed[:80]!r}, and not only a text")
    return printed
