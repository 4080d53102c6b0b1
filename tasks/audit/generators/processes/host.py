"""The program of the process that calls an owner's Python callable: picture after picture, for as long as it lives.

It is started by the warden, which watches it, and ends it if a picture takes too long or too much.
"""

import os
import re
import sys
import traceback
from pathlib import Path
from typing import Any

from tasks.audit.generators.processes.callables import Found, find_callable
from tasks.audit.generators.processes.limits import Limits
from tasks.audit.generators.processes.messages import receive, send
from tasks.audit.generators.processes.picture_files import NoPicture
from tasks.audit.generators.processes.returned import unpack

OURS = ("flows", "storage", "tasks")  # an owner's modules may have these names too
_MOST_SAID = 2000  # characters of a message
_PROGRAM = str(Path(__file__).parent)
_LIBRARY = re.compile(r"[/\\](?:site-packages|dist-packages|lib[/\\]python3)|^<")


def main() -> None:
    """Read what to call, and then a message a picture; answer each."""
    jobs, answers = int(sys.argv[1]), int(sys.argv[2])
    os.set_inheritable(jobs, False)
    os.set_inheritable(answers, False)
    first = receive(jobs, 0)
    if first is None:
        return
    spec, limits = first[0], Limits(**first[0]["limits"])
    for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
        del sys.modules[name]
    if spec["python_path"] is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = spec["python_path"]
    try:
        found = find_callable(spec["given"], spec["folder"])
    except BaseException as error:  # noqa: BLE001 - the owner's module may raise anything, and may exit
        send(answers, {"refused": _is_ours(error), "what": _raised(error), "said": _said(error)})
        return
    facts = {"takes_text": found.takes_text, "takes_rng": found.takes_rng, "source": found.source, "file": found.file}
    send(answers, facts)
    process = os.getpid()
    while (job := receive(jobs, 0)) is not None:
        header, body = _draw(found, job[0], limits)
        if os.getpid() != process:  # the callable forked, and this is the other process
            os._exit(0)
        send(answers, header, body)


def _draw(found: Found, job: dict[str, Any], limits: Limits) -> tuple[dict[str, Any], bytes]:
    try:
        value = found.call(job["text"], job["seed"], job["index"])
        text, data = unpack(value, limits.pixels)
    except NoPicture as error:
        return {"what": error.what, "said": str(error)}, b""
    except MemoryError:
        return {"what": limits.told()["memory"], "said": "MemoryError"}, b""
    except BaseException as error:  # noqa: BLE001 - also an exit; the generator may raise anything
        return {"what": _raised(error), "said": _said(error)}, b""
    if len(data) > limits.output:
        return {"what": limits.told()["output"], "said": f"{len(data):,} bytes"}, b""
    return {"text": text}, data


def _raised(error: BaseException) -> str:
    return f"raised {type(error).__name__}"


def _is_ours(error: BaseException) -> bool:
    """Return whether an error of import says what to do, so that it needs no place."""
    return type(error).__module__ == "storage.errors"


def _said(error: BaseException) -> str:
    """Return an error's message, and the line of the owner's code that raised it."""
    said = str(error)[:_MOST_SAID]
    if _is_ours(error) or isinstance(error, SyntaxError):
        return said
    # The last place in the owner's code, and not in a library that it called.
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(_PROGRAM)]
    own = [frame for frame in frames if not _LIBRARY.search(frame.filename)] or frames
    where = f" (line {own[-1].lineno} of {Path(own[-1].filename).name})" if own else ""
    return f"{said or type(error).__name__}{where}"
