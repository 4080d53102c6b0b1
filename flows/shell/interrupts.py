"""The end of a command: by a signal, with what is still to be written, and with a defect."""

import os
import signal
import sys
import threading
import traceback
from types import FrameType, TracebackType

from storage.texts import plain_lines

GRACE = 3.5  # seconds for a clean end after a signal: with the time that a busy machine adds, under five in all


def flushed() -> bool:
    """Write out what is buffered; what cannot be written is dropped, else Python would try again at its end."""
    whole = True
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            whole = False
    return whole


def print_defect(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print the traceback of an error that nobody expected; its message may hold foreign text."""
    sys.stderr.write(plain_lines("".join(traceback.format_exception(kind, error, trace))))


class Ended:
    """The end by a signal; the first one counts, since a closed terminal may send several."""

    code = 128 + signal.SIGINT

    def __init__(self) -> None:
        self.begun = self._over = False

    def over(self, code: int) -> None:
        """Let a signal that still comes end the process at once: all is told, and an exception would be a traceback."""
        self.code, self._over = code, True

    def by(self, number: int, _frame: FrameType | None) -> None:
        """End cleanly, but within `GRACE` seconds: Dask and Prefect may take longer than people wait."""
        if self._over:
            self._now()
        if self.begun:
            return
        self.begun, self.code = True, 128 + number
        timer = threading.Timer(GRACE, self._now)
        timer.daemon = True
        timer.start()
        raise KeyboardInterrupt

    def _now(self) -> None:
        try:
            server = sys.modules.get("flows.service.embedded_server")  # nothing else starts one
            if server is not None:
                server.end()
        finally:
            os._exit(self.code)
