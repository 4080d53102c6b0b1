"""The unit that reads a batch: in the worker itself or, once the batch has cost a worker, in a process of its own.

A file that makes a decoder crash, or take all memory, ends the process that reads it. Dask starts another worker and
gives it the same batch. The batch that is at fault comes here a second time, to be read a picture at a time: the one
that ends that process as well gets an answer with the reason.
"""

import dataclasses
import os
import pickle
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator

from storage.errors import CaptchasError
from tasks.loading.safe_read import Fatal, Unreadable
from tasks.solving.batches import SolveJob, SolveReceipt, reader_of, solve_batch

LONGEST = 60.0  # seconds that one picture may take
_CHILD = "from tasks.solving.isolated import answer_all; answer_all()"


def read_batch(job: SolveJob) -> SolveReceipt:
    """`solve_batch`, or, if the job has cost a worker, the same at a distance."""
    if not job.alone:
        return solve_batch(job)
    answers: list[tuple | Unreadable] = []
    while len(answers) < len(job.files):
        rest = dataclasses.replace(job, files=job.files[len(answers) :], alone=False)
        answers += _answers(rest)
    return SolveReceipt(job.files, tuple(answers))


def _answers(job: SolveJob) -> Iterator[tuple | Unreadable]:
    """The answers of one child process: of all files, or up to the one that ends it."""
    # Beside what the child needs to find this module it inherits everything.
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(
        [sys.executable, "-c", _CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as child:
        try:
            child.stdin.write(pickle.dumps(job))
            child.stdin.close()
            if _next(child, 4 * LONGEST) is not None:  # it begins with None, once all is loaded
                raise CaptchasError("a process that reads pictures apart did not start; its messages say why")
            for _ in job.files:
                answer = _next(child, LONGEST)
                yield answer
                if isinstance(answer, Fatal):
                    return
        finally:
            child.kill()


def _next(child: subprocess.Popen, patience: float) -> tuple | Unreadable | None:
    """What the child says next; if it dies, or takes too long, why there is no answer."""
    timer = threading.Timer(patience, child.kill)
    timer.start()
    try:
        return pickle.load(child.stdout)
    except (EOFError, pickle.UnpicklingError):
        slow = not timer.is_alive()
        code = child.wait()
    finally:
        timer.cancel()
    why = f"took longer than {patience:.0f} s" if slow else f"ended the process that read it (exit code {code})"
    return Fatal(f"reading it {why}")


def answer_all() -> None:
    """What the child does: a job from standard input, its answers to standard output, one by one."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    job: SolveJob = pickle.load(sys.stdin.buffer)
    reader_of(job.plan)
    pickle.dump(None, out)
    out.flush()
    for one in job.files:
        (answer,) = solve_batch(dataclasses.replace(job, files=(one,))).answers
        pickle.dump(answer, out)
        out.flush()
