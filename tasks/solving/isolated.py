"""Read a batch in the worker itself or, once the batch has cost a worker, in a process of its own.

A file that makes a decoder crash, or take all memory, ends the process that reads it. Dask then starts another worker
and gives it the same batch. After that the batch comes here a second time, marked `alone`: a child process reads one
picture after another. The picture that ends the child as well gets an answer with the reason, and another child reads
the rest.

Pictures that a person named are read in a forked child, which has the model already, so that such a file costs its own
answer and not the command.
"""

import dataclasses
import functools
import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from typing import IO, TypeVar

from storage.errors import CaptchasError, refused_by_system
from storage.ledger.ledger import Answer
from tasks.forks import as_child, end_with
from tasks.loading.safe_read import Fatal, Unreadable
from tasks.solving.batches import Listed, SolveJob, SolvePlan, SolveReceipt, answer_pictures, reader_of, solve_batch

Found = TypeVar("Found")

LONGEST = 60.0  # seconds that one picture may take
LONGEST_START = 4 * LONGEST  # seconds until a child has loaded the model
_READY = "ready"  # the first message of a child
_CHILD = "from tasks.solving.isolated import answer_all; answer_all()"


def read_batch(job: SolveJob) -> SolveReceipt:
    """Read a batch as `solve_batch` does; if the job has cost a worker, in a child process.

    Raises
    ------
    BadInput
        The model or dictionary does not fit.
    CaptchasError
        A child process did not start.
    """
    if not job.alone:
        return solve_batch(job)
    answers: list[Answer | Unreadable] = []
    while len(answers) < len(job.files):
        rest = dataclasses.replace(job, files=job.files[len(answers) :], alone=False)
        answers += _answers(rest)
    return SolveReceipt(job.files, tuple(answers))


def _answers(job: SolveJob) -> Iterator[Answer | Unreadable]:
    """Yield the answers of one child process: for all files, or up to the file that ends it."""
    # The child inherits the environment; it also has to find this module.
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(
        [sys.executable, "-P", "-c", _CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as child:
        try:
            with _pipe(child.stdin) as pipe:
                pipe.write(pickle.dumps(job))
            if _next(child, LONGEST_START) != _READY:
                raise CaptchasError("a process that reads pictures apart did not start; its messages say why")
            for _ in job.files:
                answer = _next(child, LONGEST)
                if not isinstance(answer, Answer | Unreadable):
                    raise CaptchasError(f"a process that reads pictures apart gave {answer!r}, which is no answer")
                yield answer
                if isinstance(answer, Fatal):
                    return
        finally:
            child.kill()


def _next(child: subprocess.Popen[bytes], patience: float) -> object:
    """Return the next object that the child sends; `Fatal` if it dies or takes longer than `patience` seconds."""
    timer = threading.Timer(patience, child.kill)
    timer.start()
    try:
        return pickle.load(_pipe(child.stdout))
    except (EOFError, pickle.UnpicklingError):
        slow = not timer.is_alive()
        code = child.wait()
    finally:
        timer.cancel()
    return _fatal(patience if slow else None, code)


def _fatal(patience: float | None, code: int | None) -> Fatal:
    why = f"took longer than {patience:.0f} s" if patience else f"ended the process that read it (exit code {code})"
    return Fatal(f"reading it {why}")


def _pipe(end: IO[bytes] | None) -> IO[bytes]:
    if end is None:
        raise CaptchasError("a process that reads pictures apart was started without pipes")
    return end


def answer_forked(
    plan: SolvePlan, pictures: Sequence[Listed], read: Callable[[Listed], bytes], patience: float = LONGEST
) -> list[Answer | Unreadable]:
    """Answer pictures as `answer_pictures` does, in a child that is forked from this process: see `do_forked`.

    Raises
    ------
    BadInput
        The model or dictionary does not fit.
    """
    reader_of(plan)  # now, so that every child has it
    return do_forked(functools.partial(answer_pictures, plan, read=read), pictures, patience)


def do_forked(
    unit: Callable[[Sequence[Listed]], list[Found]], pictures: Sequence[Listed], patience: float = LONGEST
) -> list[Found | Unreadable]:
    """Return what a unit makes of pictures, one thing of each, in a child that is forked from this process.

    If the child dies or takes longer than `patience` seconds, each picture gets a child of its own, and the picture
    that ends it too gets `Fatal`. Other systems than Linux, whose libraries do not bear a fork, read in this process.
    The unit's errors are raised here.
    """
    if not sys.platform.startswith("linux"):
        return [*unit(pictures)]
    found = _forked(unit, pictures, patience)
    if not isinstance(found, Fatal):
        return found
    if len(pictures) == 1:
        return [found]
    return [each for picture in pictures for each in do_forked(unit, [picture], patience)]


def _forked(
    unit: Callable[[Sequence[Listed]], list[Found]], pictures: Sequence[Listed], patience: float
) -> list[Found | Unreadable] | Fatal:
    context = multiprocessing.get_context("fork")
    answers, sink = context.Pipe(duplex=False)
    child = context.Process(target=_do_into, args=(sink, os.getpid(), unit, pictures), daemon=True)
    child.start()
    sink.close()
    try:
        if not answers.poll(patience):
            return _fatal(patience, None)
        found: list[Found | Unreadable] | Exception = answers.recv()
    except (EOFError, OSError):
        child.join()
        return _fatal(None, child.exitcode)
    finally:
        child.kill()
        child.join()
        answers.close()
    if isinstance(found, Exception):
        raise found
    return found


def _do_into(
    sink: Connection, parent: int, unit: Callable[[Sequence[Listed]], object], pictures: Sequence[Listed]
) -> None:
    """Do the forked child's work: send what the unit makes, or the error that this process would have raised."""
    as_child(parent)
    try:
        sink.send(unit(pictures))
    except MemoryError:
        os._exit(1)
    except Exception as error:  # noqa: BLE001 - the parent raises it, without the traceback that tells whose it is
        sink.send(refused_by_system(error) or error)


def answer_all() -> None:
    """Do the child's work: read a job from standard input, write the answers to standard output, one by one."""
    end_with(os.getppid())
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # so that the output of libraries does not come between the answers
    job: SolveJob = pickle.load(sys.stdin.buffer)
    reader_of(job.plan)
    pickle.dump(_READY, out)
    out.flush()
    for file in job.files:
        (answer,) = solve_batch(dataclasses.replace(job, files=(file,))).answers
        pickle.dump(answer, out)
        out.flush()
